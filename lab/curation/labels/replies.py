"""What comes back from an endpoint, as far as it can be believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

MOST_TOKENS = 1_000_000_000  # of one answer; a larger number is nonsense, and overflows a price


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and what the server says it cost; None where it says nothing usable."""

    content: str
    prompt_tokens: int | None
    answer_tokens: int | None


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer: `why`; `charged` if the server may have done the work all the same; `again` if
    another attempt may help.
    """

    why: str
    charged: bool = False
    again: bool = False


def asked_wait(headers: Mapping[str, str]) -> float:
    """Seconds that Retry-After asks for, as a number or a date; 0 if it says nothing usable."""
    value = headers.get("Retry-After") or ""
    if value.strip().replace(".", "", 1).isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # OverflowError: an offset of a million years
        return 0.0
    zone = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (zone - datetime.now(UTC)).total_seconds())


def parse_reply(value: Any) -> Reply:
    """The content and usage of a chat completion; KeyError and the like if it is not one."""
    content = value["choices"][0]["message"]["content"]
    if not isinstance(content, str):
        raise TypeError
    usage = value.get("usage")
    said = usage if isinstance(usage, dict) else {}
    return Reply(
        content, whole(said.get("prompt_tokens"), 1), whole(said.get("completion_tokens"), 0)
    )


def whole(value: object, least: int) -> int | None:
    """A number of tokens, or None for what cannot be one."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if least <= value <= MOST_TOKENS else None
