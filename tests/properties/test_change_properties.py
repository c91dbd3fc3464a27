"""What holds of every change and every gap: mirrors, units, strata alone, order, missing periods."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from qi_equity.change.design import Schedule, make_design
from qi_equity.change.effects import change_effects
from qi_equity.change.estimate import SCALES, Effects
from qi_equity.change.gap_effects import gap_effects
from qi_equity.change.level import level_effects
from qi_equity.change.model import ChangeModel
from qi_equity.change.verdicts import beyond_trend, change_verdict, gap_verdict
from qi_equity.formulas.interval import Interval

MIRRORED = {
    "narrowed because the reference worsened": "narrowed because the group worsened",
    "narrowed because the group worsened": "narrowed because the reference worsened",
}
ENDS = ("estimate", "lower", "upper")
INTERVALS = ("before", "after", *SCALES)
families = st.sampled_from(["binomial", "poisson"])
numbers = st.floats(-2, 2)
widths = st.floats(0, 1)


@st.composite
def blocks(draw: st.DrawFn, strata: int = 4, periods: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Give events and births of any spread, with some months missing and some without births."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = rng.integers(0, draw(st.sampled_from([20, 300, 5000])), (strata, periods)).astype(float)
    chance = rng.beta(
        draw(st.sampled_from([0.5, 2.0])), draw(st.sampled_from([2.0, 30.0])), (strata, periods)
    )
    events = rng.binomial(size.astype(int), chance).astype(float)
    events[rng.uniform(size=events.shape) < draw(st.sampled_from([0.0, 0.2]))] = np.nan
    return events, size


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    middle = draw(numbers)
    return Interval(*(np.array([a]) for a in (middle, middle - draw(widths), middle + draw(widths))))


def turned(interval: Interval) -> Interval:
    return Interval(-interval.estimate, -interval.upper, -interval.lower)


def level(events, size, family, segment=None):
    segment = np.repeat([0, 1], events.shape[-1] // 2) if segment is None else segment
    return level_effects(
        events, size, np.broadcast_to(segment, events.shape), 1, family=family, confidence=0.95
    )


def held(one: Effects, other: Effects, rtol: float = 1e-8) -> None:
    for name in INTERVALS:
        for end in ENDS:
            np.testing.assert_allclose(
                getattr(getattr(one, name), end), getattr(getattr(other, name), end), rtol=rtol, atol=1e-9
            )
    np.testing.assert_allclose(one.p, other.p, rtol=rtol, atol=1e-12)


@given(blocks(), families)
def test_every_interval_holds_its_estimate_and_all_is_finite_or_said(block, family):
    found = level(*block, family)
    for name in INTERVALS:
        interval = getattr(found, name)
        known = ~np.isnan(interval.estimate)
        assert (interval.lower <= interval.estimate + 1e-9)[known].all()
        assert (interval.estimate <= interval.upper + 1e-9)[known].all()
    x, n = np.where(np.isfinite(block[0]), block[0], 0), np.where(np.isfinite(block[0]), block[1], 0)
    births = np.stack([n[:, :6].sum(1), n[:, 6:].sum(1)])
    both = (births > 0).all(axis=0)
    np.testing.assert_array_equal(~np.isnan(found.difference.lower[:, 0]), both)
    np.testing.assert_array_equal(~np.isnan(found.p[:, 0]), both)
    assert ((found.p >= 0) & (found.p <= 1))[both].all()
    few = np.minimum(x[:, :6].sum(1), x[:, 6:].sum(1)) < 10
    assert (found.exact[:, 0] | ~few)[both].all()
    assert (found.dispersion >= 1).all()


@given(blocks(), families)
def test_a_stratum_is_the_same_alone_and_in_any_order(block, family):
    events, size = block
    found = level(events, size, family)
    held(level(events[::-1], size[::-1], family), found.take(slice(None, None, -1)))
    held(level(events[1:2], size[1:2], family), found.take([1]))


@given(blocks(), families)
def test_the_order_of_periods_within_a_phase_says_nothing_of_a_level(block, family):
    events, size = block
    order = [3, 1, 5, 0, 4, 2, 11, 8, 6, 7, 10, 9]
    held(level(events[:, order], size[:, order], family), level(events, size, family))


@given(blocks(), families)
def test_before_and_after_changed_over_turn_the_ratio_and_the_difference(block, family):
    found, back = level(*block, family), level(*block, family, np.repeat([1, 0], 6))
    np.testing.assert_allclose(back.difference.lower, -found.difference.upper, rtol=1e-7, atol=1e-9)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(back.ratio.lower, 1 / found.ratio.upper, rtol=1e-7)
    np.testing.assert_allclose(back.p, found.p, rtol=1e-8)


@given(blocks(), families, st.integers(2, 40))
def test_more_births_at_the_same_rates_make_no_change_less_visible(block, family, times):
    few, many = (level(block[0] * k, block[1] * k, family) for k in (1, times))
    calm = (many.dispersion == 1) & ~few.exact
    seen = np.isin(change_verdict(few.ratio, 0.75), ("improved", "worsened"))
    np.testing.assert_array_equal(
        change_verdict(few.ratio, 0.75)[calm & seen], change_verdict(many.ratio, 0.75)[calm & seen]
    )


@given(blocks(strata=3, periods=24), families, st.sampled_from(["trend", "shared", "season", "slope"]))
def test_no_data_make_a_warning_and_unknown_is_nan(block, family, name):
    model = {
        "trend": ChangeModel("own"),
        "shared": ChangeModel("shared"),
        "season": ChangeModel(),
        "slope": ChangeModel("own", slope=True),
    }[name]
    starts = np.array([[12.0], [10.0], [np.nan]])
    time = np.arange(24)
    segment = (time >= starts[..., None]).sum(axis=-2)
    design = make_design(Schedule(segment, starts, 0, time / 12 % 1), model, int(name == "season"))
    found = change_effects(*block, design, family=family, confidence=0.95)
    assert np.isnan(found.ratio.lower[2, 0])
    known = np.isfinite(found.ratio.estimate) & np.isfinite(found.ratio.upper)
    assert (found.ratio.lower <= found.ratio.upper)[known].all()
    verdict = change_verdict(found.ratio, 0.75)
    assert (verdict[np.isnan(found.ratio.lower)] == "not yet visible").all()
    assert beyond_trend(found.ratio, found.ratio, 0.75)[2, 0] == "cannot tell"


@given(intervals(), intervals(), intervals(), numbers, numbers, st.floats(0.001, 1))
def test_group_and_reference_changed_over_mirror_the_verdict_of_their_gap(b, a, c, own, reference, margin):
    def said(parts, *moves):
        return gap_verdict(*parts, *(np.array([m]) for m in (*moves, margin)))[0]

    one = said((b, a, c), own, reference)
    other = said(tuple(turned(i) for i in (b, a, c)), reference, own)
    assert other == MIRRORED.get(one, one)


@given(blocks(), families)
def test_group_and_reference_changed_over_mirror_every_scale(block, family):
    found = level(*block, family)
    group, reference = found.take(slice(0, 2)), found.take(slice(2, 4))
    one, other = gap_effects(group, reference, 0.75), gap_effects(reference, group, 0.75)
    for scale in SCALES:
        ends = [
            getattr(getattr(one[scale], part), end) for part in ("before", "after", "change") for end in ENDS
        ]
        back = [
            getattr(getattr(other[scale], part), end)
            for part in ("before", "after", "change")
            for end in ("estimate", "upper", "lower")
        ]
        for got, turn in zip(ends, back, strict=True):
            with np.errstate(divide="ignore"):
                expected = -turn if scale == "difference" else 1 / turn
            np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-9)
        if scale != "difference":
            mirrored = [MIRRORED.get(w, w) for w in other[scale].verdict.ravel()]
            np.testing.assert_array_equal(one[scale].verdict.ravel(), mirrored)


@given(blocks(), st.floats(0.01, 100))
def test_a_unit_changes_nothing_on_the_scale_of_ratios(block, unit):
    events, size = block
    assume((size > 0).any())
    one, other = (level(events, size * u, "poisson") for u in (1, unit))
    gaps = [gap_effects(e.take([0, 1]), e.take([2, 3]), 0.75)["ratio"] for e in (one, other)]
    for part in ("before", "after", "change"):
        for end in ENDS:
            np.testing.assert_allclose(*(getattr(getattr(g, part), end) for g in gaps), rtol=1e-6)
    words = [change_verdict(e.ratio, 0.75) for e in (one, other)]
    edge = (np.abs(one.ratio.upper - 1) < 1e-6) | (np.abs(one.ratio.lower - 1) < 1e-6)
    np.testing.assert_array_equal(words[0][~edge], words[1][~edge])
    np.testing.assert_array_equal(gaps[0].verdict, gaps[1].verdict)


@given(st.floats(0.05, 0.95), st.floats(0.01, 3), st.floats(0.01, 3), st.floats(0.01, 3))
def test_a_verdict_turns_with_its_ratio(meaningful, a, b, c):
    low, middle, high = sorted((a, b, c))
    ratio = Interval(*(np.array([v]) for v in (middle, low, high)))
    back = Interval(*(np.array([1 / v]) for v in (middle, high, low)))
    turn = {"improved": "worsened", "worsened": "improved"}
    edges = (low * meaningful, high * meaningful, low / meaningful, high / meaningful)
    assume(all(abs(v - 1) > 1e-9 for v in (low, high, *edges)))
    one, other = (str(change_verdict(r, meaningful)[0]) for r in (ratio, back))
    assert other == turn.get(one, one)
    assert (beyond_trend(ratio, ratio, meaningful) == beyond_trend(back, back, meaningful)).all()
