"""Your own aggregator: any async function from a question and its drafts to a text."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from inspect import isawaitable, signature

from moa.aggregation.base import AggregationEvent, Aggregator, Work
from moa.answers import Draft
from moa.errors import AgentError, BackendError
from moa.events import AnswerDelta

Function = Callable[[str, Sequence[Draft]], Awaitable[str] | AsyncIterable[str] | str]
"""Takes the question and the drafts, the weightiest first; returns the answer, or yields it piece by piece."""


@dataclass(frozen=True)
class Custom:
    """Has a function of the user's own make the answer.

    Example:
        >>> async def shortest(question, drafts):
        ...     return min((draft.text for draft in drafts), key=len)
        >>> Custom(shortest).name
        'shortest'

    Raises:
        AgentError: the function does not take two arguments.
    """

    function: Function
    name: str = field(init=False)

    def __post_init__(self) -> None:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        object.__setattr__(self, "name", "custom" if name == "<lambda>" else name)
        try:
            signature(self.function).bind("", ())
        except TypeError as error:
            raise AgentError(
                f"The aggregator {self.name} must take two arguments, the question and the drafts: {error}."
            ) from error
        except ValueError:  # a function without a signature, as some of those written in C
            return

    async def aggregate(self, work: Work) -> AsyncGenerator[AggregationEvent, None]:
        """Yield what the function returns or yields.

        Raises:
            BackendError: it returned something that is not text.
        """
        returned = self.function(work.conversation.question, work.drafts)
        if isinstance(returned, AsyncIterable):
            async with AsyncExitStack() as stack:
                if isinstance(returned, AsyncGenerator):
                    stack.push_async_callback(returned.aclose)
                async for text in returned:
                    yield AnswerDelta(work.turn.at(), self._checked(text))
            return
        text = await returned if isawaitable(returned) else returned
        yield AnswerDelta(work.turn.at(), self._checked(text))

    def _checked(self, text: object) -> str:
        if not isinstance(text, str):
            raise BackendError(f"The aggregator {self.name} returned {type(text).__name__} where text was due.")
        return text


def as_aggregator(given: Aggregator | Function) -> Aggregator:
    """Return an aggregator as it is, and a function as one.

    Raises:
        AgentError: it is neither.
    """
    if isinstance(given, Aggregator) and not isinstance(given, type):
        return given
    if callable(given) and not isinstance(given, type):
        return Custom(given)
    made = f" Did you mean {given.__name__}(…)?" if isinstance(given, type) else ""
    raise AgentError(
        f"The aggregator must be an aggregator such as Synthesize(), or an async function of question and drafts, "
        f"not {given!r}.{made}"
    )
