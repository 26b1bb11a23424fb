"""Numbers in words a reader can trust: always with a unit, never with more digits than are known.

Every function here returns text made of digits, signs and our own words only, so it may stand in a
label or a sentence without escaping.
"""

import math
from datetime import UTC, datetime

STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def count(value: float | None) -> str:
    """1234567 -> `1,234,567`."""
    return "-" if value is None or math.isnan(value) else f"{value:,.0f}"


def compact(value: float | None) -> str:
    """1234567 -> `1.23M`; three significant digits."""
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "unbounded"
    for step, letter in STEPS:
        if abs(value) >= step * 0.9995:
            return f"{value / step:.3g}{letter}" if abs(value) < step * 999.5 else f"{value:.3g}"
    return f"{value:.3g}"


def percent(value: float | None, digits: int = 1) -> str:
    """0.1234 -> `12.3 %`."""
    return "-" if value is None or math.isnan(value) else f"{100 * value:.{digits}f} %"


def number(value: float | None, digits: int = 4) -> str:
    """`digits` significant digits, without an exponent where a reader can do without."""
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "unbounded" if value > 0 else "-unbounded"
    return f"{value:.{digits}g}" if abs(value) < 1e5 else f"{value:,.0f}"


def signed(value: float | None, digits: int = 3) -> str:
    """A difference with its sign."""
    return "-" if value is None or math.isnan(value) else f"{value:+.{digits}f}"


def duration(seconds: float | None) -> str:
    """95 -> `1 min 35 s`."""
    if seconds is None or math.isnan(seconds):
        return "-"
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.0f} s" if seconds >= 1 or seconds == 0 else "under 1 s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def ago(moment: datetime) -> str:
    """How long ago `moment` (UTC) was."""
    return f"{duration((datetime.now(UTC) - moment).total_seconds())} ago"


def plural(amount: int, one: str, many: str = "") -> str:
    """`1 source`, `3 sources`; `one` must be a word of ours."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def epochs_words(epochs: float, cap: float) -> str:
    """What repeating this often means: four epochs keep 93 % of a token (arXiv:2305.16264)."""
    if epochs == 0:
        return "unused"
    if math.isinf(epochs):
        return "no text left"
    if epochs > cap * (1 + 1e-9):
        return "over the cap"
    if epochs <= 1:
        return "fresh"
    return "as good as fresh" if epochs <= 4 else "decaying"


def sentence(words: str) -> str:
    """`words` with a capital first letter and a full stop."""
    return words[:1].upper() + words[1:].rstrip(".") + "."
