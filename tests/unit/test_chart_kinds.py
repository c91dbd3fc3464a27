"""Every kind of chart through the public functions: what points hold, and lines by formulas and by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.formulas import attributes, probability_limits
from qi_equity.formulas.bernoulli_cusum import bernoulli_cusum
from qi_equity.formulas.between import g_limits, g_probability_limits, t_limits, t_probability_limits
from qi_equity.formulas.cusum_run_length import (
    bernoulli_threshold,
    count_cusum_run_length,
    count_cusum_threshold,
)
from qi_equity.formulas.individuals import i_limits, mr_limits
from qi_equity.formulas.laney import pp_limits, up_limits
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.risk_adjusted import risk_adjusted_cusum
from qi_equity.formulas.subgroups import r_limits, s_limits, xbar_limits
from qi_equity.formulas.taylor import ip_limits
from qi_equity.spc.kinds import DEFAULTS

Make = Callable[..., qe.StratifiedSeries]

STRATA, LENGTH, FROZEN, LEFT_OUT, MISSING = 2, 26, 20, 7, 12
MONTHS = pd.date_range("2022-01-01", periods=LENGTH, freq="MS").strftime("%Y-%m").tolist()
TAILS = {3: 0.00135, 2: 0.02275013194817921}


def counted(kind: str) -> qe.StratifiedSeries:
    """Counts or subgroups of two groups; one month of the first group is missing."""
    rng = np.random.default_rng(5)
    births = rng.integers(60, 140, STRATA * LENGTH)
    frame = pd.DataFrame(
        {
            "group": np.repeat(["A", "B"], LENGTH),
            "month": MONTHS * STRATA,
            "births": births,
            "events": rng.binomial(births, 0.2).astype(float),
            "mean": rng.normal(40, 2, births.size),
            "sd": rng.gamma(9, 0.4, births.size),
            "range": rng.gamma(30, 0.3, births.size),
        }
    )
    frame.loc[MISSING, ["events", "mean", "sd", "range"]] = np.nan
    columns = {"numerator": "events", "denominator": "births"}
    if kind == "mean":
        columns = {"value": "mean", "sd": "sd", "range": "range", "denominator": "births"}
    if kind == "count":
        del columns["denominator"]
    measure = qe.Measure("Test", kind, "lower")
    return qe.from_counts(frame, measure, period="month", group="group", **columns)


def between(
    events: Sequence[int], births: int, *, unit: str = "births", risk: Any = None
) -> qe.StratifiedSeries:
    """Records of one birth an hour; ``events`` are the births with the event, from 0."""
    frame = pd.DataFrame({"born": pd.date_range("2023-01-01", periods=births, freq="h"), "died": 0})
    frame.loc[list(events), "died"] = 1
    options = {}
    if risk is not None:
        frame["risk"] = risk
        options["expected"] = "risk"
    measure = qe.Measure("Deaths", "proportion", "lower")
    return qe.between_events(frame, measure, date="born", event="died", unit=unit, **options)


def outcomes(seed: int, births: int, chance: float) -> np.ndarray:
    return np.flatnonzero(np.random.default_rng(seed).random(births) < chance)


def baseline_of(series: qe.StratifiedSeries) -> np.ndarray:
    """First points without that left out; a missing value stays between its neighbours."""
    base = np.zeros(series.cells.status.shape, dtype=bool)
    base[:, :FROZEN] = True
    base[:, LEFT_OUT] = False
    return base


Draw = Callable[[Any, np.ndarray, float], Limits]


def counts(function: Callable[..., Limits], *blocks: str, exact: bool = False, **more: Any) -> Draw:
    def draw(cells: Any, base: np.ndarray, width: int) -> Limits:
        at = {"tail": TAILS[width]} if exact else {"nsigma": float(width)}
        return function(*(getattr(cells, b) for b in blocks), baseline=base, **at, **more)

    return draw


def xbar_of(spread: str, block: str) -> Draw:
    def draw(cells: Any, base: np.ndarray, width: int) -> Limits:
        given = {spread: getattr(cells, block)}
        return xbar_limits(cells.value, cells.denominator, baseline=base, nsigma=float(width), **given)

    return draw


PAIR = ("numerator", "denominator")
FORMULAS: list[tuple[Any, str, str, Draw]] = [
    ("p", "proportion", "value", counts(probability_limits.p_probability_limits, *PAIR, exact=True)),
    (qe.P("classical"), "proportion", "value", counts(attributes.p_limits, *PAIR)),
    ("pp", "proportion", "value", counts(pp_limits, *PAIR)),
    (
        qe.P("laney", "screened", "qicharts2"),
        "proportion",
        "value",
        counts(pp_limits, *PAIR, spread="screened", constants="qicharts2"),
    ),
    ("np", "proportion", "numerator", counts(probability_limits.np_probability_limits, *PAIR, exact=True)),
    (qe.NP("classical"), "proportion", "numerator", counts(attributes.np_limits, *PAIR)),
    ("u", "rate", "value", counts(probability_limits.u_probability_limits, *PAIR, exact=True)),
    (qe.U("classical"), "rate", "value", counts(attributes.u_limits, *PAIR)),
    ("up", "rate", "value", counts(up_limits, *PAIR)),
    ("c", "count", "numerator", counts(probability_limits.c_probability_limits, "numerator", exact=True)),
    (qe.C("classical"), "count", "numerator", counts(attributes.c_limits, "numerator")),
    ("i", "mean", "value", counts(i_limits, "value")),
    (
        qe.Individuals("screened", "mdc"),
        "rate",
        "value",
        counts(i_limits, "value", spread="screened", constants="mdc"),
    ),
    ("ip", "mean", "value", counts(ip_limits, "value", "denominator")),
    (
        qe.IPrime("screened"),
        "proportion",
        "value",
        counts(ip_limits, "value", "denominator", spread="screened"),
    ),
    ("xbar", "mean", "value", xbar_of("sds", "sd")),
    (qe.Xbar("r"), "mean", "value", xbar_of("ranges", "range")),
    ("s", "mean", "sd", counts(s_limits, "sd", "denominator")),
    ("r", "mean", "range", counts(r_limits, "range", "denominator")),
]


@pytest.mark.parametrize(("kind", "measure", "block", "draw"), FORMULAS, ids=[str(f[0]) for f in FORMULAS])
def test_points_and_lines_are_those_of_the_formulas(kind: Any, measure: str, block: str, draw: Draw) -> None:
    series = counted(measure)
    chart = qe.control_chart(series, kind, baseline=FROZEN, exclude=MONTHS[LEFT_OUT])
    plotted, base = getattr(series.cells, block), baseline_of(series)
    np.testing.assert_array_equal(chart.plotted["both"], plotted)
    wide, narrow = (draw(series.cells, base, width) for width in (3, 2))
    for name in ("centre_line", "sigma", "lower", "upper"):
        np.testing.assert_array_equal(getattr(chart, name), getattr(wide, name), err_msg=name)
    np.testing.assert_array_equal(chart.lower_2s, narrow.lower)
    np.testing.assert_array_equal(chart.upper_2s, narrow.upper)
    points = chart.points
    assert points["arm"].eq("both").all()
    np.testing.assert_array_equal(points["value"], plotted.ravel())
    np.testing.assert_array_equal(points["upper_2s"], narrow.upper.ravel())
    beyond = (plotted > wide.upper) | (plotted < wide.lower)
    np.testing.assert_array_equal(
        chart.flags["beyond_limits", "low"] | chart.flags["beyond_limits", "high"], beyond
    )


def by_hand(values: np.ndarray, left_out: set[int]) -> list[float]:
    """Distance of each value from the last one that is not left out, of which neither may be missing."""
    out, before = [], np.nan
    for t, value in enumerate(values):
        out.append(np.nan if t in left_out else abs(value - before))
        before = before if t in left_out else value
    return out


def test_moving_ranges_by_hand() -> None:
    series = counted("mean")
    chart = qe.control_chart(series, "mr", baseline=FROZEN, exclude=MONTHS[LEFT_OUT])
    ranges = np.array([by_hand(values, {LEFT_OUT}) for values in series.cells.value])
    assert np.isnan(ranges[0, [0, LEFT_OUT, MISSING, MISSING + 1]]).all()
    np.testing.assert_array_equal(chart.plotted["both"], ranges)
    means = np.nanmean(ranges[:, :FROZEN], axis=1)
    np.testing.assert_allclose(chart.centre_line, means[:, None] * np.ones((1, LENGTH)), rtol=1e-12)
    wanted = mr_limits(ranges, baseline=baseline_of(series))
    np.testing.assert_array_equal(chart.upper, wanted.upper)
    assert chart.summary()["runs_tests"].tolist() == ["points carry their past"] * 2
    assert chart.points["value"].isna().sum() == np.isnan(ranges).sum()


def test_moving_ranges_start_anew_with_each_phase() -> None:
    chart = qe.control_chart(counted("mean"), "mr", phases=MONTHS[10])
    assert np.isnan(chart.plotted["both"][:, [0, 10]]).all()


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("proportion", "p_limits"),
        ("rate", "u_limits"),
        ("count", "c_limits"),
        ("mean", "xbar_limits"),
    ],
)
def test_averages_by_hand(kind: str, line: str) -> None:
    """The average starts from the centre line, and its variance adds up what each point brought."""
    series = counted(kind)
    cells, base = series.cells, baseline_of(series)
    chart = qe.control_chart(series, qe.Ewma(0.3, 2.8), baseline=FROZEN, exclude=MONTHS[LEFT_OUT])
    if kind == "mean":
        single = xbar_limits(cells.value, cells.denominator, sds=cells.sd, baseline=base)
    elif kind == "count":
        single = attributes.c_limits(cells.numerator, baseline=base)
    else:
        single = getattr(attributes, line)(cells.numerator, cells.denominator, baseline=base)
    for s in range(STRATA):
        z, variance = single.centre_line[s, 0], 0.0
        for t in range(LENGTH):
            y = cells.value[s, t]
            if t == LEFT_OUT or np.isnan(y):
                assert np.isnan(chart.plotted["both"][s, t])
                continue
            z = 0.3 * y + 0.7 * z
            variance = 0.09 * single.sigma[s, t] ** 2 + 0.49 * variance
            half = 2.8 * np.sqrt(variance)
            assert chart.plotted["both"][s, t] == pytest.approx(z, rel=1e-12)
            assert chart.upper[s, t] - chart.centre_line[s, t] == pytest.approx(half, rel=1e-9)
            assert chart.upper_2s[s, t] - chart.centre_line[s, t] == pytest.approx(half * 2 / 3, rel=1e-9)
    assert chart.points["arm"].eq("both").all()
    assert chart.summary()["runs_tests"].eq("points carry their past").all()


def test_averages_of_single_measurements_take_moving_ranges(make_series: Callable[..., Any]) -> None:
    values = np.random.default_rng(1).normal(10, 1, 24)
    chart = qe.control_chart(make_series(values, kind="mean"), "ewma")
    sigma = i_limits(values).sigma[0]
    assert chart.sigma[0, 0] == pytest.approx(0.2 * sigma)


@pytest.mark.parametrize("head_start", [0, 2.5])
def test_a_tabular_cusum_by_hand(head_start: float) -> None:
    series = counted("proportion")
    cells, base = series.cells, baseline_of(series)
    spec = qe.Cusum(k=0.4, h=3, head_start=head_start)
    chart = qe.control_chart(series, spec, baseline=FROZEN, exclude=MONTHS[LEFT_OUT])
    single = attributes.p_limits(cells.numerator, cells.denominator, baseline=base)
    for s in range(STRATA):
        up, down = head_start, -head_start
        for t in range(LENGTH):
            z = (cells.value[s, t] - single.centre_line[s, t]) / single.sigma[s, t]
            if t == LEFT_OUT or np.isnan(z):
                assert np.isnan([chart.plotted[arm][s, t] for arm in ("low", "high")]).all()
                assert not chart.flags["beyond_limits", "high"][s, t]
                continue
            up, down = max(0, up + z - 0.4), min(0, down + z + 0.4)
            assert chart.plotted["high"][s, t] == pytest.approx(up, abs=1e-12)
            assert chart.plotted["low"][s, t] == pytest.approx(down, abs=1e-12)
            assert chart.flags["beyond_limits", "high"][s, t] == (up > 3)
            assert chart.flags["beyond_limits", "low"][s, t] == (down < -3)
    assert (chart.lower == -3).all()
    assert (chart.upper == 3).all()
    assert (chart.centre_line == 0).all()
    assert np.isnan(chart.sigma).all()
    assert np.isnan([chart.lower_2s, chart.upper_2s]).all()


def test_two_arms_are_two_rows_a_point() -> None:
    rising = [8] * 12 + [8, 9, 20, 22, 25, 24]
    frame = pd.DataFrame({"month": MONTHS[:18], "x": rising, "n": 100})
    series = qe.from_counts(
        frame, qe.Measure("T", "proportion", "lower"), period="month", numerator="x", denominator="n"
    )
    chart = qe.control_chart(series, "cusum", baseline=12)
    points = chart.points
    assert points["arm"].tolist() == ["low"] * 18 + ["high"] * 18
    assert points["arm"].cat.categories.tolist() == ["both", "low", "high"]
    low, high = (points[points["arm"] == arm].reset_index(drop=True) for arm in ("low", "high"))
    assert (low["value"] <= 0).all()
    assert (high["value"] >= 0).all()
    assert low["upper"].isna().all()
    assert high["lower"].isna().all()
    assert (low["lower"] == chart.lower[0]).all()
    assert (high["upper"] == chart.upper[0]).all()
    assert low["numerator"].tolist() == high["numerator"].tolist() == rising
    assert not low["special_cause"].any()
    np.testing.assert_array_equal(high["special_cause"], chart.flags["beyond_limits", "high"][0])
    assert high["special_cause"].any()
    np.testing.assert_array_equal(high["special_cause"], high["concern"])
    assert not points["improvement"].any()
    assert chart.signals[["rule", "side", "meaning"]].drop_duplicates().to_numpy().tolist() == [
        ["beyond_limits", "high", "concern"]
    ]
    assert chart.summary()["n_points"].tolist() == [18]
    assert np.isnan(chart.plotted["both"]).all()


@pytest.mark.parametrize(("kind", "distribution"), [("proportion", "binomial"), ("rate", "poisson")])
def test_thresholds_of_counts_give_a_false_signal_in_740_points(kind: str, distribution: Any) -> None:
    series = counted(kind)
    cells, base = series.cells, baseline_of(series)
    chart = qe.control_chart(series, "cusum", baseline=FROZEN, exclude=MONTHS[LEFT_OUT])
    there = base & np.isfinite(cells.numerator)
    for s in range(STRATA):
        rate = cells.numerator[s, there[s]].sum() / cells.denominator[s, there[s]].sum()
        # The denominators of missing events are known, and as usual as the others.
        usual = np.median(cells.denominator[s, there[s]])
        low, high = count_cusum_threshold(usual, rate, distribution=distribution, points_between=740)
        assert chart.upper[s] == pytest.approx(np.full(LENGTH, high), rel=1e-12)
        assert chart.lower[s] == pytest.approx(np.full(LENGTH, -low), rel=1e-12)
        lengths = count_cusum_run_length(usual, rate, distribution=distribution, h=(low.item(), high.item()))
        assert lengths.low.item() >= 740
        assert lengths.high.item() >= 740


def test_counts_without_births_are_followed_by_hand() -> None:
    """Poisson: each event adds log 2, the expected number takes its change away."""
    series = counted("count")
    events = series.cells.numerator
    chart = qe.control_chart(series, qe.CountCusum(ratio=2, h=2), baseline=FROZEN)
    mean = np.nanmean(events[:, :FROZEN], axis=1)
    for s in range(STRATA):
        up = down = 0.0
        for t in range(LENGTH):
            if np.isnan(events[s, t]):
                assert np.isnan(chart.plotted["high"][s, t])
                continue
            up = max(0, up + events[s, t] * np.log(2) - mean[s])
            down = max(0, down - events[s, t] * np.log(2) + mean[s] / 2)
            assert chart.plotted["high"][s, t] == pytest.approx(up, abs=1e-9)
            assert chart.plotted["low"][s, t] == pytest.approx(-down, abs=1e-9)
            assert chart.flags["beyond_limits", "high"][s, t] == (up >= 2)
            assert chart.flags["beyond_limits", "low"][s, t] == (down >= 2)


def test_arms_start_anew_with_each_phase() -> None:
    series = counted("proportion")
    chart = qe.control_chart(series, qe.CountCusum(h=3), phases=MONTHS[13])
    alone = qe.from_counts(
        series.data[lambda f: f["period"] >= MONTHS[13]].astype({"group": "str"}),
        series.measure,
        period="period",
        numerator="numerator",
        denominator="denominator",
        group="group",
    )
    second = qe.control_chart(alone, qe.CountCusum(h=3))
    for arm in ("low", "high"):
        np.testing.assert_allclose(chart.plotted[arm][:, 13:], second.plotted[arm], atol=1e-12)


def test_no_rule_but_the_limits_is_applied_to_what_carries_its_past() -> None:
    series = counted("proportion")
    for kind in ("cusum", "ewma", "mr", qe.Cusum()):
        chart = qe.control_chart(series, kind, rules="anhoej+nelson")
        named = {rule for (rule, _), mask in chart.flags.items() if mask.any()}
        assert named <= {"beyond_limits"}
        assert not chart.few_crossings.any()


def test_gaps_and_their_lines() -> None:
    series = between(outcomes(3, 1500, 0.03), 1500)
    gaps, status = series.cells.value, series.cells.status
    closed = np.where(status == 0, gaps, np.nan)
    base = np.arange(gaps.shape[1])[None] < 15
    for kind, function, options in (
        ("g", g_probability_limits, {"tail": 0.00135}),
        (qe.G("classical"), g_limits, {"nsigma": 3.0}),
        (qe.G("classical", 0), g_limits, {"nsigma": 3.0, "smallest": 0}),
    ):
        chart = qe.control_chart(series, kind, baseline=15)
        wanted = function(closed, baseline=base, **options)
        np.testing.assert_array_equal(chart.plotted["both"], gaps)
        for name in ("centre_line", "sigma", "lower", "upper"):
            np.testing.assert_array_equal(getattr(chart, name), getattr(wanted, name))


@pytest.mark.parametrize("limits", ["exponential", "weibull", "transform"])
def test_times_and_their_lines(limits: Any) -> None:
    series = between(outcomes(4, 900, 0.05), 900, unit="days")
    times, status = series.cells.value, series.cells.status
    closed = np.where(status == 0, times, np.nan)
    base = np.arange(times.shape[1])[None] < 20
    chart = qe.control_chart(series, qe.T(limits), baseline=20)
    if limits == "transform":
        wanted = t_limits(closed, baseline=base | np.isnan(times))
    else:
        wanted = t_probability_limits(closed, baseline=base, distribution=limits)
    np.testing.assert_array_equal(chart.plotted["both"], times)
    for name in ("centre_line", "lower", "upper"):
        np.testing.assert_array_equal(getattr(chart, name), getattr(wanted, name))


@pytest.mark.parametrize("kind", ["g", "t", "i"])
def test_an_open_gap_is_judged_on_the_long_side_only(kind: str) -> None:
    """It can only grow: what is too long now stays too long, what is short now need not."""
    regular = list(range(9, 600, 10 + (kind == "g")))
    regular = [e + (k % 3) for k, e in enumerate(regular)]
    unit = "days" if kind == "t" else "births"
    for still_open, low, high in ((2, False, False), (2500, False, True)):
        last = regular[-1]
        chart = qe.control_chart(between(regular, last + 1 + still_open, unit=unit), kind, rules="shewhart")
        point = chart.points.iloc[-1]
        assert point["status"] == "provisional"
        assert (point["value"] > point["upper"]) == high
        assert not point["baseline"]
        assert chart.flags["beyond_limits", "high"][0, -1] == high
        assert chart.flags["beyond_limits", "low"][0, -1] == low
        assert point["special_cause"] == high
        assert point["improvement"] == high
    assert chart.centre_line[0, 0] < 20


def test_a_gap_that_an_event_closed_is_judged_on_both_sides() -> None:
    regular = [9 + 10 * k + k % 3 for k in range(60)]
    short = [*regular, regular[-1] + 2]
    waiting = qe.control_chart(between(regular, short[-1] + 1), "i", rules="shewhart")
    closed = qe.control_chart(between(short, short[-1] + 1), "i", rules="shewhart")
    for chart, low in ((waiting, False), (closed, True)):
        last = chart.points[chart.points["value"] == 2].iloc[0]
        assert last["value"] < last["lower"]
        assert last["special_cause"] == last["concern"] == low


def extremes(arm: np.ndarray, ends: np.ndarray, pick: Callable[[np.ndarray], Any]) -> list[float]:
    return [pick(part) for part in np.split(arm, ends[:-1])]


@pytest.mark.parametrize("restart", [True, False])
def test_a_bernoulli_cusum_follows_every_birth_the_open_gap_too(restart: bool) -> None:
    events = np.concatenate([outcomes(5, 600, 0.04), 600 + outcomes(6, 300, 0.12)])
    series = between(events, 1300)
    spec = qe.BernoulliCusum(odds_ratio=2, h=2.5, restart=restart)
    chart = qe.control_chart(series, spec, baseline=20)
    # The gaps are those after the first event.
    first = events[0] + 1
    y = np.isin(np.arange(first, 1300), events).astype(float)
    gaps = series.cells.denominator[0]
    assert gaps.sum() == len(y)
    chance = 20 / gaps[:20].sum()
    path = bernoulli_cusum(y, chance=chance, odds_ratio=2, h=2.5, restart=restart)
    ends = np.cumsum(gaps).astype(int)
    np.testing.assert_allclose(chart.plotted["low"][0], extremes(path.low, ends, np.min), atol=1e-9)
    np.testing.assert_allclose(chart.plotted["high"][0], extremes(path.high, ends, np.max), atol=1e-9)
    for side, signal in (("low", path.low_signal), ("high", path.high_signal)):
        np.testing.assert_array_equal(
            chart.flags["beyond_limits", side][0], extremes(signal, ends, np.any), err_msg=side
        )
    # 300 births without a death are a signal before the next death comes.
    last = chart.points.tail(1)
    assert last["status"].tolist() == ["provisional"]
    assert chart.flags["beyond_limits", "low"][0, -1]
    low = chart.points[chart.points["arm"] == "low"].iloc[-1]
    assert low["improvement"]
    assert not low["concern"]


def test_a_bernoulli_cusum_signals_falsely_once_in_740_months() -> None:
    series = between(outcomes(8, 4000, 0.03), 4000)
    chart = qe.control_chart(series, "bernoulli_cusum")
    gaps, known = series.cells.denominator[0], series.cells.status[0] == 0
    dates = series.cells.periods[0]
    months = (dates[known][-1] - dates[0]) / np.timedelta64(1, "D") / (365.25 / 12)
    a_month = gaps[known][1:].sum() / months
    low, high = bernoulli_threshold(known.sum() / gaps[known].sum(), 2.0, 740 * a_month)
    assert chart.upper[0] == pytest.approx(np.full(len(gaps), high), rel=1e-9)
    assert chart.lower[0] == pytest.approx(np.full(len(gaps), -low), rel=1e-9)
    # One birth an hour.
    assert a_month == pytest.approx(24 * 365.25 / 12, rel=0.01)


def test_a_risk_adjusted_cusum_follows_every_birth() -> None:
    rng = np.random.default_rng(2)
    risk = rng.uniform(0.01, 0.3, 500)
    events = np.flatnonzero(rng.random(500) < risk * 1.6)
    series = between(events, 500, risk=risk)
    chart = qe.control_chart(series, qe.RiskAdjustedCusum(h=3))
    first = events[0] + 1
    y = np.isin(np.arange(first, 500), events).astype(float)
    path = risk_adjusted_cusum(y, risk[first:], odds_ratio=2, h=3)
    ends = np.cumsum(series.cells.denominator[0]).astype(int)
    np.testing.assert_allclose(chart.plotted["high"][0], extremes(path.high, ends, np.max), atol=1e-9)
    np.testing.assert_allclose(chart.plotted["low"][0], extremes(path.low, ends, np.min), atol=1e-9)
    assert chart.flags["beyond_limits", "high"].any()
    assert (chart.upper == 3).all()
    running = np.cumsum(series.cells.expected[0] - series.cells.numerator[0])
    drawn = qe.control_chart(series, "vlad")
    np.testing.assert_allclose(drawn.plotted["both"][0], running, atol=1e-9)


def by_month(births: int = 3000) -> tuple[pd.DataFrame, qe.StratifiedSeries]:
    rng = np.random.default_rng(12)
    risk = rng.uniform(0.02, 0.2, births)
    records = pd.DataFrame(
        {
            "born": pd.date_range("2022-01-01", periods=births, freq="6h"),
            "died": rng.random(births) < risk * 1.5,
            "risk": risk,
        }
    )
    measure = qe.Measure("Deaths", "proportion", "lower")
    made = qe.from_records(records, measure, date="born", event="died", expected="risk", as_of="2024-01-31")
    return records, made


def test_thresholds_of_expected_events_are_those_of_their_mean_risk() -> None:
    records, series = by_month()
    expected = series.cells.expected[0, series.cells.status[0] == 0]
    chart = qe.control_chart(series, "risk_adjusted_cusum")
    low, high = count_cusum_threshold(np.median(expected), 1.0, distribution="poisson", points_between=740)
    assert chart.upper[0, 0] == pytest.approx(high.item(), rel=1e-12)
    assert chart.lower[0, 0] == pytest.approx(-low.item(), rel=1e-12)
    measure = qe.Measure("Deaths", "proportion", "lower")
    gaps = qe.between_events(records, measure, date="born", event="died", expected="risk")
    closed = gaps.cells.status[0] == 0
    births, dates = gaps.cells.denominator[0, closed], gaps.cells.periods[0, closed]
    a_month = births[1:].sum() / ((dates[-1] - dates[0]) / np.timedelta64(1, "D")) * 365.25 / 12
    risk = gaps.cells.expected[0, closed].sum() / births.sum()
    low, high = bernoulli_threshold(risk, 2.0, 740 * a_month)
    drawn = qe.control_chart(gaps, "risk_adjusted_cusum")
    assert drawn.upper[0, 0] == pytest.approx(high.item(), rel=1e-9)
    assert drawn.lower[0, 0] == pytest.approx(-low.item(), rel=1e-9)


def test_risk_adjusted_charts_by_month() -> None:
    records, series = by_month()
    months = records.groupby(records["born"].dt.strftime("%Y-%m"))
    died, expected = months["died"].sum().to_numpy(), months["risk"].sum().to_numpy()
    chart = qe.control_chart(series, "risk_adjusted_cusum")
    drawn = qe.control_chart(series, "vlad")
    seen = series.cells.status[0] == 0
    up = down = 0.0
    for t in np.flatnonzero(seen):
        up = max(0, up + died[t] * np.log(2) - expected[t])
        down = max(0, down - died[t] * np.log(2) + expected[t] / 2)
        assert chart.plotted["high"][0, t] == pytest.approx(up, abs=1e-9)
        assert chart.plotted["low"][0, t] == pytest.approx(-down, abs=1e-9)
    np.testing.assert_allclose(drawn.plotted["both"][0, seen], np.cumsum(expected - died)[seen], rtol=1e-9)
    assert np.isnan([drawn.lower, drawn.upper]).all()
    assert len(drawn.signals) == 0
    assert drawn.points["arm"].eq("both").all()


REFUSED = [
    ("xbar", "mean", {"value": "mean"}, "sizes of the subgroups: denominator= of from_counts"),
    ("xbar", "mean", {"value": "mean", "denominator": "births"}, r"sd \(standard deviations .*sd= of from_"),
    ("s", "mean", {"value": "mean", "denominator": "births"}, r"sd= of from_counts, or records"),
    ("r", "mean", {"value": "mean", "denominator": "births"}, r"range= of from_counts, or records"),
    (qe.Xbar("r"), "mean", {"value": "mean", "sd": "sd", "denominator": "births"}, r"range= of from_counts"),
    ("ip", "mean", {"value": "mean"}, r"denominator= of from_counts"),
    ("vlad", "proportion", {"numerator": "x", "denominator": "births"}, r"expected= of from_records"),
    ("risk_adjusted_cusum", "proportion", {"numerator": "x", "denominator": "births"}, r"or between_events"),
]


@pytest.mark.parametrize(("kind", "measure", "columns", "how"), REFUSED)
def test_a_kind_that_reads_what_is_not_there_says_how_to_give_it(
    kind: Any, measure: str, columns: dict[str, str], how: str
) -> None:
    frame = pd.DataFrame({"month": MONTHS, "mean": 3.5, "sd": 1.0, "births": 40, "x": 4})
    series = qe.from_counts(frame, qe.Measure("Test", measure, "lower"), period="month", **columns)
    with pytest.raises(qe.OptionError, match=rf"cannot be drawn: the series holds no .*{how}"):
        qe.control_chart(series, kind)


def test_gaps_without_expected_probabilities_have_no_risk_adjusted_chart() -> None:
    series = between([3, 9, 14], 20)
    for kind in ("risk_adjusted_cusum", "vlad"):
        with pytest.raises(qe.OptionError, match=r"holds no expected \(expected probabilities: expected= of"):
            qe.control_chart(series, kind)


@pytest.mark.parametrize("kind", ["p", "np", qe.P("classical"), qe.NP("classical")])
def test_common_limits_of_proportions(kind: Any) -> None:
    series = counted("proportion")
    chart = qe.control_chart(series, kind, limits="common")
    there = np.isfinite(series.cells.numerator)
    pooled = series.cells.numerator[there].sum() / series.cells.denominator[there].sum()
    scale = series.cells.denominator if chart.kind == "np" else 1.0
    np.testing.assert_allclose(chart.centre_line, np.broadcast_to(pooled * scale, there.shape), rtol=1e-12)


OWN_ONLY = {
    "proportion": ["i", "mr", "ip", "pp", "ewma", "cusum"],
    "rate": ["up", "ewma", "cusum", "i"],
    "count": ["c", "cusum"],
    "mean": ["i", "xbar", "s", "r", "ip", "cusum"],
}


@pytest.mark.parametrize(("measure", "kind"), [(m, k) for m, kinds in OWN_ONLY.items() for k in kinds])
def test_common_limits_are_refused_by_kinds_that_cannot_pool(measure: str, kind: str) -> None:
    with pytest.raises(
        qe.OptionError, match=rf"limits='common' is not allowed with kind='{kind}': only events and births"
    ):
        qe.control_chart(counted(measure), kind, limits="common")


def test_common_limits_are_refused_between_events() -> None:
    for kind in ("g", "bernoulli_cusum", "auto"):
        with pytest.raises(qe.OptionError, match=r"limits='common' is not allowed with kind='.'|bernoulli"):
            qe.control_chart(between([3, 9, 14], 20), kind, limits="common")


def every_kind() -> list[tuple[str, str]]:
    gaps = ("g", "bernoulli_cusum")
    return [(n, "between" if n in gaps else "days" if n == "t" else s.fits[0]) for n, s in DEFAULTS.items()]


@pytest.mark.parametrize(("kind", "fits"), every_kind())
def test_points_signals_and_summary_have_the_same_columns_in_every_kind(kind: str, fits: str) -> None:
    if kind in ("vlad", "risk_adjusted_cusum"):
        series = by_month(1200)[1]
    elif fits in ("between", "days"):
        series = between(outcomes(1, 400, 0.1), 400, unit="days" if fits == "days" else "births")
    else:
        series = counted(fits)
    plain = qe.control_chart(counted("proportion"), "p")
    chart = qe.control_chart(series, kind)
    assert chart.kind == kind
    assert chart.kinds["kind"].eq(kind).all()
    assert chart.kinds["reason"].eq("").all()
    frames = [(c.points, c.signals, c.summary()) for c in (chart, plain)]
    for mine, usual in zip(*frames, strict=True):
        types = (frame.dtypes.drop("group") for frame in (mine, usual))
        pd.testing.assert_series_equal(*types)
    rows = (series.cells.status >= 0).sum() * (2 if DEFAULTS[kind].two_arms else 1)
    assert len(chart.points) == rows
    again = qe.ControlChart.from_dict(json.loads(json.dumps(chart.to_dict())))
    assert again.equals(chart)
    assert len(chart.icons()) == len(chart.alt_text()) == len(series.cells.strata)


def mean_frame(group: str, seed: int, **spread: float) -> pd.DataFrame:
    months = [str(np.datetime64("2020-01", "M") + k) for k in range(16)]
    values = np.random.default_rng(seed).normal(10, 1, 16)
    return pd.DataFrame({"group": group, "month": months, "v": values, "n": 5.0, **spread})


MEANS = {"value": "v", "sd": "sd", "range": "range", "denominator": "n", "group": "group", "period": "month"}


@pytest.mark.parametrize("kind", ["ewma", qe.Cusum(), "i"])
def test_the_spread_of_means_is_looked_for_in_each_stratum(kind: object) -> None:
    """Group A has standard deviations within its subgroups, B ranges, C neither."""
    parts = [
        mean_frame("A", 1, sd=2.0, range=np.nan),
        mean_frame("B", 2, sd=np.nan, range=4.5),
        mean_frame("C", 3, sd=np.nan, range=np.nan),
    ]
    measure = qe.Measure("Test", "mean", "lower")
    together = qe.control_chart(qe.from_counts(pd.concat(parts), measure, **MEANS), kind)
    for row, part in enumerate(parts):
        alone = qe.control_chart(qe.from_counts(part, measure, **MEANS), kind)
        for arm, points in alone.plotted.items():
            np.testing.assert_array_equal(together.plotted[arm][row], points[0])
        np.testing.assert_array_equal(together.upper[row], alone.upper[0])
        assert np.isfinite(alone.upper).all()


@pytest.mark.parametrize(("spread", "spec"), [("sd", qe.Xbar()), ("range", qe.Xbar("r"))])
def test_an_average_of_one_point_is_that_point(spread: str, spec: qe.Xbar) -> None:
    frame = mean_frame("A", 4, **{"sd": np.nan, "range": np.nan, spread: 3.0})
    series = qe.from_counts(frame, qe.Measure("Test", "mean", "lower"), **MEANS)
    points, average = (qe.control_chart(series, k) for k in (spec, qe.Ewma(weight=1.0)))
    np.testing.assert_allclose(average.upper, points.upper, rtol=1e-12)
    np.testing.assert_allclose(average.plotted["both"], points.plotted["both"], rtol=1e-12)


def test_a_mean_of_one_value_is_passed_over_by_an_average() -> None:
    frame = mean_frame("A", 5, sd=2.0, range=np.nan)
    frame.loc[2, ["n", "sd"]] = [1.0, np.nan]
    frame.loc[12:, "v"] = 20.0
    series = qe.from_counts(frame, qe.Measure("Test", "mean", "lower"), **MEANS)
    chart = qe.control_chart(series, "ewma", baseline=12)
    assert np.isnan(chart.plotted["both"][0, 2])
    (said,) = chart.notes.loc[chart.notes["code"] == "passed_over", "text"]
    assert said.startswith("1 observed point passed over: without a standard error")
    assert np.isfinite(np.delete(chart.upper[0], 2)).all()
    assert chart.flags["beyond_limits", "high"][0, 12:].all()


def test_a_given_threshold_does_not_judge_against_a_rate_of_no_events(make_series: Make) -> None:
    series = make_series([0] * 12 + [1, 0, 2, 0], 40)
    assert len(qe.control_chart(series, qe.CountCusum(h=1.0), baseline=12).signals) == 0


def test_a_bernoulli_cusum_against_a_chance_from_outside() -> None:
    rng = np.random.default_rng(6)
    events = rng.random(600) < 0.05
    births = pd.DataFrame({"d": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(600) * 6, unit="h")})
    series = qe.between_events(
        births.assign(e=events), qe.Measure("m", "proportion", "lower"), date="d", event="e"
    )
    chart = qe.control_chart(series, qe.BernoulliCusum(h=2.0, chance=0.02))
    after = np.flatnonzero(events)[0] + 1
    path = bernoulli_cusum(events[after:].astype(float), chance=0.02, h=2.0)
    gaps = np.cumsum(chart.series.cells.denominator[0]).astype(int)
    ends = np.split(path.high_signal, gaps[:-1])
    np.testing.assert_array_equal(chart.flags["beyond_limits", "high"][0], [e.any() for e in ends])
    with pytest.raises(qe.OptionError, match=r"chance=1\.5"):
        qe.BernoulliCusum(chance=1.5)
