"""Recorded answers: what policies that need no model would have scored.

Nothing here calls a model. Judgements are of each system's answer to each question, so that whatever returns one
answer untouched gets exactly its judgement; what a new, synthesized answer would have got is in no record.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.aggregation.policies import longest, of_usual_length, shortest, taken, vote_bounds
from benchmarks.routing.bench import Bench, say
from benchmarks.routing.estimators import BEST_SINGLE, Told, left_out
from benchmarks.routing.learned_responses import LEARNED
from benchmarks.routing.matrices import Family, families
from benchmarks.routing.sets import read
from benchmarks.routing.tables import Bar, Table, table_of_means
from moa.aggregation.agreement import agreement
from moa.aggregation.guard import Guard
from moa.aggregation.solo import Solo

JUDGED = "response_matrix_alpaca_pref"
DRAFTED = "alpaca_drafts_moa"
NO_ANSWERS = {"NullModel", "gpt4_gamed", "gpt4_1106_preview"}
"""Two entries that were made to fool the judge, and the one that all others were compared with."""
PROPOSERS = (
    "Qwen1.5-72B-Chat",
    "Meta-Llama-3-70B-Instruct",
    "Mixtral-8x22B-Instruct-v0.1",
    "dbrx-instruct",
    "wizardlm-70b",
)
FUSED = ("Together-MoA", "Together-MoA-Lite", "SelfMoA_gemma-2-9b-it-SimPO")
FEW = 3
"""Models of a small panel: the best ones, as told from other questions."""
NOT_BELOW = Bar(0.0, upper=True)


def run(bench: Bench) -> list[Table]:
    """Measure every record that the data folder holds."""
    return [*judged(bench), *drafted(bench), *votes(bench)]


def judged(bench: Bench) -> list[Table]:
    """Answers to AlpacaEval that a judge compared with those of one strong model, with their lengths."""
    rows = read(bench.data, JUDGED)
    models = tuple(sorted(set.intersection(*(set(row["win_prob_vs_gpt4_1106"]) for row in rows)) - NO_ANSWERS))
    wins = np.array([[float(row["win_prob_vs_gpt4_1106"][model]) for model in models] for row in rows])
    characters = np.array([[float(row["output_chars"][model]) for model in models] for row in rows])
    texts = tuple(row["prompt"] for row in rows)
    family = Family("AlpacaEval", models, texts, tuple(row["subset"] for row in rows), wins, None)
    say(f"{JUDGED}: {len(rows)} questions, {len(models)} systems")
    tables = []
    for count in (len(models), FEW):
        kept = np.argsort(-wins.mean(axis=0), kind="stable")[:count]
        part = Family(family.name, tuple(models[k] for k in kept), texts, family.fields, wins[:, kept], None)
        title = f"win probability against one strong model, {'all' if count > FEW else 'the best'} {count} systems"
        tables.append(_chosen(title, part, characters[:, kept], bench))
    return tables


def _chosen(title: str, family: Family, characters: NDArray[np.float64], bench: Bench) -> Table:
    told = {each.name: left_out(each, family, bench.embedder) for each in (BEST_SINGLE, LEARNED)}
    choices: dict[str, NDArray[np.intp]] = {
        BEST_SINGLE.name: told[BEST_SINGLE.name].choice(),
        "solo, by a gate of responses": told[LEARNED.name].choice(),
        "the longest": longest(characters),
        "the shortest": shortest(characters),
        "of usual length": of_usual_length(characters),
    }
    values = {name: taken(family.success, choice) for name, choice in choices.items()}
    values |= {"random": family.success.mean(axis=1), "oracle": family.success.max(axis=1)}
    mean = {name: taken(characters, choice).mean() for name, choice in choices.items()}
    mean["random"] = characters.mean()
    mean["oracle"] = taken(characters, family.success.argmax(axis=1)).mean()
    notes = {name: f"{each:,.0f} characters" for name, each in mean.items()}
    return _against_single(JUDGED, title, values, notes, held=("solo, by a gate of responses",))


def _against_single(
    section: str, title: str, values: Mapping[str, NDArray[np.float64]], notes: Mapping[str, str], held: tuple[str, ...]
) -> Table:
    """Compare differences to the best single model, which is chosen on the other folds."""
    single = values[BEST_SINGLE.name]
    ahead = {name: each - single for name, each in values.items() if name != BEST_SINGLE.name}
    told = f"{single.mean():.3f} by the best single model"
    if note := notes.get(BEST_SINGLE.name):
        told += f", {note}"
    return table_of_means(section, f"{title}, less {told}", ahead, list(ahead), notes=notes, bar=NOT_BELOW, held=held)


def drafted(bench: Bench) -> list[Table]:
    """Texts of five proposers, beside what three real mixtures made; their records hold no judgement."""
    rows = read(bench.data, DRAFTED)
    texts = [[row["outputs"][name] for name in PROPOSERS] for row in rows]
    say(f"{DRAFTED}: agreement of {len(PROPOSERS)} drafts on {len(rows)} questions")
    agreed = np.array([agreement(some) for some in texts])
    characters = np.array([[len(text) for text in some] for some in texts], float)
    usual = np.median(characters, axis=1)
    picks: dict[str, NDArray[np.intp]] = {
        "select by agreement": agreed.argmax(axis=1),
        "the longest draft": longest(characters),
        "the shortest draft": shortest(characters),
    }
    lengths = {name: taken(characters, choice) / usual for name, choice in picks.items()}
    made = {name: np.array([len(row["outputs"][name]) for row in rows], float) for name in FUSED}
    lengths |= {name: each / usual for name, each in made.items()}
    refused = Guard(Solo()).longest
    notes = {
        name: f"{(each > refused * np.maximum(characters.max(axis=1), 200)).mean():.0%} refused by Guard for length"
        for name, each in made.items()
    }
    notes["select by agreement"] = ", ".join(
        f"{name} {(picks['select by agreement'] == place).mean():.0%}" for place, name in enumerate(PROPOSERS)
    )
    title = f"length, in that of the median of {len(PROPOSERS)} drafts ({len(rows)} questions, no judgements)"
    return [table_of_means(DRAFTED, title, lengths, list(lengths), notes=notes, digits=2, falls=True)]


def votes(bench: Bench) -> list[Table]:
    """Right and wrong answers of several models: what a vote is worth, between two bounds."""
    tables = []
    for family in families(bench.data):
        if len(family.models) < FEW:
            continue  # of two answers that differ, a vote takes the one with more weight
        say(f"response_matrix: {family.name}, {len(family.texts):,} questions")
        single, gate = (left_out(each, family, bench.embedder) for each in (BEST_SINGLE, LEARNED))
        values = {
            BEST_SINGLE.name: taken(family.success, single.choice()),
            "solo, by a gate of responses": taken(family.success, gate.choice()),
            **_voted("all", len(family.models), family, single),
            **_voted(f"the best {FEW}", FEW, family, single),
            "random": family.success.mean(axis=1),
            "oracle": family.success.max(axis=1),
        }
        tables.append(
            _against_single(
                "response_matrix", f"{family.name}: right answers", values, {}, held=("solo, by a gate of responses",)
            )
        )
    return tables


def _voted(who: str, count: int, family: Family, told: Told) -> dict[str, NDArray[np.float64]]:
    order = np.argsort(-told.success, axis=1, kind="stable")[:, :count]
    at_least, at_most = vote_bounds(np.take_along_axis(family.success, order, axis=1))
    return {f"vote of {who}, wrong ones all alike": at_least, f"vote of {who}, wrong ones all different": at_most}
