"""BestPractice: the change package of a network."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from qi_equity import _result, _validate
from qi_equity.change.result import ChangeEvaluation
from qi_equity.data.disclosure.apply import as_rule
from qi_equity.pdsa.change_package import saved, words
from qi_equity.pdsa.change_package.disclosed import shown_people
from qi_equity.spc.words import plural

__all__ = ["BestPractice"]

TABLES = ("ideas", "groups")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BestPractice:
    """The change package: what was tried, how strong the evidence is, for whom, and for whom not yet.

    What :func:`best_practice` returns. Effects are of the adverse outcome, after over before: a ratio below 1
    is better. All values are unscaled.

    Parameters
    ----------
    evaluations : mapping of str to ChangeEvaluation
        What was evaluated, by the code of the idea.
    options : mapping
        ``method`` and ``interval`` of pooling.
    method : mapping
        What was done, and how the comparisons of the list are held together.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> from qi_equity.pdsa.change_package.package import best_practice
    >>> best_practice(pdsa.Network(name="A network"), {})
    <BestPractice: 0 ideas, 0 evaluated, 0 notes>
    """

    evaluations: Mapping[str, ChangeEvaluation]
    options: Mapping[str, str]
    method: Mapping[str, Any]
    _facts: pd.DataFrame
    _reach: pd.DataFrame
    _said: pd.DataFrame
    _ideas: pd.DataFrame
    _groups: pd.DataFrame
    _notes: pd.DataFrame

    def __post_init__(self) -> None:
        for name in ("evaluations", "options", "method"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def ideas(self) -> pd.DataFrame:
        """One row a change idea, the strongest evidence first.

        Returns
        -------
        pandas.DataFrame
            ``code, name, strength, measure``.

            Of the records: ``sites, site_names`` (where a cycle was carried out), ``cycles``,
            ``people_reached`` (most in one cycle), ``people_planned`` and ``scale`` (largest planned),
            ``adopt, adapt, abandon, expand`` (decisions).

            Of all together: ``effect, lower, upper`` (pooled ratio), ``prediction_lower, prediction_upper``
            (another such site), ``difference`` with its interval, ``p`` (with the mix of groups as
            it is and as it was before: the larger), ``adjusted_p`` (among the ideas of the list),
            ``sites_pooled``, ``state`` (what stands: improved, worsened, rose, fell, no meaningful change,
            not yet visible, not evaluated), ``improved_in, worsened_in`` (groups), ``sites_evaluated`` and
            ``replicated`` (those in the better direction, and not by the mix of groups).

            The clearest gap, whichever way: ``gap_group, reference, gap_change`` (ratio of ratios) and
            ``gap_difference``, each with its interval, ``gap_p`` (Holm), ``gap_state``; ``gaps_narrowed,
            gaps_widened`` (groups).

            ``harm_none_seen, harm_seen, harm_not_yet_visible, harm_not_checked`` (groups);
            ``not_tested_for`` (groups with no prediction, nobody reached and nothing visible). Names in one
            cell are parted by "; ".

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.change_package.package import best_practice
        >>> project = pdsa.Project(name="Bleeding", site="North", ideas=[
        ...     pdsa.ChangeIdea(id="w", code="weigh", name="Weigh all blood loss")])
        >>> site = pdsa.Site(name="North", projects=[project])
        >>> package = best_practice(pdsa.Network(name="A network", sites=[site]), {})
        >>> package.ideas[["code", "strength", "state"]].values.tolist()
        [['weigh', 'idea', 'not evaluated']]
        """
        return self._ideas.copy()

    @property
    def groups(self) -> pd.DataFrame:
        """One row a change idea and group, in declared order.

        Returns
        -------
        pandas.DataFrame
            ``code, group``; the effect in the group with the columns it has in :attr:`ideas` (``adjusted_p``
            among the groups of the idea); its gap to ``reference``; ``harm`` (none seen, seen, not yet
            visible, not checked), ``predicted`` (in a cycle that was carried out), ``reached`` (most people
            of the group in one cycle), ``tested``, ``known`` (whether it is a group of people, not "not
            stated").

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.change_package.package import best_practice
        >>> project = pdsa.Project(name="Bleeding", site="North", ideas=[
        ...     pdsa.ChangeIdea(id="w", code="weigh", name="Weigh all blood loss", groups=["Black"])])
        >>> site = pdsa.Site(name="North", projects=[project])
        >>> package = best_practice(pdsa.Network(name="A network", sites=[site]), {})
        >>> package.groups[["code", "group", "harm", "tested"]].values.tolist()
        [['weigh', 'Black', 'not checked', False]]
        """
        return self._groups.copy()

    @property
    def notes(self) -> pd.DataFrame:
        """What the reader must be told: ``code, severity, site, group, idea, text``.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.change_package.package import best_practice
        >>> len(best_practice(pdsa.Network(name="A network"), {}).notes)
        0
        """
        return self._notes.copy()

    def to_markdown(self) -> str:
        """Write the package as a network would publish it: a table, and a paragraph for each idea.

        Returns
        -------
        str
            Markdown; names from the records are escaped. It says what was seen, not what caused it. Small
            numbers are in it unless :meth:`disclose` went before.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.change_package.package import best_practice
        >>> best_practice(pdsa.Network(name="A network"), {}).to_markdown().splitlines()[0]
        '# Change package'
        """
        return words.markdown(self)

    def to_csv(self, path: str | os.PathLike[str], *, table: str = "ideas") -> None:
        """Write one of the tables as CSV for a spreadsheet, in which no text is taken for a formula.

        Parameters
        ----------
        path : str or path
            The file.
        table : {"ideas", "groups"}
            Which table.

        Raises
        ------
        OptionError
            If there is no such table.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.change_package.package import best_practice
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "package.csv"
        >>> best_practice(pdsa.Network(name="A network"), {}).to_csv(path)
        >>> path.read_text(encoding="utf-8-sig")[:22]
        '"code","name","strengt'
        """
        from qi_equity.pdsa.store.csv_files import safe

        frame = getattr(self, f"_{_validate.one_of('table', table, TABLES)}")
        text = io.StringIO()
        writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
        writer.writerow(frame.columns)
        for row in frame.itertuples(index=False):
            writer.writerow([_cell(value, safe) for value in row])
        with open(path, "wb") as file:
            file.write(text.getvalue().encode("utf-8-sig"))

    def disclose(self, rule: Any, *, margins: Any = None, protect: int | None = None) -> BestPractice:
        """Give the package as it may leave: made anew from what the rule lets out.

        Effects are reckoned from the disclosed counts of births, numbers of people are withheld or rounded.

        Parameters
        ----------
        rule : SuppressionRule or str
            The rule, or its name.
        margins : optional
            Sums that are published with the series; see :meth:`StratifiedSeries.disclose`.
        protect : int, optional
            Fewest whole numbers an outsider may be left with for a protected count. Default: the rule's.

        Returns
        -------
        BestPractice
            Where small numbers of an idea are withheld, so are its largest scale, and the numbers planned and
            reached of all together.

        Raises
        ------
        OptionError
            If the rule cannot be kept.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.change_package.package import best_practice
        >>> package = best_practice(pdsa.Network(name="A network"), {}).disclose("strict-10")
        >>> package.method["disclosed"]
        'Rule strict-10: counts of 1 to 9 are withheld, others as they are.'
        """
        from qi_equity.pdsa.change_package.package import packaged

        chosen = as_rule(rule)
        facts, reach = shown_people(self._facts, self._reach, chosen)
        out = {c: e.disclose(chosen, margins=margins, protect=protect) for c, e in self.evaluations.items()}
        return packaged(out, self.options, facts, reach, self._said, chosen.text())

    def to_dict(self) -> dict[str, Any]:
        """Turn the package into JSON; :meth:`from_dict` gives it back without computing anything anew.

        Returns
        -------
        dict
            Versioned; holds the evaluations with their counts, the tables, the method and the notes.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.change_package.package import best_practice
        >>> best_practice(pdsa.Network(name="A network"), {}).to_dict()["type"]
        'BestPractice'
        """
        return saved.to_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BestPractice:
        """Read what :meth:`to_dict` wrote.

        Parameters
        ----------
        data : mapping
            What :meth:`to_dict` returned, possibly through JSON.

        Returns
        -------
        BestPractice
            Equal to the original.

        Raises
        ------
        DataError
            If the data hold something else, or a format that this version does not read.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.change_package.package import best_practice
        >>> package = best_practice(pdsa.Network(name="A network"), {})
        >>> type(package).from_dict(package.to_dict()).equals(package)
        True
        """
        return saved.from_dict(cls, data)

    def equals(self, other: object) -> bool:
        """Say whether another package holds the same evaluations, tables, method and notes.

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
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.change_package.package import best_practice
        >>> best_practice(pdsa.Network(name="A network"), {}).equals(1)
        False
        """
        return isinstance(other, BestPractice) and self.to_dict() == other.to_dict()

    def __str__(self) -> str:
        return words.in_short(self)

    def __repr__(self) -> str:
        return (
            f"<BestPractice: {plural(len(self._ideas), 'idea')}, {len(self.evaluations)} evaluated, "
            f"{len(self._notes)} notes>"
        )

    def _repr_html_(self) -> str:
        parts = ["<h4>Change package</h4>", f"<p>{escape(str(self)).replace(chr(10), '<br>')}</p>"]
        parts.append(_result.frame_html(self._ideas, "one row an idea"))
        parts.append(_result.frame_html(self._groups, "one row an idea and group"))
        parts.append(f"<p><b>Notes: {len(self._notes)}</b></p>")
        parts.append(_result.frame_html(self._notes.drop(columns="code"), "no note"))
        return f"<div>{''.join(parts)}</div>"


def _cell(value: Any, safe: Any) -> Any:
    """Write a missing number as nothing, and text so that it is not taken for a formula."""
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float) and np.isfinite(value) and value.is_integer():
        return int(value)
    return None if isinstance(value, float) and np.isnan(value) else value
