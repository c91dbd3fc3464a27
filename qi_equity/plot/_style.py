"""Colours, markers, text sizes: how each mark of a control chart looks, and its words in the legend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from matplotlib.path import Path

Colours = Literal["accessible", "making_data_count"]
Meaning = Literal["improvement", "concern", "neutral"]


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of the marks; meaning never rests on them alone, the markers differ too."""

    common: str
    improvement: str
    concern: str
    neutral: str
    target: str
    centre_line: str
    limits: str


PALETTES: dict[Colours, Palette] = {
    # Each at least 3:1 against white (WCAG 2.2, 1.4.11).
    "accessible": Palette(
        common="#595959",
        improvement="#0072c6",
        concern="#d95f0e",
        neutral="#490092",
        target="#b0123b",
        centre_line="#000000",
        limits="#767676",
    ),
    # As NHS England's Making Data Count draws them; two are fainter than 3:1.
    "making_data_count": Palette(
        common="#a6a6a6",
        improvement="#00b0f0",
        concern="#e46c0a",
        neutral="#490092",
        target="#de1b1b",
        centre_line="#000000",
        limits="#a6a6a6",
    ),
}

INK = "#212b32"
MUTED = "#4c6272"
GRID = "#d5dade"
BAND = "#e9edf1"
STRIP = "#fff4d6"

MARKERS: dict[Meaning, str] = {"improvement": "s", "concern": "^", "neutral": "D"}
ARROW_UP = Path([(0, -1), (0, 1), (-0.7, 0.2), (0, 1), (0.7, 0.2)], [1, 2, 1, 2, 2])
ARROW_DOWN = Path([(0, 1), (0, -1), (-0.7, -0.2), (0, -1), (0.7, -0.2)], [1, 2, 1, 2, 2])

# Decisions of PDSA cycles: drawn as strokes, so that none is taken for a point or a signal.
_TICK = Path([(-0.9, 0.0), (-0.25, -0.7), (0.9, 0.8)])
_CROSS = Path([(-0.75, -0.75), (0.75, 0.75), (-0.75, 0.75), (0.75, -0.75)], [1, 2, 1, 2])
_WAVE = Path(
    [(-1.0, -0.3), (-0.6, 0.9), (-0.35, 0.6), (0, 0), (0.35, -0.6), (0.6, -0.9), (1.0, 0.3)],
    [1, 4, 4, 4, 4, 4, 4],
)
_PLUS = Path([(-0.9, 0), (0.9, 0), (0, -0.9), (0, 0.9)], [1, 2, 1, 2])
_OPEN_END = Path([(-0.7, 0.8), (0.3, 0), (-0.7, -0.8)])

# Text sizes in points. At 12.8 inches and 100 dots an inch the smallest is 12 pixels high.
TITLE, NAME, BODY, SMALL = 15.0, 11.0, 9.5, 8.5

COMMON = "common cause"
SPECIAL: dict[Meaning, str] = {
    "improvement": "special cause: improvement",
    "concern": "special cause: concern",
    "neutral": "special cause: neither better nor worse",
}
RUN = "run, shift or trend that signals"
PROVISIONAL = "provisional"
EXCLUDED = "excluded from the limits"
SUPPRESSED = "suppressed (small number withheld)"
MISSING = "missing (not reported)"
NO_BIRTHS = "no births in the period"
LOOKS_FOR = "looks for"
CENTRE_LINE = "centre line"
MEDIAN = "median"
LIMITS = "control limits"
WITHIN = "within the limits"
TARGET = "target"
BASELINE = "baseline that sets the lines"
PHASE, POST_HOC_PHASE = "start of a phase", "start of a phase, post hoc (no recorded reason)"
OFF_SCALE = "off the scale"

CYCLE_BARS = {"test": "PDSA cycle: test", "implement": "PDSA cycle: implementation"}
UNDER_WAY, UNDECIDED = "under way", "ended"
CYCLE_PLANNED = "PDSA cycle: planned"
CYCLE_ENDS = {
    "adopt": "cycle ended: adopt",
    "adapt": "cycle ended: adapt",
    "expand": "cycle ended: expand",
    "abandon": "cycle ended: abandon",
    UNDECIDED: "cycle ended: no decision yet",
    UNDER_WAY: "cycle under way",
}
CYCLE_MARKERS: dict[str, str | Path] = {
    "adopt": _TICK,
    "adapt": _WAVE,
    "expand": _PLUS,
    "abandon": _CROSS,
    UNDECIDED: "o",
    UNDER_WAY: _OPEN_END,
}

