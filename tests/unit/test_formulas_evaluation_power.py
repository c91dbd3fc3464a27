"""Power of an evaluation: the decisions of evaluate_change itself, enumeration of tiny designs, and loops.

No published table of the power of a quasi-likelihood comparison with an exact twin was found.
"""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special, stats

import qi_equity as qe
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas import _evaluation_chances
from qi_equity.formulas._evaluation_draws import Plan, _directions, draw_months, random_numbers
from qi_equity.formulas._evaluation_tests import gap_part, gap_signs, level_signs, trend_signs
from qi_equity.formulas.detectable_change import smallest_detectable_ratio
from qi_equity.formulas.evaluation_power import (
    evaluation_power,
    gap_change_power,
    periods_needed,
    smallest_evaluated_ratio,
)
from qi_equity.formulas.expected_inflation import expected_inflation

SERIES = 200
Z = stats.norm.ppf(0.975)
T = {nu: stats.t.ppf(0.975, nu) for nu in range(1, 6)}
YEAR = {"periods_before": 12, "periods_after": 12}


def plan_of(births, before, after, periods_before, periods_after):
    rates = (np.array([value], dtype=float) for value in (births, before, after))
    return Plan(*rates, *(np.array([value]) for value in (periods_before, periods_after)))


def drawn(*plan, kind="proportion", draws=SERIES, series=0):
    made = plan_of(*plan)
    return draw_months(made, random_numbers(made, draws, 3, series), kind)


def in_order(months):
    """Give events and births as they would be written down, shape (series, T)."""
    order = np.argsort(months.time)
    events = months.events[0][:, order]
    return events, np.broadcast_to(months.size[0][:, order], events.shape)


def told(series, periods_before, **options):
    """Evaluate one stratum a group and site with the public function."""
    at = pd.period_range("2000-01", periods=periods_before + 1, freq="M")[-1]
    return qe.evaluate_change(series, str(at), **options)


def as_series(sides, kind):
    frames = []
    for name, (events, size) in sides.items():
        site, month = np.indices(events.shape)
        frame = pd.DataFrame({"events": events.ravel(), "births": size.ravel(), "site": site.ravel()})
        frame["month"] = pd.period_range("2000-01", periods=events.shape[1], freq="M")[
            month.ravel()
        ].to_timestamp()
        frames.append(frame.assign(group=name, site="S" + frame["site"].astype(str).str.zfill(3)))
    return qe.from_counts(
        pd.concat(frames),
        qe.Measure("Haemorrhage", kind, "lower"),
        numerator="events",
        denominator="births",
        group="group",
        site="site",
        period="month",
    )


SIGN = {"improved": -1, "worsened": 1}


@pytest.mark.parametrize("kind", ["proportion", "rate"])
@pytest.mark.parametrize("model", ["level", "level+trend"])
@pytest.mark.parametrize(
    "plan",
    [(10, 0.12, 0.04, 12, 12), (25, 0.12, 0.06, 12, 9), (75, 0.12, 0.22, 8, 12), (9, 0.9, 0.98, 14, 12)],
)
def test_decisions_are_those_of_evaluate_change(plan, model, kind):
    months = drawn(*plan, kind=kind)
    signs = (level_signs if model == "level" else trend_signs)(months, kind, 0.95)[0]
    series = as_series({"A": in_order(months)}, kind)
    groups = told(series, plan[3], reference=0.05, model=model).groups.sort_values("site")
    assert len(groups) == SERIES
    found = groups["verdict"].map(SIGN).fillna(0).to_numpy()
    np.testing.assert_array_equal(signs, found)
    assert np.count_nonzero(signs) > 5


@pytest.mark.parametrize(
    ("kind", "scale"), [("proportion", "ratio"), ("proportion", "odds-ratio"), ("rate", "ratio")]
)
def test_decisions_of_gaps_are_those_of_evaluate_change(kind, scale):
    own = drawn(25, 0.12, 0.02, 12, 12, kind=kind, draws=60)
    other = drawn(40, 0.05, 0.05, 12, 12, kind=kind, draws=60, series=1)
    signs = gap_signs(*(gap_part(side, kind, scale, 0.95) for side in (own, other)))[0]
    series = as_series({"A": in_order(own), "B": in_order(other)}, kind)
    gaps = told(series, 12, reference="B").gaps
    gaps = gaps[(gaps["group"] == "A") & (gaps["scale"] == scale.replace("-", " "))].sort_values("site")
    found = np.select([gaps["gap_change_upper"] < 1, gaps["gap_change_lower"] > 1], [-1, 1], 0)
    assert len(found) == 60
    np.testing.assert_array_equal(signs, found)
    assert 10 < np.count_nonzero(signs) < 60


