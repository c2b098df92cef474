"""`POST /v1/chat/completions`."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from moa.contract import OutputContract
from moa.errors import AgentError
from moa.events import AnswerDelta, AnswerReplaced, RunFinished, RunStarted, event_to_json
from moa.server.answering import Ended, Order, answered, order_for
from moa.server.asking import asking, tools_wanted
from moa.server.chat_words import DONE, ChatWords, told_of
from moa.server.discretion import Discretion
from moa.server.exchange import exchange_of
from moa.server.forms import ChatForm
from moa.server.generating import Generating, Sending, extra, note_first
from moa.server.house import house_of
from moa.server.reading import form_in
from moa.server.refusal import Refusal

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from moa.answers import Answer
    from moa.server.exchange import Exchange
    from moa.server.house import House
    from moa.server.tenants import Tenant

_IN_ANOTHER_FORM = (AnswerDelta, AnswerReplaced, RunFinished)
"""Events that are not sent as such: the stream itself is what they say."""


async def chat(request: Request) -> Response:
    """Answer a conversation.

    Raises:
        Refusal: the request is not one that can be answered.
    """
    house, exchange = house_of(request), exchange_of(request)
    form = await form_in(request, ChatForm, house.settings.bounds)
    order = _order(house, exchange.asker, form)
    exchange.model = form.model
    return Completion(house, exchange, form, order)


def _order(house: House, tenant: Tenant, form: ChatForm) -> Order:
    """Return what is asked.

    Raises:
        Refusal: something of it cannot be had.
    """
    choices = form.n or 1
    if choices > house.settings.most_choices:
        told = f"n is at most {house.settings.most_choices} here."
        raise Refusal(400, told, code="invalid_value", param="n")
    if form.stream_options and not form.stream:
        raise Refusal(400, "stream_options goes with stream: true.", code="invalid_value", param="stream_options")
    offer = house.offers.named(form.model, tenant, form.moa.mixture)
    tools = tools_wanted(form.tools, form.tool_choice)
    schema = form.response_format.schema_wanted() if form.response_format else None
    told = ""
    if tools and schema is not None:
        # What a tool is called with is no such JSON, so the form cannot be insisted on; the models are told of it.
        try:
            told, schema = OutputContract(schema).instructions(), None
        except AgentError as error:
            raise Refusal(400, str(error), code="invalid_value", param="response_format") from error
    asked = asking(form.messages, system=told)
    order = order_for(house, tenant, offer, asked, form.moa, schema=schema, temperature=form.temperature)
    return replace(order, max_tokens=form.limit, stop=form.stops, top_p=form.top_p, seed=form.seed, tools=tools)


class Completion(Generating):
    """The response: one object, or a stream of chunks."""

    def __init__(self, house: House, exchange: Exchange, form: ChatForm, order: Order) -> None:
        super().__init__(house, exchange, streams=bool(form.stream))
        self.form, self.order = form, order
        self.choices = form.n or 1
        self.discretion = Discretion(exchange.frank)
        self.words = ChatWords(f"chatcmpl-{exchange.id}", form.model)

    async def answer(self, sending: Sending) -> None:
        """Send the completion as one object."""
        ends = await self._each(self._ended)
        note_first(self.exchange)
        told = [self._told(end.answer) for end in ends] if self.form.moa.include else None
        await sending.whole(200, self.words.whole(ends, told))

    async def stream(self, sending: Sending) -> None:
        """Send the completion in chunks."""

        async def streamed(number: int) -> Ended:
            return await self._streamed(number, sending)

        ends = await self._each(streamed)
        options = self.form.stream_options
        last = self.words.usage([end.answer for end in ends]) if options and options.include_usage else b""
        await sending.end(last + DONE)

    async def _each(self, work: Any) -> list[Ended]:
        """Return the end of each choice; all of them are worked on at once, and the failure of one ends all."""
        if self.choices == 1:
            return [await work(0)]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work(number)) for number in range(self.choices)]
        return [task.result() for task in tasks]

    async def _ended(self, number: int) -> Ended:
        streams = bool(self.form.stops)  # then the run ends early, and only what was shown before counts
        said = answered(self.house, self.exchange, self.order, number, streams=streams)
        async with aclosing(said):
            async for each in said:
                if isinstance(each, Ended):
                    return each
        raise Refusal(500, "The run ended without an end.", kind="server_error", code="internal_error")

    async def _streamed(self, number: int, sending: Sending) -> Ended:
        """Send the chunks of one choice."""
        words, events = self.words, self.form.moa.events
        sent, end = "", None
        said = answered(self.house, self.exchange, self.order, number, streams=True)
        async with aclosing(said):
            async for each in said:
                if isinstance(each, str):
                    if not sent:
                        note_first(self.exchange)
                        await sending.piece(words.chunk(number, {"role": "assistant", "content": ""}))
                    sent += each
                    await sending.piece(words.text(number, each))
                elif isinstance(each, Ended):
                    end = each
                elif events and not isinstance(each, _IN_ANOTHER_FORM):
                    await sending.piece(self._event(each, number))
        if end is None:
            raise Refusal(500, "The run ended without an end.", kind="server_error", code="internal_error")
        if not sent:
            note_first(self.exchange)
            await sending.piece(words.chunk(number, {"role": "assistant", "content": None if end.calls else ""}))
        if rest := end.text[len(sent) :]:
            await sending.piece(words.text(number, rest))
        if end.calls:
            await sending.piece(words.calls(number, end.calls))
        told = self._told(end.answer) if self.form.moa.include else None
        await sending.piece(words.chunk(number, {}, end.reason, **extra(told)))
        return end

    def _event(self, event: Any, number: int) -> bytes:
        payload = event_to_json(self.discretion.event(event))
        if isinstance(event, RunStarted):
            del payload["messages"]  # the client knows what it asked
        return self.words.event(event.type, {"index": number, "event": payload})

    def _told(self, answer: Answer) -> dict[str, Any]:
        return told_of(answer, self.discretion)
