"""The hub, served from this machine: files and datasets stream in, and its absence is explained.

One process reads everything, since `HF_ENDPOINT` is taken when huggingface_hub is imported; each
test looks at one of its answers.
"""

import gzip
import io
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fake_hub import SHA, fake_hub
from tokenizers import Tokenizer, models

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hub")]  # one fixture, one process

READ = textwrap.dedent("""
    import json, sys
    from pathlib import Path
    from lab.core.errors import LabError
    from lab.core.workspace import create
    from lab.corpus.readers.locate import locate
    from lab.corpus.sources import add_source, documents, scan_documents
    from lab.corpus.tokenizer import add_tokenizer

    folder = Path(sys.argv[1])
    answers = {}
    for number, asked in enumerate(sys.argv[2:]):
        ws = create(folder / str(number))
        try:
            if asked.startswith("tokenizer "):
                facts = add_tokenizer(ws, "t", asked.split()[1])
                answers[asked] = {"vocab": facts.vocab_size, "eot": facts.eot_token}
                continue
            summary = add_source(ws, "s", [asked])
            answers[asked] = {
                "texts": scan_documents(ws, "s").collect()["text"].to_list(),
                "meta": scan_documents(ws, "s").collect()["meta"].to_list(),
                "bad": summary.by_reason,
                "again": add_source(ws, "s", [asked]) == summary,
                "id": documents(ws, "s").id,
                "versions": [file.version for file in locate([asked]).files],
            }
        except LabError as error:
            answers[asked] = {"error": type(error).__name__, "what": error.what,
                              "value": str(error.value), "next": error.next_step}
    print(json.dumps(answers))
""")

ASKED = [
    "hf://datasets/o/rows/data/*.jsonl*",
    "hf://datasets/o/rows",
    "hf://datasets/o/rows@main/data/c.parquet",
    "hf://datasets/o/rows/nope/*.jsonl",
    "hf://datasets/o/absent/x.jsonl",
    "hf://models/o/rows",
    "hf://datasets/o/mixed",
    "o/clean",
    "o/clean@test",
    "o/clean@tset",
    "o/clean:cfg",
    "o/splits",
    "o/rows",
    "o/absent",
    "tokenizer o/tok",
    "tokenizer o/absent",
]


def parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pl.DataFrame(rows).write_parquet(sink)
    return sink.getvalue()


def repositories() -> dict[str, dict[str, bytes]]:
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "</s>": 1, "b": 2}, unk_token="a"))
    tokenizer.enable_truncation(2)
    return {
        "datasets/o/rows": {
            "README.md": b"# Rows",
            ".gitattributes": b"*.parquet lfs",
            "data/a.jsonl": b'{"text": "one"}\n{broken\n{"text": "two"}\n',
            "data/b.jsonl.gz": gzip.compress(b'{"text": "three"}\n'),
            "data/c.parquet": parquet([{"text": f"row {n}", "n": n} for n in range(500)]),
        },
        "datasets/o/clean": {
            "data/train.jsonl": b'{"text": "one", "n": 1}\n{"text": "two", "n": 2}\n',
            "data/test.jsonl": b'{"text": "three", "n": 3}\n',
        },
        "datasets/o/splits": {
            "data/validation.jsonl": b'{"text": "one"}\n',
            "data/test.jsonl": b'{"text": "two"}\n',
        },
        "datasets/o/mixed": {"rows.csv": b"text\na\n", "script.py": b"print()"},
        "o/tok": {
            "tokenizer.json": tokenizer.to_str().encode(),
            "tokenizer_config.json": b'{"eos_token": {"content": "</s>"}}',
        },
    }


def ask(folder: Path, endpoint: str, asked: list[str]) -> dict[str, dict[str, Any]]:
    settings = {"HF_ENDPOINT": endpoint, "HF_HOME": str(folder / "home"), "HF_HUB_OFFLINE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", READ, str(folder), *asked],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    with fake_hub(repositories()) as endpoint:
        return ask(tmp_path_factory.mktemp("hub"), endpoint, ASKED)


def test_files_by_glob_are_read_row_by_row_with_bad_ones_set_aside(answers: Any) -> None:
    found = answers["hf://datasets/o/rows/data/*.jsonl*"]
    assert found["texts"] == ["one", "two", "three"]
    assert found["bad"] == {"not JSON": 1}
    assert found["again"]


def test_a_whole_repository_is_its_data_files(answers: Any) -> None:
    texts = ["one", "two", "three", *(f"row {n}" for n in range(500))]
    assert answers["hf://datasets/o/rows"]["texts"] == texts


def test_a_file_at_a_revision_is_read_by_ranges(answers: Any) -> None:
    found = answers["hf://datasets/o/rows@main/data/c.parquet"]
    assert found["texts"] == [f"row {n}" for n in range(500)]
    assert found["meta"][7] == '{"n":7}'
    assert found["versions"] != [
        SHA
    ]  # the file's own id: another commit that keeps it is no change


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ("hf://datasets/o/rows/nope/*.jsonl", "ConfigError", "No file matches"),
        ("hf://datasets/o/absent/x.jsonl", "ConfigError", "no such dataset"),
        ("hf://models/o/rows", "ConfigError", "no path to a dataset"),
        ("hf://datasets/o/mixed", "ConfigError", "mixes 1 data files"),
        ("o/absent", "ConfigError", "no such dataset"),
        ("o/clean@tset", "ConfigError", "no split 'tset'"),
        ("o/clean:cfg", "ConfigError", "cannot be opened"),
        ("o/splits", "ConfigError", "no split 'train'"),
        ("o/rows", "DataError", "broke while it was read"),
        ("tokenizer o/absent", "ConfigError", "no such"),
    ],
)
def test_what_is_not_there_is_told(answers: Any, asked: str, error: str, told: str) -> None:
    assert answers[asked]["error"] == error
    assert told in answers[asked]["what"]
    assert answers[asked]["next"]


def test_a_dataset_by_id_is_its_train_split_unless_another_is_named(answers: Any) -> None:
    assert answers["o/clean"]["texts"] == ["one", "two"]
    assert answers["o/clean"]["meta"] == ['{"n":1}', '{"n":2}']
    assert answers["o/clean"]["versions"] == [SHA]
    assert answers["o/clean@test"]["texts"] == ["three"]
    assert answers["o/clean@test"]["id"] != answers["o/clean"]["id"]


def test_a_tokenizer_of_a_hub_model_brings_its_end_of_text(answers: Any) -> None:
    assert answers["tokenizer o/tok"] == {"vocab": 3, "eot": "</s>"}


def test_without_the_hub_the_error_says_what_to_do(tmp_path: Path) -> None:
    asked = ["hf://datasets/o/rows/data/a.jsonl", "o/clean", "tokenizer o/tok"]
    found = ask(tmp_path, "http://127.0.0.1:9", asked)
    for name in asked:
        assert found[name]["error"] == "DependencyMissing"
        assert "cannot be reached" in found[name]["what"]
        assert "HF_ENDPOINT" in found[name]["next"]
