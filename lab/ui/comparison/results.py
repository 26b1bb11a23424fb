"""What the page shows, computed by `lab.evaluation` and kept until a run or a score appears."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from lab.core.files import digest, read_json
from lab.core.workspace import Workspace
from lab.evaluation.comparing.choose import compare_named, named_groups
from lab.evaluation.comparing.compare import Comparison
from lab.evaluation.comparing.scale import Scale, scale
from lab.evaluation.gain.gain import Gain, gain
from lab.evaluation.gate.criteria import Thresholds
from lab.evaluation.gate.gate import Gate, gate


def stamp(ws: Workspace) -> str:
    """Changes when a run, score, benchmark or search for benchmark items appears, or a source is
    read anew.
    """
    paths = [
        *ws.runs.glob("*/scores/summary.json"),
        *ws.runs.glob("*/scores/snapshots/*/summary.json"),
        *ws.benchmarks.glob("*/benchmark.yaml"),
        *ws.sources.glob("[!.]*/source.yaml"),
        *(ws.artifacts / "contamination").glob("*/manifest.json"),
    ]
    return digest([str(ws.root), sorted((str(path), path.stat().st_mtime_ns) for path in paths)])


def comparison_of(ws: Workspace, a: str, b: str) -> Comparison:
    """B against the baseline A."""
    return cached_comparison(ws, a, b, stamp(ws))


def gain_of(ws: Workspace, a: str, b: str, metric: str) -> Gain:
    """Whether the differences of B and A are real."""
    return cached_gain(ws, a, b, metric, stamp(ws))


def gate_of(ws: Workspace, a: str, b: str, limits: Thresholds) -> Gate:
    """All metrics at the size and budget at which A and B are compared, from every run there."""
    size, tokens = budget_of(named_groups(ws, [a, b])[a])
    return cached_gate(ws, size, tokens, limits, stamp(ws))


def scale_of(ws: Workspace, names: Sequence[str]) -> Scale:
    """Whether the order of recipes holds at other sizes."""
    return cached_scale(ws, tuple(names), stamp(ws))


def budget_of(folders: Sequence[Path]) -> tuple[str, int]:
    """Size and tokens of runs."""
    spec = read_json(folders[0] / "run.json")
    return str(spec["size"]), int(spec["tokens"])


@st.cache_resource(max_entries=16, show_spinner=False)
def cached_comparison(_ws: Workspace, a: str, b: str, key: str) -> Comparison:
    """The comparison for `key`."""
    return compare_named(_ws, [a, b])


@st.cache_resource(max_entries=32, show_spinner="Checking clean items, twins and fresh text")
def cached_gain(_ws: Workspace, a: str, b: str, metric: str, key: str) -> Gain:
    """The gain for `key`."""
    return gain(_ws, named_groups(_ws, [a, b]), metric)


@st.cache_resource(max_entries=16, show_spinner="Reading scores over training")
def cached_gate(_ws: Workspace, size: str, tokens: int, limits: Thresholds, key: str) -> Gate:
    """The gate for `key`."""
    return gate(_ws, size=size, tokens=tokens, thresholds=limits)


@st.cache_resource(max_entries=16, show_spinner="Comparing at every size")
def cached_scale(_ws: Workspace, names: tuple[str, ...], key: str) -> Scale:
    """The scale for `key`."""
    return scale(_ws, names)
