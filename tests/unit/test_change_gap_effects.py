"""Gaps from the changes of two groups: against the four counts, and what the scales say of one another."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from qi_equity.change.estimate import SCALES
from qi_equity.change.gap_effects import gap_effects
from qi_equity.change.level import level_effects

SEGMENT = np.repeat([0, 1], 2)


def changes(before, after, family="binomial", confidence=0.95):
    """Effects of groups with events and births before and after, in two periods each that agree."""
    x = np.array([[b[0] / 2, b[0] / 2, a[0] / 2, a[0] / 2] for b, a in zip(before, after, strict=True)])
    n = np.array([[b[1] / 2, b[1] / 2, a[1] / 2, a[1] / 2] for b, a in zip(before, after, strict=True)])
    segment = np.broadcast_to(SEGMENT, x.shape)
    return level_effects(x, n, segment, 1, family=family, confidence=confidence)


def gaps(group, reference, meaningful=0.75, family="binomial", **options):
    own, other = (changes([side[0]], [side[1]], family) for side in (group, reference))
    return gap_effects(own, other, meaningful, **options)


def three(interval):
    return [float(end[0, 0]) for end in (interval.estimate, interval.lower, interval.upper)]


# Events and births before and after, of a group and of its reference.
BLACK, WHITE = ((108, 900), (54, 900)), ((240, 4800), (240, 4800))


def test_the_ratio_of_odds_ratios_of_four_cells():
    """Variances of the log odds of all four cells add up; with t for two periods to spare on each side."""
    found = gaps(BLACK, WHITE)["odds_ratio"]
    cells = np.array([54 / 900, 108 / 900, 240 / 4800, 240 / 4800])
    sizes = np.array([900, 900, 4800, 4800])
    log = np.log(cells / (1 - cells)) @ [1, -1, -1, 1]
    half = stats.t.ppf(0.975, 2) * np.sqrt((1 / (sizes * cells * (1 - cells))).sum())
    np.testing.assert_allclose(three(found.change), np.exp(log + np.array([0, -half, half])), rtol=1e-9)
    before = three(found.before)[0]
    assert before == pytest.approx(0.12 / 0.88 / (0.05 / 0.95), rel=1e-12)
    assert three(found.change)[0] == pytest.approx(three(found.after)[0] / before, rel=1e-12)


def test_the_ratio_of_rate_ratios_and_the_difference_in_differences():
    found = gaps(BLACK, WHITE)
    ratio = found["ratio"]
    variance = 1 / 54 + 1 / 108 - 2 / 900 + 2 / 240 - 2 / 4800
    half = stats.t.ppf(0.975, 2) * np.sqrt(variance)
    np.testing.assert_allclose(three(ratio.change), 0.5 * np.exp(np.array([0, -half, half])), rtol=1e-9)
    assert three(ratio.before)[0] == pytest.approx(0.12 / 0.05)
    difference = found["difference"]
    own, other = changes([BLACK[0]], [BLACK[1]]), changes([WHITE[0]], [WHITE[1]])
    d, low, high = three(own.difference)
    d0, low0, high0 = three(other.difference)
    lower, upper = np.hypot(d - low, high0 - d0), np.hypot(high - d, d0 - low0)
    expected = [d - d0, d - d0 - lower, d - d0 + upper]
    np.testing.assert_allclose(three(difference.change), expected, rtol=1e-9)
    assert three(difference.change)[0] == pytest.approx(-0.06)
    assert three(difference.before)[0] == pytest.approx(0.07)
    assert three(difference.after)[0] == pytest.approx(0.01)


def test_the_variance_of_a_gap_is_the_sum_of_its_two_groups():
    own, other = changes([BLACK[0]], [BLACK[1]]), changes([WHITE[0]], [WHITE[1]])

    def variance(interval):
        return (np.log(interval.upper / interval.lower) / 2) ** 2

    for scale in ("ratio", "odds_ratio"):
        gap = gap_effects(own, other, 0.75)[scale].change
        np.testing.assert_allclose(
            variance(gap), variance(getattr(own, scale)) + variance(getattr(other, scale)), rtol=1e-9
        )


def test_both_rates_halve_the_difference_narrows_and_the_ratio_does_not():
    found = gaps(((1200, 10000), (600, 10000)), ((600, 12000), (300, 12000)))
    assert found["difference"].verdict.tolist() == [["narrowed"]]
    assert three(found["difference"].change)[0] == pytest.approx(-0.035)
    assert found["ratio"].verdict.tolist() != [["narrowed"]]
    assert three(found["ratio"].change)[0] == pytest.approx(1)
    many = gaps(((12000, 100000), (6000, 100000)), ((6000, 120000), (3000, 120000)))
    assert many["ratio"].verdict.tolist() == [["no meaningful change"]]


def test_levelling_down_is_said_on_every_scale():
    """The group stays as it was, and the reference worsens."""
    found = gaps(((1200, 10000), (1200, 10000)), ((500, 10000), (900, 10000)))
    assert {str(found[s].verdict[0, 0]) for s in SCALES} == {"narrowed because the reference worsened"}
    mirrored = gaps(((500, 10000), (900, 10000)), ((1200, 10000), (1200, 10000)))
    assert {str(mirrored[s].verdict[0, 0]) for s in SCALES} == {"narrowed because the group worsened"}


def test_a_group_better_than_its_reference_that_improves_more_has_a_wider_gap():
    found = gaps(((400, 10000), (200, 10000)), ((800, 10000), (800, 10000)))
    assert {str(found[s].verdict[0, 0]) for s in SCALES} == {"widened"}


def test_a_gap_is_reversed():
    found = gaps(((1200, 10000), (300, 10000)), ((800, 10000), (800, 10000)))
    assert {str(found[s].verdict[0, 0]) for s in ("ratio", "odds_ratio")} == {"reversed"}


def test_what_a_meaningful_change_is():
    """Of a ratio the one given; of a difference one that the group's own rate would make."""
    calm = ((10000, 100000), (10000, 100000))
    found = gaps(calm, calm, 0.9)
    assert {str(found[s].verdict[0, 0]) for s in SCALES} == {"no meaningful change"}
    d = three(found["difference"].change)
    assert gaps(calm, calm, 1 - d[2] / 0.1 - 1e-6)["difference"].verdict[0, 0] == "no meaningful change"
    assert gaps(calm, calm, 1 - d[2] / 0.1 + 1e-6)["difference"].verdict[0, 0] == "not yet visible"
    lower = ((2000, 100000), (2000, 100000))
    end = three(gaps(calm, lower)["difference"].change)[2]
    assert gaps(calm, lower, 1 - end / 0.1 - 1e-6)["difference"].verdict[0, 0] == "no meaningful change"
    assert gaps(calm, lower, 1 - end / 0.1 + 1e-6)["difference"].verdict[0, 0] == "not yet visible"
    r = three(found["ratio"].change)
    assert gaps(calm, calm, r[1] - 1e-6)["ratio"].verdict[0, 0] == "no meaningful change"
    assert gaps(calm, calm, r[1] + 1e-6)["ratio"].verdict[0, 0] == "not yet visible"


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_a_group_without_events_on_a_side_has_a_gap_with_an_end(family):
    found = gaps(((12, 200), (0, 200)), ((240, 4800), (240, 4800)), family=family)
    for scale in ("ratio",) if family == "poisson" else ("ratio", "odds_ratio"):
        estimate, lower, upper = three(found[scale].change)
        assert (estimate, lower) == (0, 0)
        assert 0 < upper < np.inf
        assert three(found[scale].after)[:2] == [0, 0]
        assert np.isfinite(three(found[scale].after)[2])
    assert np.isfinite(three(found["difference"].change)).all()
    none = gaps(((0, 200), (0, 200)), ((240, 4800), (240, 4800)), family=family)
    estimate, lower, upper = three(none["ratio"].change)
    assert np.isnan(estimate)
    assert (lower, upper) == (0, np.inf)
    assert none["ratio"].verdict[0, 0] == "not yet visible"


