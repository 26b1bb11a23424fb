"""Does the order of mixtures hold at other sizes?

Proxy advice is worth something only if the mixture that wins small wins large. For every pair of
mixtures and every metric, the difference at each size has the interval of `compare` (seeds and
items). Between two sizes a pair

    holds         resolved at both, same sign
    flips         resolved at both, opposite signs: beyond noise
    unresolved    inside the noise at one of them, whatever its sign there

and over all pairs the *agreement* is the share of pairs with the same sign, that is (tau + 1)/2
with Kendall's tau-a, or the decision accuracy of DataDecide (Magnusson et al. 2025,
arXiv:2504.11393: about .80 from 150M to 1B). Its interval is what the resolved pairs leave open:
from the share that holds to one minus the share that flips. With a single pair and nothing
resolved that is [0, 1], which is the truth. A bootstrap over noisy means would shrink the agreement
towards a half instead, since it adds the noise a second time.

Sizes are compared each at one token budget, that which serves most of the mixtures (`choose`);
differences in budget are part of the answer. Cost: 30 ms a pair and size.

Where it fails: two proxies that agree may both be wrong about a model a thousand times larger. A
recipe edited between two sizes, or read from other documents, is another mixture under one name; a
note says which, since then a flip need not be one of size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from math import isfinite
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.errors import ConfigError
from lab.core.estimate import Estimate
from lab.core.files import read_json
from lab.core.workspace import Workspace
from lab.evaluation.comparing.choose import named_groups, scored_budgets
from lab.evaluation.comparing.compare import pair_up
from lab.evaluation.comparing.verdicts import Difference
from lab.evaluation.runs.groups import read_groups
from lab.evaluation.runs.metrics import Metric
from lab.proxy.sizes import SIZES

HOLDS, FLIPS, UNRESOLVED = "holds", "flips", "unresolved"
SHARED = {"recipe_id": "recipe", "selection": "documents", "tokenizer": "tokenizer"}


@dataclass(frozen=True, slots=True)
class PairAtSizes:
    """One metric of two mixtures at two sizes."""

    metric: Metric
    a: str
    b: str
    small: Difference
    large: Difference

    @property
    def same_sign(self) -> bool:
        """True if both differences point the same way."""
        return self.small.difference.value * self.large.difference.value > 0

    @property
    def verdict(self) -> str:
        """holds, flips or unresolved."""
        if UNRESOLVED in (self.small.verdict, self.large.verdict):
            return UNRESOLVED
        return HOLDS if self.small.verdict == self.large.verdict else FLIPS


@dataclass(frozen=True, slots=True)
class Agreement:
    """One metric between two sizes: share of pairs in the same order, and how far that is known."""

    metric: Metric
    small: str
    large: str
    agreement: Estimate  # n is the number of pairs
    holds: int
    flips: int
    flipped: tuple[str, ...]  # "a, b" of each pair that flips beyond noise

    @property
    def tau(self) -> float:
        """Kendall's tau-a."""
        return 2 * self.agreement.value - 1

    @property
    def verdict(self) -> str:
        """In words."""
        if self.flips:
            return f"another order at {self.large}: {'; '.join(self.flipped)} flip beyond noise"
        if self.holds == self.agreement.n:
            return "the order holds"
        open_pairs = self.agreement.n - self.holds
        return f"unresolved: {open_pairs} of {self.agreement.n} pairs are inside the noise"


@dataclass(frozen=True, slots=True)
class Scale:
    """Agreements of every metric, what every mixture lacks, and notes."""

    sizes: tuple[str, ...]
    rows: tuple[Agreement, ...]
    missing: tuple[tuple[str, str, str], ...]  # recipe, size, the command that trains it
    notes: tuple[str, ...]

    def frame(self) -> pl.DataFrame:
        """One row per metric and pair of sizes."""
        return pl.DataFrame(
            [
                asdict(row.metric)
                | {"small": row.small, "large": row.large, "agreement": row.agreement.value}
                | {"low": row.agreement.low, "high": row.agreement.high, "tau": row.tau}
                | {"pairs": row.agreement.n, "holds": row.holds, "flips": row.flips}
                | {"verdict": row.verdict}
                for row in self.rows
            ]
        )

    @property
    def warnings(self) -> list[str]:
        """Metrics whose order flips beyond noise."""
        return [
            f"{row.metric.on} {row.metric.metric}: {row.verdict}" for row in self.rows if row.flips
        ]

    def to_json(self) -> dict[str, Any]:
        """Rows, warnings, missing runs and notes as JSON values."""
        lacking = [{"recipe": r, "size": s, "command": c} for r, s, c in self.missing]
        return {
            "sizes": list(self.sizes),
            "rows": self.frame().to_dicts(),
            "warnings": self.warnings,
            "missing": lacking,
            "notes": list(self.notes),
        }


