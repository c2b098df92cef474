"""In which order a panel's models draft, so that the least time is spent on loading: a pure decision."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations

from moa.local.plan import Resident, Wanted

_MOST_TRIED = 6  # every order of up to 6 models that are to be loaded: 720


def order(
    models: Sequence[Wanted], resident: Sequence[Resident], budget: int, then: Wanted | None = None
) -> tuple[Hashable, ...]:
    """Return the order of a panel's models that needs the least loading, each model once.

    Resident models draft first: that costs nothing, and then they can go. The aggregator's model, if it drafts too and
    is not resident, drafts last, and so is not loaded twice. Between these, the order is the one in which the fewest
    seconds of loading pass with nobody drafting: a model can be loaded while the one before it drafts if both fit. The
    aggregator's model counts as one that is loaded after the last draft, unless it is resident and can stay.

    Up to 6 models to load are put into the best order there is. Of more, each next one is, of those that can be loaded
    during the draft before, the one that takes the longest to load; if there is none, the quickest.

    Args:
        models: of the panel, the best first: of orders that cost the same, the one closest to this is taken.
        resident: what is in memory.
        budget: bytes that all of it may take together.
        then: what the aggregator needs afterwards.
    """
    here = {model.key: model for model in resident}
    drafting = list({model.key: model for model in models}.values())
    ready = [model for model in drafting if model.key in here]
    missing = [model for model in drafting if model.key not in here and not (then and model.key == then.key)]
    room, after = _room(here, budget, missing, then)
    if ready and (missing or after):  # beside the smallest there is the most room to load the next
        smallest = min(reversed(ready), key=room.taken_by)
        ready = [model for model in ready if model is not smallest] + [smallest]
    before = ready[-1:]
    tried = permutations(missing) if len(missing) <= _MOST_TRIED else [_one_by_one(before, missing, room)]
    best = min(tried, key=lambda sequence: room.idle_seconds([*before, *sequence, *after], resident=len(before)))
    last = [model for model in after if model.key not in here and model.key in {each.key for each in drafting}]
    return tuple(model.key for model in (*ready, *best, *last))


@dataclass(frozen=True, slots=True)
class _Room:
    """What fits into memory beside what stays there anyway."""

    bytes: int
    staying: frozenset[Hashable]

    def taken_by(self, model: Wanted) -> int:
        """Return what a model takes of the room."""
        return 0 if model.key in self.staying else model.bytes

    def holds(self, *models: Wanted) -> bool:
        """Whether these fit at the same time."""
        return sum(map(self.taken_by, models)) <= self.bytes

    def idle_seconds(self, sequence: Sequence[Wanted], resident: int) -> float:
        """Return the seconds of loading during which nobody drafts.

        Args:
            sequence: models in the order in which they are used.
            resident: how many of them, from the first, are in memory already.
        """
        first = 0.0 if resident or not sequence else sequence[0].load_seconds
        return first + sum(
            0.0 if self.holds(drafting, loading) else loading.load_seconds for drafting, loading in pairwise(sequence)
        )


def _room(
    here: dict[Hashable, Resident], budget: int, missing: Sequence[Wanted], then: Wanted | None
) -> tuple[_Room, list[Wanted]]:
    """Return the room for drafting, and the aggregator's model if it has to be loaded after the drafts."""
    staying = {key: model.bytes for key, model in here.items() if model.pinned}
    room = budget - sum(staying.values())
    if then is None or then.key in staying:
        return _Room(room, frozenset(staying)), []
    if then.key in here and all(then.bytes + model.bytes <= room for model in missing):
        return _Room(room - then.bytes, frozenset({*staying, then.key})), []
    return _Room(room, frozenset(staying)), [then]


def _one_by_one(before: Sequence[Wanted], missing: Sequence[Wanted], room: _Room) -> tuple[Wanted, ...]:
    """Return a good order without trying all of them: see `order`."""
    sequence, left = list(before), list(missing)
    while left:
        hidden = [model for model in left if sequence and room.holds(sequence[-1], model)]
        following = max(hidden, key=_seconds) if hidden else min(left, key=_seconds)
        sequence.append(following)
        left.remove(following)
    return tuple(sequence[len(before) :])


def _seconds(model: Wanted) -> float:
    return model.load_seconds
