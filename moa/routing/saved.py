"""Gates kept in a folder: arrays in safetensors, everything else in JSON, nothing that could run as code."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moa.errors import GateError
from moa.routing import saved_responses

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from moa.routing.learned.gate import TrainedGate
    from moa.routing.learned.responses import ResponseGate

MANIFEST = "gate.json"
"""The file that makes a folder a gate: a JSON object whose `kind` names what was learned."""
TENSORS = "gate.safetensors"
FORMAT = 1
"""Counted up when an older moa could not read what a newer one writes."""
LABELS = "labels"
"""The kind of gate that tells labels apart."""


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return what a saved gate says of itself.

    Raises:
        GateError: there is no such folder, or it is no gate.
    """
    if not folder.is_dir():
        raise GateError(f"There is no gate in {folder}: it is not a folder. Name one that holds a {MANIFEST}.")
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise GateError(f"The folder {folder} is no gate: it holds no {MANIFEST}.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise GateError(f"The gate in {folder} cannot be read: its {MANIFEST} is broken ({error}).") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("kind"), str):
        raise GateError(f"The gate in {folder} cannot be read: its {MANIFEST} does not say which kind of gate it is.")
    return manifest


def check_target(folder: Path) -> None:
    """See, before the work, whether a gate could be saved there.

    Raises:
        GateError: there is something else in its place, or the folder cannot be made.
    """
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / MANIFEST).is_file())):
        raise GateError(f"{folder} holds something that is not a gate. Name a new folder, or an empty one.")
    try:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.absolute().parent):
            pass
    except OSError as error:
        raise GateError(f"A gate cannot be saved in {folder}: {error.strerror or error}.") from error


def save_gate(gate: TrainedGate | ResponseGate, folder: Path) -> None:
    """Save a gate; the folder appears whole, or stays as it was. A gate that is there already is replaced.

    Raises:
        GateError: the folder holds something else, or cannot be written.
    """
    from safetensors.numpy import save

    from moa.routing.learned.responses import ResponseGate

    check_target(folder)
    if isinstance(gate, ResponseGate):
        (own, arrays), kind = saved_responses.contents(gate), saved_responses.RESPONSES
    else:
        (own, arrays), kind = _contents(gate), LABELS
    tensors = save(arrays)
    manifest = {"format": FORMAT, "kind": kind, **own, "tensors": sha256(tensors).hexdigest()}
    manifest["seal"] = _seal(manifest)
    _publish(folder, {MANIFEST: json.dumps(manifest, ensure_ascii=False, indent=1).encode(), TENSORS: tensors})


def load_gate(folder: str | Path) -> TrainedGate | ResponseGate:
    """Load a gate that `save_gate` saved.

    Raises:
        GateError: it is no gate, of another version, of another kind, or not as it was saved.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    arrays = _arrays(folder, manifest)
    kinds: dict[str, Callable[..., TrainedGate | ResponseGate]] = {
        LABELS: _restored,
        saved_responses.RESPONSES: saved_responses.restored,
    }
    if (kind := manifest["kind"]) not in kinds:
        raise GateError(f"The gate in {folder} is of the kind {kind!r}, which is not known. Update moa.")
    try:
        return kinds[kind](manifest, arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise GateError(f"The gate in {folder} is not as it was saved ({error!r}). Train it anew.") from error


def _contents(gate: TrainedGate) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what of a gate of labels goes into JSON, and what into tensors."""
    head, examples = gate.head, gate.examples
    manifest = {
        "labels": list(gate.labels),
        "encoder": {"name": gate.origin.name, "dimension": len(gate.origin.probe)},
        "calibration": asdict(gate.calibration),
        "threshold": gate.threshold,
        "thresholds": dict(gate.thresholds),
        "lexicon": {"pieces": head.lexicon.pieces, "scales": list(head.lexicon.scales)},
        "width": head.width,
        "nearness": {"weight": head.nearness, "inside": head.inside},
        "facts": gate.facts,
    }
    arrays: dict[str, NDArray[Any]] = {
        "landmarks": head.landmarks,
        "by_landmark": head.by_landmark,
        "by_vector": head.by_vector,
        "by_term": head.by_term,
        "bias": head.bias,
        "rarity": head.lexicon.rarity,
        "terms": _packed(head.lexicon.terms),
        "example_owners": examples.owners.astype("int32"),
        "example_texts": _packed([json.dumps(text) for text in examples.texts]),
        "probe": gate.origin.probe,
    }
    return manifest, arrays


