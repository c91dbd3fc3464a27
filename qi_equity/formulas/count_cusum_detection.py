"""CUSUM of counts tuned to each change and to a false-alarm time, and how soon it sees the change."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import one_of
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._count_lattice import count_arms, first_threshold, mean_runs
from qi_equity.formulas._cusum_arms import within
from qi_equity.formulas.cusum import Distribution

__all__ = ["CountCusumDetection", "count_cusum_detection"]


class CountCusumDetection(NamedTuple):
    """CUSUMs of counts tuned to a false-alarm time, and how soon they see a change; each of shape (...).

    Parameters
    ----------
    h : numpy.ndarray of float
        Threshold of the arm that looks for the change, on the scale of log likelihood.
    points_between : numpy.ndarray of float
        Mean points to a false signal of that arm.
    points_to_detect : numpy.ndarray of float
        Mean points from the change to the signal, of an arm that starts from 0.

    Examples
    --------
    >>> found = count_cusum_detection(75, 0.12, 0.06, points_between=150)
    >>> found.points_to_detect.round(1)
    array([3.])
    """

    h: FloatArray
    points_between: FloatArray
    points_to_detect: FloatArray


def count_cusum_detection(
    size: ArrayLike,
    before: ArrayLike,
    after: ArrayLike,
    *,
    distribution: Distribution = "binomial",
    points_between: ArrayLike,
) -> CountCusumDetection:
    r"""Tune a CUSUM of counts to each change and say how many points it takes to see it.

    The chart looks for the odds (Poisson: the rate) after the change; of a fall it is the low arm, of a rise
    the high one. Its threshold is the smallest on a lattice of 32 points an event or more with at least
    ``points_between`` points to a false signal.

    Parameters
    ----------
    size : array_like, any shape
        Births (binomial) or exposure (Poisson) of a period, > 0; births are rounded to whole ones.
    before, after : array_like, broadcastable to ``size``
        Chance of an event in [0, 1], or rate per unit of exposure >= 0, before and after the change.
    distribution : {"binomial", "poisson"}
        Of the events of a period.
    points_between : array_like, broadcastable to ``size``
        Mean points to a false signal of the arm, >= 1.

    Returns
    -------
    CountCusumDetection
        ``h, points_between, points_to_detect``, of the shape of the arguments (at least one-dimensional); run
        lengths within about 1 %. NaN where an argument is missing, no birth or no event is possible, the
        event is certain, or both chances are equal.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an argument is out of bounds.

    References
    ----------
    .. [1] Brook, Evans, An approach to the probability distribution of CUSUM run length. Biometrika
       1972;59:539-549.
    .. [2] Lucas, Counted data CUSUM's. Technometrics 1985;27:129-144. The texts were seen at second hand.

    Examples
    --------
    A halving of 12 %, of 10 births a month and of 150, at one false signal in 150 months:

    >>> count_cusum_detection([10, 150], 0.12, 0.06, points_between=150).points_to_detect.round(1)
    array([13.4,  1.8])
    """
    of: Distribution = (
        "binomial"
        if one_of("distribution", distribution, ("binomial", "poisson")) == "binomial"
        else "poisson"
    )
    arguments = {"size": size, "before": before, "after": after, "points_between": points_between}
    n, p, q, points = floats(arguments)
    most = 1.0 if of == "binomial" else math.inf
    within("size", n, 0, math.inf)
    within("before", p, 0, most)
    within("after", q, 0, most)
    within("points_between", points, 1, math.inf)
    births = np.rint(n) if of == "binomial" else n
    some = (births > 0) & (births < math.inf) & (p > 0) & (p < most) & (q > 0) & (q < most) & (p != q)
    some &= points < math.inf
    found = np.full((3, *n.shape), np.nan)
    found[:, some] = _tuned(births[some], p[some], q[some], of, points[some])
    return CountCusumDetection(*found)


def _tuned(
    births: FloatArray, before: FloatArray, after: FloatArray, of: Distribution, points: FloatArray
) -> FloatArray:
    """Give thresholds and both run lengths, shape (3, N); arms of one direction together."""
    ratio = after / before * ((1 - before) / (1 - after) if of == "binomial" else 1.0)
    found = np.empty((3, births.size))
    for falls in (True, False):
        here = (ratio < 1) == falls
        if here.any():
            quiet = count_arms(births[here], before[here], of, ratio[here])
            moved = count_arms(births[here], after[here], of, ratio[here])._replace(reference=quiet.reference)
            limit = first_threshold(quiet, points[here])
            nothing = np.zeros(limit.shape)
            found[0, here] = limit * np.abs(np.log(ratio[here]))
            found[1:, here] = [mean_runs(arms, limit, nothing)[0] for arms in (quiet, moved)]
    return found
