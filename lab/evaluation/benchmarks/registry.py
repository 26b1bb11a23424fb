"""Benchmarks of a workspace: `benchmarks/NAME/items.parquet` and `benchmark.yaml`.

A benchmark is registered once, checked once, and named by a hash of its items, its protocol and its
shots. Scores are stored under `shown_hash`, which adds the words of the template as they are now:
scores of other items or prompts are never compared with these. What the yaml states: items by kind,
the split that was taken, what was left out or set aside, the hash of the file it came from, the
protocol, the kind of ability (`group`), and the chance line: the accuracy of a guess, mean over
items of 1/choices. At proxy size many benchmarks sit on that line, which is why accuracy is never
shown without it.

The shots (see `shots`) are stored beside the items and are the same for every model.

A twin holds the same content in another format, under `<name>_twin` (see `twins`): a gain that
does not carry over to the twin was a gain in format. A twin made by rule names the hash of what it
was made from (`twin_of_hash`), so that the twin of earlier items is no evidence about later ones.

Ambiguous items, whose gold text is also a wrong choice, are kept and counted (2 of BLiMP's first
10,200 pairs).
"""

import shutil
from dataclasses import asdict, dataclass, field
from dataclasses import replace as replaced
from pathlib import Path

import polars as pl

from lab.core.artifacts import write_part
from lab.core.errors import ConfigError, DataError, nearest
from lab.core.files import confined, digest, file_sha256, new_folder, read_yaml, write_yaml
from lab.core.progress import SILENT, Progress
from lab.core.settings import from_mapping
from lab.core.workspace import Workspace
from lab.evaluation.benchmarks.files import files_of
from lab.evaluation.benchmarks.formats import GROUPS, default_group
from lab.evaluation.benchmarks.items import choose_split, read_items
from lab.evaluation.benchmarks.shots import choose_shots
from lab.evaluation.benchmarks.templates import Protocol, check_protocol, load_template

TWIN = "_twin"


@dataclass(frozen=True, slots=True)
class BenchmarkSummary:
    """What is known of a registered benchmark; counts are items."""

    name: str
    items: int
    kinds: dict[str, int]
    split: str  # "" if the file names none, "all" if it names several and none is preferred
    other_splits: int  # items of splits that are not used
    chance: float | None  # accuracy of a guess; None where nothing is chosen
    ambiguous: int  # items whose gold text is also one of the wrong choices
    skipped: int  # invalid items set aside in quarantine.parquet
    source: str  # name of the file it was read from
    source_sha256: str
    hash: str
    reasons: dict[str, int] = field(default_factory=dict)  # why items were set aside
    copies: int = 0  # items that a later file of the folder holds again; left out
    format: str = "plain"  # of the file, see `formats`
    form: str = "cloze"  # protocol: form, shots and template, see `templates`
    shots: int = 0
    template: str = "plain"
    group: str = ""  # knowledge, reasoning, language, code, math
    twin_of: str = ""
    twin_by: str = ""
    twin_of_hash: str = ""  # of the benchmark that the twin was made from


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person may decide about a benchmark; None takes what goes with the file's format."""

    split: str | None = None  # scored; default: test, else validation, else dev, else all
    format: str | None = None  # default: told from the first row
    form: str = "cloze"
    shots: int = 0
    template: str | None = None
    group: str | None = None


def add_benchmark(
    ws: Workspace,
    name: str,
    path: Path | str,
    progress: Progress = SILENT,
    *,
    choice: Choice | None = None,
    skip_invalid: bool = False,
    replace: bool = False,
) -> BenchmarkSummary:
    """Register the items of a file or folder as benchmark `name`; the same again does nothing.

    An invalid item is a DataError that names it; with `skip_invalid` it goes to quarantine.parquet
    and is counted. Raises ConfigError if `name` is taken by other items and `replace` is not set,
    if the items cannot be put in the form asked for, or if there is no split to take shots from.
    """
    path, choice = Path(path), choice or Choice()
    folder = confined(ws.benchmarks, name)
    progress(0, 2, f"reading {path.name}")
    read = read_items(name, path, skip_invalid=skip_invalid, format=choice.format)
    items, used = choose_split(read.items, choice.split, str(path))
    protocol = Protocol(choice.form, choice.shots, choice.template or read.format.template)
    shots = choose_shots(read.items, used, protocol, check_protocol(items, protocol))
    summary = replaced(
        summarise(name, items, shots, protocol),
        split=used,
        other_splits=read.items.height - items.height + read.unlabelled,
        copies=read.copies,
        skipped=read.faults.height,
        reasons=count_reasons(read.faults),
        source=path.name,
        source_sha256=source_hash(path),
        format=read.format.name,
        group=check_group(choice.group) or default_group(name, read.format, protocol.template),
    )
    progress(1, 2, f"writing {items.height} items")
    if folder.exists():
        if read_summary(ws, name).hash == summary.hash:
            return read_summary(ws, name)
        if not replace:
            raise taken(folder, name)
    write_benchmark(folder, items, shots, read.faults, summary)
    progress(2, 2, f"{items.height} items")
    return summary


