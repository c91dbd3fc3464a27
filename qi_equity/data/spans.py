"""Counts over spans of time: all periods together, each period, or each phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _result, _validate
from qi_equity.data import periods, regroup
from qi_equity.data.cells import BLOCKS, MISSING, Bools, Cells, Ints, sum_used
from qi_equity.data.disclosure.rule import SuppressionRule
from qi_equity.data.recorded import RecordedChanges
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.timeline import Mark, Timeline, timeline
from qi_equity.errors import OptionError, QiEquityError

__all__ = ["Over", "Spans", "spans"]

Over = Mark | Sequence[Mark] | pd.DataFrame | RecordedChanges
Dates = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Counts of S strata in K spans of time.

    Parameters
    ----------
    series : StratifiedSeries
        Measure, scheme, notes and method, and the counts: its cells have one column a span, in place of the
        periods that were summed. No other counts are kept, so what is withheld here is nowhere else.
    labels : tuple of str, of length K
        Name of each span: its periods, or "phase 2" where strata have different ones.
    start, end : ndarray of datetime64[us], shape (S, K)
        First and last day; NaT where a stratum has no such span.
    n_periods : ndarray of int, shape (S, K)
        Periods that were reported, if only as suppressed.
    """

    series: StratifiedSeries
    labels: tuple[str, ...]
    start: Dates
    end: Dates
    n_periods: Ints

    @property
    def cells(self) -> Cells:
        """The counts, blocks of shape (S, K)."""
        return self.series.cells

    @property
    def notes(self) -> pd.DataFrame:
        """What the reader must know of the series and of the sums."""
        return self.series.notes

    def frame(self, columns: Mapping[str, Any]) -> pd.DataFrame:
        """Make a tidy frame, one row a stratum and span.

        Parameters
        ----------
        columns : mapping of str to array
            Further columns, each of shape (S, K) or one that stretches to it.

        Returns
        -------
        pandas.DataFrame
            The strata, ``span, start, end, n_periods`` and those columns.
        """
        shape = self.n_periods.shape
        row = np.repeat(np.arange(shape[0]), shape[1])
        strata = self.cells.strata
        frame = pd.DataFrame({c: strata[c].array.take(row) for c in strata.columns})
        # Spans keep their order in time, whatever their names.
        frame["span"] = pd.Categorical(np.tile(self.labels, shape[0]), categories=list(self.labels))
        own = {"start": self.start, "end": self.end, "n_periods": self.n_periods}
        for name, block in (own | dict(columns)).items():
            frame[name] = np.broadcast_to(block, shape).ravel()
        return frame

    def disclose(
        self,
        rule: SuppressionRule | str,
        *,
        margins: str | Sequence[str] | None = None,
        protect: int | None = None,
    ) -> Self:
        """Give the spans as they may leave; the rule is applied to their sums, not to the periods under them.

        Parameters
        ----------
        rule : SuppressionRule or str
            The rule, or its name.
        margins : str or sequence of str, optional
            As for :meth:`StratifiedSeries.disclose`; sums over time cannot be margins of spans.
        protect : int, optional
            Fewest whole numbers an outsider may be left with. Default: the rule's.

        Returns
        -------
        Spans

        Raises
        ------
        OptionError
            If the rule cannot be kept, or ``margins`` names a sum over time.
        """
        named = () if margins is None else _validate.names("margins", margins)
        for name in named:
            if name == "all" or name in periods.EVERY:
                raise OptionError(
                    f"margins={name!r} is a sum over time, which spans are already; name it in over=."
                )
        return replace(self, series=self.series.disclose(rule, margins=margins, protect=protect))

    def to_dict(self) -> dict[str, Any]:
        """Give the spans as a dictionary that JSON can hold."""
        parts = {name: getattr(self, name) for name in ("labels", "start", "end", "n_periods")}
        return {"series": self.series.to_dict(), **{k: _result.to_json(v) for k, v in parts.items()}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make the spans that :meth:`to_dict` described."""
        parts = {name: _result.from_json(data[name]) for name in ("labels", "start", "end", "n_periods")}
        return cls(series=StratifiedSeries.from_dict(data["series"]), **parts)


def spans(series: StratifiedSeries, over: Over) -> Spans:
    """Sum a series over spans of time.

    Parameters
    ----------
    series : StratifiedSeries
        Counts or means; not times between events.
    over : {"all", "period"} or phases
        All periods together; each period by itself; or dates where a new span starts: one, a list, or a frame
        with ``start`` and, as far as wanted, ``site``, ``group``, further strata, ``label`` and ``reason``;
        or what holds recorded changes.

    Returns
    -------
    Spans
        Sums follow the rules of ``series.total()``: a sum with a suppressed part is suppressed, missing parts
        are left out and noted.

    Raises
    ------
    OptionError
        For times between events, for means of unknown sizes, or where periods that share births would be
        summed.
    DataError
        If phases do not fit the series.
    """
    if isinstance(over, str) and over == "period":
        regroup.refuse_between(series, "over='period'")
        return _each_period(series)
    if over is None or (isinstance(over, Sized) and not isinstance(over, pd.DataFrame) and not len(over)):
        raise OptionError(
            f"over={over!r} names no span; give 'all', 'period', or dates where a new span starts."
        )
    what = f"over={over!r}" if isinstance(over, str) else "over="
    regroup.refuse_between(series, what)
    regroup.refuse_window(series, what)
    regroup.refuse_unknown_sizes(series, what)
    if isinstance(over, str) and over == "all":
        phase, notes = np.zeros(series.cells.status.shape, dtype=np.int64), _result.notes([])
    else:
        when = _phases(series, over)
        phase, notes = when.phase, when.notes
    return _sum(series, phase, notes, over)


def _phases(series: StratifiedSeries, over: Over) -> Timeline:
    """Read the phases; errors name the argument as it is called here, and what else it can be."""
    try:
        return timeline(series, phases=over)
    except QiEquityError as error:
        said = str(error).replace("phases", "over", 1)
        more = " Use 'all', 'period', or dates where a new span starts." if isinstance(over, str) else ""
        error.args = (said + more,)
        raise


def _each_period(series: StratifiedSeries) -> Spans:
    first, last = (np.broadcast_to(d, series.cells.status.shape) for d in _days(series))
    told = (series.cells.status != MISSING).astype(np.int64)
    return Spans(series, series.periods, first, last, told)


def _days(series: StratifiedSeries) -> tuple[Dates, Dates]:
    """Give the first and last day that each period covers; a window is named by its last period."""
    every: Any = series.every
    starts = series.cells.periods
    first = periods.from_ordinal(periods.ordinal(starts, every) + 1 - series.window, every)
    return first, periods.end(starts, every)


def _sum(series: StratifiedSeries, phase: Ints, notes: pd.DataFrame, over: Over) -> Spans:
    """Sum the periods of each phase."""
    cells = series.cells
    masks = [phase == k for k in range(int(phase.max(initial=0)) + 1)]
    summed = [sum_used(cells, mask, series.measure.kind) for mask in masks]
    first, last = _days(series)
    start = np.stack([_edge(first, mask, mask.argmax(axis=1)) for mask in masks], 1)
    end = np.stack([_edge(last, mask, -1 - mask[:, ::-1].argmax(axis=1)) for mask in masks], 1)
    blocks: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in summed], axis=1) for name in (*BLOCKS, "status")
    }
    together = Cells(cells.strata, np.fmin.reduce(start, axis=0), **blocks)
    partly = np.stack([_partly_missing(cells, mask) for mask in masks], 1) & together.reported
    lacking = _lacking(cells)
    differ = np.stack([(mask & lacking).any(axis=1) for mask in masks], 1) & together.reported
    told = np.stack([(mask & (cells.status != MISSING)).sum(axis=1) for mask in masks], 1)
    step = {"step": "spans", "over": over if isinstance(over, str) else "phases"}
    kept = replace(
        series,
        cells=together,
        method={**series.method, "steps": [*series.method.get("steps", []), step]},
        _notes=_result.notes(
            [series.notes, notes, regroup.sum_notes(together, partly, "span"), _differ_note(together, differ)]
        ),
    )
    return Spans(kept, _labels(series, start, end), start, end, told)


def _edge(days: Dates, mask: Bools, place: Ints) -> Dates:
    """Give the day at the edge of a span in each stratum, shape (S,); NaT where it has none."""
    return np.where(mask.any(axis=1), days[place], np.datetime64("NaT", "us"))


def _partly_missing(cells: Cells, mask: Bools) -> Bools:
    """Tell which strata lack a period of a span."""
    partly: Bools = (mask & (cells.status == MISSING)).any(axis=1)
    return partly


def _lacking(cells: Cells) -> Bools:
    """Tell which strata lack a period that another group of their place reports, shape (S, T)."""
    told = cells.status != MISSING
    place, places = regroup.distinct(cells.strata.drop(columns="group"))
    anyone = np.zeros((len(places), told.shape[1]), dtype=np.bool_)
    np.logical_or.at(anyone, place, told)
    lacking: Bools = anyone[place] & ~told
    return lacking


def _differ_note(cells: Cells, differ: Bools) -> pd.DataFrame:
    some = np.asarray(differ.any(axis=1))
    texts = [
        f"In {n} of {differ.shape[1]} spans it lacks periods that other groups of its place report: a "
        "difference between them can be one of time."
        for n in differ[some].sum(axis=1)
    ]
    return _result.note("periods_differ", "caution", texts, cells.strata.loc[some])


def _labels(series: StratifiedSeries, start: Dates, end: Dates) -> tuple[str, ...]:
    """Name each span by its first and last period; by its number where strata have different ones."""
    first, last = np.fmin.reduce(start, axis=0), np.fmax.reduce(end, axis=0)
    if not ((np.isnat(start) | (start == first)) & (np.isnat(end) | (end == last))).all():
        return tuple(f"phase {k}" for k in range(1, start.shape[1] + 1))
    every: Any = series.every
    names = (periods.labels(edge, every) for edge in (first, last))
    return tuple(a if a == b else f"{a} to {b}" for a, b in zip(*names, strict=True))
