"""Groups of runs, reduced to what all of them scored alike.

Scores compare only if they are of the same items and the same documents: benchmarks and sources
whose hash differs between any two runs are left out of all of them, and named. So is a twin that
was made from other items than those that its benchmark was scored on: it says nothing about them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.errors import ConfigError, DataError
from lab.core.files import digest, read_json
from lab.core.workspace import Workspace
from lab.evaluation.benchmarks.registry import TWIN, list_benchmarks, shown_hash
from lab.evaluation.runs.evaluate import RunScores, run_scores

TRAINED_BY = ("version", "hyperparameters")  # keys of run.json that no mixture may change
MADE_FROM = ("recipe_id", "selection", "tokenizer", *TRAINED_BY)  # the recipe, its data, the rest
SAME = (*MADE_FROM, "size", "tokens", "stage", "repetition")  # alike in all runs of a group


def is_pretraining(spec: Mapping[str, Any]) -> bool:
    """True unless run.json names a later stage, whose runs are no repeats of pretraining."""
    return bool(spec.get("stage", "pretrain") == "pretrain")


def matches_repetition(spec: Mapping[str, Any]) -> bool:
    """True if the run saw each source as often as the target would."""
    return bool((spec.get("repetition") or {}).get("match"))


def decided(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What makes runs repeats of one mixture: recipe, data, and how supply was cut to size."""
    return {key: spec.get(key) for key in MADE_FROM} | {"repetition": matches_repetition(spec)}


def how_trained(spec: Mapping[str, Any]) -> str:
    """Names what runs must share, beside size and tokens, for their mixtures to be told apart."""
    keys = (*TRAINED_BY, "tokenizer")
    return digest([*(spec.get(key) for key in keys), matches_repetition(spec)])


@dataclass(frozen=True, slots=True)
class Group:
    """Runs of one recipe, and their seeds in the same order."""

    name: str
    seeds: tuple[int, ...]
    runs: tuple[RunScores, ...]

    def only(self, seeds: Sequence[int]) -> "Group":
        """The runs of `seeds`, in that order."""
        place = {seed: i for i, seed in enumerate(self.seeds)}
        return Group(self.name, tuple(seeds), tuple(self.runs[place[seed]] for seed in seeds))

    def filtered(self, keep: Callable[[pl.DataFrame], pl.DataFrame]) -> "Group":
        """The runs with `keep` of their items and without held-out text."""
        runs = (replace(r, items=keep(r.items), heldout=r.heldout.clear()) for r in self.runs)
        return Group(self.name, self.seeds, tuple(runs))


def read_groups(
    ws: Workspace, groups: Mapping[str, Sequence[Path]], *, current: bool = False
) -> tuple[list[Group], list[str]]:
    """The groups with their common scores, and notes on what was left out.

    `current` leaves out benchmarks that are no longer shown as they were when scored. Raises
    ConfigError if runs of one group differ in recipe, size or tokens, DataError if no benchmark and
    no source was scored alike by all.
    """
    read = [read_group(name, folders) for name, folders in groups.items()]
    runs = [run for group in read for run in group.runs]
    gone = stale(ws, runs)
    notes = [f"benchmark {name}: changed or removed since it was scored." for name in gone]
    notes += [*context_notes(runs), *budget_notes(groups)]
    kept: dict[str, list[str]] = {}
    for part, what in (("benchmarks", "benchmark"), ("heldout", "held-out text of")):
        kept[part], left = alike([run.summary[part] for run in runs])
        if part == "benchmarks" and current:
            kept[part] = [name for name in kept[part] if name not in gone]
        notes += [f"{what} {name}: not scored alike by all runs, left out." for name in left]
    for name in outdated_twins(runs, kept["benchmarks"]):
        kept["benchmarks"].remove(name)
        notes.append(twin_note(name))
    if not any(kept.values()):
        raise DataError(
            "These runs have no scores in common.",
            where=", ".join(groups),
            next_step="evaluate all of them again on the workspace as it is now",
        )
    return [restrict(group, kept) for group in read], notes


def read_group(name: str, folders: Sequence[Path]) -> Group:
    """One group; ConfigError if its runs are not repeats of each other."""
    settings = [read_json(folder / "run.json") for folder in folders]
    compared = [s | {"repetition": matches_repetition(s)} for s in settings]
    for key in SAME:
        values = sorted({repr(s[key]) for s in compared if key in s})
        if len(values) > 1:
            raise ConfigError(
                f"Runs of one group differ in {key!r}.",
                where=name,
                value=values,
                next_step="a group is one recipe at one size and budget under several seeds",
            )
    seeds = tuple(int(s["seed"]) for s in settings)
    return Group(name, seeds, tuple(run_scores(folder) for folder in folders))


def alike(parts: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """(names with one hash in all `parts`, other names); empty samples are no names."""
    names = sorted({name for part in parts for name, entry in part.items() if size(entry)})
    same = [n for n in names if len({part.get(n, {}).get("hash") for part in parts}) == 1]
    return same, [n for n in names if n not in same]


def size(entry: Mapping[str, Any]) -> int:
    """Items or documents of an entry of the summary."""
    return int(entry.get("items", entry.get("documents", 0)))


def restrict(group: Group, kept: Mapping[str, Sequence[str]]) -> Group:
    """The group with the scores of `kept` only."""
    runs = tuple(
        replace(
            run,
            items=run.items.filter(pl.col("benchmark").is_in(kept["benchmarks"])),
            heldout=run.heldout.filter(pl.col("source").is_in(kept["heldout"])),
        )
        for run in group.runs
    )
    return Group(group.name, group.seeds, runs)


def stale(ws: Workspace, runs: Iterable[RunScores]) -> list[str]:
    """Benchmarks that are no longer what was scored: other items, other words, or none."""
    now = {bench.name: shown_hash(bench) for bench in list_benchmarks(ws)}
    old = {
        name
        for run in runs
        for name, entry in run.summary["benchmarks"].items()
        if now.get(name) != entry["hash"]
    }
    return sorted(old)


def outdated_twins(runs: Iterable[RunScores], kept: Sequence[str]) -> list[str]:
    """Twins of `kept` that were made from another benchmark than the one scored beside them."""
    found = set()
    for run in runs:
        entries = run.summary["benchmarks"]
        for name in set(kept) & {name + TWIN for name in kept}:
            made_from = entries[name].get("twin_of_hash")
            if made_from and made_from != entries[name.removesuffix(TWIN)]["registered"]:
                found.add(name)
    return sorted(found)


def twin_note(name: str) -> str:
    """What to say of a twin that is left out."""
    base = name.removesuffix(TWIN)
    again = f"`mixlab benchmark twin {base} --by RULE --replace`"
    return f"benchmark {name}: made from other items of {base} than were scored, left out: {again}."


def context_notes(runs: Iterable[RunScores]) -> list[str]:
    """Bits per byte depend on the length of context a model has."""
    lengths = sorted({int(run.summary["context"]) for run in runs})
    if len(lengths) < 2:
        return []
    return [
        f"context lengths differ ({', '.join(map(str, lengths))}): held-out values differ by it."
    ]


def budget_notes(groups: Mapping[str, Sequence[Path]]) -> list[str]:
    """Size or token budget that differs between groups is part of the difference."""
    first = [read_json(folders[0] / "run.json") for folders in groups.values()]
    return [
        f"the groups differ in {key}: that is part of every difference."
        for key in ("size", "tokens")
        if len({repr(settings.get(key)) for settings in first}) > 1
    ]
