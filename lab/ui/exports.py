"""Exports of the workspace: write one, read its files, take it away as one archive."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from lab.core.errors import ConfigError
from lab.core.files import confined, read_json
from lab.core.workspace import Workspace
from lab.export import TARGETS
from lab.jobs.store import list_jobs
from lab.mixture.recipe import Recipe
from lab.ui.components import table
from lab.ui.formats import epochs_words
from lab.ui.job_panel import start
from lab.ui.tables import ledger_of
from lab.ui.text import label, show_plain

ARCHIVE_LIMIT = 200_000_000  # bytes; larger exports are taken from the folder
PREVIEW = 12_000  # characters of a file shown
READABLE = {".yaml", ".yml", ".json", ".md", ".sql", ".py", ".sh", ".txt", ".jsonl", ".csv"}


@dataclass(frozen=True, slots=True)
class Written:
    """An export in the workspace, with its manifest and the notes of the job that wrote it."""

    name: str
    folder: Path
    manifest: dict[str, Any]
    notes: tuple[str, ...]


def written_exports(ws: Workspace) -> list[Written]:
    """Finished exports, newest first."""
    notes = {
        Path(job.params["output"]).name: tuple((job.result or {}).get("notes", ()))
        for job in reversed(list_jobs(ws))
        if job.action == "export" and job.result
    }
    found = [
        Written(path.parent.name, path.parent, read_json(path), notes.get(path.parent.name, ()))
        for path in ws.folder("exports").glob("[!.]*/manifest.json")
    ]
    return sorted(found, key=lambda export: export.manifest["created"], reverse=True)


def target_picker() -> str:
    """Choose a target, with what it writes."""
    return str(
        st.radio(
            "Target",
            list(TARGETS),
            key="target",
            bind="query-params",
            format_func=lambda name: TARGETS[name].label,
            captions=[label(target.summary) for target in TARGETS.values()],
        )
    )


def write_form(ws: Workspace, recipe: Recipe, target: str) -> None:
    """Name the folder and start the job."""
    taken = {path.name for path in ws.folder("exports").glob("*")}
    stem = f"{recipe.name}-{target}"
    free = next(
        name for k in range(1, 1000) if (name := stem if k == 1 else f"{stem}-{k}") not in taken
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = f"export_name_{free}"
        name = st.text_input("Folder below the workspace's exports", value=free, key=key, width=420)
        pressed = st.button("Write the files", key="write", type="primary", icon=":material/save:")
    if pressed:
        output = checked_output(ws, name.strip())
        start(ws, "export", {"recipe": recipe.name, "target": target, "output": str(output)})


def checked_output(ws: Workspace, name: str) -> Path:
    """The folder `exports/name`; ConfigError if the name leads elsewhere."""
    if not name:
        raise ConfigError("The folder needs a name.", where="exports", value=name)
    return confined(ws.folder("exports"), name)


def implied_epochs(ws: Workspace, recipe: Recipe) -> None:
    """What the trainer will do with this mixture."""
    found = ledger_of(ws, recipe)
    cap = recipe.mixture.repeat_cap
    table(
        found.sources.select(
            "source", "weight", "trained_tokens", "unique_tokens", "epochs"
        ).with_columns(
            repetition=pl.Series(
                [epochs_words(e, cap) for e in found.sources["epochs"]], dtype=pl.String
            )
        ),
        key="implied",
        alt="Per source: weight, tokens, unique tokens and how often it repeats",
        column_config={
            "weight": st.column_config.NumberColumn(format="percent"),
            "trained_tokens": st.column_config.NumberColumn(
                "tokens trained", format="localized", step=1
            ),
            "unique_tokens": st.column_config.NumberColumn(
                "unique tokens", format="localized", step=1
            ),
            "epochs": st.column_config.NumberColumn(format="%.2f"),
        },
    )
    if found.problems:
        st.warning("The export will refuse this mixture.", icon=":material/block:")
        show_plain("\n".join(found.problems))


def show_export(export: Written) -> None:
    """Files with sizes, one of them to read, and the archive."""
    files = export.manifest.get("files", {})
    total = sum(entry["bytes"] for entry in files.values())
    for note in export.notes:
        st.caption(label(note))
    table(
        pl.DataFrame({"file": list(files), "bytes": [entry["bytes"] for entry in files.values()]}),
        key="export_files",
        alt="Files of this export with their sizes",
        column_config={"bytes": st.column_config.NumberColumn(format="bytes")},
        width="content",
    )
    readable = [name for name in [*files, "manifest.json"] if Path(name).suffix in READABLE]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Read a file", readable, key="file", bind="query-params", width=420)
        if total <= ARCHIVE_LIMIT:
            st.download_button(
                "Download as zip", lambda: archive(export.folder), f"{export.name}.zip",
                mime="application/zip", key="download", icon=":material/download:",
            )  # fmt: skip
        else:
            st.caption("Too large for a download; take it from the folder below.")
    if chosen:
        show_plain(read_start(confined(export.folder, chosen)))
    show_plain(export.folder)


def read_start(path: Path) -> str:
    """The first PREVIEW characters of a text file."""
    with path.open(encoding="utf-8", errors="replace") as handle:
        text = handle.read(PREVIEW + 1)
    return text if len(text) <= PREVIEW else text[:PREVIEW] + "\n[... the rest is in the file]"


def archive(folder: Path) -> bytes:
    """The folder as a zip; text shrinks, shards are compressed already."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            target.write(path, f"{folder.name}/{path.relative_to(folder)}")
    return buffer.getvalue()
