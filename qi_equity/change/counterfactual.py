"""Observed points beside the fitted line, and the line that there would have been without any change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from qi_equity.change.averages import fit_means
from qi_equity.change.design import Design
from qi_equity.change.estimate import around, choose, t_of
from qi_equity.change.level import Family, level_effects
from qi_equity.change.model import ChangeModel
from qi_equity.change.regression import fit_design
from qi_equity.change.study import WITHOUT_EVENT, Study
from qi_equity.change.tables import interval_columns
from qi_equity.data.cells import OBSERVED, Bools, Floats
from qi_equity.formulas.interval import Interval

if TYPE_CHECKING:
    from qi_equity.change.frames import EvaluationFrames

__all__ = ["counterfactual_frame"]

_ENDS = ("estimate", "lower", "upper")
_OF_A_CHANGE = ("step ", "slope ")


def counterfactual_frame(evaluation: EvaluationFrames) -> pd.DataFrame:
    """Lay out observed points, fitted line and the line without any change: one row a stratum and period.

    With a level model the lines are the pooled rates of the segments, with the intervals by which they were
    compared; with any other the regression, with its band by the delta method on the scale of the link (t
    quantiles, dispersion floored at 1). Where a stratum had too few events for that regression it has the
    lines of the level model, by which it was judged. The band is that of the line, not of single points.
    """
    study, options = evaluation.study, evaluation.options
    design = study.design(ChangeModel(**options["model"]), options["seasonal"])
    fitted, without = _lines(study, design, _small(evaluation), options["confidence"])
    cells = study.series.cells
    observed = cells.status == OBSERVED
    start = study.schedule.starts[:, :1]
    after = np.arange(observed.shape[1]) >= np.where(np.isnan(start), np.inf, start)
    # What is known but provisional was left out; what is not known has its place on the lines.
    segment = np.where(observed | np.isnan(cells.value), design.segment, -1)
    fitted, without = _where(segment >= 0, fitted), _where(after, without)
    strata, periods = observed.shape
    row = np.repeat(np.arange(strata), periods)
    frame = pd.DataFrame({c: study.strata[c].array.take(row) for c in study.strata.columns})
    frame["period"] = np.tile(cells.periods, strata)
    frame["segment"] = segment.ravel()
    columns: dict[str, Any] = {
        "numerator": cells.numerator,
        "denominator": cells.denominator,
        "observed": cells.value,
        **interval_columns("fitted", fitted),
        **interval_columns("counterfactual", without),
    }
    for name, values in columns.items():
        frame[name] = np.broadcast_to(values, observed.shape).ravel()
    return frame


def _small(evaluation: EvaluationFrames) -> Bools:
    """Tell which strata were compared without trend and season, because they have too few events."""
    exact = evaluation._groups["estimator"].eq("exact mid-P").to_numpy(dtype=bool)
    return np.asarray(exact.reshape(len(evaluation.series.cells.strata), -1).any(axis=1))


def _lines(study: Study, design: Design, small: Bools, confidence: float) -> tuple[Interval, Interval]:
    """Give the fitted line and that without any change, as measured, shape (S, T)."""
    if study.family == "gaussian":
        return _of_means(study, design, confidence)
    lines = levels = _of_levels(study, design, study.family, confidence)
    if not design.level_only:
        lines = _of_regression(study, design, study.family, confidence)
        if small.any():
            lines = tuple(  # type: ignore[assignment]
                choose(small[:, None], level, line) for level, line in zip(levels, lines, strict=True)
            )
    if study.way != WITHOUT_EVENT:
        return lines
    fitted, without = (Interval(1 - line.estimate, 1 - line.upper, 1 - line.lower) for line in lines)
    return fitted, without


def _of_levels(study: Study, design: Design, family: Family, confidence: float) -> tuple[Interval, Interval]:
    """Give the pooled rate of each period's segment, and the one before the first change."""
    changes = design.counted.shape[-2]
    levels = level_effects(
        study.events, study.size, design.segment, changes, family=family, confidence=confidence
    )
    both = (levels.before, levels.after)
    first, later = ([getattr(of, end) for end in _ENDS] for of in both)
    rates = [np.concatenate([a[..., :1], b], axis=-1) for a, b in zip(first, later, strict=True)]
    at = np.maximum(design.segment, 0)
    fitted = Interval(*(np.take_along_axis(rate, at, axis=-1) for rate in rates))
    return fitted, Interval(*(np.broadcast_to(rate[..., :1], at.shape) for rate in rates))


def _of_regression(
    study: Study, design: Design, family: Family, confidence: float
) -> tuple[Interval, Interval]:
    fit = fit_design(study.events, study.size, design, family=family)
    t = t_of(fit.df, confidence)[..., None]
    back = special.expit if family == "binomial" else np.exp

    def line(own: Floats) -> Interval:
        error = np.sqrt(fit.variance(own, design.shared))
        band = around(fit.predictor(own, design.shared), error, t)
        return Interval(*(back(getattr(band, end)) for end in _ENDS))

    with np.errstate(over="ignore"):
        return line(design.own), line(_without_any(design))


def _of_means(study: Study, design: Design, confidence: float) -> tuple[Interval, Interval]:
    fit = fit_means(study.events, design)
    t = t_of(np.where(fit.df > 0, fit.df, np.nan), confidence)[..., None]

    def line(own: Floats) -> Interval:
        variance = np.einsum("...tp,...pr,...tr->...t", own, fit.covariance, own)
        return around(np.einsum("...tp,...p->...t", own, fit.coef), np.sqrt(variance), t)

    return line(design.own), line(_without_any(design))


def _without_any(design: Design) -> Floats:
    """Take the columns of all changes away."""
    kept = [not name.startswith(_OF_A_CHANGE) for name in design.terms[: design.own.shape[-1]]]
    return np.asarray(design.own * np.array(kept))


def _where(there: Bools, line: Interval) -> Interval:
    return Interval(*(np.where(there, getattr(line, end), np.nan) for end in _ENDS))
