"""What every preset removes of some corpora: shares of documents and words, and its busiest rule.

    python tests/benchmarks/presets_on_text.py DIR [--read 2]

DIR holds corpora as Parquet or JSONL (.zst) with a column `text`. `--read N` prints the starts of N
documents per corpus that only one rule of a preset removes, for a person to judge.
"""

import argparse
from pathlib import Path

import polars as pl

from lab.curation.filters.mask import fail_mask
from lab.curation.presets import Preset, load_preset, preset_names, three_sigma
from lab.curation.signals import compute


def read(path: Path) -> pl.DataFrame:
    """The texts of a corpus."""
    frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_ndjson(path)
    return frame.select("text")


def judge(frame: pl.DataFrame, preset: Preset) -> tuple[pl.Series, list[str]]:
    """Masks of all documents, and the rules in words."""
    rules = three_sigma(frame, preset.signals()) if preset.computed else preset.rules
    return fail_mask(frame, rules), [rule.words() for rule in rules]


def main() -> None:
    """Print a row per corpus and preset."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--read", type=int, default=0)
    options = parser.parse_args()
    for path in sorted(p for p in options.folder.iterdir() if p.suffix in (".parquet", ".zst")):
        texts = read(path)
        frame = texts.hstack(compute(texts))
        words = frame["basic.words@ws1"].cast(pl.Int64)
        for name in preset_names():
            mask, rules = judge(frame, load_preset(name))
            dropped = mask != 0
            counts = [(int(((mask & (1 << k)) != 0).sum()), k) for k in range(len(rules))]
            most, busiest = max(counts, default=(0, 0))
            share = words.filter(dropped).sum() / max(words.sum(), 1)
            print(
                f"{path.name.split('.')[0]:16} {name:17} documents {dropped.mean():6.1%} words "
                f"{share:6.1%}  most: {rules[busiest] if rules else '-'} ({most})",
                flush=True,
            )
            alone = frame.filter(dropped & (mask == (1 << busiest)))
            for text in alone["text"].sample(min(options.read, alone.height), seed=1):
                print("      ", " ".join(text[:300].split()))


if __name__ == "__main__":
    main()