RESULTS = {
    "yes": "result matched the prediction",
    "no": "result did not match the prediction",
    "not yet visible": "not yet visible whether it matched",
}

INTERVAL = "interval"
RATE = "rate that meets the presentation standard"
STANDARDISED, CRUDE = "standardised rate", "crude rate"
NO_INTERVAL = "standardised rate without an interval: too few events"
UNRELIABLE = "not yet visible: too few births or events to rely on the rate"
WORSE = "worse for the group (interval beyond no gap)"
BETTER = "better for the group (interval beyond no gap)"
HIGHER_OR_LOWER = "higher or lower (interval beyond no gap)"
NOT_YET_VISIBLE = "gap not yet visible (interval to both sides of no gap)"
NO_GAP = "no gap"
WORSE_THAN_LINE = "worse than the line, beyond the limits"
BETTER_THAN_LINE = "better than the line, beyond the limits"
AWAY_FROM_LINE = "beyond the limits"
INSIDE = "within the limits, which does not show that it is the same"
CANNOT_SHOW = "not yet visible: too few births for any rate to show as worse"
NOT_JUDGED = "shown, not judged"
POOLED_LINE = "line: all that are compared, together"
INNER, OUTER = "limits", "outer limits"
UNEQUAL = "more unequal than chance alone makes alike groups look"
MAYBE_EQUAL = "not yet visible: chance alone could make it"
IF_EQUAL = "what chance alone gives if all groups are alike"
SHRUNKEN = "drawn towards its group's mean over the sites (shrunken)"
IMPROVED = "improved, or gap narrowed (interval beyond no change)"
WORSENED = "worsened, or gap widened (interval beyond no change)"
MOVED = "moved otherwise (interval beyond no change): see the words"
UNCHANGED = "no meaningful change (interval within the tinted band)"
CHANGE_NOT_VISIBLE = "not yet visible: too few births to tell"
NO_CHANGE, MEANINGFUL = "no change", "smaller than a meaningful change"
OBSERVED, OBSERVED_FEW = "observed", "observed, fewer than 30 births"
LEFT_OUT = "left out of the evaluation"
FITTED, FITTED_BAND = "fitted line", "interval of the fitted line"
COUNTERFACTUAL, COUNTERFACTUAL_BAND = "as without the change", "interval of the line without the change"
CHANGE, POST_HOC_CHANGE = "start of a change", "start of a change, post hoc (no recorded reason)"
GROUP, REFERENCE = "rate of the group", "rate of its reference"

LEGEND_ORDER = (
    OBSERVED,
    OBSERVED_FEW,
    LEFT_OUT,
    FITTED,
    FITTED_BAND,
    COUNTERFACTUAL,
    COUNTERFACTUAL_BAND,
    CHANGE,
    POST_HOC_CHANGE,
    IMPROVED,
    WORSENED,
    MOVED,
    UNCHANGED,
    CHANGE_NOT_VISIBLE,
    MEANINGFUL,
    RATE,
    UNRELIABLE,
    WORSE,
    BETTER,
    HIGHER_OR_LOWER,
    NOT_YET_VISIBLE,
    WORSE_THAN_LINE,
    BETTER_THAN_LINE,
    AWAY_FROM_LINE,
    INSIDE,
    CANNOT_SHOW,
    NOT_JUDGED,
    UNEQUAL,
    MAYBE_EQUAL,
    IF_EQUAL,
    SHRUNKEN,
    POOLED_LINE,
    INNER,
    OUTER,
    INTERVAL,
    COMMON,
    *SPECIAL.values(),
    RUN,
    CENTRE_LINE,
    MEDIAN,
    LIMITS,
    WITHIN,
    TARGET,
    PHASE,
    POST_HOC_PHASE,
    BASELINE,
    PROVISIONAL,
    EXCLUDED,
    SUPPRESSED,
    MISSING,
    NO_BIRTHS,
    *CYCLE_BARS.values(),
    CYCLE_PLANNED,
    *CYCLE_ENDS.values(),
    *RESULTS.values(),
    OFF_SCALE,
    GROUP,
    REFERENCE,
)
