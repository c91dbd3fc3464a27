"""What an audit of planning found: sums of few births a point, and charts of points that are all alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.formulas.cusum_waiting import count_cusum_waiting
from qi_equity.planning.months import months_to_detect

DAYS_A_MONTH = 365.25 / 12


def patterned(births: float, periods: int) -> np.ndarray:
    """Give whole births of periods that have so many on average, as evenly as can be."""
    return np.diff(np.floor(np.arange(periods + 1) * births + 1e-9))


class TestSumsOfPartsOfABirth:
    """Births of a period were rounded, so that 1.6 a week counted as 2 and half a birth a month as none."""

    @pytest.mark.parametrize(
        ("births", "rate", "every", "step", "periods"),
        [
            (7.0, 0.12, "week", 7 / DAYS_A_MONTH, 41),
            (15.0, 0.15, "week", 7 / DAYS_A_MONTH, 20),
            (1.4, 0.12, "month", 1.0, 5),
            (0.5, 0.2, "month", 1.0, 2),
        ],
    )
    def test_a_cusum_waits_as_long_as_at_the_real_denominators(
        self, births: float, rate: float, every: str, step: float, periods: int
    ) -> None:
        """The chain of the real, varying denominators at thresholds of equal false-alarm time.

        Where births fall on periods makes some per cent of difference; rounding made 15 to 40 %.
        """
        found = months_to_detect(births, rate, rate / 2, chart="cusum", every=every)
        ratio = rate / (1 - rate) / (rate / 2 / (1 - rate / 2))
        sizes = patterned(births * step, periods)[None]
        h = np.linspace(0.5, 4, 71)

        def runs(actual: float) -> np.ndarray:
            waiting = count_cusum_waiting(
                np.repeat(sizes, h.size, axis=0),
                np.full((h.size, 1), rate),
                ratio=ratio,
                h=(h[:, None], h[:, None]),
                side="low",
                actual=np.full((h.size, 1), actual),
            )
            return np.asarray(waiting.mean() * step)

        quiet, moved = runs(rate), runs(rate / 2)
        expected = np.interp(150.0, np.maximum.accumulate(quiet), moved)
        assert found[0] == pytest.approx(expected, rel=0.06)

    def test_half_a_birth_a_month_waits_twice_as_long_as_one(self) -> None:
        """No birth moves no sum: time goes by, with twice the false-alarm time all is the same."""
        half = months_to_detect(0.5, 0.2, 0.1, chart="cusum", false_alarm_months=300)
        np.testing.assert_allclose(half, 2 * months_to_detect(1, 0.2, 0.1, chart="cusum"))
        half = months_to_detect(0.5, 0.2, 0.4, chart="ewma", false_alarm_months=300)
        np.testing.assert_allclose(half, 2 * months_to_detect(1, 0.2, 0.4, chart="ewma"))


@pytest.mark.parametrize("kind", ["i", "ip", "pp", qe.P(limits="laney")])
def test_points_that_never_vary_have_no_run_length(kind: object) -> None:
    """24 months without an event: sigma is 0, and it was said to signal once in 370 points."""
    months = pd.period_range("2023-01", periods=24, freq="M").astype(str)
    rows = pd.DataFrame(
        {"m": [*months] * 2, "g": ["A"] * 24 + ["B"] * 24, "x": [3, 7, 5, 4] * 6 + [0] * 24, "n": 50}
    )
    measure = qe.Measure("Readmissions", "proportion", "lower")
    series = qe.from_counts(rows, measure, period="m", numerator="x", denominator="n", group="g")
    found = qe.run_length(qe.control_chart(series, kind, rules="shewhart"))
    assert found.table["mean"].round().fillna(-1).tolist() == [370, -1]
    assert found.notes.loc[found.notes["group"] == "B", "code"].tolist() == ["nothing_to_follow"]


def test_a_site_without_events_is_told_of_the_others() -> None:
    months = pd.period_range("2023-01", periods=24, freq="M").astype(str)
    rows = pd.DataFrame(
        {
            "month": [*months, *months],
            "trust": ["A"] * 24 + ["B"] * 24,
            "events": [0] * 24 + [6] * 24,
            "births": [10] * 24 + [60] * 24,
        }
    )
    series = qe.from_counts(
        rows,
        qe.measures["preterm_birth"],
        period="month",
        numerator="events",
        denominator="births",
        site="trust",
    )
    table = qe.suggest_design(series).table.set_index("site")
    assert table.loc["A", "pooled_visible"]
    assert "nothing can be planned" in table.loc["A", "advice"]
    assert "Pool the group over 2 sites" in table.loc["A", "advice"]
