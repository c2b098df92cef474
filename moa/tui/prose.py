"""The text of a model as Markdown, harmless."""

from __future__ import annotations

from textual.widgets import Markdown

from moa.tui.markdown import parser
from moa.untrusted import one_line, plain


class Prose(Markdown):
    """An answer. It is a model's, so its HTML is shown as text and its links open nothing but web pages."""

    def __init__(self, text: str = "") -> None:
        super().__init__(plain(text), parser_factory=parser, open_links=False)

    def on_markdown_link_clicked(self, event: Markdown.LinkClicked) -> None:
        """Open a web page in the browser; of anything else only say where it points."""
        event.stop()
        if event.href.startswith(("https://", "http://")):
            self.app.open_url(event.href)
        else:
            self.notify(f"Not opened, as it is no web page: {one_line(event.href)}", markup=False)
