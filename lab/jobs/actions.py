"""What can be asked for: the one list of actions that pages, the command line and workers share.

An action is a name, a frozen dataclass of parameters (checked strictly, so a page cannot start a
job that must fail on a misspelt key) and a function `(ws, params, progress) -> dict` in
`lab.jobs.steps` that calls the stage. This module is cheap to import; starting a job must not load
torch.
"""

from dataclasses import dataclass
from typing import Any

from lab.core.engine import Engine, running_on
from lab.core.errors import ConfigError, nearest
from lab.core.progress import Progress
from lab.core.settings import from_mapping
from lab.core.workspace import Workspace
from lab.jobs.map_actions import Embed, Map, Marks
from lab.jobs.run_actions import (
    Advise,
    Evaluate,
    FirstAnswer,
    Loop,
    Phases,
    Posttrain,
    Resume,
    Reuse,
    Sweep,
    Thresholds,
    Track,
    Train,
    Validate,
)

Result = dict[str, Any]

__all__ = [
    "PARAMS",
    "Add",
    "Advise",
    "Benchmark",
    "Decontaminate",
    "Dedup",
    "Diversity",
    "Edit",
    "Embed",
    "Evaluate",
    "Export",
    "FirstAnswer",
    "Index",
    "Label",
    "Loop",
    "Map",
    "Marks",
    "Measure",
    "Phases",
    "Posttrain",
    "Resume",
    "Reuse",
    "Sample",
    "Score",
    "Select",
    "Sweep",
    "Thresholds",
    "Tokenizer",
    "Track",
    "Train",
    "Validate",
    "check_params",
    "engine_of",
    "parse_shard",
    "run_action",
]


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
    address: str | None = None
    shard: str | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """Index the words of one source, or of all."""

    source: str | None = None
    workers: int | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """Edit the texts of one source, or of all, beside the originals, and count their tokens."""

    edits: list[str]
    source: str | None = None
    tokenizer: str | None = None
    workers: int | None = None
    engine: str = "local"
    address: str | None = None
    shard: str | None = None


@dataclass(frozen=True, slots=True)
class Dedup:
    """Find exact and near duplicates over all sources; on request repeated lines and paragraphs,
    and semantic duplicates of the embedded documents.

    What is not given is the preset's.
    """

    preset: str = "lab"
    bands: int | None = None
    rows: int | None = None
    ngram: int | None = None
    jaccard: float | None = None
    lines: bool = False
    semantic: bool = False
    encoder: str = "all-MiniLM-L6-v2"
    epsilon: float = 0.05
    order: str = "hash"
    workers: int | None = None
    engine: str = "local"
    address: str | None = None
    shard: str | None = None


@dataclass(frozen=True, slots=True)
class Decontaminate:
    """Find documents that share n words with items of benchmarks (all of them by default).

    `info`, `contaminated` and `count` are phi-4's thresholds, for the summary only: ratios are
    stored. `allow` is a file of n-grams to spare; `allow_common` instead takes those in more than
    so many texts and in the source `reference`.
    """

    source: str | None = None
    benchmarks: list[str] | None = None
    ngram: int = 13
    info: float = 0.2
    contaminated: float = 0.5
    count: str = "set"
    allow: str | None = None
    allow_common: int | None = None
    reference: str | None = None
    workers: int | None = None
    engine: str = "local"
    address: str | None = None
    shard: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """Learn a quality score from labels and give it to every document.

    Labels are files, `llm:NAME` or `people:NAME`; none means `llm:` and the name of the score.
    """

    name: str
    labels: str | list[str] | None = None
    head: str = "ngrams"
    encoder: str = "all-MiniLM-L6-v2"
    groups: str = "content"
    threshold: float | None = None
    fit_only: bool = False
    workers: int | None = None
    engine: str = "local"
    address: str | None = None
    shard: str | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """Have documents labelled by a language model; the key is in the environment only."""

    name: str
    base_url: str
    model: str
    count: int = 200
    source: str | None = None
    prompt: str = "educational"
    scale: str | None = None
    characters: int = 3000
    budget: float | None = None
    budget_tokens: int | None = None
    price_in: float = 0.0
    price_out: float = 0.0
    answer_tokens: int = 200
    reasoning: bool = False
    seed: int = 0
    concurrency: int = 4
    timeout: float = 60.0
    retry: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Diversity:
    """Measure how broad sources are (default: all), what a recipe keeps of them, and one recipe
    against another; `reference` is the source that `coverage` asks about (default: all of them),
    `encoder` by default that of the newest map.
    """

    sources: list[str] | None = None
    recipe: str | None = None
    against: str | None = None
    reference: str | None = None
    encoder: str | None = None
    size: int = 1000


