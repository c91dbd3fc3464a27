"""Distributions of a point of a chart while nothing changes: chances beyond a line, and quantiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import special

from qi_equity.formulas._arrays import FloatArray
from qi_equity.formulas._tails import (
    Tail,
    binomial_at_least,
    binomial_at_most,
    poisson_at_least,
    poisson_at_most,
)

__all__ = ["Binomial", "Distribution", "Geometric", "Normal", "Poisson"]

# Counts further from their mean than so many standard deviations, and as many counts, do not happen.
_FAR = 6


class Distribution(Protocol):
    """What is known of each point, in arrays of one shape (..., T)."""

    def below(self, line: FloatArray) -> FloatArray:
        """Give the probability that a point lies strictly below a line; NaN where not known."""

    def above(self, line: FloatArray) -> FloatArray:
        """Give the probability that a point lies strictly above a line; NaN where not known."""

    def quantile(self, chance: FloatArray) -> FloatArray:
        """Give the smallest points with P(Y <= y) >= chance, in (0, 1); NaN where not known.

        The shape of ``chance`` may have more axes before those of the points: a draw is the quantile of a
        random number.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Binomial:
    """Events among births, divided by ``unit``: a proportion for unit = births, a count for 1.

    Parameters
    ----------
    chance, births, unit : numpy.ndarray of float, shape (..., T)
        Chance of the event in [0, 1], births >= 1 and what events are divided by; NaN where not known.

    References
    ----------
    .. [1] NIST Digital Library of Mathematical Functions 8.17.5.

    Examples
    --------
    >>> ten = Binomial(np.array([0.2]), np.array([10.0]), np.array([10.0]))
    >>> float(ten.above(np.array([0.9]))[0].round(10))
    1.024e-07
    """

    chance: FloatArray
    births: FloatArray
    unit: FloatArray

    def below(self, line: FloatArray) -> FloatArray:
        """Give P(events / unit < line), the quotients compared as floats, as the points of a chart are."""
        return _count_below(line, self.unit, self.births, self.chance, binomial_at_most)

    def above(self, line: FloatArray) -> FloatArray:
        """Give P(events / unit > line), the quotients compared as floats."""
        return _count_above(line, self.unit, self.births, self.chance, binomial_at_least)

    def quantile(self, chance: FloatArray) -> FloatArray:
        """Give the proportion or count of each chance, shape (charts, ..., T)."""
        mean = self.births * self.chance
        sd = np.sqrt(mean * (1 - self.chance))
        return _count_quantile(chance, self.unit, self.births, self.chance, (mean, sd), binomial_at_most)


@dataclass(frozen=True, slots=True, eq=False)
class Poisson:
    """Events divided by ``unit``: a rate for unit = exposure, a count for 1.

    Parameters
    ----------
    mean, unit : numpy.ndarray of float, shape (..., T)
        Expected events, >= 0, and what events are divided by; NaN where not known.

    References
    ----------
    .. [1] NIST Digital Library of Mathematical Functions 8.4.10.

    Examples
    --------
    >>> five = Poisson(np.array([5.0]), np.array([1.0]))
    >>> float(five.below(np.array([1.0]))[0].round(6))
    0.006738
    """

    mean: FloatArray
    unit: FloatArray

    def below(self, line: FloatArray) -> FloatArray:
        """Give P(events / unit < line), the quotients compared as floats, as the points of a chart are."""
        return _count_below(line, self.unit, self.unit, self.mean, poisson_at_most)

    def above(self, line: FloatArray) -> FloatArray:
        """Give P(events / unit > line), the quotients compared as floats."""
        return _count_above(line, self.unit, self.unit, self.mean, poisson_at_least)

    def quantile(self, chance: FloatArray) -> FloatArray:
        """Give the rate or count of each chance, shape (charts, ..., T)."""
        spread = self.mean, np.sqrt(self.mean)
        return _count_quantile(chance, self.unit, self.unit, self.mean, spread, poisson_at_most)


