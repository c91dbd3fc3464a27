"""The chart of gaps over time, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from qi_equity.data.selecting import stratum_mask
from qi_equity.equity.gap_chart import build as gap_build
from qi_equity.equity.gap_chart import saved as gap_saved
from qi_equity.equity.gap_chart.frames import GapFrames
from qi_equity.errors import OptionError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from qi_equity.data.recorded_cycles import RecordedCycles


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class GapChart(GapFrames):
    """The gap between every group and its reference, period by period; what :func:`gap_chart` gives.

    Gaps are turned so that more is worse for the group: a positive difference, a ratio above 1, more events
    observed than expected. Arrays have the shape (S, T): S strata in the order of ``series``, T periods; NaN
    is "not there". Values are unscaled.

    Attributes
    ----------
    series : StratifiedSeries
        What is compared, in the periods of the chart; all groups, also those that are not shown.
    reference : Reference
        What each group is compared with, and why.
    against : Against
        Counts of the reference beside each stratum.
    scale : {"difference", "ratio", "observed-expected"}
        Which gap.
    rules : RuleSet
        The rules that were applied.
    judged : bool
        Whether they were: never to counts that are rounded.
    confidence : float
        Level of the intervals of :meth:`movement`.
    timeline : Timeline
        Phase, baseline and exclusion of each point.
    lines : mapping of str to numpy.ndarray, shape (S, T)
        ``gap, centre_line, sigma, lower, upper, expected``; ``lowest, highest`` (what the group alone could
        bring about), ``chance_above`` (of a point to lie above the centre line, if not on it), ``undefined``
        (chance of a ratio of 0 to 0), ``crossed`` (chance of having crossed a limit so far), ``rate,
        reference_rate`` (of the baseline).
    flags : mapping of (str, str) to numpy.ndarray of bool
        For each rule and side the points that take part in a signal.
    few_crossings : numpy.ndarray of bool, shape (S, K)
        Strata and phases that signal as a whole.
    runs : RunsTests
        Longest run and crossings of each stratum and phase, and whether the tests are given.
    shown : numpy.ndarray of int
        Strata shown, by their place in the series.
    options : mapping
        Arguments with which the chart is made again.
    method : mapping
        What was done: orientation, reference with its reason, scale, rules, phases, exclusions, version.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = pd.DataFrame({"m": ["2024-01", "2024-04"] * 2, "area": ["East"] * 2 + ["West"] * 2,
    ...                      "x": [3, 5, 4, 4], "n": [80, 80, 80, 80]})
    >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n",
    ...                         group="area", every="quarter")
    >>> chart = qe.gap_chart(series, reference="West")
    >>> chart.points["gap"].round(4).tolist()
    [-0.0125, 0.0125, nan, nan]
    """

    def select(
        self,
        *,
        group: str | Sequence[str] | None = None,
        site: str | Sequence[str] | None = None,
        where: Mapping[str, str | Sequence[str]] | None = None,
    ) -> GapChart:
        """Show some strata only; nothing is computed anew.

        Parameters
        ----------
        group, site : str or sequence of str, optional
            Names to show. Default: all.
        where : mapping, optional
            Further strata: column to the value or values to show.

        Returns
        -------
        GapChart
            The same chart with fewer strata in its frames and texts; ``series`` still holds all, among them
            the reference.

        Raises
        ------
        OptionError
            If a name is not there, or nothing is left.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01", "2024-04"] * 2, "area": ["East"] * 2 + ["West"] * 2,
        ...                      "x": [3, 5, 4, 4], "n": [80, 80, 80, 80]})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n",
        ...                         group="area", every="quarter")
        >>> chart = qe.gap_chart(series, reference="West")
        >>> len(chart.select(group="East").points)
        2
        """
        mask = stratum_mask(self.series.cells.strata, group=group, site=site, where=where)
        left = np.flatnonzero(mask & self._shown_mask)
        if not left.size:
            raise OptionError(
                f"group={group!r}, site={site!r}, where={where!r} leave no stratum of those shown; name some "
                "of chart.strata."
            )
        kept = {name: self._cache[name] for name in _OF_ALL if name in self._cache}
        return replace(self, shown=left, _cache=kept)

    def disclose(
        self, rule: Any, *, margins: str | Sequence[str] | None = None, protect: int | None = None
    ) -> GapChart:
        """Give the chart as it may leave: made anew, with the same options, from the counts let out.

        Every number, limits too, is then a function of disclosed counts. No rule is applied to rounded
        counts.

        Parameters
        ----------
        rule : SuppressionRule or str
            The rule, or the name of one.
        margins : str or sequence of str, optional
            Sums that are published together with the chart; see :meth:`StratifiedSeries.disclose`.
        protect : int, optional
            Fewest whole numbers an outsider may be left with for a protected count. Default: the rule's.

        Returns
        -------
        GapChart
            With withheld points as "suppressed".

        Raises
        ------
        OptionError
            If the rule cannot be kept.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01", "2024-04"] * 2, "area": ["East"] * 2 + ["West"] * 2,
        ...                      "x": [3, 5, 4, 4], "n": [80, 80, 80, 80]})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n",
        ...                         group="area", every="quarter")
        >>> chart = qe.gap_chart(series, reference="West")
        >>> chart.disclose("strict-10").points["status"].unique().tolist()
        ['suppressed']
        """
        made = gap_build.build(
            type(self),
            self.series.disclose(rule, margins=margins, protect=protect),
            self.reference,
            self.scale,
            self.rules,
            self.confidence,
            self.options,
        )
        return replace(made, shown=self.shown, _cache={})

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
        """Draw small multiples, one panel a stratum; see :func:`qi_equity.plot.gap_chart.plot_gap_chart`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Draw the only stratum shown here.
        order : str or sequence of str
            How the groups are ordered.
        columns : int, optional
            Panels in a row.
        colours : str
            Palette.
        cycles : RecordedCycles, optional
            What holds PDSA cycles, such as a project: they are marked under the gap of each group.

        Returns
        -------
        matplotlib.figure.Figure or matplotlib.axes.Axes
            The figure, or ``ax`` when it was given.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01", "2024-04"] * 2, "area": ["East"] * 2 + ["West"] * 2,
        ...                      "x": [3, 5, 4, 4], "n": [80, 80, 80, 80]})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n",
        ...                         group="area", every="quarter")
        >>> chart = qe.gap_chart(series, reference="West")
        >>> type(chart.plot()).__name__
        'Figure'
        """
        from qi_equity.plot.gap_chart import plot_gap_chart

        return plot_gap_chart(self, ax=ax, order=order, columns=columns, colours=colours, cycles=cycles)

    def to_dict(self) -> dict[str, Any]:
        """Turn the chart into JSON; :meth:`from_dict` gives it back without computing anything anew.

        Returns
        -------
        dict
            Versioned; holds the whole series, also the strata that are not shown.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01", "2024-04"] * 2, "area": ["East"] * 2 + ["West"] * 2,
        ...                      "x": [3, 5, 4, 4], "n": [80, 80, 80, 80]})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n",
        ...                         group="area", every="quarter")
        >>> chart = qe.gap_chart(series, reference="West")
        >>> chart.to_dict()["type"]
        'GapChart'
        """
        return gap_saved.to_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> GapChart:
        """Read what :meth:`to_dict` wrote.

        Parameters
        ----------
        data : mapping
            What :meth:`to_dict` returned, possibly through JSON.

        Returns
        -------
        GapChart
            The same chart.

        Raises
        ------
        DataError
            If the data hold something else, or a format that this version does not read.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01", "2024-04"] * 2, "area": ["East"] * 2 + ["West"] * 2,
        ...                      "x": [3, 5, 4, 4], "n": [80, 80, 80, 80]})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n",
        ...                         group="area", every="quarter")
        >>> chart = qe.gap_chart(series, reference="West")
        >>> qe.GapChart.from_dict(chart.to_dict()).equals(chart)
        True
        """
        return gap_saved.from_dict(cls, data)

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
        >>> rows = pd.DataFrame({"m": ["2024-01", "2024-04"] * 2, "area": ["East"] * 2 + ["West"] * 2,
        ...                      "x": [3, 5, 4, 4], "n": [80, 80, 80, 80]})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n",
        ...                         group="area", every="quarter")
        >>> chart = qe.gap_chart(series, reference="West")
        >>> chart.equals(chart.select(group="East"))
        False
        """
        return isinstance(other, GapChart) and self.to_dict() == other.to_dict()


# What is reckoned of all strata, shown or not.
_OF_ALL = ("sides", "case", "movement", "movement_words", "false_signals")
