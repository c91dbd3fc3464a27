"""Simulated networks in which the truth is known: births and events of groups by month, around one change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from qi_equity.change.design import Design, Schedule, make_design
from qi_equity.change.model import ChangeModel

Floats = NDArray[np.float64]

BIRTHS = (10, 28, 75, 150, 400)
LARGE_BIRTHS = (75, 300, 2500)
RATES = {
    "6 to 12 %": (0.12, 0.10, 0.09, 0.08, 0.06),
    "3 to 6 %": (0.06, 0.05, 0.045, 0.04, 0.03),
    "1 to 3 %": (0.03, 0.02, 0.015, 0.012, 0.01),
}
WINDOWS = ((12, 12), (24, 15))
# Ratio of the rate after to that before: of all groups but the last, and of the last, the reference.
EFFECTS = {
    "none": (1.0, 1.0),
    "for all": (0.6, 0.6),
    "majority only": (1.0, 0.6),
    "gap closing": (0.6, 1.0),
    "levelling down": (1.0, 1.5),
}
TRENDS = (-0.10, -0.05, 0.05, 0.10)
CORRELATION, SEASON = 0.3, 0.2
SPREADS = (0.002, 0.005, 0.01)
NETWORK_S_WORST = "after the network's worst quarter"
GROUP_S_WORST = "after each group's worst quarter"
MONTHS_A_YEAR = 12
# A start after the worst quarter is chosen among so many months.
_WATCHED = 24


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a network is drawn from.

    Parameters
    ----------
    births : tuple of float
        Births a month of each group, the reference last.
    rates : str
        Name of the groups' rates before the change.
    before, after : int
        Months.
    noise : str
        "chance alone", "beta-binomial", "autocorrelation", "season", "trend", "after the network's worst
        quarter", "after each group's worst quarter".
    amount : float
        Intraclass correlation, trend a year, correlation of neighbouring months, or height of the season.
    effect : str
        For whom the change works.
    sites : int
        Sites, each with these groups; births from half to one and a half times as many.
    spread : float
        Intraclass correlation of the births of a month, beside another noise.
    """

    births: tuple[float, ...]
    rates: str
    before: int
    after: int
    noise: str = "chance alone"
    amount: float = 0.0
    effect: str = "none"
    sites: int = 1
    spread: float = 0.0

    @property
    def name(self) -> str:
        """The kind of noise with its amount."""
        told = {
            "beta-binomial": f"beta-binomial {self.amount:g}",
            "trend": f"trend {100 * self.amount:+g} % a year",
        }.get(self.noise, self.noise)
        return told + (f", beta-binomial {self.spread:g}" if self.spread else "")

    @property
    def key(self) -> tuple[int, ...]:
        """Numbers of its own for the seed, whatever the rest of the grid."""
        return tuple(str(self).encode())

    @property
    def reference(self) -> NDArray[np.int64]:
        """Which stratum each is compared with: its site's last group."""
        groups = len(self.births)
        return np.repeat(np.arange(self.sites) * groups + groups - 1, groups)

    @property
    def monthly(self) -> Floats:
        """Births a month expected of each stratum, site after site."""
        scale = np.linspace(0.5, 1.5, self.sites) if self.sites > 1 else np.ones(1)
        return np.outer(scale, self.births).ravel()

    @property
    def baseline(self) -> Floats:
        """Rate of each stratum before the change."""
        return np.tile(RATES[self.rates][-len(self.births) :], self.sites)

    @property
    def ratios(self) -> Floats:
        """What the change does to the rate of each stratum."""
        others, reference = EFFECTS[self.effect]
        return np.tile([others] * (len(self.births) - 1) + [reference], self.sites)

    @property
    def least_expected(self) -> Floats:
        """Events expected in the smaller of the cells before and after, by stratum."""
        a_month = self.monthly * self.baseline
        return np.asarray(np.minimum(a_month * self.before, a_month * self.ratios * self.after))

    def design(self, networks: int, model: ChangeModel, harmonics: int = 0) -> Design:
        """Lay out the columns of a model for so many networks."""
        return design_of(
            (networks, len(self.monthly), self.before + self.after), self.before, model, harmonics
        )


def design_of(shape: tuple[int, ...], before: int, model: ChangeModel, harmonics: int = 0) -> Design:
    """Lay out the columns of a model for series of a shape, months last, with a change after so many."""
    month = np.arange(shape[-1])
    segment = np.broadcast_to((month >= before).astype(np.int64), shape)
    starts = np.full((*shape[:-1], 1), float(before))
    return make_design(Schedule(segment, starts, 0, (month / MONTHS_A_YEAR) % 1.0), model, harmonics)


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """Networks of one scenario.

    Parameters
    ----------
    events, births : ndarray of float, shape (networks, strata, months)
        Counts.
    before, after : ndarray of float, shape (networks, strata)
        True rates of the births that there were.
    """

    events: Floats
    births: Floats
    before: Floats
    after: Floats


def draw(scenario: Scenario, networks: int, rng: np.random.Generator) -> Networks:
    """Draw networks of a scenario."""
    if scenario.noise.startswith("after"):
        return _after_the_worst_quarter(scenario, networks, rng)
    rate = _rates(scenario, networks, rng)
    births = rng.poisson(scenario.monthly[:, None], rate.shape)
    events = _events(scenario, rate, births, rng)
    return _networks(scenario, events, births, rate)


