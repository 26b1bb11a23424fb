"""The command that says what stopping runs early would have cost."""

import argparse

from lab.cli.act import workspace
from lab.cli.show import Shown


def early(options: argparse.Namespace) -> Shown:
    """The order of mixtures on the way against that at the end."""
    from lab.evaluation.comparing.early import early as look
    from lab.evaluation.comparing.early import words
    from lab.evaluation.runs.metrics import MEAN

    scope = "heldout" if options.metric == "bpb" else "benchmark"
    found = look(workspace(options), options.names, (scope, options.on or MEAN, options.metric))
    title = f"{found.scope} {found.on} {found.metric}, {found.unit}: stopping at a share of budget"
    notes = [*words(found).values(), *found.notes]
    return Shown(found.to_json(), [(title, found.frame())], notes)
