"""Choose documents by a method of the table, whatever order they come in.

Documents are put into an order by chance (their `keys`, such as a hash of the content mixed with a
seed) before any method sees them, so a choice depends on the documents and the seed only. Quality
enters as its rank among the documents, in (0, 1]: scores of two signals are on no common scale. A
document without a vector (all zeros: no known word) has no place, and looks unlike everything; it
is never chosen.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.core.errors import ConfigError, DataError, nearest
from lab.core.progress import SILENT, Progress
from lab.diversity.selecting.methods import METHODS
from lab.diversity.selecting.problem import F64, Problem, Rows, fill
from lab.diversity.selecting.vectors import Stored, pieces, units

KEPT, EMPTY, LONG = "kept", "no vector", "longer than the budget"


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """`rows` that were chosen, in their order; `reasons` [n] in words, `kept` for those."""

    rows: Rows
    reasons: NDArray[np.str_]


def choose(
    method: str,
    vectors: NDArray[Any] | Stored,
    tokens: NDArray[Any],
    keys: NDArray[Any],
    *,
    budget: int,
    quality: NDArray[Any] | None = None,
    balance: float = 0.5,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Chosen:
    """Rows of `vectors` [n, d] with at most `budget` of their `tokens` [n] in all.

    `keys` [n]: numbers in no relation to the rows' places; equal ones only for equal documents.
    `quality` [n]: larger is better. Raises ConfigError for an unknown method, a budget below zero,
    a balance outside [0, 1), a method without the quality it needs or with one that it does not
    read; DataError for lengths that differ, numbers that are not finite, negative tokens.
    """
    check_settings(method, budget, balance, quality is not None)
    some = check_numbers(vectors, tokens, keys, quality)
    reasons = np.full(len(tokens), EMPTY, "<U24")
    if not len(tokens):
        return Chosen(np.zeros(0, np.int64), reasons)
    reasons[some & (tokens > budget)] = LONG
    able = np.flatnonzero(some & (tokens <= budget))
    rows = able[np.argsort(np.asarray(keys)[able], kind="stable")]
    entry = METHODS[method]
    reasons[rows] = entry.absent
    problem = Problem(
        units(vectors, rows),
        tokens[rows].astype(np.int64),
        budget,
        None if quality is None else ranks(quality[rows]),
        balance,
        seed,
        progress,
    )
    order = entry.order(problem) if len(rows) else rows
    taken = fill(order, problem.tokens, budget)
    reasons[rows[order]] = entry.beyond
    reasons[rows[taken]] = KEPT
    return Chosen(rows[taken], reasons)


def ranks(values: NDArray[Any]) -> F64:
    """Share of the values that are not larger, in (0, 1]; equal values share the highest."""
    placed = np.searchsorted(np.sort(values), values, side="right")
    return np.asarray(placed / max(len(values), 1), np.float64)


def check_settings(method: str, budget: int, balance: float, scored: bool) -> None:
    """ConfigError for what the method cannot do: a quality (`scored`) that it would not read is
    refused, because a selection is named by it as if it had mattered.
    """
    if method not in METHODS:
        raise ConfigError(
            "Unknown method of selection.", value=method, next_step=nearest(method, METHODS)
        )
    if budget < 0:
        raise ConfigError("A budget of tokens is not negative.", where="budget", value=budget)
    if not 0 <= balance < 1:
        raise ConfigError(
            "The weight of quality lies from 0 (diversity alone) to below 1.",
            where="balance",
            value=balance,
            next_step="0.5 weighs both alike",
        )
    if METHODS[method].needs_quality and not scored:
        raise ConfigError(
            "This method multiplies diversity with a quality score.",
            where="quality",
            value=method,
            next_step="name a column: --quality quality.NAME, or any signal",
        )
    if scored and not METHODS[method].reads_quality:
        able = ", ".join(name for name, entry in METHODS.items() if entry.reads_quality)
        raise ConfigError(
            f"{method} reads no quality: a score would change nothing.",
            where="quality",
            value=method,
            next_step=f"leave --quality out, or take a method that reads one: {able}",
        )


def check_numbers(
    vectors: NDArray[Any] | Stored,
    tokens: NDArray[Any],
    keys: NDArray[Any],
    quality: NDArray[Any] | None,
) -> NDArray[np.bool_]:
    """Which documents have a vector [n]; DataError for what does not belong together or is no
    number.
    """
    lengths = [len(a) for a in (vectors, tokens, keys, quality) if a is not None]
    if len(set(lengths)) > 1:
        raise DataError("Vectors, tokens, keys and quality differ in length.", value=lengths)
    some, broken = np.zeros(len(vectors), bool), 0
    for own, piece in pieces(vectors):
        some[own] = piece.any(axis=1)
        broken += int((~np.isfinite(piece)).sum())
    bad = {"vectors": broken, "tokens": int((~np.isfinite(tokens)).sum())}
    if quality is not None:
        bad["quality"] = int((~np.isfinite(quality)).sum())
    for name, count in bad.items():
        if count:
            raise DataError(
                "Some numbers are not finite.",
                where=name,
                value=count,
                next_step="embed again" if name == "vectors" else "measure that signal again",
            )
    if (np.asarray(tokens) < 0).any():
        raise DataError("A document has a negative number of tokens.", where="tokens")
    return some
