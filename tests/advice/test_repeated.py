"""Do the runs carry the cost of repetition? By hand, from what their run.json accounts."""

import numpy as np
import pytest

from lab.advice.proposing.repeated import Wear, lost, repetition_words, wear_of
from lab.advice.words import LONGEST, ROOM, few
from lab.mixture.repetition import R_STAR

FOUR = 1 - (1 + R_STAR * (1 - np.exp(-3 / R_STAR))) / 4  # of a source seen four times: .0686


def spec(here: float, target: float, share: float = 1.0) -> dict:
    """A run of two sources: one of `share` seen `here` and `target` times, the rest seen once."""
    sources = {
        "web": {"pool_tokens": 100 * (1 - share), "epochs_target": 1.0, "epochs_here": 1.0},
        "books": {"pool_tokens": 100 * share / target, "epochs_target": target,
                  "epochs_here": here},
    }  # fmt: skip
    return {"repetition": {"match": True, "target_tokens": 100, "sources": sources}}


def test_wear_by_hand() -> None:
    """Four epochs keep 93.1 % of a token (the table of the paper): 6.9 % wear off."""
    assert pytest.approx(0.0686, abs=1e-4) == FOUR
    assert lost(np.array([1.0]), np.array([4.0])) == pytest.approx(FOUR)
    found = wear_of([spec(4, 4, share=0.25)], 100)
    assert found.here == pytest.approx((FOUR / 4,))
    assert found.there == pytest.approx((FOUR / 4,))


def test_matched_runs_are_not_charged_twice() -> None:
    found = wear_of([spec(4, 4)] * 3, 100)
    assert (found.matched, found.alike) == (True, 3)
    assert found.carried == pytest.approx(1)
    (said,) = repetition_words(found)
    assert "not counted again" in said and "6.9% of their tokens wear off, 6.9%" in said


def test_runs_on_fresh_text_leave_the_cost_to_the_law() -> None:
    found = wear_of([spec(1, 4)] * 3, 100)
    assert (found.matched, found.carried, found.alike) == (False, 0, 0)
    assert "counted by the data-constrained law" in repetition_words(found)[0]
    assert not any("twice" in words for words in repetition_words(found))


def test_another_budget_today_changes_the_answer() -> None:
    """Matched to a target of 100 tokens; at 400 the recipe repeats sixteen times, not four."""
    sixteen = 1 - (1 + R_STAR * (1 - np.exp(-15 / R_STAR))) / 16
    four = 1 - (1 + R_STAR * (1 - np.exp(-3 / R_STAR))) / 4
    found = wear_of([spec(4, 4)], 400)
    assert found.carried == pytest.approx(four / sixteen)
    assert not found.matched
    assert found.carried == pytest.approx(0.203, abs=1e-3)
    more = wear_of([spec(4, 4)], 50)  # twice in the real run: 1.6 % wears off
    assert more.matched and more.carried > 4
    assert "repeat more than the real run" in repetition_words(more)[0]


def test_mixed_runs_are_said() -> None:
    """Two of three as the real run will: they carry two thirds, so nothing is counted on top."""
    found = wear_of([spec(4, 4), spec(4, 4), spec(1, 4)], 100)
    assert found.carried == pytest.approx(2 / 3)
    assert (found.matched, found.alike) == (True, 2)
    assert any("2 of 3 as the real run will" in words for words in repetition_words(found))
    fewer = wear_of([spec(4, 4), spec(1, 4), spec(1, 4)], 100)
    assert not fewer.matched and fewer.carried == pytest.approx(1 / 3)


def test_where_nothing_repeats_nothing_is_said_and_nothing_assumed() -> None:
    fresh = wear_of([spec(1, 1)] * 4, 100)
    assert not fresh.matched, "the law has seen no repetition"
    assert repetition_words(fresh) == []
    assert wear_of([{}, {"repetition": None}], 100) == Wear((0.0, 0.0), (0.0, 0.0))


def test_words_stay_short() -> None:
    every = [Wear((a,) * 9 + (b,), (c,) * 10) for a in (0, 0.4) for b in (0, 1) for c in (0, 0.3)]
    for found in [*every, wear_of([spec(2, 4)] * 12, 100), wear_of([spec(4, 4)], 400)]:
        assert all(len(words) <= LONGEST for words in repetition_words(found)), found
    names = [f"benchmark/a-rather-long-name-{k}/gold_bpb" for k in range(40)]
    assert len(few(names)) <= ROOM + len(" and 39 more")
    assert few(names).endswith("and 39 more") or few(names).endswith("and 38 more")
    assert few(["a", "b"]) == "a, b"
    assert few([]) == ""
