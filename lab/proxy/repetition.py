"""Simulated epoching: a proxy sees each source as often as the real run would.

A run of R_target tokens that gives weight w to a source of N unique tokens sees it
e = w R_target / N times. A proxy of R_proxy tokens at the same weight sees it R_proxy / R_target
times as often, which may be never twice: small sources look better in it than they are, because
their repeats, worth less and less, never come. The cure is to take as much text away as budget:

    N_proxy = N R_proxy / R_target        so that    w R_proxy / N_proxy = e

Held to the target's repetition, runs at 1/16 of the tokens find mixtures within .05 of the best;
without it the error is .75, and runs at three or four budgets, which sum to 44 to 94 % of the
target's, are needed for the same (arXiv:2606.07597, 2026; two sources, 757M parameters). Marin
slices its sources in the same way.

The documents that stay are the first in the order in which the proxy reads the source
(`lab.proxy.reading`): a larger budget keeps what a smaller one kept, and a source that the target
reads less than once is read exactly as without matching. Phases with filters of their own are cut
each to its share, in the one order, so what lies in two pools mostly stays in both or neither.

Where it fails. Documents are not split: a source of few documents, at a small budget, keeps at
least one and is then seen less often than in the target, and there is too little of it to learn
from; `repetition_notes` says so. Copies of a text that the recipe keeps are parted, so each
is seen as often as its document, not its text. A proxy longer than the target has no text to add,
and repeats more. Cost: 0.1 microseconds a document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from lab.proxy.packing import PhasePlan
from lab.proxy.reading import Documents, Parts, in_order, open_reader

if TYPE_CHECKING:
    from lab.proxy.runs import Run  # which prepares runs with what is here

APART = 1.5  # factor between epochs here and in the target from which on it is said in words

USE = {
    "source": pl.String,
    "pool_tokens": pl.Int64,
    "used_tokens": pl.Int64,
    "documents": pl.Int64,
    "epochs_here": pl.Float64,
    "epochs_target": pl.Float64,
}


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens of the proxy and of the run it stands for, and of one sequence of the proxy."""

    proxy: int
    target: int
    sequence: int

    @property
    def factor(self) -> float:
        """Share of the target's tokens that the proxy trains on."""
        return self.proxy / self.target


def match_repetition(
    phases: Sequence[PhasePlan],
    tokens: Mapping[str, Parts],
    budget: Budget,
    *,
    seed: int,
    match: bool = True,
) -> tuple[list[PhasePlan], dict[str, Any]]:
    """(phases with the documents to use, account for run.json); all documents unless `match`.

    The account: match, target_tokens and `sources` as in `USE`, with tokens counted as packing
    does, one end-of-text each document.
    """
    names = sorted({name for phase in phases for name, w in phase.weights.items() if w > 0})
    lengths = {name: open_reader(name, seed, tokens[name]).lengths for name in names}
    kept = [
        replace(
            phase,
            rows={
                name: first_documents(rows, lengths[name], budget.factor, name, seed)
                if match
                else rows
                for name, rows in phase.rows.items()
                if phase.weights.get(name, 0.0) > 0
            },
        )
        for phase in phases
    ]
    sources = {
        name: use_of(name, phases, kept, np.asarray(lengths[name], np.int64), budget)
        for name in names
    }
    return kept, {"match": match, "target_tokens": budget.target, "sources": sources}


def first_documents(
    rows: Documents, lengths: Documents, factor: float, source: str, seed: int
) -> Documents:
    """The first of `rows` in reading order that hold `factor` of their tokens, sorted.

    A document stays if its middle lies within the share, so the error is half a document at most;
    one always stays.
    """
    if factor >= 1:
        return rows
    order = in_order(rows, source, seed, 0)
    size = lengths[order]
    middles = np.cumsum(size) - size / 2
    count = int(np.searchsorted(middles, factor * int(size.sum()), side="right"))
    return np.sort(order[: max(count, 1)])


