"""Births to the signal of a Bernoulli CUSUM: dense chains written out here, and simulated charts.

No published table of run lengths with complete definitions was found beyond those in
tests/reference/test_run_length_births.py.
"""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.bernoulli_waiting import (
    bernoulli_cusum_run_length,
    bernoulli_cusum_waiting,
    bernoulli_detection,
    bernoulli_score_run_length,
)


def dense(p: float, event: int, other: int, h: int) -> float:
    """Solve for the mean run of whole-number scores with all states written out."""
    move = np.zeros((h, h))
    for state in range(h):
        for score, chance in ((event, p), (other, 1 - p)):
            after = max(0, state + score)
            if after < h:
                move[state, after] += chance
    return float(np.linalg.solve(np.eye(h) - move, np.ones(h))[0])


def simulate(p: float, ratio: float, h: float, actual: float, charts: int) -> np.ndarray:
    """Follow charts of log likelihood ratios birth by birth to their signals."""
    rng = np.random.default_rng(20261129)
    event, other = math.log(ratio / (1 - p + ratio * p)), -math.log(1 - p + ratio * p)
    now, run, left, birth = np.zeros(charts), np.zeros(charts), np.arange(charts), 0
    while left.size:
        birth += 1
        now = np.maximum(0, now + np.where(rng.random(left.size) < actual, event, other))
        over = now >= h
        run[left[over]] = birth
        now, left = now[~over], left[~over]
    return run


@given(
    p=st.floats(0.02, 0.98),
    event=st.integers(-12, 12).filter(bool),
    other=st.integers(1, 12),
    h=st.integers(1, 40),
)
@settings(max_examples=150, deadline=None)
def test_whole_scores_against_the_dense_chain(p: float, event: int, other: int, h: int) -> None:
    other = -other if event > 0 else other
    found = bernoulli_score_run_length(p, event=event, other=other, h=h)
    # The dense solution loses as many digits as the run has.
    run = dense(p, event, other, h)
    assume(0 < run < 1e6)
    assert found[0] == pytest.approx(run, rel=1e-9)


def test_a_long_run_keeps_its_digits() -> None:
    # Of steps of one: from state i it takes d(i) = 1/p + (q/p) d(i - 1) births to the next, all of one sign.
    p, h, exact, climb = 0.2, 40, 0.0, 0.0
    for _ in range(h):
        climb = 1 / p + (1 - p) / p * climb
        exact += climb
    found = bernoulli_score_run_length(p, event=1, other=-1, h=h)
    assert found[0] == pytest.approx(exact, rel=1e-9)


def test_chances_at_the_ends() -> None:
    found = bernoulli_score_run_length([0, 1, math.nan], event=-3, other=2, h=5)
    assert found.tolist()[:2] == [3, math.inf]
    assert math.isnan(found[2])


@pytest.mark.parametrize("scores", [(1, 1), (0, 1), (1.5, -1), (True, -1)])
def test_scores_that_make_no_chart(scores: tuple[int, int]) -> None:
    with pytest.raises(OptionError, match="event"):
        bernoulli_score_run_length(0.1, event=scores[0], other=scores[1], h=3)


@pytest.mark.parametrize(
    ("p", "ratio", "h", "actual", "side"),
    [
        (0.1, 2, 3.5, 0.1, "high"),
        (0.1, 2, 3.5, 0.05, "low"),
        (0.0721, 2.32, 4, 0.0721, "high"),
        (0.574, 2.94, 4, 0.574, "low"),
        (0.574, 2.94, 3, 0.75, "high"),
        (0.03, 2, 3, 0.015, "low"),
        (0.9, 2, 3.5, 0.8, "low"),
        (0.002, 4, 2.5, 0.008, "high"),
    ],
)
def test_simulated_charts(p: float, ratio: float, h: float, actual: float, side: str) -> None:
    run = simulate(p, 1 / ratio if side == "low" else ratio, h, actual, 20_000)
    error = run.std() / math.sqrt(len(run))
    mean = bernoulli_cusum_run_length(p, odds_ratio=ratio, h=h, side=side, actual=actual)[0]
    assert abs(mean - run.mean()) < 5 * error
    wait = bernoulli_cusum_waiting(p, odds_ratio=ratio, h=h, side=side, actual=actual)
    assert wait.mean()[0] == pytest.approx(mean, rel=0.005)
    for share in (0.05, 0.5, 0.95):
        births = np.quantile(run, share)
        seen = (run <= births).mean()
        assert abs(wait.within(births)[0] - seen) < 5 * math.sqrt(0.25 / len(run))


