"""`mixlab topics` and `mixlab find`: from vectors made elsewhere to tables, tags and recipes."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab.cli.main import main

Run = Callable[..., Any]
BOATS, PROOFS = "the herring boat sails", "every prime divides the proof"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("topics")`: the JSON of `mixlab topics`. sea: 20 boats, 20 proofs; maths: 20 proofs."""

    def mixlab(line: str, status: int = 0, text: bool = False) -> Any:
        where = ["-w", str(tmp_path / "w")]
        assert main([*shlex.split(line), *where, *([] if text else ["--json"])]) == status
        out = capsys.readouterr().out
        return out if text else json.loads(out)

    mixlab("init")
    for name, texts in (("sea", [BOATS, PROOFS] * 20), ("maths", [PROOFS] * 20)):
        path = tmp_path / f"{name}.jsonl"
        path.write_text(
            "".join(json.dumps({"text": f"{t} {k}"}) + "\n" for k, t in enumerate(texts))
        )
        mixlab(f"add {name} {path}")
        about = np.array([text == BOATS for text in texts])
        noise = np.random.default_rng(0).normal(scale=0.01, size=(len(texts), 8))
        np.save(tmp_path / "v.npy", noise + np.where(about[:, None], np.eye(8)[0], np.eye(8)[1]))
        mixlab(f"embed --source {name} --encoder mine --import {tmp_path / 'v.npy'}")
    return mixlab


def test_topics_with_their_sources(run: Run) -> None:
    assert "mixlab map" in str(run("topics", status=1))
    made = run("map --encoder mine --clusters 2")["map"]
    found = run(f"topics --map {made[:6]}")
    assert (found["map"], found["column"]) == (made, f"topic.{made[:8]}")
    assert (found["placed"], found["documents"]) == (60, 60)
    proofs, boats = sorted(found["topics"], key=lambda row: -row["documents"])
    assert "prime" in proofs["label"] and "herring" in boats["label"]
    assert (proofs["documents"], boats["documents"]) == (40, 20)
    of_maths = next(
        row for row in found["odds"]
        if row["source"] == "maths" and row["label"] == boats["label"]
    )  # fmt: skip
    assert of_maths["log_odds"] == pytest.approx(np.log(0.5 * 20.5 / (20.5 * 20.5)))
    said = run("topics", text=True)
    assert f"{{signal: topic.{made[:8]}, not_in: [TOPIC]}}" in said
    assert "60 of 60 documents are on the map" in said


def write_recipe(folder: Path, name: str, filters: list[dict[str, Any]]) -> None:
    recipe = {
        "name": name,
        "sources": {"sea": {"filters": filters}},
        "mixture": {
            "tokens": 100, "phases": [{"name": "all", "share": 1, "weights": {"sea": 1}}],
        },
    }  # fmt: skip
    (folder / "recipes").mkdir(exist_ok=True)
    (folder / "recipes" / f"{name}.yaml").write_text(json.dumps(recipe))


def test_topics_with_what_a_recipe_keeps(run: Run, tmp_path: Path) -> None:
    run("measure")
    made = run("map --encoder mine --clusters 2")["map"]
    boats = next(t["label"] for t in run("topics")["topics"] if "herring" in t["label"])
    rule = {"signal": f"topic.{made[:8]}", "not_in": [boats]}
    write_recipe(tmp_path / "w", "dry", [rule])
    found = run("topics --recipe dry --mean gopher.word_count@ws1")
    by_label = {row["label"]: row for row in found["topics"]}
    assert by_label.pop(boats)["kept"] == 0
    assert next(iter(by_label.values()))["kept"] == 1
    assert {row["gopher.word_count@ws1"] for row in found["topics"]} == {5, 6}
    taken = next(row for row in run("ledger dry")["rules"] if row["source"] == "sea")
    assert taken["first_documents"] == 20
    assert "gopher" in str(run("topics --mean gopher.word_cuont", status=1))
    assert "column of numbers" in str(run(f"topics --mean topic.{made[:8]}", status=1))
    twice = run("topics --mean gopher.word_count@ws1 gopher.word_count@ws1")
    assert twice["topics"][0].keys() >= {"gopher.word_count@ws1"}


def test_a_selection_is_found_named_tagged_and_written(run: Run, tmp_path: Path) -> None:
    run("map --encoder mine --clusters 2")
    boats = next(t["cluster"] for t in run("topics")["topics"] if "herring" in t["label"])
    output = tmp_path / "ids.txt"
    found = run(f"find cluster={boats} --limit 3 --name boats --tag wet -o {output}")
    assert found["documents"] == 20
    assert len(found["first"]) == 3
    assert all("herring" in row["beginning"] for row in found["first"])
    assert len(output.read_text().split()) == 20
    assert [row["name"] for row in run("find")["named"]] == ["boats"]
    assert run("find boats")["documents"] == 20
    assert run("tag list")["tags"] == {"wet": 20}
    assert "No document" in str(run("find 'source=sea,maths tags.wet=2..'", 1))
    assert "no such source" in str(run("find source=nobody", 1))
    run("map --encoder mine --clusters 3 --method pca")
    again = run("find boats")
    assert again["documents"] == 20, "a name goes on meaning the topic of its own map"
    assert again["first"] == run(f"find '{found['line']}'")["first"]


def test_a_selection_is_excluded_and_boosted_in_recipes(run: Run, tmp_path: Path) -> None:
    run("measure")
    run("map --encoder mine --clusters 2")
    boats = next(t["cluster"] for t in run("topics")["topics"] if "herring" in t["label"])
    write_recipe(tmp_path / "w", "base", [])
    run(f"find cluster={boats} --tag wet --exclude base --save dry")
    before, after = (run(f"ledger {name}")["sources"][0] for name in ("base", "dry"))
    assert after["kept_documents"] < before["kept_documents"]
    run(f"find cluster={boats} --tag wet --boost base --share 0.25 --save wetter")
    phases = {row["phase"]: row for row in run("ledger wetter")["phases"]}
    assert set(phases) == {"all", "boost-wet"}
    assert phases["boost-wet"]["tokens"] == pytest.approx(25)
    refused = run(f"find cluster={boats} --tag other --exclude base --save wetter", status=1)
    assert "of this name already" in str(refused)
    assert run("tag list")["tags"].keys() == {"wet"}, "nothing was tagged by what was refused"
    refused = run(f"find cluster={boats} --tag 'bad tag!' --exclude base --save foo", status=1)
    assert "cannot be the name of a tag" in str(refused)
    run(f"find cluster={boats} --tag 'BAD' --name half", status=1)
    assert not (tmp_path / "w" / "recipes" / "foo.yaml").exists()
    assert run("find")["named"] == [], "and nothing was saved or named"
    with pytest.raises(SystemExit):
        run("find --exclude base --tag junk --save other")
    assert "between 0 and 1" in str(
        run(f"find cluster={boats} --tag wet --boost base --share 1.5 --save most", status=1)
    )
