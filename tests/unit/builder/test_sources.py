"""Changes to the driver's sources that a newer kernel asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.gpu.sources import adapt

OLDER = "int __must_check pci_resize_resource(struct pci_dev *dev, int i, int size);\n"
NEWER = "int __must_check pci_resize_resource(struct pci_dev *dev, int i, int size,\n\t\t\t\t     int exclude_bars);\n"
CALL = "    r = pci_resize_resource(pci_dev, NV_GPU_BAR1, requested_size);\n"
FITTING = "    r = pci_resize_resource(pci_dev, NV_GPU_BAR1, requested_size, 0);\n"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    file = tmp_path / "source/nvidia/nv-pci.c"
    file.parent.mkdir(parents=True)
    file.write_text("/* \udce9 is no UTF-8 */\n" + CALL, errors="surrogateescape")
    return tmp_path / "source"


def headers(tmp_path: Path, declaration: str) -> list[Path]:
    """Debian's two folders: the architecture's, without the file, and the common one."""
    for name in ("amd64", "common/include/linux"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "common/include/linux/pci.h").write_text(declaration)
    return [tmp_path / "amd64", tmp_path / "common"]


def text(sources: Path) -> str:
    return (sources / "nvidia/nv-pci.c").read_text(errors="surrogateescape")


def test_a_call_gets_the_argument_that_the_kernel_wants_now(sources: Path, tmp_path: Path) -> None:
    (change,) = adapt(sources, headers(tmp_path, NEWER))
    assert change.startswith("nvidia/nv-pci.c: ")
    assert text(sources).endswith(FITTING) and "\udce9" in text(sources)


def test_sources_that_fit_stay_as_they_are(sources: Path, tmp_path: Path) -> None:
    adapt(sources, headers(tmp_path, NEWER))
    once = text(sources)
    assert adapt(sources, [tmp_path / "amd64", tmp_path / "common"]) == [] and text(sources) == once


def test_an_older_kernel_gets_the_sources_as_they_came(sources: Path, tmp_path: Path) -> None:
    assert adapt(sources, headers(tmp_path, OLDER)) == []
    assert text(sources).endswith(CALL)
