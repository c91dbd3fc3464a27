"""The gap between each group and its reference over time."""

from __future__ import annotations

from qi_equity import _validate
from qi_equity.data.reference import Reference, resolve
from qi_equity.data.series import StratifiedSeries, check_series
from qi_equity.data.timeline import timeline
from qi_equity.equity.gap_chart.build import build, plain_options, resampled
from qi_equity.equity.gap_chart.lines import SCALES, Scale
from qi_equity.equity.gap_chart.result import GapChart
from qi_equity.spc.build import Baseline, Periods, Phases
from qi_equity.spc.rule_sets import resolve_rules
from qi_equity.spc.rules import RuleSet

__all__ = ["GapChart", "gap_chart"]


def gap_chart(
    series: StratifiedSeries,
    *,
    reference: str | float | Reference,
    scale: Scale = "difference",
    every: str = "quarter",
    phases: Phases | None = None,
    baseline: Baseline | None = None,
    exclude: Periods | None = None,
    rules: str | RuleSet = "anhoej+shewhart",
    confidence: float = 0.95,
) -> GapChart:
    """Chart the gap between every group and its reference over time.

    Limits come from the counts of both sides, exactly: a gap signals where it would be rare if the two rates
    of the baseline held. The noise of a small reference is in them; ratios of few events are never charted
    as if they were measurements. For groups too small for that, ``scale="observed-expected"`` sums the
    events beyond those expected at the reference's rate.

    Parameters
    ----------
    series : StratifiedSeries
        Proportions, rates with a denominator, or means.
    reference : str, float or Reference
        A group; "rest" (everyone else whose group is known); "best" (the best group of a minimum size);
        "target", or a number, unscaled (0.03 for 3 %); or a :class:`Reference` of one of these.
    scale : {"difference", "ratio", "observed-expected"}
        Group less reference, group over reference, or cumulative observed minus expected events of each
        phase. More is worse in each, also for measures of which more is better.
    every : {"day", "week", "month", "quarter", "year", "financial-year"}
        Length of a period; shorter ones are summed, longer ones stay.
    phases : date, list of dates, frame or recorded changes, optional
        Where a new phase starts; a frame has ``start`` and, as wanted, ``site``, ``group``, ``label``,
        ``reason``. What holds recorded changes, such as a project of :mod:`qi_equity.pdsa`, gives those of
        the measure (see :class:`RecordedChanges`). A reference is cut at the phases of the group beside it.
    baseline : int or date, optional
        The first periods of each phase, or those up to a date, that set the lines. Default: the whole phase.
    exclude : period, list of periods or frame, optional
        Points out of lines and runs tests; observed minus expected passes over them.
    rules : str or RuleSet
        Names of ``rule_sets``, joined with "+", or a set of one's own. Runs tests are given where a point is
        about as likely above the centre line as below (0.4 to 0.6); observed minus expected has limits only.
    confidence : float
        Level of the intervals of :meth:`GapChart.movement`, in (0, 1).

    Returns
    -------
    GapChart
        One object with all strata.

    Raises
    ------
    InputTypeError
        If an argument is not of its type.
    OptionError
        If an option is not allowed or does not fit the measure; for counts without births and times between
        events.
    DataError
        If phases or exclusions do not fit the series.

    References
    ----------
    .. [1] Woodall, Control charts based on attribute data: bibliography and review. J Qual Technol
       1997;29:172-183 (probability limits).
    .. [2] Mantel, Haenszel, Statistical aspects of the analysis of data from retrospective studies of
       disease. J Natl Cancer Inst 1959;22:719-748 (observed minus expected, given the totals).
    .. [3] Anhøj, Olesen. Run charts revisited. PLoS One 2014;9:e113825.
    .. [4] Keppel et al., Methodological issues in measuring health disparities. Vital Health Stat 2005;2(141)
       (adverse outcomes, absolute and relative gaps).

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> quarters = pd.period_range("2022Q1", periods=8, freq="Q").start_time.strftime("%Y-%m")
    >>> rows = pd.DataFrame({"q": list(quarters) * 2, "area": ["East"] * 8 + ["West"] * 8,
    ...                      "x": [9, 8, 10, 7, 9, 8, 9, 30] + [25] * 8, "n": [150] * 8 + [800] * 8})
    >>> columns = {"period": "q", "numerator": "x", "denominator": "n", "group": "area"}
    >>> series = qe.from_counts(rows, qe.measures["preterm_birth"], every="quarter", **columns)
    >>> chart = qe.gap_chart(series, reference="rest", baseline=7)
    >>> chart.signals[["group", "rule", "side", "meaning"]].values.tolist()
    [['East', 'beyond_limits', 'high', 'concern'], ['West', 'beyond_limits', 'low', 'neutral']]
    """
    checked = check_series(series)
    of = _validate.one_of("scale", scale, SCALES)
    level = _validate.number("confidence", confidence, above=0, below=1)
    applied = resolve_rules(rules)
    against = resolve(reference, checked)
    kept = resampled(checked, every)
    options = plain_options(timeline(kept, phases=phases, baseline=baseline, exclude=exclude), baseline)
    return build(GapChart, kept, against, of, applied, level, options)
