"""The job on breadth: on the sample world with vectors planted after the true topics."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from breadth_world import ENCODER, Run, clusters_of, command, common, world

from lab.cli import main
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.progress import SILENT
from lab.core.workspace import Workspace
from lab.diversity.breadth.measures import chosen
from lab.diversity.breadth.mixture import mixture_breadth
from lab.jobs.actions import run_action
from lab.jobs.breadth.common import require_common
from lab.jobs.breadth.mixtures import ground_of_stored, stored_breadth
from lab.jobs.breadth.panels import measure_breadth, read_panel
from lab.jobs.breadth.pool import kept_documents, load_pool, texts_of, vectors_of
from lab.jobs.breadth.words import kept_words
from lab.mixture.recipe_files import load_recipe


@pytest.fixture(scope="module")
def ws(sample_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Read only but for artifacts."""
    return world(sample_workspace, tmp_path_factory.mktemp("breadth") / "w")


@pytest.fixture
def own(ws: Workspace, copy_of: Callable[[Workspace], Workspace]) -> Workspace:
    """A copy that a test may change."""
    return copy_of(ws)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return command(capsys)


def test_the_topic_that_a_filter_loses_is_named(ws: Workspace) -> None:
    truth = pl.read_parquet(ws.root / "world/truth/documents.parquet")
    pool = load_pool(ws, "encyclopaedia", common(ws))
    topic = clusters_of(
        pool.frame["id"], truth, {t: k for k, t in enumerate(sorted(truth["topic"].unique()))}
    )
    names = sorted(truth["topic"].unique())
    creature = names.index("creature")
    kept = pool.frame.select("id", kept=pl.Series(topic != creature))
    artifact = measure_breadth(
        ws, "encyclopaedia", common(ws), kept=kept, selection="without creatures", size=200
    )
    found = read_panel(artifact)["against"]
    lost = [t for t in found["topics"] if t["lost"]]
    assert [t["cluster"] for t in lost] == [creature]
    labels = pl.read_parquet(common(ws).maps["encyclopaedia"].path / "clusters.parquet")
    assert lost[0]["label"] == labels.filter(pl.col("cluster") == creature)["label"][0]
    assert lost[0]["share"] == 0
    change = found["measures"]
    assert change["effective_clusters"]["difference"]["high"] < 0
    assert change["coverage"]["difference"]["high"] < 0
    assert change["effective_clusters"]["one"]["n"] == change["effective_clusters"]["other"]["n"]
    marked = {w["word"] for w in found["words"] if w["z"] < 0}
    assert any("creature" in word or word in lost[0]["label"] for word in marked)
    assert "beside" in found


def test_the_gain_of_a_source_is_what_recomputing_from_documents_says(ws: Workspace) -> None:
    for name in ("code", "forum"):
        measure_breadth(ws, name, common(ws))
    recipe = load_recipe(ws, "natural")
    stored = stored_breadth(ws, recipe, common(ws))
    assert {"code", "forum"} <= set(stored.artifacts)
    ground = ground_of_stored(stored)
    assert ground is not None
    found = mixture_breadth(ground, {"code": 0.3, "forum": 0.7})

    def recomputed(code: float) -> float:
        pools = [load_pool(ws, name, common(ws)) for name in ("code", "forum")]
        x = [vectors_of(pool).astype(float) for pool in pools]
        share = np.repeat([code / len(x[0]), (1 - code) / len(x[1])], [len(v) for v in x])
        both = np.concatenate(x)
        centred = (both - share @ both) * np.sqrt(share)[:, None]
        values = np.linalg.eigvalsh(centred @ centred.T)
        values = values[values > 1e-13] / values.sum()
        return float(np.exp(-(values * np.log(values)).sum()))

    assert found.scores["vendi_1"].value == pytest.approx(recomputed(0.3), rel=1e-3)
    step = (recomputed(0.3 + 0.01 * 0.7) - recomputed(0.3 - 0.01 * 0.7)) / 2
    assert found.gains["vendi_1"]["code"].value == pytest.approx(step, rel=0.02)


def test_the_action_measures_sources_recipe_and_overlap_and_finds_them_again(
    ws: Workspace,
) -> None:
    params = {"sources": ["code", "textbooks"], "recipe": "balanced", "size": 60}
    found = run_action(ws, "diversity", params, SILENT)
    assert set(found["sources"]) == {"code", "textbooks"}
    measures = found["sources"]["code"]["measures"]
    assert {"near_duplicates", "zstd_ratio", "self_repetition", "coverage"} <= set(measures)
    assert measures["vendi_1"]["n"] == 60
    assert "quality.educational" in found["sources"]["code"]["beside"]
    assert {(row["source"], row["other"]) for row in found["overlap"]} == {
        ("code", "textbooks"), ("textbooks", "code"),
    }  # fmt: skip
    assert found["overlap"][0]["auc_low"] > 0.9
    before = sorted(path.name for path in (ws.artifacts / "breadth").iterdir())
    assert run_action(ws, "diversity", params, SILENT) == found
    assert sorted(path.name for path in (ws.artifacts / "breadth").iterdir()) == before


