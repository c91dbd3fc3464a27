"""What results that are one table share: the counts they come from, notes, JSON, and what may leave."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import Any, ClassVar, Self

import pandas as pd

from qi_equity import _result
from qi_equity._version import __version__
from qi_equity.data.spans import Spans
from qi_equity.errors import DataError

__all__ = ["TableResult"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class TableResult(ABC):
    """A table reckoned from counts over spans of time, and from nothing else but its options.

    Parameters
    ----------
    spans : Spans
        The counts.
    options : mapping
        The arguments with which the table is made from the counts; values that JSON can hold.
    method : mapping
        What was done: names, versions, constants, confidence, references with reasons, library version.
    """

    spans: Spans
    options: Mapping[str, Any]
    method: Mapping[str, Any]
    _table: pd.DataFrame
    _notes: pd.DataFrame

    FORMAT: ClassVar[int] = 1

    def __post_init__(self) -> None:
        for name in ("options", "method"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @classmethod
    @abstractmethod
    def _make(cls, spans: Spans, options: Mapping[str, Any]) -> Self:
        """Make the result from counts; each kind of result says how."""

    @property
    def table(self) -> pd.DataFrame:
        """The table, made afresh: changing it does not change the result.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01"], "pph": [3], "births": [80]})
        >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> qe.rates(series).table[["events", "births", "rate"]].values.tolist()
        [[3.0, 80.0, 0.0375]]
        """
        return self._table.copy()

    @property
    def notes(self) -> pd.DataFrame:
        """What the reader must be told: ``code, severity, site, group``, further strata, ``text``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01"], "pph": [3], "births": [80]})
        >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> qe.rates(series).notes.columns.tolist()
        ['code', 'severity', 'site', 'group', 'text']
        """
        return self._notes.copy()

    def disclose(self, rule: Any, *, margins: Any = None, protect: int | None = None) -> Self:
        """Give the result as it may leave: made anew from the counts that the rule lets out.

        Every number of the new result, intervals and limits too, is reckoned from disclosed counts, so that
        none gives a withheld count back. The rule is applied to the sums that this table shows, not to the
        periods under them.

        Parameters
        ----------
        rule : SuppressionRule or str
            The rule, or the name of one that :meth:`SuppressionRule.load` knows.
        margins : optional
            Sums that are published together with the table; see :meth:`StratifiedSeries.disclose`.
        protect : int, optional
            Fewest whole numbers an outsider may be left with for a protected count. Default: the rule's.

        Returns
        -------
        same type
            With withheld rows as "suppressed".

        Raises
        ------
        OptionError
            If the rule cannot be kept.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01"], "pph": [3], "births": [80]})
        >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> qe.rates(series).disclose("dqmi").table["status"].tolist()
        ['suppressed']
        """
        return self._make(self.spans.disclose(rule, margins=margins, protect=protect), self.options)

    def to_dict(self) -> dict[str, Any]:
        """Turn the result into JSON; :meth:`from_dict` gives it back without computing anything anew.

        Returns
        -------
        dict
            Versioned; holds the counts, the table, the method and the notes.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01"], "pph": [3], "births": [80]})
        >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> qe.rates(series).to_dict()["type"]
        'RateTable'
        """
        return {
            **_result.header(type(self).__name__, self.FORMAT),
            "spans": self.spans.to_dict(),
            "options": _result.to_json(dict(self.options)),
            "method": _result.to_json(dict(self.method)),
            "table": _result.to_json(self._table),
            "notes": _result.to_json(self._notes),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote.

        Parameters
        ----------
        data : mapping
            What :meth:`to_dict` returned, possibly through JSON.

        Returns
        -------
        same type
            Equal to the original.

        Raises
        ------
        DataError
            If the data hold something else, or a format that this version does not read.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01"], "pph": [3], "births": [80]})
        >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
        >>> rates = qe.rates(qe.from_counts(rows, qe.measures["pph_1500"], **columns))
        >>> qe.RateTable.from_dict(rates.to_dict()).equals(rates)
        True
        """
        _result.check_header(data, cls.__name__, cls.FORMAT)
        try:
            return cls(
                spans=Spans.from_dict(data["spans"]),
                options=_result.from_json(data["options"]),
                method=_result.from_json(data["method"]),
                _table=_result.frame_from_json(data["table"]),
                _notes=_result.notes([_result.frame_from_json(data["notes"])]),
            )
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise DataError(
                f"These are not the data of a {cls.__name__} ({type(error).__name__}: {error}). "
                "Give what to_dict() of one returned."
            ) from error

    def equals(self, other: object) -> bool:
        """Say whether another result holds the same counts, table, method and notes.

        Parameters
        ----------
        other : object
            What to compare with.

        Returns
        -------
        bool
            True if all is the same; NaN equals NaN.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01"], "pph": [3], "births": [80]})
        >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> qe.rates(series).equals(qe.rates(series, confidence=0.9))
        False
        """
        return type(other) is type(self) and self.to_dict() == other.to_dict()

    def __repr__(self) -> str:
        name, rows = self.spans.series.measure.name, len(self._table)
        return f"<{type(self).__name__} {name!r}: {rows} rows, {len(self._notes)} notes>"

    def _repr_html_(self) -> str:
        notes = self._notes.drop(columns="code")
        title = f"{self.spans.series.measure.name}: {type(self).__name__}"
        parts = [
            f"<h4>{escape(title)}</h4>",
            _result.frame_html(self._table, "one row a stratum and span"),
            f"<p><b>Notes: {len(notes)}</b></p>",
        ]
        parts += [_result.frame_html(notes, "no note")] if len(notes) else []
        return f"<div>{''.join(parts)}</div>"


def library() -> dict[str, str]:
    """Give the entry of ``method`` that names the library and its version."""
    return {"library": f"qi_equity {__version__}"}
