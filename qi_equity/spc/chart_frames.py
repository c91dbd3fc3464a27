"""What a chart says in frames and in words: points, signals, notes, summary, icons, descriptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pandas as pd

from qi_equity._result import notes as join_notes
from qi_equity.spc import icons, points, signals, summary, text
from qi_equity.spc import notes as chart_notes
from qi_equity.spc.signals import Found
from qi_equity.spc.state import ChartState

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ChartFrames(ChartState):
    """A chart's state as its readers meet it: each frame is made once, and given out as a copy."""

    @property
    def points(self) -> pd.DataFrame:
        """One row a point, in the order of the strata and of time.

        Columns: ``site`` (if any), ``group``, further strata, ``period, phase`` (from 1), ``arm`` ("both", or
        "low" and "high" in a row for each arm of a two-sided CUSUM), ``numerator, denominator, value`` (what
        is plotted and compared with the lines), ``status, centre_line, sigma, lower, upper, lower_2s,
        upper_2s, baseline, excluded, special_cause, improvement, concern``. A point can be both improvement
        and concern.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.control_chart(calls).points["value"].tolist()
        [8.0, 10.0]
        """
        return self._cached("points", lambda: points.points_frame(self._chart)).copy()

    @property
    def signals(self) -> pd.DataFrame:
        """One row a signal: strata, ``phase, rule, start, end, n_points, side, meaning``.

        ``start`` and ``end`` are the first and the last period that take part, ``side`` is "low", "high" or,
        missing where a rule has none; ``meaning`` is "improvement", "concern" or "neutral".

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> len(qe.control_chart(calls).signals)
        0
        """
        return self._cached("signals", lambda: signals.signals_frame(self._chart)).copy()

    @property
    def notes(self) -> pd.DataFrame:
        """What the reader must be told: ``code, severity, site, group``, further strata, ``text``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.control_chart(calls).notes["code"].tolist()
        ['expected_false_signals', 'short_phase']
        """
        further = self.strata.columns.tolist()
        return self._cached("notes", lambda: join_notes(chart_notes.chart_notes(self._chart), further)).copy()

    def summary(self) -> pd.DataFrame:
        """Summarise each stratum and phase in one row.

        Returns
        -------
        pandas.DataFrame
            Strata, ``phase, kind, start, end, n_points`` (observed), ``n_useful`` (not on the centre line,
            not excluded), ``numerator, denominator`` (sums over the observed points), ``centre_line, lower,
            upper`` (at the last observed point), ``longest_run, longest_run_max, crossings, crossings_min``
            (thresholds are NaN where the test is not given), ``n_signals, runs_tests`` ("given" or why not),
            ``can_signal_low, can_signal_high, can_signal_improvement, can_signal_deterioration`` ("yes": one
            point can; "only over several points"; "no"; the last two are missing without a direction),
            ``false_signal_probability`` (that a stable process gives a signal at least once in this row),
            ``false_signal_error`` (its Monte-Carlo standard error, or the most that taking the arms of a
            CUSUM of counts as independent can leave out; 0 where it is exact) and
            ``expected_false_signals_all`` (the sum of these over all rows: how many to expect with a false
            signal).

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.control_chart(calls).summary()[["numerator", "centre_line"]].to_numpy().tolist()
        [[18.0, 9.0]]
        """
        return summary.summary_frame(self._chart)

    def icons(self) -> pd.DataFrame:
        """Give the variation and the assurance icon of each stratum, in words.

        The variation icon speaks of the last observed point; the assurance icon compares the target with the
        limits at that point. A run chart has no limits and so no assurance.

        Returns
        -------
        pandas.DataFrame
            Strata, ``variation`` (improvement, concern, neutral, common cause, none), ``variation_side``,
            ``variation_text``, ``assurance`` (pass, fail, inconsistent or missing), ``assurance_text``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.control_chart(calls).icons()["variation"].tolist()
        ['common cause']
        """
        return icons.icons_frame(self._chart)

    def alt_text(self) -> pd.DataFrame:
        """Describe each panel in plain words, for readers who do not see the figure.

        Returns
        -------
        pandas.DataFrame
            Strata and ``text``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.control_chart(calls).alt_text().loc[0, "text"]
        'All: c chart of Calls, by month, 2024-01 to 2024-02: 2 observed points; 18 events. ...'
        """
        return text.alt_text_frame(self._chart)

    @property
    def _chart(self) -> ControlChart:
        return cast("ControlChart", self)

    def _found(self) -> Found:
        """Signals as positions."""
        return self._cached("found", lambda: signals.found(self._chart))

    def _summary_rows(self) -> pd.DataFrame:
        """Summary with the number of the stratum in place of its names."""
        return self._cached("summary", lambda: summary.summary_rows(self._chart))
