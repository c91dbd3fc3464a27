"""DetectionTable: which chart would show a change to each group, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from qi_equity.data.series import StratifiedSeries
from qi_equity.planning import detection_text
from qi_equity.planning.result import PlanningResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from qi_equity.spc.chart import ControlChart

__all__ = ["DetectionTable"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class DetectionTable(PlanningResult):
    """Which chart would show a change to each group, and when; what :func:`detection_table` gives.

    ``table`` has one row a stratum: the strata,

    - ``births_per_month, events_per_month, rate, changed_rate``: means over the known periods (births: the
      exposure of rates, 1 for counts), and the rate after the change;
    - ``chart, every, kind``: the recommended chart, how often it has a point, and the argument ``kind`` of
      ``control_chart`` that draws it; empty where none could show the change;
    - ``can_signal_fall, can_signal_rise`` of the rate, ``can_signal_improvement,
      can_signal_deterioration`` (missing where neither direction is better): "yes", "only over several
      points" or "no", as ``summary()`` of a chart says it;
    - ``false_alarm_months, months_to_detect``: mean months between false signals of the side that looks for
      the change, and from the change to the signal; infinite where it never comes, NaN where nothing can be
      reckoned;
    - ``visible``: whether that is within the months asked for; ``reason``.

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
    >>> table = qe.detection_table(qe.from_counts(rows, qe.measures["pph_1500"], **columns), rules="shewhart")
    >>> table.table[["births_per_month", "rate", "changed_rate"]].values.tolist()
    [[40.0, 0.05, 0.025]]
    """

    series: StratifiedSeries

    TABLES: ClassVar[tuple[str, ...]] = ("table", "charts", "pooled")

    @property
    def title(self) -> str:
        """What the result is of.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "pph": [3, 1], "births": [40, 40]})
        >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> qe.detection_table(series, rules="shewhart").title
        'Postpartum haemorrhage of 1500 ml or more: months to detect a change of the rate to 0.5 times'
        """
        return detection_text.title(self)

    @property
    def charts(self) -> pd.DataFrame:
        """One row a stratum and chart that could be used, made afresh.

        The columns of ``table`` from ``chart`` on, with ``rules`` (the set of rules; empty where a limit or
        threshold was ``tuned``), ``needs_records`` (whether it needs the order of births) and
        ``recommended``. Of tests that look at the whole series so far (longest run, crossings) the months
        between false signals are those of a lasting rate with as many of them in two years.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "pph": [3, 1], "births": [40, 40]})
        >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> table = qe.detection_table(series, rules="shewhart")
        >>> charts = table.charts
        >>> charts.loc[charts["chart"] == "bernoulli_cusum", "months_to_detect"].round(1).tolist()
        [10.0]
        """
        return self._frames["charts"].copy()

    @property
    def pooled(self) -> pd.DataFrame:
        """Each group over all sites, beside the same group at one site, made afresh; one row a group.

        ``sites, chart, every, births_per_month, months_to_detect, one_site_months`` (median over the sites),
        ``gain`` (how many times longer one site waits) and ``visible``. No rows where there is one site only,
        or for times between events, which have to be made again from records.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01"] * 2, "trust": ["A", "B"], "pph": [3, 3], "n": [60, 60]})
        >>> columns = {"period": "month", "numerator": "pph", "denominator": "n", "site": "trust"}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> table = qe.detection_table(series, rules="shewhart")
        >>> table.pooled[["sites", "births_per_month"]].values.tolist()
        [[2.0, 120.0]]
        """
        return self._frames["pooled"].copy()

    def disclose(self, rule: Any, *, margins: Any = None, protect: int | None = None) -> DetectionTable:
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
        DetectionTable
            Withheld counts are small ones, so that rates and births of small groups come out too high.

        Raises
        ------
        OptionError
            If the rule cannot be kept.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "pph": [3, 9], "births": [40, 40]})
        >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> table = qe.detection_table(series, rules="shewhart")
        >>> table.disclose("dqmi").table["rate"].tolist()
        [0.25]
        """
        from qi_equity.planning.detection import detected

        return detected(self.series.disclose(rule, margins=margins, protect=protect), self.options)

    def alt_text(self) -> str:
        """Describe the figure in words: months to detect of every group, and what stays invisible.

        Returns
        -------
        str
            From the same numbers as the table.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "pph": [3, 1], "births": [40, 40]})
        >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> table = qe.detection_table(series, rules="shewhart")
        >>> print(table.alt_text())
        Postpartum haemorrhage ... All: 40 births a month, from 50 per 1000 to 25 per 1000: ...
        """
        return detection_text.alt_text(self)

    def plot(self, *, order: str | Sequence[str] = "alphabetical", colours: str = "accessible") -> Figure:
        """Draw months to detect against births a month; see :mod:`qi_equity.plot.detection`.

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
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> table = qe.detection_table(series, rules="shewhart")
        >>> type(table.plot()).__name__
        'Figure'
        """
        from qi_equity.plot.detection import plot_detection

        return plot_detection(self, order=order, colours=colours)

    def plot_blindness(
        self,
        chart: ControlChart | None = None,
        *,
        order: str | Sequence[str] = "alphabetical",
        colours: str = "accessible",
    ) -> Figure:
        """Draw a chart, and under each panel what it can show; see :mod:`qi_equity.plot.blindness`.

        Parameters
        ----------
        chart : ControlChart, optional
            A chart of the same strata. Default: that which most teams draw (p, u, c; g or t between events).
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
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> table = qe.detection_table(series, rules="shewhart")
        >>> len(table.plot_blindness().axes)
        2
        """
        from qi_equity.plot.blindness import plot_blindness

        return plot_blindness(self, chart, order=order, colours=colours)
