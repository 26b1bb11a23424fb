"""Verdicts on a real, small workspace, against a plain loop over documents."""

from collections.abc import Callable

import polars as pl
import pytest

from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.workspace import Workspace
from lab.corpus.sources import scan_documents
from lab.curation.attributes import attributes
from lab.curation.measure import measure
from lab.mixture.ledger import compute_ledger
from lab.mixture.parsing import parse_recipe
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import check_recipe, list_recipes, load_recipe, save_recipe
from lab.mixture.selection import judge, select
from lab.mixture.supply import measure_supply, supply_key

RULE = {"signal": "gopher.word_count", "min": 60}


def recipe(**changes: object) -> Recipe:
    value = {
        "name": "r",
        "tokenizer": "plain",
        "sources": {"short": {"filters": [RULE]}, "long": {}, "copies": {}},
        "mixture": {
            "tokens": 50_000,
            "phases": [
                {
                    "name": "all",
                    "share": 0.5,
                    "weights": {"short": 0.5, "long": 0.3, "copies": 0.2},
                },
                {
                    "name": "late",
                    "share": 0.5,
                    "weights": {"short": 0.5, "long": 0.5},
                    "filters": {"short": [{"signal": "gopher.word_count", "min": 70}]},
                },
            ],
        },
    }
    return parse_recipe(value | changes, "r")


def words(ws: Workspace, source: str) -> dict[str, int]:
    frame = scan_documents(ws, source).select("id", "text").collect()
    return {doc: len(text.split()) for doc, text in frame.iter_rows()}


def test_rules_and_phases_keep_what_a_loop_keeps(plain_workspace: Workspace) -> None:
    verdicts = judge(plain_workspace, recipe())
    count = words(plain_workspace, "short")
    frame = verdicts["short"].frame
    for doc, heldout, kept, pattern in frame.select("id", "heldout", "kept", "pattern").iter_rows():
        passes = count[doc] >= 60
        assert kept == (passes and not heldout)
        assert pattern == kept * (1 + 2 * (count[doc] >= 70))
    assert 0 < frame["kept"].sum() < frame.height


def test_selected_rows_are_the_pools(plain_workspace: Workspace) -> None:
    phases = select(plain_workspace, recipe()).phases
    frame = judge(plain_workspace, recipe())["short"].frame
    assert [sorted(p) for p in phases] == [["copies", "long", "short"], ["long", "short"]]
    expected = frame.with_row_index("row").filter(pl.col("pattern") >= 2)["row"].to_list()
    assert phases[1]["short"].tolist() == expected


def test_heldout_documents_are_never_selected(plain_workspace: Workspace) -> None:
    for phase in select(plain_workspace, recipe()).phases:
        for name, rows in phase.items():
            heldout = scan_documents(plain_workspace, name).select("heldout").collect()["heldout"]
            assert heldout.any()
            assert not heldout.gather(rows).any()


@pytest.mark.parametrize(
    "dedup", [{"exact": True}, {"exact": True, "minhash": {}}, {"exact": False, "minhash": {}}]
)
def test_copies_across_sources_stay_once_where_the_policy_says(
    plain_workspace: Workspace, dedup: dict[str, object]
) -> None:
    for keeper, loser in (("long", "copies"), ("copies", "long")):
        verdicts = judge(plain_workspace, recipe(dedup=dedup | {"keep": [keeper]}))
        kept = {name: v.frame.filter("kept") for name, v in verdicts.items()}
        hashes = pl.concat([f.select("content_hash") for f in kept.values()])["content_hash"]
        assert hashes.is_unique().all()
        training = {n: v.frame.filter(~pl.col("heldout")).height for n, v in verdicts.items()}
        assert kept[keeper].height == training[keeper]
        own = 30 if loser == "copies" else 0
        assert own - 5 <= kept[loser].height <= own  # a few of its own texts are held out


def test_a_rule_cannot_delete_the_only_kept_copy(plain_workspace: Workspace) -> None:
    """`long` is preferred but filtered away, so its copies must stay."""
    sources = {
        "short": {},
        "long": {"filters": [{"signal": "gopher.word_count", "min": 10**6}]},
        "copies": {},
    }
    verdicts = judge(
        plain_workspace, recipe(sources=sources, dedup={"exact": True, "keep": ["long"]})
    )
    copies = verdicts["copies"].frame
    assert verdicts["long"].frame["kept"].sum() == 0
    assert copies["kept"].sum() == copies.filter(~pl.col("heldout")).height


def test_supply_adds_up(plain_workspace: Workspace) -> None:
    supply = measure_supply(plain_workspace, recipe(dedup={"exact": True, "keep": ["long"]}))
    for row in supply.sources.iter_rows(named=True):
        rules = supply.rules.filter((pl.col("source") == row["source"]) & (pl.col("phase") == ""))
        assert row["kept_tokens"] + rules["first_tokens"].sum() == row["tokens"]
        assert rules["share_tokens"].sum() == pytest.approx(row["tokens"] - row["kept_tokens"])
        assert row["unique_tokens"] <= row["kept_tokens"]
        pools = supply.pools.filter(pl.col("source") == row["source"])
        assert pools["unique_tokens"].sum() == row["unique_tokens"]
        table = attributes(plain_workspace, row["source"], [], "plain")
        assert row["documents"] + row["heldout_documents"] == table.height


