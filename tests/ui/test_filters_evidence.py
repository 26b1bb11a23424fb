"""What the Filters page says, against a loop over the documents and against the rules."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from lab.core.artifacts import build, write_part
from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace, open_workspace
from lab.corpus.sources import documents
from lab.curation.filters.rule import Rule
from lab.curation.topics import common_column
from lab.diversity.embedding.external import import_vectors
from lab.diversity.layout.stored import STEP, VERSION
from lab.mixture.parsing import parse_recipe
from lab.mixture.recipe import Recipe
from lab.mixture.selection import judge
from lab.ui.cuts import Draft, drafted_recipe
from lab.ui.draft_text import parse_draft
from lab.ui.filters.borderline import judge_votes, needed, round_of
from lab.ui.filters.cut_view import checked, cube_of, payload
from lab.ui.filters.evidence import joined, judged
from lab.ui.filters.reading import chips_of, sides_of
from lab.ui.filters.samples import NEAREST, WHICH, Side, draw_sample
from lab.ui.filters.scene import Scene, choices, lines_of
from lab.ui.filters.versus import Pair, split_by_column
from lab.ui.memory import remembered
from lab.ui.tables import attribute_table

WORDS, LENGTH = "gopher.word_count@ws1", "gopher.mean_word_length@ws1"


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    body = {
        "name": "r",
        "tokenizer": "plain",
        "sources": {
            "short": {
                "filters": [
                    {"signal": WORDS, "min": 55, "max": 75},
                    {"signal": LENGTH, "max": 4.9},
                ]
            },
            "long": {},
        },
        "mixture": {"tokens": 1000, "phases": [{"name": "all", "weights": {"short": 1}}]},
    }
    return parse_recipe(body, "r")


def scene_of(ws: Workspace, recipe: Recipe, text: str = "", scope: str = "short") -> Scene:
    draft = parse_draft(text)
    return Scene(ws, recipe, drafted_recipe(recipe, draft), draft, scope, WORDS)


def test_kept_documents_and_tokens_equal_a_loop(plain_workspace: Workspace, recipe: Recipe) -> None:
    found = judged(plain_workspace, recipe, "short", recipe.sources["short"])
    table = attribute_table(plain_workspace, "short", [WORDS, LENGTH])
    kept = [
        row
        for row in table.iter_rows(named=True)
        if not row["heldout"] and 55 <= row[WORDS] <= 75 and row[LENGTH] <= 4.9
    ]
    assert 0 < len(kept) < table.height
    assert found.passing.documents == len(kept) == int(found.kept.sum())
    assert found.passing.tokens == sum(row["tokens"] for row in kept)
    assert set(found.pool.ids.filter(pl.Series(found.kept))) == {row["id"] for row in kept}


def test_the_page_and_the_recipe_agree(plain_workspace: Workspace, recipe: Recipe) -> None:
    new = drafted_recipe(recipe, parse_draft(f"short {WORDS}=p10..; * {LENGTH}=..4.7"))
    verdicts = judge(plain_workspace, new)
    for source in new.sources:
        frame = verdicts[source].frame.filter("kept")
        found = judged(plain_workspace, new, source, new.sources[source])
        assert found.passing.documents == frame.height
        assert found.passing.tokens == frame["tokens"].sum()


@pytest.mark.parametrize("text", ["", f"short {WORDS}=60..", f"* {WORDS}=58.5..66"])
def test_the_picture_says_what_the_rules_keep(
    plain_workspace: Workspace, recipe: Recipe, text: str
) -> None:
    scene = scene_of(plain_workspace, recipe, text)
    lines, missing = lines_of(scene)
    cube = cube_of(plain_workspace, scene.new, lines, WORDS)
    assert not missing and list(cube.cells) == ["short", "long"]
    sent = payload(plain_workspace, scene.new, lines, WORDS, (None, None), "tokens")
    for line in lines:
        source = line.judged.pool.source
        (row,) = [r for r in sent["sources"] if r["name"] == source]
        passing = scene.after(source).passing
        assert cube.kept(source, row["low"], row["high"]) == (passing.documents, passing.tokens)


def test_a_source_that_lacks_the_column_is_named(
    plain_workspace: Workspace, recipe: Recipe
) -> None:
    scene = Scene(plain_workspace, recipe, recipe, Draft(), "short", "quality.none")
    assert lines_of(scene) == ([], ["short", "long"])
    with pytest.raises(ArtifactMissing):
        judged(plain_workspace, recipe, "short", [Rule("quality.none", 1)])


def test_the_rule_that_drops_most_comes_first(plain_workspace: Workspace, recipe: Recipe) -> None:
    frame = judged(plain_workspace, recipe, "short", recipe.sources["short"]).account.by_rule()
    most = recipe.sources["short"][int(frame["any_tokens"].arg_max() or 0)].key
    assert choices(plain_workspace, recipe, "short")[0] == most


@pytest.mark.parametrize("which", WHICH)
def test_samples_lie_on_the_side_they_are_named_for(
    plain_workspace: Workspace, recipe: Recipe, which: str
) -> None:
    scene = scene_of(plain_workspace, recipe, f"short {WORDS}=60..70")
    sides = sides_of(scene)
    chosen = draw_sample(sides, which, 6, seed=3)
    values = sides[0].values
    assert chosen.height == 6 and values is not None
    assert chosen.equals(draw_sample(sides, which, 6, seed=3)), "the same seed, the same sample"
    assert not chosen.equals(draw_sample(sides, which, 6, seed=4))
    rows = chosen["row"].to_numpy()
    outside = (values[rows] < 60) | (values[rows] > 70)
    if which == "just dropped":
        assert outside.all() and not chosen["kept"].any()
    if which == "just kept":
        assert chosen["kept"].all() and not outside.any()
    if which == "borderline":
        assert outside.sum() == 3 and chosen["kept"].sum() == 3
    if which == "dropped overall":
        assert not chosen["kept"].any()
    if which == "changed":
        assert (sides[0].saved[rows] != sides[0].kept[rows]).all()


def side(source: str, kept: NDArray[np.bool_], tokens: NDArray[np.int64]) -> Side:
    values = np.arange(kept.size, dtype=np.float64)
    return Side(source, values, (5.0, None), values < 5, kept, kept, tokens)


def test_every_source_is_read_and_long_documents_more_often() -> None:
    tokens = np.where(np.arange(1000) % 100 == 0, 5000, 10).astype(np.int64)
    sides = [side(name, np.zeros(1000, bool), tokens) for name in "abc"]
    seen = [draw_sample(sides, "dropped overall", 6, seed) for seed in range(40)]
    assert all(set(sample["source"]) == {"a", "b", "c"} for sample in seen)
    rows = pl.concat(seen)["row"].to_numpy()
    assert (tokens[rows] == 5000).mean() > 0.5, "one in a hundred documents holds most tokens"
    near = draw_sample(sides, "just dropped", 6, 0)
    assert near["source"].to_list().count("a") == 2


def test_nothing_to_read_is_an_empty_sample() -> None:
    nobody = side("a", np.ones(10, bool), np.ones(10, np.int64))
    assert draw_sample([nobody], "dropped overall", 6, 0).is_empty()
    free = Side("a", np.arange(10.0), (None, None), np.zeros(10, bool), nobody.kept, nobody.kept,
                nobody.tokens)  # fmt: skip
    assert all(draw_sample([free], which, 6, 0).is_empty() for which in NEAREST)


def test_every_rule_has_a_chip(plain_workspace: Workspace, recipe: Recipe) -> None:
    found = judged(plain_workspace, recipe, "short", recipe.sources["short"])
    rows = list(range(0, 60, 3))
    for row, chips in zip(rows, chips_of(plain_workspace, recipe, found, rows), strict=True):
        states = [chip.state for chip in chips]
        assert [state == "fails" for state in states] == [
            bool(int(found.mask[row]) >> i & 1) for i in range(2)
        ]
        assert all("<" in c.words or ">" in c.words for c in chips if c.state == "fails")


def test_a_round_is_shuffled_and_has_both_sides(plain_workspace: Workspace, recipe: Recipe) -> None:
    scene = scene_of(plain_workspace, recipe, f"short {WORDS}=65..")
    chosen = round_of(sides_of(scene), 0)
    assert chosen.height == 20 and chosen["kept"].sum() == 10
    assert not chosen["kept"].is_sorted() and not chosen["distance"].is_sorted()


def test_what_votes_say() -> None:
    """Wilson at 95 %: 9 of 10 is .60 to .98, 5 of 10 is .24 to .76, 1 of 10 is .02 to .40."""
    assert judge_votes((9, 10), (9, 10)).verdict == "stands"
    assert judge_votes((1, 10), (9, 10)).verdict == "loosen"
    assert judge_votes((9, 10), (1, 10)).verdict == "tighten"
    open_case = judge_votes((5, 10), (9, 10))
    assert open_case.verdict == "unresolved" and open_case.more == 200
    few = judge_votes((3, 4), (0, 0))
    assert few.verdict == "unresolved" and few.dropped is None
    assert 0 < needed(7, 10) < 40


@pytest.mark.parametrize(
    ("sent", "bounds"),
    [
        ({"low": 1, "high": None, "of": "x"}, (1.0, None)),
        ({"low": 2, "high": 1, "of": "x"}, None),
        ({"low": float("nan"), "high": None, "of": "x"}, None),
        ({"low": "1", "high": None, "of": "x"}, None),
        ({"low": True, "high": None, "of": "x"}, None),
        ({"low": 1, "high": None, "of": "y"}, None),
        ([1, 2], None),
        (None, None),
    ],
)
def test_what_a_browser_sends_is_checked(sent: object, bounds: object) -> None:
    assert checked(sent, "x") == bounds


def test_topics_that_a_draft_loses(
    plain_workspace: Workspace, recipe: Recipe, tmp_path: Path
) -> None:
    """The map holds 100 documents of `short` in two clusters; those of one are dropped by rule."""
    root = tmp_path / "w"
    shutil.copytree(plain_workspace.root, root)
    ws = open_workspace(root)
    scene = scene_of(ws, recipe, f"short {WORDS}=off; short {LENGTH}=off")
    pair = Pair(scene.after("short"), scene.before("short"))
    ids = pair.a.pool.ids.head(100)
    falls = ~pl.Series(pair.b.kept).head(100)
    count = documents(ws, "short").scan().collect().height
    np.save(root / "v.npy", np.ones((count, 3)))
    vectors = import_vectors(ws, "short", root / "v.npy", encoder="planted")

    def make(folder: Path) -> dict[str, Any]:
        words = pl.Series(["stays", "goes"])[falls.cast(pl.UInt8)]
        places = pl.DataFrame({"id": ids, "source": "short", "topic": words})
        write_part(places, folder / "part-00000.parquet")
        return {"method": "pca", "samples": {"short": "100"}}

    assert common_column(ws, ["short"]) == "", "without a map nothing is said"
    assert split_by_column(scene, [pair], "") is None
    build(ws, STEP, VERSION, {}, [vectors.id], make)
    split = split_by_column(scene, [pair], common_column(ws, ["short"]))
    assert split is not None
    tokens = pl.Series(pair.a.pool.tokens).head(100)
    lost = tokens.filter(falls).sum()
    assert split.filter(topic="goes").row(0) == ("goes", lost, 0, lost)
    assert split.filter(topic="stays")["A minus B"].item() == 0


@pytest.mark.parametrize("rules", [0, 1, 8, 9, 20, 63])
def test_bits_of_rules_are_joined(rules: int) -> None:
    rng = np.random.default_rng(rules)
    fails = [rng.random(50) < 0.3 for _ in range(rules)]
    mask = joined(fails, 50)
    for row in range(50):
        assert int(mask[row]) == sum(1 << i for i in range(rules) if fails[i][row])


def test_the_least_recently_used_result_is_forgotten() -> None:
    made: list[str] = []

    @remembered(2)
    def make(value: int, key: str) -> int:
        made.append(key)
        return value

    assert [make(1, "a"), make(2, "b"), make(9, "a"), make(3, "c"), make(1, "a")] == [1, 2, 1, 3, 1]
    assert made == ["a", "b", "c"]
    make(2, "b")
    assert made[-1] == "b"
