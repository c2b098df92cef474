"""The way into the sandbox: a script that gives everything away that the program may not have, then becomes it.

A script for `moa.evals.sandbox`, started with `python -I -S`, so it imports nothing but the standard library. Its one
argument is a file of JSON: `namespaces`, whether to make them, with what they hold (`root`, `binds`, `program`,
`disk_bytes`, `users`); `limits`, `filter`, `environment`, `folder` and `command`; `confined`, where the module of that
name lies; and `ready`, a line that is written to the standard error just before the program begins: without it, the
sandbox has failed, not the program.

With namespaces, three processes take part. This one makes the namespaces and waits. The first process within, which the
kernel gives the number 1, makes the file system and waits too: nothing inside can end it, and when it ends, everything
inside does. Its child gives up its rights, and becomes the program.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import struct
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

_NEW_NAMESPACES = 0x00020000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
"""Mounts, host name, messages, users, processes, network."""
_NOSUID, _NODEV, _NOEXEC, _BIND, _REC, _PRIVATE = 0x2, 0x4, 0x8, 0x1000, 0x4000, 0x40000
_DETACH = 2
_RDONLY_NOSUID_NODEV = 0x1 | 0x2 | 0x4
_MOUNT_SETATTR = 442
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_AT_RECURSIVE = 0x8000
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP = 1, 24
_HIGHEST_CAPABILITY = 63
_DEVICES = ("null", "zero", "full", "random", "urandom")
_NOBODY = 65534

_libc = ctypes.CDLL(None, use_errno=True)


def _did(code: int, what: str) -> None:
    if code != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    texts = [text.encode() or None for text in (source, target, kind)]
    _did(_libc.mount(*texts, ctypes.c_ulong(flags), data.encode() or None), f"mount {target}")


def _read_only(target: str, *, recursive: bool = True) -> None:
    attributes = struct.pack("QQQQ", _RDONLY_NOSUID_NODEV, 0, 0, 0)
    flags = _AT_RECURSIVE if recursive else 0
    _did(_libc.syscall(_MOUNT_SETATTR, -100, target.encode(), flags, attributes, len(attributes)), f"protect {target}")


def _end_with_parent() -> None:
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def make_namespaces(spec: dict[str, Any]) -> None:
    """Move this process into namespaces of its own, with the users that `spec` maps.

    The map can only be written from outside, so a child is left there to do it.
    """
    made, write_made = os.pipe()
    pid = os.getpid()
    scribe = os.fork()
    if scribe == 0:
        os.close(write_made)
        code = 1
        with contextlib.suppress(OSError):
            if os.read(made, 1):
                _write_maps(pid, spec["users"])
                code = 0
        os._exit(code)
    _did(_libc.unshare(_NEW_NAMESPACES), "new namespaces")
    os.write(write_made, b"!")
    _, status = os.waitpid(scribe, 0)
    if status:
        raise OSError("the users of the namespace could not be mapped")
    os.close(made)
    os.close(write_made)


def _write_maps(pid: int, users: list[int]) -> None:
    if os.getuid() != 0:
        Path(f"/proc/{pid}/setgroups").write_text("deny")
    for name, own in (("uid_map", os.getuid()), ("gid_map", os.getgid())):
        Path(f"/proc/{pid}/{name}").write_text("\n".join(f"{user} {user} 1" for user in users or [own]))


def make_files(spec: dict[str, Any]) -> None:
    """Make the only files that there are inside: the system's, read-only, and an empty folder that is private."""
    root = Path(spec["root"])
    _mount("", "/", flags=_REC | _PRIVATE)
    _mount("tmpfs", str(root), "tmpfs", _NOSUID | _NODEV, "size=1m,mode=755")
    for folder in ("dev", "proc", "tmp"):
        (root / folder).mkdir()
    size = f"size={spec['disk_bytes']},nr_inodes=4096,mode=1777"
    _mount("tmpfs", str(root / "tmp"), "tmpfs", _NOSUID | _NODEV, size)  # first, as Python may be installed below it
    for place in map(Path, spec["binds"]):
        inside = root / place.relative_to("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        if place.is_symlink():
            inside.symlink_to(place.readlink())
        else:
            _bind(place, inside)
    _bind(Path(spec["program"]), root / "program")
    for device in _DEVICES:
        (root / "dev" / device).touch()
        _mount(f"/dev/{device}", f"{root}/dev/{device}", flags=_BIND)
    (root / "dev" / "fd").symlink_to("/proc/self/fd")
    with contextlib.suppress(OSError):  # within some containers it is not allowed; programs do without
        _mount("proc", f"{root}/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    os.chdir(root)
    _did(_libc.syscall(_PIVOT_ROOT[os.uname().machine], b".", b"."), "change the root")
    _did(_libc.umount2(b".", _DETACH), "leave the old root")
    os.chdir("/")
    _read_only("/", recursive=False)
    _libc.sethostname(b"sandbox", 7)


def _bind(source: Path, target: Path) -> None:
    if source.is_dir():
        target.mkdir()
    else:
        target.touch()
    _mount(str(source), str(target), flags=_BIND | _REC)
    _read_only(str(target))


def give_up_rights() -> None:
    """Become nobody where this is root, and lose every capability for good."""
    for capability in range(_HIGHEST_CAPABILITY + 1):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)


def wait_for(child: int) -> int:
    """Wait for a child, reap the others that are left to process 1, and return its exit code, 128 + n for a signal."""
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def begin(spec: dict[str, Any], confined: ModuleType) -> None:
    """Set the limits and the filter, say so, and become the program.

    Args:
        spec: as `main` reads it.
        confined: `moa.aggregation.confined`, which sets limits and filters.
    """
    _end_with_parent()
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # when memory is short, this goes first
    os.umask(0o077)
    Path(spec["folder"]).mkdir(exist_ok=True)
    os.chdir(spec["folder"])
    command, environment = spec["command"], spec["environment"]
    confined.limit(spec["limits"])
    if spec["filter"] and not confined.filter_calls(bytes.fromhex(spec["filter"])):
        raise OSError("the filter of system calls was refused")
    os.write(2, spec["ready"].encode())
    os.execvpe(command[0], command, environment)  # noqa: S606  (this is the program itself; no shell is wanted)


def _module(path: str) -> ModuleType:
    """Load one file as a module, and nothing else of its folder: names there may be those of the standard library."""
    found = spec_from_file_location("confined", path)
    if found is None or found.loader is None:
        raise OSError(f"{path} is no module")
    sys.modules["confined"] = module = module_from_spec(found)
    found.loader.exec_module(module)
    return module


def main() -> None:
    """Go into the sandbox that the file of the first argument describes."""
    spec = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    confined = _module(spec["confined"])
    _end_with_parent()
    if spec["namespaces"]:
        make_namespaces(spec)
        first = os.fork()
        if first:
            os._exit(wait_for(first))
        _end_with_parent()
        make_files(spec)
        program = os.fork()
        if program:
            os._exit(wait_for(program))
        give_up_rights()
    begin(spec, confined)


if __name__ == "__main__":
    main()
