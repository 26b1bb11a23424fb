"""Methods of selection against hand-computed answers, brute force and pyversity."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyversity import diversify
from pyversity.datatypes import Strategy

from lab.core.errors import ConfigError, DataError
from lab.diversity.embedding.stored import unit
from lab.diversity.selecting import blocks as room
from lab.diversity.selecting import greedy
from lab.diversity.selecting.blocks import in_blocks
from lab.diversity.selecting.choose import EMPTY, KEPT, LONG, Chosen, choose, ranks
from lab.diversity.selecting.greedy import similarities
from lab.diversity.selecting.methods import DUPLICATE, METHODS
from lab.diversity.selecting.problem import Greedy, Problem, fill, pack

ANY = sorted(METHODS)


def order_mmr(of: Problem) -> np.ndarray:
    return greedy.mmr(of).rows


def order_product(of: Problem) -> np.ndarray:
    return greedy.product(of).rows


def order_facility(of: Problem) -> np.ndarray:
    return greedy.facility(of).rows


def greedy_map(kernel: np.ndarray, g: np.ndarray, tokens: np.ndarray, budget: int) -> np.ndarray:
    return greedy.greedy_map(kernel, g, tokens, budget).rows


def angles(*degrees: float) -> np.ndarray:
    """Unit vectors in a plane."""
    turned = np.radians(degrees)
    return np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)


def everything(vectors: np.ndarray, **settings: object) -> Problem:
    """A problem with one token a document and room for all."""
    n = len(vectors)
    return Problem(vectors, np.ones(n, np.int64), n, **settings)  # type: ignore[arg-type]


def cloud(n: int, d: int = 8, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(n, d)))


def test_a_budget_is_a_beginning_of_the_order() -> None:
    tokens = np.array([5, 3, 4, 1])
    order = np.array([1, 2, 0, 3])
    assert fill(order, tokens, 7).tolist() == [1, 2]
    assert fill(order, tokens, 8).tolist() == [1, 2], "nothing shorter is searched for the gap"
    assert pack(order, tokens, 8).tolist() == [1, 2, 3], "a window takes it"
    assert fill(order, tokens, 2).tolist() == []


def test_mmr_by_hand() -> None:
    """Relevance 1, .9, .5 at 0, 10, 90 degrees: .5 x .9 - .5 x cos 10 = -.04 < .5 x .5 - 0."""
    given_ = everything(angles(0, 10, 90), relevance=np.array([1.0, 0.9, 0.5]))
    assert order_mmr(given_).tolist() == [0, 2, 1]
    mostly = everything(angles(0, 10, 90), relevance=np.array([1.0, 0.9, 0.5]), balance=0.9)
    assert order_mmr(mostly).tolist() == [0, 1, 2]


def test_mmr_without_relevance_goes_to_the_farthest() -> None:
    assert order_mmr(everything(angles(0, 20, 180, 100))).tolist() == [0, 2, 3, 1]


def test_quality_times_diversity_by_hand() -> None:
    """After 0: .9 (1 - cos 10) = .014, .5 (1 - 0) = .5, .3 (1 + 1) = .6."""
    worth = np.array([1.0, 0.9, 0.5, 0.3])
    order = order_product(everything(angles(0, 10, 90, 180), relevance=worth))
    assert order.tolist() == [0, 3, 2, 1]


def test_facility_location_by_hand() -> None:
    """Column sums of max(cos, 0): the middle of three at 0, 30, 60 covers most (1 + 2 x .866); then
    180, which nothing covers; then an end.
    """
    order = order_facility(everything(angles(0, 30, 60, 180)))
    assert order[:2].tolist() == [1, 3]


def test_lazy_greedy_is_greedy() -> None:
    given_ = everything(cloud(60))
    similar = np.maximum(similarities(given_), 0)
    chosen: list[int] = []
    for _ in range(20):
        value = [
            -1.0 if j in chosen else similar[:, [*chosen, j]].max(axis=1).sum() for j in range(60)
        ]
        chosen.append(int(np.argmax(value)))
    assert order_facility(given_)[:20].tolist() == chosen


def test_greedy_map_is_the_largest_determinant() -> None:
    x, g = cloud(12, 5).astype(float), np.linspace(1, 2, 12)
    kernel = np.exp((x @ x.T - 1) / 0.5)
    np.fill_diagonal(kernel, 1)
    full = g[:, None] * kernel * g
    chosen: list[int] = []
    for _ in range(6):
        values = [
            -1.0 if j in chosen else np.linalg.det(full[np.ix_([*chosen, j], [*chosen, j])])
            for j in range(12)
        ]
        chosen.append(int(np.argmax(values)))
    found = greedy_map(kernel, g, np.ones(12, np.int64), 6)
    assert found[:6].tolist() == chosen


@pytest.mark.parametrize("diversity", [0.3, 0.7])
def test_mmr_and_map_are_those_of_pyversity(diversity: float) -> None:
    x = unit(np.abs(cloud(80, 16)))  # it takes negative cosines for zero
    scores = np.random.default_rng(1).uniform(size=80)
    peer = diversify(x, scores, k=20, strategy=Strategy.MMR, diversity=diversity)
    own = order_mmr(everything(x, relevance=scores, balance=1 - diversity))
    assert own[:20].tolist() == peer.indices.tolist()
    peer = diversify(x, scores, k=12, strategy=Strategy.DPP, diversity=diversity)
    z = (scores - scores.mean()) / scores.std()
    own = greedy_map(x @ x.T, np.exp((1 - diversity) * z), np.ones(80, np.int64), 12)
    assert own[:12].tolist() == peer.indices.tolist()


def test_plain_cosines_have_no_volume_beyond_their_rank() -> None:
    x = cloud(20, 3)
    order = greedy_map(x @ x.T, np.ones(20), np.ones(20, np.int64), 20)
    assert order[3:].tolist() == sorted(order[3:].tolist()), "the rest is by row"
    volume = METHODS["dpp"].order(everything(x))
    assert sorted(volume.tolist()) == list(range(20))


def test_semantic_duplicates_by_hand() -> None:
    """M in the order given: 0, cos 10 = .985, cos 50 = .64 to the first's 10-degree neighbour."""
    found = choose("semdedup", angles(0, 10, 60), np.ones(3), np.arange(3), budget=3)
    assert found.rows.tolist() == [0, 2]
    assert found.reasons.tolist() == [KEPT, "duplicate", KEPT]
    one = choose("semdedup", angles(0, 10, 60), np.ones(3), np.arange(3), budget=1)
    assert one.reasons.tolist() == [KEPT, "duplicate", "like another"]


