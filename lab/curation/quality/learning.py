"""How a score is learned: which head, on which embeddings, with which folds, for which cut.

The head is one of `HEADS`. `encoder` matters to heads on embeddings only. `groups` keeps copies on
one side of every fold: exact copies always ("content"), near copies too where `mixlab dedup` has
found them ("near"); without that, a near copy in the training folds makes the error look small.
`threshold` is the label from which a document is meant to be kept: F1, selection rates and nothing
else depend on it; by default 2.5 for grades (the 3 of FineWeb-Edu, rounded) and 0.5 for yes and no.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.core.errors import ConfigError, nearest
from lab.diversity.embedding.encoder import DEFAULT

HEADS = ("ngrams", "embedding-ridge", "embedding-forest")
GROUPS = ("content", "near")


@dataclass(frozen=True, slots=True)
class Learning:
    """Settings of a head; see above."""

    head: str = "ngrams"
    encoder: str = DEFAULT
    groups: str = "content"
    threshold: float | None = None

    @property
    def embedded(self) -> bool:
        """True for heads that read stored embeddings."""
        return self.head != "ngrams"

    def settings(self) -> dict[str, Any]:
        """What a head depends on; the encoder only where it is read."""
        return asdict(self) | {"encoder": self.encoder if self.embedded else None}

    def cut(self, labels: NDArray[np.float64]) -> float:
        """The threshold, or the usual one for such labels."""
        if self.threshold is not None:
            return self.threshold
        return 2.5 if labels.max() > 1 else 0.5


def check_learning(learning: Learning) -> Learning:
    """The settings, or ConfigError for a head or grouping that does not exist."""
    for value, known in ((learning.head, HEADS), (learning.groups, GROUPS)):
        if value not in known:
            raise ConfigError("Unknown way to learn.", value=value, next_step=nearest(value, known))
    return learning


def learning_of(settings: dict[str, Any]) -> Learning:
    """The settings as they were registered; defaults for labels registered without."""
    given = {key: value for key, value in settings.items() if value is not None}
    return Learning(**given)
