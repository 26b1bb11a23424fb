"""The Map page: every colouring, selections by link and by box, and what is done with them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from planted_map import HOSTILE, plant_map
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Dataframe
from visiting import Open, words_of

from lab.core.errors import ConfigError
from lab.core.progress import SILENT
from lab.core.workspace import Workspace, open_workspace
from lab.corpus.sources import documents
from lab.corpus.tokens import require_tokens
from lab.curation.selections.names import named
from lab.curation.selections.points import read_points, resolve
from lab.curation.selections.predicate import parse_predicate
from lab.curation.tags.store import tags_of
from lab.curation.topics import topic_columns
from lab.diversity.layout.stored import find_map, stored_maps
from lab.jobs.actions import run_action
from lab.mixture.boosting import boost_epochs, boosted, most_share
from lab.mixture.ledger import compute_ledger
from lab.mixture.recipe_files import load_recipe
from lab.mixture.selection import select
from lab.mixture.topics import topics_of
from lab.ui.browse.facets import Facet, bars
from lab.ui.cuts import drafted_recipe
from lab.ui.draft_text import parse_draft
from lab.ui.map.colouring import WAYS, ranked
from lab.ui.map.component import checked_point
from lab.ui.map.held import place_labels
from lab.ui.map.line import checked_area
from lab.ui.map.picture import corners_of


@pytest.fixture(scope="module")
def mapped(recipe_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a planted map. Read only."""
    root = tmp_path_factory.mktemp("mapped") / "w"
    shutil.copytree(recipe_workspace.root, root)
    ws = open_workspace(root)
    plant_map(ws)
    return ws


@pytest.fixture
def own(mapped: Workspace, tmp_path: Path) -> Workspace:
    """A copy to write to."""
    shutil.copytree(mapped.root, tmp_path / "own")
    return open_workspace(tmp_path / "own")


def test_without_a_map_it_says_what_to_run_and_how_long(
    recipe_workspace: Workspace, open_page: Open
) -> None:
    said = words_of(open_page(recipe_workspace, "map"))
    assert "not embedded yet" in said
    assert "on one core" in said
    assert "mixlab embed" in said


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("drawing", ["interactive", "picture"])
def test_every_colouring_in_both_drawings(
    mapped: Workspace, open_page: Open, way: str, drawing: str
) -> None:
    app = open_page(mapped, "map", by=way, drawing=drawing, recipe="both")
    assert not app.exception and not app.error
    assert "870 embedded documents of 870" in words_of(app)
    assert "![x]" not in words_of(app), "words of clusters are escaped"


def test_a_link_reopens_a_selection(mapped: Workspace, open_page: Open) -> None:
    line = "source=short gopher.word_count@ws1=60.."
    app = open_page(mapped, "map", sel=line)
    count = len(resolve(mapped, parse_predicate(line)))
    assert 0 < count < 600
    assert f"**{count} of 870 documents on the map**" in words_of(app)
    assert app.multiselect(key="map.sources").value == ["short"]
    assert app.text_input(key="sel").value == line


def test_boxes_write_the_line_and_it_is_undone(mapped: Workspace, open_page: Open) -> None:
    app = open_page(mapped, "map")
    app.multiselect(key="map.clusters").set_value([1, 3]).run()
    short = read_points_id(mapped)
    assert app.text_input(key="sel").value == f"map={short} cluster=1,3"
    app.multiselect(key="map.sources").set_value(["long"]).run()
    app.number_input(key="map.low").set_value(500.0).run()
    line = f"map={short} cluster=1,3 source=long gopher.word_count@ws1=500.."
    assert app.text_input(key="sel").value == line
    assert app.number_input(key="map.low").value == 500
    count = len(resolve(mapped, parse_predicate(line)))
    assert f"**{count} of 870 documents on the map**" in words_of(app)
    app.button(key="sel.Back").click().run()
    assert app.text_input(key="sel").value == f"map={short} cluster=1,3 source=long"
    app.button(key="sel.Forth").click().run()
    assert app.text_input(key="sel").value == line
    app.button(key="sel.Clear").click().run()
    assert app.text_input(key="sel").value == ""
    assert "Draw a lasso" in words_of(app)


def read_points_id(ws: Workspace) -> str:
    return next(ws.artifacts.glob("map/[!.]*")).name[:8]


