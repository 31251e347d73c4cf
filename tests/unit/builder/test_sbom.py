"""The bill of materials is drafted before the stick has an id: what is filled in then, and that nothing else is."""

from __future__ import annotations

import json

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from builder import sbom
from builder.inputs.derived import derived
from builder.inputs.vendored import vendored

ABOUT = {
    "packages": [],
    "built_with": [],
    "wheels": [],
    "scripts": [package.model_dump() for package in vendored()],
    "data": [data.model_dump() for data in derived()],
}


def test_the_id_is_all_that_is_filled_into_a_draft() -> None:
    drafted = sbom.draft(ABOUT, name="demo", epoch=1)
    one, other = (sbom.with_id(drafted, id) for id in ("0123456789abcdef", "fedcba9876543210"))
    moved = [pair for pair in zip(one.splitlines(), other.splitlines(), strict=True) if pair[0] != pair[1]]
    assert len(moved) == 4, moved
    for text in (one, other):
        assert "draft" not in text
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert one == sbom.document(ABOUT, name="demo", id="0123456789abcdef", epoch=1)


def test_what_the_whole_depends_on_is_told_by_its_id() -> None:
    found = json.loads(sbom.document(ABOUT, name="demo", id="0123456789abcdef", epoch=1))
    whole = found["metadata"]["component"]
    assert (whole["bom-ref"], whole["version"]) == ("inkstick:0123456789abcdef", "0123456789abcdef")
    (row,) = (row for row in found["dependencies"] if row["ref"] == whole["bom-ref"])
    assert set(row["dependsOn"]) == {component["bom-ref"] for component in found["components"]}
