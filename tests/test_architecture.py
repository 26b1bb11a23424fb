"""The house's rules about who may import whom, read from the syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STAGES = [
    "core",
    "corpus",
    "diversity",
    "curation",
    "mixture",
    "proxy",
    "evaluation",
    "advice",
    "export",
    "jobs",
]
OUTER = {"ui", "cli"}
HEAVY = {"torch", "transformers", "sentence_transformers", "umap", "sklearn", "datasets", "ray"}
MODULES = sorted((ROOT / "lab").rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))


def room(path: Path) -> str:
    parts = path.relative_to(ROOT / "lab").parts
    return parts[0] if len(parts) > 1 else ""


def imports(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} relative import"
            yield node.module or "", node.lineno


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_stage_never_imports_a_later_one(path: Path) -> None:
    own = room(path)
    allowed = set(STAGES[: STAGES.index(own) + 1]) if own in STAGES else {*STAGES, *OUTER}
    for name, line in imports(path):
        parts = name.split(".")
        if parts[0] == "lab" and len(parts) > 1 and parts[1] in {*STAGES, *OUTER}:
            assert parts[1] in allowed, f"{path}:{line} {own} imports {name}"


@pytest.mark.parametrize("path", [*MODULES, *PAGES], ids=lambda p: str(p.relative_to(ROOT)))
def test_streamlit_and_duckdb_stay_in_their_rooms(path: Path) -> None:
    used = {name.split(".")[0] for name, _ in imports(path)}
    if "streamlit" in used:
        assert path.parent == ROOT / "pages" or room(path) in OUTER
    if "duckdb" in used:
        assert path == ROOT / "lab/core/query.py"


def top_level_imports(path: Path) -> set[str]:
    """Packages imported when the module is, not inside functions or for type checking."""
    found: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("path", [*MODULES, *PAGES], ids=lambda p: str(p.relative_to(ROOT)))
def test_heavy_packages_are_named_at_the_top_of_workers_modules_only(path: Path) -> None:
    """What the server imports is tested by importing it (tests/ui); this names the culprit."""
    if path.parent == ROOT / "pages" or room(path) in {"core", "corpus", "mixture", "jobs", *OUTER}:
        assert not top_level_imports(path) & HEAVY


def test_the_router_has_no_pages_folder_beside_it() -> None:
    assert (ROOT / "lab/ui/router.py").is_file()
    assert not (ROOT / "lab/ui/pages").exists()


def test_no_pickle_and_no_remote_code() -> None:
    for path in [*MODULES, *PAGES]:
        text = path.read_text("utf-8")
        assert "import pickle" not in text, path
        assert "allow_pickle=True" not in text, path
        assert "trust_remote_code=True" not in text, path
        for line in text.splitlines():
            assert "torch.load(" not in line or "weights_only=True" in line, path


def test_files_and_functions_stay_readable() -> None:
    """Review at 400 lines a file and 60 a function; pages hold layout only.

    A compiled loop may have 90: cutting it up would make parameters of a dozen counters.
    """
    for path in MODULES:
        text = path.read_text("utf-8")
        assert text.count("\n") <= 400, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                marks = {ast.unparse(mark) for mark in node.decorator_list}
                most = 90 if "compiled" in marks else 60
                assert length <= most, f"{path}:{node.lineno} {node.name} has {length} lines"
    for path in PAGES:
        assert path.read_text("utf-8").count("\n") <= 140, path


def test_every_public_module_says_what_it_is() -> None:
    for path in MODULES:
        tree = ast.parse(path.read_text("utf-8"))
        assert not tree.body or ast.get_docstring(tree), path


ROOMS = {
    "diversity": ["breadth", "embedding", "layout", "selecting"],
    "evaluation": ["benchmarks", "scoring", "statistics", "runs", "comparing", "gate", "gain"],
    "advice": ["evidence", "laws", "fitting", "optimising", "proposing"],
}


@pytest.mark.parametrize("stage", ROOMS)
def test_a_room_of_a_stage_never_imports_a_later_one(stage: str) -> None:
    for place, own in enumerate(ROOMS[stage]):
        later = {f"lab.{stage}.{room}" for room in ROOMS[stage][place + 1 :]}
        for path in (ROOT / "lab" / stage / own).rglob("*.py"):
            for name, line in imports(path):
                found = ".".join(name.split(".")[:3])
                assert found not in later, f"{path}:{line} imports {name}"
