"""The checks of `moa doctor`: each looks at one thing and says what it found, and what mends it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from moa.cli.console import State, console
from moa.errors import MissingKeyError, MoaError, StoreError
from moa.local.catalogue import CATALOGUE
from moa.local.child import HOW_TO_INSTALL
from moa.local.download import fetched
from moa.local.files import size_text
from moa.local.storage import free_bytes
from moa.paths import cache_folder, data_folder

if TYPE_CHECKING:
    from moa.backends.base import Backend, Readiness
    from moa.local.weights import Weights
    from moa.mixture import Mixture

_OLDEST_PYTHON = (3, 11)
_COLUMNS = 80
_AGAIN = "pip install --force-reinstall mixture-of-agents"
# For models that nobody measured. Of those that were, weights of 1.1 GB take 2.0 GB, mostly for their context.
_MEMORY_PER_WEIGHT = 1.8
_KEYS = (
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "MISTRAL_API_KEY",
    "GROQ_API_KEY",
    "OPENROUTER_API_KEY",
    "DEEPSEEK_API_KEY",
    "XAI_API_KEY",
    "COHERE_API_KEY",
    "TOGETHERAI_API_KEY",
    "FIREWORKS_API_KEY",
    "CEREBRAS_API_KEY",
    "NVIDIA_NIM_API_KEY",
    "AZURE_API_KEY",
    "AWS_ACCESS_KEY_ID",
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    """`fail` if the main job, answering with this mixture, cannot work without it."""
    text: str
    remedy: str = ""
    """The command or step that mends it, or makes it better."""


def all_checks(spec: str | None) -> Iterator[Check]:
    """Yield every check, with a mixture as `load_mixture` understands it."""
    yield _python()
    mixture, loaded = _load(spec)
    yield loaded
    if mixture:
        yield from _models(mixture)
        yield from _encoder(mixture)
    yield from _libraries()
    yield from _folders()
    yield from _room(mixture)
    yield from _machine()
    yield from _servers()
    yield from _keys()
    yield _database()
    yield _sandbox()
    yield _terminal()


def _python() -> Check:
    from moa import __version__

    version = ".".join(map(str, sys.version_info[:3]))
    text = f"{version}, with moa {__version__}, in {sys.prefix}"
    if sys.version_info < _OLDEST_PYTHON:
        return Check("Python", "fail", text, "make an environment with Python 3.11 or newer")
    return Check("Python", "ok", text)


def _load(spec: str | None) -> tuple[Mixture | None, Check]:
    from moa.loader import load_mixture

    try:
        mixture = load_mixture(spec)
    except MoaError as error:
        return None, Check("Mixture", "fail", str(error), "mend that file, or name another one: moa doctor --mixture …")
    names = ", ".join(agent.name for agent in mixture.agents)
    return mixture, Check("Mixture", "ok", f"{mixture.name}: {names}")


def _backends(mixture: Mixture) -> dict[str, tuple[Backend, list[str]]]:
    """Return each model once, by its reference, and who uses it."""
    used: dict[str, tuple[Backend, list[str]]] = {}
    for agent in mixture.agents:
        used.setdefault(agent.backend.reference, (agent.backend, []))[1].append(agent.name)
    writer = getattr(mixture.aggregator, "backend", None)
    if writer:
        used.setdefault(writer.reference, (writer, []))[1].append("the aggregator")
    return used


def _models(mixture: Mixture) -> Iterator[Check]:
    for reference, (backend, users) in _backends(mixture).items():
        readiness = backend.readiness()
        text = f"{readiness.text} (for {', '.join(users)})"
        yield Check(f"Model {reference}", state_of(backend, readiness), text, readiness.remedy)


def state_of(backend: Backend, readiness: Readiness) -> State:
    """Return how well a model stands: `note` if all that it lacks is a download that its first question starts."""
    return "ok" if readiness.ready else "note" if _comes_by_itself(backend) else "fail"


def _comes_by_itself(backend: Backend) -> bool:
    from moa.backends.local import LocalModel

    return (
        isinstance(backend, LocalModel)
        and find_spec("xllamacpp") is not None
        and not backend.weights.files()
        and backend.weights.download_bytes != 0
    )


def _encoder(mixture: Mixture) -> Iterator[Check]:
    from moa.routing.encoders import FULL, LIGHT

    name = mixture.router.encoder
    if len(mixture.agents) == 1:
        yield Check("Encoder", "ok", "one agent alone needs none")
        return
    light = all(find_spec(library) for library in ("onnxruntime", "tokenizers"))
    if name == LIGHT and not light:
        yield Check("Encoder library", "note", "onnxruntime is missing, so loading takes seconds", HOW_TO_INSTALL)
        name = FULL
    if name != LIGHT and find_spec("sentence_transformers") is None:
        yield Check("Encoder library", "fail", "sentence-transformers is missing", _AGAIN)
    if name not in {entry.name for entry in CATALOGUE}:
        yield Check("Encoder", "note", f"{name} is not of moa's catalogue; it is looked for at the first question")
    elif fetched(name):
        yield Check("Encoder", "ok", f"{name} is on this machine")
    else:
        yield Check(
            "Encoder",
            "note",
            f"{name} is not downloaded yet; that happens at the first question",
            f"moa models pull {name}",
        )


def _libraries() -> Iterator[Check]:
    for library, name, purpose, remedy in (
        ("xllamacpp", "xllamacpp", "local models", HOW_TO_INSTALL),
        ("onnxruntime", "onnxruntime", "the light encoder", HOW_TO_INSTALL),
        ("tokenizers", "tokenizers", "the light encoder", HOW_TO_INSTALL),
        ("sentence_transformers", "sentence-transformers", "other encoders", _AGAIN),
        ("litellm", "litellm", "hosted models", _AGAIN),
        ("textual", "textual", "moa chat", _AGAIN),
    ):
        there = find_spec(library) is not None
        text = f"for {purpose}: {'installed' if there else 'missing'}"
        yield Check(f"Library {name}", "ok" if there else "note", text, "" if there else remedy)


def _folders() -> Iterator[Check]:
    for name, folder, variable in (("Cache", cache_folder(), "MOA_CACHE"), ("Data", data_folder(), "MOA_DATA")):
        if _writable(folder):
            yield Check(f"{name} folder", "ok", f"{folder}, {size_text(free_bytes(folder))} free")
        else:
            remedy = f"make it writable, or export {variable}=… to another folder"
            yield Check(f"{name} folder", "note", f"{folder} cannot be written", remedy)


def _writable(folder: Path) -> bool:
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _room(mixture: Mixture | None) -> Iterator[Check]:
    """Whether disk and memory can hold the mixture's local models."""
    from moa.backends.local import LocalModel

    used = _backends(mixture).values() if mixture else ()
    weights = [backend.weights for backend, _ in used if isinstance(backend, LocalModel)]
    missing = sum(model.download_bytes or 0 for model in weights if not model.files())
    if missing:
        free = free_bytes(cache_folder())
        text = f"{size_text(missing)} to download, {size_text(free)} free in {cache_folder()}"
        if missing < free and _writable(cache_folder()):
            yield Check("Disk", "ok", text)
        else:
            yield Check("Disk", "fail", text, "free some space, or export MOA_CACHE=… to another folder")
    yield _memory(max(map(_memory_of, weights), default=0))


