"""Checks an evidence file. Standard library alone: this file can be copied and run where Inkstick is not.

    python3 verify.py FILE [--files FOLDER | --no-files] [--closing HASH]

Exit code: 0 everything is as it was written; 1 the evidence itself was changed, cut short or put in
another order; 2 it cannot be read, or is no evidence file; 3 the evidence is whole, but a file that it
tells of is missing or was changed.

A record is one line of canonical JSON (RFC 8785; of numbers only whole ones). Its `hash` is the SHA-256 of
the same record without `hash`; its `previous` is the `hash` of the one before, of the first 64 zeros.
The chain finds changes. It is no signature: whoever writes every record anew makes another whole chain,
so the closing record's hash is worth noting elsewhere, for --closing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

FORMAT = "inkstick-evidence 1"
NOTHING_BEFORE = "0" * 64
OPENING, CLOSING = "station", "closing"
WHOLE, BROKEN, UNREADABLE, FILES_DIFFER = 0, 1, 2, 3

Record = dict[str, Any]


@dataclass
class Report:
    """What was found. `broken`: a sentence for each fault of the chain; `differing`: for each file."""

    broken: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    checked_files: int = 0
    closing_hash: str = ""

    @property
    def exit_code(self) -> int:
        if self.broken:
            return BROKEN
        return FILES_DIFFER if self.differing else WHOLE


def canonical(value: object) -> bytes:
    """RFC 8785, for text, whole numbers, booleans, null, and lists and objects of them."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def hash_of(record: Record) -> str:
    """The SHA-256 of a record without its `hash`, in hexadecimal."""
    return hashlib.sha256(canonical({key: each for key, each in record.items() if key != "hash"})).hexdigest()


def check(evidence: Path, files: Path | None) -> Report:
    """Check the chain, and the files in `files` that it tells of. Raises OSError, or ValueError for no evidence."""
    report = Report()
    previous = NOTHING_BEFORE
    with open(evidence, "rb") as lines:
        for number, line in enumerate(lines):
            record, fault = _parsed(line)
            if number == 0 and FORMAT.encode() not in line and (record is None or "previous" not in record):
                raise ValueError("this is no evidence file")
            if record is None:
                report.broken.append(f"record {number}: {fault}")
                previous = ""
                continue
            previous = _check_record(number, record, previous, fault, report)
            report.records.append(record)
    _check_ends(report)
    if files is not None and not report.broken:
        _check_files(report, files)
    return report


def _parsed(line: bytes) -> tuple[Record | None, str]:
    """The record of a line, and what is wrong with it, "" if nothing."""
    try:
        record = json.loads(line.decode(), parse_float=_refused, parse_constant=_refused)
        exact = isinstance(record, dict) and canonical(record) + b"\n" == line
    except (ValueError, RecursionError):
        return None, "altered: it is not JSON any more"
    if not isinstance(record, dict):
        return None, "altered: it is no record"
    return record, "" if exact else "altered: it is not written as it was made"


def _refused(text: str) -> NoReturn:
    raise ValueError(f"{text} cannot be in a record")


def _check_record(number: int, record: Record, previous: str, fault: str, report: Report) -> str:
    """Notes what is wrong; the hash that the next record must name."""
    told = f"record {number} ({record.get('type')})"
    stated = record.get("hash")
    if fault:
        report.broken.append(f"{told}: {fault}")
    elif stated != hash_of(record):
        report.broken.append(f"{told}: altered: its content does not have its hash")
    elif record.get("number") != number:
        report.broken.append(f"{told}: out of its place: it was number {record.get('number')}")
    elif previous and record.get("previous") != previous:
        report.broken.append(f"{told}: it does not follow on the record before it")
    elif "raw_sha256" in record and record["raw_sha256"] != _sha256(str(record.get("raw"))):
        report.broken.append(f"{told}: its raw output does not have the hash that it states")
    return stated if isinstance(stated, str) else ""


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _check_ends(report: Report) -> None:
    records = report.records
    if not records:
        report.broken.append("cut short: there is no record")
        return
    first, last = records[0], records[-1]
    if first.get("type") != OPENING or first.get("format") != FORMAT:
        report.broken.append(f"record 0: it does not open a file of the format {FORMAT}")
    closings = [record for record in records if record.get("type") == CLOSING]
    if not closings:
        report.broken.append("cut short: the closing record is missing")
    elif last.get("type") != CLOSING or len(closings) > 1:
        report.broken.append("something was added after the closing record")
    elif last.get("records") != len(records):
        report.broken.append(f"the closing record counts {last.get('records')} records, there are {len(records)}")
    else:
        report.closing_hash = str(last.get("hash"))


def _check_files(report: Report, folder: Path) -> None:
    for record in report.records:
        if record.get("type") != "file":
            continue
        name = str(record.get("name"))
        report.checked_files += 1
        if not name or name in (".", "..") or set(name) & set("/\\\0"):
            report.differing.append(f"{name!r}: this is no file's name")
            continue
        try:
            with open(folder / name, "rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            report.differing.append(f"{name}: missing")
        except OSError as error:
            report.differing.append(f"{name}: cannot be read ({error.strerror})")
        else:
            if found != record.get("sha256"):
                report.differing.append(f"{name}: changed since it was exported")


def summary(report: Report) -> Iterator[str]:
    """What a person reads, line by line."""
    kinds = [record.get("type") for record in report.records]
    opening = next((record for record in report.records if record.get("type") == OPENING), {})
    build = opening.get("build") or "-"
    yield f"station 本机   {opening.get('station')} {opening.get('version')}, build {build}"
    yield f"when 时间      {opening.get('at')}, by {opening.get('who')}"
    yield f"holds 内容     {kinds.count('page')} pages, {kinds.count('edit')} edits, {kinds.count('file')} files"
    for sentence in report.broken:
        yield f"BROKEN 已损坏  {sentence}"
    for sentence in report.differing:
        yield f"FILE 文件不符  {sentence}"
    if report.closing_hash:
        yield f"closing 结尾   {report.closing_hash}"
    if report.exit_code == WHOLE:
        yield f"WHOLE 完好     every record as it was written; {report.checked_files} files compared"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the evidence file")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--files", type=Path, help="where the exported files lie; else beside the evidence file")
    where.add_argument("--no-files", action="store_true", help="check the evidence alone")
    parser.add_argument("--closing", default="", metavar="HASH", help="what the closing hash must begin with")


def run(options: argparse.Namespace) -> int:
    """Check, print, and answer the exit code."""
    evidence: Path = options.file
    try:
        report = check(evidence, None if options.no_files else options.files or evidence.parent)
    except (OSError, ValueError) as error:
        print(f"{evidence}: cannot be checked 无法核对: {error}", file=sys.stderr)
        return UNREADABLE
    if options.closing and not report.broken and not report.closing_hash.startswith(options.closing.lower()):
        report.broken.append("another chain: its closing hash is not the one that was noted")
    for line in summary(report):
        print(line)
    return report.exit_code


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(_parser)
    sys.exit(run(_parser.parse_args()))
