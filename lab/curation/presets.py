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
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.core.errors import ConfigError, nearest
from lab.core.settings import known_keys
from lab.curation.filters import Rule, parse_rule

FOLDER = Path(__file__).with_name("presets")
KEYS = {"name", "title", "source", "left_out", "rules"}
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

    def signals(self) -> tuple[str, ...]:
        """The definition ids it needs, each once."""
        return tuple(dict.fromkeys(rule.signal for rule in self.rules))


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


def parse_preset(text: str, name: str) -> Preset:
    """A preset from YAML text."""
    where = f"preset {name}"
    keys = known_keys(yaml.safe_load(text), KEYS, where)
    if missing := sorted(KEYS - keys.keys()):
        raise ConfigError(f"Key {missing[0]!r} is missing.", where=where, next_step="add it")
    if keys["name"] != name:
        raise ConfigError("A preset is named as its file.", where=where, value=keys["name"])
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
