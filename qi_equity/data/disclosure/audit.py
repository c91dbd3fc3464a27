"""What an outsider can work out from everything that would be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from qi_equity import _result
from qi_equity._version import __version__
from qi_equity.data.disclosure import audit_rows, vintages
from qi_equity.data.disclosure.collect import is_release
from qi_equity.data.disclosure.outlook import Outlook, outlook_of
from qi_equity.data.series import StratifiedSeries
from qi_equity.errors import DataError, InputTypeError

if TYPE_CHECKING:
    from qi_equity.data.disclosure.rule import SuppressionRule

__all__ = ["DisclosureAudit", "audit_disclosure"]

_FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DisclosureAudit:
    """The whole numbers an outsider is left with for every count that is withheld, rounded or protected.

    Made by :func:`~qi_equity.audit_disclosure`.

    Parameters
    ----------
    method : mapping
        What was attacked and how: the rule, the items read, what was not turned back into counts, version.

    Examples
    --------
    A total that stands beside one withheld part gives it back:

    >>> import pandas as pd, qi_equity as qe
    >>> table = pd.DataFrame({"group": ["Asian", "Black", "All groups"], "births": [400, 60, 460],
    ...                       "events": [12, None, 15]})
    >>> audit = qe.audit_disclosure(table, "strict-10")
    >>> audit.passed, audit.failures[["group", "numbers"]].to_numpy().tolist()
    (False, [['Black', '3']])
    """

    method: Mapping[str, Any]
    _table: pd.DataFrame
    _notes: pd.DataFrame

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", MappingProxyType(dict(self.method)))

    @property
    def table(self) -> pd.DataFrame:
        """One row for every count that is not printed as it is, or that the rule protects.

        Columns: the strata ("(all)" where a number speaks of all labels); ``start, end`` (first and last day;
        NaT where nothing tells of time); ``quantity`` (numerator, denominator, unrecorded); ``shown`` (the
        number as printed, "suppressed", or "not shown" for a count that no row is about); ``protected``;
        ``lowest, highest`` (infinite where there is no end); ``n_left`` (whole numbers left; where the text
        says "at least", so many were found and looked for); ``numbers``, in words; ``enough`` (whether a
        protected count is left with as many as the rule wants); ``how`` (what tells most about it).

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> table = pd.DataFrame({"group": ["Asian", "Black"], "births": [400, 60], "events": [12, None]})
        >>> row = qe.audit_disclosure(table, "strict-10").table.iloc[0]
        >>> row["shown"], bool(row["protected"]), bool(row["enough"])
        ('suppressed', True, True)
        """
        return self._table.copy()

    @property
    def failures(self) -> pd.DataFrame:
        """The rows of :attr:`table` that are left with too few numbers.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> table = pd.DataFrame({"group": ["Asian", "Black"], "births": [400, 60], "events": [12, 3]})
        >>> qe.audit_disclosure(table, "strict-10").failures[["group", "shown"]].to_numpy().tolist()
        [['Black', '3']]
        """
        return self._table[~self._table["enough"]].reset_index(drop=True)

    @property
    def passed(self) -> bool:
        """Whether every protected count is left with enough numbers, and no event is shown by itself.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> table = pd.DataFrame({"group": ["Asian", "Black"], "births": [400, 60], "events": [12, None]})
        >>> qe.audit_disclosure(table, "strict-10").passed
        True
        """
        return bool(self._table["enough"].all()) and "single_events" not in set(self._notes["code"])

    @property
    def notes(self) -> pd.DataFrame:
        """What the reader must know: ``code, severity, site, group, text``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> table = pd.DataFrame({"group": ["Asian", "Black"], "births": [400, 60], "events": [12, None]})
        >>> qe.audit_disclosure(table, "strict-10").notes.columns.tolist()
        ['code', 'severity', 'site', 'group', 'text']
        """
        return self._notes.copy()

    def to_dict(self) -> dict[str, Any]:
        """Give the audit as a dictionary that JSON can hold.

        Returns
        -------
        dict
            Versioned; :meth:`from_dict` reads it. It holds numbers that must not leave.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> table = pd.DataFrame({"group": ["Asian", "Black"], "births": [400, 60], "events": [12, None]})
        >>> qe.audit_disclosure(table, "strict-10").to_dict()["type"]
        'DisclosureAudit'
        """
        parts = {"method": dict(self.method), "table": self._table, "notes": self._notes}
        return _result.header("DisclosureAudit", _FORMAT) | {k: _result.to_json(v) for k, v in parts.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote.

        Parameters
        ----------
        data : mapping
            What :meth:`to_dict` returned, possibly through JSON.

        Returns
        -------
        DisclosureAudit
            The same audit.

        Raises
        ------
        DataError
            If the data hold something else.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> table = pd.DataFrame({"group": ["Asian", "Black"], "births": [400, 60], "events": [12, None]})
        >>> audit = qe.audit_disclosure(table, "strict-10")
        >>> qe.DisclosureAudit.from_dict(audit.to_dict()).equals(audit)
        True
        """
        _result.check_header(data, "DisclosureAudit", _FORMAT)
        try:
            found = {name: _result.from_json(data[name]) for name in ("method", "table", "notes")}
            table = found["table"].astype({"protected": bool, "enough": bool})
            return cls(found["method"], table, _result.notes([found["notes"]]))
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise DataError(
                f"These are not the data of an audit ({type(error).__name__}: {error}). "
                "Give what to_dict() of an audit returned."
            ) from error

    def equals(self, other: object) -> bool:
        """Say whether another audit holds the same rows, notes and method.

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
        >>> import pandas as pd, qi_equity as qe
        >>> table = pd.DataFrame({"group": ["Asian", "Black"], "births": [400, 60], "events": [12, None]})
        >>> qe.audit_disclosure(table, "strict-10").equals(qe.audit_disclosure(table, "none"))
        False
        """
        return isinstance(other, DisclosureAudit) and self.to_dict() == other.to_dict()

    def __repr__(self) -> str:
        """Say in one line what was found."""
        failed = len(self.failures)
        verdict = "passed" if self.passed else f"failed: {failed} count(s) can be worked out too closely"
        return f"<DisclosureAudit by {self.method['rule']}: {verdict}; {len(self._table)} counts attacked>"

    def _repr_html_(self) -> str:
        shown = self.failures if len(self.failures) else self._table
        return f"<p>{repr(self)[1:-1]}</p>{shown.to_html(index=False, max_rows=20)}"


