"""Drafts of the local models, written once and kept: every aggregator is measured on the same ones.

    python -m benchmarks.aggregation.drafts --data ../shared/data

It goes on where it was stopped. Drafts are kept in the cache folder of moa, a JSON line each.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, TextIO

import httpx

from benchmarks.aggregation.sets import SETS, Question, sample
from moa.local.child import Child
from moa.local.weights import weights_for
from moa.paths import cache_folder

MODELS = ("qwen2.5-coder-0.5b-instruct", "qwen2.5-coder-1.5b-instruct")
SMALL, LARGE = MODELS
INSTRUCTIONS = {
    "gsm8k_test": "Work step by step, briefly. End with the resulting number alone on the last line.",
    "mbpp": "Answer with one block of Python code that holds the function and its imports, and no explanation.",
    "lsat": "Think in three sentences at most. End with the letter of the right choice alone on the last line.",
}
WORKED, BRIEF, PROGRAM = "", "brief", "program"
"""How a draft is written: as the instructions of its set say, with the result alone, or as code that computes it."""
STYLES = {
    BRIEF: "Answer with the result alone: a number, the letter of a choice, or one block of Python. Explain nothing.",
    PROGRAM: "Write a Python function `solution()` that works out the answer step by step, in variables named after "
    "what they hold, and returns it. Answer with one block of code and nothing else.",
}
"""Instructions of the other styles, which are the same for every set (program-aided models: Gao et al., 2023)."""
MAX_TOKENS = 400
STYLED = ((SMALL, BRIEF), (LARGE, BRIEF), (LARGE, PROGRAM))
"""Who writes in the other styles."""
AT_ONCE = 4
SAMPLES = 2
"""Drafts at a temperature beside the greedy one."""
TEMPERATURE = 0.7
CONTEXT = 2048
_TIMEOUT_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class Wanted:
    """A draft to be written."""

    question: Question
    model: str
    sample: int = 0
    """0 is greedy; the others are drawn at `TEMPERATURE`, each with its number as seed."""
    style: str = WORKED

    @property
    def key(self) -> str:
        """Its name among the kept ones."""
        style = f"/{self.style}" if self.style else ""
        return f"{self.question.set}/{self.question.id}/{self.model}/{self.sample}{style}"

    @property
    def instructions(self) -> str:
        """What its model is told."""
        return STYLES[self.style] if self.style else INSTRUCTIONS[self.question.set]


@dataclass(frozen=True, slots=True)
class Written:
    """A draft that was written."""

    key: str
    text: str
    output_tokens: int
    input_tokens: int
    confidence: float
    """Geometric mean of the probabilities of its tokens."""
    seconds: float
    """Of the call, with others beside it: for comparing lengths of work, not for speed."""


def store() -> Path:
    """Return the file of kept drafts."""
    return cache_folder() / "benchmarks" / "aggregation-drafts.jsonl"


def kept() -> dict[str, Written]:
    """Return the drafts that were written so far, by their keys."""
    if not store().exists():
        return {}
    rows = (json.loads(line) for line in store().read_text("utf-8").splitlines() if line.endswith("}"))
    return {row["key"]: Written(**row) for row in rows}


def wanted(data: Path, greedy: int, sampled: int) -> tuple[list[Wanted], ...]:
    """Return what is to be drafted: greedy drafts, those of other styles, and the drawn ones of the first questions.

    Each part goes question by question, set by set.
    """
    questions = [sample(data, name, greedy) for name in SETS]
    in_turn = [each for row in zip_longest(*questions) for each in row if each is not None]
    drawn = {each for some in questions for each in some[:sampled]}
    first = [Wanted(each, model) for each in in_turn for model in MODELS]
    styled = [Wanted(each, model, style=style) for each in in_turn for model, style in STYLED]
    then = [
        Wanted(each, model, number)
        for each in in_turn
        if each in drawn
        for model in MODELS
        for number in range(1, SAMPLES + 1)
    ]
    return first, styled, then


async def write(todo: Sequence[Wanted]) -> None:
    """Write drafts, one model after the other, and keep each draft as soon as it is there."""
    store().parent.mkdir(parents=True, exist_ok=True)
    with store().open("a", encoding="utf-8") as out:
        for model in MODELS:
            if mine := [each for each in todo if each.model == model]:
                await _write_by(model, mine, out)


async def _write_by(model: str, todo: Sequence[Wanted], out: TextIO) -> None:
    """Write the drafts of one model, several at once."""
    [file, *_] = weights_for(model).files()
    child = Child(model, file, CONTEXT, AT_ONCE)
    try:
        await asyncio.to_thread(child.wait_until_loaded)
        await _write_all(child, todo, out)
    finally:
        await asyncio.to_thread(child.stop)


async def _write_all(child: Child, todo: Sequence[Wanted], out: TextIO) -> None:
    headers = {"authorization": f"Bearer {child.secret}"}
    places = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(base_url=child.address, headers=headers, timeout=_TIMEOUT_SECONDS) as client:

        async def one(each: Wanted) -> None:
            async with places:
                draft = await _draft(client, each)
            out.write(json.dumps(asdict(draft), ensure_ascii=False) + "\n")
            out.flush()
            print(f"{time.strftime('%H:%M:%S')} {each.key} {draft.output_tokens}", file=sys.stderr, flush=True)

        async with asyncio.TaskGroup() as group:
            for each in todo:
                group.create_task(one(each))


async def _draft(client: httpx.AsyncClient, each: Wanted) -> Written:
    started = time.monotonic()
    payload: dict[str, Any] = {
        "messages": [
            {"role": "system", "content": each.instructions},
            {"role": "user", "content": each.question.text},
        ],
        "temperature": TEMPERATURE if each.sample else 0,
        "seed": each.sample,
        "max_tokens": MAX_TOKENS,
        "logprobs": True,
    }
    reply = (await client.post("/v1/chat/completions", json=payload)).raise_for_status().json()
    [choice] = reply["choices"]
    logs = [token["logprob"] for token in (choice.get("logprobs") or {}).get("content") or []]
    usage = reply["usage"]
    return Written(
        each.key,
        choice["message"]["content"] or "",
        usage["completion_tokens"],
        usage["prompt_tokens"],
        math.exp(sum(logs) / len(logs)) if logs else math.nan,
        time.monotonic() - started,
    )


def main() -> None:
    """Write what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--greedy", type=int, default=40, help="questions of each set that are drafted greedily")
    parser.add_argument("--sampled", type=int, default=24, help="of these, how many get drawn drafts too")
    given = parser.parse_args()
    have = kept()
    parts = [
        [each for each in part if each.key not in have] for part in wanted(given.data, given.greedy, given.sampled)
    ]
    print(f"{len(have)} drafts are kept, {sum(map(len, parts))} are to be written", file=sys.stderr)
    for part in parts:
        asyncio.run(write(part))


if __name__ == "__main__":
    main()
