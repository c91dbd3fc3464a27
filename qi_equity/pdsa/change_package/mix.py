"""What a changed mix of groups alone would do to the effect over all groups together.

Where more births than before are of a group with a high rate, the rate of all together rises though it rose
in nobody. The rates before, weighted with the births after, tell by how much (indirect standardisation).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from qi_equity.data.cells import Floats

__all__ = ["mix_ratios", "p_held", "pooled_ratio"]

_SAME = 1e-9


def mix_ratios(changes: pd.DataFrame, orientation: str) -> pd.Series:
    """Give the ratio that the changed mix alone would give at each site.

    Parameters
    ----------
    changes : pandas.DataFrame
        One row a site and group: ``site, group, rate_before, births_before, births_after``.
    orientation : str
        How rates become adverse: as they are, "without the event" (1 less the rate), or "reversed" (before
        over after).

    Returns
    -------
    pandas.Series
        By site; NaN where births or rates of a group are not known.
    """
    rate = changes["rate_before"] if orientation != "without the event" else 1 - changes["rate_before"]
    births = changes["births_before"]
    # A group without births at a site before is taken to have had the rate that it had at the others.
    weighed = (rate * births).groupby(changes["group"], observed=True).transform("sum")
    elsewhere = weighed / births.where(rate.notna()).groupby(changes["group"], observed=True).transform("sum")
    rate = rate.where(births > 0, elsewhere)
    sums = pd.DataFrame(
        {
            "site": changes["site"],
            "before": (rate * births).where(births != 0, 0.0),
            "after": (rate * changes["births_after"]).where(changes["births_after"] != 0, 0.0),
            "n_before": births,
            "n_after": changes["births_after"],
        }
    )
    # What is not known of one group is not known of the sum.
    sums = sums.set_index("site")
    by_site = (
        sums.groupby("site", observed=True).sum().where(sums.notna().groupby("site", observed=True).all())
    )
    ratio = (by_site["after"] / by_site["n_after"]) / (by_site["before"] / by_site["n_before"])
    ratio = ratio.where(np.isfinite(ratio) & (ratio > 0))
    return 1 / ratio if orientation == "reversed" else ratio


def pooled_ratio(ratios: Floats, weights: Floats) -> float:
    """Give the weighted mean of the logarithms as a ratio, over the sites at which it is known; else NaN."""
    known = np.isfinite(ratios) & (weights > 0)
    if not known.any():
        return float("nan")
    return float(np.exp(np.average(np.log(ratios[known]), weights=weights[known])))


def p_held(row: Any, mix: float, confidence: float, *, normal: bool) -> float:
    """Give the p-value that stands with the mix of groups held as it was before, too.

    Parameters
    ----------
    row : mapping
        The pooled ratio: ``estimate, lower, upper, p, sites``.
    mix : float
        The ratio that the mix alone would give.
    confidence : float
        That of the interval.
    normal : bool
        Whether the interval is of the normal distribution, else of t with sites less 1.

    Returns
    -------
    float
        The larger of the p-value as it is, and that of the ratio over ``mix``; 1 if these lie on two sides of
        no effect.
    """
    p, estimate = float(row["p"]), float(row["estimate"])
    half = np.log(row["upper"] / row["lower"]) / 2
    if not (np.isfinite(mix) and np.isfinite(half) and half > 0) or abs(np.log(mix)) < _SAME:
        return p
    if (estimate - 1) * (estimate / mix - 1) <= 0:
        return 1.0
    df, tail = row["sites"] - 1, (1 + confidence) / 2
    quantile = special.ndtri(tail) if normal else special.stdtrit(df, tail)
    t = -abs(np.log(estimate / mix)) * quantile / half
    return max(p, 2 * float(special.ndtr(t) if normal else special.stdtr(df, t)))
