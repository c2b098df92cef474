r"""Models write Markdown with LaTeX in it, and Markdown eats the backslashes. This keeps formulas as they were written.

>>> [token.type for token in parser().parse(r"\[ 17 \times 23 \]")]
['fence']
"""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

_BLOCKS = {"\\[": "\\]", "$$": "$$"}
_INLINE = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}
_INDENTED_CODE = 4  # spaces
_LONGEST_FORMULA = 2000  # characters; an opening without an end must not have the whole text searched


def parser() -> MarkdownIt:
    """Return a parser for answers of models: tables and links, formulas as code, and HTML as plain text."""
    markdown = MarkdownIt("gfm-like").disable(["html_block", "html_inline"])
    markdown.inline.ruler.before("escape", "formula", _inline_formula)
    interrupts = RuleOptionsType(alt=["paragraph", "reference", "blockquote", "list"])
    markdown.block.ruler.before("fence", "formula_block", _formula_block, interrupts)
    return markdown


def _inline_formula(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  (markdown-it calls it so)
    r"""Take `\( … \)` within a line as code."""
    closing = _INLINE.get(state.src[state.pos : state.pos + 2])
    if closing is None:
        return False
    end = state.src.find(closing, state.pos + 2, min(state.posMax, state.pos + _LONGEST_FORMULA))
    formula = state.src[state.pos + 2 : end].strip() if end > 0 else ""
    if not formula:
        return False
    if not silent:
        token = state.push("code_inline", "code", 0)
        token.content = formula
    state.pos = end + 2
    return True


def _formula_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001  (as above)
    r"""Take `\[ … \]` on lines of its own as a block of code; one that is still being written reaches to the end."""
    if state.sCount[start] - state.blkIndent >= _INDENTED_CODE:
        return False
    first = _line(state, start)
    closing = _BLOCKS.get(first[:2])
    if closing is None:
        return False
    formula, closed, after = first[2:].partition(closing)
    lines, line = [formula], start
    while not closed and line + 1 < end:
        line += 1
        formula, closed, after = _line(state, line).partition(closing)
        lines.append(formula)
    if after.strip(" .,;"):  # text goes on behind it, so it is no block
        return False
    if not silent:
        token = state.push("fence", "code", 0)
        token.info = "latex"
        token.content = "\n".join(lines).strip("\n ") + "\n"
        token.map = [start, line + 1]
    state.line = line + 1
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()
