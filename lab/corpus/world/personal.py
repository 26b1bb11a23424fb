"""Personal data that belongs to nobody: addresses and numbers from ranges reserved for fiction.

E-mail under example.com, .org, .net and .test (RFC 2606), telephone numbers 555-0100 to 555-0199
(North American Numbering Plan) and 07700 900000 to 900999 (Ofcom's range for drama), IPv4 addresses
from 192.0.2.0/24, 198.51.100.0/24 and 203.0.113.0/24 (RFC 5737). A filter that finds them is right,
and nobody can be reached.
"""

from __future__ import annotations

from random import Random
from typing import Final

from lab.corpus.world.draws import pick
from lab.corpus.world.names import FIRST_NAMES
from lab.corpus.world.phrases import say

Personal = tuple[str, str]  # kind, value
_HOSTS: Final = ("example.com", "example.org", "example.net", "post.test", "halvery.test")
_NETWORKS: Final = ("192.0.2", "198.51.100", "203.0.113")
_LINES: Final[dict[str, tuple[str, ...]]] = {
    "email": ("Write to {p}.", "Questions? Mail {p} and wait a day or two.", "Contact: {p}",
              "Send your order to {p}, please.", "You can reach {name} at {p}."),
    "phone": ("Call {p} after supper.", "Phone: {p}", "Ring {p} and ask for {name}.",
              "Orders are taken on {p} in the morning.", "Our number is {p}."),
    "ip": ("Posted from {p}.", "Last login from {p}", "The server at {p} was slow {time}.",
           "Blocked address: {p}", "Request from {p} was refused."),
}  # fmt: skip


def make_personal(rng: Random, kind: str = "") -> Personal:
    """A (kind, value) pair; kind is email, phone or ip."""
    kind = kind or pick(rng, tuple(_LINES))
    return kind, _MAKERS[kind](rng)


def personal_line(rng: Random, personal: Personal) -> str:
    """A line of text that gives the value away."""
    return say(rng, _LINES[personal[0]], {"p": personal[1]})


def _email(rng: Random) -> str:
    name = pick(rng, FIRST_NAMES).lower()
    return f"{name}{pick(rng, ('', '.', '_'))}{int(rng.random() * 1000)}@{pick(rng, _HOSTS)}"


def _phone(rng: Random) -> str:
    if rng.random() < 0.5:
        return f"+1 {200 + int(rng.random() * 700)}-555-01{int(rng.random() * 100):02d}"
    return f"07700 900{int(rng.random() * 1000):03d}"


def _ip(rng: Random) -> str:
    return f"{pick(rng, _NETWORKS)}.{1 + int(rng.random() * 254)}"


_MAKERS = {"email": _email, "phone": _phone, "ip": _ip}
