"""The synthetic learning network: its records fit the data drawn, and the truth these were drawn from.

There is no other such network to compare with: counts are checked against plain sums over the rows of the
series, rates against the truth of births(), and the records against each other.
"""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.data.recorded import RecordedChanges
from qi_equity.datasets import SyntheticNetwork
from qi_equity.pdsa.records.cycle import Cycle
from qi_equity.pdsa.records.network import Network
from qi_equity.pdsa.records.project import Project

IDEAS = {"weigh-and-call": "pph_1000", "text-reminder": "gdm_screened", "signs-poster": "preterm_birth"}
PLANTED = {"weigh-and-call": "helps-all", "text-reminder": "helps-majority", "signs-poster": "nothing"}
KNOWN = ["Asian", "Black", "Mixed", "Other", "White"]
FIRST, LAST = date(2024, 1, 1), date(2025, 3, 31)


@pytest.fixture(scope="module")
def made() -> SyntheticNetwork:
    return qe.datasets.network()


@pytest.fixture(scope="module")
def small() -> SyntheticNetwork:
    return qe.datasets.network(sites=["North", "South"], months=6, baseline=6, births_per_site=1500, seed=3)


def every_cycle(made: SyntheticNetwork) -> Iterator[tuple[Project, Cycle]]:
    return ((project, cycle) for project in made.network.projects for cycle in project.cycles)


def test_nine_sites_over_15_months_with_about_150_cycles(made: SyntheticNetwork) -> None:
    assert len(made.network.sites) == 9
    assert made.method["months"] == 15
    assert 130 <= len(list(every_cycle(made))) <= 170
    for series in made.series.values():
        assert set(series.sites) == {site.name for site in made.network.sites}
        assert (series.periods[0], series.periods[-1], len(series.periods)) == ("2022-01", "2025-03", 39)
    assert repr(made).startswith("SyntheticNetwork(9 sites, 158 cycles): Synthetic")


def test_all_that_is_dated_lies_within_the_months(made: SyntheticNetwork) -> None:
    dates = [m.date for m in made.network.meetings]
    dates += [day for p in made.network.action_periods for day in (p.start, p.end)]
    for project, cycle in every_cycle(made):
        dates += [p.date for p in project.progress]
        done = [
            cycle.do and cycle.do.start,
            cycle.do and cycle.do.end,
            cycle.study and cycle.study.date,
            cycle.end,
        ]
        dates += [day for day in done if day]
        assert cycle.recorded_at is not None
        dates += [cycle.recorded_at.date(), *(stamp.at.date() for stamp in cycle.trail)]
    assert min(dates) >= FIRST
    assert max(dates) == LAST


def test_the_records_are_valid_and_stay_so_through_json(made: SyntheticNetwork) -> None:
    assert Network.model_validate_json(made.network.model_dump_json()) == made.network
    everything = [record.id for record, _ in made.network.walk()]
    assert len(everything) == len(set(everything))


def test_each_step_of_a_cycle_is_a_version_of_its_own(made: SyntheticNetwork) -> None:
    _, cycle = next(found for found in every_cycle(made) if found[1].status == "decided")
    assert [old.status for old in cycle.history()] == ["planned", "done", "studied", "decided"]


@pytest.mark.parametrize("idea", IDEAS)
def test_phases_are_where_the_truth_says(made: SyntheticNetwork, idea: str) -> None:
    phases = made.network.phases(IDEAS[idea], idea=idea)
    truth = made.truth[made.truth["idea"] == idea].drop_duplicates("site")
    assert len(phases) == 9
    assert dict(zip(phases["site"], phases["start"], strict=True)) == dict(
        zip(truth["site"], truth["start"], strict=True)
    )
    assert phases["start"].nunique() == 4
    assert isinstance(made.network, RecordedChanges)


