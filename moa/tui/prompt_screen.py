"""The part of the chat around the prompt: files, mentions, commands, and what was typed before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from time import monotonic

from textual import on
from textual.containers import Vertical
from textual.events import Mount
from textual.widget import Widget

from moa.errors import MoaError, UsageError
from moa.store import Sessions
from moa.tui.attaching import read_attachment
from moa.tui.background import in_background
from moa.tui.bearings import Title
from moa.tui.deciding_screen import DecidingScreen
from moa.tui.exporting import export, file_name, format_of, save
from moa.tui.offer_list import ChipLine, OfferList
from moa.tui.otherwise import Otherwise
from moa.tui.pasting import unfold
from moa.tui.prompt import Prompt
from moa.tui.prompt_history import PromptHistory, history_file
from moa.tui.session_screen import SessionScreen
from moa.tui.slash_commands import COMMANDS, Command, find_command, named_agents
from moa.tui.source import AgentCard
from moa.tui.wish_line import WishLine


class PromptScreen(DecidingScreen, SessionScreen):
    """A screen of runs with a prompt below them.

    Args:
        clock: as `RunScreen`.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(clock)
        self.commands: Sequence[Command] = tuple(command for command in COMMANDS if self._has(command))
        """What can be typed after a slash."""

    def compose_foot(self) -> Iterable[Widget]:
        """Make the prompt, and above it what is wanted, what goes with the question, and what may be meant."""
        yield Vertical(WishLine(), ChipLine(), OfferList(), Prompt(), id="foot")

    @property
    def prompt(self) -> Prompt:
        """Where the question is typed."""
        return self.query_one(Prompt)

    @on(Mount)
    def _prepare_prompt(self) -> None:
        self.know()
        self.app.theme_changed_signal.subscribe(self, lambda _: self.know())
        if self.sessions is not None:
            self.prompt.memory = PromptHistory(history_file())
            self.call_after_refresh(self._load_history)  # not before the first paint

    def know(self, agents: Sequence[AgentCard] | None = None) -> None:
        """Learn what can be completed and mentioned: these agents; None leaves those that are known."""
        prompt = self.prompt
        named = prompt.known.agents if agents is None else {agent.name: agent.about for agent in agents}
        themes = tuple(sorted(self.app.available_themes))
        prompt.known = replace(prompt.known, agents=named, commands=self.commands, themes=themes)
        variables = self.app.theme_variables
        prompt.colours = {name: variables.get(self.colours.of(name)[1:], "") for name in named}
        prompt.notify_style_update()  # what it has drawn has the colours of before
        prompt.refresh_offers()

    async def _load_history(self) -> None:
        try:
            await in_background(self.prompt.memory.load)
        except OSError as error:
            self.notify(f"What you typed before cannot be read: {error}.", severity="warning", markup=False)

    def accept_prompt(self, *, command: bool = False) -> None:
        """Empty the prompt, and remember what stood in it."""
        try:
            self.prompt.accept(command=command)
        except OSError as error:
            told = f"What you type cannot be remembered after the chat has ended: {error}."
            self.notify(told, severity="warning", timeout=8, markup=False)

    def mentioned(self) -> tuple[str, ...]:
        """Return the agents that the question in the prompt names, which alone will answer it."""
        prompt = self.prompt
        if "@" not in (question := prompt.question):
            return ()
        from moa.routing.wishes import Wishes  # it comes with the mixture, after the first paint

        wishes = Wishes(exclude=self.otherwise.exclude)
        return wishes.hearing(question, tuple(prompt.known.agents)).mentioned

    def wishes_changed(self) -> None:
        """Say above the prompt what is wanted of the next question."""
        self.query_one(WishLine).show(self.otherwise, self.colours, self.mentioned())

    @on(Prompt.Edited)
    def _prompt_edited(self) -> None:
        prompt = self.prompt
        if prompt.known.files != prompt.files:
            prompt.known = replace(prompt.known, files=prompt.files)
        self.query_one(OfferList).show(prompt.offers, prompt.chosen)
        self.query_one(ChipLine).show(prompt.files)
        self.wishes_changed()

    @on(Prompt.Attaching)
    async def _dropped(self, event: Prompt.Attaching) -> None:
        try:
            await self.action_attach_file(event.path)
        except UsageError as error:
            self.prompt.insert(event.typed)
            self._tell(error)

    @on(Prompt.Commanded)
    async def _commanded(self, event: Prompt.Commanded) -> None:
        typed = self.prompt.text
        try:
            command = find_command(event.name, self.commands)
            if event.argument and not command.argument:
                raise UsageError(f"/{command.name} stands alone. Two slashes send the text as it is.")
            if command.needs_argument and not event.argument:
                raise UsageError(f"/{command.name} needs to be told more: /{command.name} {command.argument}")
            self.accept_prompt(command=True)
            await self.command(command, event.argument)
        except MoaError as error:
            self.prompt.replace_text(typed)  # to be mended
            self._tell(error)

    async def command(self, command: Command, argument: str = "") -> None:
        """Do what a command says.

        Raises:
            UsageError: it cannot be done with this argument.
        """
        namespace, _, name = command.action.rpartition(".")
        parameters = (argument,) if command.argument else ()
        await self.app.run_action((namespace, name, parameters), default_namespace=self)

    async def command_from_palette(self, command: Command) -> None:
        """Do what a command says that was chosen in the palette."""
        try:
            await self.command(command)
        except MoaError as error:
            self._tell(error)

    async def action_attach_file(self, name: str) -> None:
        """Have a text file go with the next question."""
        prompt, path = self.prompt, Path(_unquoted(name))
        attached = await in_background(partial(read_attachment, path, prompt.files))
        prompt.attach((*(file for file in prompt.files if file.path != attached.path), attached))

    def action_detach_file(self, name: str = "") -> None:
        """Have a file not go with the next question after all: the one of that name, else the last."""
        files = self.prompt.files
        if not files:
            raise UsageError("No file is attached.")
        wanted = name or files[-1].name
        left = tuple(file for file in files if file.name != wanted)
        if left == files:
            raise UsageError(f"No file {wanted!r} is attached. There is {', '.join(file.name for file in files)}.")
        self.prompt.attach(left)

    def action_pin_agents(self, named: str) -> None:
        """Have these agents answer the next question, whoever else does."""
        pin = self._agents(named)
        exclude = tuple(name for name in self.otherwise.exclude if name not in pin)
        self._want(Otherwise(tuple(dict.fromkeys((*self.otherwise.pin, *pin))), exclude))

    def action_exclude_agents(self, named: str) -> None:
        """Have these agents not answer the next question."""
        exclude = tuple(dict.fromkeys((*self.otherwise.exclude, *self._agents(named))))
        if set(exclude) >= set(self.prompt.known.agents):
            raise UsageError("Somebody has to answer: not every agent can be excluded.")
        self._want(Otherwise(tuple(name for name in self.otherwise.pin if name not in exclude), exclude))

    def action_only_agents(self, named: str) -> None:
        """Have exactly these agents answer the next question."""
        self._want(Otherwise().only(self._agents(named), self.prompt.known.agents))

    def action_anyone(self) -> None:
        """Forget who was pinned and excluded."""
        self._want(Otherwise())

    @on(Prompt.EditorWanted)
    def action_edit_prompt(self) -> None:
        """Have the prompt edited in an editor of the user's own."""
        from moa.tui.editor import edited

        if self.busy:
            # The editor has the terminal and this thread: the answer would stand still meanwhile, and time out.
            self.notify("Still answering. The editor opens when the answer is there.", timeout=3)
            return
        try:
            self.prompt.replace_text(edited(self.app, unfold(self.prompt.text, dict(self.prompt.typed.folded))))
        except UsageError as error:
            self._tell(error)
        self.prompt.focus()

    async def action_export_session(self, name: str = "") -> None:
        """Write the open session to a file."""
        sessions, session = self._open_session()

        def write() -> Path:
            stored = sessions.find(session)
            path = Path(_unquoted(name) or file_name(stored, "md")).expanduser().absolute()
            save(path, export(stored, sessions.turns(stored.id), format_of(path)))
            return path

        path = await in_background(write)
        self.notify(f"Written: {path}", timeout=6, markup=False)

    async def action_rename_session(self, title: str) -> None:
        """Give the open session another title."""
        sessions, session = self._open_session()
        kept = await in_background(partial(sessions.rename, session, title))
        self.query_one(Title).show(session=kept)

    async def action_copy_answer_or_block(self, number: str = "") -> None:
        """Copy the answer; with a number, that code block of it."""
        if number and not number.isdecimal():
            raise UsageError(f"{number!r} is no number of a code block. /copy 1 copies the first one.")
        await self.app.run_action(("", "copy_block", (int(number),)) if number else "copy_answer", self)

    def action_use_theme(self, name: str = "") -> None:
        """Use another theme; without a name, list them."""
        if not name:
            self.app.search_themes()
            return
        wanted = next((each for each in (name, f"moa-{name}") if each in self.app.available_themes), None)
        if wanted is None:
            near = get_close_matches(name, list(self.app.available_themes), 1)
            hint = f"Did you mean {near[0]}?" if near else "/theme alone lists them."
            raise UsageError(f"There is no theme {name!r}. {hint}")
        self.app.theme = wanted

    def action_keys(self) -> None:
        """Write a file in which the keys can be changed; one that is there is read again."""
        from moa.tui.key_file import key_file, write_template

        path = key_file()
        if not path.exists():
            write_template(path)
            self.notify(f"Change the keys in {path}, then /keys again.", timeout=10, markup=False)
            return
        from moa.tui.app import MoaApp  # it is made of this screen

        if isinstance(self.app, MoaApp):
            self.app.read_own_keys()
            count = len(self.app.own_keys.keys)
            self.notify(f"{count} {'key is' if count == 1 else 'keys are'} changed by {path}.", timeout=6, markup=False)

    def session_shown(self, questions: Sequence[str]) -> None:
        """Have the questions of an opened session at hand in the prompt."""
        self.prompt.memory.join(questions)

    def _has(self, command: Command) -> bool:
        return "." in command.action or hasattr(self, f"action_{command.action}")

    def _agents(self, named: str) -> tuple[str, ...]:
        return named_agents(named, tuple(self.prompt.known.agents))

    def _want(self, otherwise: Otherwise) -> None:
        self.otherwise = otherwise
        self.wishes_changed()
        self.call_after_refresh(self.draw)

    def _open_session(self) -> tuple[Sessions, str]:
        if self.sessions is None or self.slot is None or self.slot.earlier:
            raise UsageError("There is no session yet: it begins with your next question.")
        return self.sessions, self.slot.session

    def _tell(self, error: Exception) -> None:
        self.notify(str(error), severity="warning", timeout=8, markup=False)


def _unquoted(name: str) -> str:
    """Return a path as it was meant: without quotes around it, and without backslashes before spaces."""
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] and name[0] in "'\"":
        return name[1:-1]
    return name.replace("\\ ", " ")
