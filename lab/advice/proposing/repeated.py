"""Whether the runs have paid for repetition already, so that nobody counts it twice.

A source that is seen e times is worth effective_epochs(e) / e of as much fresh text
(`lab.mixture.repetition`, arXiv:2305.16264). What wears off in a run is

    wear = sum_i w_i (1 - effective_epochs(e_i) / e_i)

once with the epochs that the proxy saw, once with those that the same mixture has in the real run
at the recipe's budget. Proxies are cut to the target's repetition by default
(`lab.proxy.repetition`), and then both are equal: the scores hold the cost of repeating, so the
proposal needs only the wall of the repeat cap (`matched` in `lab.advice.optimising.supply`). Runs
that saw fresh text where the real run repeats know nothing of it, and D' is counted. In between the
nearer of the two assumptions is taken, and the note says what it gets wrong.

The flag in run.json is not enough: runs may be matched to another budget than the recipe's of
today, a source of few documents cannot be cut, and a proxy longer than its target repeats more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lab.core.files import read_json
from lab.mixture.repetition import effective_epochs

LITTLE = 0.005  # of the tokens: less wear than this is nobody's concern
HALF = 0.5  # of the wear: from here on the runs carry more of it than they lack
ALIKE = 1.5  # factor between two wears up to which they count as one, as `lab.proxy.repetition`


@dataclass(frozen=True, slots=True)
class Wear:
    """Share of tokens that wears off, one value per run: in the proxies, and in the real run."""

    here: tuple[float, ...]
    there: tuple[float, ...]

    @property
    def carried(self) -> float:
        """Wear in the runs by wear in the real one; 1 where neither repeats."""
        if max(sum(self.here), sum(self.there)) < LITTLE * len(self.here):
            return 1.0
        return sum(self.here) / max(sum(self.there), 1e-12)

    @property
    def matched(self) -> bool:
        """Whether the runs carry the cost of repetition, all of it or most."""
        return sum(self.here) >= max(HALF * sum(self.there), LITTLE * len(self.here))

    @property
    def alike(self) -> int:
        """How many runs repeat as the real run will."""
        pairs = zip(self.here, self.there, strict=True)
        return sum(abs(a - b) < LITTLE or 1 / ALIKE < a / max(b, 1e-12) < ALIKE for a, b in pairs)


def wear_of(specs: Sequence[Mapping[str, Any]], budget: float) -> Wear:
    """The wear of runs, from what their run.json accounts, against a real run of `budget` tokens.

    A run that does not say what it used repeated nothing that is known of.
    """
    accounts = [spec.get("repetition") or {} for spec in specs]
    pairs = [wear(account, budget) for account in accounts if account.get("sources")]
    pairs += [(0.0, 0.0)] * (len(specs) - len(pairs))
    return Wear(tuple(a for a, _ in pairs), tuple(b for _, b in pairs))


def wear(account: Mapping[str, Any], budget: float) -> tuple[float, float]:
    """(wear of the proxy, wear of its mixture in a real run of `budget` tokens)."""
    uses = list(account["sources"].values())
    target = np.array([use["epochs_target"] for use in uses])
    weights = target * [use["pool_tokens"] for use in uses] / account["target_tokens"]
    here = np.array([use["epochs_here"] for use in uses])
    there = target * budget / account["target_tokens"]
    return lost(weights, here), lost(weights, there)


def lost(weights: Any, epochs: Any) -> float:
    """Share of the tokens that repetition takes."""
    worth = effective_epochs(epochs) / np.maximum(epochs, 1e-12)
    return float((weights * (1 - worth)).sum() / weights.sum())


def read_specs(runs: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """run.json of runs in the folder `runs`."""
    return [read_json(runs / name / "run.json") for name in names]


def repetition_words(found: Wear) -> list[str]:
    """What was assumed and what it gets wrong, in one or two short sentences."""
    if max(sum(found.here), sum(found.there)) < LITTLE * max(len(found.here), 1):
        return []
    here, there = (float(np.mean(values)) for values in (found.here, found.there))
    shares = f"{here:.1%} of their tokens wear off, {there:.1%} in the real run"
    if not found.matched:
        said = f"Repetition is counted by the data-constrained law: in the runs {shares}."
        if found.carried > 1 - 1 / ALIKE:
            said += " Part of it is counted twice, so scarce sources look worse than they are."
    elif found.carried > ALIKE:
        said = (
            f"The runs repeat more than the real run: in them {shares}. Scarce sources look worse."
        )
    elif found.carried < 1 / ALIKE:
        said = f"The runs repeat too little: in them {shares}. Scarce sources look better than due."
    else:
        said = f"The scores hold the cost of repetition, not counted again: in the runs {shares}."
    mixed = 0 < found.alike < len(found.here)
    return [said] + (
        [
            f"Runs repeat unlike each other: {found.alike} of {len(found.here)} as the real run "
            "will. A law cannot tell that from their mixtures."
        ]
        if mixed
        else []
    )
