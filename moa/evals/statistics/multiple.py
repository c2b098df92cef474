"""Many comparisons at once: the more one looks, the more one finds by chance."""

from __future__ import annotations

from collections.abc import Sequence


def holm(ps: Sequence[float]) -> list[float]:
    """Return p values corrected by Holm's step-down method, in their order.

    Holm, A simple sequentially rejective multiple test procedure, 1979. Whatever is below 0.05 afterwards is a chance
    find in all of them together with a probability of at most 0.05.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    corrected, highest = [0.0] * len(ps), 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=lambda each: ps[each])):
        highest = max(highest, min(1.0, ps[place] * (len(ps) - rank)))
        corrected[place] = highest
    return corrected
