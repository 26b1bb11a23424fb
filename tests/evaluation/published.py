"""Items of our own in the forms in which the field publishes its benchmarks.

Per format: rows as published, the item that the first row should become, and the first text that a
model is shown of it in cloze form.
"""

from typing import Any

Row = dict[str, Any]
STEM = "Which of these floats on water?"
LABELLED = [{"text": "a stone", "label": "A"}, {"text": "a cork", "label": "B"},
            {"text": "a nail", "label": "C"}]  # fmt: skip
COLUMNS = {"text": ["a stone", "a cork", "a nail"], "label": ["A", "B", "C"]}
FLOATS = {"question": STEM, "choices": ["a stone", "a cork", "a nail"], "answer_index": 1}
QA = f"Question: {STEM}\nAnswer:"

# name: (format, rows, item of the first row, context of its first choice)
PUBLISHED: dict[str, tuple[str, list[Row], Row, str]] = {
    "arc": (
        "arc",
        [
            {"id": "Lab_1", "question": {"stem": STEM, "choices": LABELLED}, "answerKey": "B"},
            {
                "id": "Lab_2",
                "question": {
                    "stem": "Which is hot?",
                    "choices": [{"text": "ice", "label": "1"}, {"text": "fire", "label": "2"}],
                },
                "answerKey": "2",
            },
        ],
        FLOATS | {"id": "Lab_1"},
        QA,
    ),
    "arc on the hub": (
        "arc",
        [{"id": "Lab_1", "question": STEM, "choices": COLUMNS, "answerKey": "B"}],
        FLOATS | {"id": "Lab_1"},
        QA,
    ),
    "openbookqa": (
        "openbookqa",
        [
            {
                "id": "7-1",
                "question": {"stem": STEM, "choices": LABELLED},
                "fact1": "cork floats",
                "answerKey": "B",
            }
        ],
        FLOATS | {"id": "7-1", "meta": {"fact1": "cork floats"}},
        STEM,
    ),
    "openbookqa on the hub": (
        "openbookqa",
        [{"id": "7-1", "question_stem": STEM, "choices": COLUMNS, "answerKey": "B"}],
        FLOATS | {"id": "7-1"},
        STEM,
    ),
    "commonsenseqa": (
        "commonsenseqa",
        [
            {
                "answerKey": "B",
                "id": "ab12",
                "question": {"question_concept": "a", "choices": LABELLED, "stem": f" {STEM}\n"},
            }
        ],
        FLOATS | {"id": "ab12", "meta": {"question_concept": "a"}},
        QA,
    ),
    "hellaswag": (
        "hellaswag",
        [
            {
                "ind": 24,
                "activity_label": "Mending a net",
                "ctx_a": "[header] How to mend a net [title] Find the hole. [step] Look closely.",
                "ctx_b": "the fisher",
                "ctx": "unused",
                "split": "val",
                "split_type": "indomain",
                "label": "2",
                "endings": ["sings.", "flies.", "ties a knot. [substeps] Pull.", "melts."],
                "source_id": "wikihow~9",
            }
        ],
        {
            "id": "val-24",
            "split": "validation",
            "question": "Mending a net: How to mend a net. Find the hole. Look closely. The fisher",
            "choices": ["sings.", "flies.", "ties a knot. Pull.", "melts."],
            "answer_index": 2,
        },
        "Mending a net: How to mend a net. Find the hole. Look closely. The fisher",
    ),
    "piqa": (
        "piqa",
        [{"goal": "dry a coat", "sol1": "hang it up", "sol2": "hang it down a well", "label": 0}],
        {"question": "dry a coat", "choices": ["hang it up", "hang it down a well"],
         "answer_index": 0},
        "Question: dry a coat\nAnswer:",
    ),
    "winogrande": (
        "winogrande",
        [
            {
                "qID": "Q1",
                "sentence": "Ann gave Eva the key because _ had a lock.",
                "option1": "Ann",
                "option2": "Eva",
                "answer": "2",
            }
        ],
        {"id": "Q1", "question": "Ann gave Eva the key because _ had a lock.",
         "choices": ["Ann", "Eva"], "answer_index": 1},
        "Ann gave Eva the key because Ann",
    ),
    "boolq": (
        "boolq",
        [
            {
                "question": "is the moor wet",
                "title": "Moor",
                "answer": True,
                "passage": "Moors are wet.",
            }
        ],
        {"question": "is the moor wet", "choices": ["no", "yes"], "answer_index": 1,
         "meta": {"title": "Moor", "passage": "Moor -- Moors are wet."}},
        "Moor -- Moors are wet.\nQuestion: is the moor wet?\nAnswer:",
    ),
    "boolq in superglue": (
        "boolq",
        [{"question": "is it dry", "passage": "It is wet.", "idx": 0, "label": False}],
        {"id": "0", "question": "is it dry", "choices": ["no", "yes"], "answer_index": 0},
        "It is wet.\nQuestion: is it dry?\nAnswer:",
    ),
    "sciq": (
        "sciq",
        [
            {
                "question": STEM,
                "distractor1": "a stone",
                "distractor2": "a nail",
                "distractor3": "a coin",
                "correct_answer": "a cork",
                "support": " Cork is light.",
            }
        ],
        {"question": STEM, "answer": "a cork", "meta": {"support": "Cork is light."}},
        f"Cork is light.\nQuestion: {STEM}\nAnswer:",
    ),
    "mmlu on the hub": (
        "mmlu",
        [
            {
                "question": f" {STEM} ",
                "subject": "high_school_physics",
                "choices": ["a stone", "a cork", "a nail", "a coin"],
                "answer": 1,
            }
        ],
        {"question": STEM, "choices": ["a stone", "a cork", "a nail", "a coin"],
         "answer_index": 1, "meta": {"subject": "high school physics"}},
        f"The following are questions (with answers) about high school physics.\n\n{QA}",
    ),
    "truthfulqa": (
        "truthfulqa",
        [
            {
                "question": "Do trees talk?",
                "mc1_targets": {"Trees do not talk": 1, "Only at night": 0, "Yes": 0},
                "mc2_targets": {},
            }
        ],
        {"question": "Do trees talk?", "answer": "Trees do not talk"},
        "",
    ),
    "truthfulqa on the hub": (
        "truthfulqa",
        [
            {
                "question": "Do trees talk?",
                "mc1_targets": {
                    "choices": ["Trees do not talk", "Only at night", "Yes"],
                    "labels": [1, 0, 0],
                },
            }
        ],
        {"question": "Do trees talk?", "answer": "Trees do not talk"},
        "",
    ),
    "blimp": (
        "blimp",
        [
            {
                "sentence_good": "The lamps are green.",
                "sentence_bad": "The lamps is green.",
                "field": "morphology",
                "UID": "agreement",
                "pairID": "0",
            }
        ],
        {"id": "agreement-0", "kind": "minimal_pair", "question": "",
         "answer": "The lamps are green.", "meta": {"field": "morphology", "UID": "agreement"}},
        "",
    ),
    "triviaqa on the hub": (
        "triviaqa",
        [
            {
                "question": "What floats?",
                "question_id": "tc_1",
                "answer": {
                    "value": "Cork",
                    "aliases": ["Cork", "A cork"],
                    "normalized_aliases": ["cork"],
                },
            }
        ],
        {"id": "tc_1", "kind": "generative", "question": "What floats?", "answer": "Cork",
         "meta": {"aliases": ["cork"], "answer_pattern": "alias"}},
        "Question: What floats??\nAnswer:",
    ),
    "gsm8k": (
        "gsm8k",
        [{"question": "2 nets of 3 fish?", "answer": "2*3 = <<2*3=6>>6 fish.\n#### 6"}],
        {"kind": "generative", "question": "2 nets of 3 fish?", "answer": "6",
         "meta": {"solution": "2*3 = <<2*3=6>>6 fish.\n#### 6", "answer_pattern": "number"}},
        "Question: 2 nets of 3 fish?\nAnswer:",
    ),
    "lambada": (
        "lambada",
        [{"text": "He cast the net and pulled in the fish"}],
        {"kind": "cloze", "question": "He cast the net and pulled in the", "answer": "fish"},
        "He cast the net and pulled in the",
    ),
    "humaneval": (
        "humaneval",
        [
            {
                "task_id": "Lab/0",
                "prompt": 'def twice(n):\n    """Return 2 n."""\n',
                "entry_point": "twice",
                "canonical_solution": "    return 2 * n\n",
                "test": "assert twice(2) == 4",
            }
        ],
        {"id": "Lab/0", "kind": "generative", "answer": "    return 2 * n\n"},
        'def twice(n):\n    """Return 2 n."""',
    ),
    "mbpp": (
        "mbpp",
        [
            {
                "text": "Write a function to double a number.",
                "code": "def twice(n):\r\n  return 2 * n",
                "task_id": 11,
                "test_setup_code": "",
                "test_list": ["assert twice(2) == 4", "assert twice(0) == 0"],
                "challenge_test_list": [],
            }
        ],
        {"id": "11", "split": "test", "kind": "generative",
         "answer": "def twice(n):\r\n  return 2 * n"},
        "You are an expert Python programmer, and here is your task: Write a function to double a "
        "number. Your code should pass these tests:\n\nassert twice(2) == 4\nassert twice(0) == 0\n"
        "[BEGIN]",
    ),
    "llm-foundry choices": (
        "llm_foundry_choices",
        [{"query": QA, "choices": ["a stone", "a cork"], "gold": 1}],
        {"question": QA, "choices": ["a stone", "a cork"], "answer_index": 1},
        QA,
    ),
    "llm-foundry continuation": (
        "llm_foundry_continuation",
        [{"context": "The lamp is", "continuation": "green"}],
        {"kind": "cloze", "question": "The lamp is", "answer": "green"},
        "The lamp is",
    ),
    "llm-foundry schema": (
        "llm_foundry_schema",
        [
            {
                "context_options": ["The key fits because Ann", "The key fits because Eva"],
                "continuation": "had a lock.",
                "gold": 1,
            }
        ],
        {"answer_index": 1, "choices": ["The key fits because Ann", "The key fits because Eva"]},
        "The key fits because Ann",
    ),
    "plain": (
        "plain",
        [{"question": STEM, "choices": ["a stone", "a cork"], "answer": 1}],
        {"question": STEM, "choices": ["a stone", "a cork"], "answer_index": 1},
        STEM,
    ),
}  # fmt: skip