def taken(folder: Path, name: str) -> ConfigError:
    """The error for a name that other items have."""
    return ConfigError(
        "A benchmark of this name holds other items.",
        where=str(folder),
        value=name,
        next_step="choose another name, or ask to replace it (runs are then scored again)",
    )


def check_group(group: str | None) -> str | None:
    """`group` if it is one of GROUPS; ConfigError otherwise."""
    if group and group not in GROUPS:
        raise ConfigError("Unknown group.", value=group, next_step=nearest(group, GROUPS))
    return group


def summarise(
    name: str, items: pl.DataFrame, shots: pl.DataFrame, protocol: Protocol
) -> BenchmarkSummary:
    """Count what `items` holds; where they came from is for the caller to say."""
    golds = items.explode("choices").filter(pl.col("choices") == pl.col("answer"))
    kinds = items["kind"].value_counts().sort("kind")
    return BenchmarkSummary(
        name=name,
        items=items.height,
        kinds=dict(kinds.iter_rows()),
        split="",
        other_splits=0,
        chance=chance(items),
        ambiguous=golds.group_by("id").len().filter(pl.col("len") > 1).height,
        skipped=0,
        source="",
        source_sha256="",
        hash=content_digest(items, shots, protocol),
        form=protocol.form,
        shots=protocol.shots,
        template=protocol.template,
    )


def content_digest(items: pl.DataFrame, shots: pl.DataFrame, protocol: Protocol) -> str:
    """Names what is registered: the items and, unless they stand as written, protocol and shots."""
    if protocol == Protocol():
        return digest(items.to_dicts())
    return digest([items.to_dicts(), shots.to_dicts(), asdict(protocol)])


def shown_hash(bench: BenchmarkSummary) -> str:
    """Names what a model is shown: what is registered, in the words of the template as it is now.

    Costs 1 ms, the reading of one YAML file. Raises ConfigError if the template is gone.
    """
    words = asdict(load_template(bench.template, bench.form))
    return digest([bench.hash, {k: v for k, v in words.items() if k not in ("source", "harness")}])


def count_reasons(faults: pl.DataFrame) -> dict[str, int]:
    """Why items were set aside, most frequent first."""
    reasons = faults["reason"].value_counts().sort("count", "reason", descending=[True, False])
    return dict(reasons.iter_rows())


def source_hash(path: Path) -> str:
    """SHA-256 of a file, or of the hashes of all files of a folder that are read."""
    if not path.is_dir():
        return file_sha256(path)
    return digest([[str(file.relative_to(path)), file_sha256(file)] for file in files_of(path)])


def chance(items: pl.DataFrame) -> float | None:
    """Accuracy of a guess: mean of 1/choices over the items that have choices; None without any."""
    counts = items["choices"].list.len()
    share = (1 / counts.filter(counts > 0)).mean()
    return None if share is None else float(share)  # type: ignore[arg-type]


def write_benchmark(
    folder: Path,
    items: pl.DataFrame,
    shots: pl.DataFrame,
    faults: pl.DataFrame,
    summary: BenchmarkSummary,
) -> None:
    """Publish the folder whole; an older one of the same name is removed just before."""
    with new_folder(folder) as temp:
        write_part(items, temp / "items.parquet")
        if shots.height:
            write_part(shots, temp / "shots.parquet")
        if faults.height:
            write_part(faults, temp / "quarantine.parquet")
        write_yaml(temp / "benchmark.yaml", asdict(summary))
        shutil.rmtree(folder, ignore_errors=True)


def list_benchmarks(ws: Workspace) -> list[BenchmarkSummary]:
    """The registered benchmarks, by name."""
    found = sorted(path.parent.name for path in ws.benchmarks.glob("[!.]*/benchmark.yaml"))
    return [read_summary(ws, name) for name in found]


def read_summary(ws: Workspace, name: str) -> BenchmarkSummary:
    """What is known of benchmark `name`; DataError with the nearest name if there is none."""
    path = confined(ws.benchmarks, name) / "benchmark.yaml"
    if not path.is_file():
        known = [p.parent.name for p in ws.benchmarks.glob("[!.]*/benchmark.yaml")]
        raise DataError(
            "There is no benchmark of this name.",
            where=str(ws.benchmarks),
            value=name,
            next_step=nearest(name, known) + "; `mixlab benchmark add NAME PATH` registers one",
        )
    return from_mapping(BenchmarkSummary, read_yaml(path), str(path))


def load_items(ws: Workspace, name: str) -> pl.DataFrame:
    """The items of benchmark `name`, as schema.ITEMS, in the order of their file."""
    read_summary(ws, name)
    return pl.read_parquet(confined(ws.benchmarks, name) / "items.parquet")
