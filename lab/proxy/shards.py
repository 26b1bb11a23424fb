"""Packed rows on disk, shared between runs, and the batches that training reads from them.

Row k of a source in a phase is tokens `k S` to `(k + 1) S`, one more than it predicts, of the
stream `EOT doc EOT doc EOT ...` (`lab.proxy.reading`): neighbouring rows share one token, the last
target of one is the first input of the next, and every token is predicted exactly once. A shard
holds the stream of consecutive rows, each token once:

    data/rows/PHASE-SOURCE/START-STOP.npy       rows START to STOP: (STOP - START) S + 1 tokens
    WORKSPACE/cache/packed/KEY/START-STOP.npy   the same file (a hard link)

KEY is a digest of all that the stream depends on: token artifact, documents, those of the source's
earlier phases and how far these read, seed, end-of-text token, S. Not the weights: the runs of a
sweep read one stream to different lengths, so a run links the shards that are there and packs only
the rows after them. Shards are never changed, only added, so writers need no lock: two that pack
the same rows at once make the same bytes, and each run trains on its own links whatever becomes of
the cache, which may be deleted at any time. On another file system links become copies.

`batches` is a `(value, state)` iterator: the state is the number of rows read, and the iterator
opened with it goes on with the very next row. Cost: 40 microseconds a batch of 4 x 257 tokens.
"""

import errno
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lab.core.errors import DataError
from lab.core.files import flush, read_json

Ids = npt.NDArray[Any]  # uint16 or uint32
Numbers = npt.NDArray[np.int64]
Make = Callable[[int, int], Iterator[Ids]]  # tokens start to stop of a stream, block by block

