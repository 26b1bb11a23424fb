"""The text a recipe trains on: the documents' own, or what the edits it names leave of it.

Signals, duplicates and contamination are those of the original, so that switching an edit on does
not change which documents pass; tokens, training and exports are those of the edited text. Held-out
loss is measured on original text, the same for every recipe.
"""

from lab.core.artifacts import Artifact
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe


def trained_texts(ws: Workspace, recipe: Recipe, source: str) -> Artifact | None:
    """The edited texts of `source`, or None without edits; ArtifactMissing if not made yet."""
    edits = recipe.edits.get(source, ())
    if not edits:
        return None
    from lab.curation.edits import require_edits

    return require_edits(ws, source, edits)


def make_texts(
    ws: Workspace, recipe: Recipe, source: str, progress: Progress = SILENT
) -> Artifact | None:
    """`trained_texts`, made if they are not there yet."""
    edits = recipe.edits.get(source, ())
    if not edits:
        return None
    from lab.curation.edits import edit_documents

    return edit_documents(ws, source, edits, progress=progress)
