"""`moa ask`, as a user's shell calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import moa as package
from tests.cli.terminal import moa
from tests.fakes.openai_server import Break, FakeOpenAI, Raw, Refuse, Scripted

SOLO = 'from moa import Agent, Mixture\nmixture = Mixture([Agent("sage", model="{base}#sage")])\n'


def mixture_file(folder: Path, base: str) -> str:
    (folder / "sage.py").write_text(SOLO.format(base=base))
    return "sage.py"


class TestAnswering:
    async def test_the_answer_goes_to_stdout_and_the_rest_to_stderr(self, tmp_path: Path) -> None:
        async with FakeOpenAI() as server:
            server.replies("sage", "It is Canberra.")
            done = await moa("ask", "Capital?", "--mixture", mixture_file(tmp_path, server.base_url), folder=tmp_path)
        assert (done.code, done.out) == (0, "It is Canberra.\n")
        assert "→ sage" in done.err

    async def test_json_is_the_contracts_object(self, tmp_path: Path) -> None:
        async with FakeOpenAI() as server:
            server.replies("sage", "It is Canberra.")
            done = await moa("ask", "?", "-m", mixture_file(tmp_path, server.base_url), "--json", folder=tmp_path)
        answer = json.loads(done.out)
        assert answer["text"] == "It is Canberra."
        assert answer["routing"]["panel"] == ["sage"]
        assert set(answer["routing"]["agents"][0]) >= {
            "name",
            "score",
            "probability",
            "weight",
            "chosen",
            "reason",
            "nearest",
        }
        [draft] = answer["drafts"]
        assert (draft["agent"], draft["status"], draft["tokens"]) == ("sage", "ok", {"input": 7, "output": 3})
        assert draft["cost_usd"] is None
        assert answer["aggregator"] == {"asked": "auto", "ran": "solo", "why": "one draft"}
        assert answer["degraded"] == []

    async def test_a_dash_reads_the_question_from_stdin(self, tmp_path: Path) -> None:
        async with FakeOpenAI() as server:
            server.replies("sage", "Yes.")
            file = mixture_file(tmp_path, server.base_url)
            done = await moa("ask", "-", "-m", file, folder=tmp_path, stdin="Is it\nso?\n")
            assert server.requests[0].body["messages"][-1]["content"] == "Is it\nso?\n"
        assert done.out == "Yes.\n"

    async def test_control_sequences_in_an_answer_do_not_reach_the_terminal(self, tmp_path: Path) -> None:
        async with FakeOpenAI() as server:
            server.replies("sage", "red \x1b[31m and\x1b]0;title\x07 done")
            done = await moa("ask", "?", "-m", mixture_file(tmp_path, server.base_url), folder=tmp_path)
        assert done.out == "red ␛[31m and␛]0;title␇ done\n"

    async def test_what_was_asked_is_kept(self, tmp_path: Path) -> None:
        async with FakeOpenAI() as server:
            server.replies("sage", "Yes.")
            await moa("ask", "Kept?", "-m", mixture_file(tmp_path, server.base_url), folder=tmp_path)
        listed = json.loads((await moa("runs", "list", "--json", folder=tmp_path)).out)
        assert [run["question"] for run in listed] == ["Kept?"]


SCHEMA = '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}'


class TestAFormOfJson:
    """`--json-schema` has the answer be JSON that a program can read."""

    @pytest.mark.parametrize("given", [SCHEMA, "city.json"], ids=["the schema itself", "a file"])
    async def test_the_model_is_held_to_it_and_the_answer_is_bare(self, given: str, tmp_path: Path) -> None:
        (tmp_path / "city.json").write_text(SCHEMA)
        async with FakeOpenAI() as server:
            server.replies("sage", '```json\n{"city": "Canberra"}\n```')
            file = mixture_file(tmp_path, server.base_url)
            done = await moa("ask", "Capital?", "-m", file, "--json-schema", given, folder=tmp_path)
            assert server.requests[0].body["response_format"]["json_schema"]["schema"] == json.loads(SCHEMA)
        assert (done.code, json.loads(done.out)) == (0, {"city": "Canberra"})

    async def test_an_answer_that_does_not_fit_is_written_again(self, tmp_path: Path) -> None:
        async with FakeOpenAI() as server:
            server.replies("sage", "It is Canberra.", '{"city": "Canberra"}')
            file = mixture_file(tmp_path, server.base_url)
            done = await moa("ask", "?", "-m", file, "--json-schema", SCHEMA, folder=tmp_path)
        assert (done.code, json.loads(done.out)) == (0, {"city": "Canberra"})
        assert "It was written again in that form." in done.err

    @pytest.mark.parametrize("more", [[], ["--json"]], ids=["text", "JSON"])
    async def test_one_that_never_fits_is_printed_and_the_command_fails(self, more: list[str], tmp_path: Path) -> None:
        async with FakeOpenAI() as server:
            server.replies("sage", "It is Canberra.")
            file = mixture_file(tmp_path, server.base_url)
            done = await moa("ask", "?", "-m", file, "--json-schema", SCHEMA, *more, folder=tmp_path)
        assert "It is Canberra." in done.out
        assert done.code == 1
        assert "moa: The answer does not fit its schema: " in done.err

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ("gone.json", "gone.json cannot be read: there is no such file"),
            (".", "cannot be read: "),
            ('{"type": ', "the text is no JSON"),
            ("broken.json", "broken.json is no JSON"),
            ("binary.json", "binary.json is not UTF-8 text"),
            ("list.json", 'such as {"type": "object"}, and list.json is [1]'),
            ('{"type": "objekt"}', "The JSON schema is none: "),
            ('{"properties": {"a": {"minimum": "one"}}}', "(at properties/a/minimum)"),
        ],
    )
    async def test_what_is_no_schema_is_told_before_anybody_is_asked(
        self, given: str, says: str, tmp_path: Path
    ) -> None:
        (tmp_path / "broken.json").write_text("{'type': 'object'}")
        (tmp_path / "list.json").write_text("[1]")
        (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
        done = await moa("ask", "?", "--json-schema", given, folder=tmp_path)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("moa: --json-schema: ")
        assert says in done.err


class TestMistakes:
    """Each gives one clear sentence and exit code 1 or 2, and never a traceback."""

    @pytest.mark.parametrize("question", ["", "   "])
    async def test_an_empty_question(self, question: str, tmp_path: Path) -> None:
        done = await moa("ask", question, folder=tmp_path)
        assert done.code == 2
        assert done.err.startswith("moa: The question is empty.")

    async def test_an_unknown_command(self, tmp_path: Path) -> None:
        done = await moa("aks", "hi", folder=tmp_path)
        assert done.code == 2
        assert "aks" in done.err

    @pytest.mark.parametrize(
        ("model", "says"),
        [
            ("local:nope", "nope"),
            ("nobody/knows", "nobody"),
            ("http://127.0.0.1:9/v1#x", "127.0.0.1:9"),
            ("http://127.0.0.1:9/v1", "#"),
            ("just-a-name", "Use one of these forms"),
            ("replay:gone.jsonl#x", "gone.jsonl"),
            ("local:gone.gguf", "gone.gguf"),
        ],
    )
    async def test_a_model_that_cannot_be_had(self, model: str, says: str, tmp_path: Path) -> None:
        text = f'from moa import Agent, Mixture\nm = Mixture([Agent("a", model="{model}")])\n'
        (tmp_path / "m.py").write_text(text)
        done = await moa("ask", "hi", "-m", "m.py", folder=tmp_path)
        assert done.code in {1, 2}
        assert says in done.err
        assert "Traceback" not in done.err

    async def test_a_missing_key_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "m.py").write_text('from moa import Agent\na = Agent("a", model="openai/gpt-4o-mini")\n')
        done = await moa("ask", "hi", "-m", "m.py", folder=tmp_path, OPENAI_API_KEY="")
        assert done.code == 1
        assert "OPENAI_API_KEY" in done.err
        assert "Traceback" not in done.err

    @pytest.mark.parametrize(
        "fault",
        [
            Refuse(401),
            Refuse(404),
            Refuse(400, {"error": {"message": "too long", "code": "context_length_exceeded"}}),
            Raw([b"<html><body>Bad gateway</body></html>"], content_type="text/html"),
            Raw([b"data: {broken\n\n"]),
            Break("end", ["Half", " an"]),
            Break("reset", ["Half"]),
        ],
        ids=["unauthorised", "not-found", "too-long", "html", "broken-json", "early-end", "reset"],
    )
    async def test_an_endpoint_that_misbehaves(self, fault: Scripted, tmp_path: Path) -> None:
        async with FakeOpenAI() as server:
            server.replies("sage", fault)
            done = await moa("ask", "hi", "-m", mixture_file(tmp_path, server.base_url), folder=tmp_path)
        assert done.code == 1
        assert "moa: sage could not answer: " in done.err
        assert "Traceback" not in done.err


async def test_a_finished_draft_is_kept_when_another_fails(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        server.replies("good", "A whole answer.")
        server.replies("bad", Break("reset", ["Half"]))
        (tmp_path / "m.py").write_text(
            "from moa import Agent, Mixture, Router\n"
            f'good = Agent("good", model="{server.base_url}#good", examples=["apples"])\n'
            f'bad = Agent("bad", model="{server.base_url}#bad", examples=["apples"])\n'
            "mixture = Mixture([good, bad], router=Router(k=2, threshold=0.1, margin=1.0))\n"
        )
        done = await moa("ask", "apples?", "-m", "m.py", "--json", folder=tmp_path)
    answer = json.loads(done.out)
    assert answer["text"] == "A whole answer."
    assert [item["who"] for item in answer["degraded"]] == ["bad"]


async def test_the_version(tmp_path: Path) -> None:
    assert (await moa("--version", folder=tmp_path)).out.strip() == f"moa {package.__version__}"


@pytest.mark.parametrize("command", ["ask", "chat", "route", "agents", "models", "init", "doctor", "runs"])
async def test_every_command_has_help_with_an_example(command: str, tmp_path: Path) -> None:
    done = await moa(command, "--help", folder=tmp_path)
    assert done.code == 0
    assert f"moa {command}" in done.out.partition("Example")[2]
