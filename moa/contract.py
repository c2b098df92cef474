"""What a user asks an answer to be like: a schema, a code block, a length, a language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class OutputContract:
    """The form of an answer: told to every agent, and checked before the answer is given."""

    max_words: int | None = None

    def instructions(self) -> str:
        """Return what an agent is told of it; empty if nothing is asked for."""
        return f"Answer in at most {self.max_words} words." if self.max_words else ""

    def json_schema(self) -> dict[str, Any] | None:
        """Return the JSON schema that the answer must fit; None if it need not be JSON."""
        return None

    def problems(self, text: str) -> tuple[str, ...]:
        """Return in what way a text breaks it, a sentence each; nothing if it keeps it."""
        words = len(text.split())
        if self.max_words and words > self.max_words:
            return (f"It has {words} words, and at most {self.max_words} were asked for.",)
        return ()

    @classmethod
    def of(cls, output: Output) -> OutputContract:
        """Return the contract for whatever a user gave."""
        return output if isinstance(output, OutputContract) else ANYTHING


Output = OutputContract | None
"""What a user may ask for."""

ANYTHING = OutputContract()
"""The contract of a user who asked for no form."""
