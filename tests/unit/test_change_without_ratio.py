"""Means that are not above 0, such as a base excess, have no ratio; their change can be seen all the same.

No published example was found; the difference is that of averages.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

import qi_equity as qe

WOBBLE = np.tile([0.1, -0.2, 0.15, -0.05], 6)


def evaluated(step, better, start=-1.0):
    months = pd.period_range("2023-01", periods=24, freq="M").astype(str)
    rows = pd.DataFrame({"month": [*months] * 2, "group": ["Black"] * 24 + ["White"] * 24, "births": 50})
    rows["excess"] = [*(start + WOBBLE + step * (np.arange(24) >= 12)), *(start + WOBBLE)]
    measure = qe.Measure("Base excess", "mean", better)
    series = qe.from_counts(
        rows, measure, period="month", value="excess", denominator="births", group="group"
    )
    return qe.evaluate_change(series, "2024-01", reference="White")


def test_a_difference_that_is_visible_is_not_called_not_yet_visible():
    for better, word in (("lower", "improved"), ("higher", "worsened"), (None, "fell")):
        found = evaluated(-2.0, better).groups.set_index("group")
        assert found["verdict"].to_dict() == {"Black": word, "White": "not yet visible"}
        assert found["ratio"].isna().all()
        assert found["beyond_trend"].eq("cannot tell").all()


def test_it_is_said_that_there_is_no_ratio_and_which_could_be_shown_is_not_reckoned():
    evaluation = evaluated(-2.0, "lower")
    notes = evaluation.notes[evaluation.notes["code"] == "no_ratio"]
    assert notes["group"].tolist() == ["Black", "White"]
    assert evaluation.groups["smallest_detectable"].isna().all()
    assert "Black: lower than before" in evaluation.sentence()


def test_means_above_0_keep_their_ratio():
    evaluation = evaluated(-2.0, "lower", start=10.0)
    assert "no_ratio" not in set(evaluation.notes["code"])
    assert evaluation.groups["ratio"].notna().all()