def shown_by_hand(x1, n1, x0, n0, months, kind):
    """Tell whether the evaluation shows a fall, from its definition, of one table and its months."""
    nu = len(months) - 2
    p1, p0 = x1 / n1, x0 / n0
    phi, t = 1.0, Z
    if nu > 0:
        t, squares = T[nu], 0.0
        for events, size, rate in months:
            variance = size * rate * (1 - rate if kind == "proportion" else 1)
            squares += (events - size * rate) ** 2 / variance if variance else 0.0
        phi = max(1.0, squares / nu)
    wide = t * np.sqrt(phi) / Z
    cells = [x1, x0] + ([n1 - x1, n0 - x0] if kind == "proportion" else [])
    if min(cells) >= 10:
        variance = 1 / x1 + 1 / x0 - (1 / n1 + 1 / n0 if kind == "proportion" else 0)
        return np.log(p1 / p0) + t * np.sqrt(phi * variance) < 0
    if kind == "proportion":
        ways = [comb(n1, k) * comb(n0, x1 + x0 - k) for k in range(x1 + 1)]
        few = (sum(ways) - ways[-1] / 2) / comb(n1 + n0, x1 + x0)
        return few < special.ndtr(-Z * wide)
    a, b, share = x1 / wide**2, x0 / wide**2, n1 / (n1 + n0)
    as_many = special.betainc(a, b + 1, share) if a else 1.0
    more = special.betainc(a + 1, b, share) if b else 0.0
    return 1 - (as_many + more) / 2 < 0.025


@pytest.mark.parametrize(
    ("kind", "births", "before", "after", "first", "last"),
    [
        ("proportion", 12, 0.7, 0.2, 1, 1), ("proportion", 45, 0.55, 0.3, 1, 1), ("rate", 4.0, 3, 0.7, 1, 1),
        ("proportion", 4, 0.95, 0.05, 3, 2), ("proportion", 6, 0.9, 0.1, 2, 2), ("rate", 1.0, 9, 0.05, 2, 2),
    ],
)  # fmt: skip
def test_tiny_designs_by_enumeration(kind, births, before, after, first, last):
    laws = [
        stats.binom(births, p) if kind == "proportion" else stats.poisson(births * p) for p in (before, after)
    ]
    counts = [range(int(law.ppf(1 - 1e-8)) + 1) for law in laws]
    law = [law.pmf(count) for law, count in zip(laws, counts, strict=True)]
    chance, n0, n1 = 0.0, births * first, births * last
    for events in product(*[counts[0]] * first, *[counts[1]] * last):
        x0, x1 = sum(events[:first]), sum(events[first:])
        weight = np.prod([law[i >= first][x] for i, x in enumerate(events)])
        if weight < 1e-9 or x1 / n1 >= x0 / n0:
            continue
        rates = [x0 / n0] * first + [x1 / n1] * last
        months = [(x, births, rate) for x, rate in zip(events, rates, strict=True)]
        chance += weight * shown_by_hand(x1, n1, x0, n0, months, kind)
    plan = {"periods_before": first, "periods_after": last, "kind": kind, "draws": 20_000, "seed": 7}
    found = evaluation_power(births, before, after, **plan)
    assert 0.05 < chance < 0.99
    assert abs(found.power[0] - chance) < 5 * np.sqrt(chance * (1 - chance) / 20_000)
    np.testing.assert_allclose(found.standard_error, np.sqrt(found.power * (1 - found.power) / 20_000))