ROWS = "rows"  # folder of the shards in a run's data folder
HEADER = 128  # bytes of a .npy file before its content, at these shapes


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of token ids [B, S + 1] int64, and each row's source [B] and phase [B] by number."""

    rows: Numbers
    source: npt.NDArray[np.uint16]
    phase: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Stream:
    """The rows of one source in one phase: windows of each shard, and the row it begins with."""

    starts: Numbers
    windows: tuple[Ids, ...]

    def rows(self, numbers: Numbers) -> Ids:
        """Rows by number [n, S + 1]; `numbers` ascend."""
        shard = np.searchsorted(self.starts, numbers, side="right") - 1
        parts = [
            self.windows[k][numbers[shard == k] - self.starts[k]] for k in np.unique(shard).tolist()
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of a run in training order, mapped from disk; `place` counts within a stream."""

    width: int
    sources: npt.NDArray[np.uint16]
    phases: npt.NDArray[np.uint8]
    place: Numbers
    streams: dict[tuple[int, int], Stream]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.sources)

    def rows(self, start: int, stop: int) -> Numbers:
        """Rows `start` to `stop` [n, S + 1] as int64."""
        source, phase = self.sources[start:stop], self.phases[start:stop]
        out = np.empty((len(source), self.width + 1), np.int64)
        for k, number in sorted(set(zip(phase.tolist(), source.tolist(), strict=True))):
            here = np.flatnonzero((phase == k) & (source == number))
            out[here] = self.streams[k, number].rows(self.place[start + here])
        return out

    def source(self, start: int, stop: int) -> npt.NDArray[np.uint16]:
        """Source number of rows `start` to `stop`."""
        return self.sources[start:stop]

    def batch(self, start: int, stop: int) -> Batch:
        """Rows `start` to `stop` with their source and phase."""
        return Batch(self.rows(start, stop), self.sources[start:stop], self.phases[start:stop])


def batches(data: Path, batch: int, state: int = 0) -> Iterator[tuple[Batch, int]]:
    """Yield (batch, state after it) from a run's data folder, from `state` on, in training order.

    The last batch is smaller where the rows do not divide. DataError for a state beyond the data.
    """
    rows = open_rows(data)
    if not 0 <= state <= len(rows):
        raise DataError(
            "This place is not in the training data of the run.",
            where=str(data),
            value=f"row {state:,} of {len(rows):,}",
            next_step="delete the run's checkpoint and train it anew",
        )
    for start in range(state, len(rows), batch):
        stop = min(start + batch, len(rows))
        yield rows.batch(start, stop), stop


def open_rows(data: Path) -> Rows:
    """The rows packed into `data`; DataError if there are none, or not all of them."""
    if not (data / ROWS).is_dir():
        raise DataError(
            "This folder holds no packed rows.",
            where=str(data),
            next_step="runs prepared by an older version cannot be continued: train the recipe "
            "again, which prepares a new run",
        )
    source = np.load(data / "source.npy", allow_pickle=False)
    phase = np.load(data / "phase.npy", allow_pickle=False)
    width = int(read_json(data / "packing.json")["sequence_length"])
    place = np.zeros(len(source), np.int64)
    streams = {}
    for k, number in sorted(set(zip(phase.tolist(), source.tolist(), strict=True))):
        here = np.flatnonzero((phase == k) & (source == number))
        place[here] = np.arange(len(here))
        streams[k, number] = open_stream(stream_folder(data, k, number), width, len(here))
    return Rows(width, source, phase, place, streams)


def stream_folder(data: Path, phase: int, source: int) -> Path:
    """Where the shards of a source in a phase lie in a run's data."""
    return data / ROWS / f"{phase}-{source}"


def open_stream(folder: Path, width: int, count: int) -> Stream:
    """The shards in `folder`, which must hold `count` rows without a gap."""
    starts, windows, end = [], [], 0
    for path in sorted(folder.glob("*.npy")):
        start, stop = span(path)
        if start != end or not is_whole(path, width):
            break
        flat = np.load(path, mmap_mode="r", allow_pickle=False)
        windows.append(np.lib.stride_tricks.sliding_window_view(flat, width + 1)[::width])
        starts.append(start)
        end = stop
    if end < count:
        raise DataError(
            "Packed rows of this run are missing or cut off.",
            where=str(folder),
            value=f"{end:,} of {count:,} rows",
            next_step="delete the folder of the run and train the recipe again; the same run is "
            "prepared anew",
        )
    return Stream(np.array(starts, np.int64), tuple(windows))


def put_stream(
    folder: Path, cache: Path | None, count: int, width: int, dtype: np.dtype[Any], make: Make
) -> None:
    """Bring at least `count` rows into `folder`: links to shards in `cache`, the rest from `make`.

    What is packed here is offered to the cache; None means that there is no cache.
    """
    folder.mkdir(parents=True)
    end = 0
    while end < count:
        shared = next_shard(cache, end, width) if cache else None
        if shared and link(shared, folder / shared.name):
            end = span(shared)[1]
            continue
        path = folder / f"{end:012d}-{count:012d}.npy"
        write_shard(path, (count - end) * width + 1, dtype, make(end * width, count * width + 1))
        if cache:
            cache.mkdir(parents=True, exist_ok=True)
            link(path, cache / path.name)
        end = count


def next_shard(cache: Path, start: int, width: int) -> Path | None:
    """The longest whole shard that begins with row `start`; a damaged one is taken away."""
    for path in sorted(cache.glob(f"{start:012d}-*.npy"), reverse=True):
        if is_whole(path, width):
            return path
        path.unlink(missing_ok=True)
    return None


def span(path: Path) -> tuple[int, int]:
    """The rows that a shard holds, by its name: first, and one after the last."""
    start, stop = path.stem.split("-")
    return int(start), int(stop)


def is_whole(path: Path, width: int) -> bool:
    """Whether a shard has the length that its name promises, with ids of two bytes or of four."""
    start, stop = span(path)
    tokens = (stop - start) * width + 1
    try:
        content = path.stat().st_size - HEADER
    except FileNotFoundError:  # somebody clears the cache
        return False
    return content in (2 * tokens, 4 * tokens)


def write_shard(path: Path, tokens: int, dtype: np.dtype[Any], blocks: Iterator[Ids]) -> None:
    """Write a stream of `tokens` ids, given in blocks, to `path`."""
    described = {"descr": dtype.str, "fortran_order": False, "shape": (tokens,)}
    with path.open("wb") as handle:  # not mapped: a full disk would end the process by a signal
        np.lib.format.write_array_header_1_0(handle, described)
        for block in blocks:
            handle.write(block.astype(dtype, copy=False).tobytes())
    flush(path)  # before another name vouches for it


def link(path: Path, target: Path) -> bool:
    """Make `target` the same file as `path`, or a copy; False if `path` has gone meanwhile."""
    try:
        os.link(path, target)
    except FileExistsError:
        return True  # another writer offered the same rows
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            raise
        temp = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
        shutil.copyfile(path, temp)
        flush(temp)
        temp.replace(target)
    return True
