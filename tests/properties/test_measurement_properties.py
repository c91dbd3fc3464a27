"""What holds for every series on charts of measurements, of Laney and Taylor, and of counts of events."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from qi_equity.formulas.attributes import np_limits, p_limits
from qi_equity.formulas.individuals import i_limits, moving_ranges, mr_limits
from qi_equity.formulas.laney import pp_limits, up_limits
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.probability_limits import np_probability_limits, p_probability_limits
from qi_equity.formulas.subgroups import c4, d2, d3, r_limits, s_limits, xbar_limits
from qi_equity.formulas.taylor import ip_limits

PARTS = ("centre_line", "sigma", "lower", "upper")
Chart = Callable[..., Limits]


@st.composite
def subgroups(draw: st.DrawFn) -> dict[str, np.ndarray]:
    """Series of whole numbers with sizes; some periods empty, of one value only or not observed."""
    length = draw(st.integers(1, 24))
    number = st.one_of(st.integers(-400, 400), st.none())
    of_one_size = draw(st.one_of(st.none(), st.integers(2, 9)))
    sizes = st.integers(0, 12) if of_one_size is None else st.just(of_one_size)
    columns = {
        "y": draw(st.lists(number, min_size=length, max_size=length)),
        "n": draw(st.lists(sizes, min_size=length, max_size=length)),
        "s": draw(st.lists(st.one_of(st.integers(0, 99), st.none()), min_size=length, max_size=length)),
        "x": draw(st.lists(st.one_of(st.integers(0, 12), st.none()), min_size=length, max_size=length)),
    }
    found = {name: np.array(column, dtype=float) for name, column in columns.items()}
    found["x"] = np.minimum(found["x"], found["n"])
    return found


CHARTS: dict[str, Callable[[dict[str, np.ndarray], np.ndarray | None], Limits]] = {
    "mr": lambda d, base: mr_limits(moving_ranges(d["y"]), baseline=base),
    "ip": lambda d, base: ip_limits(d["y"], d["n"], baseline=base),
    "ip screened": lambda d, base: ip_limits(d["y"], d["n"], baseline=base, spread="screened"),
    "xbar of sds": lambda d, base: xbar_limits(d["y"], d["n"], sds=d["s"], baseline=base),
    "xbar of ranges": lambda d, base: xbar_limits(d["y"], d["n"], ranges=d["s"], baseline=base),
    "s": lambda d, base: s_limits(d["s"], d["n"], baseline=base),
    "r": lambda d, base: r_limits(d["s"], d["n"], baseline=base),
    "pp": lambda d, base: pp_limits(d["x"], d["n"], baseline=base),
    "pp screened": lambda d, base: pp_limits(d["x"], d["n"], baseline=base, spread="screened"),
    "up": lambda d, base: up_limits(d["x"], d["n"], baseline=base),
    "np": lambda d, base: np_limits(d["x"], d["n"], baseline=base),
    "np exact": lambda d, base: np_probability_limits(d["x"], d["n"], baseline=base),
}
EVERY_CHART = pytest.mark.parametrize("chart", CHARTS)


def first(data: dict[str, np.ndarray], k: int) -> dict[str, np.ndarray]:
    return {name: column[:k] for name, column in data.items()}


def assert_same(found: Limits, expected: Limits, **tolerance: float) -> None:
    for part in PARTS:
        np.testing.assert_allclose(
            getattr(found, part), getattr(expected, part), **({"rtol": 1e-12, "atol": 1e-12} | tolerance)
        )


@EVERY_CHART
@given(data=subgroups(), k=st.integers(1, 24))
def test_freezing_the_first_k_is_the_first_k_alone(chart: str, data: dict[str, np.ndarray], k: int) -> None:
    length = len(data["y"])
    frozen, alone = CHARTS[chart](data, np.arange(length) < k), CHARTS[chart](first(data, k), None)
    for part in PARTS:
        np.testing.assert_allclose(getattr(frozen, part)[:k], getattr(alone, part), rtol=1e-12, atol=1e-12)


@EVERY_CHART
@given(data=subgroups(), missing=st.integers(1, 3))
def test_missing_periods_at_the_end_change_nothing(
    chart: str, data: dict[str, np.ndarray], missing: int
) -> None:
    longer = {name: np.append(column, np.full(missing, np.nan)) for name, column in data.items()}
    found, expected = CHARTS[chart](longer, None), CHARTS[chart](data, None)
    for part in PARTS:
        np.testing.assert_allclose(
            getattr(found, part)[:-missing], getattr(expected, part), rtol=1e-12, atol=1e-12
        )


@pytest.mark.parametrize("chart", ["xbar of sds", "xbar of ranges", "s", "r", "np", "np exact"])
@given(data=subgroups(), place=st.integers(0, 24))
def test_a_missing_subgroup_anywhere_changes_no_chart_without_ranges_of_neighbours(
    chart: str, data: dict[str, np.ndarray], place: int
) -> None:
    at = min(place, len(data["y"]))
    longer = {name: np.insert(column, at, np.nan) for name, column in data.items()}
    found, expected = CHARTS[chart](longer, None), CHARTS[chart](data, None)
    for part in PARTS:
        np.testing.assert_allclose(
            np.delete(getattr(found, part), at), getattr(expected, part), rtol=1e-12, atol=1e-12
        )


@EVERY_CHART
@given(data=subgroups())
def test_strata_together_are_strata_alone(chart: str, data: dict[str, np.ndarray]) -> None:
    backwards = {name: column[::-1] for name, column in data.items()}
    together = CHARTS[chart]({name: np.stack([data[name], backwards[name]]) for name in data}, None)
    for i, one in enumerate((data, backwards)):
        alone = CHARTS[chart](one, None)
        for part in PARTS:
            np.testing.assert_allclose(
                getattr(together, part)[i], getattr(alone, part), rtol=1e-12, atol=1e-12
            )


@EVERY_CHART
@given(data=subgroups())
def test_limits_surround_the_centre_line(chart: str, data: dict[str, np.ndarray]) -> None:
    limits = CHARTS[chart](data, None)
    some = ~np.isnan(limits.sigma + limits.centre_line)
    np.testing.assert_array_equal(np.isnan(limits.lower), ~some)
    np.testing.assert_array_equal(np.isnan(limits.upper), ~some)
    assert (limits.sigma[some] >= 0).all()
    assert (limits.lower[some] <= limits.centre_line[some] + 1e-12).all()
    assert (limits.upper[some] >= limits.centre_line[some] - 1e-12).all()
    if chart not in ("ip", "ip screened", "xbar of sds", "xbar of ranges"):
        assert (limits.lower[some] >= 0).all()


MEANS = ("ip", "ip screened", "xbar of sds", "xbar of ranges")


@pytest.mark.parametrize("chart", MEANS)
@given(data=subgroups(), scale=st.sampled_from([0.5, 4.0, 1024.0]), shift=st.integers(-50, 50))
def test_means_follow_the_unit(chart: str, data: dict[str, np.ndarray], scale: float, shift: int) -> None:
    one = CHARTS[chart](data, None)
    other = CHARTS[chart]({**data, "y": data["y"] * scale + shift, "s": data["s"] * scale}, None)
    for part in ("centre_line", "lower", "upper"):
        np.testing.assert_allclose(
            getattr(other, part), getattr(one, part) * scale + shift, rtol=1e-10, atol=1e-9 * scale
        )
    np.testing.assert_allclose(other.sigma, one.sigma * scale, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("chart", MEANS)
@given(data=subgroups())
def test_means_upside_down(chart: str, data: dict[str, np.ndarray]) -> None:
    one, other = CHARTS[chart](data, None), CHARTS[chart]({**data, "y": -data["y"]}, None)
    np.testing.assert_allclose(other.upper, -one.lower, rtol=1e-10, atol=1e-9)
    np.testing.assert_allclose(other.lower, -one.upper, rtol=1e-10, atol=1e-9)
    np.testing.assert_allclose(other.centre_line, -one.centre_line, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("chart", ["mr", "s", "r"])
@given(data=subgroups(), scale=st.sampled_from([0.5, 4.0, 1024.0]))
def test_spreads_follow_the_unit_and_know_no_direction(
    chart: str, data: dict[str, np.ndarray], scale: float
) -> None:
    one = CHARTS[chart](data, None)
    other = CHARTS[chart]({**data, "y": 7 - data["y"] * scale, "s": data["s"] * scale}, None)
    for part in PARTS:
        np.testing.assert_allclose(getattr(other, part), getattr(one, part) * scale, rtol=1e-10, atol=1e-9)


@given(data=subgroups())
def test_laney_swaps_events_for_births_without_the_event(data: dict[str, np.ndarray]) -> None:
    of = pp_limits(data["x"], data["n"])
    without = pp_limits(data["n"] - data["x"], data["n"])
    np.testing.assert_allclose(without.sigma, of.sigma, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(without.upper, 1 - of.lower, atol=1e-9)
    np.testing.assert_allclose(without.lower, 1 - of.upper, atol=1e-9)


@given(data=subgroups())
@pytest.mark.parametrize("formula", [np_limits, np_probability_limits])
def test_counts_of_events_swap_too(formula: Chart, data: dict[str, np.ndarray]) -> None:
    x, n = data["x"], data["n"]
    births = np.nansum(np.where(np.isnan(x), np.nan, n))
    assume(births > 0)
    p = np.nansum(x) / births
    assume(1 - (1 - p) == p)
    of, without = formula(x, n, centre_line=p), formula(n - x, n, centre_line=1 - p)
    np.testing.assert_allclose(without.upper, n - of.lower, atol=1e-9)
    np.testing.assert_allclose(without.lower, n - of.upper, atol=1e-9)


@given(data=subgroups(), tail=st.floats(1e-4, 0.4))
def test_counts_of_events_are_proportions_times_births(data: dict[str, np.ndarray], tail: float) -> None:
    x, n = data["x"], data["n"]
    some = n > 0
    for counts, shares in (
        (np_limits(x, n), p_limits(x, n)),
        (np_probability_limits(x, n, tail=tail), p_probability_limits(x, n, tail=tail)),
    ):
        for part in ("lower", "upper", "centre_line"):
            np.testing.assert_allclose(
                getattr(counts, part)[some], (getattr(shares, part) * n)[some], rtol=1e-12, atol=1e-12
            )


@given(value=st.floats(-1e6, 1e6), n=st.lists(st.integers(1, 5000), min_size=2, max_size=30))
def test_a_constant_series_has_limits_on_its_centre(value: float, n: list[int]) -> None:
    limits = ip_limits(np.full(len(n), value), n)
    for part in (limits.centre_line, limits.lower, limits.upper):
        assert part.tolist() == [value] * len(n)
    line = xbar_limits(np.full(len(n), value), n, sds=np.ones(len(n))).centre_line
    assert line.tolist() == [value] * len(n)


@given(events=st.integers(0, 30), births=st.integers(1, 400), times=st.lists(st.integers(1, 9), min_size=2))
@pytest.mark.parametrize("formula", [pp_limits, up_limits])
def test_the_same_proportion_in_all_periods_has_limits_on_its_centre(
    formula: Chart, events: int, births: int, times: list[int]
) -> None:
    x, n = np.array(times) * min(events, births), np.array(times) * births
    limits = formula(x, n)
    for part in (limits.centre_line, limits.lower, limits.upper):
        np.testing.assert_array_equal(part, x / n)


@given(data=subgroups(), size=st.integers(1, 99))
def test_taylor_with_equal_sizes_is_the_individuals_chart(data: dict[str, np.ndarray], size: int) -> None:
    assert_same(ip_limits(data["y"], size), i_limits(data["y"]), rtol=1e-9, atol=1e-9)


@given(n=st.integers(2, 3000))
def test_constants_move_with_the_size(n: int) -> None:
    for constant in (c4, d2):
        small, large = constant([n, n + 1])
        assert small < large
    assert 0 < float(d3(n)) < float(d2(n))
