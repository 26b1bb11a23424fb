"""`mixlab diversity` and `mixlab marks`: tables, and what each measure cannot see."""

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from lab.cli.act import act
from lab.cli.show import Shown
from lab.diversity.breadth.measures import BLIND, LABELS

Found = Mapping[str, Any]
TOPICS = 12  # least kept, shown of each source


def diversity(options: argparse.Namespace) -> Shown:
    """Run the action; tables for people, the result as it is for --json."""
    keys = ("recipe", "against", "reference", "encoder", "size")
    given = {key: getattr(options, key) for key in keys}
    shown = act(options, "diversity", sources=options.sources or None, **given)
    if "sources" not in shown.data:  # a job was started
        return shown
    return replace(shown, tables=tables(shown.data), notes=notes(shown.data))


def tables(found: Found) -> list[tuple[str, pl.DataFrame]]:
    """All tables of a result."""
    made = [("Sources", panel_table(found["sources"]))]
    for name, recipe in found.get("recipes", {}).items():
        made += recipe_tables(name, recipe)
    if "versus" in found:
        made += versus_tables(found["versus"])
    if found.get("overlap"):
        made.append(("Overlap of sources (row in column)", overlap_table(found["overlap"])))
    return made


def panel_table(panels: Found) -> pl.DataFrame:
    """One row a source, one column a measure, then what stands beside them."""
    rows = []
    for source, panel in panels.items():
        both = {**panel["measures"], **panel["beside"]}
        n = panel["measures"].get("vendi_1", {"n": 0})["n"]
        rows.append({"source": source, "n": n, **{k: words(v) for k, v in both.items()}})
    return pl.from_dicts(rows, infer_schema_length=None) if rows else pl.DataFrame()


def recipe_tables(name: str, recipe: Found) -> list[tuple[str, pl.DataFrame]]:
    """Kept against pool, topics that are kept least, and the mixture."""
    made = [(f"What {name!r} keeps, less the pool", changes_table(against(recipe["kept"])))]
    topics = [
        {"source": source, **topic}
        for source, panel in recipe["kept"].items()
        for topic in panel.get("against", {}).get("topics", [])[:TOPICS]
        if topic["lost"]
    ]
    if topics:
        made.append((f"Topics lost under {name!r}", topics_table(topics)))
    if recipe["mixture"]["scores"]:
        made.append((f"The mixture of {name!r}", mixture_table(recipe["mixture"])))
    return made


def against(kept: Found) -> dict[str, Found]:
    """The comparisons with the pool, by source."""
    return {s: panel["against"] for s, panel in kept.items() if "against" in panel}


def changes_table(by_source: Mapping[str, Found]) -> pl.DataFrame:
    """Differences that are resolved, and in brackets those that are not."""
    rows = [
        {
            "source": source,
            "n": found["n"],
            **{k: signed(v["difference"]) for k, v in found["measures"].items()},
            **{k: signed(v["difference"]) for k, v in found["beside"].items()},
        }
        for source, found in by_source.items()
    ]
    return pl.from_dicts(rows, infer_schema_length=None) if rows else pl.DataFrame()


def topics_table(topics: Iterable[Found]) -> pl.DataFrame:
    """Lost topics with what is left."""
    columns = ["source", "label", "documents", "kept_documents", "share", "high"]
    return pl.DataFrame(list(topics)).select(columns)


def mixture_table(mixture: Found) -> pl.DataFrame:
    """Scores on top, then what one per cent more of each source adds or removes."""
    first = {"one per cent more of": "(the mixture)"}
    rows = [first | {k: words(v) for k, v in mixture["scores"].items()}]
    for source in next(iter(mixture["gains"].values()), {}):
        gains = {measure: signed(found[source]) for measure, found in mixture["gains"].items()}
        rows.append({"one per cent more of": source, **gains})
    return pl.DataFrame(rows)


def versus_tables(versus: Found) -> list[tuple[str, pl.DataFrame]]:
    """One recipe against the other."""
    own = {s: found for s, found in versus["sources"].items() if "measures" in found}
    made = [("One recipe less the other, what they keep", changes_table(own))] if own else []
    lost = [{"source": s, **t} for s, found in own.items() for t in found["lost"]]
    if lost:
        made.append(("Topics of the other that the first has lost", topics_table(lost)))
    mixture = {"n": 0, "beside": {}, **versus["mixture"]}
    if mixture["measures"]:
        table = changes_table({"(the mixture)": mixture}).drop("n")
        made.append(("One mixture less the other", table))
    return made


def overlap_table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Pairs of sources."""
    return pl.DataFrame(
        [
            {
                "source": row["source"], "other": row["other"], "n": row["n"],
                "near": band(row["near"], row["near_low"], row["near_high"]),
                "clusters": band(row["clusters"], row["clusters_low"], row["clusters_high"]),
                "told apart (AUC)": band(row["auc"], row["auc_low"], row["auc_high"]),
                "p": row["p"],
            }
            for row in rows
        ]
    )  # fmt: skip


def words(estimate: Found) -> str:
    """Value with interval."""
    return band(estimate["value"], estimate["low"], estimate["high"])


def band(value: float, low: float, high: float) -> str:
    """Three numbers."""
    return f"{value:.3g} ({low:.3g} to {high:.3g})"


def signed(estimate: Found) -> str:
    """A difference; in brackets if its interval holds zero."""
    value = f"{estimate['value']:+.2g}"
    resolved = estimate["low"] > 0 or estimate["high"] < 0
    return value if resolved else f"({value})"


def notes(found: Found) -> list[str]:
    """What each measure cannot see, and what brackets mean."""
    used = {name for panel in found["sources"].values() for name in panel["measures"]}
    said = [f"{LABELS[name]}: {BLIND[name]}" for name in LABELS if name in used]
    said.append(
        "Random noise has the highest scores of all: read them beside quality. Intervals hold "
        "95 %; a difference in brackets is not resolved."
    )
    for name, recipe in found.get("recipes", {}).items():
        if missing := recipe["mixture"]["missing"]:
            said.append(f"{name}: not measured, so not part of the mixture: {', '.join(missing)}.")
    return said


def marks(options: argparse.Namespace) -> Shown:
    """Run the action; words and signals as tables for people."""
    shown = act(options, "marks", selection=options.selection)
    if "words" not in shown.data:  # a job was started
        return shown
    found, read = shown.data, shown.data["read"]
    made = [("Words, those of the selection first", pl.DataFrame(found["words"]))]
    made.append(("Signals, the most shifted first", pl.DataFrame(found["signals"][:TOPICS])))
    said = [
        f"{read['selected']:,} of {found['selected']:,} selected documents read against "
        f"{read['rest']:,} of {found['documents'] - found['selected']:,} others on the map.",
        f"selection: {found['line']}",
    ]
    return replace(shown, tables=made, notes=said)
