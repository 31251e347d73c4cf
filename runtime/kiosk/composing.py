"""Making the files of an export, one after the other in a thread, with progress, and able to be stopped."""

from __future__ import annotations

import asyncio
import hashlib
import io
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from runtime.documents.cage import Cage
from runtime.documents.decode import PixelPage
from runtime.kiosk import held
from runtime.kiosk.documents import Document
from runtime.kiosk.exports import Choice, Group, Taken, content, ending, groups
from runtime.kiosk.fetched import Fetched
from runtime.kiosk.pages import Page
from runtime.kiosk.provenance import ExportedFile
from runtime.media.client import Output
from runtime.problems import Problem, ProblemKind

Fetch = Callable[[Document], Awaitable[bytes]]
OnProgress = Callable[[int, int], None]
"""Pages done, of so many: a page that goes into several files counts once for each."""

EXPORT_TOO_LARGE = ProblemKind(
    "export-too-large", 507, "There is no memory left to make these files", "内存不足，无法生成这些文件"
)


class Stopped(Exception):
    """Nobody wants the files any more."""


@dataclass(frozen=True)
class Made:
    """The files by their names' stems, and of each file, in the same order, what evidence tells of it."""

    outputs: tuple[Output, ...]
    files: tuple[ExportedFile, ...]

    def named(self, names: Sequence[str]) -> tuple[ExportedFile, ...]:
        """The files under the names that they get on the stick."""
        return tuple(
            ExportedFile(name, file.format, file.bytes, file.sha256, file.pages)
            for name, file in zip(names, self.files, strict=True)
        )


async def compose(
    pages: Sequence[Page],
    choice: Choice,
    room: Path,
    pictures: Pictures,
    *,
    batch_name: str,
    language: str,
    version: str,
    on_progress: OnProgress,
) -> tuple[tuple[Taken, ...], Made]:
    """Write the files into `room`, one in memory at a time. Cancelled, it leaves when the page in hand is done.

    Raises Problem EXPORT_TOO_LARGE where `room` is full.
    """
    taken = []
    for number, page in enumerate(pages):
        taken.append(Taken(number, page, page.edited()))
        await asyncio.sleep(0)
    making = _Making(choice, room, pictures, language, version, asyncio.get_running_loop(), on_progress)
    every = list(groups(taken, choice.per, batch_name))
    work = asyncio.create_task(asyncio.to_thread(making.all, every))
    try:
        return tuple(taken), await asyncio.shield(work)
    except asyncio.CancelledError:
        making.stopped.set()
        await asyncio.wait([work])
        work.exception()
        raise
    except (OSError, MemoryError) as error:
        raise Problem(EXPORT_TOO_LARGE, "Save fewer pages at once, or one file a page.") from error


class _Making:
    def __init__(
        self,
        choice: Choice,
        room: Path,
        pictures: Pictures,
        language: str,
        version: str,
        loop: asyncio.AbstractEventLoop,
        on_progress: OnProgress,
    ) -> None:
        self.stopped = threading.Event()
        self._choice, self._room, self._pictures = choice, room, pictures
        self._language, self._version = language, version
        self._loop, self._on_progress = loop, on_progress
        self._done = self._total = 0

    def all(self, every: Sequence[Group]) -> Made:
        self._total = sum(len(group.pages) for group in every) * len(self._choice.formats)
        made = [self._one(number, group) for number, group in enumerate(every)]
        return Made(tuple(output for output, _ in made), tuple(file for _, files in made for file in files))

    def _one(self, number: int, group: Group) -> tuple[Output, list[ExportedFile]]:
        parts: list[tuple[str, bytes | Path]] = []
        files = []
        numbers = tuple(each.number for each in group.pages)
        for form in self._choice.formats:
            before = self._done
            self._tell()
            made = content(form, group, self._image_of, self._version, self._language)
            place = self._room / f"{number}{ending(form)}"
            place.write_bytes(made)
            parts.append((ending(form), place))
            files.append(ExportedFile("", form.value, len(made), hashlib.sha256(made).hexdigest(), numbers))
            self._done = before + len(group.pages)
        self._tell()
        return Output(group.stem, tuple(parts)), files

    def _image_of(self, page: Page) -> Image.Image | None:
        self._tell()
        self._done += 1  # of a long file, the page's picture is most of the work
        return asyncio.run_coroutine_threadsafe(self._pictures.upright(page), self._loop).result()

    def _tell(self) -> None:
        if self.stopped.is_set():
            raise Stopped
        self._loop.call_soon_threadsafe(partial(self._on_progress, min(self._done, self._total), self._total))


class Pictures:
    """Pages' pictures for files: rendered again from their source, or, its stick gone, as they were on the screen."""

    def __init__(self, cage: Cage, fetch: Fetch) -> None:
        self._cage, self._fetched = cage, Fetched(fetch)

    async def upright(self, page: Page) -> Image.Image | None:
        """None where there is nothing left to show."""
        try:
            shown = await self._cage.render(
                await self._bytes(page.document), page.place, password=page.document.password
            )
        except Problem:
            kept = page.picture
            return None if kept is None else Image.open(io.BytesIO(kept))
        assert isinstance(shown, PixelPage)
        image = Image.frombytes("RGB", (shown.width, shown.height), shown.rgb)
        turned = 0 if page.result is None else page.result.rotation
        return image.rotate(-turned, expand=True) if turned else image

    async def _bytes(self, document: Document) -> bytes:
        if document.data is not None:
            return held.content(document.data)
        return await self._fetched.content(document)
