"""Twins by rule: the same items of a benchmark in another format.

    permuted   every choice stands at another letter: a model that learned positions loses
    letters    the other form: letters for a cloze benchmark, cloze for one in letters
    template   the same items in other words (the paraphrase that comes with the template)

A gain that is knowledge or ability carries over to the twin; a gain in format, or from items that
stood in the training text word for word, does not (compare Zheng et al. 2024, arXiv:2309.03882, on
the order of options, and Sclar et al. 2024, arXiv:2310.11324, on formats: up to 76 points between
equivalent prompts). Items keep their ids, so a twin's scores can be set beside its benchmark's.

Where it fails: in cloze form the order of choices is not shown, so that twin would be no other
format (it is refused); letters sit at chance below about 1B parameters, and a twin at chance says
nothing; a paraphrase keeps the items' own words, so it does not catch an item that was memorised.
"""

import hashlib
from dataclasses import replace
from typing import Final

import polars as pl

from lab.core.errors import ConfigError, nearest
from lab.core.files import confined
from lab.core.workspace import Workspace
from lab.evaluation.benchmarks.prompts import load_shots
from lab.evaluation.benchmarks.registry import (
    TWIN,
    BenchmarkSummary,
    load_items,
    read_summary,
    summarise,
    taken,
    write_benchmark,
)
from lab.evaluation.benchmarks.templates import PARAPHRASED, Protocol, check_protocol

RULES: Final = ("permuted", "letters", "template")


def make_twin(ws: Workspace, name: str, by: str, *, over: bool = False) -> BenchmarkSummary:
    """Register `NAME_twin` by one of RULES and return what is known of it.

    Raises ConfigError for a rule that does not fit the benchmark, for the twin of a twin, and if
    another twin, or the twin of earlier items, is there and `over` is not set. The same twin again
    does nothing.
    """
    known = read_summary(ws, name)
    if by not in RULES:
        raise ConfigError("Unknown rule for a twin.", value=by, next_step=nearest(by, RULES))
    if name.endswith(TWIN):
        raise ConfigError("A twin has no twin.", value=name, next_step="name the benchmark itself")
    protocol = twin_protocol(Protocol(known.form, known.shots, known.template), by)
    items = load_items(ws, name)
    if by == "permuted":
        items = rotate_choices(items)
    items = items.with_columns(benchmark=pl.lit(name + TWIN))
    shots = load_shots(ws, name)
    check_protocol(items, protocol)
    counted = summarise(name + TWIN, items, shots, protocol)
    summary = replace(
        known,
        name=counted.name,
        hash=counted.hash,
        form=protocol.form,
        template=protocol.template,
        skipped=0,
        reasons={},
        twin_of=name,
        twin_by=by,
        twin_of_hash=known.hash,
    )
    folder = confined(ws.benchmarks, summary.name)
    if folder.exists():
        there = read_summary(ws, summary.name)
        if there == summary:
            return there
        if not over:
            raise taken(folder, summary.name)
    faults = pl.DataFrame()
    write_benchmark(folder, items, shots, faults, summary)
    return summary


def twin_protocol(protocol: Protocol, by: str) -> Protocol:
    """The protocol of the twin; ConfigError where it would be no other format."""
    if by == "letters":
        return replace(protocol, form="cloze" if protocol.form == "letters" else "letters")
    if by == "template":
        base = protocol.template.removesuffix(PARAPHRASED)
        other = base if protocol.template != base else base + PARAPHRASED
        return replace(protocol, template=other)
    if protocol.form == "cloze":
        raise ConfigError(
            "In cloze form the order of the choices is not shown: this twin would have the same "
            "scores.",
            value=by,
            next_step="make it by letters or by template",
        )
    return protocol


def rotate_choices(items: pl.DataFrame) -> pl.DataFrame:
    """Every item's choices moved on by 1 to n - 1 places, by its id: none keeps its letter."""
    rows = []
    for name, choices, gold in items.select("id", "choices", "answer_index").iter_rows():
        count = len(choices)
        turn = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % (count - 1) + 1
        moved = [choices[(place - turn) % count] for place in range(count)]
        rows.append((moved, (gold + turn) % count))
    schema = {"choices": items.schema["choices"], "answer_index": items.schema["answer_index"]}
    return items.with_columns(pl.DataFrame(rows, schema=schema, orient="row"))