def use_of(
    name: str,
    phases: Sequence[PhasePlan],
    kept: Sequence[PhasePlan],
    lengths: Documents,
    budget: Budget,
) -> dict[str, Any]:
    """What a run uses of one source over all phases, and how often it sees that."""
    weight = sum(phase.share * phase.weights.get(name, 0.0) for phase in phases)
    pool, used = (
        np.unique(np.concatenate([p.rows[name] for p in plans if p.weights.get(name, 0.0) > 0]))
        for plans in (phases, kept)
    )
    pool_tokens, used_tokens = int(lengths[pool].sum()), int(lengths[used].sum())
    return {
        "pool_tokens": pool_tokens,
        "used_tokens": used_tokens,
        "documents": len(used),
        "epochs_here": weight * budget.proxy / used_tokens,
        "epochs_target": weight * budget.target / pool_tokens,
    }


def repetition_notes(account: Mapping[str, Any], budget: Budget) -> list[str]:
    """What a reader of a run should know of its repetition, in words."""
    said = []
    if budget.factor > 1:
        said.append(
            f"The proxy trains on {budget.proxy:,} tokens, more than the {budget.target:,} of the "
            f"real run: all documents are used, and each is seen {budget.factor:.2g} times as "
            "often as there."
        )
    for name, use in account["sources"].items():
        said += source_notes(name, use, budget, account["match"])
    return said


def source_notes(name: str, use: Mapping[str, Any], budget: Budget, match: bool) -> list[str]:
    """The same of one source."""
    said = []
    if match and use["used_tokens"] < min(budget.sequence, use["pool_tokens"]):
        said.append(
            f"Of {name!r} only {use['used_tokens']:,} tokens are left (documents: "
            f"{use['documents']}), less than one sequence of {budget.sequence:,}: too little to "
            "learn from. Train on more tokens, or without repetition matching."
        )
    here, target = use["epochs_here"], use["epochs_target"]
    if budget.factor <= 1 and apart(here, target):
        reason = "documents are not split" if match else "repetition matching is off"
        said.append(
            f"{name!r} is seen {here:.2g} times here and {target:.2g} times in the real run: "
            f"{reason}."
        )
    return said


def apart(here: float, target: float) -> bool:
    """Whether two numbers of epochs differ by more than `APART`."""
    return max(here, target) > APART * min(here, target)


def notes_of(run: "Run") -> list[str]:
    """`repetition_notes` of a prepared run; none for a run of a version that did not say."""
    if "sources" not in run.repetition:
        return []
    size = run.hyperparameters.sequence_length
    return repetition_notes(
        run.repetition, Budget(run.tokens, run.repetition["target_tokens"], size)
    )


def describe_repetition(run: "Run") -> pl.DataFrame:
    """Columns of `USE`, one row a source; empty for a run of a version that did not say."""
    sources = run.repetition.get("sources", {})
    return pl.DataFrame([{"source": name} | use for name, use in sources.items()], USE)


def foresee(sources: pl.DataFrame, budget: Budget) -> pl.DataFrame:
    """Epochs of a proxy not yet prepared: source, target, matched, unmatched (epochs), used_tokens.

    `sources` is a ledger's table: source, epochs, kept_documents, unique_tokens. Matched epochs are
    those of a source of even documents, at least one of which stays.
    """
    share = min(budget.factor, 1.0)
    pool = pl.col("unique_tokens")
    one = pool / pl.col("kept_documents")  # of mean length
    used = pl.max_horizontal(share * pool, pl.min_horizontal(one, pool))
    unmatched = pl.col("epochs") * budget.factor
    return sources.filter((pl.col("epochs") > 0) & pl.col("epochs").is_finite()).select(
        "source",
        target=pl.col("epochs"),
        matched=unmatched * pool / used,
        unmatched=unmatched,
        used_tokens=used.round().cast(pl.Int64),
    )
