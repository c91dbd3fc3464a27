"""Small published tables, each with its source, the licence of its figures, and what is not known about it.

>>> import qi_equity as qe
>>> table = qe.datasets.published.load("birmingham_births")
>>> int(table.data["births"].sum()), table.licence[:23]
(39972, 'Open Government Licence')
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

import pandas as pd

from qi_equity import _validate

__all__ = ["PublishedTable", "load", "names", "table"]


@dataclass(frozen=True, slots=True, eq=False)
class PublishedTable:
    """A published table; what :func:`load` returns.

    Attributes
    ----------
    name, title : str
        Short name, and what the table holds.
    source : str
        Where the figures were read.
    licence : str
        Licence of the figures, as far as the source states one.
    not_known : str
        What a reader might want and the sources read do not give.
    note : str
        What to keep in mind when using it.
    columns : dict
        What a column holds, where its name does not say it.
    arguments : dict
        Arguments of :func:`qi_equity.from_counts` that fit; empty where the table has no counts in time.

    Examples
    --------
    >>> import qi_equity as qe
    >>> table = qe.datasets.published.load("mbrrace_maternal_deaths")
    >>> table.arguments["window"]
    3
    """

    name: str
    title: str
    source: str
    licence: str
    not_known: str
    note: str
    columns: dict[str, str]
    arguments: dict[str, Any]
    _frame: pd.DataFrame

    @property
    def data(self) -> pd.DataFrame:
        """The figures, a fresh copy each time.

        Returns
        -------
        pandas.DataFrame
            As published; an empty cell is a figure that could not be read.

        Examples
        --------
        >>> import qi_equity as qe
        >>> list(qe.datasets.published.load("california_haemorrhage").data["group"])
        ['All women', 'Black', 'White', 'All women']
        """
        return self._frame.copy()

    def equals(self, other: object) -> bool:
        """Say whether another table has the same name and figures.

        Parameters
        ----------
        other : object
            What to compare with.

        Returns
        -------
        bool
            True if ``other`` is a table of the same name and figures.

        Examples
        --------
        >>> import qi_equity as qe
        >>> load = qe.datasets.published.load
        >>> load("birmingham_births").equals(load("birmingham_preterm"))
        False
        """
        return (
            isinstance(other, PublishedTable) and self.name == other.name and self._frame.equals(other._frame)
        )

    def __repr__(self) -> str:
        """Say what it is and where it comes from."""
        return f"PublishedTable({self.name!r}, {len(self._frame)} rows): {self.title}. Source: {self.source}."


def names() -> tuple[str, ...]:
    """Give the names of the tables.

    Returns
    -------
    tuple of str
        Names that :func:`load` takes.

    Examples
    --------
    >>> import qi_equity as qe
    >>> "ons_stillbirth_preterm" in qe.datasets.published.names()
    True
    """
    return tuple(_catalogue())


def load(name: str) -> PublishedTable:
    """Read one table.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Returns
    -------
    PublishedTable
        The figures, with where they come from and what is not known.

    Raises
    ------
    OptionError
        If there is no table of that name.

    References
    ----------
    The attribute ``source`` of each table names its own.

    Examples
    --------
    >>> import qi_equity as qe
    >>> england = qe.datasets.published.load("england_deliveries").data
    >>> england.query("period == '2023-24' and group == 'Black or Black British'")["deliveries"].tolist()
    [33355]
    """
    _validate.one_of("name", name, names())
    about = dict(_catalogue()[name])
    text = dict.fromkeys(about.pop("text"), "str")
    with resources.files("qi_equity.datasets").joinpath(f"tables/{name}.csv").open(encoding="utf-8") as file:
        frame = pd.read_csv(file, dtype=text)
    return PublishedTable(
        name=name,
        title=about["title"],
        source=about["source"],
        licence=about["licence"],
        not_known=about["not_known"],
        note=about["note"],
        columns=dict(about["columns"]),
        arguments=dict(about["arguments"]),
        _frame=frame,
    )


def table() -> pd.DataFrame:
    """List all tables.

    Returns
    -------
    pandas.DataFrame
        One row a table: ``name, title, rows, source, licence, not_known, note``.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.datasets.published.table().columns.tolist()
    ['name', 'title', 'rows', 'source', 'licence', 'not_known', 'note']
    """
    tables = [load(name) for name in names()]
    return pd.DataFrame(
        {
            "name": [t.name for t in tables],
            "title": [t.title for t in tables],
            "rows": [len(t.data) for t in tables],
            "source": [t.source for t in tables],
            "licence": [t.licence for t in tables],
            "not_known": [t.not_known for t in tables],
            "note": [t.note for t in tables],
        }
    )


@functools.cache
def _catalogue() -> dict[str, dict[str, Any]]:
    text = resources.files("qi_equity.datasets").joinpath("tables/published.json").read_text("utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found
