"""Commands that judge runs: compare, gate, scale."""

import argparse
from typing import Any

import polars as pl

from lab.cli.act import workspace
from lab.cli.show import Shown


def compare(options: argparse.Namespace) -> Shown:
    """Paired differences between groups of runs, and whether the gains are real."""
    from lab.evaluation.comparing.choose import compare_named, named_groups
    from lab.evaluation.gain.gain import gain

    ws = workspace(options)
    found = compare_named(ws, options.groups, options.size, options.tokens)
    groups = named_groups(ws, options.groups, options.size, options.tokens)
    names = list(groups)
    judged = [
        gain(ws, {names[0]: groups[names[0]], other: groups[other]}, options.metric)
        for other in names[1:]
    ]
    tables: list[tuple[str, pl.DataFrame]] = []
    notes = []
    for other, one in zip(names[1:], judged, strict=True):
        pair = f"{other} against {names[0]}"
        tables += [
            (f"Guardrails, {pair} (A is {names[0]})", guardrail_table(one)),
            (f"Is it real? {pair}, by {options.metric}", gain_table(one)),
        ]
        notes += [f"verdict: {one.overall.sentence}"]
        notes += [f"  would change it: {words}" for words in one.overall.change]
    tables.append((" against ".join(options.groups), found.table()))
    told = dict.fromkeys([*found.notes, *(note for one in judged for note in one.notes)])
    data = found.to_json() | {"gains": [one.to_json() for one in judged]}
    return Shown(data, tables, [*notes, *told])


def guardrail_table(found: Any) -> pl.DataFrame:
    """One line a guardrail, the difference with its interval as text."""
    rows = []
    for line in found.guardrails:
        row = line.difference
        rows.append(
            {
                "guardrail": line.group,
                "benchmarks": ", ".join(line.benchmarks),
                "b - a": interval_text(row),
                "verdict": line.words,
            }
        )
    return pl.DataFrame(rows)


def gain_table(found: Any) -> pl.DataFrame:
    """One line a benchmark: b - a on all items, clean items, the twin and fresh text."""
    if not found.benchmarks:
        return pl.DataFrame()
    return pl.DataFrame(
        [
            {"benchmark": row.benchmark, "all items": interval_text(row.difference)}
            | {check.name: interval_text(check.difference) for check in row.checks}
            | {"quoted": row.quoted, "verdict": row.verdict, "why": row.reason}
            for row in found.benchmarks
        ]
    )


def interval_text(row: Any) -> str:
    """Value and interval of a difference; a dash where there is none."""
    if row is None:
        return "-"
    d = row.difference
    return f"{d.value:+.3g} [{d.low:+.3g}, {d.high:+.3g}]"


def gate(options: argparse.Namespace) -> Shown:
    """Which metrics may drive a decision, and why not."""
    from lab.evaluation.gate.criteria import Thresholds
    from lab.evaluation.gate.gate import gate as judge

    limits = Thresholds(options.snr, options.monotonicity, options.chance, options.ranks)
    ws = workspace(options)
    found = judge(ws, options.recipes, size=options.size, tokens=options.tokens, thresholds=limits)
    frame = found.frame()
    shown = frame.select(
        pl.format("{} {} {}", "scope", "on", "metric").alias("metric"),
        "verdict",
        "snr",
        "noise_seeds",
        "noise_checkpoints",
        "monotonicity",
        "distance_from_chance",
        "rank_stability",
        pl.col("reason").alias("why"),
    )
    counts = dict(frame["verdict"].value_counts().iter_rows())
    told = ", ".join(f"{counts.get(v, 0)} {v}" for v in ("passed", "failed", "not judged"))
    title = f"Metrics of runs at {found.size}, {found.tokens:,} tokens"
    settle = dict.fromkeys(row.settle for row in found.rows if row.settle)
    notes = [told, *found.notes, *(f"to settle the rest: {words}" for words in settle)]
    return Shown(found.to_json(), [(title, shown)], notes)


def scale(options: argparse.Namespace) -> Shown:
    """Does the order of recipes hold at other sizes?"""
    from lab.evaluation.comparing.scale import scale as judge

    found = judge(workspace(options), options.recipes, options.sizes or ())
    tables = []
    if found.rows:
        shown = found.frame().select(
            pl.format("{} {} {}", "scope", "on", "metric").alias("metric"),
            pl.format("{} to {}", "small", "large").alias("sizes"),
            "agreement",
            "low",
            "high",
            "pairs",
            "verdict",
        )
        tables.append(("Does the order hold?", shown))
    notes = [f"warning: {words}" for words in found.warnings]
    notes += [f"missing: {recipe} at {size}: `{run}`" for recipe, size, run in found.missing]
    return Shown(found.to_json(), tables, [*notes, *found.notes])
