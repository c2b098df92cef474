"""The settings by which a panel is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, Self, TypedDict, get_args

from moa.errors import AgentError

Mode = Literal["top1", "topk", "adaptive", "dense", "soft", "expert_choice"]
"""How many answer, by the field's names for it.

- `top1`: the most probable of those that clear their threshold (the switch of Fedus et al. 2021).
- `topk`: always the `k` most probable, if the question is anybody's at all (sparse gating, Shazeer et al. 2017).
- `adaptive`: as many as the mask lets through: all that clear their threshold and stand within the margin of the best,
  at most `k_max`.
- `dense`: everybody, each with its weight, however small (Jacobs et al. 1991). It costs every agent on every question.
- `soft`: nobody is masked by threshold or margin, and only the weights decide, as in `dense`; but whoever's weight
  would be below `floor` is not asked, because nobody would notice its draft.
- `expert_choice`: in a batch each agent takes the questions that suit it best, up to its capacity (Zhou et al. 2022);
  see `moa.routing.expert_choice`. A question that comes alone is taken by every agent whose threshold it clears.
"""
MODES: tuple[Mode, ...] = get_args(Mode)


class Settings(TypedDict, total=False):
    """The fields of a `Policy`, for functions that take them by name."""

    k: int
    threshold: float
    margin: float
    temperature: float
    background: float | None
    mode: Mode | None
    k_max: int | None
    thresholds: Mapping[str, float]
    fallback_threshold: float | None
    floor: float
    capacity_factor: float
    always: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """How a panel is chosen.

    The defaults were chosen on questions written for the purpose, with the light encoder and the prototype gate over
    five agents of about forty examples each: two in five pieces of nonsense and small talk score below 0.18 with every
    agent, and at most one real question in thirty does; at temperature 0.035 the probabilities are some ten points
    lower than the choices are right, and nine in ten of the wrong choices are below 0.8.

    Example:
        >>> Policy(k=2).mode, Policy(mode="adaptive").k_max, Policy(mode="topk", k=2).limit
        ('adaptive', None, 2)

    Raises:
        AgentError: a setting is out of its range.
    """

    k: int = 1
    """So many agents, 1 or more: exactly so many with `topk`, at most so many with `adaptive`."""
    threshold: float = 0.35
    """An agent needs at least this probability, 0 … 1."""
    margin: float = 0.2
    """With `adaptive`, an agent may be so much less probable than the best one, 0 … 1."""
    temperature: float = 0.035
    """Scores that differ by this much make probabilities that differ e-fold; more than 0."""
    background: float | None = 0.18
    """The score at which a question is as likely nobody's as an agent's; None if it is always somebody's."""
    mode: Mode | None = None
    """What decides how many answer; None means `top1` if k is 1, else `adaptive`. Never None once it is made."""
    k_max: int | None = None
    """With `adaptive`, `soft` and `expert_choice`: at most so many, 1 or more. None is no limit, or `k` if that is
    more than 1."""
    thresholds: Mapping[str, float] = field(default_factory=dict, hash=False)
    """Thresholds of single agents by name, in place of `threshold`."""
    fallback_threshold: float | None = None
    """If the best agent is less probable than this, the question is out of scope and goes to the fallback agent,
    whatever the mode. None sets no bar beside the thresholds; `topk`, which has no other, then uses `threshold`."""
    floor: float = 0.05
    """With `soft`, the least weight that is worth a call, 0 … 1."""
    capacity_factor: float = 1.25
    """With `expert_choice`, the places that all agents have together, per question of the batch; 1 or more."""
    always: tuple[str, ...] = ()
    """Agents that are on every panel, beside those chosen and not counted in k, such as a safety reviewer. Such an
    agent drafts, and weighs nothing in the mix unless it was chosen by its own probability too."""

    def __post_init__(self) -> None:
        self._check()
        chosen = self.mode or ("top1" if self.k == 1 and self.k_max in {None, 1} else "adaptive")
        object.__setattr__(self, "mode", chosen)
        if chosen in {"adaptive", "soft", "expert_choice"} and self.k_max is None and self.k > 1:
            object.__setattr__(self, "k_max", self.k)
        object.__setattr__(self, "thresholds", dict(self.thresholds))
        object.__setattr__(self, "always", tuple(self.always))

    def _check(self) -> None:
        for name in ("k", "k_max"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise AgentError(f"{name} is {value}; a panel needs room for at least 1 agent.")
        shares = {name: getattr(self, name) for name in ("threshold", "margin", "floor", "fallback_threshold")}
        for name, value in (
            shares | {f"threshold of {name!r}": value for name, value in self.thresholds.items()}
        ).items():
            if value is not None and not 0 <= value <= 1:
                raise AgentError(f"The router's {name} is {value}; it must be 0 … 1.")
        if not self.temperature > 0:
            raise AgentError(f"The router's temperature is {self.temperature}; it must be more than 0.")
        if not self.capacity_factor >= 1:
            raise AgentError(
                f"The router's capacity_factor is {self.capacity_factor}; with less than 1 there is no place for every "
                "question."
            )
        if self.mode is not None and self.mode not in MODES:
            raise AgentError(f"There is no policy {self.mode!r}. There are {', '.join(MODES)}.")

    @property
    def limit(self) -> int | None:
        """How many agents may be chosen at most; None if all may."""
        if self.mode == "top1":
            return 1
        if self.mode == "topk":
            return self.k
        return None if self.mode == "dense" else self.k_max

    @property
    def scope(self) -> float:
        """The probability that the best agent needs for the question to be anybody's."""
        if self.fallback_threshold is not None:
            return self.fallback_threshold
        return self.threshold if self.mode == "topk" else 0.0

    def threshold_of(self, name: str) -> float:
        """Return the probability that one agent needs."""
        return self.thresholds.get(name, self.threshold)

    def but(self, **changes: Any) -> Self:
        """Return this policy with some settings changed; with another `k` alone, `top1` and `adaptive` follow it.

        Raises:
            AgentError: a setting is out of its range.
        """
        if "k" in changes and self.mode in {"top1", "adaptive"} and not changes.keys() & {"mode", "k_max"}:
            changes |= {"mode": None, "k_max": None}
        elif changes.get("k_max") and self.mode == "top1" and "mode" not in changes:
            changes["mode"] = "adaptive"
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain values, from which `from_json` makes the policy again."""
        return {name: getattr(self, name) for name in _NAMES} | {"thresholds": dict(self.thresholds)}

    @classmethod
    def from_json(cls, settings: Mapping[str, Any]) -> Self:
        """Return the policy with these settings; those that are missing have their defaults.

        Raises:
            AgentError: a setting is out of its range.
        """
        return cls(**{name: value for name, value in settings.items() if name in _NAMES})


_NAMES = tuple(each.name for each in fields(Policy))
