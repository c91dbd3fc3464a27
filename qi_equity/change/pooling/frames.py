"""The tables of a pooled effect, and what they were made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd

from qi_equity.change.result import ChangeEvaluation

__all__ = ["PooledFrames"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PooledFrames:
    """What a pooled effect holds, and its frames; see :class:`PooledEffect`."""

    evaluation: ChangeEvaluation
    options: Mapping[str, Any]
    method: Mapping[str, Any]
    _groups: pd.DataFrame
    _gaps: pd.DataFrame
    _sites: pd.DataFrame
    _notes: pd.DataFrame

    def __post_init__(self) -> None:
        for name in ("options", "method"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def groups(self) -> pd.DataFrame:
        """The pooled change of each group: one row a group, change and scale.

        Returns
        -------
        pandas.DataFrame
            ``group``, further strata, ``change`` (from 1), ``scale`` (difference, ratio, odds ratio);
            ``estimate, lower, upper, p, family_p, verdict, family_verdict`` as in an evaluation; ``tau2``
            (variance between sites, of logarithms for ratios) with its interval, ``i2`` (its share),
            ``heterogeneity_p``, ``prediction_lower, prediction_upper`` (where another such site would lie);
            ``sites`` pooled and ``left_out``. Models of counts have no interval of ``tau2`` and no ``i2``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, g, x - 3 * (m > 11) * (g == "Black"), n)
        ...         for m in range(24) for s in "ABCDE" for g, x, n in (("Black", 6, 60), ("White", 9, 300))]
        >>> frame = pd.DataFrame(rows, columns=["month", "site", "group", "pph", "births"])
        >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group", site="site")
        >>> pooled = qe.pool_sites(qe.evaluate_change(series, "2024-01", reference="White"))
        >>> pooled.groups.loc[1, ["group", "scale", "verdict"]].tolist()
        ['Black', 'ratio', 'improved']
        """
        return self._groups.copy()

    @property
    def gaps(self) -> pd.DataFrame:
        """How each gap changed over all sites: one row a group, change and scale.

        Returns
        -------
        pandas.DataFrame
            ``group``, further strata, ``reference, change, scale``; ``gap_before, gap_after, gap_change``
            (difference of differences, ratio of ratios), each with ``_lower`` and ``_upper`` and each pooled
            for itself; ``p, verdict`` and how much sites differ, as in :attr:`groups`. NaN for the reference.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, g, x - 3 * (m > 11) * (g == "Black"), n)
        ...         for m in range(24) for s in "ABCDE" for g, x, n in (("Black", 6, 60), ("White", 9, 300))]
        >>> frame = pd.DataFrame(rows, columns=["month", "site", "group", "pph", "births"])
        >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group", site="site")
        >>> pooled = qe.pool_sites(qe.evaluate_change(series, "2024-01", reference="White"))
        >>> [round(float(pooled.gaps.loc[1, name]), 2) for name in ("gap_before", "gap_after", "gap_change")]
        [3.33, 1.67, 0.5]
        """
        return self._gaps.copy()

    @property
    def sites(self) -> pd.DataFrame:
        """What each site brought to each pooled number.

        Returns
        -------
        pandas.DataFrame
            ``site, group``, further strata, ``change, what`` (change, gap), ``scale``; ``estimate, lower,
            upper`` of the site alone; ``weight`` (share in the pooled number, NaN where the model has none);
            ``without, without_lower, without_upper`` (pooled without this site); ``left_out`` (why; empty
            where it is not).

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, g, x - 3 * (m > 11) * (g == "Black"), n)
        ...         for m in range(24) for s in "ABCDE" for g, x, n in (("Black", 6, 60), ("White", 9, 300))]
        >>> frame = pd.DataFrame(rows, columns=["month", "site", "group", "pph", "births"])
        >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group", site="site")
        >>> pooled = qe.pool_sites(qe.evaluate_change(series, "2024-01", reference="White"))
        >>> pooled.sites.loc[0, ["site", "what", "left_out"]].tolist()
        ['A', 'change', '']
        """
        return self._sites.copy()

    @property
    def notes(self) -> pd.DataFrame:
        """What the reader must be told: ``code, severity, site, group``, further strata, ``text``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, g, x - 3 * (m > 11) * (g == "Black"), n)
        ...         for m in range(24) for s in "ABCDE" for g, x, n in (("Black", 6, 60), ("White", 9, 300))]
        >>> frame = pd.DataFrame(rows, columns=["month", "site", "group", "pph", "births"])
        >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group", site="site")
        >>> pooled = qe.pool_sites(qe.evaluate_change(series, "2024-01", reference="White"))
        >>> "prediction_interval" in pooled.notes["code"].tolist()
        True
        """
        return self._notes.copy()
