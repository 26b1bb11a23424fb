"""Rows that pages read by id."""

import numpy as np

from lab.core.workspace import Workspace
from lab.ui.tables import read_document, texts


def test_a_document_by_id(plain_workspace: Workspace) -> None:
    from lab.corpus.sources import documents

    artifact = documents(plain_workspace, "short")
    first = artifact.scan().select("id", "text").head(1).collect().row(0)
    row = read_document(artifact, first[0])
    assert row is not None and row["text"] == first[1]
    assert read_document(artifact, "short/'; DROP TABLE x; --") is None
    assert texts(artifact, [first[0]], 10) == {first[0]: first[1][:10]}
    assert texts(artifact, []) == {}
    assert np.isfinite(row["bytes"])