def _restored(manifest: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> TrainedGate:
    """Put a gate of labels together again."""
    import numpy as np

    from moa.routing.examples import Examples
    from moa.routing.learned.calibration import Calibration
    from moa.routing.learned.gate import Origin, TrainedGate
    from moa.routing.learned.head import Head
    from moa.routing.learned.lexicon import Lexicon

    lexicon = Lexicon(
        tuple(_unpacked(arrays["terms"])),
        manifest["lexicon"]["pieces"],
        arrays["rarity"],
        tuple(manifest["lexicon"]["scales"]),
    )
    near = manifest["nearness"]
    head = Head(
        lexicon,
        arrays["landmarks"],
        manifest["width"],
        arrays["by_landmark"],
        arrays["by_vector"],
        arrays["by_term"],
        arrays["bias"],
        near["weight"],
        near["inside"],
    )
    labels = tuple(manifest["labels"])
    texts = tuple(json.loads(text) for text in _unpacked(arrays["example_texts"]))
    return TrainedGate(
        labels,
        head,
        Calibration.from_json(manifest["calibration"]),
        Origin(manifest["encoder"]["name"], arrays["probe"]),
        Examples(labels, texts, head.landmarks, arrays["example_owners"].astype(np.intp)),
        manifest["threshold"],
        manifest.get("thresholds", {}),  # gates of older versions have none
        manifest["facts"],
    )


def _arrays(folder: Path, manifest: dict[str, Any]) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of a gate whose files are both as they were saved."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if manifest.get("format") != FORMAT:
        raise GateError(
            f"The gate in {folder} has the format {manifest.get('format')!r}, and this moa reads {FORMAT}. "
            "Train it anew, or use the moa that it was trained with."
        )
    if manifest.get("seal") != _seal(manifest):
        raise GateError(f"The gate in {folder} was changed after it was saved: its {MANIFEST} does not match its seal.")
    try:
        tensors = (folder / TENSORS).read_bytes()
    except OSError as error:
        raise GateError(f"The gate in {folder} cannot be read: {TENSORS}: {error.strerror or error}.") from error
    if sha256(tensors).hexdigest() != manifest.get("tensors"):
        raise GateError(f"The gate in {folder} is broken: {TENSORS} is cut off or changed. Copy it again, or train it.")
    try:
        return dict(load(tensors))
    except SafetensorError as error:
        raise GateError(f"The gate in {folder} is broken: {TENSORS} cannot be read ({error}).") from error


def _seal(manifest: dict[str, Any]) -> str:
    """Return the hash of a manifest without its seal. It tells accidents from what was saved, and is no signature."""
    rest = {key: value for key, value in manifest.items() if key != "seal"}
    return sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _publish(folder: Path, files: dict[str, bytes]) -> None:
    """Write files into a folder beside the target, and put it in the target's place when all are there."""
    folder = folder.absolute()
    try:
        half_made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".part"))
        half_made.chmod(0o755)
        try:
            for name, content in files.items():
                with (half_made / name).open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            if folder.exists():
                old = half_made.with_suffix(".old")
                folder.rename(old)
                half_made.rename(folder)
                shutil.rmtree(old, ignore_errors=True)
            else:
                half_made.rename(folder)
        finally:
            shutil.rmtree(half_made, ignore_errors=True)
    except OSError as error:
        raise GateError(f"The gate cannot be saved in {folder}: {error.strerror or error}.") from error


def _packed(texts: Sequence[str]) -> NDArray[np.uint8]:
    """Return texts without line breaks as one array of bytes."""
    import numpy as np

    return np.frombuffer("\n".join(texts).encode("utf-8", "replace"), np.uint8)


def _unpacked(array: NDArray[Any]) -> list[str]:
    text = array.tobytes().decode("utf-8")
    return text.split("\n") if text else []
