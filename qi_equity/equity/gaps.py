"""Gaps between each group and a reference, absolute and relative together, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from qi_equity import _result, _validate
from qi_equity.data.reference import Against, Reference, compare_with, resolve
from qi_equity.data.series import StratifiedSeries, check_series
from qi_equity.data.spans import Over, Spans, spans
from qi_equity.data.table import TableResult, library
from qi_equity.equity import gap_notes, rate_notes
from qi_equity.equity.gap_columns import Gaps, gaps_of
from qi_equity.equity.intervals import DIFFERENCES, ODDS_RATIOS, RATIOS, chosen, default_name
from qi_equity.equity.rates import exposure_of, rate_of, reliability_of, with_status
from qi_equity.errors import OptionError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["GapTable", "gaps"]

DifferenceName = Literal[
    "newcombe", "miettinen-nurminen", "agresti-caffo", "mid-p", "exact", "byar", "score", "welch"
]
RatioName = Literal["score", "log-adjusted", "mid-p", "exact", "fieller"]
OddsRatioName = Literal["score", "log-adjusted"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class GapTable(TableResult):
    """Gaps of every stratum and span with intervals; what :func:`gaps` gives.

    ``table`` has one row a stratum and span: the strata, ``span, start, end, n_periods`` and

    - ``reference``: what the group is compared with; ``is_reference``: the group is that itself and has
      no gap;
    - ``events, births, rate`` of the group and ``reference_events, reference_births, reference_rate``, as
      measured and unscaled;
    - ``orientation``: on which outcome the gaps are reckoned (see :func:`gaps`);
    - ``difference, difference_lower, difference_upper``: the absolute gap, 0 is none;
    - ``ratio, ratio_lower, ratio_upper``: the relative gap, 1 is none;
    - ``odds_ratio, odds_ratio_lower, odds_ratio_upper``: of proportions, else NaN;
    - ``reliable, reliability``: whether the rates of both meet the presentation standard, and why (not);
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
    >>> rows = pd.DataFrame({"year": ["2021"] * 2, "group": ["Black", "White"], "stillborn": [29, 82],
    ...                      "births": [3879, 20664]})
    >>> series = qe.from_counts(rows, qe.Measure("Stillbirth", "proportion", "lower"), period="year",
    ...                         numerator="stillborn", denominator="births", group="group", every="year")
    >>> qe.gaps(series, reference="White").table.loc[0, ["ratio", "ratio_lower", "ratio_upper"]].tolist()
    [1.88..., 1.23..., 2.86...]
    """

    @classmethod
    def _make(cls, spans: Spans, options: Mapping[str, Any]) -> Self:
        against = compare_with(spans, Reference(**options["reference"]))
        found = gaps_of(spans, against, options)
        cells = spans.cells
        further = [c for c in cells.strata.columns if c not in ("site", "group")]
        notes = _result.notes([spans.notes, *gap_notes.gap_notes(spans, against, found)], further)
        table = with_status(spans, spans.frame(_columns(spans, against, found)))
        return cls(
            spans=spans,
            options=options,
            method={**_method(spans, options, found, against), **against.method},
            _table=table.astype({"reference": "str", "orientation": "str", "reliability": "str"}),
            _notes=notes,
        )

    def plot(
        self,
        *,
        order: str | Sequence[str] = "alphabetical",
        colours: str = "accessible",
    ) -> Figure:
        """Draw absolute and relative gaps side by side; see :func:`qi_equity.plot.dots.plot_gaps`.

        Parameters
        ----------
        order : str or sequence of str
            How the groups are ordered.
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
        >>> type(qe.gaps(series, reference="rest").plot()).__name__
        'Figure'
        """
        from qi_equity.plot.dots import plot_gaps

        return plot_gaps(self, order=order, colours=colours)


def gaps(
    series: StratifiedSeries,
    *,
    reference: str | float | Reference,
    over: Over = "all",
    difference: DifferenceName | None = None,
    ratio: RatioName | None = None,
    odds_ratio: OddsRatioName | None = None,
    confidence: float = 0.95,
) -> GapTable:
    """Give the gap between every group and a reference over spans of time: absolute and relative together.

    A positive difference and a ratio above 1 are always worse for the group. For measures of which less is
    better, and for those without a direction, gaps are reckoned as measured; for proportions of which more is
    better on the births without the event; for other measures of which more is better as reference less group
    and reference over group.

    Parameters
    ----------
    series : StratifiedSeries
        Proportions, rates, counts or means; not times between events.
    reference : str, float or Reference
        A group, ``"rest"`` (everyone else), ``"best"``, ``"target"``, a number (a target, unscaled), or
        ``Reference(name, reason=...)``. There is no default: no group is the norm.
    over : {"all", "period"} or phases
        All periods together, each by itself, or dates where a new span starts, as for :func:`rates`.
    difference : str, optional
        For proportions ``"newcombe"`` (default), ``"miettinen-nurminen"``, ``"agresti-caffo"``; for rates and
        counts ``"mid-p"`` (default), ``"exact"``, ``"byar"`` (from those limits of each) or ``"score"``; for
        means ``"welch"``. Not for a target.
    ratio : str, optional
        For proportions ``"score"`` (default) or ``"log-adjusted"``; for rates and counts ``"mid-p"``
        (default) or ``"exact"``; for means ``"fieller"``. Not for a target.
    odds_ratio : {"score", "log-adjusted"}, optional
        For proportions. Default: "score". Not for a target.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    GapTable
        ``table``, ``notes``, ``method``. Against a target, which has no sampling error, the intervals are
        those of the rate, less the target and over it. Without events the ratio is 0 or infinite with an
        interval of one end; without events in both it is NaN.

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
    .. [1] Newcombe. Interval estimation for the difference between independent proportions. Statistics in
       Medicine 1998;17:873-90.
    .. [2] Miettinen, Nurminen. Comparative analysis of two rates. Statistics in Medicine 1985;4:213-26.
    .. [3] King, Harper, Young. Use of relative and absolute effect measures in reporting health inequalities.
       BMJ 2012;345:e5774.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = pd.DataFrame({"year": ["2021"] * 2, "group": ["Black", "White"], "stillborn": [29, 82],
    ...                      "births": [3879, 20664]})
    >>> series = qe.from_counts(rows, qe.Measure("Stillbirth", "proportion", "lower", unit="per 1000"),
    ...                         period="year", numerator="stillborn", denominator="births", group="group",
    ...                         every="year")
    >>> table = qe.gaps(series, reference=qe.Reference("White", reason="largest group")).table
    >>> (1000 * table.loc[0, ["difference", "difference_lower", "difference_upper"]].astype(float)).tolist()
    [3.50..., 1.04..., 6.83...]
    """
    check_series(series)
    compared = resolve(reference, series)
    kind = series.measure.kind
    given = {"difference": difference, "ratio": ratio, "odds_ratio": odds_ratio}
    known = {"difference": DIFFERENCES, "ratio": RATIOS, "odds_ratio": ODDS_RATIOS}
    names = {scale: chosen(scale, given[scale], known[scale], kind) for scale in given}
    if _is_target(compared, series):
        _refuse_names(given)
        names = dict.fromkeys(given)
    options = {
        "reference": compared.to_dict(),
        **names,
        "confidence": _validate.number("confidence", confidence, above=0, below=1),
    }
    return GapTable._make(spans(series, over), options)


def _is_target(reference: Reference, series: StratifiedSeries) -> bool:
    return reference.name not in (*series.groups, "rest", "best")


def _refuse_names(given: Mapping[str, object]) -> None:
    for argument, name in given.items():
        if name is not None:
            raise OptionError(
                f"{argument}={name!r} is not for a target, which has no sampling error: its intervals are "
                "those of the rate. Leave it out, or compare with a group."
            )


def _columns(spans: Spans, against: Against, found: Gaps) -> dict[str, Any]:
    """Give all columns of the table but the strata and spans."""
    cells, kind = spans.cells, spans.series.measure.kind
    own = reliability_of(kind, cells, exposure_of(spans))
    other = reliability_of(kind, against, found.reference_exposure)
    no_other = against.exact | against.is_reference[:, None]
    of_own = rate_notes.reliability_text(kind, cells, own)
    of_other = "reference: " + rate_notes.reliability_text(kind, against, other).astype(object)
    events = {"events": cells.numerator, "reference_events": against.numerator}
    if kind == "mean":
        events = dict.fromkeys(events, np.full(cells.status.shape, np.nan))
    return {
        "reference": np.asarray(against.names, dtype=object)[:, None],
        "is_reference": against.is_reference[:, None],
        "events": events["events"],
        "births": cells.denominator,
        "rate": rate_of(spans),
        "reference_events": events["reference_events"],
        "reference_births": against.denominator,
        "reference_rate": found.reference_rate,
        "orientation": np.asarray(found.orientation, dtype=object),
        **found.columns(),
        "reliable": own.reliable & (other.reliable | no_other),
        "reliability": np.where(own.reliable & ~other.reliable & ~no_other, of_other, of_own),
    }


def _method(spans: Spans, options: Mapping[str, Any], found: Gaps, against: Against) -> dict[str, Any]:
    kind = spans.series.measure.kind
    return {
        "what": "gaps",
        **options,
        "interval": default_name(kind) if against.exact else None,
        "orientation": found.orientation,
        "reliability": rate_notes.STANDARD[kind],
        "steps": spans.series.method.get("steps", []),
        **library(),
    }
