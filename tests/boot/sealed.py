"""The demo with a small encrypted model layer. What it has in common with the demo is taken from the cache."""

from __future__ import annotations

import subprocess
from pathlib import Path

from builder import isofs
from builder.build import finish, run_step
from builder.cache import default_cache, exclusive
from builder.inputs.lock import lock_path, read_lock
from builder.inputs.models import lock_model
from builder.layers.synthetic import Tensor, write_safetensors
from builder.plan import make_plan
from builder.profile import load_profile
from builder.profile.graphics import Weights

_ZSTD = b"\x28\xb5\x2f\xfd"


def build_sealed(folder: Path, passphrase: str) -> Path:
    """Build the ISO into `folder`."""
    model, secret, cache = folder / "model", folder / "passphrase", default_cache()
    model.mkdir(parents=True)
    write_safetensors(model / "model.safetensors", [Tensor("a.weight", (64, 64))])
    (model / "LICENSE").write_text("terms")
    (model / "config.json").write_text("{}")
    secret.write_text(passphrase + "\n")
    weights = Weights.model_validate(
        {
            "title": "A model that nobody else has",
            "licence": "tencent-hunyuan-community",
            "folder": str(model),
            "encrypted": {"passphrase_file": str(secret)},
        }
    )
    profile = load_profile("demo").model_copy(update={"model": weights})
    lock = read_lock(lock_path(profile))
    assert lock is not None
    with exclusive(cache):
        plan = make_plan(profile, lock.model_copy(update={"model": lock_model(weights, cache)}), cache)
        for name in plan.to_do:
            run_step(plan, plan.step(name), cache)
        iso = folder / "sealed.iso"
        finish(plan, iso, cache)
    return iso


def unpack_initramfs(iso: Path, root: Path) -> Path:
    """The programs of the ISO's initramfs below `root`: its packed part, behind the kernel modules."""
    content = isofs.read(iso, isofs.files(iso)["/inkstick/boot/initrd.img"])
    packed = content[content.index(_ZSTD) :]
    unpacked = subprocess.run(["zstd", "-dcq"], input=packed, capture_output=True, check=False).stdout
    root.mkdir()
    subprocess.run(["cpio", "-idm", "--quiet"], cwd=root, input=unpacked, capture_output=True, check=True)
    return root
