"""A chosen set handed on: its documents in the order chosen, and what made it, beside them.

A set without the settings that made it cannot be repeated or judged, so every file has a sidecar:
source with licence, settings, tokens by reason, breadth before and after, lost topics, and the ids
of what it was chosen from. Memory: the texts of the set.
"""

import io
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.artifacts import Artifact
from lab.core.errors import ConfigError
from lab.core.files import write_bytes, write_json, write_text
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.diversity.selecting.choose import KEPT
from lab.diversity.selecting.stored import command_of

FORMS = (".jsonl", ".parquet")
ABOUT = (
    *("source", "column", "method", "quality", "budget", "candidate_tokens", "reasons", "before"),
    *("after", "topics", "quality_mean", "config", "inputs", "read", "pool", "created", "made_by"),
)


def chosen_documents(ws: Workspace, artifact: Artifact, texts: bool = True) -> pl.DataFrame:
    """Columns order, id, source, tokens, quality (if one was named) and, with `texts`, text and
    meta of the chosen documents, in the order chosen.
    """
    manifest = artifact.manifest
    columns = ["id", "source", *(["text", "meta"] if texts else [])]
    frames = []
    found = documents(ws, str(manifest["source"]))
    for part, own in zip(found.parts, artifact.parts, strict=True):
        verdicts = pl.read_parquet(own)
        kept = verdicts.select(pl.col(str(manifest["column"])) == KEPT).to_series()
        both = pl.concat([verdicts, pl.read_parquet(part, columns=columns)], how="horizontal")
        frames.append(both.filter(kept).drop(str(manifest["column"])))
    joined = pl.concat(frames).sort("order")
    first = [c for c in ("order", "id", "source", "tokens", "quality") if c in joined.columns]
    return joined.select(*first, *columns[2:])


def about(ws: Workspace, artifact: Artifact) -> dict[str, Any]:
    """What made the set, as plain data."""
    source = get_source(ws, str(artifact.manifest["source"]))
    known = {key: artifact.manifest[key] for key in ABOUT if key in artifact.manifest}
    return {
        "selection": artifact.id,
        "licence": source.licence,
        "kind": source.kind,
        "command": command_of(artifact),
        **known,
    }


def check_form(path: Path) -> None:
    """ConfigError for a file that cannot be written as its name says."""
    if path.suffix not in FORMS:
        raise ConfigError(
            "A chosen set is written as JSON lines or Parquet.",
            where="--output",
            value=path.name,
            next_step="end the name in .jsonl or .parquet",
        )


def write_chosen(ws: Workspace, artifact: Artifact, path: Path) -> Path:
    """Write the documents to `path` (.jsonl or .parquet) and `about` to the file that is returned,
    PATH.about.json. ConfigError for another ending.
    """
    check_form(path)
    frame = chosen_documents(ws, artifact)
    if path.suffix == ".jsonl":
        write_text(path, frame.write_ndjson())
    else:
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        write_bytes(path, buffer.getvalue())
    beside = path.with_name(f"{path.name}.about.json")
    write_json(beside, about(ws, artifact))
    return beside
