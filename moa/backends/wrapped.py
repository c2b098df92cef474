"""A backend around another one: a model with a price of its own, or asked as one request or one evaluation wants it."""

from __future__ import annotations

from dataclasses import dataclass

from moa.backends.base import Backend, Readiness


@dataclass(frozen=True)
class Wrapped:
    """Knows of itself what the inner one knows. Those that inherit from it say how it is called."""

    inner: Backend

    @property
    def reference(self) -> str:
        """The model reference of the inner one."""
        return self.inner.reference

    @property
    def priced(self) -> bool:
        """Whether the inner one's cost can be known."""
        return self.inner.priced

    @property
    def context(self) -> int | None:
        """Tokens that the model's window holds, if the inner one knows."""
        return getattr(self.inner, "context", None)

    def readiness(self) -> Readiness:
        """Look whether the inner one could answer now."""
        return self.inner.readiness()


def unwrapped(backend: Backend) -> Backend:
    """Return the backend itself, without what was put around it."""
    while isinstance(backend, Wrapped):
        backend = backend.inner
    return backend
