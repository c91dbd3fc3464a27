"""The chart of all strata, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from qi_equity.spc import disclosing, html, saved
from qi_equity.spc.chart_frames import ChartFrames

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from qi_equity.data.disclosure.rule import SuppressionRule
    from qi_equity.data.recorded_cycles import RecordedCycles


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ControlChart(ChartFrames):
    """A run or control chart of every stratum of a series, with its signals.

    Made by :func:`~qi_equity.run_chart` and :func:`~qi_equity.control_chart`. Arrays have the shape (S, T):
    S strata in the order of ``strata``, T periods; NaN is "not there". Proportions and rates are unscaled
    fractions; multipliers and units belong to text and figures.

    Attributes
    ----------
    series : StratifiedSeries
        What is charted.
    specs : tuple of specifications
        The kinds of chart with their parameters; more than one where ``kind="auto"`` chose different ones.
    spec_of : numpy.ndarray of int, shape (S,)
        Which of them each stratum has.
    why : tuple of str, of length S
        Why it has this kind; empty where it was asked for.
    rules : RuleSet
        The rules that were applied.
    limits : {"own", "common"}
        Whether each stratum has its own centre line, or the groups of a site share one.
    targets : numpy.ndarray, shape (S, T)
        The target at each point, in the unit of the measure; NaN where there is none.
    timeline : Timeline
        Phase, baseline and exclusion of each point.
    plotted : mapping of str to numpy.ndarray, shape (S, T)
        The points: "both" for charts whose points are compared with both limits, "low" and "high" for the two
        arms of a CUSUM; NaN where a stratum's chart has no such arm.
    centre_line, sigma, lower, upper : numpy.ndarray, shape (S, T)
        The lines at each point; ``sigma`` is the standard error and is never clipped. A run chart has a
        centre line only.
    flags : mapping of (str, str) to numpy.ndarray
        For each rule and side (``"low"``, ``"high"``; a falling trend is low; ``"none"`` where a pattern
        has no side) the points that take part in a signal. The rules ``crossings`` and ``runs_count`` flag no
        point: they have neither place nor side.
    few_crossings : numpy.ndarray of bool, shape (S, K)
        Strata and phases (K of them) where the rule ``crossings`` or ``runs_count`` signals.
    method : mapping
        What was done: kind, constants, rules with version and citation, phases, exclusions, library version.

    Examples
    --------
    >>> import pandas as pd
    >>> import qi_equity as qe
    >>> counts = pd.DataFrame({"month": pd.date_range("2023-01-01", periods=24, freq="MS").strftime("%Y-%m"),
    ...                        "events": [5, 7, 4, 6] * 6, "births": 90})
    >>> series = qe.from_counts(counts, qe.measures["preterm_birth"], period="month", numerator="events",
    ...                         denominator="births")
    >>> chart = qe.control_chart(series)
    >>> chart.kind, len(chart.points), len(chart.signals)
    ('p', 24, 0)
    """

    def select(
        self,
        *,
        group: str | Sequence[str] | None = None,
        site: str | Sequence[str] | None = None,
        where: Mapping[str, str | Sequence[str]] | None = None,
    ) -> ControlChart:
        """Keep some strata; nothing is computed anew.

        Parameters
        ----------
        group, site : str or sequence of str, optional
            Names to keep. Default: all.
        where : mapping, optional
            Further strata: column to the value or values to keep.

        Returns
        -------
        ControlChart
            The same lines, flags and phases for fewer strata.

        Raises
        ------
        OptionError
            If a name is not there.

        Examples
        --------
        >>> import pandas as pd
        >>> import qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"] * 2, "events": [3, 5, 4, 1], "births": 60,
        ...                        "unit": ["A", "A", "B", "B"]})
        >>> series = qe.from_counts(counts, qe.measures["preterm_birth"], period="month", numerator="events",
        ...                         denominator="births", site="unit")
        >>> len(qe.control_chart(series).select(site="A").points)
        2
        """
        return saved.select(self, group=group, site=site, where=where)

    def disclose(
        self,
        rule: SuppressionRule | str,
        *,
        margins: str | Sequence[str] | None = None,
        protect: int | None = None,
    ) -> ControlChart:
        """Give the chart as it may leave: made anew from disclosed counts, and attacked as an outsider would.

        Parameters
        ----------
        rule : SuppressionRule or str
            The rule, or its name.
        margins : str or sequence of str, optional
            Sums that are published together with the chart; see :meth:`StratifiedSeries.disclose`.
        protect : int, optional
            Fewest whole numbers an outsider may be left with for a protected count. Default: the rule's.

        Returns
        -------
        ControlChart
            With the same options; withheld points are "suppressed". No rules are applied to rounded counts.

        Raises
        ------
        OptionError
            For times between events, and where the rule cannot be kept.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02", "2024-03"], "n": [8, 60, 75]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.control_chart(calls).disclose("strict-10").points["value"].tolist()
        [nan, 60.0, 75.0]
        """
        return disclosing.disclose(self, rule, margins, protect)

    @overload
    def plot(
        self,
        *,
        ax: None = None,
        order: str | Sequence[str] = "alphabetical",
        columns: int | None = None,
        colours: str = "accessible",
        cycles: RecordedCycles | None = None,
    ) -> Figure: ...

    @overload
    def plot(
        self,
        *,
        ax: Axes,
        order: str | Sequence[str] = "alphabetical",
        columns: int | None = None,
        colours: str = "accessible",
        cycles: RecordedCycles | None = None,
    ) -> Axes: ...

    def plot(
        self,
        *,
        ax: Axes | None = None,
        order: str | Sequence[str] = "alphabetical",
        columns: int | None = None,
        colours: str = "accessible",
        cycles: RecordedCycles | None = None,
    ) -> Figure | Axes:
        """Draw small multiples, one panel a stratum; see :func:`qi_equity.plot.control.plot_control_chart`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Draw the only stratum of this chart here.
        order : str or sequence of str
            How the groups are ordered.
        columns : int, optional
            Panels in a row.
        colours : str
            Palette.
        cycles : RecordedCycles, optional
            What holds PDSA cycles, such as a project: a row of bars under the data of each panel, with the
            decision at the end of each. Default: none are drawn.

        Returns
        -------
        matplotlib.figure.Figure or matplotlib.axes.Axes
            The figure, or ``ax`` when it was given.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> type(qe.control_chart(calls).plot()).__name__
        'Figure'
        """
        from qi_equity.plot.control import plot_control_chart

        return plot_control_chart(self, ax=ax, order=order, columns=columns, colours=colours, cycles=cycles)

    def to_dict(self) -> dict[str, Any]:
        """Turn the chart into JSON; :meth:`from_dict` gives it back without computing anything anew.

        Returns
        -------
        dict
            Versioned; holds the series, every line and every flag.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.control_chart(calls).to_dict()["type"]
        'ControlChart'
        """
        return saved.to_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ControlChart:
        """Read what :meth:`to_dict` wrote.

        Parameters
        ----------
        data : mapping
            What :meth:`to_dict` returned, possibly through JSON.

        Returns
        -------
        ControlChart
            The same chart.

        Raises
        ------
        DataError
            If the data hold something else, or a format that this version does not read.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> chart = qe.control_chart(calls)
        >>> qe.ControlChart.from_dict(chart.to_dict()).equals(chart)
        True
        """
        return saved.from_dict(cls, data)

    def equals(self, other: object) -> bool:
        """Say whether another chart holds the same data, lines, flags and method.

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
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.control_chart(calls).equals(qe.run_chart(calls))
        False
        """
        return isinstance(other, ControlChart) and saved.equal(self, other)

    def _repr_html_(self) -> str:
        return html.chart_html(self)
