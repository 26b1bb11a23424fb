"""The contamination report and the reviewer's decisions in a terminal."""

import argparse
from dataclasses import fields
from pathlib import Path

import polars as pl

from lab.cli.act import act, workspace
from lab.cli.commands.options import shards
from lab.cli.show import Shown, rows

SHOWN = ("benchmarks", "sources", "items", "matches", "curve")
SEARCH = (
    "source", "benchmarks", "ngram", "info", "contaminated", "count", "allow_common", "reference",
)  # fmt: skip


def search(options: argparse.Namespace) -> Shown:
    """Search, here or as a job."""
    allow = str(Path(options.allow).resolve()) if options.allow else None
    return act(
        options,
        "decontaminate",
        allow=allow,
        **{k: getattr(options, k) for k in SEARCH},
        **shards(options),
    )


def contamination(options: argparse.Namespace) -> Shown:
    """Do what `options.what` says."""
    if options.what == "report":
        return show_report(options)
    if options.what in ("keep", "drop"):
        return decide(options)
    if options.what == "undo":
        return take_back(options)
    return listing(options)


def show_report(options: argparse.Namespace) -> Shown:
    """The report: everything to --output, the first rows of each table here."""
    from lab.curation.contamination.located import locate_matches
    from lab.curation.contamination.report import report, write_report
    from lab.curation.contamination.verdicts import Thresholds

    ws = workspace(options)
    made = report(
        ws,
        [options.source] if options.source else None,
        ngram=options.ngram,
        limits=Thresholds(options.info, options.contaminated, options.count),
    )
    located = locate_matches(ws, made.matches.head(options.limit), options.ngram)
    tables = {f.name: getattr(made, f.name) for f in fields(made) if f.name in SHOWN}
    tables["items"] = made.items.filter(pl.col("documents") > 0).head(options.limit)
    tables["matches"] = located.drop("text", "item_text", strict=False)
    data = {"header": made.header, **{name: rows(tables[name]) for name in SHOWN}}
    notes = [f"{made.matches.height:,} matches, {tables['matches'].height:,} shown"]
    if options.output:
        write_report(made, Path(options.output))
        notes.append(f"written to {options.output}")
    return Shown(data, [(name.capitalize(), tables[name]) for name in SHOWN], notes)


def decide(options: argparse.Namespace) -> Shown:
    """Store a decision about a document."""
    from lab.curation.contamination import override

    if not options.document or not options.benchmark:
        options.misused(f"`contamination {options.what}` needs DOCUMENT and --benchmark")
    override(
        workspace(options),
        options.document,
        options.benchmark,
        options.item,
        options.what,
        options.note,
    )
    return listing(options)


def take_back(options: argparse.Namespace) -> Shown:
    """Undo the last decision."""
    from lab.curation.contamination import undo

    undone = undo(workspace(options))
    said = f"undone: {undone['decision']} {undone['id']}" if undone else "there is nothing to undo"
    return Shown({"undone": undone}, notes=[said])


def listing(options: argparse.Namespace) -> Shown:
    """The decisions in force."""
    from lab.curation.contamination import decisions

    frame = decisions(workspace(options))
    return Shown({"decisions": rows(frame)}, [("Decisions", frame)])
