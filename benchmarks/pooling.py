"""False flags of comparisons, and coverage of the intervals of shrunken rates, at realistic small counts.

Flags: groups of one rate; the share of comparisons with one or more groups outside, for funnels and for the
analysis of means, exact and normal. Coverage: sites whose rates vary as a beta distribution, averaged over
sites as an empirical Bayes interval promises; beside it the naive interval that takes mean and spread as
known.

Run: ``python benchmarks/pooling.py``.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy import special

from qi_equity.formulas.analysis_of_means import critical_value, proportion_limits
from qi_equity.formulas.probability_limits import p_probability_limits
from qi_equity.formulas.shrinkage import beta_binomial_shrinkage

DRAWS = 4000
SIZES = {
    "5 groups, one of 70 %": [700, 100, 50, 100, 50],
    "5 groups of 60": [60] * 5,
    "10 sites of 12 to 300": [12, 20, 30, 45, 60, 80, 110, 150, 220, 300],
}


def outside(rate: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """Share of comparisons with one or more units beyond the limits."""
    return float(((rate < lower) | (rate > upper)).any(axis=-1).mean())


def flags(births: list[int], chance: float, rng: np.random.Generator) -> list[float]:
    """Share with a flag: funnel at 95 % and 99.8 %, exact and normal analysis of means at 5 %."""
    n = np.array(births, dtype=float)
    x = rng.binomial(births, chance, (DRAWS, len(births))).astype(float)
    rate, centre = x / n, x.sum(1, keepdims=True) / n.sum()
    shares = []
    for tail in (0.025, 0.001):
        limits = p_probability_limits(x, n, centre_line=centre, tail=tail)
        shares.append(outside(rate, limits.lower, limits.upper))
    exact = proportion_limits(x, n, tail=0.05 / (2 * len(births)))
    shares.append(outside(rate, exact.lower, exact.upper))
    away = critical_value(n) * np.sqrt(centre * (1 - centre) * (1 / n - 1 / n.sum()))
    return [*shares, outside(rate, centre - away, centre + away)]


def coverage(sites: int, births: int, mean: float, prior: float, rng: np.random.Generator) -> list[float]:
    """Coverage of corrected and naive intervals of sites, and share of complete pooling."""
    n = rng.integers(births // 2, 2 * births, (DRAWS // 2, sites)).astype(float)
    p = np.full(n.shape, mean) if np.isinf(prior) else rng.beta(mean * prior, (1 - mean) * prior, n.shape)
    x = rng.binomial(n.astype(int), p).astype(float)
    found = beta_binomial_shrinkage(x, n)
    known = ~np.isnan(found.estimate)
    size = np.where(found.complete, 1e9, found.prior_size)[:, None]
    a, b = x + found.mean[:, None] * size, n - x + (1 - found.mean[:, None]) * size
    naive = [special.betaincinv(a, b, share) for share in (0.025, 0.975)]
    inside = [(found.lower <= p) & (p <= found.upper), (naive[0] <= p) & (p <= naive[1])]
    return [float(i[known].mean()) for i in inside] + [float(found.complete.mean())]


def main() -> int:
    """Print both tables; 1 if an error rate or a coverage is not what is promised."""
    rng = np.random.default_rng(1)
    print(
        f"{'groups':<24}{'rate':>6}{'funnel 95':>11}{'funnel 99.8':>13}{'anom exact':>12}{'anom normal':>13}"
    )
    worst = 0.0
    for name, births in SIZES.items():
        for chance in (0.02, 0.08, 0.3):
            shares = flags(births, chance, rng)
            worst = max(worst, shares[2])
            text = "".join(f"{100 * s:>{w}.1f}" for s, w in zip(shares, (11, 13, 12, 13), strict=True))
            print(f"{name:<24}{chance:>6}{text}")
    print(f"\n{'sites':<6}{'births':>7}{'mean':>6}{'prior':>7}{'corrected':>11}{'naive':>7}{'complete':>10}")
    least = 1.0
    for sites in (3, 5, 10):
        for births, mean, prior in (
            (60, 0.05, 100),
            (60, 0.05, np.inf),
            (300, 0.08, 200),
            (300, 0.08, np.inf),
        ):
            values = coverage(sites, births, mean, prior, rng)
            least = min(least, values[0])
            text = "".join(f"{100 * v:>{w}.1f}" for v, w in zip(values, (11, 7, 10), strict=True))
            print(f"{sites:<6}{births:>7}{mean:>6}{prior:>7}{text}")
    return int(worst > 0.06 or least < 0.9)


if __name__ == "__main__":
    sys.exit(main())
