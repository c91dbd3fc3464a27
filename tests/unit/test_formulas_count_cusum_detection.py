"""CUSUM of counts tuned to a change: dense chains with whole steps, simulation, and the chart's own formulas.

No published table of months to detect of a CUSUM of counts was found.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.count_cusum_detection import count_cusum_detection
from qi_equity.formulas.cusum import count_cusum
from qi_equity.formulas.cusum_run_length import count_cusum_run_length, count_cusum_threshold

CELLS = [
    ("binomial", 12, 0.09, 0.5),
    ("binomial", 40, 0.12, 0.5),
    ("binomial", 40, 0.12, 1.75),
    ("binomial", 150, 0.02, 0.25),
    ("binomial", 25, 0.6, 0.75),
    ("poisson", 1.5, 0.4, 0.5),
    ("poisson", 7.25, 1.1, 0.5),
    ("poisson", 7.25, 1.1, 1.5),
]


def counts(of: str, size: float, chance: float):
    return stats.binom(round(size), chance) if of == "binomial" else stats.poisson(size * chance)


def odds(of: str, chance: float) -> float:
    return chance / (1 - chance) if of == "binomial" else chance


def reference(of: str, size: float, before: float, after: float) -> float:
    """Give the count at which both rates are equally likely, from the likelihoods themselves."""
    if of == "poisson":
        return size * (after - before) / math.log(after / before)
    return round(size) * math.log((1 - before) / (1 - after)) / math.log(odds(of, after) / odds(of, before))


def after_with_whole_steps(of: str, size: float, before: float, change: float, parts: int) -> float:
    """Find a rate near the changed one at which the reference count is a whole number of parts."""
    near = reference(of, size, before, before * change)
    between = (
        (before * 1.0001, before * 6 if of == "poisson" else 0.999)
        if change > 1
        else (before / 50, before * 0.9999)
    )
    level = np.floor(near * parts) / parts if change < 1 else np.ceil(near * parts) / parts
    return optimize.brentq(lambda q: reference(of, size, before, q) - level, *between, xtol=1e-15)


def dense_run(of: str, size: float, actual: float, k: float, h: float, parts: int, falls: bool) -> float:
    """Follow the arm over every state k/parts below h and solve for the mean run."""
    states = np.arange(math.ceil(round(h * parts, 6)))
    chance = counts(of, size, actual).pmf(np.arange(counts(of, size, actual).ppf(1 - 1e-14) + 2))
    move = np.zeros((states.size, states.size))
    for state in states:
        for x, likely in enumerate(chance):
            step = (k - x if falls else x - k) * parts
            to = max(0, state + round(step))
            if to < states.size:
                move[state, to] += likely
    return float(np.linalg.solve(np.eye(states.size) - move, np.ones(states.size))[0])


@pytest.mark.parametrize(("of", "size", "before", "change"), CELLS)
@pytest.mark.parametrize("wanted", [20, 150])
def test_dense_chain(of: str, size: float, before: float, change: float, wanted: float) -> None:
    parts = 8
    after = after_with_whole_steps(of, size, before, change, parts)
    found = count_cusum_detection(size, before, after, distribution=of, points_between=wanted)
    falls, scale = change < 1, abs(math.log(odds(of, after) / odds(of, before)))
    k = reference(of, size, before, after)
    # The statistic takes whole parts only: the threshold is that between two of them.
    h = math.ceil(found.h[0] / scale * parts - 1e-6) / parts
    quiet, moved = (dense_run(of, size, p, k, h, parts, falls) for p in (before, after))
    np.testing.assert_allclose(
        [found.points_between[0], found.points_to_detect[0]], [quiet, moved], rtol=1e-6
    )
    assert quiet >= wanted
    if h > 1 / parts:
        assert dense_run(of, size, before, k, h - 1 / parts, parts, falls) < wanted


@pytest.mark.parametrize(("of", "size", "before", "change"), CELLS)
def test_simulation(of: str, size: float, before: float, change: float) -> None:
    """5 Monte-Carlo errors, and 1 % for the lattice, of the path itself with steps that are not whole."""
    after, wanted, charts, points = before * change, 30, 4000, 600
    found = count_cusum_detection(size, before, after, distribution=of, points_between=wanted)
    k, scale = reference(of, size, before, after), abs(math.log(odds(of, after) / odds(of, before)))
    rng = np.random.default_rng(29)
    for actual, expected in ((before, found.points_between[0]), (after, found.points_to_detect[0])):
        state, run = np.zeros(charts), np.zeros(charts)
        open_ = np.ones(charts, dtype=bool)
        for _ in range(points):
            x = counts(of, size, actual).rvs(open_.sum(), random_state=rng)
            state[open_] = np.maximum(0, state[open_] + (k - x if change < 1 else x - k) * scale)
            run[open_] += 1
            open_ &= state < found.h[0]
            if not open_.any():
                break
        assert not open_.any()
        error = run.std() / math.sqrt(charts)
        assert abs(run.mean() - expected) < 5 * error + 0.01 * expected
    assert found.points_between[0] >= wanted * 0.99


@pytest.mark.parametrize("of", ["binomial", "poisson"])
def test_as_the_chart_of_odds_doubled_or_halved(of: str) -> None:
    """Threshold and run lengths are those of the formulas by which a chart of ratio 2 is drawn."""
    size, before = np.array([8, 30, 66]), np.array([0.2, 0.08, 0.05])
    for ratio, side in ((0.5, "low"), (2.0, "high")):
        new = odds(of, before) * ratio
        after = new / (1 + new) if of == "binomial" else new
        found = count_cusum_detection(size, before, after, distribution=of, points_between=150)
        limit = getattr(count_cusum_threshold(size, before, distribution=of, points_between=150), side)
        np.testing.assert_allclose(found.h, limit, rtol=1e-9)
        for actual, ours in ((before, found.points_between), (after, found.points_to_detect)):
            runs = count_cusum_run_length(size, before, h=found.h, distribution=of, actual=actual)
            np.testing.assert_allclose(ours, getattr(runs, side), rtol=1e-9)


def test_signals_where_the_path_of_the_formula_does() -> None:
    """The path with this threshold and ratio, as charts draw it, reaches it when the naive arm does."""
    before, after, size = 0.09, 0.045, 28
    found = count_cusum_detection(size, before, after, points_between=40)
    k, scale = (
        reference("binomial", size, before, after),
        math.log(odds("binomial", before) / odds("binomial", after)),
    )
    events = stats.binom(size, after).rvs((200, 60), random_state=np.random.default_rng(5))
    path = count_cusum(
        events.astype(float),
        size,
        before,
        ratio=math.exp(scale),
        h=(found.h[0], math.nan),
        distribution="binomial",
    )
    state, first = np.zeros(200), np.full(200, -1)
    for t in range(60):
        state = np.maximum(0, state + (k - events[:, t]) * scale)
        first = np.where((first < 0) & (state >= found.h[0] - 1e-9), t, first)
    drawn = path.low_signal
    np.testing.assert_array_equal(np.where(drawn.any(axis=1), drawn.argmax(axis=1), -1), first)
    assert (first >= 0).mean() > 0.9


@pytest.mark.parametrize(
    ("arguments", "of"),
    [
        ((0, 0.1, 0.05, 50), "binomial"),
        ((0.4, 0.1, 0.05, 50), "binomial"),
        ((math.nan, 0.1, 0.05, 50), "binomial"),
        ((math.inf, 0.1, 0.05, 50), "binomial"),
        ((20, 0, 0.05, 50), "binomial"),
        ((20, 1, 0.05, 50), "binomial"),
        ((20, 0.1, 0, 50), "binomial"),
        ((20, 0.1, 1, 50), "binomial"),
        ((20, 0.1, 0.1, 50), "binomial"),
        ((20, math.nan, 0.1, 50), "binomial"),
        ((20, 0.1, 0.05, math.inf), "binomial"),
        ((20, 0.1, 0.05, math.nan), "binomial"),
        ((20, math.inf, 0.05, 50), "poisson"),
        ((20, 0.1, math.inf, 50), "poisson"),
        ((0, 0.1, 0.05, 50), "poisson"),
    ],
)
def test_nothing_can_be_reckoned(arguments: tuple[float, ...], of: str) -> None:
    size, before, after, points = arguments
    found = count_cusum_detection(size, before, after, distribution=of, points_between=points)
    assert np.isnan(found).all()
    beside = count_cusum_detection(
        [size, 20], [before, 0.1], [after, 0.05], distribution=of, points_between=[points, 50]
    )
    assert np.isnan(beside.h[0])
    assert np.isfinite([a[1] for a in beside]).all()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"size": -1}, "size holds -1"),
        ({"before": 1.2}, "before holds 1.2"),
        ({"before": -0.1}, "before holds -0.1"),
        ({"after": 1.2}, "after holds 1.2"),
        ({"after": -0.1, "distribution": "poisson"}, "after holds -0.1"),
        ({"points_between": 0.5}, "points_between holds 0.5"),
        ({"distribution": "normal"}, "distribution='normal'"),
        ({"size": [1, 2], "before": [0.1, 0.2, 0.3]}, "size"),
    ],
)
def test_out_of_bounds(arguments: dict[str, object], named: str) -> None:
    good = {"size": 20, "before": 0.1, "after": 0.05, "points_between": 50}
    with pytest.raises(OptionError, match=named):
        count_cusum_detection(**{**good, **arguments})
    with pytest.raises(InputTypeError, match="after"):
        count_cusum_detection(**{**good, "after": "half"})


def test_a_signal_rarer_than_any_number() -> None:
    """Counts of 50 that are to become 5,000: a false signal never comes, the true one at once."""
    found = count_cusum_detection(500, 0.1, 10, distribution="poisson", points_between=150)
    assert (found.points_between[0], found.points_to_detect[0]) == (math.inf, 1)
    runs = count_cusum_run_length(500, 0.1, h=found.h, distribution="poisson", ratio=100, head_start=0.01)
    assert runs.high[0] == math.inf


def test_rates_above_one_are_rates_and_births_are_rounded() -> None:
    assert np.isfinite(count_cusum_detection(3, 1.2, 0.6, distribution="poisson", points_between=50).h).all()
    ours, whole = (count_cusum_detection(n, 0.1, 0.05, points_between=50) for n in (20.4, 20))
    np.testing.assert_array_equal(ours, whole)
    part, other = (
        count_cusum_detection(n, 0.1, 0.05, distribution="poisson", points_between=50) for n in (20.4, 20)
    )
    assert part.points_to_detect[0] != other.points_to_detect[0]


def test_each_cell_as_if_alone() -> None:
    n, p, q = (a.ravel() for a in np.meshgrid([9, 66], [0.05, 0.3], [0.02, 0.1]))
    together = count_cusum_detection(n.reshape(2, 4), p.reshape(2, 4), q.reshape(2, 4), points_between=60)
    assert together.h.shape == (2, 4)
    for i, cell in enumerate(zip(n, p, q, strict=True)):
        alone = count_cusum_detection(*cell, points_between=60)
        np.testing.assert_allclose([a.ravel()[i] for a in together], [a[0] for a in alone], rtol=1e-9)


@settings(max_examples=15)
@given(size=st.integers(2, 200), before=st.floats(0.02, 0.5), wanted=st.floats(5, 200), falls=st.booleans())
def test_larger_changes_and_more_false_signals_are_never_slower(
    size: int, before: float, wanted: float, falls: bool
) -> None:
    step = 0.6 if falls else 1.5
    after = before * np.array([step, step**1.7]) if falls else 1 - (1 - before) * np.array([0.8, 0.5])
    found = count_cusum_detection(size, before, after, points_between=wanted)
    assert (found.points_between >= wanted * (1 - 1e-6)).all()
    assert (found.points_to_detect >= 1 - 1e-9).all()
    assert found.points_to_detect[1] <= found.points_to_detect[0] * 1.02
    rarer = count_cusum_detection(size, before, after, points_between=wanted * 1.5)
    assert (rarer.h >= found.h - 1e-9).all()
    assert (rarer.points_to_detect >= found.points_to_detect * (1 - 1e-9)).all()
