"""The command line. `build` is the default: `python3 build.py --profile demo` builds."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from builder import commands, reports
from builder.console import err, show_error
from builder.errors import InkstickError
from builder.profile import available

_HELP = """Build, check, boot and try an Inkstick: a bootable, air-gapped OCR station.

`build` is the default command: `python3 build.py --profile demo` writes dist/inkstick-demo-VERSION.iso.
The cache is ~/.cache/inkstick, or $INKSTICK_CACHE; everything in it can be deleted.

Exit codes: 0 done, 1 failure, 2 wrong usage, 3 profile, 4 this machine (tools, rights, disk),
5 download, 6 lock, 7 a step of the build, 8 verification, 9 a stick, 130 interrupted.
"""

app = typer.Typer(
    help=_HELP, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=True
)

ProfileOption = Annotated[
    str,
    typer.Option(
        "--profile", "-p", help="A profile's name, or a path to a .yaml file.", autocompletion=lambda: available()
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Install missing host tools without asking.")]
LockedOption = Annotated[bool, typer.Option("--locked", help="Take the lock as it is; fail if it has aged.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
ModelOption = Annotated[
    str | None, typer.Option(help="Weights from a local folder; or `synthetic`: random ones in the model's shapes.")
]
Format = Literal["iso", "oci"]
IsoArgument = Annotated[Path, typer.Argument(help="The ISO file.", metavar="ISO")]


@app.command()
def build(
    profile: ProfileOption = "demo",
    yes: YesOption = False,
    locked: LockedOption = False,
    model: ModelOption = None,
    accept_license: Annotated[
        list[str] | None, typer.Option(help="Accept the terms that weights come under, by name; once on a machine.")
    ] = None,
    sign_key: Annotated[
        Path | None,
        typer.Option(help="Sign the checksum file with this OpenSSH key.", envvar="INKSTICK_SIGN_KEY"),
    ] = None,
    format: Annotated[
        Format, typer.Option(help="A bootable ISO, or a container image for Docker and Podman.")
    ] = "iso",
) -> None:
    """Build the profile's ISO into dist/, with checksum and manifest. Does only what is missing."""
    accepted = accept_license or []
    commands.build(
        profile, yes=yes, locked=locked, model=model, licences=accepted, sign_key=sign_key, oci=format == "oci"
    )


@app.command()
def plan(profile: ProfileOption = "demo", json: JsonOption = False, model: ModelOption = None) -> None:
    """Say what a build would do, and why: layers, downloads, disk, size, time. Changes nothing."""
    commands.plan(profile, as_json=json, model=model)


@app.command()
def lock(profile: ProfileOption = "demo", yes: YesOption = False) -> None:
    """Resolve packages and wheels to exact versions and hashes; write the lock beside the profile."""
    commands.lock(profile, yes=yes)


@app.command()
def fetch(
    profile: ProfileOption = "demo",
    locked: LockedOption = False,
    export: Annotated[
        Path | None, typer.Option("--export", help="Then copy it all to this folder, for another machine.")
    ] = None,
    import_: Annotated[
        Path | None, typer.Option("--import", help="Take it from such a folder instead: needs no network.")
    ] = None,
) -> None:
    """Download all that the lock names. After it, a build needs no network."""
    if import_ is not None:
        commands.import_store(profile, import_)
    else:
        commands.fetch(profile, locked=locked, export=export)


