"""What the reader of run lengths must be told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from qi_equity._result import Severity, note
from qi_equity.data.cells import Bools
from qi_equity.planning.run_length.followed import SIMULATED, Followed

__all__ = ["notes_of"]

_KNOWN = (
    "The lines are taken as known. Teams have lines from a short baseline, and these signal falsely "
    "more often: "
    "of i charts with three-sigma limits from 12 points 15 % do within the next 12, and not 3 %. "
    "baseline= allows "
    "for that."
)
_FROM_BASELINE = (
    "The lines come from a baseline of {} points before the first that is counted; the run length is "
    "that over "
    "all the ways in which such a baseline can come out."
)
_NO_MEAN = (
    "No mean is given: of limits that come from a short baseline so many come out so wide that the mean does "
    "not exist or depends on the rarest of them. Read the median and the chances."
)
_NO_LINES = (
    "A baseline without an event gives no lines, so that the mean over all baselines is infinite, however "
    "unlikely that is. Read the median and the chances."
)
_GROWING = (
    "A test looks at all points so far, and signals ever more rarely as they grow in number. What lies "
    "beyond "
    "{:.0f} points is not given; read the chances, and start the chart anew after as many points as you "
    "keep it."
)
_SIMULATED = (
    "Simulated on 2,000 charts: no chain follows these tests together. standard_error is that of the "
    "simulation."
)
_NOT_GIVEN = (
    "Runs tests are left out, as on the chart: a point lies above the centre line with a chance below 0.4 or "
    "above 0.6."
)
_NOTHING = (
    "Nothing can be said of a change here: no points, no event (or nothing else) so far, or a change to "
    "a chance "
    "above 1. What happens in this group is not yet visible."
)
_NEVER = (
    "No signal of this chart can show it, however long it lasts: a change is not yet visible here. A "
    "chart that "
    "cannot signal looks like good news."
)


def notes_of(
    found: Sequence[Followed], strata: pd.DataFrame | None, baseline: int | None
) -> list[pd.DataFrame]:
    """Write the notes; those of single strata name them."""
    runs = [one.run for one in found]
    parts = [
        note("known_lines", "caution", _KNOWN)
        if baseline is None
        else note("lines_from_baseline", "info", _FROM_BASELINE.format(baseline))
    ]
    if not all(run.has_mean for run in runs):
        parts.append(note("no_mean", "caution", _NO_MEAN))
    reach = min(float(run.reach.min(initial=np.inf)) for run in runs)
    if np.isfinite(reach):
        parts.append(note("tests_of_all_points", "caution", _GROWING.format(reach)))
    if any((run.how == SIMULATED).any() for run in runs):
        parts.append(note("simulated", "info", _SIMULATED))
    endless = [one.known & np.isinf(one.run.waiting.mean()) for one in found]
    if baseline is not None and any(some.any() for some in endless):
        parts.append(note("no_lines", "info", _NO_LINES))
        endless = [np.zeros_like(some) for some in endless]
    told: list[tuple[str, Severity, str, list[Bools]]] = [
        ("runs_tests_not_given", "info", _NOT_GIVEN, [one.left_out for one in found]),
        ("nothing_to_follow", "caution", _NOTHING, [~one.known for one in found]),
        ("never_signals", "caution", _NEVER, endless),
    ]
    for code, severity, text, mask in told:
        rows = np.concatenate([one.stratum[some] for one, some in zip(found, mask, strict=True)])
        if rows.size:
            those = None if strata is None else strata.take(np.unique(rows))
            parts.append(note(code, severity, text if those is None else [text] * len(those), those))
    return parts
