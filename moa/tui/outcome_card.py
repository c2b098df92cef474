"""How the drafts became an answer: the aggregator, what did not go as planned, and what it all took."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from moa.answers import Aggregation, Degradation, Review
from moa.tui.alone import alone_line
from moa.tui.card import Card, heading, paragraph, spread
from moa.tui.state import RunView
from moa.tui.words import totals
from moa.untrusted import one_line

_ENDINGS = {"done": "done", "failed": "failed", "stopped": "stopped"}


class OutcomeCard(Card):
    """Aggregation, reviews, degradations and totals of a run."""

    def __init__(self) -> None:
        super().__init__()
        self._view = RunView()
        self._now = 0.0

    def show(self, view: RunView, now: float) -> None:
        """Show the run as it stands `now` (seconds since it started)."""
        if view is not self._view or (now != self._now and not view.over):
            self._view, self._now = view, now
            self.redraw()

    def draw_lines(self, width: int) -> Sequence[Content]:
        """Return a heading with the state of the run, the aggregator, reviews, degradations and the totals."""
        view = self._view
        lines = [heading("Answer", _ENDINGS.get(view.phase, ""), width)]
        if view.aggregation is not None:
            lines += _aggregator(view.aggregation, width)
        lines += paragraph(view.aggregator_note, "$quiet", width, indent=2)
        for review in view.reviews:
            lines += _review(review, width)
        for degradation in _untold(view):
            lines += paragraph(f"! {degradation.who}: {degradation.why}", "$warning", width)
        lines += paragraph(f"! {view.withdrawn}" if _unsaid(view) else "", "$warning", width)
        lines += paragraph(" · ".join(totals(view, self._now)), "$foreground", width)
        return [*lines, *paragraph(alone_line(view), "$quiet", width)]


def _aggregator(aggregation: Aggregation, width: int) -> list[Content]:
    """Return which aggregator was asked for and which one ran."""
    asked, ran = one_line(aggregation.asked), one_line(aggregation.ran)
    wanted = "" if asked == ran else f"asked for {asked}"
    return [
        spread(Content(ran), Content.assemble((wanted, "$quiet")), width),
        *paragraph(aggregation.why, "$quiet", width, indent=2, most=3),
    ]


def _review(review: Review, width: int) -> Sequence[Content]:
    """Return what a reviewer found; a failed one is among the degradations."""
    text = f": {review.text}" if review.text else ""
    match review.verdict:
        case "pass":
            return paragraph(f"{review.agent} lets it pass{text}", "$quiet", width)
        case "annotate":
            return paragraph(f"{review.agent} notes{text or ' something'}", "$foreground", width)
        case "block":
            return paragraph(f"! {review.agent} blocked it{text}", "$error", width)
        case "failed":
            return []


def _untold(view: RunView) -> list[Degradation]:
    """Return the degradations that neither a draft's card nor the aggregator's line tells already."""
    told = {(draft.agent, draft.note) for draft in view.drafts if draft.state == "failed"}
    why = view.aggregation.why if view.aggregation else ""
    return [each for each in view.degraded if (each.who, each.why) not in told and each.why != why]


def _unsaid(view: RunView) -> bool:
    """Return whether the reason for a withdrawn text is not among the degradations already."""
    return bool(view.withdrawn) and all(view.withdrawn != degradation.why for degradation in view.degraded)
