"""The guard: never worse than the best draft."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from moa.aggregation.agreement import unanimous
from moa.aggregation.base import AggregationEvent, Aggregator, Chooses, Opening, Opens, Work, ran
from moa.aggregation.extract import extract_all
from moa.aggregation.judge import Judge
from moa.answers import Degradation, Draft, Routing
from moa.errors import AgentError, BackendError, MoaError
from moa.events import AnswerDelta, AnswerReplaced, Degraded

if TYPE_CHECKING:
    from moa.agent import Agent
    from moa.backends.base import Backend


@dataclass(frozen=True)
class Guard:
    """Lets another aggregator work, looks at what it made, and returns the best draft instead if that is worse.

    Worse is: it is empty; it breaks the form that was asked for, where a draft keeps it; it comes to something else
    than all drafts do, where they agree (see `moa.aggregation.extract`); it is more than `longest` times as long as the
    longest draft; or a judge, asked both ways round, prefers the best draft. All but the judge cost no call.

    The answer streams as provisional, and is replaced if it is rejected. A reader who cannot take anything back gets
    it when it has been judged.

    Example:
        >>> from moa.aggregation import Synthesize
        >>> Guard(Synthesize()).name
        'guard(synthesize)'
    """

    inner: Aggregator
    judge: Judge | str | Backend | None = None
    """A model, or a `Judge`, that has the last word; None asks nobody."""
    longest: float = 3.0
    """How many times as long as the longest draft the answer may be; 1 or more."""
    name: str = field(init=False)

    def __post_init__(self) -> None:
        if not self.longest >= 1:
            raise AgentError(f"longest of a Guard is {self.longest}; it must be 1 or more.")
        object.__setattr__(self, "name", f"guard({self.inner.name})")

    def chosen(self, routing: Routing) -> tuple[Aggregator, str]:
        """Return itself around what the inner one chooses for a turn."""
        if not isinstance(self.inner, Chooses):
            return self, ""
        inner, why = self.inner.chosen(routing)
        return replace(self, inner=inner), why

    def opening(self, panel: Sequence[Agent], agents: Mapping[str, Agent], routing: Routing) -> Opening | None:
        """Return who drafts first, as the inner one says."""
        return self.inner.opening(panel, agents, routing) if isinstance(self.inner, Opens) else None

    async def aggregate(self, work: Work) -> AsyncGenerator[AggregationEvent, None]:
        """Yield what the inner one yields, as provisional, and replace it if it is rejected.

        Raises:
            MoaError: the inner one failed.
        """
        held, text = not work.turn.replaceable, ""
        async with aclosing(self.inner.aggregate(work)) as events:
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
        best = _best(work)
        try:
            objection = await self._objection(text, best, work)
        except MoaError as error:
            yield Degraded(work.turn.at(), Degradation("judge", self.name, f"The answer was not judged: {error}"))
            objection = None
        if objection is None:
            if held:
                yield AnswerDelta(work.turn.at(), text)
            return
        why = f"The draft of {best.agent} is returned instead of what {self.inner.name} made: {objection}"
        yield Degraded(work.turn.at(), Degradation("aggregator", self.name, why))
        yield ran("solo", why)
        at = work.turn.at()
        yield AnswerDelta(at, best.text) if held or not text else AnswerReplaced(at, best.text, why)

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


def _plain_objection(text: str, best: Draft, work: Work, longest: float) -> str | None:
    if not text.strip():
        return "it is empty."
    problems = work.contract.problems(text)
    if problems and not work.contract.problems(best.text):
        return f"it is not what was asked for. {problems[0]}"
    drafts = [draft.text for draft in work.drafts]
    if (value := unanimous(drafts)) is not None:
        *_, made = extract_all([*drafts, text])
        if made is None or made.value != value:
            came_to = "to nothing that could be told" if made is None else f"to {made.value}"
            return f"all drafts come to {value}, and it comes {came_to}."
    most = max(len(draft) for draft in drafts)
    if len(text) > longest * max(most, 200):
        return f"it is {len(text) / most:.1f} times as long as the longest draft."
    return None


def _best(work: Work) -> Draft:
    """Return the draft with the most weight, of those that keep to the form that was asked for if there are any."""
    keeping = [draft for draft in work.drafts if not work.contract.problems(draft.text)]
    return (keeping or list(work.drafts))[0]
