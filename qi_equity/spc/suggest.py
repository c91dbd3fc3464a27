"""Suggest where a new phase could start, with the evidence; nothing is applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity import _validate
from qi_equity.data import periods
from qi_equity.data.dated_rows import period_starts
from qi_equity.data.recorded import RecordedChanges
from qi_equity.data.timeline_marks import recorded_changes
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.spc.chart import ControlChart
from qi_equity.spc.plotted import good_side
from qi_equity.spc.rebase import SustainedRuns, sustained_runs
from qi_equity.spc.signals import MEANINGS, SIDES, category
from qi_equity.spc.words import amount, period, plural

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

IntArray = npt.NDArray[np.int64]

_SIDES = {"both": (-1, 1), "low": (-1,), "high": (1,)}
_NO_CHANGE = pd.DataFrame(
    {
        "stratum": np.zeros(0, dtype=np.int64),
        "change": pd.Series([], dtype="str"),
        "change_date": np.zeros(0, dtype="datetime64[us]"),
        "at": np.zeros(0, dtype=np.int64),
    }
)


def suggest_phases(
    chart: ControlChart,
    *,
    length: int = 9,
    side: Literal["both", "low", "high"] = "both",
    changes: pd.DataFrame | RecordedChanges | None = None,
    near: int = 3,
) -> pd.DataFrame:
    """Suggest where a new phase could start, with the evidence. Nothing is applied.

    From the first point after the baseline of a phase on, points on one side of its centre line are counted;
    those on the line, missing or excluded are passed over. With the ``length``-th in a row the run is closed:
    a new phase is suggested from its first point on. The centre line of exactly these points is the new one,
    and the search goes on after the run. The baseline is that of the chart; where it is a whole phase, its
    first 12 points.

    Parameters
    ----------
    chart : ControlChart
        A chart whose points stand for themselves and whose strata have their own centre lines.
    length : int
        Points in a row that make a sustained run, at least 2.
    side : {"both", "low", "high"}
        On which side of the centre line runs are looked for.
    changes : frame or recorded changes, optional
        Changes that were recorded: ``date``, ``label`` and, as far as wanted, ``site``, ``group``, further
        strata (empty: all); or what holds them (see :class:`RecordedChanges`).
    near : int
        At most so many periods (of times between events: events) may lie between a recorded change and the
        run that follows it for the change to be given as the reason.

    Returns
    -------
    pandas.DataFrame
        One row a suggestion: strata, ``start`` (period of the run's first point), ``end`` (of its last),
        ``n_points, side, meaning`` ("improvement", "concern", "neutral"), ``centre_before, centre_after``
        (unscaled, at the run's last point), the nearest recorded change: ``change, change_date,
        change_periods`` (how many periods lie between it and the start), ``change_before`` (whether it was
        made before the run started, or in the same period); ``label`` (the change, where it is near and came
        before) and ``reason``. Where no recorded change explains the run, ``label`` is empty and the reason
        says that the boundary is post hoc. The frame, edited or not, can be given as ``phases=``.

    Raises
    ------
    InputTypeError
        If an argument is not of its type.
    OptionError
        If an option is not allowed, or runs on this chart are no evidence: points that carry their past,
        overlapping windows, or a centre line that groups share.
    DataError
        If changes do not fit the series.

    References
    ----------
    .. [1] MacGillivray J. runcharter: automatically plot, analyse and revise limits of multiple run charts.
       R package 0.2, 2022.

    Examples
    --------
    >>> import pandas as pd
    >>> import qi_equity as qe
    >>> months = pd.date_range("2023-01-01", periods=24, freq="MS").strftime("%Y-%m")
    >>> counts = pd.DataFrame({"month": months, "calls": [14, 9, 12, 8, 15, 10] * 2 + [24, 19, 22, 18] * 3})
    >>> series = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="calls")
    >>> training = pd.DataFrame({"date": ["2023-12-04"], "label": ["Training"]})
    >>> found = qe.suggest_phases(qe.run_chart(series, baseline=12), changes=training)
    >>> found[["side", "centre_before", "centre_after", "label"]].to_numpy().tolist()
    [['high', 11.0, 22.0, 'Training']]
    >>> qe.run_chart(series, phases=found).timeline.phases["label"].tolist()
    ['', 'Training']
    """
    _check(chart)
    _validate.whole_number("length", length, at_least=2)
    _validate.whole_number("near", near)
    sides = _SIDES[_validate.one_of("side", side, tuple(_SIDES))]
    known = None if changes is None else _changes(chart.series, changes)
    parts = [
        _rows(piece, sustained_runs(piece, length, sides), length, near, rows, known)
        for rows, piece in chart._pieces()
    ]
    found = pd.concat(parts).sort_values(["stratum", "start"], ignore_index=True)
    strata = chart.strata.take(found.pop("stratum").to_numpy()).reset_index(drop=True)
    return pd.concat([strata, found], axis=1)


def _check(chart: object) -> None:
    """Refuse charts on which a run on one side of the line is no evidence of a shift."""
    if not isinstance(chart, ControlChart):
        raise InputTypeError(
            f"chart is of type {type(chart).__name__}; give what run_chart or control_chart made."
        )
    told = "suggest_phases reads runs about each stratum's own line;"
    memory = [spec.title for spec in chart.specs if spec.has_memory]
    if memory:
        raise OptionError(f"{told} points of a {memory[0]} carry their past. Give qe.run_chart(series).")
    if chart.limits == "common":
        raise OptionError(f"{told} with limits='common' a run may be a lasting gap. Use limits='own'.")
    if chart.method["overlap"]["found"]:
        raise OptionError(f"{told} neighbouring windows of this series share births. Use separate periods.")


def _changes(series: StratifiedSeries, given: pd.DataFrame | RecordedChanges) -> pd.DataFrame:
    """List the recorded changes of each stratum; ``at`` numbers their period (of events: the event next)."""
    known = recorded_changes(series, given)
    starts: Any = period_starts(series)
    if starts.ndim == 1:
        at = periods.ordinal(known.period, series.every)  # type: ignore[arg-type]
    else:
        at = (starts[known.stratum] < known.period[:, None]).sum(axis=1)
    return pd.DataFrame(
        {
            "stratum": known.stratum,
            "change": pd.Series(known.label, dtype="str"),
            "change_date": known.date,
            "at": at,
        }
    )


def _rows(
    chart: ControlChart,
    runs: SustainedRuns,
    length: int,
    near: int,
    rows: IntArray,
    changes: pd.DataFrame | None,
) -> pd.DataFrame:
    """Put the runs of a chart of one kind as rows; ``rows`` are its strata in the whole chart."""
    stratum = rows[runs.stratum]
    when = np.broadcast_to(chart.series.cells.periods, chart.centre_line.shape)
    start, end = when[runs.stratum, runs.start], when[runs.stratum, runs.end]
    good = good_side(chart._measure.better)
    meaning = (runs.side != good).astype(np.int64) if good >= 0 else np.full(len(stratum), 2)
    # Periods are numbered as those of the changes are.
    by_event = chart.series.cells.periods.ndim > 1
    at = runs.start if by_event else periods.ordinal(start, chart.series.every)  # type: ignore[arg-type]
    nearest = _nearest(stratum, at, _NO_CHANGE if changes is None else changes)
    frame = pd.DataFrame(
        {
            "stratum": stratum,
            "start": start,
            "end": end,
            "n_points": np.full(len(stratum), length),
            "side": category(runs.side, SIDES),
            "meaning": category(meaning, MEANINGS),
            "centre_before": runs.before,
            "centre_after": runs.after,
        }
    ).join(nearest)
    explained = (frame["change_before"] & (frame["change_periods"] <= near)).fillna(False).to_numpy(bool)
    texts = [
        f"{_why(chart, row, known, near, given=changes is not None)} {_evidence(chart, row)}{more}"
        for row, known, more in zip(
            frame.itertuples(index=False), explained.tolist(), runs.caution.tolist(), strict=True
        )
    ]
    return frame.assign(
        label=frame["change"].where(explained, "").astype("str"),
        reason=pd.Series(texts, dtype="str", index=frame.index),
    )


def _nearest(stratum: IntArray, at: IntArray, changes: pd.DataFrame) -> pd.DataFrame:
    """Give the recorded change nearest to each run; of two as near, the one before it."""
    runs = pd.DataFrame({"run": np.arange(len(stratum)), "stratum": stratum, "start": at})
    pairs = runs.merge(changes, on="stratum")
    ahead = pairs["start"] - pairs["at"]
    pairs = pairs.assign(
        change_periods=ahead.abs().astype("Int64"), change_before=(ahead >= 0).astype("boolean")
    )
    order = pairs.assign(after=ahead < 0).sort_values(
        ["run", "change_periods", "after", "change_date", "change"]
    )
    nearest = order.drop_duplicates("run").set_index("run")
    wanted = ["change", "change_date", "change_periods", "change_before"]
    return nearest[wanted].reindex(runs["run"].to_numpy())


def _why(chart: ControlChart, row: Any, explained: bool, near: int, *, given: bool) -> str:
    """Name the recorded change that explains the run, or say that none does."""
    every = "event" if chart.series.measure.kind == "between" else chart.series.every.replace("-", " ")
    if not given:
        return "Post hoc: no recorded changes were given to compare with."
    if pd.isna(row.change):
        return "Post hoc: no change is recorded for this stratum."
    named, apart = f"{row.change} ({row.change_date:%Y-%m-%d})", int(row.change_periods)
    distance = plural(apart, every)
    if explained:
        place = f"{distance} before the run" if apart else f"in the {every} in which the run starts"
        return f"{named}, {place}."
    if row.change_before:
        return (
            f"Post hoc: the nearest recorded change, {named}, is {distance} before the run, more than {near}."
        )
    hint = "; if it is the cause, the phase starts with it" if apart <= near else ""
    return f"Post hoc: the nearest recorded change, {named}, came {distance} after the run had started{hint}."


def _evidence(chart: ControlChart, row: Any) -> str:
    """Say which run it is, and where the centre line goes."""
    before, after = (amount(chart._measure, line) for line in (row.centre_before, row.centre_after))
    first, last = (period(chart.series, np.datetime64(day)) for day in (row.start, row.end))
    where = "below" if row.side == "low" else "above"
    return (
        f"{row.n_points} points in a row {where} the centre line of {before}, {first} to {last}; theirs "
        f"is {after}."
    )
