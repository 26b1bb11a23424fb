"""What can be asked of proxy runs: train, sweep, loop, validate, reuse, fine-tune, score, advise.

Parameters of actions, as in `lab.jobs.actions`. Those that train runs share what says where and
how: `repetition` matches the real run's epochs, `snapshots` keeps weights on the way,
`score_snapshots` scores them, `track` names a tracker; `workers`, `engine`, `address` and
`gpus_per_run` say where.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Train:
    """Train and score proxy runs of one or more recipes, one per seed."""

    recipes: list[str]
    size: str = "nano"
    tokens: int | None = None
    seeds: list[int] | None = None
    repetition: bool = True
    snapshots: bool = True
    score_snapshots: bool = False
    track: str = ""
    workers: int | None = None
    engine: str = "local"
    address: str | None = None
    gpus_per_run: float = 0.0


@dataclass(frozen=True, slots=True)
class Resume:
    """Continue and score unfinished runs as they were prepared."""

    runs: list[str]
    score_snapshots: bool = False
    track: str = ""
    workers: int | None = None
    engine: str = "local"
    address: str | None = None
    gpus_per_run: float = 0.0


@dataclass(frozen=True, slots=True)
class Sweep:
    """Train a designed set of mixtures around a recipe.

    The design as in `lab.advice.design.swarm.SwarmSettings`; `weakest` and `strongest` bound its
    strength. With `single_source` instead a run per source, `shared` of it on the recipe's own
    mixture. With `thresholds` (SIGNAL@SOURCE=a,b,c) sources are cut at one of them each, with
    `by_phase` every phase has weights of its own. With `next_runs` the mixtures that the latest
    advice would train next, each at its size and budget.
    """

    recipe: str
    runs: int = 12
    size: str = "nano"
    tokens: int | None = None
    seed: int = 0
    method: str = "dirichlet"
    temper: float = 0.5
    weakest: float = 0.1
    strongest: float = 5.0
    minimum: float = 2e-3
    capped: bool = False
    repeats: int = 0
    extend: bool = False
    single_source: bool = False
    shared: float = 0.0
    thresholds: list[str] | None = None
    by_phase: bool = False
    next_runs: bool = False
    repetition: bool = True
    snapshots: bool = True
    score_snapshots: bool = False
    track: str = ""
    workers: int | None = None
    engine: str = "local"
    address: str | None = None
    gpus_per_run: float = 0.0


@dataclass(frozen=True, slots=True)
class Loop:
    """Propose, train and refit around a recipe for `budget` minutes, or until it is decided.

    `start`, `batch`, `repeats`, `confirm` as in `lab.advice.loop.of_recipe.LoopSettings`.
    """

    recipe: str
    budget: float
    size: str = "nano"
    tokens: int | None = None
    metric: str | None = None
    seed: int = 0
    start: int = 0
    batch: int = 0
    repeats: int = 0
    confirm: str = ""
    confirm_tokens: int | None = None
    repetition: bool = True
    snapshots: bool = True
    score_snapshots: bool = False
    track: str = ""
    workers: int | None = None
    engine: str = "local"
    address: str | None = None
    gpus_per_run: float = 0.0


@dataclass(frozen=True, slots=True)
class Validate:
    """Train the advice's proposal, natural and uniform at a second size under several seeds."""

    recipe: str
    size: str = "micro"
    tokens: int | None = None
    seed: int = 0
    seeds: int = 2
    repetition: bool = True
    snapshots: bool = True
    score_snapshots: bool = False
    track: str = ""
    workers: int | None = None
    engine: str = "local"
    address: str | None = None
    gpus_per_run: float = 0.0


@dataclass(frozen=True, slots=True)
class Reuse:
    """Train the few runs that restore the decision for a recipe after sources changed.

    `changed` are untouched sources to learn anew as well; `runs` in all, 0 for what is needed.
    """

    recipe: str
    changed: list[str] | None = None
    runs: int = 0
    size: str = "nano"
    tokens: int | None = None
    metric: str | None = None
    seed: int = 0
    repetition: bool = True
    snapshots: bool = True
    score_snapshots: bool = False
    track: str = ""
    workers: int | None = None
    engine: str = "local"
    address: str | None = None
    gpus_per_run: float = 0.0


@dataclass(frozen=True, slots=True)
class Posttrain:
    """Fine-tune the models of finished runs (or of recipes' runs) and score them.

    `sft` and `dpo` are a source or a JSONL file each; with both, `dpo` starts from what `sft` made.
    """

    runs: list[str]
    sft: str | None = None
    dpo: str | None = None
    steps: int | None = None
    track: str = ""
    workers: int | None = None
    engine: str = "local"
    address: str | None = None
    gpus_per_run: float = 0.0


@dataclass(frozen=True, slots=True)
class Track:
    """Send what a tracker lacks of finished runs: lines of metrics and scores."""

    runs: list[str]
    to: str = "tensorboard"


@dataclass(frozen=True, slots=True)
class Advise:
    """Fit the workspace's runs and propose a mixture under the supply and caps of a recipe.

    The rest as in `lab.advice.proposing.request.Request`.
    """

    recipe: str
    targets: list[str] | None = None
    kl: float | None = None
    guards: dict[str, float] | None = None
    caps: dict[str, float] | None = None
    current: dict[str, float] | None = None
    groups: dict[str, list[str]] | None = None
    sizes: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Phases:
    """Propose weights for every phase of a recipe from runs whose phases differ."""

    recipe: str
    metric: str | None = None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Propose threshold and weight of sources that runs cut at several thresholds.

    `by` (SIGNAL@SOURCE) says by which signal a source was cut, where runs alone do not.
    """

    recipe: str
    metric: str | None = None
    by: list[str] | None = None


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """Propose from one run per source by `method` mixmin or merged; see `lab.advice.cheap`."""

    recipe: str
    method: str
    metric: str | None = None
    size: str | None = None
    tokens: int | None = None
    seed: int | None = None
    pieces: str = "sequences"


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Score finished runs on what they have not been scored on yet.

    With `snapshots` also the checkpoints that training kept on the way; with `generate` generative
    items are answered in the model's own words.
    """

    runs: list[str]
    snapshots: bool = False
    generate: bool = False
