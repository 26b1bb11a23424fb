"""Ids that are unique in the workspace: `<source>/<value of the id column, or a running number>`.

Repeats cannot be seen while streaming without holding every id, so parts are written first and
checked afterwards by 64-bit hash, at most 16 million ids at a time (0.3 GB), each repeat confirmed
on the ids themselves. The k-th document with an id becomes `id~k`; if that id exists as well, the
check finds it in the next round. Cost: 0.2 us a document where ids are unique.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from lab.core.artifacts import write_part
from lab.corpus.readers.rows import excerpt

Hashes = npt.NDArray[np.uint64]

LONGEST = 200  # characters of an id that are kept as they are; ids stand in addresses and tables
BUCKET = 1 << 24  # ids compared at once


def document_id(source: str, value: object, number: int) -> str:
    """The id of a document whose id column holds `value`; `number` stands in for none."""
    if value is None or value == "" or isinstance(value, (dict, list, bytes)):
        return f"{source}/{number}"
    text = str(value)
    if len(text) > LONGEST:
        name = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
        text = f"{text[: LONGEST - 17]}-{name}"
    return f"{source}/{text if text.isascii() else excerpt(text)}"


def rename_repeats(parts: Sequence[Path], bucket: int = BUCKET) -> int:
    """Make the ids of `parts` unique in place; the number of renamings."""
    total = 0
    while renamed := rename_round(parts, bucket):
        total += renamed
    return total


def rename_round(parts: Sequence[Path], bucket: int) -> int:
    """Give every second and later document with the same id a suffix; how many there were."""
    documents = pl.scan_parquet(list(parts)).select(pl.len()).collect().item()
    buckets = -(-documents // bucket)
    renamed = 0
    for index in range(buckets):
        mine = [hashes[hashes % buckets == index] for hashes in map(id_hashes, parts)]
        values, counts = np.unique(np.concatenate(mine), return_counts=True)
        if len(repeated := values[counts > 1]):
            seen: Counter[str] = Counter()
            renamed += sum(rename_in(part, repeated, seen) for part in parts)
    return renamed


def id_hashes(part: Path) -> Hashes:
    """64-bit hashes of a part's ids, equal for equal ids within this process."""
    return pl.read_parquet(part, columns=["id"])["id"].hash().to_numpy()


def rename_in(part: Path, repeated: Hashes, seen: Counter[str]) -> int:
    """Rename the repeats of one part; `seen` counts the ids of the parts before it."""
    rows = np.flatnonzero(np.isin(id_hashes(part), repeated))
    if not len(rows):
        return 0
    frame = pl.read_parquet(part)
    ids = frame["id"].to_list()
    renamed = 0
    for row in rows:  # only documents whose id is repeated: 1 us each
        name = ids[row]
        seen[name] += 1
        if seen[name] > 1:
            ids[row] = f"{name}~{seen[name]}"
            renamed += 1
    if renamed:
        write_part(frame.with_columns(pl.Series("id", ids, pl.String)), part)
    return renamed
