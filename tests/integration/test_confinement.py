"""Every unit of ours is held to one figure, by the station's own systemd and from the station's own files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.keys import ROOT
from tests.integration.image_tree import Tree, stacked

LIMIT = 2.5
"""What `systemd-analyze security` may find at most, of 10; a unit without a single setting has 9.6."""
UNITS = "/etc/systemd/system"
_EXPOSURE = re.compile(r"Overall exposure level for (\S+): (\d+\.\d+)")


@pytest.fixture(scope="module")
def tree(iso: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    """The demo's station, and over it what a stick has besides for a graphics card, and for printing."""
    with stacked(iso, tmp_path_factory.mktemp("tree")) as made:
        made.put_on(ROOT / "overlay/nvidia")
        made.put_on(ROOT / "overlay/printing")
        yield made


def our_services(tree: Tree) -> list[str]:
    """Services that the station layer brings, and an instance of each template; one for each of its drop-ins."""
    files = tree.run("find", UNITS, "-maxdepth", "1", "-name", "*.service", "-type", "f").stdout.split()
    names = {Path(file).name for file in files}
    folders = tree.run("find", UNITS, "-maxdepth", "1", "-name", "*@?*.service.d").stdout.split()
    instances = {Path(folder).name.removesuffix(".d") for folder in folders}
    return sorted({name.replace("@.", "@any.") for name in names} | instances)


def test_no_unit_of_ours_is_exposed(tree: Tree) -> None:
    services = our_services(tree)
    assert len(services) >= 12, services
    done = tree.run("systemd-analyze", "security", "--offline=true", "--no-pager", *services)
    found = {name: float(figure) for name, figure in _EXPOSURE.findall(done.stdout)}
    print(*(f"{figure}  {name}" for name, figure in sorted(found.items(), key=lambda row: row[1])), sep="\n")
    assert len(found) == len(services), (services, done.stdout[-2000:], done.stderr[-2000:])
    assert {name: figure for name, figure in found.items() if figure > LIMIT} == {}


ROOTS = {
    "inkstick-media.service": "mounts",
    "inkstick-usb.service": "admits devices, by files that are root's",
    "inkstick-hardware.service": "loads the card's modules",
    "inkstick-engine-next@.service": "speaks to systemd",
    "inkstick-engine-switch.service": "speaks to systemd",
    "inkstick-clock.service": "sets the clock, and its board's device is root's",
}
"""The only ones that are root, and what for; of its rights they keep the few that they name."""


def test_each_service_is_a_user_of_its_own_or_root_with_few_rights(tree: Tree) -> None:
    for name in {re.sub(r"@.+\.", "@.", service) for service in our_services(tree)}:
        text = tree.run("cat", f"{UNITS}/{name}").stdout
        settings = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
        if name in ROOTS:
            assert len(settings["CapabilityBoundingSet"].split()) <= 5, name
        else:
            assert settings.get("User", "root") != "root" or settings.get("DynamicUser") == "yes", name
            assert settings["CapabilityBoundingSet"] == "", name


TOGETHER = {
    "inkstick": {"inkstick-gateway.service", "inkstick-loopback.service"},
    "inkstick-engine": {"inkstick-engine@.service", "inkstick-vllm.service", "inkstick-model-readahead.service"},
}
"""Services that are one program's parts: whoever has taken one of them over gains nothing by the next."""


def test_no_two_services_are_one_user_but_for_parts_of_one_program(tree: Tree) -> None:
    by_user: dict[str, set[str]] = {}
    for name in {re.sub(r"@.+\.", "@.", service) for service in our_services(tree)}:
        user = re.search(r"^User=(.+)$", tree.run("cat", f"{UNITS}/{name}").stdout, re.MULTILINE)
        if user is not None:
            by_user.setdefault(user[1], set()).add(name)
    assert {user: names for user, names in by_user.items() if len(names) > 1} == TOGETHER
