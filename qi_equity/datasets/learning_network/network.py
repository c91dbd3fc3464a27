"""A synthetic learning network, of which it is known which changes help, and whom."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import pandas as pd

from qi_equity import _validate
from qi_equity._version import __version__
from qi_equity.datasets._options import site_names, whole_number
from qi_equity.datasets.learning_network.cycles import Ramp
from qi_equity.datasets.learning_network.drawn import Counts, draw_idea
from qi_equity.datasets.learning_network.gatherings import action_periods, meetings
from qi_equity.datasets.learning_network.projects import project
from qi_equity.datasets.learning_network.result import SyntheticNetwork
from qi_equity.datasets.learning_network.scenario import IDEAS, PRINCIPLES
from qi_equity.datasets.learning_network.timeline import LEAST_MONTHS, Timeline, moment
from qi_equity.pdsa.records.network import Network, Site

__all__ = ["network"]

SOURCE = (
    "Synthetic: births drawn at random, records made of parts; no real patients, staff or trusts. "
    "Rates rest on the figures listed in the basis of births()."
)
_FEWEST_BASELINE, _MOST_MONTHS = 6, 120
_FEWEST_BIRTHS, _MOST_BIRTHS = 1_500, 100_000


def network(
    *,
    sites: int | Sequence[str] = 9,
    months: int = 15,
    baseline: int = 24,
    births_per_site: int = 6_000,
    seed: int = 0,
) -> SyntheticNetwork:
    """Make a synthetic learning network: births with planted changes, and the records of the work on them.

    Synthetic: no row is a real woman, no record is a real team's. Every site works on three change ideas,
    each on a measure of its own, whose births are drawn by :func:`births` with the change planted on the day
    on which the site implements the idea; sites start one after another. What is planted, as the ratio of the
    adverse rates after and before:

    - ``"weigh-and-call"``, on ``"pph_1000"``: 0.65 in every group ("helps-all"). All groups gain alike, so
      that relative gaps stay.
    - ``"text-reminder"``, on ``"gdm_screened"``: 0.7 in the largest group, 1 in all others
      ("helps-majority"). Fewer women of that group miss the test; the gaps to it widen.
    - ``"signs-poster"``, on ``"preterm_birth"``: 1 in every group. It does nothing.

    Some sites also try another idea for the measure, and give it up. Nothing is planted for these, and they
    are never implemented. Sites differ in size, by up to a quarter from the mean, and not in the mix of
    groups.

    The records follow from the data: results of implemented changes are the births counted, those of small
    tests are drawn; predictions are answered, and decided on, by rules. Not everything is done well, as in
    life: some teams skip conditions or do not look for harm in each group. Only what had happened by the last
    day is there, so some cycles are under way. About half of the cycles are ``shared``.

    Parameters
    ----------
    sites : int or sequence of str
        How many sites, 1 to 1,000, or their names.
    months : int
        Months of the work, 6 to 120.
    baseline : int
        Months of data before the work, 6 to 120. The first month is January 2022.
    births_per_site : int
        Births of a site in a year, on average, 1,500 to 100,000.
    seed : int
        Seed of the random numbers. The same arguments give the same network.

    Returns
    -------
    SyntheticNetwork
        With ``network, series, truth, source, method``.

    Raises
    ------
    OptionError
        If a value is not allowed.
    InputTypeError
        If an argument is of a kind that cannot be used.

    See Also
    --------
    births : How the births are drawn, and on what their rates rest.

    Examples
    --------
    >>> import qi_equity as qe
    >>> made = qe.datasets.network(sites=2, births_per_site=1500)
    >>> sorted(made.series)
    ['gdm_screened', 'pph_1000', 'preterm_birth']
    >>> made.network.phases("pph_1000", idea="weigh-and-call")[["start", "site"]].astype(str).values.tolist()
    [['2024-04-01', 'Synthetic site 1'], ['2024-05-01', 'Synthetic site 2']]
    """
    names = site_names(sites)
    timeline = Timeline(
        whole_number("baseline", baseline, _FEWEST_BASELINE, _MOST_MONTHS),
        whole_number("months", months, LEAST_MONTHS, _MOST_MONTHS),
    )
    births_a_year = whole_number("births_per_site", births_per_site, _FEWEST_BIRTHS, _MOST_BIRTHS)
    seed = _validate.whole_number("seed", seed)
    drawn = [draw_idea(i, names, timeline, births_a_year, seed) for i in range(len(IDEAS))]
    series = {idea.measure: found for idea, (found, _) in zip(IDEAS, drawn, strict=True)}
    counts = [Counts.of(found, names) for found in series.values()]
    return SyntheticNetwork(
        network=_records(f"n{seed}", names, timeline, counts, seed),
        series=MappingProxyType(series),
        truth=pd.concat([truth for _, truth in drawn], ignore_index=True),
        source=SOURCE,
        method={
            "synthetic": True, "sites": names, "months": timeline.months, "baseline": timeline.baseline,
            "births_per_site": births_a_year, "seed": seed, "library": f"qi_equity {__version__}",
        },
    )  # fmt: skip


def _records(
    prefix: str, names: tuple[str, ...], timeline: Timeline, counts: list[Counts], seed: int
) -> Network:
    by, at = "Improvement lead of the network", moment(timeline.work)
    sites = tuple(
        Site(
            id=f"{prefix}.s{i + 1}", shared=True, recorded_by=by, recorded_at=at, name=name,
            projects=tuple(
                project(
                    Ramp(f"{prefix}.s{i + 1}.{idea.key}", number, i, timeline, counts[number], seed), name
                )
                for number, idea in enumerate(IDEAS)
            ),
        )
        for i, name in enumerate(names)
    )  # fmt: skip
    return Network(
        id=prefix, shared=True, recorded_by=by, recorded_at=at, name="Synthetic learning network",
        sites=sites, principles=PRINCIPLES, meetings=meetings(prefix, names, timeline),
        action_periods=action_periods(prefix, timeline),
    )  # fmt: skip
