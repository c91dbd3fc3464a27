"""All groups, or all sites, at one time: funnels, analysis of means and partial pooling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from qi_equity import _result, _validate
from qi_equity.data.series import StratifiedSeries, check_series
from qi_equity.data.spans import Over, Spans, spans
from qi_equity.data.table import TableResult, library
from qi_equity.equity.comparison import limits as compare_limits
from qi_equity.equity.comparison import table as compare_table
from qi_equity.equity.comparison.layout import ACROSS, Across
from qi_equity.equity.comparison.limits import METHODS, OVERDISPERSIONS, Compared, Method, Overdispersion
from qi_equity.equity.comparison.pooling import pool_within_group
from qi_equity.errors import OptionError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["GroupComparison", "compare_groups"]

_POINTS = 200
_SOURCES = {
    "funnel": "Spiegelhalter, Stat Med 2005;24:1185-1202",
    "anom": "Nelson, Wludyka, Copeland, The Analysis of Means, SIAM 2005; exact conditional tails",
    "pooling": "beta-binomial or gamma-Poisson, maximum likelihood; intervals after Kass, Steffey 1989",
}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class GroupComparison(TableResult):
    """Groups, or sites, compared with their pooled rate at one time; rates as observed beside shrunken ones.

    Made by :func:`~qi_equity.compare_groups`. ``table`` has one row a stratum and span: ``site`` (if any),
    ``group``, further strata, ``span, start, end, n_periods, events, births, rate, status, centre_line,
    lower, upper, lower_outer, upper_outer`` (unscaled), ``z`` (distance from the line in standard errors),
    ``outside`` ("low" or "high" beyond the limits, else ""), ``beyond_outer``, ``meaning`` (better than the
    line, worse than the line, away from the line where the measure has no direction, within the limits, not
    yet visible: no rate could have been worse than the limits, not judged), ``sets_line`` (whether it is part
    of the line), ``can_flag_low, can_flag_high`` (whether any rate would lie beyond), ``reason`` (why it has
    no limits), ``raw`` (the rate once more), ``shrunken, shrunken_lower, shrunken_upper, weight`` (of its own
    rate) and ``pooling`` ("partial", that it was complete, or why it is not possible).

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
    >>> rows = pd.DataFrame({"year": ["2024"] * 3, "who": ["Asian", "Black", "Mixed"], "n": [30, 55, 9],
    ...                      "births": [700, 600, 250]})
    >>> columns = {"period": "year", "numerator": "n", "denominator": "births", "group": "who"}
    >>> series = qe.from_counts(rows, qe.measures["preterm_birth"], every="year", **columns)
    >>> comparison = qe.compare_groups(series, across="group")
    >>> comparison.table["meaning"].tolist()
    ['better than the line', 'worse than the line', 'within the limits']
    """

    @classmethod
    def _make(cls, spans: Spans, options: Mapping[str, Any]) -> Self:
        compared = compare_limits.compare(spans, options)
        pooled = pool_within_group(spans, options["confidence"])
        parts = compare_table.notes_of(spans, compared, pooled, options)
        further = spans.cells.strata.columns.tolist()
        return cls(
            spans=spans,
            options=options,
            method=_method(spans, compared, options),
            _table=compare_table.table_of(spans, compared, pooled),
            _notes=_result.notes([spans.notes, *parts], further),
        )

    def limits_curve(self) -> pd.DataFrame:
        """Give the limits by size, for the curves of a funnel.

        Returns
        -------
        pandas.DataFrame
            What the compared strata have in common (``site``, or ``group`` and further strata), ``span,
            births, centre_line, lower, upper, lower_outer, upper_outer``. For a funnel up to 200 sizes from
            half the smallest to the largest of each set; for an analysis of means, whose limits hold for the
            sizes compared only, these.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"year": ["2024"] * 3, "who": ["Asian", "Black", "Mixed"], "n": [30, 55, 9],
        ...                      "births": [700, 600, 250]})
        >>> columns = {"period": "year", "numerator": "n", "denominator": "births", "group": "who"}
        >>> series = qe.from_counts(rows, qe.measures["preterm_birth"], every="year", **columns)
        >>> curve = qe.compare_groups(series, across="group").limits_curve()
        >>> curve["births"].agg(["min", "max"]).tolist()
        [125.0, 700.0]
        """
        compared = compare_limits.compare(self.spans, self.options)
        if self.options["method"] == "anom":
            sizes, inner, outer = compared.births, compared.inner, compared.outer
        else:
            sizes, inner, outer = compare_limits.curve(compared, self.options, _POINTS)
        return _curve_frame(self.spans, compared, sizes, [inner, outer])

    def plot(
        self,
        *,
        order: str | Sequence[str] = "alphabetical",
        columns: int | None = None,
        colours: str = "accessible",
    ) -> Figure:
        """Draw the comparison; see :func:`qi_equity.plot.comparison.plot_comparison`.

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
        >>> rows = pd.DataFrame({"year": ["2024"] * 2, "who": ["Asian", "Black"], "n": [30, 55],
        ...                      "births": [700, 600]})
        >>> columns = {"period": "year", "numerator": "n", "denominator": "births", "group": "who"}
        >>> series = qe.from_counts(rows, qe.measures["preterm_birth"], every="year", **columns)
        >>> type(qe.compare_groups(series, across="group").plot()).__name__
        'Figure'
        """
        from qi_equity.plot.comparison import plot_comparison

        return plot_comparison(self, order=order, columns=columns, colours=colours)


def compare_groups(
    series: StratifiedSeries,
    *,
    across: Across,
    over: Over = "all",
    method: Method = "funnel",
    overdispersion: Overdispersion = "none",
    trimming: str = "winsorised",
    confidence: float = 0.95,
    outer_confidence: float = 0.998,
) -> GroupComparison:
    """Compare groups, or sites, with their pooled rate at one time.

    No group is the norm: the line is the pooled rate of what is compared. Rates within the limits are not
    shown to be the same, and ``notes`` says where a difference could not have shown.

    Parameters
    ----------
    series : StratifiedSeries
        Proportions, rates or means.
    across : {"group", "site", "group within site"}
        ``"group"``: the groups of each site with the rate of all women there whose group is known.
        ``"site"``: the sites of each group with the rate of that group over all sites. ``"group within
        site"``: the same line, each group's own, with all groups and sites as one family of comparisons.
        ``series.total()`` compares sites over all women.
    over : {"all", "period"} or phases
        Spans of time, as for :func:`~qi_equity.rates`.
    method : {"funnel", "anom"}
        Funnel limits hold for one comparison at a time and take the line as known. Analysis of means allows
        for all comparisons of a set together and for each unit's own part in the mean. Limits of both are
        those of exact tail probabilities, half-way between the last count inside and the first outside;
        means have normal limits (funnel) or those of the multivariate t distribution (anom).
    overdispersion : {"none", "multiplicative", "additive"}
        Widen funnels for variation between units beyond chance, estimated on the arcsine (proportions) or
        square root scale (rates). For sites; between groups it hides what is asked.
    trimming : {"winsorised", "truncated"}
        What happens to the outermost tenth at either end before the variation is estimated.
    confidence, outer_confidence : float
        Of the inner and the outer limits, in (0, 1); for ``"anom"`` that no unit of a set lies outside by
        chance. The intervals of shrunken rates have the first.

    Returns
    -------
    GroupComparison
        Limits, flags and shrunken rates.

    Raises
    ------
    InputTypeError
        If ``series`` is not a series.
    OptionError
        If an option is not allowed or does not fit the measure; for groups that overlap; where sites are
        compared and there are none.

    References
    ----------
    .. [1] Spiegelhalter. Funnel plots for comparing institutional performance. Stat Med 2005;24:1185-1202.
    .. [2] Nelson, Wludyka, Copeland. The Analysis of Means. SIAM, 2005.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = pd.DataFrame({"year": ["2024"] * 4, "unit": ["A", "B", "C", "D"], "n": [30, 20, 9, 41],
    ...                      "births": [700, 600, 250, 500]})
    >>> columns = {"period": "year", "numerator": "n", "denominator": "births", "site": "unit"}
    >>> series = qe.from_counts(rows, qe.measures["preterm_birth"], every="year", **columns)
    >>> table = qe.compare_groups(series, across="site", method="anom").table
    >>> table[["site", "outside"]].to_numpy().tolist()
    [['A', ''], ['B', ''], ['C', ''], ['D', 'high']]
    """
    check_series(series)
    options = {
        "across": _validate.one_of("across", across, ACROSS),
        "method": _validate.one_of("method", method, METHODS),
        "overdispersion": _validate.one_of("overdispersion", overdispersion, OVERDISPERSIONS),
        "trimming": _validate.one_of("trimming", trimming, ("winsorised", "truncated")),
        "confidence": _validate.number("confidence", confidence, above=0, below=1),
        "outer_confidence": _validate.number("outer_confidence", outer_confidence, above=0, below=1),
    }
    _check(series, options)
    return GroupComparison._make(spans(series, over), options)


def _check(series: StratifiedSeries, options: Mapping[str, Any]) -> None:
    if series.measure.kind == "count":
        raise OptionError(
            f"compare_groups() is not possible for counts of {series.measure.name!r}: a larger group has "
            "more events; give the births as denominator and a measure of kind 'proportion' or 'rate'."
        )
    if options["method"] == "anom" and options["overdispersion"] != "none":
        raise OptionError(
            f"overdispersion={options['overdispersion']!r} is not possible with method='anom'; use 'none', "
            "or method='funnel'."
        )
    if options["outer_confidence"] <= options["confidence"]:
        raise OptionError(
            f"outer_confidence={options['outer_confidence']!r} is not above confidence="
            f"{options['confidence']!r}; the outer limits must be the wider ones."
        )


def _method(spans: Spans, compared: Compared, options: Mapping[str, Any]) -> dict[str, Any]:
    """Say what was done."""
    inner, outer = compare_table.expected_outside(compared, options)
    how = {"mean": "normal"} if options["method"] == "funnel" else {"mean": "multivariate t"}
    return {
        **library(),
        "series": dict(spans.series.method),
        "comparison": dict(options),
        "limits": how.get(compared.kind, "exact tail probabilities, half-way between counts"),
        "line": "pooled rate of what is compared",
        "comparisons": int(np.count_nonzero(compared.judged)),
        "expected_outside": inner,
        "expected_beyond_outer": outer,
        "dispersion_of_sets": compared.extra[..., 0].tolist(),
        "sources": {name: _SOURCES[name] for name in (options["method"], "pooling")},
    }


def _curve_frame(spans: Spans, compared: Compared, sizes: Any, pair: list[Any]) -> pd.DataFrame:
    shape = sizes.shape
    span, row = (
        np.broadcast_to(np.arange(shape[axis])[index], shape).ravel()
        for axis, index in ((0, np.s_[:, None, None]), (1, np.s_[None, :, None]))
    )
    sets = compared.layout.sets
    frame = pd.DataFrame({c: sets[c].array.take(row) for c in sets.columns}, index=range(len(row)))
    frame["span"] = pd.Categorical.from_codes(span, categories=pd.Index(spans.labels))
    blocks = {"births": sizes, "centre_line": np.broadcast_to(compared.line, shape)}
    for name, limits in zip(("", "_outer"), pair, strict=True):
        blocks |= {f"lower{name}": limits.lower, f"upper{name}": limits.upper}
    for name, block in blocks.items():
        frame[name] = block.ravel()
    keys = [*sets.columns, "span", "births"]
    shown = frame[frame["lower"].notna()].drop_duplicates(keys)
    order = np.lexsort((shown["births"], row[shown.index], span[shown.index]))
    return shown.iloc[order].reset_index(drop=True)
