"""Fetch, against a real HTTP server on loopback: parallel, resumed, verified."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from builder.errors import FetchError
from builder.inputs.fetch import Gone, fetch
from builder.inputs.lock import DebianPackage, Wheel
from builder.inputs.mirrors import DebianMirrors
from builder.inputs.store import Store


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """A server on loopback while the block runs; its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Mirror:
    """What the server has, what it was asked for, and how it misbehaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    cut_after: dict[str, int] = field(default_factory=dict)
    port: int = 0

    @property
    def mirrors(self) -> DebianMirrors:
        return DebianMirrors(f"http://127.0.0.1:{self.port}", None)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    state = Mirror()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.requests.append((self.path, wanted))
            body = state.files.get(self.path)
            if body is None:
                self.send_error(404)
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            self.send_response(206 if wanted else 200)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            self.wfile.write(body[start : state.cut_after.pop(self.path, len(body))])

        def log_message(self, format: str, *args: object) -> None: ...

    with serving(Handler) as state.port:
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{state.port}/simple")
        yield state


def deb(name: str, content: bytes, *, sha256: str = "") -> DebianPackage:
    return DebianPackage(
        name=name,
        version="1",
        arch="all",
        archive="debian",
        path=f"pool/{name}_1_all.deb",
        size=len(content),
        sha256=sha256 or hashlib.sha256(content).hexdigest(),
        use="base",
    )


def test_everything_arrives_and_a_second_run_asks_for_nothing(tmp_path: Path, mirror: Mirror) -> None:
    items = [deb(f"p{n}", bytes([n]) * 5000) for n in range(20)]
    mirror.files = {f"/{item.path}": bytes([n]) * 5000 for n, item in enumerate(items)}
    store = Store(tmp_path)
    assert fetch(store, items, lambda: mirror.mirrors) == 100_000
    assert all(store.path(item.sha256).read_bytes() == mirror.files[f"/{item.path}"] for item in items)
    mirror.requests.clear()
    assert fetch(store, items, lambda: mirror.mirrors) == 0
    assert mirror.requests == []


def test_a_broken_download_goes_on_where_it_stopped(tmp_path: Path, mirror: Mirror) -> None:
    content = bytes(range(256)) * 4000
    item = deb("big", content)
    mirror.files = {f"/{item.path}": content}
    mirror.cut_after = {f"/{item.path}": 600_000}
    fetch(Store(tmp_path), [item], lambda: mirror.mirrors)
    assert Store(tmp_path).path(item.sha256).read_bytes() == content
    resumed = [wanted for _, wanted in mirror.requests if wanted]
    assert resumed and int(resumed[0].removeprefix("bytes=").rstrip("-")) > 0


def test_a_wrong_hash_is_an_error_with_the_file_and_both_hashes(tmp_path: Path, mirror: Mirror) -> None:
    item = deb("bad", b"what was locked")
    mirror.files = {f"/{item.path}": b"what was served"}
    with pytest.raises(FetchError) as caught:
        fetch(Store(tmp_path), [item], lambda: mirror.mirrors)
    served = hashlib.sha256(b"what was served").hexdigest()
    assert "bad_1_all.deb" in caught.value.message
    assert item.sha256 in caught.value.message and served in caught.value.message
    assert not Store(tmp_path).path(item.sha256).exists()


def test_what_the_mirror_has_dropped_is_named_and_the_rest_is_kept(tmp_path: Path, mirror: Mirror) -> None:
    kept, gone = deb("kept", b"here"), deb("gone", b"not here")
    mirror.files = {f"/{kept.path}": b"here"}
    with pytest.raises(Gone) as caught:
        fetch(Store(tmp_path), [kept, gone], lambda: mirror.mirrors)
    assert caught.value.items == [gone]
    assert Store(tmp_path).has(kept.sha256, kept.size)


def test_a_wheel_is_found_through_the_index_page_of_its_project(
    tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"a wheel"
    name = "six-1.0-py3-none-any.whl"
    mirror.files = {
        "/simple/six/": f'<a href="../../files/{name}#sha256=x">{name}</a>'.encode(),
        f"/files/{name}": content,
    }
    digest = hashlib.sha256(content).hexdigest()
    item = Wheel(project="six", version="1.0", file_name=name, size=len(content), sha256=digest)
    fetch(Store(tmp_path), [item], lambda: mirror.mirrors)
    assert Store(tmp_path).path(digest).read_bytes() == content
    monkeypatch.delenv("UV_DEFAULT_INDEX")  # then the profile's own
    own = f"http://127.0.0.1:{mirror.port}/own/"
    mirror.files["/own/six/"] = mirror.files.pop("/simple/six/")
    fetch(Store(tmp_path / "behind"), [item], lambda: mirror.mirrors, index=own)
    assert Store(tmp_path / "behind").path(digest).read_bytes() == content
