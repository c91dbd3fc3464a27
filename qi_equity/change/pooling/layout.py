"""The strata of an evaluation laid out by group and site, and what is pooled from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from qi_equity.change.study import Study
from qi_equity.data.cells import Bools, Floats, Ints
from qi_equity.errors import OptionError
from qi_equity.formulas.interval import Interval

__all__ = ["Layout", "Pooled", "Texts", "layout_of"]

Texts = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where each stratum stands among G groups (with their further strata) and L sites.

    Parameters
    ----------
    groups : pandas.DataFrame
        Group and further strata, one row each; no site.
    sites : pandas.Series
        The sites, in declared order.
    row : ndarray of int, shape (G, L)
        Row of the stratum among all strata; -1 where a site has no such stratum.
    """

    groups: pd.DataFrame
    sites: pd.Series
    row: Ints

    def spread(self, values: Floats) -> Floats:
        """Lay out values of the strata (S, ...) as (G, ..., L); NaN where a site has no such stratum."""
        laid = np.asarray(values, dtype=np.float64)[np.maximum(self.row, 0)]
        absent = (self.row < 0).reshape(*self.row.shape, *([1] * (laid.ndim - 2)))
        return np.moveaxis(np.where(absent, np.nan, laid), 1, -1)

    def interval(self, interval: Interval) -> Interval:
        """Lay out an interval of the strata."""
        return Interval(*(self.spread(getattr(interval, e)) for e in ("estimate", "lower", "upper")))


def layout_of(study: Study) -> Layout:
    """Find groups and sites.

    Raises
    ------
    OptionError
        If the series has no sites.
    """
    strata = study.strata
    if "site" not in strata:
        raise OptionError(
            "evaluation= holds no sites, so there is nothing to pool; make the series with site=..., or read "
            "the evaluation itself."
        )
    keys = strata.drop(columns="site")
    group = keys.groupby(list(keys.columns), sort=False, observed=True).ngroup().to_numpy()
    site, names = pd.factorize(strata["site"])
    row = np.full((int(group.max()) + 1, len(names)), -1, dtype=np.int64)
    row[group, site] = np.arange(len(strata))
    first = np.unique(group, return_index=True)[1]
    groups = keys.iloc[first].reset_index(drop=True)
    return Layout(groups, pd.Series(names.astype(str), dtype="str"), row)


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """What was pooled on one scale: arrays (G, K), and of sites (G, K, L).

    Parameters
    ----------
    effect, prediction : Interval
        Pooled effect, and where that of another such site would lie; ratios as logarithms.
    p, tau2, tau2_lower, tau2_upper, i2, q_p : ndarray of float, shape (G, K)
        Test of no effect; variance between sites with its interval, share of it, and test of none.
    sites : ndarray of int, shape (G, K)
        Number of sites pooled.
    site, without : Interval
        Effect of each site, and what is pooled without it.
    weight : ndarray of float, shape (G, K, L)
        Share of each site.
    reason : ndarray of str, shape (G, K, L)
        Why a site is left out; empty where it is not.
    """

    effect: Interval
    prediction: Interval
    p: Floats
    tau2: Floats
    tau2_lower: Floats
    tau2_upper: Floats
    i2: Floats
    q_p: Floats
    sites: Ints
    site: Interval
    without: Interval
    weight: Floats
    reason: Texts

    @property
    def used(self) -> Bools:
        """Sites that were pooled."""
        return np.asarray(self.reason == "")
