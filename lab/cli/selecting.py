"""`mixlab select`, `selections`, `retrieve`: tables of what was chosen; windows for prompts."""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from lab.cli.act import act, workspace
from lab.cli.diversity import words
from lab.cli.show import Shown, rows
from lab.diversity.breadth.measures import BLIND, LABELS
from lab.diversity.embedding.nearest import searched_words
from lab.diversity.selecting.choose import check_settings
from lab.diversity.selecting.retrieval import Retrieved, Window, nothing_fits
from lab.diversity.selecting.retrieval import retrieve as retrieve_documents

Found = Mapping[str, Any]
SELECT = (
    *("source", "method", "keep", "tokens", "quality", "balance", "encoder", "seed", "recipe"),
    *("workers", "engine", "address"),
)


def select(options: argparse.Namespace) -> Shown:
    """Run the action; tables for people, the result as it is for --json."""
    check_settings(options.method, options.tokens or 0, options.balance, bool(options.quality))
    if options.output:
        from lab.diversity.selecting.handing import check_form

        if options.detach:
            options.misused("-o needs the set: leave out --detach")
        check_form(Path(options.output))
    shown = act(options, "select", **{key: getattr(options, key) for key in SELECT})
    if "column" not in shown.data:  # a job was started
        return shown
    found = shown.data
    tables = [
        (f"Documents of {found['source']!r} under {found['method']}", reasons_table(found)),
    ]
    if found["after"]:
        tables.append(("Breadth at one n, before and after", breadth_table(found)))
    if lost := lost_topics(found):
        tables.append(("Lost topics", pl.DataFrame(lost)))
    said = notes(found, options.quiet)
    if options.output:
        said.append(hand_over(options, found))
    return replace(shown, tables=tables, notes=said)


def hand_over(options: argparse.Namespace, found: Found) -> str:
    """Write the set to -o; where it went."""
    from lab.diversity.selecting.handing import write_chosen
    from lab.diversity.selecting.stored import get_selection

    ws = workspace(options)
    artifact = get_selection(ws, str(found["selection"]))
    beside = write_chosen(ws, artifact, Path(options.output))
    return f"the set is in {options.output}, what made it in {beside.name}"


def selections(options: argparse.Namespace) -> Shown:
    """The stored selections of one source or of all."""
    from lab.corpus.sources import get_source, list_sources
    from lab.jobs.selections import listed

    ws = workspace(options)
    wanted = [options.source] if options.source else [source.name for source in list_sources(ws)]
    found = [row for name in wanted for row in listed(ws, get_source(ws, name).name)]
    frame = pl.DataFrame(
        [
            {
                "source": row.source, "selection": row.column, "state": row.state(),
                "quality": row.quality_words(),
                "budget": row.budget, "tokens": row.tokens, "documents": row.documents,
                "lost topics": len(row.lost),
                **{LABELS[k]: row.move(k) for k in ("vendi_1", "near_duplicates")},
            }
            for row in found
        ]
    )  # fmt: skip
    stale = [f"stale: {row.column}: `{row.command}`" for row in found if row.changed]
    none = [] if found else ["Nothing is selected yet: `mixlab select SOURCE --method METHOD ...`"]
    return Shown(
        {"selections": [row.plain() for row in found]}, [("Stored selections", frame)], stale + none
    )


def lost_topics(found: Found) -> list[dict[str, Any]]:
    """The topics of which little is left."""
    wanted = ("label", "documents", "kept_documents", "share")
    return [{key: t[key] for key in wanted} for t in found["topics"] if t["lost"]]


def reasons_table(found: Found) -> pl.DataFrame:
    """Documents and tokens by reason."""
    return pl.DataFrame(found["reasons"])


def breadth_table(found: Found) -> pl.DataFrame:
    """One row a measure."""
    made = [
        {"measure": LABELS[name], "before": words(was), "after": words(found["after"][name])}
        for name, was in found["before"].items()
    ]
    if "quality_mean" in found:
        mean = {k: f"{v:.4g}" for k, v in found["quality_mean"].items()}
        made.append({"measure": f"mean of {found['quality']}", **mean})
    return pl.DataFrame(made)


def notes(found: Found, quiet: bool) -> list[str]:
    """Cost, how a recipe uses it, and what the measures cannot see; not the last with `quiet`."""
    kept = next((r for r in found["reasons"] if r["reason"] == "kept"), {"tokens": 0})
    column = found["column"]
    said = [
        f"{kept['tokens']:,} of a budget of {found['budget']:,} tokens, chosen in "
        f"{found['choosing_seconds']:.3g} s.",
        f"as a rule of {found['source']!r} in a recipe: {{signal: {column}, in: [kept]}}; "
        "documents that are not embedded go then. To keep them: in: [kept, not embedded].",
    ]
    if not found["after"]:
        said.append("Fewer than two documents were kept: breadth cannot be measured.")
    if quiet:
        return [*said, "What each measure cannot see is said without --quiet."]
    return said + [f"{LABELS[name]}: {BLIND[name]}" for name in found["after"]]


def retrieve(options: argparse.Namespace) -> Shown:
    """Fill a window for each query; the documents go to -o, or without it into the result. Status 1
    if every window stays empty.
    """
    from lab.corpus.sources import get_source, list_sources
    from lab.corpus.tokenizer import default_tokenizer
    from lab.diversity.selecting.handing import check_form, write_retrieved

    if options.output:
        check_form(Path(options.output))
    ws = workspace(options)
    asked = options.source or [source.name for source in list_sources(ws)]
    names = [get_source(ws, name).name for name in dict.fromkeys(asked)]
    tokenizer = options.tokenizer or default_tokenizer(ws)
    window = Window(
        tokenizer, options.k, options.diversify, options.balance, options.window, options.encoder
    )
    found = retrieve_documents(ws, names, options.queries, window, options.like)
    none = found.frame.is_empty()
    written = options.output if options.output and not none else None
    short = found.frame.drop("text", "meta")
    said = [*filled_words(found), searched_words(found.counts)]
    if written:
        beside = write_retrieved(ws, found, Path(written))
        said.append(f"with their texts in {written}, what made them in {beside.name}")
    elif options.output:
        said.append(f"{options.output} is not written.")
    data = {
        "tokenizer": tokenizer,
        "window": options.window,
        "output": written,
        "searched": rows(found.counts),
        "windows": rows(found.windows),
        "documents": rows(short if written else found.frame),
    }
    return Shown(data, [] if none else [("Chosen", short)], said, int(none))


def filled_words(found: Retrieved) -> list[str]:
    """How full each window is, or why it is empty."""
    size = found.window.tokens
    return [
        f"{row['query']}: {row['tokens']:,} of {size:,} tokens."
        if row["documents"]
        else f"{row['query']}: {nothing_fits(row['shortest'], size)}"
        for row in found.windows.iter_rows(named=True)
    ]
