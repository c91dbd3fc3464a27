"""Other intervals of a change than the library's default, on the same simulated networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from _networks import Floats, Networks, Scenario, draw
from _tally import CONFIDENCE, portions
from numpy.typing import NDArray
from scipy import special

from qi_equity.change.estimate import t_of
from qi_equity.formulas.sparse_change import along_the_margin, conditional_odds_ratio

DEFAULT = "own quasi-binomial, floored, t; exact below 10"
# Name: how dispersion is estimated, whether floored, which quantile, exact below so many events in a cell.
WAYS = {
    DEFAULT: ("own", True, "t", 10),
    "exact below 5": ("own", True, "t", 5),
    "exact below 20": ("own", True, "t", 20),
    "dispersion not floored": ("own", False, "t", 10),
    "normal quantile": ("own", True, "z", 10),
    "dispersion not floored, normal quantile": ("own", False, "z", 10),
    "binomial: no dispersion, normal quantile": ("none", True, "z", 10),
    "dispersion after Fletcher": ("fletcher", True, "t", 10),
    "beta-binomial by moments": ("beta", True, "t", 10),
    "one dispersion shared over groups": ("shared", True, "t", 10),
}
LEAST = 0.01
SATTERTHWAITE = "gap by Satterthwaite"


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Counts of one set of networks: cells (networks, strata), months (networks, strata, months)."""

    x1: Floats
    n1: Floats
    x0: Floats
    n0: Floats
    pearson: Floats
    lean: Floats
    excess: Floats
    size1: Floats
    size0: Floats
    df: float

    @property
    def least(self) -> Floats:
        """Events, or births without one, in the smallest cell."""
        return np.minimum(np.minimum(self.x1, self.x0), np.minimum(self.n1 - self.x1, self.n0 - self.x0))


def cells_of(scenario: Scenario, networks: Networks) -> _Cells:
    sides = (slice(None, scenario.before), slice(scenario.before, None))
    x0, x1 = (networks.events[..., side].sum(axis=-1) for side in sides)
    n0, n1 = (networks.births[..., side].sum(axis=-1) for side in sides)
    months = np.arange(networks.events.shape[-1]) < scenario.before
    n = networks.births
    p = np.where(months, (x0 / n0)[..., None], (x1 / n1)[..., None])
    whole = np.where(months, n0[..., None], n1[..., None])
    variance = n * p * (1 - p)
    some = variance > 0
    safe = np.where(some, variance, 1.0)
    residual = np.where(some, networks.events - n * p, 0.0)
    return _Cells(
        x1,
        n1,
        x0,
        n0,
        pearson=(residual**2 / safe).sum(axis=-1),
        lean=np.where(some, (1 - 2 * p) / safe * residual, 0.0).mean(axis=-1),
        excess=np.where(some, (n - 1) * (1 - n / whole), 0.0).sum(axis=-1),
        size1=np.where(months, 0.0, n**2).sum(axis=-1) / n1,
        size0=np.where(months, n**2, 0.0).sum(axis=-1) / n0,
        df=float(len(months) - 2),
    )


def _dispersion(cells: _Cells, way: str) -> tuple[Floats, Floats, Floats]:
    """Give the dispersion after and before, and its degrees of freedom.

    Shared: Pearson's statistic over all groups (McCullagh and Nelder 1989, 4.5.2). Fletcher (Biometrika
    2012;99:230-7): that of Pearson over 1 + the mean of V'(mu) (y - mu) / V(mu). Beta-binomial: with the
    intraclass correlation that Pearson's statistic expects, 1 + it times (the births' mean month less 1).
    """
    df = np.full(cells.pearson.shape, cells.df)
    plain = cells.pearson / cells.df
    if way == "none":
        return np.ones(df.shape), np.ones(df.shape), np.full(df.shape, np.inf)
    if way == "shared":
        mean = np.broadcast_to(plain.mean(axis=-1, keepdims=True), df.shape)
        return mean, mean, df * df.shape[-1]
    if way == "fletcher":
        corrected = plain / np.maximum(1 + cells.lean, LEAST)
        return corrected, corrected, df
    if way == "beta":
        excess = np.where(cells.excess > 0, cells.excess, np.inf)
        correlation = np.clip((cells.pearson - cells.df) / excess, 0, 1)
        return 1 + correlation * (cells.size1 - 1), 1 + correlation * (cells.size0 - 1), df
    return plain, plain, df


