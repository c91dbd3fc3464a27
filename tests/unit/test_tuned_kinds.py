"""Charts whose tail, or whose wait for a false signal, was chosen: against tails by scipy and simulation.

No published example of exact limits at another tail was found: limits are counted out by their definition.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import qi_equity as qe
from qi_equity.data.disclosure.collect import collect
from qi_equity.data.disclosure.from_lines import births_from_limits
from qi_equity.data.disclosure.read_frames import read_frame
from qi_equity.data.disclosure.readings import Meaning, Range
from qi_equity.formulas.cusum_run_length import (
    bernoulli_threshold,
    count_cusum_run_length,
    count_cusum_threshold,
)
from qi_equity.spc.chance import false_signals
from qi_equity.spc.expected_signals import false_signal_probability
from qi_equity.spc.kinds import Given

Make = Callable[..., qe.StratifiedSeries]

SHAPE = (3, 24)
OF_MEASURE = {qe.P: "proportion", qe.NP: "proportion", qe.U: "rate", qe.C: "count"}
TUNED = [
    *((made(tail=0.004), OF_MEASURE[made]) for made in OF_MEASURE),
    (qe.G(tail=0.004), "between"),
    (qe.T(tail=0.004), "between"),
    (qe.T("weibull", tail=0.004), "between"),
    (qe.CountCusum(false_signal_every=150), "proportion"),
    (qe.BernoulliCusum(false_signal_every=150), "between"),
    (qe.RiskAdjustedCusum(false_signal_every=150), "between"),
]


def counted(make_series: Make, kind: str) -> qe.StratifiedSeries:
    """Three groups of different size and rate, with denominators that vary; one month is missing."""
    rng = np.random.default_rng(11)
    size = np.array([[30], [90], [400]])
    births = rng.integers(size // 2, size * 3 // 2, SHAPE)
    events: Any = rng.binomial(births, [[0.3], [0.15], [0.04]]).astype(object)
    # A change at the end, to either side, so that there is something to signal.
    events[0, -3:], events[2, -3:] = births[0, -3:] * 8 // 10, 0
    events[1, 5] = None
    return make_series(events, None if kind == "count" else births, kind=kind)


def records(outcomes: Any, *, freq: str = "D") -> pd.DataFrame:
    born = pd.date_range("2015-01-01", periods=len(outcomes), freq=freq)
    return pd.DataFrame({"born": born, "died": np.asarray(outcomes, dtype=int), "risk": 0.1})


def between(outcomes: Any, *, unit: str = "births", freq: str = "D") -> qe.StratifiedSeries:
    measure = qe.Measure("Deaths", "proportion", "lower")
    return qe.between_events(
        records(outcomes, freq=freq), measure, date="born", event="died", expected="risk", unit=unit
    )


def some_births(births: int = 1500, chance: float = 0.1) -> np.ndarray:
    return np.random.default_rng(5).random(births) < chance


def series_for(make_series: Make, spec: Given, kind: str) -> qe.StratifiedSeries:
    if kind == "between":
        return between(some_births(), unit="days" if isinstance(spec, qe.T) else "births")
    return counted(make_series, kind)


def distribution_of(kind: str, size: float, rate: float) -> Any:
    return stats.binom(int(size), rate) if kind == "proportion" else stats.poisson(size * rate)


# Limits of counts


@pytest.mark.parametrize("tail", [0.0002, 0.004, 0.02])
@pytest.mark.parametrize("made", OF_MEASURE)
def test_limits_and_signals_of_counts_are_those_of_the_tail(
    make_series: Make, made: Any, tail: float
) -> None:
    kind = OF_MEASURE[made]
    series = counted(make_series, kind)
    chart = qe.control_chart(series, made(tail=tail), rules="shewhart", baseline=20)
    events = series.cells.numerator
    sizes = np.ones(SHAPE) if kind == "count" else series.cells.denominator
    for s in range(SHAPE[0]):
        base = [t for t in range(20) if np.isfinite(events[s, t])]
        rate = events[s, base].sum() / sizes[s, base].sum()
        for t in range(SHAPE[1]):
            if np.isnan(events[s, t]):
                continue
            of, per = distribution_of(kind, sizes[s, t], rate), 1 if made is qe.NP else sizes[s, t]
            most = int(sizes[s, t]) if kind == "proportion" else 500
            above, below = of.sf(np.arange(most + 1) - 1), of.cdf(np.arange(most + 1))
            high = next((k for k in range(most + 1) if above[k] < tail), most + 0.5)
            low = max((k for k in range(most + 1) if below[k] < tail), default=-0.5)
            assert chart.upper[s, t] * per == pytest.approx(high - 0.5, rel=1e-12)
            assert chart.lower[s, t] * per == pytest.approx(low + 0.5, rel=1e-12)
            k = int(events[s, t])
            assert chart.flags["beyond_limits", "high"][s, t] == (above[k] < tail)
            assert chart.flags["beyond_limits", "low"][s, t] == (below[k] < tail)
    assert chart.flags["beyond_limits", "high"].any()
    assert chart.flags["beyond_limits", "low"].any()


@pytest.mark.parametrize(("spec", "kind"), TUNED[:7], ids=repr)
def test_zones_stay_where_they_are_and_within_the_limits(make_series: Make, spec: Any, kind: str) -> None:
    series = series_for(make_series, spec, kind)
    usual = qe.control_chart(series, type(spec)(spec.limits))
    narrow = qe.control_chart(series, type(spec)(spec.limits, tail=0.02))
    for name in ("centre_line", "lower_2s", "upper_2s"):
        np.testing.assert_array_equal(getattr(narrow, name), getattr(usual, name))
    known = np.isfinite(usual.lower)
    assert (narrow.lower <= narrow.lower_2s)[known].all()
    assert (narrow.upper >= narrow.upper_2s)[known].all()
    assert (narrow.lower >= usual.lower)[known].all()
    assert (narrow.upper <= usual.upper)[known].all()
    assert (narrow.upper < usual.upper)[known].any()


# Limits of gaps


@pytest.mark.parametrize("smallest", [1, 0])
def test_limits_of_gaps_are_those_of_the_tail(smallest: Any) -> None:
    series = between(some_births(chance=0.005, births=9000))
    tail = 0.0125
    chart = qe.control_chart(series, qe.G(smallest=smallest, tail=tail), rules="shewhart")
    gaps = series.cells.value[0][series.cells.status[0] == 0]
    of = stats.geom(1 / (gaps.mean() + 1 - smallest), loc=smallest - 1)
    high = next(k for k in range(10_000) if of.sf(k - 1) < tail)
    low = max(k for k in range(10_000) if of.cdf(k) < tail)
    assert chart.upper[0] == pytest.approx(np.full(chart.upper.shape[1], high - 0.5))
    assert chart.lower[0] == pytest.approx(np.full(chart.lower.shape[1], low + 0.5))
    flagged = chart.flags["beyond_limits", "high"][0][: gaps.size]
    assert flagged.tolist() == [bool(of.sf(g - 1) < tail) for g in gaps]


@pytest.mark.parametrize("limits", ["exponential", "weibull"])
def test_limits_of_times_are_quantiles_at_the_tail(limits: Any) -> None:
    series = between(some_births(), unit="days")
    times = series.cells.value[0][series.cells.status[0] == 0]
    chart = qe.control_chart(series, qe.T(limits, tail=0.01), rules="shewhart")
    if limits == "exponential":
        of: Any = stats.expon(scale=times.mean())
    else:
        shape, _, scale = stats.weibull_min.fit(times, floc=0)
        of = stats.weibull_min(shape, scale=scale)
    close = 1e-12 if limits == "exponential" else 1e-3
    assert chart.lower[0, 0] == pytest.approx(of.ppf(0.01), rel=close)
    assert chart.upper[0, 0] == pytest.approx(of.isf(0.01), rel=close)


# False signals


@pytest.mark.parametrize("rules", ["shewhart", "western_electric", "nelson"])
@pytest.mark.parametrize("tail", [0.0003, 0.015])
def test_a_planned_chart_agrees_with_charts_that_are_drawn(
    make_series: Make, rules: str, tail: float
) -> None:
    """The first month sets the line: so many births that it is known, and a point that lies on it."""
    charts, n, size, rate = 3000, 16, 80, 0.25
    rng = np.random.default_rng(3)
    events = np.full((charts, n + 1), 250_000)
    births = np.full((charts, n + 1), 1_000_000)
    events[:, 1:], births[:, 1:] = rng.binomial(size, rate, (charts, n)), size
    series = make_series(events, births, groups=[f"g{s}" for s in range(charts)])
    chart = qe.control_chart(series, qe.P(tail=tail), rules=rules, baseline=1)
    signals = np.logical_or.reduce([mask.any(axis=1) for mask in chart.flags.values()])
    found = false_signal_probability(rules, n, kind=qe.P(tail=tail), centre_line=rate, size=size)
    error = np.hypot(np.sqrt(found.probability * (1 - found.probability) / charts), found.standard_error)
    assert abs(signals.mean() - found.probability) < 4 * error
    usual = false_signal_probability(rules, n, kind=qe.P(), centre_line=rate, size=size)
    assert (found.probability > usual.probability) == (tail > 0.00135)


@pytest.mark.parametrize("made", OF_MEASURE)
def test_false_signals_of_a_chart_go_by_its_tail(make_series: Make, made: Any) -> None:
    kind = OF_MEASURE[made]
    series = counted(make_series, kind)
    chart = qe.control_chart(series, made(tail=0.015), rules="shewhart")
    sizes = np.ones(SHAPE) if kind == "count" else series.cells.denominator
    found = false_signals(chart, 0)
    for s in range(SHAPE[0]):
        seen = np.isfinite(series.cells.numerator[s])
        rate = series.cells.numerator[s, seen].sum() / sizes[s, seen].sum()
        quiet = 1.0
        for size in sizes[s, seen]:
            of, k = distribution_of(kind, size, rate), np.arange(1000)
            quiet *= 1 - of.pmf(k)[(of.sf(k - 1) < 0.015) | (of.cdf(k) < 0.015)].sum()
        assert found.probability[s] == pytest.approx(1 - quiet, rel=1e-8)
    assert chart.summary()["false_signal_probability"].tolist() == found.probability.tolist()


def test_false_signals_of_times_are_drawn_with_limits_of_the_tail() -> None:
    """One exponential time sets the limits: 1 / (1 + c) of the next are more than c times as long."""
    series = between([1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1], unit="days")
    chart = qe.control_chart(series, qe.T(tail=0.02), rules="shewhart", baseline=1)
    low, high = -np.log1p(-0.02), -np.log(0.02)
    quiet = 1 / (1 + 2 * low) - 2 / (1 + low + high) + 1 / (1 + 2 * high)
    found = false_signals(chart, 0)
    assert abs(found.probability[0] - (1 - quiet)) < 4 * found.standard_error[0]


# CUSUMs


@pytest.mark.parametrize(("kind", "distribution"), [("proportion", "binomial"), ("rate", "poisson")])
@pytest.mark.parametrize("every", [40, 150])
def test_thresholds_of_counts_give_a_false_signal_as_often_as_asked(
    make_series: Make, kind: str, distribution: Any, every: int
) -> None:
    births, rate, runs = 40, 0.1, 2000
    chart = qe.control_chart(
        make_series([4] * 24, births, kind=kind), qe.CountCusum(false_signal_every=every)
    )
    h = (-chart.lower[0, 0], chart.upper[0, 0])
    wanted = count_cusum_threshold(births, rate, distribution=distribution, points_between=every)
    assert h == pytest.approx((wanted.low.item(), wanted.high.item()), rel=1e-12)
    exact = count_cusum_run_length(births, rate, distribution=distribution, h=h)
    rng = np.random.default_rng(8)
    for limit, ratio, length in ((h[0], 0.5, exact.low), (h[1], 2.0, exact.high)):
        lengths, arm, waiting = np.zeros(runs), np.zeros(runs), np.ones(runs, dtype=bool)
        while waiting.any():
            k = rng.binomial(births, rate, runs) if kind == "proportion" else rng.poisson(4, runs)
            away = births * (np.log1p(rate * (ratio - 1)) if kind == "proportion" else rate * (ratio - 1))
            arm = np.maximum(arm + k * np.log(ratio) - away, 0)
            lengths += waiting
            waiting &= arm < limit
        assert length.item() > 0.99 * every
        assert abs(lengths.mean() - length.item()) < 4 * lengths.std() / np.sqrt(runs) + 0.01 * every


def test_a_bernoulli_cusum_waits_so_many_months_of_its_own_births() -> None:
    """One birth a day: 30.4 a month."""
    series = between(some_births())
    chart = qe.control_chart(series, qe.BernoulliCusum(false_signal_every=60))
    gaps = series.cells.denominator[0][series.cells.status[0] == 0]
    chance, runs = 1 / gaps.mean(), 1500
    a_month = 365.25 / 12
    wanted = bernoulli_threshold(chance, 2.0, 60 * a_month)
    assert -chart.lower[0, 0] == pytest.approx(wanted.low.item(), rel=1e-9)
    assert chart.upper[0, 0] == pytest.approx(wanted.high.item(), rel=1e-9)
    rng = np.random.default_rng(9)
    for limit, ratio in ((-chart.lower[0, 0], 0.5), (chart.upper[0, 0], 2.0)):
        lengths, arm, waiting = np.zeros(runs), np.zeros(runs), np.ones(runs, dtype=bool)
        while waiting.any():
            x = rng.random(runs) < chance
            arm = np.maximum(arm + x * np.log(ratio) - np.log1p(chance * (ratio - 1)), 0)
            lengths += waiting
            waiting &= arm < limit - 1e-9
        months, error = lengths.mean() / a_month, lengths.std() / a_month / np.sqrt(runs)
        assert 60 * 0.99 - 4 * error < months < 60 * 1.05 + 4 * error


def test_a_risk_adjusted_cusum_waits_by_months_or_by_periods() -> None:
    births = some_births()
    spec = qe.RiskAdjustedCusum(false_signal_every=150)
    chart = qe.control_chart(between(births), spec)
    wanted = bernoulli_threshold(0.1, 2.0, 150 * 365.25 / 12)
    assert (-chart.lower[0, 0], chart.upper[0, 0]) == pytest.approx(
        (wanted.low.item(), wanted.high.item()), rel=1e-9
    )
    by_month = qe.from_records(
        records(births),
        qe.Measure("Deaths", "proportion", "lower"),
        date="born",
        event="died",
        expected="risk",
        as_of="2020-01-01",
    )
    drawn = qe.control_chart(by_month, spec)
    usual = np.median(by_month.cells.expected[0][by_month.cells.status[0] == 0])
    counts = count_cusum_threshold(usual, 1.0, distribution="poisson", points_between=150)
    assert (-drawn.lower[0, 0], drawn.upper[0, 0]) == pytest.approx(
        (counts.low.item(), counts.high.item()), rel=1e-12
    )


@pytest.mark.parametrize("made", [qe.BernoulliCusum, qe.RiskAdjustedCusum])
def test_no_wait_is_shorter_than_one_birth(made: Any) -> None:
    """Three births a year and a false signal in 1.1 months: less than a birth."""
    series = between(some_births(births=90, chance=0.3), freq="120D")
    chart = qe.control_chart(series, made(false_signal_every=1.1))
    assert np.isfinite(chart.upper).all()
    assert (chart.upper > 0).all()


# What is said and kept


@pytest.mark.parametrize(
    ("spec", "kind", "tail"),
    [
        (qe.P(), "proportion", 0.00135),
        (qe.T(), "between", 0.00135),
        *((spec, kind, 0.004) for spec, kind in TUNED[:7]),
        (qe.P("classical"), "proportion", None),
        (qe.U("laney"), "rate", None),
        (qe.G("classical"), "between", None),
        (qe.T("transform"), "between", None),
        (qe.CountCusum(), "proportion", None),
    ],
    ids=repr,
)
def test_the_method_says_the_tail(make_series: Make, spec: Any, kind: str, tail: float | None) -> None:
    chart = qe.control_chart(series_for(make_series, spec, kind), spec)
    assert chart.method["tail"] == tail
    (told,) = chart.method["chart"]
    assert told["spec"] == type(spec).__name__
    assert {n: v for n, v in told.items() if n in ("tail", "false_signal_every")} == {
        n: getattr(spec, n) for n in ("tail", "false_signal_every") if hasattr(spec, n)
    }


@pytest.mark.parametrize(("spec", "kind"), TUNED, ids=repr)
def test_a_tuned_chart_is_kept_as_it_is(make_series: Make, spec: Any, kind: str) -> None:
    chart = qe.control_chart(series_for(make_series, spec, kind), spec, rules="western_electric")
    again = qe.ControlChart.from_dict(json.loads(json.dumps(chart.to_dict())))
    assert again.equals(chart)
    assert again.specs == (spec,)
    assert chart.select(group=chart.strata["group"].iloc[0]).specs == (spec,)
    assert again.summary().equals(chart.summary())


@pytest.mark.parametrize(("spec", "kind"), TUNED, ids=repr)
def test_charts_saved_without_these_parameters_are_read(make_series: Make, spec: Any, kind: str) -> None:
    usual = type(spec)(spec.limits) if hasattr(spec, "limits") else type(spec)()
    chart = qe.control_chart(series_for(make_series, spec, kind), usual)
    saved = json.loads(json.dumps(chart.to_dict()))
    (kept,) = saved["specs"]
    (gone,) = {"tail", "false_signal_every"} & set(kept)
    del kept[gone]
    again = qe.ControlChart.from_dict(saved)
    assert again.equals(chart)
    kept[gone] = "rarely"
    with pytest.raises(qe.DataError, match="These are not the data of a chart"):
        qe.ControlChart.from_dict(saved)


def test_what_is_disclosed_is_tuned_alike(make_series: Make) -> None:
    births = np.random.default_rng(4).integers(150, 250, (2, 24))
    series = make_series(births // 10, births)
    shown = qe.control_chart(series, qe.P(tail=0.004)).disclose("nhs-england")
    assert shown.specs == (qe.P(tail=0.004),)
    assert shown.method["tail"] == 0.004


@pytest.mark.parametrize("tail", [0.00135, 0.012])
def test_an_outsider_reckons_births_by_the_tail_that_is_told(make_series: Make, tail: float) -> None:
    """The limits of a month give its births away, whatever their tail: an audit must see that."""
    births = np.random.default_rng(6).integers(40, 90, (1, 24))
    series = make_series(births // 8, births)
    chart = qe.control_chart(series, qe.P(tail=tail))
    (item,) = [i for i in collect([[chart]], figures=False).items if "upper" in i.numbers]
    assert item.meaning.tail == tail
    frame = chart.points.drop(columns=["sigma", "lower_2s", "upper_2s"])
    n = frame["denominator"].to_numpy(dtype=float)
    low, high = n.copy(), n.copy()
    low[7], high[7] = 1, np.inf
    for told, able in ((tail, True), (0.0134, False)):
        printed = read_frame(frame, "the chart", Meaning("proportion", tail=told), every="month")
        found = births_from_limits(printed, Range(low, high))
        assert (7 in found) == able
        assert not able or n[7] in found[7]
