"""Commands on recipes: list, start one by a template, ledger, export."""

import argparse

from lab.cli import act, read, recipe
from lab.cli.commands.options import Options, command, count


def add_recipe_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """recipes, recipe, ledger, export."""
    command(commands, "recipes", read.recipes, "list recipes", "mixlab recipes")
    p = command(
        commands,
        "recipe",
        lambda o: recipe.templates(o) if o.what == "templates" else recipe.new(o),
        "start a recipe by a template, or list the templates",
        "mixlab recipe templates\n"
        "mixlab recipe new phi-3-like --template broad-then-sharpened --from natural\n"
        "mixlab recipe new phi-3-flat --template matched-exposure --from phi-3-like",
    )
    p.add_argument("what", choices=("new", "templates"))
    p.add_argument("name", metavar="NAME", nargs="?")
    p.add_argument("--template", metavar="T", help="see `mixlab recipe templates`")
    p.add_argument(
        "--from",
        dest="base",
        metavar="RECIPE",
        help="whose sources, rules, duplicates and budget to keep (default: all sources, no rules)",
    )
    p.add_argument("--tokens", type=count, help="budget of the real run (default: that of --from)")
    p = command(
        commands,
        "ledger",
        read.ledger,
        "what a recipe leaves: documents, tokens, epochs, effective tokens, what each rule took",
        "mixlab ledger phi-like\nmixlab ledger ./my-recipe.yaml --json",
    )
    p.add_argument("recipe", metavar="RECIPE", help="a recipe of the workspace, or a file")
    p = command(
        commands,
        "export",
        act.export,
        "write the files of a target: a trainer, a filter tool, a colleague",
        "mixlab export balanced --to megatron -o out/\nmixlab export --list",
        detachable=True,
    )
    p.add_argument("recipe", metavar="RECIPE", nargs="?")
    p.add_argument("--to", metavar="TARGET", help="see --list")
    p.add_argument("-o", "--output", metavar="DIR")
    p.add_argument("--list", action="store_true", help="name the targets")
