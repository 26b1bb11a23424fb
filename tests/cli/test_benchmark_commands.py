"""`mixlab benchmark`: what is registered, the exact prompt on the terminal, twins, removal."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.cli.main import main

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("list")`: the JSON that `mixlab benchmark list` prints in a new workspace."""

    def mixlab(line: str, status: int = 0, text: bool = False) -> Any:
        where = ["-w", str(tmp_path / "w")]
        assert main([*line.split(), *where, *([] if text else ["--json"])]) == status
        out = capsys.readouterr().out
        return out if text else json.loads(out)

    mixlab("init")
    folder = tmp_path / "ARC-Easy"
    folder.mkdir()
    for split, count in (("Train", 3), ("Dev", 2), ("Test", 4)):
        rows = [
            {
                "id": f"{split}_{k}",
                "question": {
                    "stem": f"{split} {k}?",
                    "choices": [{"text": f"{letter}{k}", "label": letter} for letter in "ABCD"],
                },
                "answerKey": "ABCD"[k],
            }
            for k in range(count)
        ]
        text = "\n".join(map(json.dumps, rows))
        (folder / f"ARC-Easy-{split}.jsonl").write_text(text)
    return mixlab


def test_a_published_folder_is_read_with_its_shots(run: Run, tmp_path: Path) -> None:
    known = run(f"benchmark add arc {tmp_path / 'ARC-Easy'} --shots 2")
    assert (known["items"], known["split"], known["other_splits"]) == (4, "test", 5)
    assert (known["format"], known["template"], known["group"]) == ("arc", "arc", "knowledge")
    shown = run("benchmark show arc --item Test_3")
    expected = (
        "".join(f"Question: Train {k}?\nAnswer: {'AB'[k]}{k}\n\n" for k in range(2))
        + "Question: Test 3?\nAnswer:"
    )
    assert shown["contexts"] == [expected] * 4
    assert (shown["continuations"][3], shown["gold"]) == (" D3", 3)


def test_the_prompt_on_the_terminal_marks_white_space_and_the_right_one(
    run: Run, tmp_path: Path
) -> None:
    run(f"benchmark add arc {tmp_path / 'ARC-Easy'} --form letters")
    lines = run("benchmark show arc", text=True).splitlines()
    start = lines.index("--- the model is shown")
    assert lines[start + 1 :] == [
        "Question: Test 0?⏎", "A. A0⏎", "B. B0⏎", "C. C0⏎", "D. D0⏎", "Answer:",
        "--- scored", "* [·A]", "  [·B]", "  [·C]", "  [·D]", "* the right one"]  # fmt: skip
    assert "chance 0.25" in lines[0]


def test_twin_list_remove_and_restore(run: Run, tmp_path: Path) -> None:
    run(f"benchmark add arc {tmp_path / 'ARC-Easy'} --group reasoning")
    assert run("benchmark twin arc --by letters")["benchmark"]["form"] == "letters"
    refused = run("benchmark twin arc --by template", status=1)
    assert "holds other items" in str(refused)
    run("benchmark twin arc --by template --replace")
    listed = run("benchmark list")["benchmarks"]
    assert [(b["name"], b["group"], b["twin_by"]) for b in listed] == [
        ("arc", "reasoning", ""), ("arc_twin", "reasoning", "template")]  # fmt: skip
    assert run("benchmark remove arc") == {"removed": "arc"}
    assert [b["name"] for b in run("benchmark list")["benchmarks"]] == ["arc_twin"]
    assert run("benchmark restore arc")["benchmark"]["name"] == "arc"


def test_invalid_items_stop_or_are_set_aside(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    good = {"question": "q?", "choices": ["a", "b"], "answer": 0}
    rows = [good, good | {"answer": 2}, good | {"choices": ["a"]}]
    path.write_text("\n".join(map(json.dumps, rows)))
    refused = run(f"benchmark add q {path}", status=1)
    assert "out of range" in str(refused) and "line 2" in str(refused)
    known = run(f"benchmark add q {path} --skip-invalid")
    assert (known["items"], known["skipped"]) == (1, 2)
    assert known["reasons"] == {
        "An item has fewer than two choices.": 1,
        "The gold answer is out of range.": 1,
    }
    unknown = run(f"benchmark add r {path} --format arcs", status=1)
    assert "did you mean arc" in str(unknown)


@pytest.mark.parametrize("line", ["benchmark show", "benchmark twin x", "benchmark add x"])
def test_what_is_missing_is_wrong_usage(run: Run, line: str) -> None:
    with pytest.raises(SystemExit) as end:
        run(line)
    assert end.value.code == 2
