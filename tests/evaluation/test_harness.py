"""The harness itself, on the checkpoint as it is and on exported tasks: the same sums.

Runs where lm-evaluation-harness can be found: `make harness`, or MIXLAB_HARNESS_PYTHON.
"""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tiny_models import new_model, save_run
from tokenizers import Tokenizer

from lab.core.errors import ConfigError
from lab.core.files import read_yaml, write_json, write_yaml
from lab.core.workspace import Workspace, create
from lab.evaluation.benchmarks.harness import export_task
from lab.evaluation.benchmarks.registry import Choice, add_benchmark
from lab.evaluation.runs.evaluate import evaluate_run

Write = Callable[..., Path]
ROOT = Path(__file__).parents[2]
WORDS = ["river", "copper lamp", "the green stone", "bridge", "naïve café", "Ω", "seven letters"]


def harness_python() -> str | None:
    """An interpreter that can import lm_eval, if there is one."""
    own = ROOT / ".venv-harness" / "bin" / "python"
    if named := os.environ.get("MIXLAB_HARNESS_PYTHON"):
        return named
    if own.is_file():
        return str(own)
    return sys.executable if importlib.util.find_spec("lm_eval") else None


def questions(count: int, split: str) -> list[dict[str, Any]]:
    return [
        {
            "question": f"Which {WORDS[k % 7]} is under the {WORDS[(k + 3) % 7]}?",
            "choices": [WORDS[(k + i) % 7] for i in range(2 + k % 3)],
            "answer": k % 2,
            "split": split,
        }
        for k in range(count)
    ]


@pytest.fixture
def ws(tmp_path: Path, write_lines: Write) -> Workspace:
    ws = create(tmp_path / "w")
    rows = [*questions(20, "test"), *questions(8, "train")[5:]]
    arc = Choice(template="arc", shots=2)
    add_benchmark(ws, "shots", write_lines(*rows, name="a.jsonl"), choice=arc)
    letters = Choice(template="arc", form="letters")
    add_benchmark(
        ws, "letters", write_lines(*questions(20, "test"), name="l.jsonl"), choice=letters
    )
    pairs = [{"choices": [f"The {a} runs.", f"{a} the runs."], "answer": 0} for a in WORDS]
    add_benchmark(ws, "pairs", write_lines(*pairs, name="p.jsonl"))
    cloze = [{"question": f"The {a} is", "answer": b} for a, b in pairwise(WORDS)]
    add_benchmark(ws, "cloze", write_lines(*cloze, name="c.jsonl"))
    blank = [
        {"question": f"The {a} saw the lamp, and _ was green.", "choices": [a, "it"], "answer": 0}
        for a in WORDS
    ]
    add_benchmark(
        ws, "blank", write_lines(*blank, name="b.jsonl"), choice=Choice(template="winogrande")
    )
    return ws


@pytest.fixture
def run(ws: Workspace, tokenizer: Tokenizer) -> Path:
    """As training leaves it, with the two files from which a tokenizer is made."""
    folder = save_run(ws.runs / "r0", new_model(tokenizer.get_vocab_size()), tokenizer)
    end = "<|endoftext|>"
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": end, "eos_token": end}
    write_json(folder / "model" / "tokenizer_config.json", config)
    return folder


def run_harness(model: Path, tasks: Path, out: Path) -> dict[str, Any]:
    python = harness_python()
    if python is None:
        pytest.skip("lm-evaluation-harness is not installed: `make harness`")
    script = ROOT / "tests" / "harness" / "score_tasks.py"
    done = subprocess.run(
        [python, script, model, tasks, out],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "HF_HOME": str(out.parent / "hf")},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(out.read_text())


def own_task(folder: Path, ws: Workspace) -> None:
    """The two-shot benchmark as a task whose shots the harness puts together itself."""
    items = pl.read_parquet(ws.benchmarks / "shots" / "items.parquet")
    shots = pl.read_parquet(ws.benchmarks / "shots" / "shots.parquet")
    for name, frame in (("test", items), ("dev", shots)):
        frame.select("question", "choices", "answer_index").write_ndjson(folder / f"{name}.jsonl")
    files = {name: str(folder / f"{name}.jsonl") for name in ("test", "dev")}
    task = {
        "task": "own",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": files},
        "test_split": "test",
        "fewshot_split": "dev",
        "fewshot_config": {"sampler": "first_n"},
        "num_fewshot": 2,
        "output_type": "multiple_choice",
        "doc_to_text": "Question: {{question}}\nAnswer:",
        "doc_to_choice": "choices",
        "doc_to_target": "answer_index",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
    }
    write_yaml(folder / "own.yaml", task)


@pytest.mark.slow
def test_the_harness_gives_the_same_sums(ws: Workspace, run: Path, tmp_path: Path) -> None:
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    for name in ("shots", "letters", "pairs", "cloze", "blank"):
        export_task(ws, name, tasks)
    own_task(tasks, ws)
    theirs = run_harness(run / "model", tasks, tmp_path / "out.json")
    scores = evaluate_run(ws, run)
    assert scores.items["lost"].max() > 0  # some are cut from the left, in both
    for name, found in theirs.items():
        ours = scores.items.filter(benchmark="shots" if name == "own" else name)
        assert len(found["nats"]) == ours.height
        for mine, other in zip(ours["nats"].to_list(), found["nats"], strict=True):
            assert mine == pytest.approx(other, abs=1e-4), name
        accuracy = float(ours["correct"].cast(float).mean())  # type: ignore[arg-type]
        assert accuracy == pytest.approx(found["metrics"]["acc,none"]), name
        if "acc_norm,none" in found["metrics"]:
            by_length = float(ours["correct_norm"].cast(float).mean())  # type: ignore[arg-type]
            assert by_length == pytest.approx(found["metrics"]["acc_norm,none"]), name


def test_an_exported_task_holds_the_texts_that_are_scored(ws: Workspace, tmp_path: Path) -> None:
    config, data = export_task(ws, "shots", tmp_path)
    task = read_yaml(config)
    assert task["task"] == "mixlab_shots"
    assert task["dataset_kwargs"]["data_files"] == {"test": str(data)}
    first = json.loads(data.read_text().splitlines()[0])
    assert first["context"].count("Question:") == 3
    assert first["context"].endswith("Which river is under the bridge?\nAnswer:")
    assert (task["target_delimiter"], first["choices"]) == (" ", ["river", "copper lamp"])
    assert first["gold"] == 0
    again = tmp_path / "again"
    assert [p.read_bytes() for p in export_task(ws, "shots", again)][1] == data.read_bytes()


def test_what_the_harness_cannot_hold_is_refused(
    ws: Workspace, tmp_path: Path, write_lines: Write
) -> None:
    mixed = [
        {"question": "Which?", "choices": ["a", "b"], "answer": 0},
        {"question": "A", "answer": "b"},
    ]
    add_benchmark(ws, "mixed", write_lines(*mixed, name="m.jsonl"))
    with pytest.raises(ConfigError, match="one task"):
        export_task(ws, "mixed", tmp_path)
    assert not list(tmp_path.glob("mixed*"))
