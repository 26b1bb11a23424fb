"""Texts of a folder of corpora, drawn with a seed: what several benchmarks measure on."""

from pathlib import Path

import polars as pl

SHORTEST, LONGEST = 700, 20_000  # characters: about 2.9 kB on average in the development data


def read(folder: Path, documents: int) -> list[str]:
    """A seeded sample of texts from all files of a folder."""
    frames = []
    for path in sorted(folder.iterdir()):
        if path.suffix == ".parquet":
            frames.append(pl.read_parquet(path, columns=["text"]))
        elif ".jsonl" in path.name:
            frames.append(pl.read_ndjson(path).select("text"))
    texts = pl.concat(frames).filter(pl.col("text").str.len_chars().is_between(SHORTEST, LONGEST))
    return texts.sample(min(documents, texts.height), shuffle=True, seed=0)["text"].to_list()
