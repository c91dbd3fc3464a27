"""Is the centre line a fair coin? The chance of a point above it, given that it is not on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._tails import Tail, binomial_at_least, poisson_at_least
from qi_equity.formulas.medians import row_median

__all__ = ["chance_above_c", "chance_above_g", "chance_above_p", "chance_above_u", "largest_atom"]


def chance_above_p(centre_line: ArrayLike, births: ArrayLike) -> FloatArray:
    r"""Chance that a proportion lies above the centre line, given that it does not lie on it.

    .. math:: P(X / n_t > \bar p \mid X / n_t \ne \bar p), \qquad X \sim \mathrm{Binomial}(n_t, \bar p)

    Runs tests assume 1/2. With few births and a rare event it is far from it.

    Parameters
    ----------
    centre_line : array_like, broadcastable to (..., T)
        Proportion in [0, 1].
    births : array_like, shape (..., T)
        Births of each period; NaN where not observed.

    Returns
    -------
    numpy.ndarray of float, shape (..., T)
        Chances in [0, 1], one a period; their mean along time is the chance of the chart. NaN where births
        are 0 or missing, or where every point lies on the line (a centre line of 0 or 1).

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together.

    References
    ----------
    .. [1] The definition; exact binomial tails by the incomplete beta function (NIST DLMF 8.17.5).

    Examples
    --------
    >>> float(chance_above_p(0.04, 12)[0].round(3))
    0.387
    """
    p, n = floats({"centre_line": centre_line, "births": births})
    return _chance_above(p, n, p, binomial_at_least)


def chance_above_u(centre_line: ArrayLike, exposure: ArrayLike) -> FloatArray:
    r"""Chance that a rate lies above the centre line, given that it does not lie on it.

    As :func:`chance_above_p`, with :math:`X \sim \mathrm{Poisson}(\bar u e_t)`.

    Parameters
    ----------
    centre_line : array_like, broadcastable to (..., T)
        Rate, events per unit of exposure, >= 0.
    exposure : array_like, shape (..., T)
        Exposure of each period; NaN where not observed.

    Returns
    -------
    numpy.ndarray of float, shape (..., T)
        Chances in [0, 1]; NaN where exposure is 0 or missing, or the centre line is 0.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together.

    References
    ----------
    .. [1] The definition; exact Poisson tails by the incomplete gamma function (NIST DLMF 8.4.10).

    Examples
    --------
    >>> float(chance_above_u(0.01, 50)[0].round(3))
    0.393
    """
    u, e = floats({"centre_line": centre_line, "exposure": exposure})
    return _chance_above(u, e, u * e, poisson_at_least)


def chance_above_c(centre_line: ArrayLike) -> FloatArray:
    r"""Chance that a count lies above the centre line, given that it does not lie on it.

    As :func:`chance_above_u`, with :math:`X \sim \mathrm{Poisson}(\bar c)`.

    Parameters
    ----------
    centre_line : array_like, shape (..., T)
        Expected count of a period, >= 0.

    Returns
    -------
    numpy.ndarray of float, shape (..., T)
        Chances in [0, 1]; NaN where the centre line is 0 or missing.

    Raises
    ------
    InputTypeError
        If ``centre_line`` does not hold numbers.

    References
    ----------
    .. [1] The definition; exact Poisson tails by the incomplete gamma function (NIST DLMF 8.4.10).

    Examples
    --------
    >>> float(chance_above_c(0.5)[0].round(3))
    0.393
    """
    (c,) = floats({"centre_line": centre_line})
    return chance_above_u(c, np.ones_like(c))


def chance_above_g(centre_line: ArrayLike, mean: ArrayLike, *, smallest: int = 1) -> FloatArray:
    r"""Chance that a gap between events lies above the centre line, given that it does not lie on it.

    .. math::
        P(G > c \mid G \ne c), \qquad P(G \ge k) = q^{k - s}, \quad q = \frac{\bar g - s}{\bar g - s + 1}

    with G geometric from its smallest value s on.

    Parameters
    ----------
    centre_line : array_like, broadcastable to (..., T)
        Centre line c, births between events.
    mean : array_like, broadcastable to (..., T)
        Mean gap, >= ``smallest``.
    smallest : {1, 0}
        Smallest gap there can be: 1 where the birth with the event is counted, 0 where it is not.

    Returns
    -------
    numpy.ndarray of float, shape (..., T)
        Chances in [0, 1]; NaN where centre line or mean is missing, or where every gap lies on the line.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together, ``smallest`` is not 0 or 1, or a mean lies below it.

    References
    ----------
    .. [1] The definition; geometric tails as in Benneyan, Number-between g-type statistical quality control
       charts for monitoring adverse events. Health Care Manag Sci 2001;4:305-318.

    Examples
    --------
    >>> float(chance_above_g(1.5, 2)[0]), float(chance_above_g(25, 25)[0].round(3))
    (0.5, 0.366)
    """
    line, m = floats({"centre_line": centre_line, "mean": mean})
    start = one_of("smallest", smallest, (1, 0))
    wrong = m[m < start]
    if wrong.size:
        raise OptionError(f"mean holds {float(wrong[0])!r}; no mean gap lies below smallest={start}.")
    event = 1 / (m - start + 1)
    below = np.maximum(np.floor(line) + 1 - start, 0)
    above = (1 - event) ** below
    on = np.where((line == np.floor(line)) & (below > 0), event * (1 - event) ** np.maximum(below - 1, 0), 0)
    with np.errstate(invalid="ignore"):
        return np.asarray(above / (1 - on))


def largest_atom(values: ArrayLike, centre_line: ArrayLike | None = None) -> FloatArray:
    """Share of the observed points that lie on the centre line.

    A run chart whose median sits on many equal points has few useful ones, on unequal sides.

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed.
    centre_line : array_like, broadcastable to (..., T), optional
        Centre line, in the unit of the points. Default: the median of the points.

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Shares in [0, 1]; NaN where nothing was observed.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together.

    References
    ----------
    .. [1] The definition; no publication was found that sets a threshold.

    Examples
    --------
    >>> float(largest_atom([0, 0, 0, 1]))
    0.75
    """
    (y,) = floats({"values": values})
    line = row_median(y) if centre_line is None else centre_line
    y, median = floats({"values": y, "centre_line": line})
    with np.errstate(invalid="ignore"):
        return np.asarray((y == median).sum(axis=-1) / (~np.isnan(y)).sum(axis=-1))


def _chance_above(line: FloatArray, size: FloatArray, parameter: FloatArray, at_least: Tail) -> FloatArray:
    """P(above) / (1 - P(on the line)); a count lies on the line when its quotient is the same float."""
    given = (size > 0) & ~np.isnan(line)
    line, size, parameter = line[given], size[given], parameter[given]
    nearest = np.rint(line * size)
    side = np.sign(nearest / size - line)
    above = at_least(nearest + (side <= 0), size, parameter)
    off = np.ones_like(above)
    on = np.flatnonzero(side == 0)
    off[on] = 1 + above[on] - at_least(nearest[on], size[on], parameter[on])
    chances = np.full(given.shape, np.nan)
    with np.errstate(invalid="ignore"):
        chances[given] = above / off
    return chances
