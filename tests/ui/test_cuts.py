import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.core.errors import ConfigError
from lab.curation.filters import Rule
from lab.ui.cuts import Cuts, apply_cuts, bounds_of, cuts_between, parse_cuts, write_cuts

signals = st.sampled_from(["gopher.word_count@ws1", "quality.edu", "a", "b"])
bounds = st.none() | st.floats(-1e6, 1e6).map(lambda x: float(f"{x:.10g}"))
entries = st.none() | st.tuples(bounds, bounds)
drafts = st.dictionaries(signals, entries)
rules = st.lists(
    st.builds(Rule, signals, st.floats(0, 1), st.floats(2, 3)), max_size=5
).map(tuple)  # fmt: skip


@given(drafts)
def test_a_draft_survives_the_address_bar(cuts: Cuts) -> None:
    assert parse_cuts(write_cuts(cuts)) == cuts


def test_a_draft_reads_as_a_person_writes_it() -> None:
    assert parse_cuts(" a = 1..2 ; b=..3;quality.x=off; ") == {
        "a": (1.0, 2.0),
        "b": (None, 3.0),
        "quality.x": None,
    }


@pytest.mark.parametrize("text", ["a", "a=1", "=1..2", "a=x..2", "a=nan..", "a=1..inf"])
def test_nonsense_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_cuts(text)
    assert caught.value.value == text
    assert "MIN..MAX" in caught.value.next_step


def test_a_draft_changes_only_what_it_names() -> None:
    saved = (Rule("a", 1, 2), Rule("b", None, 3), Rule("c", 4, None))
    changed = apply_cuts(saved, {"b": (0.0, 9.0), "c": None, "d": (5.0, None)})
    assert changed == (Rule("a", 1, 2), Rule("b", 0, 9), Rule("d", 5, None))


def test_two_rules_on_one_signal_become_one() -> None:
    saved = (Rule("a", 1, None), Rule("b", 0, 1), Rule("a", None, 7))
    assert bounds_of(saved, "a") == (1, 7)
    assert apply_cuts(saved, {"a": (2.0, 6.0)}) == (Rule("a", 2, 6), Rule("b", 0, 1))


@given(rules, rules)
def test_the_difference_of_two_rule_sets_turns_one_into_the_other(
    old: tuple[Rule, ...], new: tuple[Rule, ...]
) -> None:
    result = apply_cuts(old, cuts_between(old, new))
    for signal in {rule.signal for rule in (*old, *new)}:
        assert bounds_of(result, signal) == bounds_of(new, signal)


@given(rules)
def test_no_draft_is_no_change(saved: tuple[Rule, ...]) -> None:
    assert apply_cuts(saved, {}) == saved
    assert cuts_between(saved, saved) == {}
