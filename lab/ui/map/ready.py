"""What there is to show: maps, how far to trust them, and what to run where one is missing."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.diversity.embedding.embed import SAMPLE
from lab.diversity.embedding.stored import require_embeddings
from lab.ui.components import empty
from lab.ui.formats import count, duration, number, plural
from lab.ui.job_panel import start
from lab.ui.tables import manifests
from lab.ui.text import label


@dataclass(frozen=True, slots=True)
class Speeds:
    """Documents a second that are embedded, seconds before a layout begins, points a second."""

    embedded: float
    compiling: float
    laid_out: float


# One core, documents of 600 characters (22 of 894 in tests/benchmarks/embedding_against_peers.py);
# the layout on two cores: tests/benchmarks/layout_against_umap.py.
MEASURED = Speeds(embedded=36, compiling=8, laid_out=2000)


def embedded(ws: Workspace) -> dict[str, str]:
    """Sources with current embeddings, and the id of these."""
    found = {}
    for source in list_sources(ws):
        try:
            found[source.name] = require_embeddings(ws, source.name).id
        except ArtifactMissing:
            continue
    return found


def stored_maps(ws: Workspace) -> list[Artifact]:
    """All finished maps, the newest first."""
    return sorted(manifests(ws, "map"), key=lambda a: a.manifest["created"], reverse=True)


def newest_map(ws: Workspace) -> tuple[Artifact | None, bool]:
    """The newest map and whether it is stale: drawn from embeddings that are no longer current."""
    maps = stored_maps(ws)
    if not maps:
        return None, False
    current = set(embedded(ws).values())
    return maps[0], not set(maps[0].manifest["inputs"]) <= current


def offer_steps(ws: Workspace, artifact: Artifact | None, stale: bool) -> None:
    """What is missing, what would make it, and how long that takes; nothing if all is there."""
    sources, ready = list_sources(ws), embedded(ws)
    missing = [source for source in sources if source.name not in ready]
    if missing:
        size = sum(min(SAMPLE, source.counts["documents"]) for source in missing)
        with empty(f"{plural(len(missing), 'source')} not embedded yet."):
            st.caption(
                f"A sample of at most {count(SAMPLE)} documents of each, {count(size)} in all: "
                f"about {duration(size / MEASURED.embedded)} on one core. The map shows embedded "
                "documents only; `mixlab embed --sample 100000` takes more of them."
            )
            if st.button("Embed the sources", key="embed", type="primary"):
                start(ws, "embed", {})
    elif artifact is None or stale:
        points = sum(min(SAMPLE, source.counts["documents"]) for source in sources)
        with empty("The documents are embedded, the map is not drawn yet or is out of date."):
            seconds = MEASURED.compiling + points / MEASURED.laid_out
            st.caption(f"About {duration(seconds)}; `mixlab map` does the same.")
            if st.button("Draw the map", key="draw_map", type="primary"):
                start(ws, "map", {})


def trust_words(artifact: Artifact) -> str:
    """How far the map can be trusted."""
    said = f"Laid out by {artifact.manifest.get('method', 'an unknown method')}"
    trust: Any = artifact.manifest.get("trustworthiness")
    if isinstance(trust, dict):
        said += (
            f"; trustworthiness {number(trust['value'], 3)} at {trust['neighbours']} neighbours "
            f"(1: every neighbour on the map is one in the embedding; n = {trust['n']:,})"
        )
    recall: Any = artifact.manifest.get("recall")
    if isinstance(recall, dict) and "value" in recall:
        said += f"; {number(100 * recall['value'], 3)} % of true neighbours are neighbours here"
    return said + "."


def show_caption(artifact: Artifact, points: int, whole: int) -> None:
    """What is drawn, of how much, and what the picture does not say."""
    st.caption(
        f"{count(points)} embedded documents of {count(whole)}, all of them drawn"
        f"{'' if points >= whole else '; each source is a sample'}. Near means alike; distances "
        f"between groups, areas and densities mean nothing. {label(trust_words(artifact))}"
    )
