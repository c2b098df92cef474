"""The suites of public sets: each reads its owner's form, and none of them ships anybody's data."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from moa.errors import DownloadError, SuiteError
from moa.evals.published import Published, github, hub, records
from moa.evals.scorers import SCORERS
from moa.evals.suite import Suite
from moa.evals.suite_files import Wanted, load_suite

SUITES = Path(__file__).parents[2] / "eval" / "suites"
ROWS: dict[str, tuple[str, Any]] = {
    "gsm8k": ("test.jsonl", {"question": "Two and two?", "answer": "It is\n2+2=<<2+2=4>>4\n#### 4"}),
    "math500": ("test.jsonl", {"problem": "Half?", "answer": "\\frac{1}{2}", "subject": "Algebra", "level": 1}),
    "humaneval": (
        "HumanEval.jsonl.gz",
        {
            "task_id": "HumanEval/0",
            "prompt": "def one():\n    '''Return 1.'''\n",
            "entry_point": "one",
            "canonical_solution": "    return 1\n",
            "test": "def check(candidate):\n    assert candidate() == 1\n",
        },
    ),
    "mbpp": (
        "mbpp.jsonl",
        {"task_id": 11, "text": "Return 1.", "code": "def one():\n    return 1", "test_list": ["assert one() == 1"]},
    ),
    "lsat": (
        "lsat-lr.jsonl",
        {"passage": "All a are b.", "question": "So?", "options": ["(A)a is b.", "(B)b is a."], "label": "A"},
    ),
    "legalbench": (
        "train.jsonl",
        {"task": "hearsay", "instruction": "Is it hearsay?", "text": "He said …", "answer": "Yes"},
    ),
    "medqa": (
        "test.jsonl",
        {"question": "Which organ?", "options": {"A": "heart", "B": "liver"}, "answer": "liver", "answer_idx": "B"},
    ),
    "pubmedqa": (
        "ori_pqal.json",
        {"17": {"QUESTION": "Does it?", "CONTEXTS": ["We looked."], "final_decision": "maybe", "YEAR": "2000"}},
    ),
    "truthfulqa": (
        "TruthfulQA.csv",
        "Question,Category,Best Answer,Incorrect Answers\nIs it flat?,Myths,No,Yes; It is a disc\n",
    ),
    "bbh": ("navigate.json", {"canary": "…", "examples": [{"input": "Do you return?", "target": "Yes"}]}),
    "alpaca_pref": ("outputs.json", [{"instruction": "Greet me.", "output": "Hello!", "dataset": "own"}]),
    "arena_hard": ("question.jsonl", {"question_id": "q1", "turns": [{"content": "Greet me."}], "reference": "Hello!"}),
    "mmlu": ("anatomy_test.csv", "Which is it?,heart,liver,lung,skin,B\n"),
}
TARGETS = {
    "gsm8k": "4",
    "math500": "\\frac{1}{2}",
    "lsat": "A",
    "legalbench": "Yes",
    "medqa": "B",
    "pubmedqa": "maybe",
    "bbh": "Yes",
    "alpaca_pref": "Hello!",
    "arena_hard": "Hello!",
    "mmlu": "B",
    "mbpp": ["assert one() == 1"],
}


def written(folder: Path, name: str) -> Path:
    file, content = ROWS[name]
    text = content if isinstance(content, str) else json.dumps(content)
    path = folder / file
    path.write_bytes(gzip.compress(text.encode()) if file.endswith(".gz") else text.encode())
    return path


def load(name: str, data: Path | None) -> Suite:
    return load_suite(SUITES / f"{name}.py", Wanted(data=data))


class TestEverySuite:
    @pytest.mark.parametrize("name", ROWS)
    def test_reads_the_form_of_its_owner(self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MOA_JUDGE", "openai/gpt-4o-mini")
        suite = load(name, written(tmp_path, name))
        assert suite.name == name
        assert suite.scorer.name.partition("(")[0] in SCORERS
        [sample] = suite.samples
        assert sample.target == TARGETS.get(name, sample.target)
        assert sample.metadata["field"] in {"math", "code", "law", "medicine", "general"}
        json.dumps([sample.target, dict(sample.metadata)])

    @pytest.mark.parametrize("name", ROWS)
    @pytest.mark.parametrize("content", ["", "{", '{"unknown": 1}', "5"])
    def test_says_what_is_wrong_with_other_files(
        self, name: str, content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MOA_JUDGE", "openai/gpt-4o-mini")
        (tmp_path / "data.jsonl").write_text(content)
        with pytest.raises(SuiteError, match=r"data\.jsonl"):
            load(name, tmp_path / "data.jsonl")

    @pytest.mark.parametrize("name", ["humaneval", "mbpp"])
    async def test_the_owners_solutions_pass(self, name: str, tmp_path: Path) -> None:
        suite = load(name, written(tmp_path, name))
        [sample] = suite.samples
        score = await suite.scorer.score(sample, f"```python\n{sample.metadata['reference']}\n```")
        assert score.value == 1

    @pytest.mark.parametrize("name", ["alpaca_pref", "arena_hard"])
    def test_what_needs_a_judge_says_so(self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("MOA_JUDGE", raising=False)
        with pytest.raises(SuiteError, match="MOA_JUDGE"):
            load(name, written(tmp_path, name))

    def test_an_archive_of_tasks_is_read_by_task(self, tmp_path: Path) -> None:
        with tarfile.open(tmp_path / "data.tar.gz", "w:gz") as archive:
            for task, split in (("hearsay", "train"), ("hearsay", "test"), ("overruling", "test")):
                rows = f"index\tanswer\ttext\n0\tYes\tOne {task}\n1\tNo\tTwo {task}\n".encode()
                member = tarfile.TarInfo(f"data/{task}/{split}.tsv")
                member.size = len(rows)
                archive.addfile(member, io.BytesIO(rows))
        suite = load("legalbench", tmp_path / "data.tar.gz")
        assert [sample.id for sample in suite.samples] == ["hearsay-1", "hearsay-2", "overruling-1", "overruling-2"]
        assert "One of" not in suite.samples[0].input.question
        assert "one of: No, Yes." in suite.samples[0].input.question

    def test_true_answers_of_truthfulqa_stand_where_they_stood(self, tmp_path: Path) -> None:
        suites = [load("truthfulqa", written(tmp_path, "truthfulqa")) for _ in range(2)]
        assert suites[0].fingerprint() == suites[1].fingerprint()


@pytest.mark.skipif(find_spec("reasoning_gym") is None, reason="reasoning-gym is of the extra `gym`")
class TestReasoningGym:
    async def test_is_made_by_the_seed_and_its_answers_are_right(self) -> None:
        suite = load_suite(SUITES / "reasoning_gym.py", Wanted(limit=16, seed=3))
        again = load_suite(SUITES / "reasoning_gym.py", Wanted(limit=16, seed=3))
        other = load_suite(SUITES / "reasoning_gym.py", Wanted(limit=16, seed=4))
        assert suite.fingerprint() == again.fingerprint() != other.fingerprint()
        assert len(suite.samples) == 16
        for sample in suite.samples:
            assert (await suite.scorer.score(sample, f"Well …\nAnswer: {sample.target}")).value == 1, sample.id
            assert (await suite.scorer.score(sample, "I do not know")).value < 1


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TestFetching:
    @pytest.fixture(autouse=True)
    def _cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MOA_CACHE", str(tmp_path / "cache"))
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)

    def test_a_file_is_fetched_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        place = tmp_path / "site" / "datasets" / "me" / "set" / "resolve" / "main"
        place.mkdir(parents=True)
        (place / "rows.jsonl").write_text('{"question": "?"}\n')
        with serving(tmp_path / "site") as url:
            monkeypatch.setenv("HF_ENDPOINT", url)
            assert [row.values for row in records(None, [hub("me/set", "rows.jsonl")])] == [{"question": "?"}]
        assert len(records(None, [hub("me/set", "rows.jsonl")])) == 1  # the server is gone

    def test_what_cannot_be_had_names_the_way_out(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with serving(tmp_path) as url, pytest.raises(DownloadError, match=r"answers 404.*--data PATH"):
            Published(f"{url}/none.jsonl").fetch()
        with pytest.raises(DownloadError, match="--data PATH"):
            Published(f"{url}/none.jsonl").fetch()
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        with pytest.raises(DownloadError, match="HF_HUB_OFFLINE"):
            hub("me/set", "rows.jsonl").fetch()
        assert not list((tmp_path / "cache").rglob("*.part"))

    def test_addresses(self) -> None:
        assert hub("me/set", "a b.jsonl").url.endswith("/datasets/me/set/resolve/main/a%20b.jsonl")
        assert github("me/it", "x.csv", "abc").url == "https://raw.githubusercontent.com/me/it/abc/x.csv"
