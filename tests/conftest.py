"""Shared by all tests: a small workspace of plain text and the sample workspace, built once."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from lab.core.workspace import Workspace, create, open_workspace
from lab.jobs.store import cancel_job, list_jobs

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

# A shared, busy machine is slow at random: time is not what these tests are about.
settings.register_profile("lab", deadline=None)
settings.load_profile("lab")

WORDS = [
    "river",
    "stone",
    "market",
    "lamp",
    "quiet",
    "green",
    "carry",
    "follow",
    "under",
    "bridge",
    "seven",
    "letter",
    "the",
    "of",
    "and",
    "to",
    "with",
    "have",
    "that",
    "be",
    "window",
    "answer",
    "garden",
    "morning",
    "copper",
    "follows",
    "learns",
]


def write_jsonl(path: Path, texts: list[str]) -> Path:
    rows = [json.dumps({"id": f"d{i}", "text": text}) for i, text in enumerate(texts)]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def plain_texts(count: int, words: int, seed: int) -> list[str]:
    """`count` texts of about `words` words, sentences of ten, no two alike."""
    rng = np.random.default_rng(seed)
    texts = []
    for _ in range(count):
        picked = rng.choice(WORDS, size=int(words * rng.uniform(0.7, 1.3)))
        lines = [" ".join(picked[i : i + 10]) + "." for i in range(0, len(picked), 10)]
        texts.append("\n".join(lines))
    return texts


@pytest.fixture(scope="session")
def plain_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Sources `short` (600 documents of about 60 words), `long` (120 of about 600) and `copies`
    (all of `long` word for word and 30 texts of its own), counted and measured. Read only.
    """
    from lab.core.progress import SILENT
    from lab.corpus.sources import add_source
    from lab.jobs import actions
    from lab.jobs.steps.corpus import tokenizer
    from lab.jobs.steps.curation import dedup, measure

    root = tmp_path_factory.mktemp("plain")
    ws = create(root / "w", heldout_share=0.05)
    long = plain_texts(120, 600, 2)
    for name, texts, kind in (
        ("short", plain_texts(600, 60, 1), "organic"),
        ("long", long, "synthetic"),
        ("copies", long + plain_texts(30, 600, 3), "organic"),
    ):
        add_source(ws, name, [str(write_jsonl(root / f"{name}.jsonl", texts))], kind=kind)
    tokenizer(ws, actions.Tokenizer("plain", 512), SILENT)
    measure(ws, actions.Measure(workers=1), SILENT)
    dedup(ws, actions.Dedup(), SILENT)
    return ws


@pytest.fixture(scope="session")
def sample_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The sample world at a tenth of its size, with everything measured. Read only."""
    from lab.jobs.sample import build_sample

    ws = create(tmp_path_factory.mktemp("sample") / "w")
    build_sample(ws, documents=1500)
    return ws


@pytest.fixture
def copy_of(tmp_path: Path) -> Iterator[Callable[[Workspace], Workspace]]:
    """A private copy of a shared workspace, for tests that write; no job outlives its test."""
    copies = []

    def copy(ws: Workspace) -> Workspace:
        shutil.copytree(ws.root, tmp_path / "copy")
        copies.append(open_workspace(tmp_path / "copy"))
        return copies[-1]

    yield copy
    for ws in copies:
        for job in list_jobs(ws):
            if job.active:
                cancel_job(ws, job.id, wait=True)
