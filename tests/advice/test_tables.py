"""Tables of runs: Olmix's and RegMix's layouts, and everything that can be wrong with them."""

from pathlib import Path

import pytest

from lab.advice.evidence.tables import join_tables, read_tables
from lab.core.errors import DataError

RATIOS = "run,name,index,web,books\na,first,0,0.7,0.3\nb,second,1,0.5,0.5\nc,third,2,0,1\n"
METRICS = "run,name,index,loss\nc,third,2,2.5\na,first,0,3.1\nb,second,1,2.9\n"


def written(folder: Path, ratios: str, metrics: str) -> tuple[Path, Path]:
    paths = folder / "ratios.csv", folder / "metrics.csv"
    for path, text in zip(paths, (ratios, metrics), strict=True):
        path.write_text(text, "utf-8")
    return paths


def test_olmix_layout_is_joined_by_run(tmp_path: Path) -> None:
    table = join_tables(*read_tables(*written(tmp_path, RATIOS, METRICS)))
    assert table.runs == ("a", "b", "c")
    assert table.sources == ("web", "books")
    assert table.metrics == ("loss",)
    assert table.weights.tolist() == [[0.7, 0.3], [0.5, 0.5], [0, 1]]
    assert table.values[:, 0].tolist() == [3.1, 2.9, 2.5]
    assert table.notes == ()


def test_regmix_layout_is_joined_by_index(tmp_path: Path) -> None:
    ratios = "index,train_the_pile_arxiv,train_the_pile_github\n1,0.25,0.75\n2,0.5,0.5\n"
    metrics = "index,metric/the_pile_arxiv_val_loss\n2,4.0\n1,5.0\n"
    table = join_tables(*read_tables(*written(tmp_path, ratios, metrics)))
    assert table.runs == ("1", "2")
    assert table.values[:, 0].tolist() == [5.0, 4.0]


def test_parquet_is_read_as_csv_is(tmp_path: Path) -> None:
    ratios, metrics = read_tables(*written(tmp_path, RATIOS, METRICS))
    ratios.write_parquet(tmp_path / "r.parquet")
    metrics.write_parquet(tmp_path / "m.parquet")
    again = join_tables(*read_tables(tmp_path / "r.parquet", tmp_path / "m.parquet"))
    assert again.weights.tolist() == join_tables(ratios, metrics).weights.tolist()


def test_rounded_rows_are_renormalised_and_unmatched_rows_counted(tmp_path: Path) -> None:
    ratios = "run,web,books\na,0.703,0.3\nb,0.5,0.5\nd,0.5,0.5\n"
    table = join_tables(*read_tables(*written(tmp_path, ratios, METRICS)))
    assert table.weights.sum(axis=1).tolist() == [1, 1]
    assert table.notes == (
        "1 of 2 rows of weights summed to 1-1.003 and were renormalised.",
        "1 of 3 rows of ratios have no partner.",
        "1 of 3 rows of metrics have no partner.",
    )


@pytest.mark.parametrize(
    ("ratios", "metrics", "what", "where"),
    [
        ("run,web,books\na,70,30\n", METRICS, "do not sum to one", "run 'a'"),
        ("run,web,books\na,0,0\n", METRICS, "do not sum to one", "run 'a'"),
        ("run,web,books\na,1.2,-0.2\n", METRICS, "weight is negative", "run 'a'"),
        ("run,web,books\na,NaN,0.5\n", METRICS, "finite number", "column 'web'"),
        ("run,web,books\na,inf,0.5\n", METRICS, "finite number", "column 'web'"),
        ("run,web,books\na,,0.5\n", METRICS, "finite number", "column 'web'"),
        ("run,web,books\na,half,0.5\n", METRICS, "finite number", "run 'a'"),
        (RATIOS, "run,loss\na,3.1\nb,NaN\nc,2\n", "finite number", "run 'b'"),
        (RATIOS, "run,loss\na,3.1\nb,\nc,2\n", "finite number", "metrics"),
        ("run\na\n", METRICS, "no column of values", "ratios"),
        (RATIOS, "run,name\na,first\n", "no column of values", "metrics"),
        ("web,books\n0.5,0.5\n", METRICS, "share no column", ""),
        ("run,web,books\nx,0.5,0.5\n", METRICS, "No run is in both", "'run'"),
        ("run,web,books\na,1,0\na,0,1\n", METRICS, "named twice", "ratios"),
        ("run,web,books\n,1,0\nb,0,1\n", METRICS, "not at all", "ratios"),
    ],
)
def test_what_cannot_be_used_is_named(
    tmp_path: Path, ratios: str, metrics: str, what: str, where: str
) -> None:
    frames = read_tables(*written(tmp_path, ratios, metrics))
    with pytest.raises(DataError, match=what) as caught:
        join_tables(*frames)
    assert where in caught.value.where
    assert caught.value.next_step


@pytest.mark.parametrize("content", ["", "run,web\n", "run,web\na,1,2,3\n"])
def test_files_that_are_no_tables(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match="table") as caught:
        read_tables(*written(tmp_path, content, METRICS))
    assert "ratios.csv" in caught.value.where


def test_a_missing_file_and_a_false_parquet(tmp_path: Path) -> None:
    ratios, _ = written(tmp_path, RATIOS, METRICS)
    with pytest.raises(DataError, match="cannot be read"):
        read_tables(ratios, tmp_path / "absent.csv")
    false = tmp_path / "m.parquet"
    false.write_bytes(b"PAR1 not really")
    with pytest.raises(DataError, match="cannot be read"):
        read_tables(ratios, false)


def test_names_may_be_anything_a_csv_can_hold(tmp_path: Path) -> None:
    ratios = 'run,"web, raw",книги\na,0.5,0.5\n'
    table = join_tables(*read_tables(*written(tmp_path, ratios, METRICS)))
    assert table.sources == ("web, raw", "книги")
