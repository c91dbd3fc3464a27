"""StandardisedRates: what standardising a series gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from qi_equity.data.spans import Spans
from qi_equity.data.table import TableResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["StandardisedRates"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class StandardisedRates(TableResult):
    """Rates of each stratum and span as they would be with the case-mix of a standard.

    Made by ``series.standardise(by, ...)``.

    Parameters
    ----------
    spans : Spans
        The counts, the case-mix told apart.
    options : mapping
        The arguments: the case-mix ``by``, the standard, method, interval, merge, confidence.
    method : mapping
        What was done to get here; under ``standardised`` the standard, the method and the interval.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = pd.DataFrame(
    ...     {"m": ["2024-01"] * 2, "age": ["<35", "35+"], "pph": [30, 20], "births": [900, 300]}
    ... )
    >>> columns = {"period": "m", "numerator": "pph", "denominator": "births", "by": ["age"]}
    >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
    >>> series.standardise("age", standard={"<35": 50, "35+": 50}).table["standardised"].round(4).tolist()
    [0.05]
    """

    @classmethod
    def _make(cls, spans: Spans, options: Mapping[str, Any]) -> Self:
        from qi_equity.data.standardise import make

        return make(cls, spans, options)

    @property
    def table(self) -> pd.DataFrame:
        """The rates as a tidy frame, made afresh: one row a stratum (without the case-mix) and span.

        Returns
        -------
        pandas.DataFrame
            ``site`` (if any), ``group``, further strata; ``span, start, end, n_periods``; ``events, births,
            crude`` (their rate); ``standardised`` with ``lower, upper`` (unscaled); ``expected`` (events at
            the standard's rates), ``ratio`` (observed to expected) with ``ratio_lower, ratio_upper``: NaN
            with the direct method; ``reason`` why a number is not given, else empty.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01"] * 2, "age": ["<35", "35+"], "x": [30, 20], "n": [900, 300]})
        >>> columns = {"period": "m", "numerator": "x", "denominator": "n", "by": ["age"]}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> rates = {"<35": 0.03, "35+": 0.06}
        >>> found = series.standardise("age", standard=rates, method="indirect").table
        >>> found[["events", "expected"]].values.tolist()
        [[50.0, 45.0]]
        """
        return self._table.copy()

    @property
    def standard(self) -> pd.DataFrame:
        """The standard: columns of the case-mix, ``weight`` (births), ``rate``, ``merged`` (into one).

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01"] * 2, "age": ["<35", "35+"], "x": [30, 20], "n": [900, 300]})
        >>> columns = {"period": "m", "numerator": "x", "denominator": "n", "by": ["age"]}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> series.standardise("age").standard["weight"].tolist()
        [300.0, 900.0]
        """
        standard: pd.DataFrame = self.method["standardised"]["mix"]
        return standard.copy()

    def plot(
        self,
        *,
        order: str | Sequence[str] = "alphabetical",
        columns: int | None = None,
        colours: str = "accessible",
    ) -> Figure:
        """Draw the standardised rates over the spans beside the crude ones, one panel a stratum.

        Parameters
        ----------
        order : {"alphabetical", "declared", "size", "rate"} or sequence of str
            Order of the groups, the same for every site; the reason stands in the footnote.
        columns : int, optional
            Panels in a row, 1 to 4. Default: by the number of panels.
        colours : {"accessible", "making_data_count"}
            Palette; groups have no colours of their own.

        Returns
        -------
        matplotlib.figure.Figure
            The figure; its label is the description in words.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01"] * 2, "age": ["<35", "35+"], "x": [30, 20], "n": [900, 300]})
        >>> columns = {"period": "m", "numerator": "x", "denominator": "n", "by": ["age"]}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> series.standardise("age").plot().get_suptitle()
        'Postpartum haemorrhage of 1500 ml or more: standardised for age'
        """
        from qi_equity.plot.standardised import plot_standardised

        return plot_standardised(self, order=order, columns=columns, colours=colours)

    def __repr__(self) -> str:
        said = self.method["standardised"]
        return (
            f"<StandardisedRates {self.spans.series.measure.name!r} by {', '.join(self.options['by'])} "
            f"({said['method']}): "
            f"{len(self._table)} rows; standard: {said['standard']}>"
        )
