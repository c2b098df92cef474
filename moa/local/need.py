"""How much memory a model will take: estimated from the header of its file, before anything of it is loaded.

What counts is what the child process holds (its resident set) once it has answered. The engine reads the weights into
memory of its own, so that all of it is held: nothing is a view of the file that the system could drop and read again in
the middle of an answer. The table in `docs/local-models.md` shows the estimates beside what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from moa.local.devices import Load
from moa.local.gguf import Attention, Header

_BATCH_TOKENS = 512  # llama.cpp reads a prompt in pieces of so many tokens (n_ubatch)
_CELL_TOKENS = 256  # and keeps room for conversations in pieces of so many
_CHECKPOINTS = 4  # states of a conversation that the engine is told to keep where a window or a state forgets tokens
_HALF, _SINGLE = 2, 4  # bytes of a number: keys and values are half precision, everything in between is single

# Fitted to what llama.cpp reserves for models of 0.1 to 1.5 billion parameters, where they are exact to 0.1 %:
_FEED_FORWARD_BUFFERS = 3  # the gate, its partner, and their product
_EMBEDDING_BUFFERS = 5
_MORE_NUMBERS = 64  # for each token: positions, output ids and the like

# Measured: the process without the model, 36 MB at first, and what a hundred requests with schemas and probabilities
# added, 11 MB, with room for more. The second is the vocabulary, with the texts and merges of its tokens.
_PROGRAM_BYTES = 64 * 10**6
_VOCABULARY_ENTRY_BYTES = 420
_UNKNOWN_VOCABULARY = 256_000  # nearly the largest there is

_UNKNOWN_HEADER_SHARE = 0.25  # of the weights: what is set aside where the header says nothing of its layers


@dataclass(frozen=True, slots=True)
class Need:
    """What a loaded model takes, in bytes."""

    weights: int
    kv: int
    """The keys and values of every conversation it can hold, taken whole when it is loaded (the KV cache)."""
    compute: int
    """What is in between the layers while it reads a prompt."""
    adapters: int = 0
    program: int = 0
    """The engine itself, with the vocabulary."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.kv + self.compute + self.adapters + self.program


def need_of(
    header: Header, *, context: int, slots: int, file_bytes: int, adapter_bytes: int = 0, embeds: bool = False
) -> Need:
    """Estimate what a model will take on a CPU.

    Args:
        header: of its file; of a model in several files, of the first.
        context: tokens that each slot can take.
        slots: conversations at the same time; at least 1.
        file_bytes: size of the file, of all files together if there are several.
        adapter_bytes: size of the files of all adapters that are loaded with it.
        embeds: whether it turns texts into vectors: then a whole text is one batch.
    """
    vocabulary = header.vocabulary or _UNKNOWN_VOCABULARY
    program = _PROGRAM_BYTES + vocabulary * _VOCABULARY_ENTRY_BYTES
    if not header.layers or not header.embedding:
        return Need(file_bytes, 0, int(file_bytes * _UNKNOWN_HEADER_SHARE), adapter_bytes, program)
    batch = context if embeds else min(_BATCH_TOKENS, context * slots)
    return Need(
        weights=file_bytes,
        kv=kv_bytes(header.attention, context, slots),
        compute=_compute_bytes(header, batch, context) + slots * vocabulary * _SINGLE,
        adapters=adapter_bytes,
        program=program,
    )


def load_of(header: Header, *, context: int, slots: int, file_bytes: int) -> Load:
    """Return what of a model could go to GPUs, layer by layer. The arguments are those of `need_of`.

    Of a model in several files, whose first says nothing of the tensors in the others, all layers count the same. A
    model that does not say how many layers it has counts as one.
    """
    need = need_of(header, context=context, slots=slots, file_bytes=file_bytes)
    weights, output = header.layer_bytes, header.output_bytes
    if header.pieces > 1 or not any(weights):
        each = file_bytes // ((header.layers or 1) + 1)
        weights, output = (each,) * (header.layers or 1), each
    kv = kv_layer_bytes(header.attention, context, slots) or (0,) * len(weights)
    return Load(
        tuple(weight + cache for weight, cache in zip(weights, kv, strict=True)), output, need.compute + need.adapters
    )


def kv_bytes(attention: Attention, context: int, slots: int) -> int:
    """Return the bytes of the keys and values of every conversation."""
    return sum(kv_layer_bytes(attention, context, slots))


def kv_layer_bytes(attention: Attention, context: int, slots: int) -> tuple[int, ...]:
    """Return the bytes of the keys and values of every conversation, for each layer.

    Layers with a sliding window keep the window and a batch; for each conversation the engine also keeps copies of
    that (checkpoints), to go back to. Layers without attention keep a state in place of keys and values.
    """
    numbers = attention.key_length + attention.value_length
    whole = _cells(context)
    window = min(whole, _cells((attention.window or context) + _BATCH_TOKENS))
    copies = 1 + _CHECKPOINTS
    kept = []
    for layer, heads in enumerate(attention.kv_heads):
        windowed = bool(attention.window and attention.windowed and attention.windowed[layer])
        cache = heads * numbers * _HALF * (window * copies if windowed else whole)
        kept.append(slots * (cache + attention.state * _SINGLE * copies))
    return tuple(kept)


def _compute_bytes(header: Header, batch: int, context: int) -> int:
    """Return the bytes of what lies between layers while a batch is read, with flash attention."""
    embedding = header.embedding or 0
    numbers = _EMBEDDING_BUFFERS * embedding + _FEED_FORWARD_BUFFERS * (header.feed_forward or 4 * embedding)
    mask = batch * _cells(context) * _HALF  # which token may look at which
    return batch * (numbers + _MORE_NUMBERS) * _SINGLE + mask


def _cells(tokens: int) -> int:
    """Return how many tokens there is room for, if room for so many is asked for."""
    return -(-tokens // _CELL_TOKENS) * _CELL_TOKENS
