"""The same five specialists on hosted models, through litellm.

It works as soon as three keys are in the environment:

    export GEMINI_API_KEY=…         # general          https://aistudio.google.com
    export OPENAI_API_KEY=…         # math, medicine   https://platform.openai.com
    export ANTHROPIC_API_KEY=…      # code, law, and the aggregator   https://console.anthropic.com
    moa chat agents/cloud.py

With fewer keys, change the model names: any model that litellm knows will do, such as `mistral/mistral-large-latest`
(MISTRAL_API_KEY) or `openrouter/…` (OPENROUTER_API_KEY, one key for all of them). `moa agents agents/cloud.py` says
which agents are ready. Every answer costs money; `budget=Budget(usd=0.10)` in the mixture stops one that would cost
more than that.
"""

from dataclasses import replace

from moa import Agent, Mixture, Router, Synthesize

from .code import code
from .general import general
from .law import law
from .math import math
from .medicine import medicine


def hosted(agent: Agent, model: str) -> Agent:
    """Return the specialist on a hosted model, which chooses its own temperature and needs room to think."""
    return replace(agent, model=model, temperature=None, max_tokens=None, timeout=120.0)


mixture = Mixture(
    [
        hosted(general, "gemini/gemini-3.5-flash"),
        hosted(math, "openai/gpt-5.4"),
        hosted(code, "anthropic/claude-sonnet-5"),
        hosted(law, "anthropic/claude-sonnet-5"),
        hosted(medicine, "openai/gpt-5.4"),
    ],
    name="cloud",
    router=Router(k=2, margin=0.2),
    aggregator=Synthesize("anthropic/claude-sonnet-5", temperature=None),
    fallback="general",
)
