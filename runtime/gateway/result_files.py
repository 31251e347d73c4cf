"""Results written as files, off the event loop; pictures are rendered again, one at a time, when wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from PIL import Image
from starlette.responses import Response

from runtime.documents.cage import Cage
from runtime.documents.decode import PixelPage
from runtime.documents.sheet import Sheet
from runtime.outputs.formats import Format, write
from runtime.outputs.pages import FullPage

SheetOf = Callable[[int], Awaitable[Sheet | None]]
"""Where page number n, from 0, comes from; None if that is not kept any more."""


async def written(form: Format, pages: Sequence[FullPage], sheet_of: SheetOf, cage: Cage, version: str) -> Response:
    """The answer: a file to be saved, never a page that a browser would run."""
    loop = asyncio.get_running_loop()

    def image_of(number: int) -> Image.Image | None:
        picture = _upright(cage, sheet_of, number, pages[number].rotation)
        return asyncio.run_coroutine_threadsafe(picture, loop).result()

    made = await asyncio.to_thread(write, form, pages, image_of, version)
    headers = {
        "content-disposition": f'attachment; filename="result.{made.ending}"',
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox",
    }
    return Response(made.content, media_type=made.media_type, headers=headers)


async def _upright(cage: Cage, sheet_of: SheetOf, number: int, clockwise: int) -> Image.Image | None:
    sheet = await sheet_of(number)
    if sheet is None:
        return None
    shown = await cage.render(sheet.data, sheet.page, region=sheet.region)
    assert isinstance(shown, PixelPage)
    image = Image.frombytes("RGB", (shown.width, shown.height), shown.rgb)
    return image.rotate(-clockwise, expand=True) if clockwise else image
