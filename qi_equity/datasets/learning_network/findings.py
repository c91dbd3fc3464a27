"""What a cycle of the synthetic network finds: counts by group, and whether they match the prediction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qi_equity.datasets._calibration import KNOWN, Floats
from qi_equity.datasets.learning_network.drawn import Counts
from qi_equity.datasets.learning_network.scenario import Idea
from qi_equity.datasets.learning_network.timeline import Timeline
from qi_equity.formulas.ratio_intervals import score_risk_ratio

__all__ = ["EXPECTED_UPTAKE", "Findings", "completeness", "of_outcome", "of_process", "told"]

Match = Literal["yes", "no", "not yet visible"]
Bools = NDArray[np.bool_]
EXPECTED_UPTAKE = 0.75
_UPTAKE = 0.86
# Fewer people than these tell nothing of a share.
_FEWEST = 10
_YEAR = 12


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """Counts of each group of the data, and of all together, who come last."""

    groups: tuple[str | None, ...]
    reached: Floats
    events: Floats
    expected: Floats
    matched: tuple[Match, ...]


def told(group: str | None) -> str:
    """Say which women."""
    return "All women" if group is None else f"Women recorded as {group}"


def of_process(
    rng: np.random.Generator, counts: Counts, site: int, timeline: Timeline, people: int
) -> Findings:
    """Draw whom a test reached, in the mix of the site's births, and with whom it was done."""
    _, born = counts.between(site, 0, timeline.baseline)
    reached = rng.multinomial(people, born[:-1] / born[-1])
    events = rng.binomial(reached, _UPTAKE)
    reached, events = np.append(reached, reached.sum()), np.append(events, events.sum())
    enough, high = reached >= _FEWEST, events >= EXPECTED_UPTAKE * reached
    return Findings(
        (*counts.groups, None),
        reached.astype(np.float64),
        events.astype(np.float64),
        np.full(len(reached), EXPECTED_UPTAKE),
        _words(enough & high, enough & ~high),
    )


def of_outcome(
    idea: Idea, counts: Counts, site: int, timeline: Timeline, start: date, read: date
) -> Findings:
    """Count the outcome from the start of the change to the last whole month before it was read.

    The result matches where the change that was predicted is within the 95 % interval of the ratio to the
    time before, or beyond, and "no change" is not; it does not match where the change seen is surely smaller.
    """
    first, after = timeline.column(start), timeline.column(read)
    events_before, born_before = counts.between(site, 0, first)
    events, born = counts.between(site, first, after)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = idea.improved(events_before / born_before)
    higher = idea.better == "increase"
    adverse = born - events if higher else events
    adverse_before = born_before - events_before if higher else events_before
    ratio = score_risk_ratio(adverse, born, adverse_before, born_before)
    smaller = ratio.lower > idea.predicted
    return Findings(
        (*counts.groups, None), born, events, expected, _words(~smaller & (ratio.upper < 1), smaller)
    )


def completeness(counts: Counts, site: int, month: int) -> float:
    """Give the share of births of the year before whose group is known."""
    _, born = counts.between(site, max(0, month - _YEAR), month)
    return round(float(born[:KNOWN].sum() / born[-1]), 4)


def _words(yes: Bools, no: Bools) -> tuple[Match, ...]:
    return tuple("yes" if y else "no" if n else "not yet visible" for y, n in zip(yes, no, strict=True))
