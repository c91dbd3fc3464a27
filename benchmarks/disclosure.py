"""Does what leaves give small counts away? Made tables with margins, before and after ``disclose``.

Run: ``python benchmarks/disclosure.py [tables] [seed]`` (default 2000 tables of up to 12 x 8 cells).

Every table is attacked twice with one integer program a number, written here and sharing nothing with the
library: once as the rule by itself would publish it, once as ``disclose`` does. The outsider knows the rule,
every number shown and its rounding, and that a withheld count is not 0.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp

import qi_equity as qe
from qi_equity.data.disclosure.rule import SuppressionRule

CALLS = qe.Measure("Events", "count", None)
RULES = ("strict-10", "dqmi", "nhs-england")


@dataclass(frozen=True)
class Table:
    """Published cells with margins as one array, (rows + 1, columns + 1); NaN where withheld."""

    true: np.ndarray[Any, Any]
    shown: np.ndarray[Any, Any]


def made_table(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray[Any, Any]:
    """Draw counts like those of sites by ethnic groups: groups and sites of very different size."""
    group = rng.gamma(0.7, 20, columns)
    site = rng.gamma(2, 0.5, rows)
    return rng.poisson(np.outer(site, group))


def with_margins(inner: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Add the sums over groups and sites."""
    wide = np.column_stack([inner, inner.sum(1)])
    return np.vstack([wide, wide.sum(0)])


def series_of(inner: np.ndarray[Any, Any]) -> qe.StratifiedSeries:
    """Make a series of one period: rows are sites, columns groups."""
    site, group = np.indices(inner.shape)
    frame = pd.DataFrame(
        {
            "site": [f"S{i:03}" for i in site.ravel()],
            "group": [f"G{i}" for i in group.ravel()],
            "month": "2024-01",
            "n": inner.ravel(),
        }
    )
    return qe.from_counts(frame, CALLS, period="month", numerator="n", group="group", site="site")


def disclosed_table(inner: np.ndarray[Any, Any], series: qe.StratifiedSeries) -> Table:
    """Read a disclosed series and the sums that it gives."""
    rows, columns = inner.shape
    shown = np.full((rows + 1, columns + 1), np.nan)
    numbers = {"": series, "t": series.total(), "p": series.pool(), "tp": series.total().pool()}
    shown[:-1, :-1] = numbers[""].cells.numerator.reshape(rows, columns)
    shown[:-1, -1] = numbers["t"].cells.numerator.ravel()
    shown[-1, :-1] = numbers["p"].cells.numerator.ravel()
    shown[-1, -1] = numbers["tp"].cells.numerator.item()
    return Table(with_margins(inner), shown)


def by_rule_alone(inner: np.ndarray[Any, Any], rule: SuppressionRule) -> Table:
    """Publish as the rule says, and withhold nothing further."""
    true = with_margins(inner)
    shown = true.astype(float)
    if rule.rounding:
        shown = np.floor(shown / rule.rounding + 0.5) * rule.rounding
    small = (true >= 1) & (true <= rule.largest)
    shown[small] = rule.mark if isinstance(rule.mark, int) else np.nan
    shown[true == 0] = 0
    return Table(true, shown)


