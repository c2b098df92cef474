"""Text that grows at its end, one token after another."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class Writing:
    """A text that is being written. To its reader it is a value like `str`; adding to its end is cheap.

    Adding to a `str` of a million characters copies it, a quarter of a million times over. Here the versions
    of one text share their pieces, and each knows only how many of them are its own.

    Example:
        >>> first = Writing.of("The answer")
        >>> second = first.add(" is 391.")
        >>> str(first), str(second), second.since(first)
        ('The answer', 'The answer is 391.', ' is 391.')
    """

    pieces: list[str] = field(default_factory=list)
    """Shared with later versions, which may have added to it; only the first `count` belong to this one."""
    count: int = 0
    length: int = 0
    """Characters."""
    size: int = 0
    """Bytes, if it were encoded as UTF-8."""

    @classmethod
    def of(cls, text: str) -> Writing:
        """Return a new writing that holds `text`."""
        return cls().add(text)

    def add(self, text: str) -> Writing:
        """Return this writing with `text` at its end."""
        if not text:
            return self
        # Another version may have gone on from here already: then the ways part, and this one takes a copy.
        pieces = self.pieces if len(self.pieces) == self.count else self.pieces[: self.count]
        pieces.append(text)
        size = self.size + len(text.encode(errors="replace"))
        return Writing(pieces, self.count + 1, self.length + len(text), size)

    def since(self, earlier: Writing) -> str | None:
        """Return what was added since `earlier`, or None if this is not a continuation of it."""
        if earlier.count == 0:
            return str(self)
        if earlier.pieces is not self.pieces or earlier.count > self.count:
            return None
        return "".join(self.pieces[earlier.count : self.count])

    def tail(self, characters: int) -> str:
        """Return at least the last so many characters, or all if there are fewer."""
        start, held = self.count, 0
        while start and held < characters:
            start -= 1
            held += len(self.pieces[start])
        return "".join(self.pieces[start : self.count])

    def __str__(self) -> str:
        return "".join(self.pieces[: self.count])

    def __bool__(self) -> bool:
        return self.length > 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Writing):
            return NotImplemented
        return self.length == other.length and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))
