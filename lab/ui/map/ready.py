"""What there is to show: maps, how far to trust them, and what to run where one is missing."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from lab.core.artifacts import Artifact
from lab.core.workspace import Workspace
from lab.corpus.sources import Source, list_sources
from lab.diversity.embedding.embed import SAMPLE, STATIC_SAMPLE
from lab.diversity.embedding.encoder import DEFAULT, encoder_option
from lab.diversity.embedding.static import NAME as STATIC
from lab.diversity.layout.stored import SHORT, encoder_of, stored_maps, topics_id
from lab.jobs.breadth.common import Embedded, embedded, encoder_in_use
from lab.ui.components import empty
from lab.ui.formats import count, duration, number, plural
from lab.ui.job_panel import start
from lab.ui.tables import manifests
from lab.ui.text import label, show_plain


@dataclass(frozen=True, slots=True)
class Speeds:
    """Documents a second that are embedded, and by the static encoder after `distilled` seconds
    once in a workspace; seconds before a layout begins, points a second.
    """

    embedded: float
    static: float
    distilled: float
    compiling: float
    laid_out: float


# One core, documents of 600 characters (22 of 894 in tests/benchmarks/embedding_against_peers.py,
# where the static encoder is 130 times as fast and distilled in 45 s); the layout on two cores:
# tests/benchmarks/layout_against_umap.py.
MEASURED = Speeds(embedded=36, static=4700, distilled=45, compiling=8, laid_out=2000)


def newest_map(ws: Workspace) -> tuple[Artifact | None, bool]:
    """The newest map and whether it is stale: some source's current embeddings under its encoder
    are neither on it nor on another map with its clusters.
    """
    maps = stored_maps(ws)
    if not maps:
        return None, False
    return maps[0], bool(unplaced(maps, embedded(ws, encoder_of(maps[0]))))


def unplaced(maps: list[Artifact], current: Embedded) -> list[str]:
    """Sources whose current embeddings are on no map with the clusters of the first."""
    same = [made for made in maps if topics_id(made) == topics_id(maps[0])]
    placed = {name for made in same for name in made.manifest["inputs"]}
    return [source for source, artifact in current.items() if artifact.id not in placed]


def offer_steps(ws: Workspace, artifact: Artifact | None, stale: bool) -> None:
    """What is missing, what would make it, and how long that takes; nothing if all is there."""
    encoder = encoder_of(artifact) if artifact else encoder_in_use(ws)
    sources, ready = list_sources(ws), embedded(ws, encoder)
    missing = [source for source in sources if source.name not in ready]
    if artifact is None and not ready:
        offer_first(ws, sources)
    elif missing:
        offer_embedding(ws, missing, encoder)
    elif artifact is None or stale:
        points = sum(int(made.manifest["embedded"]) for made in ready.values())
        words = "The documents are embedded, the map is not drawn yet."
        if artifact:
            names = unplaced(stored_maps(ws), ready)
            words = f"The present embeddings of {', '.join(names)} are not on this map."
        with empty(words):
            st.caption(f"About {duration(drawing(points))}. In a shell:")
            show_plain(f"mixlab map{encoder_option(encoder)}")
            if st.button("Draw the map", key="draw_map", type="primary"):
                start(ws, "map", {"encoder": encoder})


def offer_first(ws: Workspace, sources: list[Source]) -> None:
    """Both ways to a first map, and how long each takes."""
    counts = [int(source.counts["documents"]) for source in sources]
    few, many = (sum(min(most, n) for n in counts) for most in (SAMPLE, STATIC_SAMPLE))
    once = 0.0 if manifests(ws, "static_encoder") else MEASURED.distilled
    fast = once + many / MEASURED.static + drawing(many)
    full = few / MEASURED.embedded + drawing(few)
    with empty(f"{plural(len(sources), 'source')} not embedded yet."):
        st.caption(
            f"The static encoder knows words and not their order: {count(many)} documents and "
            f"their map in about {duration(fast)}"
            + (f", {duration(once)} of it once, to distil the encoder. " if once else ". ")
            + f"The full one, {label(DEFAULT)}, reads sentences: a sample of at most "
            f"{count(SAMPLE)} of each source, {count(few)} in all, in about {duration(full)} on "
            "one core; `mixlab embed --sample 100000` takes more. Each is embedded first, then "
            "drawn."
        )
        with st.container(horizontal=True, gap="xsmall"):
            words = f"First map in {duration(fast)} (static encoder)"
            faster = fast <= full
            if st.button(
                label(words), key="embed_static", type="primary" if faster else "secondary"
            ):
                start(ws, "embed", {"encoder": STATIC})
            words = f"Full encoder, {duration(full)}"
            if st.button(label(words), key="embed", type="secondary" if faster else "primary"):
                start(ws, "embed", {})


def offer_embedding(ws: Workspace, missing: list[Source], encoder: str) -> None:
    """The sources that the encoder of the map has not read; a button where it can."""
    names = ", ".join(source.name for source in missing)
    with empty(f"{plural(len(missing), 'source')} not embedded yet with {encoder}: {names}."):
        if encoder not in (DEFAULT, STATIC):
            st.caption("The map shows embedded documents only. `mixlab embed --help` says how.")
            return
        most, speed = (
            (STATIC_SAMPLE, MEASURED.static) if encoder == STATIC else (SAMPLE, MEASURED.embedded)
        )
        size = sum(min(most, int(source.counts["documents"])) for source in missing)
        st.caption(
            f"At most {count(most)} documents of each, {count(size)} in all: about "
            f"{duration(size / speed)} on one core. The map shows embedded documents only; "
            "`mixlab embed --sample N` takes more or fewer of them."
        )
        if st.button("Embed the sources", key="embed", type="primary"):
            start(ws, "embed", {"encoder": encoder})


def drawing(points: int) -> float:
    """Seconds that a map of so many points takes."""
    return MEASURED.compiling + points / MEASURED.laid_out


def show_base(ws: Workspace, artifact: Artifact) -> str:
    """Say which map this one was placed onto; the beginning of its id, "" if it is not there."""
    base = str(artifact.manifest.get("onto", ""))
    if not base or base not in {made.id for made in stored_maps(ws)}:
        return ""
    st.caption(f"Placed onto map {label(base[:SHORT])}, whose places and clusters it has.")
    return base[:SHORT]


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
        f"between groups, areas and densities mean nothing. Embedded with "
        f"{label(encoder_of(artifact))}. {label(trust_words(artifact))}"
    )
