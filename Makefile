# Two commands do everything: `make chat` and `make check`. Both make their own environment in .venv first.
#
#   make chat                     chat with the starter mixture in the terminal
#   make ask Q="your question"    the same for one question, without a terminal
#   make check                    format, lint, types, import contract, tests: what CI runs
#
# pip's own settings hold: PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS and so on are respected.

PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11
BIN = .venv/bin
Q ?= What is the capital of Australia?

.PHONY: chat ask check format lint types contract test clean

chat: .venv/.use
	@$(BIN)/moa chat

ask: .venv/.use
	@$(BIN)/moa ask "$(Q)"

check: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

format: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The first of $(PYTHON) that runs and is new enough.
.venv/bin/python:
	@for python in $(PYTHON); do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        echo "Making an environment in .venv with $$python" >&2; exec $$python -m venv .venv; \
	    fi; \
	done; echo "moa needs Python 3.11 or newer. Name one: make PYTHON=/path/to/python3.11 chat" >&2; exit 1

.venv/.use: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[all]'
	@touch $@

.venv/.dev: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[all,dev]'
	@touch $@ .venv/.use

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
