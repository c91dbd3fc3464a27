"""Published worked examples, with the answers as printed or recomputed in the source named."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from qi_equity.formulas.attributes import c_limits, np_limits, p_limits, u_limits
from qi_equity.formulas.individuals import i_limits, moving_ranges, mr_limits
from qi_equity.formulas.laney import pp_limits
from qi_equity.formulas.medians import median_line
from qi_equity.formulas.rule_tests import beyond_limits, shift
from qi_equity.formulas.runs import anhoej_limits, crossings, longest_run, useful
from qi_equity.formulas.subgroups import c4, d2, d3, s_limits, xbar_limits
from qi_equity.formulas.taylor import ip_limits


def numbers(text: str) -> np.ndarray:
    return np.array(text.split(), dtype=np.float64)


# Montgomery, Introduction to Statistical Quality Control, 6th ed.
ORANGE_JUICE = numbers("12 15 8 10 4 7 16 9 14 10 5 6 17 12 22 8 10 5 13 11 20 18 24 15 9 12 7 13 9 6")
ORANGE_JUICE_LATER = numbers(
    "9 6 12 5 6 4 6 3 7 6 2 4 3 6 5 4 8 5 6 7 5 6 3 5 8 7 5 6 4 5 2 3 4 7 6 5 5 3 7 9 6 10 4 3 5 8 11 "
    "9 7 3 5 2 1 4 5 3 7 6 4 4 6 8 5 6"
)
ORDERS = numbers("100 80 80 100 110 110 100 100 90 90 110 120 120 120 110 80 80 80 90 100 100 100 100 90 90")
ORDERS_WRONG = numbers("12 8 6 9 10 12 11 16 10 6 20 15 9 8 6 8 10 7 5 8 5 8 10 6 9")
CIRCUIT_BOARDS = numbers("21 24 16 12 15 5 28 20 31 25 20 24 16 19 10 17 13 22 18 39 30 24 16 19 17 15")
SHIPMENTS = numbers("2 3 8 1 1 4 1 4 5 1 8 2 4 3 4 1 8 3 7 4")
CLOTH = numbers("500 400 650 500 475 500 600 525 600 625") / 50
CLOTH_DEFECTS = numbers("14 12 20 11 7 10 21 16 19 23")
MORTGAGE_COST = numbers(
    "310 288 297 298 307 303 294 297 308 306 294 299 297 299 314 295 293 306 301 304 305 282 305 296 "
    "314 295 287 301 298 311 310 292 305 299 304 310 304 305 333 328"
)


def without(size: int, *positions: int) -> np.ndarray:
    """All but the samples named, which count from 1."""
    return ~np.isin(np.arange(1, size + 1), positions)


def beyond(values: np.ndarray, limits: object) -> list[int]:
    """Numbers of the samples that signal, from 1."""
    low, high = beyond_limits(values, limits.lower, limits.upper)
    return (np.flatnonzero(low | high) + 1).tolist()


def test_montgomery_orange_juice_cans() -> None:
    n = np.full(30, 50)
    limits = p_limits(ORANGE_JUICE, n)
    assert limits.centre_line[0] == pytest.approx(0.231333, abs=5e-7)
    assert limits.lower[0] == pytest.approx(0.0524275, abs=5e-8)
    assert limits.upper[0] == pytest.approx(0.4102391, abs=5e-8)
    assert beyond(ORANGE_JUICE / n, limits) == [15, 23]


def test_montgomery_orange_juice_without_two_samples() -> None:
    n = np.full(30, 50)
    limits = p_limits(ORANGE_JUICE, n, baseline=without(30, 15, 23))
    assert limits.centre_line[0] == pytest.approx(0.215)
    assert limits.lower[0] == pytest.approx(0.0407028, abs=5e-8)
    assert limits.upper[0] == pytest.approx(0.3892972, abs=5e-8)
    assert beyond(ORANGE_JUICE / n, limits) == [15, 21, 23]


def test_montgomery_orange_juice_after_the_change() -> None:
    limits = p_limits(ORANGE_JUICE_LATER, np.full(64, 50))
    assert limits.centre_line[0] == pytest.approx(0.1096875)
    assert limits.lower[0] == 0
    assert limits.upper[0] == pytest.approx(0.2422700, abs=5e-8)


def test_montgomery_purchase_orders() -> None:
    limits = p_limits(ORDERS_WRONG, ORDERS)
    assert limits.centre_line[0] == pytest.approx(0.0955102, abs=5e-8)
    for n, lower, upper in ((100, 0.0073347, 0.1836857), (80, 0, 0.1940934)):
        at = int(np.flatnonzero(n == ORDERS)[0])
        assert limits.lower[at] == pytest.approx(lower, abs=5e-8)
        assert limits.upper[at] == pytest.approx(upper, abs=5e-8)
    assert limits.upper[ORDERS == 110][0] == pytest.approx(0.1795823, abs=5e-8)
    assert beyond(ORDERS_WRONG / ORDERS, limits) == [11]


def test_montgomery_circuit_boards() -> None:
    limits = c_limits(CIRCUIT_BOARDS)
    assert limits.centre_line[0] == pytest.approx(19.8462, abs=5e-5)
    assert limits.lower[0] == pytest.approx(6.4814, abs=5e-5)
    assert limits.upper[0] == pytest.approx(33.2109, abs=1e-4)
    assert beyond(CIRCUIT_BOARDS, limits) == [6, 20]


def test_montgomery_circuit_boards_without_two_samples() -> None:
    limits = c_limits(CIRCUIT_BOARDS, baseline=without(26, 6, 20))
    assert limits.centre_line[0] == pytest.approx(19.666667, abs=5e-7)
    assert limits.lower[0] == pytest.approx(6.362532, abs=1e-6)
    assert limits.upper[0] == pytest.approx(32.970801, abs=1e-6)


def test_montgomery_shipments() -> None:
    limits = u_limits(SHIPMENTS, np.full(20, 50))
    assert limits.centre_line[0] == pytest.approx(0.074)
    assert limits.lower[0] == 0
    assert limits.upper[0] == pytest.approx(0.1894123, abs=5e-8)


def test_montgomery_dyed_cloth() -> None:
    limits = u_limits(CLOTH_DEFECTS, CLOTH)
    assert limits.centre_line[0] == pytest.approx(1.42325581, abs=5e-9)
    assert limits.lower[0] == pytest.approx(0.29147, abs=5e-6)
    assert limits.upper[0] == pytest.approx(2.55504, abs=5e-6)


def test_montgomery_mortgage_cost() -> None:
    limits = i_limits(MORTGAGE_COST, baseline=np.arange(40) < 20, spread="mean", constants="qicharts2")
    assert limits.centre_line[0] == pytest.approx(300.5)
    assert limits.lower[0] == pytest.approx(279.783315, abs=1e-6)
    assert limits.upper[0] == pytest.approx(321.216685, abs=1e-6)
    assert np.nanmean(moving_ranges(MORTGAGE_COST[:20])) == pytest.approx(7.78947, abs=5e-6)
    assert beyond(MORTGAGE_COST, limits) == [39, 40]


def test_montgomery_mortgage_cost_moving_ranges() -> None:
    ranges = moving_ranges(MORTGAGE_COST)
    limits = mr_limits(ranges, baseline=np.arange(40) < 20, constants="qicharts2")
    assert limits.centre_line[0] == pytest.approx(7.78947, abs=5e-6)
    assert limits.upper[0] == pytest.approx(25.44821, abs=1e-5)
    assert limits.lower[0] == 0
    assert beyond(ranges, limits) == [39]


def test_montgomery_orange_juice_cans_as_counts() -> None:
    limits = np_limits(ORANGE_JUICE, np.full(30, 50))
    assert limits.centre_line[0] == pytest.approx(50 * 0.231333, abs=5e-5)
    assert limits.lower[0] == pytest.approx(50 * 0.0524275, abs=5e-6)
    assert limits.upper[0] == pytest.approx(50 * 0.4102391, abs=5e-6)
    assert beyond(ORANGE_JUICE, limits) == [15, 23]


# Tables 6.3 and 6.4, piston rings: the 125 and 113 diameters were not at hand, only the centre lines and
# limits they lead to. Subgroups that all have the stated mean and standard deviation must give these limits.
def test_montgomery_piston_rings_from_the_stated_centre_lines() -> None:
    mean, sd, n = np.full(25, 74.001176), np.full(25, 0.00939948), np.full(25, 5)
    limits = xbar_limits(mean, n, sds=sd)
    assert limits.lower[0] == pytest.approx(73.98776, abs=5e-6)
    assert limits.upper[0] == pytest.approx(74.01459, abs=5e-6)
    spread = s_limits(sd, n)
    assert spread.lower[0] == 0
    assert spread.upper[0] == pytest.approx(0.0196355, abs=5e-8)


def test_montgomery_piston_rings_of_varying_sizes_from_the_stated_centre_lines() -> None:
    n = np.array([5, 3, 4])
    mean, sd = np.full(3, 74.0007522), np.full(3, 0.0102911775)
    limits = xbar_limits(mean, n, sds=sd)
    assert limits.lower == pytest.approx([73.9860636, 73.980639, 73.9839971], abs=1e-7)
    assert limits.upper == pytest.approx([74.0154408, 74.0208654, 74.0175073], abs=1e-7)
    assert s_limits(sd, n).upper[0] == pytest.approx(0.0214982, abs=5e-8)


# Factors for constructing variables control charts, appendix of the same book and of most others.
def test_tables_of_constants() -> None:
    n = np.array([2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 25])
    assert c4(n) == pytest.approx(
        numbers("0.7979 0.8862 0.9213 0.9400 0.9515 0.9594 0.9650 0.9693 0.9727 0.9823 0.9869 0.9896"),
        abs=5e-5,
    )
    assert d2(n) == pytest.approx(
        numbers("1.128 1.693 2.059 2.326 2.534 2.704 2.847 2.970 3.078 3.472 3.735 3.931"), abs=5.01e-4
    )
    assert d3(n) == pytest.approx(
        numbers("0.853 0.888 0.880 0.864 0.848 0.833 0.820 0.808 0.797 0.756 0.729 0.708"), abs=5.01e-4
    )


# Mohammed, Worthington, Woodall, Plotting basic control charts. Qual Saf Health Care 2008;17:137-145.
BLOOD_PRESSURE = numbers(
    "169 172 175 174 161 142 174 171 168 174 180 194 161 181 175 176 186 166 157 183 177 171 185 176 181 174"
)


def test_mohammed_blood_pressure_xmr() -> None:
    limits = i_limits(BLOOD_PRESSURE, spread="mean", constants="mdc")
    assert limits.centre_line[0] == pytest.approx(173.1923, abs=5e-5)
    assert np.nanmean(moving_ranges(BLOOD_PRESSURE)) == 11
    limits = i_limits(BLOOD_PRESSURE, spread="mean", constants="qicharts2")
    assert limits.lower[0] == pytest.approx(143.937, abs=5e-4)
    assert limits.upper[0] == pytest.approx(202.448, abs=5e-4)
    assert beyond(BLOOD_PRESSURE, limits) == [6]


def test_mohammed_blood_pressure_run_chart() -> None:
    line = median_line(BLOOD_PRESSURE)
    sides = useful(BLOOD_PRESSURE, line)
    assert line[0] == 174
    assert [np.count_nonzero(sides), int(longest_run(sides)), int(crossings(sides))] == [22, 4, 9]


# Mohammed, Panesar, Laney, Wilson, Statistical process control charts for attribute data involving very
# large sample sizes. BMJ Qual Saf 2013;22:362-368: people seen within four hours of arrival, 20 periods; the
# answers as computed by qicharts2 0.8.1.
SEEN = numbers(
    "266501 264225 276532 281461 269071 261215 270409 279778 270483 270320 267923 271478 255353 256820 "
    "261835 259144 255910 260863 264465 260989"
)
ATTENDED = numbers(
    "280443 276823 291681 296155 282343 275888 283867 295251 284468 282529 279618 283932 266629 268091 "
    "276803 271578 266005 273520 278574 273772"
)


def test_mohammed_attendances_by_p_chart() -> None:
    limits = p_limits(SEEN, ATTENDED)
    assert limits.centre_line[0] == pytest.approx(0.952899711, abs=5e-10)
    assert limits.lower[0] == pytest.approx(0.951700, abs=1e-6)
    assert limits.upper[0] == pytest.approx(0.954100, abs=1e-6)
    assert len(beyond(SEEN / ATTENDED, limits)) == 16


@pytest.mark.parametrize(
    ("chart", "lower", "upper"),
    [("p'", 0.940130, 0.965670), ("i", 0.940125, 0.965814), ("i'", 0.940116, 0.965683)],
)
def test_mohammed_attendances_by_charts_that_hold_the_variation_between_periods(
    chart: str, lower: float, upper: float
) -> None:
    share = SEEN / ATTENDED
    limits = {
        "p'": pp_limits(SEEN, ATTENDED, constants="qicharts2"),
        "i": i_limits(share, constants="qicharts2"),
        "i'": ip_limits(share, ATTENDED),
    }[chart]
    assert limits.centre_line[0] == pytest.approx(0.952969911 if chart == "i" else 0.952899711, abs=5e-10)
    assert limits.lower[0] == pytest.approx(lower, abs=1e-6)
    assert limits.upper[0] == pytest.approx(upper, abs=1e-6)
    assert beyond(share, limits) == []


# Wheeler, Making Sense of Data, as given with the package statprocon.
def test_wheeler_verification_set() -> None:
    y = numbers("5045 4350 4350 3975 4290 4430 4485 4285 3980 3925 3645 3760 3300 3685 3463 5200")
    limits = i_limits(y, spread="mean", constants="mdc")
    assert limits.centre_line[0] == pytest.approx(4135.50, abs=5e-3)
    assert np.nanmean(moving_ranges(y)) == pytest.approx(355.93, abs=5e-3)
    assert limits.lower[0] == pytest.approx(3188.72, abs=1e-2)
    assert limits.upper[0] == pytest.approx(5082.28, abs=1e-2)
    # The book rounds D4 to 3.268.
    ranges = mr_limits(moving_ranges(y), nsigma=3 * (3.268 - 1) / (3.267 - 1), constants="mdc")
    assert ranges.upper[0] == pytest.approx(1163.19, abs=2e-2)


def test_wheeler_peak_flow() -> None:
    """The book multiplies rounded numbers: 183.1 + 2.66 (52.4) = 322.5 and 3.27 (52.4) = 171.3."""
    y = numbers("120 140 100 150 260 150 100 120 300 300 275 300 140 170 150 150 190 180")
    limits = i_limits(y, constants="mdc")
    assert limits.centre_line[0] == pytest.approx(183.1, abs=5e-2)
    assert np.nanmean(moving_ranges(y)) == pytest.approx(52.4, abs=6e-2)
    assert limits.upper[0] == pytest.approx(322.5, abs=0.2)
    assert limits.lower[0] == pytest.approx(43.7, abs=0.2)
    ranges = mr_limits(moving_ranges(y), constants="mdc")
    assert ranges.upper[0] / 3.267 == pytest.approx(171.3 / 3.27, abs=5e-2)


def test_wheeler_median_centre_line() -> None:
    """The book's limits are rounded to whole numbers: 3.14 median ranges either side."""
    y = numbers(
        "260 130 189 1080 175 200 193 120 33 293 195 571 55698 209 1825 239 290 254 93 278 185 123 9434 408 "
        "570 118 238 207 153 209 243 110 306 343 244"
    )
    limits = i_limits(y, centre_line=median_line(y), spread="median")
    assert limits.centre_line[0] == 238
    assert np.nanmedian(moving_ranges(y)) == 125
    assert limits.upper[0] == pytest.approx(630, abs=1.5)
    assert limits.lower[0] == pytest.approx(-154, abs=1.5)


