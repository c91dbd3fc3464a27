"""Two-sided CUSUM of standardised points, and of the counts of periods."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number, one_of
from qi_equity.formulas._arrays import BoolArray, FloatArray
from qi_equity.formulas._cusum_arms import Threshold, floats_and_thresholds, follow, log_mixture, within
from qi_equity.formulas._pooling import positive

__all__ = ["CusumPath", "count_cusum", "tabular_cusum"]

Distribution = Literal["binomial", "poisson"]


@dataclass(frozen=True, slots=True, eq=False)
class CusumPath:
    """Both arms of a CUSUM and where they signal.

    Parameters
    ----------
    low, high : numpy.ndarray of float, shape (..., T)
        The arm that gathers evidence of a fall, <= 0 and plotted downward, and that of a rise, >= 0. NaN
        where nothing was observed; the arm is carried on past it.
    low_signal, high_signal : numpy.ndarray of bool, shape (..., T)
        Where the arm has reached its threshold.

    Examples
    --------
    >>> path = tabular_cusum([3, 3, -1], h=4)
    >>> path.high, path.high_signal
    (array([2.5, 5. , 3.5]), array([False,  True, False]))
    """

    low: FloatArray
    high: FloatArray
    low_signal: BoolArray
    high_signal: BoolArray

    def equals(self, other: object) -> bool:
        """Whether the other holds the same arms and signals in the same shape; NaN equals NaN.

        Parameters
        ----------
        other : object
            Anything; only paths can be equal.

        Returns
        -------
        bool
            True if all four arrays are the same.

        Examples
        --------
        >>> tabular_cusum([1, 2]).equals(tabular_cusum([1, 3]))
        False
        """
        return isinstance(other, CusumPath) and all(
            np.array_equal(getattr(self, name), getattr(other, name), equal_nan=name in ("low", "high"))
            for name in ("low", "high", "low_signal", "high_signal")
        )


def tabular_cusum(
    scores: ArrayLike, *, k: float = 0.5, h: Threshold = 5.0, head_start: float = 0.0
) -> CusumPath:
    r"""Two-sided tabular CUSUM of standardised points.

    .. math::
        S^+_t = \max(0, S^+_{t-1} + z_t - k), \qquad S^-_t = \min(0, S^-_{t-1} + z_t + k)

    A signal is :math:`S^+ > h` or :math:`S^- < -h`, strictly. The arms go on after a signal; they are not set
    back.

    Parameters
    ----------
    scores : array_like, shape (..., T)
        Points in time order, less their centre line and over their standard error; NaN where not observed.
    k : float
        Reference value, >= 0: half the shift to be found soonest, in standard errors.
    h : float, array_like broadcastable to (..., T), or a pair (low, high) of these
        Decision interval, > 0, in standard errors; NaN where an arm shall not signal.
    head_start : float
        Where both arms start, >= 0 (0: as Page's; h / 2: fast initial response, which finds what was out of
        control from the start, at the price of a shorter in-control run).

    Returns
    -------
    CusumPath
        ``low, high, low_signal, high_signal``, each of shape (..., T), in standard errors.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together, or ``k``, ``h`` or ``head_start`` is out of bounds.

    References
    ----------
    .. [1] Page, Continuous inspection schemes. Biometrika 1954;41:100-115.
    .. [2] Lucas, Crosier, Fast initial response for CUSUM quality-control schemes. Technometrics
       1982;24:199-205 (head start).
    .. [3] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 9.1.

    Examples
    --------
    >>> path = tabular_cusum([1, 2, -4, 0.5], k=0.5, h=3)
    >>> path.high, path.low
    (array([0.5, 2. , 0. , 0. ]), array([ 0. ,  0. , -3.5, -2.5]))
    """
    z, h_low, h_high = floats_and_thresholds({"scores": scores}, h)
    reference, start = number("k", k, at_least=0), number("head_start", head_start, at_least=0)
    low, low_signal = follow(-z - reference, h_low, start=start, strict=True)
    high, high_signal = follow(z - reference, h_high, start=start, strict=True)
    return CusumPath(0.0 - low, high, low_signal, high_signal)


def count_cusum(
    events: ArrayLike,
    size: ArrayLike,
    centre_line: ArrayLike,
    *,
    distribution: Distribution = "binomial",
    ratio: float = 2.0,
    h: Threshold,
    head_start: float = 0.0,
) -> CusumPath:
    r"""Two-sided log-likelihood-ratio CUSUM of the counts of periods with varying denominators.

    The high arm adds up the evidence that the odds (binomial) or the rate (Poisson) is R times that of the
    centre line, the low arm that it is 1/R of it:

    .. math::
        S_t = \max(0, S_{t-1} + W_t), \qquad
        W_t = x_t \log R - n_t \log(1 - p + R p) \quad\text{or}\quad x_t \log R - n_t \lambda (R - 1)

    A signal is :math:`S \ge h`. The arms go on after a signal; they are not set back.

    Parameters
    ----------
    events : array_like, shape (..., T)
        Events of each period; NaN where not observed.
    size : array_like, broadcastable to (..., T)
        Births (binomial) or exposure (Poisson) of each period; a period without any is not observed.
    centre_line : array_like, broadcastable to (..., T)
        Chance of an event in [0, 1], or rate per unit of exposure >= 0, while nothing has changed.
    distribution : {"binomial", "poisson"}
        Of the events of a period.
    ratio : float
        Odds ratio or rate ratio R to be found soonest, > 1.
    h : float, array_like broadcastable to (..., T), or a pair (low, high) of these
        Threshold, > 0, on the scale of log likelihood; NaN where an arm shall not signal.
        :func:`~qi_equity.formulas.cusum_run_length.count_cusum_threshold` gives it for a run length.
    head_start : float
        Where both arms start, >= 0.

    Returns
    -------
    CusumPath
        ``low, high, low_signal, high_signal``, each of shape (..., T), on the scale of log likelihood.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an option is out of bounds.

    References
    ----------
    .. [1] Page, Continuous inspection schemes. Biometrika 1954;41:100-115.
    .. [2] Lucas, Counted data CUSUM's. Technometrics 1985;27:129-144 (Poisson).
    .. [3] The definition of the likelihood ratio, for varying denominators. Neither text was seen.

    Examples
    --------
    >>> path = count_cusum([2, 5, 6], [50, 40, 60], 0.05, h=2.5)
    >>> path.high.round(2), path.high_signal
    (array([0.  , 1.51, 2.75]), array([False, False,  True]))
    """
    of, r = one_of("distribution", distribution, ("binomial", "poisson")), number("ratio", ratio, above=1)
    arguments = {"events": events, "size": size, "centre_line": centre_line}
    x, n, line, h_low, h_high = floats_and_thresholds(arguments, h)
    start = number("head_start", head_start, at_least=0)
    within("size", n, 0, math.inf)
    within("centre_line", line, 0, 1 if of == "binomial" else math.inf)
    taken = log_mixture if of == "binomial" else _poisson_mean
    gained, births = x * math.log(r), positive(n)
    low, low_signal = follow(-gained - births * taken(line, 1 / r), h_low, start=start)
    high, high_signal = follow(gained - births * taken(line, r), h_high, start=start)
    return CusumPath(0.0 - low, high, low_signal, high_signal)


def _poisson_mean(rate: FloatArray, ratio: float) -> FloatArray:
    return rate * (ratio - 1)
