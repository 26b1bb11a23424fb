"""Who falls: every source's training documents under the rules on the page, exact and at once.

A threshold that moves changes one rule of one source, so everything else must be found, not
computed. What is stored where is remembered until a file appears or goes (`stamp`); columns are
kept by the id of their artifact, the documents that fail a rule by (column, rule), masks and
accounts by the rules of a source. A change then costs one comparison over one column, one pass that
joins the rules' bits, and one count of masks.

Keys are ids of artifacts, so nothing stale can be served. Held-out documents are left aside, as in
the ledger; duplicates and contamination are decided after the rules, so the ledger can be lower.
Memory, bounded by the number of results kept: 8 bytes a document and column, 1 a document and rule,
16 a document whose sums are kept.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.corpus.tokenizer import default_tokenizer
from lab.corpus.tokens import require_tokens
from lab.curation.attributes import Column, attribute_names, locate
from lab.curation.effect.accounting import Accounting, Amount, account
from lab.curation.effect.cube import Ordered, in_order, running_sums
from lab.curation.filters.mask import fail_mask, resolve_rules
from lab.curation.filters.rule import Rule
from lab.mixture.recipe import Recipe
from lab.mixture.texts import trained_texts
from lab.ui.memory import remembered


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """Where a source's documents, tokens and some columns are; nothing is read yet."""

    source: str
    documents: Artifact
    tokens: Artifact
    columns: Mapping[str, Column]

    @property
    def key(self) -> str:
        """Names the pool."""
        return f"{self.documents.id}+{self.tokens.id}"

    def column_key(self, name: str) -> str:
        """Names the content of a column."""
        return f"{self.key}/{name}@{self.columns[name].artifact.id}"


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The training documents of a source, in document order: `rows` are their row numbers."""

    key: str
    source: str
    ids: pl.Series
    tokens: NDArray[np.int64]
    rows: NDArray[np.uint32]
    total: Amount


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A pool under rules: `mask` [documents] has bit i set where rule i fails; `rules` have numbers
    in place of percentiles.
    """

    key: str
    pool: Pool
    rules: tuple[Rule, ...]
    verdicts: tuple[str, ...]  # names the verdicts of each rule
    mask: NDArray[np.uint64]
    passing: Amount  # every rule

    @property
    def total(self) -> Amount:
        """All documents."""
        return self.pool.total

    @property
    def account(self) -> Accounting:
        """What each rule takes, counted when it is first asked for."""
        return cached_account(self, self.key)

    @property
    def kept(self) -> NDArray[np.bool_]:
        """True where no rule fails."""
        return self.mask == 0

    def bits(self, key: str) -> np.uint64:
        """The bits of the rules on `key`."""
        return np.uint64(sum(1 << i for i, rule in enumerate(self.rules) if rule.key == key))

    def passing_others(self, key: str) -> NDArray[np.bool_]:
        """True where no rule fails but those on `key`."""
        passing: NDArray[np.bool_] = (self.mask & ~self.bits(key)) == 0
        return passing


def stamp(ws: Workspace, source: str) -> str:
    """Changes when an artifact, a tag or the source itself is written or removed: 0.1 ms."""
    files = [ws.sources / source / "source.yaml", ws.root / "tags" / "events.jsonl", ws.tokenizers]
    times = [entry.stat().st_mtime_ns for entry in os.scandir(ws.artifacts)]
    return f"{ws.root} {source} {[f.stat().st_mtime_ns for f in files if f.exists()]} {times}"


def names_of(ws: Workspace, source: str) -> list[str]:
    """`attribute_names`, remembered."""
    return cached_names(ws, source, stamp(ws, source))


@remembered(64)
def cached_names(_ws: Workspace, _source: str, key: str) -> list[str]:
    """The names for `key`."""
    return attribute_names(_ws, _source)


def stored(ws: Workspace, recipe: Recipe, source: str, names: Sequence[str]) -> Stored:
    """Where `names` of a source are. Raises ArtifactMissing for what is not stored."""
    key = f"{stamp(ws, source)} {recipe.tokenizer} {recipe.edits.get(source)} {list(names)}"
    return cached_stored(ws, recipe, source, tuple(names), key)


@remembered(512)
def cached_stored(
    _ws: Workspace, _recipe: Recipe, _source: str, _names: tuple[str, ...], key: str
) -> Stored:
    """The places for `key`."""
    tokenizer = _recipe.tokenizer or default_tokenizer(_ws)
    tokens = require_tokens(_ws, _source, tokenizer, trained_texts(_ws, _recipe, _source))
    columns = {column.name: column for column in locate(_ws, _source, _names)}
    return Stored(_source, documents(_ws, _source), tokens, columns)


def pool_of(ws: Workspace, recipe: Recipe, source: str) -> Pool:
    """The training documents of a source, with the tokens that the recipe trains on."""
    found = stored(ws, recipe, source, [])
    return cached_pool(found, found.key)


