"""`moa sessions`: conversations of `moa chat`, and search over everything that was ever asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from moa.cli.console import console, print_json
from moa.untrusted import one_line, plain

if TYPE_CHECKING:
    from rich.text import Text

    from moa.store import Found, Hit, Sessions, StoredSession, StoredTurn
    from moa.store.excerpt import Excerpt

app = typer.Typer()

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")]
_Deleted = Annotated[bool, typer.Option("--deleted", help="Those that were deleted and can be had back.")]
_Name = Annotated[
    str, typer.Argument(metavar="SESSION", help="Its identifier, the beginning of it, or last.", show_default=False)
]
_LISTED = 20
_GAP = 2
_LEAST_OF_TITLE = 8


@app.callback(invoke_without_command=True)
def sessions(
    context: typer.Context, limit: _Limit = _LISTED, deleted: _Deleted = False, as_json: _Json = False
) -> None:
    """List, search, export and tidy up conversations. Without a command: list.

    A session is a conversation of moa chat; go on with one with moa chat --resume.

    Example: moa sessions search "derivative of x"
    """
    if context.invoked_subcommand is None:
        list_(limit=limit, deleted=deleted, as_json=as_json)


@app.command("list")
def list_(limit: _Limit = _LISTED, deleted: _Deleted = False, as_json: _Json = False) -> None:
    """List sessions, those first that were talked in last.

    Example: moa sessions list --limit 50 --json
    """
    with _opened() as kept:
        found = kept.listed(limit, deleted=deleted)
        path = kept.store.path
    if as_json:
        print_json([asdict(session) for session in found])
    elif found:
        _print_table(found)
    elif deleted:
        print("No deleted session is kept.", file=sys.stderr)
    else:
        print(f"No sessions are stored in {path} yet. Begin one: moa chat", file=sys.stderr)


@app.command()
def show(session: _Name, as_json: _Json = False) -> None:
    """Show a session: every question and its answer.

    Example: moa sessions show last
    """
    from rich.text import Text

    found, turns = _read(session)
    if as_json:
        print_json({**asdict(found), "turns": [asdict(turn) for turn in turns]})
        return
    out = console()
    out.print(Text(one_line(found.title), "bold"))
    print(_facts(found), end="\n\n")
    for turn in turns:
        out.print(Text(f"{turn.place}. {one_line(turn.question)}", "bold"))
        out.print(Text(f"   {one_line(' + '.join(turn.panel)) or 'nobody'} · {turn.status} · run {turn.run}", "dim"))
        print(plain(turn.answer or turn.error or "(no answer)"), end="\n\n")


@app.command()
def search(
    words: Annotated[list[str], typer.Argument(metavar="WORDS…", help="What to look for.", show_default=False)],
    limit: _Limit = _LISTED,
    as_json: _Json = False,
) -> None:
    """Find questions and answers in which all the words occur, the best first. Runs of moa ask are found too.

    Words in double quotes stand beside each other; the last word may be unfinished. Case and accents do not matter.
    With nothing found, the exit code is 1.

    Example: moa sessions search prime numbers

    Example: moa sessions search '"square root" python' --json
    """
    from moa.store import Store
    from moa.store import search as search_store

    with Store() as store:
        found = search_store(store, " ".join(words), limit=limit)
    if as_json:
        print_json(_found_json(found))
    else:
        _print_hits(found)
    if not found.hits:
        raise typer.Exit(1)


@app.command()
def rename(
    session: _Name, title: Annotated[list[str], typer.Argument(metavar="TITLE…", help="Its new title.")]
) -> None:
    """Give a session another title.

    Example: moa sessions rename last Holidays in Lisbon
    """
    with _opened() as kept:
        identifier = kept.find(session).id
        named = kept.rename(identifier, " ".join(title))
    print(f"Session {identifier} is now called: {one_line(named)}")


@app.command()
def delete(
    session: _Name,
    for_good: Annotated[bool, typer.Option("--for-good", help="Remove it now; this cannot be undone.")] = False,
) -> None:
    """Delete a session. For 30 days it can be had back; then it is removed for good with its runs.

    That happens at the next question in any session. Runs that are in another session too, such as a fork, stay.

    Example: moa sessions delete last
    """
    with _opened() as kept:
        found = kept.find(session)
        if for_good:
            count = kept.purge(found.id)
            print(f"Removed for good: {one_line(found.title)}, with {count} {'run' if count == 1 else 'runs'}.")
            return
        kept.delete(found.id)
    print(f"Deleted: {one_line(found.title)}. Have it back with: moa sessions undelete {found.id}")


@app.command()
def undelete(session: _Name) -> None:
    """Have a deleted session back.

    Example: moa sessions undelete 20260102-030405-00c0ffee
    """
    with _opened() as kept:
        found = kept.find(session)
        kept.undelete(found.id)
    print(f"Session {found.id} is there again: {one_line(found.title)}")


@app.command()
def fork(
    session: _Name,
    turns: Annotated[
        int | None, typer.Option("--turns", "-t", min=1, help="How many turns it begins with; all by default.")
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="Its own title.")] = None,
    as_json: _Json = False,
) -> None:
    """Begin a new session with the first turns of another, to go on from there in another direction.

    Example: moa sessions fork last --turns 3
    """
    with _opened() as kept:
        forked = kept.fork(kept.find(session).id, turns, title)
    if as_json:
        print_json(asdict(forked))
    else:
        print(f"Session {forked.id} begins with {_turns(forked.turns)}. Go on: moa chat --resume {forked.id}")


@app.command()
def export(
    session: _Name,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="A new file; .md, .html or .json says the format."),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Write a session as Markdown, as one HTML page that loads nothing, or as JSON. Without a file, print Markdown.

    Example: moa sessions export last --out primes.html
    """
    from moa.tui.exporting import export as exported
    from moa.tui.exporting import format_of, save

    form = format_of(out) if out is not None else "json" if as_json else "md"
    found, turns = _read(session)
    text = exported(found, turns, form)
    if out is None:
        print(text, end="")
        return
    save(out, text)
    print(f"Wrote {_turns(len(turns))} to {out}.", file=sys.stderr)


