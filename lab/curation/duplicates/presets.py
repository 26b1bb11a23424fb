"""Published MinHash settings as data, and what is said when a setting misses what it looks for.

| preset | bands x rows | shingle | knee | P(.7) | P(.8) | P(.9) |
|---|---|---|---|---|---|---|
| lab | 20 x 8 = 160 | 5 words | .688 | .695 | .975 | 1.00 |
| fineweb | 14 x 8 = 112 | 5 words | .719 | .565 | .924 | 1.00 |
| lee | 450 x 20 = 9000 | 5 words | .737 | .302 | .995 | 1.00 |
| curator | 20 x 13 = 260 | 24 characters | .794 | .177 | .677 | .997 |
| rpv2-0.7 | 14 x 9 of 128 | 13 words | .746 | .438 | .867 | .999 |
| rpv2-0.8 | 9 x 13 of 128 | 13 words | .844 | .084 | .399 | .929 |
| rpv2-0.9 | 5 x 25 of 128 | 13 words | .938 | .001 | .019 | .311 |

Bands and rows are all that P depends on; the number of hashes is only their product. Shingles here
are words: NeMo Curator's 24 characters are about five English words, so its preset is that setting
over 5-word shingles, not the same method. All pipelines but Lee's count any candidate as a
duplicate; here a candidate is verified, so a preset decides what is found, not what is dropped.
"""

from dataclasses import dataclass

from lab.core.errors import ConfigError, nearest
from lab.curation.duplicates.config import MinHash, knee, probability

LOW, HIGH = 0.5, 0.9  # a setting that finds less than LOW, whose swap would find more than HIGH


@dataclass(frozen=True, slots=True)
class Preset:
    """A published setting: `minhash` as the lab runs it, `shingle` as the authors hash it."""

    minhash: MinHash
    shingle: str
    source: str

    def words(self) -> str:
        """All that the setting is: "14 bands x 8 rows = 112 hashes, 5 words, knee 0.719"."""
        bands, rows = self.minhash.bands, self.minhash.rows
        return (
            f"{bands} bands x {rows} rows = {bands * rows} hashes, shingles of {self.shingle}, "
            f"knee {knee(bands, rows):.3f}"
        )


PRESETS = {
    "lab": Preset(MinHash(20, 8, 5, 0.8), "5 words", "the default here: FineWeb's and six bands"),
    "fineweb": Preset(
        MinHash(14, 8, 5, 0.8), "5 words", "Penedo et al. 2024, arXiv:2406.17557; datatrove"
    ),
    "lee": Preset(MinHash(450, 20, 5, 0.8), "5 words", "Lee et al. 2021, arXiv:2107.06499"),
    "curator": Preset(
        MinHash(20, 13, 5, 0.8), "24 characters (here 5 words)", "NeMo Curator 1.4, 2026"
    ),
    "rpv2-0.7": Preset(MinHash(14, 9, 13, 0.7), "13 words", "RedPajama-Data v2, 2023"),
    "rpv2-0.8": Preset(MinHash(9, 13, 13, 0.8), "13 words", "RedPajama-Data v2, 2023"),
    "rpv2-0.9": Preset(MinHash(5, 25, 13, 0.9), "13 words", "RedPajama-Data v2, 2023"),
}
AT = (0.5, 0.6, 0.7, 0.75, 0.8, 0.9)  # similarities at which P is shown


def load_preset(name: str) -> Preset:
    """The preset `name`; ConfigError names the nearest if there is none."""
    if name not in PRESETS:
        raise ConfigError(
            "Unknown MinHash preset.",
            where="dedup.preset",
            value=name,
            next_step=nearest(name, PRESETS),
        )
    return PRESETS[name]


def curve(minhash: MinHash) -> dict[float, float]:
    """P(s) at the similarities in `AT`."""
    return {s: probability(minhash.bands, minhash.rows, s) for s in AT}


def setting_warnings(minhash: MinHash) -> list[str]:
    """What a setting misses at its own threshold, and whether bands and rows look swapped."""
    bands, rows, threshold = minhash.bands, minhash.rows, minhash.jaccard
    found, swapped = probability(bands, rows, threshold), probability(rows, bands, threshold)
    said = []
    if found < HIGH:
        said.append(
            f"{bands} bands of {rows} rows find {found:.0%} of pairs at similarity {threshold:g}; "
            f"the rest is not looked at"
        )
    published = any((p.minhash.bands, p.minhash.rows) == (bands, rows) for p in PRESETS.values())
    if not published and found < LOW and swapped > HIGH:
        said.append(
            f"bands and rows look swapped: {rows} bands of {bands} rows would find {swapped:.0%}"
        )
    return said
