"""Facets: ways to divide the documents in scope, with how many of each part match.

A facet either puts every document into one part (source, topic, verdict, length: an array of codes)
or into any number (reasons, tags: a mask per part). A filter is `facet=part`; parts of one facet
are joined by OR, facets by AND. The bar of a part counts the documents that match the search and
the filters of all *other* facets: what a click on it would show. Cost: 2 ms a facet of a million
documents for codes, 1 ms a part for masks (one core).
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import streamlit as st
from numpy.typing import NDArray

from lab.core.errors import LabError
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.curation.tags.store import state_of
from lab.curation.topics import common_column
from lab.mixture.recipe import Recipe
from lab.mixture.selection import Verdicts
from lab.mixture.supply import supply_key
from lab.ui.browse.pool import Pool, column, column_key, column_names, stored_in
from lab.ui.map.facet import FACET, selection_masks
from lab.ui.tables import cached_verdicts

Mask = NDArray[np.bool_]
SPLIT = " | "  # between filters in the address
SENT = 200  # parts of one facet that the browser gets; it shows 14 and the others when asked
LENGTHS = (0, 32, 128, 512, 2048, 8192)
LANGUAGE = "language.code"
TITLES = {"language": "Language", "topic": "Topic, of mapped documents"}
FILTERS = "f"  # the box of filters, in the session and in the address


@dataclass(frozen=True, slots=True, eq=False)
class Facet:
    """`parts` by name. `codes`: the part of each document, -1 for none; else a mask per part."""

    name: str
    title: str
    parts: tuple[str, ...]
    codes: NDArray[np.int16] | NDArray[np.int32] | None = None
    masks: tuple[Mask, ...] = ()

    def mask(self, part: str) -> Mask:
        """The documents of a part; none for a part that is not there."""
        if part not in self.parts:
            return np.zeros(len(self.codes if self.codes is not None else self.masks[0]), bool)
        place = self.parts.index(part)
        return self.masks[place] if self.codes is None else self.codes == place

    def count(self, matching: Mask, weights: NDArray[np.float64] | None) -> list[float]:
        """Documents (or their weights) of each part among those that match."""
        if self.codes is None:
            hits = [mask & matching for mask in self.masks]
            if weights is None:
                return [float(np.count_nonzero(hit)) for hit in hits]
            return [float(weights[hit].sum()) for hit in hits]
        picked = self.codes[matching] + 1
        heavy = None if weights is None else weights[matching]
        return [float(n) for n in np.bincount(picked, heavy, len(self.parts) + 1)[1:]]


@dataclass(frozen=True, slots=True, eq=False)
class Facets:
    """The facets of a pool, what names their content, and the verdicts they are made of; `problem`
    says why there are no verdicts, "" if there are.
    """

    key: str
    every: tuple[Facet, ...]
    verdicts: dict[str, Verdicts]
    problem: str


Filters = dict[str, tuple[str, ...]]


def read_filters(text: str) -> Filters:
    """Filters as they stand in the address: `kind=organic | length=512 to 2048`."""
    found: dict[str, list[str]] = {}
    for piece in text.split("|"):
        name, equals, part = piece.strip().partition("=")
        if equals and part.strip() not in found.setdefault(name.strip(), []):
            found[name.strip()].append(part.strip())
    return {name: tuple(parts) for name, parts in found.items()}


def write_filters(filters: Filters) -> str:
    """Filters as one line."""
    return SPLIT.join(f"{name}={part}" for name, parts in filters.items() for part in parts)


def toggled(filters: Filters, name: str, part: str) -> Filters:
    """The filters with one more, or without it if it was there."""
    parts = filters.get(name, ())
    changed = tuple(p for p in parts if p != part) if part in parts else (*parts, part)
    return {n: p for n, p in {**filters, name: changed}.items() if p}


def apply(facets: Sequence[Facet], filters: Filters, besides: str = "") -> Mask | None:
    """Documents that pass the filters of all facets but `besides`; None if that is all of them."""
    passing: Mask | None = None
    for facet in facets:
        if facet.name in filters and facet.name != besides:
            masks = [facet.mask(part) for part in filters[facet.name]]
            own = np.logical_or.reduce(masks)
            passing = own if passing is None else passing & own
    return passing


def unknown_filters(facets: Sequence[Facet], filters: Filters) -> list[str]:
    """Filters that no facet or part answers to."""
    known = {facet.name: facet.parts for facet in facets}
    return [
        f"{name}={part}"
        for name, parts in filters.items()
        for part in parts
        if part not in known.get(name, ())
    ]


def load_facets(ws: Workspace, pool: Pool, recipe: Recipe | None) -> Facets:
    """The facets of the pool under a recipe's verdicts."""
    judged, verdicts, problem = stored_verdicts(ws, recipe)
    state = state_of(ws)
    stamp = [state.done, state.undone, state.last, state.tags.height]
    kinds = [get_source(ws, source).kind for source in pool.sources]
    selections = selection_masks(ws, pool, asked_selections())
    languages = [n for n in column_names(ws, pool) if n.partition("@")[0] == LANGUAGE][:1]
    texts = [*languages, common_column(ws, pool.sources)]
    columns = [name for name in texts if name]
    stored = [column_key(pool, name, stored_in(ws, pool, name)) for name in columns]
    key = digest([pool.key, judged, stamp, kinds, stored, selections.stamp])
    every = tuple(cached_facets(ws, pool, verdicts, columns, selections.masks, key))
    return Facets(key, every, verdicts, problem)


