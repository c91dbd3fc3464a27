"""From a study to the table of its groups: estimates, power and verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from qi_equity.change import tables
from qi_equity.change.design import Design
from qi_equity.change.estimate import Effects
from qi_equity.change.judge import judge, trend_model
from qi_equity.change.model import ChangeModel
from qi_equity.change.power import further, power_of
from qi_equity.change.study import Study, make_study, seasonal_periods
from qi_equity.data import selecting
from qi_equity.data.cells import Bools
from qi_equity.data.reference import Reference
from qi_equity.data.series import StratifiedSeries
from qi_equity.errors import OptionError, QiEquityError

__all__ = ["Found", "declared_strata", "find", "groups_of"]

_OF_STRATA = ("group", "site", "where")


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What was found of the changes of a study.

    Parameters
    ----------
    design : Design
        Columns of the regression.
    own, other : Effects
        The changes of the strata, and of what each is compared with.
    trend : tuple of ChangeModel and int
        What "beyond the trend" is set against, with its harmonics.
    words : dict of str to ndarray
        Verdicts, whether the aim declares each stratum, and whether the change arrived.
    """

    design: Design
    own: Effects
    other: Effects
    trend: tuple[ChangeModel, int]
    words: dict[str, Any]

    def table(self, study: Study, options: Mapping[str, Any]) -> pd.DataFrame:
        """Lay out the groups."""
        ahead = None
        if not self.design.level_only:
            ahead = further(study, ChangeModel(**options["model"]), options["seasonal"])
        told = options["meaningful"], options["confidence"]
        power = power_of(study, self.design, self.own, *told, ahead=ahead)
        return tables.group_table(study, self.design, self.own, power, self.words)


def find(study: Study, options: Mapping[str, Any], arrived: Any) -> Found:
    """Estimate and judge the changes of a study.

    Raises
    ------
    OptionError
        If the model does not fit the measure, nothing is left after the change, or ``primary`` names strata
        that do not exist.
    """
    model, harmonics = ChangeModel(**options["model"]), options["seasonal"]
    confidence = options["confidence"]
    if study.family == "gaussian" and model.trend == "shared":
        raise OptionError(
            f"model={model.name!r} is not for means, which have no trend shared over strata; use 'level' or "
            "'level+trend'."
        )
    design = study.design(model, harmonics)
    if not design.counted.any():
        raise OptionError(
            f"phase_in={options['phase_in']} leaves no period after the change; give fewer, or a longer "
            "series."
        )
    own, other = study.effects(model, harmonics, confidence)
    earliest = np.nanmin(study.schedule.starts[:, :1], initial=np.inf)
    trend = trend_model(model, harmonics, earliest, seasonal_periods(study.series.every))
    step = study.effects(*trend, confidence)[0]
    declared = declared_strata(study.strata, options["primary"])[:, None]
    directed = study.series.measure.better is not None
    judged = judge(own, step, declared, options["meaningful"], confidence, directed=directed)
    words = {
        "verdict": judged.verdict,
        "family_verdict": judged.family_verdict,
        "family_p": judged.family_p,
        "beyond_trend": judged.beyond_trend,
        "declared": declared,
        "arrived": arrived,
    }
    return Found(design, own, other, trend, words)


def groups_of(series: StratifiedSeries, options: Mapping[str, Any]) -> pd.DataFrame:
    """Give the groups of an evaluation only, with which nothing is compared."""
    study = make_study(series, options["at"], Reference(1.0), options["phase_in"])
    return find(study, options, "not given").table(study, options)


def declared_strata(strata: pd.DataFrame, primary: Any) -> Bools:
    """Tell which strata the aim declares, shape (S,); all, if it declares none.

    Raises
    ------
    OptionError
        Names the label or column that does not exist, and the nearest.
    """
    if primary is None:
        return np.ones(len(strata), dtype=np.bool_)
    asked = dict(primary) if isinstance(primary, Mapping) else {"group": primary}
    unknown = [name for name in asked if name not in _OF_STRATA]
    if unknown or not asked:
        raise OptionError(f"primary={primary!r} names {unknown or 'no stratum'}; give group, site or where.")
    parts: dict[str, Any] = {name: asked.get(name) for name in _OF_STRATA}
    try:
        return selecting.stratum_mask(strata, **parts)
    except QiEquityError as error:
        error.args = (f"primary={primary!r}: {error}",)
        raise