def known_ranges(table: Table, rule: SuppressionRule) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Say what each published number means to one who knows the rule."""
    shown = table.shown
    lower, upper = shown.copy(), shown.copy()
    if rule.rounding:
        lower = np.maximum(np.ceil(shown - rule.rounding / 2), rule.largest + 1)
        upper = np.ceil(shown + rule.rounding / 2) - 1
    lower[shown == 0] = upper[shown == 0] = 0
    if isinstance(rule.mark, int):
        lower[shown == rule.mark], upper[shown == rule.mark] = 1, rule.largest
    withheld = np.isnan(shown)
    lower[withheld], upper[withheld] = 1, np.inf
    return lower, upper


def numbers_left(table: Table, rule: SuppressionRule, enough: int) -> Iterator[tuple[int, int]]:
    """Attack each protected count of a table: how many whole numbers are possible, up to ``enough``.

    First by what is published; second by one who knows of the count attacked that it is a protected one.
    """
    rows, columns = (n - 1 for n in table.true.shape)
    at = np.arange(rows * columns).reshape(rows, columns)
    lower, upper = known_ranges(table, rule)
    members = [*at, *at.T, at.ravel()]
    sums = np.array([np.isin(at.ravel(), m) for m in members], dtype=float)
    edge = [(r, columns) for r in range(rows)] + [(rows, c) for c in range(columns)] + [(rows, columns)]
    known = LinearConstraint(sums, [lower[e] for e in edge], [upper[e] for e in edge])
    base = Bounds(lower[:-1, :-1].ravel(), upper[:-1, :-1].ravel())
    for r, c in np.argwhere((table.true >= 1) & (table.true <= rule.largest)):
        inner = r < rows and c < columns
        target = (at.ravel() == at[r, c]).astype(float) if inner else sums[edge.index((r, c))]
        truth, found, small = int(table.true[r, c]), 0, 0
        most = rule.largest + enough if np.isnan(table.shown[r, c]) else rule.largest
        for value in sorted(range(1, most + 1), key=lambda v, t=truth: (v > rule.largest, abs(v - t))):
            fits = milp(
                np.zeros(rows * columns),
                integrality=np.ones(rows * columns),
                bounds=base,
                constraints=[known, LinearConstraint(target[None], value, value)],
            )
            found += fits.status == 0
            small += fits.status == 0 and value <= rule.largest
            if found >= enough:
                break
        yield found, small


def sample(number: int, seed: int, largest: tuple[int, int] = (12, 8)) -> Iterator[np.ndarray[Any, Any]]:
    """Draw tables of 2 x 2 to the largest size."""
    rng = np.random.default_rng(seed)
    for _ in range(number):
        yield made_table(rng, int(rng.integers(2, largest[0] + 1)), int(rng.integers(2, largest[1] + 1)))


def exact_loss(inner: np.ndarray[Any, Any], rule: SuppressionRule) -> float:
    """Find the least number of further counts to withhold, by the full model of Fischetti and Salazar.

    One integer program with, for every protected count, two tables that cannot be told from the true one and
    between which it differs by ``protect - 1``. For small tables without rounding only.
    """
    true = with_margins(inner)
    flat, k, width = true.ravel(), rule.largest, rule.protect - 1
    size, n = flat.size, flat.size
    protected = np.flatnonzero((flat >= 1) & (flat <= k))
    plain = flat > k
    balance = []
    at = np.arange(size).reshape(true.shape)
    for line in [*at, *at.T]:
        row = np.zeros(size)
        row[line[:-1]], row[line[-1]] = 1, -1
        balance.append(row)
    reach = 2.0 * width
    m = 2 * len(protected)
    total = n + m * n
    lines, least, most = [], [], []
    low = np.where(plain, -np.minimum(flat - (k + 1), reach), np.where(flat > 0, 1 - flat, 0))
    high = np.where(plain, reach, np.where(flat > 0, k - flat, 0))
    for j in range(m):
        off = n + j * n
        for row in balance:
            line = np.zeros(total)
            line[off : off + n] = row
            lines.append(line)
            least.append(0.0)
            most.append(0.0)
        for e in np.flatnonzero(plain):
            for sign, bound in ((1, high[e]), (-1, -low[e])):
                line = np.zeros(total)
                line[off + e], line[e] = sign, -bound
                lines.append(line)
                least.append(-np.inf)
                most.append(0.0)
    for j, p in enumerate(protected):
        line = np.zeros(total)
        line[n + 2 * j * n + p], line[n + (2 * j + 1) * n + p] = 1, -1
        lines.append(line)
        least.append(width)
        most.append(np.inf)
    weight = np.concatenate([_weights(true).ravel(), np.zeros(m * n)])
    answer = milp(
        weight,
        integrality=np.concatenate([np.ones(n), np.zeros(m * n)]),
        bounds=Bounds(
            np.concatenate([np.zeros(n), np.tile(low, m)]),
            np.concatenate([plain.astype(float), np.tile(high, m)]),
        ),
        constraints=LinearConstraint(np.array(lines), least, most) if lines else (),
        options={"time_limit": 60},
    )
    return float(answer.fun) if answer.status == 0 else np.nan


def loss(table: Table, rule: SuppressionRule) -> float:
    """Weigh what was withheld beyond the rule."""
    return float(_weights(table.true)[np.isnan(table.shown) & (table.true > rule.largest)].sum())


def _weights(true: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Give the loss of each count as the library weighs it: the cells it sums, and up to half by its size."""
    rows, columns = (n - 1 for n in true.shape)
    parts = np.ones(true.shape)
    parts[:-1, -1], parts[-1, :-1], parts[-1, -1] = columns, rows, rows * columns
    return parts + 0.5 * true / max(true.max(), 1)


