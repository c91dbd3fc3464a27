"""Run charts of every stratum at once."""

from __future__ import annotations

from qi_equity.data.series import StratifiedSeries, check_series
from qi_equity.spc.build import Baseline, Periods, Phases, build
from qi_equity.spc.chart import ControlChart
from qi_equity.spc.kinds_measurements import Run
from qi_equity.spc.rule_sets import resolve_rules
from qi_equity.spc.rules import RuleSet
from qi_equity.spc.targets import Target


def run_chart(
    series: StratifiedSeries,
    *,
    phases: Phases | None = None,
    baseline: Baseline | None = None,
    exclude: Periods | None = None,
    rules: str | RuleSet = "anhoej",
    target: Target | None = None,
) -> ControlChart:
    """Make a run chart of every stratum of a series: the values about their median.

    Parameters
    ----------
    series : StratifiedSeries
        What to chart; a measure of any kind.
    phases : date, list of dates, frame or recorded changes, optional
        Where a new phase starts; a frame has ``start`` and, as wanted, ``site``, ``group``, ``label``,
        ``reason``. What holds recorded changes, such as a project of :mod:`qi_equity.pdsa`, gives those of
        the measure (see :class:`RecordedChanges`).
    baseline : int or date, optional
        The first periods of each phase, or those up to a date, that set the median. Default: the whole phase.
    exclude : period, list of periods or frame, optional
        Points out of median and runs tests; they are still drawn.
    rules : str or RuleSet
        ``"anhoej"``, or a set of tests that need no limits.
    target : float or frame, optional
        Target, unscaled (0.03, not 3 %); or a frame of changing targets, with ``start``, ``target`` and, as
        wanted, ``site``, ``group``: from ``start`` on the target holds. Default, and before the first
        ``start``: the measure's.

    Returns
    -------
    ControlChart
        One object with all strata, of kind ``"run"``; its limits are NaN.

    Raises
    ------
    InputTypeError
        If an argument is not of its type.
    OptionError
        If a rule needs limits, or an option is not allowed.
    DataError
        If phases, exclusions or targets do not fit the series.

    References
    ----------
    .. [1] Anhøj, Olesen. Run charts revisited. PLoS One 2014;9:e113825.

    Examples
    --------
    >>> import pandas as pd
    >>> import qi_equity as qe
    >>> months = pd.date_range("2023-01-01", periods=12, freq="MS").strftime("%Y-%m")
    >>> counts = pd.DataFrame({"month": months, "calls": [14, 9, 12, 8, 15, 10, 13, 7, 16, 11, 6, 17]})
    >>> series = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="calls")
    >>> float(qe.run_chart(series).centre_line[0, 0])
    11.5
    """
    return build(
        check_series(series),
        Run(),
        resolve_rules(rules, run_chart=True),
        phases=phases,
        baseline=baseline,
        exclude=exclude,
        limits="own",
        target=target,
    )
