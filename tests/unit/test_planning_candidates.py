"""Charts that could be used for a series: which, what they can show, and rules by naive arithmetic."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import qi_equity as qe
from qi_equity.planning.candidates import NO, OVER_SEVERAL, YES, Candidate, by_the_week, candidates_of
from qi_equity.planning.plan import make_plan
from qi_equity.planning.recommend import NONE, best_of
from qi_equity.planning.tuned import Design, tuned
from qi_equity.spc.rules import BeyondLimits

SHEWHART = qe.RuleSet("limits", "1", "here", (BeyondLimits(),))


def series(
    kind: Any = "proportion",
    better: Any = "lower",
    every: str = "month",
    size: Any = 40,
    seed: int = 1,
    periods: int = 24,
    rate: float = 0.1,
) -> qe.StratifiedSeries:
    rng = np.random.default_rng(seed)
    births = np.broadcast_to(size, periods)
    start = {"day": "D", "week": "W-MON", "month": "MS", "quarter": "QS", "year": "YS"}[every]
    frame = pd.DataFrame(
        {"period": pd.date_range("2001-01-01", periods=periods, freq=start), "births": births}
    )
    frame["events"] = rng.binomial(births, rate)
    return qe.from_counts(
        frame,
        qe.Measure("Test", kind, better),
        period="period",
        numerator="events",
        denominator=None if kind == "count" else "births",
        every=every,
    )


def names(found: list[Candidate]) -> list[tuple[str, str, str]]:
    return [(one.chart, one.every, one.rules) for one in found]


@pytest.mark.parametrize(("kind", "points"), [("proportion", "p"), ("rate", "u"), ("count", "c")])
@pytest.mark.parametrize(
    ("every", "by_rules", "tuned_points"),
    [
        ("week", ["week"], ["week", "month", "quarter"]),
        ("month", ["month", "quarter"], ["month", "quarter"]),
        ("quarter", ["quarter"], ["quarter"]),
        ("year", ["year"], ["year"]),
    ],
)
def test_which(kind: Any, points: str, every: str, by_rules: list[str], tuned_points: list[str]) -> None:
    found = candidates_of(make_plan(series(kind, every=every), 0.5), [SHEWHART, "western_electric"], 150)
    gaps = (
        [("g", "event"), ("t", "event"), ("bernoulli_cusum", "birth")]
        if kind == "proportion"
        else [("t", "event")]
    )
    assert names(found) == [
        *((points, one, rules) for rules in ("limits", "western_electric") for one in by_rules),
        *((points, one, "") for one in tuned_points),
        ("cusum", every, ""),
        ("ewma", every, ""),
        *((chart, one, "") for chart, one in gaps),
    ]
    assert [one.records for one in found] == [one.every in ("event", "birth") for one in found]
    assert [one.is_tuned for one in found] == [not one.rules for one in found]


@pytest.mark.parametrize(
    ("unit", "charts"),
    [("births", [("g", "event", ""), ("bernoulli_cusum", "birth", "")]), ("days", [("t", "event", "")])],
)
def test_between_events(unit: Any, charts: list[Any]) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"born": pd.date_range("2023-01-01", periods=800, freq="12h"), "event": rng.random(800) < 0.1}
    )
    made = qe.between_events(
        frame, qe.Measure("T", "proportion", "lower"), date="born", event="event", unit=unit
    )
    assert names(candidates_of(make_plan(made, 0.5), [SHEWHART], 150)) == charts


@pytest.mark.parametrize("change", [0.5, 1.5])
@pytest.mark.parametrize("kind", ["proportion", "rate", "count"])
def test_limits_at_the_real_denominators_of_late(kind: Any, change: float) -> None:
    """The last twelve denominators repeat: the wait by adding up the chances of no signal so far."""
    births = np.random.default_rng(4).integers(60, 180, 30)
    plan = make_plan(series(kind, size=births, periods=30, rate=0.12), change)
    for one in candidates_of(plan, [SHEWHART], 150)[:2]:
        months = {"month": 1, "quarter": 3}[one.every]
        sizes = births if months == 1 else births.reshape(10, 3).sum(axis=1)
        recent = sizes[-12:]
        if kind == "count":
            recent = np.full(1, months)
        expected = []
        for p in (plan.rate[0], plan.changed[0]):
            chance = []
            for n in recent:
                line = (
                    stats.binom(n, plan.rate[0]) if kind == "proportion" else stats.poisson(n * plan.rate[0])
                )
                now = stats.binom(n, p) if kind == "proportion" else stats.poisson(n * p)
                x = np.arange(400)
                tail = line.cdf(x) if change < 1 else line.sf(x - 1)
                chance.append(now.pmf(x)[tail < stats.norm.sf(3)].sum())
            alive, wait = 1.0, 0.0
            for t in range(200000):
                wait += alive
                alive *= 1 - chance[t % len(chance)]
                if alive < 1e-14:
                    break
            expected.append(wait * months if max(chance) > 1e-9 else math.inf)
        got = [one.false_alarm[0], one.detect[0]]
        finite = np.isfinite(expected)
        np.testing.assert_allclose(np.array(got)[finite], np.array(expected)[finite], rtol=1e-6)
        assert one.drawn == (repr({"proportion": "p", "rate": "u", "count": "c"}[kind]),)


def test_what_can_show_on_either_side() -> None:
    """By one point, by several or not at all; of tuned charts that of the other side at the same odds."""
    plan = make_plan(series(size=30, rate=0.1), 0.5)
    found = {(one.chart, one.every, one.rules): one for one in candidates_of(plan, ["western_electric"], 150)}
    assert (found["p", "month", ""].can_fall[0], found["p", "month", ""].can_rise[0]) == (NO, YES)
    assert found["p", "month", "western_electric"].can_fall[0] == OVER_SEVERAL
    assert found["p", "month", "western_electric"].can_rise[0] == YES
    assert (found["g", "event", ""].can_fall[0], found["g", "event", ""].can_rise[0]) == (YES, NO)
    for chart, every in (("cusum", "month"), ("bernoulli_cusum", "birth"), ("t", "event")):
        assert (found[chart, every, ""].can_fall[0], found[chart, every, ""].can_rise[0]) == (YES, YES)
    rise = {
        (one.chart, one.every): one for one in candidates_of(make_plan(series(size=30, rate=0.1), 2), [], 150)
    }
    assert (rise["p", "month"].can_fall[0], rise["p", "month"].can_rise[0]) == (NO, YES)
    assert rise["p", "month"].drawn == ("qe.P(tail=0.006667)",)
    assert found["p", "month", ""].drawn == ("",)


def test_nothing_is_reckoned_without_a_rate() -> None:
    frame = pd.DataFrame(
        {
            "m": ["2024-01", "2024-02"] * 3,
            "g": list("AABBCC"),
            "x": [0, 0, 3, 4, 0, 0],
            "n": [20, 20, 20, 20, 0, 0],
        }
    )
    made = qe.from_counts(
        frame, qe.Measure("T", "proportion", "lower"), period="m", numerator="x", denominator="n", group="g"
    )
    plan = make_plan(made, 0.5)
    for one in candidates_of(plan, ["shewhart", "anhoej+shewhart"], 150):
        for values in (one.false_alarm, one.detect):
            assert np.isnan(values).tolist() == [True, False, True]
        assert one.can_fall[[0, 2]].tolist() == one.can_rise[[0, 2]].tolist() == [NO, NO]
    assert best_of(candidates_of(plan, [], 150), records=False).tolist()[::2] == [NONE, NONE]


def test_by_the_week() -> None:
    plan = make_plan(series(size=120), 0.5)
    found = by_the_week(plan, 150)
    design = Design(plan.births, plan.rate, plan.changed, np.array([150.0]), "binomial", 7 / (365.25 / 12))
    assert found.detect[0] == pytest.approx(tuned("cusum", design).months_to_detect[0])
    assert (found.chart, found.every, found.records) == ("cusum", "week", False)


class TestBest:
    """The simplest that waits 1.25 times as long as the soonest at most, or a month longer."""

    def one(
        self,
        chart: str,
        detect: float,
        *,
        rules: str = "",
        records: bool = False,
        fall: int = YES,
        rise: int = YES,
    ) -> Candidate:
        return Candidate(
            chart,
            "month",
            rules,
            records,
            np.array([fall]),
            np.array([rise]),
            np.array([150.0]),
            np.array([detect]),
            ("",),
        )

    @pytest.mark.parametrize(
        ("months", "chosen"),
        [
            ([12.5, 10.0], 0),
            ([12.6, 10.0], 1),
            ([2.0, 1.0], 0),
            ([2.01, 1.0], 1),
            ([math.inf, 30.0], 1),
            ([math.nan, math.nan], NONE),
            ([math.inf, math.inf], NONE),
            ([12.5, 12.4, 10.0], 0),
            ([20, 12.4, 10.0], 1),
        ],
    )
    def test_simplest(self, months: list[float], chosen: int) -> None:
        assert best_of([self.one("p", m) for m in months], records=False)[0] == chosen

    def test_rules_and_records_are_no_choice_of_counts(self) -> None:
        found = [self.one("p", 1, rules="shewhart"), self.one("cusum", 9), self.one("g", 2, records=True)]
        assert best_of(found, records=False)[0] == 1
        assert best_of(found, records=True)[0] == 2

    def test_blind_to_one_side_only_where_nothing_else_is(self) -> None:
        found = [self.one("p", 5, rise=NO), self.one("cusum", 30)]
        assert best_of(found, records=False)[0] == 1
        assert best_of([found[0]], records=False)[0] == 0
        assert best_of([self.one("p", 5, fall=OVER_SEVERAL), found[1]], records=False)[0] == 0
