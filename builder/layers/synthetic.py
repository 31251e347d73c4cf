"""A stand-in for HunyuanOCR 1.0: its tensors' names, shapes and dtype, filled with reproducible random values.

For building and measuring where the weights cannot be had. It loads and computes as the model does,
and reads nothing. Names and shapes were taken from transformers 5.13 with the published sizes
(996,208,112 parameters), under the names that the published files use. The published shard sizes
are known to the megabyte; how tensors fall on shards is not, so here they fall in the order of the
network, each shard ending at the tensor that brings it nearest.
"""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

SHARD_MEGABYTES = (440, 453, 462, 638)
_HIDDEN, _FEED, _LAYERS, _VOCABULARY = 1024, 3584, 24, 120818
_SEEN, _SEEN_FEED, _SEEN_LAYERS, _PLACES = 1152, 4304, 27, 128 * 128 + 1
_CHUNK = 1 << 24
_ONE = b"\x80\x3f"
"""1.0 in bfloat16, little-endian."""

# The high byte of a bfloat16 is its sign and most of its exponent: these give magnitudes around 2^-6.
_SMALL = bytes((0x3C, 0xBC, 0x3B, 0xBB)[value % 4] for value in range(256))


@dataclass(frozen=True)
class Tensor:
    """A tensor in bfloat16."""

    name: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """In bytes."""
        return 2 * prod(self.shape)

    @property
    def is_scale(self) -> bool:
        """Weights of normalisations are one in a network that has learnt nothing."""
        return self.name.endswith(("norm.weight", "_rms.weight"))


def tensors() -> list[Tensor]:
    """All tensors, in the order of the network: text first, then the picture's side."""
    return [*_text(), *_vision(), *_merger()]


def _text() -> Iterator[Tensor]:
    yield Tensor("model.embed_tokens.weight", (_VOCABULARY, _HIDDEN))
    for number in range(_LAYERS):
        layer = f"model.layers.{number}"
        for name, rows, columns in (("q", 2048, _HIDDEN), ("k", 1024, _HIDDEN), ("v", 1024, _HIDDEN)):
            yield Tensor(f"{layer}.self_attn.{name}_proj.weight", (rows, columns))
        yield Tensor(f"{layer}.self_attn.o_proj.weight", (_HIDDEN, 2048))
        yield Tensor(f"{layer}.self_attn.query_layernorm.weight", (128,))
        yield Tensor(f"{layer}.self_attn.key_layernorm.weight", (128,))
        yield Tensor(f"{layer}.mlp.gate_proj.weight", (_FEED, _HIDDEN))
        yield Tensor(f"{layer}.mlp.up_proj.weight", (_FEED, _HIDDEN))
        yield Tensor(f"{layer}.mlp.down_proj.weight", (_HIDDEN, _FEED))
        yield Tensor(f"{layer}.input_layernorm.weight", (_HIDDEN,))
        yield Tensor(f"{layer}.post_attention_layernorm.weight", (_HIDDEN,))
    yield Tensor("model.norm.weight", (_HIDDEN,))


def _vision() -> Iterator[Tensor]:
    yield Tensor("vit.embeddings.patch_embedding.weight", (_SEEN, 3, 16, 16))
    yield Tensor("vit.embeddings.patch_embedding.bias", (_SEEN,))
    yield Tensor("vit.embeddings.position_embedding.weight", (_PLACES, _SEEN))
    for number in range(_SEEN_LAYERS):
        layer = f"vit.layers.{number}"
        for name, rows, columns in (
            *((f"self_attn.{part}_proj", _SEEN, _SEEN) for part in "qkvo"),
            ("mlp.dense_h_to_4h", _SEEN_FEED, _SEEN),
            ("mlp.dense_4h_to_h", _SEEN, _SEEN_FEED),
        ):
            yield Tensor(f"{layer}.{name}.weight", (rows, columns))
            yield Tensor(f"{layer}.{name}.bias", (rows,))
        for name in ("input_layernorm", "post_attention_layernorm"):
            yield Tensor(f"{layer}.{name}.weight", (_SEEN,))
            yield Tensor(f"{layer}.{name}.bias", (_SEEN,))


