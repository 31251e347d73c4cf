"""`python3 -m runtime.keys make --scope ocr`, `list`, `revoke ID`: the station's API keys, on its own terminal."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from runtime import config
from runtime.keys.ledger import Ledger, remembered_s
from runtime.keys.ring import KeyRing


def main() -> int:
    """Exit code 1 for an id that is not there, 2 where the configuration names no file of keys."""
    parser = argparse.ArgumentParser(prog="runtime.keys", description=__doc__)
    parser.add_argument("--config", type=Path, default=None)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make", help="make a key and show it, once")
    making.add_argument("--scope", action="append", choices=["ocr", "admin"], required=True)
    commands.add_parser("list", help="ids and scopes")
    revoking = commands.add_parser("revoke", help="refuse a key from now on")
    revoking.add_argument("id")
    ending = commands.add_parser("revoke-token", help="refuse a token (JWT) from now on, by its jti")
    ending.add_argument("jti")
    arguments = parser.parse_args()
    auth = config.load(arguments.config).auth
    path = auth.keys
    if path is None:
        print("the configuration names no file of keys (auth: keys)", file=sys.stderr)
        return 2
    ring = KeyRing(path)
    if arguments.command == "make":
        record, key = ring.make(tuple(dict.fromkeys(arguments.scope)))
        print(f"{record.id}  {key}")
    elif arguments.command == "list":
        for each in ring.records():
            made = time.strftime("%Y-%m-%d %H:%M", time.localtime(each.made_at))
            print(f"{each.id}  {','.join(each.scopes):<10}  {made}{'  revoked' if each.revoked else ''}")
    elif arguments.command == "revoke-token":
        if auth.tokens is None:
            print("the configuration names no tokens (auth: tokens)", file=sys.stderr)
            return 2
        Ledger(path).revoke(arguments.jti, remembered_s(auth.tokens))
    elif not ring.revoke(arguments.id):
        print(f"no key {arguments.id!r}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
