"""Months to detect and its inverses: inverses of one another, monotone, and what they refuse.

The numbers themselves are judged in tests/reference/test_detection_tables.py and test_planning_tuned.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.planning.months import births_to_detect, months_to_detect, smallest_change_to_detect
from qi_equity.planning.tuned import CHARTS, Design, tuned

CHARTS_OF = [("proportion", c) for c in CHARTS["binomial"]] + [("rate", c) for c in CHARTS["poisson"]]


@pytest.mark.parametrize(("kind", "chart"), CHARTS_OF)
def test_as_the_chart_is_tuned(kind: Any, chart: Any) -> None:
    births, after = [[20.0], [150.4]], [0.06, 0.24]
    found = months_to_detect(
        births, 0.12, after, chart=chart, kind=kind, every="quarter", false_alarm_months=60
    )
    assert found.shape == (2, 2)
    family = "binomial" if kind == "proportion" else "poisson"
    for i, n in enumerate((20.0, 150.4)):
        for j, q in enumerate(after):
            one = (np.array([x]) for x in (n, 0.12, q, 60.0))
            alone = tuned(chart, Design(*one, family, 3.0)).months_to_detect[0]
            assert found[i, j] == pytest.approx(alone, rel=1e-9)


def test_shapes_and_defaults() -> None:
    assert months_to_detect(75, 0.12, 0.06).shape == (1,)
    assert months_to_detect(np.full((2, 1, 3), 75), 0.12, [[0.06], [0.09]]).shape == (2, 2, 3)
    with pytest.raises(OptionError, match="births, before, after"):
        months_to_detect([], 0.12, 0.06)
    assert months_to_detect(75, 0.12, 0.06) == months_to_detect(
        75, 0.12, 0.06, chart="bernoulli_cusum", false_alarm_months=150, kind="proportion", every="month"
    )
    same = months_to_detect([75, 20, 75, 75], 0.12, [0.06, 0.06, 0.06, 0.03])
    assert same[0] == same[2]
    assert len({*same}) == 3


def test_nothing_to_reckon_is_nan_and_blind_is_infinite() -> None:
    births = [0, math.nan, 20, 20, 20, 20, 20, 20, 20]
    before = [0.1, 0.1, 0, 1, 0.1, math.nan, 0.1, 0.1, 0.1]
    after = [0.05, 0.05, 0.05, 0.5, 0.1, 0.05, 0, 1, math.nan]
    assert np.isnan(months_to_detect(births, before, after)).all()
    assert np.isnan(months_to_detect(20, 0.1, 0.05, false_alarm_months=math.nan)).all()
    assert np.isnan(months_to_detect(20, 0.1, 0.05, false_alarm_months=math.inf)).all()
    assert months_to_detect([39, 40], 0.12, 0.06, chart="p")[0] == math.inf
    assert months_to_detect([39, 40], 0.12, 0.06, chart="p")[1] < 12
    assert months_to_detect([39, 40], 0.12, 0.18, chart="p").max() < math.inf


@pytest.mark.parametrize(("kind", "chart"), [c for c in CHARTS_OF if c[1] not in ("ewma", "cusum")])
@pytest.mark.parametrize("after", [0.05, 0.2])
def test_births_and_months_are_inverses(kind: Any, chart: Any, after: float) -> None:
    options = {"chart": chart, "kind": kind, "false_alarm_months": 60}
    within = np.array([3.0, 9.0])
    births = births_to_detect(0.1, after, within_months=within, **options)
    some = np.isfinite(births)
    assert (births[some] % 1 == 0).all()
    assert (months_to_detect(births, 0.1, after, **options)[some] <= within[some]).all()
    # One fewer is too few, or none.
    fewer = months_to_detect(births - 1, 0.1, after, **options)[some]
    assert ((fewer > within[some]) | np.isnan(fewer)).all()
    # What charts of short gaps cannot show they cannot show with more births.
    if not some.all():
        assert chart in ("g", "t")
        assert (births[~some] == math.inf).all()


@pytest.mark.parametrize(
    ("kind", "chart", "direction"),
    [
        ("proportion", "bernoulli_cusum", "fall"),
        ("proportion", "bernoulli_cusum", "rise"),
        ("proportion", "p", "rise"),
        ("proportion", "g", "fall"),
        ("rate", "u", "fall"),
        ("rate", "c", "rise"),
    ],
)
def test_changes_and_months_are_inverses(kind: Any, chart: Any, direction: Any) -> None:
    options = {"chart": chart, "kind": kind, "false_alarm_months": 60}
    births = np.array([90.0, 250, 600])
    ratio = smallest_change_to_detect(births, 0.1, within_months=6, direction=direction, **options)
    assert (ratio < 1).all() if direction == "fall" else (ratio > 1).all()
    assert (months_to_detect(births, 0.1, 0.1 * ratio, **options) <= 6 * (1 + 1e-9)).all()
    nearly = ratio * (1.011 if direction == "fall" else 1 / 1.011)
    assert (months_to_detect(births, 0.1, 0.1 * nearly, **options) > 6 * (1 - 1e-9)).all()
    assert (np.diff(ratio) > 0).all() if direction == "fall" else (np.diff(ratio) < 0).all()


def test_the_three_agree() -> None:
    births = births_to_detect(0.12, 0.06, within_months=6)
    ratio = smallest_change_to_detect(births, 0.12, within_months=6)
    assert ratio[0] == pytest.approx(0.5, rel=0.011)
    assert ratio[0] <= 0.5 * 1.011


def test_inverses_where_nothing_can_be_reckoned() -> None:
    births = births_to_detect([0, math.nan, 0.1, 0.1, 1], [0.05, 0.05, 0.1, math.nan, 0.5])
    assert np.isnan(births).all()
    assert np.isnan(births_to_detect(0.1, 0.05, within_months=[math.nan, math.inf])).all()
    # No births see a change within less than the first month's point.
    assert births_to_detect(0.1, 0.05, within_months=0.5, chart="p")[0] == math.inf
    assert births_to_detect(0.1, 0.05, within_months=0.5)[0] < math.inf
    ratio = smallest_change_to_detect([0, 20, 20, 20, math.nan], [0.1, 0, 1, math.nan, 0.1])
    assert np.isnan(ratio).all()
    # A halving of next to nothing is never seen in time, nor is a rise of what is nearly all.
    assert np.isnan(smallest_change_to_detect(5, 0.001, within_months=2)[0])
    assert np.isnan(smallest_change_to_detect(5, 0.995, direction="rise")[0])
    assert smallest_change_to_detect(500, 0.001, direction="rise", kind="rate", chart="u")[0] > 1
    assert smallest_change_to_detect(60, 0.6, direction="rise")[0] < 0.99 / 0.6


def test_rates_have_no_ceiling() -> None:
    assert np.isfinite(months_to_detect(5, 1.5, 3, kind="rate", chart="u")).all()
    assert smallest_change_to_detect(20, 1.5, direction="rise", kind="rate", chart="u")[0] < 2
    assert births_to_detect(1.5, 0.7, kind="rate", chart="u", within_months=6)[0] > 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"births": -1}, "births holds -1"),
        ({"before": 1.1}, "before holds 1.1"),
        ({"after": -0.1}, "after holds -0.1"),
        ({"after": [0.1, 0.2], "births": [1, 2, 3]}, "births"),
        ({"false_alarm_months": 0}, "false_alarm_months holds 0"),
        ({"chart": "xbar"}, "chart='xbar'"),
        ({"chart": "u"}, "chart='u'"),
        ({"chart": "p", "kind": "rate"}, "chart='p'"),
        ({"kind": "mean"}, "kind='mean'"),
        ({"every": "fortnight"}, "every='fortnight'"),
    ],
)
def test_out_of_bounds(arguments: dict[str, Any], named: str) -> None:
    good = {"births": 20, "before": 0.1, "after": 0.05}
    with pytest.raises(OptionError, match=named):
        months_to_detect(**{**good, **arguments})


def test_wrong_types_and_the_options_of_the_inverses() -> None:
    with pytest.raises(InputTypeError, match="births"):
        months_to_detect("many", 0.1, 0.05)
    with pytest.raises(InputTypeError, match="within_months"):
        births_to_detect(0.1, 0.05, within_months="soon")
    with pytest.raises(OptionError, match="within_months holds 0"):
        births_to_detect(0.1, 0.05, within_months=[3, 0])
    with pytest.raises(OptionError, match="within_months holds -2"):
        smallest_change_to_detect(20, 0.1, within_months=-2)
    with pytest.raises(OptionError, match="direction='down'"):
        smallest_change_to_detect(20, 0.1, direction="down")
    with pytest.raises(OptionError, match="births holds -3"):
        smallest_change_to_detect(-3, 0.1)
    with pytest.raises(OptionError, match="before holds 3"):
        smallest_change_to_detect(20, 3)
    with pytest.raises(OptionError, match="after holds 3"):
        births_to_detect(0.1, 3)
    with pytest.raises(OptionError, match="chart='u'"):
        births_to_detect(0.1, 0.05, chart="u")
    with pytest.raises(OptionError, match="kind='mean'"):
        smallest_change_to_detect(20, 0.1, kind="mean")
    with pytest.raises(OptionError, match="every='fortnight'"):
        births_to_detect(0.1, 0.05, every="fortnight")
