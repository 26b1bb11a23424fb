"""The command line as a user meets it: real processes, statuses, JSON, words of errors."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.cli.parser import build_parser
from lab.core.workspace import Workspace
from tests.conftest import plain_texts, write_jsonl

COMMANDS = {
    "app", "init", "add", "measure", "dedup", "decontaminate", "score", "embed", "map",
    "benchmark", "ledger", "train", "sweep", "runs", "compare", "fit", "advise", "export", "jobs",
}  # fmt: skip


def mixlab(*argv: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "MIXLAB_WORKSPACE"}
    return subprocess.run(
        [sys.executable, "-m", "lab.cli", *argv],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
    )


def subcommands() -> dict[str, object]:
    actions = build_parser()._subparsers._group_actions  # type: ignore[union-attr]
    return dict(actions[0].choices)  # type: ignore[arg-type]


def test_every_command_of_the_design_is_there_with_an_example() -> None:
    assert set(subcommands()) >= COMMANDS
    for name, parser in subcommands().items():
        text = parser.format_help()  # type: ignore[attr-defined]
        assert f"mixlab {name}" in text.split("examples:")[1], name
        assert "--json" in text


def test_wrong_usage_is_status_two() -> None:
    assert mixlab("frobnicate").returncode == 2
    assert mixlab("add").returncode == 2
    assert mixlab("export").returncode == 2
    assert mixlab("benchmark", "add").returncode == 2
    assert mixlab().returncode == 2


@pytest.mark.parametrize(
    "line",
    [
        "app --port 8600",
        "init --sample",
        "add web a.jsonl b.jsonl --kind organic --text-column t --id-column i --licence MIT",
        "measure --source web --signals gopher",
        "dedup",
        "decontaminate",
        "score educational --labels labels.jsonl",
        "embed",
        "map",
        "benchmark add piqa piqa.parquet",
        "ledger natural",
        "train natural --size micro --tokens 5_000_000 --seed 3 --seeds 2",
        "train natural --resume",
        "sweep natural --runs 8 --workers 2 --engine ray --address auto",
        "runs",
        "compare a b",
        "fit --ratios r.csv --metrics m.csv",
        "advise --ratios r.csv --metrics m.csv",
        "export natural --to megatron -o out",
        "export --list",
        "jobs",
        "jobs cancel x",
        "jobs resume x",
    ],
)
def test_every_option_of_the_design_is_taken(line: str) -> None:
    name, *rest = line.split()
    options = build_parser().parse_args([name, *rest, "-w", "w", "--json"])
    assert options.json
    assert options.workspace == "w"
    for place in range(len(rest)):
        if not (place and rest[place - 1].startswith("-")):
            between = [name, *rest[:place], "-w", "w", "--json", *rest[place:]]
            found = vars(build_parser().parse_args(between))
            same = {key: vars(options)[key] for key in ("command", "misused")}  # other parser's
            assert {**found, **same} == vars(options)


@pytest.mark.parametrize(
    "line",
    [
        "train natural --seeds 0",
        "train natural --seed -1",
        "train natural --tokens many",
        "sweep natural --runs 0",
        "measure --workers 0",
        "embed --sample -5",
    ],
)
def test_numbers_that_mean_nothing_are_wrong_usage(line: str) -> None:
    with pytest.raises(SystemExit) as end:
        build_parser().parse_args(line.split())
    assert end.value.code == 2


def test_no_workspace_is_status_one_with_a_next_step(tmp_path: Path) -> None:
    done = mixlab("runs", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "There is no workspace here." in done.stderr
    assert "mixlab init --sample" in done.stderr
    assert "Traceback" not in done.stderr


def test_from_files_to_ledger_in_a_shell(tmp_path: Path) -> None:
    w = str(tmp_path / "w")
    web = write_jsonl(tmp_path / "web.jsonl", plain_texts(300, 80, 1))
    assert mixlab("init", "-w", w).returncode == 0
    added = mixlab("add", "web", str(web), "--licence", "CC0", "-w", w, "--json")
    assert json.loads(added.stdout)["documents"] == 300
    measured = mixlab("measure", "-w", w, "--json")
    assert json.loads(measured.stdout)["sources"]["web"]["tokens"] > 10_000
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(
        "name: mine\nsources: {web: {filters: [{signal: gopher.word_count, min: 70}]}}\n"
        "mixture: {tokens: 20000, phases: [{weights: {web: 1}}]}\n"
    )
    ledger = json.loads(mixlab("ledger", str(recipe), "-w", w, "--json").stdout)
    row = ledger["sources"][0]
    assert row["source"] == "web"
    assert row["trained_tokens"] == 20_000
    assert 0 < row["kept_documents"] < row["documents"]
    text = mixlab("ledger", str(recipe), "-w", w)
    assert "word count at least 70" in text.stdout
    assert text.returncode == 0
    recipe.write_text(recipe.read_text().replace("tokens: 20000", "tokens: 99000000"))
    over = mixlab("ledger", str(recipe), "-w", w)
    assert over.returncode == 1
    assert "cap 4" in over.stdout


def test_with_json_an_error_is_one_object_too(tmp_path: Path) -> None:
    mixlab("init", "-w", str(tmp_path / "w"))
    done = mixlab("ledger", "nothing", "-w", str(tmp_path / "w"), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"] == "Unknown recipe."


def test_what_no_stage_foresaw_is_said_without_a_traceback(tmp_path: Path) -> None:
    w = str(tmp_path / "w")
    mixlab("init", "-w", w)
    (tmp_path / "w" / "runs" / "odd").mkdir()
    (tmp_path / "w" / "runs" / "odd" / "run.json").write_text("{}")
    done = mixlab("runs", "-w", w, "--json")
    assert done.returncode == 1
    assert "--debug" in json.loads(done.stdout)["next"]
    assert "Traceback" not in done.stderr
    assert "Traceback" in mixlab("runs", "-w", w, "--debug").stderr


def test_json_keeps_each_source_to_its_own_reasons(tmp_path: Path) -> None:
    w = str(tmp_path / "w")
    mixlab("init", "-w", w)
    good = write_jsonl(tmp_path / "good.jsonl", plain_texts(20, 40, 1))
    bad = tmp_path / "bad.jsonl"
    bad.write_text(good.read_text() + "not json\n")
    for path in (good, bad):
        assert mixlab("add", path.stem, str(path), "-w", w).returncode == 0
    listed = json.loads(mixlab("sources", "-w", w, "--json").stdout)["sources"]
    reasons = {row["source"]: row["by_reason"] for row in listed}
    assert reasons["good"] == {}
    assert list(reasons["bad"].values()) == [1]


def test_export_lists_its_targets(plain_workspace: Workspace) -> None:
    done = mixlab("export", "--list", "-w", str(plain_workspace.root), "--json")
    names = {target["target"] for target in json.loads(done.stdout)["targets"]}
    assert names >= {"recipe", "shards", "huggingface", "megatron", "olmo-core"}


def test_a_detached_command_becomes_a_job(tmp_path: Path) -> None:
    w = str(tmp_path / "w")
    web = write_jsonl(tmp_path / "web.jsonl", plain_texts(30, 80, 1))
    mixlab("init", "-w", w)
    started = json.loads(mixlab("add", "web", str(web), "-w", w, "--detach", "--json").stdout)
    shown = json.loads(mixlab("jobs", "show", started["job"], "-w", w, "--json").stdout)
    assert shown["job"]["action"] == "add"


def test_interruption_is_status_130_and_the_same_command_continues(tmp_path: Path) -> None:
    w = tmp_path / "w"
    argv = ["init", "--sample", "--documents", "700", "-w", str(w)]
    process = subprocess.Popen(
        [sys.executable, "-m", "lab.cli", *argv], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (w / "lock.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "run the same command to continue" in said
    assert not (w / "lock.json").exists()
    assert mixlab(*argv).returncode == 0


def test_a_share_needs_a_tokenizer_and_is_no_job(tmp_path: Path) -> None:
    w = str(tmp_path / "w")
    web = write_jsonl(tmp_path / "web.jsonl", plain_texts(5, 80, 1))
    mixlab("init", "-w", w)
    mixlab("add", "web", str(web), "-w", w)
    share = mixlab("measure", "--shard", "0/2", "-w", w)
    assert share.returncode == 1
    assert "no tokenizer yet" in share.stderr and "mixlab tokenizer" in share.stderr
    assert mixlab("measure", "--shard", "0/2", "--detach", "-w", w).returncode == 2
