"""Reports of a run: one page of HTML that needs no network, Markdown, CSV, JSON and plain rows."""

from moa.evals.report.flat import csv_of, json_of, markdown_of, rows_of
from moa.evals.report.page import page_of

__all__ = ["csv_of", "json_of", "markdown_of", "page_of", "rows_of"]
