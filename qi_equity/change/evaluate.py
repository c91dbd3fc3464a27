"""Evaluate a change: for each group, and for each gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qi_equity import _result, _validate
from qi_equity.change import companions, evaluation_notes, tables
from qi_equity.change.found import Found, find
from qi_equity.change.gap_effects import gap_effects
from qi_equity.change.model import ChangeModel, read_model
from qi_equity.change.power import chance_if_read_each_period
from qi_equity.change.result import ChangeEvaluation
from qi_equity.change.study import REVERSED, At, Study, make_study, read_at, recorded_at, seasonal_periods
from qi_equity.data import selecting
from qi_equity.data.reference import Reference, resolve
from qi_equity.data.series import StratifiedSeries, check_series
from qi_equity.data.table import library
from qi_equity.data.timeline import Mark
from qi_equity.errors import OptionError
from qi_equity.spc.words import period

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
    at : date, list of dates, frame or recorded changes
        When changes were made: for all strata, or a frame with ``start`` and, as far as wanted, ``site``,
        ``group``, further strata, ``label`` and ``reason`` (staggered starts). A date inside a period counts
        the whole of it as after the change. With several changes each is set against the time between it and
        the one before. What holds recorded changes, such as a project of :mod:`qi_equity.pdsa`, gives those
        of the measure (see :class:`RecordedChanges`).
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
    changes, said = recorded_at(series, at)
    options = {
        "at": read_at(series, changes),
        "reference": resolve(reference, series).to_dict(),
        "model": read_model(model).to_dict(),
        "seasonal": _harmonics(series, seasonal),
        "phase_in": _validate.whole_number("phase_in", phase_in),
        "meaningful": _validate.number("meaningful", meaningful, above=0, below=1),
        "confidence": _validate.number("confidence", confidence, above=0, below=1),
        "primary": _plain(primary),
        "until": _until(series, until),
        **({"at_notes": said} if len(said) else {}),
    }
    return evaluated(series, options, companions.several(balancing), process)


def evaluated(
    series: StratifiedSeries,
    options: Mapping[str, Any],
    balancing: tuple[StratifiedSeries, ...] = (),
    process: StratifiedSeries | None = None,
) -> ChangeEvaluation:
    """Evaluate a change with options that :func:`evaluate_change` has read."""
    study = make_study(series, options["at"], Reference(**options["reference"]), options["phase_in"])
    _check_until(study, options["until"])
    uptake = companions.uptake_table(study, process, options)
    found = find(study, options, companions.arrived(study, uptake))
    gaps = gap_effects(found.own, found.other, options["meaningful"], reverse=study.way == REVERSED)
    groups = found.table(study, options)
    harm = companions.harm_table(study, balancing, options)
    looks = chance_if_read_each_period(study, found.design, options["confidence"])
    notes = evaluation_notes.notes_of(study, found.design, found.own, groups, gaps, harm, looks, options)
    return ChangeEvaluation(
        series=series,
        options=options,
        method=_method(study, found, options),
        balancing_series=balancing,
        process_series=process,
        _groups=groups,
        _gaps=tables.gap_table(study, gaps),
        _homogeneity=tables.homogeneity_table(study, found.own, options["confidence"]),
        _balancing=harm,
        _process=uptake,
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


def _plain(primary: Any) -> Any:
    """Keep what the aim declares as text and lists of text, apart from what was given."""
    if primary is None or isinstance(primary, str):
        return primary
    if isinstance(primary, Mapping):
        return {str(name): _plain(value) for name, value in primary.items()}
    return [str(label) for label in _validate.several("primary", primary)]


def _until(series: StratifiedSeries, until: Mark | None) -> str | None:
    """Keep the last period that was planned as text, once it can be read."""
    if until is None:
        return None
    text = str(until).removesuffix(" 00:00:00")
    selecting.bound(series, "until", text, last=True)
    return text


def _check_until(study: Study, until: str | None) -> None:
    """Refuse an end that was planned before the change."""
    if until is None:
        return
    end = selecting.bound(study.series, "until", until, last=True)[0]
    first = study.series.cells.periods[int(np.nanmin(study.schedule.starts))]
    if end < first:
        raise OptionError(
            f"until={until!r} is before the first change ({period(study.series, first)}); name the last "
            "period that was planned to be read."
        )


def _method(study: Study, found: Found, options: Mapping[str, Any]) -> dict[str, Any]:
    trend, harmonics = found.trend
    told = {k: v for k, v in options.items() if k not in ("at", "at_notes", "model")}
    return {
        "what": "evaluation of a change",
        "model": ChangeModel(**options["model"]).name,
        "terms": list(found.design.terms),
        **_result.from_json(_result.to_json(told)),
        "changes": study.when.phases[study.when.phases["phase"] > 1].reset_index(drop=True),
        "orientation": study.way,
        "estimator": evaluation_notes.ESTIMATORS[study.family],
        "beyond_trend": f"{trend.name}, harmonics of a year: {harmonics}",
        "not_modelled": evaluation_notes.not_modelled(ChangeModel(**options["model"]), options["seasonal"]),
        "power": "80 % at the baseline rate; never from the change observed",
        **study.against.method,
        **library(),
    }
