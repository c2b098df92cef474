"""The model names of a server: its mixtures, variants of them, each agent, and the encoder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from moa.mixture import Mixture
from moa.routing.policy import Mode
from moa.server.refusal import Refusal, not_found
from moa.server.tailoring import Fit
from moa.server.tenants import Tenant

_MOST_LISTED = 3
"""Variants `top1`, `top2`, … that are listed; any `topN` up to the number of agents can be asked for."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a model name stands for."""

    id: str
    mixture: Mixture
    fit: Fit


class Offers:
    """What can be asked for by name. A value: a server that loads its files again makes another one.

    Args:
        mixtures: by their name; the first is the one that agents' bare names belong to.
    """

    def __init__(self, mixtures: Mapping[str, Mixture]) -> None:
        self.mixtures = dict(mixtures)
        self.default = next(iter(self.mixtures.values()))

    def listed(self, tenant: Tenant) -> Iterator[str]:
        """Yield the model names that somebody can use, mixtures first."""
        for name, mixture in self.mixtures.items():
            permitted = [agent.name for agent in mixture.agents if tenant.permit(agent.name)]
            if not permitted:
                continue
            yield name
            if len(permitted) > 1:
                yield from (f"{name}:top{k}" for k in range(1, min(_MOST_LISTED, len(permitted)) + 1))
                yield f"{name}:dense"
            for agent in permitted:
                bare = mixture is self.default and agent not in self.mixtures
                yield agent if bare else f"{name}/{agent}"

    def encoder(self) -> str:
        """Return the name of the encoder, under which embeddings are to be had."""
        return self.default.router.encoder

    def named(self, model: str, tenant: Tenant, mixture: str | None = None) -> Offer:
        """Return what a model name stands for.

        Args:
            model: the name.
            tenant: who asks: what it may not ask is not there.
            mixture: a mixture that is meant instead of the one that the name says.

        Raises:
            Refusal: there is no such model.
        """
        if mixture is not None and mixture not in self.mixtures:
            told = f"There is no mixture {mixture[:100]!r} here."
            raise Refusal(400, told, code="invalid_value", param="moa.mixture")
        base, _, variant = model.partition(":") if model not in self.mixtures else (model, "", "")
        if base in self.mixtures:
            found = self.mixtures[mixture or base]
            if any(tenant.permit(agent.name) for agent in found.agents):
                return Offer(model, found, _variant(variant, found, model))
            raise not_found(model)
        name, slash, agent = model.rpartition("/")
        home = self.mixtures.get(name) if slash else self.mixtures[mixture] if mixture else self.default
        if home and tenant.permit(agent) and any(each.name == agent for each in home.agents):
            return Offer(model, home, Fit(only=agent))
        raise not_found(model)


_MODES: Mapping[str, Mode] = {"dense": "dense", "adaptive": "adaptive", "soft": "soft"}


def _variant(variant: str, mixture: Mixture, model: str) -> Fit:
    """Return how a variant of a mixture differs from it."""
    if not variant:
        if ":" in model and model.endswith(":"):
            raise not_found(model)
        return Fit()
    if variant in _MODES:
        return Fit(mode=_MODES[variant])
    k = variant.removeprefix("top")
    if variant.startswith("top") and k.isascii() and k.isdecimal() and 1 <= int(k[:4]) <= len(mixture.agents):
        number = int(k[:4])
        return Fit(mode="top1" if number == 1 else "topk", k=number)
    raise not_found(model)
