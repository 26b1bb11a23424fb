"""A chosen set handed on: its documents in the order chosen, and what made it, beside them.

A set without the settings that made it cannot be repeated or judged, so every file has a sidecar:
sources with licence, settings, and the ids of what it was chosen from; of a selection also tokens
by reason, breadth before and after and lost topics, of windows for prompts the queries and how many
documents were searched. Memory: the texts of the set.
"""

import io
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from lab import __version__
from lab.core.artifacts import Artifact
from lab.core.errors import ConfigError
from lab.core.files import write_bytes, write_json, write_text
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.corpus.tokens import require_tokens
from lab.diversity.embedding.nearest import stored
from lab.diversity.selecting.choose import KEPT
from lab.diversity.selecting.retrieval import Retrieved
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
    return write_set(chosen_documents(ws, artifact), about(ws, artifact), path)


def write_retrieved(ws: Workspace, found: Retrieved, path: Path) -> Path:
    """The same for windows: the columns of `retrieval.SCHEMA`, and `about_retrieved`."""
    check_form(path)
    return write_set(found.frame, about_retrieved(ws, found), path)


def write_set(frame: pl.DataFrame, told: dict[str, Any], path: Path) -> Path:
    """Both files; the second."""
    if path.suffix == ".jsonl":
        write_text(path, frame.write_ndjson())
    else:
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        write_bytes(path, buffer.getvalue())
    beside = path.with_name(f"{path.name}.about.json")
    write_json(beside, told)
    return beside


def about_retrieved(ws: Workspace, found: Retrieved) -> dict[str, Any]:
    """What made the windows, as plain data: settings, queries, and per source licence, how many of
    how many documents were searched, and the ids of what was read.
    """
    window, names = found.window, found.counts["source"].to_list()
    embeddings = stored(ws, names, window.encoder)
    used = set(found.frame["source"])
    sources = {}
    for name, searched, documents_ in found.counts.iter_rows():
        source = get_source(ws, name)
        inputs = {"documents": source.documents}
        if name in embeddings:
            inputs["embeddings"] = embeddings[name].id
        if name in used:
            inputs["tokens"] = require_tokens(ws, name, window.tokenizer).id
        sources[name] = {
            "licence": source.licence, "kind": source.kind, "searched": searched,
            "documents": documents_, "inputs": inputs,
        }  # fmt: skip
    return {
        "settings": asdict(window),
        "windows": found.windows.to_dicts(),
        "sources": sources,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "made_by": f"mixlab {__version__}",
    }
