"""Schemes of groups: which codes there are, what they mean, and how they are put together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Self

from qi_equity import _validate
from qi_equity._result import check_header, header
from qi_equity.data import _scheme_file
from qi_equity.data._scheme_file import DETAIL, Group, text_of
from qi_equity.errors import InputTypeError, OptionError

__all__ = ["Scheme"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Scheme(_scheme_file.Definition):
    """A scheme of groups (ethnicity, deprivation or any other); get one with :meth:`load`.

    Women whose group is not known (not stated, not known, missing: as far as the scheme tells them apart) are
    groups like the others, at the end: they stay visible.

    Attributes
    ----------
    id, version, source : str
        Short name, edition, and who laid the categories down.
    ordered : bool
        Whether the order of the groups has a meaning, as that of deprivation quintiles has.
    overlapping : bool
        Whether one woman can be in several groups, so that groups must not be added up.
    notes : tuple of str
        What a user of the scheme must know.

    Examples
    --------
    >>> import qi_equity as qe
    >>> scheme = qe.Scheme.load("nhs-2001")
    >>> scheme.groups("broad")
    ('Asian', 'Black', 'Mixed', 'Other', 'White', 'Not stated', 'Not known', 'Missing')
    >>> scheme.assign(["A1", "r", "Z", "99", None], "broad")
    ['White', 'Asian', 'Not stated', 'Not known', 'Missing']
    """

    @classmethod
    def load(cls, scheme: str | Path) -> Scheme:
        """Load a scheme that comes with the library, or one of your own.

        Parameters
        ----------
        scheme : str or Path
            Its id, or the path of a JSON file: a Path, or text that ends in ``.json``. The file must hold
            ``id``, ``version``, ``source`` and ``codes``, a list of ``{"code", "label"}`` in the order to be
            kept. It may hold ``groupings``, ``{name: [{"label", "codes"}]}`` (if none is named "broad", that
            is the codes themselves), ``unknown``, a list of ``{"label", "codes"}``, ``ordered``,
            ``overlapping``, ``notes``, ``local_second_character`` (whether codes may carry one) and
            ``not_codes`` (what is then not to be taken for such a code). All may have ``aliases``: other
            spellings in published tables.

        Returns
        -------
        Scheme
            The scheme.

        Raises
        ------
        OptionError
            If there is no such scheme or file.
        DataError
            If the file is not that of a scheme; all its faults are in ``bad_rows``.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.Scheme.load("nz-level-1-total").overlapping
        True
        """
        if isinstance(scheme, Path) or (isinstance(scheme, str) and scheme.lower().endswith(".json")):
            return _scheme_file.define(cls, _scheme_file.read(Path(scheme)), str(scheme))
        if not isinstance(scheme, str):
            raise InputTypeError(
                f"scheme={scheme!r} is of type {type(scheme).__name__}; give an id or a path."
            )
        return _shipped(_validate.one_of("scheme", scheme, _ids()))

    @property
    def groupings(self) -> tuple[str, ...]:
        """Names of the groupings; "detail" has one group a code.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.Scheme.load("nhs-2001").groupings
        ('detail', 'broad', 'maternity')
        """
        return tuple(name for name, _ in self.levels)

    @property
    def codes(self) -> dict[str, str]:
        """Code to label, in declared order; the codes of unknown groups last.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.Scheme.load("nhs-2001").codes["R"]
        'Other Ethnic Groups - Chinese'
        """
        return {c: g.label for g in (*self._known(DETAIL), *self.unknown_groups) for c in g.codes}

    @property
    def unknown(self) -> tuple[str, ...]:
        """Labels of the groups of women whose group is not known, from best to least known.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.Scheme.load("nhs-2001").unknown
        ('Not stated', 'Not known', 'Missing')
        """
        return tuple(g.label for g in self.unknown_groups)

    def known(self, grouping: str) -> tuple[str, ...]:
        """List the groups without the unknown ones.

        Parameters
        ----------
        grouping : str
            One of ``groupings``.

        Returns
        -------
        tuple of str
            Labels in declared order.

        Raises
        ------
        OptionError
            If there is no such grouping.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.Scheme.load("nhs-2001").known("broad")
        ('Asian', 'Black', 'Mixed', 'Other', 'White')
        """
        return tuple(g.label for g in self._known(grouping))

    def groups(self, grouping: str) -> tuple[str, ...]:
        """List all groups, the unknown ones last.

        Parameters
        ----------
        grouping : str
            One of ``groupings``.

        Returns
        -------
        tuple of str
            Labels in declared order.

        Raises
        ------
        OptionError
            If there is no such grouping.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.Scheme.load("imd-quintile").groups("detail")
        ('1 (most deprived)', '2', '3', '4', '5 (least deprived)', 'Missing')
        """
        return self.known(grouping) + self.unknown

    def assign(self, codes: Sequence[object], grouping: str) -> list[str | None]:
        """Give the group of each raw code; call it on distinct values.

        Capitals and blanks around codes do not matter; a local second character ("A1") is dropped where the
        scheme has such; the full label of a code stands for the code. Blank, None and NaN are "Missing".

        Parameters
        ----------
        codes : sequence
            Raw values as recorded.
        grouping : str
            One of ``groupings``.

        Returns
        -------
        list of str or None
            Label of each, None for a value that is not a code of the scheme.

        Raises
        ------
        OptionError
            If there is no such grouping.

        Examples
        --------
        >>> import qi_equity as qe
        >>> scheme = qe.Scheme.load("nhs-2001")
        >>> scheme.assign(["R", "S", "W"], "maternity")
        ['Any other ethnic group', 'Any other ethnic group', None]
        """
        group_of = {c: g.label for g in self._known(grouping) for c in g.codes}
        read = {text_of(t): group_of[c] for c, label in self._known_codes() for t in (c, label)}
        read |= self._unknown_texts() | {"": _scheme_file.MISSING}
        if self.local_second_character:
            local = {text_of(c): group_of[c] for c, _ in self._known_codes()}
            refused = {text_of(c) for c in self.not_codes}
        else:
            local, refused = {}, set()
        found: list[str | None] = []
        for value in codes:
            text = text_of(value)
            is_local = re.fullmatch("[a-z][a-z0-9]", text) and text not in refused
            found.append(read.get(text) or (local.get(text[0]) if is_local else None))
        return found

    def read_labels(self, values: Sequence[object]) -> tuple[str, list[str | None]]:
        """Find the grouping whose labels, or the codes, are those of a published table.

        Capitals do not matter; other spellings that the scheme's file lists are read. Blank is not read: in
        tables it may be a total as well as a missing group.

        Parameters
        ----------
        values : sequence
            Labels or codes; call it on distinct values.

        Returns
        -------
        grouping : str
            The grouping that reads most of the values; of several the first named in the file, "detail" last.
        labels : list of str or None
            Label of each value in that grouping, None for one that it does not have.

        Examples
        --------
        >>> import qi_equity as qe
        >>> scheme = qe.Scheme.load("nhs-2001")
        >>> scheme.read_labels(["White", "ASIAN OR ASIAN BRITISH", "Not Stated"])
        ('maternity', ['White', 'Asian or Asian British', 'Not stated'])
        """
        texts = [text_of(v) for v in values]
        readings = [(name, [names.get(t) for t in texts]) for name, names in self._tables()]
        return max(readings, key=lambda r: sum(label is not None for label in r[1]))

    def roll_up(self, from_grouping: str, to_grouping: str) -> dict[str, str]:
        """Map the groups of one grouping onto those of a coarser one.

        Parameters
        ----------
        from_grouping, to_grouping : str
            Two of ``groupings``; every group of the first must lie inside one group of the second.

        Returns
        -------
        dict of str to str
            Label to label, unknown groups to themselves.

        Raises
        ------
        OptionError
            If a group would have to be split, or there is no such grouping.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.Scheme.load("nhs-2001").roll_up("detail", "maternity")["Other Ethnic Groups - Chinese"]
        'Any other ethnic group'
        """
        group_of = {c: g.label for g in self._known(to_grouping) for c in g.codes}
        onto = {
            g.label: list(dict.fromkeys(group_of[c] for c in g.codes)) for g in self._known(from_grouping)
        }
        split = [
            f"{label!r} lies in {' and '.join(map(repr, to))}" for label, to in onto.items() if len(to) > 1
        ]
        if split:
            raise OptionError(
                f"grouping={to_grouping!r} cannot be made from {from_grouping!r} in scheme {self.id!r}: "
                f"{'; '.join(split)}. Start from {DETAIL!r}."
            )
        return {label: to[0] for label, to in onto.items() if to} | {u: u for u in self.unknown}

    def to_dict(self) -> dict[str, Any]:
        """Give the scheme as a dictionary that JSON can hold; saved as JSON, :meth:`load` reads it too.

        Returns
        -------
        dict
            Versioned; :meth:`from_dict` reads it.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.Scheme.load("omb-2024").to_dict()["codes"][1]["label"]
        'Asian'
        """
        return header("Scheme", 1) | _scheme_file.to_json(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make the scheme that :meth:`to_dict` described.

        Parameters
        ----------
        data : mapping
            What :meth:`to_dict` returned.

        Returns
        -------
        Scheme
            Equal to the original.

        Raises
        ------
        DataError
            If the data are not those of a scheme.

        Examples
        --------
        >>> import qi_equity as qe
        >>> scheme = qe.Scheme.load("nhs-2001")
        >>> qe.Scheme.from_dict(scheme.to_dict()).equals(scheme)
        True
        """
        check_header(data, "Scheme", 1)
        return _scheme_file.define(cls, dict(data), repr(data.get("id")))

    def equals(self, other: object) -> bool:
        """Say whether another scheme is the same in every part.

        Parameters
        ----------
        other : object
            What to compare with.

        Returns
        -------
        bool
            True if ``other`` is a scheme and all its parts are equal.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.Scheme.load("nhs-2001").equals(qe.Scheme.load("census-2021"))
        False
        """
        return isinstance(other, Scheme) and self.to_dict() == other.to_dict()

    def __repr__(self) -> str:
        size = len(self._known(DETAIL))
        return f"<Scheme {self.id!r}: {size} categories; groupings {', '.join(self.groupings)}>"

    def _known(self, grouping: str) -> tuple[Group, ...]:
        return dict(self.levels)[_validate.one_of("grouping", grouping, self.groupings)]

    def _known_codes(self) -> list[tuple[str, str]]:
        return [(g.codes[0], g.label) for g in self._known(DETAIL)]

    def _unknown_texts(self) -> dict[str, str]:
        return _texts(self.unknown_groups, with_codes=True)

    def _tables(self) -> list[tuple[str, dict[str, str]]]:
        """List every grouping with the texts it reads; the detailed one last, so a named one wins a tie."""
        order = sorted(self.groupings, key=lambda name: name == DETAIL)
        unknown = self._unknown_texts()
        return [(name, _texts(self._known(name), with_codes=name == DETAIL) | unknown) for name in order]


def _texts(groups: Sequence[Group], *, with_codes: bool) -> dict[str, str]:
    """Map every text that names a group to the group's label."""
    return {
        text_of(t): g.label for g in groups for t in (g.label, *g.aliases, *(g.codes if with_codes else ()))
    }


def _ids() -> list[str]:
    files = resources.files("qi_equity.data").joinpath("schemes").iterdir()
    return sorted(f.name.removesuffix(".json") for f in files if f.name.endswith(".json"))


@cache
def _shipped(scheme_id: str) -> Scheme:
    file = Path(str(resources.files("qi_equity.data").joinpath("schemes", f"{scheme_id}.json")))
    return _scheme_file.define(Scheme, _scheme_file.read(file), scheme_id)
