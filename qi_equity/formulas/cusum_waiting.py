"""How long a CUSUM runs before it signals: the whole distribution, of either arm or of both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number, one_of
from qi_equity.formulas._arrays import BoolArray, FloatArray, IntArray, floats
from qi_equity.formulas._count_lattice import count_arms, lattice_moves, points_per_event, steps
from qi_equity.formulas._cusum_arms import Threshold, floats_and_thresholds, within
from qi_equity.formulas._normal_cusum import normal_start, normal_step
from qi_equity.formulas._two_arms import both_starts, in_blocks, placed, two_arms
from qi_equity.formulas.cusum import Distribution
from qi_equity.formulas.waiting import Step, Waiting, follow

__all__ = ["Side", "count_cusum_waiting", "tabular_cusum_waiting"]

Side = Literal["both", "low", "high"]

_DISTRIBUTIONS: tuple[Distribution, ...] = ("binomial", "poisson")
_SIDES: tuple[Side, ...] = ("both", "low", "high")
# Entries of the matrix of a point of an arm, about.
_ENTRIES = 2**14
# As where thresholds of a whole number of points are counted in run lengths.
_ROUNDING = 1e-9


def tabular_cusum_waiting(
    shift: ArrayLike = 0.0,
    *,
    k: float = 0.5,
    h: float = 5.0,
    head_start: float = 0.0,
    side: Side = "both",
) -> Waiting:
    r"""Run length of a tabular CUSUM of independent normal points: its distribution.

    With :math:`f_t` the density of the high arm on :math:`(0, h]` after t points without a signal and
    :math:`q_t` its chance to be at 0,

    .. math::
        f_{t+1}(x) = q_t \varphi(x + k - \mu) + \int_0^h f_t(s) \varphi(x + k - s - \mu) \, ds

    on the nodes of a quadrature, whose error is below 1e-11 of the chance; the low arm with :math:`-\mu`.

    Parameters
    ----------
    shift : array_like, any shape
        Shift :math:`\mu` of the mean from the first point on, in standard errors; 0: in control.
    k : float
        Reference value of the chart, >= 0.
    h : float
        Decision interval of the chart, > 0; a signal lies strictly beyond.
    head_start : float
        Where both arms start, >= 0 and below ``h``.
    side : {"both", "low", "high"}
        Which arms may signal.

    Returns
    -------
    Waiting
        Of the shape of ``shift`` (at least one-dimensional), in points; NaN where it is missing. Both arms
        are put together as those of which one is at 0 when the other signals, which is so unless the head
        start is above ``h / 2``.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If ``k``, ``h``, ``head_start`` or ``side`` is out of bounds.

    References
    ----------
    .. [1] Page, Continuous inspection schemes. Biometrika 1954;41:100-115 (integral equation).
    .. [2] Lucas, Crosier, Fast initial response for CUSUM quality-control schemes. Technometrics
       1982;24:199-205 (one arm at 0 when the other signals). Seen at second hand.

    Examples
    --------
    >>> wait = tabular_cusum_waiting([0, 1], h=4)
    >>> wait.mean().round(2), wait.quantile(0.5), wait.within(12).round(3)
    (array([167.68,   8.38]), array([118.,   7.]), array([0.046, 0.842]))
    """
    (mu,) = floats({"shift": shift})
    reference, limit = number("k", k, at_least=0), number("h", h, above=0)
    start = number("head_start", head_start, at_least=0, below=limit)
    of = one_of("side", side, _SIDES)
    some = np.isfinite(mu)
    moved = mu[some]

    def follow_some(part: slice) -> Waiting:
        now = moved[part]
        begin = normal_start(len(now), limit)
        low, high = (normal_step(sign * now, reference, limit, start) for sign in (-1, 1))
        arms = {"low": (low,), "high": (high,)}.get(of, (low, high))
        return _followed(arms, [begin] * len(arms))

    entries = 2 * normal_start(1, limit).size ** 2
    return placed(lambda: in_blocks(follow_some, len(moved), entries), some)


def count_cusum_waiting(
    size: ArrayLike,
    chance: ArrayLike,
    *,
    distribution: Distribution = "binomial",
    ratio: float = 2.0,
    h: Threshold,
    side: Side = "both",
    head_start: float = 0.0,
    actual: ArrayLike | None = None,
) -> Waiting:
    r"""Run length of a count CUSUM whose denominators repeat: its distribution.

    By a Markov chain of the values of each arm on a lattice, point by point. It is that of
    :func:`~qi_equity.formulas.cusum_run_length.count_cusum_run_length`, exact where the lattice holds the
    reference value of the arm and else within about 1 %; where a few denominators that differ repeat, drawn
    charts had mean runs up to 4 % longer, as the threshold lies between points of the lattice.

    Parameters
    ----------
    size : array_like, shape (..., C)
        Births (binomial) or exposure (Poisson) of C periods that follow on each other again and again, so
        C = 1 where they do not vary; births are rounded to whole ones. A period without any, or of unknown
        size, counts as a point at which nothing moves.
    chance : array_like, broadcastable to (..., C)
        Centre line of the chart: chance of an event in [0, 1], or rate per unit of exposure >= 0.
    distribution : {"binomial", "poisson"}
        Of the events of a period.
    ratio : float
        Odds ratio or rate ratio of the chart, > 1.
    h : float, array_like broadcastable to (..., 1), or a pair (low, high) of these
        Threshold, > 0, on the scale of log likelihood; reaching it signals.
    side : {"both", "low", "high"}
        Which arms may signal.
    head_start : float
        Where both arms start, >= 0 and below ``h``, on the scale of log likelihood.
    actual : array_like, broadcastable to (..., C), optional
        True chance or rate of an event. Default: ``chance``, that is, nothing has changed.

    Returns
    -------
    Waiting
        Of shape (...), in periods; NaN where a threshold that matters is missing or there is no period in
        which a chart is possible (no birth or no event possible, the event certain, something missing). Both
        arms are put together as those of which one is at 0 when the other signals, which is so or very
        nearly so.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an argument is out of bounds.

    References
    ----------
    .. [1] Brook, Evans, An approach to the probability distribution of CUSUM run length. Biometrika
       1972;59:539-549 (Markov chain).
    .. [2] Lucas, Crosier, Fast initial response for CUSUM quality-control schemes. Technometrics
       1982;24:199-205 (one arm at 0 when the other signals). Seen at second hand.

    Examples
    --------
    >>> wait = count_cusum_waiting([50, 45, 55], 0.06, h=4, actual=0.03, side="low")
    >>> float(wait.mean().round(1)), float(wait.quantile(0.9))
    (8.6, 14.0)
    """
    of, r = one_of("distribution", distribution, _DISTRIBUTIONS), number("ratio", ratio, above=1)
    looks = one_of("side", side, _SIDES)
    arguments = {"size": size, "chance": chance, "actual": chance if actual is None else actual}
    n, p, now, *limits = floats_and_thresholds(arguments, h)
    start = number("head_start", head_start, at_least=0)
    most = 1 if of == "binomial" else math.inf
    for name, value, highest in (("size", n, math.inf), ("chance", p, most), ("actual", now, most)):
        within(name, value, 0, highest)
    used = [limit for limit, arm in zip(limits, ("low", "high"), strict=True) if looks in ("both", arm)]
    for limit in used:
        within("head_start", np.full(1, start), 0, float(np.nanmin(limit, initial=math.inf)))
    births = np.rint(n) if of == "binomial" else n
    moves = (births * p > 0) & (p < most) & (births < math.inf) & (now < math.inf)
    some = moves.any(axis=-1) & np.all([limit[..., 0] < math.inf for limit in used], axis=0)
    chart = _Charts(births, p, now, moves, limits[0][..., 0], limits[1][..., 0]).take(some)

    def follow_some(part: slice) -> Waiting:
        return _follow_counts(chart.take(part), of, r, start, looks)

    cycle = n.shape[-1]
    return placed(lambda: in_blocks(follow_some, len(chart.low), cycle * _ENTRIES), some, cycle)


class _Charts(NamedTuple):
    """Charts of counts: what is known of each point, (A, C), and the thresholds of both arms, (A,)."""

    births: FloatArray
    chance: FloatArray
    actual: FloatArray
    moves: BoolArray
    low: FloatArray
    high: FloatArray

    def take(self, some: BoolArray | slice) -> _Charts:
        """Leave the others out."""
        births, chance, actual, moves = self.births, self.chance, self.actual, self.moves
        return _Charts(births[some], chance[some], actual[some], moves[some], self.low[some], self.high[some])


class _Lattice(NamedTuple):
    """The lattice of an arm: direction of its change, points an event, and states below the threshold."""

    ratio: float
    per_event: FloatArray
    states: IntArray


def _lattice(chart: _Charts, of: Distribution, ratio: float, limit: FloatArray) -> _Lattice:
    """Choose a lattice that holds the mean reference value of an arm, almost."""
    reference = np.mean(_reference(chart, of, ratio), axis=1, where=chart.moves)
    events = limit / math.log(max(ratio, 1 / ratio))
    per_event = points_per_event(reference, events)
    return _Lattice(ratio, per_event, np.ceil(events * per_event - _ROUNDING).astype(np.int64))


def _reference(chart: _Charts, of: Distribution, ratio: float) -> FloatArray:
    flat = count_arms(chart.births.ravel(), chart.chance.ravel(), of, ratio)
    return flat.reference.reshape(chart.births.shape)


def _lattices(chart: _Charts, of: Distribution, ratio: float, side: Side) -> list[_Lattice]:
    ways = (("low", 1 / ratio, chart.low), ("high", ratio, chart.high))
    return [_lattice(chart, of, r, limit) for name, r, limit in ways if side in ("both", name)]


def _follow_counts(chart: _Charts, of: Distribution, ratio: float, start: float, side: Side) -> Waiting:
    lattices = _lattices(chart, of, ratio, side)
    width = max(int(lattice.states.max()) for lattice in lattices)
    arms = [_count_step(chart, of, lattice, width) for lattice in lattices]
    starts = [_count_start(lattice, width, start / math.log(ratio)) for lattice in lattices]
    return _followed(arms, starts, chart.births.shape[1])


def _followed(arms: Sequence[Step], starts: Sequence[FloatArray], cycle: int = 1) -> Waiting:
    """Follow one arm, or two."""
    if len(arms) == 1:
        return follow(starts[0], arms[0], cycle=cycle)
    return follow(both_starts(*starts), two_arms(*arms), cycle=cycle)


def _count_step(chart: _Charts, of: Distribution, lattice: _Lattice, width: int) -> Step:
    """Give the step of an arm of each chart, with a matrix for each point of the cycle."""
    reference = _reference(chart, of, lattice.ratio)
    moves = []
    for c in range(chart.births.shape[1]):
        some = chart.moves[:, c]
        kernel = np.zeros((len(some), 2 * width + 2))
        kernel[~some, width] = 1
        arms = count_arms(chart.births[some, c], chart.actual[some, c], of, lattice.ratio)
        arms = arms._replace(reference=reference[some, c])
        if some.any():
            kernel[some] = steps(arms, lattice.per_event[some], width)
        moves.append(lattice_moves(kernel, lattice.states))

    def step(now: FloatArray, t: int) -> tuple[FloatArray, FloatArray]:
        matrix, signal = moves[t % len(moves)]
        return (matrix @ now.ravel()).reshape(now.shape), (now * signal).sum(axis=1)

    return step


def _count_start(lattice: _Lattice, width: int, start: float) -> FloatArray:
    """Give the chances of the states at the start, in events, which may lie between two of them."""
    found, arm, last = (
        np.zeros((len(lattice.states), width)),
        np.arange(len(lattice.states)),
        lattice.states - 1,
    )
    place = start * lattice.per_event
    whole = np.minimum(np.floor(place).astype(np.intp), last)
    part = np.minimum(place - whole, 1)
    np.add.at(found, (arm, whole), 1 - part)
    np.add.at(found, (arm, np.minimum(whole + 1, last)), part)
    return found
