"""Did a gap change? Intervals of a change of differences, and of a ratio of ratios."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._interval_parts import z_of
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.level_change import choose

__all__ = ["one_less_another", "ratio_of_ratios", "square_and_add"]

Kind = Literal["proportion", "rate", "mean"]


def square_and_add(terms: Sequence[Interval], signs: Sequence[int]) -> Interval:
    r"""Interval of a sum or difference of independent estimates from the interval of each (MOVER).

    With estimates :math:`\theta_i` within :math:`(l_i, u_i)` and signs :math:`c_i = \pm 1`:

    .. math:: L = \sum c_i \theta_i - \sqrt{\sum_{c_i > 0} (\theta_i - l_i)^2 +
       \sum_{c_i < 0} (u_i - \theta_i)^2}

    and the upper end with the other distance of each. Of two Wilson intervals it is Newcombe's interval of a
    difference; of four, with signs + - - +, that of a difference in differences: how much a gap changed.

    Parameters
    ----------
    terms : sequence of Interval
        Independent estimates with intervals, arrays that stretch to one shape.
    signs : sequence of {1, -1}
        Whether each is added or taken away.

    Returns
    -------
    Interval
        The sum; NaN where one of the terms is.

    Raises
    ------
    OptionError
        If there are not as many signs as terms, or a sign is neither 1 nor -1.

    References
    ----------
    .. [1] Zou, Donner. Construction of confidence limits about effect measures: a general approach.
       Statistics in Medicine 2008;27:1693-702.
    .. [2] Newcombe. Interval estimation for the difference between independent proportions: comparison of
       eleven methods. Statistics in Medicine 1998;17:873-90, method 10.

    Examples
    --------
    A rate of 10 % (6 to 16 %) less one of 4 % (3 to 5 %):

    >>> import numpy as np
    >>> one, other = (Interval(*map(np.array, t)) for t in ((0.1, 0.06, 0.16), (0.04, 0.03, 0.05)))
    >>> gap = square_and_add([one, other], [1, -1])
    >>> [float(end.round(4)) for end in (gap.estimate, gap.lower, gap.upper)]
    [0.06, 0.0188, 0.1208]
    """
    if len(signs) != len(terms) or not set(signs) <= {1, -1}:
        raise OptionError(
            f"signs={list(signs)!r} is not allowed; give 1 or -1 for each of {len(terms)} terms."
        )
    pairs = list(zip(terms, signs, strict=True))
    estimate = sum((sign * term.estimate for term, sign in pairs), np.zeros(()))
    below = [t.estimate - t.lower if sign > 0 else t.upper - t.estimate for t, sign in pairs]
    above = [t.upper - t.estimate if sign > 0 else t.estimate - t.lower for t, sign in pairs]
    down, up = (np.sqrt(sum((d**2 for d in distances), np.zeros(()))) for distances in (below, above))
    return Interval(np.asarray(estimate), np.asarray(estimate - down), np.asarray(estimate + up))


def one_less_another(one: Interval, other: Interval) -> Interval:
    """Interval of a difference of independent estimates, of which either may be infinite.

    That of :func:`square_and_add`; where the difference is not finite, because a side has no event and so no
    finite logarithm, end from end, which is wider.

    Parameters
    ----------
    one, other : Interval
        Independent estimates with intervals, arrays that stretch to one shape.

    Returns
    -------
    Interval
        One less the other.

    References
    ----------
    .. [1] Zou, Donner. Construction of confidence limits about effect measures: a general approach.
       Statistics in Medicine 2008;27:1693-702.

    Examples
    --------
    >>> import numpy as np
    >>> one = Interval(*(np.array(end) for end in ([-np.inf], [-np.inf], [-1.0])))
    >>> other = Interval(*(np.array(end) for end in ([0.0], [-0.5], [0.5])))
    >>> one_less_another(one, other).upper.tolist()
    [-0.5]
    """
    with np.errstate(invalid="ignore"):
        found = square_and_add([one, other], [1, -1])
        ends = Interval(found.estimate, one.lower - other.upper, one.upper - other.lower)
    return choose(np.isfinite(found.estimate), found, ends)


def ratio_of_ratios(
    events: ArrayLike,
    size: ArrayLike,
    signs: Sequence[int],
    *,
    kind: Kind = "proportion",
    spread: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Interval:
    r"""Interval of a product and quotient of independent rates, such as the ratio of two rate ratios.

    On the log scale; for the interval alone, half an event is added to each count so that none is lost to a
    count of 0 (the log-adjusted interval of Walter and of Pettigrew, Gart and Thomas, with more terms):

    .. math:: \exp\Bigl\{\sum_i c_i \log\frac{x_i + \tfrac12}{n_i + \tfrac12} \mp z \sqrt{\sum_i
       \frac1{x_i + \tfrac12} - \frac1{n_i + \tfrac12}}\Bigr\}

    For rates over exposure the terms of :math:`n_i` in the variance are absent and exposure stays as it is;
    for means the variance of the logarithm is :math:`s_i^2 / (n_i \bar y_i^2)` (delta method).

    Parameters
    ----------
    events, size : array_like, shape (k, ...)
        Events (means, for ``kind="mean"``) and births, exposure or number of values of k independent samples.
        An infinite size is a rate without sampling error, given in place of the events.
    signs : sequence of {1, -1}, of length k
        Whether each rate multiplies or divides: + - - + of a group and its reference after, then before, is
        how many times a rate ratio it has become.
    kind : {"proportion", "rate", "mean"}
        What the samples are.
    spread : array_like, shape (k, ...), optional
        Standard deviation of the values, for means.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate`` from the counts as they are (0, infinite or NaN where they say so), ``lower, upper``; the
        interval is widened to hold the estimate.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes or signs do not fit, or an option is not allowed.

    References
    ----------
    .. [1] Pettigrew, Gart, Thomas. The bias and higher cumulants of the logarithm of a binomial variate.
       Biometrika 1986;73:425-35.
    .. [2] Altman, Bland. Interaction revisited: the difference between two estimates. BMJ 2003;326:219 (ratio
       of relative risks).

    Examples
    --------
    A rate ratio of 2 (40 v 20 among 200 each) that was 1 before:

    >>> changed = ratio_of_ratios([40, 20, 20, 20], 200, [1, -1, -1, 1])
    >>> [float(end.round(3)) for end in (changed.estimate, changed.lower, changed.upper)]
    [2.0, 0.922, 4.232]
    """
    one_of("kind", kind, ("proportion", "rate", "mean"))
    z = z_of(confidence)
    x, n, s = floats({"events": events, "size": size, "spread": np.nan if spread is None else spread})
    if len(signs) != len(x) or not set(signs) <= {1, -1}:
        raise OptionError(f"signs={list(signs)!r} is not allowed; give 1 or -1 for each of {len(x)} rows.")
    sign = np.array(signs, dtype=np.float64).reshape(-1, *([1] * (x.ndim - 1)))
    with np.errstate(divide="ignore", invalid="ignore"):
        log, variance = _logs(x, np.where(n > 0, n, np.nan), s, kind)
        rate = np.where(np.isinf(n) | (kind == "mean"), x, x / np.where(n > 0, n, np.nan))
        up = np.prod(np.where(sign > 0, rate, 1.0), axis=0)
        down = np.prod(np.where(sign < 0, rate, 1.0), axis=0)
        estimate = up / down
        middle, half = (sign * log).sum(axis=0), z * np.sqrt(variance.sum(axis=0))
        lower, upper = np.exp(middle - half), np.exp(middle + half)
    known = ~np.isnan(lower)
    lower = np.where(known, np.fmin(lower, estimate), np.nan)
    upper = np.where(known, np.fmax(upper, estimate), np.nan)
    return Interval(np.asarray(estimate), lower, upper)


def _logs(x: FloatArray, n: FloatArray, s: FloatArray, kind: Kind) -> tuple[FloatArray, FloatArray]:
    """Give the logarithm of each rate, adjusted, and its variance."""
    if kind == "proportion":
        log, variance = np.log((x + 0.5) / (n + 0.5)), 1 / (x + 0.5) - 1 / (n + 0.5)
    elif kind == "rate":
        log, variance = np.log((x + 0.5) / n), 1 / (x + 0.5)
    else:
        log, variance = np.log(x), s**2 / (n * x**2)
    fixed = np.isinf(n)
    return np.where(fixed, np.log(x), log), np.where(fixed, 0.0, variance)
