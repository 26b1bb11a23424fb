"""On which map sources are compared: their current embeddings, and the clusters they share.

Topics can be counted over several sources only if these lie on one partition. A map that was placed
onto another keeps its clusters (`topics_id`), so sources on different maps may still share one: the
newest map of each source on that partition is read. Of several partitions the one is taken that
holds all sources asked for, then the one that holds most of what is embedded (what coverage is
of should not shrink because a map of one source was drawn), then the newest. Cost: one look at the
manifests of embeddings and maps, some milliseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.core.artifacts import Artifact, asked_when, load
from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source, list_sources
from lab.diversity.embedding.encoder import DEFAULT, encoder_option
from lab.diversity.embedding.stored import STEP, require_embeddings
from lab.diversity.layout.stored import encoder_of, stored_maps, topics_id

Embedded = dict[str, Artifact]


@dataclass(frozen=True, slots=True, eq=False)
class Common:
    """Sources on one partition, whose id is `topics`: their embeddings and the map of each."""

    encoder: str
    topics: str
    embeddings: Embedded
    maps: dict[str, Artifact]

    @property
    def sources(self) -> list[str]:
        """By name."""
        return sorted(self.maps)


def encoder_in_use(ws: Workspace) -> str:
    """That of the newest map; without one that of the newest embeddings; without any the default.

    What nobody names an encoder for is about what the Map page shows.
    """
    if maps := stored_maps(ws):
        return encoder_of(maps[0])
    found = [load(path) for path in (ws.artifacts / STEP).glob("[!.]*")]
    current = {source.documents for source in list_sources(ws)}
    fresh = [a for a in found if a and set(a.manifest["inputs"]) <= current]
    newest = max(fresh, key=asked_when, default=None)
    return str(newest.manifest["config"]["encoder"]) if newest else DEFAULT


def embedded(ws: Workspace, encoder: str) -> Embedded:
    """Current embeddings of every source that has some."""
    found = {}
    for source in list_sources(ws):
        try:
            found[source.name] = require_embeddings(ws, source.name, encoder)
        except ArtifactMissing:
            continue
    return found


def find_common(ws: Workspace, sources: Sequence[str], encoder: str) -> Common | None:
    """The partition that holds most of `sources`, with all sources on it; None where none of them
    is embedded and on a map.
    """
    current = embedded(ws, encoder)
    by_topics: dict[str, dict[str, Artifact]] = {}  # the newest partition first
    for made in stored_maps(ws):
        held = set(made.manifest["inputs"])
        own = {name: made for name, a in current.items() if a.id in held}
        if own:
            known = by_topics.setdefault(topics_id(made), {})
            by_topics[topics_id(made)] = own | known
    best = max(
        by_topics, default=None,
        key=lambda topics: (len(set(sources) & set(by_topics[topics])), len(by_topics[topics])),
    )  # fmt: skip
    if best is None or not set(sources) & set(by_topics[best]):
        return None
    maps = by_topics[best]
    return Common(encoder, best, {name: current[name] for name in sorted(maps)}, maps)


def require_common(ws: Workspace, sources: Sequence[str], encoder: str) -> Common:
    """The partition that holds all of `sources`.

    Raises ArtifactMissing that names every source that is not embedded, or on no such map.
    """
    current = embedded(ws, encoder)
    other = encoder_option(encoder)
    if missing := [get_source(ws, name).name for name in sources if name not in current]:
        every = len(missing) > 1
        one = "" if every else f" --source {missing[0]}"
        raise ArtifactMissing(
            f"The documents of {', '.join(map(repr, missing))} have not been embedded.",
            where=f"{'sources' if every else 'source'} {', '.join(missing)}",
            value=encoder,
            next_step=f"`mixlab embed{one}{other}`, then `mixlab map{other}`: about a minute a "
            "source on two cores" + ("" if other else ", seconds with `--encoder static` for both"),
        )
    found = find_common(ws, sources, encoder)
    if found is None or (absent := sorted(set(sources) - set(found.maps))):
        about = "the present embeddings"
        if found is not None:
            about = f"all sources asked for, the largest lacks {', '.join(absent)}"
        raise ArtifactMissing(
            f"There is no map of {about}, so topics cannot be counted.",
            where=str(ws.artifacts / "map"),
            value=encoder,
            next_step=f"`mixlab map{other}`: seconds for 10,000 documents",
        )
    return found
