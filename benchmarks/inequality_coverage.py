"""Coverage of the intervals of inequality, and what percentiles of draws would hold.

Tables of five groups, drawn with true rates and handed to ``qe.inequality`` as sites, all at once.

Run: ``python benchmarks/inequality_coverage.py`` (some minutes).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

import qi_equity as qe
from qi_equity.formulas import inequality as of
from qi_equity.formulas.inequality_draws import draw_proportions, sampling_chance, tail_quantiles, uniforms

TABLES, DRAWS = 400, 400
GROUPS = ("Asian", "Black", "Mixed", "Other", "White")
BIRTHS = {
    "quarter": (198, 84, 54, 36, 882),
    "year": (792, 336, 216, 144, 3528),
    "nine trusts": (14000, 6000, 3900, 2600, 60000),
}
RATES = {
    "alike": (0.05,) * 5,
    "somewhat unequal": (0.032, 0.039, 0.035, 0.03, 0.029),
    "unequal": (0.09, 0.10, 0.08, 0.07, 0.06),
}
INVERTED, BY_FORMULA = ("bgsd", "mdmw", "mdbw", "idisw"), ("bgv", "ti", "mld")


def measures(y: np.ndarray, n: np.ndarray) -> dict[str, np.ndarray]:
    best = np.min(np.where(n >= 100, y, np.inf), axis=-1)
    return {
        "bgsd": np.sqrt(of.between_group_variance(y, n)),
        "mdmw": of.mean_difference_from(y, n, weighted=True),
        "mdbw": of.mean_difference_from(y, n, against=best, weighted=True),
        "idisw": of.index_of_disparity(y, n, weighted=True),
        "bgv": of.between_group_variance(y, n),
        "ti": of.theil_index(y, n),
        "mld": of.mean_log_deviation(y, n),
    }


def coverage(births: tuple[int, ...], rates: tuple[float, ...], seed: int) -> dict[str, float]:
    n, p = np.array(births), np.array(rates)
    x = np.random.default_rng(seed).binomial(n, p, (TABLES, 5))
    truth = {k: float(v) for k, v in measures(p, n).items()}
    places = [f"T{k:03d}" for k in range(TABLES)]
    rows = pd.DataFrame({"s": np.repeat(places, 5), "g": np.tile(GROUPS, TABLES), "m": "2024-01"})
    rows = rows.assign(x=x.ravel(), n=np.tile(n, TABLES))
    measure = qe.Measure("Event", "proportion", "lower")
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g", "site": "s"}
    series = qe.from_counts(rows, measure, scheme="nhs-2001", **columns)
    table = qe.inequality(series, measures=[*INVERTED, *BY_FORMULA], draws=DRAWS).table.dropna(subset="lower")
    true = table["measure"].map(truth).astype(float)
    held = (table["lower"] <= true + 1e-12) & (true <= table["upper"])
    found = held.groupby(table["measure"]).mean().to_dict()
    u = uniforms(DRAWS, 5, seed)
    drawn = measures(draw_proportions(sampling_chance(x, n), np.broadcast_to(n, x.shape) * 1.0, u), n)
    for name in INVERTED:
        low, high, *_ = tail_quantiles(drawn[name])
        found[f"{name}, percentiles"] = float(np.mean((low <= truth[name]) & (truth[name] <= high)))
    return found


def main() -> None:
    rows = {(r, b): coverage(BIRTHS[b], RATES[r], seed=1) for r in RATES for b in BIRTHS}
    print(pd.DataFrame(rows).T.round(2).to_string())


if __name__ == "__main__":
    main()