def test_two_recipes_are_compared_as_recomputing_says(ws: Workspace, run: Run) -> None:
    found = run(ws, "diversity", "--recipe", "short", "--against", "plain", "--size", "5000")
    versus, pool = found["versus"], load_pool(ws, "forum", common(ws))
    vectors = vectors_of(pool).astype(float)
    masks = []
    for name in ("short", "plain"):
        kept = dict(kept_documents(ws, load_recipe(ws, name))["forum"].iter_rows())
        masks.append(np.array([kept[document] for document in pool.frame["id"]]))
    counts = [int(mask.sum()) for mask in masks]
    forum = versus["sources"]["forum"]
    assert forum["kept"] == counts and counts[0] < counts[1] and not forum["same"]
    n = min(counts)
    sides = [np.flatnonzero(mask)[chosen(int(mask.sum()), n)] for mask in masks]
    cluster = pool.frame["cluster"].to_numpy()

    def effective(rows: np.ndarray) -> float:
        share = np.unique(cluster[rows], return_counts=True)[1] / len(rows)
        return float(np.exp(-(share * np.log(share)).sum()))

    def spread(rows: np.ndarray) -> float:
        near = vectors[rows] @ vectors[rows].T - 9 * np.eye(len(rows))
        return float((1 - near.max(axis=1)).mean())

    for measure, recomputed in (("effective_clusters", effective), ("nearest_distance", spread)):
        told = forum["measures"][measure]
        one, other = (recomputed(rows) for rows in sides)
        assert told["one"]["value"] == pytest.approx(one, rel=1e-4)
        assert told["other"]["value"] == pytest.approx(other, rel=1e-4)
        assert told["difference"]["value"] == pytest.approx(one - other, rel=1e-2, abs=1e-6)
        assert told["difference"]["low"] < told["difference"]["value"] < told["difference"]["high"]
        assert told["one"]["n"] == told["other"]["n"] == n

    scores = {}
    for name in ("short", "plain"):
        recipe = load_recipe(ws, name)
        scores[name] = weighted_vendi(ws, recipe.average_weights(), kept_documents(ws, recipe))
    told = versus["mixture"]["measures"]["vendi_1"]
    assert told["one"]["value"] == pytest.approx(scores["short"], rel=1e-3)
    gap = told["difference"]
    assert gap["value"] == pytest.approx(scores["short"] - scores["plain"], rel=0.05)
    half = np.hypot(*(side["high"] - side["low"] for side in (told["one"], told["other"]))) / 2
    assert gap["high"] - gap["value"] == pytest.approx(half)
    assert versus["mixture"]["known"] == pytest.approx([1.0, 1.0])


def weighted_vendi(
    ws: Workspace, weights: dict[str, float], kept: dict[str, pl.DataFrame]
) -> float:
    """The centred Vendi score of the kept documents, each source as heavy as its weight."""
    vectors, shares = [], []
    for name, weight in weights.items():
        pool = load_pool(ws, name, common(ws), kept[name])
        x = vectors_of(pool.only(pool.frame["kept"].to_numpy().astype(bool))).astype(float)
        vectors.append(x)
        shares.append(np.full(len(x), weight / len(x)))
    x, share = np.concatenate(vectors), np.concatenate(shares)
    centred = (x - share @ x) * np.sqrt(share)[:, None]
    values = np.linalg.eigvalsh(centred.T @ centred)
    values = values[values > 1e-13] / values.sum()
    return float(np.exp(-(values * np.log(values)).sum()))


def test_the_topics_that_one_recipe_has_lost_against_another(own: Workspace, run: Run) -> None:
    from lab.curation.tags.store import tag
    from lab.mixture.parsing import parse_recipe
    from lab.mixture.recipe_files import save_recipe

    pool = load_pool(own, "encyclopaedia", common(own))
    largest = pool.frame["cluster"].value_counts(sort=True)["cluster"][0]
    gone = pool.frame.filter(pl.col("cluster") == largest)["id"].to_list()
    tag(own, gone, "gone")
    for name, rules in (("all", []), ("less", [{"where": "not tags.gone"}])):
        body = {
            "name": name, "tokenizer": load_recipe(own, "natural").tokenizer,
            "sources": {"encyclopaedia": {"filters": rules}},
            "mixture": {
                "tokens": 1000, "phases": [{"name": "all", "weights": {"encyclopaedia": 1}}]
            },
        }  # fmt: skip
        save_recipe(own, parse_recipe(body, name))
    found = run(own, "diversity", "--recipe", "less", "--against", "all", "--size", "60")
    lost = found["versus"]["sources"]["encyclopaedia"]["lost"]
    assert [(topic["cluster"], topic["kept_documents"]) for topic in lost] == [(largest, 0)]
    back = run(own, "diversity", "--recipe", "all", "--against", "less", "--size", "60")
    assert back["versus"]["sources"]["encyclopaedia"]["lost"] == []


