"""A hub on this machine: the five routes that huggingface_hub uses to list and read files."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

SHA = "a" * 40
Repositories = dict[str, dict[str, bytes]]  # "datasets/owner/name" or "owner/name" -> path -> bytes

API = re.compile(r"/api/(?P<kind>datasets|models)/(?P<repo>[^/]+/[^/]+)(?P<rest>/.*)?")
RESOLVE = re.compile(r"/(?P<repo>(datasets/)?[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")


@contextmanager
def fake_hub(repositories: Repositories) -> Iterator[str]:
    """Serve `repositories` on a free port of the loopback address; yields the endpoint."""

    class Hub(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            if match := API.fullmatch(path):
                self.api(match, [])
            elif match := RESOLVE.fullmatch(path):
                self.file(match)
            else:
                self.missing("RepoNotFound")

        do_HEAD = do_GET

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
            asked = json.loads(body)["paths"] if body.startswith("{") else parse_qs(body)["paths"]
            match = API.fullmatch(unquote(urlsplit(self.path).path))
            assert match
            self.api(match, asked)

        def api(self, match: re.Match[str], asked: list[str]) -> None:
            prefix = "datasets/" if match["kind"] == "datasets" else ""
            files = repositories.get(prefix + match["repo"])
            if files is None:
                self.missing("RepoNotFound")
                return
            rest = match["rest"] or ""
            entries = [entry(path, content) for path, content in sorted(files.items())]
            if rest.startswith("/tree/"):
                folder = rest.split("/", 3)[3] if rest.count("/") > 2 else ""
                inside = [
                    e for e in entries if e["path"].startswith(folder + "/" if folder else "")
                ]
                if not inside:
                    self.missing("EntryNotFound")
                    return
                self.json([*directories(inside), *inside])
            elif rest.startswith("/paths-info/"):
                known = [*directories(entries), *entries]
                self.json([e for e in known if e["path"] in asked])
            else:
                siblings = [{"rfilename": path} for path in files]
                facts = {"id": match["repo"], "sha": SHA, "siblings": siblings, "tags": []}
                self.json({**facts, "private": False, "downloads": 0, "likes": 0})

        def file(self, match: re.Match[str]) -> None:
            content = repositories.get(match["repo"], {}).get(match["path"])
            if content is None:
                self.missing("EntryNotFound")
                return
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            begin = int(asked[1]) if asked else 0
            end = int(asked[2]) + 1 if asked and asked[2] else len(content)
            part = content[begin:end]
            self.send_response(206 if asked else 200)
            if asked:
                self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(content)}")
            self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", SHA)
            self.send_header("Accept-Ranges", "bytes")
            self.finish_with(part)

        def json(self, value: object) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.finish_with(json.dumps(value).encode())

        def missing(self, code: str) -> None:
            self.send_response(404)
            self.send_header("X-Error-Code", code)
            self.finish_with(b"{}")

        def finish_with(self, body: bytes) -> None:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def entry(path: str, content: bytes) -> dict[str, object]:
    return {
        "type": "file",
        "oid": hashlib.sha1(content).hexdigest(),
        "size": len(content),
        "path": path,
    }


def directories(entries: list[dict[str, object]]) -> list[dict[str, object]]:
    found = {str(e["path"]).rpartition("/")[0] for e in entries} - {""}
    return [{"type": "directory", "oid": "d" * 40, "size": 0, "path": p} for p in sorted(found)]