def test_wheeler_median_moving_range() -> None:
    y = numbers("2.5 2.3 16.3 6.3 7.6 16.3 7.1 7.8 7.8 9.9 10.5 -4.8")
    limits = i_limits(y, spread="median")
    assert limits.centre_line[0] == pytest.approx(7.47, abs=6e-3)
    assert np.nanmedian(moving_ranges(y)) == pytest.approx(2.10)
    assert limits.upper[0] == pytest.approx(14.07, abs=1e-2)
    assert limits.lower[0] == pytest.approx(0.87, abs=1e-2)


def test_wheeler_eight_below_the_mean() -> None:
    y = numbers("21.3 20.2 20.9 21.0 18.8 19.6 18.7 18.6 18.1 18.9 19.2 18.2 17.3 19.0")
    low, high = shift(y, np.mean(y), length=8)
    assert np.flatnonzero(low).tolist() == list(range(6, 14))
    assert not high.any()


# Monthly C. difficile infections with a change after the 24th month, an example of qicharts2.
def test_infections_fall_below_the_median() -> None:
    y = numbers(
        "17 12 27 20 20 18 22 19 19 24 17 16 24 19 19 22 25 19 17 6 25 17 11 14 9 11 7 13 5 5 3 5 9 4 5 9"
    )
    line = median_line(y)
    sides = useful(y, line)
    assert line[0] == 17
    n, longest, crossed = np.count_nonzero(sides), int(longest_run(sides)), int(crossings(sides))
    assert [n, longest, crossed] == [32, 14, 6]
    assert [int(limit) for limit in anhoej_limits(n)] == [8, 11]


