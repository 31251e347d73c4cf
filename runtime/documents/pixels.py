"""A page's pixels as memory that processes share: whoever opened the file wrote them, nobody copies them."""

from __future__ import annotations

import fcntl
import mmap
import os
import weakref

_SEALED = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class Pixels:
    """`descriptor`: a memfd of at least `size_bytes`, owned from now on and closed with this object.

    Sealed, so that whoever maps it cannot be brought down by its growing shorter under their hands.
    Raises ValueError if it is shorter already, OSError if it cannot be sealed.
    """

    def __init__(self, descriptor: int, size_bytes: int) -> None:
        self.descriptor = descriptor
        self.size_bytes = size_bytes
        self._close = weakref.finalize(self, os.close, descriptor)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALED)
        if os.fstat(descriptor).st_size < size_bytes:
            raise ValueError("fewer bytes than the page has pixels")

    @classmethod
    def of(cls, content: bytes) -> Pixels:
        """A copy of `content`."""
        descriptor = new_memory("pixels")
        os.truncate(descriptor, len(content))
        with mmap.mmap(descriptor, len(content)) as view:
            view[:] = content
        return cls(descriptor, len(content))

    def mapped(self) -> mmap.mmap:
        """The memory itself, to be read; it outlives this object."""
        return mmap.mmap(self.descriptor, self.size_bytes, prot=mmap.PROT_READ)

    def __bytes__(self) -> bytes:
        with self.mapped() as view:
            return view[:]


def new_memory(name: str) -> int:
    """A descriptor of memory that can be sealed. `name`: seen in /proc only."""
    return os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