def _networks(scenario: Scenario, events: Floats, births: NDArray[np.int64], rate: Floats) -> Networks:
    n = births.astype(np.float64)
    sides = (slice(None, scenario.before), slice(scenario.before, None))
    before, after = (
        (n[..., side] * rate[..., side]).sum(axis=-1) / n[..., side].sum(axis=-1) for side in sides
    )
    return Networks(events.astype(np.float64), n, before, after)


def _rates(scenario: Scenario, networks: int, rng: np.random.Generator) -> Floats:
    """Give the rate of each month: the effect from the change on, a trend about it, a season of any phase."""
    months = np.arange(scenario.before + scenario.after) - scenario.before
    step = np.where(months >= 0, scenario.ratios[:, None], 1.0)
    rate = scenario.baseline[:, None] * step
    if scenario.noise == "trend":
        rate = rate * (1 + scenario.amount) ** ((months + 0.5) / MONTHS_A_YEAR)
    shape = (networks, *rate.shape)
    if scenario.noise != "season":
        return np.broadcast_to(rate, shape)
    phase = rng.random((networks, 1, 1))
    return np.asarray(rate * np.exp(scenario.amount * np.sin(2 * np.pi * (months / MONTHS_A_YEAR + phase))))


def _events(
    scenario: Scenario, rate: Floats, births: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    spread = scenario.amount if scenario.noise == "beta-binomial" else scenario.spread
    if spread:
        shape = (1 - spread) / spread
        rate = rng.beta(rate * shape, (1 - rate) * shape)
    if scenario.noise == "autocorrelation":
        return _correlated(scenario.amount, rate, births, rng)
    return np.asarray(rng.binomial(births, rate))


def _correlated(
    correlation: float, rate: Floats, births: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw binomial counts whose normal scores follow an AR(1) process."""
    score = rng.standard_normal(rate.shape)
    for t in range(1, rate.shape[-1]):
        fresh = np.sqrt(1 - correlation**2) * score[..., t]
        score[..., t] = correlation * score[..., t - 1] + fresh
    return np.asarray(stats.binom.ppf(special.ndtr(score), births, rate)).astype(np.int64)


def _after_the_worst_quarter(scenario: Scenario, networks: int, rng: np.random.Generator) -> Networks:
    """Start the change after that quarter, of two years, in which the rate was highest."""
    before, after = scenario.before, scenario.after
    shape = (networks, len(scenario.monthly), before + _WATCHED + after)
    births = rng.poisson(scenario.monthly[:, None], shape)
    rate = np.broadcast_to(scenario.baseline[:, None], shape)
    events = _events(scenario, rate, births, rng)
    watched = (events, births)
    if scenario.noise == NETWORK_S_WORST:
        watched = tuple(a.sum(axis=1, keepdims=True) for a in watched)
    x, n = (np.lib.stride_tricks.sliding_window_view(a, 3, axis=-1).sum(axis=-1) for a in watched)
    first = before - 3
    worst = first + np.argmax((x / np.maximum(n, 1))[..., first : first + _WATCHED + 1], axis=-1)
    window = worst[..., None] + 3 - before + np.arange(before + after)
    index = np.broadcast_to(window, (*shape[:2], before + after))
    chosen = [np.take_along_axis(a, index, axis=-1) for a in (events, births)]
    return _networks(scenario, chosen[0], chosen[1], rate[..., : before + after])


def grid() -> list[Scenario]:
    """Give all scenarios."""
    plain = [
        Scenario(BIRTHS, rates, *window, effect=effect)
        for effect in EFFECTS
        for rates in RATES
        for window in WINDOWS
    ]
    varying = [
        Scenario(BIRTHS, rates, *window, "beta-binomial", amount, effect)
        for amount in SPREADS
        for effect in ("none", "for all", "gap closing")
        for rates in RATES
        for window in WINDOWS
    ]
    left_out = [
        Scenario(BIRTHS, rates, *window, noise, amount, effect)
        for noise, amount in (("autocorrelation", CORRELATION), ("season", SEASON))
        for effect in ("none", "for all")
        for rates in RATES
        for window in WINDOWS
    ]
    trends = [
        Scenario(births, rates, *window, "trend", amount, effect, 1, spread)
        for amount in TRENDS
        for births, effect, spread in (
            (BIRTHS, "none", 0.0),
            (BIRTHS, "for all", 0.0),
            (BIRTHS, "none", SPREADS[1]),
            (LARGE_BIRTHS, "none", 0.0),
        )
        for rates in RATES
        for window in WINDOWS
    ]
    worst = [
        Scenario(BIRTHS, rates, *window, noise, spread=spread)
        for noise in (NETWORK_S_WORST, GROUP_S_WORST)
        for spread in (0.0, SPREADS[1])
        for rates in RATES
        for window in WINDOWS
    ]
    several = [
        Scenario((10, 75, 300), "3 to 6 %", *window, noise, amount, effect, sites)
        for sites in (3, 9)
        for noise, amount in (("chance alone", 0.0), ("beta-binomial", 0.005))
        for effect in ("none", "gap closing")
        for window in WINDOWS
    ]
    return [*plain, *varying, *left_out, *trends, *worst, *several]
