"""What a model costs, before it is asked."""

from __future__ import annotations

from typing import Final

from moa.backends.base import Backend, Price

FREE: Final = Price(0.0, 0.0)


def price_of(backend: Backend) -> Price | None:
    """Return the price of a backend's model, as far as it is known without calling it.

    A price that was given (`backend.price`) counts before that of a list (`backend.listed_price`). Models on this
    machine and recorded answers cost nothing, and so does a model of your own that says that its price is known, and
    does not say which it is.
    """
    given = getattr(backend, "price", None)
    if isinstance(given, Price):
        return given
    if not backend.priced:
        return None
    listed = getattr(backend, "listed_price", FREE)
    return listed if isinstance(listed, Price) else None
