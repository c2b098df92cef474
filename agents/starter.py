"""The starter mixture: real models that run on any computer, with no key, no GPU and no account.

It is here to show how a mixture works, not how good one can be. All five agents run on two small models, of 0.5 and
1.5 billion parameters, which were trained for code. They stand in for true specialists: the law and medicine agents
are the same weights as the math agent, with other instructions, and they make mistakes that a specialist would not.
For better answers use `cloud.py` or `workstation.py` beside this file, or give an agent a model of your own:
`law.using("ollama/…")`.

    moa chat                        # this mixture, if nothing else is named
    moa ask "What is 17 * 23?"
"""

from moa import Mixture, Router, Synthesize

from .code import code
from .general import general
from .law import law
from .math import math
from .medicine import medicine

mixture = Mixture(
    [general, math, code, law, medicine],
    name="starter",
    # Two answer only where a question plainly belongs to both fields: a second draft and its synthesis cost twice the
    # time, and models this small seldom repay it.
    router=Router(k=2, margin=0.1),
    aggregator=Synthesize("local:qwen2.5-coder-1.5b-instruct"),
    fallback="general",
)
