"""Scores of tasks by lm-evaluation-harness itself: run in its own environment, not a test.

    python score_tasks.py MODEL TASKS OUT [--batch N]

MODEL is the folder of a checkpoint, opened as it is; TASKS holds YAML files. OUT gets, per task,
the sum of log-probabilities of every text in the order of the items, whether each was greedy, the
metrics, and the processor seconds that the harness took (without loading the model).
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def main() -> None:
    import lm_eval
    import torch
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("tasks", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--batch", type=int, default=16)
    options = parser.parse_args()
    torch.set_num_threads(1)
    lm = HFLM(
        pretrained=str(options.model),
        device="cpu",
        dtype="float32",
        batch_size=options.batch,
    )
    manager = TaskManager(include_path=str(options.tasks), include_defaults=False)
    found = {}
    for path in sorted(options.tasks.glob("*.yaml")):
        name = path.stem if path.stem in manager.all_tasks else f"mixlab_{path.stem}"
        start = time.process_time()
        result = lm_eval.simple_evaluate(
            model=lm, tasks=[name], bootstrap_iters=0, log_samples=True, task_manager=manager
        )
        seconds = time.process_time() - start
        samples = sorted(result["samples"][name], key=lambda sample: sample["doc_id"])
        answers = [as_pairs(sample["filtered_resps"]) for sample in samples]
        found[path.stem] = {
            "nats": [[value for value, _ in answer] for answer in answers],
            "greedy": [[greedy for _, greedy in answer] for answer in answers],
            "metrics": {k: v for k, v in result["results"][name].items() if "," in k},
            "cpu_seconds": seconds,
        }
    options.out.write_text(json.dumps(found, default=float))


def as_pairs(responses: list) -> list[tuple[float, bool]]:
    """(sum, greedy) of every text of an item; the task of one text has no list around it."""
    return [(float(value), str(greedy) == "True") for value, greedy in responses]


if __name__ == "__main__":
    main()
