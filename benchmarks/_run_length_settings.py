"""The settings at which run lengths are compared: what the library says of each, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import _run_length_draws as d
import numpy as np
import pandas as pd
from _run_length_draws import Floats, Side

import qi_equity as qe
from qi_equity.formulas.anhoej_waiting import anhoej_waiting
from qi_equity.formulas.distributions import Binomial, Distribution, Geometric, Normal, Poisson
from qi_equity.formulas.estimated_lines import estimated_count_waiting, estimated_normal_waiting
from qi_equity.formulas.evaluation_power import evaluation_power
from qi_equity.formulas.waiting import Waiting
from qi_equity.formulas.zone_chances import zone_chances
from qi_equity.formulas.zone_waiting import zone_waiting
from qi_equity.spc.chance import ZONE_TESTS, chain_of_tests

EVEN, VARYING, FEW = (60.0,), (45.0, 70.0, 52.0, 88.0, 61.0), (12.0, 15.0, 9.0)
WEST = (d.Limits(), d.Several(2, 3, 2), d.Several(4, 5, 1), d.Row(8))
RULES: dict[str, tuple[d.Rule, ...]] = {
    "shewhart": (d.Limits(),),
    "western_electric": WEST,
    "making_data_count": (d.Limits(), d.Row(7), d.Several(2, 3, 2, "all")),
    "making_data_count_2019": (d.Limits(), d.Row(7), d.Several(2, 3, 2, "all", False)),
    "nelson": (d.Limits(), d.Row(9), d.Several(2, 3, 2), d.Several(4, 5, 1), d.Near(15), d.Far(8)),
    "aiag": (d.Limits(), d.Row(7), d.Several(2, 3, 2), d.Several(4, 5, 1), d.Near(15), d.Far(8)),
    "montgomery": (d.Limits(), d.Row(8), d.Several(2, 3, 2), d.Several(4, 5, 1), d.Near(15), d.Far(8)),
    "westgard": (d.Limits(), d.Several(2, 3, 2, "any"), d.Several(4, 4, 1), d.Row(8)),
    "ihi": (d.Row(6, "skip"),),
}
"""The tests of zones of every set of rules, as their sources have them."""


class Expected(NamedTuple):
    """What the library says: mean, chance within so many points, and simulated baselines in it (0: exact)."""

    mean: float | None
    within: Callable[[float], float] | None = None
    median: float = np.nan
    draws: int = 0
    error: float = 0.0


class Setting(NamedTuple):
    """A chart: what is expected of it, and draws of it by random numbers and a number of charts."""

    family: str
    name: str
    expected: Callable[[], Expected]
    draw: Callable[[np.random.Generator, int], Floats]


def of_waiting(waiting: Waiting, *, mean: bool = True, draws: int = 0) -> Expected:
    """Read one waiting time."""
    return Expected(
        float(waiting.mean().item()) if mean else None,
        lambda points: float(waiting.within(points).item()),
        float(waiting.quantile(0.5).item()),
        draws,
    )


def _chain(name: str, side: Side) -> Any:
    return chain_of_tests(tuple(t for t in qe.rule_sets[name].tests if isinstance(t, ZONE_TESTS)), side)


# Tests of zones about known lines.


class Points(NamedTuple):
    """A chart of points: how it is drawn, its distribution, centre line and sigma of those that repeat."""

    values: d.Values
    law: Distribution
    centre: Floats
    sigma: Floats

    @property
    def pairs(self) -> list[tuple[Floats, Floats]]:
        return [(self.centre - k * self.sigma, self.centre + k * self.sigma) for k in (1, 2, 3)]


def points_of(kind: str, sizes: Sequence[float], before: float, after: float) -> Points:
    """Make the points of a chart at a rate of ``after`` about the lines of ``before``."""
    n = np.where(np.array(sizes) > 0, sizes, np.nan)
    p, q = np.full(n.shape, before), np.full(n.shape, after)
    one = np.ones(n.shape)
    if kind == "normal":
        return Points(d.normal(after), Normal(q, one), 0 * one, one)
    if kind == "p":
        return Points(d.binomial(sizes, after), Binomial(q, n, n), p, np.sqrt(p * (1 - p) / n))
    if kind == "np":
        values = d.binomial(sizes, after, counted=True)
        return Points(values, Binomial(q, n, one), n * p, np.sqrt(n * p * (1 - p)))
    if kind == "u":
        return Points(d.poisson(sizes, after), Poisson(q * n, n), p, np.sqrt(p / n))
    if kind == "c":
        values = d.poisson(sizes, after, counted=True)
        return Points(values, Poisson(q * n, one), n * p, np.sqrt(n * p))
    return Points(d.gaps(after), Geometric(1 / q, 1), 1 / p, np.sqrt(1 - p) / p)


def of_zones(
    kind: str, rules: str, side: Side, sizes: Sequence[float], before: float, after: float
) -> Setting:
    """Compare a chart of points about known lines."""
    made = points_of(kind, sizes, before, after)
    step = d.zones(made.values, d.fixed_lines(made.centre, *made.pairs), RULES[rules], side)

    def expected() -> Expected:
        one, two, three = made.pairs
        chances = zone_chances(made.law, made.centre, one_sigma=one, two_sigma=two, three_sigma=three)
        return of_waiting(zone_waiting(_chain(rules, side), chances))

    name = f"{kind} {rules} {side}, {sizes_text(sizes)}, {before:g} to {after:g}"
    return Setting("zones", name, expected, partial(signals, step, d.zones_start()))


def signals(step: d.Step, start: d.State, rng: np.random.Generator, charts: int) -> Floats:
    return d.first_signals(step, start, rng, charts)


def sizes_text(sizes: Sequence[float]) -> str:
    return f"{sizes[0]:g}" if len(sizes) == 1 else f"{min(sizes):g}-{max(sizes):g}"


def zones() -> Iterator[Setting]:
    """Every set on every kind of points; of one side mostly while that side is what is looked for."""
    sides: tuple[Side, ...] = ("both", "low", "high")
    sizes = (EVEN, VARYING, FEW, (40.0, 0.0, 66.0))
    for i, rules in enumerate(RULES):
        for k, side in enumerate(sides):
            moved = (0.0, 0.4, 0.8)[(i + k) % 3] * (-1 if side == "low" else 1)
            yield of_zones("normal", rules, side, (1.0,), 0, moved)
        for k, kind in enumerate(("p", "u", "c", "np", "g")):
            few = (1.0,) if kind == "g" else sizes[(i + k) % (4 if kind == "p" else 3)]
            side, before = sides[(2 * i + k) % 3], (0.06, 0.1, 0.15)[(i + 2 * k) % 3]
            if rules == "shewhart":
                # Below the lower limit there is nothing: few births, or gaps.
                side = "high" if k % 2 else "both"
            less = (side == "low") != (kind == "g")
            yield of_zones(kind, rules, side, few, before, before * (1.0, 0.7 if less else 1.5)[(i + k) % 2])
    for rules in ("shewhart", "western_electric", "nelson"):
        for kind in ("p", "u"):
            yield of_zones(kind, rules, "low", (294.0, 310.0), 0.08, 0.06)
            yield of_zones(kind, rules, "both", (294.0, 310.0), 0.08, 0.08)


# Runs of the growing series.


def runs() -> Iterator[Setting]:
    for low, high, first, longest, crossings, every in (
        (0.5, 0.5, 1, True, True, 0),
        (0.5, 0.5, 10, True, True, 0),
        (0.5, 0.5, 1, True, False, 0),
        (0.5, 0.5, 1, False, True, 0),
        (0.4, 0.6, 1, True, True, 0),
        (0.3, 0.69, 1, True, True, 0),
        (0.49, 0.49, 10, True, True, 0),
        (0.25, 0.75, 12, True, True, 5),
        (0.5, 0.5, 1, True, True, 3),
        (0.15, 0.85, 1, True, True, 0),
        (0.62, 0.375, 20, False, True, 0),
        (0.7, 0.3, 10, True, False, 4),
    ):
        yield _of_runs(low, high, first, longest, crossings, every)


def _of_runs(low: float, high: float, first: int, longest: bool, crossings: bool, every: int) -> Setting:
    """Compare up to 120 points; after them the library goes on otherwise, as it says."""
    last = 120
    missing = (np.arange(last) % every == every - 1) if every else np.zeros(last, dtype=bool)
    step = d.anhoej(low, high, first=first, longest=longest, crossings=crossings, every=every)

    def expected() -> Expected:
        chances = [np.where(missing, np.nan, chance) for chance in (low, high)]
        found = anhoej_waiting(*chances, first=first, longest=longest, crossings=crossings)
        # The mean of the points up to the last: a chart that has not signalled by then counts with these.
        mean = float(found.survival[..., :last].sum())
        return of_waiting(found)._replace(mean=mean, median=min(float(found.quantile(0.5).item()), last))

    def draw(rng: np.random.Generator, charts: int) -> Floats:
        return np.minimum(d.first_signals(step, d.anhoej_start(), rng, charts, last), last + 1)

    tests = " and ".join(["longest run"] * longest + ["crossings"] * crossings)
    missed = f", one in {every} missing" if every else ""
    name = f"{tests}, {low:g} below, {high:g} above, from point {first}{missed}"
    return Setting("Anhøj by month", name, expected, draw)


# Lines from a baseline.


def estimated() -> Iterator[Setting]:
    for k, (baseline, shift) in enumerate(((12, 0.0), (24, 0.0), (24, 1.0), (50, 0.5), (20, -0.8))):
        for rules in (("shewhart", "ihi"), ("western_electric", "ihi"))[k % 2]:
            yield _of_normal_baseline(rules, baseline, shift)
    for rules, kind, sizes, months, before, after in (
        ("shewhart", "p", (294.0,), 24, 0.08, 0.08),
        ("shewhart", "p", (66.0,), 24, 0.12, 0.2),
        ("western_electric", "p", (66.0,), 24, 0.12, 0.12),
        ("western_electric", "p", (28.0, 35.0, 22.0), 24, 0.1, 0.05),
        ("ihi", "p", (28.0,), 24, 0.08, 0.08),
        ("ihi", "p", (12.0,), 36, 0.12, 0.06),
        ("ihi", "u", (66.0, 80.0), 18, 0.1, 0.1),
        ("western_electric", "u", (294.0,), 12, 0.05, 0.05),
        ("shewhart", "u", (150.0,), 30, 0.04, 0.07),
        ("western_electric", "u", (40.0,), 24, 0.15, 0.1),
    ):
        yield _of_count_baseline(rules, kind, sizes, months, before, after)


def _of_normal_baseline(rules: str, baseline: int, shift: float) -> Setting:
    """Lines from the mean and the mean moving range of the baseline; d2 of 2 is 2 / sqrt(pi)."""
    draws, most = 100_000, 20_000 if rules != "shewhart" else 2000

    def lines(_: int, own: d.State) -> Any:
        centre, sigma = own
        return centre, *((centre - k * sigma, centre + k * sigma) for k in (1, 2, 3))

    step = d.zones(d.normal(shift), lines, RULES[rules], "both")

    def expected() -> Expected:
        found = estimated_normal_waiting(_chain(rules, "both"), baseline=baseline, shift=shift, draws=draws)
        # With limits alone the mean does not exist.
        return of_waiting(found, mean=rules != "shewhart", draws=draws)

    def draw(rng: np.random.Generator, charts: int) -> Floats:
        y = rng.standard_normal((charts, baseline))
        sigma = np.abs(np.diff(y)).mean(axis=1) * np.sqrt(np.pi) / 2
        return d.first_signals(step, d.zones_start(y.mean(axis=1), sigma), rng, charts, most)

    return Setting("estimated lines", f"i {rules}, {baseline} points, shift {shift:g}", expected, draw)


def _of_count_baseline(
    rules: str, kind: str, sizes: Sequence[float], months: int, before: float, after: float
) -> Setting:
    births = np.array(sizes)
    whole = births[np.arange(months) % births.size]

    def sigma(centre: Any, n: Any) -> Any:
        return np.sqrt(centre * (1 - centre) / n) if kind == "p" else np.sqrt(centre / n)

    def pairs(centre: Any, n: Any) -> Any:
        return ((centre - k * sigma(centre, n), centre + k * sigma(centre, n)) for k in (1, 2, 3))

    def lines(t: int, own: d.State) -> Any:
        return own[0], *pairs(own[0], births[t % births.size])

    values = d.binomial(sizes, after) if kind == "p" else d.poisson(sizes, after)
    step = d.zones(values, lines, RULES[rules], "both")

    def expected() -> Expected:
        found = estimated_count_waiting(
            _chain(rules, "both"),
            lambda centre: tuple(pairs(centre, births)),
            births=births,
            baseline=whole,
            before=before,
            after=after,
            distribution="binomial" if kind == "p" else "poisson",
        )
        return of_waiting(found, mean=rules != "shewhart")

    def draw(rng: np.random.Generator, charts: int) -> Floats:
        total = whole.sum()
        events = (
            rng.binomial(int(total), before, charts) if kind == "p" else rng.poisson(total * before, charts)
        )
        centre = np.where(events > 0, events / total, np.nan)
        return d.first_signals(step, d.zones_start(centre), rng, charts, 20_000)

    name = f"{kind} {rules}, {sizes_text(sizes)} births, {months} months, {before:g} to {after:g}"
    return Setting("estimated lines", name, expected, draw)


# Evaluations.


def evaluations() -> Iterator[Setting]:
    for births_a_month, p, q, first, last, kind, model in (
        (10, 0.12, 0.06, 12, 12, "proportion", "level"),
        (28, 0.12, 0.06, 24, 12, "proportion", "level"),
        (75, 0.12, 0.09, 24, 15, "proportion", "level"),
        (75, 0.12, 0.06, 24, 12, "proportion", "level+trend"),
        (28, 0.1, 0.1, 24, 12, "proportion", "level"),
        (66, 0.05, 0.1, 18, 6, "rate", "level"),
        (12, 0.3, 0.2, 24, 24, "rate", "level"),
        (150, 0.04, 0.02, 24, 12, "rate", "level+trend"),
    ):
        yield _evaluated(births_a_month, p, q, first, last, kind, model)


def _evaluated(n: int, p: float, q: float, first: int, last: int, kind: Any, model: Any) -> Setting:
    """Let ``evaluate_change`` judge drawn months: 1 where it says that the rate has moved as it did."""

    def expected() -> Expected:
        found = evaluation_power(
            n, p, q, periods_before=first, periods_after=last, kind=kind, model=model, draws=20_000
        )
        return Expected(found.power.item(), error=found.standard_error.item())

    def draw(rng: np.random.Generator, charts: int) -> Floats:
        charts = max(charts // 5, 100)
        rate = np.where(np.arange(first + last) < first, p, q)
        shape = (charts, first + last)
        events = rng.binomial(n, rate, shape) if kind == "proportion" else rng.poisson(n * rate, shape)
        groups = qe.evaluate_change(
            _series(events, n, kind), _months(first + last)[first], reference=0.05, model=model
        ).groups
        shown = groups["verdict"] == ("improved" if q <= p else "worsened")
        return shown.to_numpy(dtype=np.float64)

    return Setting("evaluation", f"{kind} {n}, {p:g} to {q:g}, {first}+{last}, {model}", expected, draw)


def _months(count: int) -> list[str]:
    return list(pd.period_range("2000-01", periods=count, freq="M").astype(str))


def _series(events: Any, births_a_month: int, kind: Any) -> qe.StratifiedSeries:
    place, month = np.indices(events.shape)
    frame = pd.DataFrame({"events": events.ravel(), "site": [f"S{k:05d}" for k in place.ravel()]})
    frame = frame.assign(
        births=births_a_month, group="A", month=np.array(_months(events.shape[1]))[month.ravel()]
    )
    return qe.from_counts(
        frame, qe.Measure("Outcome", kind, "lower"), period="month", numerator="events", denominator="births",
        group="group", site="site",
    )  # fmt: skip
