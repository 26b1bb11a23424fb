"""A workspace with recipes and small trained runs, and a way to open a page of it."""

import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from visiting import ROOT, Open

from lab.core.workspace import Workspace, open_workspace
from lab.ui.state import WORKSPACE_VARIABLE

RECIPES = {
    "both": {
        "sources": {
            "short": {"filters": [{"signal": "gopher.word_count", "min": 50, "max": 100000}]},
            "long": {},
        },
        "dedup": {"exact": True},
        "mixture": {
            "tokens": 200_000,
            "phases": [
                {"name": "broad", "share": 0.75, "weights": {"short": 0.5, "long": 0.5}},
                {"name": "sharpen", "share": 0.25, "weights": {"short": 0.2, "long": 0.8}},
            ],
        },
    },
    "long-only": {
        "sources": {"long": {}},
        "mixture": {"tokens": 100_000, "phases": [{"name": "all", "weights": {"long": 1}}]},
    },
}


def with_recipes(ws: Workspace, target: Path) -> Workspace:
    """A copy of `ws` with RECIPES, a broken recipe and a benchmark with a twin."""
    from lab.evaluation.benchmarks.registry import add_benchmark
    from lab.mixture.parsing import parse_recipe
    from lab.mixture.recipe_files import save_recipe

    shutil.copytree(ws.root, target)
    copy = open_workspace(target)
    for name, body in RECIPES.items():
        save_recipe(copy, parse_recipe({"name": name, "tokenizer": "plain", **body}, name))
    (copy.recipes / "broken.yaml").write_text("version: 1\nname: broken\nsorces: {}\n")
    words = ["river", "stone", "market", "lamp", "quiet", "green", "carry", "follow", "under"]
    items = [
        {"question": words[k % 9], "choices": words[k % 7 : k % 7 + 3], "answer": k % 3}
        for k in range(40)
    ]
    path = target.parent / "items.jsonl"
    path.write_text("\n".join(map(json.dumps, items)))
    add_benchmark(copy, "words", path)
    add_benchmark(copy, "words_twin", path)
    return copy


@pytest.fixture(scope="session")
def recipe_workspace(
    plain_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """Plain text with recipes, nothing trained. Read only."""
    return with_recipes(plain_workspace, tmp_path_factory.mktemp("recipes") / "w")


@pytest.fixture(scope="session")
def trained_workspace(
    recipe_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """The same with two scored runs of four steps each of two recipes, and an export."""
    from lab.core.progress import SILENT
    from lab.evaluation.runs.evaluate import evaluate_run
    from lab.export import export
    from lab.mixture.recipe_files import load_recipe
    from lab.proxy.runs import prepare_run
    from lab.proxy.train import train

    root = tmp_path_factory.mktemp("trained") / "w"
    shutil.copytree(recipe_workspace.root, root)
    ws = open_workspace(root)
    for name in RECIPES:
        for seed in (0, 1):
            folder = prepare_run(ws, load_recipe(ws, name), size="nano", tokens=8192, seed=seed)
            train(folder, SILENT)
            evaluate_run(ws, folder)
    export(ws, load_recipe(ws, "long-only"), "recipe", ws.folder("exports", "long-only-recipe"))
    return ws


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Open:
    """`open_page(ws, "filters", source="web")`: the page as a visitor of that URL sees it."""

    def open_it(ws: Workspace, page: str, **query: str) -> AppTest:
        monkeypatch.setenv(WORKSPACE_VARIABLE, str(ws.root))
        app = AppTest.from_file(ROOT / "lab/ui/router.py", default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        if page != "overview":
            app.switch_page(str(ROOT / "pages" / f"{page}.py")).run()
        return app

    return open_it
