"""The prompt in an editor of the user's own."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from textual.app import App, SuspendNotSupported

from moa.errors import UsageError

_USUAL: Final = ("notepad",) if sys.platform == "win32" else ("sensible-editor", "nano", "vi")
_NAME: Final = "prompt.md"


def editor() -> list[str]:
    """Return the command of the editor: `$VISUAL`, `$EDITOR`, or one that is usual on the system.

    Raises:
        UsageError: none is set and none is there, or the one that is set is not.
    """
    for variable in ("VISUAL", "EDITOR"):
        if wanted := os.environ.get(variable, "").strip():
            try:
                command = shlex.split(wanted, posix=sys.platform != "win32")
            except ValueError as error:
                raise UsageError(f"${variable} cannot be read as a command ({error}): {wanted}") from error
            if shutil.which(command[0]) is None:
                raise UsageError(f"${variable} names {command[0]}, which is not there. Set it to an editor that is.")
            return command
    found = next((name for name in _USUAL if shutil.which(name)), None)
    if found is None:
        raise UsageError("There is no editor to open. Set $VISUAL or $EDITOR to one.")
    return [found]


def edited(app: App[None], text: str) -> str:
    """Have a text edited outside the app, which waits, and return it as it was saved. Blocks.

    Raises:
        UsageError: no editor could be opened, or it failed; nothing has changed.
    """
    command = editor()
    with tempfile.TemporaryDirectory(prefix="moa-", ignore_cleanup_errors=True) as folder:  # for its owner only
        file = Path(folder) / _NAME
        file.write_text(text, encoding="utf-8", errors="replace")
        code = _run(app, [*command, str(file)])
        if code:
            raise UsageError(f"{command[0]} ended with code {code}, so the prompt is as it was.")
        try:
            return file.read_text(encoding="utf-8-sig").rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"What {command[0]} wrote cannot be read, so the prompt is as it was: {error}") from error


def _run(app: App[None], command: list[str]) -> int:
    trouble: OSError | None = None
    code = 0
    try:
        with app.suspend(), _interrupts_for_the_editor():
            try:  # in here: an error that left `suspend` would leave the terminal to nobody
                code = subprocess.run(command, check=False).returncode  # noqa: S603  (the user's own editor)
            except OSError as error:
                trouble = error
    except SuspendNotSupported as error:
        raise UsageError("An editor can only be opened in a terminal.") from error
    if trouble is not None:
        raise UsageError(f"{command[0]} could not be started: {trouble.strerror or trouble}.") from trouble
    return code


@contextmanager
def _interrupts_for_the_editor() -> Iterator[None]:
    """Let Ctrl+C reach the editor and not end the chat behind it."""
    before = None
    with suppress(ValueError):  # not in the main thread: then nothing comes here
        before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
