"""Published files are recognised by their fields and become the items they hold."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from published import PUBLISHED

from lab.core.errors import ConfigError, DataError
from lab.evaluation.benchmarks.formats import BY_NAME, FORMATS, GROUPS, default_group, detect
from lab.evaluation.benchmarks.items import choose_split, read_items
from lab.evaluation.benchmarks.prompts import Protocol, render
from lab.evaluation.benchmarks.templates import load_template

Write = Callable[..., Path]
REAL = Path(__file__).parents[3] / "shared" / "data" / "benchmarks"


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_row_becomes_the_item_it_holds(write_lines: Write, name: str) -> None:
    known, rows, expected, context = PUBLISHED[name]
    read = read_items("b", write_lines(*rows))
    assert read.format.name == known
    assert read.faults.is_empty()
    item = read.items.row(0, named=True) | {"meta": json.loads(read.items["meta"][0])}
    for key, value in expected.items():
        if key == "meta":
            assert item["meta"] == item["meta"] | value
        else:
            assert item[key] == value, key
    if item["choices"]:
        assert item["choices"][item["answer_index"]] == item["answer"]
    texts = render(read.items, Protocol(template=read.format.template))
    assert texts["context"][0].endswith(context)


def test_every_format_has_a_published_example() -> None:
    shown = {known for known, *_ in PUBLISHED.values()}
    assert set(BY_NAME) - shown == {"llm_foundry_answer"}


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_every_format_has_a_template_and_a_group(known: Any) -> None:
    assert load_template(known.template).source
    assert known.group in ("", *GROUPS)


def test_keys_in_digits_and_letters_of_one_file_are_both_read(write_lines: Write) -> None:
    rows = PUBLISHED["arc"][1]
    assert read_items("b", write_lines(*rows)).items["answer"].to_list() == ["a cork", "fire"]
    mixed = rows[1] | {"answerKey": "A"}  # labels 1, 2; key in letters
    assert read_items("b", write_lines(mixed)).items["answer"].to_list() == ["ice"]


@pytest.mark.parametrize(
    ("name", "change", "what"),
    [
        ("arc", {"answerKey": "E"}, "out of range"),
        ("arc", {"answerKey": ""}, "no gold answer"),
        ("arc", {"question": 3}, "'question' is not text|'question' is not str"),
        ("hellaswag", {"label": "9"}, "out of range"),
        ("hellaswag", {"label": "x"}, "not an index"),
        ("hellaswag", {"endings": "one"}, "'endings' is not list"),
        ("winogrande", {"sentence": "no blank"}, "no blank"),
        ("winogrande", {"answer": "3"}, "out of range"),
        ("boolq", {"answer": "maybe"}, "neither true nor false"),
        ("sciq", {"correct_answer": None}, "'correct_answer' is not str"),
        ("sciq", {"correct_answer": " "}, "choice is empty"),
        ("mmlu on the hub", {"answer": 4}, "out of range"),
        ("truthfulqa", {"mc1_targets": {"a": 0, "b": 0}}, "one right answer"),
        ("gsm8k", {"answer": "#### "}, "no gold answer"),
        ("lambada", {"text": "word"}, "no last word"),
        ("triviaqa on the hub", {"answer": {"value": "<unk>"}}, "no gold answer"),
    ],
)
def test_a_fault_in_a_published_row_is_named_or_set_aside(
    write_lines: Write, name: str, change: dict[str, Any], what: str
) -> None:
    known, (good, *_), _, _ = PUBLISHED[name]
    bad = {k: v for k, v in good.items() if k not in ("id", "ind", "qID", "question_id")} | change
    path = write_lines(good, bad)
    with pytest.raises(DataError, match=what) as caught:
        read_items("b", path, format=known)
    assert "items.jsonl line 2" in caught.value.where
    read = read_items("b", path, skip_invalid=True, format=known)
    assert (read.items.height, read.faults.height) == (1, 1)
    assert read.faults["line"][0] == 2


def test_two_published_items_with_one_id_are_refused(write_lines: Write) -> None:
    row = PUBLISHED["arc"][1][0]
    with pytest.raises(DataError, match="same id"):
        read_items("b", write_lines(row, row))


def test_an_unknown_file_lists_the_known_formats(write_lines: Write) -> None:
    with pytest.raises(DataError, match="known: arc, blimp, boolq"):
        read_items("b", write_lines({"utterance": "x"}))
    with pytest.raises(ConfigError, match="did you mean hellaswag"):
        read_items("b", write_lines({"a": 1}), format="hellaswagg")
    with pytest.raises(DataError, match="no benchmark file"):
        detect([1, 2], "here")


def test_a_gold_answer_that_always_stood_first_is_moved_by_content(write_lines: Write) -> None:
    row = PUBLISHED["sciq"][1][0]
    rows = [row | {"question": f"Which floats on sea {k}?"} for k in range(400)]
    path = write_lines(*rows)
    golds = read_items("b", path).items["answer_index"]
    counts = golds.value_counts()["count"].to_list()
    assert len(counts) == 4 and min(counts) > 60  # 100 each on average, sd 9
    assert read_items("b", path).items["answer_index"].equals(golds)


def test_a_byte_order_mark_and_compression_change_nothing(tmp_path: Path) -> None:
    rows = PUBLISHED["arc"][1]
    plain = "\n".join(map(json.dumps, rows)).encode()
    (tmp_path / "a.jsonl").write_bytes(plain)
    (tmp_path / "bom.jsonl").write_bytes(b"\xef\xbb\xbf" + plain)
    (tmp_path / "z.jsonl.gz").write_bytes(gzip.compress(plain))
    with pa.output_stream(str(tmp_path / "z.jsonl.zst"), compression="zstd") as out:
        out.write(plain)
    (tmp_path / "list.json").write_bytes(json.dumps(rows).encode())
    (tmp_path / "lines.json").write_bytes(plain)
    expected = read_items("b", tmp_path / "a.jsonl").items
    for name in ("bom.jsonl", "z.jsonl.gz", "z.jsonl.zst", "list.json", "lines.json"):
        assert read_items("b", tmp_path / name).items.equals(expected), name


def test_utf16_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes('{"question": "q"}'.encode("utf-16"))
    with pytest.raises(DataError, match="UTF-16"):
        read_items("b", tmp_path / "a.jsonl")


def test_mmlu_as_a_folder_of_csv_files_without_headers(tmp_path: Path) -> None:
    for split in ("dev", "val", "test", "auxiliary_train"):
        (tmp_path / "data" / split).mkdir(parents=True)
        for subject in ("anatomy", "world_law"):
            lines = [f'"{subject}, {split}\nline {k}",w,x,"y ""z""",v,{"ABCD"[k % 4]}\n'
                     for k in range(6)]  # fmt: skip
            name = f"{subject}_{split}.csv" if split != "auxiliary_train" else f"{subject}.csv"
            (tmp_path / "data" / split / name).write_text("".join(lines))
    (tmp_path / "README.txt").write_text("about")
    read = read_items("mmlu", tmp_path)
    assert read.format.name == "mmlu"
    assert sorted(read.items["split"].unique()) == ["auxiliary", "dev", "test", "validation"]
    items, used = choose_split(read.items, None, "here")
    assert (items.height, used) == (12, "test")
    assert items["question"][0] == "anatomy, test\nline 0"
    assert items["choices"][0].to_list() == ["w", "x", 'y "z"', "v"]
    assert items["answer_index"].to_list() == [0, 1, 2, 3, 0, 1] * 2
    assert json.loads(items["meta"][6]) == {"subject": "world law"}


