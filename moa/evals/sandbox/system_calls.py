"""The system calls that a program in the sandbox does not get, as a filter for the kernel (seccomp).

The namespaces keep a program from what it must not see. The filter keeps it from the parts of the kernel that programs
of a test never need, and in which most escapes from namespaces were found: mounts, new namespaces, tracing, modules.
"""

from __future__ import annotations

import platform
from dataclasses import replace

from moa.aggregation.confined import instructions, known_calls

_SAME_EVERYWHERE = (424, 425, 428, 429, 430, 431, 432, 433, 434, 438, 442, 443, 444)
"""pidfd_send_signal, io_uring_setup, open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, pidfd_open,
pidfd_getfd, mount_setattr, quotactl_fd, landlock_create_ruleset: numbered alike on every architecture."""
_DANGEROUS = {
    # ptrace, process_vm_readv and _writev, kcmp, unshare, setns, mount, umount2, pivot_root, chroot,
    # bpf, perf_event_open, userfaultfd, open_by_handle_at, add_key, request_key, keyctl,
    # kexec_load, kexec_file_load, init_module, finit_module, delete_module, acct, swapon, reboot, syslog, quotactl,
    # shmget, semget, msgget, mq_open, memfd_create (memory that the limit of a process does not count)
    "x86_64": (
        *(101, 310, 311, 312, 272, 308, 165, 166, 155, 161),
        *(321, 298, 323, 304, 248, 249, 250),
        *(246, 320, 175, 313, 176, 163, 167, 169, 103, 179),
        *(29, 64, 68, 240, 319),
    ),
    "aarch64": (
        *(117, 270, 271, 272, 97, 268, 40, 39, 41, 51),
        *(280, 241, 282, 265, 217, 218, 219),
        *(104, 294, 105, 273, 106, 89, 224, 142, 116, 60),
        *(194, 190, 186, 180, 279),
    ),
}
_SOCKET = {"x86_64": 41, "aarch64": 198}


def sandbox_filter(*, processes: bool = False) -> bytes | None:
    """Return the filter; None where the numbers of the system calls are not known.

    Args:
        processes: let the program start processes and send signals among them; they get no connections either way.
    """
    calls, machine = known_calls(), platform.machine()
    if calls is None:
        return None
    kept = (_SOCKET[machine],) if processes else calls.refused
    refused = tuple(dict.fromkeys((*kept, *_DANGEROUS[machine], *_SAME_EVERYWHERE)))
    return instructions(replace(calls, refused=refused), processes=processes)
