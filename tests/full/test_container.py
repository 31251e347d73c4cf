"""The container image: two builds have the same bytes, others' tools take it, and it reads a page in a chroot."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.inputs.store import sha256_of
from builder.keys import ROOT
from builder.oci.settings import UID
from tests.integration.workshop import Workshop, make_workshop

pytestmark = pytest.mark.full

READY_S = 300
_ASK = """
import json, sys, time, urllib.request as u
end = time.monotonic() + float(sys.argv[1])
while True:
    try:
        u.urlopen("http://127.0.0.1:8000/readyz", timeout=5)
        break
    except OSError:
        assert time.monotonic() < end, "never ready"
        time.sleep(0.5)
page = open("/tmp/page.png", "rb").read()
head = b'--x\\r\\nContent-Disposition: form-data; name="file"; filename="page.png"\\r\\n\\r\\n'
body = head + page + b"\\r\\n--x--\\r\\n"
kind = {"Content-Type": "multipart/form-data; boundary=x"}
answer = json.load(u.urlopen(u.Request("http://127.0.0.1:8000/ocr?detail=full", body, kind), timeout=300))
pages = u.urlopen("http://127.0.0.1:7860/", timeout=30).read().decode()
print(json.dumps({"text": answer["text"], "engine": answer["engine"], "pages": "<html" in pages}))
"""


def built(workshop: Workshop, *prefix: str, **environment: str) -> Path:
    done = workshop.run("build", "--profile", "demo", "--format", "oci", prefix=prefix, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = (workshop.root / "dist").glob("*.oci.tar")
    return found


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    made = make_workshop(tmp_path_factory.mktemp("workshop"))
    yield made
    assert made.leftovers() == []
    shutil.rmtree(made.root.parent)


@pytest.fixture(scope="module")
def archive(workshop: Workshop) -> Path:
    return built(workshop)


@pytest.fixture(scope="module")
def bundle(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Copied by skopeo, which checks every digest, and unpacked by umoci."""
    room = tmp_path_factory.mktemp("oci")
    words = ["skopeo", "copy", "--quiet", "--insecure-policy", f"oci-archive:{archive}", f"oci:{room}/layout:demo"]
    subprocess.run(words, check=True)
    subprocess.run(["umoci", "unpack", "--image", f"{room}/layout:demo", f"{room}/bundle"], check=True)
    yield room / "bundle"
    shutil.rmtree(room)


def test_the_checksum_lies_beside(archive: Path) -> None:
    beside = archive.with_name(f"{archive.name}.sha256").read_text()
    assert beside == f"{sha256_of(archive)}  {archive.name}\n"


def test_skopeo_reads_it_as_oci_and_as_dockers_own(archive: Path) -> None:
    for kind in ("oci-archive", "docker-archive"):
        shown = subprocess.run(
            ["skopeo", "inspect", "--config", f"{kind}:{archive}"], capture_output=True, text=True, check=True
        )
        config = json.loads(shown.stdout)
        assert config["config"]["User"] == f"{UID}:{UID}"
        assert set(config["config"]["ExposedPorts"]) == {"7860/tcp", "8000/tcp"}
        assert "MIT" in config["config"]["Labels"]["org.opencontainers.image.licenses"]


def test_docker_archive_is_copied_whole(archive: Path, tmp_path: Path) -> None:
    """Every layer is found, decompressed and checked against its diff_id by way of Docker's manifest."""
    words = ["skopeo", "copy", "--quiet", "--insecure-policy", f"docker-archive:{archive}", f"dir:{tmp_path}/copy"]
    subprocess.run(words, check=True)


def test_nothing_in_it_has_rights_that_it_does_not_need(bundle: Path) -> None:
    root = bundle / "rootfs"
    wrong = [
        path for path in root.rglob("*") if path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o6000
    ]
    assert wrong == []
    assert (root / "run/inkstick").stat().st_uid == UID
    for name in (
        "usr/bin/apt",
        "boot/vmlinuz",
        "usr/lib/modules",
        "usr/bin/chromium",
        "etc/systemd/system/inkstick.target",
    ):
        assert not (root / name).exists(), name
    about = json.loads((root / "usr/share/inkstick/about/contents.json").read_text())
    for package in about["packages"]:
        folder = root / "usr/share/doc" / package["name"]
        assert (folder / "copyright").exists() or folder.is_symlink(), package["name"]


def test_it_reads_a_page_in_a_chroot(bundle: Path) -> None:
    """As an ordinary user without a capability, in a network of its own, with the image's own settings alone."""
    root = bundle / "rootfs"
    config = json.loads((bundle / "config.json").read_text())["process"]
    assert config["user"]["uid"] == UID
    shutil.copyfile(ROOT / "runtime/accuracy/golden/english.png", root / "tmp/page.png")
    (root / "tmp/ask.py").write_text(_ASK)
    variables = shlex.join(config["env"])
    script = f"""
        set -e
        ip link set lo up
        mount -t proc proc {root}/proc
        mount -t sysfs -o ro sysfs {root}/sys
        mount -t tmpfs -o mode=0755 dev {root}/dev
        mknod -m 666 {root}/dev/null c 1 3
        mknod -m 666 {root}/dev/urandom c 1 9
        mkdir -m 1777 {root}/dev/shm
        in_it() {{
            exec chroot {root} /usr/bin/setpriv --reuid={UID} --regid={UID} --clear-groups --bounding-set=-all \\
                --no-new-privs env -i {variables} "$@"
        }}
        in_it {shlex.join(config["args"])} >{bundle}/log 2>&1 &
        (in_it /usr/bin/python3 /tmp/ask.py {READY_S} >{bundle}/answer)
        kill -TERM $!
        wait $!
    """
    words = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    log = (bundle / "log").read_text()
    assert done.returncode == 0, done.stderr + log
    answer = json.loads((bundle / "answer").read_text())
    truth = (ROOT / "runtime/accuracy/golden/english.txt").read_text().split()
    assert answer["pages"] and answer["engine"]["name"] == "rapidocr"
    assert len(set(truth) & set(answer["text"].split())) > 0.8 * len(set(truth))


@pytest.fixture
def podman() -> Iterator[list[str]]:
    """The start of a command line, with images and containers in a folder of their own; any container is removed."""
    lacking = [name for name in ("podman", "runc") if shutil.which(name) is None]
    if lacking:
        pytest.fail(f"not installed: apt-get install {' '.join(lacking)}")
    room = tempfile.mkdtemp(prefix="inkstick-", dir="/tmp")  # podman takes no path of over fifty characters
    places = ["--root", f"{room}/images", "--runroot", f"{room}/run", "--tmpdir", f"{room}/tmp"]
    # runc, because crun refuses a machine that has cgroups of both versions; no events, for want of a journal.
    how = ["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", "runc"]
    yield ["podman", *places, *how]
    subprocess.run(["podman", *places, *how, "rm", "--all", "--force", "--time", "5"], check=False)
    shutil.rmtree(room, ignore_errors=True)


def test_podman_loads_it(archive: Path, podman: list[str]) -> None:
    words = [*podman, "load", "--quiet", "--input", str(archive)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "localhost/inkstick-demo:" in done.stdout


def test_two_builds_have_the_same_bytes(workshop: Workshop, archive: Path) -> None:
    before = sha256_of(archive)
    shutil.rmtree(workshop.cache / "layers")
    again = built(workshop, "sh", "-c", 'umask 077; exec "$@"', "sh", TZ="Asia/Shanghai", LC_ALL="C")
    assert sha256_of(again) == before
