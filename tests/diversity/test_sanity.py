"""The sanity table of the reference on real embeddings: which measure moves, and which must not.

Texts of the sample world under the bundled encoder, spoilt in known ways; clusters are those of a
partition that was made of the texts before, as on a map. At n = 300 instead of 8,000, so directions
and not values are held to; a corpus of copies has few distinct texts left here and the Vendi score
may feel that.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from lab.corpus.world.records import records
from lab.corpus.world.sources import SOURCES
from lab.diversity.breadth.measured import Measured, difference
from lab.diversity.breadth.measures import measure_vectors
from lab.diversity.breadth.surface import measure_texts
from lab.diversity.embedding.encoder import load_encoder
from lab.diversity.layout.partition import Partition, find_partition

pytestmark = pytest.mark.slow
N, EACH, LONG, K = 300, 60, 280, 20
Found = dict[str, Measured]


@dataclass(frozen=True)
class Corpus:
    texts: list[str]
    vectors: np.ndarray
    partition: Partition  # frozen: made of all texts before anything was spoilt

    def take(self, rows: np.ndarray) -> "Corpus":
        return Corpus([self.texts[k] for k in rows], self.vectors[rows], self.partition)

    def measure(self) -> Found:
        units, clusters = np.arange(len(self.texts)), self.partition.assign(self.vectors)
        return measure_vectors(self.vectors, units, clusters) | measure_texts(self.texts, units)


def edited(text: str, rng: random.Random) -> str:
    """A near copy: one word of the middle doubled and a mark at the end."""
    words = text.split(" ")
    k = rng.randrange(len(words) // 3, max(len(words) // 3 + 1, 2 * len(words) // 3))
    return " ".join([*words[:k], words[k], *words[k:]]) + rng.choice([".", "!", " "])


@pytest.fixture(scope="module")
def corpora() -> dict[str, Corpus]:
    """Embedded once: `all` texts, near copies of some, junk."""
    rng = random.Random(0)
    drawn = [r for name in SOURCES for r in records(name, EACH, 0) if len(r.draft.text) > 80]
    rng.shuffle(drawn)
    texts = [r.draft.text[:LONG] for r in drawn]
    copied = list(range(150)) + [k for k in range(30) for _ in range(8)]
    copies = [edited(texts[k], rng) for k in copied]
    letters = "abcdefghijklmnopqrstuvwxyz 0123456789"
    junk = ["".join(rng.choice(letters) for _ in range(LONG)) for _ in range(N // 20)]
    encoder = load_encoder()
    vectors = np.asarray(encoder.encode(texts + copies + junk), np.float32)
    a, b = len(texts), len(texts) + len(copies)
    partition = find_partition(vectors[:a], K)
    return {
        "all": Corpus(texts, vectors[:a], partition),
        "copies": Corpus(copies, vectors[a:b], partition),
        "junk": Corpus(junk, vectors[b:], partition),
    }


@pytest.fixture(scope="module")
def planted() -> np.ndarray:
    """The planted topic of each of `all`."""
    rng = random.Random(0)
    drawn = [r for name in SOURCES for r in records(name, EACH, 0) if len(r.draft.text) > 80]
    rng.shuffle(drawn)
    return np.unique([r.draft.topic for r in drawn], return_inverse=True)[1]


def joined(*parts: Corpus) -> Corpus:
    return Corpus(
        [text for part in parts for text in part.texts],
        np.concatenate([part.vectors for part in parts]),
        parts[0].partition,
    )


@pytest.fixture(scope="module")
def base(corpora: dict[str, Corpus]) -> Found:
    return corpora["all"].take(np.arange(N)).measure()


def change(found: Found, base: Found, name: str) -> float:
    """New value over old."""
    return found[name].value / base[name].value


def resolved(found: Found, base: Found, name: str) -> bool:
    return difference(found[name], base[name], paired=False).resolved


def test_half_near_copies(corpora: dict[str, Corpus], base: Found) -> None:
    half = joined(
        corpora["all"].take(np.arange(150)), corpora["copies"].take(np.arange(150))
    ).measure()
    assert half["near_duplicates"].value > 0.8 > 0.3 > base["near_duplicates"].value
    assert change(half, base, "nearest_distance") < 0.3
    assert change(half, base, "zstd_ratio") > 1.5
    assert change(half, base, "self_repetition") > 1.5
    assert 0.75 < change(half, base, "vendi_1") < 1.1  # the copies' score: nearly blind
    assert 0.75 < change(half, base, "vendi_2") < 1.25
    assert 0.75 < change(half, base, "effective_clusters") < 1.1


def test_nine_tenths_near_copies(corpora: dict[str, Corpus], base: Found) -> None:
    most = joined(
        corpora["all"].take(np.arange(30)),
        corpora["copies"].take(np.r_[:30, 150:390]),
    ).measure()
    assert most["near_duplicates"].value > 0.9
    assert change(most, base, "nearest_distance") < 0.1
    assert change(most, base, "zstd_ratio") > 4
    assert change(most, base, "vendi_1") > 5 * change(most, base, "nearest_distance")


def test_junk_that_scatters_looks_diverse(corpora: dict[str, Corpus], base: Found) -> None:
    """Five in a hundred isotropic vectors: spread rises, and that is why quality stands beside."""
    kept, junk = corpora["all"].take(np.arange(N - N // 20)), corpora["junk"]
    noise = np.random.default_rng(0).normal(size=junk.vectors.shape)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    spoilt = joined(kept, Corpus(junk.texts, noise.astype(np.float32), kept.partition)).measure()
    for name in ("vendi_1", "vendi_2", "nearest_distance"):
        assert change(spoilt, base, name) > 1.02, name
    assert spoilt["near_duplicates"].value <= base["near_duplicates"].value + 0.02
    assert 0.9 < change(spoilt, base, "effective_clusters") < 1.1


def test_junk_that_the_encoder_lumps_together_is_seen_by_nothing(
    corpora: dict[str, Corpus], base: Found
) -> None:
    """Five in a hundred texts of random letters: MiniLM puts them in one place."""
    spoilt = joined(corpora["all"].take(np.arange(N - N // 20)), corpora["junk"]).measure()
    for name in ("vendi_1", "vendi_2", "nearest_distance", "effective_clusters", "zstd_ratio"):
        assert 0.88 < change(spoilt, base, name) < 1.12, name
    assert spoilt["near_duplicates"].value <= base["near_duplicates"].value + 0.02


def test_pure_junk_has_no_topics_yet_no_duplicates(corpora: dict[str, Corpus]) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(N, 384)).astype(np.float32)
    few = corpora["all"].take(np.arange(N))
    found = measure_vectors(noise, np.arange(N), few.partition.assign(noise))
    assert found["vendi_1"].value > 2 * few.measure()["vendi_1"].value
    assert found["near_duplicates"].value == 0
    assert change(found, few.measure(), "effective_clusters") < 0.5, "noise has no topics"


def test_fewer_topics(corpora: dict[str, Corpus], planted: np.ndarray) -> None:
    """20 topics and 2, at one n: the spread falls with the topics, and clusters say how far."""
    whole = corpora["all"]
    sizes = np.bincount(planted)
    order = np.argsort(-sizes, kind="stable")
    n = int(sizes[order[:2]].sum())
    rng = np.random.default_rng(0)

    def of(topics: np.ndarray) -> Found:
        rows = np.flatnonzero(np.isin(planted, topics))
        return whole.take(np.sort(rng.permutation(rows)[:n])).measure()

    many, twenty, two = of(order), of(order[:20]), of(order[:2])
    for name in ("vendi_1", "vendi_2", "effective_clusters", "nearest_distance"):
        assert two[name].value < twenty[name].value, name
        assert resolved(two, many, name), name
    assert two["effective_clusters"].value < 0.5 * twenty["effective_clusters"].value
    assert 10 < twenty["effective_clusters"].value <= K
    assert change(two, many, "effective_clusters") < change(two, many, "vendi_1")


def test_a_shifted_mean_moves_no_centred_score(corpora: dict[str, Corpus], base: Found) -> None:
    """A coordinate that all texts share, as an encoder's common direction is."""
    plain = corpora["all"].take(np.arange(N))
    shift: Callable[[float], np.ndarray] = lambda by: np.hstack(  # noqa: E731
        [np.full((N, 1), by, np.float32), plain.vectors]
    )
    found = measure_vectors(shift(1.5), np.arange(N))
    for name in ("vendi_1", "vendi_2"):
        assert change(found, base, name) == pytest.approx(1, rel=1e-3), name
    assert change(found, base, "nearest_distance") < 0.5
