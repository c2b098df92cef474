"""Faults are timeouts more often than not; here nobody waits for them."""

from __future__ import annotations

from tests.fakes.skipping_loop import SkippingLoop


def pytest_asyncio_loop_factories() -> dict[str, type[SkippingLoop]]:
    """Run every test of this folder on a clock that jumps over the time in which nothing would happen."""
    return {"skipping": SkippingLoop}
