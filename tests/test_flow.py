"""The whole way through the house in one go, on the sample world, by the command line."""

import json
from pathlib import Path

import pytest

from lab.cli import main

TOKENS = "40000"


@pytest.mark.slow
def test_from_raw_text_to_an_exported_config(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    w = str(tmp_path / "w")

    def mixlab(*argv: str) -> dict[str, object]:
        status = main([*argv, "-w", w, "--json"])
        printed = capsys.readouterr()
        assert status == 0, printed.err
        return dict(json.loads(printed.out))

    made = mixlab("init", "--sample", "--documents", "1500")
    assert {"natural", "synthetic-only", "web-encyclopaedia-only"} <= set(made["recipes"])  # type: ignore[call-overload]
    ledger = mixlab("ledger", "balanced")
    assert ledger["problems"] == []
    pair = ("synthetic-only", "web-encyclopaedia-only")
    trained = mixlab("train", *pair, "--seeds", "2", "--tokens", TOKENS)
    assert len(trained["runs"]) == 4  # type: ignore[arg-type]
    assert not trained["failed"]
    again = mixlab("train", *pair, "--seeds", "2", "--tokens", TOKENS)
    assert again["runs"] == trained["runs"], "finished runs are found, not repeated"
    compared = mixlab("compare", *pair)
    rows = {(row["scope"], row["on"], row["metric"]) for row in compared["rows"]}  # type: ignore[attr-defined]
    assert len(rows) > 20
    swept = mixlab("sweep", "natural", "--runs", "3", "--tokens", TOKENS)
    assert len(swept["runs"]) == 3  # type: ignore[arg-type]
    out = tmp_path / "out"
    exported = mixlab("export", "balanced", "--to", "megatron", "-o", str(out))
    assert {"recipe.yaml", "mixture.json", "manifest.json"} <= set(exported["files"])  # type: ignore[call-overload]
    assert (out / "01_all.blend.txt").is_file()
