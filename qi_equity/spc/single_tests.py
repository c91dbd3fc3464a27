"""The single tests as data: small, frozen, with their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from qi_equity import _validate
from qi_equity.errors import InputTypeError

_TIES = ("break", "skip")
_RUNS_METHODS = ("anhoej", "best_box", "cut_box")
_SAME_SIDE = ("all", "beyond", "any")

RunsMethod = Literal["anhoej", "best_box", "cut_box"]
Ties = Literal["break", "skip"]
SameSide = Literal["all", "beyond", "any"]


class _Test:
    """What a test needs, and on which sides it marks points.

    ``needs_zones`` are the distances from the centre line (in sigma) at which it needs further limits.
    ``sides`` are "low" and "high", "none" where a pattern has no direction, or nothing where the test judges
    a phase as a whole and marks no point.
    """

    __slots__ = ()

    name: ClassVar[str]
    needs_limits: ClassVar[bool] = False
    needs_zones: ClassVar[tuple[int, ...]] = ()
    is_runs_test: ClassVar[bool] = False
    sides: ClassVar[tuple[str, ...]] = ("low", "high")


@dataclass(frozen=True, slots=True)
class BeyondLimits(_Test):
    """A point strictly outside the limits.

    Examples
    --------
    >>> from qi_equity.spc.rules import BeyondLimits
    >>> BeyondLimits().needs_limits
    True
    """

    name: ClassVar[str] = "beyond_limits"
    needs_limits: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class LongestRun(_Test):
    """A run on one side of the centre line longer than is to be expected of so many useful points.

    Parameters
    ----------
    method : {"anhoej", "best_box", "cut_box"}
        Limit of :func:`qi_equity.formulas.runs.anhoej_limits`, or of :mod:`qi_equity.formulas.boxes`. A set
        with both :class:`LongestRun` and :class:`Crossings` has one method.

    Examples
    --------
    >>> from qi_equity.spc.rules import LongestRun
    >>> LongestRun().name
    'longest_run'
    """

    method: RunsMethod = "anhoej"
    name: ClassVar[str] = "longest_run"
    is_runs_test: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _validate.one_of("method", self.method, _RUNS_METHODS)


@dataclass(frozen=True, slots=True)
class Crossings(_Test):
    """Fewer crossings of the centre line than are to be expected of so many useful points.

    Parameters
    ----------
    method : {"anhoej", "best_box", "cut_box"}
        Limit of :func:`qi_equity.formulas.runs.anhoej_limits`, or of :mod:`qi_equity.formulas.boxes`.

    Examples
    --------
    >>> from qi_equity.spc.rules import Crossings
    >>> Crossings().sides
    ()
    """

    method: RunsMethod = "anhoej"
    name: ClassVar[str] = "crossings"
    is_runs_test: ClassVar[bool] = True
    sides: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        _validate.one_of("method", self.method, _RUNS_METHODS)


@dataclass(frozen=True, slots=True)
class Shift(_Test):
    """``length`` or more consecutive points on one side of the centre line.

    Parameters
    ----------
    length : int
        Number of points, at least 2.
    ties, missing : {"break", "skip"}
        Whether a point on the line, or a missing one, ends the run or is passed over.

    Examples
    --------
    >>> from qi_equity.spc.rules import Shift
    >>> Shift(length=8).length
    8
    """

    length: int = 7
    ties: Ties = "break"
    missing: Ties = "break"
    name: ClassVar[str] = "shift"
    is_runs_test: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", _validate.whole_number("length", self.length, at_least=2))
        _validate.one_of("ties", self.ties, _TIES)
        _validate.one_of("missing", self.missing, _TIES)


@dataclass(frozen=True, slots=True)
class Trend(_Test):
    """``length`` or more consecutive points each above (or each below) the one before.

    Parameters
    ----------
    length : int
        Number of points (one more than the number of steps), at least 3.
    ties : {"break", "skip"}
        Whether an equal neighbour ends the trend or is passed over. A missing point always ends it.

    Examples
    --------
    >>> from qi_equity.spc.rules import Trend
    >>> Trend(length=6).length
    6
    """

    length: int = 7
    ties: Ties = "break"
    name: ClassVar[str] = "trend"

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", _validate.whole_number("length", self.length, at_least=3))
        _validate.one_of("ties", self.ties, _TIES)


@dataclass(frozen=True, slots=True)
class TwoInThree(_Test):
    """Two of three consecutive points beyond the two-sigma limit, each judged by its own limit.

    Parameters
    ----------
    beyond_three_counts : bool
        Whether a point beyond three sigma counts as one of the two (Making Data Count since 2023: yes).
    same_side : {"all", "beyond", "any"}
        Which points must lie on one side: all three (Making Data Count), those beyond (Western Electric,
        Nelson), or none, so that one may lie above and one below (Westgard).

    Examples
    --------
    >>> from qi_equity.spc.rules import TwoInThree
    >>> TwoInThree().beyond_three_counts
    True
    """

    beyond_three_counts: bool = True
    same_side: SameSide = "all"
    name: ClassVar[str] = "two_in_three"
    needs_limits: ClassVar[bool] = True
    needs_zones: ClassVar[tuple[int, ...]] = (2,)

    def __post_init__(self) -> None:
        if not isinstance(self.beyond_three_counts, bool):
            raise InputTypeError(f"beyond_three_counts={self.beyond_three_counts!r} is not True or False.")
        _validate.one_of("same_side", self.same_side, _SAME_SIDE)


@dataclass(frozen=True, slots=True)
class FourInFive(_Test):
    """Four of five consecutive points beyond the one-sigma limit, each judged by its own limit.

    Parameters
    ----------
    window : {5, 4}
        Four of five, or four in a row (Westgard's 4_1s).
    same_side : {"all", "beyond", "any"}
        As for :class:`TwoInThree`.

    Examples
    --------
    >>> from qi_equity.spc.rules import FourInFive
    >>> FourInFive().same_side
    'beyond'
    """

    window: int = 5
    same_side: SameSide = "beyond"
    name: ClassVar[str] = "four_in_five"
    needs_limits: ClassVar[bool] = True
    needs_zones: ClassVar[tuple[int, ...]] = (1,)

    def __post_init__(self) -> None:
        object.__setattr__(self, "window", _validate.one_of("window", self.window, (5, 4)))
        _validate.one_of("same_side", self.same_side, _SAME_SIDE)


@dataclass(frozen=True, slots=True)
class Alternating(_Test):
    """``length`` or more consecutive points, each step in the other direction than the one before.

    An equal neighbour or a missing point ends the pattern.

    Parameters
    ----------
    length : int
        Number of points (one more than the number of steps), at least 4.

    Examples
    --------
    >>> from qi_equity.spc.rules import Alternating
    >>> Alternating().length
    14
    """

    length: int = 14
    name: ClassVar[str] = "alternating"
    sides: ClassVar[tuple[str, ...]] = ("none",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", _validate.whole_number("length", self.length, at_least=4))


@dataclass(frozen=True, slots=True)
class Within(_Test):
    """``length`` or more consecutive points within one sigma of the centre line, the limits included.

    Parameters
    ----------
    length : int
        Number of points, at least 2.

    Examples
    --------
    >>> from qi_equity.spc.rules import Within
    >>> Within().sides
    ('none',)
    """

    length: int = 15
    name: ClassVar[str] = "within"
    needs_limits: ClassVar[bool] = True
    needs_zones: ClassVar[tuple[int, ...]] = (1,)
    sides: ClassVar[tuple[str, ...]] = ("none",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", _validate.whole_number("length", self.length, at_least=2))


@dataclass(frozen=True, slots=True)
class Outside(_Test):
    """``length`` consecutive points all beyond one sigma, some above and some below.

    Parameters
    ----------
    length : int
        Number of points, at least 2.

    Examples
    --------
    >>> from qi_equity.spc.rules import Outside
    >>> Outside().length
    8
    """

    length: int = 8
    name: ClassVar[str] = "outside"
    needs_limits: ClassVar[bool] = True
    needs_zones: ClassVar[tuple[int, ...]] = (1,)
    sides: ClassVar[tuple[str, ...]] = ("none",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", _validate.whole_number("length", self.length, at_least=2))


@dataclass(frozen=True, slots=True)
class RunsCount(_Test):
    """Fewer or more runs about the centre line than are to be expected.

    Parameters
    ----------
    table : {"exact", "perla"}
        Limits from the exact distribution given the points above and below
        (:func:`qi_equity.formulas.runs_distribution.runs_count_limits`), or the table of Perla, Provost and
        Murray for 10 to 40 useful points, of which only a transcription by others was seen.

    Examples
    --------
    >>> from qi_equity.spc.rules import RunsCount
    >>> RunsCount().table
    'exact'
    """

    table: Literal["exact", "perla"] = "exact"
    name: ClassVar[str] = "runs_count"
    is_runs_test: ClassVar[bool] = True
    sides: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        _validate.one_of("table", self.table, ("exact", "perla"))


Test = (
    BeyondLimits
    | LongestRun
    | Crossings
    | Shift
    | Trend
    | TwoInThree
    | FourInFive
    | Alternating
    | Within
    | Outside
    | RunsCount
)

TESTS: Mapping[str, type[Test]] = {t.name: t for t in Test.__args__}


def parameters(test: Test) -> dict[str, Any]:
    """Give the parameters of a test by name."""
    return {f.name: getattr(test, f.name) for f in fields(test)}
