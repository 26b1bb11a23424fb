"""Templates by hand: which source gets what, and what is said of where it comes from."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.corpus.sources import KINDS
from lab.mixture.exposure import matched_exposure
from lab.mixture.first_recipe import natural_recipe
from lab.mixture.ledger import compute_ledger
from lab.mixture.material import Material, describe_material
from lab.mixture.parsing import parse_recipe
from lab.mixture.recipe import Recipe, recipe_id, recipe_mapping
from lab.mixture.recipe_files import check_recipe, load_recipe, save_recipe
from lab.mixture.supply import measure_supply
from lab.mixture.templates import TEMPLATES, apply_template, new_recipe
from lab.proxy.schedule import draw_schedule, split_phases

KIND = {
    "web": "organic", "forum": "other", "wiki": "reference", "code": "code",
    "books": "synthetic", "quiz": "synthetic", "reworded": "rewrite",
}  # fmt: skip
TOKENS = dict(zip(KIND, (600.0, 200.0, 100.0, 100.0, 300.0, 100.0, 200.0), strict=True))
QUALITY = dict(zip(KIND, (1.0, 0.5, 3.0, 2.0, 4.0, 3.5, 2.5), strict=True))
ALL = Material(KIND, TOKENS)
SCORED = Material(KIND, TOKENS, "quality.educational", QUALITY)


def base(*names: str) -> Recipe:
    mapping = {
        "name": "base",
        "tokenizer": "plain",
        "sources": {
            name: {"filters": [{"signal": "gopher.word_count", "min": 9}]} for name in names
        },
        "dedup": {"exact": True},
        "mixture": {
            "tokens": 5000,
            "repeat_cap": 3,
            "phases": [{"name": "x", "weights": dict.fromkeys(names, 1)}],
        },
    }
    return parse_recipe(mapping, "base")


def made(template: str, material: Material = ALL) -> Recipe:
    return apply_template(template, base(*material.tokens), material)


def test_single_is_natural() -> None:
    (phase,) = made("single").mixture.phases
    assert phase.weights["web"] == pytest.approx(600 / 1600)
    assert phase.weights["wiki"] == pytest.approx(100 / 1600)


def test_broad_then_sharpened_is_written_text_then_the_best_of_it_with_synthetic() -> None:
    recipe = made("broad-then-sharpened", SCORED)
    broad, sharp = recipe.mixture.phases
    assert (broad.share, sharp.share) == (0.7, 0.3)
    assert set(broad.weights) == {"web", "forum", "wiki", "code"}
    assert broad.weights["web"] == pytest.approx(0.6)  # 600 of 1,000
    assert sharp.weights["web"] == pytest.approx(0.7 * 0.6)
    assert sharp.weights["books"] == pytest.approx(0.3 * 0.5)  # 300 of 600 written by models
    (rule,) = sharp.filters["web"]
    assert (rule.signal, rule.min_percentile) == ("quality.educational", 70.0)
    assert "books" not in sharp.filters
    assert not broad.filters
    assert "No proportions are disclosed" in recipe.note
    assert "2404.14219" in recipe.note


def test_without_a_score_or_synthetic_text_the_note_says_what_is_missing() -> None:
    written = {name: KIND[name] for name in ("web", "wiki")}
    plain = Material(written, {name: TOKENS[name] for name in written})
    recipe = made("broad-then-sharpened", plain)
    assert recipe.mixture.phases[1].weights == recipe.mixture.phases[0].weights
    assert "No quality score" in recipe.note
    assert "There is no synthetic source" in recipe.note


def test_synthetic_throughout_has_the_shares_of_phi_4() -> None:
    (phase,) = made("synthetic-throughout").mixture.phases
    shares = {"web": 0.15 * 0.75, "forum": 0.15 * 0.25, "reworded": 0.15, "books": 0.4 * 0.75}
    shares |= {"quiz": 0.4 * 0.25, "code": 0.2, "wiki": 0.1}
    assert phase.weights == pytest.approx(shares)


def test_kinds_that_are_not_there_leave_their_share_to_the_others() -> None:
    some = {name: KIND[name] for name in ("web", "books")}
    recipe = made("synthetic-throughout", Material(some, {n: TOKENS[n] for n in some}))
    assert recipe.mixture.phases[0].weights == pytest.approx(
        {"web": 0.15 / 0.55, "books": 0.4 / 0.55}
    )
    assert "No source is of kind rewrite, code, reference" in recipe.note


def test_the_anneal_is_on_sources_of_more_than_average_quality() -> None:
    recipe = made("anneal-on-best", SCORED)
    stable, anneal = recipe.mixture.phases
    assert anneal.share == 0.1
    assert stable.weights["web"] == pytest.approx(600 / 1600)
    # the mean over tokens is (600 + 100 + 300 + 200 + 1200 + 350 + 500) / 1600 = 2.03
    assert anneal.weights == pytest.approx(
        {"wiki": 100 / 700, "books": 300 / 700, "quiz": 100 / 700, "reworded": 200 / 700}
    )
    assert "above 2.03" in recipe.note
    unscored = made("anneal-on-best").mixture.phases[1]
    assert set(unscored.weights) == {"wiki", "books", "quiz"}


def test_a_source_without_text_gets_no_weight() -> None:
    empty = replace(ALL, tokens=TOKENS | {"web": 0.0})
    for template in ("single", "broad-then-sharpened"):
        for phase in made(template, empty).mixture.phases:
            assert "web" not in phase.weights


def test_a_template_that_finds_nothing_of_its_kinds_says_so() -> None:
    only = Material({"code": "code"}, {"code": 10.0})
    with pytest.raises(ConfigError, match="No source of the kinds"):
        made("anneal-on-best", only)
    with pytest.raises(ConfigError, match="Unknown template"):
        made("phi-5")


@given(
    st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 10**9)), min_size=1, max_size=8),
    st.sampled_from(sorted(TEMPLATES)),
    st.booleans(),
)
def test_whatever_the_sources_a_template_makes_a_recipe_that_reads_back(
    sources: list[tuple[str, int]], template: str, scored: bool
) -> None:
    names = [f"s{k}" for k in range(len(sources))]
    kinds = {name: kind for name, (kind, _) in zip(names, sources, strict=True)}
    tokens = {name: float(size) for name, (_, size) in zip(names, sources, strict=True)}
    quality = {name: float(k) for k, name in enumerate(names)}
    material = Material(kinds, tokens, "quality.q", quality) if scored else Material(kinds, tokens)
    try:
        recipe = made(template, material)
    except ConfigError:
        return
    again = parse_recipe(yaml.safe_load(yaml.safe_dump(recipe_mapping(recipe))), "again")
    assert recipe_id(again) == recipe_id(recipe)
    assert again.note == recipe.note
    original = base(*names)
    assert (recipe.sources, recipe.dedup) == (original.sources, original.dedup)
    assert (recipe.mixture.tokens, recipe.mixture.repeat_cap) == (5000, 3)


def test_the_note_is_no_decision() -> None:
    recipe = made("single")
    assert recipe_id(recipe) == recipe_id(replace(recipe, note=""))


def test_new_recipes_of_a_workspace_are_valid(
    plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]
) -> None:
    ws = copy_of(plain_workspace)
    everything = replace(natural_recipe(ws), dedup=None)  # all of `long` is in `copies`, too
    for template in TEMPLATES:
        made = new_recipe(ws, f"new-{template}", template, everything)
        recipe = check_recipe(ws, made, template)
        assert recipe.name == f"new-{template}"
        save_recipe(ws, recipe)
        assert load_recipe(ws, recipe.name) == recipe
        assert compute_ledger(ws, recipe).sources.height == 3
    assert new_recipe(ws, "alone", "single").dedup is not None, "exact copies are dropped"


def test_material_is_what_the_ledger_counts(plain_workspace: Workspace) -> None:
    recipe = new_recipe(plain_workspace, "x", "single")
    supply = measure_supply(plain_workspace, recipe)
    material = describe_material(plain_workspace, recipe, supply)
    assert material.kinds == {"copies": "organic", "long": "synthetic", "short": "organic"}
    unique = dict(supply.sources.select("source", "unique_tokens").iter_rows())
    assert material.tokens == unique
    assert (material.score, material.quality) == ("", None)


def phased(shares: list[float], weights: list[list[float]], filters: list[dict]) -> Recipe:
    mapping = {
        "name": "phased",
        "sources": {"a": {}, "b": {}, "c": {}},
        "mixture": {
            "tokens": 100_000,
            "phases": [
                {
                    "name": f"p{k}",
                    "share": share / sum(shares),
                    "weights": dict(zip("abc", row, strict=True)),
                    "filters": rules,
                }
                for k, (share, row, rules) in enumerate(zip(shares, weights, filters, strict=True))
            ],
        },
    }
    return parse_recipe(mapping, "phased")


def drawn(recipe: Recipe, sequences: int) -> dict[str, int]:
    """Sequences of each source in a run of the recipe, phase by phase."""
    counts = dict.fromkeys("abc", 0)
    parts = split_phases([p.share for p in recipe.mixture.phases], sequences)
    for phase, length in zip(recipe.mixture.phases, parts, strict=True):
        order = draw_schedule([phase.weights.get(n, 0.0) for n in "abc"], length)
        for k, name in enumerate("abc"):
            counts[name] += int((order == k).sum())
    return counts


@given(
    st.lists(
        st.tuples(
            st.floats(0.1, 1),
            st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda w: sum(w) > 0.01),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_the_twin_reads_as_much_of_every_source(phases: list[tuple[float, list[float]]]) -> None:
    recipe = phased([s for s, _ in phases], [w for _, w in phases], [{}] * len(phases))
    twin = matched_exposure(recipe)
    (phase,) = twin.mixture.phases
    assert sum(phase.weights.values()) == pytest.approx(1)
    for name, weight in recipe.average_weights().items():
        assert phase.weights.get(name, 0.0) == pytest.approx(weight)
    one, other = drawn(recipe, 997), drawn(twin, 997)
    for name in "abc":  # within one sequence a phase, and one for its border
        assert abs(one[name] - other[name]) <= 2 * len(phases) + 1
    assert parse_recipe(recipe_mapping(twin), "twin") == twin


def test_the_twin_says_which_filters_it_had_to_leave_out() -> None:
    rule = [{"signal": "gopher.word_count", "min": 50}]
    recipe = phased([1, 1], [[1, 1, 0], [1, 0, 1]], [{"a": rule, "b": rule}, {"c": rule}])
    twin = matched_exposure(recipe)
    (phase,) = twin.mixture.phases
    assert set(phase.filters) == {"b", "c"}, "each drawn in one phase only"
    assert "put on a are left out" in twin.note
    assert twin.name == "phased-one-phase"
    long = replace(recipe, name="n" * 64)
    assert len(matched_exposure(long).name) == 64
