"""`python3 -m runtime.documents FD`: forks decoders for the gateway, one for each document.

Through the socket FD come the sockets of decoders that are wanted, one with each message. A decoder gives up
its rights, waits for its request, opens the file, answers and ends. This process never looks into a file.
See `runtime.documents.standby`.
"""

from __future__ import annotations

import array
import codecs
import gc
import importlib
import io
import json
import os
import resource
import select
import signal
import socket
import sys
from typing import NoReturn

from PIL import Image

from runtime.config import Limits
from runtime.documents import opening, pictures
from runtime.documents.confinement import confine
from runtime.documents.parts import Reply, Request
from runtime.documents.pixels import new_memory
from runtime.documents.refusals import TOO_COSTLY
from runtime.problems import Problem

LONGEST_REQUEST_BYTES = 65_536
_FDS = 2
_PHOTOGRAPHS = ("look", "cut_out")
_WRITE_BYTES = 1 << 18
_AT_REST_S = 0.1
_ORDINARY_SIDE = 1600
_ORDINARY_FILE_BYTES = 1 << 20
_SAMPLE_SIDE = 64
_LARGE_KIB = 128 << 10
"""A decoder that has grown larger ends as soon as it has answered: its memory is of more use than its time."""
_CODECS = ("cp437", "latin-1", "utf-16", "utf-16-le", "utf-16-be", "utf-8", "ascii")
"""Names in ZIP files and strings in image headers are in one of these."""


