"""How often each interval holds the true value, at the counts of maternity groups: by exact enumeration.

Run: ``python benchmarks/coverage.py``. It goes through every pair of counts that can occur, so there is no
seed and no error; it prints Markdown tables, and with ``--write`` puts them where docs/methods/intervals.md
includes them. Beside the intervals of the library stand those that are often used and fail (Wald, Katz).
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import special

from qi_equity.formulas.difference_intervals import (
    agresti_caffo_difference,
    miettinen_nurminen_difference,
    newcombe_difference,
)
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.odds_ratio_intervals import log_adjusted_odds_ratio, score_odds_ratio
from qi_equity.formulas.proportion_intervals import (
    clopper_pearson_interval,
    jeffreys_interval,
    wilson_interval,
)
from qi_equity.formulas.rate_difference_intervals import rate_difference, score_rate_difference
from qi_equity.formulas.rate_intervals import (
    byar_rate_interval,
    exact_rate_interval,
    mid_p_rate_interval,
    ohid_rate_interval,
)
from qi_equity.formulas.ratio_intervals import (
    exact_rate_ratio,
    log_adjusted_risk_ratio,
    mid_p_rate_ratio,
    score_risk_ratio,
)

TABLES = Path(__file__).parents[1] / "docs" / "methods" / "_coverage"
BLACK, WHITE = 0.039, 0.029
SPANS = {"month": (28, 294), "quarter": (84, 881), "year": (335, 3525)}
BIRTHS = (12, 28, 66, 294)
REFERENCE_BIRTHS = 294
RATES = np.arange(0.01, 0.1201, 0.005)
GAPS = (1.0, 1.35, 2.0)
"""True ratios of the group's rate to the reference's."""
NEGLECTED = 1e-9
Z = -float(special.ndtri(0.025))

Array = npt.NDArray[np.float64]
Method = Callable[..., Interval]


def wald(x: Array, n: Array) -> Interval:
    p = x / n
    half = Z * np.sqrt(p * (1 - p) / n)
    return Interval(p, p - half, p + half)


def wald_rate(x: Array, e: Array) -> Interval:
    half = Z * np.sqrt(x) / e
    return Interval(x / e, x / e - half, x / e + half)


def wald_difference(x: Array, n: Array, x0: Array, n0: Array) -> Interval:
    p, p0 = x / n, x0 / n0
    half = Z * np.sqrt(p * (1 - p) / n + p0 * (1 - p0) / n0)
    return Interval(p - p0, p - p0 - half, p - p0 + half)


def wald_rate_difference(x: Array, e: Array, x0: Array, e0: Array) -> Interval:
    half = Z * np.sqrt(x / e**2 + x0 / e0**2)
    return Interval(x / e - x0 / e0, x / e - x0 / e0 - half, x / e - x0 / e0 + half)


def katz_ratio(x: Array, n: Array, x0: Array, n0: Array) -> Interval:
    return _log_interval(x * n0 / (n * x0), 1 / x - 1 / n + 1 / x0 - 1 / n0)


def woolf_odds_ratio(x: Array, n: Array, x0: Array, n0: Array) -> Interval:
    return _log_interval(x * (n0 - x0) / ((n - x) * x0), 1 / x + 1 / (n - x) + 1 / x0 + 1 / (n0 - x0))


def log_rate_ratio(x: Array, e: Array, x0: Array, e0: Array) -> Interval:
    return _log_interval(x * e0 / (e * x0), 1 / x + 1 / x0)


def _log_interval(ratio: Array, variance: Array) -> Interval:
    half = Z * np.sqrt(variance)
    return Interval(ratio, ratio * np.exp(-half), ratio * np.exp(half))


PROPORTION: Mapping[str, Method] = {
    "Wald (never)": wald,
    "Wilson": wilson_interval,
    "Jeffreys": jeffreys_interval,
    "Clopper-Pearson": clopper_pearson_interval,
}
RATE: Mapping[str, Method] = {
    "Wald (never)": wald_rate,
    "exact": exact_rate_interval,
    "mid-P": mid_p_rate_interval,
    "Byar": byar_rate_interval,
    "OHID (exact below 10, then Byar)": ohid_rate_interval,
}
DIFFERENCE: Mapping[str, Method] = {
    "Wald (never)": wald_difference,
    "Newcombe": newcombe_difference,
    "Miettinen-Nurminen": miettinen_nurminen_difference,
    "Agresti-Caffo": agresti_caffo_difference,
}
RATIO: Mapping[str, Method] = {
    "Katz log (never)": katz_ratio,
    "score (Miettinen-Nurminen)": score_risk_ratio,
    "log-adjusted": log_adjusted_risk_ratio,
}
ODDS_RATIO: Mapping[str, Method] = {
    "Woolf log (never)": woolf_odds_ratio,
    "score (Miettinen-Nurminen)": score_odds_ratio,
    "log-adjusted (Gart)": log_adjusted_odds_ratio,
}
RATE_DIFFERENCE: Mapping[str, Method] = {
    "Wald (never)": wald_rate_difference,
    "from mid-P limits": rate_difference,
    "from exact limits": partial(rate_difference, limits="exact"),
    "from Byar's limits": partial(rate_difference, limits="byar"),
    "score (Miettinen-Nurminen)": score_rate_difference,
}
RATE_RATIO: Mapping[str, Method] = {
    "log (never)": log_rate_ratio,
    "mid-P": mid_p_rate_ratio,
    "exact": exact_rate_ratio,
}


def binomial(n: float, p: float) -> tuple[Array, Array]:
    """Give the counts that can occur, and their probabilities."""
    k = np.arange(n + 1.0)
    log = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return _likely(k, np.exp(log + special.xlogy(k, p) + special.xlog1py(n - k, -p)))


def poisson(mean: float) -> tuple[Array, Array]:
    k = np.arange(mean + 12 * np.sqrt(mean) + 25)
    return _likely(k, np.exp(special.xlogy(k, mean) - mean - special.gammaln(k + 1)))


def _likely(k: Array, chance: Array) -> tuple[Array, Array]:
    """Drop counts so far out that all of them together have next to no chance."""
    inside = (np.cumsum(chance) > NEGLECTED) & (np.cumsum(chance[::-1])[::-1] > NEGLECTED)
    return k[inside], chance[inside] / chance[inside].sum()


def coverage_of_one(method: Method, size: float, counts: tuple[Array, Array], true: float) -> float:
    x, chance = counts
    return float(chance[_holds(method(x, np.full(x.shape, size)), true)].sum())


def coverage_of_two(
    method: Method, sizes: tuple[float, float], counts: list[tuple[Array, Array]], true: float
) -> float:
    (x, chance), (x0, chance0) = counts
    pairs = np.broadcast_arrays(x[:, None], float(sizes[0]), x0, float(sizes[1]))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        held = _holds(method(*(np.array(a) for a in pairs)), true)
    return float((chance[:, None] * chance0)[held].sum())


def _holds(interval: Interval, true: float) -> npt.NDArray[np.bool_]:
    """Say which intervals hold the truth; one that cannot be given holds nothing."""
    return np.asarray((interval.lower <= true) & (true <= interval.upper))


TRUTH: Mapping[str, Callable[[float, float], float]] = {
    "difference": lambda p, p0: p - p0,
    "ratio": lambda p, p0: p / p0,
    "odds ratio": lambda p, p0: p * (1 - p0) / ((1 - p) * p0),
}


def known() -> str:
    """Write coverage at the counts of one unit: a month, a quarter and a year of births."""
    lines = []
    for name, method in PROPORTION.items():
        row = [coverage_of_one(method, n, binomial(n, BLACK), BLACK) for n, _ in SPANS.values()]
        lines.append(_line(f"proportion: {name}", row))
    families = (
        ("difference", DIFFERENCE),
        ("ratio", RATIO),
        ("ratio", {f"rates, {name}": m for name, m in RATE_RATIO.items()}),
        ("odds ratio", ODDS_RATIO),
    )
    for what, methods in families:
        true = TRUTH[what](BLACK, WHITE)
        for name, method in methods.items():
            row = [
                coverage_of_two(method, sizes, [binomial(sizes[0], BLACK), binomial(sizes[1], WHITE)], true)
                for sizes in SPANS.values()
            ]
            lines.append(_line(f"{what}: {name}", row))
    heads = [f"{span} ({n}, {n0} births)" for span, (n, n0) in SPANS.items()]
    return _table("interval", heads, lines)


def of_one(methods: Mapping[str, Method], draw: Callable[[float, float], tuple[Array, Array]]) -> str:
    """Write mean and lowest coverage over the rates, for each number of births."""
    return _small(
        methods, lambda method, n: [coverage_of_one(method, n, draw(n, rate), rate) for rate in RATES]
    )


def of_two(
    methods: Mapping[str, Method], what: str, draw: Callable[[float, float], tuple[Array, Array]]
) -> str:
    """Write the same of two groups, over the rates and the true gaps."""
    return _small(
        methods,
        lambda method, n: [
            coverage_of_two(
                method,
                (n, REFERENCE_BIRTHS),
                [draw(n, rate), draw(REFERENCE_BIRTHS, rate / gap)],
                TRUTH[what](rate, rate / gap),
            )
            for rate in RATES
            for gap in GAPS
        ],
    )


def _small(methods: Mapping[str, Method], cover: Callable[[Method, int], list[float]]) -> str:
    lines = []
    for name, method in methods.items():
        found = [cover(method, n) for n in BIRTHS]
        cells = " | ".join(f"{100 * np.mean(c):.1f} ({100 * np.min(c):.1f})" for c in found)
        lines.append(f"| {name} | {cells} |")
    return _table("interval", [f"{n} births" for n in BIRTHS], lines)


def _line(name: str, coverages: list[float]) -> str:
    return f"| {name} | {' | '.join(f'{100 * c:.1f}' for c in coverages)} |"


def _table(first: str, heads: list[str], lines: list[str]) -> str:
    return "\n".join([f"| {first} | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|", *lines, ""])


def poisson_of(exposure: float, rate: float) -> tuple[Array, Array]:
    return poisson(exposure * rate)


TABLE: Mapping[str, Callable[[], str]] = {
    "known": known,
    "proportion": partial(of_one, PROPORTION, binomial),
    "rate": partial(of_one, RATE, poisson_of),
    "difference": partial(of_two, DIFFERENCE, "difference", binomial),
    "ratio": partial(of_two, RATIO, "ratio", binomial),
    "odds_ratio": partial(of_two, ODDS_RATIO, "odds ratio", binomial),
    "rate_difference": partial(of_two, RATE_DIFFERENCE, "difference", poisson_of),
    "rate_ratio": partial(of_two, RATE_RATIO, "ratio", poisson_of),
}


def main() -> None:
    """Print, and if wanted write, the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", type=lambda text: text.split(","), help="names, with commas between")
    parser.add_argument("--write", action="store_true", help="into docs/methods/_coverage")
    options = parser.parse_args()
    for name in options.only or TABLE:
        table = TABLE[name]()
        print(f"## {name}\n\n{table}", flush=True)
        if options.write:
            TABLES.mkdir(exist_ok=True)
            (TABLES / f"{name}.md").write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
