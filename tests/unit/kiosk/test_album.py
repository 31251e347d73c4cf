"""Pictures of a thousand pages stay within their bound, and none is lost."""

from __future__ import annotations

import asyncio
import hashlib
import io

import pytest
from PIL import Image

from runtime.documents.pictures import Kind
from runtime.kiosk.album import Album
from runtime.kiosk.documents import Document
from runtime.kiosk.pages import Page
from runtime.kiosk.thumbnails import Thumbnails
from runtime.problems import DAMAGED_IMAGE, STICK_GONE, Problem
from tests.unit.kiosk.stub_reader import StubCage

SHARP = 5000


class CountingCage(StubCage):
    """Pictures of a known size, made at once; `broken`: it can make none."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Kind] = []
        self.broken = False

    async def picture(self, data: bytes, kind: Kind, clockwise: int = 0, page: int = 0, password: str = "") -> bytes:
        await asyncio.sleep(0)
        self.asked.append(kind)
        if self.broken:
            raise Problem(DAMAGED_IMAGE)
        return b"sharp".ljust(SHARP) if kind == "preview" else b"small".ljust(SHARP // 10)


def page(number: int = 0, source: bytes = b"source") -> Page:
    return Page(Document(f"{number}.png", "stick"), source_sha256=hashlib.sha256(source).hexdigest())


async def fetched(_: Document) -> bytes:
    return b"source"


async def gone(_: Document) -> bytes:
    raise Problem(STICK_GONE)


def is_sharp(each: Page) -> bool:
    return len(each.picture or b"") == SHARP


def test_a_thousand_pages_have_their_pictures_within_the_bound() -> None:
    async def work() -> None:
        album = Album(CountingCage(), gone, 20 * SHARP)
        pages = [page(number) for number in range(1000)]
        most = 0
        for each in pages:
            await album.put(each, b"sharp".ljust(SHARP))
            most = max(most, sum(len(other.picture) for other in pages if other.picture is not None))
        assert [is_sharp(each) for each in pages] == [False] * 980 + [True] * 20
        assert all(each.picture for each in pages), "none is lost"
        assert most <= 20 * SHARP + 1000 * SHARP // 10

    asyncio.run(work())


def test_pages_of_the_vault_are_within_the_bound_too() -> None:
    async def work() -> None:
        album, pages = Album(CountingCage(), gone, 5 * SHARP), [page(number) for number in range(50)]
        for each in pages[1:]:
            each.shown = b"sharp".ljust(SHARP)
        await album.take_up(pages)
        assert pages[0].picture is None and await album.look_at(pages[0]) is None
        assert sum(map(is_sharp, pages)) == 5

    asyncio.run(work())


def test_who_is_looked_at_stays_sharp_and_becomes_so_again_from_its_file() -> None:
    async def work() -> None:
        album, pages = Album(CountingCage(), fetched, 2 * SHARP), [page(number) for number in range(4)]
        for each in pages[:2]:
            await album.put(each, b"sharp".ljust(SHARP))
        await album.look_at(pages[0])
        await album.put(pages[2], b"sharp".ljust(SHARP))
        assert [is_sharp(each) for each in pages] == [True, False, True, False]
        assert album.is_reduced(pages[1])
        assert len(await album.look_at(pages[1]) or b"") == SHARP
        assert [is_sharp(each) for each in pages] == [False, True, True, False]

    asyncio.run(work())


@pytest.mark.parametrize("why", ["stick gone", "another file of that name"])
def test_without_its_file_a_page_is_shown_as_it_is_kept(why: str) -> None:
    async def work() -> None:
        fetch = gone if why == "stick gone" else fetched
        album, first, second = Album(CountingCage(), fetch, SHARP), page(source=b"what was read"), page()
        await album.put(first, b"sharp".ljust(SHARP))
        await album.put(second, b"sharp".ljust(SHARP))
        assert (await album.look_at(first) or b"").startswith(b"small")
        assert is_sharp(second)

    asyncio.run(work())


def test_a_picture_that_cannot_be_made_smaller_is_kept() -> None:
    async def work() -> None:
        cage = CountingCage()
        album, pages = Album(cage, fetched, SHARP), [page(number) for number in range(3)]
        cage.broken = True
        for each in pages:
            await album.put(each, b"sharp".ljust(SHARP))
        assert all(map(is_sharp, pages))
        cage.broken = False
        await album.put(pages[2], b"sharp".ljust(SHARP))
        assert [is_sharp(each) for each in pages] == [False, False, True]

    asyncio.run(work())


def test_a_page_that_is_read_again_meanwhile_has_its_new_picture() -> None:
    async def work() -> None:
        album, pages = Album(CountingCage(), fetched, SHARP), [page(number) for number in range(2)]
        await album.put(pages[0], b"sharp".ljust(SHARP))
        again = b"again".ljust(SHARP // 2)
        await asyncio.gather(album.put(pages[1], b"sharp".ljust(SHARP)), album.put(pages[0], again))
        assert pages[0].picture == again or album.is_reduced(pages[0])
        assert all(each.picture for each in pages)

    asyncio.run(work())


def test_a_real_picture_is_made_a_fraction_of_its_size_and_stays_upright() -> None:
    async def work() -> None:
        held = io.BytesIO()
        Image.effect_noise((1200, 1800), 60).convert("RGB").save(held, "JPEG", quality=82)
        album, first, second = Album(StubCage(), gone, 1), page(), page()
        await album.put(first, held.getvalue())
        await album.put(second, held.getvalue())
        assert first.picture is not None and len(first.picture) < len(held.getvalue()) / 3
        with Image.open(io.BytesIO(first.picture)) as small:
            assert small.size == (600, 900)

    asyncio.run(work())


def test_thumbnails_keep_those_that_were_asked_for_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.kiosk.thumbnails._KEPT", 3)
    made: list[str] = []

    async def work() -> None:
        shelf = Thumbnails(None)  # type: ignore[arg-type]  # it asks its session for nothing here

        async def ask(name: str) -> None:
            async def make() -> bytes:
                made.append(name)
                return name.encode()

            assert await shelf._get(name, make) == name.encode()

        for name in "abcadabe":
            await ask(name)
        assert len(shelf._kept) == 3

    asyncio.run(work())
    assert "".join(made) == "abcdbe", "a was asked for again and again, and stayed"
