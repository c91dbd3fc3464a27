"""What the data say of variation over time and of completeness, under the headings of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qi_equity.errors import OptionError
from qi_equity.spc.control import control_chart
from qi_equity.spc.words import plural

if TYPE_CHECKING:
    import pandas as pd

    from qi_equity.data.series import StratifiedSeries
    from qi_equity.pdsa.records.project import Project
    from qi_equity.spc.chart import ControlChart

__all__ = ["texts"]


def texts(project: Project, series: Sequence[StratifiedSeries]) -> dict[str, str]:
    """Give the text under the numbers that are written from data; none without data."""
    charts = [(one, control_chart(one, phases=project)) for one in series]
    return {
        "10": "\n\n".join(_complete(one) for one in series),
        "11": "\n\n".join(_variation(one, chart) for one, chart in charts),
        "13b": "\n\n".join(_signals(one, chart) for one, chart in charts),
    }


def _variation(series: StratifiedSeries, chart: ControlChart) -> str:
    """Say over how many periods, with which charts and in which phases variation was looked at."""
    summary = chart.summary()
    kinds = ", ".join(summary["kind"].astype("str").unique())
    phases = int(summary["phase"].max())
    expected = summary["expected_false_signals_all"].iloc[0]
    return (
        f"{series.measure.name}: {len(series.periods)} periods (by {series.every}), charts of kind "
        f"{kinds} for {len(series.cells.strata)} strata, in up to {phases} phase(s) "
        f"that start at implemented changes of the record. Expected false signals over all: {expected:.2g}."
    )


def _signals(series: StratifiedSeries, chart: ControlChart) -> str:
    """Say what the charts show; no signal is not no change."""
    signals = chart.signals
    lines = [
        f"- {', '.join(_where(row))}, phase {row['phase']}: {str(row['rule']).replace('_', ' ')}, "
        f"{row['meaning']} ({row['start']:%Y-%m-%d} to {row['end']:%Y-%m-%d})"
        for row in signals.to_dict("records")
    ]
    if not lines:
        lines = ["- no signal; that is not the same as no change"]
    return "\n".join([f"{series.measure.name}:", *lines])


def _where(row: Mapping[Any, Any]) -> list[str]:
    return [str(row[name]) for name in ("site", "group") if name in row]


def _complete(series: StratifiedSeries) -> str:
    """Say how many women's group is known, and how many periods of each stratum are not there."""
    return "\n".join([f"{series.measure.name}:", f"- {_known(series)}", *_missing(series)])


def _known(series: StratifiedSeries) -> str:
    try:
        table = series.completeness()
    except OptionError as error:
        return f"completeness of the group cannot be told ({error})"
    told = table[table["n_known"].notna()]
    births = told["births"].sum()
    if not births:
        return "completeness of the group cannot be told: no births are reported"
    share = told["n_known"].sum() / births
    lowest = table["known"].min()
    return f"group known for {share:.1%} of {births:.0f} births; lowest in a period: {lowest:.1%}"


def _missing(series: StratifiedSeries) -> list[str]:
    """Say for each stratum how many periods are observed; in one line where all are."""
    data = series.data
    keys = [name for name in ("site", "group") if name in data]
    sizes = data.groupby(keys, observed=True).size()
    if len(sizes) > 1 and sizes.min() == sizes.max() and (data["status"] == "observed").all():
        return [f"- all {sizes.max()} periods observed in each of {plural(len(sizes), 'stratum', 'strata')}"]
    return [
        _told(", ".join(map(str, key)), rows.value_counts(), len(rows))
        for key, rows in data.astype(dict.fromkeys(keys, "str")).groupby(keys, sort=False)["status"]
    ]


def _told(name: str, counts: pd.Series, size: int) -> str:
    """Say how many periods of a stratum are observed, and what the others are."""
    other = "".join(f"; {n} {status}" for status, n in counts.items() if n and status != "observed")
    return f"- {name}: {counts.get('observed', 0)} of {size} periods observed{other}"
