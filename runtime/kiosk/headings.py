"""What stands around the results in a person's files: in the language of the page, as the page says it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runtime.fields.forms import Form
from runtime.kiosk import catalogue
from runtime.kiosk.pages import Page
from runtime.outputs.labels import ENGLISH, Labels, Origin

_NUMBER = re.compile(r"\d+")


def labels(pages: Sequence[Page], language: str) -> Labels:
    """For a file of these pages, in their order."""
    words = catalogue.messages(language)
    forms = {
        page.recognised.form.name: page.recognised.form for page in pages if page.recognised and page.recognised.form
    }

    def form_title(name: str) -> str:
        form: Form | None = forms.get(name)
        title = "" if form is None else form.title_zh if language == "zh" else form.title
        return title or (words["sheet.keys"] if name == "keys" else name)

    def sentence(english: str) -> str:
        """As js/review/fields.js says it."""
        kind = re.sub(r"[^a-z]+", "_", _NUMBER.sub("n", english.lower())).strip("_")
        number = _NUMBER.search(english)
        return words.get(f"why.{kind}", english).replace("{n}", number[0] if number else "")

    return Labels(
        {key: words[f"sheet.{key}"] for key in ENGLISH},
        tuple(Origin(page.name, page.place + 1) for page in pages),
        form_title,
        sentence,
    )
