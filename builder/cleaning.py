"""`clean`: delete from the cache, and say what that gave back."""

from __future__ import annotations

from builder import eviction
from builder.cache import Cache, exclusive
from builder.console import say, size


def clean(cache: Cache, *, everything: bool, older_than: str | None, keep: str | None) -> None:
    """See `eviction.chosen`. Unfinished work goes in any case: `exclusive` clears it away."""
    unfinished = eviction.held_bytes(cache.work) if cache.work.is_dir() else 0
    with exclusive(cache):
        going = eviction.chosen(cache, everything=everything, older_than=older_than, keep=keep)
        for entry in going:
            eviction.remove(entry)
    say_freed(going, unfinished)
    say(f"freed {size(unfinished + sum(entry.bytes for entry in going))} in {cache.root}")


def say_freed(gone: list[eviction.Entry], unfinished: int = 0) -> None:
    """A line a kind: how many, and what they took."""
    for kind in sorted({entry.kind for entry in gone}):
        of_it = [entry for entry in gone if entry.kind == kind]
        say(f"  {kind}: {len(of_it)}, {size(sum(entry.bytes for entry in of_it))}")
    if unfinished:
        say(f"  unfinished work: {size(unfinished)}")
