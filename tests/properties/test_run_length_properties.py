"""What holds of every run length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qi_equity as qe
from qi_equity.planning.run_length.run import run_length
from qi_equity.spc.expected_signals import false_signal_probability
from qi_equity.spc.rules import BeyondLimits, Shift, TwoInThree

RULES = [
    qe.RuleSet("one", "1", "here", (BeyondLimits(),)),
    qe.RuleSet("run", "1", "here", (BeyondLimits(), Shift(length=6))),
    qe.RuleSet("two", "1", "here", (BeyondLimits(), TwoInThree(same_side="beyond"))),
]
CHARTS = st.one_of(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["p", "np", qe.P(limits="classical")]),
            "centre_line": st.floats(0.02, 0.6),
            "size": st.integers(5, 400),
        }
    ),
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["c", qe.C(limits="classical")]), "centre_line": st.floats(0.5, 60)}
    ),
    st.fixed_dictionaries({"kind": st.just("g"), "centre_line": st.floats(2, 300)}),
    st.fixed_dictionaries({"kind": st.sampled_from(["i", "xbar", "up"])}),
)


@settings(max_examples=15, deadline=None)
@given(CHARTS, st.sampled_from(RULES), st.integers(1, 80))
def test_chances_are_those_of_false_signals(chart: dict[str, Any], rules: qe.RuleSet, points: int) -> None:
    found = run_length(rules, within=points, **chart).chances.loc[0, "chance"]
    assert found == pytest.approx(
        false_signal_probability(rules, points, **chart).probability, rel=1e-7, abs=1e-12
    )


@settings(max_examples=15, deadline=None)
@given(CHARTS, st.sampled_from(RULES), st.floats(0.3, 1.5))
def test_order_and_sides(chart: dict[str, Any], rules: qe.RuleSet, moved: float) -> None:
    """Quantiles rise, chances rise with points, and one side alone never signals sooner than both."""
    counts = "centre_line" in chart
    asked = {"change": [1, moved]} if counts else {"shift": [0, moved]}
    found = {side: run_length(rules, side=side, **asked, **chart) for side in ("low", "high", "both")}
    for one in found.values():
        table = one.table
        assert (table["lower"] <= table["median"]).all()
        assert (table["median"] <= table["upper"]).all()
        assert (table["mean"] >= 1).all()
        points = one.curve["points"].to_numpy().reshape(2, -1)
        assert (points[:, 1:] >= points[:, :-1]).all()
        chance = one.chances["chance"].to_numpy().reshape(2, 2)
        assert ((chance >= 0) & (chance <= 1)).all()
        assert (chance[:, 1] >= chance[:, 0] - 1e-12).all()
    for side in ("low", "high"):
        assert (found["both"].table["mean"] <= found[side].table["mean"] * (1 + 1e-9)).all()


@settings(max_examples=10, deadline=None)
@given(CHARTS, st.sampled_from(RULES), st.lists(st.floats(0.3, 1.5), min_size=1, max_size=4, unique=True))
def test_each_change_stands_for_itself(chart: dict[str, Any], rules: qe.RuleSet, moved: list[float]) -> None:
    name = "change" if "centre_line" in chart else "shift"
    together = run_length(rules, **{name: moved}, **chart)
    alone = [run_length(rules, **{name: one}, **chart).table["mean"][0] for one in moved]
    np.testing.assert_allclose(together.table["mean"], alone, rtol=1e-7)
    assert together.table[name].tolist() == moved
    assert qe.RunLength.from_dict(together.to_dict()).equals(together)