def test_d4_drops_the_middle_of_a_topic_first() -> None:
    """Two far topics, each a ring about its middle: what goes first are the middles."""
    around = np.random.default_rng(0).normal(size=(16, 32)) * (np.arange(32) > 1)
    ring = np.eye(32)[np.arange(16) % 2] + 0.9 * unit(around)
    vectors = unit(np.array([*np.eye(32)[:2], *ring]))
    found = choose("d4", vectors, np.ones(18), np.arange(18), budget=11)
    assert not {0, 1} & set(found.rows.tolist())
    assert found.reasons[:2].tolist() == ["prototypical"] * 2


def test_clusters_give_alike() -> None:
    """Ninety documents of one topic and ten of another; k-means cuts them into three, the small one
    whole: of twenty it gives a third, and two by chance.
    """
    rng = np.random.default_rng(0)
    topic = np.repeat([0, 1], [90, 10])
    vectors = unit(10 * np.eye(12)[topic] + 0.3 * rng.normal(size=(100, 12)))
    found = choose("clusters", vectors, np.ones(100), rng.permutation(100), budget=20)
    counts = np.bincount(topic[found.rows], minlength=2)
    assert counts[1] in (6, 7), "the small topic is not drowned"
    drawn = choose("random", vectors, np.ones(100), rng.permutation(100), budget=20)
    assert np.bincount(topic[drawn.rows], minlength=2)[1] < 5


def test_the_better_of_a_cluster_comes_first() -> None:
    quality = np.arange(40.0)
    vectors = np.repeat(angles(0), 40, axis=0)
    found = choose("clusters", vectors, np.ones(40), np.arange(40), budget=5, quality=quality)
    assert sorted(found.rows.tolist()) == [35, 36, 37, 38, 39]


