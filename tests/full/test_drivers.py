"""The driver in its other forms, built for real: NVIDIA's installer, the open modules, an operator's key.

Each builds the modules: some minutes. INKSTICK_TEST_RUNFILE names NVIDIA's installer, where one is at
hand; its version is read from its name.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import re
import subprocess
from pathlib import Path

import pytest

from builder.cache import Cache, exclusive
from builder.gpu.modules import EXPECTED, ModuleInfo
from builder.gpu.supported import SUPPORTED
from builder.inputs.fetch import fetch
from builder.inputs.lock import Lock, RunFile, lock_path, read_lock
from builder.inputs.locking import make_lock
from builder.inputs.mirrors import debian_mirrors
from builder.inputs.store import Store, sha256_of
from builder.profile import Profile, load_profile
from tests.full.installer import write_installer
from tests.full.stack import Stack
from tests.full.workbench import BuiltDriver, Workbench

pytestmark = pytest.mark.full

VERSION = "550.163.01"
NOT_FOR_COMPUTING = re.compile(
    r"libGL|libEGL|libOpenGL|libnvidia-(gl|egl|rt|encode|fbc|ngx|opticalflow|wayland|gtk|vulkan)|libvdpau|nvidia_icd"
    r"|xorg|i386-linux-gnu|/lib32|libcudadebugger|nvidia-(installer|settings|xconfig|bug-report)"
)
NOT_FOR_SHIPPING = re.compile(
    r"/usr/src/|var/lib/dkms|linux-headers|signing|\.pem|\.priv|mok\.|/gcc|/make$|\.run$|\.o$"
)


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory, cache: Cache) -> Workbench:
    return Workbench(tmp_path_factory.mktemp("workbench"), cache)


@pytest.fixture(scope="module")
def lock(cache: Cache) -> Lock:
    found = read_lock(lock_path(load_profile("4090d")))
    assert found is not None
    fetch_into(cache, load_profile("4090d"), found)
    return found


def fetch_into(cache: Cache, profile: Profile, lock: Lock) -> None:
    debian = [package for package in lock.packages if package.use != "boot"]
    with exclusive(cache):
        fetch(Store(cache.store), debian, lambda: debian_mirrors(profile))


def with_driver(**changes: object) -> Profile:
    loaded = load_profile("4090d")
    assert loaded.driver
    return loaded.model_copy(update={"driver": loaded.driver.model_copy(update=changes), "model": None})


@pytest.fixture(scope="module")
def runfile(tmp_path_factory: pytest.TempPathFactory, cache: Cache, lock: Lock) -> Path:
    given = os.environ.get("INKSTICK_TEST_RUNFILE")
    if given:
        return Path(given)
    room = tmp_path_factory.mktemp("installer")
    return write_installer(room / f"NVIDIA-Linux-x86_64-{VERSION}.run", room, lock, Store(cache.store), VERSION)


@pytest.fixture(scope="module")
def version(runfile: Path) -> str:
    found = re.search(r"(\d+\.\d+(\.\d+)?)[^/]*\.run$", runfile.name)
    assert found, f"{runfile.name} does not say its version"
    return found[1]


@pytest.fixture(scope="module")
def from_runfile(workbench: Workbench, lock: Lock, runfile: Path, version: str) -> BuiltDriver:
    profile = with_driver(runfile=runfile, sha256=sha256_of(runfile), version=version, packages=[])
    packages = tuple(package for package in lock.packages if package.use not in ("driver", "driver-source"))
    locked = RunFile(version=version, size=runfile.stat().st_size, sha256=sha256_of(runfile))
    return workbench.driver("runfile", profile, lock.model_copy(update={"packages": packages, "runfile": locked}))


@pytest.fixture(scope="module")
def open_modules(workbench: Workbench, cache: Cache, lock: Lock) -> BuiltDriver:
    profile = with_driver(flavour="open")
    with exclusive(cache):
        locked = make_lock(profile, cache, old=lock, parts={"debian"})
    # Other packages, another time stamp: but the base layer that is there will do.
    locked = locked.model_copy(update={"source_date_epoch": lock.source_date_epoch})
    fetch_into(cache, profile, locked)
    return workbench.driver("open", profile, locked)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An operator's RSA key and its certificate."""
    room = tmp_path_factory.mktemp("key")
    argv = [
        *("openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "3650"),
        *("-subj", "/CN=Records office module key", "-addext", "basicConstraints=critical,CA:FALSE"),
        *("-addext", "keyUsage=digitalSignature", "-outform", "DER"),
        *("-keyout", str(room / "mok.key"), "-out", str(room / "mok.der")),
    ]
    subprocess.run(argv, check=True, capture_output=True)
    return room / "mok.key", room / "mok.der"


@pytest.fixture(scope="module")
def signed(workbench: Workbench, lock: Lock, key: tuple[Path, Path]) -> BuiltDriver:
    return workbench.driver("signed", with_driver(signing_key=key[0], certificate=key[1]), lock)


@pytest.fixture(scope="module")
def signed_again(workbench: Workbench, lock: Lock, key: tuple[Path, Path]) -> BuiltDriver:
    return workbench.driver("signed-again", with_driver(signing_key=key[0], certificate=key[1]), lock)


def stacked(built: BuiltDriver, room: Path) -> Stack:
    return Stack((built.base / "image.squashfs", built.image), room)


def modules(built: BuiltDriver) -> dict[str, str]:
    """Paths of the modules in the layer, by NVIDIA's names."""
    paths = [line.split()[-1] for line in built.listing if re.search(r"/updates/dkms/.*\.ko(\.xz)?$", line)]
    return {ModuleInfo(Path(path).name, "", "", "", "").name: path for path in paths}


def modinfo(stack: Stack, module: str, name: str) -> str:
    done = stack.run("modinfo", "-F", name, module)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def check_modules(built: BuiltDriver, room: Path, version: str) -> None:
    found, stack = modules(built), stacked(built, room)
    assert set(found) == set(EXPECTED)
    certificate = ["openssl", "x509", "-inform", "DER", "-noout", "-serial"]
    shipped = built.content("usr/share/inkstick/driver/certificate.der")
    serial = subprocess.run(certificate, input=shipped, check=True, capture_output=True).stdout.decode()
    for module in found.values():
        assert modinfo(stack, module, "version") == version
        assert modinfo(stack, module, "vermagic").split()[0] == (built.base / "kernel-version").read_text()
        assert modinfo(stack, module, "signer") == built.about["signer"]
        assert modinfo(stack, module, "sig_key").replace(":", "") == serial.strip().partition("=")[2]


def check_contents(built: BuiltDriver) -> None:
    paths = [line for line in built.listing if not line.startswith("d")]
    assert [line for line in paths if NOT_FOR_SHIPPING.search(line)] == []
    assert [line for line in paths if "s" in line.split()[0].lower()] == []


def test_the_installers_modules_are_for_the_images_kernel(
    from_runfile: BuiltDriver, version: str, tmp_path: Path
) -> None:
    check_modules(from_runfile, tmp_path, version)


def test_the_installers_layer_is_what_computing_needs_and_no_more(from_runfile: BuiltDriver, version: str) -> None:
    check_contents(from_runfile)
    paths = [line.split(" -> ")[0].split()[-1] for line in from_runfile.listing]
    assert [path for path in paths if NOT_FOR_COMPUTING.search(path)] == []
    library = "/usr/lib/x86_64-linux-gnu"
    wanted = [f"{library}/{name}.so.{version}" for name in ("libcuda", "libnvidia-ml", "libnvidia-ptxjitcompiler")]
    wanted += [f"{library}/{name}.so.1" for name in ("libcuda", "libnvidia-ml", "libnvidia-ptxjitcompiler")]
    wanted += [f"/usr/bin/{name}" for name in ("nvidia-smi", "nvidia-modprobe", "nvidia-persistenced")]
    wanted.append(f"/{SUPPORTED}")
    wanted += [f"/usr/lib/firmware/nvidia/{version}/gsp_{chip}.bin" for chip in ("ga10x", "tu10x")]
    assert set(wanted) <= set(paths)


def test_the_installers_libraries_programs_and_modules_are_found(from_runfile: BuiltDriver, tmp_path: Path) -> None:
    stack = stacked(from_runfile, tmp_path)
    done = stack.run("python3", "-c", "import ctypes; ctypes.CDLL('libcuda.so.1'); ctypes.CDLL('libnvidia-ml.so.1')")
    assert done.returncode == 0, done.stderr
    kernel = (from_runfile.base / "kernel-version").read_text()
    assert "nvidia-uvm.ko" in stack.run("modprobe", "-S", kernel, "--show-depends", "nvidia-uvm").stdout
    # Without a card it says so, and by which library.
    told = stack.run("nvidia-smi")
    assert told.returncode == 9 and "communicate with the NVIDIA driver" in told.stdout, told.stdout + told.stderr


def test_the_installers_persistence_daemon_has_unit_and_user(from_runfile: BuiltDriver, tmp_path: Path) -> None:
    stack = stacked(from_runfile, tmp_path)
    assert stack.run("getent", "passwd", "nvpd").stdout.startswith("nvpd:")
    unit = "/usr/lib/systemd/system/nvidia-persistenced.service"
    assert "--user nvpd" in stack.run("cat", unit).stdout
    password = next(line for line in stack.run("cat", "/etc/shadow").stdout.splitlines() if line.startswith("nvpd:"))
    assert password.split(":")[1].startswith("!")


@pytest.mark.skipif("INKSTICK_TEST_RUNFILE" not in os.environ, reason="needs NVIDIA's own installer")
def test_the_installers_own_programs_start_and_are_of_its_version(
    from_runfile: BuiltDriver, version: str, tmp_path: Path
) -> None:
    """Debian's, which the assembled installer holds, are of other versions and linked against other libraries."""
    stack = stacked(from_runfile, tmp_path)
    for program in ("nvidia-modprobe", "nvidia-persistenced"):
        done = stack.run(program, "--version")
        assert done.returncode == 0 and version in done.stdout, done.stdout + done.stderr


def test_the_open_modules_pass_the_same_assertions(open_modules: BuiltDriver, tmp_path: Path) -> None:
    check_modules(open_modules, tmp_path, VERSION)
    check_contents(open_modules)
    stack = stacked(open_modules, tmp_path)
    licences = {modinfo(stack, module, "license") for module in modules(open_modules).values()}
    assert licences and "NVIDIA" not in licences


def test_the_open_modules_are_found_under_nvidias_names(open_modules: BuiltDriver, tmp_path: Path) -> None:
    """Debian's settings for the proprietary modules are of the same packages: do they lead to the open ones?"""
    kernel = (open_modules.base / "kernel-version").read_text()
    stack = stacked(open_modules, tmp_path)
    for name in ("nvidia", "nvidia-uvm"):
        assert follow(stack, kernel, name), name


def follow(stack: Stack, kernel: str, name: str) -> bool:
    """Whether modprobe comes to a module file from `name`, through `install` lines that call modprobe again."""
    told = stack.run("modprobe", "-S", kernel, "--show-depends", name).stdout
    if not told:
        return False
    again = re.findall(r"modprobe -i (\S+)", told)
    return all(".ko" in stack.run("modprobe", "-S", kernel, "-i", "--show-depends", each).stdout for each in again)


def test_an_operators_key_signs_and_its_certificate_ships(
    signed: BuiltDriver, key: tuple[Path, Path], tmp_path: Path
) -> None:
    check_modules(signed, tmp_path, VERSION)
    check_contents(signed)
    assert signed.about["signer"] == "Records office module key"
    assert signed.content("usr/share/inkstick/driver/certificate.der") == key[1].read_bytes()


def test_two_builds_with_an_operators_key_are_alike(signed: BuiltDriver, signed_again: BuiltDriver) -> None:
    assert signed.modules != signed_again.modules
    for name in (file.name for file in signed.modules.iterdir() if file.name != "done.json"):
        assert (signed.modules / name).read_bytes() == (signed_again.modules / name).read_bytes(), name
    assert digest(signed.image) == digest(signed_again.image)


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_private_key_is_in_no_output(signed: BuiltDriver, key: tuple[Path, Path], tmp_path: Path) -> None:
    """Neither as text nor as the numbers it is made of, in modules, layer, records and logs."""
    text = key[0].read_bytes()
    der = subprocess.run(["openssl", "rsa", "-in", key[0], "-outform", "DER"], check=True, capture_output=True).stdout
    secrets = [line for line in text.splitlines() if len(line) == 64 and b"-" not in line]
    # After version and public numbers: the private exponent and the primes, in pieces.
    secrets += [der[place : place + 24] for place in range(300, len(der) - 24, 96)]
    unpacked = tmp_path / "layer"
    subprocess.run(["unsquashfs", "-no-progress", "-d", unpacked, signed.image], check=False, capture_output=True)
    cache = signed.layer.parents[1]
    files = [path for folder in (unpacked, cache / "layers", cache / "logs") for path in folder.rglob("*")]
    regular = [path for path in files if path.is_file() and not path.is_symlink() and path.name != "image.squashfs"]
    assert any(path.name.startswith("nvidia-current.ko") for path in regular)
    for path in regular:
        content = path.read_bytes()
        content = lzma.decompress(content) if path.suffix == ".xz" else content
        assert not any(secret in content for secret in secrets), path
    assert json.loads((signed.modules / "done.json").read_text())["parts"]["certificate"] == digest(key[1])
