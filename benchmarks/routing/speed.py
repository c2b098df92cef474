"""How long a decision takes beside its encoding, and how long the encoding takes beside the bare runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.routing import ours
from benchmarks.routing.bench import Bench, say
from benchmarks.routing.bootstrap import Estimate
from benchmarks.routing.peers import indexed
from benchmarks.routing.sets import Labelled, banking, clinc
from benchmarks.routing.tables import Bar, Line, Table
from moa import Agent, Router
from moa.local.download import fetched
from moa.messages import Conversation
from moa.routing.by_label import LabelRouter
from moa.routing.embedding import Embedder
from moa.routing.encoder import Encoder
from moa.routing.encoders import FULL, LIGHT
from moa.routing.light import TOKENS, LightEncoder

EXAMPLES = 15_000
ASKED = 400
CALLS, SLOW_CALLS = 2000, 200
_WARM = 20
"""Calls of one way in a row, after which the next has its turn; the first round of each is not counted."""
_SLOW = "semantic-router"
_NEIGHBOURS = 50


class Ready:
    """An encoder without any cost: vectors that were made beforehand."""

    def __init__(self, encoder: Encoder, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        self.name, self.dimension = encoder.name, encoder.dimension
        self._encoder = encoder
        self._vectors = dict(zip(texts, vectors, strict=True))

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, float32, shape (texts, dimension)."""
        if all(text in self._vectors for text in texts):
            return np.stack([self._vectors[text] for text in texts])
        return self._encoder.encode(texts)


def run(bench: Bench) -> list[Table]:
    """Measure both, warm, one question at a time."""
    return [_decisions(bench), *_encoding(bench)]


def _decisions(bench: Bench) -> Table:
    train, asked = _stored(bench)
    vectors = bench.embedder.questions((*train.texts, *asked))
    ready = Ready(bench.embedder.encoder, (*train.texts, *asked), vectors)
    say("speed: getting ready")
    cases: dict[str, Callable[[str], object]] = {
        "moa: Router, 5 agents × 3,000 examples": _router(ready, train, 5),
        "moa: Router, 50 agents × 300 examples": _router(ready, train, 50),
        "moa: trained gate, 77 labels": _trained(bench, ready),
    }
    mine = tuple(cases)
    rows, weights = vectors[: len(train.texts)], np.ones((vectors.shape[1], 77), np.float32)
    vector_of = dict(zip(asked, vectors[len(train.texts) :], strict=True))
    owners = np.arange(len(rows)) * 77 // len(rows)
    cases[f"kNN in numpy, k = {_NEIGHBOURS}"] = lambda text: _vote(rows, owners, vector_of[text])
    cases["the bare product with all examples"] = lambda text: rows @ vector_of[text]
    cases["linear in numpy, 77 labels"] = lambda text: (vector_of[text] @ weights).argmax()
    if _SLOW not in bench.absent:
        cases[_SLOW] = indexed(train, Embedder(ready))
    say("speed: decisions")
    times = _measured(cases, asked, {name: SLOW_CALLS if name == _SLOW else CALLS for name in cases})
    lines = [_line(name, 1e3 * each, mine) for name, each in times.items()]
    title = f"ms of one decision beside the encoding, median, {len(rows):,} stored examples"
    return Table("speed", title, tuple(lines), Bar(0.5, below=True), mine, falls=True)


def _stored(bench: Bench) -> tuple[Labelled, list[str]]:
    rows = [each for read in (clinc, banking) for each in (read(bench.data, "train"),)]
    texts = tuple(dict.fromkeys(text for each in rows for text in each.texts))
    stored = texts[:EXAMPLES]
    labels = tuple(f"route{place * 77 // len(stored)}" for place in range(len(stored)))
    return Labelled(stored, labels), list(texts[EXAMPLES : EXAMPLES + ASKED])


def _router(encoder: Encoder, train: Labelled, count: int) -> Callable[[str], object]:
    each = len(train.texts) // count
    agents = [
        Agent(f"a{place}", model="replay:none#none", examples=train.texts[place * each : (place + 1) * each])
        for place in range(count)
    ]
    router = Router(encoder)
    router.prepare(agents)
    return lambda text: router.route(Conversation.of(text), agents, fallback="a0")


