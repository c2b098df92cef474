"""Watching other processes without sleeping."""

from __future__ import annotations

import os
import select
import sys

import pytest

needs_pidfd = pytest.mark.skipif(sys.platform != "linux", reason="waits for a process that is not a child by its pidfd")


def ends(pid: int, within_seconds: float = 60.0) -> bool:
    """Wait until a process has ended, whoever its parent is; return False if it has not in the given time."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        readable, _, _ = select.select([descriptor], [], [], within_seconds)
        return bool(readable)
    finally:
        os.close(descriptor)