@pytest.mark.parametrize("trend", [False, True])
@pytest.mark.parametrize("kind", ["proportion", "rate"])
def test_counts_are_quantiles_at_the_shared_numbers(kind, trend):
    births, before, after = np.array([7.0, 30, 4000]), np.array([0.2, 0.01, 0.4]), np.array([0.0, 1.0, 0.1])
    plan = Plan(births, before, after, np.array([3, 5, 2]), np.array([4, 1, 4]))
    numbers = random_numbers(plan, 50, 1)
    months = draw_months(plan, numbers, kind, trend=trend)
    law = stats.binom.ppf if kind == "proportion" else (lambda u, n, p: stats.poisson.ppf(u, n * p))
    directions = _directions(plan.periods_before, plan.periods_after, trend=trend)
    for c, (n, p0, p1, first, last) in enumerate(zip(*plan, strict=True)):
        for side, (p, periods) in enumerate(zip((p0, p1), (first, last), strict=True)):
            u = numbers[side].along(directions[side])[c, :, :periods]
            got = months.events[c][:, months.segment[c, 0] == side]
            np.testing.assert_array_equal(got, law(u, n, p))


@pytest.mark.parametrize("trend", [False, True])
def test_numbers_are_independent_and_even_in_their_direction(trend):
    plan = plan_of(np.nan, np.nan, np.nan, 5, 3)
    directions = _directions(plan.periods_before, plan.periods_after, trend=trend)
    sides = random_numbers(plan, 20_000, 2)
    normal = [special.ndtri(side.along(d)[0]) for side, d in zip(sides, directions, strict=True)]
    spread = np.cov(np.concatenate(normal, axis=1).T)
    np.testing.assert_allclose(spread, np.eye(8), atol=5 * np.sqrt(2 / 20_000))
    for z, direction in zip(normal, directions, strict=True):
        assert (direction[0] ** 2).sum() == pytest.approx(1)
        assert stats.kstest(z[:, 0], "norm").pvalue > 0.001
        assert stats.kstest(z @ direction[0], "norm").statistic < 5 / 20_000


def test_directions_are_the_weights_of_the_step():
    """By the pseudo-inverse of the design, whose row of the step says what each period counts for."""
    for first, last in ((5, 3), (12, 12), (1, 4), (24, 15)):
        time = np.r_[-1 - np.arange(first), np.arange(last)]
        weights = np.linalg.pinv(np.column_stack([np.ones(time.size), time, time >= 0]))[2]
        for side, part in enumerate((weights[:first], weights[first:])):
            found = _directions(np.array([first]), np.array([last]), trend=True)[side][0]
            if np.abs(part).max() > 1e-9:
                np.testing.assert_allclose(found, part / np.sqrt((part**2).sum()), atol=1e-9)
    for side in _directions(np.array([1]), np.array([1]), trend=True):
        assert side.tolist() == [[1.0]]


@pytest.mark.parametrize("model", ["level", "level+trend"])
def test_even_numbers_leave_about_half_of_the_error(model):
    found = [
        evaluation_power(60, 0.12, 0.07, draws=400, seed=seed, model=model, **YEAR) for seed in range(25)
    ]
    power, error = np.array([[f.power[0], f.standard_error[0]] for f in found]).T
    assert power.std(ddof=1) < 0.75 * error.mean()
    many = evaluation_power(60, 0.12, 0.07, draws=10_000, seed=99, model=model, **YEAR)
    assert abs(power.mean() - many.power[0]) < 5 * np.hypot(error.mean() / 5, many.standard_error[0])


def test_births_that_are_not_whole_are_shared_out():
    months = drawn(7.4, 0.1, 0.1, 10, 5)
    before, after = (months.size[0, 0][months.segment[0, 0] == side] for side in (0, 1))
    assert set(before) == {7.0, 8.0}
    assert before.sum() == 74
    assert after.sum() == 37
    assert set(drawn(7.4, 0.1, 0.1, 3, 3, kind="rate").size.ravel()) == {7.4}
    small = evaluation_power([0.4], 0.9, 0.01, **YEAR).power[0]
    assert 0 < small < evaluation_power([0.8], 0.9, 0.01, **YEAR).power[0]


@pytest.mark.parametrize("model", ["level", "level+trend"])
def test_each_plan_is_alone_what_it_is_among_others(model, monkeypatch):
    births, first = np.array([[10.0], [40], [np.nan]]), np.array([5, 24])
    options = {"periods_after": 9, "draws": 150, "model": model}
    together = evaluation_power(births, 0.2, 0.1, periods_before=first, **options).power
    assert together.shape == (3, 2)
    assert np.isnan(together[2]).all()
    monkeypatch.setattr(_evaluation_chances, "_AT_ONCE", 1)
    for (i, n), (j, periods) in product(enumerate(births[:2, 0]), enumerate(first)):
        alone = evaluation_power(n, 0.2, 0.1, periods_before=periods, **options).power
        assert alone[0] == together[i, j]


