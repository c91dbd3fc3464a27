"""Rates of every group with intervals, and whether they are precise enough to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd

from qi_equity import _result, _validate
from qi_equity.data.cells import STATUSES, Floats
from qi_equity.data.series import StratifiedSeries, check_series
from qi_equity.data.spans import Over, Spans, spans
from qi_equity.data.table import TableResult, library
from qi_equity.equity import rate_notes
from qi_equity.equity.intervals import INTERVALS, chosen
from qi_equity.formulas import reliability
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.reliability import Reliability

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["RateTable", "rates"]

IntervalName = Literal["wilson", "jeffreys", "clopper-pearson", "mid-p", "exact", "byar", "ohid", "t"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class RateTable(TableResult):
    """Rates of every stratum and span with intervals; what :func:`rates` gives.

    ``table`` has one row a stratum and span: the strata, ``span, start, end, n_periods`` and

    - ``events, births``: the counts; births are the number of measurements of a mean. NaN where not known;
    - ``unrecorded``: births whose outcome was not recorded, which are in neither;
    - ``rate``: events over births, the mean, or for counts events a period; unscaled;
    - ``lower, upper``: its interval, NaN where there is none;
    - ``reliable, reliability``: whether it meets the presentation standard, and why (not);
    - ``status``: observed, provisional, suppressed or missing.

    Parameters
    ----------
    spans : Spans
        The counts.
    options : mapping
        The arguments with which the table is made from the counts.
    method : mapping
        What was done.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = pd.DataFrame({"month": ["2024-01"], "pph": [3], "births": [80]})
    >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
    >>> qe.rates(qe.from_counts(rows, qe.measures["pph_1500"], **columns)).table["reliability"].tolist()
    ['interval wider than 130 % of the rate']
    """

    @classmethod
    def _make(cls, spans: Spans, options: Mapping[str, Any]) -> Self:
        interval = interval_of(spans, options["interval"], options["confidence"])
        judged = reliability_of(spans.series.measure.kind, spans.cells, exposure_of(spans))
        value, cells = rate_of(spans), spans.cells
        columns = {
            "events": cells.numerator if spans.series.measure.kind != "mean" else np.nan,
            "births": cells.denominator,
            "unrecorded": cells.unrecorded,
            "rate": value,
            "lower": interval.lower,
            "upper": interval.upper,
            "reliable": judged.reliable,
            "reliability": rate_notes.reliability_text(spans.series.measure.kind, cells, judged),
        }
        table = with_status(spans, spans.frame(columns))
        further = [c for c in cells.strata.columns if c not in ("site", "group")]
        notes = _result.notes([spans.notes, *rate_notes.rate_notes(spans, judged, interval)], further)
        return cls(spans=spans, options=options, method=_method(spans, options), _table=table, _notes=notes)

    def plot(
        self,
        *,
        order: str | Sequence[str] = "alphabetical",
        columns: int | None = None,
        colours: str = "accessible",
    ) -> Figure:
        """Draw the rates; see :func:`qi_equity.plot.dots.plot_rates`.

        Parameters
        ----------
        order : str or sequence of str
            How the groups are ordered.
        columns : int, optional
            Panels in a row.
        colours : str
            Palette.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01"] * 2, "who": ["Asian", "Black"], "x": [30, 55], "n": 700})
        >>> columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "who"}
        >>> series = qe.from_counts(rows, qe.measures["preterm_birth"], **columns)
        >>> type(qe.rates(series).plot()).__name__
        'Figure'
        """
        from qi_equity.plot.dots import plot_rates

        return plot_rates(self, order=order, columns=columns, colours=colours)


def rates(
    series: StratifiedSeries,
    *,
    over: Over = "all",
    interval: IntervalName | None = None,
    confidence: float = 0.95,
) -> RateTable:
    """Give the rate of every group over spans of time, with its interval and whether it can be relied on.

    Events and births of a span are summed, rates are never averaged. The default interval of each kind is the
    one that covers best at small counts: ``benchmarks/coverage.py`` says how often each does.

    Parameters
    ----------
    series : StratifiedSeries
        Proportions, rates, counts or means; not times between events.
    over : {"all", "period"} or phases
        All periods together, each by itself, or dates where a new span starts: one, a list, or a frame with
        ``start`` and, as wanted, ``site``, ``group``, ``label``, ``reason``; or what holds the changes of
        this measure, such as a project of :mod:`qi_equity.pdsa` (see :class:`RecordedChanges`).
    interval : str, optional
        For proportions ``"wilson"`` (default), ``"jeffreys"`` or ``"clopper-pearson"``; for rates and counts
        ``"mid-p"`` (default), ``"exact"``, ``"byar"`` or ``"ohid"`` (exact below 10 events, then Byar);
        for means ``"t"``.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    RateTable
        ``table``, ``notes``, ``method``. ``reliable`` follows the presentation standards of the US National
        Center for Health Statistics, always with 95 % intervals, as the NHS has none.

    Raises
    ------
    InputTypeError
        If an argument is not of its type.
    OptionError
        If an option is not allowed, or does not fit the measure.
    DataError
        If phases do not fit the series.

    References
    ----------
    .. [1] Newcombe. Two-sided confidence intervals for the single proportion. Statistics in Medicine
       1998;17:857-72.
    .. [2] Parker, Talih, Malec, et al. National Center for Health Statistics Data Presentation Standards for
       Proportions. Vital and Health Statistics 2017;2(175).

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = pd.DataFrame({"month": ["2024-01"] * 2, "area": ["East", "West"], "pph": [29, 5],
    ...                      "births": [700, 40]})
    >>> columns = {"period": "month", "numerator": "pph", "denominator": "births", "group": "area"}
    >>> table = qe.rates(qe.from_counts(rows, qe.measures["pph_1500"], **columns)).table
    >>> table[["group", "rate", "lower", "upper", "reliable"]].round(3).values.tolist()
    [['East', 0.041, 0.029, 0.059, True], ['West', 0.125, 0.055, 0.261, False]]
    """
    check_series(series)
    options = {
        "interval": chosen("interval", interval, INTERVALS, series.measure.kind),
        "confidence": _validate.number("confidence", confidence, above=0, below=1),
    }
    return RateTable._make(spans(series, over), options)


def with_status(spans: Spans, frame: pd.DataFrame) -> pd.DataFrame:
    """Add the status of each row as the last column."""
    return frame.assign(status=pd.Categorical.from_codes(spans.cells.status.ravel(), pd.Index(STATUSES)))


def exposure_of(spans: Spans) -> Floats:
    """Give what events are counted over: births, or for counts the periods; NaN where there is none."""
    if spans.series.measure.kind == "count":
        return np.where(spans.n_periods > 0, spans.n_periods, np.nan)
    return spans.cells.denominator


def rate_of(spans: Spans) -> Floats:
    """Give the rate of every cell, shape (S, K)."""
    if spans.series.measure.kind == "mean":
        return np.where(spans.cells.reported, spans.cells.value, np.nan)
    size = exposure_of(spans)
    rate = np.full(size.shape, np.nan)
    np.divide(spans.cells.numerator, size, out=rate, where=size > 0)
    return rate


def interval_of(spans: Spans, name: str, confidence: float) -> Interval:
    """Give the interval of the rate of every cell, by its name."""
    cells, kind = spans.cells, spans.series.measure.kind
    function = INTERVALS[kind][name]
    if kind == "mean":
        return function(cells.value, cells.sd, cells.denominator, confidence=confidence)
    return function(cells.numerator, exposure_of(spans), confidence=confidence)


def reliability_of(kind: str, counts: rate_notes.Counts, exposure: Floats) -> Reliability:
    """Judge the rate of every cell by the standard of its kind."""
    if kind == "mean":
        return reliability.mean_reliability(counts.value, counts.sd, counts.denominator)
    if kind == "proportion":
        return reliability.proportion_reliability(counts.numerator, counts.denominator)
    return reliability.rate_reliability(counts.numerator, exposure)


def _method(spans: Spans, options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "what": "rates",
        **options,
        "reliability": rate_notes.STANDARD[spans.series.measure.kind],
        "steps": spans.series.method.get("steps", []),
        **library(),
    }