def test_what_is_planted(made: SyntheticNetwork) -> None:
    truth = made.truth
    assert list(truth.columns) == [
        "idea", "measure", "site", "group", "planted", "start", "rate_before", "rate_after", "rate_ratio",
    ]  # fmt: skip
    assert len(truth) == 3 * 9 * 9
    assert truth.groupby("idea")["planted"].unique().map(list).to_dict() == {
        i: [p] for i, p in PLANTED.items()
    }
    by_group = (
        truth[truth["group"] != "All groups"]
        .groupby(["idea", "group"])["rate_ratio"]
        .unique()
        .map(list)
        .unstack()
    )
    assert by_group.loc["weigh-and-call"].tolist() == [[0.65]] * 8
    assert by_group.loc["signs-poster"].tolist() == [[1.0]] * 8
    found = by_group.loc["text-reminder"].to_dict()
    assert found.pop("White") == [0.7]
    assert list(found.values()) == [[1.0]] * 7
    # Of women screened more is better: the ratio is that of the women who were missed.
    missed = truth[(truth["idea"] == "text-reminder") & (truth["group"] == "White")].iloc[0]
    assert (1 - missed["rate_after"]) / (1 - missed["rate_before"]) == pytest.approx(missed["rate_ratio"])


@pytest.mark.parametrize("idea", IDEAS)
def test_the_data_agree_with_the_truth(made: SyntheticNetwork, idea: str) -> None:
    """The ratio of all sites and months lies within four standard errors of the truth."""
    truth = made.truth[(made.truth["idea"] == idea) & (made.truth["group"] == "White")]
    rows = made.series[IDEAS[idea]].data.merge(truth[["site", "group", "start"]].assign(site=truth["site"]))
    assert len(rows) == 9 * 39
    adverse = rows["denominator"] - rows["numerator"] if idea == "text-reminder" else rows["numerator"]
    after = rows["period"] >= rows["start"]
    x1, x0 = adverse[after].sum(), adverse[~after].sum()
    ratio = (x1 / rows["denominator"][after].sum()) / (x0 / rows["denominator"][~after].sum())
    assert abs(math.log(ratio / truth["rate_ratio"].iloc[0])) < 4 * math.sqrt(1 / x1 + 1 / x0)


def test_results_of_outcomes_are_the_births_counted(made: SyntheticNetwork) -> None:
    assert outcomes_counted(made) > 100


def outcomes_counted(made: SyntheticNetwork) -> int:
    """Count each result again, and say how many there were."""
    counted = 0
    rows = {measure: series.data for measure, series in made.series.items()}
    for project, cycle in every_cycle(made):
        measure = cycle.plan.measures[0]
        if not cycle.study or cycle.study.results[0].measure != measure:
            continue
        start = next(c for c in project.cycles if c.purpose == "implement").start
        for result in cycle.study.results:
            data = rows[measure]
            data = data[(data["site"] == project.site) & (data["period"] >= pd.Timestamp(start))]
            data = data[data["period"] < pd.Timestamp(cycle.study.date.replace(day=1))]
            if result.group:
                data = data[data["group"] == result.group]
            assert (result.events, result.denominator) == (data["numerator"].sum(), data["denominator"].sum())
            counted += 1
    return counted


def test_predictions_are_overall_and_for_groups(made: SyntheticNetwork) -> None:
    groups = Counter(tuple(p.group for p in cycle.plan.predictions) for _, cycle in every_cycle(made))
    assert set(groups) == {(None,), (None, *KNOWN)}
    assert all(cycle.equity.strata == tuple(KNOWN) for _, cycle in every_cycle(made))


def test_women_reached_by_group_add_up(made: SyntheticNetwork) -> None:
    for _, cycle in every_cycle(made):
        if cycle.do and cycle.do.reached:
            overall, *groups = cycle.do.reached
            assert overall.group is None
            assert overall.people == sum(g.people for g in groups)


