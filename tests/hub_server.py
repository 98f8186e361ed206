"""A small model hub on this machine, with a second server that plays its content network.

It speaks what huggingface_hub and `engine.hub` need, and answers wrongly when it is told to.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest


def commit_of(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


def git_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass(frozen=True)
class Asked:
    """A request as a server got it. `server` is "hub" or "cdn"."""

    server: str
    method: str
    path: str
    headers: dict[str, str]

    @property
    def start(self) -> int:
        """Where its range starts; 0 without one."""
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
        return int(match[1]) if match else 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.handle_one()

    def do_GET(self) -> None:
        self.handle_one()

    def handle_one(self) -> None:
        hub, role = self.server.hub, self.server.role
        path = unquote(urlsplit(self.path).path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        hub.asked.append(Asked(role, self.command, path, headers))
        fault = hub.next_fault(role, self.command, path)
        if fault is not None:
            fault(self)
        elif role == "cdn":
            self.send_content(hub.blobs[path.rpartition("/")[2]], "cdn-" + path[-8:])
        elif path.startswith("/api/models/"):
            self.send_listing(path)
        else:
            self.send_resolved(path)

    def answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body)

    def send_listing(self, path: str) -> None:
        hub = self.server.hub
        repository, _, revision = path.removeprefix("/api/models/").partition("/revision/")
        commit = hub.commit(repository, revision or "main")
        if commit not in hub.commits:
            return self.answer(404, {"X-Error-Code": "RepoNotFound"})
        siblings: list[dict[str, Any]] = []
        for name, data in hub.commits[commit].items():
            entry = {"rfilename": name, "size": len(data), "blobId": git_id(data)}
            if hub.is_large(name):
                entry["lfs"] = {
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "size": len(data),
                    "pointerSize": 130,
                }
            siblings.append(entry)
        described = {"id": repository, "sha": commit, "siblings": siblings}
        return self.answer(200, {}, json.dumps(described).encode())

    def send_resolved(self, path: str) -> None:
        hub = self.server.hub
        match = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        if match is None or match[1] not in hub.refs:
            return self.answer(404, {"X-Error-Code": "RepoNotFound"})
        commit = hub.commit(match[1], match[2])
        if commit not in hub.commits:
            return self.answer(404, {"X-Error-Code": "RevisionNotFound"})
        data = hub.commits[commit].get(match[3])
        if data is None:
            return self.answer(404, {"X-Error-Code": "EntryNotFound"})
        if not hub.is_large(match[3]):
            return self.send_content(data, git_id(data), {"X-Repo-Commit": commit})
        sha256 = hashlib.sha256(data).hexdigest()
        hub.blobs[sha256] = data
        linked = {
            "X-Repo-Commit": commit,
            "X-Linked-Size": str(len(data)),
            "X-Linked-Etag": f'"{sha256}"',
            "Location": f"{hub.cdn_address}/blobs/{sha256}?Signature=secret",
        }
        return self.answer(302, linked)

    def send_content(self, data: bytes, tag: str, extra: dict[str, str] | None = None) -> None:
        headers = {"ETag": f'"{tag}"', "Accept-Ranges": "bytes"} | (extra or {})
        start = Asked("", "", "", {"range": self.headers.get("Range", "")}).start
        same = self.headers.get("If-Range", headers["ETag"]) == headers["ETag"]
        if not self.headers.get("Range") or not same:
            return self.answer(200, headers, data)
        if start >= len(data):
            return self.answer(416, headers | {"Content-Range": f"bytes */{len(data)}"})
        headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        return self.answer(206, headers, data[start:])


class Server(ThreadingHTTPServer):
    daemon_threads = True
    role: str
    hub: Hub


Fault = Callable[[Handler], None]


@dataclass
class Hub:
    """Repositories of commits of files. Files named `*.pth` or `*.bin` are large ones."""

    address: str = ""
    cdn_address: str = ""
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, dict[str, str]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    faults: dict[tuple[str, str, str], deque[Fault]] = field(default_factory=dict)

    def put(self, repository: str, files: dict[str, bytes], revision: str = "main") -> str:
        """Commit files to a repository and move a revision to them. Returns the commit."""
        text = repository + "".join(name + git_id(data) for name, data in files.items())
        commit = commit_of(text)
        self.commits[commit] = files
        self.refs.setdefault(repository, {})[revision] = commit
        return commit

    def commit(self, repository: str, revision: str) -> str:
        return self.refs.get(repository, {}).get(revision, revision)

    def is_large(self, name: str) -> bool:
        return name.endswith((".pth", ".bin"))

    def fail(self, server: str, method: str, name: str, *faults: Fault) -> None:
        """Answer the next requests for a file (by the end of its address) with these faults."""
        self.faults[server, method, name] = deque(faults)

    def next_fault(self, server: str, method: str, path: str) -> Fault | None:
        for (role, verb, name), faults in self.faults.items():
            if (role, verb) == (server, method) and path.endswith(name) and faults:
                return faults.popleft()
        return None

    def of(self, server: str, method: str = "GET") -> list[Asked]:
        return [a for a in self.asked if a.server == server and a.method == method]


@contextlib.contextmanager
def running(patch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that HF_ENDPOINT points to."""
    hub = Hub()
    servers = []
    for role in ("hub", "cdn"):
        server = Server(("127.0.0.1", 0), Handler)
        server.role, server.hub = role, hub
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    # Two names of this machine, so that the two servers are different hosts.
    hub.address = f"http://127.0.0.1:{servers[0].server_port}"
    hub.cdn_address = f"http://localhost:{servers[1].server_port}"
    patch.setenv("HF_ENDPOINT", hub.address)
    patch.setenv("NO_PROXY", "127.0.0.1,localhost")
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE"):
        patch.delenv(name, raising=False)
    try:
        yield hub
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def status(code: int, error: str = "") -> Fault:
    return lambda handler: handler.answer(code, {"X-Error-Code": error} if error else {})


