"""What a model is shown, written out by hand for every kind of template."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from published import PUBLISHED
from tiny_models import frame, item

from lab.core.errors import ConfigError
from lab.core.workspace import Workspace, create
from lab.evaluation.benchmarks.items import read_items
from lab.evaluation.benchmarks.prompts import (
    Protocol,
    load_protocol,
    load_shots,
    render,
    render_benchmark,
)
from lab.evaluation.benchmarks.registry import Choice, add_benchmark
from lab.evaluation.benchmarks.shots import choose_shots
from lab.evaluation.benchmarks.templates import FORMS, PARAPHRASED, load_template, template_names

Write = Callable[..., Path]
ARC = Protocol(template="arc")


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return create(tmp_path / "w")


def pairs(table: pl.DataFrame) -> list[tuple[str, str]]:
    return list(table.select("context", "continuation").iter_rows())


def science(count: int, split: str) -> list[dict[str, object]]:
    return [
        {"id": f"{split}{k}", "question": f"{split} {k}?", "choices": ["yes", "no", "so"],
         "answer": k % 3, "split": split}
        for k in range(count)
    ]  # fmt: skip


def test_items_stand_as_written_without_a_protocol() -> None:
    items = frame([item(0, question="Q {choice}", choices=["a", "bé"]), item(1, question="R ")])
    table = render(items)
    assert pairs(table) == [("Q {choice}", " a"), ("Q {choice}", " bé"), ("R", " the bridge")]
    assert table["bytes"].to_list() == [2, 4, 11]
    assert table["item"].to_list() == [0, 0, 1]
    assert table.schema == pl.Schema(
        {"item": pl.UInt32, "context": pl.String, "continuation": pl.String, "bytes": pl.UInt32}
    )


def test_a_template_puts_one_space_before_every_choice_as_the_harness_does() -> None:
    items = frame([item(0, question="Q ", choices=["a", " b"], answer_index=1)])
    table = render(items, Protocol("cloze", 1, "openbookqa"), items)
    assert pairs(table) == [("Q   b\n\nQ", "  a"), ("Q   b\n\nQ", "   b")]
    code = frame([item(0, question="def f():\n", answer="    return 1\n")])
    assert pairs(render(code, Protocol(template="humaneval"))) == [
        ("def f():", "\n    return 1\n")]  # fmt: skip


def test_letters_list_the_choices_and_score_their_letters() -> None:
    items = frame([item(0, question="Which?", choices=["x", "y"], answer_index=1)])
    prompt = "Question: Which?\nA. x\nB. y\nAnswer:"
    assert pairs(render(items, Protocol("letters", 0, "arc"))) == [(prompt, " A"), (prompt, " B")]


def test_twenty_six_choices_have_letters_and_twenty_seven_do_not() -> None:
    most = frame([item(0, question="Q", choices=[f"c{k}" for k in range(26)])])
    table = render(most, Protocol("letters"))
    assert table["continuation"].to_list()[::25] == [" A", " Z"]
    more = frame([item(0, question="Q", choices=[f"c{k}" for k in range(27)])])
    with pytest.raises(ConfigError, match="cloze form"):
        render(more, Protocol("letters"))
    assert render(more).height == 27


def test_letters_need_choices() -> None:
    with pytest.raises(ConfigError, match="two to 26"):
        render(frame([item(0, question="Q")]), Protocol("letters"))


def test_shots_stand_before_every_item_in_the_order_of_their_file() -> None:
    shots = frame([item(k, question=f"S{k}", choices=["u", "v"], answer_index=k) for k in (0, 1)])
    items = frame([item(5, question="Q", choices=["a", "b"])])
    before = "Question: S0\nAnswer: u\n\nQuestion: S1\nAnswer: v\n\n"
    context = before + "Question: Q\nAnswer:"
    assert pairs(render(items, Protocol("cloze", 2, "arc"), shots)) == [
        (context, " a"), (context, " b")]  # fmt: skip
    letters = render(items, Protocol("letters", 1, "arc"), shots)["context"][0]
    assert letters == ("Question: S0\nA. u\nB. v\nAnswer: A\n\nQuestion: Q\nA. a\nB. b\nAnswer:")


def test_winogrande_scores_what_follows_the_blank(write_lines: Write) -> None:
    items = read_items("w", write_lines(*PUBLISHED["winogrande"][1])).items
    assert pairs(render(items, Protocol(template="winogrande"))) == [
        ("Ann gave Eva the key because Ann", " had a lock."),
        ("Ann gave Eva the key because Eva", " had a lock."),
    ]
    shown = render(items, Protocol("cloze", 1, "winogrande"), items)["context"][0]
    assert shown.startswith("Ann gave Eva the key because Eva had a lock.\n\nAnn gave")


def test_gsm8k_s_shots_show_the_solution_and_its_items_the_answer(write_lines: Write) -> None:
    items = read_items("g", write_lines(*PUBLISHED["gsm8k"][1])).items
    (context, scored), *_ = pairs(render(items, Protocol("cloze", 1, "gsm8k"), items))
    assert context == (
        "Question: 2 nets of 3 fish?\nAnswer: 2*3 = <<2*3=6>>6 fish.\n#### 6\n\n"
        "Question: 2 nets of 3 fish?\nAnswer:"
    )
    assert scored == " 6"


def test_mmlu_s_shots_are_of_the_item_s_subject(ws: Workspace, tmp_path: Path) -> None:
    for split in ("dev", "test"):
        for subject in ("anatomy", "world_law"):
            (tmp_path / f"{subject}_{split}.csv").write_text(
                "".join(f"{subject} {split} {k},a,b,c,d,{'ABCD'[k]}\n" for k in range(3))
            )
    folder = tmp_path / "mmlu"
    folder.mkdir()
    for path in tmp_path.glob("*.csv"):
        path.rename(folder / path.name)
    add_benchmark(ws, "mmlu", folder, choice=Choice(form="letters", shots=2))
    _, items, table = render_benchmark(ws, "mmlu")
    last = table.filter(item=items.height - 1)["context"][0]
    options = "\nA. a\nB. b\nC. c\nD. d\nAnswer:"
    assert last == (
        "The following are multiple choice questions (with answers) about world law.\n\n"
        f"world_law dev 0{options} A\n\nworld_law dev 1{options} B\n\nworld_law test 2{options}"
    )
    assert load_shots(ws, "mmlu").height == 4


def test_shots_come_from_a_split_that_is_not_scored(ws: Workspace, write_lines: Write) -> None:
    path = write_lines(*science(4, "test"), *science(3, "validation"), *science(2, "train"))
    known = add_benchmark(ws, "s", path, choice=Choice(shots=2, template="arc"))
    assert (known.split, known.shots) == ("test", 2)
    assert load_shots(ws, "s")["id"].to_list() == ["train0", "train1"]
    assert load_protocol(ws, "s") == Protocol("cloze", 2, "arc")
    with pytest.raises(ConfigError, match="too few items"):
        add_benchmark(ws, "t", path, choice=Choice(shots=3))
    with pytest.raises(ConfigError, match="no split to take shots from"):
        only = write_lines(*science(4, "test"), name="o.jsonl")
        add_benchmark(ws, "t", only, choice=Choice(shots=1))
    everything = read_items("s", path).items
    scored = everything.filter(split="train")
    shots = choose_shots(everything, "train", Protocol("cloze", 1), load_template("plain"))
    assert not set(shots["id"]) & set(scored["id"])


def test_the_hash_covers_items_protocol_and_shots(ws: Workspace, write_lines: Write) -> None:
    rows = [*science(4, "test"), *science(2, "train")]
    path = write_lines(*rows)
    wanted = [
        Choice(), Choice(form="letters"), Choice(template="arc"), Choice(shots=1), Choice(shots=2)
    ]  # fmt: skip
    hashes = [add_benchmark(ws, f"b{k}", path, choice=c).hash for k, c in enumerate(wanted)]
    rows[4]["question"] = "another shot?"
    other = add_benchmark(ws, "b9", write_lines(*rows, name="o.jsonl"), choice=Choice(shots=1))
    assert len({*hashes, other.hash}) == 6


def test_sentences_without_a_prompt_take_no_shots() -> None:
    items = frame([item(0, choices=["A b.", "B a."], kind="minimal_pair")])
    assert pairs(render(items)) == [("", "A b."), ("", "B a.")]
    assert pairs(render(items, Protocol(template="blimp"))) == [("", " A b."), ("", " B a.")]
    with pytest.raises(ConfigError, match="Minimal pairs"):
        render(items, Protocol("cloze", 1), items)
    asked = "Which sentence is good English?\nA. A b.\nB. B a.\nAnswer:"
    assert render(items, Protocol("letters", 0, "blimp"))["context"][0] == asked


@pytest.mark.parametrize("name", template_names())
def test_every_template_has_a_paraphrase_of_every_form(name: str) -> None:
    for form in FORMS:
        try:
            plain = load_template(name, form)
        except ConfigError as error:
            assert "has no letters form" in error.what
            continue
        other = load_template(name + PARAPHRASED, form)
        assert plain.context != other.context
        assert "{question}" in plain.context + "{question}" * (name in ("winogrande", "blimp"))
        assert other.source == plain.source != ""


def test_unknown_templates_and_forms_are_named() -> None:
    with pytest.raises(ConfigError, match="did you mean arc"):
        load_template("arcc")
    with pytest.raises(ConfigError, match="no such template"):
        load_template("arc/other")
    with pytest.raises(ConfigError, match="Unknown form"):
        load_template("arc", "letter")
