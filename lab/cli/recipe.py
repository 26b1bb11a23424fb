"""Commands that start a recipe: by a template, or as the one-phase twin of another."""

import argparse
from dataclasses import replace

import polars as pl

from lab.cli.act import workspace
from lab.cli.read import whole_tokens
from lab.cli.show import Shown, rows
from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe

TWIN = "matched-exposure"
TWIN_SUMMARY = "the phases of --from laid into one: what separates the two runs is the order"


def templates(options: argparse.Namespace) -> Shown:
    """The templates, with what they follow."""
    from lab.mixture.templates import TEMPLATES

    listed = [
        {"template": t.name, "summary": t.summary, "origin": t.origin} for t in TEMPLATES.values()
    ]
    listed.append({"template": TWIN, "summary": TWIN_SUMMARY, "origin": ""})
    frame = pl.DataFrame(listed).select("template", "summary")
    notes = [f"{row['template']}: {row['origin']}" for row in listed if row["origin"]]
    return Shown({"templates": listed}, [("Templates", frame)], notes)


def new(options: argparse.Namespace) -> Shown:
    """Save a new recipe; an existing one is never replaced."""
    from lab.mixture.ledger import compute_ledger
    from lab.mixture.parsing import parse_name
    from lab.mixture.recipe_files import check_recipe, save_recipe

    for given, what in ((options.name, "NAME"), (options.template, "--template")):
        if not given:
            options.misused(f"{what} is missing; `mixlab recipe templates` lists the templates")
    if options.template == TWIN and not options.base:
        options.misused(f"--template {TWIN} needs --from RECIPE")
    ws = workspace(options)
    name = parse_name(options.name, "NAME")
    if (ws.recipes / f"{name}.yaml").exists():
        raise ConfigError(
            "There is a recipe of this name already.",
            where=str(ws.recipes),
            value=name,
            next_step="choose another name, or delete the file",
        )
    made = check_recipe(ws, make(ws, options, name), name)
    found = compute_ledger(ws, made)
    path = save_recipe(ws, made)
    data = {"recipe": made.name, "path": str(path), "template": options.template}
    data |= {"note": made.note, "phases": rows(found.phases), "problems": list(found.problems)}
    shown = whole_tokens(found.phases.filter(pl.col("tokens") > 0))
    notes = [f"saved {path}", made.note, *(f"problem: {p}" for p in found.problems)]
    return Shown(data, [(f"Phases of {name!r}", shown)], notes)


def make(ws: Workspace, options: argparse.Namespace, name: str) -> Recipe:
    """The recipe that was asked for."""
    from lab.mixture.exposure import matched_exposure
    from lab.mixture.recipe_files import load_recipe
    from lab.mixture.templates import new_recipe

    if options.template == TWIN:
        made = replace(matched_exposure(load_recipe(ws, options.base)), name=name)
    else:
        base = load_recipe(ws, options.base) if options.base else None
        made = new_recipe(ws, name, options.template, base)
    if options.tokens:
        made = replace(made, mixture=replace(made.mixture, tokens=options.tokens))
    return made
