"""Length scales and noise of a Gaussian process, by its marginal likelihood with a weak prior.

Minimised over t = (ln length scales, ln amplitude, ln noise) with K = amplitude k + noise I:

    y' K^-1 y / 2 + ln |K| / 2 - ln prior(t),     dK-gradient: tr((K^-1 - K^-1 y y' K^-1) dK) / 2

(Rasmussen and Williams 2006, equation 5.9). k is Matern's of order 5/2, (1 + s + s^2 / 3) exp(-s)
with s^2 = 5 sum_d (z_d - z'_d)^2 / length_d^2, so that all m derivatives by ln length need one
matrix product. The prior, ln length ~ N(1, 1.5^2) in standard deviations of the features and ln
noise ~ N(ln .01, 2^2), keeps m + 2 numbers sober on 32 runs. Cost: one Cholesky factor and inverse
of [K, K] an evaluation, 25-45 evaluations of L-BFGS (Byrd et al. 1995). It is a local optimum.
"""

import numpy as np

from lab.advice.simplex import Array

LENGTH = (1.0, 1.5)  # mean and deviation of ln length: .5-1.5 rank within .003 at 64 runs
AMPLITUDE = (0.0, 2.0)
NOISE = (float(np.log(1e-2)), 2.0)
BOUNDS = ((-5.0, 6.0), (-6.0, 6.0), (float(np.log(1e-6)), 0.0))  # of ln length, amplitude, noise
EVALUATIONS = 60


def matern(squares: Array) -> tuple[Array, Array]:
    """Matern's kernel of order 5/2 at squared distances, and its derivative by them."""
    s = np.sqrt(5.0 * np.maximum(squares, 0.0))
    decay = np.exp(-s)
    return (1.0 + s + s * s / 3.0) * decay, (-5.0 / 6.0) * (1.0 + s) * decay


def squared_distances(one: Array, other: Array) -> Array:
    """Between every row of `one` [n, m] and of `other` [k, m]: [n, k]."""
    sums = (one * one).sum(axis=1)[:, None] + (other * other).sum(axis=1)
    return np.asarray(sums - 2.0 * one @ other.T)


def search(features: Array, values: Array) -> tuple[Array, float]:
    """Length scales [m] and the ratio of noise to amplitude, for `values` [K] at `features` [K, m].

    `values` have mean zero and variance one. Deterministic.
    """
    from scipy.optimize import minimize

    size = features.shape[1]
    unit = float(np.sqrt(features.var(axis=0).mean())) or 1.0
    theta = np.concatenate([np.full(size, LENGTH[0]), [AMPLITUDE[0], NOISE[0]]])
    best = minimize(
        objective,
        theta,
        args=(features / unit, values),
        jac=True,
        method="L-BFGS-B",
        bounds=[BOUNDS[0]] * size + [BOUNDS[1], BOUNDS[2]],
        options={"maxfun": EVALUATIONS, "ftol": 1e-6},
    )
    return np.exp(best.x[:size]) * unit, float(np.exp(best.x[size + 1] - best.x[size]))


def objective(theta: Array, features: Array, values: Array) -> tuple[float, Array]:
    """The function above and its gradient by theta [m + 2]."""
    from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

    size = features.shape[1]
    scaled = features * np.exp(-theta[:size])
    amplitude, noise = np.exp(theta[size]), np.exp(theta[size + 1])
    kernel, fall = matern(squared_distances(scaled, scaled))
    covariance = amplitude * kernel
    covariance[np.diag_indices_from(covariance)] += noise
    factor, failed = dpotrf(covariance, lower=1)
    if failed:  # not positive definite to working precision: far outside any sensible scale
        return 1e10, np.zeros_like(theta)
    solved = dpotrs(factor, values, lower=1)[0]
    inverse = np.tril(dpotri(factor, lower=1)[0])
    inverse += np.tril(inverse, -1).T
    value = 0.5 * float(values @ solved) + float(np.log(np.diag(factor)).sum())
    pull = 0.5 * (inverse - np.outer(solved, solved))
    moved = -2.0 * amplitude * pull * fall
    lengths = 2 * ((scaled**2).T @ moved.sum(axis=1) - (scaled * (moved @ scaled)).sum(axis=0))
    gradient = np.concatenate(
        [lengths, [amplitude * float((pull * kernel).sum()), noise * float(np.trace(pull))]]
    )
    prior, prior_gradient = log_prior(theta, size)
    return value + prior, gradient + prior_gradient


def log_prior(theta: Array, size: int) -> tuple[float, Array]:
    """Minus the logarithm of the prior's density, up to a constant, and its gradient."""
    pairs = np.array([LENGTH] * size + [AMPLITUDE, NOISE])
    apart = (theta - pairs[:, 0]) / pairs[:, 1]
    return 0.5 * float(apart @ apart), apart / pairs[:, 1]
