"""Equal trees give equal blobs, equal images equal archives; and the service understands its settings."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from builder.errors import VerifyError
from builder.oci.blob import Blob, pack
from builder.oci.image import Image, write_archive
from builder.oci.settings import ROOM, environment, station_settings
from builder.profile.load import available, load_profile
from runtime.config import StationConfig


def plant(tree: Path, *, order: int) -> None:
    """The same tree, made in another order."""
    tree.mkdir()
    names = ["usr/b", "usr/界面.sh", "etc/a"]
    for name in names[::order]:
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text(name)
    (tree / "usr/link").symlink_to("b")
    (tree / "usr/same").hardlink_to(tree / "usr/b")
    for path in (tree, *tree.rglob("*")):
        os.utime(path, (1_700_000_000 + order, 1_700_000_000.25), follow_symlinks=False)


def packed(tree: Path) -> tuple[Blob, bytes]:
    sink = io.BytesIO()
    return pack(tree, sink), sink.getvalue()


def test_equal_trees_give_equal_blobs(tmp_path: Path) -> None:
    plant(tmp_path / "one", order=1)
    plant(tmp_path / "two", order=-1)
    blob, content = packed(tmp_path / "one")
    assert (blob, content) == packed(tmp_path / "two")
    assert blob.digest == hashlib.sha256(content).hexdigest() and blob.size == len(content)
    assert blob.diff_id == hashlib.sha256(gzip.decompress(content)).hexdigest()
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        rows = {row.name: row for row in archive}
    assert list(rows) == ["etc", "etc/a", "usr", "usr/b", "usr/link", "usr/same", "usr/界面.sh"]
    assert rows["usr/same"].islnk() and rows["usr/link"].issym()


@pytest.fixture
def image(tmp_path: Path) -> Image:
    rows = []
    for name in ("slim", "station"):
        plant(tmp_path / name, order=1)
        (tmp_path / name / "etc/a").write_text(name)
        blob, content = packed(tmp_path / name)
        (tmp_path / f"{name}.blob").write_bytes(content)
        rows.append((name, blob, tmp_path / f"{name}.blob"))
    return Image(
        name="inkstick-demo",
        tag="0.1.0",
        layers=rows,
        user="901:901",
        environment={"HOME": "/tmp"},
        command=("/usr/bin/python3", "-m", "runtime.standalone"),
        ports=(7860, 8000),
        health=("true",),
        labels={"org.opencontainers.image.version": "0.1.0"},
        epoch=1_700_000_000,
    )


def read(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as opened:
        return {row.name: opened.extractfile(row).read() for row in opened}  # type: ignore[union-attr]


def test_every_blob_is_what_its_name_says_and_all_lead_to_one_another(image: Image, tmp_path: Path) -> None:
    write_archive(image, tmp_path / "a.tar")
    files = read(tmp_path / "a.tar")
    for name, content in files.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"

    def blob(digest: str) -> bytes:
        return files[f"blobs/sha256/{digest.removeprefix('sha256:')}"]

    (top,) = json.loads(files["index.json"])["manifests"]
    manifest: dict[str, Any] = json.loads(blob(top["digest"]))
    config: dict[str, Any] = json.loads(blob(manifest["config"]["digest"]))
    layers = [blob(layer["digest"]) for layer in manifest["layers"]]
    assert [len(layer) for layer in layers] == [layer["size"] for layer in manifest["layers"]]
    assert config["rootfs"]["diff_ids"] == [
        f"sha256:{hashlib.sha256(gzip.decompress(layer)).hexdigest()}" for layer in layers
    ]
    assert config["config"]["User"] == "901:901"
    (docker,) = json.loads(files["manifest.json"])
    assert [files[name] for name in docker["Layers"]] == layers and docker["RepoTags"] == [image.reference]
    assert files[docker["Config"]] == blob(manifest["config"]["digest"])


def test_equal_images_give_equal_archives(image: Image, tmp_path: Path) -> None:
    write_archive(image, tmp_path / "a.tar")
    os.umask(os.umask(0o077))
    write_archive(image, tmp_path / "b.tar")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_a_damaged_layer_is_not_shipped(image: Image, tmp_path: Path) -> None:
    file = image.layers[1][2]
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(VerifyError, match="station in the cache is damaged"):
        write_archive(image, tmp_path / "a.tar")


@pytest.mark.parametrize("name", available())
def test_the_service_understands_its_settings_and_hopes_for_no_station(name: str) -> None:
    profile = load_profile(name)
    settings = StationConfig.model_validate(station_settings(profile))
    assert (settings.ui.host, settings.api.host) == ("0.0.0.0", "0.0.0.0")
    assert (settings.ui.port, settings.api.port) == (profile.ui_port, profile.api_port)
    assert [engine.name for engine in settings.engines] == list(profile.engines)
    assert not settings.kiosk and settings.media_socket is None and settings.hardware_report is None
    assert all(str(engine.socket).startswith(f"/{ROOM}/") for engine in settings.engines)
    assert not settings.admin.journal and settings.admin.pin_file is None


def test_the_environment_is_the_units_own() -> None:
    found = environment()
    assert found["PYTHONPATH"] == "/usr/lib/inkstick:/usr/lib/inkstick/python"
    assert found["PATH"].startswith("/usr/lib/inkstick/bin:")
