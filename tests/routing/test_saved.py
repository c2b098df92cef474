from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from moa.errors import GateError
from moa.routing.embedding import Embedder
from moa.routing.learned.gate import TrainedGate
from moa.routing.monotone import Monotone
from moa.routing.saved import MANIFEST, TENSORS, load_gate, save_gate
from moa.routing.training.gate import train_gate
from moa.routing.training.questions import Questions
from tests.fakes.encoder import WordEncoder
from tests.routing.shop import LABELLED


@pytest.fixture(scope="module")
def gate() -> TrainedGate:
    texts, labels = zip(*LABELLED, strict=True)
    return train_gate(
        Questions((*texts, "naïve\nlines \ud800"), (*labels, None)), Embedder(WordEncoder()), lambda _: None
    )


@pytest.fixture
def folder(gate: TrainedGate, tmp_path: Path) -> Path:
    save_gate(gate, tmp_path / "gate")
    return tmp_path / "gate"


def loaded_from(folder: Path) -> TrainedGate:
    loaded = load_gate(folder)
    assert isinstance(loaded, TrainedGate)
    return loaded


def test_a_loaded_gate_says_what_the_saved_one_did(gate: TrainedGate, folder: Path) -> None:
    loaded = loaded_from(folder)
    asked = ["How do I bake cake?", "Who ruled Persia?", "🙂", "naïve prune"]
    vectors = WordEncoder().encode(asked)

    np.testing.assert_array_equal(loaded.scores(vectors, asked), gate.scores(vectors, asked))
    assert loaded.labels == gate.labels
    assert loaded.calibration == gate.calibration
    assert loaded.threshold == gate.threshold
    assert loaded.facts == json.loads(json.dumps(gate.facts))
    assert loaded.examples.texts == gate.examples.texts
    assert loaded.examples.owners.tolist() == gate.examples.owners.tolist()


def test_thresholds_and_the_map_of_the_calibration_are_saved_too(gate: TrainedGate, tmp_path: Path) -> None:
    mapped = replace(gate.calibration, after=Monotone(knots=((0.0, 0.1), (1.0, 0.9))))
    save_gate(replace(gate, thresholds={"garden": 0.25}, calibration=mapped), tmp_path / "made")

    loaded = loaded_from(tmp_path / "made")

    assert loaded.thresholds == {"garden": 0.25}
    assert loaded.calibration == mapped


def test_a_folder_holds_json_and_tensors_and_nothing_else(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [MANIFEST, TENSORS]
    manifest = json.loads((folder / MANIFEST).read_text())
    assert manifest["format"] == 1
    assert manifest["encoder"]["name"] == "words"
    assert len(manifest["facts"]["training"]["hash"]) == 64


def test_saving_again_replaces_the_gate(gate: TrainedGate, folder: Path) -> None:
    save_gate(gate, folder)
    assert loaded_from(folder).labels == gate.labels
    assert [path.name for path in folder.parent.iterdir()] == ["gate"]


def test_a_folder_of_other_things_is_not_touched(gate: TrainedGate, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(GateError, match="something that is not a gate"):
        save_gate(gate, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def truncate(folder: Path) -> None:
    whole = (folder / TENSORS).read_bytes()
    (folder / TENSORS).write_bytes(whole[: len(whole) // 2])


def flip(folder: Path) -> None:
    whole = bytearray((folder / TENSORS).read_bytes())
    whole[-9] ^= 1
    (folder / TENSORS).write_bytes(bytes(whole))


def lose(folder: Path) -> None:
    (folder / TENSORS).unlink()


def edit(folder: Path) -> None:
    text = (folder / MANIFEST).read_text().replace("kitchen", "chicken")
    (folder / MANIFEST).write_text(text)


def age(folder: Path) -> None:
    text = (folder / MANIFEST).read_text().replace('"format": 1', '"format": 99')
    (folder / MANIFEST).write_text(text)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (truncate, "cut off or changed"),
        (flip, "cut off or changed"),
        (lose, "cannot be read"),
        (edit, "changed after it was saved"),
        (age, "format 99"),
    ],
)
def test_a_gate_that_is_not_as_it_was_saved_is_refused(folder: Path, damage: object, said: str) -> None:
    assert callable(damage)
    damage(folder)
    with pytest.raises(GateError, match=said):
        load_gate(folder)
