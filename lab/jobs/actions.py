"""What can be asked for: the one list of actions that pages, the command line and workers share.

An action is a name, a frozen dataclass of parameters (checked strictly, so a page cannot start a
job that must fail on a misspelt key) and a function `(ws, params, progress) -> dict` in
`lab.jobs.steps` that calls the stage. This module is cheap to import; starting a job must not load
torch.
"""

from dataclasses import dataclass
from typing import Any

from lab.core.errors import ConfigError, nearest
from lab.core.progress import Progress
from lab.core.settings import from_mapping
from lab.core.workspace import Workspace

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """Build the sample world of `documents` documents."""

    documents: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Add:
    """Read a source."""

    name: str
    paths: list[str]
    kind: str = "organic"
    text_column: str = "text"
    id_column: str | None = None
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """Train a tokenizer on all sources, or take one from a path or hub id."""

    name: str
    vocab_size: int = 4096
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """Count tokens and compute signals of one source, or of all."""

    source: str | None = None
    signals: str = "all"
    tokenizer: str | None = None
    workers: int | None = None
    engine: str = "local"


@dataclass(frozen=True, slots=True)
class Dedup:
    """Find exact and near duplicates over all sources."""

    bands: int = 14
    rows: int = 8
    ngram: int = 5
    jaccard: float = 0.8


@dataclass(frozen=True, slots=True)
class Decontaminate:
    """Find documents that share n words with items of benchmarks (all of them by default)."""

    source: str | None = None
    benchmarks: list[str] | None = None
    ngram: int = 13


@dataclass(frozen=True, slots=True)
class Score:
    """Learn a quality score from labels and give it to every document."""

    name: str
    labels: str


@dataclass(frozen=True, slots=True)
class Embed:
    """Embed a sample of one source, or of all."""

    source: str | None = None
    encoder: str = "all-MiniLM-L6-v2"
    sample: int = 2000


@dataclass(frozen=True, slots=True)
class Map:
    """Project the embeddings onto a map and cluster them."""

    clusters: int | None = None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Register a benchmark."""

    name: str
    path: str
    split: str | None = None


@dataclass(frozen=True, slots=True)
class Train:
    """Train and score proxy runs of one or more recipes, one per seed."""

    recipes: list[str]
    size: str = "nano"
    tokens: int | None = None
    seeds: list[int] | None = None
    workers: int | None = None
    engine: str = "local"
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    """Continue and score unfinished runs as they were prepared."""

    runs: list[str]
    workers: int | None = None
    engine: str = "local"
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """Train a designed set of mixtures around a recipe."""

    recipe: str
    runs: int = 12
    size: str = "nano"
    tokens: int | None = None
    seed: int = 0
    workers: int | None = None
    engine: str = "local"
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Advise:
    """Fit the workspace's runs and propose a mixture under the supply and caps of a recipe."""

    recipe: str
    metric: str | None = None


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Score finished runs on what they have not been scored on yet."""

    runs: list[str]


@dataclass(frozen=True, slots=True)
class Export:
    """Write the files of a target."""

    recipe: str
    target: str
    output: str


def run_action(ws: Workspace, name: str, params: dict[str, Any], progress: Progress) -> Result:
    """Run an action by name; ConfigError for an unknown name or parameter."""
    from lab.jobs.steps import STEPS

    return STEPS[name](ws, check_params(name, params), progress)


PARAMS: dict[str, type] = {
    "sample": Sample,
    "add": Add,
    "tokenizer": Tokenizer,
    "measure": Measure,
    "dedup": Dedup,
    "decontaminate": Decontaminate,
    "score": Score,
    "embed": Embed,
    "map": Map,
    "benchmark": Benchmark,
    "train": Train,
    "resume": Resume,
    "sweep": Sweep,
    "advise": Advise,
    "evaluate": Evaluate,
    "export": Export,
}


def check_params(name: str, params: dict[str, Any]) -> Any:
    """The parameters as their dataclass; ConfigError for an unknown action or key."""
    if name not in PARAMS:
        raise ConfigError("Unknown action.", value=name, next_step=nearest(name, PARAMS))
    return from_mapping(PARAMS[name], params, name)
