"""What a published rule lets an outsider think of a number as it was printed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qi_equity.data.disclosure.readings import Bools, Floats
from qi_equity.data.disclosure.rule import SuppressionRule
from qi_equity.errors import InputTypeError
from qi_equity.formulas.suppression import rounded

__all__ = ["Outlook", "outlook_of"]


@dataclass(frozen=True, slots=True)
class Outlook:
    """A rule as an outsider reads it.

    Parameters
    ----------
    rule : SuppressionRule
        The rule.
    enough : int
        The fewest whole numbers an outsider may be left with.
    """

    rule: SuppressionRule
    enough: int

    @property
    def least_withheld(self) -> float:
        """The lowest that a withheld count can be; it may be withheld to protect another, so any above it.

        A 0 is shown, unless the rule hides it, there are too few births, or the births are withheld.
        """
        return 0.0 if self.rule.minimum_denominator else float(self.rule.smallest)

    @property
    def most_withheld(self) -> float:
        """The highest that a withheld count can be: any, unless only the protected counts are withheld."""
        alone = not (self.rule.secondary or self.rule.minimum_denominator) and self.rule.protects
        return float(self.rule.largest) if alone else np.inf

    def protects(self, counts: Floats) -> Bools:
        """Tell which counts are protected; False where a count is not known."""
        inside = (counts >= self.rule.smallest) & (counts <= self.rule.largest)
        return np.asarray(inside & self.rule.protects, dtype=bool)

    def stands_for(self, shown: Floats) -> tuple[Floats, Floats]:
        """Give the lowest and highest count that is shown as each of these numbers, which one column holds.

        Numbers that are not all multiples of the rule's rounding were not rounded.
        """
        low, high = shown.copy(), shown.copy()
        base, mark = self.rule.rounding, self.rule.mark
        known = shown[np.isfinite(shown)]
        if base is not None and (known % base == 0).all():
            _, low, high = rounded(shown, base)
            zero = (shown == 0) & self.rule.protects & self.rule.zeros
            high = np.where(zero, 0.0, high)
            low = np.where(~zero & self.rule.protects, np.maximum(low, self.rule.largest + 1.0), low)
            # A number that nothing above the protected counts is rounded to stands as it was printed.
            low, high = np.where(low > high, shown, low), np.where(low > high, shown, high)
        if isinstance(mark, int):
            here = shown == mark
            low, high = np.where(here, self.rule.smallest, low), np.where(here, self.rule.largest, high)
            if base is not None and (known % base == 0).all():
                also = rounded(np.array([self.rule.largest + 1.0]), base)[0][0] == mark
                high = np.where(
                    here & also, np.maximum(high, rounded(np.array([float(mark)]), base)[2]), high
                )
        return low, high


def outlook_of(rule: SuppressionRule | str, protect: int | None = None) -> Outlook:
    """Take a rule or its name.

    Raises
    ------
    InputTypeError
        If it is neither.
    OptionError
        If there is no such rule.
    """
    if isinstance(rule, str):
        rule = SuppressionRule.load(rule)
    if not isinstance(rule, SuppressionRule):
        raise InputTypeError(
            f"rule={rule!r} is of type {type(rule).__name__}; give a SuppressionRule or the name of one."
        )
    return Outlook(rule, rule.protect if protect is None else protect)
