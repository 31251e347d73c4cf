"""Broken, hostile and odd files: real ones mutated with a fixed seed, and some built to hurt."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import cache

import pillow_heif
from PIL import Image

from tests.pages.render import render


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    held = io.BytesIO()
    image.save(held, form, **options)
    return held.getvalue()


def heic(image: Image.Image) -> bytes:
    held = io.BytesIO()
    pillow_heif.from_pillow(image).save(held, quality=80)
    return held.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return held.getvalue()


def text_pdf(lines: list[str], *, pages: int = 1, size: tuple[float, float] = (595, 842), extra: str = "") -> bytes:
    """A PDF born digital, set in Helvetica, which every reader has."""
    shown = "".join(f"1 0 0 1 60 {size[1] - 80 - 30 * place:.0f} Tm ({line}) Tj " for place, line in enumerate(lines))
    stream = f"BT /F1 16 Tf {shown}ET".encode("latin-1")
    kids = " ".join(f"{5 + index} 0 R" for index in range(pages))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    page = (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size[0]} {size[1]}] /Contents 4 0 R {extra} "
        "/Resources << /Font << /F1 3 0 R >> >> >>"
    )
    return pdf_of([*objects, *[page.encode()] * pages])


def pdf_of(objects: list[bytes]) -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    held = io.BytesIO()
    held.write(b"%PDF-1.7\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(held.tell())
        held.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    table = held.tell()
    held.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    held.writelines(b"%010d 00000 n \n" % place for place in places)
    held.write(b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table))
    return held.getvalue()


@cache
def originals() -> dict[str, bytes]:
    """One sound file of each kind."""
    page = render("english").image.resize((400, 224))
    grey = page.convert("L")
    return {
        "png": encoded(page, "PNG"),
        "png-16-bit": encoded(Image.frombytes("I;16", (64, 64), bytes(range(256)) * 32), "PNG"),
        "png-palette": encoded(page.convert("P"), "PNG"),
        "jpeg": encoded(page, "JPEG"),
        "jpeg-cmyk": encoded(page.convert("CMYK"), "JPEG"),
        "tiff": encoded(page, "TIFF", compression="tiff_lzw", save_all=True, append_images=[grey, page]),
        "tiff-fax": encoded(grey.convert("1"), "TIFF", compression="group4"),
        "webp": encoded(page, "WEBP"),
        "gif": encoded(page.convert("P"), "GIF", save_all=True, append_images=[grey.convert("P")]),
        "bmp": encoded(page, "BMP"),
        "heic": heic(page),
        "pdf": text_pdf(["The records office opens at nine", "and closes at five."], pages=3),
        "pdf-scan": encoded(page, "PDF"),
        "zip": zipped({"a.png": encoded(grey, "PNG"), "b.pdf": text_pdf(["A page within an archive"])}),
    }


def mutated(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """`count` files, each an original with a few bytes changed, cut, repeated or mixed with another's."""
    chance = random.Random(seed)
    sound = originals()
    names = sorted(sound)
    for index in range(count):
        name = names[index % len(names)]
        change = chance.choice(_CHANGES)
        data = change(bytearray(sound[name]), chance, sound[chance.choice(names)])
        yield f"{index}-{name}-{change.__name__.strip('_')}", bytes(data)


_Change = Callable[[bytearray, random.Random, bytes], bytearray]


def _flipped(data: bytearray, chance: random.Random, _: bytes) -> bytearray:
    for _number in range(chance.randint(1, 20)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data


def _header_flipped(data: bytearray, chance: random.Random, _: bytes) -> bytearray:
    for _number in range(chance.randint(1, 6)):
        data[chance.randrange(min(len(data), 128))] = chance.randrange(256)
    return data


def _cut(data: bytearray, chance: random.Random, _: bytes) -> bytearray:
    return data[: chance.randrange(1, len(data))]


def _hollowed(data: bytearray, chance: random.Random, _: bytes) -> bytearray:
    start = chance.randrange(len(data))
    end = min(len(data), start + chance.randint(1, 400))
    data[start:end] = bytes(end - start)
    return data


def _repeated(data: bytearray, chance: random.Random, _: bytes) -> bytearray:
    start = chance.randrange(len(data))
    part = data[start : start + chance.randint(1, 2000)]
    return data[:start] + part * chance.randint(2, 5) + data[start:]


def _spliced(data: bytearray, chance: random.Random, other: bytes) -> bytearray:
    return data[: chance.randrange(len(data))] + other[chance.randrange(len(other)) :]


def _large_numbers(data: bytearray, chance: random.Random, _: bytes) -> bytearray:
    place = chance.randrange(max(1, min(len(data), 600) - 4))
    data[place : place + 4] = chance.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4)))
    return data


