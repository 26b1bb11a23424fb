"""Vendi scores from moments, by hand and against what they must not feel."""

from pathlib import Path

import numpy as np
import pytest

from lab.diversity.breadth.moments import (
    Moments,
    diversity,
    effective_number,
    load_moments,
    moments,
    save_moments,
)


def cloud(n: int, d: int, seed: int, topics: int = 5, shift: float = 0.0) -> np.ndarray:
    """n unit vectors around `topics` directions, with a common mean direction of length `shift`."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(topics, d))
    x = centres[rng.integers(topics, size=n)] + 0.5 * rng.normal(size=(n, d))
    x[:, 0] += shift * d**0.5
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_vendi_counts_equally_used_directions() -> None:
    """2k vectors +-e_i: the centred second moment is the identity on k directions."""
    eye = np.eye(6)[:4]
    found = diversity(moments(np.concatenate([eye, -eye])))
    assert (found.vendi_1, found.vendi_2) == pytest.approx((4, 4))


def test_centred_score_does_not_feel_a_common_direction() -> None:
    """A coordinate that all texts share leaves the centred score alone and ruins the raw one."""
    x = cloud(500, 32, 1)
    shifted = np.hstack([np.full((500, 1), 3.0), x])
    before, after = (diversity(moments(v)).vendi_1 for v in (x, shifted))
    assert after == pytest.approx(before, rel=1e-9)
    raw = moments(shifted).second
    values = np.linalg.eigvalsh(raw / np.trace(raw)).clip(1e-15)
    assert np.exp(-(values * np.log(values)).sum()) < before / 5


def test_equal_texts_have_one_direction() -> None:
    found = diversity(moments(np.tile(cloud(1, 8, 0), (5, 1)).astype(np.float16)))
    assert (found.vendi_1, found.vendi_2) == (1.0, 1.0)


def test_half_precision_is_scaled_back_to_unit_length() -> None:
    x = cloud(200, 64, 3)
    exact, stored = (diversity(moments(v)) for v in (x, x.astype(np.float16)))
    assert stored.vendi_1 == pytest.approx(exact.vendi_1, rel=1e-3)


def test_effective_number_by_hand() -> None:
    assert effective_number(np.array([5, 5, 0])) == pytest.approx(2)
    assert effective_number(np.full((2, 4), 3.0)) == pytest.approx([4, 4])


def test_moments_survive_the_disk(tmp_path: Path) -> None:
    made = moments(cloud(9, 5, 0))
    save_moments(made, tmp_path / "m.safetensors")
    read = load_moments(tmp_path / "m.safetensors")
    assert isinstance(read, Moments)
    assert (read.second == made.second).all()
    assert (read.mean == made.mean).all()
    assert read.n == 9
