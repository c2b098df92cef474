"""Traces of OpenTelemetry, by its conventions for generative AI: a span a run, and under it a span a draft."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from moa.events import DraftFinished, DraftStarted, Event, Routed, RunFailed, RunFinished, RunStarted

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer, TracerProvider

    from moa.messages import Usage
    from moa.server.exchange import Exchange

_WANTED: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_NANOSECONDS: Final = 1_000_000_000


class Traces:
    """Makes spans of the events of runs. What was asked and answered stands in none of them.

    Args:
        provider: of OpenTelemetry.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("moa.server")

    def following(self, exchange: Exchange) -> TracedRun:
        """Return what is to be told of a run that answers a request."""
        return TracedRun(self._tracer, exchange)


@dataclass(slots=True, eq=False)
class TracedRun:
    """The spans of one run."""

    tracer: Tracer
    exchange: Exchange
    _span: Span | None = None
    _drafts: dict[str, Span] = field(default_factory=dict)
    _started_unix: float = 0.0

    def heard(self, event: Event) -> None:
        """Take the next event of the run."""
        match event:
            case RunStarted():
                self._begin(event)
            case Routed(routing=routing) if self._span:
                self._span.set_attribute("moa.panel", list(routing.panel))
                self._span.set_attribute("moa.fallback", routing.fallback)
            case DraftStarted():
                self._begin_draft(event)
            case DraftFinished():
                self._end_draft(event)
            case RunFinished(answer=answer):
                told = _usage(answer.tokens)
                told |= {"moa.aggregator": answer.aggregator.ran, "moa.calls": answer.spent.calls}
                if answer.cost_usd is not None:
                    told["moa.cost_usd"] = answer.cost_usd
                self._end(event.at, told)
            case RunFailed():
                self._end(event.at, {"error.type": "run_failed"}, failed=True)

    def ended(self) -> None:
        """Take note that nothing more comes; a run that did not say so itself was broken off."""
        for span in self._drafts.values():
            span.end()
        self._drafts.clear()
        if self._span:
            self._span.set_attribute("error.type", "cancelled")
            self._span.end()
            self._span = None

    def _begin(self, event: RunStarted) -> None:
        from opentelemetry.trace import SpanKind

        model = self.exchange.model or event.mixture
        self._started_unix = event.started_unix
        told = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "moa",
            "gen_ai.request.model": model,
            "gen_ai.response.id": event.run,
            "moa.mixture": event.mixture,
        }
        self._span = self.tracer.start_span(
            f"chat {model}", kind=SpanKind.SERVER, attributes=told, start_time=self._time(event.at)
        )

    def _begin_draft(self, event: DraftStarted) -> None:
        from opentelemetry.trace import SpanKind, set_span_in_context

        if not self._span:
            return
        told = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": event.model.partition("/")[0].partition(":")[0],
            "gen_ai.request.model": event.model,
            "gen_ai.agent.name": event.agent,
        }
        self._drafts[event.draft] = self.tracer.start_span(
            f"chat {event.agent}",
            context=set_span_in_context(self._span),
            kind=SpanKind.CLIENT,
            attributes=told,
            start_time=self._time(event.at),
        )

    def _end_draft(self, event: DraftFinished) -> None:
        from opentelemetry.trace import StatusCode

        span = self._drafts.pop(event.draft.id, None)
        if span is None:
            return
        draft = event.draft
        told: dict[str, Any] = _usage(draft.tokens) | {"gen_ai.response.model": draft.model, "moa.status": draft.status}
        if draft.finish_reason:
            told["gen_ai.response.finish_reasons"] = [draft.finish_reason]
        if draft.status == "failed":
            told["error.type"] = "draft_failed"
            span.set_status(StatusCode.ERROR)
        span.set_attributes(told)
        span.end(self._time(event.at))

    def _end(self, at: float, told: dict[str, Any], *, failed: bool = False) -> None:
        from opentelemetry.trace import StatusCode

        if self._span:
            self._span.set_attributes(told)
            if failed:
                self._span.set_status(StatusCode.ERROR)
            self._span.end(self._time(at))
            self._span = None

    def _time(self, at: float) -> int:
        return int((self._started_unix + at) * _NANOSECONDS)


def _usage(tokens: Usage) -> dict[str, Any]:
    told = {"gen_ai.usage.input_tokens": tokens.input, "gen_ai.usage.output_tokens": tokens.output}
    return {name: count for name, count in told.items() if count is not None}


def traces_if_wanted() -> Traces | None:
    """Return traces that go where the environment says; None if it says nothing.

    Raises:
        UsageError: it names a place, and what sends traces is not installed.
    """
    if not any(os.environ.get(name) for name in _WANTED):
        return None
    from moa.errors import UsageError

    if not (find_spec("opentelemetry") and find_spec("opentelemetry.exporter")):
        raise UsageError(
            "The environment asks for OpenTelemetry traces, and what sends them is missing: "
            "pip install 'mixture-of-agents[traces]'. Or unset OTEL_EXPORTER_OTLP_ENDPOINT."
        )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "moa")}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Traces(provider)
