"""What a model costs, before it is asked."""

from __future__ import annotations

from moa.backends.base import Backend, Price
from moa.backends.litellm_library import prices
from moa.backends.priced import Priced

_PER_MILLION = 1_000_000


def price_of(backend: Backend) -> Price | None:
    """Return the price of a backend's model, as far as it is known without calling it.

    A price that was given counts before litellm's list, which is read as a file: litellm is not imported. Models on
    this machine and recorded answers cost nothing.
    """
    if isinstance(backend, Priced):
        return backend.price
    given = getattr(backend, "price", None)
    if isinstance(given, Price):
        return given
    reference = backend.reference
    if reference.startswith(("local:", "replay:")):
        return Price(0.0, 0.0)
    if not backend.priced:
        return None
    listed = prices()
    entry = listed.get(reference) or listed.get(reference.partition("/")[2]) or {}
    rates = entry.get("input_cost_per_token"), entry.get("output_cost_per_token")
    if all(isinstance(rate, int | float) for rate in rates):
        return Price(*(float(rate) * _PER_MILLION for rate in rates if rate is not None))
    return Price(0.0, 0.0)  # it is priced and in no list: a provider that asks for nothing
