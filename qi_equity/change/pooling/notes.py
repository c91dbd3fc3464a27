"""What the reader of a pooled effect must be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from qi_equity import _result
from qi_equity.change.pooling.compute import TWO_STAGE, Found
from qi_equity.change.pooling.layout import Layout, Pooled
from qi_equity.change.pooling.two_stage import IS_REFERENCE
from qi_equity.change.study import Study
from qi_equity.data.cells import Floats

__all__ = ["notes_of"]

FEW_SITES = 5
_OVERDISPERSED = 1.5

_LEFT_OUT = "Left out of the pooled {}: {}."
_SPARSE = (
    " Sites without an event before or after are dropped, and these are the small ones: method='exact' keeps "
    "them."
)
_FEW = (
    "Pooled from {} sites: how much sites differ is hardly known from so few, and the prediction interval "
    "is too short more often than it says."
)
_ONE = "Only one site: the numbers are that site's own, and how much sites differ cannot be known."
_NONE = "No site could be pooled: not yet visible."
_PREDICTION = (
    "The prediction interval tells where the change of another such site would lie. It takes changes as "
    "normally distributed over sites and their variance as known, and is too short with few sites."
)
_SEPARATED = (
    "All sites have their counts at the same end, such as no event after: there is no finite estimate, and "
    "no interval by this method."
)
_NO_BOUND = "The counts set no bound to how much sites differ: there is no estimate by this method."
_NO_WEDGE = (
    "Time and change could not be told apart for this group: too few events, or all its sites start together."
)
_SAME_CHANGE = (
    "The reference had the change too: how a gap changed is the difference between two changes, not the "
    "effect of a change against none."
)
_MODELS = {
    "one-stage": (
        "Reckoned from the counts before and after: the change varies over sites by a normal distribution. "
        "Where a stratum varies beyond chance its counts are divided by its dispersion. With few events in "
        "each site the variation between sites is underestimated; method='exact' is less so."
    ),
    "exact": (
        "Reckoned from the events after given those of both spans, as whole counts: sites without an event "
        "after take part. Variation between the periods of a site beyond chance is not allowed for."
    ),
    "stepped-wedge": (
        "Sites are compared with those that had not started yet, in the same periods. It takes the change "
        "as the same in all sites of a group and time as running alike in them; autocorrelation is left "
        "out. Where starts were drawn by lot, randomisation_test() needs neither. The numbers of single "
        "sites are before and after, without the others."
    ),
}
_AS_RATIO = (
    "The model gives odds ratios; ratios are those at the rate before over all sites of the group. Of gaps "
    "there is an odds ratio only."
)
_DISPERSED = (
    "In {} of its sites counts vary beyond chance (dispersion up to {:.1f}): the exact interval is too short."
)
_TREND = (
    "Whether a pooled change stands apart from an earlier trend is not told here: see beyond_trend in the "
    "evaluation."
)
_PERIODS = "Effects of time are those of periods taken together until they hold 5 events."


def notes_of(
    study: Study,
    layout: Layout,
    found: Found,
    options: Mapping[str, Any],
    evaluation_notes: pd.DataFrame,
) -> pd.DataFrame:
    """Put together the notes."""
    method = options["method"]
    main = found.groups["ratio" if "ratio" in found.groups else "difference"]
    parts = [
        *_general(study, method, main),
        *_of_sites(layout, main, method, "change"),
        *_left_out(layout, main, method, "change"),
        *_left_out(layout, next(iter(found.gaps.values())).change, method, "gap"),
        *_of_dispersion(layout, found, method),
        evaluation_notes,
    ]
    further = [c for c in layout.groups.columns if c != "group"]
    return _result.notes([p for p in parts if len(p)], further)


def _general(study: Study, method: str, main: Pooled) -> list[pd.DataFrame]:
    parts = [_result.note("reference_had_the_change", "info", _SAME_CHANGE)]
    if method != "stepped-wedge":
        parts.append(_result.note("trend_not_told", "caution", _TREND))
    if method in _MODELS:
        parts.append(_result.note("model_of_counts", "info", _MODELS[method]))
        if study.family == "binomial":
            parts.append(_result.note("ratio_from_odds_ratio", "info", _AS_RATIO))
    if method == "stepped-wedge":
        parts.append(_result.note("period_effects", "info", _PERIODS))
    if np.isfinite(main.prediction.lower).any():
        parts.append(_result.note("prediction_interval", "info", _PREDICTION))
    return parts


def _of_sites(layout: Layout, main: Pooled, method: str, what: str) -> list[pd.DataFrame]:
    """Say where few sites, one or none stand behind a group, and where there is no estimate."""
    least = main.sites.min(axis=1)
    estimate = main.effect.estimate
    wedge = method == "stepped-wedge"
    infinite, unknown = np.isinf(estimate).any(axis=1), np.isnan(estimate).any(axis=1) & (least > 0)
    cases = [
        ("no_site", "caution", (least == 0) & ~wedge, [_NONE] * len(least)),
        ("no_stepped_wedge", "caution", (least == 0) & wedge, [_NO_WEDGE] * len(least)),
        ("one_site", "caution", (least == 1) & ~infinite, [_ONE] * len(least)),
        ("few_sites", "caution", (least > 1) & (least < FEW_SITES), [_FEW.format(n) for n in least]),
        ("no_finite_estimate", "caution", infinite, [_SEPARATED] * len(least)),
        ("no_bound", "caution", unknown, [_NO_BOUND] * len(least)),
    ]
    return [_notes(layout, *case) for case in cases if case[2].any()]


def _notes(layout: Layout, code: str, severity: Any, where: Any, texts: list[str]) -> pd.DataFrame:
    rows = np.flatnonzero(where)
    return _result.note(code, severity, [texts[i] for i in rows], layout.groups.iloc[rows])


def _left_out(layout: Layout, pooled: Pooled, method: str, what: str) -> list[pd.DataFrame]:
    """Name the sites that are left out of each group, and why."""
    there = (layout.row >= 0)[:, None]
    out = ~pooled.used & there & (pooled.reason != IS_REFERENCE)
    where, _, site = np.nonzero(out)
    told = pd.DataFrame({"row": where, "site": layout.sites.to_numpy()[site], "why": pooled.reason[out]})
    texts, rows = [], []
    for row, part in told.drop_duplicates().groupby("row", sort=True):
        reasons = [f"{', '.join(p['site'])} ({why})" for why, p in part.groupby("why", sort=False)]
        sparse = method in TWO_STAGE and part["why"].str.startswith("no event").any()
        texts.append(_LEFT_OUT.format(what, "; ".join(reasons)) + (_SPARSE if sparse else ""))
        rows.append(int(str(row)))
    return [_result.note(f"left_out_of_{what}", "caution", texts, layout.groups.iloc[rows])] if rows else []


def _of_dispersion(layout: Layout, found: Found, method: str) -> list[pd.DataFrame]:
    if method != "exact":
        return []
    spread: Floats = np.nan_to_num(found.dispersion.reshape(len(layout.groups), -1, len(layout.sites)))
    beyond = (spread > _OVERDISPERSED).any(axis=1).sum(axis=1)
    texts = [_DISPERSED.format(n, most) for n, most in zip(beyond, spread.max(axis=(1, 2)), strict=True)]
    return [_notes(layout, "dispersion_left_out", "caution", beyond > 0, texts)]
