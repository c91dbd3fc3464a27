"""An outline of a report after SQUIRE 2.0: what the record and the data say, and what is left to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from qi_equity import _result
from qi_equity._version import __version__
from qi_equity.data.series import StratifiedSeries, check_series
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.pdsa.checklists.listed import ListedResult
from qi_equity.pdsa.records.network import Network
from qi_equity.pdsa.records.project import Project
from qi_equity.pdsa.reporting import data_words, record_words

__all__ = ["Squire", "squire"]

_SOURCE = "SQUIRE 2.0, headings as at resources.equator-network.org; text in our words"
_TO_WRITE = "To write."
# Number, heading, and whether the source was read for it.
_HEADINGS: tuple[tuple[str, str, bool], ...] = (
    ("1", "Title", True),
    ("2", "Abstract", True),
    ("3", "Problem description", True),
    ("4", "Available knowledge", True),
    ("5", "Rationale", True),
    ("6", "Specific aims", True),
    ("7", "Context", True),
    ("8", "Intervention(s)", True),
    ("9", "Study of the intervention(s)", True),
    ("10", "Measures", True),
    ("11", "Analysis", True),
    ("12", "Ethical considerations", True),
    ("13a", "Results: evolution of the intervention(s) over time", True),
    ("13b", "Results: process and outcome in detail", True),
    ("13c", "Results: context", True),
    ("13d", "Results: associations with context", True),
    ("13e", "Results: unexpected consequences", True),
    ("14", "Summary", False),
    ("15", "Interpretation", False),
    ("16", "Limitations", False),
    ("17", "Conclusions", False),
    ("18", "Funding", False),
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Squire(ListedResult):
    """The outline of a report; what :func:`squire` returns.

    Parameters
    ----------
    work : mapping
        Whose it is: ``kind, id, name, version``.
    method : mapping
        Where the headings are from, and the version of the library.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> from qi_equity.pdsa.reporting.squire import squire
    >>> squire(pdsa.Project(name="Fewer haemorrhages", site="North"))
    <Squire of 'Fewer haemorrhages': 22 items, 20 to write>
    """

    @property
    def items(self) -> pd.DataFrame:
        """The items: ``number, heading, text, from, confirmed``.

        ``from`` is "record", "data" or "to write"; ``confirmed`` is False where the heading could not be
        checked in the source.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.reporting.squire import squire
        >>> squire(pdsa.Project(name="Fewer haemorrhages", site="North")).items["text"].iloc[0]
        'Fewer haemorrhages'
        """
        return self._items.copy()

    @property
    def markdown(self) -> str:
        """The outline as Markdown, with a mark at what is left to write.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.reporting.squire import squire
        >>> print(squire(pdsa.Project(name="Fewer haemorrhages", site="North")).markdown[:40])
        ## 1 Title
        <BLANKLINE>
        Fewer haemorrhages
        <BLANKLINE>
        ## 2 Abs
        """
        parts = [
            f"## {row['number']} {row['heading']}{'' if row['confirmed'] else ' (heading not confirmed)'}\n\n"
            f"{'*' + row['text'] + '*' if row['from'] == 'to write' else row['text']}\n"
            for row in self._items.to_dict("records")
        ]
        return "\n".join(parts)

    def __str__(self) -> str:
        return self.markdown

    def __repr__(self) -> str:
        left = int((self._items["from"] == "to write").sum())
        return f"<Squire of {self.work['name']!r}: {len(self._items)} items, {left} to write>"


def squire(
    project: Project,
    series: StratifiedSeries | Sequence[StratifiedSeries] | None = None,
    *,
    network: Network | None = None,
) -> Squire:
    """Make the outline of a report on a project after SQUIRE 2.0, filled from the record and the data.

    Three things are the ones most often missing from reports of improvement [2]_: how variation over time was
    understood, how complete the data are, and the context as it went on. They are written from the data:
    periods, charts, phases and signals (11, 13b), completeness and what is missing by group (10), and cycles
    and meetings in the order of dates (13c).

    Parameters
    ----------
    project : Project
        The project.
    series : StratifiedSeries or sequence of them, optional
        Data of its measures, of its site or of several, charted with its implemented changes as phases.
    network : Network, optional
        The network, for the meetings that the project's site was at.

    Returns
    -------
    Squire
        With ``items`` and ``markdown``. It holds true counts and free text: before it leaves the team, give
        it disclosed series, and read it.

    Raises
    ------
    InputTypeError
        If an argument is of another kind.
    OptionError
        If a series is by site and does not have the project's.

    References
    ----------
    .. [1] SQUIRE 2.0, resources.equator-network.org; headings from 14 on are not confirmed there.
    .. [2] Table at qualitysafety.bmj.com/highwire/markup/141884: variation including time 48 % of reports,
       completeness 54 %, ongoing context 49 %.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> from qi_equity.pdsa.reporting.squire import squire
    >>> project = pdsa.Project(name="Fewer haemorrhages", site="North", problem="12 % against 5 %")
    >>> squire(project).items.set_index("number")["from"][["3", "4"]].tolist()
    ['record', 'to write']
    """
    if not isinstance(project, Project):
        raise InputTypeError(f"project={project!r:.80} is of type {type(project).__name__}; give a Project.")
    if network is not None and not isinstance(network, Network):
        raise InputTypeError(f"network={network!r:.80} is of type {type(network).__name__}; give a Network.")
    given = [] if series is None else [series] if isinstance(series, StratifiedSeries) else list(series)
    written = record_words.texts(project, network)
    found = data_words.texts(project, [_at_site(project, check_series(one)) for one in given])
    rows = [_row(*heading, written, found) for heading in _HEADINGS]
    frame = pd.DataFrame(rows, columns=["number", "heading", "text", "from", "confirmed"])
    return Squire(
        work={"kind": "Project", "id": project.id, "name": project.name, "version": project.version},
        method={"headings": _SOURCE, "library": f"qi_equity {__version__}"},
        _items=frame.astype(dict.fromkeys(["number", "heading", "text", "from"], "str")),
        _notes=_result.notes([]),
    )


def _at_site(project: Project, series: StratifiedSeries) -> StratifiedSeries:
    """Keep the project's own site."""
    if not series.sites:
        return series
    if project.site not in series.sites:
        raise OptionError(
            f"series {series.measure.name!r} has the sites {', '.join(series.sites)}, not "
            f"{project.site!r} of the project; give the series of that site."
        )
    return series.select(site=project.site)


def _row(
    number: str, heading: str, confirmed: bool, written: dict[str, str], found: dict[str, str]
) -> tuple[str, str, str, str, bool]:
    """Give an item with what the record and the data say of it."""
    texts = [text[number] for text in (written, found) if text.get(number)]
    origin = "data" if found.get(number) else "record" if texts else "to write"
    return number, heading, "\n\n".join(texts) or _TO_WRITE, origin, confirmed
