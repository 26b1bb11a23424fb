"""Every template that names a task of lm-evaluation-harness asks what that task asks.

The harness is given documents of our own in the place of its data sets, with white space wherever
a published file has some: both sides read the same rows and must come to the same strings.
"""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from test_harness import ROOT, harness_python

from lab.core.files import read_yaml
from lab.evaluation.benchmarks.items import read_items
from lab.evaluation.benchmarks.prompts import Protocol, render
from lab.evaluation.benchmarks.templates import FOLDER, FORMS, template_names

Row = dict[str, Any]
Write = Callable[..., Path]
ASKED = range(2, 6)  # numbers of the rows that are asked; shots are those before


def labelled(number: int, count: int = 4) -> Row:
    texts = ["a stone", " a cork", "a nail ", "two  coins", "[a] net"][:count]
    labels = list("ABCDE")[:count] if number % 2 else [str(k + 1) for k in range(count)]
    return {"choices": {"text": texts, "label": labels}, "answerKey": labels[number % count]}


def science(number: int) -> Row:
    return {"id": f"q{number}", "question": f"Which floats on sea {number}? "[number % 2 :],
            **labelled(number)}  # fmt: skip


def common_sense(number: int) -> Row:
    return {"id": f"c{number}", "question": f" What floats in sea {number} ? ",
            "question_concept": "sea", **labelled(2 * number + 1, 5)}  # fmt: skip


def open_book(number: int) -> Row:
    row = science(number)
    return {"id": row["id"], "question_stem": row["question"], **labelled(number)}


def hella_swag(number: int) -> Row:
    endings = ["sings. ", "[substeps] flies  off.", "ties [a] knot. [title] Pull.", " melts."]
    return {"ind": number, "activity_label": "Mending a net", "ctx": "", "split": "val",
            "ctx_a": f"[header] How to mend net {number} [title] Find the hole.  [step] Look.",
            "ctx_b": ["the FISHER", ""][number % 2], "endings": endings, "label": str(number % 4),
            "split_type": "indomain", "source_id": f"wikihow~{number}"}  # fmt: skip


def physical(number: int) -> Row:
    return {"goal": f"dry coat {number} ", "sol1": " hang it up", "sol2": "hang it  down\n",
            "label": number % 2}  # fmt: skip


def blank(number: int) -> Row:
    after = [" had a lock _ . ", ", it seems, had none."][number % 2]
    return {"sentence": f"Ann gave Eva {number} keys, because _{after}", "option1": "Ann",
            "option2": "Eva ", "answer": str(number % 2 + 1)}  # fmt: skip


def yes_or_no(number: int) -> Row:
    return {"idx": number, "question": f"is moor {number} wet", "label": number % 2,
            "passage": f"Moor ({number}) -- Moors are wet. "}  # fmt: skip


def by_its_authors(number: int) -> Row:
    return {"question": f"is moor {number} wet", "title": f"Moor ({number})",
            "answer": bool(number % 2), "passage": "Moors are wet. "}  # fmt: skip


def exam(number: int) -> Row:
    return {"question": f"Which floats on sea {number}?\n", "correct_answer": "a cork",
            "distractor1": " a stone", "distractor2": "a nail", "distractor3": "a coin",
            "support": ["", "  Cork is light. "][number % 2]}  # fmt: skip


def subject(number: int) -> Row:
    return {
        "question": f"  Which floats on sea {number}?\nSay it. ",
        "answer": number % 4,
        "subject": "us_foreign_policy",
        "choices": labelled(number)["choices"]["text"],
    }


def true_or_not(number: int) -> Row:
    targets = {"choices": ["Trees do not talk.", "Only at night", " Yes"], "labels": [1, 0, 0]}
    return {"question": f"Do {number} trees talk? ", "mc1_targets": targets}


def minimal_pair(number: int) -> Row:
    return {"sentence_good": f"The {number} lamps are green.", "UID": "agreement",
            "sentence_bad": f"The {number} lamps is green.", "pairID": str(number)}  # fmt: skip


def trivia(number: int) -> Row:
    known = {"value": "Cork", "aliases": ["Cork", "A cork"], "normalized_aliases": ["cork"]}
    return {"question": f"What floats on sea {number}? ", "question_id": f"t{number}",
            "answer": known}  # fmt: skip


def word_problem(number: int) -> Row:
    return {"question": f"{number} nets of 3 fish? ", "answer": f"{number}*3\n#### {3 * number}"}


def passage(number: int) -> Row:
    return {"text": f"He cast net {number} and  pulled “in the{' ' * (number % 2)} fish"}


