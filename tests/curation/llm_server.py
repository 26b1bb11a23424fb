"""A server on this machine that speaks chat completions, well or badly, as a test tells it."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], bytes]  # status, headers, body
Behaviour = Callable[[int, str], Answer]  # (number of the request from 0, question)


def completion(content: object, usage: object = "count", status: int = 200) -> Answer:
    """A chat completion; `usage` "count" states about what was used."""
    stated = {"prompt_tokens": 300, "completion_tokens": 20} if usage == "count" else usage
    body: dict[str, Any] = {"choices": [{"message": {"role": "assistant", "content": content}}]}
    return status, {}, json.dumps(body | ({"usage": stated} if stated is not None else {})).encode()


class Server:
    """What the server was asked, and where it is."""

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.questions: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.lock = threading.Lock()
        self.url = ""


@contextmanager
def serving(behave: Behaviour) -> Iterator[Server]:
    """A running server; `behave` may sleep, and returns what is sent."""
    state = Server(behave)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            question = body["messages"][0]["content"]
            with state.lock:
                number = len(state.questions)
                state.questions.append(question)
                state.requests.append(body | {"path": self.path})
                state.keys.append(self.headers["Authorization"])
            status, headers, content = state.behave(number, question)
            try:
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                pass  # the client has gone, which is what some tests are about

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def slowly(seconds: float, behave: Behaviour) -> Behaviour:
    """The same, after a while."""

    def answer(number: int, question: str) -> Answer:
        time.sleep(seconds)
        return behave(number, question)

    return answer
