"""What must hold for every kind of chart, each for the kinds it can hold for."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import qi_equity as qe
from qi_equity.spc.kinds import DEFAULTS, KINDS

SEED = st.integers(0, 10**6)
LINES = ("centre_line", "sigma", "lower", "upper", "lower_2s", "upper_2s")
RULES = "anhoej+making_data_count"
SUBGROUPS = ("xbar", "s", "r")
GAPS = ("g", "t", "bernoulli_cusum", "risk_adjusted_cusum", "vlad")
SPECS = {
    **{name: name for name in KINDS},
    "p classical": qe.P("classical"),
    "np classical": qe.NP("classical"),
    "u classical": qe.U("classical"),
    "c classical": qe.C("classical"),
    "i screened": qe.Individuals("screened"),
    "i median": qe.Individuals("median"),
    "ip screened": qe.IPrime("screened"),
    "xbar of ranges": qe.Xbar("r"),
    "g classical": qe.G("classical"),
    "t weibull": qe.T("weibull"),
    "t transform": qe.T("transform"),
    "tabular cusum": qe.Cusum(head_start=2.5),
}
MONTHS = pd.date_range("2020-01-01", periods=60, freq="MS")


def family(name: str) -> str:
    """Kind of measure that a chart is tried on."""
    kind = name.split()[0]
    if kind in SUBGROUPS:
        return "mean"
    if kind in GAPS:
        return "between"
    return {"u": "rate", "up": "rate", "c": "count"}.get(kind, "proportion")


def frame_of(rng: np.random.Generator, what: str, strata: int, length: int) -> pd.DataFrame:
    """One row a stratum and month: counts, or subgroups of measurements."""
    size = strata * length
    births = rng.integers(5, 120, size)
    rate = np.repeat(rng.uniform(0.05, 0.4, strata), length)
    sd = rng.gamma(8, 0.5, size)
    return pd.DataFrame(
        {
            "group": np.repeat([f"G{s}" for s in range(strata)], length),
            "month": np.tile(MONTHS[:length], strata),
            "births": births,
            "events": rng.binomial(births, rate) if what == "proportion" else rng.poisson(births * rate),
            "mean": rng.normal(50, 3, size),
            "sd": sd,
            "range": sd * rng.uniform(1.5, 4, size),
        }
    )


def counted(frame: pd.DataFrame, what: str) -> qe.StratifiedSeries:
    columns = {"numerator": "events", "denominator": "births"}
    if what == "mean":
        columns = {"value": "mean", "sd": "sd", "range": "range", "denominator": "births"}
    if what == "count":
        del columns["denominator"]
    measure = qe.Measure("Test", what, "lower")
    return qe.from_counts(frame, measure, period="month", group="group", **columns)


def records_of(rng: np.random.Generator, strata: int, births: int) -> pd.DataFrame:
    """Births with the hour of each, so that no two events share a moment."""
    hours = np.sort(rng.choice(births * 40, births * strata, replace=False))
    risk = rng.uniform(0.05, 0.3, births * strata)
    return pd.DataFrame(
        {
            "born": pd.Timestamp("2022-01-01") + pd.to_timedelta(hours, unit="h"),
            "died": (rng.random(births * strata) < risk).astype(int),
            "risk": risk,
            "unit": rng.choice([f"S{s}" for s in range(strata)], births * strata),
        }
    )


def gaps(records: pd.DataFrame, name: str) -> qe.StratifiedSeries:
    unit = "days" if name.startswith("t") else "births"
    measure = qe.Measure("Test", "proportion", "lower")
    return qe.between_events(
        records, measure, date="born", event="died", expected="risk", site="unit", unit=unit
    )


def series_of(name: str, seed: int, strata: int = 3, length: int = 24) -> qe.StratifiedSeries:
    rng = np.random.default_rng(seed)
    if family(name) == "between":
        return gaps(records_of(rng, strata, 150), name)
    return counted(frame_of(rng, family(name), strata, length), family(name))


def draw(series: qe.StratifiedSeries, name: str, **options: object) -> qe.ControlChart:
    if name == "run":
        return qe.run_chart(series, **{**options, "rules": "anhoej"})
    return qe.control_chart(series, SPECS[name], **{"rules": RULES, **options})


def first(series: qe.StratifiedSeries, k: int) -> qe.StratifiedSeries:
    return replace(series, cells=series.cells.take(slice(None), slice(0, k)))


def alone(series: qe.StratifiedSeries, row: int) -> qe.StratifiedSeries:
    return replace(series, cells=series.cells.take(slice(row, row + 1)))


def same(
    one: qe.ControlChart, other: qe.ControlChart, rows: slice, times: slice, *, exact: bool = True
) -> None:
    """Compare points, lines and flags of some strata and periods with a chart that has only these."""
    check = np.testing.assert_array_equal if exact else np.testing.assert_allclose
    there = other.series.cells.status >= 0
    for arm, values in other.plotted.items():
        check(one.plotted[arm][rows, times][there], values[there], err_msg=arm)
    for line in LINES:
        check(getattr(one, line)[rows, times][there], getattr(other, line)[there], err_msg=line)
    for key, mask in other.flags.items():
        np.testing.assert_array_equal(one.flags[key][rows, times], mask, err_msg=str(key))


@pytest.mark.parametrize("name", list(SPECS))
@settings(max_examples=4)
@given(seed=SEED)
def test_strata_together_are_as_strata_alone(name: str, seed: int) -> None:
    series = series_of(name, seed)
    together = draw(series, name, baseline=12)
    for row in range(len(series.cells.strata)):
        single = draw(alone(series, row), name, baseline=12)
        same(together, single, slice(row, row + 1), slice(None))


@pytest.mark.parametrize("name", list(SPECS))
@settings(max_examples=4)
@given(seed=SEED, k=st.integers(3, 20))
def test_a_baseline_of_k_points_gives_the_limits_of_the_first_k_alone(name: str, seed: int, k: int) -> None:
    series = series_of(name, seed)
    frozen, short = draw(series, name, baseline=k), draw(first(series, k), name)
    for line in LINES:
        np.testing.assert_allclose(
            getattr(frozen, line)[:, :k], getattr(short, line), rtol=1e-9, err_msg=line
        )


@pytest.mark.parametrize("name", [n for n in SPECS if family(n) != "between"])
@settings(max_examples=4)
@given(seed=SEED)
def test_a_missing_month_at_the_end_changes_no_other_flag(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = frame_of(rng, family(name), 3, 24)
    last = frame[frame["month"] == MONTHS[23]].assign(month=MONTHS[24], events=np.nan, births=np.nan)
    last = last.assign(mean=np.nan, sd=np.nan, range=np.nan)
    longer = pd.concat([frame, last], ignore_index=True)
    short, extended = (draw(counted(f, family(name)), name) for f in (frame, longer))
    for key, mask in short.flags.items():
        np.testing.assert_array_equal(extended.flags[key][:, :24], mask, err_msg=str(key))
        assert not extended.flags[key][:, 24].any()
    for line in ("centre_line", "lower", "upper"):
        np.testing.assert_allclose(getattr(extended, line)[:, :24], getattr(short, line), rtol=1e-9)


@pytest.mark.parametrize("name", [n for n in SPECS if family(n) != "between"])
@settings(max_examples=3)
@given(seed=SEED)
def test_row_order_and_number_types_do_not_matter(name: str, seed: int) -> None:
    frame = frame_of(np.random.default_rng(seed), family(name), 3, 24)
    shuffled = frame.sample(frac=1, random_state=seed % 1000).astype({"births": "Int32", "events": "float64"})
    one, other = (draw(counted(f, family(name)), name) for f in (frame, shuffled))
    pd.testing.assert_frame_equal(one.points, other.points)
    pd.testing.assert_frame_equal(one.signals, other.signals)


@pytest.mark.parametrize("name", [n for n in SPECS if family(n) == "between"])
@settings(max_examples=3)
@given(seed=SEED)
def test_the_order_of_records_does_not_matter(name: str, seed: int) -> None:
    records = records_of(np.random.default_rng(seed), 2, 150)
    shuffled = records.sample(frac=1, random_state=seed % 1000)
    one, other = (draw(gaps(r, name), name) for r in (records, shuffled))
    pd.testing.assert_frame_equal(one.points, other.points)


@pytest.mark.parametrize("name", list(SPECS))
@settings(max_examples=3)
@given(seed=SEED, start=st.integers(5, 15))
def test_phases_are_charts_of_their_own(name: str, seed: int, start: int) -> None:
    series = alone(series_of(name, seed), 0)
    days = np.broadcast_to(series.cells.periods, series.cells.status.shape)[0].astype("datetime64[D]")
    at = days[start]
    assume(at != days[start - 1])  # a phase starts with a whole day
    chart = draw(series, name, phases=pd.Timestamp(at))
    for part in (slice(0, start), slice(start, None)):
        cells = series.cells.take(slice(None), part)
        same(chart, draw(replace(series, cells=cells), name), slice(None), part, exact=False)


@pytest.mark.parametrize("name", list(SPECS))
@settings(max_examples=2)
@given(seed=SEED)
def test_what_is_saved_is_read_and_what_is_selected_stays(name: str, seed: int) -> None:
    series = series_of(name, seed)
    chart = draw(series, name, baseline=15)
    assert qe.ControlChart.from_dict(json.loads(json.dumps(chart.to_dict()))).equals(chart)
    column = "site" if "site" in chart.strata else "group"
    label = str(chart.strata[column].iloc[-1])
    part = chart.select(**{column: label})
    pd.testing.assert_frame_equal(
        part.points[["period", "arm", "value", "lower", "upper", "special_cause"]],
        chart.points.loc[
            chart.points[column] == label, ["period", "arm", "value", "lower", "upper", "special_cause"]
        ].reset_index(drop=True),
    )


@pytest.mark.parametrize(
    "name", ["i", "i screened", "i median", "ip", "xbar", "xbar of ranges", "mr", "ewma"]
)
@settings(max_examples=6)
@given(seed=SEED, power=st.integers(-3, 6))
def test_measurements_scale_and_mirror(name: str, seed: int, power: int) -> None:
    """Powers of two leave every digit as it is; rules that ask for an exact tie can be compared."""
    rng, factor = np.random.default_rng(seed), 2.0**power
    frame = frame_of(rng, "mean", 2, 24)
    scaled = frame.assign(**{c: frame[c] * factor for c in ("mean", "sd", "range")})
    mirrored = frame.assign(mean=-frame["mean"])
    chart, bigger, turned = (draw(counted(f, "mean"), name) for f in (frame, scaled, mirrored))
    for line in LINES:
        np.testing.assert_allclose(getattr(chart, line) * factor, getattr(bigger, line), rtol=1e-12)
    for rule, side in chart.flags:
        np.testing.assert_array_equal(chart.flags[rule, side], bigger.flags[rule, side])
        if name != "mr":
            other = "low" if side == "high" else "high"
            np.testing.assert_array_equal(chart.flags[rule, side], turned.flags[rule, other])
    if name != "mr":
        np.testing.assert_allclose(chart.lower, -turned.upper, rtol=1e-9)


@pytest.mark.parametrize("name", ["p", "p classical", "np", "np classical", "pp"])
@settings(max_examples=6)
@given(seed=SEED)
def test_events_and_non_events_swap(name: str, seed: int) -> None:
    frame = frame_of(np.random.default_rng(seed), "proportion", 2, 24)
    other = frame.assign(events=frame["births"] - frame["events"])
    chart, turned = (draw(counted(f, "proportion"), name, rules="shewhart") for f in (frame, other))
    full = chart.series.cells.denominator if name.startswith("np") else 1.0
    np.testing.assert_allclose(chart.lower, full - turned.upper, atol=1e-9)
    np.testing.assert_allclose(chart.centre_line, full - turned.centre_line, atol=1e-9)
    for side, match in (("low", "high"), ("high", "low")):
        np.testing.assert_array_equal(
            chart.flags["beyond_limits", side], turned.flags["beyond_limits", match]
        )


@pytest.mark.parametrize("name", [n for n in SPECS if family(n) != "between"])
def test_a_series_without_change_has_lines_icons_and_no_signal(name: str) -> None:
    frame = frame_of(np.random.default_rng(1), family(name), 2, 24)
    frame = frame.assign(births=60, events=6, mean=4.5, sd=0.0, range=0.0)
    chart = draw(counted(frame, family(name)), name)
    assert len(chart.signals) == 0
    assert chart.icons()["variation"].isin(["common cause", "none"]).all()
    if name.startswith(("i", "xbar")) and name != "ip":
        assert (chart.lower == chart.upper).all()
        assert (chart.lower == chart.plotted["both"]).all()


def test_every_default_is_among_the_kinds() -> None:
    assert set(KINDS) == {"run", *DEFAULTS}
    assert {spec.kind for spec in DEFAULTS.values()} == set(DEFAULTS)
