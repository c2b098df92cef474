"""Numbers and states of a run in words, as short as they can be said."""

from __future__ import annotations

import math
from typing import Final

from moa.answers import Draft
from moa.messages import Usage
from moa.tui.state import DraftState, DraftView, RunView
from moa.untrusted import one_line

SYMBOLS: Final[dict[DraftState, str]] = {
    "queued": "◌",
    "downloading": "↓",
    "loading": "◔",
    "waiting": "◌",
    "retrying": "↻",
    "thinking": "…",
    "streaming": "▸",
    "done": "✓",
    "cached": "≡",
    "failed": "✗",
    "cancelled": "■",
}
_MINUTE_SECONDS = 60
_CENT = 0.01


def duration(seconds: float) -> str:
    """Return a time as people say it: `7 ms`, `3.2 s`, `41 s`, `2 min 05 s`."""
    if not math.isfinite(seconds):
        return "? s"
    if seconds < 0.0995:  # noqa: PLR2004  (what would be rounded to 0.1 s)
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:  # noqa: PLR2004  (one digit after the point only where it tells something)
        return f"{seconds:.1f} s"
    if seconds < _MINUTE_SECONDS - 0.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), _MINUTE_SECONDS)
    return f"{minutes} min {rest:02d} s"


def usd(cost: float | None) -> str:
    """Return a price; an unknown one is said to be unknown, never 0."""
    if cost is None:
        return "cost unknown"
    if cost == 0:
        return "$0"
    return f"${cost:.2f}" if cost >= _CENT else f"${cost:.2g}" if cost >= 1e-4 else "< $0.0001"  # noqa: PLR2004


def tokens(draft: DraftView) -> str:
    """Return how much was written; `~` marks an estimate."""
    count, exact = draft.tokens()
    return f"{'' if exact else '~'}{count:,} {'token' if count == 1 else 'tokens'}"


def facts(draft: DraftView, now: float) -> list[str]:
    """Return what can be counted of a draft: tokens, tokens a second, time, cost."""
    said = []
    if draft.text or draft.reasoning:
        said.append(tokens(draft))
        speed = draft.tokens_a_second(now)
        if speed is not None:
            said.append(f"{speed:.1f}/s" if speed < 99.95 else f"{speed:.0f}/s")  # noqa: PLR2004
    said.append(duration(draft.seconds(now)))
    if draft.result is not None:
        cost = draft.result.cost_usd
        said.append("$?" if cost is None else usd(cost))
    return said


def proposal(draft: Draft) -> str:
    """Return the calls of tools that a draft proposes, in a sentence; empty if there are none."""
    calls = [f"{call.name}({call.arguments})" for call in draft.tool_calls]
    return f"Proposes to call {', '.join(calls)}." if calls else ""


def called(draft: DraftView) -> list[str]:
    """Return the calls of tools that were made for a draft, each with what it returned."""
    return [f"{event.call.name}({event.call.arguments}) → {event.result}" for event in draft.called]


def usage(used: Usage) -> str:
    """Return tokens read and written."""
    if used.input is None or used.output is None:
        return "tokens unknown" if used.total is None else f"{used.total:,} tokens"
    return f"{used.input:,} tokens in, {used.output:,} out"


def totals(view: RunView, now: float) -> list[str]:
    """Return what the run took, or has taken until now."""
    if view.tokens is None or view.seconds is None:
        passed = max(view.at, now)
        return [duration(passed)] if passed else []
    return [usage(view.tokens), usd(view.cost_usd), duration(view.seconds)]


def decision(view: RunView) -> str:
    """Return whom the router chose, in a sentence; empty before it decided."""
    routing = view.routing
    if routing is None:
        return ""
    chosen = " and ".join(routing.panel) or "nobody"
    if routing.fallback:
        return f"Nobody reached {routing.threshold:.2f}, so {chosen} answers as the fallback."
    return f"{chosen} {'answer' if len(routing.panel) > 1 else 'answers'}."


def progress(view: RunView) -> str:
    """Return what is going on, in one harmless line; empty when the run is over."""
    match view.phase:
        case "asked" | "routing":
            return "Choosing who answers …"
        case "drafting":
            return one_line(_drafting(view))
        case "aggregating":
            return one_line(_aggregating(view))
    return ""


def _aggregating(view: RunView) -> str:
    if view.aggregator_note:
        return f"Aggregator: {view.aggregator_note}"
    drafts = sum(draft.succeeded for draft in view.drafts)
    ran = view.aggregation.ran if view.aggregation else "aggregating"
    return f"{ran}: one answer from {drafts} {'draft' if drafts == 1 else 'drafts'} …"


def _drafting(view: RunView) -> str:
    open_drafts = [draft for draft in view.drafts if not draft.over]
    if not open_drafts:
        return decision(view)
    if len(view.drafts) > 1 and len(open_drafts) > 1:
        done = len(view.drafts) - len(open_drafts)
        names = ", ".join(draft.agent for draft in open_drafts)
        return f"{names} are drafting{f', {done} ready' if done else ''} …"
    [draft, *_] = open_drafts
    if draft.note:
        return f"{draft.agent}: {draft.note}"
    saying = {"thinking": "is thinking", "streaming": "is writing"}.get(draft.state, "was asked")
    return f"{draft.agent} {saying} …"


def authors(view: RunView) -> tuple[str, ...]:
    """Return whose words the answer is: one agent, or all whose drafts went into it. Empty before anybody spoke."""
    if view.answer_draft is not None and (draft := view.draft(view.answer_draft)):
        return (draft.agent,)
    if view.salvaged:
        return (view.salvaged.agent,)
    done = [draft for draft in view.drafts if draft.succeeded]
    if view.aggregation is not None and view.aggregation.ran == "solo" and view.over:
        done = [draft for draft in done if draft.text == view.answer][:1] or done
    return tuple(dict.fromkeys(draft.agent for draft in done)) if view.answer else ()
