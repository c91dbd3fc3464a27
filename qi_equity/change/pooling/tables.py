"""The tables of what was pooled: one row a group, a gap, and a site, for each change and scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from qi_equity.change import verdicts
from qi_equity.change.pooling.compute import Found, GapFound
from qi_equity.change.pooling.layout import Layout, Pooled
from qi_equity.change.pooling.two_stage import IS_REFERENCE as REFERENCE
from qi_equity.change.study import Study
from qi_equity.data.cells import Bools, Floats
from qi_equity.formulas.interval import Interval

__all__ = ["gap_rows", "group_rows", "site_rows"]

_ENDS = {"": "estimate", "_lower": "lower", "_upper": "upper"}
THE_REFERENCE = "is the reference"


def group_rows(
    study: Study, layout: Layout, found: Found, options: Mapping[str, Any], declared: Bools
) -> pd.DataFrame:
    """Lay out the pooled change of each group; ``declared`` tells the groups that the aim declares."""
    keys, meaningful = _keys(study, layout), options["meaningful"]
    directed = study.series.measure.better is not None
    parts = []
    for scale, pooled in found.groups.items():
        ratio = _as_ratio(scale, pooled.effect, found.rate_before)
        verdict = verdicts.change_verdict(ratio, meaningful, directed=directed)
        flat = Interval(*(getattr(ratio, e).ravel() for e in _ENDS.values()))
        family, adjusted = verdicts.family_verdict(
            verdict.ravel(),
            flat,
            pooled.p.ravel(),
            np.repeat(declared, pooled.p.shape[1]),
            meaningful,
            1 - options["confidence"],
        )
        columns: dict[str, Any] = {"scale": scale.replace("_", " ")}
        columns |= _ends("", scale, pooled.effect, plain="estimate")
        columns |= {"p": pooled.p, "family_p": adjusted, "verdict": verdict, "family_verdict": family}
        parts.append(keys.assign(**_flat(columns | _heterogeneity(scale, pooled, layout))))
    return _together(parts)


def gap_rows(study: Study, layout: Layout, found: Found, options: Mapping[str, Any]) -> pd.DataFrame:
    """Lay out how each gap changed; the reference itself has no numbers."""
    keys = _keys(study, layout)
    named = _references(study, layout)
    keys.insert(len(layout.groups.columns), "reference", np.repeat(named, study.schedule.starts.shape[1]))
    parts = []
    for scale, gap in found.gaps.items():
        verdict = np.where(
            _is_reference(study, layout), THE_REFERENCE, _gap_verdict(scale, gap, found, options)
        )
        columns: dict[str, Any] = {"scale": scale.replace("_", " ")}
        for name, interval in (
            ("gap_before", gap.before),
            ("gap_after", gap.after),
            ("gap_change", gap.change.effect),
        ):
            columns |= _ends(name, scale, interval, plain=name)
        columns |= {"p": gap.change.p, "verdict": verdict}
        parts.append(keys.assign(**_flat(columns | _heterogeneity(scale, gap.change, layout))))
    return _together(parts)


def site_rows(study: Study, layout: Layout, found: Found) -> pd.DataFrame:
    """Lay out what each site brought to each pooled number, and what is pooled without it."""
    changes, sites = study.schedule.starts.shape[1], len(layout.sites)
    keys = _keys(study, layout)
    keys = keys.iloc[np.repeat(np.arange(len(keys)), sites)].reset_index(drop=True)
    names = np.tile(layout.sites, len(layout.groups) * changes)
    keys.insert(0, "site", pd.Series(pd.Categorical(names, layout.sites)))
    there = np.repeat(layout.row >= 0, changes, axis=0).ravel()
    parts = []
    told = [("change", s, p) for s, p in found.groups.items()]
    told += [("gap", s, g.change) for s, g in found.gaps.items()]
    for what, scale, pooled in told:
        columns: dict[str, Any] = {"what": what, "scale": scale.replace("_", " ")}
        columns |= _ends("", scale, pooled.site, plain="estimate") | {"weight": pooled.weight}
        columns |= _ends("without", scale, pooled.without, plain="without") | {"left_out": pooled.reason}
        parts.append(keys.assign(**_flat(columns))[there])
    frame = pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)
    return frame.astype({"what": "str", "scale": "str", "left_out": "str"})


def _keys(study: Study, layout: Layout) -> pd.DataFrame:
    changes = study.schedule.starts.shape[1]
    keys = layout.groups.iloc[np.repeat(np.arange(len(layout.groups)), changes)].reset_index(drop=True)
    return keys.assign(change=np.tile(np.arange(1, changes + 1), len(layout.groups)))


def _as_ratio(scale: str, effect: Interval, before: Floats) -> Interval:
    """Give the interval on the scale on which a meaningful change is told: as a ratio."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if scale == "difference":
            return Interval(*(1 + getattr(effect, e) / before for e in _ENDS.values()))
        return Interval(*(np.exp(getattr(effect, e)) for e in _ENDS.values()))


def _ends(name: str, scale: str, interval: Interval, *, plain: str) -> dict[str, Floats]:
    """Give the three columns of an interval, ratios as ratios."""
    with np.errstate(over="ignore", invalid="ignore"):
        values = {
            (f"{name}{end}" if name else end.strip("_")) if end else plain: getattr(interval, side)
            for end, side in _ENDS.items()
        }
        return values if scale == "difference" else {n: np.exp(v) for n, v in values.items()}


def _heterogeneity(scale: str, pooled: Pooled, layout: Layout) -> dict[str, Any]:
    there = (layout.row >= 0)[:, None]
    ends = _ends("prediction", scale, pooled.prediction, plain="prediction")
    return {
        "tau2": pooled.tau2,
        "tau2_lower": pooled.tau2_lower,
        "tau2_upper": pooled.tau2_upper,
        "i2": pooled.i2,
        "heterogeneity_p": pooled.q_p,
        "prediction_lower": ends["prediction_lower"],
        "prediction_upper": ends["prediction_upper"],
        "sites": pooled.sites.astype(np.int64),
        "left_out": (~pooled.used & there & (pooled.reason != REFERENCE)).sum(axis=-1).astype(np.int64),
    }


def _gap_verdict(scale: str, gap: GapFound, found: Found, options: Mapping[str, Any]) -> Any:
    meaningful = options["meaningful"]
    size = (1 - meaningful) * found.rate_before if scale == "difference" else -np.log(meaningful)
    margin = np.broadcast_to(size, gap.own.shape)
    return verdicts.gap_verdict(gap.before, gap.after, gap.change.effect, gap.own, gap.reference, margin)


def _is_reference(study: Study, layout: Layout) -> Bools:
    own = layout.spread(study.against.is_reference.astype(np.float64))
    return np.asarray(((own == 1) | np.isnan(own)).all(axis=-1))[:, None]


def _references(study: Study, layout: Layout) -> list[str]:
    """Name what each group is compared with; of several references, all of them."""
    names = np.asarray(study.against.names, dtype=object)
    return [" / ".join(dict.fromkeys(names[row[row >= 0]])) for row in layout.row]


def _flat(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {n: v.ravel() if isinstance(v, np.ndarray) else v for n, v in columns.items()}


def _together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    frame = pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)
    texts = [c for c in ("reference", "scale", "verdict", "family_verdict") if c in frame]
    return frame.astype(dict.fromkeys(texts, "str"))