def test_more_of_anything_never_loses_power_by_luck():
    births = np.array([20.0, 40, 80, 160, 320])
    assert (np.diff(evaluation_power(births, 0.12, 0.08, **YEAR).power) > 0).all()
    falls = evaluation_power(60, 0.12, 0.12 * np.linspace(1, 0.2, 9), **YEAR).power
    rises = evaluation_power(60, 0.12, 0.12 * np.linspace(1, 3, 9), **YEAR).power
    for power in (falls, rises):
        assert (np.diff(power) >= 0).all()
        assert power[-1] > 0.95
    assert falls[0] < 0.025 + 5 * np.sqrt(0.025 * 0.975 / 2000)
    longer = evaluation_power(60, 0.12, 0.08, periods_before=[3, 6, 12, 24, 48], periods_after=12).power
    assert (np.diff(longer) > 0).all()


@pytest.mark.parametrize("direction", ["fall", "rise"])
@pytest.mark.parametrize(
    ("kind", "model"), [("proportion", "level"), ("rate", "level"), ("rate", "level+trend")]
)
def test_smallest_ratio_has_the_power_and_a_smaller_change_has_not(kind, model, direction):
    options = {"periods_before": 18, "periods_after": 12, "kind": kind, "model": model, "draws": 300}
    births = np.array([40, 300])
    ratio = smallest_evaluated_ratio(births, 0.15, direction=direction, **options)
    sign = 1 if direction == "fall" else -1
    assert (sign * ratio < sign).all()
    assert (evaluation_power(births, 0.15, 0.15 * ratio, **options).power >= 0.8).all()
    nearer = ratio + sign * 0.002 * np.maximum(ratio, 1)
    assert (evaluation_power(births, 0.15, 0.15 * nearer, **options).power < 0.8).all()


def test_smallest_ratio_beside_its_closed_form():
    inflation = expected_inflation(24, 12)
    births = np.array([40, 75, 300])
    for direction in ("fall", "rise"):
        close = smallest_detectable_ratio(
            0.12, 24 * births, 12 * births, direction=direction, inflation=inflation
        )
        found = smallest_evaluated_ratio(
            births, 0.12, periods_before=24, periods_after=12, direction=direction
        )
        np.testing.assert_allclose(np.log(found / close), 0, atol=0.06)


def test_what_cannot_be_shown_has_no_smallest_ratio():
    plan = {"periods_before": 12, "periods_after": 12, "draws": 200}
    assert np.isnan(smallest_evaluated_ratio(5, 0.06, **plan)).all()
    assert np.isnan(smallest_evaluated_ratio([5, 5], [0.97, 1.0], direction="rise", **plan)).all()
    assert np.isnan(smallest_evaluated_ratio([30, np.nan, 0], [0.0, 0.1, 0.1], **plan)).all()


@pytest.mark.parametrize("model", ["level", "level+trend"])
def test_periods_needed_are_the_fewest_that_are_enough(model):
    options = {"periods_after": 12, "model": model, "draws": 200}
    births, after = np.array([60, 30, 2, np.nan, 5000]), np.array([0.08, 0.05, 0.11, 0.06, 0.02])
    needed = periods_needed(births, 0.12, after, **options)
    assert needed[2] == np.inf
    assert np.isnan(needed[3])
    assert needed[4] == 1
    for n, p, periods in zip(births[:2], after[:2], needed[:2], strict=True):
        power = evaluation_power(n, 0.12, p, periods_before=[periods - 1, periods], **options).power
        assert power[0] < 0.8 <= power[1]
    assert (periods_needed(births[:2], 0.12, after[:2], power=0.9, **options) > needed[:2]).all()