def test_truthfulqa_as_csv(tmp_path: Path) -> None:
    (tmp_path / "TruthfulQA.csv").write_bytes(
        "\ufeffType,Category,Question,Best Answer,Correct Answers,Incorrect Answers,Source\r\n"
        "Adversarial,Myths,Do trees talk?,No,No; They do not,Yes; Only at night; ,web\r\n"
        "Adversarial,Myths,Caf\xe9?,No,No,Yes,web\r\n".encode()
    )
    items = read_items("t", tmp_path / "TruthfulQA.csv").items
    assert sorted(items["choices"][0]) == ["No", "Only at night", "Yes"]
    assert items["answer"].to_list() == ["No", "No"]
    assert items["question"][1] == "Café?"


def test_a_row_in_another_encoding_is_set_aside_alone(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"question,answer\ncaf\xc3\xa9,x\ncaf\xe9,x\nlast,x,y\nend,x\n")
    with pytest.raises(DataError, match="not UTF-8"):
        read_items("t", path)
    read = read_items("t", path, skip_invalid=True)
    assert read.items["question"].to_list() == ["café", "end"]
    assert read.faults["line"].to_list() == [3, 4]


def test_labels_in_a_file_of_their_own(tmp_path: Path) -> None:
    rows = [{"goal": f"g{k}", "sol1": "a", "sol2": "b"} for k in range(3)]
    lines = "\n".join(map(json.dumps, rows))
    (tmp_path / "valid.jsonl").write_text(lines)
    (tmp_path / "valid-labels.lst").write_text("0\n1\n1\n")
    (tmp_path / "tests.jsonl").write_text(lines)
    read = read_items("piqa", tmp_path)
    assert read.items["answer_index"].to_list() == [0, 1, 1]
    assert read.items["split"].unique().to_list() == ["validation"]
    assert read.unlabelled == 3  # the published test split has no answers
    with pytest.raises(DataError, match="no gold answer"):
        read_items("piqa", tmp_path / "tests.jsonl")
    (tmp_path / "valid-labels.lst").write_text("0\n1\n")
    with pytest.raises(DataError, match="fewer lines"):
        read_items("piqa", tmp_path / "valid.jsonl")