def test_all_births_and_their_absence_are_one_chart() -> None:
    low = bernoulli_cusum_run_length([0.1, 0.3], h=4, side="low", actual=[0.05, 0.3])
    high = bernoulli_cusum_run_length([0.9, 0.7], h=4, side="high", actual=[0.95, 0.7])
    np.testing.assert_allclose(low, high, rtol=1e-12)


def test_both_arms_signal_at_the_sum_of_their_rates() -> None:
    low, high, both = (
        bernoulli_cusum_run_length(0.1, h=(3.5, 3), side=s)[0] for s in ("low", "high", "both")
    )
    assert both == pytest.approx(1 / (1 / low + 1 / high))
    rng, p, h = np.random.default_rng(3), 0.1, (3.5, 3.0)
    charts = 4000
    states, run, left, birth = np.zeros((2, charts)), np.zeros(charts), np.arange(charts), 0
    step = [np.log([1 / (1 - p + r * p), r / (1 - p + r * p)]) for r in (0.5, 2.0)]
    while left.size:
        birth += 1
        y = (rng.random(left.size) < p).astype(int)
        states = np.maximum(0, states + np.stack([step[0][y], step[1][y]]))
        over = (states[0] >= h[0]) | (states[1] >= h[1])
        run[left[over]] = birth
        states, left = states[:, ~over], left[~over]
    assert abs(run.mean() - both) < 5 * run.std() / math.sqrt(charts)


def test_births_taken_together_move_the_run_little() -> None:
    # At a fifth of the chance everything takes five times as long: births of 0.5 % are followed one by one.
    for side in ("low", "high"):
        one, together = bernoulli_cusum_run_length([0.005, 0.001], h=4, side=side)
        assert together / 5 == pytest.approx(one, rel=0.012)


def test_births_taken_together_are_told_one_by_one() -> None:
    # Five births are taken together here: the wait is nearly exponential in births, not in fives.
    mean = bernoulli_cusum_run_length(0.001, h=3, side="high")[0]
    wait = bernoulli_cusum_waiting(0.001, h=3, side="high")
    assert wait.mean()[0] == pytest.approx(mean, rel=0.01)
    assert wait.quantile(0.5)[0] == pytest.approx(math.log(2) * mean, rel=0.03)
    # A threshold between two values of the chain gives a run between theirs.
    runs = bernoulli_cusum_run_length(0.001, h=3 + np.arange(5) * 0.001, side="high")
    assert (np.diff(runs) > 0).all()


def test_run_lengths_without_a_number() -> None:
    found = bernoulli_cusum_run_length([0, 1, math.nan, 0.1, 0.1], h=3, actual=[0.1, 0.1, 0.1, math.nan, 0.1])
    assert np.isnan(found[:4]).all()
    assert np.isfinite(found[4])
    never = bernoulli_cusum_run_length(0.1, h=(math.nan, 3.0), side="low")
    assert never[0] == math.inf
    assert bernoulli_cusum_run_length(0.1, h=3, side="high", actual=0)[0] == math.inf
    certain = bernoulli_cusum_run_length(0.1, h=3, side="low", actual=0)
    assert certain[0] == math.ceil(3 / -math.log(1 - 0.1 + 0.05))


def test_many_arms_of_all_kinds_at_once_are_as_one_by_one() -> None:
    p, h = np.array([0.001, 0.02, 0.1, 0.5, 0.51, 0.97]), np.array([2.0, 3, 3, 4, 5, 3])
    for side in ("low", "high"):
        together = bernoulli_cusum_run_length(p, h=h, side=side)
        one = [bernoulli_cusum_run_length(a, h=b, side=side)[0] for a, b in zip(p, h, strict=True)]
        np.testing.assert_allclose(together, one, rtol=1e-12)
        wait = bernoulli_cusum_waiting(p[1:], h=h[1:], side=side)
        np.testing.assert_allclose(wait.mean(), together[1:], rtol=1e-6)


