"""A run told as lines of text: the answer on one stream, everything else on another."""

from __future__ import annotations

import sys
from typing import TextIO

from moa.answers import Answer, Routing
from moa.events import (
    AggregationNotice,
    AggregationStarted,
    AnswerDelta,
    AnswerReplaced,
    Degraded,
    DraftNotice,
    Event,
    Reviewed,
    Routed,
    RunFinished,
)
from moa.untrusted import plain


def route_line(routing: Routing) -> str:
    """Return a routing in one line: who was chosen, how probable each was, and whether it is the fallback."""
    chosen = " + ".join(f"{name} ({routing[name].probability:.0%})" for name in routing.panel)
    return f"{chosen}, as nobody's field was clear" if routing.fallback else chosen


def totals_line(answer: Answer) -> str:
    """Return what an answer took in one line: seconds, tokens, cost."""
    parts = [f"{answer.seconds:.1f} s"]
    if answer.tokens.total is not None:
        parts.append(f"{answer.tokens.total} tokens")
    parts.append(
        "cost unknown" if answer.cost_usd is None else f"{answer.cost_usd:.4f} USD" if answer.cost_usd else "free"
    )
    if answer.spent.cached:
        parts.append(f"{answer.spent.cached} from the cache")
    return ", ".join(parts)


class Narrator:
    """Writes the answer as it comes, and tells the rest beside it.

    Args:
        answer_to: where the answer's text goes; None if somebody else prints it.
        tell_to: where everything else goes.
    """

    def __init__(self, answer_to: TextIO | None, tell_to: TextIO = sys.stderr) -> None:
        self._answer_to = answer_to
        self._tell_to = tell_to
        self._last_said = ""
        self._in_line = False

    def tell(self, event: Event) -> None:
        """Write what there is to say of one event."""
        match event:
            case Routed(routing=routing):
                self._say(f"→ {route_line(routing)}")
            case DraftNotice(draft=draft, text=text, fraction=fraction):
                self._notice(draft, text, fraction)
            case AggregationNotice(text=text, fraction=fraction):
                self._notice("aggregator", text, fraction)
            case AggregationStarted(aggregation=aggregation) if aggregation.ran != "solo":
                self._say(f"→ {aggregation.ran}: {aggregation.why}")
            case AnswerDelta(text=text):
                self._write(text)
            case AnswerReplaced(text=text, why=why):
                self._say(f"The answer so far is withdrawn: {why}")
                self._write(text)
            case Reviewed(review=review) if review.text and review.verdict in {"annotate", "block"}:
                self._say(f"{review.agent}: {review.text}")
            case Degraded(degradation=degradation):
                self._say(f"! {degradation.who}: {degradation.why}")
            case RunFinished(answer=answer):
                self._say(f"({totals_line(answer)})")

    def problem(self, error: Exception) -> None:
        """Tell of something that went wrong beside the run, such as a database that cannot be written."""
        self._say(f"! {error}")

    def _notice(self, who: str, text: str, fraction: float | None) -> None:
        # A download reports many times a second; whole tenths are enough for people and logs.
        progress = "" if fraction is None else f" {int(fraction * 10) * 10} %"
        said = f"{who.partition('.')[0]}: {text}{progress}"
        if said != self._last_said:
            self._say(said)
            self._last_said = said

    def _write(self, text: str) -> None:
        if self._answer_to and text:
            text = plain(text)
            self._answer_to.write(text)
            self._answer_to.flush()
            self._in_line = not text.endswith("\n")

    def _say(self, line: str) -> None:
        if self._in_line and self._answer_to:
            self._answer_to.write("\n")
            self._answer_to.flush()
            self._in_line = False
        print(plain(line), file=self._tell_to, flush=True)
