"""`python3 -m runtime.evaluate DIR`: read pages with known truth through the station and say how well.

Beside `page.jpg` lies `page.txt`, its text, or `page.json`, an object of its fields, or both.
Prints a table and, last, one line of JSON. Exit code 1 if a page could not be read, 2 if there is none.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import httpx

from runtime import config
from runtime.evaluate.measures import ErrorRate, FieldCount, characters, fields, words

_TRUTHS = (".txt", ".json")
_TIMEOUT_S = 900.0


def pages_with_truth(folder: Path) -> list[Path]:
    """Files beside which there is a truth, by name."""
    return [
        path
        for path in sorted(folder.iterdir())
        if path.is_file()
        and path.suffix not in _TRUTHS
        and any(path.with_suffix(suffix).is_file() for suffix in _TRUTHS)
    ]


def evaluate(station: httpx.Client, pages: list[Path]) -> dict[str, Any]:
    """The figures of all pages; prints a row for each."""
    signs, spaced, counted = ErrorRate(), ErrorRate(), FieldCount()
    failed = 0
    print(f"{'page':<32}{'CER':>8}{'WER':>8}{'field F1':>10}")
    for page in pages:
        answer = station.post("/ocr", params={"detail": "full"}, files={"file": (page.name, page.read_bytes())})
        if answer.status_code != 200:
            failed += 1
            print(f"{page.name:<32}{answer.json().get('code', answer.status_code)}")
            continue
        row = f"{page.name:<32}"
        text, values = _read(answer.json())
        if (truth := page.with_suffix(".txt")).is_file():
            wanted = truth.read_text(encoding="utf-8")
            page_signs, page_words = characters(wanted, text), words(wanted, text)
            signs, spaced = signs + page_signs, spaced + page_words
            row += f"{page_signs.rate:>8.3f}{page_words.rate:>8.3f}"
        else:
            row += f"{'':>16}"
        if (truth := page.with_suffix(".json")).is_file():
            page_fields = fields(json.loads(truth.read_text(encoding="utf-8")), values)
            counted += page_fields
            row += f"{page_fields.f1:>10.3f}"
        print(row)
    return {
        "pages": len(pages),
        "failed": failed,
        "cer": round(signs.rate, 4) if signs.length else None,
        "wer": round(spaced.rate, 4) if spaced.length else None,
        "field_f1": round(counted.f1, 4) if counted != FieldCount() else None,
    }


def _read(answer: dict[str, Any]) -> tuple[str, dict[str, str]]:
    if "pages" not in answer:
        return answer["text"], answer["fields"] or {}
    found: dict[str, str] = {}
    for page in reversed(answer["pages"]):
        found.update(page["fields"] or {})
    return "\n\n".join(page["text"] for page in answer["pages"]), found


def main() -> int:
    parser = argparse.ArgumentParser(prog="runtime.evaluate", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--config", type=Path, default=None)
    parser.add_argument("--url", default=None, help="of the station, instead of the configuration's")
    arguments = parser.parse_args()
    pages = pages_with_truth(arguments.folder)
    if not pages:
        print(f"no page in {arguments.folder} has a .txt or .json beside it", file=sys.stderr)
        return 2
    url = arguments.url
    if url is None:
        api = config.load(arguments.config).api
        url = f"http://{f'[{api.host}]' if ':' in api.host else api.host}:{api.port}"
    with httpx.Client(base_url=url, timeout=_TIMEOUT_S, trust_env=False) as station:
        figures = evaluate(station, pages)
    print(json.dumps(figures))
    return 1 if figures["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