def _trained(bench: Bench, ready: Ready) -> Callable[[str], object]:
    train = banking(bench.data, "train")
    chooser = bench.fitted(ours.TRAINED, "Banking77", train)
    assert isinstance(chooser, ours.TrainedChooser)
    router = LabelRouter(chooser.gate, Embedder(ready))
    return lambda text: router.route_all([text])


def _vote(rows: NDArray[np.float32], owners: NDArray[np.intp], vector: NDArray[np.float32]) -> int:
    cosines = rows @ vector
    nearest = np.argpartition(cosines, -_NEIGHBOURS)[-_NEIGHBOURS:]
    return int(np.bincount(owners[nearest], cosines[nearest]).argmax())


def _measured(
    cases: Mapping[str, Callable[[str], object]], asked: Sequence[str], calls: Mapping[str, int]
) -> dict[str, NDArray[np.float64]]:
    """Return seconds of every call. Blocks of calls take turns, so that a busy machine is busy for all."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    for start in range(0, max(calls.values()) + _WARM, _WARM):
        for name, call in cases.items():
            if start > calls[name]:
                continue
            for place in range(start, start + _WARM):
                text = asked[place % len(asked)]
                began = perf_counter()
                call(text)
                times[name].append(perf_counter() - began)
    return {name: np.array(each[_WARM:]) for name, each in times.items()}


def _line(name: str, values: NDArray[np.float64], mine: Sequence[str], digits: int = 3) -> Line:
    """Return the median, and beside it the first decile: what the machine can do when it does nothing else."""
    return Line(name, _median(values), name in mine, note=f"a tenth took {np.quantile(values, 0.1):.{digits}f} or less")


def _median(values: NDArray[np.float64]) -> Estimate:
    """Return the median with its 95 % interval, by order statistics."""
    ordered, half = np.sort(values), 0.98 * np.sqrt(len(values))
    low, high = max(0, int(len(values) / 2 - half)), min(len(values) - 1, int(len(values) / 2 + half))
    return Estimate(float(np.median(values)), float(ordered[low]), float(ordered[high]))


def _encoding(bench: Bench) -> list[Table]:
    folder = fetched(LIGHT)
    assert folder is not None
    encoder = LightEncoder(folder, name=LIGHT)
    embedder = Embedder(encoder)
    bare = "bare onnxruntime call"
    cases: dict[str, Callable[[str], object]] = {
        bare: _bare(folder),
        "moa: LightEncoder.encode": lambda text: encoder.encode([text]),
        "moa: Embedder.questions, nothing remembered": lambda text: embedder.questions([text]),
    }
    mine = tuple(cases)[1:]
    if full := fetched(FULL):
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(1)
        model = SentenceTransformer(str(full), device="cpu")
        cases["sentence-transformers, full precision"] = lambda text: model.encode([text], show_progress_bar=False)
    say("speed: encoding")
    texts = list(dict.fromkeys(clinc(bench.data, "test").texts))  # more than are remembered
    times = _measured(cases, texts, dict.fromkeys(cases, CALLS))
    lines = tuple(_line(name, 1e3 * each, mine, digits=2) for name, each in times.items())
    ratios = tuple(
        Line(name, _median(each / times[bare]), name in mine) for name, each in times.items() if name != bare
    )
    return [
        Table("speed", "ms of encoding one short question on one thread, median", lines, digits=2, falls=True),
        Table(
            "speed",
            "the same beside the bare onnxruntime call, median ratio",
            ratios,
            Bar(1.10, below=True),
            mine,
            digits=2,
            falls=True,
        ),
    ]


def _bare(folder: Path) -> Callable[[str], object]:
    """Return the encoder written by hand: tokens, the network on one thread, mean and length 1."""
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(TOKENS)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]

    def call(text: str) -> object:
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        pooled = session.run(None, {name: feeds[name] for name in names})[0][0].mean(axis=0)
        return pooled / np.sqrt(pooled @ pooled)

    return call
