"""Every target: written, parsed back, drawn from, and the realised token shares compared."""

import json
import math
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lab.core.errors import ConfigError, LabError
from lab.core.files import file_sha256
from lab.core.query import query
from lab.core.workspace import Workspace
from lab.corpus.tokenizer import load_tokenizer
from lab.curation.filters.mask import fail_mask
from lab.curation.filters.rule import Rule
from lab.curation.measure import measure
from lab.export import TARGETS, export
from lab.export.plan import exact
from lab.export.selection_sql import Stored, predicate, selection_sql
from lab.export.shards import BYTES_PER_TOKEN
from lab.mixture.parsing import parse_recipe
from lab.mixture.recipe import Recipe
from lab.mixture.selection import judge


def recipe(tokens: int = 60_000, **changes: object) -> Recipe:
    value = {
        "name": "half-and-half",
        "tokenizer": "plain",
        "sources": {
            "short": {"filters": [{"signal": "gopher.word_count", "min": 50}]},
            "long": {},
            "copies": {},
        },
        "dedup": {"exact": True, "minhash": {}, "keep": ["long"]},
        "mixture": {
            "tokens": tokens,
            "repeat_cap": 4,
            "phases": [
                {"name": "broad", "share": 0.75, "weights": {"short": 5, "long": 5, "copies": 0}},
                {
                    "name": "sharpen",
                    "share": 0.25,
                    "weights": {"short": 0.2, "long": 0.8},
                    "filters": {"long": [{"signal": "gopher.word_count", "min": 600}]},
                },
            ],
        },
    }
    return parse_recipe(value | changes, "r")


@pytest.fixture
def exported(plain_workspace: Workspace, tmp_path: Path) -> Callable[[str], Path]:
    def run(target: str) -> Path:
        export(plain_workspace, recipe(), target, tmp_path / target)
        return tmp_path / target

    return run


def token_shares(ws: Workspace, sources: list[str], texts: list[str]) -> dict[str, float]:
    """Share of tokens by source, with the end-of-text token a trainer adds."""
    encoder = load_tokenizer(ws, "plain")
    tokens: Counter[str] = Counter()
    for source, encoded in zip(sources, encoder.encode_batch(texts), strict=True):
        tokens[source] += len(encoded.ids) + 1
    return {source: count / tokens.total() for source, count in tokens.items()}


@pytest.mark.parametrize("target", TARGETS)
def test_every_folder_describes_itself(
    plain_workspace: Workspace, exported: Callable[[str], Path], target: str
) -> None:
    folder = exported(target)
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, facts in manifest["files"].items():
        assert file_sha256(folder / name) == facts["sha256"]
    on_disk = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert on_disk == {*manifest["files"], "manifest.json"}
    canonical = json.loads((folder / "mixture.json").read_text())
    assert canonical["phases"][0]["sources"]["copies"] == {"token_share": 0.0}
    assert canonical["phases"][0]["sources"]["short"]["token_share"] == 0.5
    assert "epochs" in (folder / "README.md").read_text()
    assert "copies" in canonical["sources"], "licence and provenance of every source travel"
    assert parse_recipe(yaml.safe_load((folder / "recipe.yaml").read_text()), "r") == recipe()


