"""Runs `moa` as a user's shell does, in folders of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


async def moa(*arguments: str, folder: Path, stdin: str = "", **environment: str) -> Done:
    """Run `moa` with arguments in a folder, which also holds its data; models come from the real cache."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "moa", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", "MOA_DATA": str(folder / "data"), **environment},
    )
    out, err = await process.communicate(stdin.encode())
    return Done(process.returncode or 0, out.decode(), err.decode())
