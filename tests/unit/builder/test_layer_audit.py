"""What must not lie in a layer is found and named: made here with mksquashfs, and read inside a larger file."""

from __future__ import annotations

import platform
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from builder import layer_audit
from builder.errors import VerifyError
from builder.isofs import Extent
from builder.keys import ROOT
from builder.layer_audit import Entry, LayerFile

OFFSET = 2048 * 5


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small root, with nothing wrong in it."""
    root = tmp_path / "tree"
    for name, text in {
        "etc/hostname": "inkstick\n",
        "etc/machine-id": "",
        "usr/bin/tool": "#!/bin/sh\n",
        "usr/share/doc/tool/copyright": "MIT\n",
        "usr/lib/ca.pem": "-----BEGIN CERTIFICATE-----\n",
    }.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o644)
    return root


def layer(tree: Path) -> tuple[dict[str, LayerFile], dict[str, list[Entry]]]:
    """`tree` as a layer that begins somewhere inside a file."""
    image = tree.parent / "image"
    subprocess.run(["mksquashfs", tree, image, "-noappend", "-quiet", "-no-progress"], check=True, capture_output=True)
    iso = tree.parent / "iso"
    iso.write_bytes(bytes(OFFSET) + image.read_bytes())
    found = LayerFile(iso, Extent("/inkstick/layers/base", OFFSET, image.stat().st_size))
    return {"base": found}, {"base": found.entries()}


def test_a_clean_layer_passes(tree: Path) -> None:
    layers, listed = layer(tree)
    assert "usr/bin/tool" in {entry.path for entry in listed["base"]}
    layer_audit.rights(listed)
    layer_audit.secrets(layers, listed)
    layer_audit.traces(layers, listed)
    layer_audit.licences(listed, {"packages": [{"name": "tool", "use": "base"}]})


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o666])
def test_a_program_with_anothers_rights_is_named(tree: Path, mode: int) -> None:
    (tree / "usr/bin/tool").chmod(mode)
    with pytest.raises(VerifyError, match="base:/usr/bin/tool"):
        layer_audit.rights(layer(tree)[1])


def test_a_private_key_is_named(tree: Path) -> None:
    (tree / "usr/lib/signing.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    with pytest.raises(VerifyError, match=r"base:/usr/lib/signing\.pem"):
        layer_audit.secrets(*layer(tree))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
        ("etc/apt/apt.conf.d/proxy", 'Acquire::http::Proxy "x";\n'),
        ("var/log/dpkg.log", "installed\n"),
        ("root/.ssh/authorized_keys", "key\n"),
        ("etc/hosts", "127.0.1.1 buildhost-7\n"),
        ("usr/lib/inkstick/runtime/x.py", f"# {ROOT}\n"),
    ],
)
def test_what_is_left_of_the_builder_is_named(
    tree: Path, file: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "node", lambda: "buildhost-7.example")
    (tree / file).parent.mkdir(parents=True, exist_ok=True)
    (tree / file).write_text(text)
    with pytest.raises(VerifyError, match=f"base:/{file}"):
        layer_audit.traces(*layer(tree))


def test_many_files_are_read_by_few_calls_each_with_its_own_bytes(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = {f"etc/many/{number} [a] *.conf": f"{number}\n" * (number % 7) for number in range(40)}
    for name, text in contents.items():
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text(text)
    (tree / "etc/link").symlink_to("many")
    monkeypatch.setattr(layer_audit, "_BATCH_FILES", 16)
    layers, listed = layer(tree)
    wanted = [entry for entry in listed["base"] if entry.path in contents]
    found = {entry.path: content.decode() for entry, content in layers["base"].read_many(reversed(wanted))}
    assert found == contents


def test_a_file_larger_than_a_batch_is_read_whole(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree / "etc/large").write_bytes(bytes(50_000))
    monkeypatch.setattr(layer_audit, "_BATCH_BYTES", 10_000)
    layers, listed = layer(tree)
    files = [entry for entry in listed["base"] if entry.is_file]
    assert {entry.path: len(content) for entry, content in layers["base"].read_many(files)}["etc/large"] == 50_000


def test_a_file_of_another_size_than_listed_is_told(tree: Path) -> None:
    layers, listed = layer(tree)
    (hostname,) = (entry for entry in listed["base"] if entry.path == "etc/hostname")
    with pytest.raises(VerifyError, match="not of the size"):
        list(layers["base"].read_many([replace(hostname, size=hostname.size + 1)]))


def test_a_package_without_its_licence_is_named(tree: Path) -> None:
    with pytest.raises(VerifyError, match="other"):
        layer_audit.licences(layer(tree)[1], {"packages": [{"name": "other", "use": "base"}]})


def test_a_stick_of_another_lock_is_told_apart() -> None:
    package = {"name": "tool", "use": "base", "sha256": "a", "version": "1"}
    wheel = {"project": "numpy", "sha256": "b"}
    about = {"packages": [package], "wheels": [wheel]}
    assert layer_audit.against(about, {"packages": [package], "wheels": [wheel]})
    with pytest.raises(VerifyError, match="in the lock alone: tool; on the stick alone: tool"):
        layer_audit.against(about, {"packages": [{**package, "sha256": "c"}], "wheels": [wheel]})


def test_a_models_terms_are_looked_for_unless_its_layer_is_encrypted(tree: Path) -> None:
    listed = layer(tree)[1]
    about = {"packages": [], "model": {"encrypted": False}}
    with pytest.raises(VerifyError, match=r"TERMS\.md"):
        layer_audit.licences(listed, about)
    assert layer_audit.licences(listed, {"packages": [], "model": {"encrypted": True}})
