"""Measured signals: what is stored, and when it has to be measured again."""

from collections.abc import Callable

import pytest

from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace
from lab.curation import measure as measuring
from lab.curation.measure import measure, require_signals, stored_signals
from lab.curation.signals import SETS

WORDS = "gopher.word_count@ws1"


def test_a_workspace_measured_with_fewer_columns_is_measured_again(
    plain_workspace: Workspace,
    copy_of: Callable[[Workspace], Workspace],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import shutil

    ws = copy_of(plain_workspace)
    shutil.rmtree(ws.artifacts / "signals", ignore_errors=True)
    name = min(SETS, key=lambda s: len(SETS[s]))
    monkeypatch.setattr(measuring, "SETS", {name: (WORDS,)})
    measure(ws, "short", name)
    assert list(stored_signals(ws, "short")) == [WORDS]
    more = (WORDS, "gopher.mean_word_length@ws1")
    monkeypatch.setattr(measuring, "SETS", {name: more})
    assert stored_signals(ws, "short") == {}
    with pytest.raises(ArtifactMissing, match="has not been measured"):
        require_signals(ws, "short", [WORDS])
    measure(ws, "short", name)
    assert tuple(stored_signals(ws, "short")) == more
