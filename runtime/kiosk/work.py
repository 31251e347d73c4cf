"""A page in hand: what is being done to it, for how long, and what the engine has written so far."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from runtime.kiosk.pages import Page
from runtime.results import Progress

_SHOWN_CHARACTERS = 4000
"""Of what is being written, the end is shown."""


@dataclass(eq=False)
class Work:
    page: Page
    task: asyncio.Task[None]
    started: float = field(default_factory=time.monotonic)
    progress: Progress = field(default_factory=lambda: Progress(stage="queued"))
    text: str = ""

    def tell(self, progress: Progress) -> None:
        """An engine that begins the page anew writes it anew."""
        self.progress = progress
        if progress.stage != "recognise":
            self.text = ""
        self.text = (self.text + progress.text)[-_SHOWN_CHARACTERS:]

    def state(self, number: int, now: float) -> dict[str, Any]:
        return {
            "n": number,
            "name": self.page.name,
            "place": self.page.place,
            "sheets": self.page.sheets,
            "stage": self.progress.stage,
            "done": self.progress.done,
            "total": self.progress.total,
            "text": self.text,
            "elapsed_s": now - self.started,
        }