def serve(wanted: socket.socket) -> None:
    """Until the gateway closes its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped by the kernel
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _load_libraries()
    sample = _sample()
    while True:
        message, descriptors = _received(wanted)
        if not message:
            return
        ask = json.loads(message)
        if ask["photographs"]:
            _load_photographs()
        with socket.socket(fileno=descriptors[0]) as channel:
            if os.fork() == 0:
                wanted.close()
                _decode(channel, Limits.model_validate(ask["limits"]), sample)


def _load_libraries() -> None:
    """Plug-ins and codecs are loaded once, here, where files may still be read."""
    Image.init()
    importlib.import_module("runtime.documents.pdf")
    importlib.import_module("pi_heif").register_heif_opener(thumbnails=False)
    for codec in _CODECS:
        codecs.lookup(codec)
    gc.freeze()  # children share what is there by now


def _load_photographs() -> None:
    """Load OpenCV for the children to come, unless it is loaded."""
    if "runtime.documents.photographs" not in sys.modules:
        importlib.import_module("runtime.documents.photographs").rehearse()
        gc.freeze()


def _decode(channel: socket.socket, limits: Limits, sample: bytes) -> NoReturn:
    """A child's whole life. It ends without clean-up: everything it holds is the kernel's to free."""
    code = 1
    try:
        confine(limits)
        if not select.select([channel], [], [], _AT_REST_S)[0]:
            _rehearse(sample)
            _warm_memory()
        message, descriptors = _received(channel)
        if message:
            source, output = descriptors
            while not message.endswith(b"\n") and (more := channel.recv(LONGEST_REQUEST_BYTES)):
                message += more
            _answer(Request.model_validate_json(message), source, output, channel)
        code = 0
    except BaseException as error:
        print(f"document refused: {type(error).__name__}", file=sys.stderr, flush=True)
    os._exit(code)


def _warm_memory() -> None:
    """Pillow keeps the memory of one picture for the next. Fresh memory, page by page from the kernel, takes
    longer than a photograph's decoding: nobody waits for it now, whoever sends a file would.

    So does the C library with the file's own, once so much was given back that it need not go to the kernel for it.
    """
    Image.core.set_blocks_max(1)  # type: ignore[attr-defined]
    Image.new("RGB", (_ORDINARY_SIDE, _ORDINARY_SIDE))
    for _ in range(2):
        bytearray(_ORDINARY_FILE_BYTES)


def _rehearse(sample: bytes) -> None:
    """Do all of it once with a picture of our own. A fork shares its parent's memory until it writes to it, and
    Python writes to all that it touches: each page of that is copied now, not when a file has come.
    """
    request = Request.model_validate({"what": "open", "limits": Limits().model_dump(mode="json")})
    ours, theirs = socket.socketpair()
    output = new_memory("rehearsal")
    with ours, theirs:
        if (rest := _described_first(request, sample, theirs)) is not None:
            theirs.sendall(_line(_opened(rest, sample, output)))
    os.close(output)


def _sample() -> bytes:
    """A photograph of nothing."""
    held = io.BytesIO()
    Image.effect_noise((_SAMPLE_SIDE, _SAMPLE_SIDE), 64).convert("RGB").save(held, "JPEG")
    return held.getvalue()


def _received(channel: socket.socket) -> tuple[bytes, list[int]]:
    """One message and what came with it; an empty one when the other end is closed."""
    message, ancillary, _, _ = channel.recvmsg(LONGEST_REQUEST_BYTES, socket.CMSG_SPACE(_FDS * 4))
    descriptors = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
    return message, list(descriptors)


def _answer(asked: Request, source: int, output: int, answers: socket.socket) -> None:
    request: Request | None = asked
    data = os.pread(source, os.fstat(source).st_size, 0)
    if asked.what == "open":
        request = _described_first(asked, data, answers)
    if request is not None:
        answers.sendall(_line(_opened(request, data, output)))
    answers.shutdown(socket.SHUT_WR)  # the gateway need not wait for the end of this process
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < _LARGE_KIB:
        answers.recv(1)  # to end takes milliseconds of a core: when, the gateway says by closing its end


def _described_first(request: Request, data: bytes, answers: socket.socket) -> Request | None:
    """Tell what it is; then what is left to do, if it is an image with one page."""
    reply = _opened(request.model_copy(update={"what": "describe"}), data, -1)
    answers.sendall(_line(reply))
    told = reply.description
    if told is None or len(told.pages) != 1 or told.format in ("PDF", "ZIP"):
        return None
    return request.model_copy(update={"what": "render"})


def _line(reply: Reply) -> bytes:
    return reply.model_dump_json().encode() + b"\n"


def _opened(request: Request, data: bytes, output: int) -> Reply:
    try:
        if request.what == "describe":
            return Reply(description=opening.describe(data, request.limits, request.password))
        if request.what == "picture":
            made = pictures.picture(
                data, request.kind, request.limits, request.clockwise, request.page, request.password
            )
            _write(output, made)
            return Reply(size=len(made))
        if request.what in _PHOTOGRAPHS:
            return _photograph(request, data, output)
        page = opening.render(data, request.page, request.limits, request.region, request.take_text, request.password)
        if not isinstance(page, Image.Image):
            return Reply(width=page.width, height=page.height, lines=page.lines)
        _write_pixels(output, page)
        return Reply(width=page.width, height=page.height)
    except Problem as problem:
        if isinstance(problem.__cause__, MemoryError):
            problem = Problem(TOO_COSTLY, "Save it smaller.")
        return Reply(problem=problem.kind.code, detail=problem.detail)
    except MemoryError:
        return Reply(problem=TOO_COSTLY.code, detail="Save it smaller.")


def _photograph(request: Request, data: bytes, output: int) -> Reply:
    from runtime.documents import photographs

    if request.what == "look":
        return Reply(corners=photographs.look(data, request.limits))
    jpeg, corners, sharp = photographs.cut_out(data, request.cut, request.clockwise, request.limits)
    _write(output, jpeg)
    return Reply(size=len(jpeg), corners=corners, sharp=sharp)


def _write_pixels(output: int, page: Image.Image) -> None:
    """Row by row, without a second copy of the page: new memory costs more than what is done with it."""
    encoder = Image._getencoder("RGB", "raw", ("RGB", 0, 1))  # what `tobytes` and `save` use
    encoder.setimage(page.im, (0, 0, *page.size))
    try:
        if encoder.encode_to_file(output, _WRITE_BYTES) < 0:
            raise OSError("the page could not be written")
    finally:
        encoder.cleanup()


def _write(output: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(output, view) :]


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
