"""The controls: for whom, which rule, and its demand as numbers, percentiles, values or SQL.

Widgets are *controlled*: before each is drawn, the session holds what the draft says, and its
callback writes the draft. So picture, boxes, draft text and URL can never disagree.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.curation.filters.measured import how_to_complete
from lab.curation.filters.parsing import parse_rule
from lab.curation.filters.rule import Rule
from lab.curation.presets import load_preset, preset_names
from lab.curation.signals import BY_ID
from lab.mixture.recipe import Recipe
from lab.ui.cuts import ALL, Bounds, Draft, bounds_of, scope_rules, scopes_of
from lab.ui.filters.cut_view import payload, show_cut
from lab.ui.filters.drafts import MESSAGE, change_bounds, change_rule, replace_rules
from lab.ui.filters.evidence import names_of
from lab.ui.filters.scene import Scene, choices, lines_of, values_of
from lab.ui.formats import count, number, sentence
from lab.ui.signal_words import signal_words
from lab.ui.state import forget_unknown
from lab.ui.text import label, show_plain

LISTED = 60  # values of a column of text that can be chosen
WHERE_KEY = "where_text"


def pick_scope(recipe: Recipe) -> str:
    """For whom a rule is changed; in the URL."""
    forget_unknown("source", scopes_of(recipe))
    open_on("source", scopes_of(recipe))
    return st.selectbox(
        "Rules of", scopes_of(recipe), key="source", bind="query-params", format_func=scope_words
    )


def open_on(key: str, options: Sequence[str]) -> None:
    """Let an address name an option by its value: by itself a bound list knows only its words."""
    asked = st.query_params.get(key)
    if key not in st.session_state and asked in options:
        st.session_state[key] = asked


def sources_of(recipe: Recipe, scope: str) -> list[str]:
    """The sources that a scope speaks of."""
    return list(recipe.sources) if scope == ALL else [scope.rpartition("/")[2]]


def scope_words(scope: str) -> str:
    """A scope as people name it."""
    if scope == ALL:
        return "all sources"
    phase, slash, source = scope.rpartition("/")
    return f"{source}, only in phase {phase}" if slash else source


def pick_rule(ws: Workspace, saved: Recipe, new: Recipe, scope: str) -> str:
    """Which rule or signal is in the hand; first the rule that drops most."""
    known = choices(ws, saved, scope)
    drafted = [rule.key for rule in scope_rules(new, scope) if rule.key not in known]
    open_on("signal", [*known, *drafted])
    return st.selectbox(
        "Rule", [*known, *drafted], key="signal", bind="query-params", format_func=signal_words
    )


@dataclass(frozen=True, slots=True)
class Look:
    """How numbers are drawn: the unit, a source to compare with ("" for none), and the row of these
    controls, where the percentiles of the rule have their place too.
    """

    unit: str
    reference: str
    row: DeltaGenerator


def look_bar(ws: Workspace, saved: Recipe, new: Recipe, scope: str, key: str) -> Look:
    """What the signal measures, and the unit and the reference of its picture."""
    show_meaning(key)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    if '"' in key or not values_of(Scene(ws, saved, new, Draft(), scope, key)).dtype.is_numeric():
        return Look("tokens", "", row)
    with row:
        unit = st.segmented_control(
            "Count", ["tokens", "documents"], default="tokens", key="count", bind="query-params",
            required=True,
        )  # fmt: skip
        others = [s for s in new.sources if scope == ALL or s not in sources_of(new, scope)]
        reference = st.selectbox(
            "Reference", ["", *others], key="reference", bind="query-params", width=220,
            format_func=lambda name: name or "none",
            help="A source you trust: it is drawn first, so that you see what a cut costs it.",
        )  # fmt: skip
    return Look(str(unit), reference or "", row)


def show_meaning(key: str) -> None:
    """What the signal measures, and in which direction it speaks."""
    if key in BY_ID:
        meaning = BY_ID[key]
        st.caption(f"{label(sentence(meaning.summary))} {label(sentence(meaning.direction))}")


def show_rule(scene: Scene, look: Look) -> None:
    """The rule in the hand: picture and boxes for numbers, a list for text, SQL for expressions."""
    if '"' in scene.key:
        show_expression(scene)
        return
    values = values_of(scene)
    if values.dtype.is_numeric():
        show_numbers(scene, values, look)
    else:
        show_values(scene, values)


def show_numbers(scene: Scene, values: pl.Series, look: Look) -> None:
    """Picture with the lines, and percentiles."""
    lines, missing = lines_of(scene, look.reference)
    if missing:
        st.caption(f"Not measured for {label(', '.join(missing))}.")
    if not any(line.judged.pool.ids.len() for line in lines):
        st.caption("There are no training documents to draw.")
        return
    if len(scene.sources) == 1 and values.min() == values.max():
        st.caption(
            f"All {count(values.len())} documents have the value "
            f"{number(float(values.cast(pl.Float64)[0]))}: no threshold can tell them apart."
        )
        return
    bounds = held_bounds(scene)

    def moved(new: Bounds) -> None:
        change_bounds(scene.saved, scene.scope, scene.key, new)

    drawn = payload(scene.ws, scene.new, lines, scene.key, bounds, look.unit, look.reference)
    show_cut(drawn, moved)
    show_whose(scene)
    with look.row:
        percentile_popover(scene)


def held_bounds(scene: Scene) -> Bounds:
    """The numbers that the rule in the hand stands at, percentiles resolved where they can be."""
    if scene.scope == ALL:
        return bounds_of([scene.rule] if scene.rule else [], scene.key)
    return bounds_of(scene.after(scene.sources[0]).rules, scene.key)


def show_whose(scene: Scene) -> None:
    """Whose rules a line of all sources replaces."""
    if scene.scope == ALL:
        own = [s for s in scene.new.sources if not scene.moves(s)]
        if own:
            st.caption(f"{label(', '.join(own))}: a rule of its own in the draft, which stays.")
        st.caption("Moving a line here replaces the rules of single sources on this signal.")


def percentile_popover(scene: Scene) -> None:
    """Thresholds as percentiles of each source's own documents."""
    rule = scene.rule or Rule(scene.key)
    with st.popover("Percentiles", icon=":material/percent:"):
        st.caption(
            "A percentile is taken over each source's own training documents: 10 as minimum drops "
            "the lowest tenth of every source, good or bad. A number means the same everywhere."
        )
        for side, name in (("min", "Minimum percentile"), ("max", "Maximum percentile")):
            key = f"p.{side}.{scene.saved.name}.{scene.scope}.{scene.key}"
            st.session_state[key] = getattr(rule, f"{side}_percentile")
            st.number_input(
                label(name), 0.0, 100.0, None, key=key, placeholder="none", format="%.4g",
                on_change=typed_percentile, args=(scene, side, key),
            )  # fmt: skip


