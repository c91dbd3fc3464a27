"""What chance does to measures of inequality: limits by parametric bootstrap, and what equal groups give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from qi_equity.data.cells import Floats
from qi_equity.equity.inequality.counts import GroupCounts
from qi_equity.equity.inequality.estimates import Rule, compare, estimates
from qi_equity.formulas.inequality import mean_of_groups
from qi_equity.formulas.inequality_draws import (
    draw_means,
    draw_proportions,
    draw_rates,
    inverted_limit,
    tail_quantiles,
    uniforms,
)

__all__ = ["bootstrap", "if_equal"]

# Values drawn at once; more rows than fit are gone through in blocks.
_BLOCK = 2**21
# Of draws without a value (a ratio over 0, the logarithm of 0) so many are borne by a mean of the rest.
_FEW = 0.01
_ALIKE = 1e-9
# Worlds of growing inequality: the distances of the groups from their mean, as multiples of those observed.
_WORLDS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, 14.0)

Limits = tuple[Floats, Floats, Floats, Floats]


def bootstrap(
    estimated: Mapping[str, Floats], counts: GroupCounts, rule: Rule, draws: int, seed: int, confidence: float
) -> dict[str, Limits]:
    """Give lower limit, upper limit, standard error and Monte Carlo error of each measure, shape (R,)."""
    found: dict[str, list[Limits]] = {i: [] for i in estimated}
    u = uniforms(draws, len(counts.groups), seed)
    for rows in _blocks(counts, draws):
        worlds = [_world(tuple(estimated), counts, rule, rows, u, k, confidence) for k in _WORLDS]
        for i in estimated:
            truth, low, high, low_error, high_error, se = np.stack([w[i] for w in worlds], axis=1)
            here = np.where(
                estimated[i][rows] > _ALIKE * np.fmax.reduce(truth, axis=0), estimated[i][rows], np.nan
            )
            found[i].append(
                (
                    # An estimate so small that even equal groups seldom give it stays in its own interval.
                    inverted_limit(truth, high, here),
                    np.maximum(inverted_limit(truth, low, here), here),
                    se[_WORLDS.index(1.0)],
                    np.fmax(_moved(truth, high, high_error, here), _moved(truth, low, low_error, here)),
                )
            )
    return {i: _joined(parts) for i, parts in found.items()}


def _world(
    ids: tuple[str, ...],
    counts: GroupCounts,
    rule: Rule,
    rows: slice,
    u: Floats,
    stretch: float,
    confidence: float,
) -> dict[str, tuple[Floats, ...]]:
    """Give the true measures of one world, and quantiles of their estimates with errors, each (rows,)."""
    true = _stretched(counts, rows, stretch)
    births = np.where(np.isnan(true), np.nan, counts.denominator[rows])
    here = _of_rows(rule, rows)
    truth = estimates(ids, true, births, compare(true, births, here))
    drawn = _draw(counts, rows, true, births, u)
    measured = estimates(ids, drawn, births, compare(drawn, births, here))
    # Equal groups have no inequality at all, not what rounding leaves of it.
    some = float(stretch > 0)
    return {i: (some * truth[i], *_quantiles(m, confidence), _spread(m)) for i, m in measured.items()}


def _quantiles(drawn: Floats, confidence: float) -> tuple[Floats, ...]:
    """Give quantiles with errors; draws without a value widen the interval on either side.

    A relative measure has no value in a draw without events. Where most draws have none there is no interval.
    """
    without = np.isnan(drawn)
    if not without.any():
        return tail_quantiles(drawn, confidence=confidence)
    beyond = 2 * np.fmax.reduce(drawn, axis=0) + 1
    low, _, low_error, _ = tail_quantiles(np.where(without, 0, drawn), confidence=confidence)
    _, high, _, high_error = tail_quantiles(np.where(without, beyond, drawn), confidence=confidence)
    most = without.mean(axis=0) > 1 / 2
    low, high, low_error, high_error = (np.where(most, np.nan, a) for a in (low, high, low_error, high_error))
    return low, high, low_error, high_error


def _spread(drawn: Floats) -> Floats:
    """Give the standard deviation of the draws that have a value."""
    known = ~np.isnan(drawn)
    n = np.where(known.any(axis=0), known.sum(axis=0), np.nan)
    away = drawn - np.nansum(drawn, axis=0) / n
    return np.asarray(np.sqrt(np.nansum(away**2, axis=0) / n))


def _stretched(counts: GroupCounts, rows: slice, stretch: float) -> Floats:
    """Give values whose distances from their mean are a multiple of those observed, as far as they can be."""
    value = counts.value[rows]
    mean = mean_of_groups(value, counts.denominator[rows])[:, np.newaxis]
    moved = mean + stretch * (value - mean)
    return moved if counts.kind == "mean" else np.clip(moved, 0, 1 if counts.kind == "proportion" else None)


def _moved(truth: Floats, quantile: Floats, error: Floats, observed: Floats) -> Floats:
    """Say how far a limit moves with the Monte Carlo error of the quantiles."""
    with np.errstate(invalid="ignore"):
        ends = [inverted_limit(truth, quantile + sign * error, observed) for sign in (-1, 1)]
        moved = np.abs(ends[0] - ends[1]) / 2
    return np.where(np.isfinite(moved), moved, np.nan)


def if_equal(
    estimated: Mapping[str, Floats], counts: GroupCounts, rule: Rule, draws: int, seed: int
) -> dict[str, tuple[Floats, Floats]]:
    """Give what each measure would be on average if all groups had the common value, and the chance of more.

    The chance is that of a measure at least as far from that of equal groups as the one estimated; a draw in
    which it is not defined counts as one.
    """
    found: dict[str, list[tuple[Floats, Floats]]] = {i: [] for i in estimated}
    u = uniforms(draws, len(counts.groups), seed)
    for rows in _blocks(counts, draws):
        true = _stretched(counts, rows, 0)
        births = np.where(np.isnan(true), np.nan, counts.denominator[rows])
        values = _draw(counts, rows, true, births, u)
        compared = compare(values, births, _of_rows(rule, rows))
        for i, drawn in estimates(tuple(estimated), values, births, compared).items():
            defined = np.isfinite(drawn)
            n = defined.sum(axis=0)
            mean = np.where(defined, drawn, 0).sum(axis=0) / np.maximum(n, 1)
            observed = estimated[i][rows]
            far = ~defined | (_distance(i, drawn) >= _distance(i, observed) * (1 - _ALIKE))
            unknown = np.isnan(observed) | counts.unsure[rows]
            chance = np.where(unknown, np.nan, (1 + far.sum(axis=0)) / (draws + 1))
            found[i].append((np.where(n >= (1 - _FEW) * draws, mean, np.nan), chance))
    return {
        i: (np.concatenate([a for a, _ in p]), np.concatenate([b for _, b in p])) for i, p in found.items()
    }


def _blocks(counts: GroupCounts, draws: int) -> list[slice]:
    total, groups = counts.value.shape
    step = max(1, _BLOCK // (draws * groups))
    return [slice(k, k + step) for k in range(0, total, step)]


def _joined(parts: list[Limits]) -> Limits:
    lower, upper, se, error = (np.concatenate(part) for part in zip(*parts, strict=True))
    return lower, upper, se, error


def _of_rows(rule: Rule, rows: slice) -> Rule:
    fixed = None if rule.fixed_best is None else rule.fixed_best[rows]
    return replace(rule, able=rule.able[rows], fixed_best=fixed)


def _draw(counts: GroupCounts, rows: slice, true: Floats, births: Floats, u: Floats) -> Floats:
    """Draw the values of some rows where the true ones are these, shape (draws, rows, G)."""
    if counts.kind == "mean":
        # Without the spread of one group no draw is of all of them.
        errors = np.where(counts.unsure[rows, np.newaxis], np.nan, counts.errors[rows])
        return draw_means(true, errors, u)
    return (draw_rates if counts.kind == "rate" else draw_proportions)(true, births, u)


def _distance(measure: str, value: Floats) -> Floats:
    """Say how far a measure is from that of equal groups."""
    if measure != "r":
        return np.abs(value)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs(np.log(value))
