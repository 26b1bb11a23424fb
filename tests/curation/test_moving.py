"""A threshold that moves gives what judging everything again gives."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.curation.effect.accounting import account
from lab.curation.effect.sensitivity import moved_by_step, step_at
from lab.curation.filters.mask import fail_mask
from lab.curation.filters.rule import Rule

SCHEMA = {
    "source": pl.String,
    "tokens": pl.UInt32,
    "bytes": pl.UInt32,
    "content_hash": pl.String,
    "a": pl.Int32,
    "b": pl.Float64,
}
documents = st.lists(
    st.tuples(
        st.sampled_from(["web", "books", "code"]),
        st.integers(0, 1000),
        st.integers(0, 9000),
        st.sampled_from("uvwxyz"),
        st.integers(-4, 4),
        st.floats(-4, 4),
    ),
    max_size=40,
).map(lambda rows: [(s, t, b, f"{h}{x}{y}", x, y) for s, t, b, h, x, y in rows])


def judged(rows: list[tuple[object, ...]], rules: list[Rule]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return frame.with_columns(fail_mask(frame, rules))


@settings(deadline=None)
@given(documents, st.integers(-3, 3), st.integers(-3, 3), st.sampled_from([0.5, 1.0, 3.0]))
def test_a_step_is_the_difference_of_two_accounts(rows, low, other, step):
    rules = [Rule("a", min=low, max=low + 4), Rule("b", max=other)]
    frame = judged(rows, rules)
    before = account(frame, ["a", "b"])
    moves = moved_by_step(frame, rules, {0: step, 1: step})
    assert moves.height == 6 * frame["source"].n_unique()
    for row in moves.iter_rows(named=True):
        changed = list(rules)
        rule = rules[row["rule"]]
        side = {"min": rule.min, "max": rule.max} | {row["side"]: row["threshold"]}
        changed[row["rule"]] = Rule(rule.signal, side["min"], side["max"])
        after = account(judged(rows, changed), ["a", "b"])
        sign = 1 if row["way"] == "looser" else -1
        for name in ("documents", "tokens"):
            gained = getattr(after.kept(row["source"]), name)
            assert row[name] == sign * (gained - getattr(before.kept(row["source"]), name)) >= 0


def test_rules_without_a_threshold_do_not_move():
    frame = pl.DataFrame({"source": ["a"], "tokens": [1], "code": ["en"]})
    rules = [Rule("code", values=("en",)), Rule(where='"tokens" > 0')]
    judged = frame.with_columns(fail_mask(frame, rules))
    assert moved_by_step(judged, rules).height == 0


def test_steps_suit_their_signals():
    assert step_at(np.array([1.0, 3.0, 5.0]), 3) == 1
    assert step_at(np.linspace(0, 1, 1001), 0.5) == pytest.approx(0.02, rel=0.05)
    assert step_at(np.floor(10 ** np.linspace(0, 6, 3000)), 1000) > 100
    assert step_at(np.array([0.5]), 0.5) > 0
    assert step_at(np.array([]), 0.5) == 1
