"""Which maps are stored, and on which topics each of them lies.

The topics of a map are the clusters of the partition it was made with. A map that was placed `onto`
another keeps that one's clusters and their words, so both have the same `topics_id`: the id of the
first.
"""

from lab.core.artifacts import Artifact, asked_when, load
from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace
from lab.diversity.embedding.encoder import DEFAULT

STEP, VERSION = "map", 3
SHORT = 8  # characters of an id that name it where people read


def stored_maps(ws: Workspace) -> list[Artifact]:
    """All finished maps, the one asked for last first."""
    found = [load(path) for path in (ws.artifacts / STEP).glob("[!.]*")]
    maps = [artifact for artifact in found if artifact is not None]
    return sorted(maps, key=asked_when, reverse=True)


def find_map(ws: Workspace, start: str) -> Artifact:
    """The newest map whose id begins with `start`, of all if `start` is empty.

    Raises ArtifactMissing if there is none.
    """
    for artifact in stored_maps(ws):
        if artifact.id.startswith(start):
            return artifact
    raise ArtifactMissing(
        "That map is not stored." if start else "There is no map yet.",
        where=str(ws.artifacts / STEP),
        value=start or None,
        next_step="`mixlab map` draws one and says its id; what was selected on it is selected "
        "again on another"
        if start
        else "`mixlab embed`, then `mixlab map`",
    )


def encoder_of(artifact: Artifact) -> str:
    """The encoder of a map's embeddings."""
    return str(artifact.manifest.get("encoder", DEFAULT))


def topics_id(artifact: Artifact) -> str:
    """The id of the map whose clusters this one has."""
    return str(artifact.manifest.get("topics_of", artifact.id))
