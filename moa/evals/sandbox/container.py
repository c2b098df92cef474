"""A container as a sandbox: docker or podman, with an image of Python that is there already."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar

from moa.evals.sandbox.base import CONFINED, INSIDE, TEMPORARY, Sandbox
from moa.evals.sandbox.limits import Limits

IMAGE_VARIABLE = "MOA_SANDBOX_IMAGE"
_IMAGE = "python:3.12-slim"
_LOOK_SECONDS = 20.0


class Container(Sandbox):
    """One container a program. Nothing is pulled: the image must be there, so that a score never waits for a download.

    The time counts from the program's first step; a container takes some tenths of a second to come up.
    """

    name: ClassVar[str] = "container"

    def interpreter(self) -> str:
        """Return the interpreter of the image."""
        return "python3"

    def environment(self) -> dict[str, str]:
        """Return moa's whole environment, where the engine finds its settings. Nothing of it comes into containers."""
        return dict(os.environ)

    def missing(self) -> str:
        """Return what this machine lacks for it. Asks the engine for the image."""
        engine = _engine()
        if engine is None:
            return "neither docker nor podman is installed"
        command = [engine, "image", "inspect", image()]
        try:
            found = subprocess.run(command, capture_output=True, timeout=_LOOK_SECONDS, check=False)  # noqa: S603
        except (OSError, subprocess.SubprocessError) as error:
            return f"{Path(engine).name} does not answer: {error}"
        if found.returncode == 0:
            return ""
        said = (found.stderr.decode(errors="replace").strip().splitlines() or ["it says nothing"])[-1]
        return f"{Path(engine).name} has no image {image()} ({said}); pull it, or name another in {IMAGE_VARIABLE}"

    def arguments(self, folder: Path, limits: Limits) -> list[str]:
        """Return the command line of the engine."""
        command = [_engine() or "docker", "run", "--rm", "--interactive", "--pull", "never", "--name", _called(folder)]
        command += ["--network", "none", "--read-only", "--user", "65534:65534", "--workdir", TEMPORARY]
        command += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--cpus", "1"]
        command += ["--memory", str(limits.memory_bytes), "--memory-swap", str(limits.memory_bytes)]
        command += ["--pids-limit", str(limits.resources()["RLIMIT_NPROC"])]
        command += ["--tmpfs", f"{TEMPORARY}:rw,nosuid,nodev,size={limits.disk_bytes},mode=1777"]
        command += ["--volume", f"{folder / 'program'}:/program:ro"]
        for file in (INSIDE, CONFINED, folder / "spec.json"):
            command += ["--volume", f"{file}:/inside/{file.name}:ro"]
        return [*command, image(), "python3", "-I", "-S", "/inside/inside.py", "/inside/spec.json"]

    async def leave(self, folder: Path) -> None:
        """Remove the container: ending the engine's command does not end it."""
        quiet = asyncio.subprocess.DEVNULL
        command = [_engine() or "docker", "rm", "--force", _called(folder)]
        await (await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)).wait()


def image() -> str:
    """Return the image that containers are made of; the variable `MOA_SANDBOX_IMAGE` names another one."""
    return os.environ.get(IMAGE_VARIABLE) or _IMAGE


def _engine() -> str | None:
    return shutil.which("docker") or shutil.which("podman")


def _called(folder: Path) -> str:
    return folder.name