@app.command()
def verify(
    iso: IsoArgument,
    against: Annotated[
        Path | None, typer.Option(help="A lock: what is on the ISO must be what it pins.", metavar="LOCK")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Check an ISO by itself: boot entries, names, manifest, every block, and what the layers hold."""
    commands.verify(iso, against=against, as_json=json)


@app.command()
def show(iso: IsoArgument, json: JsonOption = False) -> None:
    """Say what is on an ISO: layers, sizes, packages, wheels, model, licences. Read from the file alone."""
    reports.show(iso, as_json=json)


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="The older ISO.", metavar="A.ISO")],
    after: Annotated[Path, typer.Argument(help="The newer ISO.", metavar="B.ISO")],
    json: JsonOption = False,
    bytes_: Annotated[
        bool, typer.Option("--bytes", help="File by file: for two builds that should be the same. Exit 1 if not.")
    ] = False,
) -> None:
    """Say what sets two ISOs apart: packages, wheels, weights, settings, size by layer."""
    if bytes_:
        reports.diff_bytes(before, after, as_json=json)
    else:
        reports.diff(before, after, as_json=json)


@app.command()
def flash(
    iso: IsoArgument,
    sticks: Annotated[list[Path], typer.Argument(help="The sticks, as /dev/sdX: all on them is lost.", metavar="DEV")],
    delta: Annotated[
        bool, typer.Option("--delta", help="Read each stick first, and write only what differs.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also disks that are not removable, and sticks with a vault.")
    ] = False,
    yes_i_mean: Annotated[
        list[str] | None, typer.Option(help="Instead of being asked: the stick's name, as sdX.", metavar="NAME")
    ] = None,
) -> None:
    """Write an ISO onto sticks, all at once; read everything back. Refuses disks that are in use."""
    from builder.flash import command as flashing

    flashing.flash(iso, sticks, delta=delta, force=force, named=yes_i_mean)


@app.command()
def boot(
    iso: IsoArgument,
    headless: Annotated[
        bool, typer.Option("--headless", help="No window; the serial console on the terminal.")
    ] = False,
    uefi: Annotated[bool, typer.Option("--uefi", help="UEFI firmware (OVMF) instead of BIOS.")] = False,
    stick: Annotated[Path | None, typer.Option(help="A disk image to plug in as a USB stick.")] = None,
    memory: Annotated[int, typer.Option(help="Memory in MiB.", min=1024)] = 4096,
    yes: YesOption = False,
) -> None:
    """Boot an ISO in QEMU, without a network card and without writing to it."""
    commands.boot(iso, headless=headless, uefi=uefi, stick=stick, memory=memory, yes=yes)


@app.command()
def serve(
    profile: ProfileOption = "demo",
    ui_port: Annotated[int, typer.Option(help="Port of the pages.")] = 7860,
    api_port: Annotated[int, typer.Option(help="Port of the REST interface.")] = 8000,
    sticks: Annotated[Path | None, typer.Option(help="A folder; each folder in it acts as a USB stick.")] = None,
) -> None:
    """Run the same gateway, engine and pages on this machine, without an image."""
    commands.serve(profile, ui_port=ui_port, api_port=api_port, sticks=sticks)


@app.command()
def profiles(json: JsonOption = False) -> None:
    """List the profiles."""
    commands.profiles(as_json=json)


@app.command()
def clean(
    everything: Annotated[bool, typer.Option("--all", help="Downloads and Python environments as well.")] = False,
    older_than: Annotated[
        str | None, typer.Option(help="Only what no build has used for so long: 30d, 12h, 2w.", metavar="SPAN")
    ] = None,
    keep: Annotated[
        str | None, typer.Option(help="Keep the N results of each layer used last (2); or a SIZE of all (20G).")
    ] = None,
) -> None:
    """Delete layers, logs and unfinished work from the cache; say what that freed."""
    commands.clean(everything=everything, older_than=older_than, keep=keep)


@app.command()
def test(
    full: Annotated[bool, typer.Option("--full", help="Also what takes longer than a normal run may.")] = False,
    only: Annotated[
        str | None, typer.Option(help="One stage: lint, unit, integration, browser, boot, engines, full.")
    ] = None,
    second_try: Annotated[
        bool, typer.Option("--second-try", help="Run the few tests that failed once more, and name them.")
    ] = False,
    yes: YesOption = False,
) -> None:
    """Set up what the tests need and run them: lint, unit, integration, browser, boot."""
    commands.test(full=full, only=only, yes=yes, second_try=second_try)


def main() -> None:
    """Entry point: errors become cause, remedy and exit code; an interrupt leaves nothing behind."""
    signal.signal(signal.SIGTERM, _terminate)
    # Files of the image get their modes from here on; whose umask it was must not show.
    os.umask(0o022)
    # Debian leaves these out of an ordinary user's PATH, and some host tools lie there.
    os.environ["PATH"] = f"{os.environ.get('PATH', '/usr/bin:/bin')}:/usr/sbin:/sbin"
    try:
        app(args=_with_default_command(sys.argv[1:]), prog_name="build.py")
    except InkstickError as error:
        show_error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        err.print("interrupted; what is finished stays, and the next run goes on from there")
        sys.exit(130)


def _terminate(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _with_default_command(words: list[str]) -> list[str]:
    known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    takes_value = {"--profile", "-p"}
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in known or word in ("--help", "--install-completion", "--show-completion"):
            return words
        elif word in takes_value:
            skip = True
        elif not word.startswith("-"):
            return words
    return ["build", *words] if words else words
