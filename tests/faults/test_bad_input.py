"""Bad drafts, bad judges, windows that are too small, budgets of nothing and clocks that jump: what comes of each."""

from __future__ import annotations

import time
from itertools import count

import pytest

from moa import Budget, Guard, Judge, Select, Synthesize, Vote
from moa.backends.base import Delta, Finish
from moa.budget import Ledger
from moa.errors import AllDraftsFailed, BackendError, BudgetExceeded
from moa.messages import Usage
from tests.aggregation.asking import Script, ask, mixture, model
from tests.fakes.backend import ScriptedModel

EMPTY: Script = [Delta("hm", reasoning=True), Finish(Usage(1, 1))]


class TestDraftsThatAre:
    async def test_empty_are_failures(self) -> None:
        heard = await ask(mixture({"math": EMPTY, "code": "391", "law": "It is 391."}, Synthesize(model("391, then."))))
        assert heard.answer.text == "391, then."
        assert heard.degraded == [("draft", "The model returned no visible text.")]

    async def test_all_empty_are_an_error_with_every_cause(self) -> None:
        with pytest.raises(AllDraftsFailed, match=r"math: The model returned no visible text\.\n.*code: "):
            await ask(mixture({"math": EMPTY, "code": EMPTY}, Synthesize(model("never"))))

    async def test_identical_need_no_judge(self) -> None:
        judge = ScriptedModel("never")
        heard = await ask(mixture({"math": "391", "code": "391", "law": "391"}, Select(model=judge)))
        assert (heard.answer.text, heard.degraded, judge.requests) == ("391", [], [])

    async def test_contradictory_are_settled_by_weight_where_a_vote_is_tied(self) -> None:
        heard = await ask(mixture({"math": "Answer: 391", "code": "Answer: 401"}, Vote()))
        assert "391" in heard.answer.text

    async def test_enormous_fit_the_window_that_is_known_and_the_answer_says_so(self) -> None:
        writer = ScriptedModel("ok")
        writer.context = 2000  # type: ignore[attr-defined]
        enormous: Script = [Delta("word " * 200_000), Finish(Usage(1, 200_000))]
        heard = await ask(mixture({"math": enormous, "code": "391"}, Synthesize(writer)))
        assert heard.answer.text == "ok"
        assert [what for what, _ in heard.degraded] == ["context"]
        assert sum(len(message.content) for message in writer.requests[0].messages) < 10_000

    async def test_in_another_language_are_told_of_where_one_was_asked_for(self) -> None:
        german = (
            "Die Antwort auf diese Frage lautet ganz eindeutig dreihunderteinundneunzig, wie man leicht nachrechnet."
        )
        english = (
            "The answer to this question is quite clearly three hundred and ninety-one, as you may check yourself."
        )
        drafts: dict[str, Script] = {"math": german, "code": english}
        heard = await ask(mixture(drafts, Guard(Synthesize(model(german)))), output=_english())
        assert heard.answer.text == english
        assert {what for what, _ in heard.degraded} <= {"contract", "aggregator"}
        assert heard.degraded

    async def test_failing_one_after_another_leave_the_last_one(self) -> None:
        broken: Script = [BackendError("no line")]
        heard = await ask(mixture({"math": broken, "code": broken, "law": "391"}, Synthesize(model("never"))))
        assert heard.answer.text == "391"
        assert heard.degraded == [("draft", "no line"), ("draft", "no line")]


class TestAJudgeThat:
    DRAFTS: dict[str, Script] = {"math": "It is 391.", "code": "No, 401, I should say."}  # noqa: RUF012

    @pytest.mark.parametrize("said", ["I like both!", "{}", '{"better": "third"}', "first or second", "🙂", "[]"])
    async def test_talks_nonsense(self, said: str) -> None:
        heard = await ask(mixture(self.DRAFTS, Select(model=model(said))))
        assert heard.answer.text == "It is 391."
        [(what, why)] = heard.degraded
        assert what == "judge"
        assert why.endswith("Agreement of the drafts, then the routing, decided instead.")

    @pytest.mark.parametrize("place", ["first", "second"])
    async def test_prefers_a_place(self, place: str) -> None:
        heard = await ask(mixture(self.DRAFTS, Select(model=model(f'{{"better": "{place}"}}'))))
        assert heard.answer.text == "It is 391."
        assert "preferred the same place, whatever stood there" in heard.degraded[0][1]

    async def test_prefers_a_place_and_should_guard(self) -> None:
        guard = Guard(Synthesize(model("It is 391, I think.")), Judge(model('{"better": "second"}')))
        heard = await ask(mixture(self.DRAFTS, guard))
        assert heard.answer.text == "It is 391, I think."
        assert "preferred the same place" in heard.degraded[0][1]


class TestABudgetOfZero:
    @pytest.mark.parametrize("limit", [{"calls": 0}, {"tokens": 0}, {"usd": 0.0}, {"seconds": 0.0}])
    async def test_asks_nobody_and_says_which(self, limit: dict[str, float]) -> None:
        math = ScriptedModel("never")
        with pytest.raises(BudgetExceeded):
            await ask(mixture({"math": math}, None), budget=Budget(**limit))  # type: ignore[arg-type]
        assert math.requests == []


class TestClocksThatJump:
    @pytest.mark.parametrize("jump", [-86_400.0, 86_400.0], ids=["a day back", "a day ahead"])
    async def test_the_wall_clock_changes_no_duration(self, jump: float, monkeypatch: pytest.MonkeyPatch) -> None:
        real, calls = time.time, count()
        monkeypatch.setattr(time, "time", lambda: real() + jump * next(calls))
        heard = await ask(
            mixture({"math": "391", "code": "It is 391."}, Synthesize(model("ok"))), budget=Budget(seconds=60)
        )
        assert heard.answer.degraded == ()
        assert 0 <= heard.answer.seconds < 60
        times = [event.at for event in heard.events if event.type != "routed"]
        assert times == sorted(times)

    def test_a_clock_that_leaps_ahead_uses_the_time_up_and_no_more_than_that(self) -> None:
        now = [0.0]
        ledger = Ledger(Budget(seconds=10), clock=lambda: now[0])
        now[0] = 1e9
        assert ledger.seconds_left() == 0.0
        with pytest.raises(BudgetExceeded):
            ledger.open_call("math", priced=True)


def _english() -> object:
    from moa import OutputContract

    return OutputContract(language="en")