def test_a_wait_that_never_ends_and_one_that_is_certain() -> None:
    assert bernoulli_cusum_waiting(0.1, h=2, side="high", actual=0).mean()[0] == math.inf
    wait = bernoulli_cusum_waiting(0.1, h=0.5, side="low", actual=0)
    assert wait.mean()[0] == math.ceil(0.5 / -math.log(0.95))


@given(
    before=st.floats(0.002, 0.98),
    factor=st.floats(0.3, 0.9),
    months=st.floats(20, 400),
    up=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_detection_keeps_the_false_alarms(before: float, factor: float, months: float, up: bool) -> None:
    after = 1 - (1 - before) * factor if up else before * factor
    found = bernoulli_detection(before, after, 20 * months)
    assert found.births_between[0] >= 20 * months * (1 - 1e-9)
    # A birth more cannot be worth more than a birth, so nothing is seen later than falsely.
    assert 1 <= found.births_to_detect[0] <= found.births_between[0]
    longer = bernoulli_detection(before, after, 40 * months)
    assert longer.h[0] >= found.h[0]
    assert longer.births_to_detect[0] >= found.births_to_detect[0]


def test_detection_is_that_of_the_chart_with_its_threshold() -> None:
    before, after = np.array([0.12, 0.05, 0.4]), np.array([0.06, 0.1, 0.3])
    found = bernoulli_detection(before, after, 6000)
    odds = after / (1 - after) * (1 - before) / before
    for i, side in enumerate(("low", "high", "low")):
        ratio = max(odds[i], 1 / odds[i])
        run = bernoulli_cusum_run_length(
            before[i], odds_ratio=ratio, h=found.h[i], side=side, actual=[before[i], after[i]]
        )
        np.testing.assert_allclose(run, [found.births_between[i], found.births_to_detect[i]], rtol=0.02)


def test_detection_without_a_change_or_a_chance() -> None:
    found = bernoulli_detection([0, 1, 0.1, 0.1, math.nan, 0.1], [0.1, 0.1, 0.1, 0, 0.1, 1], 1000)
    assert np.isnan(np.stack(found)).all()
    assert np.isnan(bernoulli_detection(0.1, 0.05, math.nan).h).all()


def test_shapes_of_strata() -> None:
    found = bernoulli_detection(np.array([[0.1], [0.2]]), 0.05, [1000, 2000, 3000])
    assert found.h.shape == (2, 3)
    assert bernoulli_cusum_run_length(np.full((2, 3), 0.1), h=3).shape == (2, 3)
    assert bernoulli_cusum_waiting(np.full((2, 1), 0.1), h=[2, 3], side="low").mean().shape == (2, 2)


@pytest.mark.parametrize(
    "call",
    [
        lambda: bernoulli_score_run_length(1.2, event=-2, other=1, h=3),
        lambda: bernoulli_cusum_run_length(0.1, h=0),
        lambda: bernoulli_cusum_run_length(0.1, h=3, odds_ratio=1),
        lambda: bernoulli_cusum_run_length(0.1, h=3, side="up"),
        lambda: bernoulli_cusum_run_length(0.1, h=3, actual=-0.1),
        lambda: bernoulli_cusum_waiting(0, h=3, side="low"),
        lambda: bernoulli_cusum_waiting(math.nan, h=3, side="low"),
        lambda: bernoulli_cusum_waiting(0.1, h=3, side="both"),
        lambda: bernoulli_cusum_waiting(0.1, h=(math.nan, 1), side="low"),
        lambda: bernoulli_detection(0.1, 2, 100),
        lambda: bernoulli_detection(0.1, 0.2, 0),
    ],
)
def test_arguments_out_of_bounds(call) -> None:
    with pytest.raises(OptionError):
        call()


def test_no_numbers() -> None:
    with pytest.raises(InputTypeError):
        bernoulli_cusum_run_length("few", h=3)
