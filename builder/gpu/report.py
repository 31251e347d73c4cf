"""The report on machine code: as JSON and as a table for people, and what it must not say."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from builder.gpu.fatbin import CARDS

Row = dict[str, Any]


def shortcomings(rows: list[Row], wanted: list[str], card: int) -> list[str]:
    """Why libraries matching the globs `wanted` cannot serve a card sm_`card`, a line each.

    A library that is not there is one, too: a renamed library must not pass unseen.
    """
    name = f"sm_{card}"
    lines = []
    for pattern in wanted:
        matching = [row for row in rows if fnmatchcase(row["library"], pattern)]
        if not matching:
            lines.append(f"{pattern}: no such library, or it holds no kernel")
        for row in matching:
            if row["runs_on"][name] == 0:
                lines.append(f"{row['library']}: no machine code that runs on {name}")
            elif row["only_ptx"][name]:
                isa = ", ".join(row["ptx_isa"])
                lines.append(f"{row['library']}: {row['only_ptx'][name]} parts have only PTX {isa} for {name}")
    return lines


def as_text(rows: list[Row]) -> str:
    """A table: a library a line, and for each card how many of its parts run, and how many are only PTX."""
    heads = [f"sm_{card}" for card in CARDS]
    width = max((len(row["library"]) for row in rows), default=10)
    lines = [
        "Kernels in the station's libraries. A part is one translation unit with code for graphics cards.",
        "runs: the card executes its machine code as it is.  +N ptx: the driver would have to compile N parts,",
        "which it can only if it knows the PTX version named last.",
        "",
        f"{'library':<{width}}  parts  " + "  ".join(f"{head:>14}" for head in heads) + "  PTX",
    ]
    for row in rows:
        cells = []
        for head in heads:
            ptx = row["only_ptx"][head]
            cells.append(f"{row['runs_on'][head]:>5}" + (f" +{ptx} ptx".ljust(9) if ptx else " " * 9))
        lines.append(
            f"{row['library']:<{width}}  {row['units']:>5}  " + "  ".join(cells) + "  " + " ".join(row["ptx_isa"])
        )
    return "\n".join(line.rstrip() for line in lines) + "\n"