@contextmanager
def _opened() -> Iterator[Sessions]:
    from moa.store import Sessions, Store

    with Store() as store:
        yield Sessions(store)


def _read(name: str) -> tuple[StoredSession, list[StoredTurn]]:
    with _opened() as kept:
        found = kept.find(name)
        return found, kept.turns(found.id)


def _turns(count: int) -> str:
    return f"{count} {'turn' if count == 1 else 'turns'}"


def _when(unix: float) -> str:
    from datetime import datetime

    return datetime.fromtimestamp(unix).astimezone().strftime("%Y-%m-%d %H:%M")


def _facts(session: StoredSession) -> str:
    facts = [f"session {session.id}", f"mixture {one_line(session.mixture)}", _turns(session.turns)]
    if session.forked_from:
        facts.append(f"forked from {session.forked_from} after {_turns(session.forked_turns or 0)}")
    if session.deleted_unix is not None:
        facts.append(f"deleted {_when(session.deleted_unix)}")
    return " · ".join(facts)


def _print_table(found: list[StoredSession]) -> None:
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    out = console()
    headings = ["Session", "Last used", "Title", "Mixture", "Turns"]
    rows = [
        [
            session.id,
            _when(session.updated_unix),
            one_line(session.title),
            one_line(session.mixture),
            str(session.turns),
        ]
        for session in found
    ]
    widths = [max(map(cell_len, column)) for column in zip(headings, *rows, strict=True)]
    left = out.width - sum(widths) + widths[2] - _GAP * (len(widths) - 1)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(
            heading,
            no_wrap=True,
            justify="right" if heading == "Turns" else "left",
            max_width=max(left, _LEAST_OF_TITLE) if heading == "Title" else None,
        )
    for row in rows:
        table.add_row(*(Text(cell, overflow="ellipsis") for cell in row))
    out.print(table)


def _print_hits(found: Found) -> None:
    from rich.padding import Padding
    from rich.text import Text

    out = console()
    for hit in found.hits:
        out.print(Text.assemble(("● ", "cyan"), _text(hit.question)))
        if hit.answer:
            out.print(Padding(_text(hit.answer), (0, 0, 0, 2)))
        out.print(Text(f"  {_place(hit)}", "dim"), soft_wrap=True)
    if not found.hits:
        print("Nothing was found.", file=sys.stderr)
    elif found.more:
        print("There are more; --limit shows them.", file=sys.stderr)
    if not found.ranked:
        print("Every text was read, without the index of words, so the newest are first.", file=sys.stderr)


def _place(hit: Hit) -> str:
    if hit.session is None:
        return f"{_when(hit.asked_unix)} · moa runs show {hit.run}"
    return f"{_when(hit.asked_unix)} · {one_line(hit.title)}, turn {hit.place} · moa chat --resume {hit.session}"


def _text(pieces: Excerpt) -> Text:
    from rich.text import Text

    return Text.assemble(*((plain(piece), "bold yellow" if found else "") for piece, found in pieces))


def _found_json(found: Found) -> dict[str, Any]:
    return {"ranked": found.ranked, "more": found.more, "hits": [_hit_json(hit) for hit in found.hits]}


def _hit_json(hit: Hit) -> dict[str, Any]:
    """Return a hit with its excerpts as text, and the places in it that were searched for as [start, end]."""
    written = asdict(hit)
    for name in ("question", "answer"):
        pieces: Excerpt = written[name]
        places, at = [], 0
        for piece, marked in pieces:
            if marked:
                places.append([at, at + len(piece)])
            at += len(piece)
        written[name] = {"text": "".join(piece for piece, _ in pieces), "found": places}
    return written
