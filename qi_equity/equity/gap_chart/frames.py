"""The frames and texts of a gap chart."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from qi_equity._result import notes as join_notes
from qi_equity.equity.gap_chart import notes as gap_chart_notes
from qi_equity.equity.gap_chart import points as gap_points
from qi_equity.equity.gap_chart import summary as gap_summary
from qi_equity.equity.gap_chart import text as gap_text
from qi_equity.equity.gap_chart.movement import movement_frame
from qi_equity.equity.gap_chart.state import GapState


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class GapFrames(GapState):
    """What a gap chart tells, as frames: points, signals, notes, summary, movement and text."""

    @property
    def points(self) -> pd.DataFrame:
        """One row a stratum shown and period, in the order of the strata and of time.

        Columns: ``site`` (if any), ``group``, further strata, ``compared_with, period, phase`` (from 1),
        ``numerator, denominator, value`` (the group's own, as measured), ``reference_numerator,
        reference_denominator, reference_value``, ``status`` (of the two together), ``gap, centre_line, sigma,
        lower, upper, expected`` (events so far at the reference's rate; for observed minus expected only),
        ``baseline, excluded, special_cause, improvement, concern``. A low gap is improvement only where the
        group's own rate is better than in its baseline; a reference has no gap.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01", "2024-04"] * 2, "area": ["East"] * 2 + ["West"] * 2,
        ...                      "x": [3, 5, 4, 4], "n": [80, 80, 80, 80]})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n",
        ...                         group="area", every="quarter")
        >>> chart = qe.gap_chart(series, reference="West")
        >>> chart.points.loc[1, ["numerator", "reference_numerator"]].tolist()
        [5.0, 4.0]
        """
        return self._cached("points", lambda: gap_points.points_frame(self)).copy()

    @property
    def signals(self) -> pd.DataFrame:
        """One row a signal: strata, ``phase, rule, start, end, n_points, side, meaning``.

        ``meaning`` is "improvement", "concern" or "neutral": a low gap whose group fares no better than in
        its baseline is neutral, because it is the reference that got worse.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01", "2024-04"] * 2, "area": ["East"] * 2 + ["West"] * 2,
        ...                      "x": [3, 5, 4, 4], "n": [80, 80, 80, 80]})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n",
        ...                         group="area", every="quarter")
        >>> chart = qe.gap_chart(series, reference="West")
        >>> len(chart.signals)
        0
        """
        return self._cached("signals", lambda: gap_points.signals_frame(self)).copy()

    @property
    def notes(self) -> pd.DataFrame:
        """What the reader must be told: ``code, severity, site, group``, further strata, ``text``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01", "2024-04"] * 2, "area": ["East"] * 2 + ["West"] * 2,
        ...                      "x": [3, 5, 4, 4], "n": [80, 80, 80, 80]})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n",
        ...                         group="area", every="quarter")
        >>> chart = qe.gap_chart(series, reference="West")
        >>> chart.notes["code"].tolist()[:2]
        ['reference', 'low_gap']
        """
        further = self.series.cells.strata.columns.tolist()
        return self._cached("notes", lambda: join_notes(gap_chart_notes.chart_notes(self), further)).copy()

    def summary(self) -> pd.DataFrame:
        """Summarise each stratum and phase in one row.

        Returns
        -------
        pandas.DataFrame
            Strata, ``compared_with, phase, start, end, n_points, n_useful``, ``centre_line, lower, upper,
            sigma, expected`` (at the last observed point), ``chance_above`` (mean chance of a point above the
            centre line), ``longest_run, longest_run_max, crossings, crossings_min`` (thresholds are NaN where
            the test is not given), ``n_signals, runs_tests`` ("given" or why not), ``can_signal_low,
            can_signal_high`` (how the group alone could make the gap signal, with the reference as expected:
            "yes", "only over several points", "no"), ``false_signal_probability, false_signal_error`` (of a
            signal if nothing changes, and its Monte-Carlo standard error; 0 where it is exact) and
            ``expected_false_signals_all`` (their sum).

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01", "2024-04"] * 2, "area": ["East"] * 2 + ["West"] * 2,
        ...                      "x": [3, 5, 4, 4], "n": [80, 80, 80, 80]})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n",
        ...                         group="area", every="quarter")
        >>> chart = qe.gap_chart(series, reference="West")
        >>> chart.summary()[["compared_with", "n_points"]].values.tolist()
        [['West', 2], ['West', 0]]
        """
        return gap_summary.summary_frame(self)

    def movement(self) -> pd.DataFrame:
        """Give both sides of each gap in every phase, and how they and the gap changed from the phase before.

        Returns
        -------
        pandas.DataFrame
            Strata, ``compared_with, phase, start, end`` (days), ``events, births, reference_events,
            reference_births`` (sums over the observed and not excluded periods; events are births without the
            event where more is better; NaN where there are none, as of a target), and each with ``_lower``
            and ``_upper``: ``rate, reference_rate`` (Wilson for proportions, mid-P for rates, t for means),
            ``difference, ratio`` (the gap), ``rate_change,
            rate_ratio, reference_change, reference_ratio`` (of each side from the phase before, absolute and
            relative), ``difference_change`` (of the gap: square-and-add of the four intervals) and
            ``ratio_change`` (ratio of the ratios, log-adjusted). ``difference_moved`` and ``ratio_moved`` say
            in words what the intervals show: "narrowed", "narrowed because the reference worsened", "widened
            while both improved" and so on, "reversed", or "not yet visible" where the interval of the change
            does not exclude none; empty in the first phase. ``message`` says where the two point opposite
            ways.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01", "2024-04"] * 2, "area": ["East"] * 2 + ["West"] * 2,
        ...                      "x": [3, 5, 4, 4], "n": [80, 80, 80, 80]})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n",
        ...                         group="area", every="quarter")
        >>> chart = qe.gap_chart(series, reference="West")
        >>> chart.movement()[["rate", "reference_rate", "difference", "ratio"]].round(3).values.tolist()
        [[0.05, 0.05, 0.0, 1.0], [0.05, nan, nan, nan]]
        """
        return movement_frame(self)

    def alt_text(self) -> pd.DataFrame:
        """Describe each panel in plain words, with the movement of both sides.

        Returns
        -------
        pandas.DataFrame
            Strata and ``text``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01", "2024-04"] * 2, "area": ["East"] * 2 + ["West"] * 2,
        ...                      "x": [3, 5, 4, 4], "n": [80, 80, 80, 80]})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n",
        ...                         group="area", every="quarter")
        >>> chart = qe.gap_chart(series, reference="West")
        >>> chart.alt_text().loc[0, "text"][:60]
        'East: Difference in Postpartum haemorrhage of 1500 ml or mor'
        """
        return gap_text.alt_text_frame(self)

    def __repr__(self) -> str:
        return (
            f"<GapChart {self.series.measure.name!r} ({self.scale}): {len(self.shown)} strata, "
            f"{len(self.signals)} signals, {len(self.notes)} notes>"
        )

    def _repr_html_(self) -> str:
        return gap_text.chart_html(self)
