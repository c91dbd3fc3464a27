"""Control charts of every stratum at once."""

from __future__ import annotations

from typing import Literal

from qi_equity.data.series import StratifiedSeries, check_series
from qi_equity.spc.build import Baseline, Periods, Phases, build
from qi_equity.spc.chart import ControlChart
from qi_equity.spc.kinds import Given, Name, resolve_kind
from qi_equity.spc.rule_sets import resolve_rules
from qi_equity.spc.rules import RuleSet
from qi_equity.spc.targets import Target

Kind = Name | Given


def control_chart(
    series: StratifiedSeries,
    kind: Kind = "auto",
    *,
    phases: Phases | None = None,
    baseline: Baseline | None = None,
    exclude: Periods | None = None,
    rules: str | RuleSet = "anhoej+shewhart",
    limits: Literal["own", "common"] = "own",
    target: Target | None = None,
) -> ControlChart:
    """Make a control chart of every stratum of a series.

    Centre line and limits come from the baseline of each phase; missing, suppressed, provisional and excluded
    points have no part in them. Limits of p, u and c charts are exact probability limits unless the kind says
    otherwise. Runs tests assume a fair coin and are given only where that holds; ``notes`` says where not.

    Parameters
    ----------
    series : StratifiedSeries
        What to chart.
    kind : str or specification
        ``"auto"``, ``"p"``, ``"np"``, ``"c"``, ``"u"``, ``"pp"``, ``"up"``, ``"i"``, ``"mr"``, ``"ip"``,
        ``"xbar"``, ``"s"``, ``"r"``, ``"g"``, ``"t"``, ``"ewma"``, ``"cusum"``, ``"bernoulli_cusum"``,
        ``"risk_adjusted_cusum"``, ``"vlad"``; or a kind with its parameters, such as ``Ewma(weight=0.1)``.

        ``"auto"`` chooses for each stratum. Counts: the p, u or c chart where both a rise and a fall can
        show, else a CUSUM of the counts. Births between events: g, or a Bernoulli CUSUM where g is blind to
        one side; days: t, or g of whole days. Means: xbar, I' or i, by what is known of the subgroups. Why
        stands in ``chart.kinds``.
    phases : date, list of dates, frame or recorded changes, optional
        Where a new phase starts; a frame has ``start`` and, as wanted, ``site``, ``group``, ``label``,
        ``reason``. What holds recorded changes, such as a project of :mod:`qi_equity.pdsa`, gives those of
        the measure (see :class:`RecordedChanges`).
    baseline : int or date, optional
        The first periods of each phase, or those up to a date, that set the lines. Default: the whole phase.
    exclude : period, list of periods or frame, optional
        Points out of limits and runs tests; they are still drawn and compared with the limits, but for charts
        whose points carry their past (mr, ewma, cusum and their like), which pass over them.
    rules : str or RuleSet
        Names of ``rule_sets``, joined with "+", or a set of one's own.
    limits : {"own", "common"}
        Centre line of each stratum, or (p, np and u) that of all groups of a site together, with each group's
        own denominators.
    target : float or frame, optional
        Target, unscaled (0.03, not 3 %); or a frame of changing targets, with ``start``, ``target`` and, as
        wanted, ``site``, ``group``: from ``start`` on the target holds. Default, and before the first
        ``start``: the measure's.

    Returns
    -------
    ControlChart
        One object with all strata.

    Raises
    ------
    InputTypeError
        If an argument is not of its type.
    OptionError
        If an option is not allowed, or does not fit the measure.
    DataError
        If phases, exclusions or targets do not fit the series.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., chapters 6 and 7.
    .. [2] Anhøj, Olesen. Run charts revisited. PLoS One 2014;9:e113825.

    Examples
    --------
    >>> import pandas as pd
    >>> import qi_equity as qe
    >>> months = pd.date_range("2023-01-01", periods=24, freq="MS").strftime("%Y-%m")
    >>> counts = pd.DataFrame({"month": months, "events": [5, 7, 4, 6] * 5 + [5, 7, 4, 19], "births": 90})
    >>> series = qe.from_counts(counts, qe.measures["preterm_birth"], period="month", numerator="events",
    ...                         denominator="births")
    >>> signals = qe.control_chart(series).signals
    >>> signals[["group", "rule", "side", "meaning"]].to_numpy().tolist()
    [['All', 'beyond_limits', 'high', 'concern']]
    """
    checked = check_series(series)
    return build(
        checked,
        resolve_kind(kind, checked.measure),
        resolve_rules(rules),
        phases=phases,
        baseline=baseline,
        exclude=exclude,
        limits=limits,
        target=target,
    )
