"""What chance does to measures of inequality: limits by parametric bootstrap, and what equal groups give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from qi_equity.data.cells import Floats
from qi_equity.equity.inequality_counts import GroupCounts
from qi_equity.equity.inequality_estimates import Rule, compare, estimates
from qi_equity.formulas.inequality import mean_of_groups
from qi_equity.formulas.inequality_draws import (
    draw_means,
    draw_proportions,
    draw_rates,
    percentile_limits,
    sampling_chance,
    uniforms,
)

__all__ = ["bootstrap", "if_equal"]

# Values drawn at once; more rows than fit are gone through in blocks.
_BLOCK = 2**21
# Of draws without a value (a ratio over 0, the logarithm of 0) so many are borne by a mean of the rest.
_FEW = 0.01
_ALIKE = 1e-9

Limits = tuple[Floats, Floats, Floats, Floats]


def bootstrap(
    ids: tuple[str, ...], counts: GroupCounts, rule: Rule, draws: int, seed: int, confidence: float
) -> dict[str, Limits]:
    """Give lower limit, upper limit, standard error and Monte Carlo error of each measure, shape (R,)."""
    found: dict[str, list[Limits]] = {i: [] for i in ids}
    u = uniforms(draws, len(counts.groups), seed)
    for rows in _blocks(counts, draws):
        for i, drawn in _measured(ids, counts, rule, rows, u, alike=False).items():
            lower, upper, error = percentile_limits(drawn, confidence=confidence)
            found[i].append((lower, upper, drawn.std(axis=0), error))
    return {i: _joined(parts) for i, parts in found.items()}


def if_equal(
    estimated: dict[str, Floats], counts: GroupCounts, rule: Rule, draws: int, seed: int
) -> dict[str, tuple[Floats, Floats]]:
    """Give what each measure would be on average if all groups had the common value, and the chance of more.

    The chance is that of a measure at least as far from that of equal groups as the one estimated; a draw in
    which it is not defined counts as one.
    """
    found: dict[str, list[tuple[Floats, Floats]]] = {i: [] for i in estimated}
    u = uniforms(draws, len(counts.groups), seed)
    for rows in _blocks(counts, draws):
        for i, drawn in _measured(tuple(estimated), counts, rule, rows, u, alike=True).items():
            defined = np.isfinite(drawn)
            n = defined.sum(axis=0)
            mean = np.where(defined, drawn, 0).sum(axis=0) / np.maximum(n, 1)
            observed = estimated[i][rows]
            far = ~defined | (_distance(i, drawn) >= _distance(i, observed) * (1 - _ALIKE))
            chance = np.where(np.isnan(observed), np.nan, (1 + far.sum(axis=0)) / (draws + 1))
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


def _measured(
    ids: tuple[str, ...], counts: GroupCounts, rule: Rule, rows: slice, u: Floats, *, alike: bool
) -> dict[str, Floats]:
    """Draw the counts of some rows, and give the measures of them, each of shape (draws, rows)."""
    births = np.where(np.isnan(counts.value[rows]), np.nan, counts.denominator[rows])
    values = _draw(counts, rows, births, u, alike)
    fixed = None if rule.fixed_best is None else rule.fixed_best[rows]
    compared = compare(values, births, replace(rule, able=rule.able[rows], fixed_best=fixed))
    return estimates(ids, values, births, compared)


def _draw(counts: GroupCounts, rows: slice, births: Floats, u: Floats, alike: bool) -> Floats:
    value, events, errors = counts.value[rows], counts.numerator[rows], counts.errors[rows]
    there = ~np.isnan(value)
    if counts.kind == "mean":
        mean = mean_of_groups(value, births)[:, np.newaxis] if alike else value
        return draw_means(np.where(there, mean, np.nan), errors, u)
    repeatable = counts.kind == "rate"
    if alike:
        pooled = [np.where(there, a, 0).sum(axis=1, keepdims=True) for a in (events, births)]
        chance = np.where(there, sampling_chance(*pooled, repeatable=repeatable), np.nan)
    else:
        chance = sampling_chance(events, births, repeatable=repeatable)
    return (draw_rates if repeatable else draw_proportions)(chance, births, u)


def _distance(measure: str, value: Floats) -> Floats:
    """Say how far a measure is from that of equal groups."""
    if measure != "r":
        return np.abs(value)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs(np.log(value))
