"""Months to detect a change, and the births or the change for which they are few enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qi_equity import _validate
from qi_equity.data.cells import Bools, Floats
from qi_equity.data.periods import EVERY
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import floats
from qi_equity.formulas._cusum_arms import within
from qi_equity.planning.plan import MONTHS, Family
from qi_equity.planning.tuned import CHARTS, Chart, Design, tuned

__all__ = ["births_to_detect", "months_to_detect", "smallest_change_to_detect"]

Kind = Literal["proportion", "rate"]

_MOST_BIRTHS = 2**24
# The greatest change that is looked at, as a ratio; of proportions one to this.
_LARGEST = 100.0
_NEARLY_ALL = 0.99
# How near the logarithms of two ratios are when the smallest change is found, and where a bracket is cut.
_APART = 0.01
_TOWARDS_LARGE = 0.7


def months_to_detect(
    births: ArrayLike,
    before: ArrayLike,
    after: ArrayLike,
    *,
    chart: Chart = "bernoulli_cusum",
    false_alarm_months: ArrayLike = 150,
    kind: Kind = "proportion",
    every: str = "month",
) -> Floats:
    r"""Give the mean number of months from a change until a chart shows it, at an equal false-alarm time.

    The limit or threshold of the chart is tuned so that its side that looks for the change signals falsely
    once in ``false_alarm_months`` months while nothing changes: groups of every size wait equally long
    between false alarms, and what differs is how long they wait for a true one.

    Parameters
    ----------
    births : array_like, any shape
        Births (exposure, for rates) a month, >= 0; not rounded, but for the points of p charts. A point of a
        CUSUM or EWMA of a proportion has whole births, at least one, and as much time as these need.
    before, after : array_like, broadcastable to ``births``
        Rate of events before and after the change, in [0, 1] for proportions. A fall is looked for below, a
        rise above.
    chart : str
        ``"bernoulli_cusum"`` (birth by birth), ``"cusum"`` (of the counts, for the odds or rate after the
        change), ``"p"``, ``"u"``, ``"c"`` (exact limits), ``"ewma"`` (weight 0.2), ``"g"``, ``"t"``.
    false_alarm_months : array_like, broadcastable to ``births``
        Mean months between false signals of that side, > 0.
    kind : {"proportion", "rate"}
        Binomial or Poisson events.
    every : {"day", "week", "month", "quarter", "year"}
        How often charts of counts (p, u, c, CUSUM, EWMA) have a point.

    Returns
    -------
    numpy.ndarray of float
        Months, of the shape of the arguments (at least one-dimensional): the mean, for a chart that starts
        with the change, about known lines. Infinite where the chart can never show it; NaN where an argument
        is missing, there are no births, a rate is 0 or certain, or nothing changes.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If an argument is out of bounds, or the chart is not for this kind.

    Notes
    -----
    The threshold of the Bernoulli CUSUM is the smallest on a lattice that holds the step of the likelier
    outcome of a birth. Months are within 2 % of the table of a study of integer scores [1]_.

    Limits of an EWMA start narrow and widen, so that it sees a change at its start sooner than one that comes
    when it has been kept for long: of 250 births a month at 5 %, which is halved, in 2.2 months and in 3.1.
    CUSUMs start at their slowest, and p charts have no memory.

    References
    ----------
    .. [1] Reynolds, Stoumbos, A CUSUM chart for monitoring a proportion when inspecting continuously. J Qual
       Technol 1999;31:87-108 (seen at second hand).
    .. [2] Neuburger et al., Comparison of control charts for monitoring clinical performance using binary
       data. BMJ Qual Saf 2017;26:919-928 (charts at equal false signals).

    Examples
    --------
    A halving of 12 % in groups of 10, 75 and 300 births a month:

    >>> months_to_detect([10, 75, 300], 0.12, 0.06).round(1)
    array([13.5,  3.1,  1. ])
    >>> months_to_detect([10, 75, 300], 0.12, 0.06, chart="p").round(1)
    array([inf, 6.1, 1.2])
    """
    design = _design(births, before, after, false_alarm_months, kind, every)
    return _detect(_chart(chart, design.family), design)


def births_to_detect(
    before: ArrayLike,
    after: ArrayLike,
    *,
    within_months: ArrayLike = 12,
    chart: Chart = "bernoulli_cusum",
    false_alarm_months: ArrayLike = 150,
    kind: Kind = "proportion",
    every: str = "month",
) -> Floats:
    """Give the births a month with which a chart shows a change within so many months on average.

    Parameters
    ----------
    before, after : array_like, any shapes that fit together
        Rate of events before and after the change, in [0, 1] for proportions.
    within_months : array_like, broadcastable to these
        Mean months to the signal, > 0.
    chart, false_alarm_months, kind, every : optional
        As for :func:`months_to_detect`.

    Returns
    -------
    numpy.ndarray of float
        Whole births (exposure) a month, found by halving a bracket. Where months only fall with births they
        are the fewest; limits of p, u and c charts move in steps, so that fewer can be enough and a few more
        too few. Infinite where 16 million are not
        enough; NaN where nothing can be reckoned.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If an argument is out of bounds, or the chart is not for this kind.

    References
    ----------
    .. [1] As for :func:`months_to_detect`, of which it is the inverse.

    Examples
    --------
    >>> births_to_detect(0.12, 0.06, within_months=[3, 6, 12])
    array([77., 32., 12.])
    """
    names = {"before": before, "after": after, "within_months": within_months}
    p, q, months = floats(names)
    _above_zero("within_months", months)

    def enough(births: Floats) -> Bools:
        found = months_to_detect(
            births, p, q, chart=chart, false_alarm_months=false_alarm_months, kind=kind, every=every
        )
        return np.asarray(found <= months)

    possible = months_to_detect(1.0, p, q, chart=chart, false_alarm_months=false_alarm_months, kind=kind)
    return _least(~np.isnan(possible) & np.isfinite(months), enough)


def smallest_change_to_detect(
    births: ArrayLike,
    before: ArrayLike,
    *,
    within_months: ArrayLike = 12,
    direction: Literal["fall", "rise"] = "fall",
    chart: Chart = "bernoulli_cusum",
    false_alarm_months: ArrayLike = 150,
    kind: Kind = "proportion",
    every: str = "month",
) -> Floats:
    """Give the smallest change that a chart shows within so many months on average.

    Parameters
    ----------
    births, before : array_like, any shapes that fit together
        Births (exposure) a month, and rate of events before the change.
    within_months : array_like, broadcastable to these
        Mean months to the signal, > 0.
    direction : {"fall", "rise"}
        Which change.
    chart, false_alarm_months, kind, every : optional
        As for :func:`months_to_detect`.

    Returns
    -------
    numpy.ndarray of float
        Rate after over rate before: below 1 for a fall, above 1 for a rise; found to a hundredth, on the side
        of the greater change. NaN where a change by a factor of 100 (of proportions one to 99 %) would not be
        shown, or nothing can be reckoned.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If an argument is out of bounds, or the chart is not for this kind.

    References
    ----------
    .. [1] As for :func:`months_to_detect`, of which it is the inverse.

    Examples
    --------
    Of 12 %, in groups of 10, 75 and 300 births a month:

    >>> smallest_change_to_detect([10, 75, 300], 0.12).round(2)
    array([0.45, 0.79, 0.9 ])
    """
    names = {"births": births, "before": before, "within_months": within_months}
    n, p, months = floats(names)
    _above_zero("within_months", months)
    falls = _validate.one_of("direction", direction, ("fall", "rise")) == "fall"
    most = _farthest(p, falls=falls, kind=kind)

    def enough(share: Floats) -> Bools:
        after = p * np.exp(share * np.log(most))
        found = months_to_detect(
            n, p, after, chart=chart, false_alarm_months=false_alarm_months, kind=kind, every=every
        )
        return np.asarray(found <= months)

    known = enough(np.ones(p.shape))
    low, high = np.zeros(p.shape), np.where(known, 1.0, np.nan)
    # From the largest change towards none: a small one takes long to reckon, and is not looked at.
    while (np.abs(high - low) * np.abs(np.log(most)) > _APART)[known].any():
        middle = low + (high - low) * _TOWARDS_LARGE
        seen = enough(middle)
        low, high = np.where(seen, low, middle), np.where(seen, middle, high)
    return np.asarray(np.exp(high * np.log(most)))


def _farthest(p: Floats, *, falls: bool, kind: Kind) -> Floats:
    """Give the ratio of the greatest change that is looked at; NaN where nothing can change so."""
    if falls:
        return np.where(p > 0, 1 / _LARGEST, np.nan)
    with np.errstate(divide="ignore"):
        ratio = np.minimum(_LARGEST, _NEARLY_ALL / p) if kind == "proportion" else np.full(p.shape, _LARGEST)
    return np.where((p > 0) & (ratio > 1), ratio, np.nan)


def _least(known: Bools, enough: Callable[[Floats], Bools]) -> Floats:
    """Find the fewest whole births that are enough, by doubling and halving; infinite where none are."""
    high = np.ones(known.shape)
    while (short := known & ~enough(high) & (high < _MOST_BIRTHS)).any():
        high = np.where(short, 2 * high, high)
    never = known & ~enough(high)
    low = np.where(high > 1, high / 2, 0)
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        found = enough(middle) | ~known
        low, high = np.where(found, low, middle), np.where(found, middle, high)
    return np.where(never, np.inf, np.where(known, high, np.nan))


def _above_zero(name: str, values: Floats) -> None:
    wrong = values[values <= 0]
    if wrong.size:
        raise OptionError(f"{name} holds {float(wrong[0])!r}; give months above 0.")


def _chart(chart: object, family: Family) -> Chart:
    return _validate.one_of("chart", chart, CHARTS[family])


def _design(
    births: ArrayLike,
    before: ArrayLike,
    after: ArrayLike,
    false_alarm_months: ArrayLike,
    kind: Kind,
    every: str,
) -> Design:
    """Check and broadcast what a chart is tuned for."""
    names = {"births": births, "before": before, "after": after, "false_alarm_months": false_alarm_months}
    n, p, q, wanted = floats(names)
    proportion = _validate.one_of("kind", kind, ("proportion", "rate")) == "proportion"
    most = 1.0 if proportion else np.inf
    within("births", n, 0, np.inf)
    within("before", p, 0, most)
    within("after", q, 0, most)
    _above_zero("false_alarm_months", wanted)
    months = MONTHS[_validate.one_of("every", every, EVERY)]
    return Design(n, p, q, wanted, "binomial" if proportion else "poisson", months)


def _detect(chart: Chart, design: Design) -> Floats:
    """Tune the chart to every different cell once."""
    cells = np.stack([a.ravel() for a in design[:4]])
    different, back = np.unique(cells, axis=1, return_inverse=True)
    found = tuned(chart, Design(*different, design.family, design.months)).months_to_detect  # type: ignore[call-arg]
    return found[back.reshape(-1)].reshape(design.before.shape)
