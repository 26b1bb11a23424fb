"""The parser of `mixlab`: one group of commands a file in `lab.cli.commands`."""

import argparse

from lab import __version__
from lab.cli.commands.advice import add_advice_commands
from lab.cli.commands.attributes import add_attribute_commands
from lab.cli.commands.benchmarks import add_benchmark_commands
from lab.cli.commands.columns import add_column_commands
from lab.cli.commands.contamination import add_contamination_commands
from lab.cli.commands.content import add_content_commands
from lab.cli.commands.diversity import add_diversity_commands
from lab.cli.commands.judging import add_judging_commands
from lab.cli.commands.options import Options
from lab.cli.commands.posttraining import add_posttraining_commands
from lab.cli.commands.quality import add_quality_commands
from lab.cli.commands.recipes import add_recipe_commands
from lab.cli.commands.runs import add_training_commands
from lab.cli.commands.search import add_search_commands
from lab.cli.commands.selecting import add_selecting_commands
from lab.cli.commands.swarm import add_swarm_commands
from lab.cli.commands.workspace import add_workspace_commands


def build_parser() -> argparse.ArgumentParser:
    """The parser of `mixlab`; every command sets `options.command`."""
    parser = argparse.ArgumentParser(
        "mixlab",
        description="Which data, how much of each, and how do we know? Read corpora, filter, mix, "
        "train small proxy models, compare, export.",
        epilog="Start with: mixlab app        Docs: README.md",
    )
    parser.add_argument("--version", action="version", version=f"mixlab {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Options)
    add_workspace_commands(commands)
    add_attribute_commands(commands)
    add_contamination_commands(commands)
    add_content_commands(commands)
    add_diversity_commands(commands)
    add_selecting_commands(commands)
    add_benchmark_commands(commands)
    add_search_commands(commands)
    add_quality_commands(commands)
    add_recipe_commands(commands)
    add_training_commands(commands)
    add_swarm_commands(commands)
    add_posttraining_commands(commands)
    add_judging_commands(commands)
    add_advice_commands(commands)
    add_column_commands(commands)
    return parser
