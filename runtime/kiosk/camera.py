"""The document camera: photographs that were taken, until they are read or dropped.

The browser has the camera and shows its live picture; here every frame is searched for a sheet, and every
photograph is cut out and made flat (in the cage: a camera is a stranger's device as well).
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import TypeAdapter

from runtime.documents.parts import Corners, Cut
from runtime.kiosk.held import Held, content, size_bytes
from runtime.kiosk.parts import Left, Part, Put
from runtime.kiosk.session import Session
from runtime.problems import BAD_REQUEST, NOT_FOUND, QUEUE_FULL, Problem

_CORNERS = TypeAdapter(Corners)
FRAME_BYTES = 1024 * 1024
MOST_SHOTS = 200


@dataclass(frozen=True)
class Choice:
    """The camera that was chosen, by the name it gives itself, and how; "" and 0: not chosen yet.

    `by_itself`: a sheet that lies still is taken without a key.
    """

    camera: str = ""
    width: int = 0
    height: int = 0
    by_itself: bool = True


@dataclass
class Shot:
    """One photograph. `page`: the JPEG that is read. `revision` grows when that changes."""

    photograph: Held
    page: Held
    corners: Corners | None
    sharp: bool
    cut: Cut = "sheet"
    clockwise: int = 0
    revision: int = 0
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


class Camera(Part):
    """Its screen is shown from `open` to `close` or `read`. All methods raise Problem."""

    name = "camera"

    def __init__(self, session: Session) -> None:
        self._session = session
        self._cage = session.reader.cage
        self._open = False
        self.choice = Choice()
        self.shots: list[Shot] = []
        self._taken = 0
        self._one = asyncio.Lock()
        self.most_bytes = session.config.limits.upload_bytes

    def screen(self) -> str | None:
        return "camera" if self._open else None

    def state(self) -> dict[str, Any]:
        return {
            "choice": vars(self.choice),
            "shots": [
                {
                    "id": shot.id,
                    "revision": shot.revision,
                    "cut": shot.cut,
                    "found": shot.corners is not None,
                    "sharp": shot.sharp,
                }
                for shot in self.shots
            ],
        }

    def outlives(self, put: Put) -> Any:
        shots = []
        for shot in self.shots:
            names = f"{shot.id}-photograph", f"{shot.id}-{shot.revision}"
            shot.photograph, shot.page = put(names[0], shot.photograph), put(names[1], shot.page)
            shots.append([shot.id, *names, shot.corners, shot.sharp, shot.cut, shot.clockwise, shot.revision])
        return [asdict(self.choice), self._open, self._taken, shots]

    def resume(self, kept: Any, left: Left) -> None:
        choice, self._open, self._taken, shots = kept
        self.choice = Choice(**choice)
        for shot_id, *names, corners, sharp, cut, clockwise, revision in shots:
            photograph, page = map(left.place, names)
            if photograph is not None and page is not None:
                found = None if corners is None else _CORNERS.validate_python(corners)
                self.shots.append(Shot(photograph, page, found, sharp, cut, clockwise, revision, shot_id))

    def open(self) -> None:
        self._open = True
        self._session.changed()

    def close(self) -> None:
        """Back to where one came from; what was taken stays until it is read or dropped."""
        self._open = False
        self._session.changed()

    def choose(self, choice: Choice) -> None:
        self.choice = choice
        self._session.changed()

    async def look(self, frame: bytes) -> Corners | None:
        """Where a sheet lies in this frame."""
        return await self._cage.look(frame)

    async def take(self, photograph: bytes, *, only_if_sharp: bool = False, instead_of: str = "") -> Shot | None:
        """Keep a photograph, at the end or in the place of another; None if it was to be sharp and is not."""
        old = self.shot(instead_of) if instead_of else None
        held = sum(size_bytes(shot.photograph) + size_bytes(shot.page) for shot in self.shots)
        limit = self._session.config.limits.queue_bytes
        if len(self.shots) >= MOST_SHOTS or held + 2 * len(photograph) > limit:
            raise Problem(QUEUE_FULL, "Read the pages that were taken, or drop some.")
        cut = await self._cage.cut_out(photograph, "sheet")
        if only_if_sharp and not cut.sharp:
            return None
        shot = Shot(photograph, cut.jpeg, cut.corners, cut.sharp)
        if old is not None and old in self.shots:
            self.shots[self.shots.index(old)] = shot
        else:
            self.shots.append(shot)
        self._session.changed()
        return shot

    async def change(self, shot_id: str, *, turn: int = 0, cut: Cut | None = None) -> None:
        """Turn a page by so many degrees clockwise, or take another part of its photograph."""
        if turn % 90:
            raise Problem(BAD_REQUEST, "A page is turned by right angles.")
        async with self._one:  # each begins from what the one before it has made
            shot = self.shot(shot_id)
            wanted = cut or shot.cut
            clockwise = (shot.clockwise + turn) % 360
            made = await self._cage.cut_out(content(shot.photograph), wanted, clockwise)
            shot.page, shot.corners, shot.sharp = made.jpeg, made.corners, made.sharp
            shot.cut, shot.clockwise = wanted, clockwise
            shot.revision += 1
        self._session.changed()

    async def picture(self, shot_id: str) -> bytes:
        """A page as the strip shows it."""
        return await self._cage.picture(content(self.shot(shot_id).page), "card")

    def drop(self, shot_id: str) -> None:
        self.shots.remove(self.shot(shot_id))
        self._session.changed()

    def shot(self, shot_id: str) -> Shot:
        found = next((shot for shot in self.shots if shot.id == shot_id), None)
        if found is None:
            raise Problem(NOT_FOUND, "This photograph was dropped.")
        return found

    def read(self) -> None:
        """Hand all pages over to be read, in their order, and leave."""
        if not self.shots:
            raise Problem(BAD_REQUEST, "Take a page first.")
        while self.shots:
            self._session.add(f"camera-{self._taken + 1:03}.jpg", self.shots[0].page, "camera")
            self._taken += 1
            del self.shots[0]
        self._open = False
        self._session.changed()

    def holds(self) -> int:
        return len(self.shots)

    async def let_go(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drop every photograph, and begin to count anew."""
        self.shots.clear()
        self._taken = 0
        self._session.changed()
