"""Hosted providers and the environment variables that hold their keys, so that litellm need not be imported to look."""

from __future__ import annotations

from moa.backends.keys import Secret, read_key

_TOGETHER = ("TOGETHERAI_API_KEY", "TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHER_AI_TOKEN")
_FIREWORKS = ("FIREWORKS_AI_API_KEY", "FIREWORKS_API_KEY", "FIREWORKSAI_API_KEY", "FIREWORKS_AI_TOKEN")

KEY_VARIABLES: dict[str, tuple[str, ...]] = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "cerebras": ("CEREBRAS_API_KEY",),
    "cohere": ("COHERE_API_KEY", "CO_API_KEY"),
    "cohere_chat": ("COHERE_API_KEY", "CO_API_KEY"),
    "dashscope": ("DASHSCOPE_API_KEY",),
    "deepinfra": ("DEEPINFRA_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "fireworks_ai": _FIREWORKS,
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "github": ("GITHUB_API_KEY",),
    "groq": ("GROQ_API_KEY",),
    "huggingface": ("HF_TOKEN", "HUGGINGFACE_API_KEY"),
    "mistral": ("MISTRAL_API_KEY",),
    "moonshot": ("MOONSHOT_API_KEY",),
    "nvidia_nim": ("NVIDIA_NIM_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY", "OR_API_KEY"),
    "perplexity": ("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
    "sambanova": ("SAMBANOVA_API_KEY",),
    "together_ai": _TOGETHER,
    "xai": ("XAI_API_KEY",),
    "zai": ("ZAI_API_KEY",),
}
"""Provider → the variables of which one must hold its key, the usual one first.

Only providers for which nothing but a key will do. Those that also know roles, profiles or tokens of their own
(Bedrock, Vertex, Azure, …) are left to litellm.
"""

KEYLESS = frozenset({"ollama", "ollama_chat", "llamafile", "lm_studio"})
"""Servers on one's own machine: they need no key and cost nothing."""


def find_key(variables: tuple[str, ...]) -> tuple[str, Secret] | None:
    """Return the first variable that holds a key (or whose `…_FILE` twin names a file that does), and the key.

    Raises:
        MissingKeyError: a key file cannot be read, or what is there is no key.
    """
    for variable in variables:
        if key := read_key(variable):
            return variable, key
    return None
