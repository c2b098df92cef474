"""What the documentation shows is run, with the smallest model standing in for the larger ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from moa.loader import load_mixture, starter_folder
from moa.local.download import fetched

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def blocks() -> list[tuple[str, str]]:
    return [
        (f"{page.name}:{number}", code) for page in PAGES for number, code in enumerate(BLOCK.findall(page.read_text()))
    ]


@pytest.mark.parametrize("code", [pytest.param(code, id=name) for name, code in blocks()])
def test_every_python_block_runs(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = re.sub(r"local:qwen2\.5-coder-[\d.]+b-instruct", "local:smollm2-135m-instruct", code)
    exec(compile(code, "documentation", "exec"), {"__name__": "__main__"})
    if "print(" in code:
        assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_there_is_something_to_run() -> None:
    assert blocks()


REAL = ("qwen2.5-coder-0.5b-instruct", "qwen2.5-coder-1.5b-instruct")
with_real_models = pytest.mark.skipif(
    any(fetched(model) is None for model in REAL),
    reason=f"the weights of {' and '.join(REAL)} are not all in the cache; `moa models pull` fetches them",
)


@with_real_models
def test_the_example_of_the_readme_answers_with_the_models_that_it_names(capsys: pytest.CaptureFixture[str]) -> None:
    [example] = BLOCK.findall((ROOT / "README.md").read_text())
    exec(compile(example, "README.md", "exec"), {"__name__": "__main__"})
    answer, facts = capsys.readouterr().out.rstrip().rsplit("\n", 1)
    assert "144" in answer
    assert facts.startswith("('math',) Usage(input=")
    assert facts.endswith(" 0.0 ()"), "local models are free, and nothing went wrong"


@with_real_models
def test_the_question_of_the_readme_is_answered_by_the_starter_mixture() -> None:
    [question] = re.findall(r'ask_sync\("([^"]+)"\)', (ROOT / "README.md").read_text())
    answer = load_mixture(str(starter_folder())).ask_sync(question)
    assert answer.routing.panel == ("math",)
    assert "144" in answer.text
    assert answer.degraded == ()
