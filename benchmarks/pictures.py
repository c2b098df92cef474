"""Pictures of the terminal UI, of a run that really happens: the starter mixture, its models, this machine.

    python -m benchmarks.pictures                # writes docs/pictures/*.svg
    python -m benchmarks.pictures --to FOLDER --size 140x44

A question is put to the chat as one would type it, and the screen is kept three times: before anybody is asked (F5),
while the drafts are written, and when the answer is complete. The starter mixture asks one agent of a clear question,
so the question names two. Another one is asked before, in another conversation, so that their models are loaded.
Nothing is scripted: another machine gives other times, and the models other words. They are fetched first if they are
missing (1.7 GB).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from moa.tui.app import MoaApp
    from moa.tui.chat_screen import ChatScreen

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
QUESTION = (
    "@math @code What is the sum of the numbers from 1 to 100? Give the formula, and one line of Python that checks it."
)
WARMING_QUESTION = "@math @code What is 2 + 3?"
LEAST_WRITTEN = 120
"""Characters of every draft, before the picture of their race is taken."""
PATIENCE_SECONDS = 900
LARGEST_BYTES = 300_000


def main() -> None:
    """Ask, and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder to write to")
    parser.add_argument("--size", default="120x42", help="columns and rows")
    parser.add_argument("--question", default=QUESTION)
    chosen = parser.parse_args()
    columns, rows = map(int, chosen.size.split("x"))
    chosen.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        os.environ["MOA_DATA"] = data  # the run is nobody's history
        asyncio.run(picture(chosen.question, (columns, rows), chosen.to))


async def picture(question: str, size: tuple[int, int], folder: Path) -> None:
    """Ask a question in the chat, and write a picture of each stage of its run."""
    from moa.loader import starter_folder
    from moa.tui.app import MoaApp
    from moa.tui.chat_screen import ChatScreen
    from moa.tui.prompt import Prompt
    from moa.tui.source import open_mixture

    chat = ChatScreen(partial(open_mixture, str(starter_folder() / "starter.py")))
    app = MoaApp(chat)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "· ready" in on_screen(app))
        chat.query_one(Prompt).put(WARMING_QUESTION)
        await pilot.press("enter")
        await until(pilot, lambda: chat.view.over and not chat.busy)
        await pilot.press("ctrl+l")
        chat.query_one(Prompt).put(question)
        await pilot.press("f5")
        await until(pilot, lambda: "not asked yet" in on_screen(app))
        keep(app, folder / "deciding.svg")
        await pilot.press("enter")
        await until(pilot, lambda: all_writing(chat))
        await chat.draw()
        await pilot.pause()
        keep(app, folder / "drafting.svg")
        await until(pilot, lambda: chat.view.over and not chat.busy)
        await chat.draw()
        await pilot.pause(1.0)
        keep(app, folder / "answered.svg")


def all_writing(chat: ChatScreen) -> bool:
    """Whether every draft of the run has so much text that there is something to see."""
    drafts = chat.view.drafts
    if chat.view.over:
        raise SystemExit("The run was over before there was a race to see. Give a question that takes longer.")
    return len(drafts) > 1 and all(draft.text.size >= LEAST_WRITTEN for draft in drafts)


def on_screen(app: MoaApp) -> str:
    """Return what is on the screen, line by line."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())  # noqa: SLF001


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Let the app go on until something holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await pilot.pause(0.05)


def keep(app: MoaApp, path: Path) -> None:
    """Write the screen as SVG that loads nothing: the reader's own monospaced font is used."""
    svg = re.sub(r"@font-face \{.*?\}\s*", "", app.export_screenshot(title="moa chat"), flags=re.DOTALL)
    # Identifiers that are made up anew for every picture would change each line of it.
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    if len(svg.encode()) > LARGEST_BYTES:
        raise SystemExit(f"{path.name} has {len(svg.encode()):,} bytes; take a smaller --size.")
    path.write_text(svg, encoding="utf-8")
    print(f"{path}: {len(svg.encode()) / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
