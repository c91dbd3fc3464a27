"""A review as its readers meet it: each frame is given out as a copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from qi_equity import _result

__all__ = ["FRAMES", "ReviewFrames"]

FRAMES = (
    "grid", "aims", "progress", "cycles", "predictions", "reached", "harm", "marks", "phases", "completeness",
    "detection", "signals", "expected", "gaps", "calls", "network_notes",
)  # fmt: skip
"""Names of the frames that a review is kept as."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class ReviewFrames:
    """The frames of a review.

    Examples
    --------
    >>> from qi_equity.pdsa.calls.result import Review
    >>> issubclass(Review, ReviewFrames)
    True
    """

    _frames: Mapping[str, pd.DataFrame]
    _notes: pd.DataFrame

    @property
    def sites(self) -> tuple[str, ...]:
        """Names of the sites.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).sites
        ('North',)
        """
        return tuple(self._frames["calls"]["site"])

    @property
    def notes(self) -> pd.DataFrame:
        """What the reader must be told: ``code, severity, site, group, text``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).notes.columns.tolist()
        ['code', 'severity', 'site', 'group', 'text']
        """
        return _result.notes([self._notes, self._frames["network_notes"]])

    @property
    def grid(self) -> pd.DataFrame:
        """What the last point of each group says, in one word; all sites together, then each; made afresh.

        ``site`` (missing: all sites together, which come first; none where one site is reviewed), ``measure,
        role`` (outcome, process, balancing or structure; missing where no project of the site uses it),
        ``group, state, reason, last`` (last month with a value).

        States: "improvement" and "concern" where the month takes part in a signal; "neutral" where a signal
        is neither better nor worse; "common cause" where there is none although one could have shown; "not
        yet visible" where none could: the chart cannot signal improvement or deterioration, no rule applies,
        the lines come from fewer than 12 months, or the change asked for would take too long to show; "no
        data" where the month has no final value.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).grid["state"].tolist()
        ['not yet visible']
        """
        return self._frames["grid"].copy()

    @property
    def aims(self) -> pd.DataFrame:
        """Aims of the sites, in the version of the month; made afresh.

        ``site, project, text, measure, baseline, target, direction, for_whom, by_when, defined_by, version,
        shared``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).aims.empty
        True
        """
        return self._frames["aims"].copy()

    @property
    def progress(self) -> pd.DataFrame:
        """The latest score of each project, that of the team itself apart; made afresh.

        ``site, project, date, score`` (0.5 to 5.0, set by people), ``scale_version, self_assessed,
        assessed_by, justification, comments, suggestions, shared``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).progress.empty
        True
        """
        return self._frames["progress"].copy()

    @property
    def cycles(self) -> pd.DataFrame:
        """Cycles to which something happened since the site's last call, or that have no decision yet.

        ``site, project, cycle`` (its id), ``name, idea, purpose, objective, status`` (planned, done, studied,
        decided), ``under_way`` (begun and not decided on), ``start, end, as_planned, unplanned, learning,
        decision, follows, not_yet_visible`` (groups at the decision), ``shared``; made afresh.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).cycles.empty
        True
        """
        return self._frames["cycles"].copy()

    @property
    def predictions(self) -> pd.DataFrame:
        """What was predicted in these cycles, overall and by group, beside what was found; made afresh.

        ``site, project, cycle, name, group`` (missing: overall), ``measure, prediction, expected, matched``
        (yes, no, not yet visible; missing: not studied yet), ``result, events, denominator, shared``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).predictions.empty
        True
        """
        return self._frames["predictions"].copy()

    @property
    def reached(self) -> pd.DataFrame:
        """How many people of each group these cycles reached; made afresh.

        ``site, project, cycle, name, group, people, shared``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).reached.empty
        True
        """
        return self._frames["reached"].copy()

    @property
    def harm(self) -> pd.DataFrame:
        """Whether harm was looked for in these cycles, by group, and found; made afresh.

        ``site, project, cycle, name, group, measure, found, text, shared``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).harm.empty
        True
        """
        return self._frames["harm"].copy()

    @property
    def completeness(self) -> pd.DataFrame:
        """How complete the data are, one row a measure, site and group; made afresh.

        ``measure, site, group, status`` (of the month), ``births_month, births_series, unrecorded_month,
        unrecorded_series, months_observed, months, known_month, known_series``: the last two are shares of
        births at the site with a known ethnic group, the same for all its groups.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).completeness[["status", "months"]].values.tolist()
        [['observed', 1]]
        """
        return self._frames["completeness"].copy()

    @property
    def detection(self) -> pd.DataFrame:
        """What the chart of each group can show, one row a measure, site and group; made afresh.

        ``measure, site`` (missing: all sites together), ``group, kind`` (of chart), ``points`` (in its last
        phase), ``births_per_month, rate, changed_rate, months_to_detect`` (on average, of a chart that starts
        with the change: a p, u or c chart by the rules of the review, a CUSUM set for one false signal in 150
        months; infinite: never, NaN: cannot be reckoned), ``can_signal_improvement,
        can_signal_deterioration`` (yes, only over several points, no), ``visible`` (within the months asked
        for).

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).detection["kind"].tolist()
        ['c']
        """
        return self._frames["detection"].copy()

    @property
    def signals(self) -> pd.DataFrame:
        """Signals that reach into the months since the site's last call; made afresh.

        ``measure, site`` (missing: all sites together), ``group, phase, rule, start, end, n_points, side,
        meaning``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).signals.empty
        True
        """
        return self._frames["signals"].copy()

    @property
    def expected(self) -> pd.DataFrame:
        """Charts that signal, beside those that would if nothing had changed; one row a measure and kind.

        ``measure, of`` ("all sites": charts of all together; "each site"), ``charts`` (groups, sites and
        phases), ``with_signal`` (of these, since they began), ``expected`` (of these, if nothing had
        changed), ``signals_now`` (since the last call); made afresh. ``expected`` is that of
        :func:`~qi_equity.false_signals`.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).expected[["charts", "with_signal"]].values.tolist()
        [[1, 0]]
        """
        return self._frames["expected"].copy()

    @property
    def gaps(self) -> pd.DataFrame:
        """Gap of every group to everyone else, in the 12 months to the call and the 12 before; made afresh.

        ``measure, site`` (missing: all sites together, which come first), ``group, span, start, end,
        n_periods, events, births, rate, reference_events, reference_births, reference_rate, orientation``;
        ``difference`` (0 is none) and ``ratio`` (1 is none), each with ``_lower`` and ``_upper`` of 95 %
        confidence, above none being worse for the group (see :func:`~qi_equity.gaps`); ``gap``: "worse" or
        "better" than everyone else (of measures without a direction "higher" or "lower"), "not yet visible"
        where the data fit no gap too, "not known"; ``reliable, reliability, status``. No rows for counts
        without births, and where groups overlap.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": "2024-01", "site": ["North"] * 2 + ["South"] * 2, "n": 300,
        ...                      "who": ["Black", "White"] * 2, "x": [30, 9, 24, 12]})
        >>> columns = {"period": "month", "numerator": "x", "denominator": "n", "group": "who"}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], site="site", **columns)
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name=s) for s in ("North", "South")])
        >>> review(network, "2024-01", series).gaps[["group", "rate", "reference_rate"]].values.tolist()[0]
        ['Black', 0.09, 0.035]
        """
        return self._frames["gaps"].copy()

    @property
    def calls(self) -> pd.DataFrame:
        """From when the cycles of each site are told: ``site, since, call`` (its title); made afresh.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).calls["since"].astype(str).tolist()
        ['2023-12-01']
        """
        return self._frames["calls"].copy()

    def cycle_marks(self, measure: str) -> pd.DataFrame:
        """Give the cycles of a measure that were carried out by the end of the month, to be drawn.

        Parameters
        ----------
        measure : str
            Name of the measure.

        Returns
        -------
        pandas.DataFrame
            As from :meth:`Network.cycle_marks`.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).cycle_marks("Calls").empty
        True
        """
        table = self._frames["marks"]
        rows = table[table["measure"] == measure].drop(columns=["measure", "shared"])
        return rows.reset_index(drop=True)
