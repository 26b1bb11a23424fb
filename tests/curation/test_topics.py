"""Topics as a column: bound to the map they were found on, and no rule on what lies on no map."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing, ConfigError, DataError
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source, documents
from lab.curation.attributes import attribute_names, locate
from lab.curation.filters.mask import fail_mask
from lab.curation.filters.parsing import parse_rules
from lab.curation.topics import common_column, topic_columns
from lab.diversity.embedding.external import import_vectors
from lab.diversity.layout.project import project

BOATS, PROOFS = "the herring boat sails", "every prime divides the proof"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """sea: 40 texts, half of them on boats; maths: 20 proofs. Vectors say so exactly."""
    ws = create(tmp_path / "workspace")
    add(ws, "sea", [BOATS, PROOFS] * 20)
    add(ws, "maths", [PROOFS] * 20)
    return ws


def add(ws: Workspace, name: str, texts: list[str], embedded: int | None = None) -> None:
    """A source of `texts`, the first `embedded` of them with vectors: boats one way, proofs the
    other, and a little noise."""
    path = ws.root / f"{name}.jsonl"
    lines = [{"key": f"{k}", "text": f"{text} {k}"} for k, text in enumerate(texts)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    add_source(ws, name, [str(path)], id_column="key")
    found = documents(ws, name).scan().select("id", "text").collect()[:embedded]
    noise = np.random.default_rng(0).normal(scale=0.01, size=(found.height, 8))
    about = found["text"].str.contains("herring").to_numpy()
    vectors = noise + np.where(about[:, None], np.eye(8)[0], np.eye(8)[1])
    np.save(ws.root / f"{name}.npy", vectors)
    (ws.root / f"{name}.ids").write_text("\n".join(found["id"]) + "\n")
    ids = None if embedded is None else ws.root / f"{name}.ids"
    import_vectors(ws, name, ws.root / f"{name}.npy", encoder="mine", ids=ids)


def draw(ws: Workspace, *names: str, onto: str | None = None, seed: int = 0) -> Artifact:
    return project(ws, names, encoder="mine", clusters=2, seed=seed, onto=onto)


def column(ws: Workspace, source: str, name: str) -> pl.Series:
    place = locate(ws, source, [name])[0]
    return place.artifact.scan().select(place.stored).collect().to_series()


def texts(ws: Workspace, source: str) -> pl.Series:
    return documents(ws, source).scan().select("text").collect()["text"]


def test_every_document_has_the_topic_of_its_text_in_its_own_row(ws: Workspace) -> None:
    made = draw(ws, "sea", "maths")
    name = f"topic.{made.id[:8]}"
    assert attribute_names(ws, "sea") == attribute_names(ws, "maths") == [name]
    boats = texts(ws, "sea").str.contains("herring")
    assert column(ws, "sea", name).str.contains("herring").to_list() == boats.to_list()
    assert column(ws, "maths", name).str.contains("prime").all()
    assert locate(ws, "sea", [name])[0].artifact.id == locate(ws, "sea", [name])[0].artifact.id


def test_a_rule_drops_a_topic_or_keeps_only_it(ws: Workspace) -> None:
    made = draw(ws, "sea", "maths")
    name = f"topic.{made.id[:8]}"
    topics = column(ws, "sea", name)
    boats = topics.filter(topics.str.contains("herring"))[0]
    frame = topics.to_frame()
    drop = parse_rules([{"signal": name, "not_in": [boats]}], "r")
    keep = parse_rules([{"where": f"{name} = '{boats}'"}], "r")
    assert (fail_mask(frame, drop) == 1).to_list() == (topics == boats).to_list()
    assert (fail_mask(frame, keep) == 1).to_list() == (topics != boats).to_list()
    with pytest.raises(ConfigError, match="column of numbers"):
        fail_mask(frame, parse_rules([{"signal": name, "min": 1}], "r"))


def test_a_later_map_changes_nothing_that_a_recipe_says(ws: Workspace) -> None:
    first = draw(ws, "sea", "maths")
    name = f"topic.{first.id[:8]}"
    before = column(ws, "sea", name)
    second = draw(ws, "sea", "maths", seed=1)
    assert second.id != first.id
    assert set(topic_columns(ws, "sea")) == {name, f"topic.{second.id[:8]}"}
    assert column(ws, "sea", name).equals(before)


def test_a_source_placed_onto_a_map_has_its_topics_in_the_same_column(ws: Workspace) -> None:
    made = draw(ws, "sea", "maths")
    name = f"topic.{made.id[:8]}"
    add(ws, "harbour", [BOATS] * 5)
    with pytest.raises(
        ArtifactMissing, match=f"map --source harbour --encoder mine --onto {made.id[:8]}"
    ):
        locate(ws, "harbour", [name])
    onto = draw(ws, "harbour", onto=made.id[:8])
    assert topic_columns(ws, "harbour") == [name], "named by the map that has the clusters"
    again = draw(ws, "harbour", onto=onto.id)
    assert topic_columns(ws, "harbour") == [name], f"and so is {again.id}, placed onto that"
    assert column(ws, "harbour", name).str.contains("herring").all()


def test_what_is_not_embedded_has_no_topic_and_passes_no_rule(ws: Workspace) -> None:
    add(ws, "half", [BOATS, PROOFS] * 5, embedded=4)
    made = draw(ws, "sea", "half")
    name = f"topic.{made.id[:8]}"
    topics = column(ws, "half", name)
    assert topics.is_null().to_list() == [False] * 4 + [True] * 6
    rules = parse_rules([{"signal": name, "not_in": ["0: nothing"]}], "r")
    with pytest.raises(DataError, match=f"6 of 10 documents .*{made.id[:8]}") as told:
        fail_mask(topics.to_frame(), rules)
    assert "mixlab embed --sample" in told.value.next_step
    assert f"--onto {made.id[:8]}" in told.value.next_step


def test_documents_that_changed_are_not_on_the_map(ws: Workspace) -> None:
    made = draw(ws, "sea", "maths")
    name = f"topic.{made.id[:8]}"
    column(ws, "sea", name)
    path = ws.root / "sea.jsonl"
    path.write_text('{"key": "0", "text": "an essay on stamps"}\n')
    add_source(ws, "sea", [str(path)], id_column="key")
    assert topic_columns(ws, "sea") == []
    with pytest.raises(ArtifactMissing, match="present documents of 'sea'"):
        locate(ws, "sea", [name])


def test_a_misspelt_map_names_the_nearest(ws: Workspace) -> None:
    with pytest.raises(ArtifactMissing, match="mixlab map"):
        locate(ws, "sea", ["topic.0000"])
    name = f"topic.{draw(ws, 'sea', 'maths').id[:8]}"
    wrong = name[:-1] + ("0" if name[-1] != "0" else "1")
    with pytest.raises(ArtifactMissing, match=name):
        locate(ws, "sea", [wrong])


def test_sources_share_the_column_that_most_of_them_have(ws: Workspace) -> None:
    assert common_column(ws, ["sea", "maths"]) == ""
    both = draw(ws, "sea", "maths")
    assert common_column(ws, ["sea", "maths"]) == f"topic.{both.id[:8]}"
    alone = draw(ws, "sea")
    assert common_column(ws, ["sea", "maths"]) == f"topic.{both.id[:8]}"
    assert f"topic.{alone.id[:8]}" in topic_columns(ws, "sea")


def test_a_map_takes_no_vectors_of_another_encoder(ws: Workspace) -> None:
    made = draw(ws, "sea", "maths")
    np.save(ws.root / "other.npy", np.random.default_rng(0).normal(size=(20, 8)))
    import_vectors(ws, "maths", ws.root / "other.npy", encoder="other")
    with pytest.raises(ConfigError, match="of mine embeddings"):
        project(ws, ["maths"], encoder="other", onto=made.id)
