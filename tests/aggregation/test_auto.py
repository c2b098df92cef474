"""The aggregator that picks the aggregator, from evidence where there is some."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moa.aggregation import AggregationPolicy, Auto, Escalate, Guard, Refine, Select, Solo, Vote
from moa.errors import LoadError
from moa.mixture import Mixture
from moa.routing import Router
from tests.aggregation.asking import agent, ask, mixture, model
from tests.fakes.encoder import WordEncoder

DRAFTS = {"math": "#### 391", "code": "It is 391."}


class TestWithoutAPolicy:
    async def test_a_single_draft_is_passed_through(self) -> None:
        heard = await ask(mixture({"math": "It is 391."}, None))
        assert heard.answer.text == "It is 391."
        assert (heard.answer.aggregator.asked, heard.answer.aggregator.ran) == ("auto", "solo")
        assert heard.answer.spent.calls == 1

    async def test_several_are_synthesized_under_guard(self) -> None:
        writer = model("Both say 391.")
        heard = await ask(mixture(DRAFTS, Auto(writer=writer)))
        assert (heard.answer.aggregator.asked, heard.answer.aggregator.ran) == ("auto", "guard(synthesize)")
        assert len(writer.requests) == 1


class TestWithAPolicy:
    async def test_the_field_of_the_question_decides(self) -> None:
        policy = AggregationPolicy({"math": Vote(), "*": Select("agreement")})
        heard = await ask(mixture(DRAFTS, Auto(policy)))
        assert heard.answer.aggregator.ran == "vote"
        assert heard.answer.aggregator.asked == "auto"
        heard = await ask(mixture({"law": "No.", "math": "Yes."}, Auto(policy)))
        assert heard.answer.aggregator.ran == "select"

    async def test_why_it_was_picked_is_told(self) -> None:
        async def joined(_: str, __: object) -> str:
            return "joined"

        from moa.aggregation import Custom

        heard = await ask(mixture(DRAFTS, Auto(AggregationPolicy({"math": Custom(joined)}))))
        assert heard.answer.aggregator.why.startswith("the policy for math")

    async def test_what_it_says_nothing_about_goes_as_without_one(self) -> None:
        policy = AggregationPolicy({"law": Solo()})
        heard = await ask(mixture(DRAFTS, Auto(policy, writer=model("391"))))
        assert heard.answer.aggregator.ran == "guard(synthesize)"

    async def test_an_aggregator_that_says_who_opens_is_heard(self) -> None:
        policy = AggregationPolicy({"math": Escalate("cheap", confident=0)})
        heard = await ask(mixture({"math": "dear"}, Auto(policy), agent("cheap", "cheap")))
        assert heard.answer.text == "cheap"
        assert [draft.agent for draft in heard.answer.drafts] == ["cheap"]

    async def test_it_may_end_the_layers_of_another(self) -> None:
        drafts = {"math": "one thing", "code": "quite another"}
        heard = await ask(mixture(drafts, Refine(then=Auto(AggregationPolicy({"*": Solo()})))))
        assert heard.answer.text == "one thing"

    async def test_it_says_how_many_agents_draft(self) -> None:
        policy = AggregationPolicy({"garden": Vote(), "*": Solo()}, sizes={"garden": 3, "*": 1})
        agents = [agent(name, f"Says {name}.", examples=[f"about the {name}"]) for name in ("garden", "music", "sport")]
        for aggregator in (Auto(policy), Guard(Auto(policy))):
            asked = Mixture(agents, router=Router(WordEncoder(), threshold=0), aggregator=aggregator, fallback="sport")
            garden, music = await asked.route("the garden"), await asked.route("about the music")
            assert (len(garden.panel), garden.panel[0], garden.policy["mode"]) == (3, "garden", "topk")
            assert music.panel == ("music",)
            heard = await ask(asked, "the garden")
            assert heard.answer.routing.panel == garden.panel
            assert len(heard.answer.drafts) == 3

    async def test_but_what_is_nobodys_stays_with_the_fallback_agent(self) -> None:
        policy = AggregationPolicy({"*": Solo()}, sizes={"*": 2})
        agents = [agent(name, f"Says {name}.", examples=[f"about the {name}"]) for name in ("garden", "music")]
        asked = Mixture(agents, router=Router(WordEncoder()), aggregator=Auto(policy), fallback="music")
        routing = await asked.route("zebra")
        assert (routing.panel, routing.fallback) == (("music",), True)

    async def test_a_file_is_read_when_the_first_question_comes(self, tmp_path: Path) -> None:
        file = tmp_path / "policy.json"
        asked = mixture(DRAFTS, Auto(file))
        file.write_text(json.dumps({"format": 1, "kinds": {"*": {"aggregator": "vote"}}}))
        assert (await ask(asked)).answer.aggregator.ran == "vote"

    async def test_a_broken_file_is_told_of_before_anybody_is_asked(self, tmp_path: Path) -> None:
        math = model("never")
        with pytest.raises(LoadError, match=r"nothing\.json cannot be read: No such file"):
            await ask(mixture({"math": math}, Guard(Auto(str(tmp_path / "nothing.json")))))
        assert math.requests == []
