"""What repeated tokens are worth: the data-constrained scaling law.

Muennighoff et al. 2023 (arXiv:2305.16264, constants from huggingface/datablations, Apache-2.0) fit
how the value of a token decays when it is seen again. With U unique tokens trained for D tokens,
R = D/U - 1 repetitions are worth

    D' = U + U R* (1 - exp(-R / R*)),   R* = 15.387756

effective tokens: four epochs keep 93 % of their value, sixteen 66 %. Below one epoch D' = D.

Where it fails: the law was fitted on whole-corpus repetition of English web text with models from
7M to 9B parameters. Inside a mixture a scarce source bears more repetition (arXiv:2605.12715), and
beyond about 44 epochs real runs get worse where the formula only levels off.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

R_STAR = 15.387756  # repetitions at which the value of repeating has decayed by 1 - 1/e

# L = E + A / N'^ALPHA + B / D'^BETA, exact constants of the release (mixture of N parameters, D
# tokens)
ALPHA = BETA = 0.3526596
A = float(np.exp(6.255414))
B = float(np.exp(7.3049974))
E = float(np.exp(0.6254804))
RN_STAR = 5.309743
G = (ALPHA * A / (BETA * B)) ** (1 / (ALPHA + BETA))


def effective_epochs(epochs: ArrayLike) -> NDArray[np.float64]:
    """D'/U for data seen `epochs` times (any shape): equal to `epochs` up to 1, then decaying."""
    seen = np.asarray(epochs, np.float64)
    repeats = np.maximum(seen - 1.0, 0.0)
    return np.minimum(seen, 1.0) + R_STAR * -np.expm1(-repeats / R_STAR)


def effective_tokens(unique: ArrayLike, trained: ArrayLike) -> NDArray[np.float64]:
    """D' for `trained` tokens drawn from `unique` tokens (same shape); 0 where there are none."""
    pool = np.asarray(unique, np.float64)
    drawn = np.asarray(trained, np.float64)
    epochs = np.divide(drawn, pool, out=np.zeros(np.broadcast(pool, drawn).shape), where=pool > 0)
    return pool * effective_epochs(epochs)


def next_token_value(epochs: ArrayLike) -> NDArray[np.float64]:
    """dD'/dD: what one more token is worth after `epochs`, relative to a fresh one."""
    return np.exp(-np.maximum(np.asarray(epochs, np.float64) - 1.0, 0.0) / R_STAR)


def predicted_loss(parameters: float, tokens: float, unique: float) -> float:
    """Held-out loss in nats per token of the released fit; only its trends mean anything.

    Equation 6 of the paper: `parameters` beyond those that `unique` tokens can use decay likewise.
    """
    pool = min(tokens, unique)
    data = float(effective_tokens(pool, tokens))
    optimal = (pool * G) ** (BETA / ALPHA) * G
    base = min(parameters, optimal)
    excess = max(parameters / base - 1.0, 0.0)
    size = base + base * RN_STAR * -np.expm1(-excess / RN_STAR)
    return float(E + A / size**ALPHA + B / data**BETA)
