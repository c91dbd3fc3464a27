"""A learning network: its sites, with their projects, its meetings and its action periods."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import ClassVar, Self, TypeVar

from pydantic import model_validator

from qi_equity import _validate
from qi_equity.pdsa.records.base import Record
from qi_equity.pdsa.records.changes import TiedToCharts
from qi_equity.pdsa.records.events import ActionPeriod, Meeting
from qi_equity.pdsa.records.fields import Name
from qi_equity.pdsa.records.graph import repeated, strangers
from qi_equity.pdsa.records.project import Project
from qi_equity.pdsa.records.redaction import REDACTED

__all__ = ["Network", "Site"]

R = TypeVar("R", bound=Record)


class Site(TiedToCharts, Record):
    """A site of the network, with its projects.

    Parameters
    ----------
    name : str
        Its name, as in the column ``site`` of the data.
    projects : tuple of Project
        Its projects.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> site = pdsa.Site(name="North")
    >>> site.put(pdsa.Project(name="Fewer haemorrhages", site="North")).projects[0].name
    'Fewer haemorrhages'
    """

    children: ClassVar[tuple[str, ...]] = ("projects",)

    name: Name
    projects: tuple[Project, ...] = ()

    def _projects(self) -> tuple[Project, ...]:
        return self.projects

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = [
            *repeated("the identifier", (record.id for record, _ in self.walk())),
            *(
                f"project {project.name!r} has site={project.site!r}, not {self.name!r}; "
                "give it the site's name (rename_site() of the network renames a site with its projects)"
                for project in self.projects
                if self.name not in (project.site, REDACTED) and project.site != REDACTED
            ),
        ]
        if problems:
            raise ValueError(*problems)
        return self


class Network(TiedToCharts, Record):
    """A learning network of any number of sites, over any number of months.

    Parameters
    ----------
    name : str
        Its name.
    sites : tuple of Site
        Its sites.
    meetings : tuple of Meeting
        Its learning sessions, data calls and coaching calls.
    action_periods : tuple of ActionPeriod
        The times between learning sessions.
    principles : tuple of str
        The network's own list of principles of anti-racism; cycles name those they touch.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North"), pdsa.Site(name="South")])
    >>> [site.name for site in network.sites]
    ['North', 'South']
    """

    children: ClassVar[tuple[str, ...]] = ("sites", "meetings", "action_periods")

    name: Name
    sites: tuple[Site, ...] = ()
    meetings: tuple[Meeting, ...] = ()
    action_periods: tuple[ActionPeriod, ...] = ()
    principles: tuple[Name, ...] = ()

    @property
    def projects(self) -> tuple[Project, ...]:
        """The projects of all sites.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> pdsa.Network(name="A network", sites=[pdsa.Site(name="North")]).projects
        ()
        """
        return tuple(project for site in self.sites for project in site.projects)

    def _projects(self) -> tuple[Project, ...]:
        return self.projects

    def rename_site(
        self, site: str, name: str, *, by: str, reason: str = "", at: datetime | None = None
    ) -> Self:
        """Give the network with another name of a site, in its projects and in the meetings held for it too.

        Each of these gets a new version. The data need the new name too: charts find a site's records by it.

        Parameters
        ----------
        site : str
            Its name until now.
        name : str
            Its new name.
        by : str
            Who changes it.
        reason : str
            Why.
        at : datetime, optional
            When, with time zone. Default: now.

        Returns
        -------
        Network
            This one is unchanged.

        Raises
        ------
        OptionError
            If the network has no such site, or it has that name already.
        DataError
            If another site has that name, or it is none.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> site = pdsa.Site(name="North", projects=[pdsa.Project(name="Haemorrhage", site="North")])
        >>> network = pdsa.Network(name="A network", sites=[site])
        >>> network.rename_site("North", "North End", by="Network lead").projects[0].site
        'North End'
        """
        _validate.one_of("site", site, [one.name for one in self.sites])
        moment = at or datetime.now(UTC)

        def renamed(record: R, field: str, value: object) -> R:
            return record.revise({field: value}, by=by, reason=reason, at=moment)

        sites = []
        for one in self.sites:
            if one.name == site:
                alone = renamed(one.model_copy(update={"projects": ()}), "name", name)
                projects = tuple(renamed(project, "site", name) for project in one.projects)
                one = Site.model_validate(alone._fields() | {"projects": projects})
            sites.append(one)
        meetings = [
            renamed(meeting, "sites", [name if told == site else told for told in meeting.sites])
            if site in meeting.sites
            else meeting
            for meeting in self.meetings
        ]
        return type(self).model_validate(self._fields() | {"sites": sites, "meetings": meetings})

    @model_validator(mode="after")
    def _check(self) -> Self:
        sites = [site.name for site in self.sites]
        problems = [
            *repeated("the identifier", (record.id for record, _ in self.walk())),
            # Two ways to write the same letters are one name to a reader.
            *repeated("the site", (unicodedata.normalize("NFC", name) for name in sites)),
            *repeated("the principle", self.principles),
        ]
        for meeting in self.meetings:
            problems += strangers(
                f"meeting {meeting.title!r}: sites", meeting.sites, sites, "site of the network"
            )
        for told, named in self._named():
            problems += strangers(told, named, self.principles, "principle of the network's list")
        if problems:
            raise ValueError(*problems)
        return self

    def _named(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Give the principles that cycles name."""
        for project in self.projects:
            for cycle in project.cycles:
                yield f"cycle {cycle.name!r} of {project.site}: principles", cycle.equity.principles
