"""The monthly review of a network: its charts and its records, as they stood at the end of a month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from qi_equity import _validate
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.table import library
from qi_equity.pdsa.calls import given, looked
from qi_equity.pdsa.calls.charting import charts_of_sites, pooled_charts
from qi_equity.pdsa.calls.gap_frame import MONTHS, gap_frame, gap_tables
from qi_equity.pdsa.calls.grid import grid, roles
from qi_equity.pdsa.calls.known import known_on
from qi_equity.pdsa.calls.network_notes import network_notes
from qi_equity.pdsa.calls.result import Review
from qi_equity.pdsa.calls.review_notes import review_notes
from qi_equity.pdsa.calls.written import written
from qi_equity.pdsa.records.network import Network
from qi_equity.planning.detection import check_change
from qi_equity.spc.chart import ControlChart
from qi_equity.spc.notes import SHORT_PHASE
from qi_equity.spc.rule_sets import resolve_rules
from qi_equity.spc.rules import RuleSet

__all__ = ["from_charts", "review"]

_PHASES = f"implemented changes, each once it has {SHORT_PHASE} months of its own"


def review(
    network: Network,
    month: str,
    series: StratifiedSeries | Sequence[StratifiedSeries] | Mapping[str, StratifiedSeries],
    *,
    site: str | Sequence[str] | None = None,
    phases: bool = True,
    rules: str | RuleSet = "anhoej+shewhart",
    change: float = 0.5,
    within: float = 12,
) -> Review:
    """Put together what a call on the data of a month looks at, for every site and for the network.

    Nothing after the month is used: counts are cut, and steps of cycles, scores and meetings count by their
    own dates. Cycles are told from the last data call before the month on (that was for the site), or else
    from the month before; and those without a decision.

    Parameters
    ----------
    network : Network
        The records.
    month : str
        The month, such as ``"2024-05"``; every series must hold it.
    series : StratifiedSeries, or sequence or mapping of these
        Monthly data of measures, by site and as wanted by group; a measure belongs to the records by its name
        (keys of a mapping are not read).
    site : str or sequence of str, optional
        Only these sites. Default: all of the network.
    phases : bool
        Whether an implemented change starts a phase of its charts once it has 12 months of its own. Until
        then, and always with False, its months are compared with lines from before it too, and what it
        shifts shows as a signal, if it shows.
    rules : str or RuleSet
        Rules of the charts, as for :func:`~qi_equity.control_chart`.
    change : float
        Adverse rate after a change over that before, > 0 and not 1: what the charts should be able to show.
    within : float
        Months in which they should, > 0; a group without a signal whose chart takes longer is "not yet
        visible".

    Returns
    -------
    Review
        ``grid, gaps, aims, progress, cycles, predictions, reached, harm, completeness, detection, signals,
        expected, calls``; ``charts`` of the sites and ``network_charts`` of all sites together; ``notes``,
        ``plot()``, ``to_markdown()``, ``site()``, ``disclose()``.

    Raises
    ------
    InputTypeError
        If an argument is not of its type.
    OptionError
        If the month is not in a series, a series has no sites or is not monthly, the network does not know a
        site, or an option is not allowed.
    DataError
        If a change is for a group that the data do not hold.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> from qi_equity import pdsa
    >>> from qi_equity.pdsa.calls.review import review
    >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
    >>> rows = pd.DataFrame({"month": months, "site": "North", "pph": [6, 8, 7, 5] * 6, "births": 90})
    >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
    ...                         denominator="births", site="site")
    >>> plan = pdsa.Plan(objective="Try it", predictions=[pdsa.Prediction(text="All are weighed")])
    >>> project = pdsa.Project(name="Fewer haemorrhages", site="North",
    ...     ideas=[pdsa.ChangeIdea(id="weigh", name="Weigh all blood loss")],
    ...     measures=[pdsa.MeasureUse(measure="pph_1500", role="outcome")],
    ...     cycles=[pdsa.Cycle(name="Cycle 1", idea="weigh", plan=plan,
    ...                        do=pdsa.Do(start="2024-04-02", as_planned=True))])
    >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North", projects=[project])])
    >>> found = review(network, "2024-05", series)
    >>> found.cycles[["name", "status", "under_way"]].values.tolist()
    [['Cycle 1', 'done', True]]
    >>> found.predictions[["prediction", "matched"]].values.tolist()
    [['All are weighed', nan]]
    """
    read = given.read_series(series)
    label = given.read_month(month, read)
    checked, sites = given.read_sites(network, read, site)
    options = {
        "sites": sites,
        "phases": _validate.one_of("phases", phases, (True, False)),
        "rules": resolve_rules(rules).to_dict(),
        "change": check_change(change),
        "within": _validate.number("within", within, above=0),
    }
    until = given.last_day(label)
    calls = given.since_last_call(checked, sites, label)
    since = dict(zip(calls["site"], calls["since"].dt.date, strict=True))
    known = known_on(checked, until, sites)
    frames = {"calls": calls, **written(known, list(read), since, until)}
    changes = frames["phases"] if phases else None
    charts = charts_of_sites(read, label, sites, changes, resolve_rules(rules))
    pooled = pooled_charts(charts, sites)
    frames |= from_charts(charts, pooled, roles(known), frames["calls"], label, options)
    return Review(
        network=checked.name,
        month=label,
        charts=charts,
        network_charts=pooled,
        options=options,
        method=_method(label, options),
        _frames=frames,
        _notes=review_notes(charts, frames, label, options),
    )


def from_charts(
    charts: Mapping[str, ControlChart],
    pooled: Mapping[str, ControlChart],
    used: Mapping[tuple[str, str], str],
    calls: pd.DataFrame,
    month: str,
    options: Mapping[str, Any],
) -> dict[str, pd.DataFrame]:
    """Read what the data say from the charts of the sites, and from those of all sites together."""
    since = dict(zip(calls["site"], calls["since"].to_numpy(dtype="datetime64[M]"), strict=True))
    each = [*pooled.values(), *charts.values()]
    detection = _joined([looked.detection(c, options["change"], options["within"]) for c in each])
    signals = _joined([looked.signals(c, since) for c in each])
    of_all, of_sites = gap_tables(pooled, month), gap_tables(charts, month)
    found = {
        "grid": grid(charts, pooled, detection, used, options["sites"], options["within"]),
        "completeness": _joined([looked.completeness(c.series) for c in charts.values()]),
        "detection": detection,
        "signals": signals,
        "expected": looked.expected(charts, pooled, signals),
        "gaps": gap_frame([*of_all.values(), *of_sites.values()]),
    }
    return found | {"network_notes": network_notes(charts, pooled, of_all, found, options["sites"])}


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put frames of the same columns together; those without rows say nothing of the types."""
    full = [part for part in parts if len(part)]
    return pd.concat(full or parts[:1], ignore_index=True)


def _method(month: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Say what was done."""
    return {
        "what": "review of a month: charts by site and group, and the records as they stood at its end",
        "month": month,
        "charts": "control_chart(kind='auto'), the series cut at the month",
        "phases": _PHASES if options["phases"] else "none",
        "network_charts": "the same of the counts summed over the sites, without phases",
        "gaps": f"gaps(reference='rest'), the last {MONTHS} months and the {MONTHS} before",
        "rules": dict(options["rules"]),
        "records": "by the dates of what happened, not of when it was written down",
        "change": options["change"],
        "within": options["within"],
        "false_alarm_months": looked.FALSE_ALARM_MONTHS,
        **library(),
    }
