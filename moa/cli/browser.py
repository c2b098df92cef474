"""`moa chat --web`: what is passed on to the chats that run in the tabs of a browser."""

from __future__ import annotations

import os
from typing import Any, Final, Protocol

_DRIVER = "textual.drivers.web_driver:WebDriver"
_OURS: Final = {"web", "port", "resume"}
"""Options of the chat that the tabs are not given as they came."""


class Context(Protocol):
    """What is used of typer's context: the command, and what was given to it."""

    command: Any
    params: dict[str, Any]


def in_browser() -> bool:
    """Whether this process draws in a tab of a browser: textual-serve says so by the driver that it sets."""
    return os.environ.get("TEXTUAL_DRIVER") == _DRIVER


def serve_in_browser(context: Context, session: str | None, port: int) -> None:
    """Serve the chat to browsers on this machine until it is stopped.

    Args:
        context: of the command; its options are those of every tab.
        session: that every tab goes on with; None begins a new one in each.
        port: where to listen on the loopback interface.

    Raises:
        UsageError: textual-serve is not installed, or the port cannot be listened on.
    """
    from moa.tui.browser import serve_chat

    serve_chat([*(["--resume", session] if session else []), *passed_on(context)], port)


def passed_on(context: Context) -> list[str]:
    """Return the options and arguments that a command was given, as words for the same command."""
    options: list[str] = []
    arguments: list[str] = []
    for parameter in context.command.params:
        value = context.params.get(parameter.name)
        if parameter.name in _OURS or value is None or value is False:
            continue
        if parameter.param_type_name == "argument":
            arguments.append(str(value))
        elif value is True:
            options.append(parameter.opts[0])
        else:
            options.append(f"{parameter.opts[0]}={value}")
    return [*options, *(["--", *arguments] if arguments else [])]
