"""Which law predicts a metric: that of least squared error on held-out runs.

The Gaussian process alone is scored but not chosen where its combination with the CES law is to be
had. Cross-validation sees one size of model; there the process wins nearly always, and across sizes
it loses: on RegMix's 512 runs, Pile-CC, .995 for .993 at 1M and .972 for .985 at 1B. No row of the
runs can show that, so it is settled here, once for all metrics.

Choosing by the same errors that are then reported flatters the winner (Cawley and Talbot 2010). So
the choice is crossed: the predictions for fold f, from which scores of `auto`, intervals and the
bootstrap's residuals are made, are those of the law that is best on the other folds.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from lab.advice.simplex import Array


def eligible(laws: Sequence[str]) -> list[str]:
    """The laws that may be chosen, in order; the earlier one wins a tie."""
    return [law for law in laws if law != "gp" or "combined" not in laws]


def choose(heldout: Mapping[str, Array], costs: Array) -> list[str]:
    """For every metric of `costs` [K, T] the law of least squared error."""
    names = eligible(list(heldout))
    errors = np.stack([((heldout[law] - costs) ** 2).mean(axis=0) for law in names])
    return [names[row] for row in errors.argmin(axis=0).tolist()]


def crossed(heldout: Mapping[str, Array], costs: Array, fold: npt.NDArray[np.intp]) -> Array:
    """Predictions of every fold by the law that is best on the other folds: [K, T]."""
    names = eligible(list(heldout))
    predictions = np.stack([heldout[law] for law in names])
    squares = (predictions - costs) ** 2
    found = np.empty_like(costs)
    for number in range(int(fold.max()) + 1):
        inside = fold == number
        best = squares[:, ~inside].sum(axis=1).argmin(axis=0)
        found[inside] = np.moveaxis(predictions[:, inside], 0, 1)[:, best, np.arange(len(best))]
    return found
