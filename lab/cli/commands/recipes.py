"""Commands on recipes: list, ledger, export."""

import argparse

from lab.cli import act, read
from lab.cli.commands.options import Options, command


def add_recipe_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """recipes, ledger, export."""
    command(commands, "recipes", read.recipes, "list recipes", "mixlab recipes")
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
