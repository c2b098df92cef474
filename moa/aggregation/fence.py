"""Drafts as data: fenced so that nothing inside one can speak to the model that reads it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

from moa.answers import Draft

_TEMPLATE_TOKEN = re.compile(r"<(?=[|｜])|\[(?=/?INST\])|<(?=/?s>)")
"""The opening of a chat template's control tokens, which an engine could take for real ones."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters that nobody sees: they can only hide something."""


def fence(drafts: Iterable[Draft], weights: dict[str, float] | None = None, nonce: str | None = None) -> str:
    """Return the drafts as one block of quoted text.

    Each draft stands between tags that carry a nonce, made anew for every run: a draft cannot know it and so cannot
    close its own fence. What looks like a fence or like a chat template's control token is defused, and invisible
    characters are dropped.

    Args:
        drafts: what to quote, in the order in which to number them, from 1.
        weights: agent name → routing weight, shown as a percentage where given.
        nonce: for tests; a random one by default.
    """
    nonce = nonce or secrets.token_hex(4)
    blocks = []
    for number, draft in enumerate(drafts, start=1):
        weight = f' weight="{weights[draft.agent]:.0%}"' if weights and draft.agent in weights else ""
        blocks.append(
            f'<draft-{nonce} number="{number}" agent="{draft.agent}"{weight}>\n{defuse(draft.text)}\n</draft-{nonce}>'
        )
    return "\n\n".join(blocks)


def defuse(text: str) -> str:
    """Return text in which nothing works as a fence, as a control token, or unseen."""
    text = _CONTROL.sub("", text)
    text = re.sub(r"<(?=/?draft)", "‹", text, flags=re.IGNORECASE)
    return _TEMPLATE_TOKEN.sub(lambda found: "‹" if found[0] == "<" else "(", text)
