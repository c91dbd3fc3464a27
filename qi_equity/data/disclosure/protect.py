"""Which counts of a series and its margins are withheld, and the last attack on what is left."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from qi_equity.data.cells import Bools, Ints
from qi_equity.data.disclosure.facts import DENOMINATOR, NUMERATOR, QUANTITIES, Facts, as_withheld
from qi_equity.data.disclosure.rule import SuppressionRule
from qi_equity.errors import OptionError
from qi_equity.formulas.suppression import numbers_left, withhold


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """What is done with each of the E counts.

    Parameters
    ----------
    hidden : ndarray of bool, shape (E,)
        Withheld beyond the rule.
    by_births : ndarray of bool, shape (E,)
        Withheld because the births of the cell are.
    """

    hidden: Bools
    by_births: Bools


def decide(found: Facts, rule: SuppressionRule, protect: int) -> Decision:
    """Choose what to withhold: births first, since events go with them, then the rest.

    Raises
    ------
    OptionError
        If the rule cannot be kept, with how many counts fail.
    """
    entries = found.entries
    size = len(entries.counts)
    nothing = np.zeros(size, dtype=bool)
    protected = np.flatnonzero(entries.protected)
    left = numbers_left(entries, nothing, protected, enough=protect)
    if (left >= protect).all():
        return Decision(nothing, _with_births(found, rule, nothing))
    if not rule.secondary:
        raise _refusal(rule, protect, left[left < protect], int(protected.size))
    of_births = found.quantity == QUANTITIES.index(DENOMINATOR)
    first = withhold(replace(entries, protected=entries.protected & of_births), protect=protect)
    by_births = _with_births(found, rule, first.hidden)
    second = withhold(as_withheld(entries, first.hidden | (by_births & _plain(found))), protect=protect)
    hidden = first.hidden | second.hidden
    by_births = _with_births(found, rule, hidden)
    last = numbers_left(as_withheld(entries, by_births & _plain(found)), hidden, protected, enough=protect)
    if (last < protect).any():
        raise _impossible(rule, protect, last)
    return Decision(hidden, by_births)


def _plain(found: Facts) -> Bools:
    """Tell which counts are neither protected nor 0: these are open once they are withheld."""
    plain: Bools = ~found.entries.protected & np.isfinite(found.entries.cost)
    return plain


def _with_births(found: Facts, rule: SuppressionRule, hidden: Bools) -> Bools:
    """Tell which events are withheld because the births of their cell are."""
    gone = hidden | found.excluded
    if not rule.shows_a_number:
        gone = gone | found.entries.protected
    events = (found.quantity == QUANTITIES.index(NUMERATOR)) & (found.births >= 0)
    with_births: Bools = events & gone[found.births]
    return with_births


def _refusal(rule: SuppressionRule, protect: int, left: Ints, size: int) -> OptionError:
    return OptionError(
        f"rule={rule.name!r} by itself leaves an outsider fewer than protect={protect} whole numbers for "
        f"{len(left)} of {size} protected counts (down to {left.min()}), and secondary=False forbids to "
        "withhold more; use secondary=True, fewer margins, or a smaller protect."
    )


def _impossible(rule: SuppressionRule, protect: int, left: Ints) -> OptionError:
    return OptionError(
        f"rule={rule.name!r} cannot be kept: with all withheld that may be, an outsider is still left with "
        f"fewer than protect={protect} whole numbers for {(left < protect).sum()} protected counts (down to "
        f"{left.min()}); use fewer margins, coarser groups, longer periods, or a smaller protect."
    )
