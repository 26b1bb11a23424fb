"""Fine-tuning of a tiny run with `trl` itself: what it leaves, what repeats, what is refused."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import torch

from lab.core.errors import ArtifactMissing, Cancelled, ConfigError, DataError, LabError
from lab.core.files import read_json
from lab.core.progress import Progress
from lab.core.workspace import Workspace, create
from lab.proxy.posttraining.prepare import prepare_posttraining
from lab.proxy.runs import load_run, read_metrics, read_status, run_state
from lab.proxy.train import train

pytest.importorskip("trl", reason="trl is an extra: pip install 'mixlab[posttrain]'")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of trl and transformers; not of ours
]
CHATS = [{"prompt": f"{k}?", "completion": "even" if k % 2 == 0 else "odd"} for k in range(20)]
PAIRS = [
    {"prompt": f"{k}?", "chosen": ["even", "odd"][k % 2], "rejected": ["odd", "even"][k % 2]}
    for k in range(20)
]


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return create(tmp_path / "w")


@pytest.fixture
def parent(ws: Workspace, make_run: Callable[..., Path]) -> Path:
    folder = make_run("parent", steps=4)
    train(folder)
    return folder


def material(tmp_path: Path, rows: list[dict[str, str]], name: str = "material.jsonl") -> str:
    path = tmp_path / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_a_fine_tuned_run_is_a_run(ws: Workspace, parent: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from lab.proxy.posttraining.train import posttrain

    folder = prepare_posttraining(ws, parent, "sft", material(tmp_path, CHATS), steps=12)
    assert run_state(folder) == "prepared"
    posttrain(folder)
    run, before = load_run(folder), load_run(parent)
    assert (run.recipe, run.stage, run.parent) == ("tiny+sft", "sft", "parent")
    assert (run.size, run.tokens, run.seed) == (before.size, before.tokens, before.seed)
    assert str(tmp_path) not in (folder / "run.json").read_text()
    assert run_state(folder) == "done"
    assert read_status(folder)["step"] == 12
    lines = read_metrics(folder)
    assert lines["step"].to_list() == list(range(1, 13))
    assert lines["loss"][-1] < lines["loss"][0]
    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    chat = [{"role": "user", "content": "2?"}, {"role": "assistant", "content": "even"}]
    told = tokenizer.apply_chat_template(chat, tokenize=False)
    assert told == "2?\nAnswer: even<|endoftext|>"
    asked = tokenizer.apply_chat_template(chat[:1], tokenize=False, add_generation_prompt=True)
    assert asked == "2?\nAnswer:"
    model = AutoModelForCausalLM.from_pretrained(folder / "model")
    assert model.config.vocab_size == 257  # no token was added
    old = AutoModelForCausalLM.from_pretrained(parent / "model")
    assert not torch.equal(model.lm_head.weight, old.lm_head.weight)
    assert read_json(folder / "model" / "config.json") == read_json(parent / "model/config.json")


def test_stopped_and_begun_again_it_ends_with_the_same_bits(
    ws: Workspace, parent: Path, tmp_path: Path
) -> None:
    from lab.proxy.posttraining.train import posttrain

    named = material(tmp_path, CHATS)
    folder = prepare_posttraining(ws, parent, "sft", named, steps=6)
    posttrain(folder)
    whole = (folder / "model" / "model.safetensors").read_bytes()
    first = (folder / "metrics.jsonl").read_text().count("\n")
    folder.rename(folder.with_name("set-aside"))
    folder = prepare_posttraining(ws, parent, "sft", named, steps=6)  # the same id again
    asked = iter([False, False, True, True, True, True, True, True, True, True])
    with pytest.raises(Cancelled):
        posttrain(folder, Progress(should_stop=lambda: next(asked)))
    assert read_status(folder)["state"] == "interrupted"
    assert not (folder / "model").exists()
    posttrain(folder)
    assert (folder / "model" / "model.safetensors").read_bytes() == whole
    assert (folder / "metrics.jsonl").read_text().count("\n") == first


def test_preferences_are_learned_from_the_fine_tuned_run(
    ws: Workspace, parent: Path, tmp_path: Path
) -> None:
    from lab.proxy.posttraining.train import posttrain

    tuned = prepare_posttraining(ws, parent, "sft", material(tmp_path, CHATS), steps=2)
    posttrain(tuned)
    named = material(tmp_path, PAIRS, "pairs.jsonl")
    folder = prepare_posttraining(ws, tuned, "dpo", named, steps=20)
    posttrain(folder)
    assert load_run(folder).recipe == "tiny+sft+dpo"
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert lines[0]["loss"] == pytest.approx(math.log(2), abs=0.01)  # nothing learned yet
    assert lines[-1]["reward_margin"] > lines[0]["reward_margin"]
    with pytest.raises(ConfigError, match="been through"):
        prepare_posttraining(ws, folder, "sft", material(tmp_path, CHATS))


@pytest.mark.parametrize(("stage", "rows"), [("sft", CHATS), ("dpo", PAIRS)])
def test_one_of_several_gpus_is_used(
    ws: Workspace,
    parent: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
    rows: list[dict[str, str]],
) -> None:
    """Two GPUs are seen; `trl` refuses a trainer that is given both."""
    from transformers import AutoTokenizer

    from lab.proxy.posttraining.train import MARKED, build_trainer, load, parent_model

    folder = prepare_posttraining(ws, parent, stage, material(tmp_path, rows), steps=2)
    read = pl.read_parquet(folder / "data" / "material.parquet").to_dicts()
    run = load_run(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer")
    tokenizer.chat_template = MARKED
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda **_: False)
    model, gpu = load(parent_model(run)), torch.device("cuda")
    trainer = build_trainer(run, model, read, tokenizer, gpu, str(tmp_path / "scratch"))
    assert trainer.args.n_gpu == 1
    assert trainer.args.train_batch_size == 16


def test_too_little_memory_says_what_to_lower(
    ws: Workspace, parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lab.proxy.posttraining.train import posttrain

    def refuse(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    folder = prepare_posttraining(ws, parent, "sft", material(tmp_path, CHATS), steps=2)
    monkeypatch.setattr("transformers.Trainer.train", refuse)
    with pytest.raises(LabError, match="not enough memory to train") as caught:
        posttrain(folder, device="cpu")
    assert "batch 16 x 32 tokens" in caught.value.where
    assert "begins again" in caught.value.next_step
    assert "not enough memory" in read_status(folder)["error"]


def test_what_cannot_be_trained_is_refused(ws: Workspace, parent: Path, tmp_path: Path) -> None:
    from lab.proxy.posttraining.train import posttrain

    long = [{"prompt": "x" * 40, "completion": "y"}]  # bytes; the context is 32
    folder = prepare_posttraining(ws, parent, "sft", material(tmp_path, long), steps=2)
    with pytest.raises(DataError, match="No example fits"):
        posttrain(folder)
    assert run_state(folder) == "failed"
    with pytest.raises(ConfigError, match="Unknown stage"):
        prepare_posttraining(ws, parent, "ppo", material(tmp_path, CHATS))
    (parent / "model").rename(tmp_path / "gone")
    folder = prepare_posttraining(ws, parent, "sft", material(tmp_path, CHATS), steps=2)
    with pytest.raises(ArtifactMissing, match="no finished model"):
        posttrain(folder)
