"""`mixlab benchmark`: register, list, read, twin and remove benchmarks."""

import argparse
from dataclasses import asdict
from pathlib import Path

import polars as pl

from lab.cli.act import act, workspace
from lab.cli.show import Shown
from lab.core.workspace import Workspace

NEEDS = {"add": "NAME and PATH", "show": "NAME", "twin": "NAME and --by",
         "export": "NAME and a folder", "remove": "NAME",
         "restore": "NAME"}  # fmt: skip


def benchmark(options: argparse.Namespace) -> Shown:
    """What `options.what` asks for."""
    complete = {"add": bool(options.name and options.path),
                "twin": bool(options.name and options.by),
                "export": bool(options.name and options.path)}  # fmt: skip
    if options.what in NEEDS and not complete.get(options.what, bool(options.name)):
        options.misused(f"`benchmark {options.what}` needs {NEEDS[options.what]}")
    if options.what == "add":
        return add(options)
    ws = workspace(options)
    if options.what == "list":
        return listed(ws)
    if options.what == "show":
        return show(ws, options.name, options.item)
    if options.what == "export":
        return export(ws, options.name, Path(options.path))
    with ws.lock(f"mixlab benchmark {options.what}"):
        return change(ws, options)


def add(options: argparse.Namespace) -> Shown:
    """Register a benchmark."""
    return act(
        options,
        "benchmark",
        name=options.name,
        path=str(Path(options.path).resolve()),
        split=options.split,
        format=options.format,
        form=options.form,
        shots=options.shots,
        template=options.template,
        group=options.group,
        skip_invalid=options.skip_invalid,
        replace=options.replace,
    )


def listed(ws: Workspace) -> Shown:
    """Registered benchmarks."""
    from lab.evaluation.benchmarks.registry import list_benchmarks

    found = list_benchmarks(ws)
    frame = pl.DataFrame(
        [
            {
                "benchmark": b.name,
                "items": b.items,
                "kinds": ", ".join(b.kinds),
                "split": b.split,
                "format": b.format,
                "form": b.form,
                "shots": b.shots,
                "template": b.template,
                "group": b.group,
                "chance": b.chance,
                "twin_of": b.twin_of,
                "skipped": b.skipped,
            }
            for b in found
        ]
    )
    return Shown({"benchmarks": [asdict(b) for b in found]}, [("Benchmarks", frame)])


def show(ws: Workspace, name: str, item: str | None) -> Shown:
    """An item exactly as every model sees it, its shots included, white space marked."""
    from lab.evaluation.benchmarks.reading import marked, read_prompt
    from lab.evaluation.benchmarks.registry import read_summary
    from lab.evaluation.benchmarks.templates import load_template

    known, prompt = read_summary(ws, name), read_prompt(ws, name, item)
    template = load_template(known.template, known.form)
    chance = "no choices" if known.chance is None else f"chance {known.chance:.3g}"
    notes = [
        f"{name}: {known.items:,} items, {known.form}, {known.shots} shots, template "
        f"{known.template}, {chance}",
        f"source: {template.source}" + equal_to(template.harness),
        f"item {prompt.item['id']}; ⏎ is a line end, · a blank that could be overlooked",
    ]
    for place, (context, text) in enumerate(
        zip(prompt.contexts, prompt.continuations, strict=True)
    ):
        if place == 0 or not prompt.one_context:
            notes += ["", "--- the model is shown", marked(context) or "(nothing)", "--- scored"]
        notes.append(f"{'*' if place == prompt.gold else ' '} [{marked(text)}]")
    notes.append("* the right one")
    data = {"benchmark": asdict(known), "item": prompt.item, "gold": prompt.gold,
            "contexts": prompt.contexts, "continuations": prompt.continuations}  # fmt: skip
    return Shown(data, notes=notes)


def export(ws: Workspace, name: str, folder: Path) -> Shown:
    """A benchmark as a task of lm-evaluation-harness."""
    from lab.evaluation.benchmarks.harness import PREFIX, export_task

    paths = [str(path) for path in export_task(ws, name, folder)]
    note = (
        "lm_eval --model hf --model_args pretrained=RUN/model,dtype=float32 "
        f"--include_path {folder} --tasks {PREFIX}{name}"
    )
    return Shown({"files": paths}, notes=[*paths, note])


def equal_to(harness: str) -> str:
    """The task of the harness that asks the same."""
    return f"; prompts as lm-evaluation-harness 0.4.13: {harness}" if harness else ""


def change(ws: Workspace, options: argparse.Namespace) -> Shown:
    """Make a twin, remove a benchmark, or bring a removed one back."""
    from lab.evaluation.benchmarks.registry import read_summary
    from lab.evaluation.benchmarks.removal import remove_benchmark, restore_benchmark
    from lab.evaluation.benchmarks.twins import make_twin

    name = options.name
    if options.what == "twin":
        made = make_twin(ws, name, options.by, over=options.replace)
        note = f"{made.name}: {made.items:,} items of {name} by {made.twin_by}, {made.form}, "
        return Shown({"benchmark": asdict(made)}, notes=[f"{note}template {made.template}"])
    if options.what == "remove":
        remove_benchmark(ws, name)
        return Shown(
            {"removed": name},
            notes=[f"{name} removed; `mixlab benchmark restore {name}` brings it back"],
        )
    restore_benchmark(ws, name)
    return Shown({"benchmark": asdict(read_summary(ws, name))}, notes=[f"{name} is back"])
