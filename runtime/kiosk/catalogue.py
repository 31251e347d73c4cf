"""The page's words: one gettext catalogue a language beside the templates, with keys for its msgids."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

PAGES = Path(__file__).resolve().parent.parent / "pages"
LANGUAGES = ("zh", "en")
TAGS = {"zh": "zh-CN", "en": "en"}  # as the page's lang attributes have them


@cache
def messages(language: str) -> dict[str, str]:
    """Key to text, of those that have one; "{name}" in a text is filled in by the browser."""
    with open(PAGES / "messages" / f"{language}.po", "rb") as file:
        catalogue = read_po(file, abort_invalid=True)
    return {str(message.id): str(message.string) for message in catalogue if message.id and message.string}


@cache
def kiosk_words() -> dict[str, dict[str, str]]:
    """By language, what the clerk's page says: not what the admin page does, nor what stands in files."""
    return {
        language: {key: text for key, text in messages(language).items() if not key.startswith(("admin", "sheet."))}
        for language in LANGUAGES
    }


def other(language: str) -> str:
    return "en" if language == "zh" else "zh"