@pytest.mark.parametrize("method", ["mmr", "dpp", "facility", "quality-diversity"])
def test_greedy_methods_see_what_chance_does_not(method: str) -> None:
    """Nine tenths are copies of ten texts: the ten and the others are what is chosen."""
    other = cloud(20, 32, 1)
    vectors = np.concatenate([np.repeat(cloud(10, 32), 18, axis=0), other])
    keys = np.random.default_rng(2).permutation(200)
    found = choose(method, vectors, np.ones(200), keys, budget=30, quality=np.zeros(200))
    assert len(np.unique(vectors[found.rows], axis=0)) == 30


@pytest.mark.parametrize("method", [greedy.mmr, greedy.product, greedy.dpp, greedy.facility])
def test_blocks_apart_give_what_one_block_gives(
    monkeypatch: pytest.MonkeyPatch, method: Greedy
) -> None:
    """Where nothing in one half is like anything in the other, blocks lose nothing."""
    rng = np.random.default_rng(3)
    halves = np.abs(rng.normal(size=(64, 16)))
    halves[:32, 8:] = halves[32:, :8] = 0
    vectors = unit(halves[rng.permutation(64)])
    tokens = np.ones(64, np.int64)
    given_ = Problem(vectors, tokens, 20, rng.uniform(0.5, 1, 64))
    whole = fill(method(given_).rows, tokens, 20)
    monkeypatch.setattr(room, "BLOCK", 32)
    order = room.in_blocks(given_, method, again=False)
    assert sorted(fill(order, tokens, 20)) == sorted(whole)