@dataclass(frozen=True)
class Case:
    """A template and the task that it equals, asked with rows of one kind."""

    template: str
    file: str  # of the task, among those of the harness
    row: Callable[[int], Row]
    form: str = "cloze"
    shots: int = 0  # as many as there are solved rows, so that there is nothing to draw
    ours: Callable[[int], Row] | None = None  # where the benchmark is published in two forms


CASES = {
    "arc_easy": Case("arc", "arc/arc_easy.yaml", science, shots=1),
    "arc_challenge": Case("arc", "arc/arc_challenge.yaml", science),
    "blimp": Case("blimp", "blimp/adjunct_island.yaml", minimal_pair),
    "boolq": Case("boolq", "super_glue/boolq/default.yaml", yes_or_no, shots=1),
    "boolq of its authors": Case(
        "boolq", "super_glue/boolq/default.yaml", yes_or_no, shots=1, ours=by_its_authors
    ),
    "commonsense_qa": Case(
        "commonsenseqa", "commonsense_qa/default.yaml", common_sense, "letters", 1
    ),
    "gsm8k": Case("gsm8k", "gsm8k/gsm8k.yaml", word_problem, shots=1),
    "hellaswag": Case("hellaswag", "hellaswag/hellaswag.yaml", hella_swag, shots=1),
    "lambada_openai": Case("lambada", "lambada/lambada_openai.yaml", passage),
    "lambada_standard": Case("lambada", "lambada/lambada_standard.yaml", passage),
    "mmlu": Case("mmlu", "mmlu/default/mmlu_us_foreign_policy.yaml", subject, "letters", 2),
    "mmlu_continuation": Case(
        "mmlu", "mmlu/continuation/mmlu_us_foreign_policy.yaml", subject, shots=1
    ),
    "openbookqa": Case("openbookqa", "openbookqa/openbookqa.yaml", open_book, shots=1),
    "piqa": Case("piqa", "piqa/piqa.yaml", physical, shots=1),
    "sciq": Case("sciq", "sciq/sciq.yaml", exam, shots=1),
    "triviaqa": Case("triviaqa", "triviaqa/default.yaml", trivia),
    "truthfulqa_mc1": Case("truthfulqa", "truthfulqa/truthfulqa_mc1.yaml", true_or_not),
    "winogrande": Case("winogrande", "winogrande/default.yaml", blank, shots=1),
}
GENERATED = ("gsm8k", "triviaqa")  # the prompt is equal; the harness scores no likelihood


def test_every_task_that_a_template_names_is_asked() -> None:
    named = {
        task
        for name in template_names()
        for form, words in read_yaml(FOLDER / f"{name}.yaml").items()
        if form in FORMS
        for task in words.get("harness", "").split(", ")
        if task
    }
    assert named == set(CASES) - {"boolq of its authors"}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    """What the harness asks in every case."""
    python = harness_python()
    if python is None:
        pytest.skip("lm-evaluation-harness is not installed: `make harness`")
    folder = tmp_path_factory.mktemp("prompts")
    cases = [
        {"file": case.file, "shots": case.shots, "docs": [case.row(k) for k in ASKED],
         "solved": [case.row(k) for k in range(case.shots)]}
        for case in CASES.values()
    ]  # fmt: skip
    (folder / "cases.json").write_text(json.dumps(cases))
    done = subprocess.run(
        [python, ROOT / "tests/harness/show_tasks.py", folder / "cases.json", folder / "out.json"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "HF_HOME": str(folder / "hf")},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(zip(CASES, json.loads((folder / "out.json").read_text()), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_the_harness_asks_the_same(
    theirs: dict[str, list[Row]], write_lines: Write, name: str
) -> None:
    case = CASES[name]
    row = case.ours or case.row
    docs, solved = [row(k) for k in ASKED], [row(k) for k in range(case.shots or 1)]
    items = read_items("b", write_lines(*docs), format=case.template).items
    shots = read_items("s", write_lines(*solved, name="s.jsonl"), format=case.template).items
    table = render(items, Protocol(case.form, case.shots, case.template), shots)
    for number, found in enumerate(theirs[name]):
        part = table.filter(item=number)
        ours = list(part.select("context", "continuation").iter_rows())
        wanted = [tuple(pair) for pair in found["pairs"]]
        if name in GENERATED:
            assert [context for context, _ in ours] == [context for context, _ in wanted]
        else:  # the order of the choices is by content where the file has the gold always first
            assert sorted(ours) == sorted(wanted)
            assert ours[items["answer_index"][number] or 0] == wanted[found["gold"]]
