"""SyntheticNetwork: the records of a learning network, with its data and their truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from qi_equity.data.series import StratifiedSeries

if TYPE_CHECKING:
    from qi_equity.pdsa.records.network import Network

__all__ = ["SyntheticNetwork"]


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticNetwork:
    """A synthetic learning network with its data and their truth; what :func:`network` returns.

    Attributes
    ----------
    network : qi_equity.pdsa.Network
        The records: sites, projects, aims, drivers, change ideas, measures, cycles, meetings, action periods.
    series : mapping of str to StratifiedSeries
        By id of the measure: births by site, ethnic group and month. Each measure has births of its own.
    truth : pandas.DataFrame
        One row an idea, site and group (and one for all groups together): ``idea`` (its network-wide code),
        ``measure, site, group, planted`` ("helps-all", "helps-majority" or "nothing"), ``start`` (the day
        from which the change holds there), ``rate_before, rate_after`` (fractions), ``rate_ratio`` (of the
        adverse rates after and before; 1 is no change). Worked out from the rates, never from the records.
    source : str
        Says that all is synthetic.
    method : dict
        The arguments, and the version of the library: the same again give the same network.

    Examples
    --------
    >>> import qi_equity as qe
    >>> made = qe.datasets.network(sites=2, births_per_site=1500, seed=1)
    >>> made.source[:9], [site.name for site in made.network.sites]
    ('Synthetic', ['Synthetic site 1', 'Synthetic site 2'])
    """

    network: Network
    series: Mapping[str, StratifiedSeries]
    truth: pd.DataFrame
    source: str
    method: dict[str, Any]

    def equals(self, other: object) -> bool:
        """Say whether another network is the same in every record and number.

        Parameters
        ----------
        other : object
            What to compare with.

        Returns
        -------
        bool
            True if ``other`` holds the same records, series, truth and arguments.

        Examples
        --------
        >>> import qi_equity as qe
        >>> made = qe.datasets.network(sites=1, births_per_site=1500)
        >>> made.equals(qe.datasets.network(sites=1, births_per_site=1500, seed=1))
        False
        """
        return (
            isinstance(other, SyntheticNetwork)
            and self.method == other.method
            and self.network == other.network
            and self.truth.equals(other.truth)
            and all(series.equals(other.series[measure]) for measure, series in self.series.items())
        )

    def __repr__(self) -> str:
        """Say what was made, never the records."""
        cycles = sum(len(project.cycles) for project in self.network.projects)
        return f"SyntheticNetwork({len(self.network.sites)} sites, {cycles} cycles): {self.source}"