@pytest.mark.parametrize("line", ["hello", "cluster=99", "source=nobody", "map=00000000 cluster=1"])
def test_a_line_that_cannot_be_met_is_an_error_beside_the_map(
    mapped: Workspace, open_page: Open, line: str
) -> None:
    app = open_page(mapped, "map", sel=line)
    assert not app.exception
    assert [error.value for error in app.error] == ["A setting does not work as written."]
    assert "870 embedded documents" in words_of(app), "the map is there all the same"


def test_a_selection_is_tagged_named_and_read_in_browse(own: Workspace, open_page: Open) -> None:
    line = f"map={read_points_id(own)} cluster=2 source=long"
    wanted = resolve(own, parse_predicate(line))
    app = open_page(own, "map", sel=line)
    app.text_input(key="bulk_tag").set_value("odd").run()
    app.button(key="bulk.1").click().run()
    assert sorted(tags_of(own)["id"]) == sorted(wanted)
    app.button(key="Undo").click().run()
    assert tags_of(own).is_empty()
    app.text_input(key="map.name").set_value("mine").run()
    app.button(key="map.name.go").click().run()
    assert named(own).lines == {"mine": line}
    for part in (line, "mine"):
        browse = open_page(own, "browse", f=f"selection={part}", source="all sources")
        assert not browse.exception
        assert f"{len(wanted)} of 870" in words_of(browse).replace("*", ""), words_of(browse)
    app.button(key="Undo the name").click().run()
    assert named(own).lines == {}


def test_a_boost_is_a_last_phase_of_the_tagged_documents(own: Workspace, open_page: Open) -> None:
    line = f"map={read_points_id(own)} cluster=1"
    app = open_page(own, "map", sel=line, recipe="both")
    app.number_input(key="map.share").set_value(20.0).run()
    app.button(key="map.boost.go").click().run()
    assert not app.exception
    recipe = load_recipe(own, "both-boosted")
    assert [round(p.share, 6) for p in recipe.mixture.phases] == [0.6, 0.2, 0.2]
    rows = select(own, recipe).phases[-1]
    wanted = set(resolve(own, parse_predicate(line)))
    points = {name: ids_of(own, name) for name in rows}
    drawn = {points[name][row] for name in rows for row in rows[name]}
    kept = {points[n][row] for p in select(own, recipe).phases[:1] for n in p for row in p[n]}
    assert drawn == wanted & kept, "what is tagged and kept, and nothing else"
    epochs = compute_ledger(own, recipe).phases.filter(phase="boost-boosted")["epochs"]
    assert epochs.max() == pytest.approx(epochs.min(), rel=1e-6), "each token equally often"
    app.button(key="map.boost.undo").click().run()
    assert not (own.recipes / "both-boosted.yaml").exists()
    app.button(key="map.boost.go").click().run()
    later = (own.recipes / "both-boosted.yaml").read_text("utf-8") + "# by somebody else\n"
    (own.recipes / "both-boosted.yaml").write_text(later, "utf-8")
    app.button(key="map.boost.undo").click().run()
    assert (own.recipes / "both-boosted.yaml").read_text("utf-8") == later, "it is not undone"
    assert "changed since" in words_of(app)
    (own.recipes / "both-boosted.yaml").unlink()


def ids_of(ws: Workspace, source: str) -> list[str]:
    from lab.corpus.sources import documents

    return documents(ws, source).scan().select("id").collect()["id"].to_list()


def test_clusters_are_told_by_tokens_copies_verdict_and_means(
    mapped: Workspace, open_page: Open
) -> None:
    app = open_page(mapped, "map", recipe="long-only")
    frame = table_of(app, "label")
    columns = ["cluster", "label", "documents", "tokens", "kept", "copies"]
    assert frame.columns == [*columns, *frame.columns[-2:]]
    assert frame["documents"].to_list() == sorted(frame["documents"], reverse=True)
    assert frame["documents"].sum() == 870
    counts = [require_tokens(mapped, name, "plain").scan() for name in ("short", "long", "copies")]
    counted = pl.concat([c.select("tokens") for c in counts]).collect()["tokens"].sum()
    assert frame["tokens"].sum() == pytest.approx(counted), "all are mapped: no scaling"
    copied = float((frame["copies"] * frame["documents"]).sum())
    assert copied == pytest.approx(240, abs=1e-6), "each of `long` and its copy"
    kept = float((frame["kept"]).mean())
    assert kept == 1, "every training document of long, whatever the cluster"
    words = frame.columns[-2]
    app.multiselect(key="means").set_value([words]).run()
    assert table_of(app, "label").columns[-1] == words
    app.multiselect(key="means").set_value([]).run()
    assert table_of(app, "label").columns[-1] == "copies"


