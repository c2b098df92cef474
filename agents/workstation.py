"""Larger models that were trained for their fields, on one GPU with 24 GB.

    moa chat agents/workstation.py

Each is downloaded from the Hugging Face hub when it is first asked, 2.5 to 4.7 GB apiece and 21 GB together. With the
memory of their conversations they take 5 to 7 GB each by moa's own estimate. So with 24 GB of GPU memory any two
specialists and the aggregator are loaded at the same time, and all five take turns. Read their licences: medgemma comes
with Google's terms for health models. For one GPU with 80 GB there is gpu_80gb.py.

If vLLM or another OpenAI-compatible server runs the models, name its address instead of the weights, one server
a model, or one for several:

    vllm serve Qwen/Qwen2.5-Math-7B-Instruct --port 8001
    math.using("http://127.0.0.1:8001/v1#Qwen/Qwen2.5-Math-7B-Instruct")

This mixture was put together from the models' published cards. Nobody had such a GPU to run it on: what goes to a GPU
is decided by moa/local/devices.py, which is tested with descriptions of GPUs.
"""

from moa import Mixture, Router, Synthesize

from .code import code
from .general import general
from .law import law
from .math import math
from .medicine import medicine

GENERALIST = "local:bartowski/Qwen2.5-7B-Instruct-GGUF:Q4_K_M"

mixture = Mixture(
    [
        general.using(GENERALIST),
        math.using("local:bartowski/Qwen2.5-Math-7B-Instruct-GGUF:Q4_K_M"),
        code.using("local:bartowski/Qwen2.5-Coder-7B-Instruct-GGUF:Q4_K_M"),
        law.using("local:MaziyarPanahi/Saul-Instruct-v1-GGUF:Q4_K_M"),
        medicine.using("local:unsloth/medgemma-4b-it-GGUF:Q4_K_M"),
    ],
    name="workstation",
    router=Router(k=2, margin=0.15),
    aggregator=Synthesize(GENERALIST),
    fallback="general",
)
