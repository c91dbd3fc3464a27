"""DesignAdvice: which chart, how often, over which sites and with which baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qi_equity.data.series import StratifiedSeries
from qi_equity.planning.result import PlanningResult
from qi_equity.planning.words import change_words, stratum_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DesignAdvice"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class DesignAdvice(PlanningResult):
    """Which chart, how often, over which sites and with which baseline; what :func:`suggest_design` gives.

    ``table`` has one row a stratum: the strata,

    - ``births_per_month, events_per_month, rate, aimed_rate``;
    - ``chart, every, kind``: the chart, how often it has a point, and the argument ``kind`` of
      ``control_chart`` that draws it; empty where none could show the aim;
    - ``months_to_detect, visible``: mean months until it does, and whether that is in time;
      ``weekly_months``: those of a CUSUM of the counts of every week;
    - ``baseline_months, baseline_months_needed``: months of data there are, and how many it takes for
      ``evaluate_change`` to show the aim with 80 % power after the months there are; infinite where none;
    - ``power, smallest_ratio``: the chance that it shows the aim with the baseline there is, and the smallest
      change (rate as measured, after over before) that it would show with 80 %; NaN where none;
    - ``pooled_sites, n_sites, pooled_births_per_month, pooled_months_to_detect, pooled_visible,
      pooled_power``: the same of the group over the fewest sites that are enough, or over all;
    - ``invisible``: whether it stays so whatever is done with these data; ``advice`` in words.

    Parameters
    ----------
    series : StratifiedSeries
        Where births and rates come from.
    options : mapping
        The arguments, as they were read.
    method : mapping
        What was done.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "pph": [3, 1], "births": [40, 40]})
    >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
    >>> advice = qe.suggest_design(qe.from_counts(rows, qe.measures["pph_1500"], **columns))
    >>> advice.table[["chart", "every", "invisible"]].values.tolist()
    [['cusum', 'month', False]]
    """

    series: StratifiedSeries

    @property
    def title(self) -> str:
        """What the result is of.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "pph": [3, 1], "births": [40, 40]})
        >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
        >>> qe.suggest_design(qe.from_counts(rows, qe.measures["pph_1500"], **columns)).title
        'Postpartum haemorrhage of 1500 ml or more: how to see a change of the rate to 0.5 times'
        """
        return (
            f"{self.series.measure.name}: how to see {change_words(self.series.measure, self.options['aim'])}"
        )

    def advice(self) -> str:
        """Give the advice of all strata in words, one line each.

        Returns
        -------
        str
            From the same numbers as the table.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "pph": [3, 1], "births": [40, 40]})
        >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
        >>> print(qe.suggest_design(qe.from_counts(rows, qe.measures["pph_1500"], **columns)).advice())
        Postpartum haemorrhage ...
        All. From 50 per 1000 to 25 per 1000: use a CUSUM of the counts by the month; ...
        """
        keys = list(self.series.cells.strata.columns)
        lines = [f"{stratum_words(row, keys)}. {row['advice']}" for row in self.table.to_dict("records")]
        return "\n".join([f"{self.title}.", *lines])

    def disclose(self, rule: Any, *, margins: Any = None, protect: int | None = None) -> DesignAdvice:
        """Give the result as it may leave: made anew from the series that the rule lets out.

        Parameters
        ----------
        rule : SuppressionRule or str
            The rule, or the name of one that :meth:`SuppressionRule.load` knows.
        margins : optional
            Sums that are published together with the table; see :meth:`StratifiedSeries.disclose`.
        protect : int, optional
            Fewest whole numbers an outsider may be left with for a protected count. Default: the rule's.

        Returns
        -------
        DesignAdvice
            Withheld counts are small ones, so that rates of small groups come out too high.

        Raises
        ------
        OptionError
            If the rule cannot be kept.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "pph": [3, 9], "births": [40, 40]})
        >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
        >>> advice = qe.suggest_design(qe.from_counts(rows, qe.measures["pph_1500"], **columns))
        >>> advice.disclose("dqmi").table["rate"].tolist()
        [0.25]
        """
        from qi_equity.planning.suggest import suggested

        return suggested(self.series.disclose(rule, margins=margins, protect=protect), self.options)

    def alt_text(self) -> str:
        """Describe the figure in words: the power of the design for every group.

        Returns
        -------
        str
            From the same numbers as the table.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "pph": [3, 1], "births": [40, 40]})
        >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
        >>> print(qe.suggest_design(qe.from_counts(rows, qe.measures["pph_1500"], **columns)).alt_text())
        Postpartum haemorrhage ...
        """
        return self.advice()

    def plot(self, *, order: str | Sequence[str] = "alphabetical", colours: str = "accessible") -> Figure:
        """Draw the power of the design of every group; see :mod:`qi_equity.plot.design`.

        Parameters
        ----------
        order : str or sequence of str
            How the groups are ordered.
        colours : str
            Palette.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "pph": [3, 1], "births": [40, 40]})
        >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
        >>> advice = qe.suggest_design(qe.from_counts(rows, qe.measures["pph_1500"], **columns))
        >>> type(advice.plot()).__name__
        'Figure'
        """
        from qi_equity.plot.design import plot_design

        return plot_design(self, order=order, colours=colours)
