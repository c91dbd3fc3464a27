"""What a checklist and an outline share: items of a record of improvement work, notes, and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Self

import pandas as pd

from qi_equity import _result
from qi_equity.errors import DataError

__all__ = ["ListedResult"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class ListedResult:
    """Items that were read from a cycle or a project, one row each.

    Parameters
    ----------
    work : mapping
        Whose it is: ``kind, id, name, version``.
    method : mapping
        Whose rules and headings they are, and the version of the library.
    """

    work: Mapping[str, Any]
    method: Mapping[str, Any]
    _items: pd.DataFrame
    _notes: pd.DataFrame

    FORMAT: ClassVar[int] = 1

    def __post_init__(self) -> None:
        for name in ("work", "method"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def notes(self) -> pd.DataFrame:
        """What the reader must be told: ``code, severity, site, group, text``.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.checklists.quality import quality
        >>> cycle = pdsa.Cycle(name="Cycle 1", idea="weigh", plan=pdsa.Plan(objective="Weigh"))
        >>> quality(cycle).notes.empty
        True
        """
        return self._notes.copy()

    def to_dict(self) -> dict[str, Any]:
        """Turn the result into JSON; :meth:`from_dict` gives it back.

        Returns
        -------
        dict
            Versioned.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.checklists.quality import quality
        >>> cycle = pdsa.Cycle(name="Cycle 1", idea="weigh", plan=pdsa.Plan(objective="Weigh"))
        >>> quality(cycle).to_dict()["type"]
        'Quality'
        """
        return {
            **_result.header(type(self).__name__, self.FORMAT),
            "work": _result.to_json(dict(self.work)),
            "method": _result.to_json(dict(self.method)),
            "items": _result.to_json(self._items),
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
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.checklists.quality import Quality, quality
        >>> cycle = pdsa.Cycle(name="Cycle 1", idea="weigh", plan=pdsa.Plan(objective="Weigh"))
        >>> Quality.from_dict(quality(cycle).to_dict()).equals(quality(cycle))
        True
        """
        _result.check_header(data, cls.__name__, cls.FORMAT)
        try:
            return cls(
                work=_result.from_json(data["work"]),
                method=_result.from_json(data["method"]),
                _items=_result.frame_from_json(data["items"]),
                _notes=_result.notes([_result.frame_from_json(data["notes"])]),
            )
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise DataError(
                f"These are not the data of a {cls.__name__} ({type(error).__name__}: {error}). "
                "Give what to_dict() of one returned."
            ) from error

    def equals(self, other: object) -> bool:
        """Say whether another result is of the same work and holds the same.

        Parameters
        ----------
        other : object
            What to compare with.

        Returns
        -------
        bool
            True if all is the same.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.checklists.quality import quality
        >>> cycle = pdsa.Cycle(name="Cycle 1", idea="weigh", plan=pdsa.Plan(objective="Weigh"))
        >>> quality(cycle).equals(quality(cycle.revise({"name": "Cycle 2"}, by="Midwife")))
        False
        """
        return type(other) is type(self) and self.to_dict() == other.to_dict()

    def _repr_html_(self) -> str:
        return _result.frame_html(self._items, "all: .items")
