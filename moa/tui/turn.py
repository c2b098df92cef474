"""One turn of the conversation: the question, the answer as it is written, and what became of it."""

from __future__ import annotations

from asyncio import Lock
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from moa.errors import MoaError
from moa.tui.background import in_background
from moa.tui.long_text import AS_MARKDOWN, PlainText, head_length
from moa.tui.question import shown_question
from moa.tui.race import Race, racing
from moa.tui.state import RunView
from moa.tui.themes import Colours
from moa.tui.words import authors, progress, totals
from moa.tui.writing import Writing
from moa.untrusted import one_line, plain

if TYPE_CHECKING:
    from textual.widgets.markdown import MarkdownStream


class Turn(Vertical):
    """A question and its answer.

    A turn far from the screen is folded: it keeps its height and gives up its widgets, because laying out the
    Markdown of a long conversation at every token would take longer than the tokens take to come.

    Args:
        question: what was asked.
        view: the run as it stands.
        colours: of the agents.
        run: the identifier of the run, if it is not in the view.
        load: reads the whole view of a run of before, of which `view` holds only the texts. Blocks; may raise.
        attempts: which of how many answers to the question it is.
    """

    def __init__(
        self,
        question: str,
        view: RunView | None = None,
        colours: Colours | None = None,
        *,
        run: str = "",
        load: Callable[[], RunView] | None = None,
        attempts: tuple[int, int] = (1, 1),
    ) -> None:
        super().__init__()
        self.attempts = attempts
        self.load = load
        self._run = run
        self.question = question
        self.view = view or RunView()
        self._colours = colours or Colours()
        self._shown = Writing()
        self._stream: MarkdownStream | None = None
        self._drawing = Lock()
        self.folded = False

    @property
    def run(self) -> str:
        """The identifier of the run; empty before it has one."""
        return self.view.run or self._run

    def on_mount(self) -> None:
        """Read the rest of a run of before, while its texts are shown already."""
        if self.load is not None:
            self.run_worker(self.complete(), name="read a run")

    async def complete(self) -> None:
        """Know all that is stored of the run: its routing, its drafts, what it took."""
        if self.load is None:
            return
        load, self.load = self.load, None
        with suppress(MoaError):  # its texts are there, and whoever asks for more of it is told what is wrong
            await self.show(await in_background(load), self._colours)

    def compose(self) -> ComposeResult:
        """Make the widgets that show the turn as it stands."""
        self.set_class(not authors(self.view), "-silent")
        self._shown = Writing.of(self.view.text) if self.view.over else self.view.answer
        yield Static(Content(plain(shown_question(self.question))), classes="question", markup=False)
        self._race = Race()
        if not self.view.over:
            yield self._race
        self._above = Static(self._credit(), classes="credit", markup=False)
        from moa.tui.prose import Prose  # and with it all that parses Markdown: an empty chat needs none of that

        text = str(self._shown)
        head = head_length(text)
        self._prose, self._rest = Prose(text[:head]), PlainText(plain(text[head:]))
        self._below = Static(self._status(), classes="status", markup=False)
        yield from (self._above, self._prose, self._rest, self._below)

    async def show(self, view: RunView, colours: Colours, now: float = 0.0, *, figures: bool = True) -> None:
        """Show the run as it stands `now` (seconds since it started); only what changed is drawn again."""
        self.view, self._colours = view, colours
        async with self._drawing:  # a text that is still being written would end up behind the one that replaces it
            if self.folded or not self.is_mounted:
                return
            self._show_race(now, figures=figures)
            self.set_class(not authors(self.view), "-silent")
            _update(self._above, self._credit())
            await self._write()
            _update(self._below, self._status())

    async def fold(self) -> None:
        """Give up the widgets and keep the height."""
        if not self.folded and self.view.over:
            self.folded = True
            self.styles.height = self.size.height
            await self.remove_children()

    async def unfold(self) -> None:
        """Make the widgets again. Until they are there, the turn keeps its height, so that nothing jumps."""
        if self.folded:
            self.folded = False
            self.styles.min_height, self.styles.height = self.size.height, "auto"
            await self.mount_all(self.compose())

    def on_markdown_table_of_contents_updated(self) -> None:
        """Leave the height to the text once it has been parsed and is there."""
        self.styles.min_height = None

    def _show_race(self, now: float, *, figures: bool) -> None:
        """Show the drafts side by side as long as there are several and no answer."""
        race = self._race
        if not racing(self.view) and race.has_focus:
            race.action_leave()
        race.display = racing(self.view)
        if race.display:
            race.show(self.view, self._colours, now, figures=figures)

    async def _write(self) -> None:
        view, prose = self.view, self._prose
        if not view.over:
            more = view.answer.since(self._shown)
            if more is None or self._shown.length <= AS_MARKDOWN < view.answer.length:
                await self._put(str(view.answer))
            elif view.answer.length > AS_MARKDOWN:
                self._rest.add(plain(more))
            elif more:
                self._stream = self._stream or prose.get_stream(prose)
                await self._stream.write(plain(more))
            self._shown = view.answer
            return
        text = view.text
        if self._stream is not None or text != str(self._shown):
            # Parsed once more as a whole: what was streamed was parsed in pieces, and a list or a fence that was
            # still open may have been taken for something else.
            await self._put(text)
            self._shown = Writing.of(text)

    async def _put(self, text: str) -> None:
        """Show another text: its beginning as Markdown, and what is too long for that as plain lines."""
        await self._end_stream()
        head = head_length(text)
        await self._prose.update(plain(text[:head]))
        self._rest.put(plain(text[head:]))

    async def _end_stream(self) -> None:
        if self._stream is not None:
            stream, self._stream = self._stream, None
            await stream.stop()

    def _credit(self) -> Content:
        """Return who is speaking."""
        view = self.view
        names = authors(view)
        if not names:
            return Content()
        spoken: list[tuple[str, str] | str] = []
        for name in names:
            spoken += [(" + ", "$quiet")] if spoken else []
            spoken.append((one_line(name), f"{self._colours.of(name)} bold"))
        if view.salvaged:
            spoken.append(("  a draft, as there is no answer", "$quiet"))
        elif len(names) > 1 and view.aggregation is not None:
            spoken.append((f"  {one_line(view.aggregation.ran)}", "$quiet"))
        elif model := next((draft.model for draft in view.drafts if draft.agent == names[0]), ""):
            spoken.append((f"  {one_line(model)}", "$quiet"))
        if self.attempts[1] > 1:
            spoken.append((f"  answer {self.attempts[0]} of {self.attempts[1]}", "$quiet"))
        return Content.assemble(*spoken)

    def _status(self) -> Content:
        """Return what is going on, or how it went."""
        view = self.view
        # The error of a run tells what went wrong last; nobody wants to read that twice.
        untold = [each for each in view.degraded if each.why not in view.error]
        lines = [(f"! {one_line(each.who)}: {one_line(each.why)}", "$warning") for each in untold]
        if not view.over:
            lines.append((progress(view), "$quiet italic"))
        elif view.end == "failed":
            lines.append((f"✗ {plain(view.error)}", "$error"))
        else:
            stopped = ["■ stopped"] if view.end == "stopped" else []
            lines.append((" · ".join([*stopped, *totals(view, view.at)]), "$quiet"))
        return Content("\n").join(Content.assemble(line) for line in lines)


def _update(static: Static, content: Content) -> None:
    if static.content != content:
        static.update(content)
