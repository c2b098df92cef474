"""What else people route with, on the same vectors: one library, and the plain statistics of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.routing.predicted import Chooser, Predicted, Way, by_scores
from benchmarks.routing.sets import Labelled
from moa.routing.embedding import Embedder

NEIGHBOURS = 10
CLUSTERS_A_LABEL = 3
STRENGTH = 10.0
"""Of the data in every logistic regression: scikit-learn's own 1.0 is too weak for unit vectors."""
TERMS = 20_000
SEED = 0


class _Scored(NamedTuple):
    """What a peer says of questions, arrays of shape (questions, labels)."""

    scores: NDArray[Any]
    probabilities: NDArray[Any] | None = None
    certainty: NDArray[Any] | None = None
    """That a question is in scope, shape (questions,); by default its highest score."""


_Scorer = Callable[[NDArray[np.float32], Sequence[str]], _Scored]
"""Vectors and texts in."""
_Fit = Callable[[NDArray[np.float32], Sequence[str], NDArray[np.intp]], _Scorer]
"""Vectors, texts and codes of the training questions in."""


def semantic_router(train: Labelled, embedder: Embedder) -> Chooser:
    """Fit semantic-router's own indexed router, with its defaults, on our vectors.

    Its confidence is calibrated as its documentation asks for: by its `fit` on questions that are not in the index,
    every fifth one here; then all of them go into the index.
    """
    known = train.in_scope()
    held = np.arange(len(known.texts)) % 5 == 0
    first = indexed(known.only(np.flatnonzero(~held)), embedder)
    kept_out = known.only(np.flatnonzero(held))
    first.fit(list(kept_out.texts), list(kept_out.labels))
    router = indexed(known, embedder, first.calibrator)

    def choose(texts: Sequence[str]) -> Predicted:
        choices = [router(text) for text in texts]
        sure = np.array([choice.confidence for choice in choices])
        return Predicted(tuple(choice.name for choice in choices), sure, sure)

    return choose


def indexed(questions: Labelled, embedder: Embedder, calibrator: Any = None) -> Any:
    """Return an indexed router of semantic-router, with its defaults, that holds all these questions."""
    from semantic_router import IndexedRouter, Route  # type: ignore[import-not-found, unused-ignore]

    by_label: dict[str, list[str]] = {}
    for text, label in zip(questions.texts, questions.labels, strict=True):
        by_label.setdefault(str(label), []).append(text)
    routes = [Route(name=label, utterances=texts) for label, texts in by_label.items()]
    return IndexedRouter(encoder=_lent(embedder), routes=routes, calibrator=calibrator)


def _lent(embedder: Embedder) -> Any:
    """Return our encoder in the form that semantic-router takes."""
    from semantic_router.encoders import DenseEncoder  # type: ignore[import-not-found, unused-ignore]

    class Lent(DenseEncoder):  # type: ignore[misc, unused-ignore]
        def __call__(self, docs: list[Any]) -> list[list[float]]:
            return embedder.questions(docs).tolist()  # type: ignore[no-any-return]

        async def acall(self, docs: list[Any]) -> list[list[float]]:
            return self(docs)

    return Lent(name=embedder.encoder.name)


def _centroid(vectors: NDArray[np.float32], texts: Sequence[str], codes: NDArray[np.intp]) -> _Scorer:
    del texts
    centres = np.stack([vectors[codes == code].mean(axis=0) for code in range(codes.max() + 1)])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    return lambda rows, _: _Scored(rows @ centres.T)


def _neighbours(vectors: NDArray[np.float32], texts: Sequence[str], codes: NDArray[np.intp]) -> _Scorer:
    del texts
    one_hot = np.eye(codes.max() + 1, dtype=np.float32)[codes]

    def scores(rows: NDArray[np.float32], _: Sequence[str]) -> _Scored:
        cosines = rows @ vectors.T
        nearest = np.argpartition(cosines, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]
        votes = np.take_along_axis(cosines, nearest, axis=1)
        sums = np.einsum("nk,nkl->nl", votes, one_hot[nearest]) / NEIGHBOURS
        near = votes.mean(axis=1)
        return _Scored(sums, sums / np.maximum(near[:, None], 1e-9), near)

    return scores


