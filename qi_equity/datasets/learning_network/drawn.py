"""The births of the synthetic network as series by site and group, with the truth they were drawn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from qi_equity.data.catalogue import measures
from qi_equity.data.records import from_records
from qi_equity.data.series import StratifiedSeries
from qi_equity.datasets._calibration import Floats
from qi_equity.datasets.births import births
from qi_equity.datasets.learning_network.scenario import IDEAS, Idea
from qi_equity.datasets.learning_network.timeline import FIRST_MONTH, Timeline

__all__ = ["TRUTH", "Counts", "draw_idea", "random"]

TRUTH = ("idea", "measure", "site", "group", "planted", "start", "rate_before", "rate_after", "rate_ratio")
# Women are numbered from 1 in every draw, and are others at every site.
_WOMEN_OF_A_SITE = 10**9
_SMALLEST_SITE = 0.75


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Events and births of a measure, in the order of the network's sites: sites, groups, months."""

    groups: tuple[str, ...]
    events: Floats
    births: Floats

    @classmethod
    def of(cls, series: StratifiedSeries, sites: tuple[str, ...]) -> Counts:
        """Read them from a series in which every site has every group."""
        groups = series.groups
        strata = pd.MultiIndex.from_frame(series.cells.strata[["site", "group"]].astype(str))
        rows = strata.get_indexer(pd.MultiIndex.from_product([sites, groups]))
        # A group of whom no birth was drawn at a site has no row there: no births, no events.
        there = (rows >= 0)[:, None]
        blocks = (np.where(there, b[rows], 0.0) for b in (series.cells.numerator, series.cells.denominator))
        events, born = (block.reshape(len(sites), len(groups), -1) for block in blocks)
        return cls(groups, events, born)

    def between(self, site: int, first: int, after: int) -> tuple[Floats, Floats]:
        """Sum the events and births of a site over months, by group and then all together."""
        events = self.events[site, :, first:after].sum(axis=-1)
        born = self.births[site, :, first:after].sum(axis=-1)
        return np.append(events, events.sum()), np.append(born, born.sum())


def random(seed: int, *place: int) -> int:
    """Give the seed of one draw of the network."""
    return int(np.random.SeedSequence([seed, *place]).generate_state(1)[0])


def draw_idea(
    number: int, sites: tuple[str, ...], timeline: Timeline, births_per_site: int, seed: int
) -> tuple[StratifiedSeries, pd.DataFrame]:
    """Draw the births of all sites for the measure of one idea; give the series and what is true of it."""
    idea = IDEAS[number]
    records, truths = [], []
    for i, (site, share) in enumerate(zip(sites, _sizes(len(sites)), strict=True)):
        start = timeline.day(timeline.start(i, number))
        made = births(
            round(births_per_site * timeline.all_months / 12 * share), sites=[site], start=str(FIRST_MONTH),
            months=timeline.all_months, measure=idea.measure, change=idea.change, change_date=start,
            effect=idea.effect, seed=random(seed, i, number),
        )  # fmt: skip
        rows = made.records_for(idea.measure)[["woman", "date", "ethnicity", idea.measure]]
        records.append(rows.assign(site=site, woman=rows["woman"].astype("int64") + i * _WOMEN_OF_A_SITE))
        truths.append(_truth(made.truth, idea, site))
    return _series(records, idea), pd.concat(truths, ignore_index=True)


def _sizes(sites: int) -> Floats:
    """Give how large each site is beside the mean."""
    spread = np.linspace(_SMALLEST_SITE, 2 - _SMALLEST_SITE, sites) if sites > 1 else np.ones(1)
    # Neighbours in the list, which start one after another, differ in size.
    return spread[np.argsort(np.arange(sites) * 4 % max(sites, 2), kind="stable")]


def _series(records: list[pd.DataFrame], idea: Idea) -> StratifiedSeries:
    measure = measures[idea.measure]
    return from_records(
        pd.concat(records, ignore_index=True), measure, date="date", event=idea.measure,
        ethnicity="ethnicity", site="site", person="woman" if measure.counts == "woman" else None,
    )  # fmt: skip


def _truth(truth: pd.DataFrame, idea: Idea, site: str) -> pd.DataFrame:
    rows = truth[truth["measure"] == idea.measure].rename(columns={"change_date": "start"})
    before, after = rows["rate_before"].to_numpy(), rows["rate_after"].to_numpy()
    ratio = idea.ratio(before, after).round(9)
    return rows.assign(idea=idea.code, site=site, rate_ratio=ratio)[list(TRUTH)]
