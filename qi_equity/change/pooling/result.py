"""PooledEffect: what happened over all sites, to each group and each gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from qi_equity import _result
from qi_equity.change.pooling import saved, text
from qi_equity.change.pooling.frames import PooledFrames
from qi_equity.spc.words import plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from qi_equity.change.pooling.randomisation import RandomisationTest

__all__ = ["PooledEffect"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PooledEffect(PooledFrames):
    """What happened over all sites, to each group and each gap; what :func:`pool_sites` returns.

    Changes are of the adverse outcome: a difference below 0 and a ratio below 1 are improvements. All values
    are unscaled.

    Parameters
    ----------
    evaluation : ChangeEvaluation
        What was pooled.
    options : mapping
        ``method`` and ``interval``, as they were read.
    method : mapping
        What was done: model, estimators, degrees of freedom, sites, and all of the evaluation.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, g, x - 3 * (m > 11) * (g == "Black"), n)
    ...         for m in range(24) for s in "ABCDE" for g, x, n in (("Black", 6, 60), ("White", 9, 300))]
    >>> frame = pd.DataFrame(rows, columns=["month", "site", "group", "pph", "births"])
    >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
    ...                         denominator="births", group="group", site="site")
    >>> pooled = qe.pool_sites(qe.evaluate_change(series, "2024-01", reference="White"))
    >>> pooled
    <PooledEffect 'Postpartum haemorrhage of 1500 ml or more': 2 groups over 5 sites, reml, ... notes>
    """

    def sentence(self) -> str:
        """Say in words what was seen over all sites, for whom, of which gaps, and what could not be seen.

        Returns
        -------
        str
            From the same numbers as the tables; it does not say what caused anything.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, g, x - 3 * (m > 11) * (g == "Black"), n)
        ...         for m in range(24) for s in "ABCDE" for g, x, n in (("Black", 6, 60), ("White", 9, 300))]
        >>> frame = pd.DataFrame(rows, columns=["month", "site", "group", "pph", "births"])
        >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group", site="site")
        >>> pooled = qe.pool_sites(qe.evaluate_change(series, "2024-01", reference="White"))
        >>> pooled.sentence()[43:112]
        'over 5 sites: lower than before for Black (ratio 0.50, 0.39 to 0.64);'
        """
        return text.sentence(self)

    def alt_text(self) -> pd.DataFrame:
        """Describe each pooled change in words, for those who do not see the figure.

        Returns
        -------
        pandas.DataFrame
            ``group``, further strata, ``change, text``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, g, x - 3 * (m > 11) * (g == "Black"), n)
        ...         for m in range(24) for s in "ABCDE" for g, x, n in (("Black", 6, 60), ("White", 9, 300))]
        >>> frame = pd.DataFrame(rows, columns=["month", "site", "group", "pph", "births"])
        >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group", site="site")
        >>> pooled = qe.pool_sites(qe.evaluate_change(series, "2024-01", reference="White"))
        >>> pooled.alt_text().loc[0, "text"][:41]
        'Black: pooled ratio 0.50, 0.39 to 0.64, f'
        """
        return text.alt_text(self)

    def plot(
        self,
        *,
        what: str = "groups",
        scale: str = "ratio",
        order: str | Sequence[str] = "alphabetical",
        columns: int | None = None,
        colours: str = "accessible",
    ) -> Figure:
        """Draw a forest plot; see :func:`qi_equity.plot.forest.plot_forest`.

        Parameters
        ----------
        what : {"groups", "gaps"}
            The change of each group, or of each gap.
        scale : {"ratio", "difference"}
            Relative or absolute.
        order : str or sequence of str
            How the groups are ordered.
        columns : int, optional
            Panels in a row.
        colours : str
            Palette.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, g, x - 3 * (m > 11) * (g == "Black"), n)
        ...         for m in range(24) for s in "ABCDE" for g, x, n in (("Black", 6, 60), ("White", 9, 300))]
        >>> frame = pd.DataFrame(rows, columns=["month", "site", "group", "pph", "births"])
        >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group", site="site")
        >>> pooled = qe.pool_sites(qe.evaluate_change(series, "2024-01", reference="White"))
        >>> len(pooled.plot().axes)
        2
        """
        from qi_equity.plot.forest import plot_forest

        return plot_forest(self, what=what, scale=scale, order=order, columns=columns, colours=colours)

    def randomisation_test(self, *, draws: int = 2000, seed: int = 0) -> RandomisationTest:
        """Test the change where start dates were drawn by lot; see :func:`randomisation_test`.

        Parameters
        ----------
        draws : int
            Assignments to draw, where there are more.
        seed : int
            Seed of the draws.

        Returns
        -------
        RandomisationTest
            ``table``, ``assignments``, ``smallest_p``.

        Raises
        ------
        OptionError
            If all sites start together, or the measure is a mean.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> start = {"A": 6, "B": 12, "C": 18}
        >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, 6 - 3 * (m >= start[s]), 60)
        ...         for m in range(24) for s in "ABC"]
        >>> frame = pd.DataFrame(rows, columns=["month", "site", "pph", "births"])
        >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", site="site")
        >>> at = pd.DataFrame({"site": ["A", "B", "C"], "start": ["2023-07", "2024-01", "2024-07"]})
        >>> pooled = qe.pool_sites(qe.evaluate_change(series, at, reference=0.1), method="stepped-wedge")
        >>> pooled.randomisation_test().assignments
        6
        """
        from qi_equity.change.pooling.randomisation import randomisation_test

        return randomisation_test(self.evaluation, draws=draws, seed=seed)

    def disclose(self, rule: Any, *, margins: Any = None, protect: int | None = None) -> PooledEffect:
        """Give the pooled effect as it may leave: made anew from the counts that the rule lets out.

        Parameters
        ----------
        rule : SuppressionRule or str
            The rule, or its name. It is applied to every period.
        margins : optional
            Sums that are published with the series; see :meth:`StratifiedSeries.disclose`.
        protect : int, optional
            Fewest whole numbers an outsider may be left with for a protected count. Default: the rule's.

        Returns
        -------
        PooledEffect
            Reckoned from the disclosed periods only.

        Raises
        ------
        OptionError
            If the rule cannot be kept.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, g, x - 3 * (m > 11) * (g == "Black"), n)
        ...         for m in range(24) for s in "ABCDE" for g, x, n in (("Black", 6, 60), ("White", 9, 300))]
        >>> frame = pd.DataFrame(rows, columns=["month", "site", "group", "pph", "births"])
        >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group", site="site")
        >>> pooled = qe.pool_sites(qe.evaluate_change(series, "2024-01", reference="White"))
        >>> pooled.disclose("dqmi").groups["sites"].unique().tolist()
        [0, 5]
        """
        from qi_equity.change.pooling.pool import pool_sites

        out = self.evaluation.disclose(rule, margins=margins, protect=protect)
        return pool_sites(out, method=self.options["method"], interval=self.options["interval"])

    def to_dict(self) -> dict[str, Any]:
        """Turn the pooled effect into JSON; :meth:`from_dict` gives it back without computing anything anew.

        Returns
        -------
        dict
            Versioned; holds the evaluation, the options, the tables, the method and the notes.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, g, x - 3 * (m > 11) * (g == "Black"), n)
        ...         for m in range(24) for s in "ABCDE" for g, x, n in (("Black", 6, 60), ("White", 9, 300))]
        >>> frame = pd.DataFrame(rows, columns=["month", "site", "group", "pph", "births"])
        >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group", site="site")
        >>> pooled = qe.pool_sites(qe.evaluate_change(series, "2024-01", reference="White"))
        >>> pooled.to_dict()["type"]
        'PooledEffect'
        """
        return saved.to_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PooledEffect:
        """Read what :meth:`to_dict` wrote.

        Parameters
        ----------
        data : mapping
            What :meth:`to_dict` returned, possibly through JSON.

        Returns
        -------
        PooledEffect
            Equal to the original.

        Raises
        ------
        DataError
            If the data hold something else, or a format that this version does not read.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, g, x - 3 * (m > 11) * (g == "Black"), n)
        ...         for m in range(24) for s in "ABCDE" for g, x, n in (("Black", 6, 60), ("White", 9, 300))]
        >>> frame = pd.DataFrame(rows, columns=["month", "site", "group", "pph", "births"])
        >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group", site="site")
        >>> pooled = qe.pool_sites(qe.evaluate_change(series, "2024-01", reference="White"))
        >>> qe.PooledEffect.from_dict(pooled.to_dict()).equals(pooled)
        True
        """
        return saved.from_dict(cls, data)

    def equals(self, other: object) -> bool:
        """Say whether another holds the same evaluation, options, tables, method and notes.

        Parameters
        ----------
        other : object
            What to compare with.

        Returns
        -------
        bool
            True if all is the same; NaN equals NaN.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, g, x - 3 * (m > 11) * (g == "Black"), n)
        ...         for m in range(24) for s in "ABCDE" for g, x, n in (("Black", 6, 60), ("White", 9, 300))]
        >>> frame = pd.DataFrame(rows, columns=["month", "site", "group", "pph", "births"])
        >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group", site="site")
        >>> pooled = qe.pool_sites(qe.evaluate_change(series, "2024-01", reference="White"))
        >>> pooled.equals(qe.pool_sites(pooled.evaluation, method="dl"))
        False
        """
        return isinstance(other, PooledEffect) and self.to_dict() == other.to_dict()

    def __repr__(self) -> str:
        keys = list(self._groups.columns[: self._groups.columns.get_loc("change")])
        groups = len(self._groups[keys].drop_duplicates())
        return (
            f"<PooledEffect {self.evaluation.series.measure.name!r}: {plural(groups, 'group')} over "
            f"{plural(len(self.method['sites']), 'site')}, {self.options['method']}, {len(self._notes)} "
            "notes>"
        )

    def _repr_html_(self) -> str:
        parts = [f"<h4>{escape(self.evaluation.series.measure.name)}: changes pooled over sites</h4>"]
        parts.append(f"<p>{escape(self.sentence())}</p>")
        parts.append(_result.frame_html(self._groups, "one row a group, change and scale"))
        parts.append(_result.frame_html(self._gaps, "one row a gap, change and scale"))
        parts.append(f"<p><b>Notes: {len(self._notes)}</b></p>")
        parts.append(_result.frame_html(self._notes.drop(columns="code"), "no note"))
        return f"<div>{''.join(parts)}</div>"
