"""The rules that turn estimates into verdicts, over any number of leading axes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from qi_equity.change.estimate import Effects
from qi_equity.change.judge import judge, trend_model
from qi_equity.change.model import ChangeModel
from qi_equity.formulas.interval import Interval


def effects(ratio: list, error: float, shape: tuple[int, ...]) -> Effects:
    """Changes with normal intervals of the logarithm, as they would be with so large a standard error."""
    log = np.log(np.array(ratio, dtype=float)).reshape(shape)
    interval = Interval(np.exp(log), np.exp(log - 1.96 * error), np.exp(log + 1.96 * error))
    p = 2 * (1 - np.vectorize(_normal)(np.abs(log) / error))
    still = np.ones(shape)
    parts = dict.fromkeys(("before", "after", "difference", "ratio", "odds_ratio"), interval)
    return Effects(**parts, p=p, dispersion=still, df=still * 22, exact=still < 0)


def _normal(z: float) -> float:
    return 0.5 * (1 + math.erf(z / math.sqrt(2)))


def test_each_network_is_a_family_of_its_own():
    # By itself each 0.8 is improved (z = 2.23, p = 0.026); beside an 0.9 Holm doubles it to 0.051.
    own = effects([0.8, 0.9, 0.8, 0.5], 0.1, (2, 2, 1))
    found = judge(own, own, np.ones(1, dtype=bool), 0.75, 0.95)
    assert found.verdict[..., 0].tolist() == [["improved", "not yet visible"], ["improved", "improved"]]
    assert found.family_verdict[..., 0].tolist() == [
        ["not yet visible", "not yet visible"],
        ["improved", "improved"],
    ]
    assert found.family_p[0, 0, 0] == pytest.approx(2 * own.p[0, 0, 0])
    assert found.family_p[1, 0, 0] == pytest.approx(own.p[1, 0, 0])


def test_strata_and_their_changes_are_one_family():
    own = effects([0.8, 0.9], 0.1, (1, 2))
    apart = judge(own, own, np.ones((1, 1), dtype=bool), 0.75, 0.95)
    across = judge(effects([0.8, 0.9], 0.1, (2, 1)), own, np.ones((2, 1), dtype=bool), 0.75, 0.95)
    assert apart.family_p.shape == (1, 2)
    assert apart.family_p.ravel() == pytest.approx(across.family_p.ravel())
    assert apart.family_verdict[0, 0] == "not yet visible"


def test_strata_that_are_not_declared_are_judged_alone():
    own = effects([0.8, 0.8, 0.9], 0.1, (3, 1))
    found = judge(own, own, np.array([[True], [False], [False]]), 0.75, 0.95)
    assert found.family_verdict[:, 0].tolist() == ["improved", "improved", "not yet visible"]
    assert np.isnan(found.family_p[1:]).all()


def test_a_step_found_without_the_trend_tells_nothing_of_it():
    own = effects([0.5, 0.5], 0.1, (2, 1))
    step = replace(own, exact=np.array([[True], [False]]))
    assert judge(own, step, np.ones(1, dtype=bool), 0.75, 0.95).beyond_trend[:, 0].tolist() == [
        "cannot tell",
        "yes",
    ]


def test_a_step_the_other_way_is_not_beyond_the_trend():
    own = effects([0.5, 2.0, 0.5], 0.1, (3, 1))
    step = effects([2.0, 0.5, 0.99], 0.1, (3, 1))
    found = judge(own, step, np.ones(1, dtype=bool), 0.75, 0.95)
    assert found.beyond_trend[:, 0].tolist() == ["no", "no", "no"]


def test_without_a_direction_rates_rise_and_fall():
    own = effects([0.5, 2.0], 0.1, (2, 1))
    found = judge(own, own, np.ones(1, dtype=bool), 0.75, 0.95, directed=False)
    assert found.verdict[:, 0].tolist() == ["fell", "rose"]


@pytest.mark.parametrize(
    ("before", "per_year", "harmonics", "expected"),
    [(24, 12, 0, 1), (23, 12, 0, 0), (23, 12, 2, 2), (24, 12, 2, 2), (8, 4, 0, 1), (5, 1, 0, 0)],
)
def test_a_season_is_part_of_the_trend_where_two_years_show_it(before, per_year, harmonics, expected):
    assert trend_model(ChangeModel(), harmonics, before, per_year) == (ChangeModel(trend="own"), expected)


def test_a_shared_trend_stays_shared_and_a_bend_is_left_out():
    shared = ChangeModel(trend="shared", phase_in="ramp")
    assert trend_model(shared, 0, 12, 12) == (shared, 0)
    assert trend_model(ChangeModel(trend="own", slope=True), 0, 12, 12) == (ChangeModel(trend="own"), 0)
