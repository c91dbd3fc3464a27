"""What the results of planning share: tables, notes, and JSON."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import Any, ClassVar, Self

import pandas as pd

from qi_equity import _result
from qi_equity.data.series import StratifiedSeries
from qi_equity.errors import DataError

__all__ = ["PlanningResult"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class PlanningResult(ABC):
    """Tables reckoned from a series, a chart or rules, before or instead of looking at what happened.

    Parameters
    ----------
    series : StratifiedSeries or None
        Where births and rates come from; None where they were given as numbers.
    options : mapping
        The arguments, as they were read.
    method : mapping
        What was done: methods with their error, assumptions, library version.
    """

    series: StratifiedSeries | None
    options: Mapping[str, Any]
    method: Mapping[str, Any]
    _frames: Mapping[str, pd.DataFrame]
    _notes: pd.DataFrame

    FORMAT: ClassVar[int] = 1
    TABLES: ClassVar[tuple[str, ...]] = ("table",)

    def __post_init__(self) -> None:
        for name in ("options", "method", "_frames"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    @abstractmethod
    def title(self) -> str:
        """What the result is of, for its heading."""

    @property
    def table(self) -> pd.DataFrame:
        """The main table, made afresh: changing it does not change the result.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.run_length("shewhart").table["mean"].round(1).tolist()
        [370.4]
        """
        return self._frames["table"].copy()

    @property
    def notes(self) -> pd.DataFrame:
        """What the reader must be told: ``code, severity, site, group``, further strata, ``text``.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.run_length("shewhart").notes.columns.tolist()
        ['code', 'severity', 'site', 'group', 'text']
        """
        return self._notes.copy()

    def to_dict(self) -> dict[str, Any]:
        """Turn the result into JSON; :meth:`from_dict` gives it back without computing anything anew.

        Returns
        -------
        dict
            Versioned.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.run_length("shewhart").to_dict()["type"]
        'RunLength'
        """
        return {
            **_result.header(type(self).__name__, self.FORMAT),
            "series": None if self.series is None else self.series.to_dict(),
            "options": _result.to_json(dict(self.options)),
            "method": _result.to_json(dict(self.method)),
            "tables": {name: _result.to_json(self._frames[name]) for name in self.TABLES},
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
        >>> import qi_equity as qe
        >>> found = qe.run_length("shewhart")
        >>> qe.RunLength.from_dict(found.to_dict()).equals(found)
        True
        """
        _result.check_header(data, cls.__name__, cls.FORMAT)
        try:
            series = data["series"]
            return cls(
                series=None if series is None else StratifiedSeries.from_dict(series),
                options=_result.from_json(data["options"]),
                method=_result.from_json(data["method"]),
                _frames={name: _result.frame_from_json(data["tables"][name]) for name in cls.TABLES},
                _notes=_result.notes([_result.frame_from_json(data["notes"])]),
            )
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise DataError(
                f"These are not the data of a {cls.__name__} ({type(error).__name__}: {error}). "
                "Give what to_dict() of one returned."
            ) from error

    def equals(self, other: object) -> bool:
        """Say whether another result holds the same data, options, tables, method and notes.

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
        >>> import qi_equity as qe
        >>> qe.run_length("shewhart").equals(qe.run_length("western_electric"))
        False
        """
        return type(other) is type(self) and self.to_dict() == other.to_dict()

    def __repr__(self) -> str:
        rows = len(self._frames["table"])
        return f"<{type(self).__name__} {self.title!r}: {rows} rows, {len(self._notes)} notes>"

    def _repr_html_(self) -> str:
        parts = [f"<h4>{escape(self.title)}</h4>", _result.frame_html(self._frames["table"], "all: .table")]
        parts.append(f"<p><b>Notes: {len(self._notes)}</b></p>")
        if len(self._notes):
            parts.append(_result.frame_html(self._notes.drop(columns="code"), "all: .notes"))
        return f"<div>{''.join(parts)}</div>"