def _memory(largest: int) -> Check:
    """Whether the largest of the local models fits into what they may take; the others then have their turns."""
    from moa.cli.machine import memory_bytes
    from moa.local.machine_memory import VARIABLE, default_budget

    memory = memory_bytes()
    if memory is None:
        return Check("Memory", "note", "this system does not tell how much it has")
    total, free_now = memory
    text = f"{size_text(total)}" + ("" if free_now is None else f", {size_text(free_now)} of it free now")
    try:
        budget = default_budget()
    except MoaError as error:
        return Check("Memory", "fail" if largest else "note", str(error), f"correct {VARIABLE}, or unset it")
    text += f"; local models may take {size_text(budget)} together"
    if not largest:
        return Check("Memory", "ok", text)
    text += f", and the largest needs some {size_text(largest)}"
    if largest <= budget:
        return Check("Memory", "ok", text)
    return Check("Memory", "note", text, f"close other programs, name smaller models, or export {VARIABLE}=…")


def _memory_of(weights: Weights) -> int:
    """Return the bytes of memory that a model takes while it runs: as measured, or estimated from its size."""
    from moa.local.weights import CatalogueWeights

    if isinstance(weights, CatalogueWeights) and weights.entry.memory_bytes:
        return weights.entry.memory_bytes
    size = sum(file.stat().st_size for file in weights.files()) or weights.download_bytes or 0
    return round(size * _MEMORY_PER_WEIGHT)


