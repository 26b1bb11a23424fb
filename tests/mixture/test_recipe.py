from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lab.core.errors import ConfigError
from lab.core.workspace import create
from lab.mixture.parsing import parse_recipe
from lab.mixture.recipe import recipe_id, recipe_mapping
from lab.mixture.recipe_files import history, save_recipe

TEXT = """
version: 1
name: phi-like
tokenizer: world-4k
sources:
  web:
    filters:
      - {signal: gopher.word_count, min: 50, max: 100000}
      - {signal: quality.educational, min: 2.5}
  textbook: {}
dedup: {exact: true, minhash: {bands: 14, rows: 8, ngram: 5, jaccard: 0.8}, keep: [textbook, web]}
decontaminate: {benchmarks: [facts, reasoning], ngram: 13}
mixture:
  tokens: 100_000_000_000
  repeat_cap: 4
  phases:
    - {name: broad,  share: 0.75, weights: {web: 7, textbook: 3}}
    - {name: sharpen, share: 0.25, weights: {web: 0.3, textbook: 0.7},
       filters: {web: [{signal: quality.educational, min: 3.5}]}}
"""


def mapping() -> dict[str, Any]:
    return dict(yaml.safe_load(TEXT))


def test_the_recipe_of_the_design_is_read() -> None:
    recipe = parse_recipe(mapping(), "phi-like.yaml")
    assert recipe.sources["web"][0].signal == "gopher.word_count@ws1", "bound to a definition"
    assert recipe.mixture.tokens == 100_000_000_000
    assert recipe.mixture.phases[0].weights == {"web": 0.7, "textbook": 0.3}
    assert recipe.dedup is not None
    assert recipe.dedup.keep == ("textbook", "web")
    assert len(recipe.rules("web", recipe.mixture.phases[1])) == 3
    assert recipe.average_weights()["web"] == pytest.approx(0.75 * 0.7 + 0.25 * 0.3)


def test_writing_and_reading_back_is_the_same_recipe() -> None:
    recipe = parse_recipe(mapping(), "a")
    again = parse_recipe(yaml.safe_load(yaml.safe_dump(recipe_mapping(recipe))), "b")
    assert again == recipe
    assert recipe_id(again) == recipe_id(recipe)


def test_an_empty_key_is_an_absent_key() -> None:
    whole = change("sources.textbook", None) | {"tokenizer": None}
    whole["mixture"]["phases"][1]["filters"] = {"web": None}
    recipe = parse_recipe(whole, "r.yaml")
    assert recipe.tokenizer == ""
    assert recipe.sources["textbook"] == recipe.mixture.phases[1].filters["web"] == ()


def test_history_belongs_to_one_recipe(tmp_path: Path) -> None:
    ws = create(tmp_path / "w")
    for name in ("phi", "phi-like"):
        for tokens in (1000, 2000, 3000):
            whole = change("mixture.tokens", tokens) | {"name": name}
            save_recipe(ws, parse_recipe(whole, "r.yaml"))
    assert len(history(ws, "phi")) == len(history(ws, "phi-like")) == 2
    for broken in ("one", "two"):
        (ws.recipes / "phi.yaml").write_text(broken)
        save_recipe(ws, parse_recipe(mapping() | {"name": "phi"}, "r.yaml"))
    kept = {path.read_text() for path in history(ws, "phi")}
    assert {"one", "two"} < kept, "what cannot be read is still somebody's work"


