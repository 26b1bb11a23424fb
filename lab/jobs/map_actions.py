"""What can be asked for about places: embedding documents, drawing their map, reading a selection.

Part of the list in `lab.jobs.actions`, which is the one to import from.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Embed:
    """Embed a sample of one source, or of all; `vectors` is a file of them made elsewhere.

    Without `sample` 2,000 documents a source, 100,000 with the static encoder.
    """

    source: str | None = None
    encoder: str = "all-MiniLM-L6-v2"
    sample: int | None = None
    seed: int = 0
    vectors: str | None = None
    ids: str | None = None
    workers: int | None = None
    engine: str = "local"
    address: str | None = None
    shard: str | None = None


@dataclass(frozen=True, slots=True)
class Map:
    """Project the embeddings onto a map and cluster them; `onto` is a finished map's id."""

    source: list[str] | None = None
    encoder: str = "all-MiniLM-L6-v2"
    clusters: int | None = None
    method: str = "umap"
    seed: int = 0
    onto: str | None = None
    workers: int | None = None
    engine: str = "local"
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """Find what distinguishes a selection on the map from the rest of it; `selection` is its line,
    or its name.
    """

    selection: str
