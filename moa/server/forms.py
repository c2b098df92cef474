"""What requests say: every field that is known, its type and its range. Nothing else is accepted."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from moa.budget import Budget

_Name = Annotated[str, Field(min_length=1, max_length=256)]
_MOST_MESSAGES = 2_000
_MOST_TOOLS = 128
_MOST_STOPS = 4
_LONGEST_STOP = 500
_MOST_TEXTS = 512


class Form(BaseModel):
    """A part of a request. Fields that are not known are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def unsupported(what: str) -> PydanticCustomError:
    """Return the error that refuses what is understood, but would be lost without a word if it were accepted."""
    return PydanticCustomError("refused", "{what} is not supported here.", {"what": what, "code": "unsupported"})


class BudgetForm(Form):
    """Upper limits of one request."""

    usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    tokens: int | None = Field(default=None, ge=0)
    calls: int | None = Field(default=None, ge=0)
    seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class Options(Form):
    """`moa`: what can be wanted of a mixture, beside what the OpenAI protocol knows."""

    mixture: _Name | None = None
    """Another mixture of this server than the model's name says."""
    pinned: list[_Name] = Field(default_factory=list, max_length=64)
    excluded: list[_Name] = Field(default_factory=list, max_length=64)
    k: int | None = Field(default=None, ge=1, le=64)
    threshold: float | None = Field(default=None, ge=0, le=1)
    aggregator: _Name | None = None
    budget: BudgetForm | None = None
    deadline: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Seconds within which there is an answer, or what there is of one."""
    events: bool = False
    """Whether what happens on the way travels in the stream, as named events."""
    include: bool = False
    """Whether the answer holds a `moa` object: routing, drafts, costs, what did not go as planned."""

    def limits(self) -> Budget:
        """Return budget and deadline as one."""
        given = self.budget or BudgetForm()
        seconds = [limit for limit in (given.seconds, self.deadline) if limit is not None]
        return Budget(given.usd, given.tokens, given.calls, min(seconds, default=None))


class Function(Form):
    """What a model is told of a tool."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    description: str = Field(default="", max_length=20_000)
    parameters: dict[str, Any] = Field(default_factory=dict)
    strict: bool | None = None


class ToolForm(Form):
    """A tool of the client's own."""

    type: Literal["function"]
    function: Function


class NamedFunction(Form):
    """The name of a tool."""

    name: _Name


class ToolChoice(Form):
    """The wish to have one tool called."""

    type: Literal["function"]
    function: NamedFunction


class CalledFunction(Form):
    """What a model wanted called."""

    name: _Name
    arguments: str = Field(max_length=1_000_000)


class CallForm(Form):
    """A call that a model made in an earlier turn."""

    id: _Name
    type: Literal["function"] = "function"
    function: CalledFunction
    index: int | None = None


class Part(Form):
    """A part of a message: text, and nothing else."""

    type: Literal["text", "input_text", "output_text", "refusal"]
    text: str = ""
    refusal: str = ""
    annotations: list[Any] | None = None
    logprobs: list[Any] | None = None
    prompt_cache_breakpoint: Any = None


class MessageForm(Form):
    """A message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: list[CallForm] | None = Field(default=None, max_length=_MOST_TOOLS)
    tool_call_id: _Name | None = None
    refusal: str | None = None
    annotations: list[Any] | None = None
    audio: None = None
    function_call: None = None
    reasoning_content: str | None = None
    """Some clients send back what they were sent; it is not read."""

    @model_validator(mode="before")
    @classmethod
    def _text_only(cls, value: Any) -> Any:
        parts = value.get("content") if isinstance(value, dict) else None
        for part in parts if isinstance(parts, list) else ():
            kind = part.get("type") if isinstance(part, dict) else None
            if isinstance(kind, str) and kind in {"image_url", "input_image", "input_audio", "file", "input_file"}:
                raise unsupported(f"A message part of the type {kind!r} (this server reads text)")
        return value

    @property
    def text(self) -> str:
        """All that it says."""
        if isinstance(self.content, list):
            return "".join(part.text or part.refusal for part in self.content)
        return self.content or self.refusal or ""


class StreamOptions(Form):
    """What a stream holds."""

    include_usage: bool = False
    include_obfuscation: bool | None = None


class SchemaForm(Form):
    """A JSON schema, with a name."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    description: str | None = None
    schema_: dict[str, Any] = Field(default_factory=dict, alias="schema")
    strict: bool | None = None


