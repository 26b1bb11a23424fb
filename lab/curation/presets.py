"""Presets: published filters as data files, one YAML file each in `presets/`.

A preset names definition ids and thresholds in the order of the original, with the reason names
that the original logs, so that first-failure counts compare. Each file says what of the original
chain is *not* in it. A preset decides on measured text only; it never edits.

    name:     as the file
    title:    what it is
    source:   paper, year and the file the thresholds were read from
    left_out: what of the original is missing or differs, one sentence each
    rules:    - {signal, min, max, reasons: [one per threshold, min first], drops: in words}
              - {preset: NAME}     the rules of another preset, in place
    computed: in place of rules, the signals whose thresholds `three_sigma` computes from documents
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from lab.core.errors import ConfigError, nearest
from lab.core.settings import known_keys
from lab.curation.filters.parsing import column_of, parse_rule
from lab.curation.filters.rule import Rule

FOLDER = Path(__file__).with_name("presets")
KEYS = {"name", "title", "source", "left_out", "rules"}
SIGMAS = 3.0  # Data-Juicer's choice
RULE_KEYS = {"signal", "min", "max", "reasons", "drops"}


@dataclass(frozen=True, slots=True)
class Preset:
    """A published filter: `reasons` and `drops` speak of the rule at the same place in `rules`."""

    name: str
    title: str
    source: str
    rules: tuple[Rule, ...]
    reasons: tuple[tuple[str, ...], ...]  # the original's names, one per threshold
    drops: tuple[str, ...]  # direction in words: which documents the rule drops
    left_out: tuple[str, ...]
    computed: tuple[str, ...] = ()  # signals whose thresholds come from the data; then no rules

    def signals(self) -> tuple[str, ...]:
        """The definition ids it needs, each once."""
        return self.computed or tuple(dict.fromkeys(rule.signal for rule in self.rules))


def preset_names() -> tuple[str, ...]:
    """Names of all presets, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def load_preset(name: str, where: str = "") -> Preset:
    """The preset `name`, asked for at `where`. Raises ConfigError with the nearest names."""
    if name not in preset_names():
        raise ConfigError(
            f"Unknown preset {name!r}.",
            where=where,
            value=name,
            next_step=nearest(name, preset_names()),
        )
    return parse_preset((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), name)


def load_rules(name: str, where: str) -> tuple[Rule, ...]:
    """The rules of preset `name` for a recipe, which must hold numbers: no computed preset."""
    preset = load_preset(name, where)
    if preset.computed:
        raise ConfigError(
            f"The thresholds of preset {name!r} are computed from a source's documents.",
            where=where,
            value=name,
            next_step="compute them on the Filters page; the recipe stores the numbers",
        )
    return preset.rules


def three_sigma(frame: pl.DataFrame, signals: Sequence[str]) -> tuple[Rule, ...]:
    """Rules mean - 3 sd <= value <= mean + 3 sd of each signal over one source's documents `frame`.

    A side that no document lies beyond is left out. Raises ArtifactMissing, ConfigError or
    DataError for a signal that was not measured. Source: Chen et al. 2023, arXiv:2309.02033.
    """
    from lab.curation.effect.suggest import k_sigma

    return k_sigma(frame, signals, SIGMAS)


def parse_preset(text: str, name: str) -> Preset:
    """A preset from YAML text."""
    where = f"preset {name}"
    keys = known_keys(yaml.safe_load(text), KEYS | {"computed"}, where)
    needed = KEYS - {"rules"} | {"computed"} if "computed" in keys else KEYS
    if missing := sorted(needed - keys.keys()):
        raise ConfigError(f"Key {missing[0]!r} is missing.", where=where, next_step="add it")
    if keys["name"] != name:
        raise ConfigError("A preset is named as its file.", where=where, value=keys["name"])
    if "computed" in keys:
        known_keys(keys, needed, where)  # rules beside it would be passed over
        signals = tuple(column_of(signal, f"{where}, computed") for signal in keys["computed"])
        return Preset(
            name, keys["title"], keys["source"], (), (), (), tuple(keys["left_out"]), signals
        )
    entries = [
        part
        for i, entry in enumerate(keys["rules"])
        for part in parse_entry(entry, f"{where}, rules[{i}]")
    ]
    rules, reasons, drops = zip(*entries, strict=True)
    left_out = tuple(keys["left_out"])
    return Preset(name, keys["title"], keys["source"], rules, reasons, drops, left_out)


def parse_entry(entry: Any, where: str) -> list[tuple[Rule, tuple[str, ...], str]]:
    """Rule, reasons and words of one entry, or those of the preset it names."""
    if isinstance(entry, Mapping) and "preset" in entry:
        inner = load_preset(str(known_keys(entry, {"preset"}, where)["preset"]), where)
        load_rules(inner.name, where)
        return list(zip(inner.rules, inner.reasons, inner.drops, strict=True))
    keys = known_keys(entry, RULE_KEYS, where)
    rule = parse_rule({k: keys[k] for k in ("signal", "min", "max") if k in keys}, where)
    reasons = tuple(keys.get("reasons", ()))
    if len(reasons) != (rule.min is not None) + (rule.max is not None) or not keys.get("drops"):
        raise ConfigError(
            "A preset's rule needs one reason per threshold, and `drops` in words.",
            where=where,
            value=entry,
        )
    return [(rule, reasons, str(keys["drops"]))]
