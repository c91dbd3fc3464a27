"""The columns of the regressions, against columns written out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from qi_equity.change.design import Schedule, make_design
from qi_equity.change.model import ChangeModel

NAN = np.nan


def schedule(starts, periods, phase_in=0, per_year=12):
    starts = np.array(starts, dtype=float)
    time = np.arange(periods)
    segment = (time >= starts[..., None]).sum(axis=-2)
    return Schedule(segment, starts, phase_in, (time / per_year) % 1)


def columns(design, row=0):
    return {
        name: design.own[row, :, j].tolist() for j, name in enumerate(design.terms[: design.own.shape[-1]])
    }


def test_a_level_is_a_constant_and_a_step():
    design = make_design(schedule([[3]], 6), ChangeModel(), 0)
    assert columns(design) == {"level": [1] * 6, "step 1": [0, 0, 0, 1, 1, 1]}
    assert design.level_only
    assert design.shared.shape == (1, 6, 0)
    assert design.segment.tolist() == [[0, 0, 0, 1, 1, 1]]
    assert design.counted[0].tolist() == [[False] * 3 + [True] * 3]
    assert design.without[0, 0].tolist() == [[1, 0]] * 6


def test_time_is_counted_from_the_last_period_before_the_first_change():
    """So that the step is that at the change: at the time 0 of the trend and of the bend."""
    design = make_design(schedule([[3]], 6), ChangeModel("own", slope=True), 0)
    assert columns(design)["trend"] == [-2, -1, 0, 1, 2, 3]
    assert columns(design)["slope 1"] == [0, 0, 0, 1, 2, 3]
    np.testing.assert_array_equal(design.without[0, 0], design.own[0] * [1, 0, 1, 0])
    assert not design.level_only


def test_two_changes_step_up_and_bend_one_after_the_other():
    design = make_design(schedule([[2, 4]], 6), ChangeModel("own", slope=True), 0)
    found = columns(design)
    assert found["step 1"] == [0, 0, 1, 1, 1, 1]
    assert found["step 2"] == [0, 0, 0, 0, 1, 1]
    assert found["trend"] == [-1, 0, 1, 2, 3, 4]
    assert found["slope 2"] == [0, 0, 0, 0, 1, 2]
    assert design.counted[0].tolist() == [[False, False, True, True, False, False], [False] * 4 + [True] * 2]
    dropped = [design.terms.index(n) for n in ("step 2", "slope 2")]
    kept = np.ones(6)
    kept[dropped] = 0
    np.testing.assert_array_equal(design.without[0, 1], design.own[0] * kept)


def test_a_phase_in_is_left_out():
    design = make_design(schedule([[2]], 6, phase_in=2), ChangeModel(), 0)
    assert design.segment.tolist() == [[0, 0, -1, -1, 1, 1]]
    assert design.counted[0].tolist() == [[False] * 4 + [True] * 2]
    assert columns(design)["step 1"] == [0, 0, 1, 1, 1, 1]
    assert design.level_only


def test_a_ramp_grows_in_equal_parts():
    design = make_design(schedule([[2]], 6, phase_in=2), ChangeModel(phase_in="ramp"), 0)
    np.testing.assert_allclose(columns(design)["step 1"], [0, 0, 1 / 3, 2 / 3, 1, 1])
    assert design.segment.tolist() == [[0, 0, 1, 1, 1, 1]]
    assert design.counted[0].tolist() == [[False] * 4 + [True] * 2]
    assert not design.level_only
    without = make_design(schedule([[2]], 6), ChangeModel(phase_in="ramp"), 0)
    assert without.level_only


def test_the_phase_in_of_a_second_change_is_left_out_too():
    design = make_design(schedule([[2, 5]], 8, phase_in=1), ChangeModel(), 0)
    assert design.segment.tolist() == [[0, 0, -1, 1, 1, -1, 2, 2]]


def test_a_season_is_of_sines_and_cosines_of_the_year():
    design = make_design(schedule([[14]], 24), ChangeModel(), 2)
    month = np.arange(24)
    for k in (1, 2):
        np.testing.assert_allclose(
            columns(design)[f"sine {k}"], np.sin(2 * np.pi * k * month / 12), atol=1e-12
        )
        np.testing.assert_allclose(
            columns(design)[f"cosine {k}"], np.cos(2 * np.pi * k * month / 12), atol=1e-12
        )
    assert not design.level_only


def test_a_shared_trend_is_counted_from_each_change():
    design = make_design(schedule([[2], [4], [NAN]], 6), ChangeModel("shared"), 0)
    assert design.shared[..., 0].tolist() == [[-1, 0, 1, 2, 3, 4], [-3, -2, -1, 0, 1, 2], [0, 1, 2, 3, 4, 5]]
    assert design.terms == ("level", "step 1", "shared trend")
    assert not design.level_only


def test_a_stratum_without_a_change_has_a_trend_but_no_step():
    design = make_design(schedule([[2, NAN], [NAN, NAN]], 5), ChangeModel("own"), 0)
    assert columns(design)["step 2"] == [0] * 5
    assert columns(design, 1)["step 1"] == [0] * 5
    assert columns(design, 1)["trend"] == [0, 1, 2, 3, 4]
    used = np.ones((2, 5), dtype=bool)
    assert design.absent(used).tolist() == [[False, False, True, False], [False, True, True, False]]
    assert not design.absent(np.zeros((2, 5), dtype=bool)).any()


def test_a_change_after_which_nothing_is_known_is_absent_and_a_season_never_is():
    design = make_design(schedule([[2, 4]], 6), ChangeModel("own", slope=True), 1)
    used = np.array([[True] * 4 + [False] * 2])
    gone = [name for name, away in zip(design.terms, design.absent(used)[0], strict=True) if away]
    assert gone == ["step 2", "slope 2"]
    only_start = np.array([[True] + [False] * 5])
    gone = [name for name, away in zip(design.terms, design.absent(only_start)[0], strict=True) if away]
    assert gone == ["step 1", "step 2", "slope 1", "slope 2"]


def test_twice_is_the_same_again():
    design = make_design(schedule([[2], [3]], 6), ChangeModel("shared"), 1)
    both = design.twice()
    for name in ("own", "shared", "without", "segment", "counted"):
        np.testing.assert_array_equal(getattr(both, name)[:2], getattr(design, name))
        np.testing.assert_array_equal(getattr(both, name)[2:], getattr(design, name))
    assert both.terms == design.terms


@pytest.mark.parametrize("model", [ChangeModel(), ChangeModel("own", slope=True), ChangeModel("shared")])
def test_leading_axes(model):
    starts = np.array([[[2], [3]], [[4], [5]], [[3], [2]]])
    design = make_design(schedule(starts, 8), model, 1)
    for r in range(3):
        alone = make_design(schedule(starts[r], 8), model, 1)
        for name in ("own", "shared", "without", "segment", "counted"):
            np.testing.assert_array_equal(getattr(design, name)[r], getattr(alone, name))