def audit_disclosure(
    published: Any,
    rule: SuppressionRule | str,
    *,
    before: Any = None,
    truth: StratifiedSeries | None = None,
) -> DisclosureAudit:
    r"""Attack everything that would be written, and report what an outsider is left with.

    The attacker knows the rule and reads every number: counts, totals over groups, sites and periods, rates,
    intervals, limits, standard errors, centre lines, descriptions, and where the points and lines of a figure
    lie. Each is turned into what it says of whole numbers:

    - a count shown by the rule stands for the counts that are shown so;
    - a rate or an interval leaves the pairs of events and births that give it to its digits;
    - a standard error :math:`\sqrt{\bar p (1 - \bar p) / n}` leaves the births :math:`n`, an exact limit
      those for which it lies half-way between two counts;
    - a total is the sum of its parts, a centre line the pooled rate of its points.

    The sums form one system, which is solved in whole numbers.

    Parameters
    ----------
    published : series, result, frame, str, path, or a list or mapping of these
        All that would be written together. Results are a chart, a table of rates or gaps, and the like: their
        frames, descriptions and figures are read. Text is a description, or SVG if it holds ``<svg``; a path
        ends in .csv, .svg or .txt. A mapping names each item in the report.
    rule : SuppressionRule or str
        The rule by which they were made, or its name.
    before : as ``published``, optional
        What was published last time; a list of lists, oldest first, for several releases. Counts of the same
        place in two releases are the same unknown number, unless either is provisional or both are printed
        with different numbers: then nothing binds them but what else stays the same.
    truth : StratifiedSeries, optional
        The true counts. Then the protected counts are known, those of periods that are published only in sums
        too. Default: counts shown as withheld, as the rule's stand-in, or as a number that the rule protects.

    Returns
    -------
    DisclosureAudit
        For every such count the whole numbers that are left.

    Raises
    ------
    InputTypeError
        If something cannot be read at all.
    OptionError
        If nothing was given, the rule does not exist, or a path leads nowhere.

    Notes
    -----
    Events and births of one place are narrowed by turns, each with the ends of the other: what only both
    together over several places would tell is not found. Medians, CUSUM and EWMA statistics, comparisons
    between groups, inequality measures and figures of other kinds than charts over time are not turned back
    into counts; ``notes`` says which items that concerns. A number that was copied by hand must be given too:
    the audit cannot know of what it is not shown.

    References
    ----------
    .. [1] Willenborg, de Waal. Elements of statistical disclosure control. Springer 2001, chapters 6 and 9.
    .. [2] Fischetti, Salazar. Solving the cell suppression problem on tabular data with linear constraints.
       Management Science 2001;47:1008-1027.

    Examples
    --------
    The numerator is blank, but the rate beside it was left:

    >>> import pandas as pd, qi_equity as qe
    >>> table = pd.DataFrame({"group": ["Asian", "Black"], "births": [400, 60], "events": [12, None],
    ...                       "rate": [0.03, 0.05]})
    >>> qe.audit_disclosure(table, "strict-10").failures[["group", "numbers", "how"]].to_numpy().tolist()
    [['Black', '3', 'the value of the table']]
    """
    if truth is not None and not isinstance(truth, StratifiedSeries):
        raise InputTypeError(
            f"truth is of type {type(truth).__name__}; give the StratifiedSeries of the counts."
        )
    outlook = outlook_of(rule)
    earlier: Sequence[Any] = [] if before is None else [before] if is_release(before) else list(before)
    return attack_releases([*earlier, published], outlook, truth=truth)


def attack_releases(
    releases: Sequence[Any], outlook: Outlook, *, truth: StratifiedSeries | None = None, figures: bool = True
) -> DisclosureAudit:
    """Attack releases together, the oldest first; see :func:`audit_disclosure`."""
    found = vintages.attacked(releases, outlook, truth, figures)
    method = {
        "rule": outlook.rule.name,
        "rule_text": outlook.rule.text(),
        "enough": outlook.enough,
        "releases": len(releases),
        "items": found.sources,
        "not_attacked": found.not_attacked,
        "truth_known": truth is not None,
        "library": f"qi_equity {__version__}",
    }
    return DisclosureAudit(method, found.table, audit_rows.notes_of(found, outlook))