def _logistic(vectors: NDArray[np.float32], texts: Sequence[str], codes: NDArray[np.intp]) -> _Scorer:
    from sklearn.linear_model import LogisticRegression

    del texts
    model = LogisticRegression(C=STRENGTH, max_iter=300).fit(vectors, codes)
    return lambda rows, _: _Scored(_logits(model, rows), model.predict_proba(rows))


def _discriminant(vectors: NDArray[np.float32], texts: Sequence[str], codes: NDArray[np.intp]) -> _Scorer:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    del texts
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=1e-3).fit(vectors, codes)
    return lambda rows, _: _Scored(_logits(model, rows), model.predict_proba(rows))


def _clusters(vectors: NDArray[np.float32], texts: Sequence[str], codes: NDArray[np.intp]) -> _Scorer:
    from sklearn.cluster import KMeans

    del texts
    labels = int(codes.max()) + 1
    found = KMeans(CLUSTERS_A_LABEL * labels, n_init=2, random_state=SEED).fit(vectors)
    counts = np.zeros((found.n_clusters, labels))
    np.add.at(counts, (found.labels_, codes), 1)
    rates = counts / counts.sum(axis=1, keepdims=True)

    def scores(rows: NDArray[np.float32], _: Sequence[str]) -> _Scored:
        rates_here = rates[found.predict(rows)]
        return _Scored(rates_here, rates_here)

    return scores


def _terms(vectors: NDArray[np.float32], texts: Sequence[str], codes: NDArray[np.intp]) -> _Scorer:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    del vectors
    reader = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_features=TERMS)
    model = LogisticRegression(C=STRENGTH, max_iter=100).fit(reader.fit_transform(texts), codes)

    def scores(_: NDArray[np.float32], asked: Sequence[str]) -> _Scored:
        rows = reader.transform(asked)
        return _Scored(_logits(model, rows), model.predict_proba(rows))

    return scores


def _with_n_grams(vectors: NDArray[np.float32], texts: Sequence[str], codes: NDArray[np.intp]) -> _Scorer:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    by_meaning = _logistic(vectors, texts, codes)
    reader = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, max_features=TERMS)
    by_spelling = LogisticRegression(C=STRENGTH, max_iter=100).fit(reader.fit_transform(texts), codes)

    def scores(rows: NDArray[np.float32], asked: Sequence[str]) -> _Scored:
        meant = by_meaning(rows, asked).probabilities
        both = (np.asarray(meant) + by_spelling.predict_proba(reader.transform(asked))) / 2
        return _Scored(both, both)

    return scores


def _logits(model: Any, rows: Any) -> NDArray[Any]:
    found = np.asarray(model.decision_function(rows))
    return found if found.ndim > 1 else np.column_stack([-found, found])


def _fitted(fit: _Fit) -> Callable[[Labelled, Embedder], Chooser]:
    def of(train: Labelled, embedder: Embedder) -> Chooser:
        known = train.in_scope()
        names, codes = np.unique([str(label) for label in known.labels], return_inverse=True)
        labels = names.tolist()
        score = fit(embedder.questions(known.texts), known.texts, codes.astype(np.intp))

        def choose(texts: Sequence[str]) -> Predicted:
            found = score(embedder.questions(texts), texts)
            return by_scores(labels, found.scores, found.probabilities, found.certainty)

        return choose

    return of


SEMANTIC_ROUTER = Way("semantic-router", semantic_router)
LOGISTIC = Way("logistic regression", _fitted(_logistic))
STATISTICS = (
    Way("centroid", _fitted(_centroid)),
    Way(f"kNN, k = {NEIGHBOURS}", _fitted(_neighbours)),
    LOGISTIC,
    Way("linear discriminant analysis", _fitted(_discriminant)),
    Way(f"k-means, {CLUSTERS_A_LABEL} clusters a label", _fitted(_clusters)),
    Way("TF-IDF logistic", _fitted(_terms)),
    Way("logistic and character n-grams", _fitted(_with_n_grams)),
)


def installed() -> tuple[tuple[Way, ...], tuple[str, ...]]:
    """Return the peers that can run here, and the names of those that are not installed."""
    if find_spec("semantic_router"):
        return (SEMANTIC_ROUTER, *STATISTICS), ()
    return STATISTICS, (SEMANTIC_ROUTER.name,)
