"""Download a model repository at a commit. A program of its own, run in the environment of the hubs' clients.

    python hub.py huggingface|modelscope REPOSITORY COMMIT FOLDER GLOB...

Prints, last, one line of JSON with the full name of the commit. Both clients go on where a download
stopped; both take a mirror from the environment (HF_ENDPOINT, MODELSCOPE_ENDPOINT).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def huggingface(repository: str, commit: str, folder: Path, patterns: list[str]) -> str:
    """Through huggingface_hub. Returns the full commit."""
    from huggingface_hub import HfApi, snapshot_download

    full: str | None = HfApi().model_info(repository, revision=commit).sha
    if full is None or not (full.startswith(commit) or commit == "main"):
        raise SystemExit(f"{repository} has no commit {commit}")
    snapshot_download(
        repository, revision=full, local_dir=folder, allow_patterns=patterns, ignore_patterns=_ignored(patterns)
    )
    return full


def modelscope(repository: str, commit: str, folder: Path, patterns: list[str]) -> str:
    """Through modelscope, which takes a commit as a revision and has no call that completes it."""
    from modelscope.hub.snapshot_download import snapshot_download

    snapshot_download(
        repository,
        revision=commit,
        local_dir=str(folder),
        allow_patterns=patterns,
        ignore_patterns=_ignored(patterns),
    )
    return commit


def _ignored(patterns: list[str]) -> list[str] | None:
    """Patterns without a slash mean the top folder, but `*` matches slashes with both clients."""
    return None if any("/" in pattern for pattern in patterns) else ["*/*"]


def main() -> None:
    """Dispatch on the hub's name."""
    kind, repository, commit, folder, *patterns = sys.argv[1:]
    take = {"huggingface": huggingface, "modelscope": modelscope}[kind]
    print(json.dumps({"commit": take(repository, commit, Path(folder), patterns)}))


if __name__ == "__main__":
    main()