def test_the_end_of_a_gap_without_events_is_wider_than_any_sum_of_squares():
    own, other = changes([(12, 200)], [(0, 200)]), changes([WHITE[0]], [WHITE[1]])
    change = gap_effects(own, other, 0.75)["ratio"].change
    assert change.upper[0, 0] == pytest.approx(own.ratio.upper[0, 0] / other.ratio.lower[0, 0], rel=1e-12)


def test_rates_have_no_odds():
    found = gaps(BLACK, WHITE, family="poisson")
    for interval in (found["odds_ratio"].before, found["odds_ratio"].after, found["odds_ratio"].change):
        assert np.isnan(three(interval)).all()
    assert found["odds_ratio"].verdict[0, 0] == "not yet visible"
    assert found["ratio"].verdict[0, 0] == "not yet visible"


def test_births_that_are_all_or_never_events_have_odds_without_warning():
    found = gaps(((200, 200), (150, 200)), ((100, 200), (100, 200)))["odds_ratio"]
    assert np.isinf(found.before.estimate[0, 0])
    assert found.change.lower[0, 0] == 0
    assert np.isfinite(found.change.upper[0, 0])


def test_of_rates_of_which_more_is_better_the_lower_is_the_worse():
    """Contacts per birth: the group rises from 1 to 2, the reference stays at 4: the gap narrows."""
    group, reference = ((1000, 1000), (2000, 1000)), ((4000, 1000), (4000, 1000))
    own, other = (changes([s[0]], [s[1]], "poisson").reversed() for s in (group, reference))
    found = gap_effects(own, other, 0.75, reverse=True)
    assert found["difference"].verdict[0, 0] == "narrowed"
    assert found["ratio"].verdict[0, 0] == "narrowed"
    assert three(found["ratio"].before)[0] == pytest.approx(4)
    assert three(found["ratio"].after)[0] == pytest.approx(2)
    assert three(found["ratio"].change)[0] == pytest.approx(0.5)
    assert three(found["difference"].before)[0] == pytest.approx(3)
    assert three(found["difference"].change)[0] == pytest.approx(-1)
