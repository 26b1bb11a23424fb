"""Vectors that were computed elsewhere, stored as embeddings of a source.

A Parquet file holds ids in a column `id` and one column of lists of numbers; a .npy file [n, d]
holds one row a document, in the order of the ids in a second file (Parquet with `id`, or a text
file with one id a line), or without ids in the order of the source's documents. Nothing is guessed:
an unknown or repeated id, a missing row, a number that is not finite or a row of zeros is an error
that names the first. Documents without a vector are not in the sample, as with a sample taken here.

The name under which they are stored is the encoder's: `mixlab map --encoder NAME` draws them. Under
the default encoder's name they must have its dimension, because queries are encoded with it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact, asked_now, build
from lab.core.errors import ConfigError, DataError
from lab.core.files import file_sha256
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.diversity.embedding.embed import sample_words, write_parts
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.embedding.index import INDEXED, build_index
from lab.diversity.embedding.static import NAME as STATIC
from lab.diversity.embedding.stored import F16, STEP, VERSION, unit
from lab.diversity.embedding.summarise import summarise

DEFAULT_DIMENSIONS = 384


def import_vectors(
    ws: Workspace, source: str, path: Path, *, encoder: str, ids: Path | None = None
) -> Artifact:
    """Store the vectors in `path` as embeddings of `source` under the name `encoder`.

    Raises ConfigError for a file of another kind or a name that is taken, DataError for vectors or
    ids that do not fit the source's documents.
    """
    if encoder == STATIC:
        raise ConfigError(
            "This name is the static encoder's own.", where="embed.encoder", value=encoder,
            next_step="name the encoder that made the vectors: `--encoder my-encoder`",
        )  # fmt: skip
    check_file(path)
    found = documents(ws, source)
    digests = [file_sha256(file)[:20] for file in (path, ids) if file]

    def make(folder: Path) -> dict[str, Any]:
        known = document_rows(found)
        names, vectors = read_vectors(path, ids, known)
        check_numbers(names, vectors, encoder, path)
        chosen = match(names, known, path)
        narrow: F16 = unit(vectors).astype(np.float16)
        write_parts(folder, found, chosen, narrow)
        about = {
            "embedded": len(narrow),
            "documents": known.height,
            "dimensions": narrow.shape[1],
            "origin": f"file {path.name}",
            "sample": imported_words(len(narrow), known.height, path),
        }
        if len(narrow) >= INDEXED:
            about |= build_index(folder)
        return {**about, **summarise(folder), "source": source}

    settings = {"encoder": encoder, "imported": digests}
    return asked_now(build(ws, STEP, VERSION, settings, [found.id], make))


def check_file(path: Path) -> None:
    """ConfigError unless the file is there and of a kind that is read."""
    if path.suffix not in (".parquet", ".npy") or not path.is_file():
        raise ConfigError(
            "Vectors are imported from a .parquet or .npy file.",
            where="embed --import",
            value=str(path),
            next_step="give a Parquet file with `id` and a column of lists, or a .npy file [n, d]",
        )


def imported_words(embedded: int, total: int, path: Path) -> str:
    """The sample's name: whoever made the file chose it."""
    if embedded == total:
        return sample_words(embedded, total, 0)
    return f"{embedded:,} of {total:,} documents, those in {path.name}"


def document_rows(found: Artifact) -> pl.DataFrame:
    """Columns part, row, id of all documents, in order."""
    return pl.concat(
        pl.read_parquet(part, columns=["id"])
        .with_row_index("row")
        .with_columns(part=pl.lit(number, pl.UInt32))
        for number, part in enumerate(found.parts)
    )


def read_vectors(
    path: Path, ids: Path | None, known: pl.DataFrame
) -> tuple[pl.Series, NDArray[np.float32]]:
    """Ids and vectors [n, d] of a file."""
    if path.suffix == ".parquet":
        return read_parquet(path)
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise bad(path, "This is no array of numbers.", str(error)) from error
    names = known["id"] if ids is None else read_ids(ids)
    if vectors.ndim != 2 or not np.issubdtype(vectors.dtype, np.number):
        raise bad(path, "Vectors are rows of numbers [n, d].", f"{vectors.dtype} {vectors.shape}")
    if len(names) != len(vectors):
        whose = "ids" if ids else "documents of the source"
        raise bad(path, f"{len(vectors)} vectors for {len(names)} {whose}.", None)
    return names, np.asarray(vectors, np.float32)


def read_parquet(path: Path) -> tuple[pl.Series, NDArray[np.float32]]:
    """Ids, and the one column of lists or arrays of numbers."""
    frame = pl.read_parquet(path)
    columns = [n for n, t in frame.schema.items() if isinstance(t, pl.List | pl.Array)]
    if "id" not in frame.columns or len(columns) != 1:
        raise bad(path, "A column `id` and one column of lists were expected.", frame.columns)
    lists = frame[columns[0]].cast(pl.List(pl.Float32))
    lengths = lists.list.len().unique().to_list()
    if len(lengths) != 1 or lengths[0] in (0, None) or lists.explode().null_count():
        raise bad(path, "All vectors must have the same length, without gaps.", lengths[:5])
    flat = lists.explode().to_numpy()
    return frame["id"].cast(pl.String), flat.reshape(frame.height, int(lengths[0]))


def read_ids(path: Path) -> pl.Series:
    """Ids of a Parquet file's column `id`, or of a text file, one a line."""
    if path.suffix == ".parquet":
        return pl.read_parquet(path, columns=["id"])["id"].cast(pl.String)
    return pl.Series("id", path.read_text("utf-8").splitlines(), pl.String)


def check_numbers(names: pl.Series, vectors: NDArray[Any], encoder: str, path: Path) -> None:
    """DataError for another dimension than the default encoder's, NaN, infinity or zeros."""
    if encoder == DEFAULT and vectors.shape[1] != DEFAULT_DIMENSIONS:
        raise bad(
            path,
            f"{DEFAULT} makes vectors of {DEFAULT_DIMENSIONS} numbers; these have another length.",
            vectors.shape[1],
        )
    if not len(vectors):
        raise bad(path, "The file holds no vectors.", None)
    finite = np.isfinite(vectors).all(axis=1)
    wrong = np.flatnonzero(~finite | ~vectors.any(axis=1))
    if len(wrong):
        what = "numbers that are not finite" if not finite[wrong[0]] else "nothing but zeros"
        raise bad(
            path,
            f"{len(wrong)} of {len(vectors)} vectors cannot be used; the first holds {what}.",
            f"document {names[int(wrong[0])]}",
        )


def match(names: pl.Series, known: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Columns part, row, id of each vector, in the file's order; DataError for ids that are unknown
    or stand twice.
    """
    asked = pl.DataFrame({"id": names})
    if asked["id"].is_duplicated().any():
        twice = asked.filter(pl.col("id").is_duplicated())["id"][0]
        raise bad(path, "An id stands more than once.", twice)
    found = asked.join(known, on="id", how="left", maintain_order="left")
    if found["row"].null_count():
        missing = found.filter(pl.col("row").is_null())["id"]
        raise bad(path, f"{len(missing)} ids are not documents of the source.", missing[0])
    return found


def bad(path: Path, what: str, value: object) -> DataError:
    """The error of a file of vectors."""
    return DataError(
        what,
        where=str(path),
        value=value,
        next_step="correct the file; ids are those of the source's documents",
    )