# NHSRplotthedots, vignette on deviations from the Excel tool.
@pytest.mark.parametrize(
    ("spread", "lower", "upper"), [("screened", -0.71556, 4.60444), ("mean", -3.06261, 6.95150)]
)
def test_plotthedots_vignette(spread: str, lower: float, upper: float) -> None:
    y = numbers("1 2 1 2 10 1 2 1 2 1 2 1 2 1 2 1 2 1")
    limits = i_limits(y, spread=spread, constants="mdc")
    assert limits.centre_line[0] == pytest.approx(1.94444, abs=5e-6)
    assert limits.lower[0] == pytest.approx(lower, abs=6e-6)
    assert limits.upper[0] == pytest.approx(upper, abs=6e-6)


# Anhøj, Vigeland. PLoS One 2019;14:e0223233: numbers of series of 16 tosses with the first one fixed.
@pytest.mark.parametrize(
    ("crossed", "shortest", "series"),
    [(3, 4, [1, 34, 90, 106, 84, 60, 40, 24, 12, 4]), (5, 3, [21, 525, 960, 741, 420, 210, 90, 30, 6])],
)
def test_crossrun_joint_distribution_of_sixteen_points(
    crossed: int, shortest: int, series: list[int]
) -> None:
    tosses = np.array(list(itertools.product((-1, 1), repeat=15)), dtype=np.int8)
    sides = np.concatenate([np.ones((2**15, 1), dtype=np.int8), tosses], axis=1)
    longest = longest_run(sides)[crossings(sides) == crossed]
    assert np.bincount(longest)[shortest:].tolist() == series
    assert not np.bincount(longest)[:shortest].any()


# qicharts2, equal to the appendix of Anhøj's book on SPC for health care: limits by useful points.
def test_table_of_anhoej_limits() -> None:
    n = [10, 12, 14, 16, 18, 20, 22, 23, 24, 26, 27, 30, 36, 40, 45, 46, 50, 60, 80, 90, 91, 100]
    longest = [6, 7, 7, 7, 7, 7, 7, 8, 8, 8, 8, 8, 8, 8, 8, 9, 9, 9, 9, 9, 10, 10]
    fewest = [2, 3, 4, 4, 5, 6, 7, 7, 8, 8, 9, 10, 13, 14, 17, 17, 19, 23, 32, 37, 37, 41]
    longest_max, crossings_min = anhoej_limits(n)
    assert longest_max.tolist() == longest
    assert crossings_min.tolist() == fewest
