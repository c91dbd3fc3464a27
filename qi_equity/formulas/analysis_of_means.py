"""Analysis of means: each unit against the mean of all, with one error rate for all comparisons together."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity._validate import number
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._pooling import pooled_or_given, positive
from qi_equity.formulas._tails import binomial_signals
from qi_equity.formulas._urn import hypergeometric_signals
from qi_equity.formulas.limits import Limits

__all__ = ["critical_value", "mean_limits", "proportion_limits", "rate_limits"]

_STEPS = 12
_CHI_NODES = 48
_MOST_TERMS = 20_000
# Terms of the series, in periods of the unit with the narrowest limits; with more h moves by less than 1e-6.
_TERMS = 48.0
_NEGLIGIBLE = 1e-12


def proportion_limits(events: ArrayLike, births: ArrayLike, *, tail: ArrayLike) -> Limits:
    r"""Exact decision limits of an analysis of means for proportions.

    Where all units have one rate, the events of a unit given the total :math:`M` of all follow, whatever that
    rate is, a hypergeometric distribution: :math:`M` of the :math:`N` births have the event, and
    :math:`n_i` of the :math:`N` are those of the unit. The limits are those of its exact tails, half-way
    between the last count inside and the first outside. That the unit itself is part of the mean is allowed
    for, as by the factor :math:`(N - n_i) / N` of the normal analysis of means.

    Parameters
    ----------
    events, births : array_like, shape (..., U)
        Events and births of the U units of each set, whole numbers; NaN where not known: such a unit has no
        limits and no part in the mean.
    tail : array_like, broadcastable to (..., U)
        Probability of either tail of one comparison, in (0, 0.5); :math:`\alpha / (2 k)` (Bonferroni) keeps
        the chance of one or more false signals among k units at or below :math:`\alpha`.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, shape (..., U), proportions. ``sigma`` is the standard error of
        the distance from the mean. ``lower`` is 0 where no low count can signal, ``upper`` 1 where no high.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or births are fractional.

    References
    ----------
    .. [1] Nelson, Wludyka, Copeland. The Analysis of Means. SIAM, 2005, chapter 2 (the normal method; the
       conditional distribution is that of Fisher's exact test).

    Examples
    --------
    >>> limits = proportion_limits([1, 2, 9], [40, 40, 40], tail=0.05 / 6)
    >>> (limits.lower * 40).round(1).tolist(), (limits.upper * 40).round(1).tolist()
    ([0.5, 0.5, 0.5], [8.5, 8.5, 8.5])
    """
    x, n, alpha = _checked(events, births, tail, "births")
    centre, total, size, n = _together(x, n)
    low, high = hypergeometric_signals(n, total, size, alpha)
    sigma = np.sqrt(centre * (1 - centre) / n * (size - n) / np.maximum(size - 1, 1))
    upper = np.minimum((high - 0.5) / n, 1)
    return Limits(centre, sigma, np.maximum((low + 0.5) / n, 0), upper)


def rate_limits(events: ArrayLike, exposure: ArrayLike, *, tail: ArrayLike) -> Limits:
    r"""Exact decision limits of an analysis of means for rates of events that can happen more than once.

    As :func:`proportion_limits`; given the total :math:`M`, the events of a unit follow a binomial
    distribution of :math:`M` trials with its share :math:`e_i / \sum e` of the exposure.

    Parameters
    ----------
    events, exposure : array_like, shape (..., U)
        Events (whole numbers) and exposure of each unit; NaN where not known.
    tail : array_like, broadcastable to (..., U)
        Probability of either tail of one comparison, in (0, 0.5).

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, shape (..., U), events per unit of exposure.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or ``tail`` is not within (0, 0.5).

    References
    ----------
    .. [1] Nelson, Wludyka, Copeland. The Analysis of Means. SIAM, 2005, chapter 2.

    Examples
    --------
    >>> limits = rate_limits([1, 2, 9], [40, 40, 40], tail=0.05 / 6)
    >>> (limits.lower * 40).round(1).tolist(), (limits.upper * 40).round(1).tolist()
    ([0.5, 0.5, 0.5], [8.5, 8.5, 8.5])
    """
    x, e, alpha = _checked(events, exposure, tail, "exposure")
    centre, total, size, e = _together(x, e)
    # In rows of C: what is written to a flat view of any other layout would be lost.
    low, high = np.full(e.shape, -1.0), np.full(e.shape, np.inf)
    low[np.isnan(e)], high[np.isnan(e)] = np.nan, np.nan
    there = (total > 0) & ~np.isnan(e + alpha)
    for one in np.unique(alpha[there]):
        at = np.flatnonzero(there & (alpha == one))
        trials, share = total.ravel()[at], (e / size).ravel()[at]
        low.ravel()[at], high.ravel()[at] = binomial_signals(trials, share, float(one))
    sigma = np.sqrt(centre / e * (size - e) / size)
    with np.errstate(invalid="ignore"):
        upper = np.where(high > total, np.inf, (high - 0.5) / e)
    return Limits(centre, sigma, np.maximum((low + 0.5) / e, 0), upper)


def mean_limits(means: ArrayLike, n: ArrayLike, sd: ArrayLike, *, alpha: float = 0.05) -> Limits:
    r"""Decision limits of an analysis of means for measurements.

    .. math::
        \bar{\bar y} \pm h \, s \sqrt{\frac{N - n_i}{N n_i}}, \qquad
        s^2 = \frac{\sum (n_i - 1) s_i^2}{\sum (n_i - 1)}

    with :math:`h` of :func:`critical_value` for :math:`\sum (n_i - 1)` degrees of freedom.

    Parameters
    ----------
    means, n, sd : array_like, shape (..., U)
        Mean, number and standard deviation of the values of each unit; NaN where not known. A unit of one
        value has no standard deviation and takes that of the others.
    alpha : float
        Chance of one or more false signals among all units of a set, in (0, 1).

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, shape (..., U), in the unit of the means; NaN with fewer than
        two units or no unit of two values.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or ``alpha`` is not within (0, 1).

    References
    ----------
    .. [1] Nelson, Wludyka, Copeland. The Analysis of Means. SIAM, 2005, chapters 3 and 4.

    Examples
    --------
    >>> limits = mean_limits([10.0, 11.0, 15.0], [8, 8, 8], [2.0, 2.0, 2.0])
    >>> limits.upper.round(2).tolist()
    [13.46, 13.46, 13.46]
    """
    y, n, s = floats({"means": means, "n": n, "sd": sd})
    n = np.where(np.isnan(y), np.nan, positive(n))
    inside = np.maximum(n - 1, 0)
    spread = inside * np.where(inside > 0, s, 0) ** 2
    size = np.nansum(n, axis=-1, keepdims=True)
    degrees = np.nansum(np.where(np.isnan(spread), 0, inside), axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = np.sqrt(np.nansum(spread, axis=-1, keepdims=True) / degrees)
        centre = np.nansum(n * y, axis=-1, keepdims=True) / size
        sigma = pooled * np.sqrt((size - n) / (size * n))
    h = critical_value(n, alpha=alpha, degrees=degrees[..., 0])[..., None]
    return Limits(np.where(np.isnan(n), np.nan, centre), sigma, centre - h * sigma, centre + h * sigma)


def critical_value(n: ArrayLike, *, alpha: float = 0.05, degrees: ArrayLike = np.inf) -> FloatArray:
    r"""Critical value :math:`h(\alpha; n_1, \dots, n_k, \nu)` of the analysis of means.

    The standardised distances from the mean have correlations
    :math:`-\sqrt{n_i n_j / ((N - n_i)(N - n_j))}`, those of independent normal values of variance
    :math:`n_i` whose sum is 0. So the chance that none exceeds :math:`h` is a one-dimensional integral, the
    density at 0 of a sum of truncated normal values over that of the whole sum. As the truncated sum has a
    bounded range, its Fourier series gives the density without error of quadrature:

    .. math::
        P(h) = \sqrt{2 \pi N}\, \frac{1}{2 C} \sum_m \prod_i \phi_i(\pi m / C), \qquad
        c_i = h \sqrt{n_i (N - n_i) / N}, \quad C = \sum_i c_i

    where :math:`\phi_i` is the characteristic function of a normal value of variance :math:`n_i` within
    :math:`\pm c_i` (not rescaled). For :math:`\nu` degrees of freedom, :math:`P(h s)` is averaged over the
    distribution of :math:`s = \sqrt{\chi^2_\nu / \nu}`.

    Parameters
    ----------
    n : array_like, shape (..., U)
        Number of values or births of each unit; NaN or 0 where a unit is not there.
    alpha : float
        Chance of one or more false signals among all units, in (0, 1).
    degrees : array_like, shape (...)
        Degrees of freedom of the standard deviation, > 0; infinite where it is known.

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Critical value, > 0, to about 1e-6; NaN with fewer than two units.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or ``alpha`` is not within (0, 1).

    References
    ----------
    .. [1] Nelson PR. Exact critical points for the analysis of means. Commun Stat Theory Methods
       1982;11:699-709.
    .. [2] Soong, Hsu. Using complex integration to compute multivariate normal probabilities. J Comput
       Graph Stat 1997;6:397-415 (the correlation structure of unequal sizes).

    Examples
    --------
    >>> float(critical_value([10] * 5).round(2)), float(critical_value([10] * 6, degrees=6.0).round(2))
    (2.55, 3.62)
    """
    (n,) = floats({"n": n})
    level = 1 - number("alpha", alpha, above=0, below=1)
    n = np.where(n > 0, n, 0)
    nu = np.broadcast_to(np.asarray(degrees, dtype=np.float64), n.shape[:-1])
    nu = np.where(nu > 0, nu, np.nan)
    units = np.count_nonzero(n, axis=-1)
    # One comparison, and all of them as if none knew of the others (Bonferroni), lie on either side.
    single, cautious = (_quantile(share, nu) for share in (1 - level, (1 - level) / np.maximum(units, 1)))
    found = _root(single, cautious, level, n, nu)
    # Two units lie equally far from their mean: that is one comparison.
    return np.select([units > 2, units == 2], [found, single], np.nan)


def _quantile(share: ArrayLike, degrees: FloatArray) -> FloatArray:
    """Give the normal or t value beyond which, on both sides together, the share lies."""
    below = 1 - np.asarray(share) / 2
    known = np.isinf(degrees)
    t = special.stdtrit(np.where(known, 1, degrees), below)
    return np.where(known, special.ndtri(below), t)


def _root(low: FloatArray, high: FloatArray, level: float, n: FloatArray, degrees: FloatArray) -> FloatArray:
    """Find where the chance that no distance exceeds h is the level, between bounds (Illinois method)."""
    below, above = (_inside(h, n, degrees) - level for h in (low, high))
    last = np.zeros(low.shape)
    for _ in range(_STEPS):
        with np.errstate(invalid="ignore", divide="ignore"):
            middle = np.where(above > below, low - below * (high - low) / (above - below), low)
        error = _inside(middle, n, degrees) - level
        side = np.where(error < 0, -1.0, 1.0)
        # An end that stays for a second time counts half, so that it does not stay for ever.
        stays = np.where(side == last, 0.5, 1.0)
        below, above = np.where(side < 0, error, below * stays), np.where(side < 0, above * stays, error)
        low, high = np.where(side < 0, middle, low), np.where(side < 0, high, middle)
        last = side
    return middle


def _checked(
    events: ArrayLike, size: ArrayLike, tail: ArrayLike, name: str
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Read counts, sizes and tails; refuse tails that are none."""
    x, n, alpha = floats({"events": events, name: size, "tail": tail})
    wrong = alpha[(alpha <= 0) | (alpha >= 0.5)]
    if wrong.size:
        raise OptionError(f"tail holds {float(wrong[0])!r}; give values above 0 and below 0.5.")
    for argument, counts in {"events": x, name: n}.items():
        fractional = counts[np.isfinite(counts) & (counts % 1 != 0)]
        if fractional.size and argument != "exposure":
            raise OptionError(f"{argument} holds {float(fractional[0])!r}; exact limits need whole numbers.")
    return x, n, alpha


def _together(x: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Give the pooled rate, all events, all births and each unit's births; NaN for units not there."""
    n = positive(np.where(np.isnan(x), np.nan, n))
    rate = pooled_or_given(x, n, None, None)
    total, size = (np.nansum(np.where(np.isnan(n), np.nan, a), axis=-1, keepdims=True) for a in (x, n))
    there = ~np.isnan(n)
    centre, total, size = (np.where(there, a, np.nan) for a in (rate, total, size))
    return centre, total, size, n


def _inside(h: FloatArray, n: FloatArray, degrees: FloatArray) -> FloatArray:
    """Chance that no standardised distance exceeds h, shape (...)."""
    if np.isinf(degrees).all():
        return _inside_known(h, n)
    x, weight = special.roots_hermitenorm(_CHI_NODES)
    half = np.where(np.isinf(degrees), 1e12, degrees)[..., None] / 2
    lower = special.gammaincinv(half, special.ndtr(np.minimum(x, 0)))
    upper = special.gammainccinv(half, special.ndtr(-np.maximum(x, 0)))
    s = np.sqrt(np.where(x < 0, lower, upper) / half)
    chance = _inside_known(h[..., None] * s, n[..., None, :])
    return np.asarray((chance * weight).sum(-1) / np.sqrt(2 * np.pi))


def _inside_known(h: FloatArray, n: FloatArray) -> FloatArray:
    """Do the same where the standard deviation is known, by the Fourier series."""
    n = np.broadcast_to(n, (*h.shape, n.shape[-1]))
    size = n.sum(-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(n > 0, n * (size - n) / size, 0)
        edge = h[..., None] * np.sqrt(part)
        bound = edge.sum(-1)
        a = h[..., None] * np.sqrt((1 - n / size) / 2)
        narrow = np.where(edge > 0, edge, np.inf).min(-1)
        terms = float(np.nanmax(np.where(np.isfinite(narrow), bound / narrow, np.nan), initial=1.0))
        total = np.ones(h.shape)
        start = _at_zero(a, n)
        for m in range(1, int(min(_TERMS * terms, _MOST_TERMS)) + 1):
            b = np.pi * m / bound[..., None] * np.sqrt(n / 2)
            wave = np.exp(-(a**2)) * special.wofz(-b + 1j * a)
            product = np.where(n > 0, np.exp(-(b**2)) - (np.exp(-2j * a * b) * wave).real, 1)
            total = total + 2 * product.prod(-1) / start
            most = np.where(n > 0, np.exp(-(b**2)) + np.abs(wave), 1).prod(-1) / start
            if not (most > _NEGLIGIBLE).any():
                break
        return np.asarray(np.sqrt(2 * np.pi * size[..., 0]) / (2 * bound) * total * start)


def _at_zero(a: FloatArray, n: FloatArray) -> FloatArray:
    """Product of the chances that each truncated value is within its bounds."""
    return np.asarray(np.where(n > 0, special.erf(a), 1).prod(-1))
