"""label, score and tag as a user meets them; the model is a server on this machine."""

import json
import re
import time
from pathlib import Path

import pytest

from lab.cli.main import main
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.jobs.store import get_job
from tests.curation.llm_server import Answer, completion, serving

KEY = "sk-secret-0123456789"


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Source `web` of 80 texts that state their grade."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("MIXLAB_LLM_API_KEY", KEY)
    ws = create(tmp_path / "workspace")
    path = tmp_path / "web.jsonl"
    rows = [{"key": str(k), "text": f"text {k}, grade {k % 6} " * 3} for k in range(80)]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    add_source(ws, "web", [str(path)], id_column="key")
    return ws


def honest(number: int, question: str) -> Answer:
    grade = re.search(r"grade (\d)", question)
    return completion(f"Educational score: {grade[1] if grade else 'none'}")


def mixlab(ws: Workspace, capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, object]:
    """The JSON of a command and its status under "status"."""
    status = main([*argv, "-w", str(ws.root), "--json", "--quiet"])
    return {**json.loads(capsys.readouterr().out), "status": status}


def test_from_documents_to_a_score(ws: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(honest) as server:
        ask = ["label", "edu", "--base-url", server.url, "--model", "m", "--count", "70"]
        ask += ["--budget", "1.00", "--price-in", "0.1", "--price-out", "0.4"]
        plan = mixlab(ws, capsys, *ask, "--dry-run")
        assert plan["estimate"]["to_ask"] == 70  # type: ignore[index]
        assert server.questions == []
        job = mixlab(ws, capsys, *ask, "--detach")["job"]
        while get_job(ws, str(job)).active:
            time.sleep(0.1)
        assert get_job(ws, str(job)).state == "done"
        assert len(server.questions) == 70
        assert mixlab(ws, capsys, *ask)["labelled"] == 70
        assert len(server.questions) == 70
        assert set(server.keys) == {f"Bearer {KEY}"}
    files = [path for path in ws.root.rglob("*") if path.is_file()]
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    fitted = mixlab(ws, capsys, "score", "edu", "--fit-only")
    assert (fitted["labels"], fitted["documents"]) == (70, {})
    scored = mixlab(ws, capsys, "score", "edu", "--labels", "llm:edu")
    assert scored["documents"] == {"web": 80}
    refused = mixlab(ws, capsys, "score", "edu", "--head", "embedding-ridge")
    assert refused["status"] == 1
    assert "mixlab embed --source web --sample 80" in str(refused["next"])


def test_tags_are_given_taken_back_and_exported(
    ws: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert mixlab(ws, capsys, "tag", "add", "spam", "web/1", "web/2")["tags"] == {"spam": 2}
    assert mixlab(ws, capsys, "tag", "remove", "spam", "web/1")["tags"] == {"spam": 1}
    assert mixlab(ws, capsys, "tag", "undo")["undo"] == "untag 1 document: spam"
    assert mixlab(ws, capsys, "tag", "list")["tags"] == {"spam": 2}
    assert mixlab(ws, capsys, "tag", "redo")["redo"] == "untag 1 document: spam"
    wrong = mixlab(ws, capsys, "tag", "add", "spam", "web/999")
    assert (wrong["status"], wrong["value"]) == (1, "['web/999']")
    for k in range(80):
        assert main(["tag", "add", f"edu-{k % 6}", f"web/{k}", "-w", str(ws.root)]) == 0
    capsys.readouterr()
    path = tmp_path / "edu.jsonl"
    assert mixlab(ws, capsys, "tag", "export", "edu", str(path))["labels"] == 80
    assert (
        mixlab(ws, capsys, "score", "edu", "--labels", "people:edu", "--fit-only")["labels"] == 80
    )
    with pytest.raises(SystemExit):
        main(["tag", "add", "spam", "-w", str(ws.root)])