def scale(ws: Workspace, recipes: Sequence[str], sizes: Sequence[str] = ()) -> Scale:
    """Rank agreement of `recipes` between `sizes` (default: those where any of them is scored).

    Recipes that lack scored runs at a size are left out there and named in `missing`. Raises
    ConfigError for fewer than two recipes or an unknown size.
    """
    check(recipes, sizes)
    have = scored_budgets(ws, recipes)
    known = [s for s in SIZES if s in sizes or (not sizes and s in have["size"].to_list())]
    lacking = [(r, s) for s in known for r in recipes if not has(have, r, s)]
    missing = tuple((r, s, f"mixlab train {r} --size {s} --seeds 2") for r, s in lacking)
    found: dict[str, dict[tuple[str, str, Metric], Difference]] = {}
    used: dict[str, Mapping[str, Sequence[Path]]] = {}
    notes: list[str] = []
    for size in known:
        there = [r for r in recipes if (r, size) not in lacking]
        if len(there) > 1:
            used[size] = named_groups(ws, there, size)
            found[size], remarks = pairs_at(ws, used[size])
            notes += [f"{size}: {remark}" for remark in remarks]
    notes += changed_notes(used)
    rows = [row for s, t in combinations(found, 2) for row in agreements(s, t, found[s], found[t])]
    if len(found) < 2:
        notes.append("Two sizes with scored runs of two recipes are needed; see what is missing.")
    return Scale(tuple(known), tuple(rows), missing, tuple(dict.fromkeys(notes)))


def check(recipes: Sequence[str], sizes: Sequence[str]) -> None:
    """ConfigError unless there are two recipes and every size is known."""
    from lab.proxy.sizes import get_size

    if len(set(recipes)) < 2:
        raise ConfigError(
            "An order needs two recipes.",
            value=list(recipes),
            next_step="name two or more recipes with runs at two sizes",
        )
    for size in sizes:
        get_size(size)


def has(budgets: pl.DataFrame, recipe: str, size: str) -> bool:
    """True if `recipe` has scored runs at `size`."""
    return not budgets.filter(recipe=recipe, size=size).is_empty()


def changed_notes(used: Mapping[str, Mapping[str, Sequence[Path]]]) -> list[str]:
    """What a recipe's runs do not share from size to size, though it should; `used` by size."""
    notes = []
    for recipe in dict.fromkeys(name for groups in used.values() for name in groups):
        sizes = [size for size in used if recipe in used[size]]
        specs = [read_json(used[size][recipe][0] / "run.json") for size in sizes]
        changed = [
            words
            for key, words in SHARED.items()
            if len({repr(spec.get(key)) for spec in specs}) > 1
        ]
        if changed:
            told = f"{recipe} differs between {', '.join(sizes)} in {', '.join(changed)}"
            notes.append(f"{told}: that is part of every flip.")
    return notes


def pairs_at(
    ws: Workspace, groups: Mapping[str, Sequence[Path]]
) -> tuple[dict[tuple[str, str, Metric], Difference], list[str]]:
    """The difference of every pair and metric at one size, and notes."""
    read, notes = read_groups(ws, groups)
    found: dict[tuple[str, str, Metric], Difference] = {}
    for a, b in combinations(read, 2):
        pair, _ = pair_up(a, b)
        found |= {(a.name, b.name, row.metric): row for row in pair.rows()}
    return found, notes


def agreements(
    small: str,
    large: str,
    at_small: Mapping[tuple[str, str, Metric], Difference],
    at_large: Mapping[tuple[str, str, Metric], Difference],
) -> list[Agreement]:
    """Every metric that both sizes have, over the pairs that both have."""
    both = [key for key in at_small if key in at_large]
    metrics = dict.fromkeys(metric for _, _, metric in both)
    return [
        agreement(
            small,
            large,
            [
                PairAtSizes(m, a, b, at_small[a, b, m], at_large[a, b, m])
                for a, b, m in both
                if m == metric
            ],
        )
        for metric in metrics
    ]


def agreement(small: str, large: str, pairs: Sequence[PairAtSizes]) -> Agreement:
    """One metric over its pairs."""
    holds = sum(pair.verdict == HOLDS for pair in pairs)
    flipped = tuple(f"{pair.a}, {pair.b}" for pair in pairs if pair.verdict == FLIPS)
    same = sum(pair.same_sign for pair in pairs if isfinite(pair.small.difference.value))
    n = len(pairs)
    share = Estimate(same / n, holds / n, 1 - len(flipped) / n, n, "share of pairs")
    return Agreement(pairs[0].metric, small, large, share, holds, len(flipped), flipped)
