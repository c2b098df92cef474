"""What can be typed after a slash: each command does what a key does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal

from moa.errors import UsageError

Takes = Literal["nothing", "text", "number", "file", "attached", "agents", "theme"]
_COMMAND: Final = re.compile(r"/([A-Za-z][\w-]*)(?:[ \t]+(.*))?")


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the chat."""

    name: str
    does: str
    action: str
    """Of the screen of the chat, or of the application if it begins with `app.`. It is given the argument."""
    takes: Takes = "nothing"
    argument: str = ""
    """How the argument is written in the help; in brackets if it can be left out."""

    @property
    def needs_argument(self) -> bool:
        """Whether it cannot do anything without an argument."""
        return bool(self.argument) and not self.argument.startswith("[")


COMMANDS: Final = (
    Command("help", "the keys", "help"),
    Command("new", "begin a new conversation", "new_conversation"),
    Command("sessions", "list the sessions", "sessions"),
    Command("search", "search everything that was asked and answered", "search", "text", "[WORDS]"),
    Command("rename", "give this session another title", "rename_session", "text", "TITLE"),
    Command("export", "write this session to a .md, .html or .json file", "export_session", "file", "[FILE]"),
    Command("fork", "go on from the marked turn in a new session", "fork"),
    Command("decide", "see who would answer what you type next", "decide"),
    Command("pin", "these agents must answer the next question", "pin_agents", "agents", "AGENT …"),
    Command("exclude", "these agents must not", "exclude_agents", "agents", "AGENT …"),
    Command("only", "only these agents answer the next question", "only_agents", "agents", "AGENT …"),
    Command("anyone", "forget whom you pinned and excluded", "anyone"),
    Command("attach", "send a text file with the next question", "attach_file", "file", "FILE"),
    Command("detach", "do not send it after all", "detach_file", "attached", "[FILE]"),
    Command("editor", "write the prompt in $VISUAL or $EDITOR", "edit_prompt"),
    Command("edit", "edit the question and send it again", "edit_question"),
    Command("regenerate", "have the question answered again", "regenerate"),
    Command("compare", "have another agent or model answer beside it", "compare"),
    Command("copy", "copy the answer, or one of its code blocks", "copy_answer_or_block", "number", "[BLOCK]"),
    Command("drafts", "read the drafts in full", "drafts"),
    Command("panel", "show or hide the panel", "panel"),
    Command("theme", "another theme", "use_theme", "theme", "[THEME]"),
    Command("keys", "write a file in which keys can be changed, or read it again", "keys"),
    Command("quit", "end", "app.quit"),
)


def command_line(text: str) -> tuple[str, str] | None:
    """Return the name and the argument if a text is a command: one line that begins with a slash and a name.

    A path such as `/usr/bin` is none, nor is a text of several lines.
    """
    match = _COMMAND.fullmatch(text.strip())
    return (match[1], (match[2] or "").strip()) if match else None


def literal(text: str) -> str:
    """Return what a text says that may begin with two slashes, which stand for one that begins no command."""
    return text[1:] if text.startswith("//") and command_line(f"/{text.lstrip('/')}") else text


def escaped(text: str) -> str:
    """Return what has to be typed to say a text, the reverse of `literal`."""
    return f"/{text}" if command_line(text) or literal(text) != text else text


def find_command(name: str, commands: Sequence[Command]) -> Command:
    """Return the command of a name, or the only one that begins with it.

    Raises:
        UsageError: there is none, or there are several; the message says which are near.
    """
    lower = name.lower()
    begun = [command for command in commands if command.name.startswith(lower)]
    exact = [command for command in begun if command.name == lower]
    if exact or len(begun) == 1:
        return (exact or begun)[0]
    if begun:
        raise UsageError(f"/{name} could be {' or '.join(f'/{command.name}' for command in begun)}.")
    near = get_close_matches(lower, [command.name for command in commands], 1)
    hint = f"Did you mean /{near[0]}?" if near else "Type / to see what there is."
    raise UsageError(f"There is no command /{name}. {hint} Two slashes send the text as it is.")


def named_agents(argument: str, agents: Sequence[str]) -> tuple[str, ...]:
    """Return the agents that an argument names, with or without `@`, between spaces or commas.

    Raises:
        UsageError: a name is none of the agents'; the message says which is near.
    """
    by_name = {agent.casefold(): agent for agent in agents}
    chosen: list[str] = []
    for word in re.split(r"[\s,]+", argument.strip()):
        name = word.removeprefix("@")
        agent = by_name.get(name.casefold())
        if agent is None:
            near = get_close_matches(name.casefold(), list(by_name), 1)
            hint = f"Did you mean {by_name[near[0]]}?" if near else f"There are {', '.join(agents) or 'none yet'}."
            raise UsageError(f"There is no agent {name!r}. {hint}")
        chosen.append(agent)
    return tuple(dict.fromkeys(chosen))
