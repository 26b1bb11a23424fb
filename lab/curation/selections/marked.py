"""What distinguishes a selection on the map from the rest of it, found once and kept as files.

    words.parquet     word, log_odds, low, high, z, selected, rest
    signals.parquet   signal, superiority, low, high, selected, rest, n

Read are at most `SAMPLE` documents of the selection and as many of the others on the map, drawn
uniformly by a fixed seed, so the cost grows with the sources, which are read through, and not with
the selection: 2 s at 100,000 documents of 2 kB.

Words and signals are compared as in `lab.diversity.breadth.marks`; tags are left out, since they
are what people did with a selection.

What is read is recorded: where a map, a document or a signal has changed since, the old answer is
not shown any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact, build, load, write_part
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.curation.attributes import Column, attribute_names, locate
from lab.curation.selections.points import (
    F64,
    Points,
    chosen,
    column_values,
    document_rows,
    is_number,
    numbers,
    read_points,
)
from lab.curation.selections.polygon import Mask
from lab.curation.selections.predicate import Predicate, parse_predicate, write_predicate
from lab.diversity.breadth.marks import CHARACTERS, both_sides, marking_words, shifted_signals
from lab.diversity.layout.stored import SHORT, find_map

STEP, VERSION = "marks", 1
GIVEN = ("tags.", "topic.")  # what people or the map itself gave is no mark of a selection
SAMPLE = 1000  # documents of each side: a word in 5 % of them is known within 1.4 points
WORDS, SIGNALS = "words.parquet", "signals.parquet"

Rows = NDArray[np.int64]


def stored_marks(ws: Workspace, predicate: Predicate) -> Artifact | None:
    """The newest answer that is still right: same line, and all that was read is what is stored
    now. Costs nothing where there is none, 0.1 s with 12 sources else.
    """
    line = write_predicate(bound(ws, predicate)[1])
    loaded = [load(path) for path in (ws.artifacts / STEP).glob("[!.]*")]
    made = [a for a in loaded if a and a.manifest["version"] == VERSION]
    found = [a for a in made if a.manifest["config"]["line"] == line]
    found.sort(key=lambda a: (str(a.manifest["created"]), a.id), reverse=True)
    return next((artifact for artifact in found if is_current(ws, artifact)), None)


def is_current(ws: Workspace, artifact: Artifact) -> bool:
    """True if documents and columns are those that the answer was made of, and no more of them."""
    inputs, config = artifact.manifest["inputs"], artifact.manifest["config"]
    try:
        asked = parse_predicate(config["line"])
        names = column_names(ws, find_map(ws, inputs[0]), asked)
        columns = located(ws, names)
        return bool(names == config["columns"] and inputs_of(ws, inputs[0], columns) == inputs)
    except (ArtifactMissing, ConfigError):  # a source or a column is gone
        return False


def bound(ws: Workspace, predicate: Predicate) -> tuple[Artifact, Predicate]:
    """The map that `predicate` names, else the newest, and the predicate bound to it.

    Raises ArtifactMissing without that map.
    """
    found = find_map(ws, predicate.map)
    return found, replace(predicate, map=found.id[:SHORT])


def column_names(ws: Workspace, of: Artifact, asked: Predicate) -> dict[str, list[str]]:
    """Columns to compare or to choose by, by source of a map."""
    sources = of.scan().select(pl.col("source").unique().sort()).collect()["source"]
    ranged = {name for name, _, _ in asked.ranges}
    return {
        source: [n for n in attribute_names(ws, source) if not n.startswith(GIVEN) or n in ranged]
        for source in sources
    }


def located(ws: Workspace, names: Mapping[str, Sequence[str]]) -> dict[str, list[Column]]:
    """Where these columns are stored. Raises ArtifactMissing for one that is not."""
    return {source: locate(ws, source, columns) for source, columns in names.items()}


def inputs_of(ws: Workspace, map_id: str, columns: Mapping[str, Sequence[Column]]) -> list[str]:
    """Ids of everything that is read."""
    stored = {c.artifact.id for own in columns.values() for c in own}
    return [map_id, *(documents(ws, source).id for source in columns), *sorted(stored)]


def mark_selection(ws: Workspace, predicate: Predicate, progress: Progress = SILENT) -> Artifact:
    """Words and signals that tell a selection from the rest of its map; see above for the files.

    Raises ArtifactMissing without the map, ConfigError for what the map does not have, DataError if
    nothing is selected, or everything.
    """
    of, asked = bound(ws, predicate)
    names = column_names(ws, of, asked)
    columns = located(ws, names)
    settings = {"line": write_predicate(asked), "sample": SAMPLE, "columns": names}

    def make(folder: Path) -> dict[str, Any]:
        points = read_points(of)
        rows = document_rows(ws, points)
        selected = both_sides(
            chosen(points, asked, lambda c: column_values(ws, points, rows, c)[0])
        )
        picked = sample_sides(selected)
        progress(1, 3, "reading texts")
        texts = texts_at(ws, points, picked)
        progress(2, 3, "comparing")
        write_part(marking_words(texts, selected[picked]), folder / WORDS)
        values = values_at(points, rows, picked, columns)
        write_part(shifted_signals(values, selected[picked]), folder / SIGNALS)
        progress(3, 3, "marks")
        read = int(selected[picked].sum())
        return {
            "documents": len(selected), "selected": int(selected.sum()),
            "read": {"selected": read, "rest": len(picked) - read},
        }  # fmt: skip

    return build(ws, STEP, VERSION, settings, inputs_of(ws, of.id, columns), make)


def sample_sides(selected: Mask, most: int = SAMPLE, seed: int = 0) -> Rows:
    """At most `most` rows of either side, uniformly, in order."""
    rng = np.random.default_rng(seed)
    sides = [np.flatnonzero(side) for side in (selected, ~selected)]
    picked = [rng.choice(side, min(most, len(side)), replace=False) for side in sides]
    return np.sort(np.concatenate(picked))


def texts_at(ws: Workspace, points: Points, picked: Rows) -> list[str]:
    """The beginnings of the texts of some points, "" for a document that is gone."""
    ids = points.ids.gather(picked)
    beginning = pl.col("text").str.slice(0, CHARACTERS)
    scans = [
        documents(ws, points.sources[place]).scan().select("id", beginning)
        for place in np.unique(points.source[picked])
    ]
    found = pl.concat([s.filter(pl.col("id").is_in(ids.implode())) for s in scans]).collect()
    joined = ids.to_frame("id").join(found, on="id", how="left", maintain_order="left")
    return joined["text"].fill_null("").to_list()


def values_at(
    points: Points, rows: Rows, picked: Rows, columns: Mapping[str, Sequence[Column]]
) -> dict[str, F64]:
    """Columns of numbers at some points, NaN where there is none; `rows` of all points are among
    the documents of their source. An artifact is read once for all its columns.
    """
    found: dict[str, F64] = {}
    for place, source in enumerate(points.sources):
        own = np.flatnonzero((points.source[picked] == place) & (rows[picked] >= 0))
        for artifact in {c.artifact.path: c.artifact for c in columns[source]}.values():
            schema = artifact.scan().collect_schema()
            held = [
                c for c in columns[source]
                if c.artifact.path == artifact.path and is_number(schema[c.stored])
            ]  # fmt: skip
            if not held:
                continue
            frame = artifact.scan().select([c.stored for c in held]).collect()[rows[picked[own]]]
            for column in held:
                values = found.setdefault(column.name, np.full(len(picked), np.nan))
                values[own] = numbers(frame[column.stored])
    return found


def read_marks(artifact: Artifact) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Words and signals as they were stored."""
    return pl.read_parquet(artifact.path / WORDS), pl.read_parquet(artifact.path / SIGNALS)
