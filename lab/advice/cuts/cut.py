"""A source cut by one signal at several thresholds, as a recipe says it.

Written SIGNAL@SOURCE=a,b,c: the lowest values that a document may have, from loose to tight; `none`
is no threshold at all. The cut is the lower bound on that signal among the source's rules and
nothing else: an upper bound on the same signal and all other rules stay, so the documents that a
threshold leaves are among those of every lower one, unless duplicates are removed: then the copy
that stays may be another one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lab.core.errors import ConfigError, nearest
from lab.curation.filters.parsing import column_of
from lab.curation.filters.rule import Rule, number
from lab.mixture.recipe import Recipe

NONE = "none"
UNCUT = -math.inf
AT = "@"  # between a source and its threshold in the name of a pool; no source's name has it


@dataclass(frozen=True, slots=True)
class Cut:
    """`source` cut at each of `thresholds` of `signal`, loosest first; `UNCUT` is none."""

    source: str
    signal: str
    thresholds: tuple[float, ...]


def parse_cuts(texts: Sequence[str], recipe: Recipe) -> tuple[Cut, ...]:
    """Cuts from SIGNAL@SOURCE=a,b,c; ConfigError names what is wrong with the first bad one."""
    cuts = [parse_cut(text, recipe) for text in texts]
    if len({cut.source for cut in cuts}) < len(cuts):
        raise ConfigError(
            "A source is cut by one signal at a time.",
            where="--thresholds",
            value=list(texts),
            next_step="name every source once",
        )
    return tuple(cuts)


def parse_signals(texts: Sequence[str], recipe: Recipe) -> dict[str, str]:
    """Source -> signal from SIGNAL@SOURCE; ConfigError for what the recipe cannot be cut by."""
    found = {}
    for text in texts:
        signal, _, source = text.rpartition(AT)
        found[source] = column_of(signal, text)
        require_cuttable(recipe, source, found[source])
    return found


def parse_cut(text: str, recipe: Recipe) -> Cut:
    """One cut of a source of the recipe."""
    about, _, listed = text.partition("=")
    signal, at, source = about.rpartition(AT)
    values = [value.strip() for value in listed.split(",") if value.strip()]
    if not (signal and at and source and len(values) > 1):
        raise ConfigError(
            "A cut is written SIGNAL@SOURCE=a,b,c with two thresholds or more.",
            where="--thresholds",
            value=text,
            next_step="for example gopher.word_count@web=none,50,100",
        )
    thresholds = sorted({parse_threshold(value) for value in values})
    if len(thresholds) < len(values):
        raise ConfigError(
            "A threshold is named twice.", where=text, value=values, next_step="name each once"
        )
    cut = Cut(source, column_of(signal, text), tuple(thresholds))
    require_cuttable(recipe, cut.source, cut.signal)
    return cut


def parse_threshold(text: str) -> float:
    """A finite number, or `none`."""
    try:
        value = UNCUT if text == NONE else float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value) or value == math.inf or (value == UNCUT and text != NONE):
        raise ConfigError(
            "A threshold is a number, or none.", where="--thresholds", value=text,
            next_step="write numbers, loose to tight",
        )  # fmt: skip
    return value


def require_cuttable(recipe: Recipe, source: str, signal: str) -> None:
    """ConfigError unless a threshold of `signal` means the same for `source` in every phase."""
    if source not in recipe.sources:
        raise ConfigError(f"Unknown source {source!r}.", next_step=nearest(source, recipe.sources))
    for phase in recipe.mixture.phases:
        if any(signal in rule.columns() for rule in phase.filters.get(source, ())):
            raise ConfigError(
                "A phase filters this source by the same signal, so that one threshold would mean "
                "two cuts.",
                where=f"{recipe.name}, phase {phase.name}",
                value=f"{signal} of {source}",
                next_step="take the rule out of the phase, or cut by another signal",
            )
    if any(
        rule.values or rule.not_values for rule in recipe.sources[source] if named(rule, signal)
    ):
        raise ConfigError(
            "This signal holds no numbers to cut at.",
            where=f"{recipe.name}, source {source}",
            value=signal,
            next_step="cut by a signal with numbers",
        )


def named(rule: Rule, signal: str) -> bool:
    """True for a rule that is about `signal` and nothing else."""
    return rule.signal == signal


def threshold_words(value: float) -> str:
    """A threshold as it is written: `none`, `50`."""
    return NONE if value == UNCUT else number(value)


def pool_name(source: str, threshold: float) -> str:
    """The name of a pool among the sources of a fit: `web@50`."""
    return f"{source}{AT}{threshold_words(threshold)}"


def threshold_of(recipe: Recipe, source: str, signal: str) -> float:
    """The lowest value of `signal` that the recipe's own rules let pass; `UNCUT` if any.

    A percentile counts as a threshold only once it is a number.
    """
    lows = [r.min for r in recipe.sources[source] if named(r, signal) and r.min is not None]
    return max(lows, default=UNCUT)


def with_cut(recipe: Recipe, source: str, signal: str, threshold: float) -> Recipe:
    """The recipe with this lower bound on `signal` for `source` in place of any other."""
    rules = without_low(recipe.sources[source], signal)
    if threshold != UNCUT:
        own = [k for k, rule in enumerate(rules) if rule.signal == signal]
        made = replace(rules[own[0]] if own else Rule(signal), min=threshold)
        rules = (*rules[: own[0]], made, *rules[own[0] + 1 :]) if own else (*rules, made)
    return replace(recipe, sources={**recipe.sources, source: rules})


def with_cuts(recipe: Recipe, cuts: Sequence[Cut], chosen: Mapping[str, float]) -> Recipe:
    """The recipe with the threshold in `chosen` (by source) for every source that is cut."""
    for cut in cuts:
        if cut.source in chosen:
            recipe = with_cut(recipe, cut.source, cut.signal, chosen[cut.source])
    return recipe


def without_low(rules: Sequence[Rule], signal: str) -> tuple[Rule, ...]:
    """`rules` without lower bounds on `signal`; what then demands nothing is left out."""
    kept = []
    for rule in rules:
        if named(rule, signal) and rule.bounded:
            rule = replace(rule, min=None, min_percentile=None)
            if rule.max is None and rule.max_percentile is None:
                continue
        kept.append(rule)
    return tuple(kept)
