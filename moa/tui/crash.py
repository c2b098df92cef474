"""What is left of a crash: a file with its trace, and a sentence that says where it is."""

from __future__ import annotations

import tempfile
import time
import traceback
from pathlib import Path

from moa.errors import MoaError
from moa.paths import data_folder
from moa.tui.state import RunView, failed


def write_trace(error: BaseException) -> Path:
    """Write an error's trace to a file in the data folder, or a temporary one if that cannot be written.

    The trace holds no values of variables: a key may be among them.
    """
    name = f"crash-{time.strftime('%Y%m%d-%H%M%S')}.txt"
    trace = "".join(traceback.format_exception(error))
    for folder in (data_folder(), Path(tempfile.gettempdir())):
        path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(trace, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return path
    return Path()


def crash_sentence(error: BaseException, path: Path) -> str:
    """Return one sentence for the person in front of it."""
    return f"Something went wrong that should not have: {type(error).__name__}. The trace is in {path}"


def ended_by(view: RunView, error: Exception) -> RunView:
    """Return the view of a run that raised an error; one that moa did not foresee leaves its trace in a file.

    A mixture that fails says so with its last event, and then raises the same error: that is not told twice.
    """
    told = str(error) if isinstance(error, MoaError) else crash_sentence(error, write_trace(error))
    return view if view.end == "failed" else failed(view, told)
