"""`mixlab contamination`: the report on the terminal and on disk, decisions and their undoing."""

import json
from pathlib import Path

import polars as pl
import pytest

from lab.cli.main import main
from tests.conftest import plain_texts, write_jsonl


def mixlab(capsys: pytest.CaptureFixture[str], line: str, status: int = 0) -> dict[str, object]:
    assert main([*line.split(), "--json"]) == status
    return json.loads(capsys.readouterr().out)


def test_report_and_review(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    w = f"-w {tmp_path / 'w'}"
    texts = plain_texts(40, 120, 5)
    web = write_jsonl(tmp_path / "web.jsonl", texts)
    question = " ".join(texts[3].split()[10:40])
    other = " ".join(plain_texts(1, 30, 99)[0].split())
    items = [{"question": question, "answer": "no"}, {"question": other, "answer": "yes"}]
    (tmp_path / "quiz.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    mixlab(capsys, f"init {w}")
    mixlab(capsys, f"add web {web} {w}")
    mixlab(capsys, f"measure {w}")
    mixlab(capsys, f"benchmark add quiz {tmp_path / 'quiz.jsonl'} {w}")
    early = mixlab(capsys, f"contamination report {w}", status=1)
    assert "mixlab decontaminate" in str(early["next"])
    searched = mixlab(capsys, f"decontaminate {w}")
    assert searched["sources"]["web"]["verdicts"] == {"CONTAMINATED(13)": 1}
    output = tmp_path / "report"
    report = mixlab(capsys, f"contamination report {w} --output {output}")
    (match,) = report["matches"]
    text = texts[3][match["document_start"] : match["document_end"]]
    assert " ".join(text.split()).strip(".").startswith(" ".join(question.split()[:20]))
    assert report["header"]["benchmarks"][0]["name"] == "quiz"
    assert pl.read_parquet(output / "items.parquet").height == 2
    assert json.loads((output / "header.json").read_text())["ngram"] == 13
    document = match["id"]
    kept = mixlab(capsys, f"contamination keep {document} --benchmark quiz --note fine {w}")
    assert [d["id"] for d in kept["decisions"]] == [document]
    shown = mixlab(capsys, f"contamination report {w}")
    assert shown["sources"][0]["documents_removed"] == 0
    assert mixlab(capsys, f"contamination undo {w}")["undone"]["decision"] == "keep"
    assert mixlab(capsys, f"contamination decisions {w}") == {"decisions": []}
    with pytest.raises(SystemExit):
        main(["contamination", "drop", *w.split()])
    refused = mixlab(capsys, f"decontaminate --allow-common 5 {w}", status=1)
    assert "--reference" in str(refused["next"])