def asked_selections() -> tuple[str, ...]:
    """Selections in the filters; their box is drawn later, so they may be in the address only."""
    held = st.session_state if FILTERS in st.session_state else st.query_params
    return read_filters(str(held.get(FILTERS) or "")).get(FACET, ())


def stored_verdicts(ws: Workspace, recipe: Recipe | None) -> tuple[str, dict[str, Verdicts], str]:
    """What names the verdicts, verdicts per source, and why there are none, "" if there are."""
    if recipe is None:
        return "", {}, ""
    try:
        key = supply_key(ws, recipe)
        return key, cached_verdicts(ws, recipe, key), ""
    except LabError as error:
        return "", {}, str(error)


@st.cache_resource(max_entries=6, show_spinner=False)
def cached_facets(
    _ws: Workspace,
    _pool: Pool,
    _verdicts: dict[str, Verdicts],
    _columns: list[str],
    _selections: dict[str, Mask],
    key: str,
) -> list[Facet]:
    """The facets for `key`."""
    found = [source_facet(_pool), kind_facet(_ws, _pool)]
    if any(source in _verdicts for source in _pool.sources):
        found += [verdict_facet(_pool, _verdicts), reason_facet(_pool, _verdicts)]
    found += [text_facet(column(_ws, _pool, name)) for name in _columns]
    found += [length_facet(_pool), tag_facet(_ws, _pool)]
    if _selections:
        parts = tuple(_selections)
        found.append(Facet(FACET, "Selection on the map", parts, None, tuple(_selections.values())))
    alone = ("tag", "reason", FACET)
    return [facet for facet in found if len(facet.parts) > 1 or facet.name in alone]


def source_facet(pool: Pool) -> Facet:
    """One part per source."""
    codes = pool.frame["source"].to_physical().to_numpy().astype(np.int16)
    return Facet("source", "Source", tuple(pool.sources), codes)


def kind_facet(ws: Workspace, pool: Pool) -> Facet:
    """Organic, synthetic and so on."""
    kinds = [get_source(ws, source).kind for source in pool.sources]
    parts = tuple(sorted(set(kinds)))
    table = np.array([parts.index(kind) for kind in kinds], np.int16)
    return Facet("kind", "Kind", parts, table[pool.frame["source"].to_physical().to_numpy()])