@dataclass(frozen=True, slots=True, eq=False)
class Geometric:
    """Births from one event to the next.

    Parameters
    ----------
    mean : numpy.ndarray of float, shape (..., T)
        Mean gap, >= ``smallest``; NaN where not known.
    smallest : int
        1 where the birth with the event is counted, 0 where it is not.

    References
    ----------
    .. [1] Benneyan, Number-between g-type statistical quality control charts for monitoring adverse events.
       Health Care Manag Sci 2001;4:305-318.

    Examples
    --------
    >>> gaps = Geometric(np.array([10.0]), 1)
    >>> float(gaps.above(np.array([20.5]))[0].round(6))
    0.121577
    """

    mean: FloatArray
    smallest: int

    def _none(self) -> FloatArray:
        """Logarithm of the chance that a birth has no event."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log1p(-1 / (self.mean + 1 - self.smallest)))

    def below(self, line: FloatArray) -> FloatArray:
        """Give P(gap < line)."""
        births = np.maximum(np.ceil(line) - self.smallest, 0)
        return -np.expm1(_times(births, self._none()))

    def above(self, line: FloatArray) -> FloatArray:
        """Give P(gap > line)."""
        births = np.maximum(np.floor(line) + 1 - self.smallest, 0)
        return np.exp(_times(births, self._none()))

    def quantile(self, chance: FloatArray) -> FloatArray:
        """Give the gap of each chance, shape (charts, ..., T)."""
        with np.errstate(divide="ignore"):
            births = np.ceil(np.log1p(-chance) / self._none())
        return np.maximum(births, 1) - 1 + self.smallest


@dataclass(frozen=True, slots=True, eq=False)
class Normal:
    """A measurement, or a mean of several.

    Parameters
    ----------
    mean, sigma : numpy.ndarray of float, shape (..., T)
        Mean and standard deviation, >= 0; NaN where not known.

    References
    ----------
    .. [1] NIST Digital Library of Mathematical Functions 7.17.

    Examples
    --------
    >>> float(Normal(np.array([0.0]), np.array([1.0])).above(np.array([3.0]))[0].round(6))
    0.00135
    """

    mean: FloatArray
    sigma: FloatArray

    def below(self, line: FloatArray) -> FloatArray:
        """Give P(Y < line); of a constant, whether it lies there."""
        return _normal(line - self.mean, self.sigma)

    def above(self, line: FloatArray) -> FloatArray:
        """Give P(Y > line); of a constant, whether it lies there."""
        return _normal(self.mean - line, self.sigma)

    def quantile(self, chance: FloatArray) -> FloatArray:
        """Give the value of each chance, shape (charts, ..., T)."""
        return np.asarray(self.mean + self.sigma * special.ndtri(chance))


def _normal(distance: FloatArray, sigma: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = special.ndtr(distance / sigma)
    return np.where(sigma == 0, np.where(np.isnan(distance), np.nan, distance > 0), chance)


def _times(births: FloatArray, log_none: FloatArray) -> FloatArray:
    """Multiply, no birth having no event for certain even where every birth has one."""
    with np.errstate(invalid="ignore"):
        return np.where(births == 0, np.where(np.isnan(log_none), np.nan, 0), births * log_none)


def _count_below(
    line: FloatArray, unit: FloatArray, size: FloatArray, of: FloatArray, tail: Tail
) -> FloatArray:
    """Sum the counts whose quotient is below the line; the product may be rounded across a count."""
    line, unit, size, of = np.broadcast_arrays(line, unit, size, of)
    known = (size > 0) & (unit > 0) & ~np.isnan(line + of)
    out = np.full(line.shape, np.nan)
    line, unit, size, of = (a[known] for a in (line, unit, size, of))
    k = np.ceil(line * unit) - 1
    k += ((k + 1) / unit < line).astype(np.float64) - (k / unit >= line)
    out[known] = tail(k, size, of)
    return out


def _count_above(
    line: FloatArray, unit: FloatArray, size: FloatArray, of: FloatArray, tail: Tail
) -> FloatArray:
    """Sum the counts whose quotient is above the line."""
    line, unit, size, of = np.broadcast_arrays(line, unit, size, of)
    known = (size > 0) & (unit > 0) & ~np.isnan(line + of)
    out = np.full(line.shape, np.nan)
    line, unit, size, of = (a[known] for a in (line, unit, size, of))
    k = np.floor(line * unit) + 1
    k -= ((k - 1) / unit > line).astype(np.float64) - (k / unit <= line)
    out[known] = tail(k, size, of)
    return out


def _count_quantile(
    chance: FloatArray,
    unit: FloatArray,
    size: FloatArray,
    of: FloatArray,
    spread: tuple[FloatArray, FloatArray],
    tail: Tail,
) -> FloatArray:
    """Look up the counts in a table of P(X <= k) about the mean of each point."""
    known = (size > 0) & (unit > 0) & ~np.isnan(of)
    safe = np.where(known, size, 1).ravel(), np.where(known, of, 0).ravel()
    mean, sd = (np.where(known, a, 0).ravel() for a in spread)
    first = np.floor(np.maximum(mean - _FAR * (sd + 1), 0))
    k = first[:, np.newaxis] + np.arange(int(2 * _FAR * (sd.max(initial=0) + 1)) + 2)
    # A place of its own for each point on one line: the table can be searched at once.
    place = np.arange(len(k))
    table = tail(k, *(np.broadcast_to(a[:, np.newaxis], k.shape) for a in safe)) + place[:, np.newaxis]
    found = np.searchsorted(table.ravel(), chance + place.reshape(known.shape))
    found = np.minimum(found - place.reshape(known.shape) * k.shape[1], k.shape[1] - 1)
    return np.asarray((first.reshape(known.shape) + found) / np.where(known, unit, np.nan))
