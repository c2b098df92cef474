"""What the documentation shows is run, with the smallest model standing in for the larger ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

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
