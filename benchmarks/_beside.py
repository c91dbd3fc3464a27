"""Power, re-reading and means, beside what was published or is foretold."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from _networks import (
    BIRTHS,
    GROUP_S_WORST,
    NETWORK_S_WORST,
    RATES,
    SPREADS,
    WINDOWS,
    Floats,
    Scenario,
    design_of,
    draw,
)
from _tally import CONFIDENCE, MEANINGFUL
from numpy.typing import NDArray

from qi_equity.change.averages import mean_effects
from qi_equity.change.design import Schedule
from qi_equity.change.effects import change_effects
from qi_equity.change.gap_effects import gap_effects
from qi_equity.change.model import ChangeModel
from qi_equity.change.sensitivity.worst import worst_start
from qi_equity.formulas.detectable_change import power_of_change
from qi_equity.formulas.detectable_gap_change import power_of_gap_change, smallest_detectable_gap_change
from qi_equity.formulas.interim_looks import chance_of_false_signal

LEVEL, TREND = ChangeModel(), ChangeModel(trend="own")
MODELS = {"level": LEVEL, "level+trend": TREND, "level+trend+slope": ChangeModel(trend="own", slope=True)}
Row = list[str]
Bools = NDArray[np.bool_]

POWER_SIZES = (10, 25, 75, 150, 300)
# Own simulations of quasi-binomial regressions (floored at 1), 1,200 draws each: level, then level and trend.
POWER_PUBLISHED = {
    (0.06, (12, 12)): ((0.24, 0.08), (0.64, 0.19), (0.98, 0.52), (1.0, 0.82), (1.0, 0.99)),
    (0.06, (24, 15)): ((0.40, 0.17), (0.85, 0.41), (1.0, 0.84), (1.0, 0.99), (1.0, 1.0)),
    (0.09, (12, 12)): ((0.06, 0.05), (0.16, 0.06), (0.45, 0.14), (0.77, 0.23), (0.97, 0.46)),
    (0.09, (24, 15)): ((0.09, 0.07), (0.23, 0.11), (0.69, 0.25), (0.92, 0.45), (1.0, 0.76)),
}
# Births a month of a group (12 % before) and its reference (5 % throughout), rate after: power of a z-test.
GAP_PUBLISHED = {
    (10, 200, 0.06): 0.34,
    (25, 200, 0.06): 0.64,
    (75, 200, 0.06): 0.94,
    (75, 400, 0.06): 0.97,
    (75, 400, 0.09): 0.43,
    (150, 400, 0.09): 0.61,
    (300, 400, 0.09): 0.75,
}
SMALLEST_PUBLISHED = {(10, 200): 0.31, (25, 200): 0.45, (75, 400): 0.62, (150, 400): 0.68, (300, 400): 0.72}
CORRELATIONS = (0.0, 0.2, 0.4, 0.6)
# Share of false findings of a 5 % test of the level, REML AR(1) with t quantiles.
MEANS_PUBLISHED = {24: (0.065, 0.090, 0.095, 0.106), 36: (0.071, 0.080, 0.084, 0.082)}


def power_rows(count: int, seed: int) -> list[Row]:
    """Give the power to see a rate fall from 12 %, by births a month: found, published, foretold."""
    rng = np.random.default_rng([seed, 1])
    rows = []
    for (rate, window), published in POWER_PUBLISHED.items():
        months = sum(window)
        births = np.broadcast_to(np.array(POWER_SIZES, float)[:, None], (count, len(POWER_SIZES), months))
        chance = np.where(np.arange(months) < window[0], 0.12, rate)
        events = rng.binomial(births.astype(int), chance).astype(float)
        found = []
        for model in (LEVEL, TREND):
            design = design_of(births.shape, window[0], model)
            ratio = change_effects(events, births, design, family="binomial", confidence=CONFIDENCE).ratio
            found.append((ratio.upper[..., 0] < 1).mean(axis=0))
        planned = power_of_change(0.12, rate / 0.12, *(np.outer(window, POWER_SIZES)))
        for k, size in enumerate(POWER_SIZES):
            rows.append(
                [
                    f"12 to {100 * rate:g} %",
                    f"{window[0]}+{window[1]}",
                    str(size),
                    f"{found[0][k]:.2f} ({published[k][0]:.2f})",
                    f"{planned[k]:.2f}",
                    f"{found[1][k]:.2f} ({published[k][1]:.2f})",
                ]
            )
    return rows


def _gap_found(sizes: tuple[int, int], after: float, count: int, rng: np.random.Generator) -> float:
    """Give the share of pairs whose gap of odds narrows: 12 % and 5 % before, 12+12 months."""
    births = np.broadcast_to(np.array(sizes, float)[:, None], (count, 2, 24))
    chance = np.array([np.where(np.arange(24) < 12, 0.12, after), np.full(24, 0.05)])
    events = rng.binomial(births.astype(int), chance).astype(float)
    effects = change_effects(
        events, births, design_of(births.shape, 12, LEVEL), family="binomial", confidence=CONFIDENCE
    )
    group, reference = (effects.take((slice(None), slice(k, k + 1))) for k in (0, 1))
    change = gap_effects(group, reference, MEANINGFUL)["odds_ratio"].change
    return float((change.upper < 1).mean())


def gap_power_rows(count: int, seed: int) -> list[Row]:
    """Give the power to see a gap narrow: found, published, foretold."""
    rng = np.random.default_rng([seed, 2])
    rows = []
    for (own, other, after), published in GAP_PUBLISHED.items():
        theta = after / (1 - after) / (0.12 / 0.88)
        planned = power_of_gap_change(
            0.12, theta, 12 * own, 12 * own, 0.05, 12 * other, 12 * other, scale="odds-ratio"
        )
        found = _gap_found((own, other), after, count, rng)
        shares = f"{found:.2f} ({published:.2f})", f"{planned.item():.2f}"
        rows.append([f"{own} and {other}", f"12 to {100 * after:g} %", f"{theta:.3f}", *shares])
    return rows


def smallest_rows(count: int, seed: int) -> list[Row]:
    """Give the smallest change of a gap with a power of 80 %: foretold, published, and how often found."""
    rng = np.random.default_rng([seed, 3])
    rows = []
    for (own, other), published in SMALLEST_PUBLISHED.items():
        theta = smallest_detectable_gap_change(
            0.12, 12 * own, 12 * own, 0.05, 12 * other, 12 * other, scale="odds-ratio"
        ).item()
        odds = theta * 0.12 / 0.88
        found = _gap_found((own, other), odds / (1 + odds), count, rng)
        rows.append([f"{own} and {other}", f"{theta:.2f} ({published:.2f})", f"{found:.2f}"])
    return rows


def reading_rows(count: int, seed: int) -> list[Row]:
    """Give how often one of the monthly readings says "improved" though nothing changes."""
    rows = []
    for spread in (0.0, SPREADS[1]):
        for window in WINDOWS:
            for rates in RATES:
                noise = "beta-binomial" if spread else "chance alone"
                scenario = Scenario(BIRTHS, rates, *window, noise, spread)
                ever, last = _read_monthly(scenario, count, seed)
                looks = 1 / (1 / window[0] + 1 / np.arange(1, window[1] + 1))
                told = float(chance_of_false_signal(looks, confidence=CONFIDENCE, sides=1))
                rows.append(
                    [scenario.name, f"{window[0]}+{window[1]}", rates]
                    + [f"{100 * share:.1f}" for share in (*ever, ever.mean(), last.mean(), told)]
                )
    return rows


def _read_monthly(scenario: Scenario, count: int, seed: int) -> tuple[Floats, Floats]:
    """Give the share of strata ever called "improved", and at the last reading."""
    networks = draw(scenario, count, np.random.default_rng([seed, 4, *scenario.key]))
    ever = np.zeros(networks.events.shape[:2], dtype=bool)
    for months in range(1, scenario.after + 1):
        until = replace(scenario, after=months)
        shown = slice(0, scenario.before + months)
        found = change_effects(
            networks.events[..., shown],
            networks.births[..., shown],
            until.design(count, LEVEL),
            family="binomial",
            confidence=CONFIDENCE,
        )
        last = found.ratio.upper[..., 0] < 1
        ever |= last
    return ever.mean(axis=0), last.mean(axis=0)


def worst_rows(count: int, seed: int) -> list[Row]:
    """Give how often "improved" is wrong after the worst quarter, and how often the check says so."""
    rows = []
    for noise in ("chance alone", NETWORK_S_WORST, GROUP_S_WORST):
        for spread in (0.0, SPREADS[1]):
            for window in WINDOWS:
                scenario = Scenario(BIRTHS, "3 to 6 %", *window, noise, spread=spread)
                improved, flagged = _after_worst(scenario, count, seed)
                shares = [improved.mean(axis=0).max(), improved.mean(), flagged.mean()]
                of_wrong = flagged[improved].mean() if improved.any() else np.nan
                rows.append(
                    [scenario.name.replace("chance alone", "any month"), f"{window[0]}+{window[1]}"]
                    + [f"{100 * share:.1f}" for share in (*shares, of_wrong)]
                )
    return rows


def _after_worst(scenario: Scenario, count: int, seed: int) -> tuple[Bools, Bools]:
    """Tell which strata are called "improved", and of which it is said that the worst came right before."""
    networks = draw(scenario, count, np.random.default_rng([seed, 6, *scenario.key]))
    found = change_effects(
        networks.events,
        networks.births,
        scenario.design(count, LEVEL),
        family="binomial",
        confidence=CONFIDENCE,
    )
    improved = found.ratio.upper[..., 0] < 1
    flat = (improved.size, scenario.before + scenario.after)
    segment = np.broadcast_to((np.arange(flat[1]) >= scenario.before).astype(np.int64), flat)
    starts = np.full((flat[0], 1), float(scenario.before))
    study: Any = SimpleNamespace(
        schedule=Schedule(segment, starts, 0, np.zeros(flat[1])),
        events=networks.events.reshape(flat),
        size=networks.births.reshape(flat),
        family="binomial",
        way="as measured",
    )
    return improved, (worst_start(study).rank[:, 0] == 1).reshape(improved.shape)


def means_rows(count: int, seed: int) -> list[Row]:
    """Give how often a 5 % test of a mean finds a change that there is not."""
    rng = np.random.default_rng([seed, 5])
    rows = []
    for months, before in ((24, 12), (36, 18), (39, 24)):
        for k, correlation in enumerate(CORRELATIONS):
            values = rng.standard_normal((count, months))
            for t in range(1, months):
                values[:, t] = correlation * values[:, t - 1] + np.sqrt(1 - correlation**2) * values[:, t]
            found = []
            for model in MODELS.values():
                design = design_of(values.shape, before, model)
                p = mean_effects(20 + values, np.ones(values.shape), design, confidence=CONFIDENCE).p
                found.append(f"{(p < 1 - CONFIDENCE).mean():.3f}")
            published = f"{MEANS_PUBLISHED[months][k]:.3f}" if months in MEANS_PUBLISHED else ""
            rows.append([f"{before}+{months - before}", f"{correlation:g}", *found, published])
    return rows
