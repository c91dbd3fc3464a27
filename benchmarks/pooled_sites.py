"""How often do the intervals of pooled changes hold the truth? The table of docs/methods/pooling.md.

Run: ``python benchmarks/pooled_sites.py [networks]``: 300 networks a scenario unless told otherwise, about
two minutes on one core.
"""

from __future__ import annotations

import sys

import numpy as np

from qi_equity.formulas.meta_analysis import MetaAnalysis, meta_analysis
from qi_equity.formulas.mixed_sites import PooledChange, conditional_sites, mixed_sites

SEED = 20261128
TRUTH = float(np.log(0.6))
# Sites, births of each before (and after), rate before, standard deviation of the log odds ratio.
SCENARIOS = [
    (sites, births, 0.05, tau)
    for sites, births in ((9, 120), (9, 480), (4, 480), (20, 120))
    for tau in (0, 0.3)
]


def draw(scenario: tuple[int, int, float, float], networks: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw events and births, shape (networks, sites, 2)."""
    sites, births, rate, tau = scenario
    rng = np.random.default_rng(seed)
    sizes = births * np.exp(0.5 * rng.standard_normal((networks, sites)))
    n = np.stack([rng.poisson(sizes) + 1] * 2, axis=-1)
    before = np.log(rate / (1 - rate)) + 0.3 * rng.standard_normal((networks, sites))
    change = TRUTH + tau * rng.standard_normal((networks, sites))
    p = 1 / (1 + np.exp(-np.stack([before, before + change], axis=-1)))
    return rng.binomial(n, p).astype(float), n.astype(float)


def log_odds_ratios(x: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give log odds ratios and Woolf's variances; NaN for a site with an empty cell."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logit = np.log(x / (n - x))
        effect, variance = logit[..., 1] - logit[..., 0], (1 / x + 1 / (n - x)).sum(axis=-1)
    empty = ~np.isfinite(effect) | ~np.isfinite(variance)
    return np.where(empty, np.nan, effect), np.where(empty, np.nan, variance)


def told(found: MetaAnalysis | PooledChange) -> str:
    """Give the share of intervals that hold the truth, and the mean error of the estimate."""
    some = ~np.isnan(found.lower)
    holds = (found.lower <= TRUTH) & (found.upper >= TRUTH)
    error = found.estimate[np.isfinite(found.estimate)].mean() - TRUTH
    return f"{holds[some].mean():.3f} ({error:+.3f})"


def main(networks: int) -> None:
    """Print the table."""
    print("| sites | births | events | tau | two stages, default | two stages, t | one stage | exact |")
    for number, scenario in enumerate(SCENARIOS):
        x, n = draw(scenario, networks, SEED + number)
        effects = log_odds_ratios(x, n)
        ways = (
            meta_analysis(*effects),
            meta_analysis(*effects, test="t"),
            mixed_sites(x, n),
            conditional_sites(x, n),
        )
        cells = [
            *map(str, (scenario[0], scenario[1], round(float(x.mean()), 1), scenario[3])),
            *map(told, ways),
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
