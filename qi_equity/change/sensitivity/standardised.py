"""The change with the case-mix held as it was before the change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from qi_equity import _validate
from qi_equity.change.estimate import t_of, two_sided_p
from qi_equity.change.level import level_effects, segment_sums, used_periods
from qi_equity.change.sensitivity.models import Analysis
from qi_equity.change.sensitivity.places import add, dates_of
from qi_equity.change.study import REVERSED, Study
from qi_equity.data import regroup
from qi_equity.data.cells import Floats, Ints
from qi_equity.errors import OptionError
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.standardisation import FEWEST

__all__ = ["CRUDE", "HELD", "Standardised", "read_columns", "standardised"]

CRUDE, HELD = "level, not standardised", "standardised for "
_LACKING = "a stratum of the case-mix has no births on one side"
_FEW = f"fewer than {FEWEST} events on one side"
_MIXED_DATES = "its parts have the change at different dates"


@dataclass(frozen=True, slots=True, eq=False)
class Standardised:
    """The changes of R strata taken together over the case-mix, crude and standardised.

    Parameters
    ----------
    strata : pandas.DataFrame
        One row a stratum, "All" (or "All groups") in the columns of the case-mix.
    starts : ndarray of float, shape (R, K)
        Position of the first period of each change.
    crude, standardised : Analysis
        The changes, shape (R, K).
    """

    strata: pd.DataFrame
    starts: Floats
    crude: Analysis
    standardised: Analysis


def read_columns(study: Study, standardise: object) -> tuple[str, ...]:
    """Read the argument ``standardise``.

    Raises
    ------
    OptionError
        If the series has no such strata, or the measure cannot be standardised.
    """
    if standardise is None:
        return ()
    columns, there = _validate.names("standardise", standardise), list(study.strata.columns)
    several = [c for c in there if len(study.strata[c].cat.categories) > 1]
    if not columns:
        raise OptionError(f"standardise=[] names no column; give some of {several}, or leave it out.")
    if not several:
        raise OptionError(
            f"standardise={list(columns)!r} is not possible: this evaluation has one stratum only. Evaluate "
            "a series with further strata (by=['age'] when it is made), or with its groups not summed."
        )
    for name in columns:
        if name not in several:
            raise OptionError(
                f"standardise={name!r} is not possible: the series evaluated has no such strata to hold "
                f"fixed; it has {several}. Name others in by= when the series is made."
            )
    kind = study.series.measure.kind
    if kind not in ("proportion", "rate"):
        raise OptionError(
            f"standardise= is not possible for {study.series.measure.name!r} of kind {kind!r}: it needs "
            "events among births."
        )
    if "group" in columns:
        regroup.refuse_overlap(study.series, f"standardise={list(columns)}")
    return tuple(columns)


def standardised(study: Study, columns: Sequence[str], confidence: float) -> Standardised:
    r"""Compare the rates before and after each change, with the case-mix of before on both sides.

    With :math:`w_j` the share of stratum :math:`j` of the case-mix among the births before,

    .. math:: p_s = \sum_j w_j \frac{x_{js}}{n_{js}}, \qquad
              v_s = \sum_j w_j^2 \frac{p_{js}(1 - p_{js})}{n_{js}}, \qquad
              \log\frac{p_1}{p_0} \pm t \sqrt{\hat\phi \left(\frac{v_1}{p_1^2} + \frac{v_0}{p_0^2}\right)}

    (direct standardisation; without :math:`1 - p` for rates). The dispersion :math:`\hat\phi \ge 1` is
    Pearson's of the periods' standardised sums, :math:`\sum_j (w_j / n_{js}) (x_{jt} - n_{jt} p_{js})`, so
    that what varies in all strata of the case-mix together counts.

    Parameters
    ----------
    study : Study
        What the evaluation is reckoned from, the case-mix told apart.
    columns : sequence of str
        Columns of the strata that are the case-mix.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Standardised
        No interval where a stratum of the case-mix has no births on one side (no other is put in its place),
        there are fewer than 10 events on one side, or the parts changed at different dates.

    References
    ----------
    .. [1] Breslow, Day. Statistical Methods in Cancer Research, vol. II. IARC 1987, chapter 2.
    .. [2] McCullagh, Nelder. Generalized Linear Models, 2nd ed. 1989, section 4.5 (dispersion).
    """
    strata, row = _rows(study, columns)
    dates = dates_of(study, row, len(strata))
    segment, starts, mixed = dates.segment, dates.starts, dates.mixed
    name = HELD + ", ".join(columns)
    ratio, p, reason = _held(study, row, segment, starts.shape[1], confidence)
    reason = np.where(mixed[:, None], _MIXED_DATES, reason)
    unknown = reason != ""
    ratio, p = _blanked(ratio, unknown), np.where(unknown, np.nan, p)
    crude, crude_p = _crude(study, row, segment, starts.shape[1], confidence)
    told = np.where(np.isnan(crude.estimate) & np.isnan(crude.upper), _LACKING, "")
    told = np.where(mixed[:, None], _MIXED_DATES, told)
    crude, crude_p = _blanked(crude, mixed[:, None]), np.where(mixed[:, None], np.nan, crude_p)
    return Standardised(
        strata, starts, Analysis(CRUDE, crude, crude_p, told), Analysis(name, ratio, p, reason)
    )


def _rows(study: Study, columns: Sequence[str]) -> tuple[pd.DataFrame, Ints]:
    """Give the strata taken together over the case-mix, and to which of them each stratum belongs."""
    strata = study.strata
    all_of = {c: regroup.ALL_GROUPS if c == "group" else "All" for c in columns}
    rest = strata.assign(**{c: pd.Categorical([name] * len(strata)) for c, name in all_of.items()})
    row, rows = regroup.distinct(rest)
    return rows, row


def _held(
    study: Study, row: Ints, segment: Ints, changes: int, confidence: float
) -> tuple[Interval, Floats, Any]:
    """Give the standardised changes of the R strata, (R, K)."""
    size, binomial = len(segment), study.family == "binomial"
    x, n = segment_sums(study.events, study.size, segment[row], changes + 1)
    rate = x / n
    parts = []
    for k in range(changes):
        weight = _share(np.nan_to_num(n[:, k]), row, size)
        sides = [_side(rate[:, s], n[:, s], weight, row, size, binomial=binomial) for s in (k, k + 1)]
        phi, df = _dispersion(study, rate, n, weight, row, segment, k, binomial=binomial)
        events = [add(np.nan_to_num(x[:, s]), row, size) for s in (k, k + 1)]
        parts.append((*sides[0], *sides[1], phi, df, np.minimum(*events)))
    p0, v0, p1, v1, phi, df, least = (np.stack(a, axis=1) for a in zip(*parts, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        log, error = np.log(p1 / p0), np.sqrt(phi * (v1 / p1**2 + v0 / p0**2))
        if study.way == REVERSED:
            log = -log
        half = t_of(df, confidence) * error
        p = two_sided_p(log / error, df)
    reason = np.where(np.isnan(p0 + p1), _LACKING, np.where(least < FEWEST, _FEW, ""))
    return Interval(np.exp(log), np.exp(log - half), np.exp(log + half)), p, reason


def _share(births: Floats, row: Ints, size: int) -> Floats:
    total = add(births, row, size)[row]
    return np.divide(births, total, out=np.zeros_like(births), where=total > 0)


def _side(
    rate: Floats, births: Floats, weight: Floats, row: Ints, size: int, *, binomial: bool
) -> tuple[Floats, Floats]:
    """Give the standardised rate and its variance; NaN where a stratum that is weighted has no births."""
    variance = rate * (1 - rate) if binomial else rate
    weighted = weight > 0
    value = add(np.where(weighted, weight * rate, 0.0), row, size)
    spread = add(np.where(weighted, weight**2 * variance / births, 0.0), row, size)
    nobody = add(weight, row, size) == 0
    return np.where(nobody, np.nan, value), spread


def _dispersion(
    study: Study,
    rate: Floats,
    births: Floats,
    weight: Floats,
    row: Ints,
    segment: Ints,
    change: int,
    *,
    binomial: bool,
) -> tuple[Floats, Floats]:
    """Give Pearson's dispersion of the standardised sums of the periods about a change, floored at 1."""
    part = segment[row]
    here = ((part == change) | (part == change + 1)) & used_periods(study.events, study.size)
    of = np.maximum(part, 0)
    mean, total = (np.take_along_axis(a, of, axis=1) for a in (rate, births))
    here &= (weight > 0)[:, None] & np.isfinite(mean)
    pull = np.where(here, weight[:, None] / np.where(here, total, 1.0), 0.0)
    variance = mean * (1 - mean) if binomial else mean
    size = len(segment)
    residual = add(np.where(here, pull * (study.events - study.size * mean), 0.0), row, size)
    expected = add(np.where(here, pull**2 * study.size * variance, 0.0), row, size)
    some = expected > 0
    pearson = (residual**2 / np.where(some, expected, 1.0) * some).sum(axis=1)
    df = some.sum(axis=1) - 2.0
    spare = df > 0
    phi = np.where(spare, np.maximum(1.0, pearson / np.where(spare, df, 1.0)), 1.0)
    return phi, np.where(spare, df, np.inf)


def _crude(
    study: Study, row: Ints, segment: Ints, changes: int, confidence: float
) -> tuple[Interval, Floats]:
    """Give the changes of the strata summed over the case-mix."""
    used = used_periods(study.events, study.size)
    events, size = (add(np.where(used, a, 0.0), row, len(segment)) for a in (study.events, study.size))
    found = level_effects(
        events,
        size,
        segment,
        changes,
        family="binomial" if study.family == "binomial" else "poisson",
        confidence=confidence,
    )
    found = found.reversed() if study.way == REVERSED else found
    return found.ratio, found.p


def _blanked(interval: Interval, where: Any) -> Interval:
    return Interval(
        *(np.where(where, np.nan, e) for e in (interval.estimate, interval.lower, interval.upper))
    )
