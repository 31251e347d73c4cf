"""The software bill of materials: every package, wheel, script and model file of a stick, in CycloneDX 1.6 JSON.

Made from the same description that lies beside the ISO (builder/contents.py), by cyclonedx-python-lib. Equal
sticks have equal documents: the serial number is the manifest's, the time is the lock's.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType, Pedigree
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

_NAMESPACE = uuid.UUID("6f1d8f0c-5a0f-5b0e-9a43-1d9b6c1e7a10")
_LONGEST_NAME = 200


def document(about: Mapping[str, Any], *, name: str, id: str, epoch: int) -> str:
    """JSON text. `about`: as builder.contents.describe tells; `name`: the profile's; `id`: the manifest's."""
    return with_id(draft(about, name=name, epoch=epoch), id)


def with_id(drafted: str, id: str) -> str:
    """The document of the stick `id`, from a draft: only its serial number and the names of the whole are new."""
    found = json.loads(drafted)
    whole = found["metadata"]["component"]
    (dependencies,) = (row for row in found["dependencies"] if row["ref"] == whole["bom-ref"])
    found["serialNumber"] = uuid.uuid5(_NAMESPACE, id).urn
    whole["version"] = id
    whole["bom-ref"] = dependencies["ref"] = f"inkstick:{id}"
    return json.dumps(found, indent=1) + "\n"


def draft(about: Mapping[str, Any], *, name: str, epoch: int) -> str:
    """The document of a stick that has no id yet."""
    id = "draft"
    bom = Bom(serial_number=uuid.uuid5(_NAMESPACE, id), version=1)
    bom.metadata.timestamp = datetime.fromtimestamp(epoch, UTC)
    bom.metadata.component = Component(
        type=ComponentType.OPERATING_SYSTEM, name=f"inkstick-{name}", version=id, bom_ref=f"inkstick:{id}"
    )
    parts = list(_components(about))
    bom.components.update(parts)
    bom.register_dependency(bom.metadata.component, parts)
    return JsonV1Dot6(bom).output_as_string()


def _components(about: Mapping[str, Any]) -> Iterator[Component]:
    for row in about["packages"]:
        yield _debian(row, ComponentScope.REQUIRED)
    for row in about["built_with"]:
        yield _debian(row, ComponentScope.EXCLUDED)
    for row in about["wheels"]:
        yield Component(
            type=ComponentType.LIBRARY,
            name=row["project"],
            version=row["version"],
            bom_ref=f"wheel:{row['site']}:{row['file_name']}",
            purl=PackageURL("pypi", None, row["project"], row["version"], {"file_name": row["file_name"]}),
            hashes=_hashes(row),
            licenses=_licences(row["licence"]),
            properties=[Property(name="inkstick:folder", value=row["site"])],
            scope=ComponentScope.REQUIRED,
        )
    for row in about["scripts"]:
        yield _script(row)
    for row in about.get("data", ()):
        yield _data(row)
    model = about.get("model")
    if model:
        yield from _model(model)
    driver = about.get("driver")
    if driver and driver["runfile"]:
        yield Component(
            type=ComponentType.DEVICE_DRIVER,
            name="NVIDIA driver",
            version=driver["version"],
            bom_ref="driver:runfile",
            hashes=_hashes(driver["runfile"]),
            scope=ComponentScope.REQUIRED,
        )


def _debian(row: Mapping[str, Any], scope: ComponentScope) -> Component:
    qualifiers = {"arch": row["arch"], "distro": "trixie"}
    return Component(
        type=ComponentType.LIBRARY,
        name=row["name"],
        version=row["version"],
        bom_ref=f"deb:{row['use']}:{row['name']}:{row['version']}:{row['arch']}",
        purl=PackageURL("deb", "debian", row["name"], row["version"], qualifiers),
        hashes=_hashes(row),
        licenses=_licences(row["licence"]),
        properties=[Property(name="inkstick:use", value=row["use"])],
        scope=scope,
    )


def _script(row: Mapping[str, Any]) -> Component:
    """An npm package of which single files lie beside the pages, each with its own hash."""
    return Component(
        type=ComponentType.LIBRARY,
        name=row["name"],
        version=row["version"],
        bom_ref=f"npm:{row['name']}",
        purl=PackageURL("npm", None, row["name"], row["version"]),
        licenses=_licences(row["licence"]),
        properties=[Property(name="inkstick:integrity", value=row["integrity"])],
        components=[
            Component(type=ComponentType.FILE, name=path, bom_ref=f"npm:{row['name']}:{path}", hashes=_hashes(file))
            for path, file in row["files"].items()
        ],
        scope=ComponentScope.REQUIRED,
    )


def _data(row: Mapping[str, Any]) -> Component:
    """Data that was made from others' works; these are its ancestors, and not on the stick themselves."""
    files = [
        Component(
            type=ComponentType.FILE, name=path, bom_ref=f"data:{row['name']}:{path}", hashes=_hashes({"sha256": known})
        )
        for path, known in row["files"].items()
    ]
    ancestors = [
        Component(
            type=ComponentType.LIBRARY,
            name=each["name"],
            version=each["version"],
            bom_ref=f"data:{row['name']}:from:{each['name']}",
            purl=PackageURL.from_string(each["purl"]),
            licenses=_licences(each["licence"]),
        )
        for each in row["made_from"]
    ]
    return Component(
        type=ComponentType.DATA,
        name=row["name"],
        version=row["version"],
        bom_ref=f"data:{row['name']}",
        licenses=_licences(row["licence"]),
        pedigree=Pedigree(ancestors=ancestors),
        components=files,
        scope=ComponentScope.REQUIRED,
    )


def _model(model: Mapping[str, Any]) -> Iterator[Component]:
    files = [
        Component(
            type=ComponentType.FILE,
            name=row["name"],
            bom_ref=f"model:{row['name']}",
            hashes=_hashes(row),
            licenses=_licences(row["licence"]),
        )
        for row in model["files"]
    ]
    facts = {"origin": model["origin"], "commit": model["commit"], "synthetic": str(model["synthetic"]).lower()}
    yield Component(
        type=ComponentType.MACHINE_LEARNING_MODEL,
        name=model["title"],
        version=model["commit"] or None,
        bom_ref="model",
        licenses=_licences(model["licence"]),
        properties=[Property(name=f"inkstick:{key}", value=value) for key, value in facts.items() if value],
        components=files,
        scope=ComponentScope.REQUIRED,
    )


def _hashes(row: Mapping[str, Any]) -> list[HashType]:
    return [HashType(alg=HashAlgorithm.SHA_256, content=row["sha256"])]


def _licences(text: str) -> Iterable[License]:
    """An SPDX expression or identifier where it is one, else the words as they stand."""
    made = LicenseFactory().make_from_string(" ".join(text.split())[:_LONGEST_NAME])
    return [made]
