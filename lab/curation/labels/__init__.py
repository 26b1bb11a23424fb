"""Labels on single documents: from people, from a file, or from a language model.

`files` reads and registers them, `llm` asks an endpoint for them, `agreement` compares labellers.
"""

from lab.curation.labels.files import (
    Labels,
    check_label_name,
    label_names,
    labelled_documents,
    merge_labels,
    read_labels,
    read_ratings,
    register_labels,
    registered_labels,
    registered_ratings,
)

__all__ = [
    "Labels",
    "check_label_name",
    "label_names",
    "labelled_documents",
    "merge_labels",
    "read_labels",
    "read_ratings",
    "register_labels",
    "registered_labels",
    "registered_ratings",
]
