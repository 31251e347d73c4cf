"""The scripts that Tesseract has data for, and what to call them."""

from __future__ import annotations

import json
import unicodedata
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

_DATA = Path(__file__).with_name("scripts.json")


class Script(BaseModel):
    """`en`, `zh`: its names for people. `languages`: Tesseract's names of the data that read it. `signs`:
    how Unicode's names of its characters begin. `seen_as`: what Tesseract's script detection calls it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    en: str
    zh: str
    languages: tuple[str, ...]
    signs: str
    seen_as: tuple[str, ...]


UNKNOWN = Script(name="unknown", en="unknown", zh="无法辨认的文字", languages=(), signs="", seen_as=())


@cache
def scripts() -> tuple[Script, ...]:
    """All that are known, PP-OCRv6's own left out."""
    return tuple(Script.model_validate(each) for each in json.loads(_DATA.read_text(encoding="utf-8")))


@cache
def script_of(language: str) -> Script:
    """The script that Tesseract's data `language` read. Raises KeyError for a language that is not known."""
    for script in scripts():
        if language in script.languages:
            return script
    raise KeyError(language)


def seen(name: str) -> Script | None:
    """The script that Tesseract's detection calls `name`; None for those that PP-OCRv6 reads itself."""
    return next((script for script in scripts() if name in script.seen_as), None)


def share(text: str, script: Script) -> float:
    """How much of the text's letters is the script's: 0..1, 0 where there are none."""
    letters = [sign for sign in text if unicodedata.category(sign)[0] in "LM"]
    own = [sign for sign in letters if unicodedata.name(sign, "").startswith(script.signs)]
    return len(own) / len(letters) if letters else 0.0
