from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from moa.local import hub
from moa.local.engine import stop_engines
from moa.local.storage import models_folder
from tests.fakes.hub import FakeHub
from tests.fakes.models import smallest_model
from tests.fakes.wheels import offline_index


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no network: neither a hub nor a package index. Returns the folder of models."""
    monkeypatch.setenv("MOA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    offline_index(tmp_path / "index", monkeypatch)
    return models_folder()


@pytest.fixture
def index(cache: Path, tmp_path: Path) -> Path:
    """The folder that is the package index."""
    assert cache
    return tmp_path / "index"


ServeHub = Callable[..., FakeHub]


@pytest.fixture
def serve_hub(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServeHub]:
    """Starts a hub that holds some files of `org/repo`, and lets HF_ENDPOINT point to it."""
    assert cache
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr(hub, "_FIRST_WAIT_SECONDS", 0)
    with ExitStack() as stack:

        def serve(files: dict[str, bytes]) -> FakeHub:
            running = stack.enter_context(FakeHub({"org/repo": files}))
            monkeypatch.setenv("HF_ENDPOINT", running.url)
            return running

        yield serve


@pytest.fixture(scope="session")
def smallest() -> Path:
    """A real model, from the user's own cache: a session's fixture is made before any test changes the environment."""
    return smallest_model()


@pytest.fixture
def engines() -> Iterator[None]:
    """Ends the engines that a test started."""
    yield
    stop_engines()
