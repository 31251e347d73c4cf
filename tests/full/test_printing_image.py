"""A stick that prints, built from the demo's profile: what is on it, as its own systemd and loader see it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.integration.image_tree import Tree, stacked
from tests.integration.workshop import make_workshop

pytestmark = pytest.mark.full

PROFILE = "extends: demo\ntitle: CPU demo that prints\nvolume_id: INKPRINT\nprinting: true\n"
UNITS = ("inkstick-cups.service", "inkstick-printer.service", "inkstick-printer.socket")
FILTERS = {"gziptoany", "pdftopdf", "pdftoraster", "rastertopwg"}
LIMIT = 2.5
"""What `systemd-analyze security` may find at most, of 10."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    """Locked, built from a store that may lack what printing needs, and stacked."""
    workshop = make_workshop(tmp_path_factory.mktemp("printing"))
    (workshop.root / "profiles/printing.yaml").write_text(PROFILE)
    built = workshop.run("build", "--profile", "printing", "--yes")
    assert built.returncode == 0, built.stdout + built.stderr
    (iso,) = (workshop.root / "dist").glob("inkstick-printing-*.iso")
    with stacked(iso, tmp_path_factory.mktemp("tree")) as made:
        yield made
    assert workshop.leftovers() == []


def names(tree: Tree, folder: str) -> set[str]:
    return set(tree.run("ls", "-A", folder).stdout.split())


def test_of_cups_there_is_what_prints_without_a_driver_and_no_more(tree: Tree) -> None:
    assert names(tree, "/usr/lib/cups/filter") == FILTERS
    assert names(tree, "/usr/lib/cups/backend") == {"ipp"}
    assert names(tree, "/etc/cups") == set()
    assert not names(tree, "/usr/lib/cups") & {"cgi-bin", "driver", "monitor", "notifier"}
    assert tree.run("sh", "-c", "ls /usr/bin/gs* /usr/share/ppd /usr/share/cups/model").stdout == ""


def test_no_rule_took_a_library_that_printing_needs(tree: Tree) -> None:
    programs = [*(f"/usr/lib/cups/filter/{name}" for name in sorted(FILTERS)), "/usr/lib/cups/backend/ipp"]
    for program in ("/usr/sbin/cupsd", "/usr/sbin/ipp-usb", *programs):
        listed = tree.run("/lib64/ld-linux-x86-64.so.2", "--list", program)
        assert listed.returncode == 0 and "not found" not in listed.stdout, (program, listed.stdout, listed.stderr)


def test_cups_takes_the_stations_settings(tree: Tree) -> None:
    unit, settings = "/etc/systemd/system/inkstick-cups.service", "/etc/inkstick/cups"
    # systemd makes them when it starts the unit.
    folders = f"$(sed -n s/^RuntimeDirectory=//p {unit})"
    made = tree.run("sh", "-ec", f"cd /run; mkdir {folders}; chown -R lp:lp inkstick-cups")
    assert made.returncode == 0, made.stderr
    as_lp = ("setpriv", "--reuid=lp", "--regid=lp", "--clear-groups")
    done = tree.run(*as_lp, "cupsd", "-t", "-c", f"{settings}/cupsd.conf", "-s", f"{settings}/cups-files.conf")
    assert done.returncode == 0, done.stdout + done.stderr


def test_printing_is_nobody_elses_user(tree: Tree) -> None:
    """CUPS is `lp`, of which nothing else on the station is; the service before it is a user made when it starts."""
    users = {row.split(":")[0]: row.split(":")[2] for row in tree.run("cat", "/etc/passwd").stdout.splitlines()}
    assert users["lp"] not in ("0", users["inkstick"])
    found = tree.run("grep", "-rlx", "User=lp", "/etc/systemd/system", "/usr/lib/systemd/system").stdout.split()
    assert found == ["/etc/systemd/system/inkstick-cups.service"]
    assert "DynamicUser=yes\n" in tree.run("cat", "/etc/systemd/system/inkstick-printer.service").stdout


def test_the_stations_systemd_has_nothing_to_say_of_the_units(tree: Tree) -> None:
    done = tree.run("systemd-analyze", "verify", "--man=no", *(f"/etc/systemd/system/{unit}" for unit in UNITS))
    said = [line for line in (done.stdout + done.stderr).splitlines() if re.search("inkstick-(cups|printer)", line)]
    assert said == []


def test_the_printing_units_are_not_exposed(tree: Tree) -> None:
    services = [unit for unit in UNITS if unit.endswith(".service")]
    done = tree.run("systemd-analyze", "security", "--offline=true", "--no-pager", *services)
    found = {
        name: float(figure) for name, figure in re.findall(r"exposure level for (\S+): (\d+\.\d+)", done.stdout)
    }
    assert found.keys() == set(services), done.stdout[-2000:] + done.stderr[-2000:]
    assert max(found.values()) <= LIMIT, found


def test_what_listens_is_a_socket_of_the_gateways_group(tree: Tree) -> None:
    wanted = tree.run("readlink", "/etc/systemd/system/inkstick.target.wants/inkstick-printer.socket").stdout
    assert wanted.strip().endswith("inkstick-printer.socket")
    for unit in ("cups.service", "cups.socket", "cups.path", "cups-browsed.service"):
        assert tree.run("readlink", f"/etc/systemd/system/{unit}").stdout.strip() == "/dev/null", unit
