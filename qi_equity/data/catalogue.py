"""The measures that come with the library."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from importlib import resources

import pandas as pd

from qi_equity import _validate
from qi_equity.data.measure import Measure

__all__ = ["Catalogue", "measures"]


class Catalogue:
    """Measures by id: look one up, list them, or show all as a table.

    Parameters
    ----------
    entries : mapping of str to Measure
        The measures.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.measures["gdm_diagnosed"].better is None
    True
    >>> list(qe.measures)[:2]
    ['pph_1500', 'pph_1000']
    """

    __slots__ = ("_entries",)

    def __init__(self, entries: Mapping[str, Measure]) -> None:
        self._entries = dict(entries)

    def __getitem__(self, measure_id: str) -> Measure:
        """Give a measure by its id; an unknown id is answered with the nearest."""
        return self._entries[_validate.one_of("measure", measure_id, list(self._entries))]

    def __contains__(self, measure_id: object) -> bool:
        return measure_id in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<{len(self)} measures: {', '.join(self)}>"

    def _ipython_key_completions_(self) -> list[str]:
        """Let notebooks complete ``measures["..."]``."""
        return list(self)

    def table(self) -> pd.DataFrame:
        """Show every measure and all its parts.

        Returns
        -------
        pandas.DataFrame
            One row a measure; ``id`` and the parts of :class:`Measure` as columns.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.measures.table().columns[:4].tolist()
        ['id', 'name', 'kind', 'better']
        """
        parts = [f.name for f in fields(Measure)]
        rows = [[key, *(getattr(m, p) for p in parts)] for key, m in self._entries.items()]
        return pd.DataFrame(rows, columns=["id", *parts])


def _read() -> Catalogue:
    text = resources.files("qi_equity.data").joinpath("catalogue.json").read_text(encoding="utf-8")
    return Catalogue({key: Measure(**parts) for key, parts in json.loads(text).items()})


measures = _read()