def table_of(app: AppTest, *columns: str) -> pl.DataFrame:
    """The first table of the page with these columns and the words of clusters."""
    for found in map(of_pandas, app.dataframe):
        if {"cluster", *columns} <= set(found.columns):
            return found
    raise AssertionError(columns)


def test_sources_of_ticked_clusters_and_without_one_only_what_is_resolved(
    mapped: Workspace, open_page: Open
) -> None:
    app = open_page(mapped, "map")
    assert "No source is resolved" in words_of(app), "planted at random: nothing stands out"
    app = open_page(mapped, "map", sel=f"map={read_points_id(mapped)} cluster=1")
    assert table_of(app, "selected")["selected"].sort().to_list() == [0, 0, 0, 1]
    shown = table_of(app, "reading")
    assert shown["source"].to_list() == ["copies", "long", "short"]
    assert set(shown["cluster"]) == {1}
    assert ((shown["low"] < shown["odds"]) & (shown["odds"] < shown["high"])).all()


def test_what_distinguishes_a_selection_is_offered_found_and_shown(
    own: Workspace, open_page: Open
) -> None:
    line = "source=long"
    app = open_page(own, "map", sel=line)
    assert "has not been compared" in words_of(app)
    assert not app.button(key="map.marks").disabled
    run_action(own, "marks", {"selection": line}, SILENT)
    app = open_page(own, "map", sel=line)
    assert not app.exception
    said = words_of(app)
    assert "A sample: 120 of 120 selected documents against 750 of 750 others" in said
    signals = next(f for f in map(of_pandas, app.dataframe) if "higher" in f.columns)
    assert any("word count" in name for name in signals["signal"])
    assert all(" to " in words for words in signals["higher"])
    everything = open_page(own, "map", sel="source=long,short,copies")
    assert "select some, not none nor all" in words_of(everything)


def of_pandas(element: Dataframe) -> pl.DataFrame:
    return pl.from_pandas(element.value)


def test_a_topic_is_a_facet_of_browse(mapped: Workspace, open_page: Open) -> None:
    points = read_points(find_map(mapped, ""))
    for number, words in enumerate(HOSTILE):
        app = open_page(mapped, "browse", f=f"topic={number}: {words}", source="all sources")
        assert not app.exception and not app.error
        many = int((points.cluster == number).sum())
        assert f"{many} of 870" in words_of(app).replace("*", "")
    both = open_page(mapped, "browse", f=f"topic=0: {HOSTILE[0]}", source="long")
    own = points.source == points.sources.index("long")
    many = int(((points.cluster == 0) & own).sum())
    assert f"{many} of 120" in words_of(both).replace("*", "")


def test_a_part_that_is_filtered_by_is_shown_however_many_there_are() -> None:
    codes = np.repeat(np.arange(250), 2).astype(np.int32)
    facet = Facet("topic", "Topic", tuple(f"{k}: words" for k in range(250)), codes)
    drawn = next(iter(bars([facet], {"topic": ("249: words",)}, None, None, codes.size)))
    rows: Any = drawn["rows"]
    assert [row["part"] for row in rows] == [f"{k}: words" for k in [*range(200), 249]]
    assert rows[-1] == {"part": "249: words", "pool": 2.0, "match": 2.0, "active": True}
    assert drawn["unsent"] == 49


def test_excluding_is_a_tag_and_an_unsaved_rule_against_it(own: Workspace, open_page: Open) -> None:
    line = f"map={read_points_id(own)} cluster=0"
    app = open_page(own, "map", sel=line, recipe="both")
    app.button(key="map.exclude.go").click().run()
    assert not app.exception
    assert sorted(tags_of(own)["id"]) == sorted(resolve(own, parse_predicate(line)))
    links = [str(node.proto) for node in app.get("page_link")]
    assert any("cuts.both" in one and "not_in" in one for one in links)
    rule = {"cuts.both": "* tags.left-out=not_in [true]"}
    page = open_page(own, "filters", recipe="both", **rule)
    assert not page.exception and not page.error
    recipe = load_recipe(own, "both")
    drafted = drafted_recipe(recipe, parse_draft(rule["cuts.both"]))
    rows = select(own, drafted).phases[0]
    kept = {ids_of(own, name)[row] for name in rows for row in rows[name]}
    assert kept and not kept & set(tags_of(own)["id"])


