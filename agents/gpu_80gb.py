"""Large models that were trained for their fields, on one GPU with 80 GB.

    moa chat agents/gpu_80gb.py

Each is downloaded from the Hugging Face hub when it is first asked, 4.4 to 20 GB apiece and 65 GB together. With the
memory of their conversations they take about 78 GB by moa's own estimate, so that on a card of 80 GB that does nothing
else all of them stay loaded. With less they take turns, or a part of a model is done by the processor. Read their
licences: medgemma comes with Google's terms for health models.

This mixture was put together from the models' published cards. Nobody had such a GPU to run it on: what goes to a GPU
is decided by moa/local/devices.py, which is tested with descriptions of GPUs.
"""

from moa import Mixture, Router, Synthesize
from moa.backends.local import LocalModel

from .code import code
from .general import general
from .law import law
from .math import math
from .medicine import medicine

# The generalist drafts and aggregates, and remembers one conversation for each.
GENERALIST = LocalModel("bartowski/Qwen2.5-32B-Instruct-GGUF:Q4_K_M", slots=2)

mixture = Mixture(
    [
        general.using(GENERALIST),
        math.using(LocalModel("bartowski/Qwen2.5-Math-7B-Instruct-GGUF:Q4_K_M", slots=1)),
        code.using(LocalModel("bartowski/Qwen2.5-Coder-32B-Instruct-GGUF:Q4_K_M", slots=1)),
        law.using(LocalModel("MaziyarPanahi/Saul-Instruct-v1-GGUF:Q4_K_M", slots=1)),
        medicine.using(LocalModel("unsloth/medgemma-27b-text-it-GGUF:Q4_K_M", slots=1)),
    ],
    name="gpu_80gb",
    router=Router(k=2, margin=0.15),
    aggregator=Synthesize(GENERALIST),
    fallback="general",
)
