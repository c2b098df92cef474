"""A session as a file: Markdown to edit, HTML to read and to give away, JSON for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from moa.errors import UsageError
from moa.tui.words import duration, usd
from moa.untrusted import one_line, plain

if TYPE_CHECKING:
    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token
    from markdown_it.utils import EnvType, OptionsDict

    from moa.store import StoredSession, StoredTurn

Format = Literal["md", "html", "json"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_NAME_CHARACTERS = 60
_STYLE = """
:root { color-scheme: light dark;
  --quiet: #6d747e; --line: #e0dcd2; --code: #f3f1ec; --paper: #fbfaf7; --ink: #272b31; }
@media (prefers-color-scheme: dark) {
  :root { --quiet: #848d99; --line: #2f3640; --code: #1b1f25; --paper: #15181d; --ink: #d5d9df; }
}
body { max-width: 46rem; margin: 3rem auto; padding: 0 1.25rem; font: 1rem/1.6 system-ui, sans-serif;
  background: var(--paper); color: var(--ink); overflow-wrap: break-word; }
h1 { font-size: 1.5rem; line-height: 1.3; }
.about, .credit, .took { color: var(--quiet); font-size: 0.875rem; }
section { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: 1.5rem; }
.question { border-left: 3px solid #5b93bd; padding-left: 1rem; white-space: pre-wrap; font-weight: 600; }
.error { color: #b5453e; white-space: pre-wrap; }
code, pre { font: 0.875rem/1.5 ui-monospace, monospace; background: var(--code); border-radius: 4px; }
code { padding: 0.1em 0.3em; } pre { padding: 0.75rem 1rem; overflow-x: auto; } pre code { padding: 0; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { border: 1px solid var(--line); padding: 0.25rem 0.6rem; }
blockquote { margin-left: 0; padding-left: 1rem; border-left: 3px solid var(--line); }
"""


def export(session: StoredSession, turns: Sequence[StoredTurn], form: Format) -> str:
    """Return a session as the text of a file.

    Markdown and HTML hold questions, answers, who answered and what it took. JSON holds the same as data, and the
    identifier of each run, whose events `moa runs replay RUN --json` prints.

    The HTML is one page that loads nothing and runs nothing: what models wrote is text, never markup; pictures are
    links; and a policy in it forbids a browser all but the page's own style.
    """
    match form:
        case "md":
            return _markdown(session, turns)
        case "html":
            return _html(session, turns)
        case "json":
            return _json(session, turns)


def format_of(path: Path) -> Format:
    """Return the format that the name of a file asks for.

    Raises:
        UsageError: it ends in none of `.md`, `.html` and `.json`.
    """
    endings: dict[str, Format] = {".md": "md", ".markdown": "md", ".html": "html", ".htm": "html", ".json": "json"}
    form = endings.get(path.suffix.lower())
    if form is None:
        raise UsageError(f"{path} must end in .md, .html or .json, which says the format.")
    return form


def file_name(session: StoredSession, form: Format) -> str:
    """Return a name for the file that is safe on any system: letters and digits of the title."""
    words = re.findall(r"[^\W_]+", session.title.lower())
    return f"{'-'.join(words)[:_NAME_CHARACTERS].strip('-') or session.id}.{form}"


def save(path: Path, text: str) -> None:
    """Write a new file; one that is there already is left alone.

    Raises:
        UsageError: it is there already, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already. Give another name, or move it away.") from error
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise UsageError(f"{path} cannot be written: {reason}.") from error


def _about(session: StoredSession) -> str:
    return f"moa session {session.id} · mixture {one_line(session.mixture)} · {_when(session.created_unix)}"


def _when(unix: float) -> str:
    return datetime.fromtimestamp(unix).astimezone().strftime("%Y-%m-%d %H:%M")


def _credit(turn: StoredTurn) -> str:
    return one_line(" + ".join(turn.panel)) or "nobody"


def _took(turn: StoredTurn) -> str:
    facts = [_when(turn.asked_unix)]
    if turn.seconds is not None:
        facts.append(duration(turn.seconds))
    if turn.status == "finished":
        facts.append(usd(turn.cost_usd))
    else:
        facts.append(turn.status)
    return " · ".join(facts)


def _markdown(session: StoredSession, turns: Sequence[StoredTurn]) -> str:
    parts = [f"# {_escaped(one_line(session.title))}", f"*{_escaped(_about(session))}*"]
    for turn in turns:
        parts.append(f"## {turn.place}. Question")
        parts.append("\n".join(f"> {line}".rstrip() for line in plain(turn.question.strip()).splitlines()) or ">")
        parts.append(f"**{_escaped(_credit(turn))}** · {_escaped(_took(turn))}")
        if turn.answer.strip():
            parts.append(_closed(plain(turn.answer.strip("\n"))))
        if turn.error:
            parts.append(f"*{_escaped(one_line(turn.error))}*")
    return "\n\n".join(parts) + "\n"


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", text)


def _closed(answer: str) -> str:
    """Return Markdown with the fence closed that it leaves open: it would swallow all that follows."""
    fence = ""
    for line in answer.splitlines():
        match = _FENCE.fullmatch(line)
        if match is None:
            continue
        mark, rest = match.groups()
        if not fence:
            fence = mark
        elif mark[0] == fence[0] and len(mark) >= len(fence) and not rest.strip():
            fence = ""
    return f"{answer}\n{fence}" if fence else answer


def _html(session: StoredSession, turns: Sequence[StoredTurn]) -> str:
    from moa.tui.markdown import parser

    markdown = parser()
    markdown.add_render_rule("image", _picture)
    title = escape(one_line(session.title))
    sections = []
    for turn in turns:
        answer = markdown.render(plain(turn.answer)) if turn.answer.strip() else ""
        error = f'<p class="error">{escape(plain(turn.error))}</p>\n' if turn.error else ""
        sections.append(
            f'<section id="turn-{turn.place}">\n<p class="question">{escape(plain(turn.question.strip()))}</p>\n'
            f'<p class="credit">{escape(_credit(turn))}</p>\n{answer}{error}'
            f'<p class="took">{escape(_took(turn))}</p>\n</section>\n'
        )
    return (
        '<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{title}</h1>\n<p class="about">{escape(_about(session))}</p>\n{"".join(sections)}</body>\n</html>\n'
    )


def _picture(renderer: RendererHTML, tokens: Sequence[Token], place: int, options: OptionsDict, env: EnvType) -> str:
    """Show a picture as a link to it: to load it would tell its server who reads this, and when."""
    token = tokens[place]
    source = str(token.attrGet("src") or "")
    told = escape(renderer.renderInlineAsText(token.children, options, env) or source)
    if not source.startswith(("https://", "http://")):
        return told
    return f'<a href="{escape(source)}">{told}</a>'


def _json(session: StoredSession, turns: Sequence[StoredTurn]) -> str:
    written: dict[str, Any] = {
        "format": "moa session",
        "version": 1,
        "session": asdict(session),
        "turns": [asdict(turn) for turn in turns],
    }
    return json.dumps(written, ensure_ascii=False, indent=2) + "\n"