def test_decisions_fit_what_was_found(made: SyntheticNetwork) -> None:
    for _, cycle in every_cycle(made):
        if not cycle.act or not cycle.study:
            continue
        first = cycle.study.results[0]
        if cycle.purpose == "implement":
            assert (cycle.act.decision == "adopt") == (first.matched == "yes")
        if first.matched != "yes":
            assert cycle.act.decision in ("adapt", "abandon")
        for result in cycle.study.results[1:]:
            assert (result.matched == "not yet visible") == (result.group in cycle.act.not_yet_visible)


def test_the_idea_that_does_nothing_is_not_adopted(made: SyntheticNetwork) -> None:
    """Each site has a chance of 1 in 40 to see a fall that is not there; nine of nine have next to none."""
    adopted = Counter(
        cycle.idea.split(".")[-1]
        for _, cycle in every_cycle(made)
        if cycle.purpose == "implement" and cycle.act and cycle.act.decision == "adopt"
    )
    assert adopted["weigh-and-call"] >= 7
    assert adopted["signs-poster"] <= 2


def test_ramps_branch_and_merge_and_some_are_given_up(made: SyntheticNetwork) -> None:
    cycles = {cycle.id: cycle for _, cycle in every_cycle(made)}
    led_to = Counter(before for cycle in cycles.values() for before in cycle.previous)
    assert max(led_to.values()) > 1
    assert any(len(cycle.previous) > 1 for cycle in cycles.values())
    assert any(cycle.act and cycle.act.decision == "abandon" for cycle in cycles.values())
    dates = [(cycles[b].start, cycle.start) for cycle in cycles.values() for b in cycle.previous]
    assert all(first <= later for first, later in dates)
    abandoned = {
        c.id for c in cycles.values() if c.act and c.act.decision == "abandon" and c.purpose == "test"
    }
    assert abandoned.isdisjoint(led_to)


def test_other_ideas_are_tried_and_never_implemented(made: SyntheticNetwork) -> None:
    codes = {idea.network_code for project in made.network.projects for idea in project.ideas}
    assert codes == {*IDEAS, "picture-chart", "reminder-letter", "signs-film"}
    implemented = {
        idea.network_code
        for project, cycle in every_cycle(made)
        for idea in project.ideas
        if idea.id == cycle.idea and cycle.purpose == "implement"
    }
    assert implemented == set(IDEAS)


def test_some_is_under_way_shared_unchecked_and_revised(made: SyntheticNetwork) -> None:
    cycles = [cycle for _, cycle in every_cycle(made)]
    assert {cycle.status for cycle in cycles} == {"planned", "done", "studied", "decided"}
    assert 0.4 <= np.mean([cycle.shared for cycle in cycles]) <= 0.6
    found = {check.found for cycle in cycles if cycle.study for check in cycle.study.harm}
    assert found == {"none seen", "seen", "not yet visible", "not checked"}
    late = [cycle for cycle in cycles if cycle.do and not cycle.do.as_planned]
    assert late
    assert all(cycle.do and cycle.do.unplanned for cycle in late)
    assert {aim.version for project in made.network.projects for aim in project.aims} == {1, 2}


def test_completeness_is_the_share_of_known_groups_in_the_year_before(made: SyntheticNetwork) -> None:
    project = made.network.projects[0]
    cycle = next(cycle for cycle in project.cycles if cycle.purpose == "implement")
    data = made.series[cycle.plan.measures[0]].data
    start = pd.Timestamp(cycle.start)
    data = data[(data["site"] == project.site) & (data["period"] < start)]
    data = data[data["period"] >= start - pd.DateOffset(months=12)]
    share = data.loc[data["group"].isin(KNOWN), "denominator"].sum() / data["denominator"].sum()
    assert cycle.equity.completeness == pytest.approx(share, abs=5e-5)


def test_scores_are_monthly_and_follow_the_work(made: SyntheticNetwork) -> None:
    for project in made.network.projects:
        assert len(project.progress) == 15
        assert project.progress[0].score <= 2.5
    last = {
        p.name: [q.progress[-1].score for q in made.network.projects if q.name == p.name]
        for p in made.network.projects
    }
    assert np.mean(last["Fewer postpartum haemorrhages"]) > np.mean(last["Fewer preterm births"])


