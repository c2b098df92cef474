"""`POST /v1/responses`, for text: the newer form of the same question."""

from __future__ import annotations

import time
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from moa.server.answering import Ended, Order, answered, order_for
from moa.server.asking import asking
from moa.server.chat_words import sse, told_of
from moa.server.discretion import Discretion
from moa.server.exchange import exchange_of
from moa.server.forms import MessageForm, ResponsesForm
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


async def responses(request: Request) -> Response:
    """Answer an input.

    Raises:
        Refusal: the request is not one that can be answered.
    """
    house, exchange = house_of(request), exchange_of(request)
    form = await form_in(request, ResponsesForm, house.settings.bounds)
    order = _order(house, exchange.asker, form)
    exchange.model = form.model
    return Answering(house, exchange, form, order)


def _order(house: House, tenant: Tenant, form: ResponsesForm) -> Order:
    offer = house.offers.named(form.model, tenant, form.moa.mixture)
    given = form.input
    messages = (
        [MessageForm(role="user", content=given)]
        if isinstance(given, str)
        else [MessageForm(role=item.role, content=item.text) for item in given]
    )
    wanted = form.text.format if form.text else None
    schema = None
    if wanted and wanted.type != "text":
        schema = wanted.schema_ if wanted.type == "json_schema" else {"type": "object"}
        if schema is None:
            told = "text.format.schema is missing."
            raise Refusal(400, told, code="missing_required_parameter", param="text.format.schema")
    asked = asking(messages, system=form.instructions or "")
    order = order_for(house, tenant, offer, asked, form.moa, schema=schema, temperature=form.temperature)
    return replace(order, max_tokens=form.max_output_tokens, top_p=form.top_p)


class Answering(Generating):
    """The response: one object, or a stream of events that build it."""

    def __init__(self, house: House, exchange: Exchange, form: ResponsesForm, order: Order) -> None:
        super().__init__(house, exchange, streams=bool(form.stream))
        self.form, self.order = form, order
        self.discretion = Discretion(exchange.frank)
        self.id, self.item = f"resp_{exchange.id}", f"msg_{exchange.id}"
        self.created = time.time()
        self._number = 0

    async def answer(self, sending: Sending) -> None:
        """Send the response as one object."""
        async with aclosing(answered(self.house, self.exchange, self.order, streams=False)) as said:
            async for each in said:
                if isinstance(each, Ended):
                    note_first(self.exchange)
                    await sending.whole(200, self._whole(each))

    async def stream(self, sending: Sending) -> None:
        """Send the events of the protocol, in its order."""
        sent, place = "", {"item_id": self.item, "output_index": 0, "content_index": 0}
        async with aclosing(answered(self.house, self.exchange, self.order, streams=True)) as said:
            async for each in said:
                if isinstance(each, str):
                    if not sent:
                        await self._begin(sending)
                    sent += each
                    delta = {**place, "delta": each, "logprobs": []}
                    await sending.piece(self._event("response.output_text.delta", **delta))
                elif isinstance(each, Ended):
                    if not sent:
                        await self._begin(sending)
                    if rest := each.text[len(sent) :]:
                        delta = {**place, "delta": rest, "logprobs": []}
                        await sending.piece(self._event("response.output_text.delta", **delta))
                    await self._end(sending, each, place)

    async def _begin(self, sending: Sending) -> None:
        note_first(self.exchange)
        empty = self._response("in_progress", [], None)
        await sending.piece(self._event("response.created", response=empty))
        await sending.piece(self._event("response.in_progress", response=empty))
        item = {"id": self.item, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        await sending.piece(self._event("response.output_item.added", output_index=0, item=item))
        part = {"item_id": self.item, "output_index": 0, "content_index": 0, "part": _part("")}
        await sending.piece(self._event("response.content_part.added", **part))

    async def _end(self, sending: Sending, end: Ended, place: dict[str, Any]) -> None:
        whole = self._whole(end)
        ended = self._event("response.output_text.done", **place, text=end.text, logprobs=[])
        ended += self._event("response.content_part.done", **place, part=_part(end.text))
        ended += self._event("response.output_item.done", output_index=0, item=whole["output"][0])
        kind = "response.incomplete" if whole["status"] == "incomplete" else "response.completed"
        await sending.end(ended + self._event(kind, response=whole))

    def failure(self, refusal: Refusal) -> bytes:
        """Return the events that end a stream that cannot go on."""
        failed = self._response("failed", [], None)
        failed["error"] = {"code": "server_error", "message": str(refusal)}
        error = {"code": refusal.code, "message": str(refusal), "param": refusal.param}
        return self._event("response.failed", response=failed) + self._event("error", **error)

    def _whole(self, end: Ended) -> dict[str, Any]:
        status = {"length": "incomplete", "content_filter": "incomplete"}.get(end.reason, "completed")
        item_status = "completed" if status == "completed" else "incomplete"
        item = {
            "id": self.item,
            "type": "message",
            "role": "assistant",
            "status": item_status,
            "content": [_part(end.text)],
        }
        whole = self._response(status, [item], end.answer)
        if status == "incomplete":
            why = "max_output_tokens" if end.reason == "length" else "content_filter"
            whole["incomplete_details"] = {"reason": why}
        told = told_of(end.answer, self.discretion) if self.form.moa.include else None
        return {**whole, **extra(told)}

    def _response(self, status: str, output: list[Any], answer: Answer | None) -> dict[str, Any]:
        form = self.form
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "instructions": form.instructions,
            "max_output_tokens": form.max_output_tokens,
            "model": form.model,
            "output": output,
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "store": False,
            "temperature": form.temperature,
            "top_p": form.top_p,
            "text": {"format": {"type": "text"}},
            "tool_choice": "none",
            "tools": [],
            "metadata": form.metadata or {},
            "usage": _usage(answer),
        }

    def _event(self, kind: str, **fields: Any) -> bytes:
        self._number += 1
        return sse({"type": kind, "sequence_number": self._number - 1, **fields}, kind)


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _usage(answer: Answer | None) -> dict[str, Any] | None:
    """Return the tokens of an answer; None where nobody reported them."""
    used = answer.tokens if answer else None
    if used is None or used.input is None or used.output is None:
        return None
    return {
        "input_tokens": used.input,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": used.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": used.input + used.output,
    }
