"""What a user asks an answer to be like: told to agents, checked afterwards, read back."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, RootModel

from moa.contract import ANYTHING, OutputContract
from moa.errors import AgentError, OutputError


class City(BaseModel):
    name: str
    people: int


class Cities(RootModel[list[City]]):
    pass


SCHEMA = {"type": "object", "properties": {"people": {"type": "integer"}}, "required": ["people"]}
GERMAN = "Die Hauptstadt von Australien ist Canberra, auch wenn viele Leute an Sydney denken."
ENGLISH = "The capital of Australia is Canberra, even though many people think of Sydney."


class TestWhatMayBeAskedFor:
    def test_nothing(self) -> None:
        assert OutputContract.of(None) is ANYTHING
        assert OutputContract.of(OutputContract()) is ANYTHING
        assert ANYTHING.instructions() == ""
        assert ANYTHING.problems("") == ()
        assert ANYTHING.read(" as it is ") == " as it is "

    def test_a_pydantic_model_a_schema_or_a_contract(self) -> None:
        assert OutputContract.of(City).json_schema() == City.model_json_schema()
        assert OutputContract.of(SCHEMA).json_schema() == SCHEMA
        short = OutputContract(max_words=3)
        assert OutputContract.of(short) is short

    @pytest.mark.parametrize(
        ("settings", "told"),
        [
            ({"max_words": 0}, "max_words of the output is 0; it must be a whole number, 1 or more"),
            ({"min_words": "3"}, "min_words of the output is '3'"),
            ({"max_characters": 1.5}, "max_characters of the output is 1.5"),
            ({"min_words": 9, "max_words": 8}, "at least 9 and at most 8 words"),
            ({"language": "German"}, "'German' is no code of a language"),
            ({"schema": "object"}, "must be a pydantic model or a JSON schema, not 'object'"),
            ({"schema": int}, "must be a pydantic model"),
            ({"schema": {"type": "city"}}, r"The JSON schema is none: .*city.* \(at type\)"),
            ({"schema": {"properties": {"a": {"minimum": "x"}}}}, r"at properties/a/minimum"),
            ({"tests": "assert f(1) == 2"}, "list of Python statements"),
        ],
    )
    def test_anything_else_is_a_mistake_that_says_what_is_wanted(self, settings: dict[str, Any], told: str) -> None:
        with pytest.raises(AgentError, match=told):
            OutputContract(**settings)


class TestWhatAgentsAreTold:
    def test_every_wish_in_words(self) -> None:
        told = OutputContract(
            code="python", tests=("assert f(1) == 2",), min_words=5, max_words=50, max_characters=400, language="de"
        ).instructions()
        for wish in ("python code", "assert f(1) == 2", "at least 5", "at most 50 words", "400 characters", "'de'"):
            assert wish in told

    def test_the_schema(self) -> None:
        assert '"people"' in OutputContract(schema=City).instructions()


class TestJson:
    @pytest.mark.parametrize("text", ['{"people": 3}', ' \n{"people": 3, "more": []}\n', '```json\n{"people": 3}\n```'])
    def test_that_fits_bare_or_in_a_block(self, text: str) -> None:
        contract = OutputContract(schema=SCHEMA)
        assert contract.problems(text) == ()
        assert contract.read(text)["people"] == 3
        assert contract.bare(text).startswith("{")

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ('{"people": "three"}', r"'three' is not of type 'integer' \(at people\)"),
            ("{}", "'people' is a required property"),
            ('Here: {"people": 3}', "not the JSON that was asked for"),
            ('{"people": NaN}', "NaN is no JSON"),
            ('{"people": 3', "Expecting"),
            ("", "Expecting"),
            ("[" * 99_999, "nested too deeply"),
        ],
    )
    def test_that_does_not_fit_says_how(self, text: str, told: str) -> None:
        contract = OutputContract(schema=SCHEMA)
        with pytest.raises(OutputError, match=told if "asked" not in told else "does not fit"):
            contract.read(text)
        [problem] = contract.problems(text)
        assert problem.startswith("It is not the JSON that was asked for: ")
        assert len(problem) < 400

    def test_is_read_as_the_object_that_was_asked_for(self) -> None:
        assert OutputContract(schema=City).read('{"name": "Ulm", "people": 126000}') == City(name="Ulm", people=126_000)
        assert OutputContract(schema=Cities).read("[]") == Cities([])
        [problem] = OutputContract(schema=City).problems('{"name": "Ulm"}')
        assert "people" in problem

    def test_a_schema_that_leads_elsewhere_fetches_nothing(self) -> None:
        for reference in ("http://127.0.0.1:9/schema.json", "#/definitions/missing"):
            [problem] = OutputContract(schema={"$ref": reference}).problems("{}")
            assert "The schema refers to" in problem

    def test_a_schema_that_refers_to_itself(self) -> None:
        tree = {"type": "object", "properties": {"left": {"$ref": "#"}}}
        assert OutputContract(schema=tree).problems('{"left": {"left": {}}}') == ()
        assert OutputContract(schema=tree).problems('{"left": {"left": 1}}') != ()
        [problem] = OutputContract(schema=tree).problems('{"left":' * 400 + "{}" + "}" * 400)
        assert "nested too deeply" in problem

    @given(st.text())
    def test_no_text_breaks_the_check(self, text: str) -> None:
        for contract in (OutputContract(schema=SCHEMA), OutputContract(schema=City), OutputContract(code="")):
            assert len(contract.problems(text)) <= 1


class TestCode:
    def test_in_a_block_of_the_language_or_of_none(self) -> None:
        contract = OutputContract(code="python")
        assert contract.read("So:\n```python\nx = 1\n```\nDone.") == "x = 1\n"
        assert contract.problems("```\nx = 1\n```") == ()

    def test_missing_or_in_another_language(self) -> None:
        contract = OutputContract(code="python")
        for text in ("There is none.", "```rust\nlet x = 1;\n```"):
            assert contract.problems(text) == ("It holds no block of python code.",)
            with pytest.raises(OutputError, match="holds no python code"):
                contract.read(text)

    def test_in_any_language(self) -> None:
        assert OutputContract(code="").problems("```rust\nlet x = 1;\n```") == ()
        assert OutputContract(code="").problems("none") == ("It holds no block of any code.",)


class TestLength:
    def test_in_words_and_characters(self) -> None:
        contract = OutputContract(min_words=2, max_words=3)
        assert [len(contract.problems(text)) for text in ("one", "one two", "one two three", "a b c d")] == [1, 0, 0, 1]
        assert OutputContract(max_characters=4).problems("12345") == (
            "It has 5 characters, and at most 4 were asked for.",
        )


class TestLanguage:
    def test_another_one_is_a_problem(self) -> None:
        contract = OutputContract(language="de")
        assert contract.problems(GERMAN) == ()
        assert contract.problems(ENGLISH) == ("It is in the language 'en', and 'de' was asked for.",)
        assert OutputContract(language="en").problems(ENGLISH) == ()

    @pytest.mark.parametrize(
        "text", ["Canberra", "42", f"```text\n{ENGLISH}\n```", f"`{ENGLISH}`", "https://a.example/" + "en" * 40]
    )
    def test_names_numbers_code_and_addresses_are_not_judged(self, text: str) -> None:
        assert OutputContract(language="de").problems(text) == ()

    def test_nor_is_json_nor_a_language_that_cannot_be_told(self) -> None:
        assert OutputContract(language="de", schema={"type": "string"}).problems(f'"{ENGLISH}"') == ()
        assert OutputContract(language="tlh").problems(ENGLISH) == ()


def test_several_wishes_have_several_problems() -> None:
    problems = OutputContract(max_words=3, language="de", code="python").problems(ENGLISH)
    assert len(problems) == 3


def test_it_loads_nothing_that_it_does_not_need() -> None:
    code = (
        "import sys; from moa.contract import OutputContract; OutputContract(max_words=3).problems('x');"
        "print([name for name in ('pydantic', 'jsonschema', 'py3langid', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
