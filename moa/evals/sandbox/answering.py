"""The process of the answer: loads a model's code, and does what the process of the tests asks of it.

A script for `moa.evals.sandbox.apart`. The other process listens at what were standard input and output; whatever the
code prints goes to the standard error.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moa.evals.sandbox.wire import Peer
else:  # there is no moa where this runs: the module lies beside this script
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from wire import Peer


def main() -> None:
    """Load `answer.py` of this folder, and serve."""
    reading, writing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    folder = sys.path.pop(0)
    sys.set_int_max_str_digits(0)  # whoever computes large numbers may tell them
    module = ModuleType("answer")
    sys.modules["answer"] = module
    sys.argv = ["answer.py"]
    peer = Peer(reading, writing, names=module.__dict__)

    def load() -> None:
        code = compile(Path(folder, "answer.py").read_text("utf-8"), "answer.py", "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102  (that is what this process is for)

    module.__dict__["load the answer"] = load  # no name of Python's, so no code can have it too
    peer.serve()
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)  # threads that the code started do not hold up the end


if __name__ == "__main__":
    main()