def _machine() -> Iterator[Check]:
    from moa.cli.machine import gpu
    from moa.local.processors import physical_cores

    yield Check("Processor", "ok", f"{physical_cores() or os.cpu_count()} cores")
    yield Check("GPU", "ok", f"{gpu() or 'none found; local models run on the processor'}")


def _servers() -> Iterator[Check]:
    """The model servers that run on this machine, and what to write for each model they offer."""
    from moa.cli.servers import USUAL_PORTS, find_servers

    found = find_servers()
    for server in found:
        name = f"Server {server.kind} at {server.url}"
        if server.needs_key:
            how = f'name it in Python: Endpoint("{server.url}/v1", "MODEL", api_key_env="VARIABLE")'
            yield Check(name, "note", "wants a key before it tells its models", how)
        elif server.references:
            yield Check(name, "ok", f"as model: {', '.join(server.references)}")
        else:
            yield Check(name, "note", "offers no models yet")
    if not found:
        kinds = ", ".join(f"{kind} (port {port})" for port, kind in USUAL_PORTS.items())
        yield Check("Model servers", "note", f"none of these answers on this machine: {kinds}")


def _keys() -> Iterator[Check]:
    """Names only: no value of a key is ever shown."""
    from moa.backends.keys import read_key

    found: list[str] = []
    for variable in _KEYS:
        try:
            if read_key(variable):
                found.append(variable)
        except MissingKeyError as error:
            yield Check(f"Key {variable}", "note", str(error), f"correct {variable} or {variable}_FILE")
    none = "none in the environment; hosted models need one, local models do not"
    yield Check("Keys", "ok" if found else "note", ", ".join(found) or none)


def _database() -> Check:
    from moa.store import Store

    with Store() as store:
        if not store.path.exists():
            return Check("Database of runs", "ok", f"none yet; the first question makes {store.path}")
        try:
            newest = store.runs(limit=1)
        except StoreError as error:
            return Check("Database of runs", "note", str(error))
        return Check("Database of runs", "ok", f"{store.path}{'' if newest else ', without any runs'}")


def _sandbox() -> Check:
    """Where code of models can run, which evaluations of code need."""
    from moa.evals.sandbox import describe

    found, text = describe()
    remedy = "" if found else "install bubblewrap, or run evaluations of code with --unsafe-exec"
    return Check("Sandbox", "ok" if found else "note", text, remedy)


def _terminal() -> Check:
    if not sys.stdout.isatty():
        return Check("Terminal", "note", "none here; moa chat needs one, moa ask does not")
    columns, rows = shutil.get_terminal_size()
    text = f"{columns} × {rows}, {console().color_system or 'no'} colours"
    if columns < _COLUMNS:
        return Check("Terminal", "note", text, f"make the window {_COLUMNS} columns wide for moa chat")
    return Check("Terminal", "ok", text)