def typed_percentile(scene: Scene, side: str, key: str) -> None:
    """Callback of a percentile box: that side becomes a percentile, the other stays."""
    rule = scene.rule or Rule(scene.key)
    sides = {
        "min": (rule.min, rule.min_percentile),
        "max": (rule.max, rule.max_percentile),
        side: (None, st.session_state[key]),
    }
    low, high = sides["min"], sides["max"]
    new = Rule(scene.key, low[0], high[0], low[1], high[1])
    empty = all(value is None for value in (*low, *high))
    change_rule(scene.saved, scene.scope, scene.key, None if empty else new)


def show_values(scene: Scene, values: pl.Series) -> None:
    """A column of text or truth values: keep some, or drop some."""
    truth = values.dtype == pl.Boolean
    counted = values.drop_nulls().value_counts(sort=True).head(LISTED)
    unknown = values.null_count()
    options = counted[values.name].to_list()
    rule = scene.rule or Rule(scene.key)
    kind = st.segmented_control(
        "Documents with these values", ["keep only", "drop"], key="value_kind", required=True,
        default="drop" if rule.not_values else "keep only",
    )  # fmt: skip
    key = f"values.{scene.saved.name}.{scene.scope}.{scene.key}"
    chosen = rule.values or rule.not_values
    st.session_state[key] = list(chosen)

    def picked() -> None:
        new = tuple(st.session_state[key])
        drop = kind == "drop"
        rule = Rule(scene.key, values=() if drop else new, not_values=new if drop else ())
        change_rule(scene.saved, scene.scope, scene.key, rule if new else None)

    st.multiselect(
        "Values",
        list(dict.fromkeys([*options, *chosen])),
        key=key,
        format_func=lambda v: label(v),
        on_change=picked,
        placeholder="none: the rule is off",
        disabled=bool(unknown) and not chosen,
    )
    if unknown:
        st.caption(
            f"{count(unknown)} of {count(len(values))} training documents have no value, so it "
            "cannot be a rule yet:"
        )
        show_plain(how_to_complete(scene.key))
    words = counted.with_columns(pl.col(values.name).cast(pl.String))
    st.dataframe(words, hide_index=True, height=240, alt="Documents per value of this column")
    if truth:
        st.caption("true and false of every training document of the source.")


def show_expression(scene: Scene) -> None:
    """A `where` rule: what it says, whether it is on."""
    show_plain(scene.key)
    on = scene.rule is not None
    st.button(
        "Switch it off" if on else "Switch it on", key="toggle_where",
        on_click=change_rule,
        args=(scene.saved, scene.scope, scene.key, None if on else Rule(where=scene.key)),
    )  # fmt: skip


def expression_popover(ws: Workspace, recipe: Recipe, scope: str) -> None:
    """Write a rule over several columns."""
    with st.popover("Expression", icon=":material/function:"):
        st.caption("An SQL expression over columns; documents for which it is true stay.")
        st.text_area(
            "Keep documents where", key=WHERE_KEY, height=90,
            placeholder="gopher.word_count >= 50 OR quality.edu > 3",
        )  # fmt: skip

        def add() -> None:
            try:
                rule = parse_rule({"where": st.session_state[WHERE_KEY].strip()}, "the expression")
            except LabError as error:
                st.session_state[MESSAGE] = str(error)
                return
            change_rule(recipe, scope, rule.key, rule)
            st.session_state["signal"] = rule.key

        st.button("Add this rule", key="add_where", on_click=add)
        source = next(iter(recipe.sources)) if scope == ALL else scope.rpartition("/")[2]
        with st.expander("Columns"):
            show_plain("\n".join(names_of(ws, source)))


def preset_popover(recipe: Recipe, scope: str) -> None:
    """Replace a scope's rules by those of a published filter, as a draft."""
    with st.popover("Presets", icon=":material/auto_awesome_motion:"):
        preset = load_preset(st.selectbox("Published filter", preset_names(), key="preset"))
        st.caption(f"{label(preset.title)}. {label(preset.source)}")
        for rule, drops in zip(preset.rules, preset.drops, strict=True):
            st.caption(f"{label(rule.words())}: drops {label(drops)}")
        for missing in preset.left_out:
            st.caption(f"Not in it: {label(missing)}")
        st.button(
            "Replace the rules", key="use_preset",
            on_click=replace_rules, args=(recipe, scope, preset.rules),
        )  # fmt: skip
