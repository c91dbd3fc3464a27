"""Charts of rare events: g for the births, t for the time between one event and the next."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number, one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray, floats, mask
from qi_equity.formulas._ranges import Constants, Spread, mean_along
from qi_equity.formulas._weibull import fit_weibull, weibull_sd
from qi_equity.formulas.chances import chance_above_g
from qi_equity.formulas.individuals import i_limits
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.medians import row_median

__all__ = ["g_limits", "g_probability_limits", "t_limits", "t_probability_limits"]

_POWER = 3.6


def g_limits(
    gaps: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    mean: ArrayLike | None = None,
    smallest: int = 1,
    nsigma: float = 3.0,
) -> Limits:
    r"""Classical centre line and limits of a g chart, for births between events.

    .. math::
        \bar g \pm k \hat\sigma, \qquad \hat\sigma = \sqrt{(\bar g - s)(\bar g - s + 1)},
        \quad \bar g = \frac{1}{|B|} \sum_{t \in B} g_t

    with s the smallest gap there can be. The limits lie about the mean; drawn is the median of the baseline,
    since runs tests need half of the gaps on either side.

    A geometric distribution is so skewed that about 1.8 % of the gaps of a stable process lie above the upper
    limit (:math:`e^{-4}` for a rare event), where a normal distribution has 0.135 %, and that none can lie
    below the lower one, even at one standard deviation. :func:`g_probability_limits` keeps to 0.135 %.

    Parameters
    ----------
    gaps : array_like, shape (..., T)
        Births from each event to the next, >= ``smallest``; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Gaps that set centre line and limits. Default: all.
    mean : array_like, broadcastable to (..., T), optional
        A mean gap to use in place of that of the baseline; ``baseline`` is then not used, and the centre line
        is the median of the geometric distribution, as in :func:`g_probability_limits`.
    smallest : {1, 0}
        1: the birth with the event is counted, as :func:`~qi_equity.between_events` does. 0: only the births
        between are; this is the published :math:`\bar g \pm k \sqrt{\bar g (\bar g + 1)}`.
    nsigma : float
        Half-width of the limits in standard deviations, > 0.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), births. The lower limit is clipped at
        ``smallest``, ``sigma`` is not. Longer gaps mean fewer events. The lines are given where a gap is
        missing, too; they are NaN where the baseline holds no gap.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together, a gap or mean lies below ``smallest`` or an option is not allowed.

    References
    ----------
    .. [1] Benneyan, Number-between g-type statistical quality control charts for monitoring adverse events.
       Health Care Manag Sci 2001;4:305-318 (the formula is confirmed by two implementations only).

    Examples
    --------
    >>> limits = g_limits([3, 9, 2, 6], smallest=0)
    >>> float(limits.centre_line[0]), float(limits.upper[0].round(3))
    (4.5, 21.432)
    """
    y, start = _gaps(gaps, smallest)
    k = number("nsigma", nsigma, above=0)
    kept = np.where(mask("baseline", baseline, y.shape), y, np.nan)
    average = _mean_gap(kept, mean, start)
    centre = row_median(kept) if mean is None else _fairest_line(average, start)
    sigma = _geometric_sd(average, start)
    lower, upper = np.maximum(average - k * sigma, start), average + k * sigma
    return _along(y, centre, sigma, lower, upper)


def g_probability_limits(
    gaps: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    mean: ArrayLike | None = None,
    smallest: int = 1,
    tail: float = 0.00135,
) -> Limits:
    r"""Exact probability limits of a g chart, for births between events.

    A gap of k births signals when its tail probability is small under the geometric distribution with the
    mean :math:`\bar g` of the baseline and smallest value s:

    .. math::
        P(G \ge k) = q^{k - s} < \alpha \;\text{(high)}, \qquad
        P(G \le k) = 1 - q^{k - s + 1} < \alpha \;\text{(low)}, \qquad
        q = \frac{\bar g - s}{\bar g - s + 1}

    The limit is drawn half-way between the last gap that does not signal and the first that does, so that no
    gap lies on it. The centre line is the median of that distribution, or the place half a birth beside it
    where the chance of a gap to lie above (:func:`~qi_equity.formulas.chances.chance_above_g`) is nearer 1/2.

    Parameters
    ----------
    gaps : array_like, shape (..., T)
        Births from each event to the next, whole numbers >= ``smallest``; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Gaps that set centre line and limits. Default: all.
    mean : array_like, broadcastable to (..., T), optional
        A mean gap to use in place of that of the baseline; ``baseline`` is then not used.
    smallest : {1, 0}
        1: the birth with the event is counted, as :func:`~qi_equity.between_events` does. 0: only the births
        between are.
    tail : float
        Probability :math:`\alpha` of either tail, in (0, 0.5). Default: that of three standard errors of a
        normal distribution.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), births. ``sigma`` is the standard
        deviation of one gap. ``lower`` is ``smallest`` where no short gap can signal, which is so unless the
        chance of the event is below ``tail``. Longer gaps mean fewer events. The lines are given where a gap
        is missing, too; they are NaN where the baseline holds no gap.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together, a gap is fractional, a gap or mean lies below ``smallest`` or an option
        is not allowed.

    References
    ----------
    .. [1] Benneyan, Performance of number-between g-type statistical control charts for monitoring adverse
       events. Health Care Manag Sci 2001;4:319-336 (not read; the definition is that of an exact tail).

    Examples
    --------
    One birth in 25 has the event: a gap of 163 births signals, one of 162 does not, no short gap does.

    >>> limits = g_probability_limits([20, 30])
    >>> float(limits.centre_line[0]), float(limits.lower[0]), float(limits.upper[0])
    (17.5, 1.0, 162.5)
    """
    y, start = _gaps(gaps, smallest)
    fractional = y[(y % 1) > 0]
    if fractional.size:
        raise OptionError(
            f"gaps holds {float(fractional[0])!r}; births between events are whole numbers. "
            "Times between events belong on a t chart."
        )
    alpha = number("tail", tail, above=0, below=0.5)
    average = _mean_gap(np.where(mask("baseline", baseline, y.shape), y, np.nan), mean, start)
    with np.errstate(divide="ignore"):
        log_q = -np.log1p(1 / (average - start))
    high = np.floor(np.log(alpha) / log_q) + 1
    low = np.ceil(np.log1p(-alpha) / log_q) - 1
    lower, upper = start + np.maximum(low - 0.5, 0), start + high - 0.5
    return _along(y, _fairest_line(average, start), _geometric_sd(average, start), lower, upper)


def t_limits(
    times: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    spread: Spread = "mean",
    constants: Constants = "exact",
    nsigma: float = 3.0,
) -> Limits:
    r"""Centre line and limits of a t chart by transformation, for times between events.

    .. math:: x_t = y_t^{1 / 3.6}, \qquad (\bar x \pm k \hat\sigma_x)^{3.6}

    An exponential time to the power 1/3.6 is nearly normal; of the transformed times an individuals chart is
    drawn (:func:`~qi_equity.formulas.individuals.i_limits`), and its lines are transformed back.

    Parameters
    ----------
    times : array_like, shape (..., T)
        Times from each event to the next, > 0; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Times that set the centre line and the moving ranges. Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        Used in place of the mean of the transformed times, in the unit of the times, >= 0; the moving ranges
        still come from ``baseline``.
    spread : {"screened", "mean", "median"}
        How sigma comes from the moving ranges of the transformed times, as in ``i_limits``.
    constants : {"exact", "mdc", "qicharts2"}
        Constants of the moving ranges, as in ``i_limits``.
    nsigma : float
        Half-width of the limits in sigma on the transformed scale, > 0. The limits at two sigma are not two
        thirds of the way to those at three.

    Returns
    -------
    Limits
        ``centre_line, lower, upper``, each of shape (..., T), in the unit of the times, >= 0; ``lower`` is 0
        where no short time can signal. ``sigma`` is that of the transformed times. Fewer than two
        neighbouring times give NaN limits; in a constant series the limits lie on the centre line.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together, a time is not above 0 or an option is not allowed.

    References
    ----------
    .. [1] Nelson, A control chart for parts-per-million nonconforming items. J Qual Technol 1994;26:239-240.
    .. [2] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 7.3.5.

    Examples
    --------
    >>> limits = t_limits([3.2, 11.5, 7.4, 1.8, 20.1])
    >>> float(limits.centre_line[0].round(3)), float(limits.upper[0].round(1))
    (6.971, 80.3)
    """
    y = _times(times)
    used = mask("baseline", baseline, y.shape)
    root = y ** (1 / _POWER)
    line = None if centre_line is None else _given_times(centre_line, y) ** (1 / _POWER)
    limits = i_limits(
        root, baseline=used, centre_line=line, spread=spread, constants=constants, nsigma=nsigma
    )
    # Without a given line all is the same along time: one power a stratum does.
    column = slice(0, 1) if line is None else slice(None)
    centre = limits.centre_line[..., column] ** _POWER
    if line is None:
        # A mean lies within its values; of equal ones it is the value, which two powers would blur.
        kept = np.where(used, y, np.nan)
        shortest, longest = (f(kept, axis=-1, keepdims=True) for f in (np.fmin.reduce, np.fmax.reduce))
        centre = np.clip(centre, shortest, longest)
    flat = limits.sigma[..., column] == 0
    lower = np.where(flat, centre, np.maximum(limits.lower[..., column], 0) ** _POWER)
    upper = np.where(flat, centre, limits.upper[..., column] ** _POWER)
    return _along(y, centre, limits.sigma, lower, upper)


def t_probability_limits(
    times: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    distribution: Literal["weibull", "exponential"] = "weibull",
    tail: float = 0.00135,
) -> Limits:
    r"""Probability limits of a t chart, for times between events.

    A Weibull distribution of shape c and scale b is fitted to the baseline by maximum likelihood; the
    exponential one has c = 1 and the mean time as its scale. The centre line is its median, the limits are
    its quantiles:

    .. math::
        b (\ln 2)^{1/c}, \qquad b (-\ln(1 - \alpha))^{1/c}, \qquad b (-\ln \alpha)^{1/c}

    Parameters
    ----------
    times : array_like, shape (..., T)
        Times from each event to the next, > 0; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Times that the distribution is fitted to. Default: all.
    distribution : {"weibull", "exponential"}
        ``"exponential"``: events happen at a constant rate, whatever the time since the last. ``"weibull"``:
        its shape, too, comes from the baseline; with few times the limits are then wide apart from one
        baseline to the next.
    tail : float
        Probability :math:`\alpha` of either tail, in (0, 0.5). Default: that of three standard errors of a
        normal distribution.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), in the unit of the times, > 0. ``sigma``
        is the standard deviation of the distribution; the limits are no multiple of it. Where the baseline
        holds one time, or times all alike (within 1e-9 of each other), a Weibull shape cannot be estimated:
        the centre line is that time, the rest is NaN.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together, a time is not above 0 or an option is not allowed.

    References
    ----------
    .. [1] Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions, vol. 1, 2nd ed., chapter 21
       (likelihood equations).
    .. [2] Xie, Goh, Ranjan, Some effective control chart procedures for reliability monitoring. Reliab Eng
       Syst Saf 2002;77:143-150 (probability limits of times between events; not read).

    Examples
    --------
    >>> limits = t_probability_limits([3, 5, 4], distribution="exponential")
    >>> float(limits.centre_line[0].round(3)), float(limits.upper[0].round(2))
    (2.773, 26.43)
    """
    y = _times(times)
    used = mask("baseline", baseline, y.shape) & ~np.isnan(y)
    alpha = number("tail", tail, above=0, below=0.5)
    match one_of("distribution", distribution, ("weibull", "exponential")):
        case "weibull":
            shape, scale = fit_weibull(y, used)
        case _:
            scale = mean_along(np.where(used, y, np.nan))
            shape = np.ones_like(scale)
    middle, low, high = (scale * e ** (1 / shape) for e in (np.log(2), -np.log1p(-alpha), -np.log(alpha)))
    centre = np.where(np.isnan(shape), scale, middle)
    return _along(y, centre, weibull_sd(shape, scale), low, high)


def _gaps(gaps: ArrayLike, smallest: int) -> tuple[FloatArray, int]:
    (y,) = floats({"gaps": gaps})
    start = one_of("smallest", smallest, (1, 0))
    wrong = y[(y < start) | np.isinf(y)]
    if wrong.size:
        raise OptionError(
            f"gaps holds {float(wrong[0])!r}; give gaps of smallest={start} birth or more. "
            "Where the birth with the event is not counted, gaps start from smallest=0."
        )
    return y, start


def _mean_gap(kept: FloatArray, given: ArrayLike | None, start: int) -> FloatArray:
    """Take the mean given, or that of the baseline; it broadcasts to the gaps."""
    if given is None:
        return mean_along(kept)
    (mean, _) = floats({"mean": given, "gaps": kept})
    wrong = mean[(mean < start) | np.isinf(mean)]
    if wrong.size:
        raise OptionError(f"mean holds {float(wrong[0])!r}; no mean gap lies below smallest={start}.")
    return mean


def _geometric_sd(mean: FloatArray, start: int) -> FloatArray:
    return np.sqrt((mean - start) * (mean - start + 1))


def _fairest_line(mean: FloatArray, start: int) -> FloatArray:
    """Median of the geometric distribution, or half a birth beside it where that is more even."""
    with np.errstate(divide="ignore"):
        halving = np.log(2) / np.log1p(1 / (mean - start))
    median = start + np.maximum(np.ceil(halving) - 1, 0)
    lines = np.stack([median, median + 0.5, median - 0.5])
    unfair = np.abs(chance_above_g(lines, mean, smallest=start) - 0.5)
    # Where all gaps are the smallest, the chance on the median is NaN, which argmin takes: the median.
    return np.asarray(np.take_along_axis(lines, unfair.argmin(axis=0)[None], axis=0)[0])


def _times(times: ArrayLike) -> FloatArray:
    (y,) = floats({"times": times})
    wrong = y[(y <= 0) | np.isinf(y)]
    if wrong.size:
        raise OptionError(
            f"times holds {float(wrong[0])!r}; times between events must be finite and above 0. For two "
            "events in one moment record the time of day as well as the date, count births in place of time "
            "(a g chart), or make one event of them."
        )
    return y


def _given_times(centre_line: ArrayLike, y: FloatArray) -> FloatArray:
    (line, _) = floats({"centre_line": centre_line, "times": y})
    if np.any(line < 0):
        raise OptionError(f"centre_line holds {float(line[line < 0][0])!r}; give times of 0 or more.")
    return line


def _along(y: FloatArray, *parts: FloatArray) -> Limits:
    """Limits that hold along time."""
    return Limits(*(np.broadcast_to(part, y.shape).copy() for part in parts))
