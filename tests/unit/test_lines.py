"""Points and lines of one phase: widths, what sets the lines, and what is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, norm, poisson

import qi_equity as qe
from qi_equity.data.cells import Cells
from qi_equity.spc.kinds_measurements import Run
from qi_equity.spc.lines import ONE_SIGMA, THREE_SIGMA, TWO_SIGMA, Observations, Width, shewhart_lines
from qi_equity.spc.weighted_lines import weighted_lines

Make = Callable[..., qe.StratifiedSeries]
ONE_GROUP = pd.DataFrame({"group": pd.Categorical(["All"])})


def seen(kind: str = "proportion", baseline: list[int] | None = None, **blocks: list[float]) -> Observations:
    """What is observed of one stratum; ``baseline`` are positions, by default all."""
    arrays = {name: np.array(numbers, dtype=float) for name, numbers in blocks.items()}
    length = len(next(iter(arrays.values())))
    periods = np.arange("2022-01", length, dtype="datetime64[M]")
    positions = np.arange(length)
    cells = Cells.dense(ONE_GROUP, periods, np.zeros(length, dtype=int), positions, kind=kind, **arrays)
    inside = np.ones((1, length), dtype=bool)
    base = inside if baseline is None else np.isin(positions, baseline)[None]
    return Observations(kind, cells, inside, base, base, inside)


@pytest.mark.parametrize(("width", "nsigma"), [(ONE_SIGMA, 1), (TWO_SIGMA, 2)])
def test_tails_are_those_of_the_normal_distribution(width: Width, nsigma: int) -> None:
    assert width.nsigma == nsigma
    assert width.tail == pytest.approx(norm.sf(nsigma), rel=1e-12)


def test_the_tail_of_three_sigma_is_rounded_as_published() -> None:
    assert (THREE_SIGMA.nsigma, THREE_SIGMA.tail) == (3.0, 0.00135)
    assert THREE_SIGMA.tail == pytest.approx(norm.sf(3), rel=1e-3)


@pytest.mark.parametrize("width", [ONE_SIGMA, TWO_SIGMA, THREE_SIGMA])
@pytest.mark.parametrize(("spec", "scale"), [(qe.P(), 1 / 80), (qe.NP(), 1)])
def test_exact_limits_of_births_lie_at_the_tail(width: Width, spec: qe.P | qe.NP, scale: float) -> None:
    drawn = shewhart_lines(spec, seen(numerator=[8, 8], denominator=[80, 80]), width).limits
    events = np.arange(81)
    np.testing.assert_array_equal(events * scale < drawn.lower[0, 0], binom.cdf(events, 80, 0.1) < width.tail)
    np.testing.assert_array_equal(
        events * scale > drawn.upper[0, 0], binom.sf(events - 1, 80, 0.1) < width.tail
    )


@pytest.mark.parametrize("width", [ONE_SIGMA, TWO_SIGMA, THREE_SIGMA])
@pytest.mark.parametrize("spec", [qe.U(), qe.C()])
def test_exact_limits_of_counts_lie_at_the_tail(width: Width, spec: qe.U | qe.C) -> None:
    blocks = {"numerator": [9.0, 9.0]}
    if isinstance(spec, qe.U):
        blocks["denominator"] = [3.0, 3.0]
    kind, scale = ("rate", 1 / 3) if isinstance(spec, qe.U) else ("count", 1)
    drawn = shewhart_lines(spec, seen(kind, **blocks), width).limits
    events = np.arange(40)
    np.testing.assert_array_equal(events * scale < drawn.lower[0, 0], poisson.cdf(events, 9) < width.tail)
    np.testing.assert_array_equal(events * scale > drawn.upper[0, 0], poisson.sf(events - 1, 9) < width.tail)


def test_classical_limits_are_clipped_at_every_width() -> None:
    few = seen(numerator=[2.0, 1.0], denominator=[15.0, 15.0])
    wide, narrow = (
        shewhart_lines(qe.P("classical"), few, width).limits for width in (THREE_SIGMA, ONE_SIGMA)
    )
    assert wide.lower[0, 0] == 0
    assert narrow.lower[0, 0] == pytest.approx(0.1 - np.sqrt(0.1 * 0.9 / 15))
    turned = seen(numerator=[13.0, 14.0], denominator=[15.0, 15.0])
    assert shewhart_lines(qe.P("classical"), turned, THREE_SIGMA).limits.upper[0, 0] == 1


def test_a_run_chart_has_a_median_and_nothing_else() -> None:
    drawn = shewhart_lines(Run(), seen("mean", value=[1, 5, 2]), THREE_SIGMA)
    assert drawn.limits.centre_line.tolist() == [[2, 2, 2]]
    assert np.isnan([drawn.limits.sigma, drawn.limits.lower, drawn.limits.upper]).all()
    assert drawn.plotted["both"].tolist() == [[1, 5, 2]]


@pytest.mark.parametrize(
    "spec", [qe.P(), qe.P("classical"), qe.P("laney"), qe.NP(), qe.IPrime(), qe.Individuals(), qe.Ewma()]
)
def test_points_outside_the_baseline_set_no_line(spec: Any) -> None:
    blocks = {"numerator": [8, 9, 7, 11, 6, 40.0], "denominator": [80, 90, 70, 100, 85, 80.0]}
    draw = weighted_lines if isinstance(spec, qe.Ewma) else shewhart_lines
    frozen = draw(spec, seen(baseline=[0, 1, 2, 3, 4], **blocks), THREE_SIGMA).limits
    alone = draw(spec, seen(**{name: block[:5] for name, block in blocks.items()}), THREE_SIGMA).limits
    for line in ("centre_line", "lower", "upper"):
        np.testing.assert_allclose(getattr(frozen, line)[:, :5], getattr(alone, line), rtol=1e-12)


def test_a_centre_line_can_come_from_outside() -> None:
    few = seen(numerator=[8, 9], denominator=[80, 90])
    for spec in (qe.P(), qe.P("classical"), qe.U(), qe.U("classical")):
        drawn = shewhart_lines(spec, few, THREE_SIGMA, np.array([[0.2]])).limits
        assert drawn.centre_line.tolist() == [[0.2, 0.2]]
    drawn = shewhart_lines(qe.NP("classical"), few, THREE_SIGMA, np.array([[0.2]])).limits
    assert drawn.centre_line.tolist() == [[16, 18]]


@pytest.mark.parametrize("spec", [qe.Cusum(), qe.CountCusum(h=3)])
def test_thresholds_are_drawn_at_three_sigma_only(spec: Any) -> None:
    few = seen(numerator=[8, 9, 7, 11], denominator=[80, 90, 70, 100])
    wide, narrow = (weighted_lines(spec, few, width).limits for width in (THREE_SIGMA, TWO_SIGMA))
    assert (wide.upper > 0).all()
    assert (wide.lower < 0).all()
    assert np.isnan([narrow.lower, narrow.upper]).all()


TENTHS = [4, 0, 1, 8, 3, 8, 0, 2, 4, 0, 3, 4, 2, 1, 8, 8, 4, 8, 4, 8]


@pytest.mark.parametrize("kind", ["i", "ip", "ewma"])
@pytest.mark.parametrize("factor", [1.0, 10.0, -1.0, 0.7])
def test_whether_a_point_lies_on_the_line_does_not_hang_on_rounding(
    make_series: Make, kind: str, factor: float
) -> None:
    """The mean of these tenths is exactly 0.4, which no sum of floats has to find."""
    series = make_series([v / 10 * factor for v in TENTHS], 1, kind="mean")
    chart = qe.control_chart(series, kind, rules="making_data_count+anhoej")
    assert len(chart.signals) == 0
    if kind != "ewma":
        on_line = chart.plotted["both"] == chart.centre_line
        np.testing.assert_array_equal(on_line[0], np.array(TENTHS) == 4)
        assert chart.summary()["n_useful"].tolist() == [15]


def test_a_point_on_a_limit_is_not_beyond_it_whatever_the_unit(make_series: Make) -> None:
    """Limits 0.5 +/- 2.66 mean ranges; moved onto a point by the constant of Making Data Count."""
    values = np.array([0.1, 0.2, 0.1, 0.2, 0.1, 0.2])
    edge = 0.15 + 2.66 * 0.1
    for factor in (1.0, 3.0, 7.0, 1e-6):
        series = make_series(np.append(values, edge) * factor, kind="mean")
        chart = qe.control_chart(series, qe.Individuals(constants="mdc"), rules="shewhart", baseline=6)
        assert len(chart.signals) == 0


def test_births_that_vary_make_no_trend_of_an_np_chart(make_series: Make) -> None:
    births = np.array([60, 140] * 12)
    steady = make_series(births * 0.3, births)
    assert len(qe.control_chart(steady, "np", rules="nelson").signals) == 0
    growing = np.arange(100, 580, 20)
    chart = qe.control_chart(make_series(growing * 0.3, growing), "np", rules="making_data_count")
    assert len(chart.signals) == 0
