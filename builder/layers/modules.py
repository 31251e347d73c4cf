"""NVIDIA's kernel modules, built by dkms for the image's kernel. Not a layer: the driver layer takes them.

Runs as a step: `python -m builder.layers.modules SPEC`, in a small Debian of its own, made from the
locked packages: kernel headers, compiler, dkms and the signing key never meet the image, and this
machine's kernel and graphics card are not seen.
"""

from __future__ import annotations

import json
import lzma
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from builder.gpu.modules import ModuleInfo, Signer, check_modules
from builder.gpu.sources import adapt
from builder.layers import runfile
from builder.layers.debrepo import bootstrap, unpack, write_repository
from builder.layers.scratch import chroot, furnish
from builder.layers.tree import in_memory

_KEY, _CERTIFICATE = "run/inkstick-signing.pem", "run/inkstick-signing.der"


def main(spec: dict[str, Any]) -> None:
    """Spec: packages, source (a package) or runfile, version, flavour, signing_key, certificate (or none), tree_bytes,
    work, out.
    """
    work, out = Path(spec["work"]), Path(spec["out"])
    with in_memory(work / "root", spec["tree_bytes"] // 2) as room:
        root = room / "tree"
        repository = write_repository(work / "repository", spec["packages"])
        bootstrap(root, repository, spec["packages"])
        furnish(root)
        kernel = _kernel(root)
        signer = _signer(root, spec)
        if spec["runfile"]:
            built = runfile.build_modules(root, Path(spec["runfile"]), kernel, _KEY, _CERTIFICATE, spec["flavour"])
        else:
            built = _dkms(root, Path(spec["source"]), spec["version"], kernel)
        found = [_inspect(root, file) for file in built]
        problems = check_modules(found, kernel=kernel, version=spec["version"], signer=signer)
        if problems:
            raise SystemExit("the modules are not what they must be:\n" + "\n".join(problems))
        for file in built:
            shutil.copyfile(file, out / file.name)
        shutil.copyfile(root / _CERTIFICATE, out / "certificate.der")
    (out / "modules.json").write_text(
        json.dumps(
            {"kernel": kernel, "version": spec["version"], "signer": signer.name, "serial": signer.serial}, indent=1
        )
    )


def _kernel(root: Path) -> str:
    """The version whose headers are there; never this machine's."""
    found = sorted(path.parent.name for path in (root / "usr/lib/modules").glob("*/build"))
    if len(found) != 1:
        raise SystemExit(f"expected headers of one kernel, found {', '.join(found) or 'none'}")
    return found[0]


def _signer(root: Path, spec: dict[str, Any]) -> Signer:
    """Put key and certificate in place: the operator's, or a pair that is gone when this step ends."""
    if spec["signing_key"]:
        shutil.copyfile(spec["signing_key"], root / _KEY)
        shutil.copyfile(spec["certificate"], root / _CERTIFICATE)
    else:
        chroot(
            root,
            *("openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "36500"),
            *("-subj", "/CN=Inkstick module key, thrown away after the build", "-outform", "DER"),
            *("-addext", "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=digitalSignature"),
            *("-keyout", f"/{_KEY}", "-out", f"/{_CERTIFICATE}"),
        )
    (root / _KEY).chmod(0o600)
    settings = root / "etc/dkms/framework.conf.d/inkstick.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f'mok_signing_key="/{_KEY}"\nmok_certificate="/{_CERTIFICATE}"\n')
    about = ["openssl", "x509", "-inform", "DER", "-in", f"/{_CERTIFICATE}", "-noout"]
    names = _output(root, *about, "-subject", "-nameopt", "multiline")
    common = next(line.partition("=")[2].strip() for line in names.splitlines() if "commonName" in line)
    return Signer(common, _output(root, *about, "-serial").strip().partition("=")[2])


def _dkms(root: Path, source: Path, version: str, kernel: str) -> list[Path]:
    unpack(source, root)
    (folder,) = (path for path in (root / "usr/src").glob(f"nvidia-*-{version}") if (path / "dkms.conf").is_file())
    module = folder.name.removesuffix(f"-{version}")
    for change in adapt(folder, list((root / "usr/src").glob("linux-headers-*"))):
        print(change, flush=True)
    pinned = ("-m", module, "-v", version, "-k", kernel, "-a", "x86_64")
    try:
        chroot(root, "dkms", "build", *pinned)
    except subprocess.CalledProcessError:
        for log in (root / "var/lib/dkms").rglob("make.log"):
            print(log.read_text(errors="replace")[-20000:], flush=True)
        raise SystemExit(f"dkms could not build {module} {version} for {kernel}") from None
    return sorted((root / "var/lib/dkms" / module / version / kernel / "x86_64/module").glob("*.ko*"))


def _inspect(root: Path, file: Path) -> ModuleInfo:
    plain = root / "tmp" / file.name.removesuffix(".xz")
    content = file.read_bytes()
    plain.write_bytes(lzma.decompress(content) if file.suffix == ".xz" else content)
    fields = {
        field: _output(root, "modinfo", "-F", field, f"/tmp/{plain.name}").strip()
        for field in ("version", "vermagic", "signer", "sig_key")
    }
    plain.unlink()
    return ModuleInfo(file.name, **fields)


def _output(root: Path, *words: str) -> str:
    return subprocess.run(["chroot", root, *words], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
