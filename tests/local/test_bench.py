"""How quickly a model reads and writes, measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from moa.errors import EngineError, ModelReferenceError
from moa.local.bench import speed_of


@pytest.mark.usefixtures("engines")
def test_a_real_model_is_measured(smallest: Path) -> None:
    said: list[str] = []

    speed = speed_of(str(smallest), said.append)

    assert said[0].startswith("Loading")
    assert speed.prompt_tokens > 400
    assert speed.written_tokens == 64
    assert min(speed.prompt_tokens_per_second, speed.written_tokens_per_second, speed.load_seconds) > 0
    assert speed.bytes > smallest.stat().st_size
    assert speed.device


@pytest.mark.usefixtures("cache")
def test_a_model_that_is_not_here_is_told_with_the_command_that_fetches_it() -> None:
    with pytest.raises(EngineError, match="moa models pull smollm2-135m-instruct"):
        speed_of("smollm2-135m-instruct")


def test_a_name_that_means_nothing_is_refused() -> None:
    with pytest.raises(ModelReferenceError, match="Did you mean"):
        speed_of("smollm-135m-instruct")
