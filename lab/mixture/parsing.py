"""Reading a recipe strictly: every refusal names the key, its value and the next step."""

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from lab.core.errors import ConfigError
from lab.core.settings import from_mapping, known_keys, scalar
from lab.curation.duplicates import DedupConfig, MinHash
from lab.curation.filters.parsing import column_of
from lab.mixture.recipe import (
    NAME,
    REPEAT_CAP,
    TOP_KEYS,
    VERSION,
    Decontaminate,
    Mixture,
    Phase,
    Recipe,
)
from lab.mixture.source_parsing import check_sources, parse_filters, parse_sources

LARGEST = sys.float_info.max / 1e6  # so that a sum of weights stays finite
ROUNDING = 1e-12  # of a sum of normalised weights; a weight read back must not change its last bit


def parse_recipe(value: object, where: str) -> Recipe:
    """A recipe from parsed YAML; ConfigError names the key, its value and the next step."""
    top = known_keys(value, TOP_KEYS, where)
    for key in ("name", "sources", "mixture"):
        if key not in top:
            raise ConfigError(f"Key {key!r} is missing.", where=where, next_step="add it")
    if top.get("version", VERSION) != VERSION:
        raise ConfigError(
            "This recipe has another format version.",
            where=f"{where}.version",
            value=top["version"],
            next_step=f"this Mixture Lab reads version {VERSION}",
        )
    shared = parse_filters(top.get("filters"), f"{where}.filters")
    sources, edits = parse_sources(top["sources"], shared, f"{where}.sources")
    return Recipe(
        name=parse_name(top["name"], f"{where}.name"),
        tokenizer=scalar(str | None, top.get("tokenizer"), f"{where}.tokenizer") or "",
        sources=sources,
        mixture=parse_mixture(top["mixture"], set(sources), f"{where}.mixture"),
        dedup=parse_dedup(top.get("dedup"), set(sources), f"{where}.dedup"),
        decontaminate=parse_decontaminate(top.get("decontaminate"), f"{where}.decontaminate"),
        filters=shared,
        edits=edits,
        note=scalar(str | None, top.get("note"), f"{where}.note") or "",
    )


def parse_name(value: object, where: str) -> str:
    """A recipe's name: it becomes a file name."""
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ConfigError(
            "A recipe's name must be a plain word.",
            where=where,
            value=value,
            next_step="use letters, digits, '-', '_' and '.', at most 64",
        )
    return value


def parse_dedup(value: object, sources: set[str], where: str) -> DedupConfig | None:
    """The duplicate policy; None (or false) keeps every copy."""
    if value is None or value is False:
        return None
    keys = known_keys(value, {"exact", "minhash", "keep", "keep_by"}, where)
    keep_by = scalar(str | None, keys.get("keep_by"), f"{where}.keep_by") or ""
    if keys.get("minhash") is not None:
        keys["minhash"] = from_mapping(MinHash, keys["minhash"], f"{where}.minhash")
    return DedupConfig(
        exact=scalar(bool, keys.get("exact", True), f"{where}.exact"),
        minhash=keys.get("minhash"),
        keep=parse_keep(keys.get("keep"), sources, f"{where}.keep"),
        keep_by=column_of(keep_by, f"{where}.keep_by") if keep_by else "",
    )


def parse_keep(value: object, sources: set[str], where: str) -> tuple[str, ...]:
    """Sources in order of preference, each at most once."""
    names = [] if value is None else value
    if not isinstance(names, list) or len(set(map(str, names))) < len(names):
        raise ConfigError(
            "A list of sources was expected, each named once.",
            where=where,
            value=value,
            next_step="write `keep: [textbook, web]`, the preferred source first",
        )
    check_sources(names, sources, where)
    return tuple(map(str, names))


def parse_decontaminate(value: object, where: str) -> Decontaminate | None:
    """The contamination policy; None (or false) keeps documents that quote benchmarks."""
    if value is None or value is False:
        return None
    keys = known_keys(value, {"benchmarks", "ngram"}, where)
    names = keys.get("benchmarks") or []
    if not isinstance(names, list) or not names:
        raise ConfigError(
            "Name the benchmarks to protect.",
            where=f"{where}.benchmarks",
            value=names,
            next_step="list them, or remove `decontaminate`",
        )
    policy = from_mapping(Decontaminate, keys | {"benchmarks": tuple(map(str, names))}, where)
    if policy.ngram < 1:
        raise ConfigError(
            "An n-gram has at least one word.",
            where=f"{where}.ngram",
            value=policy.ngram,
            next_step="13 is usual; remove `decontaminate` to keep what quotes benchmarks",
        )
    return policy


