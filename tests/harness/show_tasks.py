"""Texts that tasks of lm-evaluation-harness ask for: run in its own environment, not a test.

    python show_tasks.py CASES OUT

CASES is a JSON list of {file, shots, docs, solved}: the task's file among those of the harness, how
many of `solved` it shows, and the documents it is asked with in the place of its data set. OUT
gets, per case and document, the pairs (context, continuation) as the harness divides them before it
makes tokens, and which of them is the right one.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def main() -> None:
    cases = json.loads(Path(sys.argv[1]).read_text())
    Path(sys.argv[2]).write_text(json.dumps([asked(**case) for case in cases]))


def asked(file: str, shots: int, docs: list[Any], solved: list[Any]) -> list[dict[str, Any]]:
    """Per document its pairs and the place of the right one."""
    import lm_eval.tasks
    from datasets import Dataset
    from lm_eval.api.task import ConfigurableTask
    from lm_eval.tasks._yaml_loader import load_yaml

    known = load_yaml(Path(lm_eval.tasks.__file__).parent / file, resolve_func=True)
    splits = {name: Dataset.from_list(docs) for name in ("test", "validation")}
    splits |= {name: Dataset.from_list(solved or docs) for name in ("train", "dev")}
    own = {
        "custom_dataset": lambda **_: splits,
        "num_fewshot": shots,
        "fewshot_config": {"sampler": "first_n"},  # nothing is drawn
        "metadata": {},
    }
    built = ConfigurableTask(config={k: v for k, v in known.items() if k != "tag"} | own)
    built.build_all_requests()
    found: dict[int, list[tuple[str, str]]] = {}
    for request in built.instances:
        found.setdefault(request.doc_id, []).append(divided(*request.args))
    return [
        {"pairs": pairs, "gold": gold_of(built, built.eval_docs[number])}
        for number, pairs in sorted(found.items())
    ]


def divided(context: str, continuation: Any) -> tuple[str, str]:
    """As `TemplateLM._encode_pair`: white space at the end of a context goes to what follows."""
    if not isinstance(continuation, str):
        continuation = ""  # the settings of a generation
    stripped = context.rstrip()
    return stripped, context[len(stripped) :] + continuation


def gold_of(task: Any, doc: dict[str, Any]) -> int:
    """The place of the right choice, 0 where nothing is chosen."""
    if not task.config.doc_to_choice:
        return 0
    gold = task.doc_to_text(doc) if task.multiple_input else task.doc_to_target(doc)
    return gold if isinstance(gold, int) else task.doc_to_choice(doc).index(gold)


if __name__ == "__main__":
    main()
