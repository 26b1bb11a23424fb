"""What each action does: call the stage, say in a small dict what came of it.

The only place that knows every stage. Each function is one path for page, terminal and worker;
heavy packages are imported by the stages, inside their functions.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.jobs import actions as a
from lab.jobs.steps import (
    advice,
    breadth,
    cheap,
    columns,
    corpus,
    curation,
    diversity,
    posttraining,
    quality,
    runs,
    search,
    selecting,
)

Result = dict[str, Any]


def export(ws: Workspace, p: a.Export, progress: Progress) -> Result:
    """The files of a target."""
    from lab.export import export as write_target
    from lab.mixture.recipe_files import load_recipe

    recipe = load_recipe(ws, p.recipe)
    return asdict(write_target(ws, recipe, p.target, Path(p.output), progress=progress))


STEPS: dict[str, Callable[[Workspace, Any, Progress], Result]] = {
    "sample": corpus.sample,
    "add": corpus.add,
    "tokenizer": corpus.tokenizer,
    "measure": curation.measure,
    "index": search.index,
    "edit": curation.edit,
    "dedup": curation.dedup,
    "decontaminate": curation.decontaminate,
    "label": quality.label,
    "score": quality.score,
    "embed": diversity.embed,
    "map": diversity.project,
    "marks": diversity.marks,
    "diversity": breadth.diversity,
    "select": selecting.select,
    "benchmark": runs.benchmark,
    "train": runs.train,
    "resume": runs.resume,
    "sweep": advice.sweep,
    "posttrain": posttraining.posttrain,
    "track": posttraining.track,
    "advise": advice.advise,
    "loop": advice.loop,
    "validate": advice.validate,
    "reuse": advice.reuse,
    "phases": columns.phases,
    "thresholds": columns.thresholds,
    "first_answer": cheap.first_answer,
    "evaluate": runs.evaluate,
    "export": export,
}
