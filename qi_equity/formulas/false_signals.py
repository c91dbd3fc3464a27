"""How often a chart signals when nothing has changed."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity._validate import one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray, counts, floats
from qi_equity.formulas._tails import (
    Tail,
    binomial_at_least,
    binomial_at_most,
    poisson_at_least,
    poisson_at_most,
)
from qi_equity.formulas.runs import anhoej_limits

__all__ = ["anhoej_false_signal", "beyond_limits_false_signal"]

Distribution = Literal["binomial", "poisson", "normal"]

_BLOCK = 4096


def anhoej_false_signal(n_useful: ArrayLike, chance: ArrayLike = 0.5) -> FloatArray:
    """Probability that Anhøj's runs tests signal in a series of independent points that does not change.

    Exact, by a recursion over points, runs and crossings: 1 - P(longest run <= limit and crossings >= limit).

    Parameters
    ----------
    n_useful : array_like of int, any shape
        Points not on the centre line and not missing, >= 0.
    chance : array_like, broadcastable to ``n_useful``
        Chance that a useful point lies above the centre line, in [0, 1]. With the median of the same points
        as centre line they are not independent, and the true probability is lower.

    Returns
    -------
    numpy.ndarray of float
        Probabilities in [0, 1], 0 for fewer than two points; NaN where ``chance`` is NaN.

    Raises
    ------
    InputTypeError
        If ``n_useful`` does not hold whole numbers of 0 or more, or ``chance`` no numbers.
    OptionError
        If a chance is outside [0, 1] or the shapes do not fit together.

    References
    ----------
    .. [1] Anhøj, Vigeland, Joint distribution for number of crossings and longest run in independent
       Bernoulli observations (R package crossrun). PLoS One 2019;14:e0223233.

    Examples
    --------
    >>> anhoej_false_signal([10, 24]).round(4)
    array([0.0449, 0.0662])
    """
    n = counts("n_useful", n_useful)
    p, sizes = (
        a[..., 0] for a in floats({"chance": np.asarray(chance)[..., None], "n_useful": n[..., None]})
    )
    wrong = p[(p < 0) | (p > 1)]
    if wrong.size:
        raise OptionError(f"chance holds {float(wrong[0])!r}; give values from 0 to 1.")
    result = np.full(p.shape, np.nan)
    for size in np.unique(sizes):
        here = (sizes == size) & ~np.isnan(p)
        chances, back = np.unique(p[here], return_inverse=True)
        blocks = [_runs_signal(int(size), chances[i : i + _BLOCK]) for i in range(0, len(chances), _BLOCK)]
        result[here] = np.concatenate([*blocks, np.empty(0)])[back]
    return result


def beyond_limits_false_signal(
    centre_line: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    distribution: Distribution,
    size: ArrayLike = 1.0,
    sigma: ArrayLike = np.nan,
) -> FloatArray:
    r"""Probability that at least one point lies beyond the limits while the centre line holds.

    .. math:: 1 - \prod_t (1 - \alpha_t), \qquad \alpha_t = P(Y_t < L_t) + P(Y_t > U_t)

    Parameters
    ----------
    centre_line, lower, upper : array_like, shape (..., T)
        As on the chart; periods where any is NaN count for nothing.
    distribution : {"binomial", "poisson", "normal"}
        Of the events (p chart; u and c charts), or of the points (individuals).
    size : array_like, broadcastable to (..., T)
        Births (binomial) or exposure (Poisson) of each period; 1 for a c chart.
    sigma : array_like, broadcastable to (..., T)
        Standard deviation of a point (normal).

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Probabilities in [0, 1]; 0 where no period has limits. That the centre line is itself an estimate is
        not allowed for.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or ``distribution`` is not one of the three.

    References
    ----------
    .. [1] The definition, for independent points; Montgomery, Introduction to Statistical Quality Control,
       6th ed., section 5.3, for its use.

    Examples
    --------
    >>> found = beyond_limits_false_signal([0.0] * 24, -3, 3, distribution="normal", sigma=1)
    >>> float(found.round(3))
    0.063
    """
    of = one_of("distribution", distribution, ("binomial", "poisson", "normal"))
    names = ("centre_line", "lower", "upper", "size", "sigma")
    line, low, high, n, sd = floats(dict(zip(names, (centre_line, lower, upper, size, sigma), strict=True)))
    given = ~np.isnan(line + low + high) & (sd >= 0 if of == "normal" else n > 0)
    line, low, high, n, sd = (a[given] for a in (line, low, high, n, sd))
    alpha = np.zeros(given.shape)
    if of == "normal":
        alpha[given] = _normal_beyond(line, low, high, sd)
    elif of == "binomial":
        alpha[given] = _beyond(low, high, n, line, binomial_at_least, binomial_at_most)
    else:
        alpha[given] = _beyond(low, high, n, line * n, poisson_at_least, poisson_at_most)
    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(np.log1p(-np.minimum(alpha, 1)).sum(axis=-1)))


def _runs_signal(n: int, chance: FloatArray) -> FloatArray:
    """Follow P(side, crossings up to the limit, points in the run) of the series without a signal yet."""
    if n == 0:
        return np.zeros(chance.shape)
    longest, fewest = (int(limit) for limit in anhoej_limits(n))
    sides = np.stack([chance, 1 - chance])
    state = np.zeros((2, fewest + 1, longest, len(chance)))
    state[:, 0, 0] = sides
    for _ in range(n - 1):
        crossed = state.sum(axis=2)[::-1] * sides[:, np.newaxis]
        state[:, :, 1:] = state[:, :, :-1] * sides[:, np.newaxis, np.newaxis]
        state[:, 1:, 0] = crossed[:, :-1]
        state[:, 0, 0] = 0
        state[:, fewest, 0] += crossed[:, fewest]
    return np.asarray(np.clip(1 - state[:, fewest].sum(axis=(0, 1)), 0, 1))


def _beyond(
    low: FloatArray, high: FloatArray, n: FloatArray, parameter: FloatArray, at_least: Tail, at_most: Tail
) -> FloatArray:
    """P(X / n < low) + P(X / n > high), the quotients compared as floats, as the points of a chart are."""
    below, above = np.ceil(low * n) - 1, np.floor(high * n) + 1
    below += ((below + 1) / n < low).astype(np.float64) - (below / n >= low)
    above -= ((above - 1) / n > high).astype(np.float64) - (above / n <= high)
    return at_most(below, n, parameter) + at_least(above, n, parameter)


def _normal_beyond(line: FloatArray, low: FloatArray, high: FloatArray, sd: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        alpha: FloatArray = special.ndtr((low - line) / sd) + special.ndtr((line - high) / sd)
    return np.where(sd > 0, alpha, 0)
