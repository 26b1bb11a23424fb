"""What the panel of thresholds offers to begin with."""

from lab.advice.cuts.cut import parse_cuts
from lab.mixture.parsing import parse_recipe
from lab.ui.advice.cut_panel import listed_marks


def test_marks_that_read_the_same_are_offered_once() -> None:
    listed = listed_marks([1234.0, 1234.4, 5e6])
    assert listed == "none, 1.23e+03, 5e+06"
    body = {"phases": [{"name": "all", "share": 1.0, "weights": {"web": 1.0}}], "tokens": 1000}
    recipe = parse_recipe(
        {"name": "r", "tokenizer": "plain", "sources": {"web": {}}, "mixture": body}, "r"
    )
    (cut,) = parse_cuts([f"gopher.word_count@web={listed}"], recipe)
    assert len(cut.thresholds) == 3
