"""`--what-if`: settings as a user writes them, tried on a routing that is there already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from moa.errors import UsageError

if TYPE_CHECKING:
    from moa.answers import Routing
    from moa.routing.wishes import Wishes

_SETTINGS: Final[dict[str, Callable[[str], Any]]] = {
    "threshold": float,
    "margin": float,
    "k": int,
    "k_max": int,
    "policy": str,
    "fallback_threshold": float,
    "floor": float,
}
_NAMES: Final = ("pin", "exclude", "always")
_INSTEAD: Final = "--what-if takes NAME=VALUE, such as threshold=0.2, k=2, exclude=law or threshold.law=0.5"


def what_if(routing: Routing, changes: Sequence[str]) -> Routing:
    """Decide again with changed settings from the evidence that a routing holds; nothing is embedded, nobody asked.

    Args:
        routing: the decision as it is.
        changes: `NAME=VALUE` each: `threshold`, `threshold.AGENT`, `margin`, `k`, `k_max`, `policy`,
            `fallback_threshold`, `floor`; or `pin`, `exclude` and `always` with agents' names, with commas between.

    Raises:
        UsageError: a change is not understood, or cannot be made.
    """
    from moa.routing.decision import policy_of, redecide, wishes_of

    policy, wishes = policy_of(routing), wishes_of(routing)
    names = [agent.name for agent in routing.agents]
    settings: dict[str, Any] = {}
    thresholds = dict(policy.thresholds)
    for change in changes:
        name, _, value = (part.strip() for part in change.partition("="))
        if not value:
            raise UsageError(f"{change!r} is not a setting and its value. {_INSTEAD}.")
        if name in _NAMES:
            listed = tuple(dict.fromkeys(each.strip() for each in value.split(",") if each.strip()))
            if name == "always":
                settings["always"] = _known(listed, names)
            else:
                wishes = _wishing(wishes, name, listed)
        elif name.startswith("threshold."):
            [agent] = _known((name.removeprefix("threshold."),), names)
            thresholds[agent] = _read(change, float, value)
        elif name in _SETTINGS:
            settings["mode" if name == "policy" else name] = _read(change, _SETTINGS[name], value)
        else:
            near = get_close_matches(name, [*_SETTINGS, *_NAMES], 1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join((*_SETTINGS, *_NAMES))}."
            raise UsageError(f"There is no setting {name!r} to try. {hint}")
    return redecide(routing, policy.but(thresholds=thresholds, **settings), wishes=wishes)


def _wishing(wishes: Wishes, which: str, names: Sequence[str]) -> Wishes:
    """Return wishes with more names pinned or excluded; what is said last counts."""
    pin = [name for name in wishes.pin if name not in names]
    exclude = [name for name in wishes.exclude if name not in names]
    (pin if which == "pin" else exclude).extend(names)
    mentioned = tuple(name for name in wishes.mentioned if name in pin)
    return replace(wishes, pin=tuple(pin), exclude=tuple(exclude), mentioned=mentioned)


def _read(change: str, kind: Callable[[str], Any], value: str) -> Any:
    try:
        return kind(value)
    except ValueError as error:
        wanted = "a whole number" if kind is int else "a number"
        raise UsageError(f"{change!r}: {value!r} is not {wanted}. {_INSTEAD}.") from error


def _known(listed: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    for name in listed:
        if name not in names:
            raise UsageError(f"There is no agent {name!r}. There are {', '.join(names)}.")
    return tuple(listed)
