"""Larger models that were trained for their fields, on one GPU.

    moa chat agents/workstation.py

Each is downloaded from the Hugging Face hub when it is first asked, 2.5 to 4.7 GB apiece and 21 GB together. With
24 GB of GPU memory all of them stay loaded; with less they take turns. Read their licences: medgemma comes with
Google's terms for health models.

If vLLM or another OpenAI-compatible server runs the models, name its address instead of the weights, one server
a model, or one for several:

    vllm serve Qwen/Qwen2.5-Math-7B-Instruct --port 8001
    math.using("http://127.0.0.1:8001/v1#Qwen/Qwen2.5-Math-7B-Instruct")

This mixture was put together from the models' published cards; it is not part of the project's tests, which have no
GPU and no hub.
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
