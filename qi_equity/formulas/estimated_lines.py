"""How long a chart runs whose lines are estimated from a baseline: what teams have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity._validate import number, one_of, whole_number
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._ranges import Constants, Spread
from qi_equity.formulas._tails import (
    Tail,
    binomial_at_most,
    binomial_signals,
    poisson_at_most,
    poisson_signals,
)
from qi_equity.formulas.distributions import Binomial, Distribution, Normal, Poisson
from qi_equity.formulas.individuals import i_limits
from qi_equity.formulas.waiting import Waiting
from qi_equity.formulas.zone_chains import ZoneChain
from qi_equity.formulas.zone_chances import Pair, zone_chances
from qi_equity.formulas.zone_waiting import zone_waiting

__all__ = [
    "Lines",
    "baseline_totals",
    "drawn_error",
    "estimated_count_waiting",
    "estimated_normal_waiting",
]

Lines = Callable[[FloatArray], tuple[Pair | None, Pair | None, Pair | None]]
"""From centre lines of shape (..., K, 1), NaN where the baseline has no event, to the lower and upper limits
at one, two and three standard errors, of shapes that fit to (..., K, C); None where no test looks at one."""

# Ways the spread, and the centre line, of a baseline of measurements can come out.
_CLASSES, _NODES = 128, 11
# Baselines drawn at a time.
_AT_ONCE = 8192


def estimated_normal_waiting(
    chain: ZoneChain,
    *,
    baseline: int,
    shift: ArrayLike = 0.0,
    spread: Spread = "mean",
    constants: Constants = "exact",
    draws: int = 100_000,
    seed: int = 0,
) -> Waiting:
    r"""Follow an individuals chart whose lines come from its first points, from the point after them.

    Given the lines, the later points are independent, and their waiting time is exact. The mean of normal
    points is independent of their moving ranges: the centre line is integrated (Gauss-Hermite, 11 nodes), and
    only sigma is drawn, its draws gathered in 128 classes of equal size. The tests start anew after the
    baseline; runs that look back into it make a false signal a little more likely, by up to 0.04 within 12
    points where seven on one side signal.

    Parameters
    ----------
    chain : ZoneChain
        The test, or several together, started after the baseline.
    baseline : int
        Points that set the lines, >= 2: normal, independent, of mean 0 and standard deviation 1.
    shift : array_like, any shape (...)
        By how many true standard deviations the points after the baseline are moved.
    spread, constants : str
        How sigma is estimated, as in :func:`qi_equity.formulas.individuals.i_limits`.
    draws : int
        Baselines drawn, >= 1000.
    seed : int
        Of the draws, >= 0; the same seed gives the same numbers.

    Returns
    -------
    Waiting
        Number of points after the baseline to the first signal, of shape (...), weighted by the lines.
        Monte-Carlo error of ``within``: :func:`drawn_error`. Read ``within`` and the median: with limits as
        the only test and a baseline of less than about 28 points (mean moving range) the mean does not exist,
        as too wide limits are too likely, and what ``mean`` gives grows with the number of classes.

    Raises
    ------
    InputTypeError
        If an argument is not of its type.
    OptionError
        If one is out of bounds.

    References
    ----------
    .. [1] Quesenberry, The effect of sample size on estimated limits for X-bar and X control charts. J Qual
       Technol 1993;25:237-247.
    .. [2] Basu, On statistics independent of a complete sufficient statistic. Sankhya 1955;15:377-380.

    Examples
    --------
    A false signal within a year, with limits from 12 months; known limits give 0.032:

    >>> from qi_equity.formulas.zone_test_chains import beyond_limits_chain
    >>> wait = estimated_normal_waiting(beyond_limits_chain(), baseline=12)
    >>> float(wait.within(12).round(2))
    0.15
    """
    k = whole_number("baseline", baseline, at_least=2)
    size = whole_number("draws", draws, at_least=1000)
    (moved,) = floats({"shift": np.asarray(shift, dtype=np.float64)[..., None, None]})
    sigma = _spreads(k, size, whole_number("seed", seed, at_least=0), spread, constants)
    node, share = special.roots_hermitenorm(_NODES)
    centre = np.repeat(node / np.sqrt(k), _CLASSES)[:, None]
    sd = np.tile(sigma, _NODES)[:, None]
    points = Normal(moved + 0 * centre, np.ones_like(moved + centre))
    one, two, three = ((centre - m * sd, centre + m * sd) for m in (1, 2, 3))
    chances = zone_chances(points, centre, one_sigma=one, two_sigma=two, three_sigma=three)
    weight = np.repeat(share / share.sum(), _CLASSES) / _CLASSES
    return replace(zone_waiting(chain, chances), weight=weight)


def drawn_error(waiting: Waiting, points: ArrayLike, *, draws: int) -> FloatArray:
    """Give the Monte-Carlo standard error of the chance of a signal within so many points.

    Parameters
    ----------
    waiting : Waiting
        Of :func:`estimated_normal_waiting`.
    points : array_like, broadcastable to (...)
        As for :meth:`qi_equity.formulas.waiting.Waiting.within`.
    draws : int
        As given there.

    Returns
    -------
    numpy.ndarray of float, shape (...)
        At most; what the spread of the centre line adds, which is not drawn, is counted too.

    Raises
    ------
    InputTypeError
        If ``draws`` is not a whole number, or ``points`` holds no numbers.
    OptionError
        If ``draws`` is less than 1000, or ``points`` negative or missing.

    References
    ----------
    .. [1] The definition.

    Examples
    --------
    >>> from qi_equity.formulas.zone_test_chains import beyond_limits_chain
    >>> wait = estimated_normal_waiting(beyond_limits_chain(), baseline=12, draws=100_000)
    >>> float(drawn_error(wait, 12, draws=100_000).round(4))
    0.0007
    """
    size = whole_number("draws", draws, at_least=1000)
    each = replace(waiting, weight=None).within(np.asarray(points, dtype=np.float64)[..., None])
    share = special.roots_hermitenorm(_NODES)[1]
    of_class = np.einsum(
        "...jc,j->...c", each.reshape(*each.shape[:-1], _NODES, _CLASSES), share / share.sum()
    )
    return np.asarray(of_class.std(axis=-1, ddof=1) / np.sqrt(size))


def baseline_totals(
    births: ArrayLike,
    chance: ArrayLike,
    *,
    distribution: Literal["binomial", "poisson"],
    tolerance: float = 1e-9,
    most: int = 4096,
) -> tuple[FloatArray, FloatArray]:
    """List the numbers of events that a baseline can have, and how likely each is.

    Parameters
    ----------
    births : array_like, shape (..., k)
        Births, or exposure, of the k periods of the baseline, >= 0.
    chance : array_like, broadcastable to (...)
        Chance of the event, in [0, 1], or events per exposure, >= 0.
    distribution : {"binomial", "poisson"}
        Of the events of a period.
    tolerance : float
        The totals of the two tails together, less likely than this, are counted with the nearest that is
        listed; > 0.
    most : int
        If there are more, an odd number of neighbours is put together at their middle. Not below 4096, which
        takes some 100,000 events, what is asked of the chart moves by less than 1e-6.

    Returns
    -------
    totals, weights : numpy.ndarray of float, shape (..., K)
        Whole numbers, rising from 0, which always stands alone; their weights sum to 1. Where a stratum has
        fewer than others, the last have weight 0.

    Raises
    ------
    InputTypeError
        If an argument is not of its type.
    OptionError
        If one is out of bounds or missing, or shapes do not fit together.

    References
    ----------
    .. [1] The definition: a sum of independent binomial (Poisson) counts of one chance (rate) is binomial
       (Poisson).

    Examples
    --------
    >>> totals, weights = baseline_totals([1, 1], 0.5, distribution="binomial")
    >>> totals, weights.round(9)
    (array([0., 1., 2.]), array([0.25, 0.5 , 0.25]))
    """
    small, room = number("tolerance", tolerance, above=0, below=1), whole_number("most", most, at_least=1)
    size, p, at_most = _baseline(births, chance, distribution)
    first, last = _reach(size, p, distribution == "binomial", small / 2)
    stride = np.ceil((last - first + 1) / room)
    stride += 1 - stride % 2
    lumps = int(np.ceil((last - first + 1) / stride).max(initial=1))
    place = np.arange(lumps)
    totals = first + stride * place + (stride - 1) / 2
    ends = first + stride * (place + 1) - 1
    shape = ends.shape
    size, p = (np.broadcast_to(a, shape) for a in (size, p))
    up_to = np.where(ends < last, at_most(ends, size, p), 1.0)
    none = at_most(np.zeros(shape), size, p)[..., :1]
    edges = np.concatenate([np.zeros_like(none), none, up_to], axis=-1)
    totals = np.concatenate([np.zeros_like(none), np.minimum(totals, last)], axis=-1)
    return totals, np.maximum(np.diff(edges, axis=-1), 0)


def estimated_count_waiting(
    chain: ZoneChain,
    lines: Lines,
    *,
    births: ArrayLike,
    baseline: ArrayLike,
    before: ArrayLike,
    after: ArrayLike | None = None,
    distribution: Literal["binomial", "poisson"],
    most: int = 4096,
) -> Waiting:
    """Follow a p or u chart whose centre line comes from a baseline, from the point after it.

    Exact: the chart is followed for every number of events that the baseline can have
    (:func:`baseline_totals`), the baseline and the later points being independent.

    Parameters
    ----------
    chain : ZoneChain
        The test, or several together, started after the baseline.
    lines : callable
        As :data:`Lines`: the limits about a centre line, in events per birth, for the points of ``births``.
    births : array_like, shape (..., C)
        Births, or exposure, of the points after the baseline, which repeat.
    baseline : array_like, shape (..., k)
        Births, or exposure, of the baseline. The centre line is its events over these.
    before, after : array_like, shape (...)
        Chance, or rate, in the baseline and after it. Default: no change.
    distribution : {"binomial", "poisson"}
        Of the events of a point.
    most : int
        As for :func:`baseline_totals`.

    Returns
    -------
    Waiting
        Number of points after the baseline to the first signal, of shape (...), with the weights of the
        baselines. A baseline without an event gives no lines and so never signals: where that can be, the
        mean is infinite.

    Raises
    ------
    InputTypeError
        If an argument is not of its type.
    OptionError
        If one is out of bounds or missing, or shapes do not fit together.

    References
    ----------
    .. [1] Champ, Woodall, Technometrics 1987;29:393-399, given the lines; the definition for the rest.

    Examples
    --------
    300 births a month at 12 %, before and after a fall to 9 %, limits from 24 months:

    >>> from qi_equity.formulas.zone_test_chains import beyond_limits_chain
    >>> def lines(centre):
    ...     sd = np.sqrt(centre * (1 - centre) / 300)
    ...     return None, None, (centre - 3 * sd, centre + 3 * sd)
    >>> wait = estimated_count_waiting(beyond_limits_chain(), lines, births=[300], baseline=[300] * 24,
    ...     before=0.12, after=[0.12, 0.09], distribution="binomial")
    >>> wait.within(12).round(2)
    array([0.04, 0.47])
    """
    (n,) = floats({"births": births})
    then = before if after is None else after
    was, now = floats({"before": before, "after": then})
    shape = np.broadcast_shapes(np.shape(np.asarray(before)), np.shape(np.asarray(then)))
    was, now = was.reshape(shape), now.reshape(shape)
    totals, weights = baseline_totals(baseline, was, distribution=distribution, most=most)
    size = floats({"baseline": baseline})[0].sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.where(totals > 0, totals / size, np.nan)[..., None]
    n, chance = n[..., None, :], now[..., None, None]
    one, two, three = lines(centre)
    shape = np.broadcast_shapes(n.shape, chance.shape, centre.shape)
    unit, chance = np.broadcast_to(n, shape), np.broadcast_to(chance, shape)
    points: Distribution = (
        Binomial(chance, unit, unit) if distribution == "binomial" else Poisson(chance * unit, unit)
    )
    line = np.broadcast_to(centre, shape)
    chances = zone_chances(points, line, one_sigma=one, two_sigma=two, three_sigma=three)
    return replace(zone_waiting(chain, chances), weight=weights)


def _spreads(k: int, draws: int, seed: int, spread: Spread, constants: Constants) -> FloatArray:
    """Draw estimates of sigma from k points, in classes of equal size: the mean of each, rising."""
    rng = np.random.default_rng(seed)
    size = -(-draws // _CLASSES) * _CLASSES
    found = [
        i_limits(rng.standard_normal((some, k)), spread=spread, constants=constants).sigma[:, 0]
        for some in np.diff([*range(0, size, _AT_ONCE), size])
    ]
    return np.asarray(np.sort(np.concatenate(found)).reshape(_CLASSES, -1).mean(axis=1))


def _baseline(births: ArrayLike, chance: ArrayLike, distribution: str) -> tuple[FloatArray, FloatArray, Tail]:
    """Give births and chance, or 1 and the mean, of the whole baseline, (..., 1), and P(X <= k)."""
    of = one_of("distribution", distribution, ("binomial", "poisson"))
    each, p = floats({"births": births, "chance": np.asarray(chance)[..., None]})
    most = 1.0 if of == "binomial" else np.inf
    if not ((each >= 0).all() and ((p >= 0) & (p <= most)).all() and np.isfinite(each * p).all()):
        raise OptionError(
            "births and chance hold missing or impossible values; give births of 0 or more, and a chance "
            "from 0 to 1 (a rate of 0 or more)."
        )
    size, p = each.sum(axis=-1, keepdims=True), p[..., :1]
    if of == "poisson":
        return np.zeros_like(size), size * p, poisson_at_most
    if (each != np.floor(each)).any():
        raise OptionError("births holds parts of a birth; give whole numbers, or distribution='poisson'.")
    return size, p, binomial_at_most


def _reach(size: FloatArray, p: FloatArray, binomial: bool, tail: float) -> tuple[FloatArray, FloatArray]:
    """Give the first total of 1 or more, and the last, beyond which a tail is less likely than that."""
    sure = (p == 0) | ((size == 0) | (p == 1)) & binomial
    n, of = np.where(sure, 1.0, size).ravel(), np.where(sure, 0.5, p).ravel()
    low, high = binomial_signals(n, of, tail) if binomial else poisson_signals(of, tail)
    low, high = (a.reshape(p.shape) for a in (low, high))
    only = size * p
    last = np.maximum(np.where(sure, only, high - 1), 1)
    return np.where(sure, last, np.maximum(low + 1, 1)), last
