"""Text edits: changed texts kept apart from the originals; the recipe says which is trained on.

    from lab.curation.edits import apply_edits, diff
    edited = apply_edits(texts, ["c4-lines", "mask-pii"])

An edit maps a text to a text and never drops a document. Signals, duplicates and contamination
describe the originals, whatever edits a recipe names.
"""

from lab.curation.edits.difference import Change, diff
from lab.curation.edits.documents import edit_documents, require_edits
from lab.curation.edits.registry import EDITS, Edit, apply_edits, check_edits

__all__ = [
    "EDITS",
    "Change",
    "Edit",
    "apply_edits",
    "check_edits",
    "diff",
    "edit_documents",
    "require_edits",
]
