"""The real server: bound to loopback, with its headers, every page ready, strangers refused."""

import http.client
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from lab.core.workspace import Workspace
from lab.ui.headers import HEADERS
from lab.ui.launch import HOST, free_port
from lab.ui.navigation import VIEWS

ROOT = Path(__file__).parents[2]
# What `serve` does, with Streamlit's own test interface switched on; it is off in the product.
PROGRAM = """
import os, sys
import streamlit as st
from lab.ui.headers import MIDDLEWARE
from lab.ui.launch import launch_config
os.environ["MIXLAB_WORKSPACE"] = sys.argv[1]
settings = launch_config(int(sys.argv[2])) | {"server.enableAgentApi": True}
st.App("lab/ui/router.py", middleware=MIDDLEWARE).run(config=settings)
"""


def wait_healthy(port: int, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(f"http://{HOST}:{port}/_stcore/health", timeout=1)
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the server did not become healthy")


@pytest.fixture(scope="module")
def server(plain_workspace: Workspace) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    argv = [sys.executable, "-c", PROGRAM, str(plain_workspace.root), str(port)]
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        wait_healthy(port, process)
        yield port, process
    finally:
        process.terminate()
        process.wait(timeout=30)


def interact(port: int, **body: object) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://{HOST}:{port}/_stcore/agent/interact",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    return json.load(urllib.request.urlopen(request, timeout=120))


def test_it_listens_on_loopback_only(server: tuple[int, subprocess.Popen[bytes]]) -> None:
    port, process = server
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    listening = {
        c.laddr.ip
        for member in family
        for c in member.net_connections("inet")
        if c.status == psutil.CONN_LISTEN and c.laddr.port == port
    }
    assert listening == {HOST}


@pytest.mark.parametrize("path", ["/", "/mixture", "/_stcore/health"])
def test_every_answer_carries_the_headers(
    server: tuple[int, subprocess.Popen[bytes]], path: str
) -> None:
    answer = urllib.request.urlopen(f"http://{HOST}:{server[0]}{path}", timeout=20)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value


def handshake(port: int, host: str) -> int:
    """Status of a websocket handshake under a Host header."""
    connection = http.client.HTTPConnection(HOST, port, timeout=20)
    connection.putrequest("GET", "/_stcore/stream", skip_host=True)
    for key, value in {
        "Host": host,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }.items():
        connection.putheader(key, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_foreign_host_is_refused(server: tuple[int, subprocess.Popen[bytes]]) -> None:
    assert handshake(server[0], "evil.example") == 403
    assert handshake(server[0], f"{HOST}:{server[0]}") == 101


def test_every_page_is_served_and_ready(server: tuple[int, subprocess.Popen[bytes]]) -> None:
    first = interact(server[0])
    paths = {page["url_path"] for page in first["pages"]}
    assert paths == {"", *(view.name for view in VIEWS[1:])}
    for path in sorted(paths):
        answer = interact(server[0], session_id=first["session_id"], page=path)
        assert answer["status"] == "ready", (path, answer)


def test_the_test_interface_is_off_in_the_product(plain_workspace: Workspace) -> None:
    """`streamlit run app.py`, the other way to start, with nothing switched on."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true",
         f"--server.port={port}"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "MIXLAB_WORKSPACE": str(plain_workspace.root)},
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_healthy(port, process)
        with pytest.raises(urllib.error.HTTPError):
            interact(port)
        answer = urllib.request.urlopen(f"http://{HOST}:{port}/filters", timeout=20)
        assert answer.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]
        assert handshake(port, "evil.example") == 403
        with socket.socket() as probe:
            assert probe.connect_ex((HOST, port)) == 0
    finally:
        process.terminate()
        process.wait(timeout=30)
