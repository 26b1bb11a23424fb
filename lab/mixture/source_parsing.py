"""Reading what a recipe says of its sources: rules, overrides of the recipe's rules, edits."""

from collections.abc import Iterable, Mapping, Sequence

from lab.core.errors import ConfigError, nearest
from lab.core.settings import known_keys
from lab.curation.filters.expressions import canonical
from lab.curation.filters.parsing import (
    check_number,
    column_of,
    parse_entry,
    parse_rules,
    parse_signal,
    rule_list,
)
from lab.curation.filters.rule import Rule
from lab.mixture.overrides import effective


def parse_sources(
    value: object, shared: Sequence[Rule], where: str
) -> tuple[dict[str, tuple[Rule, ...]], dict[str, tuple[str, ...]]]:
    """`{source: {filters: [...], edits: [...]}}` as effective rules per source, and edits of those
    that have any; at least one source.
    """
    if not isinstance(value, Mapping) or not value:
        raise ConfigError(
            "A recipe needs at least one source.",
            where=where,
            value=value,
            next_step="write `sources: {web: {}, books: {}}`",
        )
    rules, edits = {}, {}
    for name, body in value.items():
        place = f"{where}.{name}"
        keys = known_keys({} if body is None else body, {"filters", "edits"}, place)
        rules[str(name)] = parse_overrides(keys.get("filters"), shared, f"{place}.filters")
        if named := parse_edits(keys.get("edits"), f"{place}.edits"):
            edits[str(name)] = named
    return rules, edits


def parse_filters(value: object, where: str) -> tuple[Rule, ...]:
    """A list of rules; an empty key is an empty list."""
    return parse_rules([] if value is None else value, where)


def parse_overrides(value: object, shared: Sequence[Rule], where: str) -> tuple[Rule, ...]:
    """The effective rules of a source whose own list is `value`."""
    own: list[Rule] = []
    off: list[str] = []
    for i, entry in enumerate(rule_list([] if value is None else value, where)):
        if isinstance(entry, Mapping) and not {"off", False}.isdisjoint(entry):
            # YAML 1.1 reads an unquoted key `off` as false
            written = {"off" if key is False else key: value for key, value in entry.items()}
            off.append(parse_off(written, shared, f"{where}[{i}]"))
        else:
            own += parse_entry(entry, f"{where}[{i}]")
    rules = effective(shared, own, off)
    check_number(rules, where)
    return rules


def parse_off(entry: Mapping[object, object], shared: Sequence[Rule], where: str) -> str:
    """The key that `{signal, off: true}` or `{where, off: true}` takes away; it must be there."""
    keys = known_keys(entry, {"signal", "where", "off"}, where)
    if keys["off"] is not True:
        raise ConfigError(
            "`off` takes a rule of the recipe away from this source.",
            where=f"{where}.off",
            value=keys["off"],
            next_step="write `off: true`, or remove the line to keep the rule",
        )
    if isinstance(keys.get("where"), str) and "signal" not in keys:
        key = canonical(keys["where"], f"{where}.where", column_of)
    else:
        key = column_of(parse_signal(keys.get("signal"), entry, where), where)
    known = [rule.key for rule in shared]
    if key not in known:
        raise ConfigError(
            "The recipe's `filters` have no such rule to take away.",
            where=where,
            value=key,
            next_step=nearest(key, known) + "; a source's own rule is simply not written",
        )
    return key


def parse_edits(value: object, where: str) -> tuple[str, ...]:
    """Names of edits in the order they are made, each once."""
    names = [] if value is None else value
    if not isinstance(names, list) or len(set(map(str, names))) < len(names):
        raise ConfigError(
            "A list of edits was expected, each named once.",
            where=where,
            value=value,
            next_step="write `edits: [c4-lines, mask-pii]`",
        )
    if names:
        from lab.curation.edits import EDITS  # imports the patterns: only recipes with edits do

        for name in names:
            if not isinstance(name, str) or name not in EDITS:
                raise ConfigError(
                    f"Unknown edit {name!r}.",
                    where=where,
                    value=name,
                    next_step=nearest(str(name), EDITS),
                )
    return tuple(names)


def check_sources(names: Iterable[object], sources: set[str], where: str) -> None:
    """ConfigError unless every name is a source of the recipe."""
    for name in names:
        if str(name) not in sources:
            raise ConfigError(
                f"Unknown source {str(name)!r}.",
                where=where,
                value=str(name),
                next_step=nearest(str(name), sources) + " (list it under `sources` first)",
            )
