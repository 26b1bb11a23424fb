"""What a signal is: a formula with an id, words for people and a source.

A definition id is `family.signal@def`. Filters known by one name differ in splitter, numerator and
denominator from tool to tool ("Gopher" has five published definitions), so thresholds bind to ids,
and a changed formula gets a new id. Definitions here:

| def  | meaning                                                                              |
|------|--------------------------------------------------------------------------------------|
| dt1  | datatrove 0.10 as shipped: no words enter, so the value is its value                 |
| ws1  | datatrove's formula over words of `str.split()` in place of spaCy's                  |
| fw1  | datatrove's C4 rules in FineWeb's setting: lines need not end in a punctuation mark  |
| lab1 | the lab's own                                                                        |

Shares are 0..1 and a share of nothing is 0. A document without text (null) has no value.
"""

from dataclasses import dataclass

import polars as pl

VERSION = 1  # part of the id of every signals artifact: raise it when any value changes

GOPHER = "Rae et al. 2021, arXiv:2112.11446"
FINEWEB = "Penedo et al. 2024, arXiv:2406.17557"
C4 = "Raffel et al. 2020, arXiv:1910.10683"
COMMON = "common practice"
REPEATS = "high values point to boilerplate, menus and generated text"
COUNT, SHARE = pl.UInt32(), pl.Float64()


@dataclass(frozen=True, slots=True)
class Definition:
    """One signal: `id`, words for people, and the type of its column."""

    id: str
    label: str  # a noun phrase for axes and sentences: "word count"
    unit: str
    summary: str  # the formula in words
    direction: str  # what a high or low value points to
    source: str  # paper and year
    dtype: pl.DataType

    @property
    def name(self) -> str:
        """The id without its definition: `gopher.word_count`."""
        return self.id.partition("@")[0]

    @property
    def family(self) -> str:
        """The first part of the id: `gopher`."""
        return self.id.partition(".")[0]
