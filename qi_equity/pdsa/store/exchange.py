"""Take records out of a store as JSON or CSV, and JSON in."""

from __future__ import annotations

import os

from sqlalchemy import Engine

from qi_equity.errors import DataError
from qi_equity.pdsa.store import csv_files, json_files
from qi_equity.pdsa.store.arguments import a_path, a_text
from qi_equity.pdsa.store.engine import reading, writing
from qi_equity.pdsa.store.files import read_text, write_bytes
from qi_equity.pdsa.store.kinds import ROOTS
from qi_equity.pdsa.store.putting import add_trees, place_of
from qi_equity.pdsa.store.rows import placed
from qi_equity.pdsa.store.trees import read, roots

__all__ = ["Exchange"]


class Exchange:
    """What a store gives out and takes in; :class:`Store` has these methods."""

    _engine: Engine
    _where: str

    def export_json(self, path: str | os.PathLike[str] | None = None, *, record: str | None = None) -> str:
        """Give all records, or one with all within it, as JSON that :meth:`import_json` reads.

        Parameters
        ----------
        path : str or path, optional
            A file to write it to as well.
        record : str, optional
            Identifier of the record. Default: all.

        Returns
        -------
        str
            With every version.

        Raises
        ------
        StoreError
            If the store cannot be read or the file not be written.

        Examples
        --------
        >>> import tempfile
        >>> from qi_equity import pdsa
        >>> with tempfile.TemporaryDirectory() as folder, pdsa.open(f"{folder}/network.db") as store:
        ...     project = store.add(pdsa.Project(id="p", name="Haemorrhage", site="North"), by="Midwife")
        ...     text = store.export_json()
        ...     with pdsa.open(f"{folder}/another.db") as another:
        ...         another.import_json(text)
        ('p',)
        """
        file = None if path is None else a_path("path", path)
        top = None if record is None else a_text("record", record, "a record's id")
        with reading(self._engine, self._where) as connection:
            wanted = roots(connection) if top is None else [top]
            text = json_files.as_json([read(connection, id, self._where).root for id in wanted])
        if file is not None:
            write_bytes(file, text.encode("utf-8"))
        return text

    def import_json(self, source: str | os.PathLike[str], *, to: str | None = None) -> tuple[str, ...]:
        """Add the records of an export: all of them, or none.

        Parameters
        ----------
        source : str or path
            What :meth:`export_json` gave, or the path of the file.
        to : str, optional
            Identifier of the record that is to hold them, for an export of records that cannot stand by
            themselves.

        Returns
        -------
        tuple of str
            Identifiers of those at the top.

        Raises
        ------
        DataError
            If it cannot be read; nothing was added.
        StoreError
            If the store has some of them already, or cannot be written; nothing was added.

        Examples
        --------
        >>> import tempfile
        >>> from qi_equity import pdsa
        >>> with tempfile.TemporaryDirectory() as folder, pdsa.open(f"{folder}/network.db") as store:
        ...     project = store.add(pdsa.Project(id="p", name="Haemorrhage", site="North"), by="Midwife")
        ...     path = f"{folder}/records.json"
        ...     text = store.export_json(path)
        ...     with pdsa.open(f"{folder}/another.db") as another:
        ...         another.import_json(path), another.export_json() == text
        (('p',), True)
        """
        text = source.lstrip("\ufeff \t\r\n") if isinstance(source, str) else ""
        is_text = text.startswith(("{", "["))
        found = json_files.from_json(text if is_text else read_text(a_path("source", source)))
        alone = [r for r in found if to is None and not isinstance(r, ROOTS)]
        if alone:
            raise DataError(
                f"The export has a {type(alone[0]).__name__}, which cannot stand by itself; say with to= "
                "what is to hold it."
            )
        with writing(self._engine, self._where) as connection:
            add_trees(connection, found, to, self._where)
        return tuple(record.id for record in found)

    def export_csv(self, folder: str | os.PathLike[str]) -> tuple[str, ...]:
        """Write a flat table for each kind of record, for a spreadsheet.

        Parameters
        ----------
        folder : str or path
            A folder that is there. Files of the same names are replaced.

        Returns
        -------
        tuple of str
            Names of the files.

        Raises
        ------
        StoreError
            If the store cannot be read or a file not be written.

        Notes
        -----
        Lists are joined by "; ". A sign that a spreadsheet would take for the start of a formula (``=``,
        ``+``, ``-``, ``@``, at the start of a text or after a comma, a semicolon, a tab or a new line in it)
        gets an apostrophe in front. The tables hold the newest versions; the trails, and every text as it was
        written, are in :meth:`export_json`.

        Examples
        --------
        >>> import tempfile
        >>> from qi_equity import pdsa
        >>> with tempfile.TemporaryDirectory() as folder, pdsa.open(f"{folder}/network.db") as store:
        ...     project = store.add(pdsa.Project(id="p", name="Haemorrhage", site="North"), by="Midwife")
        ...     store.export_csv(folder)[:3]
        ('Network.csv', 'Project.csv', 'Site.csv')
        """
        place = a_path("folder", folder)
        with reading(self._engine, self._where) as connection:
            trees = [read(connection, top, self._where) for top in roots(connection)]
        return csv_files.write_tables(place, [pair for t in trees for pair in placed(t.root, place_of(t))])
