"""Tests that look at zones, as automata."""

from __future__ import annotations

from typing import Literal

from qi_equity._validate import one_of, whole_number
from qi_equity.formulas.zone_chains import ZoneChain, chain_of

__all__ = [
    "Side",
    "beyond_limits_chain",
    "outside_chain",
    "several_beyond_chain",
    "shift_chain",
    "within_chain",
]

Policy = Literal["break", "skip"]
SameSide = Literal["all", "beyond", "any"]
Side = Literal["both", "low", "high"]

_SIDES: dict[str, tuple[int, ...]] = {"both": (-1, 1), "low": (-1,), "high": (1,)}


def beyond_limits_chain(*, side: Side = "both") -> ZoneChain:
    """Watch for a point beyond three sigma.

    Parameters
    ----------
    side : {"both", "low", "high"}
        Whether a point beyond either limit signals, or only one below the lower or above the upper.

    Returns
    -------
    ZoneChain
        Signals in zones 0 and 8, as :func:`qi_equity.formulas.rule_tests.beyond_limits` does; of one side
        in one of them.

    Raises
    ------
    OptionError
        If ``side`` is none of the three.

    References
    ----------
    .. [1] Champ, Woodall, Exact results for Shewhart control charts with supplementary runs rules.
       Technometrics 1987;29:393-399, for tests as automata.

    Examples
    --------
    >>> len(beyond_limits_chain().following)
    1
    """
    signals = {4 * of for of in _sides(side)}
    return chain_of(0, lambda state, level: None if level in signals else state)


def shift_chain(
    *, length: int, ties: Policy = "break", missing: Policy = "break", side: Side = "both"
) -> ZoneChain:
    """Watch for ``length`` points in a row on one side of the centre line.

    Parameters
    ----------
    length : int
        Points that make a shift, >= 2.
    ties, missing : {"break", "skip"}
        Whether a point on the centre line, or a missing one, ends a run or is passed over.
    side : {"both", "low", "high"}
        Whether a run on either side signals, or only one below or above the centre line.

    Returns
    -------
    ZoneChain
        Signals when :func:`qi_equity.formulas.rule_tests.shift` marks a point.

    Raises
    ------
    InputTypeError
        If ``length`` is not a whole number.
    OptionError
        If ``length`` is too small, a policy is not one of the two or ``side`` none of the three.

    References
    ----------
    .. [1] Champ, Woodall, Technometrics 1987;29:393-399.

    Examples
    --------
    >>> len(shift_chain(length=7).following)
    13
    """
    n = whole_number("length", length, at_least=2)
    passed = {
        0: one_of("ties", ties, ("break", "skip")) == "skip",
        None: one_of("missing", missing, ("break", "skip")) == "skip",
    }

    watched = _sides(side)

    def step(run: int, level: int | None) -> int | None:
        """Keep the length of the run, negative below the line; 0 on a side that is not watched."""
        if not level:
            return run if passed[level] else 0
        of = 1 if level > 0 else -1
        if of not in watched:
            return 0
        longer = run + of if run * of > 0 else of
        return None if abs(longer) == n else longer

    return chain_of(0, step)


