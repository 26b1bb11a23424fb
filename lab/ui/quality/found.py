"""Which labels there are: those in use, from language models, from people, and from files.

A set has a `spec`, what the action `score` takes as labels: a path, `llm:NAME` or `people:NAME`.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.curation.labels import label_names, read_ratings, registered_labels
from lab.curation.labels.agreement import agreement
from lab.curation.tags.store import grades, state_of, tag_labels, tags_of, vote_labels, votes_of
from lab.ui.formats import plural

USED, MODEL, PEOPLE, FILE = "in use", "language model", "people", "file"
GRADE = re.compile(r"(.+)-\d{1,3}")
RATINGS = {"id": pl.String, "by": pl.String, "label": pl.Float64}


@dataclass(frozen=True, slots=True, eq=False)
class LabelSet:
    """Labels of one origin: `ratings` has id, by, label; `about` says how they came about."""

    name: str
    origin: str
    spec: str
    ratings: pl.DataFrame
    about: str = ""

    @property
    def words(self) -> str:
        """The set as a choice in a list."""
        return f"{self.name}, {self.origin} ({plural(self.ratings.height, 'label')})"


def label_sets(ws: Workspace) -> list[LabelSet]:
    """All sets of labels in the workspace; DataError for a file that cannot be read."""
    return [*used_sets(ws), *model_sets(ws), *people_sets(ws), *file_sets(ws)]


def used_sets(ws: Workspace) -> list[LabelSet]:
    """The labels that scores were learned from, kept when they were."""
    sets = []
    for name in label_names(ws):
        labels, path = registered_labels(ws, name), ws.folder("labels", f"{name}.jsonl")
        if labels is not None:
            head = labels.settings.get("head") or "ngrams"
            about = f"the score {name} was learned from them, with the head {head}"
            sets.append(LabelSet(name, USED, str(path), ratings_of(path), about))
    return sets


def model_sets(ws: Workspace) -> list[LabelSet]:
    """What language models answered, with what it cost."""
    sets = []
    for path in sorted(ws.folder("labels", "llm").glob("*/labels.jsonl")):
        name = path.parent.name
        about = report_words(report_of(ws, name))
        sets.append(LabelSet(name, MODEL, f"llm:{name}", ratings_of(path), about))
    return sets


def report_of(ws: Workspace, name: str) -> dict[str, Any]:
    """The report of a set of labels by a model; empty if there is none."""
    path = ws.folder("labels", "llm", name, "report.json")
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return found


def report_words(report: dict[str, Any]) -> str:
    """Model, money and what was set aside, in a line."""
    if not report:
        return ""
    aside = sum(report.get("quarantined", {}).values())
    said = f"{report['model']} at {report['base_url']}; cost {report['cost']:.4g}; {aside:,} "
    said += f"answers set aside, {report['not_asked']:,} documents not asked"
    return said + (f"; {report['stopped']}" if report.get("stopped") else "")


def people_sets(ws: Workspace) -> list[LabelSet]:
    """Grades, opposite tags and votes that people gave."""
    known = state_of(ws).known
    names = {found[1] for tag in known if (found := GRADE.fullmatch(tag))}
    names |= {tag for tag in known if f"not-{tag}" in known}
    names |= set(votes_of(ws)["question"].unique())
    sets = []
    for name in sorted(names):
        ratings = people_ratings(ws, name)
        if ratings.height:
            about = people_words(ws, name)
            sets.append(LabelSet(name, PEOPLE, f"people:{name}", ratings, about))
    return sets


def people_words(ws: Workspace, name: str) -> str:
    """How people gave these labels; grades and yes-or-no together cannot be learned from."""
    if grades(tags_of(ws), name).is_empty():
        return "yes or no, by votes and tags"
    mixed = votes_of(ws, name).height or tag_labels(tags_of(ws), name).height
    return "grades, by tags" + ("; yes-or-no labels of this name do not fit them" if mixed else "")


def people_ratings(ws: Workspace, name: str) -> pl.DataFrame:
    """Columns id, by, label that people gave under `name`, as `export_labels` writes them."""
    tags = tags_of(ws)
    graded = grades(tags, name)
    yes_no = pl.concat([vote_labels(votes_of(ws, name)), tag_labels(tags, name)])
    found = graded if graded.height else yes_no
    return found.select(pl.col("id"), pl.col("by"), pl.col("label"))


def file_sets(ws: Workspace) -> list[LabelSet]:
    """The labels that came with the sample world, where they are in no use yet."""
    sets = []
    for path in sorted(ws.folder("world", "labels").glob("*.ids.jsonl")):
        name = path.name.partition(".")[0]
        if registered_labels(ws, name) is None:
            about = "planted in the sample world"
            sets.append(LabelSet(name, FILE, str(path), ratings_of(path), about))
    return sets


def ratings_of(path: Path) -> pl.DataFrame:
    """Columns id, by, label of a file, read again when it changes."""
    stat = path.stat()
    return cached_ratings(path, f"{path} {stat.st_size} {stat.st_mtime_ns}")


@st.cache_resource(max_entries=64, show_spinner=False)
def cached_ratings(_path: Path, key: str) -> pl.DataFrame:
    """The ratings for `key`: 2 us a label."""
    return read_ratings(_path)


def agreement_between(sets: Sequence[LabelSet]) -> pl.DataFrame:
    """Columns measure, a, b, value, low, high, n: how far the labellers of all sets agree.

    A label without a name counts under the name and origin of its set. The labels in use are left
    out where they are copies of another set.
    """
    frames = [pl.DataFrame(schema=RATINGS)]
    others = [s for s in sets if s.origin != USED]
    for found in [*others, *(s for s in sets if s.origin == USED)]:
        by = pl.when(pl.col("by") == "").then(pl.lit(f"{found.name} ({found.origin})"))
        rows = found.ratings.select("id", by.otherwise("by").alias("by"), "label")
        copied = any(found.ratings.equals(other.ratings) for other in others)
        if found.origin != USED or not copied:
            frames.append(rows)
    ratings = pl.concat(frames).unique().sort("id", "by", "label")
    return cached_agreement(ratings, digest(ratings.rows()))


@st.cache_data(max_entries=16, show_spinner=False)
def cached_agreement(_ratings: pl.DataFrame, key: str) -> pl.DataFrame:
    """The agreement for `key`: 60 ms for a pair that share 600 documents."""
    return agreement(_ratings)
