"""Why an agent was chosen or not, in one plain sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from moa.routing.evidence import Evidence
from moa.routing.policy import Policy
from moa.routing.selection import Candidate, Selection
from moa.routing.wishes import Wishes

_QUOTED = 60
"""Characters of an example that a sentence has room for."""

ALONE = "Chosen: the only agent of the mixture, so there was nothing to decide."


@dataclass(frozen=True, slots=True)
class Reasons:
    """Puts into words what came of every agent of one decision."""

    evidence: Sequence[Evidence]
    candidates: Sequence[Candidate]
    selection: Selection
    policy: Policy
    wishes: Wishes
    turns_back: int
    fallback: int
    """Place of the fallback agent, which alone may be without examples. Of labels, only the likeliest show theirs."""

    def of(self, place: int) -> str:
        """Return the sentence for the agent at a place."""
        if place in self.selection.panel:
            return self._chosen(place)
        return f"Not chosen: {self._left_out(place)}."

    def _chosen(self, place: int) -> str:
        each = self.evidence[place]
        cleared = f"{_figure(each)} clears the threshold {self.candidates[place].threshold:.2f}"
        match self.selection.outcomes[place]:
            case "fallback":
                return f"Chosen as the fallback: {self._nobody()}."
            case "stand-in":
                return f"Chosen because the fallback agent is excluded: {self._nobody()}."
            case "always":
                return "Chosen beside the others: it is always on the panel, and weighs nothing in the mix."
            case "pinned":
                mentioned = each.name in self.wishes.mentioned
                asked = f"the question is for @{each.name}" if mentioned else "it is pinned"
                why = f"{asked}, whatever its probability, {_figure(each)}"
            case "queued":
                why = f"{self._full(place)}, but there is no other for it, so the question waits for its turn"
            case "overflow":
                why = f"{self._displaced_by_load()}, so {each.name} answers; {cleared}"
            case "took":
                why = f"it took this question of the batch; {cleared}"
            case "room":
                why = f"nobody whose field it is had room in the batch; this is the best that had, with {_figure(each)}"
            case "ranked":
                why = self._ranked(each)
            case _:
                why = cleared
        return f"Chosen: {why}{_near(each)}{self._leaning()}."

    def _ranked(self, each: Evidence) -> str:
        if self.policy.mode == "topk":
            return f"{_figure(each)} is among the {self.policy.k} highest"
        if self.policy.mode == "soft":
            return f"{_figure(each)} is at least {self.policy.floor:.0%} of the whole, so its draft is worth a call"
        return f"everybody answers, and {_figure(each)} decides how much it counts"

    def _left_out(self, place: int) -> str:
        match self.selection.outcomes[place]:
            case "excluded":
                return "it is excluded for this turn"
            case "unasked":
                return f"the question is for @{' and @'.join(self.wishes.mentioned)}"
            case "full":
                return f"{self._full(place)}, so {self._newcomers()}"
            case "loaded":
                return f"{self._busy(place)}, so {self._newcomers()}"
            case "out of scope":
                best = self.evidence[self._best()]
                reached = f"not even {best.name} with {_figure(best)} reaches {self.policy.scope:.2f}"
                return f"the question is out of scope, for {reached}"
        return self._masked(place)

    def _masked(self, place: int) -> str:
        each = self.evidence[place]
        if place == self.fallback and not each.nearest and any(other.nearest for other in self.evidence):
            return "it has no examples, so it answers only as the fallback"
        match self.selection.outcomes[place]:
            case _ if each.price and self._was_more_probable(place):
                why = f"{_figure(each)} is enough, but its cost takes {each.price:.2f} off, which leaves too little"
            case "below":
                why = f"{_figure(each)} is below the threshold {self.candidates[place].threshold:.2f}"
            case "margin":
                best = max(self.evidence[other].merit for other in self.selection.panel)
                why = f"{_figure(each)} is more than the margin {self.policy.margin:.2f} below the best, {best:.2f}"
            case "light":
                why = f"{_figure(each)} is less than {self.policy.floor:.0%} of the whole, which nobody would notice"
            case "untaken":
                why = f"{_figure(each)} is enough, but other questions of the batch suit it better"
            case _:
                why = f"{_figure(each)} is enough, but the panel is full with {self._others(place)}"
        return f"{why}{_near(each)}"

    def _was_more_probable(self, place: int) -> bool:
        panel = self.selection.panel
        return any(self.evidence[other].probability < self.evidence[place].probability for other in panel)

    def _nobody(self) -> str:
        """Say why nobody was chosen."""
        best = self.evidence[self._best()]
        if best.merit == 0:
            return "the question is blank, so there is nothing to go by"
        if best.merit < self.policy.scope or not self.policy.thresholds:
            bar = max(self.policy.scope, self.policy.threshold)
            missed = f"nobody reached the threshold {bar:.2f}"
        else:
            missed = "nobody reached its threshold"
        if any(each.merit >= each.threshold and not each.excluded for each in self.candidates):
            missed = missed if best.merit < self.policy.scope else "nobody had room in the batch"
        return f"{missed}; {best.name} came nearest with {_figure(best)}"

    def _best(self) -> int:
        allowed = [place for place, each in enumerate(self.candidates) if not each.excluded]
        return max(allowed, key=lambda place: self.candidates[place].merit)

    def _full(self, place: int) -> str:
        each = self.evidence[place]
        return f"{each.name} is at its capacity ({each.in_flight} of {each.capacity})"

    def _busy(self, place: int) -> str:
        each = self.evidence[place]
        return f"{each.name} has had more than its share of late (load bias {each.load_bias:+.2f})"

    def _displaced_by_load(self) -> str:
        return " and ".join(
            self._full(place) if self.candidates[place].full else self._busy(place)
            for place in self.selection.displaced
        )

    def _newcomers(self) -> str:
        panel, outcomes = self.selection.panel, self.selection.outcomes
        names = [self.evidence[place].name for place in panel if outcomes[place] == "overflow"]
        names = names or [self.evidence[place].name for place in panel]
        return f"{' and '.join(names)} {'answers' if len(names) == 1 else 'answer'}"

    def _others(self, place: int) -> str:
        ahead = [other for other in self.selection.panel if self.selection.outcomes[other] != "always"]
        count = "1 agent that is" if len(ahead) == 1 else f"{len(ahead)} agents that are"
        if all(self.candidates[other].merit >= self.candidates[place].merit for other in ahead):
            return f"{count} more probable"
        return f"{count} {'pinned' if any(self.candidates[other].pinned for other in ahead) else 'less busy'}"

    def _leaning(self) -> str:
        if not self.turns_back:
            return ""
        count = "the question" if self.turns_back == 1 else f"the {self.turns_back} questions"
        return f"; read together with {count} before it"


def _figure(each: Evidence) -> str:
    """Return what was held against the threshold, and what part of it is feedback."""
    if not each.feedback_bias:
        return f"{each.probability:.2f}"
    return f"{each.merit:.2f} ({each.probability:.2f}, and {each.feedback_bias:+.2f} for feedback on similar questions)"


def _near(each: Evidence) -> str:
    if not each.nearest:
        return ""
    return f"; nearest to “{_quoted(each.nearest[0].text)}” ({each.nearest[0].similarity:.2f})"


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    """Return so much of an example as a sentence has room for. The same examples are near again and again."""
    text = " ".join(text.split())
    return text if len(text) <= _QUOTED else f"{text[: _QUOTED - 1].rstrip()}…"
