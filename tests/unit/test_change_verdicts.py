"""Each verdict, each boundary, and what cannot be said. The rules are our own: there is no outside oracle."""

from __future__ import annotations

import numpy as np
import pytest

from qi_equity.change import verdicts
from qi_equity.change.verdicts import beyond_trend, change_verdict, family_verdict, gap_verdict
from qi_equity.formulas.interval import Interval

NAN, INF = np.nan, np.inf
IMPROVED, WORSENED, NO_CHANGE, NOT_VISIBLE = (
    "improved",
    "worsened",
    "no meaningful change",
    "not yet visible",
)


def interval(estimate, lower, upper):
    return Interval(*(np.array([a], dtype=float) for a in (estimate, lower, upper)))


RATIOS = [
    ((0.5, 0.3, 0.9), IMPROVED),
    ((0.9, 0.85, 0.99), IMPROVED),
    ((0.8, 0.6, 1.0), NOT_VISIBLE),
    ((0.9, 0.8, 1.0), NO_CHANGE),
    ((0.95, 0.75, 4 / 3), NO_CHANGE),
    ((0.95, 0.7499, 1.2), NOT_VISIBLE),
    ((1.1, 0.9, 1.334), NOT_VISIBLE),
    ((1.1, 1.0, 1.2), NO_CHANGE),
    ((1.1, 1.0, 1.5), NOT_VISIBLE),
    ((1.1, 1.001, 1.2), WORSENED),
    ((1.5, 1.2, 1.9), WORSENED),
    ((0.0, 0.0, 0.8), IMPROVED),
    ((0.0, 0.0, 1.7), NOT_VISIBLE),
    ((INF, 1.4, INF), WORSENED),
    ((INF, 0.6, INF), NOT_VISIBLE),
    ((NAN, 0.0, INF), NOT_VISIBLE),
    ((NAN, NAN, NAN), NOT_VISIBLE),
    ((0.5, NAN, 0.8), NOT_VISIBLE),
    ((0.5, -INF, 0.8), NOT_VISIBLE),
    ((1.5, 1.2, NAN), NOT_VISIBLE),
]


@pytest.mark.parametrize(("ratio", "said"), RATIOS)
def test_the_verdict_of_a_stratum_and_its_boundaries(ratio, said):
    assert change_verdict(interval(*ratio), 0.75).tolist() == [said]
    turned = {IMPROVED: "fell", WORSENED: "rose"}.get(said, said)
    assert change_verdict(interval(*ratio), 0.75, directed=False).tolist() == [turned]
    assert said in verdicts.VERDICTS
    assert turned in verdicts.VERDICTS


def test_a_family_is_of_the_declared_strata_only():
    """Holm of three p-values: 0.01, 0.02, 0.03 are 0.03, 0.04, 0.04; without one of them 0.02, 0.03."""
    ratio = Interval(
        np.array([0.5, 0.7, 1.4, 0.98]), np.array([0.3, 0.5, 1.1, 0.95]), np.array([0.9, 0.95, 1.8, 0.999])
    )
    p = np.array([0.010, 0.030, 0.020, 0.045])
    verdict = change_verdict(ratio, 0.75)
    assert verdict.tolist() == [IMPROVED, IMPROVED, WORSENED, IMPROVED]
    held, adjusted = family_verdict(verdict, ratio, p, np.ones(4, bool), 0.75, 0.05)
    np.testing.assert_allclose(adjusted, [0.04, 0.06, 0.06, 0.06])
    assert held.tolist() == [IMPROVED, NOT_VISIBLE, NOT_VISIBLE, NO_CHANGE]
    held, adjusted = family_verdict(verdict, ratio, p, np.array([True, False, True, False]), 0.75, 0.05)
    np.testing.assert_allclose(adjusted, [0.02, NAN, 0.02, NAN])
    assert held.tolist() == [IMPROVED, IMPROVED, WORSENED, IMPROVED]


def test_a_family_of_one_says_what_its_member_says_and_the_level_itself_is_not_enough():
    ratio = interval(0.7, 0.5, 0.97)
    one = np.array([True])
    assert family_verdict(np.array([IMPROVED]), ratio, np.array([0.03]), one, 0.75, 0.05)[0][0] == IMPROVED
    assert family_verdict(np.array([IMPROVED]), ratio, np.array([0.05]), one, 0.75, 0.05)[0][0] == NOT_VISIBLE
    rose = np.array(["rose"])
    assert family_verdict(rose, ratio, np.array([0.2]), one, 0.75, 0.05)[0][0] == NOT_VISIBLE


