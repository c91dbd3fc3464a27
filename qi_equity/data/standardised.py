"""StandardisedRates: what standardising a series gives."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

import pandas as pd

from qi_equity import _result
from qi_equity.data.measure import Measure
from qi_equity.errors import DataError

__all__ = ["StandardisedRates"]

_FORMAT = 1
_ROWS_SHOWN = 8


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StandardisedRates:
    """Rates of each stratum and span as they would be with the case-mix of a standard.

    Made by ``series.standardise(by, ...)``.

    Parameters
    ----------
    measure : Measure
        What is measured.
    by : tuple of str
        Columns of the case-mix.
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

    measure: Measure
    by: tuple[str, ...]
    method: Mapping[str, Any]
    _table: pd.DataFrame
    _standard: pd.DataFrame
    _notes: pd.DataFrame

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", MappingProxyType(dict(self.method)))

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
        return self._standard.copy()

    @property
    def notes(self) -> pd.DataFrame:
        """What the reader must know: columns ``code, severity, site, group``, further strata, ``text``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01"] * 2, "age": ["<35", "35+"], "x": [30, 0], "n": [900, 0]})
        >>> columns = {"period": "m", "numerator": "x", "denominator": "n", "by": ["age"]}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> series.standardise("age", standard={"<35": 2, "35+": 1}).notes["code"].tolist()
        ['standard', 'no_births_in_stratum']
        """
        return self._notes.copy()

    def to_dict(self) -> dict[str, Any]:
        """Give the result as a dictionary that JSON can hold.

        Returns
        -------
        dict
            Versioned; :meth:`from_dict` reads it and gives back the same numbers.

        Examples
        --------
        >>> import json, pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01"] * 2, "age": ["<35", "35+"], "x": [30, 20], "n": [900, 300]})
        >>> columns = {"period": "m", "numerator": "x", "denominator": "n", "by": ["age"]}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> json.loads(json.dumps(series.standardise("age").to_dict()))["type"]
        'StandardisedRates'
        """
        parts = {name: getattr(self, name) for name in ("by", "method", "_table", "_standard", "_notes")}
        return {
            **_result.header("StandardisedRates", _FORMAT),
            "measure": self.measure.to_dict(),
            **{name.strip("_"): _result.to_json(part) for name, part in parts.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make the result that :meth:`to_dict` described.

        Parameters
        ----------
        data : mapping
            What :meth:`to_dict` returned, also after JSON.

        Returns
        -------
        StandardisedRates
            Equal to the original.

        Raises
        ------
        DataError
            If the data are not those of standardised rates.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01"] * 2, "age": ["<35", "35+"], "x": [30, 20], "n": [900, 300]})
        >>> columns = {"period": "m", "numerator": "x", "denominator": "n", "by": ["age"]}
        >>> found = qe.from_counts(rows, qe.measures["pph_1500"], **columns).standardise("age")
        >>> type(found).from_dict(found.to_dict()).equals(found)
        True
        """
        _result.check_header(data, "StandardisedRates", _FORMAT)
        try:
            parts = {name: _frame(data[name]) for name in ("table", "standard", "notes")}
            return cls(
                measure=Measure.from_dict(data["measure"]),
                by=_result.from_json(data["by"]),
                method=_result.from_json(data["method"]),
                _table=parts["table"],
                _standard=parts["standard"],
                _notes=_result.notes([parts["notes"]]),
            )
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise DataError(
                f"These are not the data of standardised rates ({type(error).__name__}: {error}). "
                "Give what to_dict() of standardised rates returned."
            ) from error

    def equals(self, other: object) -> bool:
        """Say whether another result is the same in every part (NaN equals NaN).

        Parameters
        ----------
        other : object
            What to compare with.

        Returns
        -------
        bool
            True if ``other`` is of this type and all its parts are equal.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01"] * 2, "age": ["<35", "35+"], "x": [30, 20], "n": [900, 300]})
        >>> columns = {"period": "m", "numerator": "x", "denominator": "n", "by": ["age"]}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> series.standardise("age").equals(series.standardise("age", interval="gamma"))
        False
        """
        return isinstance(other, StandardisedRates) and self.to_dict() == other.to_dict()

    def __repr__(self) -> str:
        said = self.method["standardised"]
        return (
            f"<StandardisedRates {self.measure.name!r} by {', '.join(self.by)} ({said['method']}): "
            f"{len(self._table)} rows; standard: {said['standard']}>"
        )

    def _repr_html_(self) -> str:
        parts = [f"<div>{html.escape(repr(self)[1:-1])}</div>"]
        parts.append(self._table.head(_ROWS_SHOWN).to_html(index=False, na_rep=""))
        parts.append(self._notes[["severity", "text"]].to_html(index=False))
        return f"<div>{''.join(parts)}</div>"


def _frame(data: Any) -> pd.DataFrame:
    frame = _result.from_json(data)
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"{frame!r} is not a frame")
    return frame
