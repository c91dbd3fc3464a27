"""Pool the changes of the sites of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qi_equity import _validate
from qi_equity.change.found import declared_strata
from qi_equity.change.model import ChangeModel
from qi_equity.change.pooling import tables
from qi_equity.change.pooling.compute import METHODS, TWO_STAGE, pool_changes
from qi_equity.change.pooling.layout import Layout, layout_of
from qi_equity.change.pooling.notes import notes_of
from qi_equity.change.pooling.result import PooledEffect
from qi_equity.change.pooling.two_stage import TESTS
from qi_equity.change.result import ChangeEvaluation
from qi_equity.change.study import Study
from qi_equity.data.cells import Bools
from qi_equity.data.table import library
from qi_equity.errors import InputTypeError

__all__ = ["pool_sites"]

_KEPT_NOTES = ("provisional_left_out", "suppressed_left_out", "missing_left_out", "no_change_recorded")
_TAU2 = {
    "reml": "restricted maximum likelihood",
    "dl": "DerSimonian and Laird",
    "pm": "Paule and Mandel",
    "ml": "maximum likelihood",
    "eb": "empirical Bayes",
    "he": "Hedges",
    "fixed": "none: one effect in all sites",
    "one-stage": "maximum likelihood, in a mixed model of the counts",
    "exact": "maximum likelihood, in the conditional model",
    "stepped-wedge": "none: one effect in all sites",
}
_MODELS = {
    "one-stage": "binomial (Poisson) mixed model: an intercept of each site, a change that varies over sites",
    "exact": "noncentral hypergeometric (binomial) given all events, a change that varies over sites",
    "stepped-wedge": "stepped wedge: effects of site and period, one step; dispersion of each stratum's own",
}


def pool_sites(
    evaluation: ChangeEvaluation, *, method: str = "reml", interval: str = "knapp-hartung-modified"
) -> PooledEffect:
    """Pool what happened at several sites, for each group and for each gap.

    A group with few births at each site may still be seen over all sites together; it is never pooled with
    another group.

    Parameters
    ----------
    evaluation : ChangeEvaluation
        What :func:`evaluate_change` returned, of a series with sites.
    method : str
        ``"reml"``, ``"dl"``, ``"pm"``, ``"ml"``, ``"eb"``, ``"he"`` or ``"fixed"``: two stages, the effect of
        each site and then their weighted mean, with that estimator of the variance between sites.
        ``"one-stage"``: one mixed model of the counts of all sites. ``"exact"``: the same given the events of
        both spans, which keeps sites without an event after (or before). ``"stepped-wedge"``: for starts at
        different times, against sites that had not started yet.
    interval : {"knapp-hartung-modified", "knapp-hartung", "t", "z"}
        Test and interval of two stages. All but "z" take t with one degree of freedom fewer than sites; so do
        the other methods, which have no more than this choice.

    Returns
    -------
    PooledEffect
        ``groups``, ``gaps``, ``sites``, ``notes``, ``method``, ``plot()``.

    Raises
    ------
    InputTypeError
        If it is no evaluation.
    OptionError
        If the series has no sites, an option is not allowed, or the method does not fit the evaluation.

    References
    ----------
    .. [1] Viechtbauer. Bias and efficiency of meta-analytic variance estimators in the random-effects model.
       J Educ Behav Stat 2005;30:261-293.
    .. [2] Roever, Knapp, Friede. Hartung-Knapp-Sidik-Jonkman approach and its modification for random-effects
       meta-analysis with few studies. BMC Med Res Methodol 2015;15:99.
    .. [3] Stijnen, Hamza, Ozdemir. Random effects meta-analysis of event outcome in the framework of the
       generalized linear mixed model with applications in sparse data. Statistics in Medicine
       2010;29:3046-3067.
    .. [4] Hussey, Hughes. Design and analysis of stepped wedge cluster randomized trials. Contemp Clin Trials
       2007;28:182-191.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, g, x - 3 * (m > 11) * (g == "Black"), n)
    ...         for m in range(24) for s in "ABCDE" for g, x, n in (("Black", 6, 60), ("White", 9, 300))]
    >>> frame = pd.DataFrame(rows, columns=["month", "site", "group", "pph", "births"])
    >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
    ...                         denominator="births", group="group", site="site")
    >>> pooled = qe.pool_sites(qe.evaluate_change(series, "2024-01", reference="White"))
    >>> shown = pooled.groups[pooled.groups["scale"] == "ratio"]
    >>> shown[["group", "estimate", "sites", "verdict"]].round(2).values.tolist()
    [['Black', 0.5, 5, 'improved'], ['White', 1.0, 5, 'no meaningful change']]
    """
    if not isinstance(evaluation, ChangeEvaluation):
        raise InputTypeError(
            f"evaluation is of type {type(evaluation).__name__}; give what evaluate_change() returned."
        )
    test = _validate.one_of("interval", interval, TESTS)
    options = {"method": _validate.one_of("method", method, METHODS), "interval": str(test)}
    study = evaluation.study
    layout = layout_of(study)
    asked = dict(evaluation.options)
    found = pool_changes(study, layout, asked, options["method"], test)
    kept = evaluation.notes[evaluation.notes["code"].isin(_KEPT_NOTES)]
    return PooledEffect(
        evaluation=evaluation,
        options=options,
        method=_method(evaluation, options),
        _groups=tables.group_rows(study, layout, found, asked, _declared(study, layout, asked)),
        _gaps=tables.gap_rows(study, layout, found, asked),
        _sites=tables.site_rows(study, layout, found),
        _notes=notes_of(study, layout, found, options, kept),
    )


def _declared(study: Study, layout: Layout, asked: Mapping[str, Any]) -> Bools:
    """Tell which groups the aim declares, at any site."""
    declared = declared_strata(study.strata, asked["primary"]).astype(np.float64)
    return np.asarray((layout.spread(declared) == 1).any(axis=-1))


def _method(evaluation: ChangeEvaluation, options: Mapping[str, str]) -> dict[str, Any]:
    """Say what was done."""
    asked, method = evaluation.options, options["method"]
    two = method in TWO_STAGE
    normal = options["interval"] == "z"
    return {
        "what": "changes pooled over sites",
        "model": _MODELS.get(method, f"{'fixed' if method == 'fixed' else 'random'} effects, in two stages"),
        "variance between sites": _TAU2[method],
        "interval": options["interval"] if two else "z" if normal else "t",
        "degrees of freedom": "normal" if normal else "sites less 1",
        "prediction interval": "none" if method in ("fixed", "stepped-wedge") else "t, sites less 1",
        "sites": list(evaluation.series.sites),
        "change model": ChangeModel(**asked["model"]).name,
        "reference": dict(asked["reference"]),
        "meaningful": asked["meaningful"],
        "confidence": asked["confidence"],
        "library": library(),
        "evaluation": dict(evaluation.method),
    }