_CHANGES: tuple[_Change, ...] = (_flipped, _header_flipped, _cut, _hollowed, _repeated, _spliced, _large_numbers)


@cache
def built() -> dict[str, bytes]:
    """Files built to hurt: bombs, polyglots, loops, lies about sizes."""
    sound = originals()
    nested = b"%PDF-1.7\n1 0 obj\n" + b"[" * 100_000 + b"]" * 100_000 + b"\nendobj\ntrailer<</Root 1 0 R>>"
    loop = pdf_of([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"])
    liar = bytearray(zipped({"a.png": bytes(3 << 20)}))
    at = liar.index(b"PK\x01\x02")
    liar[at + 24 : at + 28] = struct.pack("<I", 10)
    tiff_loop = bytearray(encoded(Image.new("L", (8, 8)), "TIFF"))
    return {
        "nothing": b"",
        "one byte": b"\x89",
        "zeros": bytes(1000),
        "text": b"not a picture at all\n" * 50,
        "html": b"<html><script>alert(1)</script></html>",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage",
        "png bomb": png_of(60_000, 60_000),
        "png wide": png_of(2_000_000_000, 1),
        "png no pixels": png_of(0, 0),
        "png text bomb": png_of(4, 4, chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(200 << 20)))),
        "gif huge": b"GIF89a" + struct.pack("<HH", 65535, 65535) + bytes(10),
        "bmp negative": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 1000, 0, 0, 54, 40, -5, -5, 1, 24, 0, 0, 0, 0, 0, 0),
        "tiff loop": bytes(_tiff_pointing_at_itself(tiff_loop)),
        "tiff no tags": b"II*\0\x08\0\0\0\0\0\0\0\0\0",
        "zip bomb": zipped({f"{index}.bmp": bytes(30 << 20) for index in range(3)}),
        "zip of zips": zipped({"inner.zip": sound["zip"]}),
        "zip slip": zipped({"../../etc/passwd": sound["png"], "/root/x.png": sound["png"], "C:\\x.png": sound["png"]}),
        "zip empty": zipped({}),
        "zip of clutter": zipped({"__MACOSX/._a.png": b"x", ".DS_Store": b"y", "Thumbs.db": b"z"}),
        "zip of many": zipped({f"{index}.png": b"" for index in range(5000)}),
        "zip liar": bytes(liar),
        "pdf nested": nested,
        "pdf loop": loop,
        "pdf endless": text_pdf(["x"], size=(1e9, 1e9)),
        "pdf no size": text_pdf(["x"], size=(0, 0)),
        "pdf many pages": text_pdf(["x"], pages=3000),
        "pdf script": text_pdf(["x"], extra="/AA << /O << /S /JavaScript /JS (app.alert(1)) >> >>"),
        "pdf outside": text_pdf(["x"], extra="/AA << /O << /S /GoToR /F (/etc/passwd) >> >>"),
        "pdf and zip": sound["pdf"] + sound["zip"],
        "jpeg and zip": sound["jpeg"] + sound["zip"],
        "gif and script": b"GIF89a/*" + bytes(8) + b"*/=1;alert(1)//;",
        "jpeg and pdf": sound["jpeg"] + sound["pdf"],
    }


def chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width: int, height: int, more: bytes = b"") -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + more + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def _tiff_pointing_at_itself(data: bytearray) -> bytearray:
    """Its directory of tags is followed by itself, for ever."""
    (first,) = struct.unpack("<I", data[4:8])
    (count,) = struct.unpack("<H", data[first : first + 2])
    data[first + 2 + 12 * count : first + 6 + 12 * count] = struct.pack("<I", first)
    return data
