"""The server process never imports what only workers need."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = "torch transformers umap sentence_transformers sklearn datasets ray numba"
PROGRAM = """
import ast, importlib, sys
from pathlib import Path
names = set()
for path in [*Path("pages").glob("*.py"), *Path("lab/ui").rglob("*.py")]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lab"):
            names.add(node.module)
for name in sorted(names):
    importlib.import_module(name)
print(sorted(set(sys.argv[1:]) & set(sys.modules)), len(names))
"""


def test_the_command_line_starts_without_anything_heavy() -> None:
    code = "import sys, lab.cli.main; print(sorted(set(sys.argv[1:]) & set(sys.modules)))"
    words = [sys.executable, "-c", code, *HEAVY.split(), "streamlit"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_pages_import_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *HEAVY.split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found, modules = done.stdout.rsplit(" ", 1)
    assert found == "[]"
    assert int(modules) > 20