def test_what_is_no_change_stays_so_in_a_family_and_no_p_is_no_member():
    ratio = Interval(np.array([1.0, NAN]), np.array([0.9, NAN]), np.array([1.1, NAN]))
    verdict = change_verdict(ratio, 0.75)
    held, adjusted = family_verdict(verdict, ratio, np.array([0.9, NAN]), np.ones(2, bool), 0.75, 0.05)
    assert held.tolist() == [NO_CHANGE, NOT_VISIBLE]
    np.testing.assert_array_equal(adjusted, [0.9, NAN])


STEPS = [
    # the change, its step beside trend and season, whether it stands apart
    (0.6, (0.7, 0.5, 0.99), "yes"),
    (0.6, (0.7, 0.5, 1.0), "cannot tell"),
    (0.6, (1.0, 0.75, 1.4), "no"),
    (0.6, (1.0, 0.74, 1.4), "cannot tell"),
    (0.6, (1.6, 1.2, 2.0), "no"),
    (1.5, (1.6, 1.2, 2.0), "yes"),
    (1.5, (1.1, 1.0, 2.0), "cannot tell"),
    (1.5, (0.9, 0.6, 4 / 3), "no"),
    (1.5, (0.6, 0.4, 0.9), "no"),
    (1.0, (0.6, 0.4, 0.9), "yes"),
    (0.6, (NAN, NAN, NAN), "cannot tell"),
    (0.6, (0.0, -INF, 0.9), "cannot tell"),
    (1.5, (2.0, 1.1, INF), "cannot tell"),
    (NAN, (0.6, 0.4, 0.9), "cannot tell"),
]


@pytest.mark.parametrize(("change", "step", "said"), STEPS)
def test_whether_a_change_stands_apart_from_the_trend(change, step, said):
    found = beyond_trend(interval(change, change, change), interval(*step), 0.75)
    assert found.tolist() == [said]
    assert said in verdicts.BEYOND


def gap(before, after, own, reference, *, half=0.01, margin=0.03, wide=None):
    """A gap of estimates with intervals of these half-widths; the change is that of the estimates."""
    change = own - reference
    wide = wide or {}
    parts = {"before": before, "after": after, "change": change}
    intervals = [interval(v, v - wide.get(name, half), v + wide.get(name, half)) for name, v in parts.items()]
    return gap_verdict(*intervals, np.array([own]), np.array([reference]), np.array([margin]))[0]


GAPS = {
    "narrowed: the group improved": ((0.10, 0.04, -0.06, 0.00), "narrowed"),
    "narrowed: both improved": ((0.10, 0.04, -0.08, -0.02), "narrowed"),
    "narrowed: to none": ((0.10, 0.00, -0.10, 0.00), "narrowed"),
    "narrowed: the reference worsened": ((0.10, 0.04, 0.00, 0.06), "narrowed because the reference worsened"),
    "narrowed: both worsened": ((0.10, 0.04, 0.02, 0.08), "narrowed because the reference worsened"),
    "narrowed: half and half": ((0.10, 0.04, -0.03, 0.03), "narrowed because the reference worsened"),
    "narrowed: less than half by the reference": ((0.10, 0.04, -0.04, 0.02), "narrowed"),
    "widened: the group worsened": ((0.10, 0.16, 0.06, 0.00), "widened"),
    "widened: the reference improved alone": ((0.10, 0.16, 0.00, -0.06), "widened"),
    "widened: both improved": ((0.10, 0.16, -0.02, -0.08), "widened"),
    "reversed": ((0.04, -0.10, -0.14, 0.00), "reversed"),
    "reversed: as far as it was": ((0.05, -0.05, -0.10, 0.00), "reversed"),
    "crossed, not visibly": ((0.05, -0.005, -0.055, 0.00), "narrowed"),
    "no gap before: one opened": ((0.005, -0.06, -0.065, 0.00), "widened"),
    "no gap before: one opened, above": ((0.005, 0.07, 0.065, 0.00), "widened"),
    "none at all before": ((0.0, -0.06, -0.06, 0.00), "widened"),
    "none at all before, and after not visibly": ((0.0, -0.06, -0.06, 0.00), "widened", {"after": 0.07}),
    "no change": ((0.10, 0.09, -0.005, 0.005), "no meaningful change"),
    "no change: both improved alike": ((0.10, 0.10, -0.05, -0.05), "no meaningful change"),
    "not visible": ((0.10, 0.07, -0.03, 0.00), "not yet visible", {"change": 0.04}),
    "within the margin exactly": ((0.10, 0.10, 0.00, 0.00), "no meaningful change", {"change": 0.03}),
    "just beyond the margin": ((0.10, 0.10, 0.00, 0.00), "not yet visible", {"change": 0.0301}),
    "a gap that may have closed": (
        (0.025, 0.025, 0.00, 0.00),
        "not yet visible",
        {"before": 0.01, "after": 0.01, "change": 0.026},
    ),
    "a gap that cannot have closed": (
        (0.025, 0.025, 0.00, 0.00),
        "no meaningful change",
        {"before": 0.01, "after": 0.01, "change": 0.024},
    ),
    "a small gap that may have closed": ((0.02, 0.01, -0.01, 0.00), "not yet visible", {"change": 0.015}),
    "a small gap that has not closed": (
        (0.02, 0.019, -0.001, 0.00),
        "no meaningful change",
        {"change": 0.018},
    ),
    "no gap before, and no room for one": (
        (0.005, 0.0, -0.005, 0.00),
        "no meaningful change",
        {"change": 0.015},
    ),
    "moved, but no one can tell where to": (
        (0.02, -0.06, -0.08, 0.00),
        "not yet visible",
        {"before": 0.03, "after": 0.07, "change": 0.07},
    ),
}
MIRRORED = {"narrowed because the reference worsened": "narrowed because the group worsened"}


