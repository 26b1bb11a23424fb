"""The static encoder: counts of pieces times a table, exactly; distilled the same every time."""

from pathlib import Path

import numpy as np
import pytest

from lab.core.errors import ArtifactMissing
from lab.core.workspace import create
from lab.diversity.embedding.encoder import bundled_encoder, load_encoder
from lab.diversity.embedding.static import (
    CHARACTERS,
    StaticEncoder,
    is_piece,
    overlap,
    piece_vectors,
    read_tokenizer,
    reduce,
    require_static,
    zipf_weights,
)

TEXTS = [
    "The harbour, the harbour!\nUnbelievable; naïve",
    "",
    " \t ",
    "def add(a, b):\n    return a + b",
    "中文 текст हिन्दी",
    "x" * 5000,
]


@pytest.fixture(scope="module")
def encoder() -> StaticEncoder:
    """The real tokenizer with a table of its own: what a piece's vector is does not matter here."""
    tokenizer = read_tokenizer(bundled_encoder() / "tokenizer.json")
    table = np.random.default_rng(0).normal(size=(tokenizer.get_vocab_size(), 16))
    return StaticEncoder(table.astype(np.float32), tokenizer, "test")


def test_words_counted_once_are_the_pieces_of_the_whole_text(encoder: StaticEncoder) -> None:
    """The claim that makes it fast: a text's pieces are those of its words."""
    found = encoder.encode(TEXTS).astype(np.float32)
    for text, vector in zip(TEXTS, found, strict=True):
        ids = encoder.tokenizer.encode(text[:CHARACTERS], add_special_tokens=False).ids
        expected = encoder.pieces[ids].sum(axis=0) if ids else np.zeros(16)
        length = max(float(np.linalg.norm(expected)), 1e-12)
        assert vector == pytest.approx(expected / length, abs=1e-3)
    assert not found[1].any()
    assert not found[2].any()


def test_a_text_does_not_change_with_its_neighbours_in_a_block(encoder: StaticEncoder) -> None:
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert encoder.encode(TEXTS) == pytest.approx(alone, abs=2e-3)
    assert encoder.encode([]).shape == (0, 16)


def test_rare_pieces_weigh_more_and_marks_nothing() -> None:
    weights = zipf_weights(1000)
    assert (np.diff(weights) > 0).all()
    share = 1 / (1 / np.arange(1, 1001)).sum()
    assert weights[0] == pytest.approx(1e-4 / (1e-4 + share))
    assert [is_piece(s) for s in ("the", "##ing", "[", "[PAD]", "[unused7]")] == [
        True, True, True, False, False,
    ]  # fmt: skip


def test_principal_components_keep_distances() -> None:
    x = np.random.default_rng(1).normal(size=(50, 6)).astype(np.float32)
    y = reduce(x, 6)
    gap = np.linalg.norm(x[:, None] - x[None], axis=2)
    assert np.linalg.norm(y[:, None] - y[None], axis=2) == pytest.approx(gap, abs=1e-4)
    assert reduce(x, 2) == pytest.approx(y[:, :2], abs=1e-5)


def test_overlap_by_hand() -> None:
    circle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    x = np.stack([np.cos(circle), np.sin(circle)], axis=1)
    assert overlap(x, x, 2) == 1
    assert overlap(x, x[::-1] * [1, -1], 2) == 1, "a mirrored circle has the same neighbours"
    shuffled = x[np.random.default_rng(0).permutation(24)]
    chance = overlap(x, shuffled, 2)
    assert chance is not None
    assert chance < 0.4
    assert overlap(x[:3], x[:3], 2) is None


def test_without_a_distilled_encoder_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing) as caught:
        require_static(create(tmp_path / "w"))
    assert "mixlab embed --encoder static" in caught.value.next_step


@pytest.mark.slow
def test_a_piece_is_what_the_full_encoder_says_of_it_alone(encoder: StaticEncoder) -> None:
    full = load_encoder()
    words = ["harbour", "boat", "theorem", "proof"]
    ids = np.array([encoder.tokenizer.token_to_id(word) for word in words])
    found = piece_vectors(full, ids, encoder.tokenizer, lambda *_: None)  # type: ignore[arg-type]
    expected = full.encode(words).astype(np.float32)
    assert (found * expected).sum(axis=1).min() > 0.999
    similar = found @ found.T
    assert similar[0, 1] > similar[0, 2]