@dataclass(frozen=True, slots=True)
class Select:
    """Choose documents of a source for breadth: a share `keep` of its embedded tokens, or `tokens`.

    `quality` is a column, a signal or a score; `balance` its weight beside diversity; `recipe` is
    the one among whose documents is chosen.
    """

    source: str
    method: str
    keep: float | None = None
    tokens: int | None = None
    quality: str | None = None
    balance: float = 0.5
    encoder: str = "all-MiniLM-L6-v2"
    seed: int = 0
    recipe: str | None = None
    workers: int | None = None
    engine: str = "local"
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Register a benchmark."""

    name: str
    path: str
    split: str | None = None
    format: str | None = None
    form: str = "cloze"
    shots: int = 0
    template: str | None = None
    group: str | None = None
    skip_invalid: bool = False
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Export:
    """Write the files of a target."""

    recipe: str
    target: str
    output: str


def run_action(ws: Workspace, name: str, params: dict[str, Any], progress: Progress) -> Result:
    """Run an action by name; ConfigError for an unknown name or parameter."""
    from lab.jobs.steps import STEPS

    checked = check_params(name, params)
    with running_on(engine_of(checked)):
        return STEPS[name](ws, checked, progress)


def engine_of(params: Any) -> Engine:
    """The engine that an action's parameters ask for; the local one where they have no say."""
    return Engine(
        getattr(params, "engine", "local"),
        getattr(params, "workers", None),
        getattr(params, "address", None),
        parse_shard(getattr(params, "shard", None)),
        getattr(params, "gpus_per_run", 0.0),
    )


def parse_shard(text: str | None) -> tuple[int, int] | None:
    """`3/16` as (3, 16): shares are numbered from 0; ConfigError for anything else."""
    if text is None:
        return None
    own, slash, of = text.partition("/")
    if not (slash and own.isdecimal() and of.isdecimal() and int(own) < int(of)):
        raise ConfigError(
            "A share is written k/n, with k from 0 to n - 1.",
            where="--shard",
            value=text,
            next_step="in a Slurm array: --shard $SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT",
        )
    return int(own), int(of)


PARAMS: dict[str, type] = {
    "sample": Sample,
    "add": Add,
    "tokenizer": Tokenizer,
    "measure": Measure,
    "index": Index,
    "edit": Edit,
    "dedup": Dedup,
    "decontaminate": Decontaminate,
    "label": Label,
    "score": Score,
    "embed": Embed,
    "map": Map,
    "marks": Marks,
    "diversity": Diversity,
    "select": Select,
    "benchmark": Benchmark,
    "train": Train,
    "resume": Resume,
    "sweep": Sweep,
    "posttrain": Posttrain,
    "track": Track,
    "advise": Advise,
    "loop": Loop,
    "validate": Validate,
    "reuse": Reuse,
    "phases": Phases,
    "thresholds": Thresholds,
    "first_answer": FirstAnswer,
    "evaluate": Evaluate,
    "export": Export,
}


def check_params(name: str, params: dict[str, Any]) -> Any:
    """The parameters as their dataclass; ConfigError for an unknown action or key."""
    if name not in PARAMS:
        raise ConfigError("Unknown action.", value=name, next_step=nearest(name, PARAMS))
    return from_mapping(PARAMS[name], params, name)