def test_a_source_that_its_rules_empty_is_said_to_be_empty(
    ws: Workspace, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(ws, "diversity", "--recipe", "noweb", "--size", "60")["recipes"]["noweb"]
    topics = found["kept"]["web"]["against"]["topics"]
    pool = load_pool(ws, "web", common(ws))
    assert {t["cluster"] for t in topics} == set(pool.frame["cluster"].unique())
    assert all(t["lost"] and t["share"] == 0 for t in topics)
    assert found["kept"]["web"]["measures"] == {}
    mixture = found["mixture"]
    assert (mixture["emptied"], mixture["missing"], mixture["of"]) == (["web"], [], ["forum"])
    assert mixture["known"] == pytest.approx(0.5)
    assert mixture["scores"] and not mixture["gains"], "one source: one per cent more is no change"
    assert main(["diversity", "--recipe", "noweb", "--size", "60", "-w", str(ws.root)]) == 0
    said = capsys.readouterr().out
    assert "Nothing of web is kept: all its topics are lost." in said
    assert f"| web      none of {pool.documents}" in said
    assert "Topics lost under 'noweb'" in said and "of forum alone" in said
    assert "No topic is lost" not in said and "Not measured" not in said


def test_nothing_embedded_is_left_though_others_are(ws: Workspace) -> None:
    pool = load_pool(ws, "forum", common(ws))
    none = pool.frame.select("id", kept=pl.lit(False))
    beside = pl.concat([none, pl.DataFrame({"id": ["not embedded"], "kept": [True]})])
    for kept, words in ((none, "Nothing of forum"), (beside, "No embedded document of forum")):
        artifact = measure_breadth(ws, "forum", common(ws), kept=kept, selection=words, size=50)
        panel = read_panel(artifact)
        assert panel["measures"] == {} and panel["sample"]["embedded"] == 0
        (said,) = kept_words({"forum": panel})
        assert said.startswith(words)
    one = none.with_columns(kept=pl.int_range(pl.len()) == 0)
    artifact = measure_breadth(ws, "forum", common(ws), kept=one, selection="one", size=50)
    panel = read_panel(artifact)
    assert panel["sample"]["embedded"] == 1 and panel["measures"] == {}
    assert sum(t["kept_documents"] for t in panel["against"]["topics"]) == 1


def test_coverage_of_a_reference_is_what_recomputing_says(
    ws: Workspace, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["diversity", "web", "--reference", "textbooks", "--size", "5000"]
    found = run(ws, *words)
    assert found["reference"] == "textbooks"
    x, targets = (vectors_of(load_pool(ws, s, common(ws))) for s in ("web", "textbooks"))
    among = np.sort(targets @ targets.T - 9 * np.eye(len(targets)), axis=1)
    near = (targets @ x.T).max(axis=1)
    covered = float((near >= among[:, -5] - 1e-6).mean())
    told = found["sources"]["web"]["measures"]["coverage"]
    assert told["value"] == pytest.approx(covered)
    assert told["n"] == len(targets)
    of_all = run(ws, "diversity", "web", "--size", "5000")["sources"]["web"]
    assert of_all["measures"]["coverage"]["value"] != told["value"]
    assert main([*words, "-w", str(ws.root)]) == 0
    assert "Coverage is of textbooks." in capsys.readouterr().out


def test_every_number_says_of_how_many_documents(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diversity", "forum", "web", "--size", "50", "-w", str(ws.root)]) == 0
    said = capsys.readouterr().out
    training = load_pool(ws, "forum", common(ws)).documents
    assert f"50 of {training} " in said
    assert "fewer than all are a random sample of embedded ones" in said
    assert "It sees only pairs" not in said and "`mixlab diversity --help`" in said
    with pytest.raises(SystemExit):
        main(["diversity", "--help"])
    assert "near-duplicates (cosine > 0.95): It sees only pairs" in capsys.readouterr().out


def test_what_is_missing_is_said(plain_workspace: Workspace) -> None:
    with pytest.raises(ArtifactMissing, match=r"'short', 'long'.*not been embedded") as caught:
        require_common(plain_workspace, ["short", "long"], ENCODER)
    assert "`mixlab embed`, then `mixlab map`" in caught.value.next_step
    for params, words in (
        ({"size": 1}, "at least two"),
        ({"against": "natural"}, "Against which"),
        ({"recipe": "natural", "against": "natural"}, "no different from itself"),
    ):
        with pytest.raises(ConfigError, match=words):
            run_action(plain_workspace, "diversity", dict(params), SILENT)


def test_texts_and_vectors_keep_the_order_that_is_asked(ws: Workspace) -> None:
    pool = load_pool(ws, "forum", common(ws))
    turned = pool.take(np.arange(pool.frame.height)[::-1].copy())
    assert texts_of(ws, turned) == texts_of(ws, pool)[::-1]
    assert (vectors_of(turned) == vectors_of(pool)[::-1]).all()