def main(number: int, seed: int) -> None:
    for name in RULES:
        rule = SuppressionRule.load(name)
        protect = rule.protect
        before, after, lost, cells, spent = [], [], 0, 0, 0.0
        for inner in sample(number, seed):
            began = time.perf_counter()
            series = series_of(inner).disclose(rule)
            spent += time.perf_counter() - began
            before.append([n for n, _ in numbers_left(by_rule_alone(inner, rule), rule, protect)])
            after += numbers_left(disclosed_table(inner, series), rule, protect)
            lost += series.method["disclosed"]["n_withheld_further"]
            cells += series.method["disclosed"]["n_counts"]
        failed = sum(n < protect for table in before for n in table)
        tables = sum(any(n < protect for n in table) for table in before)
        print(
            f"{name}: {number} tables, {len(after)} protected counts, protect {protect}. By the rule alone "
            f"{failed / max(len(after), 1):.1%} of them fail, in {tables / number:.1%} of tables. After "
            f"disclose {sum(n < protect for n, _ in after)} fail, and {sum(n < protect for _, n in after)} "
            f"for one who knows that they are small. Further withheld: {lost / cells:.2%} of counts. "
            f"{spent / number:.3f} s a table.",
            flush=True,
        )
    compared(60, seed)
    shape_of_trusts(seed)


def compared(number: int, seed: int) -> None:
    """Compare the loss on tables up to 4 x 4 with the least possible."""
    rule = SuppressionRule.load("strict-10")
    mine = least = same = counted = 0.0
    for inner in sample(number, seed, (4, 4)):
        table = disclosed_table(inner, series_of(inner).disclose(rule))
        best = exact_loss(inner, rule)
        if np.isfinite(best):
            lost = loss(table, rule)
            mine, least, same, counted = mine + lost, least + best, same + (lost < best + 1e-6), counted + 1
    print(
        f"Tables up to 4 x 4: loss {mine / least:.3f} times the least possible, found in "
        f"{same:.0f} of {counted:.0f}."
    )


def trusts(seed: int) -> qe.StratifiedSeries:
    """Make a table of the shape of the real file: 120 trusts by 8 groups, made-up events and births."""
    rng = np.random.default_rng(seed)
    share = np.array([0.70, 0.16, 0.07, 0.03, 0.04, 0.02, 0.02, 0.01])
    births = rng.poisson(np.outer(rng.gamma(6, 4500 / 6, 120), share))
    events = rng.binomial(births, 0.035)
    site, group = np.indices(births.shape)
    frame = pd.DataFrame(
        {
            "site": [f"T{i:03}" for i in site.ravel()],
            "group": [f"G{i}" for i in group.ravel()],
            "year": "2024",
            "x": events.ravel(),
            "n": births.ravel(),
        }
    )
    measure = qe.measures["pph_1500"]
    columns = {"period": "year", "numerator": "x", "denominator": "n", "group": "group", "site": "site"}
    return qe.from_counts(frame, measure, every="year", **columns)


def shape_of_trusts(seed: int) -> None:
    """Time a table of the shape of the real file."""
    series = trusts(seed)
    for name in RULES:
        began = time.perf_counter()
        told = series.disclose(name).method["disclosed"]
        print(
            f"120 x 8, {name}: {time.perf_counter() - began:.1f} s; {told['n_protected']} of "
            f"{told['n_counts']} counts protected, "
            f"{told['n_withheld_further']} more withheld.",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
