"""Educational labels as an annotator gives them: right most of the time.

Method: a fixed number of documents a source, spread evenly over it, is judged on the 0-5 scale of
FineWeb-Edu (Penedo et al., 2024, arXiv:2406.17557, section 4). The label is the planted level, off
by one in `NOISE` of the cases (one step up or down, never outside 0-5): two careful readers agree
about that often. The planted level itself stays in truth/documents.parquet.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from lab.corpus.world.draws import pick, stream
from lab.corpus.world.records import Record

LABELS: Final = 600
NOISE: Final = 0.15
_SHARES: Final[dict[str, float]] = {
    "web": 0.5, "forum": 0.12, "encyclopaedia": 0.1, "code": 0.06, "web_rewritten": 0.06,
    "textbooks": 0.08, "exercises": 0.08,
}  # fmt: skip


class Labeller:
    """Takes every k-th record of a source until that source's share of labels is reached."""

    def __init__(self, seed: int, sizes: dict[str, int]) -> None:
        self._rng = stream(seed, "labels")
        self._every = {
            name: max(1, int(size / (LABELS * _SHARES[name]))) for name, size in sizes.items()
        }
        self._seen = dict.fromkeys(sizes, 0)
        self._rows: list[dict[str, Any]] = []

    def add(self, record: Record) -> None:
        """Judge `record` if it is its turn."""
        seen = self._seen[record.source]
        self._seen[record.source] += 1
        taken, rest = divmod(seen, self._every[record.source])
        if rest == 0 and taken < LABELS * _SHARES[record.source]:
            label = self._judge(record.draft.level)
            self._rows.append({"id": record.id, "source": record.source, "label": label})

    def write(self, path: Path) -> int:
        """Write the labels as JSON lines; returns how many there are."""
        path.parent.mkdir()
        path.write_text("".join(json.dumps(row) + "\n" for row in self._rows), encoding="utf-8")
        return len(self._rows)

    def _judge(self, level: int) -> int:
        if self._rng.random() < NOISE:
            return min(5, max(0, level + pick(self._rng, (-1, 1))))
        return level
