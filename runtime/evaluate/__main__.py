"""`python3 -m runtime.evaluate DIR`: read pages with known truth through the station and say how well.

Beside `page.jpg` lies `page.txt`, its text, `page.json`, an object of its fields, `page.html`, its table,
or several of these. Prints a table and, last, one line of JSON. Exit code 1 if a page could not be read,
2 if there is none. Tables are measured where an engine of the station reads tables.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import httpx

from runtime import config
from runtime.evaluate.measures import ErrorRate
from runtime.evaluate.truths import Figures, Score, figures, pages_with_truth, score, truth_of

_TIMEOUT_S = 900.0
_NOT_AVAILABLE = 501


class _Refused(Exception):
    """The station gave no result; the message is the problem's code."""


def evaluate(station: httpx.Client, pages: list[Path]) -> Figures:
    """The figures of all pages; prints a row for each."""
    scores: list[Score] = []
    failed = 0
    print(f"{'page':<32}{'CER':>8}{'WER':>8}{'field F1':>10}{'TEDS':>8}")
    for page in pages:
        try:
            found = _score(station, page)
        except _Refused as refused:
            failed += 1
            print(f"{page.name:<32}{refused.args[0]}")
            continue
        scores.append(found)
        f1 = None if found.fields is None else found.fields.f1
        print(
            f"{page.name:<32}{_shown(_rate(found.signs)):>8}{_shown(_rate(found.words)):>8}"
            f"{_shown(f1):>10}{_shown(found.teds):>8}"
        )
    return figures(scores, failed)


def _score(station: httpx.Client, page: Path) -> Score:
    truth = truth_of(page)
    text, values, table = None, None, None
    if truth.text is not None or truth.fields is not None:
        text, values = _read(_answer(station, page))
    if truth.table is not None:
        try:
            table, _ = _read(_answer(station, page, task="table"))
        except _Refused as refused:
            if refused.args[1] != _NOT_AVAILABLE:
                raise
    return score(truth, text=text, values=values, table=table)


def _answer(station: httpx.Client, page: Path, **wanted: str) -> dict[str, Any]:
    answer = station.post("/ocr", params={"detail": "full", **wanted}, files={"file": (page.name, page.read_bytes())})
    if answer.status_code != httpx.codes.OK:
        raise _Refused(answer.json().get("code", answer.status_code), answer.status_code)
    found: dict[str, Any] = answer.json()
    return found


def _read(answer: dict[str, Any]) -> tuple[str, dict[str, str]]:
    if "pages" not in answer:
        return answer["text"], answer["fields"] or {}
    found: dict[str, str] = {}
    for page in reversed(answer["pages"]):
        found.update(page["fields"] or {})
    return "\n\n".join(page["text"] for page in answer["pages"]), found


def _rate(errors: ErrorRate | None) -> float | None:
    return None if errors is None else errors.rate


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="runtime.evaluate", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--config", type=Path, default=None)
    parser.add_argument("--url", default=None, help="of the station, instead of the configuration's")
    parser.add_argument("--key", default=None, help="an API key, where the station wants one")
    arguments = parser.parse_args()
    pages = pages_with_truth(arguments.folder)
    if not pages:
        print(f"no page in {arguments.folder} has a .txt, .json or .html beside it", file=sys.stderr)
        return 2
    url = arguments.url
    if url is None:
        api = config.load(arguments.config).api
        url = f"http://{f'[{api.host}]' if ':' in api.host else api.host}:{api.port}"
    headers = {"x-api-key": arguments.key} if arguments.key else {}
    with httpx.Client(base_url=url, timeout=_TIMEOUT_S, trust_env=False, headers=headers) as station:
        found = evaluate(station, pages)
    print(json.dumps(found.model_dump()))
    return 1 if found.failed else 0


if __name__ == "__main__":
    sys.exit(main())
