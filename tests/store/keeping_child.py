"""Keeps answers without end, until it is killed; tells of each one. Run as a process of its own."""

from __future__ import annotations

import sys
from itertools import count

from moa.store.drafts import DraftCache, Kept

if __name__ == "__main__":
    cache = DraftCache(sys.argv[1])
    for number in count():
        cache.put(f"{sys.argv[2]}{number}", Kept(f"answer {number} " * 50))
        print(number, flush=True)  # noqa: T201
