"""People who took part: who, how many, and whether they were recompensed."""

from __future__ import annotations

from typing import Literal

from qi_equity.pdsa.records.fields import Count, Name, Text
from qi_equity.pdsa.records.part import Part

__all__ = ["Party"]


class Party(Part):
    """Some people who took part: in defining an aim, in carrying out a test, or as those it affected.

    Parameters
    ----------
    who : str
        Who they were, as a role: "service users", "maternity support workers".
    how_many : int, optional
        How many.
    recompensed : {"yes", "no", "not recorded"}
        Whether they were recompensed for their time.
    how : str
        How they took part, or were recompensed.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.Party(who="service users", how_many=9, recompensed="yes").recompensed
    'yes'
    """

    who: Name
    how_many: Count | None = None
    recompensed: Literal["yes", "no", "not recorded"] = "not recorded"
    how: Text = ""
