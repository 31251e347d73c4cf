"""The driver: what its modules must be, and which wheels it can carry."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.cache import Cache
from builder.cli import main
from builder.errors import ProfileError
from builder.gpu.compatibility import cuda_need, is_older
from builder.gpu.modules import EXPECTED, ModuleInfo, Signer, check_modules
from builder.inputs.lock import Lock, Wheel, lock_path, read_lock, write_lock
from builder.inputs.store import Store
from builder.keys import ROOT
from builder.layers.driver import keep_what_differs
from builder.layers.scratch import Scratch
from builder.plan import check_driver, make_plan
from builder.profile import Profile, load_profile
from builder.steps import tools
from builder.steps.graphics import driver_steps

KERNEL, VERSION, SIGNER = "6.12.117+deb13-amd64", "550.163.01", Signer("Operator", "0A1B")


def module(name: str, **changes: str) -> ModuleInfo:
    file = name.replace("nvidia", "nvidia-current", 1) + ".ko.xz"
    fields = {"version": VERSION, "vermagic": f"{KERNEL} SMP preempt", "signer": "Operator", "sig_key": "0A:1B"}
    return ModuleInfo(file, **{**fields, **changes})


def complaints(modules: list[ModuleInfo]) -> list[str]:
    return check_modules(modules, kernel=KERNEL, version=VERSION, signer=SIGNER)


def test_five_modules_for_the_images_kernel_pass() -> None:
    assert complaints([module(name) for name in EXPECTED]) == []


def test_nvidias_own_names_pass_too() -> None:
    plain = [
        ModuleInfo(f"{name}.ko", version=VERSION, vermagic=KERNEL, signer="Operator", sig_key="0A1B")
        for name in EXPECTED
    ]
    assert complaints(plain) == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"vermagic": "6.1.0-9-amd64 SMP"}, "built for kernel 6.1.0-9-amd64, the image has 6.12.117+deb13-amd64"),
        ({"version": "535.1"}, "version 535.1, the libraries have 550.163.01"),
        ({"signer": ""}, "not signed"),
        ({"signer": "Somebody"}, "signed by Somebody, the certificate that ships is Operator"),
        ({"sig_key": "FF"}, "signed by Operator, the certificate that ships is Operator"),
    ],
)
def test_a_wrong_module_is_named_with_what_is_wrong(changes: dict[str, str], complaint: str) -> None:
    modules = [module(name) for name in EXPECTED[1:]]
    assert complaints([module("nvidia", **changes), *modules]) == [f"nvidia-current.ko.xz: {complaint}"]


def test_a_missing_module_is_named() -> None:
    assert complaints([module(name) for name in EXPECTED if name != "nvidia-uvm"]) == ["missing: nvidia-uvm"]


def wheel(project: str, version: str) -> Wheel:
    return Wheel(project=project, version=version, file_name="x.whl", size=1, sha256="a" * 64)


@pytest.mark.parametrize(
    ("wheels", "driver"),
    [
        ([wheel("nvidia-cuda-runtime-cu12", "12.8.90")], "525.60.13"),
        ([wheel("nvidia-cudnn-cu13", "9.1"), wheel("nvidia-cublas-cu12", "12.8")], "580.65.06"),
        ([wheel("nvidia-cuda-runtime", "13.0.48")], "580.65.06"),
    ],
)
def test_the_wheels_tell_which_driver_they_need(wheels: list[Wheel], driver: str) -> None:
    need = cuda_need(wheels)
    assert need is not None and need.driver == driver


def test_wheels_without_cuda_need_no_driver() -> None:
    assert cuda_need([wheel("numpy", "2.0"), wheel("nvidia-ml-py", "13.6")]) is None


def test_versions_are_compared_number_by_number() -> None:
    assert is_older("550.163.01", "580.65.06") and not is_older("1000.1", "580.65.06")


@pytest.fixture
def profile() -> Profile:
    return load_profile("4090d")


@pytest.fixture
def lock(profile: Profile) -> Lock:
    found = read_lock(lock_path(profile))
    assert found is not None
    return found


def test_the_4090d_profile_has_a_driver_for_its_wheels(profile: Profile, lock: Lock) -> None:
    check_driver(profile, lock)


def test_wheels_that_need_a_newer_driver_are_refused_with_both_versions(profile: Profile, lock: Lock) -> None:
    newer = lock.model_copy(update={"wheels": (*lock.wheels, wheel("nvidia-cuda-runtime", "13.0.48"))})
    with pytest.raises(ProfileError) as caught:
        check_driver(profile, newer)
    assert "580.65.06" in caught.value.message and "550.163.01" in caught.value.message


def test_the_plan_refuses_wheels_that_need_a_newer_driver_with_both_versions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock for CUDA 13 under a profile with Debian's driver, through the command itself."""
    newer = read_lock(lock_path(load_profile("4090d-cuda13")))
    assert newer is not None
    driver = read_lock(lock_path(load_profile("4090d")))
    assert driver is not None
    packages = tuple(package for package in driver.packages if package.use.startswith("driver"))
    write_lock(newer.model_copy(update={"packages": packages}), tmp_path / "mixed.lock.json")
    monkeypatch.setattr("builder.commands.lock_path", lambda profile: tmp_path / "mixed.lock.json")
    monkeypatch.setattr("sys.argv", ["build.py", "plan", "--profile", "4090d"])
    monkeypatch.setenv("INKSTICK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("builder.commands.ensure_tools", lambda tools, yes: None)
    with pytest.raises(SystemExit) as left:
        main()
    told = capsys.readouterr()
    assert left.value.code == 3
    assert "580.65.06" in told.out + told.err and "550.163.01" in told.out + told.err


def test_nothing_of_the_installers_own_code_is_in_the_keys_of_debians_driver(
    profile: Profile, lock: Lock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "tool_version", lambda name: name)
    seen: list[str] = []

    def listen(*names: str) -> str:
        seen.extend(names)
        return "x"

    monkeypatch.setattr(tools, "code_hash", listen)
    driver_steps(profile, lock, Store(tmp_path), make_plan(profile, lock, Cache(tmp_path)).step("base"))
    assert "builder/layers/runfile.py" not in seen
    cuda13 = load_profile("4090d-cuda13")
    theirs = read_lock(lock_path(cuda13))
    assert theirs is not None
    make_plan(cuda13, theirs, Cache(tmp_path))
    assert "builder/layers/runfile.py" in seen
    assert any(name.startswith("builder/layers/runfile-settings/") for name in seen)


def test_wheels_for_a_card_are_refused_where_there_is_no_driver(lock: Lock) -> None:
    with pytest.raises(ProfileError, match="has no driver"):
        check_driver(load_profile("demo"), lock)


def test_nothing_that_builds_the_modules_ships(lock: Lock) -> None:
    shipped = {package.name for package in lock.packages if package.use == "driver"}
    assert not {name for name in shipped if "dkms" in name or "headers" in name or name.startswith("gcc")}


def test_the_open_modules_come_with_the_settings_that_lead_to_them(profile: Profile) -> None:
    """With the others `modprobe nvidia` looks for a module that is not there."""
    assert profile.driver
    chosen = profile.driver.model_copy(update={"flavour": "open"})
    assert "nvidia-kernel-support" in profile.driver.shipped_packages
    assert "nvidia-kernel-support" not in chosen.shipped_packages
    assert "nvidia-open-kernel-support" in chosen.shipped_packages


def test_headers_and_kernel_are_of_one_version(lock: Lock) -> None:
    kernels = {package.version for package in lock.used_by("base") if package.name.startswith("linux-image-6")}
    headers = {
        package.version
        for package in lock.used_by("driver-build")
        if package.name.startswith("linux-headers-6") and package.name.endswith("amd64")
    }
    assert kernels == headers != set()


def test_nouveau_is_kept_away_by_every_boot_entry_and_by_modprobe(profile: Profile) -> None:
    assert "modprobe.blacklist=nouveau" in profile.kernel_arguments
    rules = (ROOT / "overlay/nvidia/etc/modprobe.d/inkstick-nvidia.conf").read_text()
    assert "blacklist nouveau" in rules


def test_a_signing_key_without_its_certificate_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "_gpu.yaml").write_text((ROOT / "profiles/_gpu.yaml").read_text())
    (tmp_path / "_station.yaml").write_text((ROOT / "profiles/_station.yaml").read_text())
    (tmp_path / "x.yaml").write_text("extends: _gpu\ndriver:\n  signing_key: README.md\n")
    with pytest.raises(ProfileError, match="go together"):
        load_profile("x", tmp_path)


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    for name in ("upper/usr/lib", "lower/usr/lib"):
        (tmp_path / name).mkdir(parents=True)
    return Scratch(root=tmp_path, upper=tmp_path / "upper", lower=tmp_path / "lower")


def test_only_what_differs_from_the_base_is_in_the_layer(scratch: Scratch) -> None:
    for name, above, below in (("same", "1", "1"), ("changed", "2", "1"), ("new", "3", None)):
        (scratch.upper / "usr/lib" / name).write_text(above)
        if below is not None:
            (scratch.lower / "usr/lib" / name).write_text(below)
    keep_what_differs(scratch)
    assert sorted(path.name for path in (scratch.upper / "usr/lib").iterdir()) == ["changed", "new"]


def test_a_changed_mode_is_a_difference(scratch: Scratch) -> None:
    for folder in (scratch.upper, scratch.lower):
        (folder / "usr/lib/tool").write_text("x")
    (scratch.upper / "usr/lib/tool").chmod(0o755)
    (scratch.lower / "usr/lib/tool").chmod(0o4755)
    keep_what_differs(scratch)
    assert (scratch.upper / "usr/lib/tool").exists()


def test_a_plan_says_what_cannot_be_built_twice_alike(
    profile: Profile, lock: Lock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "tool_version", lambda name: name)
    notes = make_plan(profile, lock, Cache(tmp_path)).notes
    assert any("thrown away" in note for note in notes)
    assert any("HunyuanOCR 1.0 is not locked yet" in note for note in notes)