def test_boosting_twice_replaces_the_phase_and_nothing_cannot_be_boosted(own: Workspace) -> None:
    recipe = load_recipe(own, "both")
    once = boosted(recipe, "t", {"short": 30.0, "long": 10.0}, 0.5)
    again = boosted(once, "t", {"short": 30.0}, 0.25)
    assert [p.share for p in again.mixture.phases] == pytest.approx([0.5625, 0.1875, 0.25])
    assert once.mixture.phases[-1].weights == {"short": 0.75, "long": 0.25}
    for tokens, share in (({}, 0.5), ({"short": 1.0}, 1.0)):
        with pytest.raises(ConfigError):
            boosted(recipe, "t", tokens, share)
    assert boost_epochs(recipe, {"short": 1000.0}, 0.1) == pytest.approx(20)
    assert most_share(recipe, {"short": 1000.0}) == pytest.approx(0.02)


@pytest.mark.parametrize(
    "sent",
    [
        None, [[0, 0]] * 3, {"of": 8, "corners": [[0, 0], [1, 0], [0, 1]]},
        {"of": 7, "corners": "abc"},
        {"of": 7, "corners": [[0, 0], [1, 0]]}, {"of": 7, "corners": [[0, 0], [1, 0], ["0", 1]]},
        {"of": 7, "corners": [[0, 0], [1, 0], [0, 1e300]]}, {"of": 7, "corners": [[0, 0]] * 600},
        {"of": 7, "corners": [[0, 0], [1, 0], [0, float("nan")]]}, {"of": 7, "corners": [5, 6, 7]},
        {"of": 7, "corners": [[0, 0], [1, 0], [True, 1]]}, {"of": 7, "corners": [[0.5, 0]] * 3},
    ],
)  # fmt: skip
def test_the_browser_is_not_believed(sent: object) -> None:
    assert checked_area(sent, 7) is None
    assert checked_point(sent, 7, 10) is None


def test_what_the_browser_may_say() -> None:
    assert checked_area({"of": 7, "corners": [[0, 0], [1.0, 0], [-5, 1]]}, 7) == (
        (0, 0),
        (1, 0),
        (-5, 1),
    )
    assert checked_area({"of": 7, "corners": []}, 7) == ()
    assert checked_point({"of": 7, "point": 3.0}, 7, 4) == 3
    assert checked_point({"of": 7, "point": 4}, 7, 4) is None
    assert corners_of({"box": [{"x": [1, 9.4], "y": [2, 8]}]}) == ((1, 2), (9, 2), (9, 8), (1, 8))
    assert corners_of({"lasso": [{"x": [0, 5, 5], "y": [0, 0, 9e9]}]})[2] == (5, 131070)
    assert corners_of({}) == ()


def test_labels_stand_where_most_of_their_cluster_is(mapped: Workspace) -> None:
    points = read_points(find_map(mapped, ""))
    labels = place_labels(points)
    assert {one["text"] for one in labels} == set(HOSTILE)
    assert [one["size"] for one in labels] == sorted((o["size"] for o in labels), reverse=True)
    for one in labels:
        own = points.cluster == points.labels.index(one["text"])
        far = np.hypot(points.x[own] - float(one["x"]), points.y[own] - float(one["y"]))
        assert np.median(far) < 6000


def test_ranks_spread_over_the_ramp_whatever_the_tail() -> None:
    values = np.r_[np.exp(np.linspace(0, 40, 6400)), np.nan]
    codes, edges = ranked(values, "test ranks")
    assert codes[-1] == 0, "what is missing has no colour"
    assert np.bincount(codes)[1:].tolist() == [100] * 64
    assert len(edges) == 65
    assert ranked(np.full(3, np.nan), "test nothing")[0].tolist() == [0, 0, 0]