class ResponseFormat(Form):
    """The form of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: SchemaForm | None = None

    @model_validator(mode="after")
    def _with_schema(self) -> Self:
        if self.type == "json_schema" and self.json_schema is None:
            raise PydanticCustomError("refused", "json_schema is missing.", {"code": "missing_required_parameter"})
        return self

    def schema_wanted(self) -> dict[str, Any] | None:
        """Return the JSON schema that the answer must fit; None if it is plain text."""
        if self.type == "text":
            return None
        return self.json_schema.schema_ if self.json_schema else {"type": "object"}


class ChatForm(Form):
    """`POST /v1/chat/completions`."""

    model: _Name
    messages: list[MessageForm] = Field(min_length=1, max_length=_MOST_MESSAGES)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = Field(default=1, ge=1, le=128)
    stop: str | list[str] | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    response_format: ResponseFormat | None = None
    tools: list[ToolForm] | None = Field(default=None, max_length=_MOST_TOOLS)
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None
    moa: Options = Field(default_factory=Options)
    # Known, and without a meaning for the answer's text:
    user: str | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    parallel_tool_calls: bool | None = None
    # Known, and accepted only where they ask for nothing:
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    modalities: list[str] | None = None

    @model_validator(mode="after")
    def _meant(self) -> Self:
        for name in ("presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs"):
            if getattr(self, name):
                raise unsupported(name)
        if self.modalities not in (None, ["text"]):
            raise unsupported("modalities other than text")
        stops = self.stops
        if len(stops) > _MOST_STOPS or not all(0 < len(stop) <= _LONGEST_STOP for stop in stops):
            told = f"stop is at most {_MOST_STOPS} texts of 1 to {_LONGEST_STOP} characters."
            raise PydanticCustomError("refused", "{told}", {"told": told})
        return self

    @property
    def stops(self) -> tuple[str, ...]:
        """Texts at which the answer ends."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    @property
    def limit(self) -> int | None:
        """Tokens that the answer may have."""
        given = [limit for limit in (self.max_completion_tokens, self.max_tokens) if limit is not None]
        return min(given, default=None)


class EmbeddingsForm(Form):
    """`POST /v1/embeddings`."""

    model: _Name
    input: str | list[str] | list[int] | list[list[int]]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = Field(default=None, ge=1)
    user: str | None = None

    @model_validator(mode="after")
    def _texts_only(self) -> Self:
        given = self.input if isinstance(self.input, list) else [self.input]
        if not all(isinstance(each, str) for each in given):
            raise unsupported("input as tokens (send texts)")
        if not given or len(given) > _MOST_TEXTS or not all(given):
            told = f"input is 1 to {_MOST_TEXTS} texts, none of them empty."
            raise PydanticCustomError("refused", "{told}", {"told": told})
        return self

    @property
    def texts(self) -> list[str]:
        """What is to be embedded."""
        return [self.input] if isinstance(self.input, str) else [str(each) for each in self.input]


class InputItem(Form):
    """A message among the input of `POST /v1/responses`."""

    type: Literal["message"] = "message"
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]
    id: str | None = None
    status: str | None = None
    phase: str | None = None

    @property
    def text(self) -> str:
        """All that it says."""
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class TextFormat(Form):
    """The form of a response's text."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    description: str | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None


class TextForm(Form):
    """How a response's text should be."""

    format: TextFormat | None = None
    verbosity: str | None = None


class ResponsesForm(Form):
    """`POST /v1/responses`, for text."""

    model: _Name
    input: str | list[InputItem]
    instructions: str | None = None
    stream: bool | None = False
    max_output_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    text: TextForm | None = None
    moa: Options = Field(default_factory=Options)
    store: bool | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    parallel_tool_calls: bool | None = None
    truncation: Literal["auto", "disabled"] | None = None
    tools: list[Any] | None = None
    tool_choice: Any = None
    previous_response_id: str | None = None
    background: bool | None = None
    include: list[str] | None = None

    @model_validator(mode="after")
    def _text_only(self) -> Self:
        for name in ("tools", "previous_response_id", "background", "include"):
            if getattr(self, name):
                raise unsupported(name)
        return self


class RouteForm(Form):
    """`POST /v1/moa/route`: who would answer."""

    model: _Name
    messages: list[MessageForm] | None = Field(default=None, max_length=_MOST_MESSAGES)
    question: str | None = None
    moa: Options = Field(default_factory=Options)

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.messages is None) == (self.question is None):
            raise PydanticCustomError("refused", "Send either question or messages.", {})
        return self


class FeedbackForm(Form):
    """`POST /v1/moa/feedback`: what somebody thinks of an answer."""

    run: _Name
    verdict: Literal["good", "bad"]
    agent: _Name | None = None
    """Whose draft is meant; by default that of the agent with the most weight."""
    better: _Name | None = None
    """Whose draft was better, or who should have been asked."""
