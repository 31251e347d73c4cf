"""Fields as the model gives them: one JSON object, mostly in a ```json fence."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_FENCE = re.compile(r"```(?:json)?[ \t]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_FULL_WIDTH = str.maketrans({"：": ":", "，": ",", "｛": "{", "｝": "}"})
_CLOSING = {"{": "}", "[": "]"}


@dataclass(frozen=True)
class Fields:
    """`values`: text by name, numbers as they were written. `repaired`: a mistake was set right."""

    values: dict[str, str]
    repaired: bool = False


class _Ambiguous(ValueError):
    """The object could mean more than one thing."""


def fields(answer: str) -> Fields | None:
    """The object in `answer`; None if there is none, or one that could mean more than one thing.

    Set right are only mistakes in the marks around the values: a comma too many, brackets that are
    missing at the end, full-width punctuation. A value that was cut short is never guessed.
    """
    fenced = _FENCE.search(answer)
    text = (fenced[1] if fenced else answer[answer.find("{") :] if "{" in answer else answer).strip()
    try:
        return Fields(_loaded(text))
    except _Ambiguous:
        return None
    except ValueError:
        pass
    mended = _mended(text)
    try:
        return None if mended is None else Fields(_loaded(mended), repaired=True)
    except ValueError:
        return None


def _loaded(text: str) -> dict[str, str]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise _Ambiguous
        return found

    loaded = json.loads(text, strict=False, parse_int=str, parse_float=str, object_pairs_hook=unique)
    if not isinstance(loaded, dict):
        raise _Ambiguous
    return {name: _text(value) for name, value in loaded.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _mended(text: str) -> str | None:
    """`text` with its marks set right; None if it ends within a string."""
    parts: list[str] = []
    open_brackets: list[str] = []
    inside = False
    for piece in re.split(r'((?<!\\)(?:\\\\)*")', text):
        if piece.endswith('"') and not piece.strip('\\"'):
            inside = not inside
            parts.append(piece)
        elif inside:
            parts.append(piece)
        else:
            marks = piece.translate(_FULL_WIDTH)
            parts.append(marks)
            for mark in marks:
                if mark in _CLOSING:
                    open_brackets.append(mark)
                elif mark in _CLOSING.values() and (not open_brackets or _CLOSING[open_brackets.pop()] != mark):
                    return None
    if inside:
        return None
    whole = "".join(parts).rstrip().removesuffix(",") + "".join(_CLOSING[mark] for mark in reversed(open_brackets))
    return re.sub(r'("|\]|\}|\d)\s*,(\s*[}\]])', r"\1\2", whole)