def test_the_picture_shows_what_is_selected_in_colour_and_the_rest_in_grey(
    mapped: Workspace,
) -> None:
    import base64
    import io

    from PIL import Image

    from lab.ui.map.colouring import Colouring
    from lab.ui.map.picture import SIDE, image

    points = read_points(find_map(mapped, ""))
    red = ((0, 0, 0), (255, 0, 0))
    for codes in (points.cluster == 0, np.ones(870, bool), np.zeros(870, bool)):
        lit = codes.astype(np.uint8)
        address = image(points, lit, Colouring(lit, red, ("", "red"), ()), f"test {codes.sum()}")
        shot = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
        drawn = np.asarray(shot).astype(int)
        assert drawn.shape == (SIDE, SIDE, 4)
        reddish = (drawn[..., 0] > 200) & (drawn[..., 1] < 50) & (drawn[..., 3] > 0)
        for row in range(870):  # the centre of each point, from the top
            at = (SIDE - 1 - int(points.y[row]) * SIDE // 65536, int(points.x[row]) * SIDE // 65536)
            assert drawn[at][3] > 0
            assert reddish[at] or not codes[row]
        assert reddish.any() == codes.any()


def test_the_command_line_tells_of_topics_what_the_page_does(
    mapped: Workspace, open_page: Open
) -> None:
    app = open_page(mapped, "map", recipe="both")
    shown = next(f for f in map(of_pandas, app.dataframe) if "kept" in f.columns).sort("cluster")
    told = topics_of(mapped, recipe=load_recipe(mapped, "both")).table
    same = [c for c in ("documents", "tokens", "kept", "copies") if c in told.columns]
    assert {"documents", "tokens", "kept"} <= set(same) <= set(shown.columns)
    for column in same:
        wide = 0.5 if column == "tokens" else 1e-9
        assert shown[column].to_list() == pytest.approx(told[column].to_list(), abs=wide)


def test_a_topic_is_a_rule_of_the_filters_page(own: Workspace, open_page: Open) -> None:
    name = topic_columns(own, "short")[0]
    app = open_page(own, "filters", recipe="both", source="short", signal=name)
    assert not app.exception
    box = next(m for m in app.multiselect if m.label == "Values")
    assert len(box.options) == len(HOSTILE)
    box.set_value([box.options[0]]).run()
    assert not app.exception and not app.error
    assert f"short {name}=in [" in str(app.text_input(key="cuts.both").value)


def test_a_topic_that_some_documents_lack_says_what_gives_it_them(
    recipe_workspace: Workspace, copy_of: Callable[[Workspace], Workspace], open_page: Open
) -> None:
    ws = copy_of(recipe_workspace)
    plant_map(ws, most=50)
    name = topic_columns(ws, "short")[0]
    app = open_page(ws, "filters", recipe="both", source="short", signal=name)
    assert not app.exception
    box = next(m for m in app.multiselect if m.label == "Values")
    assert box.disabled and "None" not in box.options
    assert "cannot be a rule yet" in words_of(app)
    assert "mixlab embed --sample" in words_of(app)


def test_a_column_that_nobody_has_is_said(mapped: Workspace, open_page: Open) -> None:
    app = open_page(mapped, "map", sel="gopher.word_cuont@ws1=3..")
    assert not app.exception
    assert "No source of the map has this column" in words_of(app) + str(app.error)


def test_two_recipes_are_compared_by_topic(
    recipe_workspace: Workspace, copy_of: Callable[[Workspace], Workspace], open_page: Open
) -> None:
    ws = copy_of(recipe_workspace)
    plant_map(ws, most=50)
    app = open_page(ws, "filters", recipe="both", source="short")
    app.session_state["view"] = "Compare recipes"
    app.run()
    app.text_input(key="cuts.both").set_value("* gopher.word_count@ws1=..40").run()
    assert not app.exception
    frames = [of_pandas(element) for element in app.dataframe]
    split = next(frame for frame in frames if "topic" in frame.columns)
    placed = find_map(ws, "").scan().select("id", "topic").collect()
    tokens = pl.concat(
        [
            documents(ws, s)
            .scan()
            .select("id", "heldout")
            .collect()
            .hstack(require_tokens(ws, s, "plain").scan().select("tokens").collect())
            for s in ("short", "long")
        ]
    )
    kept = tokens.filter(~pl.col("heldout")).join(placed, on="id")
    whole = dict(kept.group_by("topic").agg(pl.col("tokens").sum()).iter_rows())
    assert set(split["topic"]) <= set(whole)
    assert all(b <= whole[t] for t, b in split.select("topic", "tokens B").iter_rows())
    assert split["tokens A"].sum() < split["tokens B"].sum()


def test_the_topic_facet_follows_a_map_that_is_extended(
    recipe_workspace: Workspace, copy_of: Callable[[Workspace], Workspace], open_page: Open
) -> None:
    ws = copy_of(recipe_workspace)
    first, counts = plant_map(ws, most=50), []
    for extended in (False, True):
        if extended:
            plant_map(ws, onto=first)
        app = open_page(ws, "browse", f=f"topic=0: {HOSTILE[0]}", source="short")
        assert not app.exception
        said = words_of(app).replace("*", "")
        counts.append(int(said.partition(" of ")[0].split()[-1]))
    frames = [pl.read_parquet(a.parts[0]) for a in stored_maps(ws)]
    placed = [frame.filter(source="short", cluster=0).height for frame in frames]
    assert sorted(counts) == counts and counts == sorted(placed)
    assert counts[1] > counts[0] > 0
