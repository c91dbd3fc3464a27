"""What every kind of chart says of itself, whatever its parameters."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from qi_equity import _validate
from qi_equity.errors import OptionError

Plots = Literal["value", "events", "spread", "gap", "statistic"]
Distribution = Literal["binomial", "poisson", "normal", "geometric", "weibull", "none"]


Constants = Literal["exact", "mdc", "qicharts2"]
CONSTANTS: tuple[Constants, ...] = ("exact", "mdc", "qicharts2")

TAIL = 0.00135
"""Probability of one side beyond a limit, as beyond three sigma of a normal distribution."""

_LARGEST_TAIL = 0.02
"""Less than beyond two sigma, 0.02275: the limits must lie outside the zones."""


class Kind:
    """Base of the specifications of charts; the class variables say what a kind is.

    Attributes
    ----------
    label : str
        Name that ``control_chart(kind=...)`` takes.
    title : str
        What it is called on figures and in text.
    fits : tuple of str
        Kinds of measure it can draw.
    plots : {"value", "events", "spread", "gap", "statistic"}
        What a point is: the measure's value, the events of a period, the spread within or between periods,
        the births or days between events, or a statistic that carries its past.
    least, ceiling : float
        The lowest and highest value that a point can have, whatever the parameters.
    two_arms : bool
        Whether a point has two values, one that looks for a rise and one for a fall.
    """

    __slots__ = ()

    label: ClassVar[str]
    title: ClassVar[str]
    fits: ClassVar[tuple[str, ...]]
    plots: ClassVar[Plots] = "value"
    least: ClassVar[float] = -np.inf
    ceiling: ClassVar[float] = np.inf
    two_arms: ClassVar[bool] = False

    @property
    def kind(self) -> str:
        """Name of the kind with these parameters."""
        return self.label

    @property
    def floor(self) -> float:
        """The lowest value that a point can have with these parameters."""
        return self.least

    @property
    def distribution(self) -> Distribution:
        """Distribution of a point while nothing changes."""
        return "normal"

    @property
    def is_counted(self) -> bool:
        """Whether points are events, or events among births: whole numbers with a floor of 0."""
        return False

    @property
    def has_memory(self) -> bool:
        """Whether a point carries its past, so that neighbours are alike and no run of them is a signal."""
        return self.plots == "statistic"


def check_ranges(spread: str, constants: str, *, used: bool, where: str) -> None:
    """Check how moving ranges are taken; what would have no effect is refused.

    Raises
    ------
    OptionError
        If an option is not allowed, or not with these limits.
    """
    _validate.one_of("spread", spread, ("mean", "screened"))
    _validate.one_of("constants", constants, CONSTANTS)
    if not used and (spread, constants) != ("mean", "exact"):
        raise OptionError(f"spread={spread!r} and constants={constants!r} are for {where}; leave them out.")


def check_tail(tail: float, *, used: bool, where: str) -> float:
    """Check the probability of one side beyond a limit; what would have no effect is refused.

    Raises
    ------
    InputTypeError, OptionError
        If it is no number, not allowed, or not with these limits.
    """
    found = _validate.number("tail", tail, above=0, at_most=_LARGEST_TAIL)
    if not used and found != TAIL:
        raise OptionError(f"tail={tail!r} is for {where}; leave it out.")
    return found
