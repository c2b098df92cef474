"""The guard: never worse than the best draft."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from moa.aggregation.agreement import unanimous
from moa.aggregation.base import AggregationEvent, Aggregator, Chooses, Opening, Opens, Sizes, Work, best_first, ran
from moa.aggregation.custom import Function, as_aggregator
from moa.aggregation.extract import extract_all
from moa.aggregation.judge import Judge
from moa.answers import Degradation, Draft, Routing
from moa.backends.references import backend_for
from moa.errors import AgentError, BackendError, BudgetExceeded
from moa.events import AnswerDelta, AnswerReplaced, Degraded

if TYPE_CHECKING:
    from moa.agent import Agent
    from moa.backends.base import Backend
    from moa.messages import Conversation

_SHORT = 200
"""Characters that a draft counts as having at least: three times a word is no long answer."""


@dataclass(frozen=True)
class Guard:
    """Lets another aggregator work, looks at what it made, and returns the best draft instead if that is worse.

    Worse is: it is empty; it breaks the form that was asked for, where a draft keeps it; it comes to something else
    than all drafts do, where they agree (see `moa.aggregation.extract`); it is more than `longest` times as long as the
    longest draft; or a judge, asked both ways round, prefers the best draft. All but the judge cost no call.

    The best draft is the one whose agent has the most routing weight, among those that keep to the form that was asked
    for if any does. Drafts that the other aggregator had written on the way count too.

    The answer streams as provisional, and is replaced if it is rejected. A reader who cannot take anything back gets
    it when it has been judged.

    Example:
        >>> from moa.aggregation import Synthesize
        >>> Guard(Synthesize()).name
        'guard(synthesize)'

    Raises:
        AgentError: `inner` is no aggregator, or `longest` is less than 1.
        ModelReferenceError: the judge's model reference names nothing.
    """

    inner: Aggregator | Function
    """The aggregator that is guarded, or a function of your own."""
    judge: Judge | str | Backend | None = None
    """A model, or a `Judge`, that has the last word; None asks nobody."""
    longest: float = 3.0
    """How many times as long as the longest draft the answer may be; 1 or more."""
    name: str = field(init=False)
    guarded: Aggregator = field(init=False, repr=False, compare=False)
    """`inner` as an aggregator."""

    def __post_init__(self) -> None:
        if not self.longest >= 1:
            raise AgentError(f"longest of a Guard is {self.longest}; it must be 1 or more.")
        if isinstance(self.judge, str):
            backend_for(self.judge)
        object.__setattr__(self, "guarded", as_aggregator(self.inner))
        object.__setattr__(self, "name", f"guard({self.guarded.name})")

    def chosen(self, routing: Routing) -> tuple[Aggregator, str]:
        """Return itself around what the inner one chooses for a turn."""
        if not isinstance(self.guarded, Chooses):
            return self, ""
        inner, why = self.guarded.chosen(routing)
        return replace(self, inner=inner), why

    def panel_size(self, routing: Routing) -> int | None:
        """Return how many agents draft, as the inner one says."""
        return self.guarded.panel_size(routing) if isinstance(self.guarded, Sizes) else None

    def opening(self, panel: Sequence[Agent], agents: Mapping[str, Agent], routing: Routing) -> Opening | None:
        """Return who drafts first, as the inner one says."""
        return self.guarded.opening(panel, agents, routing) if isinstance(self.guarded, Opens) else None

    async def aggregate(self, work: Work) -> AsyncGenerator[AggregationEvent, None]:
        """Yield what the inner one yields, as provisional, and replace it if it is rejected.

        Raises:
            MoaError: the inner one failed.
        """
        held, text, seen = not work.turn.replaceable, "", _Seen(work)
        async with aclosing(self.guarded.aggregate(replace(work, draft=seen))) as events:
            async for event in events:
                match event:
                    case AnswerDelta(text=more):
                        text += more
                        shown: AggregationEvent = replace(event, provisional=True)
                    case AnswerReplaced(text=instead):
                        text, shown = instead, event
                    case _:
                        yield event
                        continue
                if not held:
                    yield shown
        work = replace(work, drafts=best_first(seen.drafts, work.weights))
        best = _best(work)
        try:
            objection = await self._objection(text, best, work)
        except Exception as error:  # noqa: BLE001  (someone else's backend: its mistake is the judge's failure)
            what = "budget" if isinstance(error, BudgetExceeded) else "judge"
            told = f"The answer was not judged: {error or type(error).__name__}"
            yield Degraded(work.turn.at(), Degradation(what, self.name, told))
            objection = None
        if objection is None:
            if held:
                yield AnswerDelta(work.turn.at(), text)
            return
        why = f"The draft of {best.agent} is returned instead of what {self.guarded.name} made: {objection}"
        yield Degraded(work.turn.at(), Degradation("aggregator", self.name, why))
        yield ran("solo", why)
        at = work.turn.at()
        yield AnswerDelta(at, best.text, best.id) if held or not text else AnswerReplaced(at, best.text, why)

    async def _objection(self, text: str, best: Draft, work: Work) -> str | None:
        """Return what speaks against the answer; None if nothing does.

        Raises:
            MoaError: the judge failed.
        """
        if text.strip() == best.text.strip():
            return None
        if plain := _plain_objection(text, best, work, self.longest):
            return plain
        if self.judge is None:
            return None
        judge = self.judge if isinstance(self.judge, Judge) else Judge(self.judge)
        compared = await judge.compare(work.conversation.question, text, best.text, work.turn)
        if compared.swayed:
            raise BackendError(f"{judge.backend.reference} preferred the same place both ways round.")
        return f"{judge.backend.reference} prefers it." if compared.better == "second" else None


class _Seen:
    """Has more drafts written, as `Work.draft` does, and keeps them beside those that were there."""

    def __init__(self, work: Work) -> None:
        self.drafts = list(work.drafts)
        self._more = work.draft

    async def __call__(
        self, agents: Sequence[Agent], conversation: Conversation | None = None, *, confidence: bool = False
    ) -> tuple[Draft, ...]:
        drafts = await self._more(agents, conversation, confidence=confidence)
        self.drafts += drafts
        return drafts


def _plain_objection(text: str, best: Draft, work: Work, longest: float) -> str | None:
    """Return what speaks against an answer, as far as it can be told without asking anybody."""
    if not text.strip():
        return "it is empty."
    problems = work.contract.problems(text)
    if problems and not work.contract.problems(best.text):
        return f"it is not what was asked for. {problems[0]}"
    drafts = [draft.text for draft in work.drafts]
    if (value := unanimous(drafts)) is not None and (made := _comes_to(text, drafts)) != value:
        return f"all drafts come to {value}, and it comes to {made or 'nothing that could be told'}."
    most = max(map(len, drafts))
    if len(text) > longest * max(most, _SHORT):
        return f"it is {len(text) / most:.1f} times as long as the longest draft."
    return None


def _comes_to(text: str, drafts: Sequence[str]) -> str | None:
    """Return what an answer comes to in the kind in which its drafts do, marked or not; None if that cannot be told."""
    for plain in (True, False):
        *_, made = extract_all([*drafts, text], plain=plain)
        if made is not None:
            return made.value
    return None


def _best(work: Work) -> Draft:
    """Return the best draft: the first one that keeps to the form that was asked for, else the first."""
    return next((draft for draft in work.drafts if not work.contract.problems(draft.text)), work.best)
