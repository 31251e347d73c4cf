"""`python3 -m runtime.evidence verify FILE`: see runtime.evidence.verify."""

from __future__ import annotations

import argparse
import sys

from runtime.evidence import verify


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m runtime.evidence")
    commands = parser.add_subparsers(required=True)
    verify.add_arguments(commands.add_parser("verify", help="check an evidence file and the files it tells of"))
    return verify.run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
