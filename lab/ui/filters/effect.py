"""What the draft does: totals, the account of each rule with its order and its switch, sources."""

from collections.abc import Iterable

import polars as pl
import streamlit as st

from lab.core.errors import ArtifactMissing
from lab.curation.effect.accounting import Amount
from lab.curation.effect.sensitivity import moved_by_step
from lab.curation.filters.warnings import rule_warnings
from lab.mixture.selections import selection_warnings
from lab.ui.components import table
from lab.ui.cuts import ALL
from lab.ui.filters.controls import scope_words
from lab.ui.filters.drafts import change_order, change_rule
from lab.ui.filters.evidence import Judged, columns_of
from lab.ui.filters.scene import Scene
from lab.ui.formats import compact, count, percent
from lab.ui.text import label


def whole(title: str) -> object:
    """A column of whole numbers with separators."""
    return st.column_config.NumberColumn(title, format="localized", step=1)


def summed(amounts: Iterable[Amount]) -> Amount:
    """Documents and tokens together."""
    found = list(amounts)
    return Amount(sum(a.documents for a in found), sum(a.tokens for a in found))


def show_totals(scene: Scene) -> None:
    """Kept documents and tokens of the scope's sources, and the change against the saved recipe;
    first the selections among their rules that are stale.
    """
    for source in scene.sources:
        for words in selection_warnings(scene.ws, scene.new, source):
            st.warning(label(words), icon=":material/history_toggle_off:")
    after = [scene.after(s) for s in scene.sources]
    total, kept = summed(a.total for a in after), summed(a.passing for a in after)
    before = summed(scene.before(s).passing for s in scene.sources)
    grid = st.grid(2, min_column_width=150, gap="small")
    for name, now, was, of in (
        ("Documents kept", kept.documents, before.documents, total.documents),
        ("Tokens kept", kept.tokens, before.tokens, total.tokens),
    ):
        grid.metric(
            label(f"{name}, of {compact(of)} in {scope_words(scene.scope)}"),
            f"{compact(now)} ({percent(now / max(of, 1))})",
            delta=f"{compact(now - was)} from saved" if now != was else None,
            delta_color="off",
            border=True,
        )


def show_rules(scene: Scene) -> None:
    """What each rule takes from each source of the scope, warnings, and what one step would do."""
    source = pick_one(scene)
    found = scene.after(source)
    if not found.rules:
        st.caption(
            "This source has no rule: every document is kept. Move a line above, choose a preset, "
            "or take a suggestion."
        )
        return
    for words in rule_warnings(judged_frame(scene, found), found.rules, source):
        st.warning(label(words), icon=":material/warning:")
    show_account(found)
    if scene.scope != ALL:
        show_order(scene, found)
    st.markdown("**If one threshold moved by one step**")
    frame = steps_frame(scene, found)
    table(
        frame, key="steps", alt="Documents and tokens rescued or lost by one step of a threshold",
        column_config={
            "rule": st.column_config.TextColumn(width=260),
            "threshold": st.column_config.NumberColumn("moved to", format="%.4g"),
            "rescued documents": whole("rescued documents"),
            "rescued tokens": whole("rescued tokens"),
            "lost documents": whole("lost documents"),
            "lost tokens": whole("lost tokens"),
        },
    )  # fmt: skip
    show_combinations(found)


def pick_one(scene: Scene) -> str:
    """The source whose account is shown."""
    if len(scene.sources) == 1:
        return scene.sources[0]
    return st.selectbox("Account of", scene.sources, key="account_of", bind="query-params")


def show_account(found: Judged) -> None:
    """The account of each rule, in the order of the rules."""
    frame = found.account.by_rule().select(
        "reason", "first_documents", "first_tokens", "only_documents", "only_tokens", "share_tokens"
    )
    config = {
        "reason": st.column_config.TextColumn("rule", width=300),
        "first_documents": whole("documents first"),
        "first_tokens": whole("tokens first"),
        "only_documents": whole("documents only"),
        "only_tokens": whole("tokens only"),
        "share_tokens": whole("tokens, fair share"),
    }
    table(frame, key="rules_table", alt="What each rule takes", column_config=config)
    st.caption(
        "First: failed by this rule and none before it, so the order counts. Only: what switching "
        "the rule off would bring back. Fair share: each token split among all rules that drop it."
    )