def change(path: str, value: object) -> dict[str, Any]:
    """The recipe with one key changed; the path is dotted, numbers index lists."""
    whole = mapping()
    target: Any = whole
    *parents, last = path.split(".")
    for key in parents:
        target = target[int(key) if isinstance(target, list) else key]
    target[int(last) if isinstance(target, list) else last] = value
    return whole


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("mixtur", {}, "did you mean mixture"),
        ("mixture.phases.0.weights", {"web": -1, "textbook": 2}, "must not be negative"),
        ("mixture.phases.0.weights", {"web": 0, "textbook": 0}, "sum to zero"),
        ("mixture.phases.0.weights", {"wed": 1}, "did you mean web"),
        ("mixture.phases.0.weights", {"web": float("nan")}, "negative or infinite"),
        ("mixture.phases.0.weights", {"web": True}, "must be a number"),
        ("mixture.phases.0.weights", {}, "needs weights"),
        ("mixture.phases.0.share", 0.5, "sum to 1"),
        ("mixture.phases", [], "at least one phase"),
        ("mixture.tokens", 0, "above zero"),
        ("mixture.tokens", "many", "above zero"),
        ("mixture.repeat_cap", -1, "above zero"),
        ("sources", {}, "at least one source"),
        ("sources.web.filters.0", {"signal": "gopher.word_cout", "min": 1}, "gopher.word_count"),
        ("sources.web.filters.0", {"signal": "gopher.word_count"}, "min"),
        ("sources.web.filters.0", {"signal": "gopher.word_count", "mim": 1}, "min"),
        ("sources.web.filters.0", {"signal": "gopher.word_count", "min": 9, "max": 1}, "max"),
        ("dedup.keep", ["textbok"], "did you mean textbook"),
        ("dedup.minhash.band", 3, "did you mean bands"),
        ("decontaminate.benchmarks", [], "Name the benchmarks"),
        ("sources.web", False, "mapping of keys"),
        ("sources.web.filters", 3, "list of rules"),
        ("tokenizer", 3, "type str"),
        ("dedup", True, "mapping of keys"),
        ("dedup.exact", "no", "type bool"),
        ("dedup.keep", 3, "list of sources"),
        ("dedup.keep", "web", "list of sources"),
        ("dedup.keep", ["web", "web"], "each named once"),
        ("decontaminate", True, "mapping of keys"),
        ("decontaminate.ngram", "13", "type int"),
        ("decontaminate.ngram", 0, "at least one word"),
        ("decontaminate.ngram", -13, "at least one word"),
        ("mixture.tokens", 0.3, "whole number"),
        ("mixture.tokens", "1e9", "1_000_000_000"),
        ("mixture.tokens", 10**400, "above zero"),
        ("mixture.phases.0.share", "a", "above zero"),
        ("mixture.phases.0.weights", {"web": 10**400}, "negative or infinite"),
        ("mixture.phases.0.weights", {"web": "0.5"}, "without quotes"),
        ("mixture.phases.1.name", "broad", "same name"),
        ("mixture.phases.1.filters", 3, "given per source"),
        ("mixture.phases.1.filters", [{"signal": "gopher.word_count", "min": 1}], "per source"),
        ("version", 2, "another format version"),
        ("name", "../up", "plain word"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(path: str, value: object, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_recipe(change(path, value), "r.yaml")
    message = str(error.value)
    assert says in message
    assert "where: r.yaml" in message or path == "mixtur"


@pytest.mark.parametrize("value", [None, 3, "text", [], {"name": "x"}])
def test_what_is_no_recipe_is_refused(value: object) -> None:
    with pytest.raises(ConfigError):
        parse_recipe(value, "r.yaml")


@given(st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1e6), min_size=1))
def test_weights_are_normalised_once(weights: dict[str, float]) -> None:
    if sum(weights.values()) < 1e-9:
        weights = dict.fromkeys(weights, 1.0)
    value = {
        "name": "x",
        "sources": {name: {} for name in weights},
        "mixture": {"tokens": 10, "phases": [{"weights": weights}]},
    }
    recipe = parse_recipe(value, "x")
    assert sum(recipe.mixture.phases[0].weights.values()) == pytest.approx(1, abs=1e-9)
    assert parse_recipe(recipe_mapping(recipe), "x") == recipe, "not a bit changes when read back"


@pytest.mark.parametrize(
    "body",
    [
        {"edits": [{"mask-pii": 1}]},
        {"edits": [["mask-pii"]]},
        {"filters": [{"signal": "gopher.word_count", "min": 10**400}]},
    ],
)
def test_values_that_python_stumbles_over_are_refused_in_words(body: dict[str, Any]) -> None:
    phases = [{"name": "all", "share": 1, "weights": {"web": 1}}]
    value = {
        "name": "r",
        "sources": {"web": body},
        "mixture": {"tokens": 10, "phases": phases},
    }
    with pytest.raises(ConfigError) as error:
        parse_recipe(value, "r.yaml")
    assert error.value.where.startswith("r.yaml.sources.web")
