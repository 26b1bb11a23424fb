"""Shots: solved items that stand before every item, fixed once for all models.

The first k items of the file's training split (MBPP: of its split for prompts), else of another
split that is not scored, in the order of the file: nothing is drawn or curated, so nobody can tune
them. Where a template wants shots by a field (MMLU: the subject), k of each of its values. The
scored split is never used: a shot that is also an item would give its answer away.
"""

from typing import Final

import polars as pl

from lab.core.errors import ConfigError
from lab.evaluation.benchmarks.templates import Protocol, Template, fill

SHOT_SPLITS: Final = ("prompt", "train", "dev", "validation")


def choose_shots(
    everything: pl.DataFrame, used: str, protocol: Protocol, template: Template
) -> pl.DataFrame:
    """The first k items of the best split that is not scored; ConfigError if there are too few."""
    if not protocol.shots:
        return everything.clear()
    there = everything["split"].unique().to_list()
    pools = [split for split in SHOT_SPLITS if split in there and split not in (used, "all")]
    if used == "all" or not pools:
        raise ConfigError(
            "There is no split to take shots from.",
            value=sorted(there),
            next_step="register the folder that also holds the train or dev file, or use 0 shots",
        )
    by = fill(f"{{meta.{template.shots_by}}}") if template.shots_by else pl.lit("")
    keys = everything.filter(split=used).select(by.alias("key")).unique(maintain_order=True)
    pool = everything.filter(split=pools[0]).with_columns(key=by)
    first = pool.filter(pl.int_range(pl.len()).over("key") < protocol.shots)
    counts = keys.join(first.group_by("key").len(), on="key", how="left")["len"].fill_null(0)
    least = int(counts.min() or 0)  # type: ignore[arg-type]
    if least < protocol.shots:
        raise ConfigError(
            f"The split {pools[0]!r} has too few items for the shots.",
            value=f"{least} of {protocol.shots}",
            next_step="use fewer shots",
        )
    return first.drop("key")
