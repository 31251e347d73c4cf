"""The scanner: which cards run what a library holds, and what makes a build fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.gpu.fatbin import scan, scan_library
from builder.gpu.report import as_text, shortcomings
from tests.unit.builder.elf_files import Code, cubin, ptx, write_library


def found(tmp_path: Path, *units: list[Code], section: str = ".nv_fatbin") -> dict[str, object]:
    write_library(tmp_path / "lib.so", list(units), section)
    return scan_library(tmp_path / "lib.so", "lib.so").as_json()


def test_machine_code_runs_on_later_cards_of_its_major_version(tmp_path: Path) -> None:
    assert found(tmp_path, [cubin(80)])["runs_on"] == {"sm_80": 1, "sm_86": 1, "sm_89": 1, "sm_90": 0}
    assert found(tmp_path, [cubin(89)])["runs_on"] == {"sm_80": 0, "sm_86": 0, "sm_89": 1, "sm_90": 0}


def test_machine_code_for_a_special_architecture_runs_there_alone(tmp_path: Path) -> None:
    row = found(tmp_path, [cubin(90, specific=True)])
    assert row["runs_on"] == {"sm_80": 0, "sm_86": 0, "sm_89": 0, "sm_90": 1}
    assert row["machine_code"] == {"sm_90a": 1}


def test_ptx_is_counted_with_its_version_where_nothing_else_runs(tmp_path: Path) -> None:
    row = found(tmp_path, [cubin(80), ptx(80)])
    assert row["only_ptx"] == {"sm_80": 0, "sm_86": 0, "sm_89": 0, "sm_90": 1}
    assert row["ptx_isa"] == {"8.8": 1}


def test_an_image_without_a_kernel_is_no_shortcoming(tmp_path: Path) -> None:
    """nvcc leaves such a part in every library that is linked from several."""
    row = found(tmp_path, [cubin(52, body=b"nothing"), ptx(52)])
    assert set(dict(row["only_ptx"]).values()) == {0}  # type: ignore[call-overload]


def test_relocatable_fat_binaries_are_read_too(tmp_path: Path) -> None:
    assert found(tmp_path, [cubin(80)], [cubin(90)], section="__nv_relfatbin")["units"] == 2


def test_a_tree_is_walked_and_other_files_are_passed_over(tmp_path: Path) -> None:
    write_library(tmp_path / "pkg/lib/libx.so.12", [[cubin(80)]])
    (tmp_path / "pkg/empty.so").write_bytes(b"")
    (tmp_path / "pkg/script.so").write_text("INPUT(-lm)")
    (tmp_path / "pkg/link.so").symlink_to("lib/libx.so.12")
    assert [kernels.library for kernels in scan(tmp_path)] == ["pkg/lib/libx.so.12"]


def rows(tmp_path: Path, *units: list[Code]) -> list[dict[str, object]]:
    write_library(tmp_path / "vllm/_C.abi3.so", list(units))
    return [kernels.as_json() for kernels in scan(tmp_path)]


def test_a_needed_library_with_machine_code_is_no_shortcoming(tmp_path: Path) -> None:
    assert shortcomings(rows(tmp_path, [cubin(80), ptx(80)]), ["vllm/_C.*"], 89) == []


@pytest.mark.parametrize(
    ("units", "complaint"),
    [
        ([[cubin(90)]], "vllm/_C.abi3.so: no machine code that runs on sm_89"),
        ([[cubin(80)], [cubin(75), ptx(75)]], "vllm/_C.abi3.so: 1 parts have only PTX 8.8 for sm_89"),
    ],
)
def test_a_needed_library_that_the_card_cannot_run_is_named(
    tmp_path: Path, units: list[list[Code]], complaint: str
) -> None:
    assert shortcomings(rows(tmp_path, *units), ["vllm/_C.*"], 89) == [complaint]


def test_a_needed_library_that_is_gone_is_named(tmp_path: Path) -> None:
    assert shortcomings([], ["vllm/_C.*"], 89) == ["vllm/_C.*: no such library, or it holds no kernel"]


def test_the_table_has_a_line_for_each_library(tmp_path: Path) -> None:
    assert "vllm/_C.abi3.so" in as_text(rows(tmp_path, [cubin(80), ptx(80)]))
