"""Target `recipe`: the decision itself, for a colleague or a reviewer.

`selection.sql` gives the ids that are kept; `ledger.json` what the recipe leaves of each source.
"""

from pathlib import Path

from lab.core.files import write_json, write_text
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.export.plan import Plan
from lab.export.selection_sql import selection_sql


def write(ws: Workspace, plan: Plan, folder: Path, progress: Progress) -> list[str]:
    """Write selection.sql and ledger.json."""
    write_text(folder / "selection.sql", selection_sql(ws, plan.recipe))
    ledger = {"sources": plan.ledger.sources.to_dicts(), "rules": plan.ledger.rules.to_dicts()}
    write_json(folder / "ledger.json", ledger)
    progress(1, 1, "recipe")
    return [
        "`selection.sql` returns the kept ids with a flag per phase: run it with DuckDB in the "
        "workspace's folder.",
        "`mixlab ledger recipe.yaml` and `mixlab train recipe.yaml` read the recipe as it is.",
    ]
