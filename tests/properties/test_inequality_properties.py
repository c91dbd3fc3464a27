"""What must hold of measures of inequality whatever the counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

import qi_equity as qe
from qi_equity.equity.inequality.inequality import inequality
from qi_equity.formulas import inequality as of
from qi_equity.formulas.ordered_inequality import concentration_index, slope_indices

COUNTS = st.lists(
    st.tuples(st.integers(1, 60), st.integers(61, 4000)),
    min_size=2,
    max_size=7,
    unique_by=lambda c: c[0] / c[1],
)


def arrays(counts: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    x, n = np.array(counts, dtype=np.float64).T
    return x / n, n


def measures(y: np.ndarray, n: np.ndarray) -> dict[str, float]:
    return {
        "bgv": float(of.between_group_variance(y, n)),
        "cov": float(of.coefficient_of_variation(y, n)),
        "mdmu": float(of.mean_difference_from(y, n, weighted=False)),
        "idisw": float(of.index_of_disparity(y, n, weighted=True)),
        "ti": float(of.theil_index(y, n)),
        "mld": float(of.mean_log_deviation(y, n)),
    }


@given(COUNTS)
def test_no_measure_is_below_zero_and_all_are_zero_for_equal_groups(counts: list[tuple[int, int]]) -> None:
    y, n = arrays(counts)
    assert all(m >= -1e-12 for m in measures(y, n).values())
    assert measures(np.full(len(n), 0.07), n) == pytest.approx(dict.fromkeys(measures(y, n), 0), abs=1e-12)


@given(COUNTS, st.floats(0.1, 5))
def test_relative_measures_keep_and_absolute_ones_grow_with_the_scale(counts: Any, factor: float) -> None:
    y, n = arrays(counts)
    before, after = measures(y, n), measures(factor * y, factor * n)
    growth = {"bgv": factor**2, "mdmu": factor}
    assert after == pytest.approx({k: v * growth.get(k, 1) for k, v in before.items()}, rel=1e-9, abs=1e-12)


@given(COUNTS)
def test_order_of_the_groups_does_not_matter_and_reversal_mirrors_ordered_ones(counts: Any) -> None:
    y, n = arrays(counts)
    assert measures(y[::-1], n[::-1]) == pytest.approx(measures(y, n), rel=1e-9, abs=1e-15)
    assert concentration_index(y[::-1], n[::-1]) == pytest.approx(-concentration_index(y, n), abs=1e-12)
    there, back = (slope_indices(y[::s], n[::s], link="logit") for s in (1, -1))
    assert there.slope == pytest.approx(-back.slope, rel=1e-6, abs=1e-9)
    assert there.ratio * back.ratio == pytest.approx(1, rel=1e-6)


@given(COUNTS)
def test_splitting_a_group_into_like_halves_leaves_weighted_measures(counts: Any) -> None:
    y, n = arrays(counts)
    split = np.append(y, y[0]), np.append(n, n[0] / 2)
    split[1][0] /= 2
    for name in ("bgv", "cov", "idisw", "ti", "mld"):
        assert measures(*split)[name] == pytest.approx(measures(y, n)[name], rel=1e-9, abs=1e-15)


@given(COUNTS)
def test_the_slope_of_what_did_not_happen_is_the_mirror(counts: Any) -> None:
    y, n = arrays(counts)
    event, none = (slope_indices(v, n, np.full(len(n), 0.01), link="logit") for v in (y, 1 - y))
    assert event.slope == pytest.approx(-none.slope, rel=1e-6, abs=1e-9)
    assert event.slope_error == pytest.approx(none.slope_error, rel=1e-6)


def table(counts: list[tuple[int, int]], order: list[int], sites: int = 1, **options: Any) -> pd.DataFrame:
    names = [f"G{k}" for k in range(len(counts))]
    rows = [(f"S{s}", "2024-01", names[k], *counts[k]) for s in range(sites) for k in order]
    frame = pd.DataFrame(rows, columns=["s", "m", "g", "x", "n"])
    measure = qe.Measure("Event", "proportion", "lower")
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g", "site": "s"}
    return inequality(qe.from_counts(frame, measure, **columns), draws=200, **options).table


@settings(max_examples=10)
@given(COUNTS, st.randoms(use_true_random=False))
def test_rows_in_any_order_and_sites_alone_or_together(counts: Any, random: Any) -> None:
    order = list(range(len(counts)))
    shuffled = random.sample(order, len(order))
    few = {"measures": ["d", "mdmw", "ti"]}
    one, two = table(counts, order, **few), table(counts, order, sites=2, **few)
    pd.testing.assert_frame_equal(one, table(counts, shuffled, **few))
    pd.testing.assert_frame_equal(two.iloc[: len(one)].drop(columns="site"), one.drop(columns="site"))


@settings(max_examples=10, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@example([(1, 61), (1, 1163)])
@given(COUNTS)
def test_limits_are_in_order_and_within_reach(counts: Any) -> None:
    found = table(counts, list(range(len(counts))))
    known = found.dropna(subset=["lower", "upper"])
    assert (known["lower"] <= known["upper"]).all()
    by = found.set_index("measure")
    lifted = by.drop(["d", "r", "par", "paf"])
    assert (lifted["lower"].dropna() >= 0).all()
    assert found["chance_if_equal"].dropna().between(0, 1).all()
    # Root, interval and mean difference say the same of equality: a lower limit above 0 is a rare estimate.
    shown = by.loc[["bgsd", "mdmw", "mdmu"]]
    assert (shown["chance_if_equal"][shown["lower"] > 0] < 0.035).all()
