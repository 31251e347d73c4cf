"""One save: what was asked, how far it is, what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from runtime.media.wire import Saved, SaveProgress, Stick
from runtime.problems import Problem


@dataclass
class Saving:
    """`result` and `problem` are both None while it runs. `left_out`: pages that were not read."""

    stick: Stick
    pages: int
    left_out: int
    progress: SaveProgress = field(default_factory=lambda: SaveProgress("write", 0, 0))
    result: Saved | None = None
    problem: Problem | None = None

    @property
    def running(self) -> bool:
        return self.result is None and self.problem is None

    def state(self) -> dict[str, Any]:
        return {
            "state": "running" if self.running else "done" if self.result else "failed",
            "stick": self.stick.label,
            "stick_id": self.stick.id,
            "pages": self.pages,
            "left_out": self.left_out,
            "stage": self.progress.stage,
            "done": self.progress.done,
            "total": self.progress.total,
            "folder": self.result.folder if self.result else "",
            "names": list(self.result.names) if self.result else [],
            "problem": self.problem.kind.code if self.problem else None,
            "detail": self.problem.detail if self.problem else "",
        }
