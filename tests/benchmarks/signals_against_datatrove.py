"""Speed and agreement of our signals with datatrove's FineWeb chain, one core each, in one run.

    python3.11 -m venv peers
    peers/bin/pip install -r tests/benchmarks/requirements-peers.txt
    peers/bin/python tests/benchmarks/signals_against_datatrove.py --data DIR [--documents 5000]

DIR holds corpora as Parquet or JSONL (.zst) with a column `text`. Documents of 700 to 20,000
characters are drawn with a seed. Compared:

- speed: datatrove's filters as examples/fineweb.py chains them, spaCy's words, stopping at the
  first rule that fails, against *all* our signals, none skipped. CPU seconds; compiling apart;
- values: every signal against datatrove's own functions over the words of `str.split()`;
- verdicts: our preset `fineweb-code` against that chain as shipped: how many verdicts differ.
"""

# ruff: noqa: E402 (Polars reads its number of threads when it is imported)
import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

import make_signal_golden as golden
import polars as pl
import real_texts
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)

from lab.curation.filters.mask import fail_mask
from lab.curation.presets import load_preset
from lab.curation.signals import DEFINITIONS, compute


def chain(texts: list[str]) -> list[str]:
    """datatrove's FineWeb filters as shipped: the reason of the first that fails, or `kept`."""
    filters = (
        GopherRepetitionFilter(),
        GopherQualityFilter(),
        C4QualityFilter(filter_no_terminal_punct=False),
        FineWebQualityFilter(),
    )
    return [first_reason(filters, text) for text in texts]


def first_reason(filters: tuple, text: str) -> str:
    document = Document(text=text, id="0")
    for step in filters:
        result = step.filter(document)
        if result is not True:
            return result[1]
    return "kept"


def timed(function, *arguments):
    start = time.process_time()
    result = function(*arguments)
    return result, time.process_time() - start


def differing(texts: list[str], signals: pl.DataFrame) -> tuple[Counter, Counter]:
    """Values compared and values that differ, per signal, against datatrove over `str.split()`."""
    golden.use_plain_words()
    compared, different = Counter(), Counter()
    for text, ours in zip(texts, signals.iter_rows(named=True), strict=True):
        for name, value in golden.judge("", text)["values"].items():
            if value is not None:
                have = ours[name] > 0 if isinstance(value, bool) else ours[name]
                compared[name] += 1
                different[name] += have != value
    return compared, different


def show_decisions(theirs: list[str], signals: pl.DataFrame) -> None:
    preset = load_preset("fineweb-code")
    kept = fail_mask(signals, preset.rules).to_numpy() == 0
    shipped = [reason == "kept" for reason in theirs]
    flips = Counter(zip(shipped, kept.tolist(), strict=True))
    lost = Counter(reason for reason, ours in zip(theirs, kept, strict=True) if ours)
    del lost["kept"]
    print(
        f"\nverdicts of preset fineweb-code against the chain as shipped ({len(theirs)} documents)"
    )
    print(f"  both keep {flips[True, True]}, both drop {flips[False, False]}")
    print(
        f"  only datatrove keeps {flips[True, False]}, only the preset keeps {flips[False, True]}"
    )
    print("  datatrove's reasons where only the preset keeps:", dict(lost.most_common(6)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=5000)
    arguments = parser.parse_args()
    texts = real_texts.read(arguments.data, arguments.documents)
    size = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{len(texts)} documents, {size:.1f} MB, mean {size * 1e3 / len(texts):.2f} kB")

    chain(texts[:1])  # loads spaCy
    frame = pl.DataFrame({"text": texts})
    _, first = timed(compute, frame[:1])
    signals, ours = timed(compute, frame)
    theirs_reasons, theirs = timed(chain, texts)
    again, ours_again = timed(compute, frame)
    assert again.equals(signals)

    count = len(texts)
    for name, seconds in (
        ("datatrove's FineWeb chain, first failing rule only", theirs),
        (f"our {len(DEFINITIONS)} signals, all computed", min(ours, ours_again)),
    ):
        rates = f"{count / seconds:9.0f} docs/s/core {size / seconds:7.2f} MB/s/core"
        print(f"  {name:52s} {rates}")
    print(f"  ratio {theirs / min(ours, ours_again):.1f}  (at least 30 wanted)")
    print(f"  first call of a process, compiling or loading the compiled code: {first:.1f} s CPU")

    compared, different = differing(texts, signals)
    print(f"\nvalues against datatrove over str.split(): {compared.total()} compared")
    for name in compared:
        if different[name]:
            print(f"  {name}: {different[name]} of {compared[name]} differ")
    print(f"  {different.total()} differ (0 wanted)")
    show_decisions(theirs_reasons, signals)
    if different.total():
        raise SystemExit(1)


if __name__ == "__main__":
    main()