def parse_mixture(value: object, sources: set[str], where: str) -> Mixture:
    """Budget, cap and phases; every weight names a source of the recipe."""
    keys = known_keys(value, {"tokens", "repeat_cap", "phases"}, where)
    tokens = positive(
        keys.get("tokens"),
        f"{where}.tokens",
        "the token budget of the real run, a whole number such as 1_000_000_000",
        least=1,
    )
    cap = positive(keys.get("repeat_cap", REPEAT_CAP), f"{where}.repeat_cap", "a number of epochs")
    phases = keys.get("phases")
    if not isinstance(phases, list) or not phases:
        raise ConfigError(
            "A mixture needs at least one phase.",
            where=f"{where}.phases",
            value=phases,
            next_step="write `phases: [{name: all, share: 1, weights: {...}}]`",
        )
    parsed = tuple(parse_phase(p, sources, f"{where}.phases[{i}]") for i, p in enumerate(phases))
    total = math.fsum(p.share for p in parsed)
    if abs(total - 1) > 1e-6:
        raise ConfigError(
            "The shares of the phases must sum to 1.",
            where=f"{where}.phases",
            value=total,
            next_step="correct a share, or add the missing phase",
        )
    check_phase_names(parsed, f"{where}.phases")
    return Mixture(int(tokens), parsed, cap)


def check_phase_names(phases: Sequence[Phase], where: str) -> None:
    """ConfigError if two phases have one name: tables and exports tell them apart by it."""
    names = [phase.name for phase in phases]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                "Two phases have the same name.",
                where=where,
                value=name,
                next_step="give every phase a `name` of its own",
            )


def parse_phase(value: object, sources: set[str], where: str) -> Phase:
    """One phase with normalised weights."""
    keys = known_keys(value, {"name", "share", "weights", "filters"}, where)
    filters = {} if keys.get("filters") is None else keys["filters"]
    if not isinstance(filters, Mapping):
        raise ConfigError(
            "The filters of a phase are given per source.",
            where=f"{where}.filters",
            value=filters,
            next_step="write `filters: {web: [{signal: gopher.word_count, min: 50}]}`",
        )
    check_sources(filters, sources, f"{where}.filters")
    return Phase(
        name=parse_name(keys.get("name", "all"), f"{where}.name"),
        share=positive(keys.get("share", 1.0), f"{where}.share", "a share of the tokens"),
        weights=normalized(keys.get("weights"), sources, f"{where}.weights"),
        filters={str(n): parse_filters(r, f"{where}.filters.{n}") for n, r in filters.items()},
    )


def normalized(value: object, sources: set[str], where: str) -> dict[str, float]:
    """Weights divided by their sum; zero weights stay, negative and non-finite ones are errors.

    Weights that sum to 1 already stay as they are, so that a recipe read back is the same recipe.
    """
    if not isinstance(value, Mapping) or not value:
        raise ConfigError(
            "A phase needs weights.", where=where, value=value, next_step="write {source: weight}"
        )
    check_sources(value, sources, where)
    weights = {}
    for name, weight in value.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise ConfigError(
                "A weight must be a number.",
                where=f"{where}.{name}",
                value=weight,
                next_step="write a share such as 0.3, without quotes",
            )
        if not 0 <= weight <= LARGEST:
            raise ConfigError(
                "A weight must not be negative or infinite.",
                where=f"{where}.{name}",
                value=weight,
                next_step="write 0 to leave the source out",
            )
        weights[str(name)] = float(weight)
    total = math.fsum(weights.values())
    if total <= 0:
        raise ConfigError(
            "The weights sum to zero.",
            where=where,
            value=dict(value),
            next_step="give at least one source a positive weight",
        )
    if abs(total - 1) <= ROUNDING:
        return weights
    return {name: weight / total for name, weight in weights.items()}


def positive(value: Any, where: str, meaning: str, least: float = 0.0) -> float:
    """A finite number above zero, and not below `least`."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value <= LARGEST or value < least:
        raise ConfigError(
            "A number above zero was expected.",
            where=where,
            value=value,
            next_step=f"this is {meaning}",
        )
    return float(value)