def several_beyond_chain(
    *,
    points: int,
    window: int,
    sigmas: int,
    same_side: SameSide = "beyond",
    beyond_three_counts: bool = True,
    side: Side = "both",
) -> ZoneChain:
    """Watch for ``points`` of ``window`` points in a row beyond a number of standard errors.

    Parameters
    ----------
    points, window : int
        2 and 3 for two in three, 4 and 5 for four in five; 1 <= points <= window.
    sigmas : {1, 2}
        Limit that they lie strictly beyond.
    same_side : {"all", "beyond", "any"}
        Which must lie on one side of the centre line: all points of the window, those beyond, or none.
    beyond_three_counts : bool
        Whether a point beyond three sigma counts.
    side : {"both", "low", "high"}
        Whether a signal on either side counts, or only one below or above the centre line. Where points of
        either side count together it lies on each side that has one of them, as on a chart.

    Returns
    -------
    ZoneChain
        Signals at the end of a full window that qualifies; one with a missing point never does.

    Raises
    ------
    InputTypeError
        If a number is not whole.
    OptionError
        If a number is too small or large or ``same_side`` or ``side`` is none of the three.

    References
    ----------
    .. [1] Champ, Woodall, Technometrics 1987;29:393-399.
    .. [2] NHSRplotthedots issue 194, for ``same_side="all"``.

    Examples
    --------
    >>> len(several_beyond_chain(points=2, window=3, sigmas=2).following)
    11
    """
    wanted = whole_number("points", points, at_least=1)
    size = whole_number("window", window, at_least=wanted)
    least = one_of("sigmas", sigmas, (1, 2)) + 1
    most = 4 if beyond_three_counts else 3
    of = one_of("same_side", same_side, ("all", "beyond", "any"))
    watched = _sides(side)

    def step(before: tuple[int, ...], level: int | None) -> tuple[int, ...] | None:
        """Keep the levels of the last points, back to the last missing one."""
        if level is None:
            return ()
        seen = (*before, level)
        if len(seen) < size:
            return seen
        counts = [x for x in seen if least <= abs(x) <= most]
        low, high = sum(x < 0 for x in counts), sum(x > 0 for x in counts)
        if of == "all":
            low, high = (low if max(seen) < 0 else 0), (high if min(seen) > 0 else 0)
        # Points of either side that count together are a signal on each side that has one of them.
        here = [(low + high if of == "any" and n else n) for n, s in ((low, -1), (high, 1)) if s in watched]
        return None if max(here) >= wanted else seen[1:]

    return chain_of((), step)


def within_chain(*, length: int) -> ZoneChain:
    """Watch for ``length`` points in a row within one standard error, on either side or on the line.

    Parameters
    ----------
    length : int
        Points in a row, >= 2 (15 in Nelson's test 7). A missing point ends the row.

    Returns
    -------
    ZoneChain
        Signals at the last point of such a row.

    Raises
    ------
    InputTypeError
        If ``length`` is not a whole number.
    OptionError
        If it is too small.

    References
    ----------
    .. [1] Nelson, The Shewhart control chart: tests for special causes. J Qual Technol 1984;16:237-239 (as
       restated by the R package qcc; the paper itself was not seen).

    Examples
    --------
    >>> len(within_chain(length=15).following)
    15
    """
    n = whole_number("length", length, at_least=2)

    def step(row: int, level: int | None) -> int | None:
        if level is None or abs(level) > 1:
            return 0
        return None if row + 1 == n else row + 1

    return chain_of(0, step)


def outside_chain(*, length: int, both_sides: bool = True) -> ZoneChain:
    """Watch for ``length`` points in a row beyond one standard error.

    Parameters
    ----------
    length : int
        Points in a row, >= 2 (8 in Nelson's test 8). A missing point ends the row.
    both_sides : bool
        Whether some of them must lie above and some below the centre line.

    Returns
    -------
    ZoneChain
        Signals at the last point of such a row.

    Raises
    ------
    InputTypeError
        If ``length`` is not a whole number.
    OptionError
        If it is too small.

    References
    ----------
    .. [1] Nelson, J Qual Technol 1984;16:237-239 (as restated by the R package qcc; the paper itself was not
       seen).

    Examples
    --------
    >>> len(outside_chain(length=8, both_sides=False).following)
    8
    """
    n = whole_number("length", length, at_least=2)

    def step(before: tuple[int, int], level: int | None) -> tuple[int, int] | None:
        """Keep the points in the row, and those since it changed sides, negative below the line."""
        if level is None or abs(level) < 2:
            return 0, 0
        row, run = before
        side = 1 if level > 0 else -1
        row, run = min(row + 1, n), run + side if run * side > 0 else side
        if row == n and (abs(run) < n or not both_sides):
            return None
        return row, max(-n, min(run, n))

    return chain_of((0, 0), step)


def _sides(side: str) -> tuple[int, ...]:
    """Give the signs of the sides that are watched."""
    return _SIDES[one_of("side", side, tuple(_SIDES))]
