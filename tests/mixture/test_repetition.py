"""The released fit's own test vectors (arXiv:2305.16264, huggingface/datablations)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.mixture.repetition import (
    effective_epochs,
    effective_tokens,
    next_token_value,
    predicted_loss,
)


@pytest.mark.parametrize(
    ("parameters", "tokens", "unique", "loss"),
    [
        (6.34e9, 242e9, 25e9, 2.2256440889984477),
        (8.67e9, 178e9, 25e9, 2.2269634075087867),
        (1e9, 20e9, 20e9, 2.564635032958579),
    ],
)
def test_loss_vectors(parameters: float, tokens: float, unique: float, loss: float) -> None:
    assert predicted_loss(parameters, tokens, unique) == pytest.approx(loss, abs=1e-9)


def test_published_table_of_effective_tokens() -> None:
    epochs = [1, 2, 3, 4, 5, 8, 10, 13.8, 16, 20, 40]
    expected = [1, 1.968, 2.875, 3.726, 4.522, 6.624, 7.814, 9.690, 10.582, 11.911, 15.167]
    assert np.allclose(effective_epochs(epochs), expected, atol=5e-4)
    assert effective_epochs(1e9) == pytest.approx(16.388, abs=1e-3)


def test_value_of_the_next_token() -> None:
    expected = [1, 0.94, 0.88, 0.82, 0.77, 0.63, 0.56, 0.44, 0.38, 0.29, 0.08]
    epochs = [1, 2, 3, 4, 5, 8, 10, 13.8, 16, 20, 40]
    assert np.allclose(next_token_value(epochs), expected, atol=6e-3)


@given(st.integers(1, 10**12), st.integers(0, 10**13))
def test_effective_never_exceeds_trained_and_grows(unique: int, trained: int) -> None:
    value = float(effective_tokens(unique, trained))
    assert 0 <= value <= trained * (1 + 1e-12)
    assert float(effective_tokens(unique, trained * 2)) >= value * (1 - 1e-12)
    if trained <= unique:
        assert value == pytest.approx(trained)


def test_no_supply_is_worth_nothing() -> None:
    assert effective_tokens([0, 10], [5, 5]).tolist() == [0, 5]
