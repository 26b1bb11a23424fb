"""Electronic addresses: e-mail, IPv4 and IPv6.

An e-mail address is looked for at each `@`, backwards for the local part (up to 64 characters, RFC
5321) and forwards for two to nine labels (RFC 1035). ASCII only: addresses in other scripts, and
spelt-out ones (`name at host dot com`), are missed. What looks like one and is none: `icon@2x.png`,
`a@b.dot(c)` in code, `git@host.org:path` of ssh.

An IP address counts if it can lead to somebody: private, loopback, link-local and multicast ones do
not, nor does IPv6 outside 2000::/3, all that is assigned for the public net. The ranges for
documentation count, since a text may use them for real ones. Version and section numbers have the
same form: four numbers all below 32 (one public address in 4,096), or a word such as `version` or
`section` before them, make no address. `Chrome/49.0.1.12` and `1.2.3.4-beta` do not either.
"""

import ipaddress
import re
from collections.abc import Iterator

Span = tuple[int, int]  # start, end in characters
EMAIL_HINT = r"[A-Za-z0-9_+-]@[A-Za-z0-9]"
OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
IP_HINT = r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){1,6}"

LOCAL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[._%+-]*([A-Za-z0-9_](?:[A-Za-z0-9._%+'-]*[A-Za-z0-9_+-])?)\Z"
)
LOCAL_LONGEST = 64
DOMAIN = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}"
    r"(xn--[A-Za-z0-9-]{2,20}|[A-Za-z]{2,24})(?![A-Za-z0-9(]|-[A-Za-z0-9]|:[A-Za-z~/])"
)
FILES = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js"})  # `icon@2x.png`
IPV4 = re.compile(
    rf"(?<![\w.])(?<!\w/)(?<![A-Za-z]-)(?:{OCTET}\.){{3}}{OCTET}(?!\w|\.[0-9]|-[A-Za-z])"
)
IPV6 = re.compile(r"(?<![\w:.])[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]{2,34}(?![\w:])")
VERSION_BELOW = 32
NUMBERED = re.compile(
    r"(?:\b(?:v|ver|version|versions|release|rel|build|firmware|driver|kernel|patch|update|rev"
    r"|revision|section|sections|sec|chapter|clause|figure|fig|table|equation|eq|theorem|lemma"
    r"|definition|proposition|example|exercise|appendix|oid)\.?|§)[ :#(]*\Z",
    re.IGNORECASE,
)
NUMBERED_BEFORE = 24  # characters that `NUMBERED` may need
UNREACHABLE = tuple(
    map(
        ipaddress.ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.168.0.0/16", "224.0.0.0/3"),
        ),
    )
)


def emails(text: str) -> Iterator[Span]:
    """Spans of e-mail addresses, in order."""
    at = text.find("@")
    end = 0
    while at >= 0:
        domain = DOMAIN.match(text, at + 1)
        if domain and domain[1].lower() not in FILES:
            local = LOCAL.search(text, max(end, at - LOCAL_LONGEST - 1), at)
            if local and at - local.start(1) <= LOCAL_LONGEST:
                yield local.start(1), domain.end()
                end = domain.end()
        at = text.find("@", at + 1)


def ips(text: str) -> Iterator[Span]:
    """Spans of IP addresses that can lead to somebody: all of version 4, then of version 6."""
    for found in IPV4.finditer(text):
        if is_reachable(found[0]) and not is_numbering(text, found.start()):
            yield found.span()
    for found in IPV6.finditer(text):
        address = found[0].removesuffix(":")
        if is_ipv6(address):
            yield found.start(), found.start() + len(address)


def is_reachable(address: str) -> bool:
    """Whether dotted numbers are a public address rather than a private one or a version."""
    if max(map(int, address.split("."))) < VERSION_BELOW:
        return False
    parsed = ipaddress.IPv4Address(address)
    return not any(parsed in network for network in UNREACHABLE)


def is_numbering(text: str, start: int) -> bool:
    """Whether a word for numbered things stands before `start`."""
    return NUMBERED.search(text, max(0, start - NUMBERED_BEFORE), start) is not None


def is_ipv6(address: str) -> bool:
    """Whether the characters are a whole IPv6 address."""
    try:
        ipaddress.IPv6Address(address)
    except ipaddress.AddressValueError:
        return False
    return True