def test_expected_inflation_by_quadrature():
    for first, last in ((12, 12), (24, 15), (3, 1)):
        nu = first + last - 2
        beyond = integrate.quad(lambda x, nu=nu: (x / nu - 1) * stats.chi2(nu).pdf(x), nu, np.inf)[0]
        wanted = (1 + beyond) * (stats.t.ppf(0.975, nu) / Z) ** 2
        assert expected_inflation(first, last)[0] == pytest.approx(wanted, rel=1e-6)
    assert expected_inflation(1, 1)[0] == 1
    assert expected_inflation([1, 2], [2, 1], model="level+trend").tolist() == [np.inf, np.inf]
    assert np.isnan(expected_inflation([np.nan], 12, model="level+trend"))
    assert np.isnan(expected_inflation([np.nan], 12))


@pytest.mark.parametrize(("first", "last", "cost"), [(12, 12, 2.01), (12, 15, 1.97), (24, 15, 1.86)])
def test_what_a_trend_costs(first, last, cost):
    """By the inverse of the information, and as reckoned elsewhere to two decimals."""
    time = np.arange(first + last)
    design = np.column_stack([np.ones(time.size), time, time >= first])
    by_hand = np.linalg.inv(design.T @ design)[2, 2] / (1 / first + 1 / last)
    level, trend = (expected_inflation(first, last, model=m)[0] for m in ("level", "level+trend"))
    wider = [stats.t.ppf(0.975, first + last - p) ** 2 for p in (2, 3)]
    floored = [
        stats.chi2(nu).cdf(nu) + stats.chi2(nu + 2).sf(nu) for nu in (first + last - 2, first + last - 3)
    ]
    ratio = trend / level * wider[0] / wider[1] * floored[0] / floored[1]
    assert ratio == pytest.approx(by_hand, rel=1e-12)
    assert np.sqrt(ratio) == pytest.approx(cost, abs=0.006)


def test_plans_that_are_not_known():
    unknown = evaluation_power(
        [0, np.nan, 10, 10], [0.1, 0.1, np.nan, 0.1], 0.05, periods_before=[1, 1, 1, np.nan], periods_after=12
    )
    assert np.isnan(unknown.power).all()
    assert np.isnan(unknown.standard_error).all()
    gap = gap_change_power(20, 0.2, 0.1, [100, np.nan], 0.05, draws=50, **YEAR)
    assert np.isnan(gap.power).tolist() == [False, True]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"births": np.inf}, "births holds inf; give births of a period"),
        ({"births": -1}, r"births holds -1\.0; give numbers of 0 or more"),
        ({"before": 12}, r"before holds 12\.0; give proportions in \[0, 1\]"),
        ({"periods_before": 0}, r"periods_before holds 0\.0; give whole numbers of periods, 1 or more"),
        ({"periods_after": 2.5}, r"periods_after holds 2\.5; give whole numbers"),
        ({"kind": "mean"}, "kind='mean' is not allowed"),
        ({"model": "trend"}, "model='trend' is not allowed"),
        ({"confidence": 1.0}, "confidence=1.0 is not allowed"),
        ({"draws": 0}, "draws=0 is too small"),
        ({"seed": -1}, "seed=-1 is too small"),
    ],
)
def test_refused(change, message):
    given = {"births": 10, "before": 0.1, "after": 0.05, **YEAR, **change}
    with pytest.raises(OptionError, match=message):
        evaluation_power(**given)


def test_refused_elsewhere():
    with pytest.raises(OptionError, match=r"reference_rate holds 5\.0"):
        gap_change_power(10, 0.1, 0.05, 100, 5, **YEAR)
    with pytest.raises(OptionError, match="scale='odds-ratio' is not allowed for kind='rate'"):
        gap_change_power(10, 0.1, 0.05, 100, 0.05, scale="odds-ratio", kind="rate", **YEAR)
    with pytest.raises(OptionError, match="scale='log' is not allowed"):
        gap_change_power(10, 0.1, 0.05, 100, 0.05, scale="log", **YEAR)
    with pytest.raises(OptionError, match=r"power=0\.2 is not allowed"):
        periods_needed(10, 0.1, 0.05, periods_after=12, power=0.2)
    with pytest.raises(OptionError, match="direction='up' is not allowed"):
        smallest_evaluated_ratio(10, 0.1, direction="up", **YEAR)
    with pytest.raises(OptionError, match=r"periods_after holds 0\.0"):
        expected_inflation(12, 0)
    with pytest.raises(InputTypeError, match="births"):
        evaluation_power("many", 0.1, 0.05, **YEAR)
