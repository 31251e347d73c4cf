"""PDF with each page's picture, and its text above it, invisible: to be searched, selected, copied.

PDF 1.5 (ISO 32000-1). The font has no glyphs, since none is ever shown (text rendering mode 3);
its ToUnicode map says what every code means (section 9.10.3).
"""

from __future__ import annotations

import io
import math
import unicodedata
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image

from runtime.layout.spacing import is_wide
from runtime.outputs.pages import FullLine, FullPage

_POINTS_PER_INCH = 72
_DPI = 200
_JPEG_QUALITY = 80
_SHORTEST_SIDE, _LONGEST_SIDE = 3.0, 14_400.0
"""Points."""
_MOST_MAPPED = 100
"""Entries in one bfchar section (Adobe Technical Note 5411, section 1.4.1)."""
_LARGEST_CODE = 0xFFFF


@dataclass(frozen=True)
class Sheet:
    """A page, and what gives its upright picture when its turn comes; None leaves it white."""

    page: FullPage
    image: Callable[[], Image.Image | None]


class _Codes:
    """Signs as they come, each with a code of its own."""

    def __init__(self) -> None:
        self.of: dict[str, int] = {}

    def hexadecimal(self, text: str) -> str:
        codes = []
        for sign in text:
            if sign not in self.of and len(self.of) < _LARGEST_CODE:
                self.of[sign] = len(self.of) + 1
            codes.append(f"{self.of.get(sign, 0):04X}")
        return "".join(codes)

    def widths(self) -> str:
        return " ".join("1000" if is_wide(sign) else "500" for sign in self.of)

    def to_unicode(self) -> bytes:
        entries = [
            f"<{code:04X}> <{sign.encode('utf-16-be', 'surrogatepass').hex().upper()}>"
            for sign, code in self.of.items()
        ]
        sections = "\n".join(
            f"{len(part)} beginbfchar\n" + "\n".join(part) + "\nendbfchar"
            for part in (entries[start : start + _MOST_MAPPED] for start in range(0, len(entries), _MOST_MAPPED))
        )
        return (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
            "/CMapName /Inkstick def /CMapType 2 def\n"
            "1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
            f"{sections}\nendcmap CMapName currentdict /CMap defineresource pop end end"
        ).encode("ascii")


def searchable_pdf(sheets: Sequence[Sheet]) -> bytes:
    """The same sheets, the same bytes."""
    codes = _Codes()
    objects: list[bytes] = [b"", b"", b"", b"", b"", b""]
    kids = []
    font = "/Font << /F 3 0 R >> " if any(sheet.page.lines for sheet in sheets) else ""
    for sheet in sheets:
        scale = points_per_pixel(sheet.page)
        width, height = sheet.page.width * scale, sheet.page.height * scale
        image = sheet.image()
        drawn = b"" if image is None else b"q %.3f 0 0 %.3f 0 0 cm /P Do Q\n" % (width, height)
        drawn += "".join(_shown(line, codes, scale, height) for line in sheet.page.lines).encode("ascii")
        objects.append(_stream(zlib.compress(drawn), "/Filter /FlateDecode"))
        content = len(objects)
        picture = ""
        if image is not None:
            objects.append(_picture(image))
            picture = f"/XObject << /P {len(objects)} 0 R >> "
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.3f} {height:.3f}] /Contents {content} 0 R "
            f"/Resources << {picture}{font}>> >>".encode()
        )
        kids.append(f"{len(objects)} 0 R")
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    objects[2] = (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Inkstick /Encoding /Identity-H "
        b"/DescendantFonts [4 0 R] /ToUnicode 6 0 R >>"
    )
    objects[3] = (
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Inkstick /FontDescriptor 5 0 R /DW 1000 "
        f"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /W [1 [{codes.widths()}]] >>"
    ).encode()
    objects[4] = (
        b"<< /Type /FontDescriptor /FontName /Inkstick /Flags 4 /FontBBox [0 -200 1000 800] /ItalicAngle 0 "
        b"/Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >>"
    )
    objects[5] = _stream(zlib.compress(codes.to_unicode()), "/Filter /FlateDecode")
    return _file(objects)


def points_per_pixel(page: FullPage) -> float:
    """A page as if scanned at 200 dpi, within the limits of a page's sides (ISO 19005-2, section 6.1.13)."""
    scale = max(_POINTS_PER_INCH / _DPI, _SHORTEST_SIDE / min(page.width, page.height))
    return min(scale, _LONGEST_SIDE / max(page.width, page.height))


def _shown(line: FullLine, codes: _Codes, scale: float, page_height: float) -> str:
    """The line's text, stretched over its box and along its slant."""
    (x1, y1), (x2, y2), _, (x4, y4) = line.box
    length, size = math.dist((x1, y1), (x2, y2)) * scale, math.dist((x1, y1), (x4, y4)) * scale
    natural = sum(1.0 if is_wide(sign) else 0.5 for sign in line.text) * size
    if not line.text or natural <= 0 or length <= 0:
        return ""
    angle = -math.atan2(y2 - y1, x2 - x1)
    cosine, sine = math.cos(angle), math.sin(angle)
    # The base line lies a fifth of the height above the box's lower edge.
    x, y = (x4 + (x1 - x4) * 0.2) * scale, page_height - (y4 + (y1 - y4) * 0.2) * scale
    shown = codes.hexadecimal(_as_shown(line.text))
    return (
        f"BT 3 Tr /F {size:.2f} Tf {100 * length / natural:.2f} Tz "
        f"{cosine:.5f} {sine:.5f} {-sine:.5f} {cosine:.5f} {x:.2f} {y:.2f} Tm <{shown}> Tj ET\n"
    )


def _as_shown(text: str) -> str:
    """Signs from left to right, as they stand on the page and as readers of PDF expect them (UAX 9)."""
    if not any(unicodedata.bidirectional(sign) in ("R", "AL") for sign in text):
        return text
    from fpdf.bidi import BidiParagraph

    return str(BidiParagraph(text).get_reordered_string())


def _picture(image: Image.Image) -> bytes:
    held = io.BytesIO()
    image.convert("RGB").save(held, "JPEG", quality=_JPEG_QUALITY)
    head = (
        f"/Type /XObject /Subtype /Image /Width {image.width} /Height {image.height} /ColorSpace /DeviceRGB "
        "/BitsPerComponent 8 /Filter /DCTDecode"
    )
    return _stream(held.getvalue(), head)


def _stream(content: bytes, head: str) -> bytes:
    return f"<< {head} /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream"


def _file(objects: Sequence[bytes]) -> bytes:
    held = io.BytesIO()
    held.write(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(held.tell())
        held.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    table = held.tell()
    held.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    held.writelines(b"%010d 00000 n \n" % place for place in places)
    held.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table))
    return held.getvalue()