def intervals(cells: _Cells, name: str) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Give the log ratio with its ends, its variance and degrees of freedom (NaN where it is exact)."""
    way, floored, quantile, few = WAYS[name]
    phi1, phi0, df = _dispersion(cells, way)
    phi1, phi0 = (np.maximum(1 if floored else LEAST, phi) for phi in (phi1, phi0))
    df = np.full(df.shape, np.inf) if quantile == "z" else df
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(cells.x1 / cells.n1) - np.log(cells.x0 / cells.n0)
        variance = phi1 * (1 / cells.x1 - 1 / cells.n1) + phi0 * (1 / cells.x0 - 1 / cells.n0)
        half = t_of(df, CONFIDENCE) * np.sqrt(variance)
        lower, upper = log - half, log + half
    small = cells.least < few
    widen = (np.sqrt((phi1 + phi0) / 2) * t_of(df, CONFIDENCE) / special.ndtri((1 + CONFIDENCE) / 2))[small]
    counts = tuple(a[small] for a in (cells.x1, cells.n1, cells.x0, cells.n0))
    if small.any():
        odds = conditional_odds_ratio(*counts, confidence=CONFIDENCE, widened=widen)
        ratio, _ = along_the_margin(odds, *counts, confidence=CONFIDENCE, widened=widen)
        with np.errstate(divide="ignore"):
            lower[small], upper[small] = np.log(ratio.lower), np.log(ratio.upper)
    return log, lower, upper, np.where(small, np.nan, variance), df


def gap(
    found: tuple[Floats, ...], strata: NDArray[np.int64], reference: NDArray[np.int64], by: str
) -> Floats:
    """Give the ends of the change of the log rate ratio, shape (2, networks, gaps)."""
    (log, lower, upper, variance, df), other = (
        tuple(a[:, which] for a in found) for which in (strata, reference)
    )
    log2, lower2, upper2, variance2, df2 = other
    with np.errstate(invalid="ignore"):
        change = log - log2
        ends = np.stack(
            [
                change - np.hypot(log - lower, upper2 - log2),
                change + np.hypot(upper - log, log2 - lower2),
            ]
        )
        ends = np.where(np.isfinite(change), ends, np.stack([lower - upper2, upper - lower2]))
        if by != SATTERTHWAITE:
            return ends
        total = variance + variance2
        freedom = total**2 / (variance**2 / df + variance2**2 / df2)
        half = t_of(freedom, CONFIDENCE) * np.sqrt(total)
        return np.where(np.isnan(half), ends, np.stack([change - half, change + half]))


def compare(scenario: Scenario, count: int, seed: int) -> pd.DataFrame:
    """Give, for each way, the coverage of groups and gaps and how often "improved" is wrong."""
    rng = np.random.default_rng([seed, *scenario.key])
    strata = np.flatnonzero(scenario.reference != np.arange(len(scenario.reference)))
    reference = scenario.reference[strata]
    sums: dict[str, list[Floats]] = {}
    for size in portions(count):
        networks = draw(scenario, size, rng)
        cells, truth = cells_of(scenario, networks), np.log(networks.after / networks.before)
        for name in (*WAYS, SATTERTHWAITE):
            found = intervals(cells, DEFAULT if name == SATTERTHWAITE else name)
            ends = gap(found, strata, reference, name)
            gap_truth = truth[:, strata] - truth[:, reference]
            parts = (
                ((found[1] <= truth) & (truth <= found[2])).sum(axis=0),
                (found[2] < 0).sum(axis=0),
                ((ends[0] <= gap_truth) & (gap_truth <= ends[1])).sum(axis=0),
            )
            sums[name] = [a + b for a, b in zip(sums.get(name, [0.0] * 3), parts, strict=True)]
    least = scenario.least_expected
    parts = []
    for name, (covered, improved, of_gaps) in sums.items():
        wrong = np.where(scenario.ratios == 1, improved / count, np.nan)
        rows = (
            (scenario.monthly, least, covered / count, wrong, "groups"),
            (
                scenario.monthly[strata],
                np.minimum(least[strata], least[reference]),
                of_gaps / count,
                np.nan,
                "gaps",
            ),
        )
        for births, expected, share, improved_wrongly, what in rows:
            told = {"births": births, "expected": expected, "covers": share, "wrong": improved_wrongly}
            parts.append(pd.DataFrame(told).assign(what=what, way=name, noise=scenario.name))
    return pd.concat(parts, ignore_index=True)
