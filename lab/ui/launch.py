"""Start the server: on loopback, with the bundled settings, on a port that is free.

`App.run()` ignores `STREAMLIT_*` variables and reads `config.toml` only from the home, working and
launcher's folders; what is passed to it wins. So every setting that matters is passed here, read
from the bundled `.streamlit/config.toml` and flattened to dotted keys. The workspace travels in the
environment, because the main script is run by path and takes no arguments.
"""

import os
import socket
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import streamlit as st

from lab.core.bundle import bundled
from lab.core.errors import ConfigError
from lab.ui.headers import MIDDLEWARE
from lab.ui.state import WORKSPACE_VARIABLE

HOST = "127.0.0.1"
PORT = 8501


def serve(workspace: Path, port: int = PORT) -> None:
    """Serve the app for `workspace` until interrupted; ConfigError if the port is taken."""
    require_free(port)
    os.environ[WORKSPACE_VARIABLE] = str(workspace.resolve())
    router = Path(__file__).with_name("router.py")
    st.App(router, middleware=MIDDLEWARE).run(config=launch_config(port))


def launch_config(port: int = PORT) -> dict[str, object]:
    """The bundled settings as dotted keys, with address, port and no browser window."""
    return bundled_config() | {
        "server.address": HOST,
        "server.port": port,
        "server.headless": True,
    }


def bundled_config() -> dict[str, object]:
    """`.streamlit/config.toml` as dotted keys."""
    text = bundled(".streamlit/config.toml").read_text("utf-8")
    return dict(flatten(tomllib.loads(text)))


def flatten(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield ("server.port", value) pairs from nested tables."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def require_free(port: int) -> None:
    """ConfigError if another program listens on `port`; it names a port that is free."""
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # a closed server's port is free
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ConfigError(
                f"Port {port} is in use.",
                where=HOST,
                value=port,
                next_step=f"if that is Mixture Lab, open http://{HOST}:{port}; otherwise "
                f"`mixlab app --port {free_port()}`",
            ) from error


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
