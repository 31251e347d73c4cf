#!/usr/bin/env python3
"""How long builds take: cold, nothing changed, one line of runtime/ changed; beside `cp` of the ISO.

    python3 bench/build.py [--profile demo] [--keep FOLDER]
    python3 bench/build.py --changed TIMES [--profile demo] [--keep FOLDER]
    python3 bench/build.py --peer live-build [--keep FOLDER]

Builds in a copy of the project with an empty cache, network included, so that nothing of the real
cache is touched. Prints a table and, last, one line of JSON; every time also as a multiple of the
floor, `cp` and `sync` of the finished ISO on the same disk in the same run: these machines differ.

With `--changed`, only the changed line, so many times, each beside a copy of the ISO just written; over the real
cache's results, as hard links, so that the folder must be on its disk. What is allowed: 1.5 copies and 5 s.

With `--peer`, a minimal image (bench/minimal.yaml) is built cold, then with a warm store (every layer anew, nothing
downloaded), then by live-build (bench/peers/live-build.sh), whose chroot is made before the clock starts, as is
our own Python environment. Package lists are fetched and packages resolved within the time of both. Processor
seconds are told as well: other work on the machine moves them less. Where the peer cannot be run, `--peer-took
SECONDS` takes its time from an earlier run.

Both tell the room that each build took on its disk at the worst moment, beside what its plan had said: what other
programs write meanwhile counts as well.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="demo")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it there")
    parser.add_argument("--changed", type=int, metavar="TIMES", help="only a changed line, so many times")
    parser.add_argument("--peer", choices=["live-build"], help="measure against it, with the minimal image")
    parser.add_argument(
        "--peer-took", type=float, metavar="SECONDS", help="do not run the peer: it took so long before"
    )
    arguments = parser.parse_args()

    def work(folder: Path) -> None:
        if arguments.peer:
            compare(folder, arguments.peer_took)
        elif arguments.changed:
            measure_changed(arguments.profile, folder, arguments.changed)
        else:
            measure(arguments.profile, folder)

    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
        work(arguments.keep)
        return
    with tempfile.TemporaryDirectory(prefix="inkstick-bench-", dir=ROOT.parent) as folder:
        work(Path(folder))


def compare(folder: Path, peer_took: float | None) -> None:
    """The minimal image, ours and live-build's, one after the other."""
    project, cache = copy_project(folder / "project"), folder / "cache"
    run(project, cache, "profiles")  # the private environment, once on a machine
    took, rooms = {}, {}
    took["cold"] = spent(lambda: build(project, cache, "bench/minimal.yaml"))
    rooms["cold"] = room(cache)
    shutil.rmtree(cache / "layers")
    shutil.rmtree(project / "dist")
    took["warm store"] = spent(lambda: build(project, cache, "bench/minimal.yaml"))
    rooms["warm store"] = room(cache)
    (iso,) = (project / "dist").glob("*.iso")
    sizes = {"iso_bytes": iso.stat().st_size}
    if peer_took is None:
        words = ["sh", str(project / "bench/peers/live-build.sh"), str(folder / "live-build")]
        subprocess.run([*words, "prepare"], check=True)
        took["live-build"] = spent(lambda: subprocess.run([*words, "build"], check=True))
        (other,) = (folder / "live-build/trixie/work").glob("*.iso")
        sizes["peer_iso_bytes"] = other.stat().st_size
    wall = took["live-build"][0] if peer_took is None else peer_took
    print(f"{'minimal image':<16}{'seconds':>10}{'of peer':>10}{'processor s':>14}")
    for name, (seconds, busy) in took.items():
        print(f"{name:<16}{seconds:>10.1f}{seconds / wall:>10.3f}{busy:>14.1f}")
    if peer_took is not None:
        print(f"{'live-build':<16}{peer_took:>10.1f}{1:>10.3f}{'earlier':>14}")
    show_rooms(rooms, sizes["iso_bytes"])
    told = {name: {"seconds": round(one, 2), "processor_s": round(two, 2)} for name, (one, two) in took.items()}
    more = {"cores": os.cpu_count(), "room": rooms, "peer_took_before_s": peer_took}
    print(json.dumps({"bench": "build", "peer": "live-build", **sizes, **more, **told}))


def measure(profile: str, folder: Path) -> None:
    project, cache = copy_project(folder / "project"), folder / "cache"
    seconds = {"cold": timed(lambda: build(project, cache, profile))}
    rooms = {"cold": room(cache)}
    seconds["unchanged"] = timed(lambda: build(project, cache, profile))
    change_a_line(project)
    seconds["runtime changed"] = timed(lambda: build(project, cache, profile))
    rooms["runtime changed"] = room(cache)
    (iso,) = (project / "dist").glob("*.iso")
    seconds["floor: cp"] = timed(lambda: copy_and_sync(iso, folder / "copy.iso"))
    report(seconds, rooms, iso.stat().st_size)


