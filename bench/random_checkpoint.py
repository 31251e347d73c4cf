"""A checkpoint in HunyuanOCR's form with random weights: for speed, size and start, never for reading."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fixtures.hunyuan_format import BOS, EOS, IMAGE, IMAGE_END, IMAGE_START, NEWLINE, PAD, REAL_NUMBERS, TEMPLATE

_VOCABULARY = 120818
_SEED = 2718


@dataclass(frozen=True)
class Shape:
    """Of the text model: `layers` of `width`, `heads` of `head` and `groups` of keys; likewise of the vision tower."""

    width: int
    inner: int
    layers: int
    heads: int
    groups: int
    head: int
    vision_width: int
    vision_inner: int
    vision_layers: int
    vision_heads: int
    positions: int


SHAPES = {
    "real": Shape(1024, 3584, 24, 16, 8, 128, 1152, 4304, 27, 16, 2048),
    "small": Shape(64, 128, 2, 2, 1, 32, 32, 64, 1, 2, 256),
}
"""`real` is that of 1.0 and 1.5: 996,208,112 parameters, of which the text model has 539 million."""


def write_checkpoint(folder: Path, name: str, *, dtype: str, least_pixels: int) -> dict[str, int]:
    """Write SHAPES[name] to `folder`, in Tencent's own flat configuration; needs torch and transformers.

    Answers the number of parameters, `all` of them and the `text` model's.
    """
    import torch
    from transformers import HunYuanVLConfig, HunYuanVLForConditionalGeneration

    shape = SHAPES[name]
    flat = _configuration(shape, dtype)
    torch.manual_seed(_SEED)
    with torch.device("meta"):
        network = HunYuanVLForConditionalGeneration(HunYuanVLConfig(**flat)).to(getattr(torch, dtype))
    network = network.to_empty(device="cpu")
    with torch.no_grad():
        for label, parameter in network.named_parameters():
            if "norm" in label or "_rms" in label:
                parameter.fill_(1.0)
            else:
                parameter.normal_(std=0.02)
    network.tie_weights()
    network.save_pretrained(folder, safe_serialization=True)
    _write_json(folder / "config.json", flat)
    _write_json(folder / "preprocessor_config.json", _preprocessor(least_pixels))
    tokens = {"bos_token_id": REAL_NUMBERS[BOS], "pad_token_id": REAL_NUMBERS[PAD]}
    _write_json(folder / "generation_config.json", {**tokens, "eos_token_id": [REAL_NUMBERS[EOS]]})
    _write_tokenizer(folder)
    text = sum(each.numel() for each in network.model.language_model.parameters())
    return {"all": sum(each.numel() for each in network.parameters()), "text": text}


def _configuration(shape: Shape, dtype: str) -> dict[str, Any]:
    section = shape.head // 8
    return {
        "architectures": ["HunYuanVLForConditionalGeneration"],
        "model_type": "hunyuan_vl",
        "dtype": dtype,
        "torch_dtype": dtype,
        "vocab_size": _VOCABULARY,
        "org_vocab_size": _VOCABULARY,
        "hidden_size": shape.width,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.groups,
        "head_dim": shape.head,
        "attention_head_dim": shape.head,
        "hidden_act": "silu",
        "max_position_embeddings": 32768,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "rope_scaling": {"type": "xdrope", "alpha": 1000.0, "factor": 1.0, "xdrope_section": [section] * 4},
        "use_qk_norm": True,
        "tie_word_embeddings": True,
        "bos_token_id": REAL_NUMBERS[BOS],
        "eos_token_id": REAL_NUMBERS[EOS],
        "pad_token_id": REAL_NUMBERS[PAD],
        "pad_id": REAL_NUMBERS[PAD],
        "image_token_id": REAL_NUMBERS[IMAGE],
        "im_start_id": REAL_NUMBERS[IMAGE_START],
        "im_end_id": REAL_NUMBERS[IMAGE_END],
        "im_newline_id": REAL_NUMBERS[NEWLINE],
        "vision_config": {
            "hidden_size": shape.vision_width,
            "intermediate_size": shape.vision_inner,
            "num_hidden_layers": shape.vision_layers,
            "num_attention_heads": shape.vision_heads,
            "hidden_act": "gelu",
            "patch_size": 16,
            "spatial_merge_size": 2,
            "temporal_patch_size": 1,
            "max_image_size": shape.positions,
            "interpolate_mode": "bilinear",
            "out_hidden_size": shape.width,
            "text_hidden_size": shape.width,
            "rms_norm_eps": 1e-5,
            "num_channels": 3,
        },
    }


def _preprocessor(least_pixels: int) -> dict[str, Any]:
    return {
        "image_processor_type": "HunYuanVLImageProcessor",
        "processor_class": "HunYuanVLProcessor",
        "min_pixels": least_pixels,
        "max_pixels": 2048 * 2048,
        "patch_size": 16,
        "merge_size": 2,
        "temporal_patch_size": 1,
        "resample": 1,
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
    }


def _write_tokenizer(folder: Path) -> None:
    """Bytes and nothing else, with the special tokens at the real numbers."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    named = {number: token for token, number in REAL_NUMBERS.items()}
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = [named.get(number, f"<unused {number}>") for number in range(_VOCABULARY)]
    words[: len(alphabet)] = alphabet
    core = Tokenizer(models.BPE({word: number for number, word in enumerate(words)}, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in REAL_NUMBERS])
    PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        extra_special_tokens={
            "image_token": IMAGE,
            "image_start_token": IMAGE_START,
            "image_end_token": IMAGE_END,
        },
        chat_template=TEMPLATE,
    ).save_pretrained(folder)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
