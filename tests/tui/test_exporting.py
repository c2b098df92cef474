"""Sessions as files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa.events import RunFailed
from moa.store import Sessions, Slot, Store, StoredSession, StoredTurn
from moa.tui.exporting import export, file_name
from tests.tui.kept import NOON, a_turn, talk

SAFE = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "h4", "h5", "h6", "section", "p", "pre"}
SAFE |= {"code", "strong", "em", "s", "a", "ul", "ol", "li", "blockquote", "hr", "br", "table", "thead", "tbody"}
SAFE |= {"tr", "th", "td"}
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![seen](https://example.org/pixel.png)",
    "![seen](data:image/svg+xml;base64,PHN2Zz4=)",
    "</section></body><script>",
    '[a](https://example.org "x\\" onmouseover=alert(1)")',
    "<https://example.org/?a=1&b=2>",
    "```html\n<script>alert(1)</script>",
    '```a"><script>\nx\n```',
]


class Seen(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[Sessions]:
    with Store(tmp_path / "moa.db") as store:
        yield Sessions(store, clock=lambda: NOON)


def stored(question: str, answer: str) -> tuple[StoredSession, list[StoredTurn]]:
    session = StoredSession("s1", question[:80], "starter", NOON, NOON, None, None, None, 1)
    turn = StoredTurn(1, "r1", question, answer, NOON, "finished", ("general",), 1.5, None, None)
    return session, [turn]


def test_markdown_holds_questions_answers_and_who_answered(sessions: Sessions) -> None:
    talk(sessions, "s1", [("Who?\n# not a heading", "Galle.\n\n| a | b |\n|---|---|\n| 1 | 2 |"), ("When?", "1846.")])
    text = export(sessions.find("s1"), sessions.turns("s1"), "md")
    assert text.startswith("# Who? # not a heading\n".replace("# not", "\\# not"))
    assert "## 1. Question\n\n> Who?\n> # not a heading\n\n**general** · " in text
    assert "\n\nGalle.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n## 2. Question" in text


def test_a_fence_that_an_answer_leaves_open_does_not_swallow_the_next_turn() -> None:
    session, [turn] = stored("Show me.", "```python\nprint(1)")
    text = export(session, [turn, turn], "md")
    assert text.count("print(1)\n```\n") == 2
    assert export(*stored("x", "~~~~\n```\n~~~~\nend"), "md").endswith("end\n")


def test_html_is_one_page_that_renders_markdown(sessions: Sessions) -> None:
    talk(sessions, "s1", [("Who < I?", "**Galle** & co.\n\n```python\nif a < b: pass\n```")])
    page = export(sessions.find("s1"), sessions.turns("s1"), "html")
    assert "<strong>Galle</strong> &amp; co." in page
    assert "if a &lt; b: pass" in page
    assert "Who &lt; I?" in page
    assert "default-src 'none'" in page


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_is_said_becomes_markup(text: str) -> None:
    seen = Seen(export(*stored(text, text), "html"))
    assert seen.tags <= SAFE
    for name, value in seen.attributes:
        assert not name.startswith("on")
        assert name != "src"
        if name == "href":
            assert value.startswith(("https://", "http://", "mailto:"))


@given(text=st.text(alphabet=st.sampled_from("<>\"'`&/()[]!ab:=\n *_~|#\x00\x1b\u202e"), max_size=60))
@settings(max_examples=150, deadline=None)
def test_no_text_at_all_becomes_markup(text: str) -> None:
    page = export(*stored(text, text), "html")
    seen = Seen(page)
    assert seen.tags <= SAFE
    assert not any(name.startswith("on") or name == "src" for name, _ in seen.attributes)
    assert "\x1b" not in page
    assert "\u202e" not in page
    export(*stored(text, text), "md")


def test_json_can_be_read_back(sessions: Sessions) -> None:
    talk(sessions, "s1", [("Who?", "Galle. 🎉")])
    told = json.loads(export(sessions.find("s1"), sessions.turns("s1"), "json"))
    assert (told["format"], told["version"], told["session"]["id"]) == ("moa session", 1, "s1")
    [turn] = told["turns"]
    assert (turn["run"], turn["question"], turn["answer"]) == ("s1-0001", "Who?", "Galle. 🎉")


@pytest.mark.parametrize("form", ["md", "html"])
def test_a_turn_without_an_answer_says_why(form: str, sessions: Sessions) -> None:
    sessions.store.append("r1", [a_turn("r1", "Why?", "")[0], RunFailed(2.0, "Nobody answered.")])
    sessions.add_turn(Slot("s1"), "r1")
    text = export(sessions.find("s1"), sessions.turns("s1"), form)  # type: ignore[arg-type]
    assert "Nobody answered." in text
    assert "failed" in text


@pytest.mark.parametrize(
    ("title", "name"),
    [("Who discovered Neptune?", "who-discovered-neptune.md"), ("../../etc/passwd", "etc-passwd.md"), ("?!", "s1.md")],
)
def test_a_title_becomes_a_name_that_is_safe_anywhere(title: str, name: str) -> None:
    session, _ = stored(title, "")
    assert file_name(session, "md") == name
