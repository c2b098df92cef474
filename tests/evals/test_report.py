"""A report is one page that loads nothing; a real browser sorts, searches and opens samples in it without complaint."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from moa.evals.folder import Stored
from moa.evals.report import csv_of, json_of, markdown_of, page_of, rows_of
from moa.evals.summary import summaries
from tests.evals.stored import stored

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

PROBE = """
<script>
const told = { errors: window.complaints };
const cells = (place) => [...document.querySelectorAll("#systems tbody tr")].map((row) => row.cells[place].textContent);
document.querySelectorAll("#systems th")[1].click();
told.sorted = cells(1);
document.querySelectorAll("#systems th")[1].click();
told.sortedAgain = cells(1);
told.rows = document.querySelectorAll("#samples tr.row").length;
document.querySelector("#samples tr.row").click();
told.opened = document.querySelector("#samples tr.open").textContent;
told.difference = document.querySelectorAll("#samples tr.open ins").length;
const type = (id, value) => {
  document.getElementById(id).value = value;
  document.getElementById(id).dispatchEvent(new Event("input"));
};
type("search", "question 3");
told.found = [...document.querySelectorAll("#samples tr.row")].map((row) => row.cells[0].textContent);
type("search", "");
type("filter", "aggregation");
told.lost = [...document.querySelectorAll("#samples tr.row")].map((row) => row.cells[0].textContent);
const result = document.createElement("pre");
result.id = "told";
result.textContent = JSON.stringify(told);
document.body.append(result);
</script>
"""
WATCH = "<script>window.complaints = []; window.onerror = (what) => { window.complaints.push(String(what)); };</script>"


def a_run() -> Stored:
    return stored(
        {"a": [1, 1, 0, None, 0], "b": [0, 0, 0, 1, 0], "mix": [1, 0, 0, 1, 0]},
        kinds={"mix": "mixture"},
        drafts={"mix": [{"a": 1.0}, {"a": 1.0, "b": 0.0}, {"a": 0.0}, {"b": 1.0}, {"a": 0.0}]},
        metadata=[{"field": "a" if n % 2 else "b"} for n in range(5)],
        cost={"a": 0.001, "b": 0.002, "mix": 0.004},
    )


def page() -> str:
    run = a_run()
    return page_of(run, summaries(run))


def test_the_page_loads_nothing_and_what_models_say_is_no_markup() -> None:
    html = page()

    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!data:)""", html)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest", html)
    assert "<script>alert(1)" not in html
    assert html.count("<svg") == 2
    assert "Pareto" not in html.split("<main>")[0]


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_a_real_browser_sorts_searches_and_opens_samples(tmp_path: Path) -> None:
    assert BROWSER
    html = page().replace("<head>", f"<head>{WATCH}", 1).replace("</body>", f"{PROBE}</body>", 1)
    file = tmp_path / "report.html"
    file.write_text(html, "utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]

    dumped = subprocess.run(
        [*command, "--dump-dom", file.as_uri()], capture_output=True, text=True, timeout=200, check=True
    ).stdout

    found = re.search(r'<pre id="told">(.*?)</pre>', dumped, re.DOTALL)
    assert found, dumped[-500:]
    told = json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    assert told["errors"] == []
    assert told["sorted"] == sorted(told["sorted"], reverse=True)
    assert told["sortedAgain"] == sorted(told["sorted"])
    assert told["rows"] == 5
    assert "a says <b>0</b>" in told["opened"]
    assert told["difference"] > 0
    assert told["found"] == ["3"]
    assert told["lost"] == ["1"]


def test_rows_are_one_an_answer_and_csv_holds_them_without_formulas() -> None:
    run = stored({"a": [1.0, None]})
    run.records[0].input[0]["content"] = "=HYPERLINK(1)"  # type: ignore[index]

    rows = list(csv.DictReader(io.StringIO(csv_of(run))))

    assert [row["score"] for row in rows] == ["1.0", ""]
    assert rows[0]["question"] == "'=HYPERLINK(1)"
    assert rows[1]["error"] == "It broke."
    assert len(rows_of(run)) == 2


def test_markdown_and_json_tell_the_same_figures() -> None:
    run = a_run()
    found = summaries(run)

    assert "| mix | 0.400 |" in markdown_of(run, found)
    assert "not distinguishable" in markdown_of(run, found)
    [suite] = json.loads(json_of(found))
    assert {row["system"]: row["accuracy"]["value"] for row in suite["systems"]}["mix"] == 0.4