@pytest.mark.parametrize("case", GAPS)
def test_what_happened_to_a_gap_and_its_mirror(case):
    """A group better off than its reference is the mirror image: its gap is below 0."""
    (before, after, own, reference), said, *wide = GAPS[case]
    assert after == pytest.approx(before + own - reference)
    options = {"wide": wide[0]} if wide else {}
    assert gap(before, after, own, reference, **options) == said
    mirrored = MIRRORED.get(said, said)
    assert gap(-before, -after, reference, own, **options) == mirrored
    assert {said, mirrored} <= set(verdicts.GAP_VERDICTS)


@pytest.mark.parametrize("missing", ["before", "change", "end"])
def test_of_a_gap_that_is_not_known_nothing_is_said(missing):
    known = interval(0.1, 0.09, 0.11)
    change = interval(-0.06, -0.07, -0.05)
    unknown = interval(NAN, NAN, NAN)
    before = unknown if missing == "before" else known
    moved = {"change": unknown, "end": interval(-0.06, -0.07, NAN)}.get(missing, change)
    said = gap_verdict(
        before, interval(0.04, 0.03, 0.05), moved, *(np.array([a]) for a in (-0.06, 0.0, 0.03))
    )
    assert said.tolist() == [NOT_VISIBLE]


def test_where_it_is_not_known_who_moved_no_one_is_named():
    parts = interval(0.1, 0.09, 0.11), interval(0.04, 0.03, 0.05), interval(-0.06, -0.07, -0.05)
    moves = (np.array([a]) for a in (NAN, NAN, 0.03))
    assert gap_verdict(*parts, *moves).tolist() == ["narrowed"]


def test_a_group_without_an_event_after_has_a_ratio_of_0_that_reverses_nothing_by_itself():
    """On the log scale 0 is at minus infinity; what is visible is the upper end."""
    before = interval(0.9, 0.4, 1.4)
    moved = interval(-INF, -INF, -0.1)
    args = (np.array([-INF]), np.array([0.0]), np.array([0.29]))
    assert gap_verdict(before, interval(-INF, -INF, 0.5), moved, *args).tolist() == ["narrowed"]
    assert gap_verdict(before, interval(-INF, -INF, -0.2), moved, *args).tolist() == ["reversed"]
    unsure = interval(-INF, -INF, 0.1)
    assert gap_verdict(before, interval(-INF, -INF, 0.5), unsure, *args).tolist() == [NOT_VISIBLE]


def test_any_shape():
    block = Interval(*(np.full((2, 3, 1), a) for a in (0.5, 0.3, 0.9)))
    assert change_verdict(block, 0.75).shape == (2, 3, 1)
    assert beyond_trend(block, block, 0.75).shape == (2, 3, 1)
