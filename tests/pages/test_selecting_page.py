"""The Select page: choosing as a job, stored selections, the recipe's rule and back, stale, window.

Vectors are planted: two clouds a source, of which one is copies of a few.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from visiting import Open, words_of

from lab.core.arrays import write_array
from lab.core.artifacts import build, write_part
from lab.core.errors import ArtifactMissing
from lab.core.progress import SILENT
from lab.core.workspace import Workspace, open_workspace
from lab.corpus.sources import documents, list_sources
from lab.curation.filters.parsing import parse_rules
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.embedding.external import import_vectors
from lab.diversity.embedding.minilm import encode_query
from lab.diversity.embedding.stored import STEP, VERSION, unit
from lab.diversity.selecting.handing import about, chosen_documents
from lab.diversity.selecting.methods import METHODS
from lab.jobs.actions import run_action
from lab.jobs.selections import listed
from lab.mixture.ledger import compute_ledger
from lab.mixture.recipe_files import history, load_recipe, read_recipe, save_recipe
from lab.mixture.selections import selections_in

QUERY = "a river under the bridge"


def plant(ws: Workspace, share: float = 1.0, seed: int = 0, encoder: str = DEFAULT) -> None:
    """Vectors for the first `share` of every source's documents."""
    near = encode_query(QUERY)
    for k, source in enumerate(list_sources(ws)):
        found = documents(ws, source.name)
        ids = found.scan().select("id").collect()
        ids = ids.head(int(share * ids.height))
        rng = np.random.default_rng(k + seed)
        x = (
            rng.normal(size=(ids.height, 384))
            + 4 * rng.normal(size=(9, 384))[np.arange(ids.height) % 9]
        )
        x[::3] = x[: x[::3].shape[0] // 4 + 1].repeat(5, axis=0)[: x[::3].shape[0]]
        x[5:15] = 30 * near + 0.5 * rng.normal(size=(10, 384))

        def make(folder: Path, x: np.ndarray = x, ids: pl.DataFrame = ids) -> dict[str, Any]:
            write_array(folder / "part-00000.embeddings.npy", unit(x).astype(np.float16))
            write_part(ids, folder / "part-00000.parquet")
            return {"embedded": len(x), "documents": len(x), "dimensions": 384}

        settings = {"encoder": encoder, "sample": int(10**6 * share), "seed": seed}
        build(ws, STEP, VERSION, settings, [found.id], make)


@pytest.fixture(scope="module")
def planted(recipe_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Embedded, with one selection of `short`. Read only."""
    root = tmp_path_factory.mktemp("selecting") / "w"
    shutil.copytree(recipe_workspace.root, root)
    ws = open_workspace(root)
    plant(ws, 0.8)
    select(ws, method="semdedup", keep=0.5, recipe="both")
    return ws


def select(ws: Workspace, **params: Any) -> dict[str, Any]:
    return run_action(ws, "select", {"source": "short", **params}, SILENT)


@pytest.fixture
def own(planted: Workspace, copy_of: Callable[[Workspace], Workspace]) -> Workspace:
    return copy_of(planted)


def frames(app: Any) -> list[pl.DataFrame]:
    return [pl.from_pandas(d.value) for d in app.dataframe]


def chosen_table(app: Any) -> pl.DataFrame:
    return next(f for f in frames(app) if "lost topics" in f.columns)


def test_without_embeddings_it_says_what_to_run(
    recipe_workspace: Workspace, open_page: Open
) -> None:
    app = open_page(recipe_workspace, "selecting", source="long")
    assert not app.exception
    said = words_of(app)
    assert "are not embedded" in said and "on one core" in said and "mixlab embed" in said
    assert [b.label for b in app.button if b.key == "embed_source"] == ["Embed this source"]
    app.segmented_control(key="view").set_value("A window for a prompt").run()
    assert "No source is embedded" in words_of(app)


def test_the_form_names_cost_budget_and_failure(planted: Workspace, open_page: Open) -> None:
    app = open_page(planted, "selecting", source="short", recipe="both")
    assert not app.exception
    for name, term in (("dpp", "determinantal"), ("facility", "facility"), ("d4", "prototype")):
        app.selectbox(key="method").set_value(name).run()
        said = words_of(app)
        assert "Where it fails" in said and "Cost" in said
        assert term in app.selectbox(key="method").format_func(name).lower()
    assert "% of the" in said and "training tokens" in said and "About " in said
    app.selectbox(key="method").set_value("quality-diversity").run()
    assert app.button(key="select_go").disabled, "it needs a quality"
    app.selectbox(key="quality").set_value("gopher.word_count@ws1").run()
    assert not app.button(key="select_go").disabled


def test_the_button_starts_a_job(
    own: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(
        "lab.ui.job_panel.start_job", lambda ws, action, params: started.append((action, params))
    )
    app = open_page(own, "selecting", source="short", recipe="both", method="mmr")
    app.number_input(key="budget.short").set_value(4000).run()
    app.toggle(key="among").set_value(True).run()
    app.button(key="select_go").click().run()
    assert not app.exception
    want = {"source": "short", "method": "mmr", "tokens": 4000, "recipe": "both"}
    assert started == [("select", want)]


def test_a_selection_is_shown_with_breadth_and_state(planted: Workspace, open_page: Open) -> None:
    app = open_page(planted, "selecting", source="short", recipe="both")
    assert not app.exception
    row = chosen_table(app).row(0, named=True)
    assert row["state"] == "current" and row["among"] == "both"
    assert 0 < row["kept tokens"] <= row["budget"]
    assert row["near copies after"].startswith("0.0 %")
    assert float(row["near copies before"].split(" ")[0]) > 20
    assert "(" in row["Vendi before"] and "(" in row["clusters after"], "with intervals"
    assert "Stale" not in words_of(app)


def test_into_the_recipe_in_one_click_and_back(own: Workspace, open_page: Open) -> None:
    file = own.recipes / "both.yaml"
    before = file.read_bytes()
    app = open_page(own, "selecting", source="short", recipe="both")
    app.toggle(key="keep_rest").set_value(True).run()
    app.button(key="select_add").click().run()
    assert not app.exception
    recipe = load_recipe(own, "both")
    (column,) = selections_in(recipe.sources["short"])
    rule = recipe.sources["short"][-1]
    assert rule.values == ("kept", "not embedded") and column in words_of(app)
    assert len(recipe.sources["short"]) == 2, "the other rule stays"
    assert app.button(key="select_add").disabled
    assert not compute_ledger(own, recipe).warnings, "its own rule does not make it stale"
    app.button(key="select_undo").click().run()
    assert file.read_bytes() == before
    assert "as it did before" in words_of(app)
    assert not any(b.key == "select_undo" for b in app.button)


def test_undo_keeps_what_was_saved_since(own: Workspace, open_page: Open) -> None:
    app = open_page(own, "selecting", source="short", recipe="both")
    elsewhere = load_recipe(own, "both")
    save_recipe(own, replace(elsewhere, note="saved elsewhere before the click"))
    app.button(key="select_add").click().run()
    recipe = load_recipe(own, "both")
    assert recipe.note == "saved elsewhere before the click"
    (rule,) = parse_rules([{"signal": "gopher.word_count", "min": 60}], "test")
    sources = {**recipe.sources, "long": (rule,)}
    save_recipe(own, replace(recipe, sources=sources, note="and since"))
    app.button(key="select_undo").click().run()
    assert not app.exception
    now = load_recipe(own, "both")
    assert now.note == "and since" and now.sources["long"] == (rule,)
    assert now.sources["short"] == elsewhere.sources["short"]
    kept = [read_recipe(path) for path in history(own, "both")]
    assert any(selections_in(r.sources["short"]) and r.sources["long"] for r in kept)


def test_undo_puts_the_replaced_selection_back_in_its_place(
    own: Workspace, open_page: Open
) -> None:
    recipe = load_recipe(own, "both")
    first = listed(own, "short")[0].column
    (old,) = parse_rules([{"signal": first, "in": ["kept"]}], "test")
    rules = (old, *recipe.sources["short"])
    save_recipe(own, replace(recipe, sources={**recipe.sources, "short": rules}))
    select(own, method="random", keep=0.3)
    app = open_page(own, "selecting", source="short", recipe="both")
    app.button(key="select_add").click().run()
    (column,) = selections_in(load_recipe(own, "both").sources["short"])
    assert column.startswith("selected.random@")
    app.button(key="select_undo").click().run()
    assert load_recipe(own, "both").sources["short"] == rules


def test_undo_says_what_it_cannot_do(own: Workspace, open_page: Open) -> None:
    app = open_page(own, "selecting", source="short", recipe="both")
    app.button(key="select_add").click().run()
    recipe = load_recipe(own, "both")
    plain = replace(recipe, sources={**recipe.sources, "short": recipe.sources["short"][:-1]})
    save_recipe(own, plain)
    app.button(key="select_undo").click().run()
    assert "meanwhile: it is left as it is" in words_of(app)
    assert load_recipe(own, "both") == plain
    app.button(key="select_add").click().run()
    (own.recipes / "both.yaml").unlink()
    app.button(key="select_undo").click().run()
    assert not app.exception
    assert "both was deleted meanwhile" in words_of(app)
    assert not (own.recipes / "both.yaml").exists()


def test_quality_is_offered_to_the_methods_that_read_it(
    planted: Workspace, open_page: Open
) -> None:
    app = open_page(planted, "selecting", source="short", recipe="both")
    for name, entry in METHODS.items():
        app.selectbox(key="method").set_value(name).run()
        assert any(s.key == "quality" for s in app.selectbox) == entry.reads_quality, name


def test_the_budget_says_of_what_it_is(planted: Workspace, open_page: Open) -> None:
    app = open_page(planted, "selecting", source="short", recipe="both")
    assert "are of all embedded tokens" not in words_of(app)
    app.toggle(key="among").set_value(True).run()
    assert "are of all embedded tokens" in words_of(app)


def test_a_window_needs_a_source(planted: Workspace, open_page: Open) -> None:
    app = open_page(planted, "selecting", view="A window for a prompt")
    app.text_area(key="window_queries").set_value(QUERY).run()
    assert len(app.multiselect(key="window_sources").value) > 1, "all, at first"
    app.multiselect(key="window_sources").set_value([]).run()
    assert app.multiselect(key="window_sources").value == []
    assert app.button(key="window_go").disabled and "at least one source" in words_of(app)
    app.multiselect(key="window_sources").set_value(["long"]).run()
    assert not app.button(key="window_go").disabled


def test_another_selection_takes_the_place_of_the_first(own: Workspace, open_page: Open) -> None:
    app = open_page(own, "selecting", source="short", recipe="both")
    app.button(key="select_add").click().run()
    select(own, method="random", keep=0.3)
    app = open_page(own, "selecting", source="short", recipe="both")
    app.button(key="select_add").click().run()
    columns = selections_in(load_recipe(own, "both").sources["short"])
    assert len(columns) == 1 and columns[0].startswith("selected.random@")


def test_what_changed_makes_it_stale_everywhere(own: Workspace, open_page: Open) -> None:
    app = open_page(own, "selecting", source="short", recipe="both")
    app.button(key="select_add").click().run()
    plant(own, 1.0, seed=1)  # more documents are embedded
    (one,) = listed(own, "short")
    assert one.changed == ("embeddings",) and one.usable
    app = open_page(own, "selecting", source="short", recipe="both")
    assert chosen_table(app)["state"].to_list() == ["stale"]
    assert "Stale" in words_of(app) and "embeddings" in words_of(app)
    assert any(b.key == "select_again" for b in app.button)
    for page in ("mixture", "filters"):
        shown = open_page(own, page, recipe="both", source="short")
        assert "is stale" in words_of(shown), page
    assert any(
        "is stale" in words for words in compute_ledger(own, load_recipe(own, "both")).warnings
    )


def test_other_filters_make_it_stale(own: Workspace) -> None:
    recipe = load_recipe(own, "both")
    (rule,) = parse_rules([{"signal": "gopher.word_count", "min": 51}], "test")
    save_recipe(own, replace(recipe, sources={**recipe.sources, "short": (rule,)}))
    assert listed(own, "short")[0].changed == ("filters",)
    save_recipe(own, replace(recipe, dedup=None))
    assert listed(own, "short")[0].changed == ("policy on duplicates",)
    (own.recipes / "both.yaml").unlink()
    assert listed(own, "short")[0].changed == ("recipe (both is gone or cannot be read)",)


def test_other_documents_make_it_unusable_and_the_recipe_says_so(
    own: Workspace, open_page: Open, tmp_path: Path
) -> None:
    app = open_page(own, "selecting", source="short", recipe="both")
    app.button(key="select_add").click().run()
    file = tmp_path / "other.jsonl"
    file.write_text("\n".join(json.dumps({"text": f"quite another text {k}"}) for k in range(40)))
    run_action(own, "add", {"name": "short", "paths": [str(file)]}, SILENT)
    (one,) = listed(own, "short")
    assert one.changed and not one.usable
    run_action(own, "measure", {"source": "short"}, SILENT)
    with pytest.raises(ArtifactMissing, match="before the documents of 'short' changed") as told:
        compute_ledger(own, load_recipe(own, "both"))
    assert "mixlab select short --method semdedup" in str(told.value)
    app = open_page(own, "selecting", source="short", recipe="both")
    assert not app.exception
    assert chosen_table(app)["state"].to_list() == ["stale"]
    assert "a recipe cannot use it" in words_of(app)
    assert app.button(key="select_add").disabled


def test_chosen_among_what_the_recipe_keeps(own: Workspace) -> None:
    from lab.mixture.selection import judge

    kept = judge(own, load_recipe(own, "both"))["short"].frame.filter("kept")["id"]
    found = select(own, method="random", keep=1.0, recipe="both")
    artifact = listed(own, "short")[0].artifact
    ids = set(chosen_documents(own, artifact)["id"])
    assert ids and ids <= set(kept)
    reasons = {row["reason"]: row["documents"] for row in found["reasons"]}
    assert reasons["dropped by the recipe"] > 0
    assert sum(reasons.values()) == documents(own, "short").scan().collect().height


def test_the_set_is_handed_on_with_what_made_it(planted: Workspace) -> None:
    (one,) = listed(planted, "short")
    frame = chosen_documents(planted, one.artifact)
    assert frame["order"].to_list() == list(range(one.documents))
    assert frame["tokens"].sum() == one.tokens
    assert frame["text"].null_count() == 0 and "meta" in frame.columns
    told = about(planted, one.artifact)
    assert json.loads(json.dumps(told)) == told
    assert told["command"] == "mixlab select short --method semdedup --keep 0.5 --recipe both"
    assert set(told) >= {"licence", "kind", "before", "after", "topics", "inputs", "budget"}


def test_a_window_is_filled_and_read(planted: Workspace, open_page: Open) -> None:
    app = open_page(planted, "selecting", view="A window for a prompt")
    assert app.button(key="window_go").disabled, "no query yet"
    app.text_area(key="window_queries").set_value(f"{QUERY}\nbread").run()
    app.number_input(key="window_tokens").set_value(3000).run()
    app.button(key="window_go").click().run()
    assert not app.exception
    table = next(f for f in frames(app) if "nearest_rank" in f.columns)
    assert table["query"].unique().sort().to_list() == [QUERY, "bread"]
    assert table.group_by("query").agg(pl.col("tokens").sum())["tokens"].max() <= 3000
    assert "of 3,000 tokens" in words_of(app)
    app.selectbox(key="window_way").set_value("none").run()
    app.button(key="window_go").click().run()
    plain = next(f for f in frames(app) if "nearest_rank" in f.columns).filter(query=QUERY)
    assert plain["nearest_rank"].to_list() == sorted(plain["nearest_rank"])


def test_a_window_says_what_was_searched_and_why_it_is_empty(
    planted: Workspace, open_page: Open
) -> None:
    app = open_page(planted, "selecting", view="A window for a prompt")
    app.text_area(key="window_queries").set_value(QUERY).run()
    app.multiselect(key="window_sources").set_value(["long"]).run()
    app.button(key="window_go").click().run()
    whole = documents(planted, "long").scan().collect().height
    said = words_of(app).replace("\\", "")
    assert f"Searched {int(0.8 * whole):,} of {whole:,} documents" in said
    assert {b.key for b in app.get("download_button")} >= {"window_take", "window_about"}
    app.number_input(key="window_tokens").set_value(1).run()
    app.button(key="window_go").click().run()
    assert not app.exception
    said = words_of(app).replace("\\", "")
    assert "Nothing fits: every document found is longer than the window of 1 token;" in said
    assert f"Searched {int(0.8 * whole):,}" in said
    assert not any("nearest_rank" in f.columns for f in frames(app))


def test_only_encoders_that_can_embed_a_query_here_are_offered(
    recipe_workspace: Workspace,
    copy_of: Callable[[Workspace], Workspace],
    open_page: Open,
    tmp_path: Path,
) -> None:
    """A folder's encoder needs torch, that of imported vectors is unknown: the shell is named."""
    ws = copy_of(recipe_workspace)
    plant(ws, encoder="my own/encoder")
    rows = documents(ws, "long").scan().collect().height
    np.save(tmp_path / "v.npy", np.random.default_rng(0).normal(size=(rows, 5)))
    import_vectors(ws, "long", tmp_path / "v.npy", encoder="my-vectors")
    commands = (
        "mixlab retrieve 'QUERY' --encoder 'my own/encoder'",
        "mixlab retrieve --like long/ID --encoder my-vectors",
    )
    app = open_page(ws, "selecting", view="A window for a prompt", encoder="my-vectors")
    assert not app.exception
    assert all(command in words_of(app) for command in commands)
    assert "that this page can embed a query with" in words_of(app)
    assert not any(b.key == "window_go" for b in app.button)
    plant(ws)
    app = open_page(ws, "selecting", view="A window for a prompt", encoder="my-vectors")
    assert not app.exception
    assert all(command in words_of(app) for command in commands)
    assert not any(s.key == "encoder" for s in app.selectbox), "one is no choice"
    app.text_area(key="window_queries").set_value(QUERY).run()
    app.button(key="window_go").click().run()
    table = next(f for f in frames(app) if "nearest_rank" in f.columns)
    assert table["similarity"].max() > 0.9, "by the default encoder"
    plant(ws, encoder="static")
    app = open_page(ws, "selecting", view="A window for a prompt", encoder="my-vectors")
    assert list(app.selectbox(key="encoder").options) == [DEFAULT, "static"]