def test_blocks_hold_what_is_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BLOCK", 16)
    vectors = unit(np.repeat(cloud(20, 32), 10, axis=0) + 0.02 * cloud(200, 32, 1))
    blocks = room.halved(vectors, np.arange(200), np.random.default_rng(0))
    assert sorted(np.concatenate(blocks).tolist()) == list(range(200))
    assert max(map(len, blocks)) <= 16
    assert np.mean([len(np.unique(rows // 10)) for rows in blocks]) < 4
    monkeypatch.setattr(room, "BLOCK", 64)
    order = in_blocks(Problem(vectors, np.ones(200, np.int64), 30), greedy.mmr)
    assert len(np.unique(order[:30] // 10)) >= 19, "almost each of twenty topics"


def test_quality_counts() -> None:
    vectors, quality = cloud(100), np.arange(100.0)
    for method in ("mmr", "dpp", "facility", "quality-diversity"):
        found = choose(
            method, vectors, np.ones(100), np.arange(100), budget=30, quality=quality, balance=0.8
        )
        assert quality[found.rows].mean() > 55, method


def test_ranks() -> None:
    assert ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [1, 0.25, 1, 0.5]


@st.composite
def documents(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    n, d = draw(st.integers(0, 40)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    vectors = unit(rng.normal(size=(n, d)))
    if n and draw(st.booleans()):
        vectors = vectors[rng.integers(0, max(n // 3, 1), n)]  # copies
    if n and draw(st.booleans()):
        vectors[0] = 0
    tokens = rng.integers(0, draw(st.integers(1, 60)), n)
    return vectors, tokens, rng.permutation(n), draw(st.integers(0, int(tokens.sum()) + 5))


@pytest.mark.parametrize("method", ANY)
@settings(max_examples=40)
@given(given_=documents(), seed=st.integers(0, 3))
def test_budget_order_and_copies(
    method: str, given_: tuple[np.ndarray, np.ndarray, np.ndarray, int], seed: int
) -> None:
    vectors, tokens, keys, budget = given_
    quality = np.round(vectors.sum(axis=1).astype(float), 3)
    scores = quality if METHODS[method].reads_quality else None
    found = choose(method, vectors, tokens, keys, budget=budget, quality=scores, seed=seed)
    assert len(set(found.rows.tolist())) == len(found.rows)
    assert set(found.rows.tolist()) == set(np.flatnonzero(found.reasons == KEPT).tolist())
    used = int(tokens[found.rows].sum())
    assert used <= budget
    copies = "like another" if method == "d4" else "duplicate"
    left = ~np.isin(found.reasons, [KEPT, EMPTY, LONG, copies])
    if left.any():
        assert used + tokens[left].max() > budget, "less than a document is missing"
    assert not found.reasons[~vectors.any(axis=1)].tolist().count(KEPT)
    if method in ("semdedup", "d4") and len(found.rows) > 1:
        kept = vectors[found.rows]
        assert np.triu(kept @ kept.T, 1).max() <= DUPLICATE + 1e-5, "never both of a pair"
    turned = np.random.default_rng(seed).permutation(len(tokens))
    other = choose(
        method, vectors[turned], tokens[turned], keys[turned],
        budget=budget, quality=None if scores is None else scores[turned], seed=seed,
    )  # fmt: skip
    assert turned[other.rows].tolist() == found.rows.tolist(), "in whatever order they come"


@pytest.mark.parametrize("method", ANY)
def test_few_and_identical_documents(method: str) -> None:
    def taken(x: np.ndarray, tokens: np.ndarray, budget: int) -> Chosen:
        scores = np.ones(len(tokens)) if METHODS[method].reads_quality else None
        return choose(method, x, tokens, np.arange(len(tokens)), budget=budget, quality=scores)

    one, ones = angles(30), np.ones(1)
    assert taken(one, ones, 1).rows.tolist() == [0]
    assert taken(one, ones * 2, 1).reasons.tolist() == [LONG]
    assert not len(taken(np.zeros((0, 4)), np.zeros(0), 9).rows)
    found = taken(np.repeat(one, 50, axis=0), np.ones(50), 20)
    assert len(found.rows) == (1 if method in ("semdedup", "d4") else 20)


def test_bad_input_is_said() -> None:
    x, n = cloud(4), np.ones(4)
    for bad in (np.nan, np.inf):
        with pytest.raises(DataError, match="not finite"):
            choose("mmr", np.where(x == x[0, 0], bad, x), n, n, budget=2)
        with pytest.raises(DataError, match="not finite"):
            choose("mmr", x, n, n, budget=2, quality=np.array([1, 2, 3, bad]))
    with pytest.raises(DataError, match="differ in length"):
        choose("mmr", x, n[:3], n, budget=2)
    with pytest.raises(DataError, match="negative"):
        choose("mmr", x, -n, n, budget=2)
    with pytest.raises(ConfigError, match="Unknown method"):
        choose("nmr", x, n, n, budget=2)
    with pytest.raises(ConfigError, match="negative"):
        choose("mmr", x, n, n, budget=-1)
    with pytest.raises(ConfigError, match="weight of quality"):
        choose("mmr", x, n, n, budget=1, balance=1.0)
    with pytest.raises(ConfigError, match="quality score"):
        choose("quality-diversity", x, n, n, budget=1)


def test_all_pairs_of_a_kept_block_are_compared() -> None:
    """The pair that is dropped is the only one above the threshold."""
    x = cloud(30, 4, 5)
    found = choose("semdedup", x, np.ones(30), np.arange(30), budget=30)
    dropped = np.flatnonzero(found.reasons == "duplicate")
    expected = [k for k in range(30) if any(x[k] @ x[j] > DUPLICATE for j in range(k))]
    assert dropped.tolist() == expected
    pairs = itertools.combinations(found.rows.tolist(), 2)
    assert all(x[a] @ x[b] <= DUPLICATE for a, b in pairs)


@pytest.mark.parametrize("method", ANY)
def test_a_quality_changes_what_is_chosen_or_is_refused(method: str) -> None:
    """Two opposite qualities, the same documents."""
    vectors, tokens, keys = cloud(60), np.ones(60, np.int64), np.arange(60)
    up = np.arange(60.0)

    def chosen(quality: np.ndarray) -> list[int]:
        return choose(method, vectors, tokens, keys, budget=20, quality=quality).rows.tolist()

    if METHODS[method].reads_quality:
        assert chosen(up) != chosen(-up)
    else:
        with pytest.raises(ConfigError, match=f"{method} reads no quality") as told:
            chosen(up)
        assert "clusters, mmr, quality-diversity, dpp, facility" in told.value.next_step


@pytest.mark.parametrize("method", sorted(m for m, e in METHODS.items() if not e.reads_quality))
def test_the_order_does_not_read_the_quality_that_is_refused(method: str) -> None:
    vectors, tokens = cloud(60), np.ones(60, np.int64)
    orders = [
        METHODS[method].order(Problem(vectors, tokens, 20, worth)).tolist()
        for worth in (np.linspace(0, 1, 60), np.linspace(1, 0, 60))
    ]
    assert orders[0] == orders[1]
