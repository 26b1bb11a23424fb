"""What a signal is: a formula with an id, words for people and a source.

A definition id is `family.signal@def`. Filters known by one name differ in splitter, numerator and
denominator from tool to tool ("Gopher" has five published definitions), so thresholds bind to ids,
and a changed formula gets a new id. Definitions here:

| def  | meaning                                                                              |
|------|--------------------------------------------------------------------------------------|
| dt1  | datatrove 0.10 as shipped: no words enter, so the value is its value                 |
| ws1  | datatrove's formula over words of `str.split()` in place of spaCy's                  |
| fw1  | datatrove's C4 rules in FineWeb's setting: lines need not end in a punctuation mark  |
| uw1  | datatrove's formula over Unicode words (`tokens`), stop words in any case            |
| dol1 | Dolma 1.6, tagger gopher_v1                                                          |
| dclm1| DCLM's RefinedWeb; n-grams over Unicode words where DCLM asks uniseg                 |
| cur1 | NeMo Curator 1.4, heuristic filters                                                  |
| rps1 | RedPajama-V2's quality signals (`redpajama`), not rounded                            |
| lab1 | the lab's own                                                                        |

A formula that two tools share is one definition: words of `str.split()`, their mean length and the
share of words with a letter are the same in Dolma, DCLM and Curator as in `basic.words@ws1`,
`basic.mean_word_length@ws1` and `gopher.alpha_words@ws1`.

Shares are 0..1 and a share of nothing is 0, also where the tool says 1 or divides by zero. A
document without text (null) has no value.
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

VERSION = 2  # part of the id of every signals artifact: raise it when any value changes

GOPHER = "Rae et al. 2021, arXiv:2112.11446"
FINEWEB = "Penedo et al. 2024, arXiv:2406.17557"
C4 = "Raffel et al. 2020, arXiv:1910.10683"
DOLMA = "Soldaini et al. 2024, arXiv:2402.00159"
DCLM = "Li et al. 2024, arXiv:2406.11794"
CURATOR = "NVIDIA NeMo Curator 1.4, 2026"
REDPAJAMA = "Weber et al. 2024, arXiv:2411.12372"
UNICODE = "Rae et al. 2021, arXiv:2112.11446, over words of Unicode UAX #29"
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


# What measures a group of definitions on texts: see `registry.FUNCTIONS`.
Functions = dict[tuple[Definition, ...], Callable[[pl.Series], pl.DataFrame]]
