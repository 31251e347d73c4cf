"""The model's files: found at their source, looked at, hashed into the lock, copied into the store.

Weights are safetensors and nothing else: a pickle runs code when it is opened.
"""

from __future__ import annotations

import json
import shutil
import struct
from fnmatch import fnmatchcase
from pathlib import Path

from builder.cache import Cache
from builder.console import size, step
from builder.errors import FetchError, LockError
from builder.inputs.lock import LockedModel, ModelFile
from builder.inputs.mirrors import hub_settings
from builder.inputs.store import Store, sha256_of
from builder.keys import ROOT
from builder.profile.graphics import Weights
from builder.run import output

_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".npy", ".npz")
_HUB_REQUIREMENTS = ROOT / "builder/requirements-hub.lock"
_NEWEST = {"huggingface": "main", "modelscope": "master"}
_LARGEST_HEADER_BYTES = 100_000_000


def lock_model(weights: Weights, cache: Cache, *, mirror: str | None = None) -> LockedModel:
    """Take the model from its source into the store, and say what it is. `mirror`: the profile's, of its hub.

    Raises LockError where the folder is no model that may ship, FetchError where a hub cannot be reached.
    """
    folder, commit = _source(weights, cache, mirror)
    names = taken(folder, weights.files)
    check(folder, names, licence=weights.licence)
    store = Store(cache.store)
    files = []
    total = sum((folder / name).stat().st_size for name in names)
    done = 0
    with step(f"lock: {weights.title}, {size(total)}", bytes_=True) as meter:
        for name in names:
            files.append(_take(folder / name, name, store))
            done += files[-1].size
            meter(done, total)
    return LockedModel(origin=weights.origin, commit=commit, licence=weights.licence, files=tuple(files))


def restore_model(weights: Weights, locked: LockedModel, cache: Cache, *, mirror: str | None = None) -> None:
    """Bring locked files that the store lacks back into it. Raises FetchError if the source has others."""
    store = Store(cache.store)
    if all(store.has(file.sha256, file.size) for file in locked.files):
        return
    same = weights.model_copy(update={"commit": locked.commit or weights.commit})
    found = lock_model(same, cache, mirror=mirror)
    if found.files != locked.files:
        ours = {file.name: file.sha256 for file in locked.files}
        other = sorted({file.name for file in found.files if ours.get(file.name) != file.sha256} or ours)
        raise FetchError(
            f"{weights.origin} does not hold the model that is locked: {', '.join(other[:4])} differ",
            hint="take the files that were locked, or lock the new ones: python3 build.py lock",
        )


def taken(folder: Path, patterns: list[str]) -> list[str]:
    """Names of the files below `folder` that match, sorted."""
    if not folder.is_dir():
        raise LockError(f"there is no model folder {folder}", hint="--model takes a folder, or the word synthetic")
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return sorted(name for name in names if any(matches(name, glob) for glob in patterns))


def matches(name: str, glob: str) -> bool:
    """Whether a file's path below the model's folder matches; `*` does not cross a slash."""
    parts, globs = name.split("/"), glob.split("/")
    return len(parts) == len(globs) and all(map(fnmatchcase, parts, globs))


def check(folder: Path, names: list[str], *, licence: str) -> None:
    """Raises LockError for pickles, for a folder without weights, and for one without its licence's text."""
    pickles = [name for name in names if name.lower().endswith(_PICKLES)]
    if pickles:
        raise LockError(
            f"the model has pickled files, which run code when they are opened: {', '.join(pickles[:4])}",
            hint="convert them to safetensors, or leave them out of `model: {files: ...}`",
        )
    weights = [name for name in names if name.endswith(".safetensors")]
    if not weights:
        raise LockError(f"{folder} holds no safetensors", hint="weights in any other format are not taken")
    for name in weights:
        _check_safetensors(folder / name, name)
    if "config.json" not in names:
        raise LockError(f"{folder} holds no config.json", hint="is this the folder that `config.json` lies in?")
    if (ROOT / "licences" / licence / "NOTICE.txt").is_file() and not any(
        name.startswith("LICENSE") for name in names
    ):
        raise LockError(
            f"{folder} holds no LICENSE, and the licence {licence} wants its text to go with the weights",
            hint="put the LICENSE file of the model's repository into the folder",
        )


def _check_safetensors(file: Path, name: str) -> None:
    """The header must be JSON whose tensors fill the file exactly: a renamed pickle is none."""
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > _LARGEST_HEADER_BYTES:
                raise ValueError
            header = json.loads(stream.read(length))
        ends = [row["data_offsets"][1] for key, row in header.items() if key != "__metadata__"]
        if 8 + length + max(ends, default=0) != file.stat().st_size:
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, struct.error):
        raise LockError(f"{name} is not a whole safetensors file", hint="download it anew, and lock again") from None


def _take(file: Path, name: str, store: Store) -> ModelFile:
    digest = sha256_of(file)
    length = file.stat().st_size
    if not store.has(digest, length):
        partial = store.partial(digest)
        partial.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, partial)
        if sha256_of(partial) != digest:
            partial.unlink()
            raise FetchError(f"{name} changed while it was read", hint="let nothing write to the model's folder")
        store.commit(partial, digest)
    return ModelFile(name=name, size=length, sha256=digest)


def _source(weights: Weights, cache: Cache, mirror: str | None) -> tuple[Path, str]:
    """The folder with the files, downloaded first where a hub has them; and the hub's name of the commit."""
    if weights.folder is not None:
        return (ROOT / weights.folder).absolute(), ""
    from builder.environments import environment

    python = environment(cache, "hub", _HUB_REQUIREMENTS)
    kind = "huggingface" if weights.huggingface else "modelscope"
    repository = weights.huggingface or weights.modelscope
    commit = weights.commit or _NEWEST[kind]
    folder = cache.store / "partial" / f"{kind}-{str(repository).replace('/', '--')}-{commit}"
    with step(f"download {repository} at {commit} from {kind}"):
        settings = [f"{name}={address}" for name, address in hub_settings(kind, mirror).items()]
        program: list[str | Path] = [python, "-I", ROOT / "builder/inputs/hub.py"]
        printed = output(
            ["env", *settings, *program, kind, str(repository), commit, folder, *weights.files],
            hint="run again: it goes on where it stopped; HF_ENDPOINT and MODELSCOPE_ENDPOINT, or the profile's "
            "`mirrors: {models: ...}`, name mirrors; or --model FOLDER, or --model synthetic",
        )
    return folder, json.loads(printed.splitlines()[-1])["commit"]
