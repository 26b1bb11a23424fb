"""`mixlab diversity` and `mixlab marks` as tables, with what their numbers are of."""

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from lab.cli.act import act
from lab.cli.show import Shown
from lab.diversity.breadth.measures import BLIND, LABELS
from lab.jobs.breadth.words import (
    NONE_LOST,
    SAMPLED,
    alone_words,
    kept_words,
    mixture_words,
    reference_words,
    taken,
)

Found = Mapping[str, Any]
TOPICS = 12  # lost ones, shown of each source
UNSEEN = "what each measure cannot see:\n" + "\n".join(
    f"  {LABELS[name]}: {BLIND[name]}" for name in LABELS
)


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
    made = [(f"Sources, {found['encoder']} embeddings", panel_table(found["sources"]))]
    for name, recipe in found.get("recipes", {}).items():
        made += recipe_tables(name, recipe)
    if "versus" in found:
        made += versus_tables(found["versus"], *found["recipes"])
    if found.get("overlap"):
        made.append(("Overlap of sources (row in column)", overlap_table(found["overlap"])))
    return made


def panel_table(panels: Found) -> pl.DataFrame:
    """One row a source, one column a measure, then what stands beside them."""
    rows = []
    for source, panel in panels.items():
        both = {**panel["measures"], **panel["beside"]}
        first = {"source": source, "documents": taken(panel["sample"])}
        rows.append(first | {k: words(v) for k, v in both.items()})
    return filled(rows)


def filled(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows of texts as a frame; what a row lacks is blank."""
    if not rows:
        return pl.DataFrame()
    return pl.from_dicts(rows, infer_schema_length=None).with_columns(pl.all().fill_null(""))


def recipe_tables(name: str, recipe: Found) -> list[tuple[str, pl.DataFrame]]:
    """Kept against pool, topics that are kept least, and the mixture."""
    kept = recipe["kept"]
    rows = [
        {"source": source, "kept documents": taken(panel["sample"])} | changes(panel["against"])
        for source, panel in kept.items()
    ]
    made = [(f"What {name!r} keeps, less the pool", filled(rows))] if rows else []
    lost = [
        [{"source": source, **topic} for topic in panel["against"]["topics"] if topic["lost"]]
        for source, panel in kept.items()
    ]
    shown = [topic for own in lost for topic in own[:TOPICS]]
    if shown:
        total = sum(map(len, lost))
        of = f", {len(shown)} of {total}" if total > len(shown) else ""
        made.append((f"Topics lost under {name!r}{of}", topics_table(shown)))
    if recipe["mixture"]["scores"]:
        made.append((f"The mixture of {name!r}", mixture_table(recipe["mixture"])))
    return made


def changes(found: Found) -> dict[str, str]:
    """Differences by measure, and of what stands beside."""
    both = {**found["measures"], **found["beside"]}
    return {name: signed(value["difference"]) for name, value in both.items()}


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


def versus_tables(versus: Found, one: str, other: str) -> list[tuple[str, pl.DataFrame]]:
    """One recipe against the other."""
    own = versus["sources"]
    rows = [
        {"source": source, f"kept by {one}": f"{found['documents'][0]:,}",
         f"by {other}": f"{found['documents'][1]:,}"}
        | (changes(found) if "measures" in found else {})
        for source, found in own.items() if not found["same"]
    ]  # fmt: skip
    made = [(f"{one!r} less {other!r}, what they keep", filled(rows))] if rows else []
    lost = [{"source": s, **t} for s, found in own.items() for t in found.get("lost", [])]
    if lost:
        made.append((f"Topics of {other!r} that {one!r} has lost", topics_table(lost)))
    measures = versus["mixture"]["measures"]
    if measures:
        row = {"source": "(the mixture)"} | changes({"measures": measures, "beside": {}})
        made.append((f"The mixture of {one!r} less that of {other!r}", filled([row])))
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
    """What the numbers are of, and what is left out of them."""
    said = [f"{SAMPLED} {reference_words(found['reference'])}"]
    if few := found["few"]:
        said.append(
            f"Left out: {', '.join(few)}, of which fewer than two training documents are embedded."
        )
    for name, recipe in found.get("recipes", {}).items():
        said += [f"{name}: {line}" for line in recipe_notes(recipe)]
    said += versus_notes(found)
    said.append(
        "Intervals hold 95 %; a difference in brackets is not resolved. Random noise has the "
        "highest scores of all: read them beside quality. What each measure cannot see: "
        "`mixlab diversity --help`."
    )
    return said


def recipe_notes(recipe: Found) -> list[str]:
    """What a recipe empties, what it loses, and what its mixture's numbers leave out."""
    kept, mixture = recipe["kept"], recipe["mixture"]
    said = kept_words(kept)
    if kept and not any(t["lost"] for p in kept.values() for t in p["against"]["topics"]):
        said.append(NONE_LOST)
    left_out = mixture_words([], mixture["few"], mixture["missing"])
    said += left_out
    if mixture["scores"] and (left_out or mixture["emptied"]):
        said.append(f"The mixture's numbers are of {mixture['known']:.0%} of its weights.")
    if alone := alone_words(mixture["of"]):
        said.append(alone)
    return said


def versus_notes(found: Found) -> list[str]:
    """Sources of which two recipes keep the same, and those that cannot be measured."""
    if "versus" not in found:
        return []
    one, other = found["recipes"]
    own = found["versus"]["sources"]
    same = [source for source, each in own.items() if each["same"]]
    said = [f"{one} and {other} keep the same of {', '.join(same)}."] if same else []
    for name, place in ((one, 0), (other, 1)):
        empty = [source for source, each in own.items() if not each["documents"][place]]
        said += [f"{name} keeps nothing of {', '.join(empty)}."] if empty else []
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
