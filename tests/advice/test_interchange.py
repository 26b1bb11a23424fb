"""Tables that go out and come back, and files of one number per source."""

import json
from pathlib import Path

import polars as pl
import pytest

from lab.advice.evidence.tables import join_tables, read_table, read_tables
from lab.advice.fitting.fit import fit_table
from lab.advice.proposing.advise import advise
from lab.advice.proposing.interchange import proposed_runs, read_shares, write_table, write_tables
from lab.core.errors import DataError
from tests.advice.conftest import plant


def test_olmix_tables_come_back_as_they_were(tmp_path: Path) -> None:
    world = plant(3, 12, 0.01, 0)
    metrics = world.metrics.with_columns(good=-pl.col("m1"))
    fit = fit_table(world.ratios, metrics, laws=["log_linear"], higher=["good"])
    paths = write_tables(fit, tmp_path / "new" / "folder")
    assert [path.name for path in paths] == ["ratios.csv", "metrics.csv"]
    assert paths[0].read_text("utf-8").splitlines()[0] == "run,name,index,s0,s1,s2"
    assert paths[1].read_text("utf-8").splitlines()[0] == "run,name,index,m0,m1,m2,good"
    again = join_tables(*read_tables(*paths))
    assert again.runs == fit.runs
    assert (again.weights == fit.weights).all()
    assert (again.values == fit.costs * fit.signs).all()
    assert again.values[:, 3].tolist() == metrics["good"].to_list()


def test_a_proposal_is_written_as_runs_to_train(tmp_path: Path) -> None:
    world = plant(3, 20, 0.02, 0)
    advice = advise(
        fit_table(world.ratios, world.metrics, laws=["log_linear"]), world.natural, replicates=20
    )
    write_table(proposed_runs(advice), tmp_path / "next.csv")
    table = read_table(tmp_path / "next.csv")
    assert table["run"].to_list()[:3] == ["proposal", "natural", "next-1"]
    assert table.columns[:3] == ["run", "name", "index"]
    assert table.select(world.sources).sum_horizontal().to_list() == pytest.approx([1] * 6)
    assert table.select(world.sources).row(0) == tuple(advice.proposal.values())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "source,weight\nweb,0.7\nbooks,0.3\n"),
        ("a.csv", "run,name,index,web,books\nx,natural,0,0.7,0.3\n"),
        ("a.csv", "web,books\n0.7,0.3\n"),
        ("a.yaml", "web: 7e-1\nbooks: 0.3\n"),
        ("a.json", json.dumps({"web": 0.7, "books": 0.3})),
    ],
)
def test_one_number_per_source_in_five_layouts(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    assert read_shares(tmp_path / name) == {"web": 0.7, "books": 0.3}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("a.csv", "web,books\n0.7,0.3\n0.5,0.5\n", "2 rows"),
        ("a.csv", "run\nx\n", "1 rows of 1"),
        ("a.csv", "source,weight\nweb,\nbooks,1\n", "web: None"),
        ("a.csv", "source,weight\nweb,0.5\nweb,0.5\n", "twice"),
        ("a.csv", "web,books,code\nmuch,0.3,0.1\n", "much"),
        ("a.yaml", "- web\n", "list"),
        ("a.yaml", "web: true\n", "True"),
        ("a.yaml", "web: {a: 1}\n", "web"),
    ],
)
def test_what_is_no_file_of_shares(tmp_path: Path, name: str, text: str, value: str) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(DataError, match="one number per source") as caught:
        read_shares(tmp_path / name)
    assert value in str(caught.value.value)
    assert "a." in caught.value.where
