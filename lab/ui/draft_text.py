"""Unsaved rules as one line of text that fits the URL and reads as a person would write it.

    web gopher.word_count@ws1=60..; * quality.edu=p20..; sharpen/web language.code@ft1=in ["en"]

A piece says for whom (`lab.ui.cuts`) and what:

    SIGNAL=MIN..MAX       either number may be missing, or be a percentile written p10
    SIGNAL=in ["a"]       also `not_in`; SIGNAL=off takes the rule away
    where EXPRESSION      `off where EXPRESSION` takes it away
    order=2,0,1           the old places of the rules, in their new order

A semicolon inside quotes is text. What is read is checked as strictly as a recipe.
"""

import json
import math
import re
from collections.abc import Sequence

from lab.core.errors import ConfigError
from lab.curation.filters.expressions import canonical
from lab.curation.filters.parsing import column_of, parse_values
from lab.curation.filters.rule import Rule, Value
from lab.ui.cuts import Draft

WHERE = "where "
ESCAPE = re.compile(r"\\.")
PIECE = re.compile(r"""(?:'[^']*'|"[^"]*"|[^;'"])+""")


def parse_draft(text: str) -> Draft:
    """The draft written in `text`; ConfigError names the piece that cannot be read."""
    draft = Draft()
    for raw in PIECE.findall(text):
        piece = raw.strip()
        scope, _, entry = piece.partition(" ")
        entry = entry.strip()
        if not piece:
            continue
        if entry.startswith("order="):
            draft = draft.with_order(scope, parse_order(entry, piece))
        else:
            draft = draft.with_change(scope, *parse_entry(entry, piece))
    return draft


def parse_entry(entry: str, piece: str) -> tuple[str, Rule | None]:
    """(key, rule or None) of one piece."""
    off = entry.removeprefix("off ") if entry.startswith(f"off {WHERE}") else ""
    if off or entry.startswith(WHERE):
        text = canonical((off or entry).removeprefix(WHERE), "unsaved changes", column_of)
        return text, None if off else Rule(where=text)
    signal, equals, demand = (part.strip() for part in entry.partition("="))
    if not signal or not equals or '"' in signal:
        raise unreadable(piece)
    if demand == "off":
        return signal, None
    kind, _, rest = demand.partition(" ")
    if kind in ("in", "not_in"):
        return signal, listed(signal, kind, rest, piece)
    low, dots, high = demand.partition("..")
    sides = bound(low, piece), bound(high, piece)
    if not dots or not any(value is not None for side in sides for value in side):
        raise unreadable(piece)
    return signal, Rule(signal, sides[0][0], sides[1][0], sides[0][1], sides[1][1])


def listed(signal: str, kind: str, text: str, piece: str) -> Rule:
    """A rule with a list of values, written as JSON."""
    try:
        values = parse_values(json.loads(text), "unsaved changes")
    except json.JSONDecodeError as error:
        raise unreadable(piece) from error
    return Rule(signal, values=values) if kind == "in" else Rule(signal, not_values=values)


def bound(text: str, piece: str) -> tuple[float | None, float | None]:
    """(number, percentile) of one side; both None for an empty text."""
    text = text.strip()
    if not text:
        return None, None
    try:
        value = float(text.removeprefix("p"))
    except ValueError as error:
        raise unreadable(piece) from error
    if not math.isfinite(value) or (text.startswith("p") and not 0 <= value <= 100):
        raise unreadable(piece)
    return (None, value) if text.startswith("p") else (value, None)


def parse_order(entry: str, piece: str) -> tuple[int, ...]:
    """Old places in their new order."""
    numbers = entry.removeprefix("order=").split(",")
    if not all(n.strip().isdigit() for n in numbers) or len(set(numbers)) < len(numbers):
        raise unreadable(piece)
    return tuple(map(int, numbers))


def unreadable(piece: str) -> ConfigError:
    """The error for a piece of a draft that is no change of a rule."""
    return ConfigError(
        "This unsaved change cannot be read.",
        where="unsaved changes",
        value=piece,
        next_step="write SOURCE SIGNAL=MIN..MAX, leave out either number, or SIGNAL=off",
    )


def write_draft(draft: Draft) -> str:
    """The draft as text that `parse_draft` reads back."""
    pieces = [
        f"{scope} {write_change(key, rule)}"
        for scope, changes in draft.changes.items()
        for key, rule in changes.items()
    ]
    orders = [f"{scope} order={','.join(map(str, o))}" for scope, o in draft.orders.items()]
    return "; ".join([*pieces, *orders])


def write_change(key: str, rule: Rule | None) -> str:
    """One change without its scope."""
    if rule is None:
        return f"off {WHERE}{key}" if '"' in key else f"{key}=off"
    if rule.where:
        return f"{WHERE}{rule.where}"
    if rule.values or rule.not_values:
        kind = "in" if rule.values else "not_in"
        return f"{key}={kind} {written_values(rule.values or rule.not_values)}"
    low = side_words(rule.min, rule.min_percentile)
    return f"{key}={low}..{side_words(rule.max, rule.max_percentile)}"


def written_values(values: Sequence[Value]) -> str:
    """A list as JSON in which the only quotes are those around a text, so that pieces can be told
    apart.
    """
    text = json.dumps(values).replace("'", r"\u0027")
    return ESCAPE.sub(lambda e: r"\u0022" if e.group() == r"\"" else e.group(), text)


def side_words(value: float | None, percentile: float | None) -> str:
    """`60`, `p10`, or nothing."""
    if percentile is not None:
        return f"p{percentile:.10g}"
    return "" if value is None else f"{value:.10g}"
