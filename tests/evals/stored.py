"""A stored run made up for tests of what is read from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from moa.evals.folder import Stored, StoredSample
from moa.evals.record import Record, Scored


def stored(
    answers: Mapping[str, Sequence[float | None]],
    *,
    kinds: Mapping[str, str] | None = None,
    drafts: Mapping[str, Sequence[Mapping[str, float]]] | None = None,
    metadata: Sequence[Mapping[str, Any]] | None = None,
    seconds: Mapping[str, float] | None = None,
    cost: Mapping[str, float | None] | None = None,
) -> Stored:
    """Return a run of one suite.

    Args:
        answers: system → the score of each sample; None is an answer that failed.
        kinds: system → its kind; an agent by default.
        drafts: mixture → for each sample, agent → the score of its draft.
        metadata: of each sample.
        seconds: system → what each of its answers took.
        cost: system → what each of its answers cost.
    """
    count = len(next(iter(answers.values())))
    samples = [
        StoredSample(
            "s", str(n), [{"role": "user", "content": f"question {n}"}], "yes", metadata[n] if metadata else {}
        )
        for n in range(count)
    ]
    systems = [
        {"name": name, "kind": (kinds or {}).get(name, "agent"), "agents": _agents(answers, kinds or {})}
        for name in answers
    ]
    records = [
        _record(
            name,
            n,
            value,
            (drafts or {}).get(name, [{}] * count)[n],
            (seconds or {}).get(name, 1.0),
            (cost or {}).get(name, 0.0),
        )
        for name, values in answers.items()
        for n, value in enumerate(values)
    ]
    about = {"systems": systems, "suites": [{"name": "s", "scorer": "exact", "epochs": 1, "samples": count}]}
    return Stored(Path("s"), about, samples, records)


def _agents(answers: Mapping[str, object], kinds: Mapping[str, str]) -> dict[str, str]:
    return {name: "fake/model" for name in answers if kinds.get(name, "agent") == "agent"}


def _record(
    system: str, n: int, value: float | None, drafts: Mapping[str, float], seconds: float, cost: float | None
) -> Record:
    events: list[dict[str, Any]] = []
    if drafts:
        agents = [{"name": name, "probability": 0.5} for name in drafts]
        events.append({"type": "routed", "routing": {"panel": list(drafts), "agents": agents}})
        for name in drafts:
            draft = {"id": f"{name}.1", "agent": name, "text": f"{name} says <b>{n}</b>", "status": "ok"}
            events.append({"type": "draft_finished", "draft": draft})
    return Record(
        "s",
        str(n),
        0,
        system,
        [{"role": "user", "content": f"question {n}"}],
        "" if value is None else f"{system} answers {n} </script><script>alert(1)</script>",
        "It broke." if value is None else None,
        score=None if value is None else Scored("exact", value, str(n)),
        seconds=seconds,
        model_seconds=seconds,
        cost_usd=cost,
        draft_scores={f"{name}.1": score for name, score in drafts.items()},
        events=events,
    )
