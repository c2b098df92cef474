"""The command line. `main` is the `moa` command."""

from __future__ import annotations

import os
import sys

from moa.errors import MoaError


def main() -> None:
    """Run the command in `sys.argv` and exit: 0 done, 1 failed, 2 bad usage, 130 interrupted."""
    from moa.cli.app import app

    try:
        app()
    except MoaError as error:
        print(f"moa: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("moa: stopped.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # The reader went away, as in `moa runs | head`: nothing is wrong, and Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
