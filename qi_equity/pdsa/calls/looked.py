"""What the data say in a review: how complete they are, what could have been seen, and signals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from qi_equity.data.cells import OBSERVED, Floats
from qi_equity.data.series import StratifiedSeries
from qi_equity.errors import OptionError
from qi_equity.pdsa.calls.charting import strata_of
from qi_equity.planning.months import months_to_detect
from qi_equity.planning.plan import Plan, make_plan
from qi_equity.planning.points import points_of_series
from qi_equity.planning.rules_waiting import rules_waiting
from qi_equity.spc.chart import ControlChart

__all__ = [
    "EACH_SITE",
    "FALSE_ALARM_MONTHS",
    "TOGETHER",
    "completeness",
    "detection",
    "expected",
    "signals",
]

EACH_SITE, TOGETHER = "each site", "all sites"
"""Which charts a row of ``expected`` counts."""

FALSE_ALARM_MONTHS = 150
"""Months between false signals of the CUSUM that is followed."""

_KEYS = ["site", "group"]
_CAN = ("can_signal_improvement", "can_signal_deterioration")


def completeness(series: StratifiedSeries) -> pd.DataFrame:
    """Give births and unrecorded outcomes of each group, and how much of the ethnicity of a site is known.

    Returns
    -------
    pandas.DataFrame
        ``measure, site, group, status`` (of the last month), ``births_month, births_series,
        unrecorded_month, unrecorded_series, months_observed, months``, and of the whole site, the same in
        all its groups, ``known_month, known_series`` (shares; NaN where that is not known).
    """
    cells = series.cells
    strata = cells.strata[_KEYS].astype("str").reset_index(drop=True)
    data = series.data
    status = data.loc[data["period"] == data["period"].max(), "status"].astype("str")
    table = strata.assign(
        measure=pd.Series([series.measure.name] * len(strata), dtype="str"),
        status=status.to_numpy(),
        births_month=cells.denominator[:, -1],
        births_series=_sum(cells.denominator),
        unrecorded_month=cells.unrecorded[:, -1],
        unrecorded_series=_sum(cells.unrecorded),
        months_observed=(cells.status == OBSERVED).sum(axis=1),
        months=np.int64(len(series.periods)),
        **_known(series, strata["site"]),
    ).astype({"status": "str"})
    return table[[
        "measure", *_KEYS, "status", "births_month", "births_series", "unrecorded_month",
        "unrecorded_series", "months_observed", "months", "known_month", "known_series",
    ]]  # fmt: skip


def _sum(block: Floats) -> Floats:
    """Sum over the months what is known; NaN where nothing is."""
    return np.where(np.isfinite(block).any(axis=1), np.nansum(block, axis=1), np.nan)


def _known(series: StratifiedSeries, site: pd.Series) -> dict[str, pd.Series]:
    """Give the share of births with a known group, of each site; NaN where the data do not tell."""
    try:
        by_month, whole = series.completeness(), series.completeness(by_period=False)
    except OptionError:
        none = pd.Series(np.nan, index=site.index)
        return {"known_month": none, "known_series": none}
    last = by_month[by_month["period"] == by_month["period"].max()]
    return {
        name: site.map(pd.Series(table["known"].to_numpy(), index=table["site"].astype("str")))
        for name, table in (("known_month", last), ("known_series", whole))
    }


def detection(chart: ControlChart, change: float, within: float) -> pd.DataFrame:
    """Say what the chart of each group can show, and after how many months on average.

    Returns
    -------
    pandas.DataFrame
        ``measure, site, group, kind, points`` (in the last phase), ``births_per_month, rate, changed_rate,
        months_to_detect, can_signal_improvement, can_signal_deterioration, visible``. Months are those of a
        chart that starts with the change, about known lines: of a p, u or c chart by the rules of the review,
        of a CUSUM set for one false signal in 150 months; NaN where nothing can be reckoned, infinite where
        it never shows.
    """
    kinds = chart.kinds["kind"].to_numpy()
    births, rate, changed, months = np.full((4, len(kinds)), np.nan)
    if chart.series.measure.kind != "mean":
        plan = make_plan(chart.series, change)
        births, rate, changed = plan.births, plan.rate, plan.changed
        months = _months(chart, plan, kinds)
    strata, phase = strata_of(chart), _last_phase(chart)
    return strata.assign(
        measure=pd.Series([chart.series.measure.name] * len(strata), dtype="str"),
        kind=pd.Series(kinds, dtype="str"),
        births_per_month=births,
        rate=rate,
        changed_rate=changed,
        months_to_detect=months,
        points=phase["n_points"].to_numpy(dtype=np.float64),
        **{name: phase[name] for name in _CAN},
        visible=months <= within,
    )[[
        "measure", *_KEYS, "kind", "points", "births_per_month", "rate", "changed_rate", "months_to_detect",
        *_CAN, "visible",
    ]]  # fmt: skip


def _months(chart: ControlChart, plan: Plan, kinds: np.ndarray) -> Floats:
    """Give mean months until the kind of chart that is drawn signals the change, shape (S,)."""
    months = np.full(len(kinds), np.nan)
    cusum = kinds == "cusum"
    if not cusum.all() and chart.rules.tests:
        points = points_of_series(chart.series, chart.rules)
        by_rules = rules_waiting(points.moved_to(plan.changed), plan.side).waiting.mean()
        months = np.where(plan.seen & ~cusum, by_rules, np.nan)
    if cusum.any():
        months[cusum] = months_to_detect(
            plan.births[cusum], plan.rate[cusum], plan.changed[cusum], chart="cusum",
            false_alarm_months=FALSE_ALARM_MONTHS,
            kind="proportion" if plan.family == "binomial" else "rate",
        )  # fmt: skip
    return months


def _last_phase(chart: ControlChart) -> pd.DataFrame:
    """Give the summary of the last phase of each stratum, in the order of the strata."""
    keys = list(chart.strata.columns)
    summary = chart.summary()
    last = summary.assign(**{k: summary[k].astype("str") for k in keys}).drop_duplicates(keys, keep="last")
    texts = {name: last[name].astype("str").where(last[name].notna(), None) for name in _CAN}
    return chart.strata.astype("str").merge(last.assign(**texts), on=keys, how="left")


def signals(chart: ControlChart, since: Mapping[str, np.datetime64]) -> pd.DataFrame:
    """Give the signals that reach into the months since each site's last call, of all sites since the first.

    Returns
    -------
    pandas.DataFrame
        ``measure, site, group, phase, rule, start, end, n_points, side, meaning``.
    """
    found = chart.signals
    if "site" in found:
        first = found["site"].astype("str").map(since).to_numpy(dtype="datetime64[M]")
    else:
        found = found.assign(site=pd.Series([None] * len(found), dtype="str"))
        first = np.full(len(found), min(since.values()))
    found = found[found["end"].to_numpy(dtype="datetime64[M]") >= first].reset_index(drop=True)
    texts = {
        name: found[name].astype("str").where(found[name].notna(), None)
        for name in (*_KEYS, "rule", "side", "meaning")
    }
    found = found.assign(measure=pd.Series([chart.series.measure.name] * len(found), dtype="str"), **texts)
    return found[["measure", *_KEYS, "phase", "rule", "start", "end", "n_points", "side", "meaning"]]


def expected(
    charts: Mapping[str, ControlChart], pooled: Mapping[str, ControlChart], found: pd.DataFrame
) -> pd.DataFrame:
    """Set the charts that signal beside those that would if nothing had changed.

    Returns
    -------
    pandas.DataFrame
        ``measure, of`` (``EACH_SITE`` or ``TOGETHER``), ``charts`` (strata and phases with points),
        ``with_signal`` (of these, since they began), ``expected`` (of these, if nothing had changed),
        ``signals_now`` (signals since the last call).
    """
    rows = []
    for of, some in ((TOGETHER, pooled), (EACH_SITE, charts)):
        now = found.loc[found["site"].isna() == (of == TOGETHER), "measure"]
        for name, chart in some.items():
            summary = chart.summary()
            rows.append((
                name, of, int((summary["n_points"] > 0).sum()), int((summary["n_signals"] > 0).sum()),
                float(summary["false_signal_probability"].sum()), int((now == name).sum()),
            ))  # fmt: skip
    table = pd.DataFrame(rows, columns=["measure", "of", "charts", "with_signal", "expected", "signals_now"])
    whole = dict.fromkeys(("charts", "with_signal", "signals_now"), "int64")
    return table.astype({"measure": "str", "of": "str", "expected": "float64", **whole})
