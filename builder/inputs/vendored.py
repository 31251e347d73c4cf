"""Scripts, styles and fonts of the pages that come from npm packages, kept in the source as plain files.

`packages.json` beside them says of each package: version, licence, the registry's own digest of its archive
(`integrity`), and of each file its SHA-256 and where in the archive it lies ("" for a licence text added by
hand, which the archive lacks). To add or renew a package:

    npm pack NAME@VERSION
    python -m builder.inputs.vendored NAME-VERSION.tgz LICENCE [PLACE=]PATH-IN-ARCHIVE...
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import tarfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from builder.keys import ROOT

FOLDER = ROOT / "runtime/pages/vendor"
_LIST = "packages.json"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VendoredFile(_Strict):
    """`source`: its path in the archive, "" where it is none of the archive's."""

    sha256: str
    source: str


class VendoredPackage(_Strict):
    """`licence`: SPDX. `integrity`: of the archive, as npm writes it. `files`: by path below its folder."""

    name: str
    version: str
    licence: str
    integrity: str
    files: dict[str, VendoredFile]


def vendored(folder: Path = FOLDER) -> list[VendoredPackage]:
    """The packages of `folder`, by name."""
    rows = json.loads((folder / _LIST).read_text(encoding="utf-8"))
    return [VendoredPackage.model_validate(row) for row in rows]


def faults(folder: Path = FOLDER) -> list[str]:
    """What in `folder` is not as its list says: files altered, lacking or unlisted, packages without a licence."""
    found = []
    listed = {_LIST}
    for package in vendored(folder):
        if not any("LICENSE" in path.upper() for path in package.files):
            found.append(f"{package.name}: no licence text")
        for path, file in package.files.items():
            place = f"{package.name}/{path}"
            listed.add(place)
            if not (folder / place).is_file():
                found.append(f"{place}: lacking")
            elif hashlib.sha256((folder / place).read_bytes()).hexdigest() != file.sha256:
                found.append(f"{place}: altered")
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return found + [f"{path}: unlisted" for path in sorted(there - listed)]


def add(archive: Path, licence: str, wanted: dict[str, str], folder: Path = FOLDER) -> VendoredPackage:
    """Take files out of npm's `archive` and list them. `wanted`: path below the package's folder to path in the
    archive. What an older version left is removed, but for texts that were added by hand."""
    with tarfile.open(archive) as opened:
        about = json.load(opened.extractfile("package/package.json"))  # type: ignore[arg-type]
        contents = {place: opened.extractfile(f"package/{path}").read() for place, path in wanted.items()}  # type: ignore[union-attr]
    name = str(about["name"])
    others = [package for package in (vendored(folder) if (folder / _LIST).exists() else []) if package.name != name]
    for path in (folder / name).rglob("*"):
        if path.is_file() and path.suffix != ".txt":
            path.unlink()
    files = {
        str(path.relative_to(folder / name)): VendoredFile(sha256=_sha256(path.read_bytes()), source="")
        for path in (folder / name).rglob("*")
        if path.is_file()
    }
    for place, content in contents.items():
        (folder / name / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / place).write_bytes(content)
        files[place] = VendoredFile(sha256=_sha256(content), source=wanted[place])
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    made = VendoredPackage(
        name=name,
        version=str(about["version"]),
        licence=licence,
        integrity=f"sha512-{digest}",
        files=dict(sorted(files.items())),
    )
    rows = [package.model_dump() for package in sorted([*others, made], key=lambda package: package.name)]
    (folder / _LIST).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return made


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main(arguments: list[str]) -> None:
    archive, licence, *paths = arguments
    wanted = {}
    for path in paths:
        place, parted, source = path.rpartition("=")
        wanted[place if parted else Path(source).name] = source
    made = add(Path(archive), licence, wanted)
    print(f"{made.name} {made.version}: {len(made.files)} files")


if __name__ == "__main__":
    main(sys.argv[1:])