def redirect(location: str, code: int = 302) -> Fault:
    return lambda handler: handler.answer(code, {"Location": location})


def content(data: bytes, **headers: str) -> Fault:
    """A whole answer with this content, whatever was asked for."""
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.answer(200, extra, data)


def partial_content(data: bytes, content_range: str, **headers: str) -> Fault:
    extra = {"Content-Range": content_range} | headers
    return lambda handler: handler.answer(206, extra, data)


def zipped(data: bytes) -> Fault:
    return content(gzip.compress(data), Content_Encoding="gzip")


def cut(data: bytes, after: int) -> Fault:
    """Promise the rest of `data` from where it was asked for, send `after` bytes, and hang up."""

    def send(handler: Handler) -> None:
        _begin(handler, data, after)
        handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = True

    return send


def hold(data: bytes, after: int, release: threading.Event) -> Fault:
    """Promise the rest of `data`, send `after` bytes, and fall silent until `release`."""

    def send(handler: Handler) -> None:
        _begin(handler, data, after)
        release.wait(60)
        handler.close_connection = True

    return send


def drip(data: bytes, piece: int, release: threading.Event) -> Fault:
    """Send `data` in small pieces, every one after a short silence, until `release`."""

    def send(handler: Handler) -> None:
        _begin(handler, data, 0)
        for at in range(0, len(data), piece):
            if release.wait(0.005):
                break
            with contextlib.suppress(OSError):
                handler.wfile.write(data[at : at + piece])
        handler.close_connection = True

    return send


def _begin(handler: Handler, data: bytes, after: int) -> None:
    start = Asked("", "", "", {"range": handler.headers.get("Range", "")}).start
    rest = data[start:]
    handler.send_response(206 if start else 200)
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
    handler.send_header("Content-Length", str(len(rest)))
    handler.end_headers()
    with contextlib.suppress(OSError):
        handler.wfile.write(rest[:after])
        handler.wfile.flush()
