"""Evaluate a change: for each group, and for each gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from qi_equity import _result, _validate
from qi_equity.change import evaluation_notes, tables
from qi_equity.change.design import Design
from qi_equity.change.estimate import Effects
from qi_equity.change.gap_effects import gap_effects
from qi_equity.change.judge import judge, trend_model
from qi_equity.change.model import ChangeModel, read_model
from qi_equity.change.power import chance_if_read_each_period, power_of
from qi_equity.change.result import ChangeEvaluation
from qi_equity.change.study import REVERSED, At, Study, make_study, seasonal_periods
from qi_equity.data import selecting
from qi_equity.data.cells import Bools
from qi_equity.data.reference import Reference, resolve
from qi_equity.data.series import StratifiedSeries, check_series
from qi_equity.data.table import library
from qi_equity.data.timeline import Mark
from qi_equity.errors import InputTypeError, OptionError

__all__ = ["evaluate_change", "evaluated"]

Primary = str | Sequence[str] | Mapping[str, Any]


def evaluate_change(
    series: StratifiedSeries,
    at: At,
    *,
    reference: str | float | Reference,
    model: str | ChangeModel = "level",
    seasonal: int = 0,
    phase_in: int = 0,
    meaningful: float = 0.75,
    confidence: float = 0.95,
    balancing: Sequence[StratifiedSeries] = (),
    process: StratifiedSeries | None = None,
    primary: Primary | None = None,
    until: Mark | None = None,
) -> ChangeEvaluation:
    """Say what happened after a change, for each group and for each gap, and what could not be seen.

    Every stratum is compared with itself before, and its change with that of its reference, with a model that
    is named before the data are looked at. All changes are reckoned on the adverse outcome: for proportions
    of which more is better on the births without the event, for other such measures as before over after. A
    ratio below 1 is always an improvement.

    Parameters
    ----------
    series : StratifiedSeries
        Proportions, rates, counts or means; not times between events.
    at : date, list of dates or frame
        When changes were made: for all strata, or a frame with ``start`` and, as far as wanted, ``site``,
        ``group``, further strata, ``label`` and ``reason`` (staggered starts). A date inside a period counts
        the whole of it as after the change. With several changes each is set against the time between it and
        the one before.
    reference : str, float or Reference
        What the groups are compared with, as for :func:`gaps`: a group, ``"rest"``, ``"best"`` (the best
        before the change), ``"target"``, or a number. There is no default: no group is the norm.
    model : str or ChangeModel
        ``"level"``, ``"level+trend"``, ``"level+shared trend"``, ``"level+trend+slope"``, or a
        :class:`ChangeModel`.
    seasonal : int
        Harmonics of a yearly season, 0 to 5; of each stratum's own.
    phase_in : int
        Periods after each change in which it was only coming in: left out, or a ramp (see
        :class:`ChangeModel`).
    meaningful : float
        Ratio of adverse rates that would matter, in (0, 1): 0.75 is a quarter fewer. The same size upward is
        a meaningful worsening.
    confidence : float
        Level of confidence, in (0, 1).
    balancing : sequence of StratifiedSeries
        Measures in which the change must not do harm, with the same strata; see ``.balancing``.
    process : StratifiedSeries, optional
        Whether the change arrived: its uptake, with the same strata; see ``.process``.
    primary : str, sequence of str or mapping, optional
        Strata that the aim declares: groups, or a mapping with ``group``, ``site``, ``where`` as for
        ``series.select()``. Their verdicts are held together against chance (Holm); the others are
        exploratory. Default: all.
    until : date, optional
        Last period that was planned. Readings before it are interim.

    Returns
    -------
    ChangeEvaluation
        ``groups``, ``gaps``, ``homogeneity``, ``balancing``, ``process``, ``notes``, ``method``,
        ``sentence()``, ``sensitivity()``, ``counterfactual()``, ``plot()``.

    Raises
    ------
    InputTypeError
        If an argument is not of its type.
    OptionError
        If an option is not allowed, or does not fit the measure.
    DataError
        If a frame of changes does not fit the series.

    References
    ----------
    .. [1] Wagner, Soumerai, Zhang, Ross-Degnan. Segmented regression analysis of interrupted time series
       studies in medication use research. J Clin Pharm Ther 2002;27:299-309.
    .. [2] Turner, Forbes, Karahalios, Taljaard, McKenzie. Evaluation of statistical methods used in the
       analysis of interrupted time series studies. BMC Med Res Methodol 2021;21:181.
    .. [3] Holm. A simple sequentially rejective multiple test procedure. Scand J Stat 1979;6:65-70.

    Examples
    --------
    >>> import numpy as np, pandas as pd, qi_equity as qe
    >>> months = pd.period_range("2023-01", periods=24, freq="M").astype(str)
    >>> rows = pd.DataFrame({"month": [*months] * 2, "group": ["Black"] * 24 + ["White"] * 24,
    ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
    >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
    ...                         denominator="births", group="group")
    >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
    >>> evaluation.groups[["group", "ratio", "verdict"]].round(2).values.tolist()
    [['Black', 0.44, 'improved'], ['White', 1.0, 'no meaningful change']]
    >>> evaluation.gaps["verdict"].unique().tolist()
    ['narrowed', 'is the reference']
    """
    check_series(series)
    options = {
        "at": at,
        "reference": resolve(reference, series).to_dict(),
        "model": read_model(model).to_dict(),
        "seasonal": _harmonics(series, seasonal),
        "phase_in": _validate.whole_number("phase_in", phase_in),
        "meaningful": _validate.number("meaningful", meaningful, above=0, below=1),
        "confidence": _validate.number("confidence", confidence, above=0, below=1),
        "primary": primary,
        "until": until,
    }
    return evaluated(series, options, _several(balancing), process)


def evaluated(
    series: StratifiedSeries,
    options: Mapping[str, Any],
    balancing: tuple[StratifiedSeries, ...] = (),
    process: StratifiedSeries | None = None,
) -> ChangeEvaluation:
    """Evaluate a change with options that :func:`evaluate_change` has read."""
    study = make_study(series, options["at"], Reference(**options["reference"]), options["phase_in"])
    model, harmonics = ChangeModel(**options["model"]), options["seasonal"]
    confidence, meaningful = options["confidence"], options["meaningful"]
    _check_model(study, model)
    design = study.design(model, harmonics)
    own, other = study.effects(model, harmonics, confidence)
    power = power_of(study, design, own, meaningful, confidence)
    gaps = gap_effects(own, other, meaningful, reverse=study.way == REVERSED)
    uptake = None if process is None else _uptake(series, process, options)
    against_trend = _against_trend(study, model, harmonics)
    words = _words(study, own, options, against_trend) | {"arrived": _arrived(study, uptake)}
    groups = tables.group_table(study, design, own, power, words)
    gap_table = tables.gap_table(study, gaps)
    harm = _harm(series, balancing, options)
    looks = chance_if_read_each_period(study, design, confidence)
    notes = evaluation_notes.notes_of(study, design, own, groups, gap_table, harm, looks, options)
    return ChangeEvaluation(
        series=series,
        options=options,
        method=_method(study, design, options, against_trend),
        balancing_series=balancing,
        process_series=process,
        _groups=groups,
        _gaps=gap_table,
        _homogeneity=tables.homogeneity_table(study, own),
        _balancing=harm,
        _process=_empty_process(study) if uptake is None else uptake,
        _notes=notes,
    )


def _harmonics(series: StratifiedSeries, seasonal: int) -> int:
    number = _validate.whole_number("seasonal", seasonal)
    most = 0 if seasonal_periods(series.every) == 1 else min(5, int(seasonal_periods(series.every) // 2) - 1)
    if number > most:
        raise OptionError(
            f"seasonal={number} is not possible for periods of a {series.every}; give 0 to {most}."
            if most
            else f"seasonal={number} is not possible: a {series.every} has no season within it; use 0."
        )
    return number


def _several(balancing: object) -> tuple[StratifiedSeries, ...]:
    given = (balancing,) if isinstance(balancing, StratifiedSeries) else balancing
    if not isinstance(given, Sequence) or not all(isinstance(s, StratifiedSeries) for s in given):
        raise InputTypeError("balancing= holds something else than series; give a list of StratifiedSeries.")
    return tuple(given)


def _check_model(study: Study, model: ChangeModel) -> None:
    if study.family == "gaussian" and model.trend == "shared":
        raise OptionError("model: a shared trend is not for means; use 'level' or 'level+trend'.")


def _against_trend(study: Study, model: ChangeModel, harmonics: int) -> tuple[ChangeModel, int]:
    """Name the model of what "beyond the trend" is set against."""
    earliest = np.nanmin(study.schedule.starts[:, :1], initial=np.inf)
    return trend_model(model, harmonics, earliest, seasonal_periods(study.series.every))


def _words(
    study: Study, own: Effects, options: Mapping[str, Any], against_trend: tuple[ChangeModel, int]
) -> dict[str, Any]:
    declared = declared_strata(study, options["primary"])[:, None]
    confidence = options["confidence"]
    step = study.effects(*against_trend, confidence)[0]
    directed = study.series.measure.better is not None
    found = judge(own, step, declared, options["meaningful"], confidence, directed=directed)
    return {
        "verdict": found.verdict,
        "family_verdict": found.family_verdict,
        "family_p": found.family_p,
        "beyond_trend": found.beyond_trend,
        "declared": declared,
    }


def declared_strata(study: Study, primary: Primary | None) -> Bools:
    """Tell which strata the aim declares; all, if it declares none."""
    if primary is None:
        return np.ones(len(study.strata), dtype=np.bool_)
    asked = dict(primary) if isinstance(primary, Mapping) else {"group": primary}
    unknown = [name for name in asked if name not in ("group", "site", "where")]
    if unknown:
        raise OptionError(f"primary={primary!r} names {unknown}; give group, site or where.")
    parts: dict[str, Any] = {name: asked.get(name) for name in ("group", "site", "where")}
    return selecting.stratum_mask(study.strata, **parts)


def _inner(series: StratifiedSeries, options: Mapping[str, Any]) -> pd.DataFrame:
    """Give the groups of another measure's evaluation, by the same dates and model."""
    season = options["seasonal"]
    return evaluated(series, {**options, "seasonal": season, "primary": None, "until": None}).groups


_SIDE_COLUMNS = ("rate_before", "rate_after", "ratio", "ratio_lower", "ratio_upper", "verdict")


def _harm(
    series: StratifiedSeries, balancing: tuple[StratifiedSeries, ...], options: Mapping[str, Any]
) -> pd.DataFrame:
    """Lay out the changes of the balancing measures: one row a measure, stratum and change."""
    keys = [*series.cells.strata.columns, "change", "at"]
    columns = ["measure", *keys, *_SIDE_COLUMNS, "smallest_detectable"]
    parts = []
    for other in balancing:
        _same_strata(series, other, "balancing")
        parts.append(_inner(other, options).assign(measure=other.measure.name)[columns])
    if parts:
        return pd.concat(parts, ignore_index=True).astype({"measure": "str"})
    return pd.DataFrame(
        {c: pd.Series(dtype="str" if c in ("measure", "verdict") else "float64") for c in columns}
    )


def _uptake(series: StratifiedSeries, process: StratifiedSeries, options: Mapping[str, Any]) -> pd.DataFrame:
    """Lay out the uptake of the change, and whether it arrived: one row a stratum and change."""
    if not isinstance(process, StratifiedSeries):
        raise InputTypeError(f"process is of type {type(process).__name__}; give a StratifiedSeries.")
    _same_strata(series, process, "process")
    found = _inner(process, options)
    arrived = {"improved": "yes", "rose": "yes", "not yet visible": "cannot tell"}
    found["arrived"] = found["verdict"].map(arrived).fillna("no").astype("str")
    return found[[*series.cells.strata.columns, "change", "at", *_SIDE_COLUMNS, "arrived"]]


def _empty_process(study: Study) -> pd.DataFrame:
    keys = [*study.strata.columns, "change", "at"]
    texts = ("verdict", "arrived")
    columns = [*keys, *_SIDE_COLUMNS, "arrived"]
    return pd.DataFrame({c: pd.Series(dtype="str" if c in texts else "float64") for c in columns})


def _arrived(study: Study, uptake: pd.DataFrame | None) -> Any:
    shape = study.schedule.starts.shape
    if uptake is None:
        return np.full(shape, "not given")
    return uptake["arrived"].to_numpy().reshape(shape)


def _same_strata(series: StratifiedSeries, other: StratifiedSeries, argument: str) -> None:
    mine, theirs = (s.cells.strata.astype("str").reset_index(drop=True) for s in (series, other))
    if not mine.equals(theirs):
        raise OptionError(
            f"{argument}= has other strata than the series ({len(theirs)} and {len(mine)}); give a series "
            "with the same sites and groups, in the same order."
        )
    if other.every != series.every:
        raise OptionError(
            f"{argument}= has periods of a {other.every}, the series of a {series.every}; resample one of them."
        )


def _method(
    study: Study, design: Design, options: Mapping[str, Any], against_trend: tuple[ChangeModel, int]
) -> dict[str, Any]:
    told = {k: v for k, v in options.items() if k not in ("at", "model")}
    return {
        "what": "evaluation of a change",
        "model": ChangeModel(**options["model"]).name,
        "terms": list(design.terms),
        **_result.from_json(_result.to_json(told)),
        "changes": study.when.phases[study.when.phases["phase"] > 1].reset_index(drop=True),
        "orientation": study.way,
        "estimator": evaluation_notes.ESTIMATORS[study.family],
        "beyond_trend": f"{against_trend[0].name}, {against_trend[1]} harmonics",
        "not_modelled": evaluation_notes.not_modelled(ChangeModel(**options["model"]), options["seasonal"]),
        "power": "80 % at the baseline rate; never from the change observed",
        **study.against.method,
        **library(),
    }
