"""What the sections of one run share: the folder, the encoder, and what was fitted already."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from benchmarks.routing import ours, peers
from benchmarks.routing.predicted import Chooser, Way
from benchmarks.routing.sets import Labelled
from benchmarks.routing.vectors import RememberingEmbedder, RememberingEncoder
from moa.local.download import fetch
from moa.paths import cache_folder
from moa.routing.embedding import Embedder
from moa.routing.encoders import LIGHT
from moa.routing.light import LightEncoder


@dataclass(frozen=True, eq=False)
class Bench:
    """A folder of data, one encoder for all, and every way of routing that can run here."""

    data: Path
    embedder: Embedder
    ways: tuple[Way, ...]
    absent: tuple[str, ...]
    """Peers that are not installed."""
    _fitted: dict[tuple[str, str], Chooser] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Path) -> Bench:
        """Load the light encoder, with the file of its vectors under moa's cache folder."""
        encoder = LightEncoder(fetch(LIGHT), name=LIGHT)
        kept = cache_folder() / "benchmarks" / "vectors.sqlite"
        there, absent = peers.installed()
        return cls(data, RememberingEmbedder(RememberingEncoder(encoder, kept)), (*ours.WAYS, *there), absent)

    @property
    def quick_ways(self) -> tuple[Way, ...]:
        """Those that can be fitted again and again, or on many labels."""
        return tuple(way for way in self.ways if not way.slow)

    def fitted(self, way: Way, name: str, train: Labelled) -> Chooser:
        """Fit a way of routing on a training set, once; sets are told apart by their names."""
        if (way.name, name) not in self._fitted:
            started = perf_counter()
            self._fitted[way.name, name] = way.fit(train, self.embedder)
            say(f"  {name}: {way.name} fitted in {perf_counter() - started:.0f} s")
        return self._fitted[way.name, name]


def say(text: str) -> None:
    """Tell of progress on standard error."""
    print(text, file=sys.stderr, flush=True)
