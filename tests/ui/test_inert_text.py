"""Nothing but literals and escaped or numeric text reaches an element that reads Markdown."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "pages").glob("*.py"), *(ROOT / "lab/ui").rglob("*.py"), ROOT / "app.py"])

# Streamlit calls whose words are read as Markdown, and which positional arguments are words.
WORDS = dict.fromkeys(
    {
        *("markdown", "write", "caption", "title", "header", "subheader", "error", "warning"),
        *("info", "success", "toast", "badge", "latex", "html", "button", "download_button"),
        *("form_submit_button", "link_button", "checkbox", "toggle", "radio", "selectbox"),
        *("multiselect", "select_slider", "slider", "text_input", "text_area", "number_input"),
        *("file_uploader", "segmented_control", "pills", "expander", "popover", "spinner"),
        *("status", "tabs", "menu_button", "table", "feedback", "data_editor", "color_picker"),
    },
    1,
) | {"metric": 3, "progress": 2, "page_link": 0}  # the first argument of a page link is a path
KEYWORDS = {"label", "body", "help", "text", "delta", "captions", "title"}
OPTIONS = {"radio", "segmented_control", "pills"}  # their options are Markdown too
SAFE = {  # functions of lab.ui whose result holds no markup of anybody else
    "label", "count", "compact", "percent", "number", "plural", "duration", "ago",
    "signed",
}  # fmt: skip
MARKED = ("highlight.py", "html")  # every character is escaped there: `test_highlight.py`
OURS = {"text", "dataframe", "code", "json", "plotly_chart"}  # inert: anything may be passed


def is_safe(node: ast.expr) -> bool:
    """True if the expression can only be a literal, a number in words, or escaped text."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.JoinedStr):
        return all(is_safe(part) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        spec = node.format_spec
        numeric = isinstance(spec, ast.JoinedStr) and any(
            isinstance(v, ast.Constant) and str(v.value)[-1:] in "f%gd," for v in spec.values
        )
        return numeric or is_safe(node.value)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in SAFE
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add) and is_safe(node.left) and is_safe(node.right)
    if isinstance(node, ast.IfExp):
        return is_safe(node.body) and is_safe(node.orelse)
    if isinstance(node, ast.BoolOp):
        return all(is_safe(value) for value in node.values)
    if isinstance(node, ast.List | ast.Tuple):
        return all(is_safe(item) for item in node.elts)
    return isinstance(node, ast.ListComp) and is_safe(node.elt)


def calls(path: Path) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, node.func.attr


def options_are_ours(call: ast.Call) -> bool:
    if any(keyword.arg == "format_func" for keyword in call.keywords):
        return True
    options = call.args[1] if len(call.args) > 1 else ast.Constant(None)
    return is_safe(options) or (isinstance(options, ast.Name) and options.id.isupper())


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_markdown_gets_literals_only(path: Path) -> None:
    for call, name in calls(path):
        where = f"{path.name}:{call.lineno} {name}"
        assert not any(k.arg and k.arg.startswith("unsafe_allow") for k in call.keywords), where
        if name not in WORDS or (path.name, name) == MARKED:
            continue
        for argument in call.args[: WORDS[name]]:
            assert is_safe(argument) or is_number(name, argument), where
        for keyword in call.keywords:
            if keyword.arg in KEYWORDS:
                assert is_safe(keyword.value), f"{where} {keyword.arg}"
        if name in OPTIONS:
            assert options_are_ours(call), f"{where} options"


def is_number(name: str, argument: ast.expr) -> bool:
    """The share of a progress bar is no text; `write` on files and archives is not Streamlit's."""
    if name == "progress":
        return isinstance(argument, ast.Call | ast.Constant) and not is_safe(argument)
    return name == "write" and isinstance(argument, ast.Name) and argument.id == "path"


def test_the_check_finds_what_it_should() -> None:
    """The guard itself, on the two ways in which a name could get through."""
    for bad in ("f'{source.name}'", "source.name", "'a' + text", "[n for n in names]", "str(x)"):
        assert not is_safe(ast.parse(bad, mode="eval").body), bad
    for good in ("'a'", "f'{label(name)}: {x:.1f}'", "label(x)", "[label(n) for n in names]"):
        assert is_safe(ast.parse(good, mode="eval").body), good


def test_documents_have_one_door() -> None:
    """Only `lab/ui/text.py` shows text of documents, by an element that reads no markup, and
    `lab/ui/highlight.py`, escaped.
    """
    source = (ROOT / "lab/ui/text.py").read_text("utf-8")
    assert "st.code(text, language=None, wrap_lines=True" in source
    for path in FILES:
        if path.name != "text.py":
            for call, name in calls(path):
                assert name != "html" or path.name == "highlight.py", f"{path.name}:{call.lineno}"
                if name == "code":
                    languages = [k.value for k in call.keywords if k.arg == "language"]
                    assert languages and isinstance(languages[0], ast.Constant), path.name