def verdict_facet(pool: Pool, verdicts: dict[str, Verdicts]) -> Facet:
    """Kept, dropped, held out; no part for sources that the recipe does not use."""
    codes = np.full(pool.frame.height, -1, np.int16)
    for source, verdict in verdicts.items():
        if source in pool.artifacts:
            kept, held = (verdict.frame[c].to_numpy() for c in ("kept", "heldout"))
            codes[pool.span(source)] = np.where(held, 2, np.where(kept, 0, 1))
    return Facet("verdict", "Verdict", ("kept", "dropped", "held out"), codes)


def reason_facet(pool: Pool, verdicts: dict[str, Verdicts]) -> Facet:
    """Every reason for which a training document falls; a document may have several."""
    masks: dict[str, Mask] = {}
    for source, verdict in verdicts.items():
        if source not in pool.artifacts:
            continue
        bits = verdict.frame["mask"].to_numpy()
        training = ~verdict.frame["heldout"].to_numpy()
        for place, words in enumerate(verdict.reasons):
            name = words.replace("|", "/")
            mask = masks.setdefault(name, np.zeros(pool.frame.height, bool))
            mask[pool.span(source)] |= (bits >> np.uint64(place) & np.uint64(1) == 1) & training
    parts = sorted(masks, key=lambda name: -int(masks[name].sum()))
    return Facet("reason", "Fails the rule", tuple(parts), None, tuple(masks[p] for p in parts))


def text_facet(values: pl.Series) -> Facet:
    """The languages or topics of the documents, the commonest first."""
    counts = values.drop_nulls().value_counts(sort=True)
    parts = counts[values.name].cast(pl.String).to_list()
    places = values.cast(pl.String).replace_strict(
        parts, list(range(len(parts))), default=-1, return_dtype=pl.Int16
    )
    name = values.name.partition(".")[0]
    shown = tuple(" ".join(part.replace("|", "/").split()) for part in parts)
    return Facet(name, TITLES[name], shown, places.fill_null(-1).to_numpy())


def length_facet(pool: Pool) -> Facet:
    """Bins of length, each four times as wide as the one before: tokens, or bytes if uncounted."""
    unit, factor = ("tokens", 1) if pool.counted else ("bytes", 4)
    edges = [edge * factor for edge in LENGTHS]
    codes = np.searchsorted(edges, pool.frame[unit].to_numpy(), side="right") - 1
    names = [f"{low} to {high - 1}" for low, high in itertools.pairwise(edges)]
    return Facet("length", f"Length, {unit}", (*names, f"from {edges[-1]}"), codes.astype(np.int16))


def tag_facet(ws: Workspace, pool: Pool) -> Facet:
    """Tags that people gave, and documents with a note."""
    state = state_of(ws)
    ids = pool.frame["id"]
    bearers = {name: state.tags.filter(tag=name)["id"] for name in state.known}
    if state.notes.height:
        bearers["(note)"] = state.notes["id"]
    masks = {name: ids.is_in(own.implode()).to_numpy() for name, own in bearers.items()}
    return Facet("tag", "Tag", tuple(masks), None, tuple(masks.values()))


def bars(
    facets: Sequence[Facet],
    filters: Filters,
    searched: Mask | None,
    weights: NDArray[np.float64] | None,
    size: int,
) -> Iterator[dict[str, object]]:
    """Yield what the browser draws of each facet: parts with pool and matching amounts."""
    everything = np.ones(size, bool)
    for facet in facets:
        passing = apply(facets, filters, besides=facet.name)
        match = everything if passing is None else passing
        match = match if searched is None else match & searched
        pool, found = facet.count(everything, weights), facet.count(match, weights)
        active = filters.get(facet.name, ())
        rows = [
            {"part": part, "pool": pool[k], "match": found[k], "active": part in active}
            for k, part in enumerate(facet.parts)
            if k < SENT or part in active
        ]
        unsent = len(facet.parts) - len(rows)
        if rows:
            yield {"name": facet.name, "title": facet.title, "rows": rows, "unsent": unsent}
