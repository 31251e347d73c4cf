"""An evidence file tells of every change to it, and of every file that is not what it was."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.evidence import verify
from runtime.evidence.__main__ import main
from runtime.evidence.chain import Chain

_EXPORTED = b"what went out"


def made() -> tuple[bytes, str]:
    chain = Chain(station="demo", version="0.1.0", build=None, layers=[], session="00" * 16, who="王", at="then")
    raw = "第一页\n\u2028 <tag> \U0001f58b \x7f"
    chain.add("page", page=0, name="bad \udcff name", raw=raw, raw_sha256=hashlib.sha256(raw.encode()).hexdigest())
    chain.add("edit", page=0, target="line:1", before="a", after="", at="then", who="王")
    chain.add("file", name="出.txt", bytes=13, sha256=hashlib.sha256(_EXPORTED).hexdigest(), pages=(0,), format="text")
    content = chain.close(at="later")
    return content, chain.head


CONTENT, CLOSING = made()


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    (tmp_path / "出.txt").write_bytes(_EXPORTED)
    (tmp_path / "evidence.jsonl").write_bytes(CONTENT)
    return tmp_path / "evidence.jsonl"


def code(*arguments: str | Path) -> int:
    return main(["verify", *map(str, arguments)])


def test_what_was_written_is_whole(evidence: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code(evidence) == verify.WHOLE
    assert code(evidence, "--closing", CLOSING[:16].upper()) == verify.WHOLE
    assert CLOSING in capsys.readouterr().out


def test_another_chain_than_the_one_that_was_noted_is_found(evidence: Path) -> None:
    assert code(evidence, "--closing", "0" * 16) == verify.BROKEN


def test_every_flipped_byte_is_found(evidence: Path) -> None:
    for place in range(len(CONTENT)):
        for flip in (0x01, 0x20, 0x80):
            changed = bytearray(CONTENT)
            changed[place] ^= flip
            evidence.write_bytes(changed)
            try:
                report = verify.check(evidence, None)
            except ValueError:
                continue
            assert report.broken, (place, flip)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_cut_insertion_and_exchange_is_found(evidence: Path, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(CONTENT)))
    end = data.draw(st.integers(start, len(CONTENT)))
    put = data.draw(st.binary(max_size=8) | st.sampled_from(CONTENT.splitlines(keepends=True)))
    changed = CONTENT[:start] + put + CONTENT[end:]
    if changed == CONTENT:
        return
    evidence.write_bytes(changed)
    with contextlib.suppress(ValueError):
        assert verify.check(evidence, None).broken


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ((0, 1, 2, 3), "cut short"),
        ((0, 1, 3, 4), "record 2"),
        ((0, 2, 1, 3, 4), "record 1 (edit): out of its place"),
        ((0, 1, 2, 3, 4, 4), "after the closing record"),
        ((1, 2, 3, 4), "record 0"),
    ],
)
def test_it_says_which_record_is_broken(evidence: Path, lines: tuple[int, ...], told: str) -> None:
    every = CONTENT.splitlines(keepends=True)
    evidence.write_bytes(b"".join(every[line] for line in lines))
    assert told in " ".join(verify.check(evidence, None).broken)


def test_a_record_made_anew_breaks_the_chain_behind_it(evidence: Path) -> None:
    every = CONTENT.splitlines(keepends=True)
    record = json.loads(every[2])
    record["after"] = "forged"
    record["hash"] = verify.hash_of(record)
    every[2] = verify.canonical(record) + b"\n"
    evidence.write_bytes(b"".join(every))
    assert verify.check(evidence, None).broken == ["record 3 (file): it does not follow on the record before it"]


def test_a_changed_or_missing_file_beside_it_is_told_apart_from_a_broken_chain(evidence: Path) -> None:
    (evidence.parent / "出.txt").write_bytes(b"What went out")
    assert code(evidence) == verify.FILES_DIFFER
    assert code(evidence, "--no-files") == verify.WHOLE
    (evidence.parent / "出.txt").unlink()
    assert code(evidence) == verify.FILES_DIFFER


def test_a_name_that_leads_out_of_the_folder_is_never_opened(tmp_path: Path) -> None:
    chain = Chain(station="x", version="0", at="", who="")
    chain.add("file", name="../secret", sha256="", bytes=0, format="", pages=[])
    (tmp_path / "evidence.jsonl").write_bytes(chain.close())
    report = verify.check(tmp_path / "evidence.jsonl", tmp_path)
    assert report.differing == ["'../secret': this is no file's name"]


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n", b"[" * 100_000, b'{"a":1e5}\n'])
def test_something_else_is_no_evidence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other").write_bytes(content)
    assert code(tmp_path / "other") in (verify.UNREADABLE, verify.BROKEN)
    assert code(tmp_path / "none") == verify.UNREADABLE


def test_the_checker_runs_alone_on_another_machine(evidence: Path, tmp_path: Path) -> None:
    alone = tmp_path / "elsewhere"
    alone.mkdir()
    shutil.copy(verify.__file__, alone / "verify.py")
    command = [sys.executable, "-I", "-S", "verify.py", str(evidence)]
    done = subprocess.run(command, cwd=alone, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "WHOLE" in done.stdout
