"""Selections through the job and the command line, on the sample world with planted vectors."""

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from planted_vectors import SAMPLE, SOURCE, copied, plant, planted, with_vectors

from lab.cli import main
from lab.core.errors import ArtifactMissing, ConfigError, DataError
from lab.core.progress import SILENT
from lab.core.workspace import Workspace, open_workspace
from lab.corpus.sources import documents
from lab.corpus.tokenizer import default_tokenizer
from lab.corpus.tokens import require_tokens
from lab.curation.attributes import attribute_names, attributes
from lab.curation.contamination import override
from lab.curation.filters.parsing import parse_rules
from lab.diversity.embedding.stored import unit
from lab.diversity.selecting.methods import METHODS
from lab.diversity.selecting.report import before_and_after
from lab.diversity.selecting.stored import require_selected
from lab.diversity.selecting.vectors import Stored
from lab.jobs.actions import run_action
from lab.jobs.selections import listed
from lab.jobs.store import start_job
from lab.mixture import selections as compared
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import load_recipe, save_recipe
from lab.mixture.selection import judge
from lab.mixture.selections import pool_facts, selection_warnings


@pytest.fixture(scope="module")
def ws(sample_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Read only but for artifacts."""
    return with_vectors(sample_workspace, tmp_path_factory.mktemp("selecting") / "w")


@pytest.fixture
def own(ws: Workspace, tmp_path: Path) -> Workspace:
    return copied(ws, tmp_path / "own")


def run(ws: Workspace, method: str, **params: Any) -> dict[str, Any]:
    given = {"source": SOURCE, "method": method, **params}
    return run_action(ws, "select", given, SILENT)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_selection_is_stored_beside_its_documents(ws: Workspace, method: str) -> None:
    scored = {"quality": "gopher.word_count"} if METHODS[method].reads_quality else {}
    found = run(ws, method, keep=0.5, **scored)
    column = found["column"]
    artifact = require_selected(ws, SOURCE, column)
    assert artifact.id == found["selection"]
    table = attributes(ws, SOURCE, [column], default_tokenizer(ws))
    ids = documents(ws, SOURCE).scan().select("id", "heldout").collect()
    assert table["id"].to_list() == ids["id"].to_list()
    kept = table.filter(pl.col(column) == "kept")
    assert 0 < kept["tokens"].sum() <= found["budget"]
    assert not kept["heldout"].any()
    reasons = {row["reason"]: row["documents"] for row in found["reasons"]}
    assert reasons["not embedded"] + reasons.get("held out", 0) >= table.height - SAMPLE
    assert reasons["kept"] == kept.height
    assert sum(reasons.values()) == table.height
    assert reasons["no vector"] == (not table["heldout"][SAMPLE - 1])
    assert table.filter("heldout")[column].unique().to_list() == ["held out"]
    order = artifact.scan().collect()["order"].drop_nulls().sort()
    assert order.to_list() == list(range(kept.height))
    assert set(found["before"]) == set(found["after"]) >= {"vendi_1", "near_duplicates"}
    assert found["before"]["vendi_1"]["n"] == found["after"]["vendi_1"]["n"] == kept.height
    assert set(found.get("quality_mean", {})) == ({"before", "after"} if scored else set())


def test_breadth_shows_what_was_removed(ws: Workspace) -> None:
    dedup, drawn = run(ws, "semdedup", keep=0.5), run(ws, "random", keep=0.5)
    assert dedup["after"]["near_duplicates"]["value"] == 0
    assert drawn["after"]["near_duplicates"]["value"] > 0.2
    again = run(ws, "semdedup", keep=0.5)
    assert again["selection"] == dedup["selection"], "done is found"
    other = run(ws, "random", keep=0.5, seed=1)
    columns = [f["column"] for f in (drawn, other)]
    table = attributes(ws, SOURCE, columns, default_tokenizer(ws))
    assert (table[columns[0]] != table[columns[1]]).any()
    assert set(columns) <= set(attribute_names(ws, SOURCE))


def test_a_recipe_uses_it_and_says_what_becomes_of_the_rest(ws: Workspace, tmp_path: Path) -> None:
    column = run(ws, "d4", keep=0.4)["column"]
    recipe = replace(load_recipe(ws, "natural"), dedup=None, decontaminate=None)
    source = next(name for name in recipe.sources if name == SOURCE)
    kept = {}
    for words in (["kept"], ["kept", "not embedded"]):
        rules = parse_rules([{"signal": column, "in": words}], "test")
        frame = judge(ws, replace(recipe, sources={**recipe.sources, source: rules}))[source].frame
        kept[len(words)] = set(frame.filter("kept")["id"])
    table = attributes(ws, SOURCE, [column], default_tokenizer(ws))
    assert kept[1] == set(table.filter(pl.col(column) == "kept")["id"])
    rest = table.filter(pl.col(column) == "not embedded")["id"]
    assert kept[2] == kept[1] | set(rest)


def test_bad_requests_say_what_to_do(ws: Workspace) -> None:
    with pytest.raises(ConfigError, match="one budget"):
        run(ws, "d4")
    with pytest.raises(ConfigError, match="one budget"):
        run(ws, "d4", keep=0.5, tokens=10)
    with pytest.raises(ConfigError, match="share to keep"):
        run(ws, "d4", keep=1.5)
    with pytest.raises(ConfigError, match="Unknown method"):
        run(ws, "d5", keep=0.5)
    with pytest.raises(ConfigError, match="quality score"):
        run(ws, "quality-diversity", keep=0.5)
    with pytest.raises(ArtifactMissing, match="have not been embedded"):
        run_action(ws, "select", {"source": "code", "method": "d4", "keep": 0.5}, SILENT)
    with pytest.raises(ArtifactMissing, match="no selection"):
        require_selected(ws, SOURCE, "selected.d4@keep0.9-seed0")
    with pytest.raises(ConfigError, match="semdedup reads no quality"):
        run(ws, "semdedup", keep=0.5, quality="gopher.word_count")


def test_a_budget_that_nothing_fits_is_refused_with_what_would(
    own: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    held = documents(own, SOURCE).scan().select("id", "heldout").collect()
    counted = require_tokens(own, SOURCE, default_tokenizer(own)).scan().select("tokens").collect()
    pool = held.with_columns(counted).head(SAMPLE - 1).filter(~pl.col("heldout"))
    least = int(pool["tokens"].min())
    for budget in ({"tokens": least - 1}, {"keep": (least - 1) / pool["tokens"].sum()}):
        with pytest.raises(ConfigError, match=f"{pool.height:,} that .* has {least:,} tokens") as e:
            run(own, "mmr", **budget)
        assert e.value.next_step == f"--tokens {least} keeps that one"
    assert listed(own, SOURCE) == [], "nothing is stored"
    line = ["select", SOURCE, "--method", "mmr", "-w", str(own.root), "--tokens"]
    assert main([*line, str(least - 1)]) == 1
    assert "as a rule" not in capsys.readouterr().out
    found = run(own, "mmr", tokens=least)
    assert {r["reason"]: r["tokens"] for r in found["reasons"]}["kept"] == least


def test_a_quality_that_was_not_measured_is_no_zero(ws: Workspace) -> None:
    from lab.jobs.steps.selecting import described

    frame = described(ws, SOURCE, "gopher.word_count@ws1")
    assert frame["quality"].null_count() == 0 and frame["kept"].all()
    from lab.diversity.selecting.stored import Settings, select

    broken = frame.with_columns(quality=pl.lit(float("nan")))
    with pytest.raises(DataError, match="not finite"):
        select(
            ws, SOURCE, broken, Settings("mmr", keep=0.5, quality="broken"), {"quality": "x"}, {}
        )


def test_it_runs_as_a_job(ws: Workspace) -> None:
    import time

    job = start_job(ws, "select", {"source": SOURCE, "method": "facility", "keep": 0.3})
    from lab.jobs.store import get_job

    for _ in range(600):
        if not (seen := get_job(ws, job.id)).active:
            break
        time.sleep(0.2)
    assert seen.state == "done", seen.error
    assert seen.result is not None and seen.result["column"] == "selected.facility@keep0.3-seed0"


def test_the_command(ws: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(ws.root)
    assert main(["select", SOURCE, "--method", "mmr", "--keep", "0.5", "-w", root]) == 0
    said = capsys.readouterr().out
    assert "selected.mmr@keep0.5-seed0" in said and "near-duplicates" in said
    line = ["select", SOURCE, "--method", "dpp", "--tokens", "5_000", "--json", "-w", root]
    assert main(line) == 0
    assert json.loads(capsys.readouterr().out)["budget"] == 5000


def test_quiet_leaves_out_what_measures_cannot_see(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["select", SOURCE, "--method", "random", "--keep", "0.5", "-w", str(ws.root)]
    said = []
    for more in ([], ["--quiet"]):
        assert main([*line, *more]) == 0
        said.append(capsys.readouterr().out)
    assert said[0].count("blind") > 0 and "blind" not in said[1]
    assert len(said[1].splitlines()) < len(said[0].splitlines())
    for words in ("as a rule of", "of a budget of", "near-duplicates (cosine", "without --quiet"):
        assert words in said[1], words


def test_a_command_can_be_pasted(own: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """Settings with a blank in them, as a folder's name may have."""
    plant(own, SOURCE, planted(), {"encoder": "my own/encoder", "sample": SAMPLE, "seed": 0})
    given = ["--method", "mmr", "--keep", "0.5", "--quality", "gopher.word_count"]
    given += ["--balance", "0.25", "--encoder", "my own/encoder", "--seed", "3"]
    assert main(["select", SOURCE, *given, "-w", str(own.root)]) == 0
    (one,) = listed(own, SOURCE)
    words = shlex.split(one.command)
    assert words[:3] == ["mixlab", "select", SOURCE]
    assert main([*words[1:], "-w", str(own.root)]) == 0
    assert [again.artifact.id for again in listed(own, SOURCE)] == [one.artifact.id]


def test_a_lost_topic_is_named_with_how_much_is_left(ws: Workspace) -> None:
    """Of three planted clouds one is dropped: it is the lost topic, and clusters become fewer."""
    found = documents(ws, SOURCE)
    rng = np.random.default_rng(0)
    topic = np.arange(SAMPLE) % 3
    vectors = unit(6 * np.eye(384)[topic * 7] + 0.1 * rng.normal(size=(SAMPLE, 384)))
    own = {"encoder": "planted", "sample": SAMPLE, "seed": 0}
    embeddings = plant(ws, SOURCE, vectors, own)
    stored = Stored(embeddings.path, np.arange(SAMPLE))
    ids = found.scan().select("id").head(SAMPLE).collect()
    pool = ids.with_columns(tokens=pl.lit(100))
    rows = np.flatnonzero(topic != 1)
    told = before_and_after(found, pool, stored, rows, None)
    lost = [t for t in told["topics"] if t["lost"]]
    assert [t["documents"] for t in lost] == [30] and lost[0]["share"] == 0
    assert sum(t["documents"] for t in told["topics"]) == SAMPLE
    before, after = (told[k]["effective_clusters"]["value"] for k in ("before", "after"))
    assert before == pytest.approx(3, abs=0.05) and after == pytest.approx(2, abs=0.05)
    whole = before_and_after(found, pool, stored, np.arange(0, SAMPLE, 2), None)
    assert not any(t["lost"] for t in whole["topics"]), "even thinning loses no topic"


def test_selections_are_listed_with_what_changed(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    shutil.copytree(ws.root, tmp_path / "own")
    own = open_workspace(tmp_path / "own")
    root = str(own.root)
    assert main(["selections", "code", "-w", root]) == 0
    assert "Nothing is selected yet" in capsys.readouterr().out
    line = ["select", SOURCE, "--method", "mmr", "--keep", "0.4", "--recipe", "natural"]
    assert main([*line, "-w", root]) == 0
    capsys.readouterr()
    assert main(["selections", SOURCE, "--json", "-w", root]) == 0
    (first, *_) = json.loads(capsys.readouterr().out)["selections"]
    assert first["stale"] == [] and first["usable"] and 0 < first["tokens"] <= first["budget"]
    assert first["command"] == " ".join(["mixlab", *line])
    plant(own, SOURCE, planted()[: SAMPLE + 5].repeat(2, axis=0)[:120])  # another sample
    assert main(["selections", SOURCE, "-w", root]) == 0
    said = capsys.readouterr().out
    assert "stale: other embeddings" in said and first["command"] in said


def test_the_set_goes_to_a_file_with_what_made_it(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["select", SOURCE, "--method", "random", "--keep", "0.5", "-w", str(ws.root)]
    for ending in ("jsonl", "parquet"):
        file = tmp_path / f"set.{ending}"
        assert main([*line, "-o", str(file)]) == 0
        frame = pl.read_ndjson(file) if ending == "jsonl" else pl.read_parquet(file)
        told = json.loads((tmp_path / f"set.{ending}.about.json").read_text("utf-8"))
        assert frame["order"].to_list() == list(range(frame.height)) and frame.height > 0
        assert frame["tokens"].sum() <= told["budget"]
        assert told["config"]["method"] == "random" and "licence" in told
    capsys.readouterr()
    assert main([*line, "-o", str(tmp_path / "set.txt")]) == 1
    assert ".jsonl or .parquet" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*line, "-o", str(file), "--detach"])
    other = ["select", SOURCE, "--method", "random", "--keep", "0.5", "--recipe", "synthetic-only"]
    assert main([*other, "-w", str(ws.root)]) == 1
    assert "does not use" in capsys.readouterr().err


def with_rule(ws: Workspace, name: str, source: str, least: int) -> Recipe:
    """The recipe saved with `gopher.word_count` of at least so many as a source's only rule."""
    recipe = load_recipe(ws, name)
    rules = parse_rules([{"signal": "gopher.word_count", "min": least}], "test")
    made = replace(recipe, sources={**recipe.sources, source: rules})
    save_recipe(ws, made)
    return made


def test_a_selection_made_again_is_the_one_that_is_used(
    own: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rule 1, rule 2, rule 1 again: what was chosen first is found, and is the newest."""
    file = tmp_path / "set.jsonl"
    line = ["select", SOURCE, "--method", "random", "--keep", "1", "--recipe", "natural", "--json"]
    found = []
    for least in (1, 120, 1):
        with_rule(own, "natural", SOURCE, least)
        assert main([*line, "-o", str(file), "-w", str(own.root)]) == 0
        found.append(json.loads(capsys.readouterr().out)["selection"])
        first = listed(own, SOURCE)[0]
        assert (first.artifact.id, first.changed) == (found[-1], ())
        assert require_selected(own, SOURCE, first.column).id == found[-1]
        about = json.loads((tmp_path / "set.jsonl.about.json").read_text("utf-8"))
        assert about["selection"] == found[-1]
    assert found[0] == found[2] != found[1]


def test_a_rule_on_another_source_frees_a_copy(own: Workspace) -> None:
    """`phi-like` keeps a copy in an encyclopaedia rather than on the web: without the encyclopaedia
    more of the web stays, the selection among it is stale, and choosing again chooses anew.
    """
    held = documents(own, "web").scan().select("id").collect().height
    plant(own, "web", unit(np.random.default_rng(1).normal(size=(held, 384))))
    ask = {"source": "web", "method": "random", "keep": 1.0, "recipe": "phi-like"}
    before = run_action(own, "select", ask, SILENT)
    assert listed(own, "web")[0].changed == ()
    recipe = load_recipe(own, "phi-like")
    for other in ("encyclopaedia", "textbooks", "exercises", "web_rewritten", "code"):
        with_rule(own, "phi-like", other, 10**6)
    (one,) = listed(own, "web")
    assert "rules on other sources" in one.changed and "filters" not in one.changed
    after = run_action(own, "select", ask, SILENT)
    (one,) = listed(own, "web")
    assert one.changed == () and one.artifact.id == after["selection"] != before["selection"]
    kept = [
        judge(own, r)["web"].frame["kept"].sum() for r in (recipe, load_recipe(own, "phi-like"))
    ]
    assert kept[1] > kept[0]
    assert sum(row["documents"] for row in after["reasons"]) == held
    dropped = [{r["reason"]: r["documents"] for r in f["reasons"]} for f in (before, after)]
    word = "dropped by the recipe"
    assert dropped[0][word] - dropped[1].get(word, 0) == kept[1] - kept[0]


def test_a_review_and_a_new_search_are_seen(own: Workspace) -> None:
    recipe = load_recipe(own, "phi-like")
    before = pool_facts(own, recipe, SOURCE)
    item = documents(own, SOURCE).scan().select("id").head(1).collect()["id"][0]
    override(own, item, "facts", None, "drop")
    after = pool_facts(own, recipe, SOURCE)
    assert [k for k in before if before[k] != after[k]] == ["reviews of matches"]
    other = replace(recipe, sources={k: v for k, v in recipe.sources.items() if k != "web"})
    changed = {k for k in before if after[k] != pool_facts(own, other, SOURCE)[k]}
    assert {"rules on other sources", "documents of other sources"} <= changed


def test_what_is_kept_is_part_of_the_identity(ws: Workspace) -> None:
    """Whatever makes a recipe keep other documents, choosing again is no wrong find."""
    from lab.diversity.selecting.stored import Settings, select
    from lab.jobs.steps.selecting import described

    frame = described(ws, SOURCE, "")
    fewer = frame.with_columns(kept=pl.int_range(pl.len()) % 2 == 0)
    settings = Settings("random", keep=0.8, seed=5, recipe="natural")
    one, two = (select(ws, SOURCE, f, settings, {}, {"filters": "x"}) for f in (frame, fewer))
    assert one.id != two.id
    assert select(ws, SOURCE, fewer, settings, {}, {"filters": "x"}).id == two.id


def test_a_selection_is_compared_with_the_recipe_it_was_chosen_among(own: Workspace) -> None:
    """Chosen among `natural` and used in `balanced`, whose rules say nothing about it."""
    column = run(own, "random", keep=0.5, recipe="natural")["column"]
    rules = parse_rules([{"signal": column, "in": ["kept"]}], "test")
    balanced = load_recipe(own, "balanced")
    other = parse_rules([{"signal": "gopher.word_count", "min": 3}], "test")
    used = replace(balanced, sources={**balanced.sources, SOURCE: (*other, *rules)})
    assert selection_warnings(own, used, SOURCE) == []
    with_rule(own, "natural", SOURCE, 77)
    (said,) = selection_warnings(own, used, SOURCE)
    assert "is stale" in said and "filters" in said
    (own.recipes / "natural.yaml").unlink()
    (said,) = selection_warnings(own, used, SOURCE)
    assert "natural is gone" in said


def test_quality_is_refused_where_it_is_not_read(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["select", SOURCE, "--keep", "0.5", "--quality", "gopher.word_count", "-w", str(ws.root)]
    for method in ("random", "semdedup", "d4"):
        for more in ([], ["--detach"]):
            assert main([*line, "--method", method, *more]) == 1
        said = capsys.readouterr().err
        assert said.count(f"{method} reads no quality") == 2
        assert "clusters, mmr, quality-diversity, dpp, facility" in said


def test_a_list_of_selections_reads_what_it_compares_with_once(
    own: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):
        run(own, "random", keep=0.5, seed=seed, recipe="natural")
        run(own, "clusters", keep=0.5, seed=seed, quality="gopher.word_count")
    told: list[str] = []
    for name in ("read_now", "load_recipe", "pool_facts"):
        real = getattr(compared, name)
        monkeypatch.setattr(
            compared, name, lambda *given, name=name, real=real: told.append(name) or real(*given)
        )
    found = listed(own, SOURCE)
    assert len(found) == 6 and not any(one.changed for one in found)
    assert sorted(told) == ["load_recipe", "pool_facts", "read_now", "read_now"], "two qualities"
