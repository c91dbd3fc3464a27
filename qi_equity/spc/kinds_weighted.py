"""Charts that add up the past: EWMA, CUSUM, Bernoulli and risk-adjusted CUSUM, VLAD."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from qi_equity import _validate
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.spc.kind import Kind, Plots

COUNTS = ("proportion", "rate", "count")

FALSE_SIGNAL_EVERY = 740.0
"""Points (or months) between false signals of one arm, as of a limit at three sigma."""


class Weighted(Kind):
    """A statistic that carries its past."""

    __slots__ = ()

    plots: ClassVar[Plots] = "statistic"


@dataclass(frozen=True, slots=True)
class Ewma(Weighted):
    """An EWMA chart: the exponentially weighted moving average, with exact limits from the first point on.

    The standard error of a point is that of the p, u or c chart; of a mean that of the xbar chart where the
    spread within its subgroups is known, else that of the i chart.

    Parameters
    ----------
    weight : float
        Weight of the newest point, in (0, 1].
    width : float
        Half-width of the limits in standard errors of the average, > 0.

    Raises
    ------
    InputTypeError, OptionError
        If a parameter is no number, or outside its range.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 9.2.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.Ewma(weight=0.1, width=2.814)
    Ewma(weight=0.1, width=2.814)
    """

    weight: float = 0.2
    width: float = 3.0
    label: ClassVar[str] = "ewma"
    title: ClassVar[str] = "EWMA chart"
    fits: ClassVar[tuple[str, ...]] = (*COUNTS, "mean")

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", _validate.number("weight", self.weight, above=0, at_most=1))
        object.__setattr__(self, "width", _validate.number("width", self.width, above=0))


@dataclass(frozen=True, slots=True)
class Cusum(Weighted):
    """A two-sided tabular CUSUM of standardised points, (value - centre line) / standard error.

    For events among few births :class:`CountCusum` is exact where this takes them as normal.

    Parameters
    ----------
    k : float
        Reference value in standard errors, half the shift to find, >= 0.
    h : float
        Threshold in standard errors, > 0; an arm beyond it signals. An arm is not set back after a signal.
    head_start : float
        Where both arms start, >= 0 and below ``h``: h / 2 is the fast initial response.

    Raises
    ------
    InputTypeError, OptionError
        If a parameter is no number, or outside its range.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 9.1.
    .. [2] Lucas JM, Crosier RB. Fast initial response for CUSUM quality-control schemes. Technometrics
       1982;24:199-205.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.Cusum(h=4)
    Cusum(k=0.5, h=4.0, head_start=0.0)
    """

    k: float = 0.5
    h: float = 5.0
    head_start: float = 0.0
    label: ClassVar[str] = "cusum"
    title: ClassVar[str] = "CUSUM chart"
    fits: ClassVar[tuple[str, ...]] = (*COUNTS, "mean")
    two_arms: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", _validate.number("k", self.k, at_least=0))
        object.__setattr__(self, "h", _validate.number("h", self.h, above=0))
        object.__setattr__(
            self, "head_start", _validate.number("head_start", self.head_start, at_least=0, below=self.h)
        )


@dataclass(frozen=True, slots=True)
class CountCusum(Weighted):
    """A two-sided CUSUM of counts: log-likelihood ratios of the binomial or Poisson distribution.

    Parameters
    ----------
    ratio : float
        Change to find, > 1: odds (proportions) or rates times this, and divided by this.
    h : float, optional
        Threshold of the log-likelihood ratio, > 0. Default: for each stratum, and each arm, the one that
        gives a false signal once in ``false_signal_every`` points on average.
    head_start : float
        Where both arms start, >= 0, below ``h``.
    false_signal_every : float
        Points between false signals of each arm, on average, > 1, from which ``h`` is found; not with ``h``.
        Default: as of a limit at three sigma. It is meant for arms that start from 0.

    Raises
    ------
    InputTypeError, OptionError
        If a parameter is no number, outside its range, or ``false_signal_every`` is given with ``h``.

    References
    ----------
    .. [1] Page ES. Continuous inspection schemes. Biometrika 1954;41:100-115.
    .. [2] Brook D, Evans DA. An approach to the probability distribution of CUSUM run length. Biometrika
       1972;59:539-549.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.CountCusum(ratio=1.5)
    CountCusum(ratio=1.5, h=None, head_start=0.0, false_signal_every=740.0)
    """

    ratio: float = 2.0
    h: float | None = None
    head_start: float = 0.0
    false_signal_every: float = FALSE_SIGNAL_EVERY
    label: ClassVar[str] = "cusum"
    title: ClassVar[str] = "CUSUM chart of counts"
    fits: ClassVar[tuple[str, ...]] = COUNTS
    two_arms: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "ratio", _validate.number("ratio", self.ratio, above=1))
        object.__setattr__(self, "h", _threshold(self.h))
        below = math.inf if self.h is None else self.h
        start = _validate.number("head_start", self.head_start, at_least=0, below=below)
        object.__setattr__(self, "head_start", start)
        object.__setattr__(self, "false_signal_every", _every(self.false_signal_every, self.h))


@dataclass(frozen=True, slots=True)
class BernoulliCusum(Weighted):
    """A two-sided Bernoulli CUSUM: every birth, with the event or without, moves it.

    It needs the order of births: a series made by :func:`~qi_equity.between_events`. It starts after the
    first event, as the series does.

    Parameters
    ----------
    odds_ratio : float
        Change to find, > 1: odds times this, and divided by this.
    h : float, optional
        Threshold of the log-likelihood ratio, > 0; reaching it signals. Default: for each stratum and arm the
        one that gives a false signal once in ``false_signal_every`` months on average.
    restart : bool
        Whether an arm starts from 0 again after it has signalled.
    chance : float, optional
        Chance of the event to measure against, in (0, 1), such as a target. Default: events among the births
        of the baseline's gaps, of each stratum.
    false_signal_every : float
        Months, at the births a month of the baseline, between false signals of each arm, on average, > 1,
        from which ``h`` is found; not with ``h``.

    Raises
    ------
    InputTypeError, OptionError
        If a parameter is not of its type, outside its range, or ``false_signal_every`` is given with ``h``.

    References
    ----------
    .. [1] Reynolds MR, Stoumbos ZG. A CUSUM chart for monitoring a proportion when inspecting continuously.
       Journal of Quality Technology 1999;31:87-108.
    .. [2] Neuburger J, et al. Comparison of control charts for monitoring clinical performance using binary
       data. BMJ Quality & Safety 2017;26:919-928.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.BernoulliCusum(h=3.5)
    BernoulliCusum(odds_ratio=2.0, h=3.5, restart=True, chance=None, false_signal_every=740.0)
    """

    odds_ratio: float = 2.0
    h: float | None = None
    restart: bool = True
    chance: float | None = None
    false_signal_every: float = FALSE_SIGNAL_EVERY
    label: ClassVar[str] = "bernoulli_cusum"
    title: ClassVar[str] = "Bernoulli CUSUM chart"
    fits: ClassVar[tuple[str, ...]] = ("between",)
    two_arms: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "odds_ratio", _validate.number("odds_ratio", self.odds_ratio, above=1))
        object.__setattr__(self, "h", _threshold(self.h))
        _flag("restart", self.restart)
        if self.chance is not None:
            object.__setattr__(self, "chance", _validate.number("chance", self.chance, above=0, below=1))
        object.__setattr__(self, "false_signal_every", _every(self.false_signal_every, self.h))


@dataclass(frozen=True, slots=True)
class RiskAdjustedCusum(Weighted):
    """A two-sided risk-adjusted CUSUM: events against the probability expected of each case.

    From :func:`~qi_equity.between_events` every birth moves it; from counts by period, the events against the
    expected number (Poisson). The expected probabilities must come from elsewhere than these data.

    Parameters
    ----------
    odds_ratio : float
        Change to find, > 1: odds (or rate, by period) times this, and divided by this.
    h : float, optional
        Threshold of the log-likelihood ratio, > 0; reaching it signals. Default: for each stratum and arm the
        one that gives a false signal once in ``false_signal_every`` months (or periods, if counted by period)
        on average, were all cases of the mean risk.
    restart : bool
        Whether an arm starts from 0 again after it has signalled; by period it always goes on.
    false_signal_every : float
        Months (or periods, if counted by period) between false signals of each arm, on average, > 1, from
        which ``h`` is found; not with ``h``.

    Raises
    ------
    InputTypeError, OptionError
        If a parameter is not of its type, outside its range, or ``false_signal_every`` is given with ``h``.

    References
    ----------
    .. [1] Steiner SH, Cook RJ, Farewell VT, Treasure T. Monitoring surgical performance using risk-adjusted
       cumulative sum charts. Biostatistics 2000;1:441-452.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.RiskAdjustedCusum(h=4.5).kind
    'risk_adjusted_cusum'
    """

    odds_ratio: float = 2.0
    h: float | None = None
    restart: bool = True
    false_signal_every: float = FALSE_SIGNAL_EVERY
    label: ClassVar[str] = "risk_adjusted_cusum"
    title: ClassVar[str] = "risk-adjusted CUSUM chart"
    fits: ClassVar[tuple[str, ...]] = ("proportion", "between")
    two_arms: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "odds_ratio", _validate.number("odds_ratio", self.odds_ratio, above=1))
        object.__setattr__(self, "h", _threshold(self.h))
        _flag("restart", self.restart)
        object.__setattr__(self, "false_signal_every", _every(self.false_signal_every, self.h))


@dataclass(frozen=True, slots=True)
class Vlad(Weighted):
    """A VLAD: expected minus observed events, added up. It shows, and has no limits to signal by.

    References
    ----------
    .. [1] Lovegrove J, Valencia O, Treasure T, Sherlaw-Johnson C, Gallivan S. Monitoring the results of
       cardiac surgery by variable life-adjusted display. Lancet 1997;350:1128-1130.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.Vlad().kind
    'vlad'
    """

    label: ClassVar[str] = "vlad"
    title: ClassVar[str] = "VLAD (expected minus observed events)"
    fits: ClassVar[tuple[str, ...]] = ("proportion", "between")


def _threshold(h: float | None) -> float | None:
    return None if h is None else _validate.number("h", h, above=0)


def _every(points: float, h: float | None) -> float:
    """Check how rare false signals are to be; with a threshold of one's own it would have no effect."""
    found = _validate.number("false_signal_every", points, above=1)
    if h is not None and found != FALSE_SIGNAL_EVERY:
        raise OptionError(
            f"false_signal_every={points!r} is for thresholds that are found, and h={h!r} is one; leave one "
            "of them out."
        )
    return found


def _flag(argument: str, value: bool) -> None:
    if not isinstance(value, bool):
        raise InputTypeError(f"{argument}={value!r} is not True or False.")
