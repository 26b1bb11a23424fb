"""The recipe: one YAML file that holds a decision about data.

Which documents of each source (predicates over stored attributes), what happens to duplicates and
to documents that quote benchmarks, and in which proportions, for how many tokens and in which
phases the rest is trained on. People mail it, diff it, review it and export it, so it is strict: an
unknown key is an error that names the nearest valid one, and a signal is stored with its definition
id (`gopher.word_count@ws1`), because two tools' "word count" drop different documents.

Weights are shares of training tokens. They may be written in any scale; `lab.mixture.parsing`
divides each phase's weights by their sum, and `recipe_mapping` writes the result, so nothing is
normalised twice or unseen. Phase shares must sum to 1 as written, since a missing phase is a
likelier cause than a scale.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.core.files import digest
from lab.curation.duplicates import DedupConfig
from lab.curation.filters import Rule

VERSION = 1
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
REPEAT_CAP = 4.0  # epochs; up to four are worth almost as much as fresh data (arXiv:2305.16264)
TOP_KEYS = {"version", "name", "tokenizer", "sources", "dedup", "decontaminate", "mixture"}


@dataclass(frozen=True, slots=True)
class Decontaminate:
    """Drop documents that share a word `ngram` with an item of these benchmarks."""

    benchmarks: tuple[str, ...]
    ngram: int = 13  # words (Brown et al. 2020, appendix C)


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of training: its `share` of all tokens, weights (sum 1) and extra filters."""

    name: str
    share: float
    weights: Mapping[str, float]
    filters: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mixture:
    """Token budget of the real run, most epochs any document may be seen, phases in order."""

    tokens: int
    phases: tuple[Phase, ...]
    repeat_cap: float = REPEAT_CAP


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole decision; see the module's text."""

    name: str
    tokenizer: str
    sources: Mapping[str, tuple[Rule, ...]]
    mixture: Mixture
    dedup: DedupConfig | None = None
    decontaminate: Decontaminate | None = None

    def rules(self, source: str, phase: Phase | None = None) -> tuple[Rule, ...]:
        """The rules for `source`, those of `phase` after the recipe's own."""
        extra = phase.filters.get(source, ()) if phase else ()
        return (*self.sources[source], *extra)

    def signals(self, source: str) -> list[str]:
        """The columns that rules on `source` read, in any phase, each once."""
        extra = [rule for phase in self.mixture.phases for rule in phase.filters.get(source, ())]
        return list(dict.fromkeys(rule.signal for rule in (*self.sources[source], *extra)))

    def average_weights(self) -> dict[str, float]:
        """Share of all training tokens per source, over the phases."""
        return {
            name: sum(p.share * p.weights.get(name, 0.0) for p in self.mixture.phases)
            for name in self.sources
        }


def recipe_id(recipe: Recipe) -> str:
    """Hash of the decision: the same for recipes that differ only in name or key order."""
    return digest({k: v for k, v in recipe_mapping(recipe).items() if k != "name"})


def recipe_mapping(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain data, in the order of the file format; `lab.mixture.parsing.parse_recipe`
    reads it back.
    """
    mapping: dict[str, Any] = {
        "version": VERSION,
        "name": recipe.name,
        "tokenizer": recipe.tokenizer,
        "sources": {
            name: {"filters": [rule_mapping(r) for r in rules]} if rules else {}
            for name, rules in recipe.sources.items()
        },
    }
    if recipe.dedup:
        mapping["dedup"] = dedup_mapping(recipe.dedup)
    if recipe.decontaminate:
        mapping["decontaminate"] = {
            "benchmarks": list(recipe.decontaminate.benchmarks),
            "ngram": recipe.decontaminate.ngram,
        }
    mapping["mixture"] = {
        "tokens": recipe.mixture.tokens,
        "repeat_cap": recipe.mixture.repeat_cap,
        "phases": [phase_mapping(p) for p in recipe.mixture.phases],
    }
    return mapping


def rule_mapping(rule: Rule) -> dict[str, Any]:
    """A rule as it is written in the file: absent bounds are left out."""
    bounds = {"min": rule.min, "max": rule.max}
    return {"signal": rule.signal} | {k: v for k, v in bounds.items() if v is not None}


def dedup_mapping(config: DedupConfig) -> dict[str, Any]:
    """The duplicate policy as it is written in the file."""
    mapping: dict[str, Any] = {"exact": config.exact}
    if config.minhash:
        h = config.minhash
        mapping["minhash"] = {
            "bands": h.bands,
            "rows": h.rows,
            "ngram": h.ngram,
            "jaccard": h.jaccard,
        }
    return mapping | ({"keep": list(config.keep)} if config.keep else {})


def phase_mapping(phase: Phase) -> dict[str, Any]:
    """A phase as it is written in the file."""
    mapping: dict[str, Any] = {
        "name": phase.name,
        "share": phase.share,
        "weights": dict(phase.weights),
    }
    if phase.filters:
        mapping["filters"] = {n: [rule_mapping(r) for r in f] for n, f in phase.filters.items()}
    return mapping
