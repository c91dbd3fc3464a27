"""Measures of inequality over all groups at once, for every place and span."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from qi_equity import _result, _validate
from qi_equity.data import regroup
from qi_equity.data.reference import BEST, Reference, resolve
from qi_equity.data.series import StratifiedSeries, check_series
from qi_equity.data.spans import Over, Spans, spans
from qi_equity.data.table import TableResult, library
from qi_equity.data.unknown import unknown_groups
from qi_equity.equity.inequality import rows as inequality_rows
from qi_equity.equity.inequality.catalogue import InequalityMeasure, choose
from qi_equity.errors import OptionError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["InequalityTable", "inequality"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class InequalityTable(TableResult):
    """Measures of inequality of every place and span, made by :func:`~qi_equity.inequality`.

    ``table`` has one row a place, span and measure, with the columns

    ``site`` (if any) and further strata, ``span, start, end``
        Where and when.
    ``measure, name, unit, scale``
        Which measure, by its short code and its full name; its unit ("of the measure": unscaled, as the
        values are) and whether it is "absolute" or "relative".
    ``estimate, lower, upper, se``
        The measure, the limits of its interval and its standard error (of the logarithm for the ratios ``r``,
        ``rii``); unscaled fractions throughout.
    ``mc_error``
        Monte Carlo standard error of the less certain limit, where the interval is a bootstrap.
    ``method``
        How the interval was found.
    ``expected_if_equal, chance_if_equal``
        What the measure would be on average if all groups had the same value and only chance made them
        differ, and the chance that it would then be at least as far from equality as it is. The first is 0 (a
        ratio: 1) for measures of ordered groups, whose interval answers the question; the second is then NaN.
    ``n_groups``
        Groups that have a part.
    ``compared, reference``
        The group compared (difference and ratio), and the one that it, or all groups, are compared with;
        empty where there is none.
    ``reason``
        Why an estimate or an interval is not given, or has no end; else empty.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> counts = pd.DataFrame({"m": ["2024-01"] * 3, "area": ["East", "North", "West"],
    ...                        "x": [8, 20, 9], "n": [200, 250, 300]})
    >>> columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "area"}
    >>> series = qe.from_counts(counts, qe.measures["preterm_birth"], **columns)
    >>> table = qe.inequality(series, measures=["d", "bgsd"]).table
    >>> table[["measure", "estimate", "compared", "reference"]].round(4).values.tolist()
    [['d', 0.05, 'North', 'West'], ['bgsd', 0.0221, '', '']]
    """

    def plot(self, *, colours: str = "accessible") -> Figure:
        """Draw the measures over the spans; see :func:`qi_equity.plot.inequality.plot_inequality`.

        Parameters
        ----------
        colours : str
            Palette.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.

        Raises
        ------
        OptionError
            If the palette is not known, or the table holds too many places and measures for a figure.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"m": ["2024-01"] * 2, "area": ["East", "West"], "x": [8, 20],
        ...                        "n": [200, 250]})
        >>> columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "area"}
        >>> series = qe.from_counts(counts, qe.measures["preterm_birth"], **columns)
        >>> type(qe.inequality(series, measures=["d", "r"]).plot()).__name__
        'Figure'
        """
        from qi_equity.plot.inequality import plot_inequality

        return plot_inequality(self, colours=colours)

    @classmethod
    def _make(cls, spans: Spans, options: Mapping[str, Any]) -> Self:
        series, reference = spans.series, _reference(options["reference"])
        ordered = series.scheme is not None and series.scheme.ordered
        named = reference is not None
        chosen = choose(options["measures"], series.measure, ordered=ordered, named=named)
        table, notes = inequality_rows.make(spans, chosen, reference, ordered, options)
        strata = [c for c in series.cells.strata.columns if c != "group"]
        return cls(
            spans=spans,
            options=options,
            method=_method(series, chosen, reference, ordered, options),
            _table=table,
            _notes=_result.notes([spans.notes, *notes], strata),
        )


def inequality(
    series: StratifiedSeries,
    *,
    over: Over = "all",
    measures: str | Sequence[str] | None = None,
    reference: str | Reference | None = None,
    confidence: float = 0.95,
    draws: int = 1000,
    seed: int = 20240101,
) -> InequalityTable:
    """Measure inequality between all groups of each place at once.

    Groups of women whose group is not known have no part in the measures; ``notes`` says how many births that
    leaves out. So it does of groups without births, and of those of which a place reports nothing at all.
    Where more than 15 % of the others are missing or suppressed nothing is computed. Births count once, and
    are taken as given: intervals are about the values.

    Parameters
    ----------
    series : StratifiedSeries
        Proportions, rates or means of groups that do not overlap.
    over : {"all", "period"} or phases
        All periods together; each period by itself; or dates where a new span starts, as for :func:`rates`.
    measures : str or sequence of str, optional
        Ids of :func:`~qi_equity.inequality_measures`. Default: the usual ones for groups with or without an
        order (that of the scheme, from the most to the least disadvantaged) that this measure allows.
    reference : str or Reference, optional
        What the groups are compared with: one of them, or ``"best"``. Default: difference and ratio compare
        the two extremes (of ordered groups: the outermost), mean differences from best and attributable risks
        the best group of at least 100 births (attributable risks of ordered groups: the least disadvantaged).
    confidence : float
        Level of confidence of the intervals, in (0, 1).
    draws : int
        Draws of the bootstrap and of equal groups, at least 200.
    seed : int
        Seed of the draws, 0 or more: the same seed gives the same numbers.

    Returns
    -------
    InequalityTable
        One row a place, span and measure.

    Raises
    ------
    InputTypeError
        If an argument is not of its type.
    OptionError
        If groups overlap, the kind of measure has no births to weigh groups by, or a measure is asked for
        that is not valid for these groups.

    References
    ----------
    .. [1] Schlotheuber, Hosseinpoor. Summary measures of health inequality: a review of existing measures and
       their application. Int J Environ Res Public Health 2022;19:3697.
    .. [2] Ahn, Harper, Yu, Feuer, Liu. Improved Monte Carlo methods for estimating confidence intervals for
       eleven commonly used health disparity measures. JCO Clin Cancer Inform 2018;2:1-19.
    .. [3] World Health Organization. Handbook on health inequality monitoring. Geneva 2013.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> counts = pd.DataFrame({"m": ["2024-01"] * 3, "area": ["East", "North", "West"],
    ...                        "x": [8, 20, 9], "n": [200, 250, 300]})
    >>> columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "area"}
    >>> series = qe.from_counts(counts, qe.measures["preterm_birth"], **columns)
    >>> found = qe.inequality(series, measures="ti").table
    >>> found[["estimate", "expected_if_equal"]].round(3).values.tolist()
    [[0.095, 0.027]]
    """
    _check(series)
    checked = resolve_reference(reference, series)
    options = {
        "measures": None if measures is None else list(_validate.names("measures", measures)),
        "reference": None if checked is None else checked.to_dict(),
        "confidence": _validate.number("confidence", confidence, above=0, below=1),
        "draws": _validate.whole_number("draws", draws, at_least=200),
        "seed": _validate.whole_number("seed", seed),
    }
    return InequalityTable._make(spans(series, over), options)


def resolve_reference(reference: object, series: StratifiedSeries) -> Reference | None:
    """Read the reference: a group whose name is known, or the best one."""
    if reference is None:
        return None
    given = resolve(reference, series)
    known = [g for g in series.groups if g not in unknown_groups(series)]
    if given.name != BEST and given.name not in known:
        raise OptionError(
            f"reference={given.name!r} is not possible: measures of inequality compare the groups with one "
            f"of them; use one of {', '.join(map(repr, (*known, BEST)))}, or qe.gaps() for other references."
        )
    return given


def _reference(saved: Mapping[str, Any] | None) -> Reference | None:
    return None if saved is None else Reference(**saved)


def _check(series: StratifiedSeries) -> None:
    check_series(series)
    if series.scheme is not None and series.scheme.overlapping:
        raise OptionError(
            f"inequality() is not possible for groups of scheme={series.scheme.id!r}: a woman may be in "
            "several of them, so the groups have no shares of births, and differences between them are not "
            "between women; use a scheme whose groups do not overlap."
        )
    regroup.refuse_between(series, "inequality()")
    if series.measure.kind == "count":
        raise OptionError(
            f"inequality() is not possible for {series.measure.name!r}: without births a larger group has "
            "more events; name the column of births as denominator when the series is made, with a measure "
            "of kind 'proportion' or 'rate'."
        )


def _method(
    series: StratifiedSeries,
    chosen: Sequence[InequalityMeasure],
    reference: Reference | None,
    ordered: bool,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """Say what was done."""
    return {
        "series": dict(series.method),
        "measures": {m.id: {"name": m.name, "formula": m.formula, "source": m.source} for m in chosen},
        "groups": "ordered" if ordered else "unordered",
        "reference": None if reference is None else reference.to_dict(),
        "confidence": options["confidence"],
        "bootstrap": {
            "draws": options["draws"],
            "seed": options["seed"],
            "limits": (
                "true inequality at which so large, or so small, an estimate is as rare as the tail; the "
                "groups' distances from their mean are stretched alike, counts (means) drawn, births as given"
            ),
        },
        "without_or_with_only_events": (
            "groups in which no birth or every birth had the event have the sampling error of "
            "(events + 1/2) / (births + 1); rates without event that of 1/2 event"
        ),
        "most_lacking": inequality_rows.MOST_LACKING,
        **library(),
    }
