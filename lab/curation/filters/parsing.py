"""Reading rules strictly: every refusal names the key, its value and the next step.

A bare signal name is bound to its default definition id here, once, so that what is stored says
which formula it means. A misspelt signal is an error, as is a misspelt key: a rule that silently
tests nothing is the commonest fault of filter files (allenai/dolma#231).
"""

import math
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from lab.core.errors import ConfigError
from lab.core.settings import known_keys
from lab.curation.filters.expressions import canonical
from lab.curation.filters.rule import Rule, Value
from lab.curation.signals.registry import DEFAULTS, FAMILIES, resolve

MOST_RULES = 63  # bits of a mask; the 64th stays free, so that a mask fits a signed integer
MOST_VALUES = 1000  # of a list in a rule
TYPO = 0.85  # difflib ratio from which a name is taken for a misspelt signal
NUMBERS = ("min", "max", "min_percentile", "max_percentile")
RULE_KEYS = {"signal", *NUMBERS, "in", "not_in", "where"}


def parse_rules(entries: object, where: str) -> tuple[Rule, ...]:
    """Rules from a list of mappings (`parse_rule`) or `{preset: NAME}`, in order.

    A bare signal name becomes its default definition id. Raises ConfigError, naming `where`, for a
    key or signal that is unknown, a threshold that is no finite number, and a rule without any.
    """
    rules = [
        rule
        for i, entry in enumerate(rule_list(entries, where))
        for rule in parse_entry(entry, f"{where}[{i}]")
    ]
    check_number(rules, where)
    return tuple(rules)


def rule_list(entries: object, where: str) -> Sequence[object]:
    """`entries` if it is a list; ConfigError otherwise."""
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise ConfigError(
            "A list of rules was expected.",
            where=where,
            value=entries,
            next_step="write one rule a line: `- {signal: gopher.word_count, min: 50}`",
        )
    return entries


def parse_entry(entry: object, where: str) -> tuple[Rule, ...]:
    """The rules of one mapping: one rule, or those of a preset."""
    if isinstance(entry, Mapping) and "preset" in entry:
        from lab.curation.presets import load_rules  # presets are made of rules

        return load_rules(str(known_keys(entry, {"preset"}, where)["preset"]), where)
    return (parse_rule(entry, where),)


def parse_rule(entry: object, where: str) -> Rule:
    """One rule: `{signal, min, max}` (or `min_percentile`, `max_percentile`), `{signal, in}`,
    `{signal, not_in}` or `{where}`.
    """
    keys = {k: v for k, v in known_keys(entry, RULE_KEYS, where).items() if v is not None}
    check_one_form(keys, entry, where)
    if "where" in keys:
        return parse_where(keys["where"], f"{where}.where")
    column = column_of(parse_signal(keys.get("signal"), entry, where), where)
    if "in" in keys or "not_in" in keys:
        key = "in" if "in" in keys else "not_in"
        values = parse_values(keys[key], f"{where}.{key}")
        return Rule(column, values=values) if key == "in" else Rule(column, not_values=values)
    bounds = {name: threshold(keys.get(name), f"{where}.{name}") for name in NUMBERS}
    check_bounds(bounds, entry, where)
    low, high, low_percentile, high_percentile = bounds.values()
    return Rule(column, low, high, low_percentile, high_percentile)


def check_one_form(keys: Mapping[str, object], entry: object, where: str) -> None:
    """ConfigError if a rule mixes an expression, a list and bounds: each is a rule of its own."""
    numbers = any(name in keys for name in NUMBERS)
    forms = numbers + ("in" in keys) + ("not_in" in keys) + ("where" in keys)
    if forms > 1 or ("where" in keys and "signal" in keys):
        raise ConfigError(
            "A rule has thresholds, `in`, `not_in` or `where`: one of them.",
            where=where,
            value=entry,
            next_step="write two rules; a document must satisfy both",
        )


def parse_signal(value: object, entry: object, where: str) -> str:
    """The name of the rule's signal."""
    if not isinstance(value, str) or not value:
        raise ConfigError(
            "A rule needs the name of a signal.",
            where=where,
            value=entry,
            next_step="add `signal:`, for example `signal: gopher.word_count`",
        )
    return value


def parse_where(value: object, where: str) -> Rule:
    """A rule from an SQL expression."""
    if not isinstance(value, str):
        raise ConfigError(
            "`where` is an SQL expression over columns.",
            where=where,
            value=value,
            next_step="write text, for example `where: gopher.word_count >= 50`",
        )
    return Rule(where=canonical(value, where, column_of))


def parse_values(value: object, where: str) -> tuple[Value, ...]:
    """Distinct texts, or distinct truth values, at least one."""
    values = value if isinstance(value, list | tuple) else []
    alike = any(all(isinstance(v, kind) for v in values) for kind in (str, bool))
    if not alike or not 1 <= len(values) <= MOST_VALUES:
        raise ConfigError(
            f"A list of 1 to {MOST_VALUES} texts was expected (or of true and false).",
            where=where,
            value=value,
            next_step='write `in: [en, "no"]`; YAML reads a bare no as false',
        )
    return tuple(dict.fromkeys(values))


def check_bounds(bounds: Mapping[str, float | None], entry: object, where: str) -> None:
    """ConfigError unless there is a bound, one per side, in order and, as a percentile, 0..100."""
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    said = ""
    if not given:
        said, step = (
            "A rule needs `min`, `max` or both.",
            "add a threshold, or remove the rule to switch it off",
        )
    elif any({side, f"{side}_percentile"} <= given.keys() for side in ("min", "max")):
        said, step = "One side has a threshold and a percentile.", "keep one of them"
    elif any(not 0 <= given.get(f"{side}_percentile", 0) <= 100 for side in ("min", "max")):
        said, step = "A percentile lies between 0 and 100.", "write 10 for the lowest tenth"
    elif any(
        given.get(f"min{kind}", -math.inf) > given.get(f"max{kind}", math.inf)
        for kind in ("", "_percentile")
    ):
        said, step = "`min` is greater than `max`: no document can pass.", "swap the two thresholds"
    if said:
        raise ConfigError(said, where=where, value=entry, next_step=step)


def threshold(value: object, where: str) -> float | None:
    """A finite number, or None if the key is absent or empty."""
    if value is None:
        return None
    most = sys.float_info.max  # an int such as 10**400 is larger than any float
    if isinstance(value, bool) or not isinstance(value, int | float) or not -most <= value <= most:
        raise ConfigError(
            "A threshold must be a finite number.",
            where=where,
            value=value,
            next_step="write a number such as 0.2, or leave the key out",
        )
    return float(value)


def column_of(name: str, where: str) -> str:
    """The column a rule reads: a definition id for a signal's name, other names as they are."""
    bare = name.partition("@")[0]
    misspelt = get_close_matches(bare, DEFAULTS, n=1, cutoff=TYPO)
    if bare.partition(".")[0] not in FAMILIES and not misspelt:
        return name
    try:
        return resolve(name)
    except ConfigError as error:
        raise ConfigError(
            error.what, where=where, value=error.value, next_step=error.next_step
        ) from error


def check_number(rules: Sequence[Rule], where: str) -> None:
    """ConfigError if a mask has too few bits for `rules`."""
    if len(rules) > MOST_RULES:
        raise ConfigError(
            f"At most {MOST_RULES} rules fit one source.",
            where=where,
            value=len(rules),
            next_step="merge rules on the same signal, or drop those that remove nothing",
        )
