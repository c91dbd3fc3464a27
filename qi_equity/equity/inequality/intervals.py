"""Intervals of the measures of inequality by formula: from the counts of two groups, or a standard error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from qi_equity.data.cells import Floats
from qi_equity.equity.inequality.counts import GroupCounts
from qi_equity.equity.inequality.estimates import Compared, cut
from qi_equity.formulas import inequality as of
from qi_equity.formulas import inequality_variances as errors_of
from qi_equity.formulas import mean_intervals
from qi_equity.formulas.difference_intervals import newcombe_difference
from qi_equity.formulas.inequality_compared import value_of_group
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.ordered_inequality import (
    Kind,
    SlopeIndices,
    concentration_index,
    concentration_index_error,
    concentration_regression_error,
    slope_indices,
)
from qi_equity.formulas.rate_difference_intervals import rate_difference
from qi_equity.formulas.ratio_intervals import mid_p_rate_ratio, score_risk_ratio

__all__ = ["BY_FORMULA", "Found", "by_formula", "ordered"]

_DELTA = "normal, errors of the groups carried over"


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A measure in R rows: estimate, limits, standard error (of the logarithm for ratios) and how."""

    estimate: Floats
    lower: Floats
    upper: Floats
    se: Floats
    mc_error: Floats
    method: str | NDArray[np.object_]


def by_formula(
    measure: str, estimate: Floats, counts: GroupCounts, compared: Compared, confidence: float
) -> Found:
    """Give the interval of a measure of unordered groups whose variance is published."""
    z = float(special.ndtri((1 + confidence) / 2))
    if measure in ("d", "r"):
        return _of_two(measure, counts, compared, confidence)
    y, n, s = counts.value, counts.denominator, counts.errors
    if measure in ("par", "paf"):
        found = _normal(estimate, _attributable_error(measure, counts, compared), z, _DELTA)
        # The limits are about the risk before it is cut off at 0, and are then cut themselves.
        raw = _raw_attributable(measure, counts, compared)
        half = z * found.se
        lower, upper = cut(raw - half, compared), cut(raw + half, compared)
        return Found(estimate, lower, upper, found.se, found.mc_error, found.method)
    found = _normal(estimate, _ERRORS[measure](y, n, s), z, "normal, variance of Ahn et al. 2018")
    lower = np.maximum(found.lower, 0)
    return Found(estimate, lower, found.upper, found.se, found.mc_error, found.method)


_ERRORS: dict[str, Callable[..., Floats]] = {
    "bgv": errors_of.between_group_variance_error,
    "ti": errors_of.theil_index_error,
    "mld": errors_of.mean_log_deviation_error,
}
BY_FORMULA = ("d", "r", "par", "paf", *_ERRORS)


def ordered(measure: str, counts: GroupCounts, confidence: float) -> Found:
    """Give a measure of ordered groups with its interval."""
    z = float(special.ndtri((1 + confidence) / 2))
    if measure.startswith(("sii", "rii")):
        return _slope(measure, counts, z)
    kind: Kind = _KINDS[measure]
    y, n = counts.value, counts.denominator
    estimate = concentration_index(y, n, kind=kind)
    se = concentration_index_error(y, n, counts.errors, kind=kind)
    regressed = counts.unsure & np.isnan(counts.errors).all(axis=1)
    se = np.where(regressed, concentration_regression_error(y, n, kind=kind), se)
    how = np.where(regressed, "normal, convenience regression", _DELTA).astype(object)
    return _normal(estimate, se, z, how)


_KINDS: dict[str, Kind] = {
    "aci": "absolute",
    "rci": "relative",
    "rci_wagstaff": "wagstaff",
    "rci_erreygers": "erreygers",
}


def _normal(estimate: Floats, se: Floats, z: float, method: str | NDArray[np.object_]) -> Found:
    return Found(estimate, estimate - z * se, estimate + z * se, se, np.full(estimate.shape, np.nan), method)


def _slope(measure: str, counts: GroupCounts, z: float) -> Found:
    link = "linear" if measure.endswith("_linear") else _LINKS[counts.kind]
    found: SlopeIndices = slope_indices(
        counts.value,
        counts.denominator,
        counts.errors,
        link=link,  # type: ignore[arg-type]
    )
    how = f"{_DELTA}, {link} fit"
    if measure.startswith("sii"):
        return _normal(found.slope, found.slope_error, z, how)
    with np.errstate(over="ignore"):
        factor = np.exp(z * found.log_ratio_error)
        lower, upper = found.ratio / factor, found.ratio * factor
    nothing = np.full(found.ratio.shape, np.nan)
    return Found(found.ratio, lower, upper, found.log_ratio_error, nothing, "log-" + how)


_LINKS = {"proportion": "logit", "rate": "log", "mean": "linear"}


def _of_two(measure: str, counts: GroupCounts, compared: Compared, confidence: float) -> Found:
    """Compare two groups by the interval that gaps have, too."""
    first, second = ([value_of_group(block, group) for block in (counts.numerator, counts.denominator)]
                     for group in (compared.first, compared.second))  # fmt: skip
    sides = (compared.first, compared.second)
    if counts.kind == "mean":
        formula: Callable[..., Interval] = (
            mean_intervals.mean_difference if measure == "d" else mean_intervals.mean_ratio
        )
        first, second = ([value_of_group(b, g) for b in (counts.value, counts.sd, counts.denominator)]
                         for g in sides)  # fmt: skip
    else:
        formula = _PAIRS[counts.kind, measure]
    found = formula(*first, *second, confidence=confidence)
    (y1, s1), (y2, s2) = ((value_of_group(counts.value, g), value_of_group(counts.errors, g)) for g in sides)
    se = np.hypot(s1, s2) if measure == "d" else errors_of.ratio_log_error(y1, s1, y2, s2)
    nothing = np.full(se.shape, np.nan)
    return Found(found.estimate, found.lower, found.upper, se, nothing, _PAIR_NAMES[counts.kind, measure])


_PAIRS: dict[tuple[str, str], Callable[..., Interval]] = {
    ("proportion", "d"): newcombe_difference,
    ("proportion", "r"): score_risk_ratio,
    ("rate", "d"): rate_difference,
    ("rate", "r"): mid_p_rate_ratio,
}
_PAIR_NAMES = {
    ("proportion", "d"): "Newcombe",
    ("proportion", "r"): "score",
    ("rate", "d"): "from mid-P limits of each rate",
    ("rate", "r"): "mid-P",
    ("mean", "d"): "Welch",
    ("mean", "r"): "Fieller",
}


def _attributable_error(measure: str, counts: GroupCounts, compared: Compared) -> Floats:
    formula = (
        errors_of.population_attributable_risk_error
        if measure == "par"
        else errors_of.population_attributable_fraction_error
    )
    return formula(counts.value, counts.denominator, counts.errors, compared.attributable)


def _raw_attributable(measure: str, counts: GroupCounts, compared: Compared) -> Floats:
    formula = of.population_attributable_risk if measure == "par" else of.population_attributable_fraction
    reference = value_of_group(counts.value, compared.attributable)
    return formula(counts.value, counts.denominator, reference)
