"""What holds for every page, on any workspace: it says what it answers and what comes next."""

import subprocess
import sys
from pathlib import Path

import pytest
from visiting import ROOT, Open, words_of

from lab.core.workspace import Workspace, create
from lab.ui.navigation import VIEWS

PAGES = [view.name for view in VIEWS]


@pytest.mark.parametrize("page", PAGES)
def test_on_a_workspace_with_runs(trained_workspace: Workspace, open_page: Open, page: str) -> None:
    app = open_page(trained_workspace, page)
    view = next(v for v in VIEWS if v.name == page)
    assert not app.exception and not app.error
    assert app.title[0].value == view.title
    assert view.question.split(",")[0].split("?")[0] in words_of(app).replace("\\", "")
    assert "Next" in [caption.value for caption in app.caption]


@pytest.mark.parametrize("page", PAGES)
def test_on_an_empty_workspace(tmp_path: Path, open_page: Open, page: str) -> None:
    app = open_page(create(tmp_path / "empty"), page)
    assert not app.exception and not app.error
    said = words_of(app)
    assert "empty" in said or "No " in said or "are needed" in said, said


@pytest.mark.parametrize("page", PAGES)
def test_a_second_run_changes_nothing(
    trained_workspace: Workspace, open_page: Open, page: str
) -> None:
    app = open_page(trained_workspace, page)
    before = words_of(app)
    app.run()
    assert words_of(app) == before


def test_a_folder_that_is_no_workspace_is_an_error_in_words(
    tmp_path: Path, open_page: Open
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    app = open_page(Workspace(tmp_path), "overview")
    assert app.error[0].value == "The workspace cannot be used now."
    assert "mixlab init" in app.code[0].value


def test_a_newer_workspace_is_refused_in_words(tmp_path: Path, open_page: Open) -> None:
    ws = create(tmp_path / "w")
    (ws.root / "workspace.json").write_text('{"version": 99}')
    app = open_page(ws, "overview")
    assert not app.exception
    assert "newer" in app.code[0].value


PROGRAM = """
import sys
from streamlit.testing.v1 import AppTest
for page in sys.argv[1:]:
    app = AppTest.from_file("lab/ui/router.py", default_timeout=60).run()
    app.switch_page(f"{sys.path[0]}/pages/{page}.py").run()
    assert not app.exception, page
heavy = "torch transformers umap sentence_transformers sklearn datasets ray".split()
print("imported", [name for name in heavy if name in sys.modules])
"""


@pytest.mark.slow
def test_showing_every_page_imports_nothing_heavy(
    trained_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIXLAB_WORKSPACE", str(trained_workspace.root))
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{PROGRAM}"
    done = subprocess.run(
        [sys.executable, "-c", program, *PAGES[1:]], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "imported []" in done.stdout
