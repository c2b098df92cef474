from __future__ import annotations

import json
from pathlib import Path

import pytest

from moa.cli.route import route
from tests.cli.commands import run

MIXTURE = """
from moa import Agent, Mixture

class Model:
    reference = "scripted:model"
    priced = True
    def stream(self, request): raise AssertionError("no model is asked")
    def readiness(self): raise AssertionError("no model is asked")

mixture = Mixture([
    Agent("general", model=Model(), examples=["Hello, how are you?", "Tell me a joke.", "What is the capital?"]),
    Agent("math", model=Model(), examples=["What is 2 + 2?", "Solve x^2 = 9.", "How many apples are left [of 12]?"]),
])
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("MOA_DATA", str(tmp_path / "data"))
    (tmp_path / "mix.py").write_text(MIXTURE)
    return tmp_path


def test_a_table_shows_who_would_answer_and_why() -> None:
    done = run(route, "What is 3 + 5?", "-m", "mix.py")

    assert done.code == 0
    assert done.out.startswith("math would answer\n")
    assert "● math" in done.out
    assert "nearest to “What is 2 + 2?”" in done.out
    assert "threshold 0.35" in done.out
    assert "all-minilm-l6-v2-int8" in done.out


def test_json_is_the_routing_of_the_contract() -> None:
    done = run(route, "What is 3 + 5?", "-m", "mix.py", "--json")

    routing = json.loads(done.out)
    assert {"panel", "fallback", "agents", "threshold", "encoder", "seconds"} <= routing.keys()
    assert routing["panel"] == ["math"]
    assert {"name", "score", "probability", "weight", "chosen", "reason", "nearest"} <= routing["agents"][0].keys()
    assert routing["agents"][1]["nearest"][0]["text"] == "What is 2 + 2?"


def test_every_question_of_a_file_becomes_one_line(folder: Path) -> None:
    (folder / "q.jsonl").write_text('{"text": "What is 9 - 4?"}\n\n{"text": "Tell me a joke.", "id": 7}\n')

    done = run(route, "--file", "q.jsonl", "--out", "o.jsonl", "-m", "mix.py")

    rows = [json.loads(line) for line in (folder / "o.jsonl").read_text().splitlines()]
    assert (done.code, done.out) == (0, "")
    assert "routed 2 of 2" in done.err
    assert [row["text"] for row in rows] == ["What is 9 - 4?", "Tell me a joke."]
    assert [row["panel"] for row in rows] == [["math"], ["general"]]
    assert [row["fallback"] for row in rows] == [False, False]
    assert all(row["scores"].keys() == {"general", "math"} for row in rows)
    assert all(0 <= share <= 1 for row in rows for share in row["scores"].values())


def test_without_out_the_lines_are_printed(folder: Path) -> None:
    (folder / "q.jsonl").write_text('{"question": "What is 9 - 4?"}')

    done = run(route, "--file", "q.jsonl", "--text-field", "question", "-m", "mix.py")

    assert json.loads(done.out)["panel"] == ["math"]


def test_odd_texts_come_back_as_they_were(folder: Path) -> None:
    texts = ["", "   ", "🙂", "half \ud800", "two\u2028lines", "x" * 100_000]
    (folder / "q.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))

    done = run(route, "--file", "q.jsonl", "--out", "o.jsonl", "-m", "mix.py")

    rows = [json.loads(line) for line in (folder / "o.jsonl").read_text(encoding="utf-8").split("\n")[:-1]]
    assert done.code == 0
    assert [row["text"] for row in rows] == texts
    assert rows[0]["fallback"]
    assert rows[1]["fallback"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('{"text": "fine"}\nnot json\n', "q.jsonl, line 2 is not JSON"),
        ('{"text": "fine"}\n{"text": 1}\n', "q.jsonl, line 2: the field 'text' must be a string, not 1"),
        ('{"text": null}\n', "line 1: the field 'text' must be a string, not null"),
        ('\n\n{"question": "x", "id": 1}\n', "line 3 has no field 'text'; it has 'question', 'id'"),
        ('["text"]\n', "line 1 is not a JSON object"),
        ("", "q.jsonl is empty"),
        (" \n \n", "q.jsonl is empty"),
        ("[" * 100_000, "line 1 is"),
    ],
)
def test_a_file_that_is_not_right_is_refused_with_its_line_and_nothing_is_written(
    folder: Path, content: str, complaint: str
) -> None:
    (folder / "q.jsonl").write_text(content)

    done = run(route, "--file", "q.jsonl", "--out", "o.jsonl", "-m", "mix.py")

    assert done.code == 2
    assert complaint in done.err
    assert sorted(path.name for path in folder.iterdir()) == ["mix.py", "q.jsonl"]


def test_a_file_that_is_not_text_is_refused(folder: Path) -> None:
    (folder / "q.jsonl").write_bytes(b'{"text": "\xff"}')

    done = run(route, "--file", "q.jsonl", "-m", "mix.py")

    assert done.code == 2
    assert "q.jsonl is not UTF-8 text (at byte 10)" in done.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "Give either a question"),
        (("hi", "--file", "q.jsonl"), "Give either a question"),
        (("hi", "--out", "o.jsonl"), "--out belongs to --file"),
        (("--file", "nowhere.jsonl"), "There is no file nowhere.jsonl"),
        (("--file", "."), "cannot be read"),
        (("--file", "q.jsonl", "--out", "q.jsonl"), "would overwrite the questions"),
        (("--file", "q.jsonl", "--out", "nowhere/o.jsonl"), "nowhere/o.jsonl cannot be written"),
        (("  ",), "The question is empty"),
        (("hi", "-m", "nowhere.py"), "nowhere.py"),
    ],
)
def test_a_wrong_command_is_refused_in_one_sentence(folder: Path, arguments: tuple[str, ...], complaint: str) -> None:
    (folder / "q.jsonl").write_text('{"text": "hi"}\n')

    done = run(route, "-m", "mix.py", *arguments) if "-m" not in arguments else run(route, *arguments)

    assert done.code == 2
    assert complaint in done.err
    assert (folder / "q.jsonl").read_text() == '{"text": "hi"}\n'


def test_an_earlier_output_stays_whole_if_the_questions_are_wrong(folder: Path) -> None:
    (folder / "q.jsonl").write_text("not json")
    (folder / "o.jsonl").write_text("earlier\n")

    run(route, "--file", "q.jsonl", "--out", "o.jsonl", "-m", "mix.py")

    assert (folder / "o.jsonl").read_text() == "earlier\n"


def test_an_output_is_replaced(folder: Path) -> None:
    (folder / "q.jsonl").write_text('{"text": "hi"}\n')
    (folder / "o.jsonl").write_text("earlier\n" * 50)

    run(route, "--file", "q.jsonl", "--out", "o.jsonl", "-m", "mix.py")

    [line] = (folder / "o.jsonl").read_text().splitlines()
    assert json.loads(line)["text"] == "hi"


@pytest.mark.parametrize("manifest", [None, "not json", "[]", "{}"])
def test_a_folder_that_is_no_gate_is_refused(folder: Path, manifest: str | None) -> None:
    (folder / "gate").mkdir()
    if manifest is not None:
        (folder / "gate" / "gate.json").write_text(manifest)

    done = run(route, "hi", "--gate", "gate", "-m", "mix.py")

    assert done.code == 1
    assert "gate" in done.err
    assert "gate.json" in done.err


def test_a_gate_that_does_not_exist_is_refused() -> None:
    done = run(route, "hi", "--gate", "nowhere")

    assert done.code == 1
    assert "There is no gate in nowhere" in done.err


class TestWhatIf:
    def test_both_decisions_are_shown(self) -> None:
        done = run(route, "What is 3 + 5?", "-m", "mix.py", "--what-if", "threshold.math=1", "--what-if", "pin=general")

        before, after = done.out.split("If threshold.math=1, pin=general: ")
        assert before.startswith("math would answer\n")
        assert after.startswith("general would answer\n")
        assert "it is pinned" in after

    def test_json_holds_both(self) -> None:
        routing = json.loads(run(route, "What is 3 + 5?", "-m", "mix.py", "--json", "--what-if", "exclude=math").out)

        assert routing["panel"] == ["math"]
        assert routing["what_if"]["tried"] == ["exclude=math"]
        assert routing["what_if"]["routing"]["panel"] == ["general"]
        assert routing["what_if"]["routing"]["agents"][1]["probability"] == routing["agents"][1]["probability"]

    @pytest.mark.parametrize(
        ("tried", "panel"),
        [
            (["k=2", "threshold=0", "margin=1"], {"math", "general"}),
            (["policy=dense"], {"math", "general"}),
            (["threshold=1"], {"general"}),
            (["fallback_threshold=1"], {"general"}),
            (["always=general"], {"math", "general"}),
            (["pin=general,math", "k_max=1"], {"math", "general"}),
            (["exclude=math", "pin=math"], {"math"}),
        ],
    )
    def test_every_setting_can_be_tried(self, tried: list[str], panel: set[str]) -> None:
        options = [part for change in tried for part in ("--what-if", change)]
        routing = json.loads(run(route, "What is 3 + 5?", "-m", "mix.py", "--json", *options).out)

        assert set(routing["what_if"]["routing"]["panel"]) == panel

    @pytest.mark.parametrize(
        ("tried", "complaint"),
        [
            ("treshold=0.2", "no setting 'treshold' to try. Did you mean threshold?"),
            ("threshold", "'threshold' is not a setting and its value"),
            ("k=two", "'two' is not a whole number"),
            ("threshold=high", "'high' is not a number"),
            ("threshold=7", "threshold is 7.0; it must be 0 … 1"),
            ("policy=best", "no policy 'best'"),
            ("pin=maths", "no agent 'maths' to pin or exclude. Did you mean math?"),
            ("threshold.maths=0.5", "no agent 'maths'"),
            ("exclude=math,general", "Every agent is excluded"),
        ],
    )
    def test_what_is_not_understood_is_an_error(self, tried: str, complaint: str) -> None:
        done = run(route, "What is 3 + 5?", "-m", "mix.py", "--what-if", tried)

        assert done.code == 2
        assert complaint in done.err

    def test_it_belongs_to_a_single_question(self) -> None:
        assert run(route, "--file", "q.jsonl", "--what-if", "k=2").code == 2


def test_the_table_fits_into_80_columns_and_shows_every_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = run(route, "@general What is 3 + 5, and what is 12 + 7, and how many [apples] is that?", "-m", "mix.py")

    assert all(len(line) <= 80 for line in done.out.splitlines())
    assert done.out.startswith("general would answer\n")
    assert "the question is for @general" in done.out
    assert "score " in done.out
    assert "weight 100%" in done.out


def test_a_policy_says_how_many_agents_a_kind_of_question_gets(folder: Path) -> None:
    policy = {"format": 1, "kinds": {"math": {"aggregator": "vote", "k": 2}}}
    (folder / "policy.json").write_text(json.dumps(policy))
    chosen = MIXTURE.replace("import Agent, Mixture", "import Agent, Auto, Mixture").rstrip().removesuffix(")")
    (folder / "mix.py").write_text(f'{chosen}, aggregator=Auto("policy.json"))\n')
    (folder / "q.jsonl").write_text('{"text": "What is 9 - 4?"}\n{"text": "Tell me a joke."}\n')

    alone = json.loads(run(route, "What is 3 + 5?", "-m", "mix.py", "--json").out)
    several = [json.loads(line) for line in run(route, "--file", "q.jsonl", "-m", "mix.py").out.splitlines()]

    assert alone["panel"] == ["math", "general"]
    assert [row["panel"] for row in several] == [["math", "general"], ["general"]]
    policy["kinds"]["math"]["k"] = 0  # type: ignore[index]
    (folder / "policy.json").write_text(json.dumps(policy))
    done = run(route, "What is 3 + 5?", "-m", "mix.py")
    assert done.code == 2
    assert "policy.json, kinds.math.k: it is 0" in done.err
