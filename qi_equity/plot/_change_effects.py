"""The change of each group and of each gap as rows: ratios beside differences, with the verdicts in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.change.text import plain_words
from qi_equity.plot import _style as style
from qi_equity.plot._around import Head
from qi_equity.plot._change_gaps import interval_text
from qi_equity.plot._dots import Dots
from qi_equity.plot._gap_words import difference_unit
from qi_equity.plot._text import Ruler

if TYPE_CHECKING:
    from qi_equity.change.result import ChangeEvaluation

Floats = NDArray[np.float64]

_WORDS_PT = 150.0
# Each pair of panels: what it tells of, and the index of its first scale.
OWN, GAPS = 0, 2
_WITHOUT_EVENT = "births without the event: fewer is better"
_TURNED = {
    ("without the event", "ratio"): _WITHOUT_EVENT,
    ("without the event", "difference"): _WITHOUT_EVENT,
    ("reversed", "ratio"): "turned round, before over after: below 1 is better",
    ("reversed", "difference"): "turned round, before less after: below 0 is better",
}
_LOOKS = {
    "improved": "improved",
    "narrowed": "improved",
    "worsened": "worsened",
    "widened": "worsened",
    "no meaningful change": "unchanged",
    "not yet visible": "change not visible",
    "is the reference": "unchanged",
}


def places_of(evaluation: ChangeEvaluation) -> list[tuple[str, int, list[int]]]:
    """Split the strata by site and further strata, and by change: name, change, and rows of the strata."""
    strata = evaluation.series.cells.strata
    changes = int(evaluation.groups["change"].max())
    keys = [strata[c].astype(str) for c in strata.columns if c != "group"]
    if not keys:
        return [("", k, list(range(len(strata)))) for k in range(1, changes + 1)]
    shown = [k for k in keys if len(set(k)) > 1]
    frame = pd.concat(keys, axis=1)
    found = []
    for _, part in frame.groupby(list(frame.columns), sort=False):
        name = " · ".join(str(k.loc[part.index[0]]) for k in shown)
        found += [(name, k, part.index.tolist()) for k in range(1, changes + 1)]
    return found


def effect_panels(
    evaluation: ChangeEvaluation, place: tuple[str, int, list[int]], groups: list[str], ruler: Ruler
) -> list[Dots]:
    """Make the four panels of a place and change: ratio and difference, of the groups and of the gaps."""
    name, change, rows = place
    several = int(evaluation.groups["change"].max()) > 1
    titled = " · ".join(part for part in (name, f"change {change}" if several else "") if part)
    keys = evaluation.series.cells.strata["group"].astype(str).iloc[rows]
    own = _of(evaluation.groups, change, rows, keys, groups)
    gaps = evaluation.gaps
    by_scale = {
        scale: _of(gaps[gaps["scale"] == scale], change, rows, keys, groups)
        for scale in ("ratio", "difference")
    }
    return [
        *(_own_dots(evaluation, own, scale, titled, ruler) for scale in ("ratio", "difference")),
        *(_gap_dots(evaluation, by_scale[scale], scale, titled, ruler) for scale in ("ratio", "difference")),
    ]


def _of(
    table: pd.DataFrame, change: int, rows: list[int], keys: pd.Series[str], groups: list[str]
) -> pd.DataFrame:
    """Give the rows of a place and change, one a group in the order of the groups."""
    part = table[table["change"] == change].iloc[rows]
    return part.set_axis(keys.to_numpy(), axis=0).reindex(pd.Index(groups))


def _own_dots(
    evaluation: ChangeEvaluation, part: pd.DataFrame, scale: str, titled: str, ruler: Ruler
) -> Dots:
    measure = evaluation.series.measure
    said = [_said(row, measure.better) for row in part.itertuples()]
    head = _head(evaluation, titled, "Change of each group", scale)
    instead = [_why_not(row) for row in part.itertuples()]
    directed = measure.better is not None
    ends = ("← better", "worse →") if directed else ("← lower", "higher →")
    return _dots(evaluation, part, scale, (scale, OWN), head, said, instead, ends, ruler)


def _said(row: Any, better: str | None) -> str:
    return "" if pd.isna(row.at) else plain_words(row, better)


def _gap_dots(
    evaluation: ChangeEvaluation, part: pd.DataFrame, scale: str, titled: str, ruler: Ruler
) -> Dots:
    said = part["verdict"].astype(str).tolist()
    instead = ["is the reference" if verdict == "is the reference" else "not known" for verdict in said]
    said = ["" if verdict == "is the reference" else verdict for verdict in said]
    directed = evaluation.series.measure.better is not None
    ends = ("← for the group", "against the group →") if directed else ("← lower", "higher →")
    head = _head(evaluation, titled, "Change of each gap", scale)
    return _dots(evaluation, part, scale, ("gap_change", GAPS), head, said, instead, ends, ruler)


def _dots(
    evaluation: ChangeEvaluation,
    part: pd.DataFrame,
    scale: str,
    column: tuple[str, int],
    head: Head,
    said: list[str],
    instead: list[str],
    ends: tuple[str, str],
    ruler: Ruler,
) -> Dots:
    name, first = column
    measure, ratio = evaluation.series.measure, scale == "ratio"
    times = 1.0 if ratio else measure.multiplier
    estimate, lower, upper = (
        part[f"{name}{end}"].to_numpy(dtype=float) * times for end in ("", "_lower", "_upper")
    )
    texts = []
    for y, low, high, words in zip(estimate, lower, upper, said, strict=True):
        numbers = interval_text(y, low, high, ratio=ratio)
        # What a group's change shows is told once; of a gap each scale has its own verdict.
        wrapped = [] if ratio and first == OWN else ruler.wrap(words.split(" "), _WORDS_PT, style.SMALL)
        texts.append("\n".join(line for line in [numbers, *wrapped] if line))
    none = 1.0 if ratio else 0.0
    looks = [_look(str(verdict), y < none) for verdict, y in zip(part["verdict"], estimate, strict=True)]
    return Dots(
        head,
        estimate,
        lower,
        upper,
        tuple(looks),
        tuple(texts),
        tuple("" if np.isfinite(y) or np.isinf(y) else why for y, why in zip(estimate, instead, strict=True)),
        scale=first + (not ratio),
        unit="ratio" if ratio else difference_unit(measure),
        at=none,
        at_label=style.NO_CHANGE,
        ends=ends,
    )


def _look(verdict: str, for_the_group: bool) -> str:
    """Choose the mark: a gap that widened because the group fares ever better is not worse for the group."""
    return "moved" if verdict == "widened" and for_the_group else _LOOKS.get(verdict, "moved")


def _head(evaluation: ChangeEvaluation, titled: str, what: str, scale: str) -> Head:
    turned = _TURNED.get((str(evaluation.method["orientation"]), scale))
    name = " · ".join(part for part in (titled, what, scale) if part)
    return Head(name, (turned,) if turned else ())


def _why_not(row: Any) -> str:
    """Say why there is no estimate."""
    if pd.isna(row.at):
        return "no change is recorded"
    for when in ("before", "after"):
        births = getattr(row, f"births_{when}")
        if births == 0:
            return f"no births {when}"
        if np.isnan(getattr(row, f"rate_{when}")):
            return f"not known {when}"
    return "no events to compare" if row.events_before == row.events_after == 0 else "cannot be estimated"


def size_numbers(evaluation: ChangeEvaluation) -> dict[str, pd.Series[float]]:
    """Give the numbers by which groups can be ordered: births, and the rate over all of them."""
    table = evaluation.groups[evaluation.groups["change"] == 1]
    group = table["group"].astype(str)
    births, events = (
        (table[f"{name}_before"].fillna(0.0) + table[f"{name}_after"].fillna(0.0)).groupby(group).sum()
        for name in ("births", "events")
    )
    return {"size": births, "rate": events / births.where(births > 0)}
