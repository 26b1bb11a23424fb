import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest
from visiting import Open, words_of

from lab.core.arrays import write_array
from lab.core.artifacts import build, write_part
from lab.core.progress import SILENT
from lab.core.workspace import Workspace, create, open_workspace
from lab.corpus.sources import add_source, documents, scan_documents
from lab.curation.duplicates import DedupConfig, MinHash, find_duplicates, keepers, regroup
from lab.curation.duplicates.repeated import find_repeated
from lab.curation.duplicates.semantic import find_semantic
from lab.diversity.embedding import embed as embed_stage
from lab.diversity.embedding.encoder import DEFAULT
from lab.jobs import actions
from lab.jobs.steps.corpus import tokenizer
from lab.jobs.steps.curation import measure
from lab.jobs.store import list_jobs
from lab.mixture.recipe_files import history, load_recipe, save_recipe
from lab.mixture.supply import measure_supply
from lab.ui.duplicates import effect
from lab.ui.duplicates.draft import EXACT, NEAR, NONE
from lab.ui.duplicates.stored import load_stored

Copy = Callable[[Workspace], Workspace]
NEAR_SETTING = MinHash()


@pytest.fixture(scope="module")
def ws(recipe_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Recipes over `short` and `copies`, one of them with near copies."""
    root = tmp_path_factory.mktemp("dup") / "w"
    shutil.copytree(recipe_workspace.root, root)
    copy = open_workspace(root)
    both = load_recipe(copy, "both")
    phase = replace(both.mixture.phases[0], share=1.0, weights={"copies": 0.5, "long": 0.5})
    mixed = replace(
        both,
        name="mixed",
        sources={"copies": (), "long": ()},
        mixture=replace(both.mixture, phases=(phase,)),
        dedup=DedupConfig(True, NEAR_SETTING, ("long",)),
    )
    save_recipe(copy, mixed)
    return copy


def shown(app: AppTest, column: str) -> dict[str, object]:
    """A column of the table of effects, by source."""
    frame = next(d.value for d in app.dataframe if "if_first" in d.value.columns)
    return dict(zip(frame["source"], frame[column], strict=True))


@pytest.mark.parametrize("falls", [NEAR, EXACT, NONE])
@pytest.mark.parametrize("keep", ["", "long", "long, copies"])
def test_unique_tokens_are_those_of_the_mixture_page(
    ws: Workspace, open_page: Open, falls: str, keep: str
) -> None:
    query = {"dup.mixed.falls": falls, "dup.mixed.keep": keep, "dup.mixed.at": "0.7"}
    app = open_page(ws, "duplicates", recipe="mixed", **query)
    assert not app.exception and not app.error
    near = replace(NEAR_SETTING, jaccard=0.7) if falls == NEAR else None
    names = tuple(filter(None, keep.split(", ")))
    dedup = None if falls == NONE else DedupConfig(True, near, names)
    supply = measure_supply(ws, replace(load_recipe(ws, "mixed"), dedup=dedup)).sources
    expected = dict(zip(supply["source"], supply["kept_tokens"], strict=True))
    unique = shown(app, "unique")
    assert {name: unique[name] for name in expected} == expected
    assert set(unique) == set(expected), "sources that the recipe does not use are not counted"


def test_the_bounds_are_what_the_first_and_the_last_place_leave(
    ws: Workspace, open_page: Open
) -> None:
    app = open_page(ws, "duplicates", recipe="mixed")
    first, last = shown(app, "if_first"), shown(app, "if_last")
    assert first["long"] == shown(app, "unique")["long"], "the recipe prefers long"
    app.text_input(key="dup.mixed.keep").set_value("copies, long").run()
    assert shown(app, "unique")["copies"] == first["copies"]
    assert shown(app, "unique")["long"] == last["long"] < first["long"]
    assert shown(app, "change")["long"] == last["long"] - first["long"]


def test_arrows_move_a_source_and_the_address_says_so(ws: Workspace, open_page: Open) -> None:
    app = open_page(ws, "duplicates", recipe="mixed")
    before = shown(app, "unique")
    app.button(key="down.long").click().run()
    assert app.text_input(key="dup.mixed.keep").value == "copies, long"
    assert shown(app, "unique") != before
    app.button(key="dup_drop").click().run()
    assert app.text_input(key="dup.mixed.keep").value == "long"
    assert shown(app, "unique") == before


def test_a_source_that_is_not_there_is_an_error_in_words(ws: Workspace, open_page: Open) -> None:
    app = open_page(ws, "duplicates", recipe="mixed", **{"dup.mixed.keep": "![x](http://evil)"})
    assert not app.exception
    assert app.error[0].value == "A setting does not work as written."
    assert any("![x](http://evil)" in code.value for code in app.code)


def test_saving_writes_the_policy_and_keeps_the_version_before(
    ws: Workspace, open_page: Open, copy_of: Copy
) -> None:
    own = copy_of(ws)
    app = open_page(own, "duplicates", recipe="mixed")
    assert app.button(key="dup_save").disabled
    app.slider(key="dup.mixed.at").set_value(0.65).run()
    app.button(key="dup_save").click().run()
    assert "Saved mixed.yaml" in words_of(app)
    saved = load_recipe(own, "mixed").dedup
    assert saved == DedupConfig(True, replace(NEAR_SETTING, jaccard=0.65), ("long",))
    assert app.button(key="dup_save").disabled
    app.button(key=f"restore.{history(own, 'mixed')[0].name}").click().run()
    assert load_recipe(own, "mixed").dedup == DedupConfig(True, NEAR_SETTING, ("long",))
    assert app.slider(key="dup.mixed.at").value == 0.8, "the draft follows the recipe"


def test_an_unsearched_setting_is_offered_and_started(
    ws: Workspace, open_page: Open, copy_of: Copy
) -> None:
    own = copy_of(ws)
    app = open_page(own, "duplicates", recipe="mixed", setting="own: choose bands and rows")
    app.number_input(key="bands").set_value(8).run()
    app.number_input(key="rows").set_value(14).run()
    said = words_of(app).replace("\\", "")
    assert "bands and rows look swapped: 14 bands of 8 rows" in said
    assert "Near copies have not been looked for with this setting" in said
    assert app.button(key="dup_save").disabled, "nothing could judge by it"
    app.button(key="search").click().run()
    job = list_jobs(own)[0]
    assert job.action == "dedup"
    assert (job.params["bands"], job.params["rows"], job.params["ngram"]) == (8, 14, 5)


def test_the_largest_group_and_its_difference_are_shown(tmp_path: Path, open_page: Open) -> None:
    ws = planted(create(tmp_path / "w"))
    app = open_page(ws, "duplicates", look="just above")
    assert not app.exception and not app.error
    code = "\n".join(block.value for block in app.code)
    assert "- planted" in code and "+ changed" in code
    frame = next(d.value for d in app.dataframe if "b" in d.value.columns and "a" in d.value)
    assert len(frame) == 1


def test_a_pair_by_its_address(tmp_path: Path, open_page: Open) -> None:
    ws = planted(create(tmp_path / "w"))
    ids = scan_documents(ws, "web").select("id").collect()["id"].to_list()
    app = open_page(ws, "duplicates", a=ids[2], b=ids[3])
    said = words_of(app).replace("\\", "")
    assert f"**{ids[2]}** beside **{ids[3]}**: not measured" in said
    app = open_page(ws, "duplicates", a="web/none", b=ids[3])
    assert not app.exception
    assert "No document has this id" in words_of(app)


def test_hostile_text_in_a_difference_is_inert(tmp_path: Path, open_page: Open) -> None:
    evil = "![x](https://evil.example/a.png) <script>alert(1)</script> "
    ws = planted(create(tmp_path / "w"), evil)
    app = open_page(ws, "duplicates", look="just above")
    assert evil.split()[0] in "\n".join(block.value for block in app.code)
    for element in [*app.markdown, *app.caption, *app.text_input, *app.button]:
        words = str(getattr(element, "value", "")) + str(getattr(element, "label", ""))
        assert "](https" not in words and "<script" not in words


@pytest.mark.parametrize("threshold", [0.6, 0.8, 1.0])
def test_counts_are_those_of_the_keepers(ws: Workspace, threshold: float) -> None:
    stored = load_stored(ws, NEAR_SETTING, "plain")
    rows = effect.members(stored, effect.candidates(stored, None), threshold)
    order = effect.full_order(("long",), stored.sources())
    ours = effect.fallen(effect.holdings(rows), order)
    grouped = regroup(ws, threshold, NEAR_SETTING).filter(~pl.col("heldout"))
    dropped = grouped.filter(~keepers(grouped, ("long",)))["source"].value_counts()
    theirs = dict(dropped.iter_rows())
    assert {r["source"]: r["documents"] for r in ours.to_dicts() if r["documents"]} == theirs


def test_overlap_is_symmetric_in_groups_and_counts_by_hand() -> None:
    names = pl.Enum(["a", "b", "c"])
    rows = pl.DataFrame(
        {
            "group": [1, 1, 1, 2, 2, 3, 3],
            "source": pl.Series(["a", "a", "b", "b", "c", "c", "c"], dtype=names),
            "tokens": [10, 11, 12, 5, 6, 1, 2],
        }
    )
    held = effect.holdings(rows)
    sums = pl.DataFrame({"source": ["a", "b", "c"], "documents": [9, 9, 9], "tokens": [42, 34, 9]})
    cells = effect.shared(held, sums)
    table = {(r["a"], r["b"]): (r["documents"], r["tokens"]) for r in cells.to_dicts()}
    assert table == {
        ("a", "a"): (2, 21), ("a", "b"): (2, 21), ("a", "c"): (0, 0),
        ("b", "a"): (1, 12), ("b", "b"): (0, 0), ("b", "c"): (1, 5),
        ("c", "a"): (0, 0), ("c", "b"): (1, 6), ("c", "c"): (2, 3),
    }  # fmt: skip
    found = effect.fallen(held, "bac").to_dicts()
    falls = {r["source"]: (r["documents"], r["tokens"]) for r in found}
    assert falls == {"a": (2, 21), "b": (0, 0), "c": (2, 8)}
    limits = {r["source"]: (r["least"], r["most"]) for r in effect.bounds(held).to_dicts()}
    assert limits == {"a": (11, 21), "b": (0, 17), "c": (2, 8)}


def test_repeated_lines_and_meaning_appear_once_they_are_stored(
    ws: Workspace, open_page: Open, copy_of: Copy
) -> None:
    own = copy_of(ws)
    names = ["copies", "long", "short"]
    assert "Repeated lines and paragraphs have not been looked for" in words_of(
        open_page(own, "duplicates")
    )
    find_repeated(own, names)
    for name in names:
        embed(own, name)
    find_semantic(own, names, encoder=DEFAULT)
    app = open_page(own, "duplicates")
    assert not app.exception and not app.error
    at_half = next(d.value for d in app.dataframe if "token_share" in d.value.columns)
    repeated = dict(zip(at_half["source"], at_half["documents"], strict=True))
    assert repeated["copies"] + repeated["long"] == 120, "each copied text has one owner"
    few = semantic_falls(app)
    app.slider(key="epsilon").set_value(0.3).run()
    assert semantic_falls(app) > few, "a larger epsilon removes more"


def semantic_falls(app: AppTest) -> int:
    """Embedded documents that fall, over all sources."""
    frame = next(d.value for d in app.dataframe if "embedded" in d.value.columns)
    return int(frame["fall"].sum())


def embed(ws: Workspace, source: str) -> None:
    """Store vectors as `lab.diversity.embedding` does: forty directions, documents near one."""
    found = documents(ws, source)
    hashes = found.scan().select("id", "content_hash").collect()
    middle = [int(h[:8], 16) % 40 for h in hashes["content_hash"]]
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 16))[middle] + rng.normal(scale=0.1, size=(len(middle), 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    def make(folder: Path) -> dict[str, int]:
        write_array(folder / "part-00000.embeddings.npy", vectors.astype(np.float16))
        write_part(hashes.select("id"), folder / "part-00000.parquet")
        return {"embedded": len(middle)}

    about = {"encoder": DEFAULT, "sample": len(middle), "seed": 0}
    build(ws, embed_stage.STEP, embed_stage.VERSION, about, [found.id], make)


def planted(ws: Workspace, extra: str = "") -> Workspace:
    """Four texts of 60 words in `web`, the first two alike but for one word."""
    words = [f"word{k}" for k in range(90)]
    base = " ".join(words) + f" {extra}"
    texts = [f"{base} planted end", f"{base} changed end"]
    texts += [" ".join(f"other{j}{k}" for k in range(60)) for j in range(8)]
    path = ws.root / "web.jsonl"
    path.write_text("\n".join(json.dumps({"text": t}) for t in texts))
    add_source(ws, "web", [str(path)])
    tokenizer(ws, actions.Tokenizer("plain", 300), SILENT)
    measure(ws, actions.Measure(workers=1), SILENT)
    find_duplicates(ws, ["web"], DedupConfig())
    return ws