def test_the_key_sees_decisions_and_not_weights(plain_workspace: Workspace) -> None:
    base = recipe()
    mixture = {"tokens": 9, "phases": [{"weights": {"short": 1, "long": 2, "copies": 3}}]}
    other = {"tokens": 10**9, "phases": [{"weights": {"short": 3, "long": 1, "copies": 1}}]}
    key = supply_key(plain_workspace, recipe(mixture=mixture))
    assert key == supply_key(plain_workspace, recipe(mixture=other))
    assert key != supply_key(plain_workspace, base)
    assert key != supply_key(plain_workspace, recipe(mixture=mixture, dedup={"exact": True}))


def test_the_key_sees_the_attributes_that_decide(
    plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]
) -> None:
    ws = copy_of(plain_workspace)
    key = supply_key(ws, recipe())
    measure(ws, "short", "gopher")  # now serves the rule's signal
    assert key != supply_key(ws, recipe())


def test_what_is_missing_names_the_command(plain_workspace: Workspace) -> None:
    unscored = {"short": {"filters": [{"signal": "quality.educational", "min": 1}]}}
    mixture = {"tokens": 9, "phases": [{"weights": {"short": 1}}]}
    with pytest.raises(ArtifactMissing, match="mixlab score"):
        compute_ledger(plain_workspace, recipe(sources=unscored, mixture=mixture))
    unknown = parse_recipe(
        {
            "name": "x",
            "sources": {"sort": {}},
            "mixture": mixture | {"phases": [{"weights": {"sort": 1}}]},
        },
        "x",
    )
    with pytest.raises(ConfigError, match="did you mean short"):
        check_recipe(plain_workspace, unknown, "x")


def test_a_copied_recipe_must_be_renamed_inside(
    plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]
) -> None:
    """Runs go by the inner name: a copy that kept it would be compared as the original."""
    ws = copy_of(plain_workspace)
    path = save_recipe(ws, recipe())
    (path.parent / "mine.yaml").write_bytes(path.read_bytes())
    with pytest.raises(ConfigError, match="name: mine"):
        load_recipe(ws, "mine")
    assert {r.name: bool(r.problem) for r in list_recipes(ws)} == {"mine": True, "r": False}


def test_every_form_of_rule_judges_like_a_loop(plain_workspace: Workspace) -> None:
    sources = {
        "short": {
            "filters": [
                {"signal": "gopher.word_count", "min_percentile": 20},
                {"where": "gopher.word_count < 70 or gopher.mean_word_length > 5"},
            ]
        }
    }
    late = [{"signal": "gopher.word_count", "max_percentile": 90}]
    phase = {"weights": {"short": 1}, "filters": {"short": late}}
    one = recipe(sources=sources, mixture={"tokens": 9, "phases": [phase]})
    verdict = judge(plain_workspace, one)["short"]
    columns = ["gopher.word_count@ws1", "gopher.mean_word_length@ws1"]
    table = attributes(plain_workspace, "short", columns, "plain")
    training = sorted(table.filter(~pl.col("heldout"))[columns[0]].to_list())
    low = training[-(-(len(training) - 1) * 20 // 100)]
    high = training[(len(training) - 1) * 90 // 100]
    assert verdict.rules[0].min == low
    assert verdict.phase_rules[0][0].max == high
    assert f"{low} (the 20th percentile)" in verdict.reasons[0]
    rows = zip(table.select(*columns, "heldout").rows(), verdict.frame["pattern"], strict=True)
    for (count, length, heldout), pattern in rows:
        kept = count >= low and (count < 70 or length > 5) and not heldout
        assert pattern == (kept and count <= high)
    assert 0 < verdict.frame["pattern"].sum() < verdict.frame["kept"].sum()


def test_supply_accounts_for_bytes_and_unique_tokens(plain_workspace: Workspace) -> None:
    one = recipe(dedup={"exact": True, "minhash": {}, "keep": ["copies"]})
    supply = measure_supply(plain_workspace, one)
    for row in supply.sources.iter_rows(named=True):
        rules = supply.rules.filter((pl.col("source") == row["source"]) & (pl.col("phase") == ""))
        assert row["kept_bytes"] + rules["first_bytes"].sum() == row["bytes"]
        assert rules["left_unique_tokens"][-1] == row["unique_tokens"]


def test_rules_that_decide_nothing_are_said_and_stop_nothing(plain_workspace: Workspace) -> None:
    idle = {"short": {"filters": [{"signal": "gopher.word_count", "min": 1}]}}
    mixture = {"tokens": 900, "phases": [{"weights": {"short": 1}}]}
    found = compute_ledger(plain_workspace, recipe(sources=idle, mixture=mixture))
    assert found.problems == ()
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith("short: the rule `word count at least 1` drops nothing")
    found.require_feasible()
    assert compute_ledger(plain_workspace, recipe()).warnings == ()


def test_the_key_sees_every_form(plain_workspace: Workspace) -> None:
    keys = {
        supply_key(plain_workspace, recipe(sources={"short": body, "long": {}, "copies": {}}))
        for body in (
            {},
            {"filters": [RULE]},
            {"filters": [{"signal": "gopher.word_count", "min_percentile": 60}]},
            {"filters": [{"where": "gopher.word_count >= 60"}]},
        )
    }
    assert len(keys) == 4