def test_the_sql_selects_exactly_what_the_lab_keeps(
    plain_workspace: Workspace, exported: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = (exported("recipe") / "selection.sql").read_text()
    assert str(plain_workspace.root) not in sql, "paths are relative to the workspace"
    monkeypatch.chdir(plain_workspace.root)
    found = query(sql)
    expected = pl.concat(
        [
            v.frame.select("id", "source", "pattern")
            for v in judge(plain_workspace, recipe()).values()
        ]
    ).filter(pl.col("pattern") > 0)
    assert found["id"].to_list() == expected.sort("source", "id")["id"].to_list()
    patterns = found["phase_0"].cast(pl.UInt64) + 2 * found["phase_1"].cast(pl.UInt64)
    assert patterns.to_list() == expected.sort("source", "id")["pattern"].to_list()


def test_the_sql_names_the_table_of_a_signal_that_two_sets_hold(
    plain_workspace: Workspace,
    copy_of: Callable[[Workspace], Workspace],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ws = copy_of(plain_workspace)
    measure(ws, "short", "gopher")
    rules = [
        {"signal": "gopher.word_count", "min": 50},
        {"signal": "repetition.dup_lines", "max": 0.3},
    ]
    mixture = {"tokens": 9000, "phases": [{"weights": {"short": 1}}]}
    one = recipe(sources={"short": {"filters": rules}}, dedup=None, mixture=mixture)
    monkeypatch.chdir(ws.root)
    kept = judge(ws, one)["short"].frame.filter("kept")["id"].sort()
    assert query(selection_sql(ws, one))["id"].to_list() == kept.to_list()


def test_the_selection_sql_says_every_form_of_rule(
    plain_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists are tried on the predicate: no text column is measured in this workspace."""
    filters = [
        {"signal": "gopher.word_count", "min_percentile": 15},
        {"where": "gopher.word_count - 100 < 0 or not gopher.mean_word_length > 5.1"},
    ]
    late = {"long": [{"signal": "gopher.word_count", "max_percentile": 60, "min": 500}]}
    weights = {"short": 1, "long": 1}
    phases = [
        {"name": "a", "share": 0.5, "weights": weights},
        {"name": "b", "share": 0.5, "weights": weights, "filters": late},
    ]
    sources = {"short": {}, "long": {"filters": [filters[0]]}}
    mixture = {"tokens": 1000, "phases": phases}
    one = recipe(filters=filters, sources=sources, dedup=None, mixture=mixture)
    monkeypatch.chdir(plain_workspace.root)
    found = query(selection_sql(plain_workspace, one))
    for source, verdict in judge(plain_workspace, one).items():
        frame = verdict.frame.filter(pl.col("pattern") > 0).sort("id")
        mine = found.filter(source=source)
        assert 0 < frame.height < verdict.frame.height
        assert mine["id"].to_list() == frame["id"].to_list()
        assert mine["phase_1"].to_list() == (frame["pattern"] >= 2).to_list()


@pytest.mark.parametrize(
    "rule",
    [
        Rule("code", values=("en", "it's")),
        Rule("code", not_values=("en",)),
        Rule("good", values=(True,)),
        Rule("good", not_values=(True, False)),
        Rule(where="\"code\" = 'it''s' OR \"n\" - 5 < 0"),
    ],
)
def test_predicates_agree_with_masks(rule: Rule) -> None:
    n = pl.Series("n", [1, 9, 9], dtype=pl.UInt8)
    frame = pl.DataFrame({"code": ["en", "it's", "de"], "good": [True, False, True]})
    frame = frame.with_columns(n)
    columns = {c: Stored(f't."{c}"', dtype) for c, dtype in frame.schema.items()}
    sql = f"SELECT {predicate(rule, columns)} AS passes FROM f AS t"
    passes = query(sql, frames={"f": frame})["passes"]
    assert passes.to_list() == (fail_mask(frame, [rule]) == 0).to_list()


@pytest.mark.parametrize(
    ("target", "suffix"), [("shards", ".jsonl.zst"), ("shards-parquet", ".parquet")]
)
def test_materialised_shards_hold_the_mixture(
    plain_workspace: Workspace, exported: Callable[[str], Path], target: str, suffix: str
) -> None:
    folder = exported(target)
    for phase, wanted in (
        ("01_broad", {"short": 0.5, "long": 0.5}),
        ("02_sharpen", {"short": 0.2, "long": 0.8}),
    ):
        files = sorted((folder / phase).glob(f"*{suffix}"))
        frame = pl.concat([read_shard(path) for path in files])
        shares = token_shares(plain_workspace, frame["source"].to_list(), frame["text"].to_list())
        for source, share in wanted.items():
            assert shares[source] == pytest.approx(share, abs=0.03)
        runs = (frame["source"] != frame["source"].shift()).sum()
        expected = 2 * (frame["source"] == "short").mean() * (frame["source"] == "long").mean()
        assert runs / frame.height > 0.6 * expected, "shuffled, not one source after another"


def read_shard(path: Path) -> pl.DataFrame:
    if path.suffix == ".parquet":
        return pl.read_parquet(path)
    with pa.input_stream(str(path), compression="zstd") as stream:
        return pl.read_ndjson(stream.read())


def test_shards_repeat_whole_epochs_evenly(plain_workspace: Workspace, tmp_path: Path) -> None:
    """A source seen 2.x times holds every document two or three times."""
    mixture = {"tokens": 130_000, "phases": [{"weights": {"short": 1}}]}
    one = recipe(sources={"short": {}}, dedup=None, mixture=mixture)
    export(plain_workspace, one, "shards-parquet", tmp_path / "out")
    frame = pl.concat([pl.read_parquet(p) for p in (tmp_path / "out").rglob("*.parquet")])
    copies = frame["id"].value_counts()["count"]
    assert copies.max() - copies.min() == 1
    assert copies.min() >= 1


def test_shards_meet_a_tiny_budget_and_phases_draw_apart(
    plain_workspace: Workspace, tmp_path: Path
) -> None:
    phases = [{"name": n, "share": 0.5, "weights": {"short": 1}} for n in ("left", "rest")]
    for tokens in (2, 6_000):
        one = recipe(
            sources={"short": {}}, dedup=None, mixture={"tokens": tokens, "phases": phases}
        )
        export(plain_workspace, one, "shards-parquet", tmp_path / str(tokens))
        drawn = [pl.read_parquet(p) for p in sorted(tmp_path.glob(f"{tokens}/*/*.parquet"))]
        assert len(drawn) == 2
        for frame in drawn:
            encoded = load_tokenizer(plain_workspace, "plain").encode_batch(frame["text"].to_list())
            lengths = [len(e.ids) + 1 for e in encoded]
            assert sum(lengths) >= tokens / 2 > sum(lengths) - max(lengths)
    assert set(drawn[0]["id"]) != set(drawn[1]["id"]), "phases are not the same sample twice"


def test_hugging_face_script_draws_the_token_shares(
    plain_workspace: Workspace, exported: Callable[[str], Path]
) -> None:
    """The exported script itself runs in a fresh process, offline, on the exported files."""
    folder = exported("huggingface")
    program = (
        "import json, mix\n"
        "rows = [(d['source'], d['text']) for d in mix.phase('broad', seed=1)]\n"
        "print(json.dumps(rows))\n"
    )
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder.parent / "hf")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rows = json.loads(done.stdout)
    shares = token_shares(plain_workspace, [r[0] for r in rows], [r[1] for r in rows])
    assert shares["short"] == pytest.approx(0.5, abs=0.1)
    documents = Counter(source for source, _ in rows)
    assert documents["short"] > 5 * documents["long"], "documents differ in length ten to one"


def parse_blend(words: list[str]) -> tuple[list[str], list[float]]:
    """Megatron's `get_blend_from_list` for a well-formed list: weights and prefixes alternate."""
    weights = [float(word) for word in words[0::2]]
    for prefix in words[1::2]:
        with pytest.raises(ValueError, match="could not convert"):
            float(prefix)
    return words[1::2], weights


def test_megatron_blend_reads_back(exported: Callable[[str], Path]) -> None:
    folder = exported("megatron")
    words = (folder / "02_sharpen.blend.txt").read_text().split()
    prefixes, weights = parse_blend(words)
    assert weights == [0.2, 0.8]
    assert prefixes == ["data/02_sharpen/short_text_document", "data/02_sharpen/long_text_document"]
    for prefix in prefixes:
        assert (folder / prefix.replace("_text_document", ".jsonl")).stat().st_size > 0
        assert prefix.removesuffix("_text_document") in (folder / "preprocess.sh").read_text()
    splits = json.loads((folder / "01_broad.per_split.json").read_text())
    assert set(splits) == {"train", "valid", "test"}
    assert "--split" in (folder / "README.md").read_text()
    assert "copies" not in (folder / "01_broad.blend.txt").read_text(), "zero weights are dropped"


def test_olmo_core_mixture_can_be_met(
    plain_workspace: Workspace, exported: Callable[[str], Path]
) -> None:
    folder = exported("olmo-core")
    requested = {"01_broad": 45_000, "02_sharpen": 15_000}
    for phase, tokens in requested.items():
        sources = yaml.safe_load((folder / f"{phase}.yaml").read_text())["sources"]
        assert math.fsum(s["target_ratio"] for s in sources) == pytest.approx(1, abs=1e-12)
        for source in sources:
            paths = [p for pattern in source["paths"] for p in folder.glob(pattern)]
            supply = sum(p.stat().st_size // 2 for p in paths)
            assert tokens * source["target_ratio"] <= supply * source["max_repetition_ratio"]
    raw = np.fromfile(folder / "data/01_broad/long/part-00000.npy", np.uint16)
    text = load_tokenizer(plain_workspace, "plain").decode(raw[:40].tolist())
    assert text.split()[0].isalpha(), "headerless token ids that decode to the text"


def test_an_impossible_budget_is_refused(plain_workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cap 4"):
        export(plain_workspace, recipe(tokens=10**9), "megatron", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten_and_unknown_targets_are_named(
    plain_workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigError, match="not empty"):
        export(plain_workspace, recipe(), "recipe", tmp_path / "out")
    with pytest.raises(ConfigError, match="did you mean megatron"):
        export(plain_workspace, recipe(), "megatrn", tmp_path / "new")


def test_a_mixture_larger_than_the_disk_is_refused_before_it_starts(
    plain_workspace: Workspace, tmp_path: Path
) -> None:
    budget = int(10**18 / BYTES_PER_TOKEN)
    huge = recipe(
        tokens=budget,
        mixture={"tokens": budget, "repeat_cap": 1e18, "phases": [{"weights": {"short": 1}}]},
    )
    with pytest.raises(LabError, match="GB needed"):
        export(plain_workspace, huge, "shards", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=50))
def test_probabilities_pass_the_strictest_reader(values: list[float]) -> None:
    """NumPy's choice tolerates 1.5e-8; written with repr and read back."""
    shares = [float(repr(p)) for p in exact(values)]
    assert abs(math.fsum(shares) - 1) < 1e-12
    assert all(p > 0 for p in shares)
    np.random.default_rng(0).choice(len(shares), p=shares)