def change_a_line(project: Path) -> None:
    with (project / "runtime/__init__.py").open("a") as file:
        file.write(f"# a changed line: {time.time()}\n")


def measure_changed(profile: str, folder: Path, times: int) -> None:
    """A changed line alone, `times` times, each with a copy of its ISO right after it."""
    project, cache = copy_project(folder / "project"), linked_cache(folder / "cache")
    build(project, cache, profile)
    (iso,) = (project / "dist").glob("*.iso")
    rows = []
    print(f"{'build':>10}{'cp':>8}{'allowed':>10}{'load':>8}")
    for _ in range(times):
        change_a_line(project)
        load = os.getloadavg()[0]
        took = timed(lambda: build(project, cache, profile))
        floor = timed(lambda: copy_and_sync(iso, folder / "copy.iso"))
        (folder / "copy.iso").unlink()
        allowed = 1.5 * floor + 5
        print(f"{took:>10.1f}{floor:>8.1f}{allowed:>10.1f}{load:>8.1f}", flush=True)
        rows.append({"seconds": round(took, 2), "cp_s": round(floor, 2), "allowed_s": round(allowed, 2)})
    print(json.dumps({"bench": "build", "changed": rows, "iso_bytes": iso.stat().st_size, "cores": os.cpu_count()}))


def linked_cache(folder: Path) -> Path:
    """A cache with the content of the real one, to which nothing happens."""
    real = Path(os.environ.get("INKSTICK_CACHE") or Path.home() / ".cache/inkstick").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("store", "venv"):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(real / name)
    shutil.rmtree(folder / "layers", ignore_errors=True)
    shutil.copytree(real / "layers", folder / "layers", copy_function=os.link)
    return folder


def room(cache: Path) -> dict[str, int]:
    """Bytes that the last build took at its worst moment, by its plan and by the disk."""
    last = json.loads((cache / "history/builds.jsonl").read_text().splitlines()[-1])
    return {"planned_bytes": last["planned"]["peak_bytes"], "taken_bytes": last["actual"]["peak_bytes"]}


def show_rooms(rooms: dict[str, dict[str, int]], iso_bytes: int) -> None:
    print(f"{'room, MiB':<18}{'planned':>10}{'taken':>10}{'off by':>10}{'x ISO':>10}")
    for name, one in rooms.items():
        planned, taken = one["planned_bytes"], one["taken_bytes"]
        told = f"{planned / 2**20:>10.0f}{taken / 2**20:>10.0f}{planned / taken - 1:>+10.1%}{taken / iso_bytes:>10.2f}"
        print(f"{name:<18}{told}")


def copy_project(target: Path) -> Path:
    """What git would take, without the caches."""
    words = [
        "git",
        "-c",
        f"safe.directory={ROOT}",
        "-c",
        "core.quotePath=off",
        "ls-files",
        "-co",
        "--exclude-standard",
    ]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        source = ROOT / name
        if source.is_symlink() or source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)
    return target


def build(project: Path, cache: Path, profile: str) -> None:
    run(project, cache, "build", "--profile", profile, "--yes")


def run(project: Path, cache: Path, *command: str) -> None:
    """A command of build.py in the copy."""
    environment = {**os.environ, "INKSTICK_CACHE": str(cache), "CI": "true"}
    environment.pop("PYTHONPATH", None)
    words = [sys.executable, "build.py", *command]
    done = subprocess.run(words, cwd=project, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"the build failed:\n{done.stdout}\n{done.stderr}")


def copy_and_sync(iso: Path, target: Path) -> None:
    with iso.open("rb") as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink, 1 << 20)
        os.fsync(sink.fileno())


def timed(work: Callable[[], None]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def spent(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of all processors."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    work()
    seconds = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def report(seconds: dict[str, float], rooms: dict[str, dict[str, int]], iso_bytes: int) -> None:
    floor = seconds["floor: cp"]
    print(f"{'build':<18}{'seconds':>10}{'x floor':>10}")
    for name, value in seconds.items():
        print(f"{name:<18}{value:>10.1f}{value / floor:>10.1f}")
    show_rooms(rooms, iso_bytes)
    rounded = {name: round(value, 2) for name, value in seconds.items()}
    told = {"iso_bytes": iso_bytes, "cores": os.cpu_count(), "seconds": rounded, "room": rooms}
    print(json.dumps({"bench": "build", **told}))


if __name__ == "__main__":
    main()
