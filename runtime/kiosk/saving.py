"""Taking results out to a stick: what was chosen to go out, and one save: how far it is, what became of it."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from runtime.config import StationConfig
from runtime.documents.cage import Cage
from runtime.kiosk import catalogue
from runtime.kiosk.composing import Made, Pictures, compose
from runtime.kiosk.exports import OFFERED, Choice, Per, Taken
from runtime.kiosk.pages import Page
from runtime.kiosk.parts import Left, Part, Put
from runtime.kiosk.provenance import evidence
from runtime.kiosk.reading import Reading
from runtime.media.client import MediaClient, Output
from runtime.media.failures import HELPER_DOWN
from runtime.media.wire import Saved, SaveProgress, SaveStage, Stick
from runtime.outputs.formats import Format
from runtime.problems import Problem

Stage = Literal["compose"] | SaveStage
EVIDENCE_STEM, EVIDENCE_SUFFIX = "evidence", ".jsonl"


@contextmanager
def export_room() -> Iterator[Path]:
    """A folder for files on their way to a stick; nothing of it is left afterwards."""
    with tempfile.TemporaryDirectory(prefix="inkstick-export-", ignore_cleanup_errors=True) as room:
        yield Path(room)


@dataclass
class Saving:
    """`result` and `problem` are both None while it runs. `left_out`: pages that were not read.

    `closing`: the hash that closes the evidence, where one was wanted.
    """

    stick: Stick
    pages: int
    left_out: int
    stage: Stage = "compose"
    done: int = 0
    total: int = 0
    result: Saved | None = None
    problem: Problem | None = None
    closing: str = ""
    stopped: bool = False
    work: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def running(self) -> bool:
        return self.result is None and self.problem is None and not self.stopped

    @property
    def stoppable(self) -> bool:
        """Before the last byte is on its way."""
        return self.running and self.stage in ("compose", "write")

    def stop(self) -> None:
        if self.stoppable and self.work is not None:
            self.work.cancel()

    def state(self) -> dict[str, Any]:
        return {
            "state": "running" if self.running else "done" if self.result else "failed",
            "stick": self.stick.label,
            "stick_id": self.stick.id,
            "pages": self.pages,
            "left_out": self.left_out,
            "stage": self.stage,
            "stoppable": self.stoppable,
            "done": self.done,
            "total": self.total,
            "folder": self.result.folder if self.result else "",
            "names": list(self.result.names) if self.result else [],
            "closing": self.closing,
            "problem": self.problem.kind.code if self.problem else None,
            "detail": self.problem.detail if self.problem else "",
        }


class Exports(Part):
    """What goes out and how, remembered until the station is switched off."""

    name = "exports"

    def __init__(self, config: StationConfig, cage: Cage, changed: Callable[[], None]) -> None:
        self.choice = Choice()
        self._config, self._cage, self._changed = config, cage, changed
        self._session = secrets.token_hex(16)

    def state(self) -> dict[str, Any]:
        return {
            "offered": [form.value for form in OFFERED],
            "formats": [form.value for form in self.choice.formats],
            "per": self.choice.per.value,
            "evidence": self.choice.evidence,
            "who": self.choice.who,
        }

    def outlives(self, put: Put) -> Any:
        choice = self.choice
        formats = [form.value for form in choice.formats]
        return [formats, choice.per.value, choice.evidence, choice.who, self._session]

    def resume(self, kept: Any, left: Left) -> None:
        formats, per, evidence_too, who, session = kept
        self.choice = Choice(tuple(Format(form) for form in formats), Per(per), bool(evidence_too), str(who))
        self._session = str(session)

    def choose(self, choice: Choice) -> None:
        """From now on, for every save."""
        self.choice = choice
        self._changed()

    async def save(self, saving: Saving, reading: Reading, media: MediaClient | None, language: str) -> None:
        """Carry it through; what became of it stands in `saving`."""
        saving.work = asyncio.create_task(self._save(saving, reading, media, language))
        try:
            await saving.work
        except Problem as problem:
            saving.problem = problem
        except asyncio.CancelledError:
            if not saving.work.cancelled():  # it is the station that ends
                saving.work.cancel()
                raise
            saving.stopped = True

    async def _save(self, saving: Saving, reading: Reading, media: MediaClient | None, language: str) -> None:
        if media is None:
            raise Problem(HELPER_DOWN)
        if saving.stick.state == "ejected":
            await media.use(saving.stick.id)

        def on_progress(progress: SaveProgress) -> None:
            saving.stage, saving.done, saving.total = progress.stage, progress.done, progress.total
            self._changed()

        with export_room() as room:
            outputs = await self._files(saving, reading, media, language, room)
            saving.result = await media.save(saving.stick.id, outputs, on_progress)

    async def one_each(
        self, pages: Sequence[Page], reading: Reading, media: MediaClient, stick_id: str, room: Path, language: str
    ) -> tuple[Output, ...]:
        """Each page in files of its own, in the chosen formats, with evidence where that was chosen: for a save
        that nobody watches."""
        choice = replace(self.choice, per=Per.PAGE)
        taken, made = await compose(
            pages,
            choice,
            room,
            Pictures(self._cage, reading.content),
            batch_name="",
            language=language,
            version=self._config.version,
            on_progress=lambda *_: None,
        )
        outputs, _ = await self._with_evidence(taken, made, choice, media, stick_id)
        return outputs

    async def _files(
        self, saving: Saving, reading: Reading, media: MediaClient, language: str, room: Path
    ) -> tuple[Output, ...]:
        def on_made(done: int, total: int) -> None:
            if saving.stage == "compose":
                saving.done, saving.total = done, total
                self._changed()

        choice = self.choice
        taken, made = await compose(
            reading.read_pages,
            choice,
            room,
            Pictures(self._cage, reading.content),
            batch_name=catalogue.messages(language)["exports.batch_name"],
            language=language,
            version=self._config.version,
            on_progress=on_made,
        )
        outputs, saving.closing = await self._with_evidence(taken, made, choice, media, saving.stick.id)
        return outputs

    async def _with_evidence(
        self, taken: tuple[Taken, ...], made: Made, choice: Choice, media: MediaClient, stick_id: str
    ) -> tuple[tuple[Output, ...], str]:
        """What goes to the stick, and the hash that closes the evidence; "" where none was chosen."""
        if not choice.evidence:
            return made.outputs, ""
        files = made.named(await media.names(stick_id, made.outputs))
        written = await asyncio.to_thread(evidence, self._config, self._session, choice.who, taken, files)
        return (*made.outputs, Output(EVIDENCE_STEM, ((EVIDENCE_SUFFIX, written.content),))), written.closing
