"""How long an EWMA chart runs before it signals, and the width of its limits for a run length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity._validate import number, one_of
from qi_equity.formulas._arrays import BoolArray, FloatArray, floats
from qi_equity.formulas._count_ewma import NODES, CountEwma, count_ewma, reached
from qi_equity.formulas._cusum_arms import within
from qi_equity.formulas._normal_ewma import NormalEwma, normal_ewma
from qi_equity.formulas._roots import rising_root
from qi_equity.formulas._two_arms import in_blocks, placed
from qi_equity.formulas.cusum import Distribution
from qi_equity.formulas.cusum_waiting import Side
from qi_equity.formulas.waiting import Waiting, follow

__all__ = ["StartLimits", "count_ewma_waiting", "count_ewma_width", "ewma_waiting", "ewma_width"]

StartLimits = Literal["exact", "asymptotic"]

_ENTRIES = 2**14
# The width of a chart of counts is found to so much, of itself or of the run length.
_NEAR = 1e-3
_ROUGH = 5e-3
_SIDES: tuple[Side, ...] = ("both", "low", "high")
_LIMITS: tuple[StartLimits, ...] = ("exact", "asymptotic")
# A width is found to so much; a run length changes by about three times its size with every 1 of it.
_CLOSE = 1e-10


def ewma_waiting(
    shift: ArrayLike = 0.0,
    *,
    weight: float = 0.2,
    width: ArrayLike = 3.0,
    limits: StartLimits = "exact",
    side: Side = "both",
    head_start: float = 0.0,
) -> Waiting:
    r"""Run length of an EWMA chart of independent normal points: its distribution.

    With :math:`f_t` the density of the average within its limits after t points without a signal,

    .. math::
        f_{t+1}(z) = \frac{1}{w} \int_{L_t}^{U_t} f_t(y)
        \, \varphi\left(\frac{z - (1 - w) y}{w} - \mu\right) dy

    on the nodes of a quadrature that are spread out with the limits; twice as many nodes change a mean run by
    less than 1e-11 of itself. Signals lie beyond

    .. math:: \pm c \sqrt{\frac{w}{2 - w} \left(1 - (1 - w)^{2t}\right)}
        \quad\text{or}\quad \pm c \sqrt{\frac{w}{2 - w}}

    Parameters
    ----------
    shift : array_like, any shape
        Shift :math:`\mu` of the mean from the first point on, in standard errors of a point; 0: in control.
    weight : float
        Weight :math:`w` of the newest point, in (0, 1].
    width : array_like, broadcastable to ``shift``
        Half-width :math:`c` of the limits in standard errors of the average, > 0.
    limits : {"exact", "asymptotic"}
        With the exact starting variance, as :func:`~qi_equity.formulas.ewma.ewma_limits` draws them, or as
        wide from the first point on as they get.
    side : {"both", "low", "high"}
        Which limits signal. The average is not held back at the other one.
    head_start : float
        Where the average starts, in asymptotic standard errors of the average: above the centre line, for
        "low" below it.

    Returns
    -------
    Waiting
        Of the shape of the arguments (at least one-dimensional), in points; NaN where one is missing.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an option is out of bounds.

    References
    ----------
    .. [1] Crowder, A simple method for studying run-length distributions of exponentially weighted moving
       average charts. Technometrics 1987;29:401-407 (integral equation).
    .. [2] Lucas, Saccucci, Exponentially weighted moving average control schemes. Technometrics 1990;32:1-12.
    .. [3] Knoth, EWMA schemes with nonhomogeneous transition kernels. Sequential Analysis 2003;22:241-255
       (exact starting variance). Seen at second hand; the R package spc 0.6.7 gives the same numbers.

    Examples
    --------
    >>> wait = ewma_waiting([0, 1], weight=0.2, width=2.962, limits="asymptotic")
    >>> wait.mean().round(1), wait.quantile(0.5)
    (array([499.7,  10.5]), array([348.,   9.]))
    """
    mu, c = floats({"shift": shift, "width": width})
    w, start = number("weight", weight, above=0, at_most=1), number("head_start", head_start)
    exact, of = one_of("limits", limits, _LIMITS) == "exact", one_of("side", side, _SIDES)
    within("width", c, 0, np.inf)
    some = np.isfinite(mu) & np.isfinite(c)
    sign = -1 if of == "low" else 1
    chart = NormalEwma(
        sign * mu[some], c[some], np.full(some.sum(), start), w, lowest=of == "both", exact=exact
    )

    def follow_some(part: slice) -> Waiting:
        here = chart._replace(shift=chart.shift[part], width=chart.width[part], start=chart.start[part])
        return follow(*normal_ewma(here))

    return placed(lambda: in_blocks(follow_some, int(some.sum()), chart.nodes**2), some)


def ewma_width(
    weight: float,
    points_between: ArrayLike = 370.0,
    *,
    limits: StartLimits = "exact",
    side: Side = "both",
) -> FloatArray:
    """Width of the limits of an EWMA chart of normal points for a mean run in control.

    Parameters
    ----------
    weight : float
        Weight of the newest point, in (0, 1].
    points_between : array_like, any shape
        Mean number of points to a false signal, > 1.
    limits : {"exact", "asymptotic"}
        As for :func:`ewma_waiting`.
    side : {"both", "low", "high"}
        Which limits signal, both together or one alone.

    Returns
    -------
    numpy.ndarray of float, shape of ``points_between`` (at least one-dimensional)
        Half-widths in standard errors of the average, within 1e-9; NaN where a run length is missing, or so
        short that limits without any width have it.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If an argument is out of bounds.

    References
    ----------
    .. [1] Lucas, Saccucci, Exponentially weighted moving average control schemes. Technometrics 1990;32:1-12.

    Examples
    --------
    >>> ewma_width(0.2, [370, 500], limits="asymptotic").round(3)
    array([2.859, 2.962])
    """
    (wanted,) = floats({"points_between": points_between})
    w, of = number("weight", weight, above=0, at_most=1), one_of("side", side, _SIDES)
    within("points_between", wanted, 1, np.inf, ends=False)

    def longer(width: FloatArray, some: BoolArray) -> FloatArray:
        mean = ewma_waiting(0.0, weight=w, width=width, limits=limits, side=of).mean()
        return np.asarray(np.log(mean / goal[some]))

    known = np.isfinite(wanted)
    goal, found = wanted[known], np.full(wanted.shape, np.nan)
    guess = _guess(goal, of)
    if known.any():
        found[known] = rising_root(longer, guess, guess, least=0.0, close=_CLOSE, small=_CLOSE)
    return found


def _guess(points_between: FloatArray, side: Side) -> FloatArray:
    """Width at which a chart of the points themselves runs so long; log run lengths rise about as steeply."""
    return np.maximum(-special.ndtri(1 / points_between / (2 if side == "both" else 1)), 0.5)


def count_ewma_waiting(
    size: ArrayLike,
    chance: ArrayLike,
    *,
    weight: float = 0.2,
    width: ArrayLike = 3.0,
    distribution: Distribution = "binomial",
    limits: StartLimits = "exact",
    side: Side = "both",
    actual: ArrayLike | None = None,
) -> Waiting:
    r"""Run length of an EWMA chart of counts whose denominators repeat: its distribution.

    The true binomial or Poisson counts move the average from point to point; what they leave between the
    nodes of a lattice goes to both neighbours. Among 54 strata of 5 to 300 births and chances of 0.5 to 20 %,
    at a width of 2.3, eight times as many nodes changed mean runs of one side or both by at most 0.4 % up to
    850 points and 2 % up to 3,000; where hardly a series of points without an event reaches the low limit,
    runs of over 100,000 points are up to 40 % too short. Limits that no series reaches never signal.

    Parameters
    ----------
    size : array_like, shape (..., C)
        Births (binomial) or exposure (Poisson) of C points that follow on each other again and again, so
        C = 1 where they do not vary; births are rounded to whole ones. A point without any, or of unknown
        size, counts as one at which nothing moves.
    chance : array_like, broadcastable to (..., C)
        Centre line: chance of an event in [0, 1], or rate per unit of exposure >= 0.
    weight : float
        Weight of the newest point, in (0, 1].
    width : array_like, broadcastable to (..., 1)
        Half-width of the limits in standard errors of the average, > 0.
    distribution : {"binomial", "poisson"}
        Of the events of a point.
    limits : {"exact", "asymptotic"}
        With the exact starting variance, as :func:`~qi_equity.formulas.ewma.ewma_limits` draws them, or from
        the first point on as they get.
    side : {"both", "low", "high"}
        Which limits signal. The average is not held back at the other one.
    actual : array_like, broadcastable to (..., C), optional
        True chance or rate of an event. Default: ``chance``, that is, nothing has changed.

    Returns
    -------
    Waiting
        Of shape (...), in points; NaN where a width is missing or there is no point for which a chart is
        possible (no birth or no event possible, the event certain, something missing).

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an argument is out of bounds.

    References
    ----------
    .. [1] Borror, Champ, Rigdon, Poisson EWMA control charts. Journal of Quality Technology 1998;30:352-361
       (Markov chain; seen at second hand). The R package spc 0.6.7 gives the same numbers, on a lattice of
       its own.

    Examples
    --------
    >>> wait = count_ewma_waiting([28, 33, 30], 0.06, width=2.4, actual=0.12, side="high")
    >>> float(wait.mean().round(1)), float(wait.quantile(0.9))
    (3.8, 7.0)
    """
    chart, some = _read(size, chance, actual, width, weight, distribution, limits, side)

    def follow_some(part: slice) -> Waiting:
        return follow(*count_ewma(chart.take(part)), cycle=cycle)

    cycle = chart.births.shape[-1]
    return placed(lambda: in_blocks(follow_some, len(chart.width), cycle * _ENTRIES), some, cycle)


def count_ewma_width(
    size: ArrayLike,
    chance: ArrayLike,
    *,
    weight: float = 0.2,
    distribution: Distribution = "binomial",
    limits: StartLimits = "exact",
    side: Side = "both",
    points_between: ArrayLike = 370.0,
) -> FloatArray:
    """Width of the limits of an EWMA chart of counts for a mean run in control.

    The smallest at which the chart, or that side of it, signals falsely no more than once in so many points,
    by :func:`count_ewma_waiting` with denominators that do not vary.

    Parameters
    ----------
    size : array_like, any shape
        Births (binomial) or exposure (Poisson) of a point, > 0; births are rounded to whole ones. With
        denominators that vary give their median.
    chance : array_like, broadcastable to ``size``
        Chance of an event in [0, 1], or rate per unit of exposure >= 0.
    weight : float
        Weight of the newest point, in (0, 1].
    distribution : {"binomial", "poisson"}
        Of the events of a point.
    limits : {"exact", "asymptotic"}
        As for :func:`count_ewma_waiting`.
    side : {"both", "low", "high"}
        Which limits signal, both together or one alone.
    points_between : array_like, broadcastable to ``size``
        Mean number of points to a false signal, > 1.

    Returns
    -------
    numpy.ndarray of float, shape of the arguments (at least one-dimensional)
        Half-widths in standard errors of the average; the mean run is within 0.1 % of what was wanted, or
        jumps over it within 0.001 of the width. NaN where no limit that counts can reach signals as seldom,
        or no chart is possible.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an argument is out of bounds.

    References
    ----------
    .. [1] Borror, Champ, Rigdon, Poisson EWMA control charts. Journal of Quality Technology 1998;30:352-361.

    Examples
    --------
    >>> count_ewma_width([12, 300], 0.06, side="high", points_between=150).round(2)
    array([2.56, 2.3 ])
    """
    n, p, wanted = floats({"size": size, "chance": chance, "points_between": points_between})
    within("points_between", wanted, 1, np.inf, ends=False)
    chart, some = _read(n[..., np.newaxis], p[..., np.newaxis], None, 1.0, weight, distribution, limits, side)
    chart = chart.take(np.isfinite(wanted[some]))
    some &= np.isfinite(wanted)
    goal, found = wanted[some], np.full(wanted.shape, np.nan)
    if not some.any():
        return found

    def longer(nodes: int) -> Callable[[FloatArray, BoolArray], FloatArray]:
        def at(width: FloatArray, those: BoolArray) -> FloatArray:
            here = chart.take(those)._replace(width=width)
            return np.log(follow(*count_ewma(here, nodes)).mean() / goal[those])

        return at

    guess = _guess(goal, side)
    rough = rising_root(longer(NODES // 4), guess, guess, least=0.0, close=_ROUGH, small=_ROUGH)
    guess = np.where(np.isnan(rough), guess, rough)
    width = rising_root(longer(NODES), guess, guess, least=0.0, close=_NEAR, small=_NEAR)
    low, high = reached(chart._replace(width=np.nan_to_num(width)))
    found[some] = np.where(low | high, width, np.nan)
    return found


def _read(
    size: ArrayLike,
    chance: ArrayLike,
    actual: ArrayLike | None,
    width: ArrayLike,
    weight: float,
    distribution: Distribution,
    limits: StartLimits,
    side: Side,
) -> tuple[CountEwma, BoolArray]:
    """Check the arguments; give the charts there can be, and which these are of all."""
    w = number("weight", weight, above=0, at_most=1)
    of = one_of("distribution", distribution, ("binomial", "poisson"))
    sign = {"low": -1, "both": 0, "high": 1}[one_of("side", side, _SIDES)]
    exact = one_of("limits", limits, _LIMITS) == "exact"
    true = chance if actual is None else actual
    n, p, now, c = floats({"size": size, "chance": chance, "actual": true, "width": width})
    most = 1 if of == "binomial" else np.inf
    for name, value, highest in (("size", n, np.inf), ("chance", p, most), ("actual", now, most)):
        within(name, value, 0, highest)
    within("width", c, 0, np.inf)
    births = np.rint(n) if of == "binomial" else n
    moves = (births * p > 0) & (p < most) & (births < np.inf) & (now < np.inf)
    some = moves.any(axis=-1) & (c[..., 0] < np.inf)
    arrays = (births[some], p[some], now[some], moves[some], c[some][..., 0])
    return CountEwma(*arrays, weight=w, poisson=of == "poisson", sign=sign, exact=exact), some