def _merger() -> Iterator[Tensor]:
    wide = 4 * _SEEN
    for name, shape in (
        *(("proj.0.weight", (2 * _SEEN, _SEEN, 2, 2)), ("proj.0.bias", (2 * _SEEN,))),
        *(("proj.2.weight", (wide, 2 * _SEEN, 1, 1)), ("proj.2.bias", (wide,))),
        *(("mlp.weight", (_HIDDEN, wide)), ("mlp.bias", (_HIDDEN,))),
        *(("before_rms.weight", (_SEEN,)), ("after_rms.weight", (_HIDDEN,)), ("image_newline", (wide,))),
        *((f"image_{name}", (_HIDDEN,)) for name in ("begin", "end", "sep")),
    ):
        yield Tensor(f"vit.perceive.{name}", shape)


def shards(all_tensors: list[Tensor]) -> list[list[Tensor]]:
    """Part the tensors so that each shard is as near its published size as whole tensors allow."""
    parts: list[list[Tensor]] = [[]]
    ends = [sum(SHARD_MEGABYTES[: count + 1]) * 1_000_000 for count in range(len(SHARD_MEGABYTES))]
    place = 0
    for tensor in all_tensors:
        middle = place + tensor.size / 2
        if len(parts) < len(ends) and parts[-1] and middle > ends[len(parts) - 1]:
            parts.append([])
        parts[-1].append(tensor)
        place += tensor.size
    return parts


def write_synthetic(folder: Path, report: Callable[[int, int], None]) -> None:
    """Write the whole model folder: shards, index, configuration, a tokenizer of the right size, a mark."""
    parts = shards(tensors())
    total = sum(tensor.size for part in parts for tensor in part)
    place: dict[str, str] = {}
    done = 0
    for number, part in enumerate(parts, start=1):
        name = f"model-{number:05}-of-{len(parts):05}.safetensors"
        write_safetensors(folder / name, part)
        place.update(dict.fromkeys((tensor.name for tensor in part), name))
        done += sum(tensor.size for tensor in part)
        report(done, total)
    index = {"metadata": {"total_size": total}, "weight_map": place}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2, sort_keys=True))
    settings = Path(__file__).with_name("hunyuan-settings")
    for file in sorted(settings.iterdir()):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "tokenizer.json").write_text(json.dumps(_tokenizer(), ensure_ascii=False))
    (folder / "SYNTHETIC").write_text("Random tensors in the shapes of HunyuanOCR 1.0. They read nothing.\n")


def write_safetensors(file: Path, part: list[Tensor]) -> None:
    """The format of safetensors: a length, a JSON header, the tensors one behind the other."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    place = 0
    for tensor in part:
        offsets = [place, place + tensor.size]
        header[tensor.name] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": offsets}
        place += tensor.size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with file.open("wb") as sink:
        sink.write(struct.pack("<Q", len(text)) + text)
        for tensor in part:
            for piece in _values(tensor):
                sink.write(piece)


def _values(tensor: Tensor) -> Iterator[bytes]:
    if tensor.is_scale:
        yield _ONE * (tensor.size // 2)
        return
    source = random.Random(f"inkstick {tensor.name}")
    left = tensor.size // 2
    while left:
        count = min(left, _CHUNK // 2)
        piece = bytearray(2 * count)
        piece[0::2] = source.randbytes(count)
        piece[1::2] = source.randbytes(count).translate(_SMALL)
        yield bytes(piece)
        left -= count


def _tokenizer() -> dict[str, object]:
    """Bytes, and as many words nobody types as make the vocabulary whole; special tokens where they belong."""
    special = {
        120000: "<｜hy_begin▁of▁sentence｜>",
        120002: "<｜hy_▁pad▁｜>",
        120006: "<｜hy_User｜>",
        120007: "<｜hy_Assistant｜>",
        **{120018 + n: f"<｜hy_place▁holder▁no▁{n}｜>" for n in range(800)},
    }
    words = {symbol: number for number, symbol in enumerate(_byte_symbols())}
    for number in range(len(words), _VOCABULARY):
        words[special.get(number, f"<unused {number}>")] = number
    added = [
        {
            **{"id": number, "content": content, "single_word": False, "lstrip": False, "rstrip": False},
            **{"normalized": False, "special": True},
        }
        for number, content in sorted(special.items())
    ]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}
    model: dict[str, object] = {
        **{"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None},
        **{"end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "vocab": words, "merges": []},
    }
    return {
        **{"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None},
        **{"pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level, "model": model},
    }


def _byte_symbols() -> list[str]:
    """GPT-2's printable stand-ins for the 256 bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]
