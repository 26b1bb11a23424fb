"""The recipe: one YAML file that holds a decision about data.

Which documents of each source (predicates over stored attributes, for all sources or for one), what
is edited out of their text, what happens to duplicates and to documents that quote benchmarks, and
in which proportions, for how many tokens and in which phases the rest is trained on. People mail
it, diff it, review it and export it, so it is strict: an unknown key is an error that names the
nearest valid one, and a signal is stored with its definition id (`gopher.word_count@ws1`), because
two tools' "word count" drop different documents.

Weights are shares of training tokens. They may be written in any scale; `lab.mixture.parsing`
divides each phase's weights by their sum, and `recipe_mapping` writes the result, so nothing is
normalised twice or unseen. Phase shares must sum to 1 as written, since a missing phase is a
likelier cause than a scale.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lab.core.files import digest
from lab.curation.duplicates import DedupConfig
from lab.curation.filters.rule import Rule, rule_mapping
from lab.mixture.overrides import own_part

VERSION = 1
NAME_LENGTH = 64
NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{NAME_LENGTH - 1}}}")
REPEAT_CAP = 4.0  # epochs; up to four are worth almost as much as fresh data (arXiv:2305.16264)
TOP_KEYS = {
    *("version", "name", "note", "tokenizer", "filters", "sources"),
    *("dedup", "decontaminate", "mixture"),
}


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
    """A whole decision; see the module's text.

    `sources` holds the rules that each source is judged by; `filters`, those that the file states
    once for all of them, matter only to how it is written (`lab.mixture.overrides`).
    """

    name: str
    tokenizer: str
    sources: Mapping[str, tuple[Rule, ...]]
    mixture: Mixture
    dedup: DedupConfig | None = None
    decontaminate: Decontaminate | None = None
    edits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # per source, in order
    filters: tuple[Rule, ...] = ()
    note: str = ""  # where it comes from, in words; decides nothing

    def rules(self, source: str, phase: Phase | None = None) -> tuple[Rule, ...]:
        """The rules for `source`, those of `phase` after the recipe's own."""
        extra = phase.filters.get(source, ()) if phase else ()
        return (*self.sources[source], *extra)

    def signals(self, source: str) -> list[str]:
        """The columns that decide about `source`, each once: those that rules read, in any phase,
        and the one that says which copy stays.
        """
        extra = [rule for phase in self.mixture.phases for rule in phase.filters.get(source, ())]
        rules = (*self.sources[source], *extra)
        copies = [self.dedup.keep_by] if self.dedup and self.dedup.keep_by else []
        read = [column for rule in rules for column in rule.columns()]
        return list(dict.fromkeys([*read, *copies]))

    def average_weights(self) -> dict[str, float]:
        """Share of all training tokens per source, over the phases."""
        return {
            name: sum(p.share * p.weights.get(name, 0.0) for p in self.mixture.phases)
            for name in self.sources
        }


def recipe_id(recipe: Recipe) -> str:
    """Hash of the decision: the same for recipes that differ only in name, note, key order, or in
    whether a rule is stated once or per source.
    """
    plain = recipe_mapping(replace(recipe, filters=()))
    return digest({k: v for k, v in plain.items() if k not in ("name", "note")})


def recipe_mapping(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain data, in the order of the file format; `lab.mixture.parsing.parse_recipe`
    reads it back.
    """
    mapping: dict[str, Any] = {
        "version": VERSION,
        "name": recipe.name,
        **({"note": recipe.note} if recipe.note else {}),
        "tokenizer": recipe.tokenizer,
    }
    if recipe.filters:
        mapping["filters"] = [rule_mapping(rule) for rule in recipe.filters]
    mapping["sources"] = {name: source_mapping(recipe, name) for name in recipe.sources}
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


def source_mapping(recipe: Recipe, source: str) -> dict[str, Any]:
    """A source as it is written in the file: what differs from the recipe's rules, and edits."""
    own, off = own_part(recipe.filters, recipe.sources[source])
    where = {rule.where for rule in recipe.filters}
    taken = [{"where" if key in where else "signal": key, "off": True} for key in off]
    written = [*taken, *map(rule_mapping, own)]
    edits = list(recipe.edits.get(source, ()))
    return ({"filters": written} if written else {}) | ({"edits": edits} if edits else {})


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
    mapping |= {"keep": list(config.keep)} if config.keep else {}
    return mapping | ({"keep_by": config.keep_by} if config.keep_by else {})


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
