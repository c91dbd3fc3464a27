"""Charts of which one limit or threshold is tuned to a false-alarm time, and how soon they see a change."""

from __future__ import annotations

from typing import Literal, NamedTuple

from qi_equity.data.cells import Floats

__all__ = ["EWMA_WEIGHT", "Chart", "Tuned", "drawn_as", "tuned"]

Chart = Literal["p", "u", "c", "g", "t", "ewma", "cusum", "bernoulli_cusum"]

EWMA_WEIGHT = 0.2
LARGEST_TAIL = 0.02


class Tuned(NamedTuple):
    """Charts tuned to a false-alarm time, each of shape (S,).

    Parameters
    ----------
    setting : ndarray of float
        Threshold, width or tail probability; NaN where the chart cannot show a change to this side.
    false_alarm_months, months_to_detect : ndarray of float
        Mean months between false signals of the side that looks for the change, and to the signal after it.
    """

    setting: Floats
    false_alarm_months: Floats
    months_to_detect: Floats
