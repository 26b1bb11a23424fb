"""The canonical form of a mixture, from which every target's numbers are converted.

A trainer's "weight" has at least six meanings (share of fixed-length sequences, probability of
drawing a document, number of epochs, count of samples, ...). The plan keeps one unit, tokens: per
phase its tokens D_k, and per source its token share w, the pool's unique tokens T and documents,
and the mean tokens per document L with the end-of-text token that trainers add. Then

    token share            w_i                                       Megatron, OLMo-core
    document probability   p_i = (w_i / L_i) / sum_j (w_j / L_j)     interleave_datasets
    epochs                 e_i = w_i D / T_i                         caps, README

Writing w where a trainer draws documents is wrong by the ratio of document lengths: 50/50 by tokens
at 300 and 3,000 tokens a document must be .909/.091; written as .5/.5 it trains on 9 % and 91 %.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.workspace import Workspace
from lab.mixture.ledger import Ledger, ledger
from lab.mixture.recipe import Recipe
from lab.mixture.selection import judge, phase_pool
from lab.mixture.supply import supply_from
from lab.mixture.texts import trained_texts


@dataclass(frozen=True, slots=True)
class Share:
    """One source in one phase. `rows` are the pool's document numbers within the source."""

    source: str
    weight: float  # share of the phase's tokens
    tokens: float  # to be trained on in this phase
    pool_documents: int
    pool_tokens: int  # in the pool, copies counted, without end-of-text
    rows: NDArray[np.int64]
    texts: Artifact | None = None  # the edited texts to train on; None: the documents' own

    @property
    def tokens_per_document(self) -> float:
        """Mean length in tokens with the end-of-text token that follows each document."""
        return (self.pool_tokens + self.pool_documents) / self.pool_documents

    @property
    def epochs(self) -> float:
        """How often this phase alone goes through the pool."""
        return self.tokens / (self.pool_tokens + self.pool_documents)

    @property
    def documents(self) -> int:
        """Documents to draw so that the tokens are met on average."""
        return math.ceil(self.tokens / self.tokens_per_document)


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """One phase: `folder` names it in order, `shares` have a positive weight each."""

    name: str
    folder: str
    tokens: float
    shares: tuple[Share, ...]

    def document_probabilities(self) -> list[float]:
        """Probability of drawing a document of each share so that token shares come out."""
        return exact([s.weight / s.tokens_per_document for s in self.shares])

    @property
    def documents(self) -> int:
        """Documents of the phase."""
        return sum(s.documents for s in self.shares)


@dataclass(frozen=True, slots=True)
class Plan:
    """A recipe set against its supply: what every target writes from."""

    recipe: Recipe
    tokenizer: str
    phases: tuple[PhasePlan, ...]
    ledger: Ledger


def plan_export(ws: Workspace, recipe: Recipe, tokenizer: str) -> Plan:
    """Judge the documents and work out every phase; ConfigError if the budget cannot be met."""
    verdicts = judge(ws, recipe)
    found = ledger(supply_from(ws, recipe, verdicts), recipe.mixture)
    found.require_feasible()
    phases = []
    for k, phase in enumerate(recipe.mixture.phases):
        tokens = recipe.mixture.tokens * phase.share
        shares = []
        for source, weight in phase.weights.items():
            if weight > 0:
                frame = verdicts[source].frame
                rows = np.flatnonzero(phase_pool(frame, k).to_numpy())
                texts = trained_texts(ws, recipe, source)
                shares.append(share(source, weight, weight * tokens, frame, rows, texts))
        phases.append(PhasePlan(phase.name, f"{k + 1:02d}_{phase.name}", tokens, tuple(shares)))
    return Plan(replace(recipe, tokenizer=tokenizer), tokenizer, tuple(phases), found)


def share(
    source: str,
    weight: float,
    tokens: float,
    frame: pl.DataFrame,
    rows: NDArray[np.int64],
    texts: Artifact | None = None,
) -> Share:
    """One source's part in a phase."""
    pool = int(frame["tokens"].gather(rows).sum())
    return Share(source, weight, tokens, len(rows), pool, rows, texts)


def exact(values: Sequence[float]) -> list[float]:
    """`values` divided by their sum, the residual of rounding put on the largest.

    NumPy's `choice` (Hugging Face datasets, lingua) refuses probabilities whose sum is off by more
    than 1.5e-8, and a reader that prints seven digits breaks three thirds.
    """
    total = math.fsum(values)
    shares = [value / total for value in values]
    largest = shares.index(max(shares))
    shares[largest] += 1.0 - math.fsum(shares)
    return shares
