"""`mixlab find`: the documents of a selection on the map, and what is done with them."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from lab.cli.act import workspace
from lab.cli.show import Shown, rows
from lab.core.errors import ConfigError
from lab.core.files import write_text
from lab.core.workspace import Workspace

CHARACTERS = 70  # of a document that are shown


def find(options: argparse.Namespace) -> Shown:
    """Which documents a selection holds; then name, tag, exclude, boost or write them."""
    from lab.curation.selections.marked import bound
    from lab.curation.selections.names import name_selection, named, selection_of
    from lab.curation.selections.points import resolve
    from lab.curation.selections.predicate import parse_predicate, write_predicate

    check_options(options)
    ws = workspace(options)
    if not options.selection:
        lines = pl.DataFrame([{"name": n, "line": line} for n, line in named(ws).lines.items()])
        return Shown({"named": rows(lines)}, [("Named selections", lines)])
    line = options.selection.strip()
    asked = parse_predicate(line) if "=" in line else selection_of(ws, line)
    if asked.area or asked.clusters:  # a cluster's number means another topic on another map
        _, asked = bound(ws, asked)
    ids = resolve(ws, asked)
    if not ids:
        raise ConfigError(
            "No document on the map meets this selection.", where="find", value=line,
            next_step="widen a range, or see the topics with `mixlab topics`",
        )  # fmt: skip
    shown = first_documents(ws, ids, options.limit)
    data: dict[str, Any] = {
        "line": write_predicate(asked), "documents": len(ids), "first": rows(shown),
    }  # fmt: skip
    notes = [f"{len(ids):,} documents on the map: {data['line']}"]
    if options.tag:
        notes += use_tag(ws, ids, options)
    if options.name:
        name_selection(ws, options.name, asked)
        notes.append(f"named {options.name!r}; `mixlab marks {options.name}` says what marks it")
    if options.output:
        notes.append(write_ids(ids, options.output))
    return Shown(data | {"done": notes[1:]}, [("The first of them", shown)], notes)


def check_options(options: argparse.Namespace) -> None:
    """Wrong usage for what goes with nothing, ConfigError for impossible names: before anything is
    done.
    """
    from lab.curation.tags.checks import check_tag
    from lab.mixture.parsing import parse_name

    named = ("name", "output", "tag", "exclude", "boost", "save")
    if not options.selection and any(getattr(options, name) for name in named):
        options.misused("name a SELECTION; without one the named selections are listed")
    if options.exclude and options.boost:
        options.misused("--exclude or --boost, not both")
    if (options.exclude or options.boost) and not (options.tag and options.save):
        options.misused("--exclude and --boost need --tag NAME and --save NAME")
    if options.save and not (options.exclude or options.boost):
        options.misused("--save goes with --exclude or --boost")
    for name in filter(None, (options.tag, options.name)):
        check_tag(name)  # a selection is named by the same rule
    if options.save:
        parse_name(options.save, "--save")


def first_documents(ws: Workspace, ids: list[str], limit: int) -> pl.DataFrame:
    """Columns id, beginning of the first of them, white space and control characters as blanks."""
    from lab.corpus.sources import documents

    wanted = pl.DataFrame({"id": ids[:limit]}, schema={"id": pl.String})
    scans = [
        documents(ws, name).scan().filter(pl.col("id").is_in(wanted["id"].implode()))
        for name in sorted({id.partition("/")[0] for id in wanted["id"]})
    ]
    plain = pl.col("text").str.slice(0, 4 * CHARACTERS).str.replace_all(r"[\s\p{C}]+", " ")
    texts = [scan.select("id", beginning=plain.str.slice(0, CHARACTERS)) for scan in scans]
    if not texts:
        return wanted.with_columns(beginning=pl.lit(""))
    return wanted.join(pl.concat(texts).collect(), on="id", how="left", maintain_order="left")


def write_ids(ids: list[str], output: str) -> str:
    """Write the ids, one a line."""
    path = Path(output)
    write_text(path, "".join(f"{id}\n" for id in ids))
    return f"{len(ids):,} ids in {path}"


def use_tag(ws: Workspace, ids: list[str], options: argparse.Namespace) -> list[str]:
    """Tag the documents; save a recipe without them, or with a last phase of only them."""
    from lab.advice.stored import save_proposed
    from lab.curation.tags.store import tag
    from lab.mixture.boosting import boost_epochs, boosted, leaving_out
    from lab.mixture.recipe_files import load_recipe

    said = [f"tagged {options.tag!r}; `mixlab tag undo` takes it back"]
    if not (options.exclude or options.boost):
        tag(ws, ids, options.tag)
        return said
    recipe = load_recipe(ws, options.exclude or options.boost)
    if options.exclude:
        made = leaving_out(recipe, options.tag)
    else:
        tokens = kept_tokens(ws, recipe, ids)
        made = boosted(recipe, options.tag, tokens, options.share)
        epochs = boost_epochs(recipe, tokens, options.share)
        said.append(f"the last phase shows each of them {epochs:.3g} times")
    saved = save_proposed(ws, replace(made, name=options.save))  # refused: nothing is tagged
    tag(ws, ids, options.tag)
    return [*said, f"saved {saved}"]


def kept_tokens(ws: Workspace, recipe: Any, ids: list[str]) -> dict[str, float]:
    """Tokens of those documents that a recipe keeps, by source."""
    from lab.mixture.selection import judge

    wanted = pl.Series(ids).implode()
    kept = {
        name: verdict.frame.filter(pl.col("kept") & pl.col("id").is_in(wanted))["tokens"].sum()
        for name, verdict in judge(ws, recipe).items()
    }
    return {name: float(tokens) for name, tokens in kept.items() if tokens}
