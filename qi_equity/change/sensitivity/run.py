"""Ask of an evaluation whether each verdict stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from qi_equity import _result, _validate
from qi_equity.change.model import ChangeModel
from qi_equity.change.result import ChangeEvaluation
from qi_equity.change.sensitivity.checks import checks_of
from qi_equity.change.sensitivity.fakes import DATE_COLUMNS, PLACEBO_COLUMNS, placebo_tables
from qi_equity.change.sensitivity.models import AS_EVALUATED, RHOS, Analysis, analyses, lacks_interval
from qi_equity.change.sensitivity.result import Sensitivity
from qi_equity.change.sensitivity.standardised import Standardised, read_columns, standardised
from qi_equity.change.sensitivity.text import notes_of
from qi_equity.change.study import Study
from qi_equity.change.tables import rows_of
from qi_equity.change.verdicts import NOT_VISIBLE, change_verdict
from qi_equity.data.table import library
from qi_equity.errors import InputTypeError
from qi_equity.formulas.interval import Interval

__all__ = ["run_sensitivity"]

_COLUMNS = {
    "change": "int64",
    "at": "datetime64[us]",
    "analysis": "str",
    "ratio": "float64",
    "ratio_lower": "float64",
    "ratio_upper": "float64",
    "p": "float64",
    "verdict": "str",
    "stands": "str",
    "reason": "str",
}


def run_sensitivity(
    evaluation: ChangeEvaluation,
    *,
    leave_out: int = 3,
    standardise: str | Sequence[str] | None = None,
    placebo: bool = True,
) -> Sensitivity:
    """Ask whether each verdict stands; see :meth:`ChangeEvaluation.sensitivity`.

    Parameters
    ----------
    evaluation : ChangeEvaluation
        The evaluation.
    leave_out : int
        Periods after each change to leave out in one of the analyses; 0 for none.
    standardise : str or sequence of str, optional
        Columns of the strata (further strata, or "group" or "site") whose mix is held as it was before.
    placebo : bool
        Whether to try fake dates, and to set sites beside one another.

    Returns
    -------
    Sensitivity
        Tables, checks, sentence.

    Raises
    ------
    InputTypeError
        If an argument is not of its type.
    OptionError
        If a value is not allowed, or the strata to be held fixed are not there.

    References
    ----------
    .. [1] Lopez Bernal, Cummins, Gasparrini. Interrupted time series regression for the evaluation of public
       health interventions: a tutorial. Int J Epidemiol 2017;46:348-55.
    .. [2] Abadie, Diamond, Hainmueller. Comparative politics and the synthetic control method. Am J Polit Sci
       2015;59:495-510 (placebos in time and in space).
    """
    leave_out = _validate.whole_number("leave_out", leave_out)
    if not isinstance(placebo, bool):
        raise InputTypeError(f"placebo={placebo!r} is not allowed; give True or False.")
    study, options = evaluation.study, evaluation.options
    columns = read_columns(study, standardise)
    model, harmonics, confidence = ChangeModel(**options["model"]), options["seasonal"], options["confidence"]
    parts = analyses(study, model, harmonics, confidence, leave_out)
    table = _table(evaluation, study, parts)
    if columns:
        held = _held(study, standardised(study, columns, confidence), options)
        table = pd.concat([table, held], ignore_index=True)
    fakes = placebo_tables(study, model, harmonics, confidence) if placebo else _no_placebo(study)
    found = Sensitivity(
        evaluation=evaluation,
        method={
            "what": "sensitivity of the evaluation of a change",
            "model": model.name,
            "leave_out": leave_out,
            "standardise": list(columns),
            "rho": list(RHOS),
            "placebo": placebo,
            "fake_dates": "windows of a third of the periods before, at most a year, on each side",
            "jumps": f"Holm over the strata of each check, at {1 - confidence:.3g}",
            **library(),
        },
        _table=table,
        _placebo=fakes[0],
        _fake_dates=fakes[1],
        _checks=checks_of(evaluation, study, confidence),
        _notes=_result.notes([]),
    )
    return replace(found, _notes=notes_of(found))


def _table(evaluation: ChangeEvaluation, study: Study, parts: list[Analysis]) -> pd.DataFrame:
    """Lay out the analyses of all strata, that of the evaluation first."""
    groups, shape = evaluation._groups, study.schedule.starts.shape
    first = [
        groups[c].to_numpy(dtype=float).reshape(shape) for c in ("ratio", "ratio_lower", "ratio_upper", "p")
    ]
    reason = np.where(np.isnan(first[1]) | np.isnan(first[2]), "too few periods or births", "")
    evaluated = Analysis(AS_EVALUATED, Interval(*first[:3]), first[3], reason)
    base = groups["verdict"].to_numpy().reshape(shape)
    base = np.where(reason == "", base, "")
    return _rows(rows_of(study), [evaluated, *parts], base, evaluation.options, _directed(study))


def _held(study: Study, found: Standardised, options: Mapping[str, Any]) -> pd.DataFrame:
    """Lay out the strata taken together over the case-mix: crude, and standardised."""
    changes = found.starts.shape[1]
    row = np.repeat(np.arange(len(found.strata)), changes)
    base = found.strata.iloc[row].reset_index(drop=True)
    base["change"] = np.tile(np.arange(1, changes + 1), len(found.strata))
    start = found.starts.ravel()
    when = study.series.cells.periods[np.nan_to_num(start).astype(np.int64)]
    base["at"] = np.where(np.isnan(start), np.datetime64("NaT", "us"), when)
    crude = change_verdict(found.crude.ratio, options["meaningful"], directed=_directed(study))
    crude = np.where(lacks_interval(found.crude), "", crude)
    return _rows(base, [found.crude, found.standardised], crude, options, _directed(study))


def _directed(study: Study) -> bool:
    return study.series.measure.better is not None


def _rows(
    base: pd.DataFrame, parts: list[Analysis], evaluated: Any, options: Mapping[str, Any], directed: bool
) -> pd.DataFrame:
    """Lay out one row a stratum, change and analysis; ``evaluated`` is empty where there is no verdict."""
    count, size = len(parts), len(base)
    frame = base.astype({c: "str" for c in base.columns if c not in ("change", "at")})
    frame = frame.iloc[np.repeat(np.arange(size), count)].reset_index(drop=True)
    frame["analysis"] = np.tile([part.name for part in parts], size)

    def laid(blocks: list[Any]) -> Any:
        return np.stack([np.ravel(b) for b in blocks], axis=1).ravel()

    verdicts = [change_verdict(part.ratio, options["meaningful"], directed=directed) for part in parts]
    frame["ratio"] = laid([part.ratio.estimate for part in parts])
    frame["ratio_lower"] = laid([part.ratio.lower for part in parts])
    frame["ratio_upper"] = laid([part.ratio.upper for part in parts])
    frame["p"] = laid([part.p for part in parts])
    frame["verdict"] = laid(verdicts)
    known = [~lacks_interval(part) for part in parts]
    frame["stands"] = laid([_stands(evaluated, v, k) for v, k in zip(verdicts, known, strict=True)])
    frame["reason"] = laid([part.reason for part in parts])
    return frame.astype(_COLUMNS)


def _stands(evaluated: Any, verdict: Any, known: Any) -> Any:
    """Say whether a verdict is the one evaluated."""
    return np.select(
        [~known | (evaluated == ""), verdict == evaluated, verdict == NOT_VISIBLE, evaluated == NOT_VISIBLE],
        ["cannot tell", "yes", "weaker", "stronger"],
        "no",
    )


def _no_placebo(study: Study) -> tuple[pd.DataFrame, pd.DataFrame]:
    keys: dict[str, Any] = dict.fromkeys(study.strata.columns, "str")
    placebo, dates = (
        pd.DataFrame({c: pd.Series(dtype=t) for c, t in (keys | columns).items()})
        for columns in (PLACEBO_COLUMNS, DATE_COLUMNS)
    )
    return placebo, dates