def show_order(scene: Scene, found: Judged) -> None:
    """Switches and order of the rules; the order changes only what counts as first."""
    scope_rules = list(scene.rules(scene.new, scene.sources[0]))
    offset = len(scene.new.sources[scene.sources[0]]) if scene.phase else 0
    own = scope_rules[offset:]
    off = [key for key, rule in scene.draft.changes.get(scene.scope, {}).items() if rule is None]
    with st.expander("Order and switches"):
        for i, rule in enumerate(own):
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                st.button(
                    "Earlier", key=f"up.{i}", disabled=i == 0, icon=":material/arrow_upward:",
                    on_click=swap, args=(scene, len(own), i - 1),
                )  # fmt: skip
                st.button(
                    "Off", key=f"off.{i}", icon=":material/toggle_on:",
                    on_click=change_rule, args=(scene.saved, scene.scope, rule.key, None),
                )  # fmt: skip
                st.text(found.rules[offset + i].words())
        for key in off:
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                st.button(
                    "On again", key=f"on.{key}", icon=":material/toggle_off:",
                    on_click=back, args=(scene, key),
                )  # fmt: skip
                st.text(f"off: {key}")


def back(scene: Scene, key: str) -> None:
    """Callback: the saved rule on `key` again."""
    saved = [r for r in scene.rules(scene.saved, scene.sources[0]) if r.key == key]
    change_rule(scene.saved, scene.scope, key, saved[-1] if saved else None)


def swap(scene: Scene, number: int, place: int) -> None:
    """Callback: the rules at `place` and after it change places."""
    known = [i for i in scene.draft.orders.get(scene.scope, ()) if i < number]
    order = [*known, *(i for i in range(number) if i not in known)]
    order[place], order[place + 1] = order[place + 1], order[place]
    change_order(scene.saved, scene.scope, order)


def judged_frame(scene: Scene, found: Judged) -> pl.DataFrame:
    """Columns source, tokens, mask and those of the rules, for the library's tables."""
    names = list(dict.fromkeys(c for rule in found.rules for c in rule.columns()))
    columns = columns_of(scene.ws, scene.new, found.pool.source, names)
    base = {"source": found.pool.source, "tokens": found.pool.tokens, "mask": found.mask}
    return pl.DataFrame(base).with_columns(**columns)


def steps_frame(scene: Scene, found: Judged) -> pl.DataFrame:
    """One row per rule and side: what one step looser rescues and one step stricter loses."""
    moves = moved_by_step(judged_frame(scene, found), found.rules)
    words = pl.Series([found.rules[i].words() for i in moves["rule"]], dtype=pl.String)
    named = moves.with_columns(words=words)
    looser, stricter = (named.filter(way=way) for way in ("looser", "stricter"))
    joined = looser.join(stricter, on=["rule", "side"], suffix="_s", maintain_order="left")
    return joined.select(
        pl.col("words").alias("rule"), "side", "threshold",
        pl.col("documents").alias("rescued documents"), pl.col("tokens").alias("rescued tokens"),
        pl.col("documents_s").alias("lost documents"), pl.col("tokens_s").alias("lost tokens"),
    )  # fmt: skip


def show_combinations(found: Judged) -> None:
    """Which rules drop together."""
    frame = found.account.combinations(most=12)
    if frame.is_empty():
        return
    st.markdown("**Dropped by which rules together**")
    shown = frame.select(pl.col("reasons").list.join(" + ").alias("rules"), "documents", "tokens")
    table(
        shown, key="combinations", alt="Combinations of rules that drop the most tokens",
        column_config={
            "rules": st.column_config.TextColumn(width=420),
            "documents": whole("documents"),
            "tokens": whole("tokens"),
        },
    )  # fmt: skip


def show_sources(scene: Scene) -> None:
    """Documents, tokens and epochs of every source under its rules and the draft."""
    rows, missing = [], []
    for source in scene.new.sources:
        try:
            after, before = scene.after(source), scene.before(source)
        except ArtifactMissing:
            missing.append(source)
            continue
        total, kept, draws = after.total, after.passing, scene.draws(source)
        rows.append(
            {
                "source": source,
                "rules": len(after.rules),
                "documents": total.documents,
                "kept documents": kept.documents,
                "tokens": total.tokens,
                "kept tokens": kept.tokens,
                "kept share": kept.tokens / max(total.tokens, 1),
                "change": kept.tokens - before.passing.tokens,
                "epochs": draws / kept.tokens if kept.tokens else None,
            }
        )
    table(
        pl.DataFrame(rows), key="per_source", column_config=SOURCE_COLUMNS,
        alt="Documents and tokens that each source keeps under its rules",
    )  # fmt: skip
    st.caption(
        "Change: tokens against the saved recipe. Epochs: tokens that the mixture draws from the "
        "source, divided by the tokens kept here; duplicates and contamination come after the "
        f"rules and raise it (see Mixture). Sources not measured: {count(len(missing))}."
    )


SOURCE_COLUMNS = {
    "documents": whole("documents"),
    "kept documents": whole("kept documents"),
    "tokens": whole("tokens"),
    "kept tokens": whole("kept tokens"),
    "kept share": st.column_config.ProgressColumn("tokens kept", format="percent"),
    "change": whole("change"),
    "epochs": st.column_config.NumberColumn(format="%.2f"),
}