def test_meetings_and_action_periods(made: SyntheticNetwork) -> None:
    kinds = Counter(meeting.kind for meeting in made.network.meetings)
    assert kinds == {"learning session": 3, "data call": 15, "coaching call": 45}
    periods = made.network.action_periods
    assert (periods[0].start, periods[-1].end, len(periods)) == (FIRST, LAST, 3)
    assert all((b.start - a.end).days == 1 for a, b in itertools.pairwise(periods))
    sessions = [m.date for m in made.network.meetings if m.kind == "learning session"]
    assert sessions == [period.start for period in periods]


def test_the_same_seed_gives_the_same_network_and_another_another() -> None:
    options = {"sites": 2, "months": 9, "baseline": 12, "births_per_site": 1500}
    one, again, other = (qe.datasets.network(**options, seed=seed) for seed in (5, 5, 6))
    assert one.equals(again)
    assert not one.equals(other)
    assert not one.equals(None)
    assert one.network.model_dump_json() == again.network.model_dump_json()
    assert not one.series["pph_1000"].equals(other.series["pph_1000"])
    assert {r.id for r, _ in one.network.walk()}.isdisjoint(r.id for r, _ in other.network.walk())


def test_other_numbers_of_sites_and_months(small: SyntheticNetwork) -> None:
    assert [site.name for site in small.network.sites] == ["North", "South"]
    assert all(len(series.periods) == 12 for series in small.series.values())
    for idea, measure in IDEAS.items():
        phases = small.network.phases(measure, idea=idea)
        assert set(phases["site"]) == {"North", "South"}
        assert (phases["start"] < pd.Timestamp("2023-01-01")).all()
    assert all(len(project.progress) == 6 for project in small.network.projects)
    assert all(
        cycle.start and cycle.start <= date(2022, 12, 31) for _, cycle in every_cycle(small) if cycle.do
    )


def test_a_single_site_and_names_out_of_order() -> None:
    one = qe.datasets.network(sites=["Zulu"], months=6, baseline=6, births_per_site=1500)
    assert one.truth["site"].unique().tolist() == ["Zulu"]
    two = qe.datasets.network(sites=["Zulu", "Alpha"], months=9, baseline=6, births_per_site=1500)
    births = two.series["pph_1000"].total().data.groupby("site")["denominator"].sum()
    assert births["Zulu"] < births["Alpha"]
    assert outcomes_counted(two) > 10


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"sites": 0}, "sites=0 is not allowed; give a whole number from 1 to 1,000"),
        ({"sites": []}, r"sites=\[\] holds no site"),
        ({"months": 5}, "months=5 is not allowed; give a whole number from 6 to 120"),
        ({"months": 121}, "months=121 is not allowed"),
        ({"baseline": 5}, "baseline=5 is not allowed; give a whole number from 6 to 120"),
        ({"births_per_site": 1499}, "births_per_site=1499 is not allowed; give a whole number from 1,500"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_options_that_are_not_allowed(options: dict[str, object], told: str) -> None:
    with pytest.raises(qe.OptionError, match=told):
        qe.datasets.network(**options)


@pytest.mark.parametrize("options", [{"months": 15.5}, {"seed": "one"}, {"sites": None}, {"baseline": True}])
def test_arguments_that_cannot_be_used(options: dict[str, object]) -> None:
    with pytest.raises(qe.InputTypeError, match=next(iter(options))):
        qe.datasets.network(**options)


def test_the_data_sets_load_no_pydantic_until_a_network_is_asked_for() -> None:
    code = (
        "import sys, qi_equity as qe; qe.datasets.births; assert 'pydantic' not in sys.modules;"
        "qe.datasets.SyntheticNetwork, qe.datasets.network; assert 'pydantic' in sys.modules;"
        "assert set(dir(qe.datasets)) == set(qe.datasets.__all__)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'networks'; it has: "):
        _ = qe.datasets.networks
