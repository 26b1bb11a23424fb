from dataclasses import dataclass

import pytest

from lab.core.errors import ConfigError, DataError, LabError, nearest
from lab.core.estimate import Estimate
from lab.core.settings import from_mapping


@dataclass(frozen=True)
class Options:
    name: str
    share: float = 0.5
    count: int | None = None
    flag: bool = False


def test_a_mapping_becomes_the_dataclass() -> None:
    made = from_mapping(Options, {"name": "a", "share": 1, "count": None}, "file")
    assert made == Options("a", 1.0, None)
    assert isinstance(made.share, float)


def test_a_misspelt_key_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean share"):
        from_mapping(Options, {"name": "a", "shar": 1}, "file")


@pytest.mark.parametrize(
    "mapping",
    [{}, {"name": 3}, {"name": "a", "share": "0.5"}, {"name": "a", "count": 1.5}, "text", None],
)
def test_missing_or_wrong_values_are_refused(mapping: object) -> None:
    with pytest.raises(ConfigError, match="where: file"):
        from_mapping(Options, mapping, "file")


def test_true_is_not_a_number() -> None:
    with pytest.raises(ConfigError):
        from_mapping(Options, {"name": "a", "share": True}, "file")


def test_a_message_says_what_where_value_next() -> None:
    error = DataError("It broke.", where="a.jsonl:3", value={"k": 0}, next_step="mend it")
    assert str(error).splitlines() == [
        "It broke.",
        "  where: a.jsonl:3",
        "  value: {'k': 0}",
        "  next:  mend it",
    ]
    assert isinstance(error, LabError)


def test_a_message_never_prints_a_document() -> None:
    assert len(str(DataError("Long.", value="x" * 100_000))) < 300


def test_nearest_names_all_when_nothing_is_close() -> None:
    assert nearest("zzz", ["web", "forum"]) == "known: forum, web"
    assert "web" in nearest("wep", ["web", "forum"])


def test_an_interval_around_zero_is_unresolved() -> None:
    assert not Estimate(0.1, -0.1, 0.3, 5).resolved
    assert Estimate(0.2, 0.1, 0.3, 5).resolved
    assert Estimate(-0.2, -0.3, -0.1, 5).resolved
