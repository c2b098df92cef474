"""Colours: a calm dark theme, a paper-like light one, and one colour for each agent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.theme import Theme

_AGENTS_ON_DARK = ("#82b1d6", "#e0a37c", "#93c48b", "#bd9bd6", "#dd8b9c", "#6cc0b5", "#d3bd72", "#a7b0bf")
_AGENTS_ON_LIGHT = ("#2a6796", "#a85a24", "#3c7a3a", "#77479a", "#ab3d57", "#1c7a72", "#80650c", "#5a6472")


def _variables(agents: Sequence[str], *, quiet: str, track: str, code: str) -> dict[str, str]:
    """Return the colours that themes of Textual do not have.

    Args:
        agents: one colour an agent, used again from the start when there are more agents.
        quiet: text that explains, beside text that says.
        track: the empty part of a bar.
        code: behind code.
    """
    colours = {f"agent-{number}": colour for number, colour in enumerate(agents)}
    return {**colours, "quiet": quiet, "track": track, "code": code}


DARK = Theme(
    name="moa-dark",
    primary="#82b1d6",
    secondary="#9db0c3",
    accent="#cfae78",
    warning="#d9b169",
    error="#dc7c74",
    success="#8fbd83",
    foreground="#d5d9df",
    background="#15181d",
    surface="#1b1f25",
    panel="#252a32",
    dark=True,
    variables={
        **_variables(_AGENTS_ON_DARK, quiet="#848d99", track="#252a32", code="#1b1f25"),
        "input-cursor-background": "#d5d9df",
        "input-selection-background": "#82b1d6 35%",
        "scrollbar": "#2f3640",
        "scrollbar-hover": "#414a57",
        "scrollbar-active": "#82b1d6",
        "scrollbar-background": "#15181d",
        "scrollbar-background-hover": "#15181d",
        "scrollbar-background-active": "#15181d",
    },
)
LIGHT = Theme(
    name="moa-light",
    primary="#2a6796",
    secondary="#4f6478",
    accent="#8a6417",
    warning="#8f6510",
    error="#b03a33",
    success="#3c7a3a",
    foreground="#272b31",
    background="#fbfaf7",
    surface="#f3f1ec",
    panel="#e6e2d9",
    dark=False,
    variables={
        **_variables(_AGENTS_ON_LIGHT, quiet="#6d747e", track="#e6e2d9", code="#f3f1ec"),
        "input-cursor-background": "#272b31",
        "input-selection-background": "#2a6796 30%",
        "scrollbar": "#d3cec2",
        "scrollbar-hover": "#bdb6a6",
        "scrollbar-active": "#2a6796",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-background-hover": "#fbfaf7",
        "scrollbar-background-active": "#fbfaf7",
    },
)


def defaults(*, dark: bool) -> dict[str, str]:
    """Return our own colours for a theme that comes from elsewhere."""
    theme = DARK if dark else LIGHT
    ours = ("agent-", "quiet", "track", "code")
    return {name: colour for name, colour in theme.variables.items() if name.startswith(ours)}


@dataclass(frozen=True, slots=True)
class Colours:
    """A colour for each agent, the same in every place and every turn."""

    agents: tuple[str, ...] = ()

    def of(self, agent: str) -> str:
        """Return the style of an agent; the colour of plain text if it is not known."""
        if agent not in self.agents:
            return "$foreground"
        return f"$agent-{self.agents.index(agent) % len(_AGENTS_ON_DARK)}"
