"""The checks in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from qi_equity.change.sensitivity.jumps import CANNOT_TELL, DRIFTED, NO, YES, Jumps
from qi_equity.change.sensitivity.models import LAST
from qi_equity.change.sensitivity.worst import Worst
from qi_equity.change.study import Study
from qi_equity.data.cells import Bools, Floats
from qi_equity.spc.words import amount, each

__all__ = ["NO_THRESHOLD", "births", "completeness", "mix", "threshold", "unrecorded", "worst"]

_MOVED = {
    YES: "{what} moved from {before} to {after} at the change.",
    DRIFTED: "{what} moved from {before} to {after}, along a trend rather than at the change.",
    NO: "{what}: {before} before, {after} after; not told apart.",
    CANNOT_TELL: "{what}: cannot be told from these data.",
}
_MIX = " A total over groups then moves though no group does: read each group, or standardise for group."
_SHIFT = (
    " Women who were counted as of unknown group are now counted elsewhere, or the reverse: the groups are "
    "not the same women."
)
_FEWER = (
    " Recording became more complete: what was not written down before is counted now. If unrecorded births "
    "had fewer events than recorded ones, the earlier rate is too high, and an improvement is in part one of "
    "recording; if they had more, it is too low, and an improvement is hidden or a worsening made up."
)
_MORE = (
    " Recording became less complete. If unrecorded births have more events than recorded ones, the later "
    "rate is too low, and an improvement is in part one of recording; if fewer, it is too high."
)
_BOUNDS = " Whatever happened in the unrecorded births, the ratio lies between {low:.2f} and {high:.2f}."
_COUNTED = " Find out whether other births are counted than before."
NO_THRESHOLD = (
    "Whether the measuring of blood loss changed cannot be told from one threshold: give another (pph_1000, "
    "pph_1500) in balancing=."
)
_SAME_WAY = (
    "{name} moved the same way (ratio {ratio:.2f}, {low:.2f} to {high:.2f}): so it would if blood loss came "
    "to be measured or written down otherwise."
)
_OTHER_WAY = "{name} did not move the same way (ratio {ratio:.2f}, {low:.2f} to {high:.2f})."
_OPEN = (
    "{name}: ratio {ratio:.2f} ({low:.2f} to {high:.2f}); whether it moved the same way is not yet visible."
)
_RANK = (
    "The last {last} periods before the change ({of_last}; the others {of_rest}) were the {rank} of {runs} "
    "runs of {last}; chance alone would bring that in about {chance:.0%} of cases."
)
_RETURN = (
    " Some of what followed would have come without any change (regression to the mean): see 'without the {} "
    "before'."
)
_NO_RANK = "Too few periods before the change to say whether it was made after the worst of them."


def mix(found: Jumps) -> Any:
    """Say how the share of each group among the births of its place moved."""
    return _moved(found, "The share of births", _percent, {YES: _MIX, DRIFTED: _MIX})


def completeness(found: Jumps, there: Bools) -> Any:
    """Say how the share of women of unknown group moved."""
    said = _moved(found, "The share of births with unknown group", _percent, {YES: _SHIFT, DRIFTED: _SHIFT})
    return np.where(there[:, None], said, "The series has no group of women whose group is not known.")


def unrecorded(study: Study, found: Jumps, bounds: tuple[Floats, Floats]) -> Any:
    """Say how the share of unrecorded outcomes moved, and which way that biases."""
    plain = _moved(found, "Births whose outcome was not recorded", _percent, {})
    out = plain.copy()
    for at in np.ndindex(*plain.shape):
        if found.jumped[at] not in (YES, DRIFTED):
            continue
        fewer = found.after[at] < found.before[at]
        text = plain[at] + (_FEWER if fewer else _MORE)
        low, high = (b[at] for b in bounds)
        known = study.family == "binomial" and np.isfinite(low) and np.isfinite(high)
        out[at] = text + (_BOUNDS.format(low=low, high=high) if known else "")
    return out


def births(study: Study, found: Jumps) -> Any:
    """Say how the number of births a period moved."""
    what = f"Births {each(study.series.every)}"
    return _moved(found, what, lambda v: f"{v:,.0f}", {YES: _COUNTED})


def threshold(name: str, found: Jumps, lower: Floats, upper: Floats) -> Any:
    """Say whether another threshold of blood loss moved the same way."""
    said = {YES: _SAME_WAY, NO: _OTHER_WAY, CANNOT_TELL: _OPEN}
    out = np.empty(found.jumped.shape, dtype=object)
    for at in np.ndindex(*out.shape):
        out[at] = said[str(found.jumped[at])].format(
            name=name, ratio=found.ratio[at], low=lower[at], high=upper[at]
        )
    return out


def worst(study: Study, found: Worst) -> Any:
    """Say whether the change was made right after the worst periods."""
    measure, out = study.series.measure, np.empty(found.rank.shape, dtype=object)
    turned = study.way == "without the event"
    for at in np.ndindex(*out.shape):
        rank, runs = int(found.rank[at]), int(found.runs[at])
        if not rank:
            out[at] = _NO_RANK
            continue
        last, rest = (float(1 - v[at] if turned else v[at]) for v in (found.last, found.rest))
        text = _RANK.format(
            last=LAST,
            of_last=amount(measure, last),
            of_rest=amount(measure, rest),
            rank="worst" if rank == 1 else f"{_ordinal(rank)} worst",
            runs=runs,
            chance=rank / runs,
        )
        out[at] = text + (_RETURN.format(LAST) if rank == 1 else "")
    return out


def _moved(found: Jumps, what: str, write: Any, more: dict[str, str]) -> Any:
    out = np.empty(found.jumped.shape, dtype=object)
    for at in np.ndindex(*out.shape):
        word = str(found.jumped[at])
        before, after = (write(v[at]) for v in (found.before, found.after))
        out[at] = _MOVED[word].format(what=what, before=before, after=after) + more.get(word, "")
    return out


def _percent(value: float) -> str:
    return f"{100 * value:.3g} %"


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
