"""What a chart that is planned is made of: its kind, the line, and the births of a point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qi_equity import _validate
from qi_equity.data.cells import Floats
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.spc.kinds import DEFAULTS, Given, Spec
from qi_equity.spc.kinds_between import G, T
from qi_equity.spc.kinds_counts import NP, P
from qi_equity.spc.kinds_measurements import Individuals, IPrime, MovingRange, R, S, Xbar
from qi_equity.spc.kinds_weighted import (
    BernoulliCusum,
    CountCusum,
    Cusum,
    Ewma,
    RiskAdjustedCusum,
    Vlad,
)
from qi_equity.spc.stable import Counted

__all__ = ["NAMES", "Planned", "is_normal", "read_planned", "refuse"]

NAMES = ("i", "ip", "xbar", "pp", "up", "p", "np", "u", "c", "g", "t", "ewma", "cusum", "bernoulli_cusum")


@dataclass(frozen=True, slots=True)
class Planned:
    """A chart that is only planned.

    ``line`` is the centre line as given, NaN for points that are taken as normal; ``births`` those of a point
    (of a Bernoulli CUSUM: of a month), NaN where none are given.
    """

    spec: Given
    line: float
    births: float

    @property
    def counts(self) -> bool:
        """Whether points are counts, which a change of the rate moves, and not normal."""
        return not np.isnan(self.line)

    @property
    def rate(self) -> float:
        """Chance of the event, or events a unit of exposure or of time."""
        if isinstance(self.spec, G):
            return 1 / (self.line + 1 - self.spec.smallest)
        return 1 / self.line if isinstance(self.spec, T) else self.line

    @property
    def is_chance(self) -> bool:
        """Whether the rate is a chance of each birth, at most 1."""
        weighted = isinstance(self.spec, Ewma | CountCusum) and not np.isnan(self.births)
        return weighted or isinstance(self.spec, P | NP | G | BernoulliCusum)

    def changed(self, changes: Floats) -> Floats:
        """Give the rates after changes; an OptionError where one is impossible."""
        rates = self.rate * changes
        if self.is_chance and (rates > 1).any():
            raise OptionError(
                f"change={float(changes[rates > 1][0])!r} is not allowed: a chance of {self.rate:.4g} "
                f"times that "
                f"is above 1. Give at most {1 / self.rate:.4g}."
            )
        return rates


def is_normal(spec: Spec) -> bool:
    """Whether the points of a Shewhart chart are taken as normal."""
    laney = isinstance(spec, Counted) and spec.distribution == "normal"
    return laney or isinstance(spec, Individuals | IPrime | Xbar)


def refuse(spec: Spec) -> None:
    """Raise an OptionError for kinds of which no run length is followed."""
    match spec:
        case MovingRange() | S() | R():
            why = "its points tell of spread, not of level; use kind='i' or 'xbar'"
        case Vlad():
            why = "it has no limits that could signal; use kind='bernoulli_cusum'"
        case RiskAdjustedCusum():
            why = (
                "its run length depends on the risk of every birth; use kind='bernoulli_cusum' at the mean "
                "chance"
            )
        case _:
            return
    raise OptionError(f"kind={spec.kind!r} is not followed: {why}.")


def read_planned(kind: object, centre_line: float | None, size: float | None) -> Planned:
    """Read the arguments that describe a chart.

    Raises
    ------
    InputTypeError, OptionError
        If one is of the wrong type, out of range, missing for this kind, or not for it.
    """
    spec = _spec(kind, centre_line)
    refuse(spec)
    needs_line = isinstance(spec, Counted | T | CountCusum | BernoulliCusum) and not is_normal(spec)
    line = _line(spec, centre_line, needed=needs_line)
    return Planned(spec, line, _births(spec, size, line))


def _spec(kind: object, centre_line: float | None) -> Given:
    if isinstance(kind, str):
        if kind in DEFAULTS:
            refuse(DEFAULTS[kind])
        name = _validate.one_of("kind", kind, NAMES)
        # A CUSUM of counts needs no normal approximation.
        return CountCusum() if name == "cusum" and centre_line is not None else DEFAULTS[name]
    if isinstance(kind, Given):
        return kind
    raise InputTypeError(
        f"kind={kind!r} is of type {type(kind).__name__}; give a name ({', '.join(map(repr, NAMES))}) or a "
        "specification such as P() or Individuals()."
    )


def _line(spec: Given, centre_line: float | None, *, needed: bool) -> float:
    if isinstance(spec, BernoulliCusum) and spec.chance is not None:
        if centre_line is not None:
            raise OptionError(
                f"centre_line={centre_line!r} is not for {spec!r}, which has chance=; leave it out."
            )
        return spec.chance
    if centre_line is None:
        if needed:
            raise OptionError(
                f"centre_line=None is not allowed with kind={spec.kind!r}; give what is to be expected."
            )
        return np.nan
    if is_normal(spec) or isinstance(spec, Cusum):
        use = " For counts use qe.CountCusum()." if isinstance(spec, Cusum) else ""
        raise OptionError(
            f"centre_line={centre_line!r} is not for kind={spec.kind!r}, whose points are taken as normal; "
            f"leave it out and give shift= in standard errors.{use}"
        )
    line = _validate.number("centre_line", centre_line, above=0)
    if isinstance(spec, P | NP | BernoulliCusum):
        # A chance.
        return _validate.number("centre_line", line, below=1)
    if isinstance(spec, G):
        # A gap that is always the smallest leaves nothing to chart.
        return _validate.number("centre_line", line, above=spec.smallest)
    return line


def _births(spec: Given, size: float | None, line: float) -> float:
    """Check the births of a point, or of a month."""
    match spec:
        case P() | NP() if not np.isnan(line):
            if size is None:
                raise OptionError(
                    f"size=None is not allowed with kind={spec.kind!r}; give the births of a point."
                )
            return float(_validate.whole_number("size", size, at_least=1))
        case _ if spec.kind == "u":
            if size is None:
                raise OptionError("size=None is not allowed with kind='u'; give the exposure of a point.")
            return _validate.number("size", size, above=0)
        case BernoulliCusum():
            if size is None and spec.h is None:
                raise OptionError(
                    "size=None is not allowed with kind='bernoulli_cusum' without h=; give births a month, "
                    "from which the threshold is found."
                )
            return np.nan if size is None else _validate.number("size", size, above=0)
        case Ewma() | CountCusum() if not np.isnan(line) and size is not None:
            _validate.number("centre_line", line, below=1)
            return float(_validate.whole_number("size", size, at_least=1))
    if size is not None:
        raise OptionError(
            f"size={size!r} is not for kind={spec.kind!r}"
            + (" without centre_line" if isinstance(spec, Ewma) else "")
            + "; leave it out."
        )
    return np.nan
