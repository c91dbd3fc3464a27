"""Review: what a call on the data looks at, for every site and for the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from qi_equity import _result
from qi_equity.pdsa.calls import agenda, saved
from qi_equity.pdsa.calls.frames import ReviewFrames
from qi_equity.spc.chart import ControlChart

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from qi_equity.data.disclosure.rule import SuppressionRule

__all__ = ["Review"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Review(ReviewFrames):
    """What a call on the data looks at; made by :func:`~qi_equity.pdsa.review`.

    It knows nothing that came after its month. ``charts[...].plot(cycles=review)`` draws the cycles under a
    chart.

    Parameters
    ----------
    network : str
        Name of the network.
    month : str
        The month, such as 2024-05.
    charts : mapping of str to ControlChart
        By name of the measure: a chart by site and group, to the month, with phases of implemented changes.
    network_charts : mapping of str to ControlChart
        By name of the measure: a chart of each group over all sites together, in which small groups become
        visible first; without phases, since these differ between sites, and so without marks of cycles. Empty
        where one site is reviewed.
    options : mapping
        The arguments, as they were read.
    method : mapping
        What was done.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> from qi_equity import pdsa
    >>> from qi_equity.pdsa.calls.review import review
    >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
    >>> rows = pd.DataFrame({"month": months, "site": "North", "pph": [6, 8, 7, 5] * 6, "births": 90})
    >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
    ...                         denominator="births", site="site")
    >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
    >>> found = review(network, "2024-12", series)
    >>> found.grid[["site", "group", "state"]].values.tolist()
    [['North', 'All', 'common cause']]
    """

    network: str
    month: str
    charts: Mapping[str, ControlChart]
    network_charts: Mapping[str, ControlChart]
    options: Mapping[str, Any]
    method: Mapping[str, Any]
    _frames: Mapping[str, pd.DataFrame]
    _notes: pd.DataFrame

    def __post_init__(self) -> None:
        for name in ("charts", "network_charts", "options", "method", "_frames"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def site(self, name: str) -> Review:
        """Give the part of one site.

        Parameters
        ----------
        name : str
            A site of the review.

        Returns
        -------
        Review
            The same charts, cut to the site, and nothing of all sites together: from sums and its own counts
            a site could work out those of another. Only the number of false signals is reckoned anew.

        Raises
        ------
        OptionError
            If it is not one of them.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"] * 2, "site": ["North", "South"], "n": [8, 10]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name=s) for s in ("North", "South")])
        >>> review(network, "2024-01", series).site("South").sites
        ('South',)
        """
        from qi_equity.pdsa.calls.part import part_of_site

        return part_of_site(self, name)

    def disclose(
        self,
        rule: SuppressionRule | str,
        *,
        margins: str | Sequence[str] | None = None,
        protect: int | None = None,
    ) -> Review:
        """Give the review as it may leave the sites: from disclosed counts, and with shared records only.

        Charts and all that is read from them are made anew from the counts that the rule lets out. Records
        stay where they are shared, with their project and (a cycle) its change idea; counts that people wrote
        into them are withheld. What is not shared still starts phases, without its name.

        Parameters
        ----------
        rule : SuppressionRule or str
            The rule, or its name.
        margins : str or sequence of str, optional
            Sums that are published together with it; see :meth:`StratifiedSeries.disclose`.
            Sums over sites are among them unless others are named; ``network_charts`` show what they let out.
        protect : int, optional
            Fewest whole numbers an outsider may be left with for a protected count. Default: the rule's.

        Returns
        -------
        Review
            With the same options.

        Raises
        ------
        OptionError
            If the rule cannot be kept.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"] * 2, "site": ["North", "South"], "n": [8, 3]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name=s) for s in ("North", "South")])
        >>> review(network, "2024-01", series).disclose("dqmi").signals.empty
        True
        """
        from qi_equity.pdsa.calls.part import disclosed

        return disclosed(self, rule, margins, protect)

    def to_markdown(self) -> str:
        """Write the agenda of the call: what the charts show, the data behind them, and each site.

        Returns
        -------
        str
            Markdown; texts that people wrote are made safe for it.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).to_markdown().splitlines()[0]
        '# A network: data call on 2024-01'
        """
        return agenda.markdown(self)

    def plot(
        self,
        *,
        groups: str | Sequence[str] | None = None,
        order: str | Sequence[str] = "alphabetical",
        colours: str = "accessible",
    ) -> Figure:
        """Draw the grid, one panel a group; see :func:`qi_equity.plot.review_grid.plot_review_grid`.

        Parameters
        ----------
        groups : str or sequence of str, optional
            Groups to draw. Default: all of which the data hold anything.
        order : str or sequence of str
            How the groups are ordered.
        colours : str
            Palette.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> type(review(network, "2024-01", series).plot()).__name__
        'Figure'
        """
        from qi_equity.plot.review_grid import plot_review_grid

        return plot_review_grid(self, groups=groups, order=order, colours=colours)

    def to_dict(self) -> dict[str, Any]:
        """Turn the review into JSON; :meth:`from_dict` gives it back without computing anything anew.

        Returns
        -------
        dict
            Versioned; holds the charts, the frames, the options, the method and the notes.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).to_dict()["type"]
        'Review'
        """
        return saved.to_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote.

        Parameters
        ----------
        data : mapping
            What :meth:`to_dict` returned, possibly through JSON.

        Returns
        -------
        Review
            Equal to the original.

        Raises
        ------
        DataError
            If the data hold something else, or a format that this version does not read.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.result import Review
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> found = review(network, "2024-01", series)
        >>> Review.from_dict(found.to_dict()).equals(found)
        True
        """
        return saved.from_dict(cls, data)

    def equals(self, other: object) -> bool:
        """Say whether another review holds the same charts, frames, options, method and notes.

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
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.calls.review import review
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "site": "North", "n": [8, 9]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
        >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
        >>> review(network, "2024-01", series).equals(review(network, "2024-02", series))
        False
        """
        return isinstance(other, Review) and saved.to_dict(self) == saved.to_dict(other)

    def __str__(self) -> str:
        return self.to_markdown()

    def __repr__(self) -> str:
        return (
            f"<Review {self.network!r} {self.month}: {len(self.sites)} sites, {len(self.charts)} measures, "
            f"{len(self._frames['cycles'])} cycles, {len(self.notes)} notes>"
        )

    def _repr_html_(self) -> str:
        parts = [f"<h4>{escape(self.network)}: data call on {escape(self.month)}</h4>"]
        parts.append(_result.frame_html(self._frames["grid"], "all: .grid"))
        parts.append(_result.frame_html(self._frames["cycles"], "all: .cycles"))
        parts.append(f"<p><b>Notes: {len(self.notes)}</b></p>")
        parts.append(_result.frame_html(self.notes.drop(columns="code"), "all: .notes"))
        return f"<div>{''.join(parts)}</div>"