@remembered(48)
def cached_pool(_stored: Stored, key: str) -> Pool:
    """The pool for `key`."""
    base = _stored.documents.scan().select("id", "heldout").collect()
    counted = _stored.tokens.scan().select("tokens").collect()["tokens"].to_numpy()
    rows = np.flatnonzero(~base["heldout"].to_numpy()).astype(np.uint32)
    tokens = counted.astype(np.int64)[rows]
    total = Amount(rows.size, int(tokens.sum()))
    return Pool(key, _stored.source, base["id"].gather(rows), tokens, rows, total)


def columns_of(
    ws: Workspace, recipe: Recipe, source: str, names: Sequence[str]
) -> dict[str, pl.Series]:
    """Columns of a source's training documents. Raises ArtifactMissing."""
    found = stored(ws, recipe, source, names)
    return {name: cached_column(found, name, found.column_key(name)) for name in names}


@remembered(256)
def cached_column(_stored: Stored, _name: str, key: str) -> pl.Series:
    """The column for `key`."""
    place = _stored.columns[_name]
    values = place.artifact.scan().select(pl.col(place.stored).alias(_name)).collect().to_series()
    return values.gather(cached_pool(_stored, _stored.key).rows)


def sorted_column(ws: Workspace, recipe: Recipe, source: str, name: str) -> tuple[Ordered, str]:
    """A column of numbers in order, for cubes, and its key."""
    found = stored(ws, recipe, source, [name])
    key = found.column_key(name)
    return cached_order(found, name, key), key


@remembered(48)
def cached_order(_stored: Stored, _name: str, key: str) -> Ordered:
    """The order for `key`."""
    values = cached_column(_stored, _name, key).cast(pl.Float64).to_numpy()
    return in_order(values, cached_pool(_stored, _stored.key).tokens, _name)


def judged(ws: Workspace, recipe: Recipe, source: str, rules: Sequence[Rule]) -> Judged:
    """The training documents of `source` under `rules`, percentiles resolved on them."""
    names = list(dict.fromkeys(column for rule in rules for column in rule.columns()))
    found = stored(ws, recipe, source, names)
    tests = tuple(f"{rule!r} on {[found.column_key(c) for c in rule.columns()]}" for rule in rules)
    return cached_judged(found, tuple(rules), tests, "; ".join([found.key, *tests]))


@remembered(96)
def cached_judged(
    _stored: Stored, _rules: tuple[Rule, ...], _tests: tuple[str, ...], key: str
) -> Judged:
    """The verdicts for `key`."""
    pool = cached_pool(_stored, _stored.key)
    pairs = [cached_failing(_stored, r, test) for r, test in zip(_rules, _tests, strict=True)]
    mask = joined([fails for _, fails in pairs], pool.tokens.size)
    kept = mask == 0
    passing = Amount(int(np.count_nonzero(kept)), int((pool.tokens * kept).sum()))
    return Judged(key, pool, tuple(exact for exact, _ in pairs), _tests, mask, passing)


def joined(fails: Sequence[NDArray[np.bool_]], size: int) -> NDArray[np.uint64]:
    """[size], bit i set where fails[i]. Eight rules share a byte first: a pass over bytes costs 10
    microseconds for 100,000 documents, one over the mask ten times that.
    """
    mask = np.zeros(size, np.uint64)
    for first in range(0, len(fails), 8):
        octet = np.zeros(size, np.uint8)
        for bit, failing in enumerate(fails[first : first + 8]):
            octet |= failing.view(np.uint8) << np.uint8(bit)
        mask |= octet.astype(np.uint64) << np.uint64(first)
    return mask


def sums_of(found: Judged, ordered: Ordered, signal: str, key: str) -> NDArray[np.int64]:
    """`running_sums` of a column (`ordered`, named by `key`) over what the rules on other signals
    keep; the same however the rules on `signal` move.
    """
    others = [t for t, r in zip(found.verdicts, found.rules, strict=True) if r.key != signal]
    return cached_sums(found, ordered, signal, "; ".join([key, *others]))


@remembered(48)
def cached_sums(_found: Judged, _ordered: Ordered, _signal: str, key: str) -> NDArray[np.int64]:
    """The sums for `key`."""
    return running_sums(_ordered, _found.passing_others(_signal))


@remembered(256)
def cached_account(_found: Judged, key: str) -> Accounting:
    """The account for `key`; it is small."""
    frame = pl.DataFrame({"tokens": _found.pool.tokens, "mask": _found.mask})
    named = frame.with_columns(source=pl.lit(_found.pool.source))
    return account(named, [rule.words() for rule in _found.rules])


@remembered(512)
def cached_failing(_stored: Stored, _rule: Rule, key: str) -> tuple[Rule, NDArray[np.bool_]]:
    """A rule with its percentiles as numbers, and the documents that fail it, for `key`."""
    columns = [cached_column(_stored, c, _stored.column_key(c)) for c in _rule.columns()]
    frame = pl.DataFrame(columns)
    (exact,) = resolve_rules(frame, [_rule])
    return exact, fail_mask(frame, [exact]).to_numpy() != 0
