"""Which groups are of women whose group is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qi_equity.data.cells import Bools

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

# What published tables without a scheme call them; compared without regard to capitals.
_USUAL = frozenset({"not stated", "not known", "missing", "unknown"})


def unknown_groups(series: StratifiedSeries) -> tuple[str, ...]:
    """Name the groups of women of unknown group: those of the scheme, and those with a usual name for it."""
    named = () if series.scheme is None else series.scheme.unknown
    return tuple(g for g in series.groups if g in named or g.casefold() in _USUAL)


def is_unknown(series: StratifiedSeries) -> Bools:
    """Tell which strata are of women whose group is not known, shape (S,)."""
    group = np.asarray(series.cells.strata["group"].astype("str"))
    return np.isin(group, unknown_groups(series))
