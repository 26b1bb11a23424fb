"""What `mixlab phases` and `mixlab thresholds` share: their runs, and saving what they propose."""

import argparse
from collections.abc import Callable
from typing import Any

from lab.cli.act import workspace
from lab.mixture.recipe import Recipe


def require_recipe(options: argparse.Namespace) -> None:
    """Wrong usage without a recipe, or with options that only tables need."""
    if options.model != "auto":
        options.misused("--model goes with --ratios and --metrics")
    if not options.recipe:
        options.misused("name a RECIPE, or give --ratios and --metrics")
    if asked := [name for name in options.tables_only if getattr(options, name) is not None]:
        options.misused(f"--{asked[0].replace('_', '-')} goes with --ratios and --metrics")
    if options.save and options.detach:
        options.misused("--save needs the answer: leave out --detach, or save it on the page")


def require_tables(options: argparse.Namespace) -> None:
    """Wrong usage if tables come with what only a recipe's runs need."""
    if options.recipe:
        options.misused("name a RECIPE, or give --ratios and --metrics, not both")
    if asked := [name for name in ("save", "by", "detach") if getattr(options, name, None)]:
        options.misused(f"--{asked[0]} goes with a recipe of the workspace")


def keep(options: argparse.Namespace, make: Callable[[Recipe, str], Recipe]) -> dict[str, str]:
    """Save what was proposed under the name after --save; another recipe is never replaced."""
    from lab.advice.stored import save_proposed
    from lab.mixture.parsing import parse_name
    from lab.mixture.recipe_files import load_recipe

    if not options.save:
        return {}
    ws = workspace(options)
    name = parse_name(options.save, "--save")
    path = save_proposed(ws, make(load_recipe(ws, options.recipe), name))
    return {"saved": f"saved {path}"}


def fit_of_tables(options: argparse.Namespace) -> Any:
    """The fit of the two tables."""
    from lab.advice.evidence.tables import read_tables
    from lab.advice.fitting.fit import fit_table
    from lab.advice.laws import candidates

    require_tables(options)
    if not (options.ratios and options.metrics):
        options.misused("--ratios and --metrics go together")
    ratios, metrics = read_tables(options.ratios, options.metrics)
    only = (options.metric,) if options.metric else ()
    higher = options.higher or ()
    return fit_table(ratios, metrics, laws=candidates(options.model), only=only, higher=higher)
