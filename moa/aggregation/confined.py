"""The process in which code of a model runs: gives up what that code may not use, then runs it.

A script for `moa.aggregation.running`, which starts it with `python -I`; so it imports nothing but the standard
library. Its one argument is JSON: `name`, the name of the module as which `program.py` of this folder runs, and
`limits`, from names of `resource` to numbers.

On Linux, a filter of system calls (seccomp) takes away starting processes, signalling others, and opening connections.
A limit on the number of processes would not do: it counts all that the user runs, and does not hold for root. It is the
fall-back where there is no filter.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import platform
import signal
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType


@dataclass(frozen=True)
class Calls:
    """The numbers of Linux system calls on one architecture."""

    architecture: int
    clone: int
    clone3: int
    refused: tuple[int, ...]
    """fork and vfork where they exist, kill, pidfd_send_signal, socket."""


CALLS = {
    "x86_64": Calls(0xC000003E, clone=56, clone3=435, refused=(57, 58, 62, 424, 41)),
    "aarch64": Calls(0xC00000B7, clone=220, clone3=435, refused=(129, 424, 198)),
}
"""By what `platform.machine()` says."""
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _JUMP_IF_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
"""Where in `struct seccomp_data` what stands, in bytes."""
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_CLONE_THREAD = 0x00010000
_CLONE_NAMESPACES = 0x7E020000
"""The flags of clone for new mounts, groups, names, messages, users, processes and networks."""
_OTHER_WAY = 0x40000000
"""Numbers from here on are the same calls of x86_64 in another way (x32), and would slip past the filter."""
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_MODE_FILTER = 2


def instructions(calls: Calls, *, processes: bool = False) -> bytes:
    """Return the filter: threads are let through, processes and the other refused calls fail with EPERM.

    clone3 hides its flags from filters, so it is said not to exist, and the C library takes clone instead. Calls in the
    way of another architecture, such as those of 32-bit programs, are refused, as they have other numbers.

    Args:
        calls: the numbers, and which are refused.
        processes: let clone start processes, but none in namespaces of their own.
    """
    refused = len(calls.refused)
    cloned = (_JUMP_IF_SET, 0, 2, _CLONE_NAMESPACES) if processes else (_JUMP_IF_SET, 2, 0, _CLONE_THREAD)
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_IF_EQUAL, 0, refused + 6, calls.architecture),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_JUMP_IF_AT_LEAST, refused + 4, 0, _OTHER_WAY),
        *((_JUMP_IF_EQUAL, refused - place + 3, 0, call) for place, call in enumerate(calls.refused)),
        (_JUMP_IF_EQUAL, 4, 0, calls.clone3),
        (_JUMP_IF_EQUAL, 0, 4, calls.clone),
        (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        cloned,
        (_RETURN, 0, 0, _ERROR | errno.EPERM),
        (_RETURN, 0, 0, _ERROR | errno.ENOSYS),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def known_calls() -> Calls | None:
    """Return the numbers of this machine's system calls; None if they are not known here."""
    return CALLS.get(platform.machine()) if sys.platform == "linux" and sys.maxsize > 1 << 32 else None


def filter_calls(steps: bytes | None = None) -> bool:
    """Install the filter, and have this process end with the one that started it; return whether the filter holds.

    Args:
        steps: another filter than the one of `instructions`.
    """
    if sys.platform != "linux":
        return False
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    calls = known_calls()
    if calls is None:
        return False
    steps = steps or instructions(calls)
    buffer = ctypes.create_string_buffer(steps, len(steps))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))

    program = Program(len(steps) // 8, ctypes.addressof(buffer))
    prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return bool(prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def limit(limits: dict[str, int]) -> None:
    """Set the limits that this system has, none higher than it is."""
    with contextlib.suppress(ImportError):  # Windows has none; the time limit still holds there
        import resource

        for name, value in limits.items():
            kind = getattr(resource, name, None)
            if kind is not None:
                highest = resource.getrlimit(kind)[1]
                least = value if highest == resource.RLIM_INFINITY else min(value, highest)
                with contextlib.suppress(ValueError, OSError):  # macOS refuses some
                    resource.setrlimit(kind, (least, least))


def main() -> None:
    """Run `program.py` of this folder."""
    settings = json.loads(sys.argv[1])
    filtered = filter_calls()
    limit(settings["limits"] | ({} if filtered else {"RLIMIT_NPROC": 0}))
    module = ModuleType(settings["name"])
    sys.modules[module.__name__] = module
    sys.argv = ["program.py"]
    code = compile(Path("program.py").read_text("utf-8"), "program.py", "exec", dont_inherit=True)
    exec(code, module.__dict__)  # noqa: S102  (that is what this process is for)


if __name__ == "__main__":
    main()
