"""The table of a comparison, and what its reader must be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity._result import note
from qi_equity.data.cells import MISSING, STATUSES, SUPPRESSED, Bools
from qi_equity.data.spans import Spans
from qi_equity.data.unknown import is_unknown
from qi_equity.equity.comparison.limits import Compared, family
from qi_equity.equity.comparison.pooling import COMPLETE, PARTIAL, Pooled
from qi_equity.formulas.funnel import chance_outside

SIDES = ("low", "high", "")
MEANINGS = (
    "better than the line",
    "worse than the line",
    "away from the line",
    "within the limits",
    "not yet visible",
    "not judged",
)
_FEW_FOR_DISPERSION = 10
_DOMINANT = 0.5


def table_of(spans: Spans, compared: Compared, pooled: Pooled) -> pd.DataFrame:
    """Make the frame, one row a stratum and span."""
    scatter = compared.layout.scatter
    shape = compared.rate.shape
    blocks = {
        "centre_line": np.broadcast_to(compared.line, shape),
        "lower": compared.inner.lower,
        "upper": compared.inner.upper,
        "lower_outer": compared.outer.lower,
        "upper_outer": compared.outer.upper,
        "z": np.where(compared.judged, compared.z, np.nan),
    }
    side, beyond = _side(compared)
    low, high = can_flag(compared)
    better = spans.series.measure.better
    cells = spans.cells
    status = pd.Categorical.from_codes(cells.status.ravel(), categories=pd.Index(STATUSES))
    return spans.frame(
        {
            "events": cells.numerator if compared.kind != "mean" else np.nan,
            "births": cells.denominator,
            "rate": cells.value,
        }
        | {"status": cells.status}
        | {name: scatter(block) for name, block in blocks.items()}
        | {"outside": scatter(side), "beyond_outer": scatter(beyond)}
        | {"meaning": scatter(_meaning(compared.judged, side, low, high, better))}
        | {
            "sets_line": scatter(compared.in_line),
            "can_flag_low": scatter(low),
            "can_flag_high": scatter(high),
        }
        | {"reason": _reasons(spans, compared)}
        | {"raw": cells.value, "shrunken": pooled.shrunken, "shrunken_lower": pooled.lower}
        | {"shrunken_upper": pooled.upper, "weight": pooled.weight, "pooling": pooled.pooling}
    ).assign(
        status=status,
        outside=lambda f: pd.Categorical(f["outside"], categories=list(SIDES)),
        meaning=lambda f: pd.Categorical(f["meaning"], categories=list(MEANINGS)),
        reason=lambda f: f["reason"].astype("str"),
        pooling=lambda f: f["pooling"].astype("str"),
    )


def can_flag(compared: Compared) -> tuple[Bools, Bools]:
    """Tell whether any count of a unit would lie below its limits, and whether any would lie above."""
    low, high = compared.inner.lower, compared.inner.upper
    if compared.kind == "mean":
        return compared.judged, compared.judged
    most = 1.0 if compared.kind == "proportion" else np.inf
    return compared.judged & (low > 0), compared.judged & (high < most)


def expected_outside(compared: Compared, options: Mapping[str, Any]) -> tuple[float, float]:
    """Give the flags to expect by chance alone beyond the inner and the outer limits, over all units.

    For an analysis of means it is the most there can be: its error rate for each family of comparisons.
    """
    levels = options["confidence"], options["outer_confidence"]
    if options["method"] == "anom":
        k = family(compared.in_line, options["across"])
        families = np.count_nonzero(k.max(axis=-1) > 0)
        inner, outer = (float(families * (1 - level)) for level in levels)
        return inner, outer
    expected = []
    for limits, level in zip((compared.inner, compared.outer), levels, strict=True):
        chance = np.where(compared.judged, 1 - level, 0.0)
        if compared.kind != "mean":
            exact = chance_outside(
                compared.births,
                compared.line,
                limits.lower,
                limits.upper,
                counts="binomial" if compared.kind == "proportion" else "poisson",
            )
            chance = np.where(compared.judged & ~compared.widened, exact, chance)
        expected.append(float(chance.sum()))
    return expected[0], expected[1]


def notes_of(
    spans: Spans, compared: Compared, pooled: Pooled, options: Mapping[str, Any]
) -> Sequence[pd.DataFrame]:
    """Make the notes of the comparison, beside those of the counts."""
    return [
        _multiplicity(compared, options),
        *_cannot_flag(spans, compared),
        *_line(spans, compared, options),
        *_dispersion(compared, options),
        *_pooling(pooled),
    ]


def _side(compared: Compared) -> tuple[NDArray[np.object_], Bools]:
    low, high = compared.rate < compared.inner.lower, compared.rate > compared.inner.upper
    beyond = (compared.rate < compared.outer.lower) | (compared.rate > compared.outer.upper)
    return np.select([low, high], ["low", "high"], "").astype(object), beyond


def _meaning(
    judged: Bools, side: NDArray[np.object_], low: Bools, high: Bools, better: str | None
) -> NDArray[np.object_]:
    good, bad = {"lower": ("low", "high"), "higher": ("high", "low")}.get(better or "", ("none", "none"))
    worse_can_show = {"lower": high, "higher": low}.get(better or "", low | high)
    cases = [~judged, side == good, side == bad, side != "", ~worse_can_show]
    words = ["not judged", MEANINGS[0], MEANINGS[1], MEANINGS[2], "not yet visible"]
    return np.select(cases, words, "within the limits").astype(object)


def _reasons(spans: Spans, compared: Compared) -> NDArray[np.object_]:
    """Say of each stratum and span why it has no limits; empty where it has."""
    scatter = compared.layout.scatter
    cells = spans.cells
    alone = np.isnan(np.broadcast_to(compared.line, compared.rate.shape))
    cases = [
        scatter(compared.judged),
        cells.status == SUPPRESSED,
        cells.status == MISSING,
        ~(cells.denominator > 0),
        scatter(alone),
        ~scatter(compared.in_line),
    ]
    words = [
        "",
        "suppressed",
        "missing",
        "no births",
        "nothing to compare with: fewer than two with births",
        "not part of the mean that is compared with",
    ]
    return np.select(cases, words, "the spread of the values is not known").astype(object)


def _multiplicity(compared: Compared, options: Mapping[str, Any]) -> pd.DataFrame:
    count = int(np.count_nonzero(compared.judged))
    inner, outer = expected_outside(compared, options)
    levels = [f"{100 * options[level]:g} %" for level in ("confidence", "outer_confidence")]
    if options["method"] == "anom":
        each = "all of them together" if options["across"] == "group within site" else "each set together"
        text = (
            f"{count} comparisons. The limits allow for that, {each}: where all have the same rate, the "
            f"chance of one or more beyond the limits is at most {100 * (1 - options['confidence']):.3g} %, "
            f"beyond the outer ones {100 * (1 - options['outer_confidence']):.3g} %, in each span."
        )
    else:
        text = (
            f"{count} comparisons. Where all have the same rate, about {inner:.2g} of them lie beyond the "
            f"{levels[0]} limits by chance and {outer:.2g} beyond the {levels[1]} limits. Rates within the "
            "limits are not shown to be the same."
        )
    return note("multiple_comparisons", "info", text)


def _cannot_flag(spans: Spans, compared: Compared) -> list[pd.DataFrame]:
    """Name the strata of which too low, or too high, a rate cannot show."""
    better = spans.series.measure.better
    words = {"lower": ("better", "worse"), "higher": ("worse", "better")}.get(
        better or "", ("lower", "higher")
    )
    judged = compared.layout.scatter(compared.judged)
    parts = []
    for can, side, word in zip(can_flag(compared), ("low", "high"), words, strict=True):
        cannot = judged & ~compared.layout.scatter(can)
        some = np.flatnonzero(cannot.any(axis=1))
        where = "" if judged.shape[1] == 1 else " In {} of {} spans:"
        texts = [
            f"{where.format(int(cannot[s].sum()), judged.shape[1])} With so few births no rate is too {side} "
            f"to be chance: that this stratum is {word} than the line cannot show.".strip()
            for s in some
        ]
        if texts:
            parts.append(note(f"cannot_flag_{side}", "caution", texts, spans.cells.strata.iloc[some]))
    return parts


def _line(spans: Spans, compared: Compared, options: Mapping[str, Any]) -> list[pd.DataFrame]:
    """Say who sets the line, and who does not."""
    parts = []
    scatter = compared.layout.scatter
    if options["across"] == "group" and is_unknown(spans.series).any():
        text = (
            "Women whose group is not known are shown but do not set the line. If the groups among them have "
            "other rates, all rates here are shifted: see unknown_bounds()."
        )
        parts.append(note("unknown_not_in_line", "info", text))
    hidden = np.isin(spans.cells.status, (SUPPRESSED, MISSING)).any(axis=1)
    if hidden.any():
        text = "Its count is not known in some span: the line is that of the others."
        parts.append(note("not_in_line", "caution", text, spans.cells.strata.iloc[np.flatnonzero(hidden)]))
    births = np.where(compared.in_line, compared.births, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = births / births.sum(axis=-1, keepdims=True)
    large = scatter((share > _DOMINANT) & compared.judged).any(axis=1)
    if large.any() and options["method"] == "funnel":
        text = (
            "It has over half of the births, so the line is mostly its own rate, and it can hardly lie "
            "outside: method='anom' allows for that, gaps(reference='rest') compares with everyone else."
        )
        parts.append(note("line_dominated", "caution", text, spans.cells.strata.iloc[np.flatnonzero(large)]))
    return parts


def _dispersion(compared: Compared, options: Mapping[str, Any]) -> list[pd.DataFrame]:
    wanted = options["overdispersion"]
    if wanted == "none":
        return []
    parts = []
    if options["across"] == "group":
        text = (
            "The limits are widened by how far the groups differ. But how far groups differ is the question: "
            "wider limits hide it. Use overdispersion='none' to compare groups."
        )
        parts.append(note("dispersion_hides_gaps", "warning", text))
    units = np.count_nonzero(compared.in_line & compared.judged, axis=-1)
    if (units < _FEW_FOR_DISPERSION).any():
        text = (
            f"Overdispersion is estimated from {int(units.min())} to {int(units.max())} units a set; with "
            f"fewer than {_FEW_FOR_DISPERSION} it is hardly known, with fewer than three not estimated."
        )
        parts.append(note("dispersion_uncertain", "caution", text))
    if not compared.widened.all():
        count = int(np.count_nonzero(~compared.widened))
        text = (
            f"In {count} of {compared.widened.size} sets there is no more variation than chance gives, or it "
            "cannot be estimated: their limits are the exact ones."
        )
        parts.append(note("no_dispersion_found", "info", text))
    return parts


def _pooling(pooled: Pooled) -> list[pd.DataFrame]:
    parts = []
    pooling = pooled.pooling
    if np.isin(pooling, (PARTIAL, COMPLETE)).any():
        text = (
            "Shrunken rates draw each site's rate for a group towards the mean of that group over its sites, "
            "never towards another group. They are estimates, not data: apply no SPC rules to them."
        )
        parts.append(note("pooled_within_group", "info", text))
    if (pooling == COMPLETE).any():
        text = (
            f"{int(np.count_nonzero(pooling == COMPLETE))} shrunken rates are the mean of their group: its "
            "sites differ no more than chance makes them. That does not show that they are the same; the "
            "intervals allow for it."
        )
        parts.append(note("pooled_completely", "caution", text))
    reasons = [r for r in dict.fromkeys(pooling.ravel().tolist()) if r.startswith("not possible")]
    for reason in reasons:
        rows = int(np.count_nonzero(pooling == reason))
        parts.append(note("pooling_not_possible", "info", f"Partial pooling of {rows} rates is {reason}."))
    return parts
