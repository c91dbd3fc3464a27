"""What holds of months to detect whatever the births, the rate and the change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qi_equity.planning.months import months_to_detect

BIRTHS = st.floats(2, 400)
RATES = st.floats(0.01, 0.6)
CHANGES = st.one_of(st.floats(0.3, 0.8), st.floats(1.2, 1.6))
LATTICE = 1.02
"""The threshold of a Bernoulli CUSUM is one of a lattice, which moves months by this."""


@settings(max_examples=25)
@given(births=BIRTHS, rate=RATES, change=CHANGES, more=st.floats(1.1, 10))
def test_more_births_never_wait_longer(births: float, rate: float, change: float, more: float) -> None:
    few, many = months_to_detect([births, births * more], rate, rate * change)
    assert many <= few * LATTICE
    # Nor much sooner than in proportion: they wait for false alarms that are rarer, counted in births.
    assert many * more >= few / LATTICE


@settings(max_examples=25)
@given(births=BIRTHS, rate=RATES, change=CHANGES, further=st.floats(0.6, 0.95))
def test_larger_changes_never_wait_longer(births: float, rate: float, change: float, further: float) -> None:
    small = change if change < 1 else 1 + (change - 1) * further
    large = change * further if change < 1 else change
    first, second = months_to_detect(births, rate, [rate * small, rate * large])
    assert second <= first * LATTICE


@settings(max_examples=25)
@given(births=BIRTHS, rate=RATES, change=CHANGES, years=st.sampled_from([2, 3, 10]))
@pytest.mark.parametrize("chart", ["bernoulli_cusum", "g", "t"])
def test_only_births_between_false_alarms_matter(
    chart: str, births: float, rate: float, change: float, years: int
) -> None:
    """As many births to a false alarm are as many to detect: only the time they take differs."""
    one = months_to_detect(births, rate, rate * change, chart=chart)
    other = months_to_detect(births * years, rate, rate * change, chart=chart, false_alarm_months=150 / years)
    np.testing.assert_allclose(other * years, one, rtol=1e-6)


@settings(max_examples=25)
@given(births=st.integers(2, 300), rate=RATES, change=CHANGES)
@pytest.mark.parametrize("chart", ["p", "u"])
def test_quarters_are_months_of_three_times_the_births(
    chart: str, births: int, rate: float, change: float
) -> None:
    kind = "proportion" if chart == "p" else "rate"
    quarters = months_to_detect(births, rate, rate * change, chart=chart, kind=kind, every="quarter")
    months = months_to_detect(3 * births, rate, rate * change, chart=chart, kind=kind, false_alarm_months=50)
    np.testing.assert_allclose(quarters, 3 * months)
    assert (quarters >= 3).all()


@settings(max_examples=25)
@given(births=BIRTHS, rate=st.floats(0.05, 0.5), change=CHANGES)
def test_rarer_false_alarms_wait_longer(births: float, rate: float, change: float) -> None:
    for chart in ("bernoulli_cusum", "t", "g", "p"):
        often, rarely = months_to_detect(
            births, rate, rate * change, chart=chart, false_alarm_months=[60, 300]
        )
        assert rarely >= often * (1 - 1e-9)
