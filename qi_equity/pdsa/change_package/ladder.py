"""How strong the evidence for a change idea is, from an idea to a gap that was shown to narrow."""

from __future__ import annotations

__all__ = ["LADDER", "REPLICATED", "TESTED", "rung"]

IDEA, TESTED, REPLICATED, EFFECT, NARROWING = LADDER = (
    "idea",
    "tested at one site",
    "replicated",
    "pooled effect",
    "gap-narrowing shown",
)
"""The ladder, weakest first; from "pooled effect" on the list says that an effect was seen."""

_FEWEST = 2


def rung(
    *, tested: bool, sites: int, same: int, helps: bool, worsened: bool, narrowed: bool, widened: bool
) -> str:
    """Give the highest rung that holds.

    Parameters
    ----------
    tested : bool
        Whether a cycle was carried out, or a change evaluated.
    sites, same : int
        Sites with an effect overall, and those of them where it goes in the better direction.
    helps : bool
        Whether an effect in the better direction, pooled over two sites or more, stands among all comparisons
        of the list: overall or in a group.
    worsened : bool
        Whether the outcome of all together was seen to worsen; then nothing above one site holds.
    narrowed, widened : bool
        Whether a gap was seen to narrow, and whether one was seen to widen.

    Returns
    -------
    str
        One of ``LADDER``.
    """
    if not tested:
        return IDEA
    if worsened:
        return TESTED
    if helps:
        return NARROWING if narrowed and not widened else EFFECT
    return REPLICATED if sites >= _FEWEST and same == sites else TESTED
