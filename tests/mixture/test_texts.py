"""A recipe with edits trains on and exports the edited text, and nothing else of it changes."""

import numpy as np
import polars as pl
import pytest

from lab.core.errors import ArtifactMissing
from lab.core.progress import SILENT
from lab.core.query import query
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source, scan_documents
from lab.corpus.tokenizer import load_tokenizer
from lab.corpus.tokens import token_arrays
from lab.export.plan import plan_export
from lab.export.pools import pool_frames
from lab.export.selection_sql import selection_sql
from lab.jobs import actions
from lab.jobs.steps import STEPS
from lab.mixture.ledger import compute_ledger
from lab.mixture.parsing import parse_recipe
from lab.mixture.recipe import Recipe, recipe_id
from lab.mixture.selection import judge
from lab.proxy.inputs import gather_inputs
from tests.conftest import plain_texts, write_jsonl

KEPT = "This line ends as a sentence should and it stays.\n"
MENU = "Home\nContact us\n"


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Source `web`: plain texts with a menu line on top, and ten documents of menu lines only."""
    root = tmp_path_factory.mktemp("texts")
    ws = create(root / "w", heldout_share=0.0)
    texts = [MENU + text for text in plain_texts(60, 80, 5)]
    texts += [MENU + f"Page {'x' * k}\n" for k in range(10)]
    add_source(ws, "web", [str(write_jsonl(root / "web.jsonl", texts))])
    STEPS["measure"](ws, actions.Measure(), SILENT)
    return ws


def recipe(edits: list[str]) -> Recipe:
    body = {"edits": edits} if edits else {}
    phases = [{"name": "all", "weights": {"web": 1.0}}]
    mapping = {"name": "r", "sources": {"web": body}, "mixture": {"tokens": 500, "phases": phases}}
    return parse_recipe(mapping, "r")


def runnable(ws: Workspace, recipe: Recipe) -> str:
    """The exported selection with absolute paths, as a subquery."""
    return selection_sql(ws, recipe).replace("'artifacts/", f"'{ws.root}/artifacts/").rstrip(";\n")


def test_edits_that_were_not_made_are_asked_for(ws: Workspace) -> None:
    with pytest.raises(ArtifactMissing, match="mixlab edit --source web --edits mask-pii"):
        compute_ledger(ws, recipe(["mask-pii"]))


def test_training_tokens_are_those_of_the_edited_text(ws: Workspace) -> None:
    inputs = gather_inputs(ws, recipe(["c4-lines"]), SILENT)
    ((flat, offsets),) = token_arrays(inputs.counted["web"])
    tokenizer = load_tokenizer(ws, next(iter(ws.tokenizers.iterdir())).name)
    original = scan_documents(ws, "web").collect()["text"]
    for row in (0, 30):
        trained = tokenizer.decode(np.asarray(flat[offsets[row] : offsets[row + 1]]).tolist())
        assert "Home" not in trained
        assert trained.strip() == original[row].removeprefix(MENU).strip()


def test_emptied_documents_fall_with_a_reason_and_the_export_holds_edited_text(
    ws: Workspace,
) -> None:
    STEPS["edit"](ws, actions.Edit(["c4-lines"]), SILENT)
    edited, plain = recipe(["c4-lines"]), recipe([])
    verdict = judge(ws, edited)["web"]
    assert verdict.reasons == ("nothing is left after the edits",)
    emptied = verdict.frame.filter(pl.col("mask") == 1)
    assert emptied.height == 10
    assert emptied["tokens"].sum() == 0
    (share,) = plan_export(ws, edited, "bpe-4k").phases[0].shares
    text = pl.concat(list(pool_frames(ws, share)))["text"]
    assert len(text) == 60
    assert not text.str.contains("Contact us").any()
    ids = query(f"SELECT id FROM ({runnable(ws, edited)})")["id"]
    assert sorted(ids) == sorted(verdict.frame.filter("kept")["id"])
    before, after = (compute_ledger(ws, r).sources.row(0, named=True) for r in (plain, edited))
    assert after["unique_tokens"] < before["unique_tokens"]
    assert recipe_id(plain) != recipe_id(edited)
