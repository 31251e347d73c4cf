"""PDF/A-2b with searchable text, by OCRmyPDF with our results as its engine; no Ghostscript.

OCRmyPDF's "internal" back end makes and declares PDF/A by pikepdf, which validates the bytes written and
refuses to give out a file that is not what it says. It runs in a process of its own:
it is a program by nature, sets up logging and workers, and takes memory that is given back.

    python3 -m runtime.outputs.archival_pdf PICTURES.pdf PAGES.json RESULT.pdf VERSION
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from runtime.outputs.pages import FullPage
from runtime.outputs.searchable_pdf import Sheet, searchable_pdf

_TIMEOUT_S = 1800
_LEVEL = "pdfa-2"


class NotMade(Exception):
    """OCRmyPDF could not make the file; the message is for the log."""


def archival_pdf(sheets: Sequence[Sheet], version: str) -> bytes:
    """The sheets as PDF/A-2b. Raises NotMade."""
    pages = [sheet.page for sheet in sheets]
    pictures = searchable_pdf([replace(sheet, page=_without_text(sheet.page)) for sheet in sheets])
    with tempfile.TemporaryDirectory(prefix="inkstick-pdfa-") as folder:
        room = Path(folder)
        (room / "pictures.pdf").write_bytes(pictures)
        (room / "pages.json").write_text(json.dumps([page.model_dump(mode="json") for page in pages]))
        argv = [
            sys.executable,
            "-m",
            __name__,
            *(str(room / name) for name in ("pictures.pdf", "pages.json", "out.pdf")),
        ]
        environment = {**os.environ, "TMPDIR": folder, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            [*argv, version], capture_output=True, text=True, env=environment, timeout=_TIMEOUT_S, check=False
        )
        if done.returncode != 0:
            raise NotMade(f"OCRmyPDF ended with {done.returncode}: {done.stderr[-2000:]}")
        return (room / "out.pdf").read_bytes()


def _without_text(page: FullPage) -> FullPage:
    return page.model_copy(update={"lines": ()})


def main(pictures: Path, pages: Path, result: Path, version: str) -> int:
    """OCRmyPDF's own exit code."""
    import ocrmypdf

    from runtime.outputs import ocrmypdf_plugin

    ocrmypdf_plugin.pages = [FullPage.model_validate(each) for each in json.loads(pages.read_text())]
    ocrmypdf_plugin.version = version
    return int(
        ocrmypdf.ocr(
            pictures,
            result,
            plugins=[ocrmypdf_plugin.__name__],
            output_type=_LEVEL,
            pdfa_backend="internal",
            rasterizer="pypdfium",
            language=["und"],
            optimize=0,
            jobs=1,
            use_threads=True,
            progress_bar=False,
        )
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]))