def test_triviaqa_as_its_authors_publish_it(tmp_path: Path) -> None:
    answer = {"Value": "Cork", "Aliases": ["Cork"], "NormalizedAliases": ["cork", "corks"]}
    data = [{"Question": "What floats?", "QuestionId": "tc_9", "Answer": answer}]
    path = tmp_path / "verified-wikipedia-dev.json"
    path.write_text(json.dumps({"Data": data, "Domain": "Wikipedia"}))
    items = read_items("triviaqa", path).items
    assert items.select("id", "split", "answer").row(0) == ("tc_9", "dev", "Cork")
    assert json.loads(items["meta"][0])["aliases"] == ["cork", "corks"]


def test_lambada_as_plain_text(tmp_path: Path) -> None:
    (tmp_path / "lambada_test_plain_text.txt").write_text("he saw the sea\nshe mends a net\n")
    items = read_items("lambada", tmp_path / "lambada_test_plain_text.txt").items
    assert items.select("question", "answer").row(1) == ("she mends a", "net")


def test_the_hub_s_parquet_files_are_one_benchmark(tmp_path: Path) -> None:
    row = PUBLISHED["arc on the hub"][1][0]
    (tmp_path / "ARC-Easy").mkdir()
    for split, count in (("train", 3), ("validation", 1), ("test", 2)):
        rows = [row | {"id": f"{split}-{k}"} for k in range(count)]
        pl.DataFrame(rows).write_parquet(tmp_path / "ARC-Easy" / f"{split}-00000-of-00001.parquet")
    read = read_items("arc", tmp_path)
    assert read.format.name == "arc"
    assert read.items["split"].value_counts(sort=True).rows() == [
        ("train", 3), ("test", 2), ("validation", 1)]  # fmt: skip


def test_groups_go_by_format_template_and_name() -> None:
    plain = BY_NAME["plain"]
    assert default_group("mine", BY_NAME["arc"], "arc") == "knowledge"
    assert default_group("mine", plain, "gsm8k") == "math"
    assert default_group("blimp_a", plain, "plain") == "language"
    assert default_group("facts_twin", plain, "plain") == "knowledge"
    assert default_group("something", plain, "plain") == ""


@pytest.mark.skipif(not REAL.is_dir(), reason="the development data is not here")
@pytest.mark.parametrize(
    ("name", "items", "group"),
    [
        ("arc_easy.parquet", 4627, "knowledge"),
        ("piqa.parquet", 1838, "reasoning"),
        ("gsm8k.parquet", 8792, "math"),
        ("blimp_a.jsonl.zst", 10200, "language"),
    ],
)
def test_real_files_are_read_whole(name: str, items: int, group: str) -> None:
    read = read_items("b", REAL / name)
    assert (read.items.height, read.faults.height, read.format.name) == (items, 0, "plain")
    assert default_group(name, read.format, read.format.template) == group
