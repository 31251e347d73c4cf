"""The page's words, one JSON file a language beside the templates."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

PAGES = Path(__file__).resolve().parent.parent / "pages"
LANGUAGES = ("zh", "en")


@cache
def messages(language: str) -> dict[str, str]:
    """Key to text; "{name}" in a text is filled in by the browser."""
    text = (PAGES / "messages" / f"{language}.json").read_text(encoding="utf-8")
    loaded: dict[str, str] = json.loads(text)
    return loaded


def other(language: str) -> str:
    return "en" if language == "zh" else "zh"
