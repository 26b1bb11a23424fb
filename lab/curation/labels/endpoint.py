"""One question to an endpoint that speaks OpenAI's chat completions, and patience with it.

Any server will do: a vendor's, vLLM, llama.cpp, Ollama. The key comes from the environment
(MIXLAB_LLM_API_KEY, else OPENAI_API_KEY), goes into one header, and is written nowhere: not in
files, logs or messages, where a server may echo it. It never travels unencrypted to another
machine. Redirects are not followed, since they would carry the documents elsewhere; no other scheme
than http and https is opened, and at most 1 MB of an answer is read.

429, 5xx and refused connections are tried again after min(longest, first x 2^k) seconds, or what
Retry-After asks for. A time-out is not tried again here: the server may have done the work, so it
is charged, and the caller decides whether to pay for another attempt.
"""

import http.client
import ipaddress
import json
import os
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from lab.core.errors import ConfigError, DependencyMissing
from lab.curation.labels.replies import Failure, Reply, asked_wait, parse_reply

KEYS = ("MIXLAB_LLM_API_KEY", "OPENAI_API_KEY")
LARGEST = 1_000_000  # bytes of an answer
PATH = "/chat/completions"
TRANSIENT = {408, 409, 425, 429, 500, 502, 503, 504, 529}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and what to ask; waits in seconds. `reasoning` models take another name for the limit
    of the answer and no temperature.
    """

    base_url: str
    model: str
    key: str = field(default="", repr=False)
    answer_tokens: int = 200
    reasoning: bool = False
    timeout: float = 60.0
    attempts: int = 6
    first_wait: float = 1.0
    longest_wait: float = 120.0

    @property
    def url(self) -> str:
        """Where questions go."""
        return self.base_url.rstrip("/") + PATH

    def body(self, question: str) -> bytes:
        """The request: greedy, so that the same question has the same answer."""
        limit = "max_completion_tokens" if self.reasoning else "max_tokens"
        value: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": "user", "content": question}],
            limit: self.answer_tokens,
        }
        return json.dumps(value if self.reasoning else value | {"temperature": 0}).encode("ascii")

    def hide(self, text: str) -> str:
        """`text` without the key."""
        return text.replace(self.key, "[key]") if self.key else text


class Response(NamedTuple):
    """Status, headers and body as they came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def connect(base_url: str, model: str, **settings: Any) -> Endpoint:
    """The endpoint, checked, with the key of the environment. Nothing is sent.

    Raises ConfigError for an address that is not plain http(s), a key that is no header, or a key
    that would travel unencrypted.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            "This is not the address of an endpoint.",
            value=base_url,
            next_step="http(s)://HOST[:PORT]/v1",
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(
            "An address holds no user name, query or fragment: it is written into reports.",
            where="--base-url",
            next_step=f"put the key into {KEYS[0]}",
        )
    key = next((os.environ[name] for name in KEYS if os.environ.get(name)), "")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError("The key in the environment holds impossible characters.", where=KEYS[0])
    if key and parts.scheme == "http" and not is_local(parts.hostname):
        raise ConfigError(
            "The key would travel unencrypted to another machine.",
            value=base_url,
            next_step=f"use https, or unset {' and '.join(KEYS)}",
        )
    if not model:
        raise ConfigError("No model was named.", where="--model")
    return Endpoint(base_url, model, key, **settings)


def is_local(host: str) -> bool:
    """True for this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def ask(endpoint: Endpoint, question: str, stop: Event) -> Reply | Failure:
    """The answer to one question, with retries that end early once `stop` is set.

    Raises DependencyMissing where asking again cannot help: wrong key, wrong path, redirect.
    """
    failure = Failure("not asked", again=True)
    for attempt in range(endpoint.attempts):
        wait = min(endpoint.first_wait * 2**attempt, endpoint.longest_wait)
        try:
            response = send(endpoint, question)
        except TimeoutError:
            return Failure("no whole answer in time", charged=True, again=True)
        except OSError as error:
            failure = Failure(f"no connection: {endpoint.hide(str(error))[:200]}", again=True)
        else:
            if response.status not in TRANSIENT:
                return understand(endpoint, response)
            failure = Failure(f"status {response.status}", again=True)
            wait = max(wait, asked_wait(response.headers))
        if wait > endpoint.longest_wait:
            return Failure(f"the server asks to wait {wait:.0f} s", again=True)
        if attempt + 1 == endpoint.attempts or stop.wait(wait):
            break
    return failure


def send(endpoint: Endpoint, question: str) -> Response:
    """One request. Raises TimeoutError where the server may have had it, OSError where not."""
    headers = {"Content-Type": "application/json", "User-Agent": "mixlab"}
    if endpoint.key:
        headers["Authorization"] = f"Bearer {endpoint.key}"
    request = urllib.request.Request(endpoint.url, endpoint.body(question), headers)
    deadline = time.monotonic() + endpoint.timeout
    try:
        with opener().open(request, timeout=endpoint.timeout) as response:
            return Response(response.status, response.headers, read_body(response, deadline))
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError | socket.timeout):
            raise TimeoutError from error
        raise OSError(str(error.reason)) from error
    except (http.client.HTTPException, ConnectionError) as error:
        raise TimeoutError from error  # it had the question: the work may be done and charged


def opener() -> urllib.request.OpenerDirector:
    """Opens http and https, through the environment's proxy; follows no redirect."""
    director = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
    ):
        director.add_handler(handler)
    return director


def read_body(response: Any, deadline: float) -> bytes:
    """The body; TimeoutError once `deadline` is past, whatever drips in; cut at `LARGEST`."""
    pieces, size = [], 0
    while size <= LARGEST and (piece := response.read1(65536)):
        pieces.append(piece)
        size += len(piece)
        if time.monotonic() > deadline:
            raise TimeoutError
    return b"".join(pieces)


def understand(endpoint: Endpoint, response: Response) -> Reply | Failure:
    """A final response as an answer or a failure."""
    text = endpoint.hide(response.body[:LARGEST].decode("utf-8", "replace"))
    if response.status in (401, 403, 404) or 300 <= response.status < 400:
        target = endpoint.hide(response.headers.get("Location") or "")
        raise DependencyMissing(
            "The endpoint refuses.",
            where=endpoint.url,
            value=f"status {response.status} {target} {text[:300]}",
            next_step="give the address it redirects to, if you trust it"
            if target
            else f"check {KEYS[0]}, --base-url (it ends in /v1 for most servers) and --model",
        )
    if response.status != 200:
        return Failure(f"status {response.status}: {text[:300]}")
    try:
        return parse_reply(json.loads(text))
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return Failure(f"not a chat completion: {text[:300]}", charged=True)
