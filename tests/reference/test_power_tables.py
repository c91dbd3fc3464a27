"""Power of a before and after comparison and of that of a gap, and smallest falls, against tables.

The tables are of 1,200 simulated series a cell (error 0.014), of a normal test of four cells, and of the
sizes of an ordinary trust, all reckoned independently of this library. No published ones were found. The
smallest ratios of odds ratios beside the second are judged in tests/unit/test_formulas_detectable_change.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from qi_equity.formulas.detectable_change import smallest_detectable_ratio
from qi_equity.formulas.detectable_gap_change import power_of_gap_change
from qi_equity.formulas.evaluation_power import evaluation_power, gap_change_power
from qi_equity.formulas.expected_inflation import expected_inflation
from qi_equity.formulas.glm import fit_glm

TABLES = json.loads((Path(__file__).parent / "power_tables.json").read_text(encoding="utf-8"))
CELLS = [pytest.param(*cell, id="-".join(map(str, cell[:4]))) for cell in TABLES["change"]["cells"]]
GAPS = TABLES["gap"]["cells"]
SEEN = TABLES["smallest_fall"]["cells"]
DRAWS = 2000
"""More series than the tables have: the error of a difference is below 0.019."""


def wald_power(births, before, after, first, last, *, trend):
    """Say how often a quasi-binomial regression, its scale floored at 1, shows a step on the log odds."""
    rng = np.random.default_rng(11)
    time = np.arange(first + last)
    step = time >= first
    events = rng.binomial(births, np.where(step, after, before), (DRAWS, time.size))
    design = np.column_stack(
        [np.ones(time.size), step, time - first] if trend else [np.ones(time.size), step]
    )
    fit = fit_glm(events, births, design)
    error = np.sqrt(np.maximum(1, fit.dispersion) * fit.covariance[:, 1, 1])
    with np.errstate(invalid="ignore"):
        return (fit.coef[:, 1] + stats.t.ppf(0.975, time.size - design.shape[1]) * error < 0).mean()


@pytest.mark.parametrize(("births", "after", "first", "last", "level", "trend"), CELLS)
def test_power_of_a_change(births, after, first, last, level, trend):
    """The regression of the table reproduces it; the library's own power stands beside it.

    The library tests the ratio of rates, not of odds, and exactly where a cell has fewer than 10 events: with
    10 births a month it shows a little more (0.28 for 0.24). With a trend and next to no events it drops the
    trend, and shows more still.
    """
    found = [wald_power(births, 0.12, after, first, last, trend=t) for t in (False, True)]
    assert found == pytest.approx([level, trend], abs=0.04)
    plan = {"periods_before": first, "periods_after": last, "draws": DRAWS}
    own_level, own_trend = (
        evaluation_power(births, 0.12, after, model=m, **plan).power[0] for m in ("level", "level+trend")
    )
    assert own_level == pytest.approx(level, abs=0.04 if births > 10 else 0.05)
    if births == 10:
        assert own_trend > trend - 0.02
    else:
        assert own_trend == pytest.approx(trend, abs=0.04)


@pytest.mark.parametrize(("group", "reference", "after", "power"), GAPS)
def test_power_of_the_change_of_a_gap(group, reference, after, power):
    """The normal test of four cells has the power of the table; that of the evaluation is lower.

    Its t intervals and its dispersion, which is 1 or more, count as a variance 1.25 times as large.
    """
    rates, births = np.array([after, 0.12, 0.05, 0.05]), 12 * np.array([group, group, reference, reference])
    log = abs(special.logit(after) - special.logit(0.12))
    four_cells = stats.norm.cdf(
        log / np.sqrt((1 / (births * rates * (1 - rates))).sum()) - stats.norm.ppf(0.975)
    )
    assert four_cells == pytest.approx(power, abs=0.04)
    ratio, sizes = np.exp(-log), (12 * group, 12 * group, 0.05, 12 * reference, 12 * reference)
    assert power_of_gap_change(0.12, ratio, *sizes, scale="odds-ratio")[0] == pytest.approx(power, abs=0.04)
    wide = expected_inflation(12, 12)
    planned = power_of_gap_change(
        0.12, ratio, *sizes, scale="odds-ratio", inflation=wide, reference_inflation=wide
    )
    plan = {"periods_before": 12, "periods_after": 12, "scale": "odds-ratio", "draws": DRAWS}
    own = gap_change_power(group, 0.12, after, reference, 0.05, **plan).power
    assert wide.round(2) == 1.25
    assert own[0] < power
    assert own == pytest.approx(planned, abs=0.045 if group == 10 else 0.03)


@pytest.mark.parametrize(("sites", "fall"), SEEN)
def test_smallest_fall_of_haemorrhage(sites, fall):
    """Two years before and one after, without an allowance for dispersion; with it the falls are larger."""
    table = TABLES["smallest_fall"]
    births, rate = sites * 5000 / 12 * np.array(table["shares"]), table["rate"]
    found = smallest_detectable_ratio(rate, 24 * births, 12 * births)
    shown = 1 - found[: len(fall)]
    assert shown == pytest.approx(fall, abs=0.01)
    inflated = 1 - smallest_detectable_ratio(
        rate, 24 * births, 12 * births, inflation=expected_inflation(24, 12)
    )
    assert (inflated[: len(fall)] > shown).all()
    assert np.isnan(found[len(fall) :]).all()
