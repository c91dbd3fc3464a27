"""The coefficients of the regressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qi_equity.change.averages import fit_means
from qi_equity.change.estimate import t_of
from qi_equity.change.model import ChangeModel
from qi_equity.change.regression import fit_design

if TYPE_CHECKING:
    from qi_equity.change.frames import EvaluationFrames


def terms_frame(evaluation: EvaluationFrames) -> pd.DataFrame:
    """Lay out the coefficients: one row a stratum and term."""
    study, options = evaluation.study, evaluation.options
    design = study.design(ChangeModel(**options["model"]), options["seasonal"])
    if study.family == "gaussian":
        means = fit_means(study.events, design)
        coef, variance = means.coef, np.diagonal(means.covariance, axis1=-2, axis2=-1)
        df, dispersion = means.df, means.sigma
    else:
        fit = fit_design(study.events, study.size, design, family=study.family)
        link = np.einsum("...pq,...qr,...pr->...p", fit.link, fit.shared_covariance, fit.link)
        own = np.diagonal(fit.covariance, axis1=-2, axis2=-1) + link
        lead = fit.coef.shape[:-1]
        together = np.diagonal(fit.shared_covariance, axis1=-2, axis2=-1)
        coef = np.concatenate([fit.coef, np.broadcast_to(fit.shared, (*lead, fit.shared.shape[-1]))], axis=-1)
        variance = np.concatenate([own, np.broadcast_to(together, (*lead, together.shape[-1]))], axis=-1)
        df, dispersion = fit.df, fit.dispersion
    # Of a change that a stratum does not have there is no coefficient.
    known = np.isfinite(study.events) & (study.size > 0) & (design.segment >= 0)
    none = np.zeros(coef.shape, dtype=np.bool_)
    none[:, : design.own.shape[-1]] = design.absent(known)
    coef, error = np.where(none, np.nan, coef), np.where(none, np.nan, np.sqrt(variance))
    half = t_of(df, options["confidence"])[:, None] * error
    row = np.repeat(np.arange(len(study.strata)), coef.shape[1])
    frame = pd.DataFrame({c: study.strata[c].array.take(row) for c in study.strata.columns})
    frame["term"] = pd.Series(np.tile(design.terms, len(study.strata)), dtype="str")
    columns = {"estimate": coef, "se": error, "lower": coef - half, "upper": coef + half}
    for name, values in columns.items():
        frame[name] = values.ravel()
    frame["df"], frame["dispersion"] = df[row], dispersion[row]
    return frame
