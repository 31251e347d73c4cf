"""A model hub on the loopback interface, as far as the clients of Hugging Face and ModelScope ask one."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

COMMIT = "f6af82ee" + "0" * 32


@contextmanager
def hub(files: dict[str, bytes]) -> Iterator[str]:
    """Serve one repository at one commit; yields the hub's address."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            path, _, query = self.path.partition("?")
            if path.startswith("/api/v1/"):
                self._answer_modelscope(path, parse_qs(query), body=body)
                return
            if path.startswith(f"/api/models/a/b/tree/{COMMIT}"):
                tree = [
                    {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                    for name, content in files.items()
                ]
                self._send(json.dumps(tree).encode(), {"Content-Type": "application/json"}, body=body)
                return
            if path.startswith("/api/models/"):
                rows = [{"rfilename": name, "size": len(content)} for name, content in files.items()]
                content = json.dumps({"id": "a/b", "sha": COMMIT, "siblings": rows, "private": False}).encode()
                self._send(content, {"Content-Type": "application/json"}, body=body)
                return
            name = path.partition(f"/resolve/{COMMIT}/")[2]
            if name not in files:
                self.send_error(404)
                return
            digest = hashlib.sha256(files[name]).hexdigest()
            self._send(files[name], {"ETag": f'"{digest}"', "X-Repo-Commit": COMMIT}, body=body)

        def _answer_modelscope(self, path: str, query: dict[str, list[str]], *, body: bool) -> None:
            if path == "/api/v1/repos/internalAccelerationInfo":
                self.send_error(404)
            elif query.get("Revision") != [COMMIT]:
                self._send(b'{"Code": 10010205001, "Success": false, "Message": "no such revision"}', {}, body=body)
            elif path == "/api/v1/models/a/b/repo/files":
                rows = [
                    {
                        **{"Path": name, "Name": name.rpartition("/")[2], "Type": "blob", "Size": len(content)},
                        "Sha256": hashlib.sha256(content).hexdigest(),
                    }
                    for name, content in files.items()
                ]
                told = {"Code": 200, "Success": True, "Data": {"Files": rows}}
                self._send(json.dumps(told).encode(), {"Content-Type": "application/json"}, body=body)
            elif (name := query.get("FilePath", [""])[0]) in files:
                self._send(files[name], {}, body=body)
            else:
                self.send_error(404)

        def _send(self, content: bytes, headers: dict[str, str], *, body: bool) -> None:
            self.send_response(200)
            for key, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(key, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
