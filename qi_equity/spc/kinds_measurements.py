"""Charts of measurements: i, mr, I', xbar, s, r; and the run chart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from qi_equity import _validate
from qi_equity.spc.kind import CONSTANTS, Constants, Distribution, Kind, Plots

ANY_MEASURE = ("proportion", "rate", "count", "mean", "between")


@dataclass(frozen=True, slots=True)
class Individuals(Kind):
    """An i chart (XmR): single values, spread from the moving range. Limits are never clipped.

    Parameters
    ----------
    spread : {"mean", "screened", "median"}
        Plain mean moving range, mean after one screening at its own upper limit, or median. Screening and the
        median make less of the baseline's own special causes, but their limits give false signals more
        often: within 24 points of a stable process in 10 % and 13 % of charts instead of 6 %.
    constants : {"exact", "mdc", "qicharts2"}
        ``"exact"`` 3/d2 = 2.6587, ``"mdc"`` 2.66 (Making Data Count), ``"qicharts2"`` 3/1.128.

    Raises
    ------
    OptionError
        If an option is none of these.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 6.4.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.Individuals(constants="mdc")
    Individuals(spread='mean', constants='mdc')
    """

    spread: Literal["mean", "screened", "median"] = "mean"
    constants: Constants = "exact"
    label: ClassVar[str] = "i"
    title: ClassVar[str] = "i chart (individuals, XmR)"
    fits: ClassVar[tuple[str, ...]] = ANY_MEASURE

    def __post_init__(self) -> None:
        _validate.one_of("spread", self.spread, ("mean", "screened", "median"))
        _validate.one_of("constants", self.constants, CONSTANTS)


@dataclass(frozen=True, slots=True)
class MovingRange(Kind):
    """An mr chart: the distance of each value from the one before. It tells of spread, not of level.

    Parameters
    ----------
    constants : {"exact", "mdc", "qicharts2"}
        As in :class:`Individuals`.

    Raises
    ------
    OptionError
        If the constants are none of these.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 6.4.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.MovingRange()
    MovingRange(constants='exact')
    """

    constants: Constants = "exact"
    label: ClassVar[str] = "mr"
    title: ClassVar[str] = "mr chart (moving ranges)"
    fits: ClassVar[tuple[str, ...]] = ANY_MEASURE
    plots: ClassVar[Plots] = "spread"
    least: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        _validate.one_of("constants", self.constants, CONSTANTS)

    @property
    def has_memory(self) -> bool:
        """Neighbouring ranges share a value, so that no run of them is a signal.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.MovingRange().has_memory
        True
        """
        return True


@dataclass(frozen=True, slots=True)
class IPrime(Kind):
    """Taylor's I' chart: individuals with denominators, so that limits are wide where few births are.

    Parameters
    ----------
    spread : {"mean", "screened"}
        Plain mean of the scaled moving ranges, or after one screening.

    Raises
    ------
    OptionError
        If ``spread`` is neither.

    References
    ----------
    .. [1] Taylor WA. Normalized individuals (IN) chart. 2017-18, variation.com.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.IPrime()
    IPrime(spread='mean')
    """

    spread: Literal["mean", "screened"] = "mean"
    label: ClassVar[str] = "ip"
    title: ClassVar[str] = "I' chart (individuals with denominators)"
    fits: ClassVar[tuple[str, ...]] = ("proportion", "rate", "mean")

    def __post_init__(self) -> None:
        _validate.one_of("spread", self.spread, ("mean", "screened"))


@dataclass(frozen=True, slots=True)
class Xbar(Kind):
    """An xbar chart: means of subgroups, with the spread within them.

    Parameters
    ----------
    spread : {"s", "r"}
        Spread from the standard deviations or from the ranges of the subgroups.

    Raises
    ------
    OptionError
        If ``spread`` is neither.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., sections 6.2 and 6.3.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.Xbar()
    Xbar(spread='s')
    """

    spread: Literal["s", "r"] = "s"
    label: ClassVar[str] = "xbar"
    title: ClassVar[str] = "xbar chart (means of subgroups)"
    fits: ClassVar[tuple[str, ...]] = ("mean",)

    def __post_init__(self) -> None:
        _validate.one_of("spread", self.spread, ("s", "r"))


@dataclass(frozen=True, slots=True)
class S(Kind):
    """An s chart: the standard deviation within each subgroup.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 6.3.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.S().kind
    's'
    """

    label: ClassVar[str] = "s"
    title: ClassVar[str] = "s chart (spread within subgroups)"
    fits: ClassVar[tuple[str, ...]] = ("mean",)
    plots: ClassVar[Plots] = "spread"
    least: ClassVar[float] = 0.0


@dataclass(frozen=True, slots=True)
class R(Kind):
    """An r chart: the range within each subgroup.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 6.2.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.R().kind
    'r'
    """

    label: ClassVar[str] = "r"
    title: ClassVar[str] = "r chart (ranges within subgroups)"
    fits: ClassVar[tuple[str, ...]] = ("mean",)
    plots: ClassVar[Plots] = "spread"
    least: ClassVar[float] = 0.0


@dataclass(frozen=True, slots=True)
class Run(Kind):
    """A run chart: the median, and no limits."""

    label: ClassVar[str] = "run"
    title: ClassVar[str] = "run chart"
    fits: ClassVar[tuple[str, ...]] = ANY_MEASURE

    @property
    def distribution(self) -> Distribution:
        """None is assumed."""
        return "none"
