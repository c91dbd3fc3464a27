"""What must hold of gaps whatever the counts: mirrored sides, any unit, a missing period, strata alone."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

import qi_equity as qe
from qi_equity.equity.gap_chart.gap_chart import gap_chart
from qi_equity.formulas.gap_chances import gap_tails
from qi_equity.formulas.gap_limits import gap_limits
from qi_equity.formulas.observed_expected import observed_expected

sizes = st.integers(5, 400)
chances = st.floats(0.01, 0.9)
MEASURE = qe.Measure("Harm", "proportion", "lower")


@given(sizes, chances, sizes, chances)
@settings(deadline=None)
def test_sides_that_change_places_mirror_the_limits(n, p, m, q):
    here, there = (gap_limits(*sides, scale="difference") for sides in ((p, n, q, m), (q, m, p, n)))
    x, y = np.arange(n + 1), np.arange(m + 1)[:: max(m // 12, 1)]
    gaps = (x[:, None] / n - y / m).ravel()
    np.testing.assert_array_equal(gaps > here.upper, -gaps < there.lower)
    np.testing.assert_array_equal(gaps < here.lower, -gaps > there.upper)
    low, high = gap_tails(gaps[:40], p, n, q, m, scale="difference")
    again = gap_tails(-gaps[:40], q, m, p, n, scale="difference")
    np.testing.assert_allclose([low, high], again[::-1], atol=1e-12)


@given(sizes, chances, sizes, chances)
@settings(deadline=None)
def test_a_wider_tail_draws_narrower_limits_about_the_centre_line(n, p, m, q):
    wide, narrow = (gap_limits(p, n, q, m, scale="difference", tail=a) for a in (0.00135, 0.02))
    assert wide.lower[0] <= narrow.lower[0] <= narrow.centre_line[0] <= narrow.upper[0] <= wide.upper[0]


counts = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 30)), min_size=4, max_size=9)


@given(counts)
@settings(deadline=None, max_examples=25)
def test_sums_of_both_sides_differ_by_nothing_but_the_reference(pairs):
    x, y = np.array(pairs, dtype=float).T
    found = observed_expected(x, 40, y / 300, 300)
    assert np.isclose(found.value[-1], x.sum() - 40 * y.sum() / 300)
    assert (np.diff(found.crossed) >= -1e-9).all()
    with np.errstate(invalid="ignore"):
        assert not (found.lower > 0).any()
        assert not (found.upper < 0).any()


def series_of(pairs, order=1):
    quarters = pd.period_range("2021Q1", periods=len(pairs), freq="Q").start_time.strftime("%Y-%m")
    rows = [
        {"q": q, "g": g, "x": x, "n": n}
        for q, (a, b) in zip(quarters, pairs, strict=True)
        for g, x, n in (("East", a, 40), ("West", b, 300), ("South", a // 2, 60))
    ][::order]
    columns = {"period": "q", "numerator": "x", "denominator": "n", "group": "g"}
    return qe.from_counts(pd.DataFrame(rows), MEASURE, every="quarter", **columns)


@given(counts, st.sampled_from(["difference", "ratio", "observed-expected"]))
@settings(deadline=None, max_examples=15)
def test_rows_in_any_order_and_strata_alone_give_the_same(pairs, scale):
    options = {"reference": "West", "scale": scale}
    chart = gap_chart(series_of(pairs), **options)
    shuffled = gap_chart(series_of(pairs, -1), **options)
    keys = ["group", "period"]

    def sorted_points(made):
        frame = made.points.astype({"group": "str"})
        return frame.sort_values(keys, ignore_index=True)

    pd.testing.assert_frame_equal(sorted_points(chart), sorted_points(shuffled))
    alone = gap_chart(series_of(pairs).select(group=["East", "West"]), **options).points
    together = chart.points[chart.points["group"].isin(["East", "West"])]
    numbers = ["gap", "centre_line", "lower", "upper", "sigma"]
    np.testing.assert_allclose(alone[numbers].to_numpy(), together[numbers].to_numpy(), atol=1e-9)
