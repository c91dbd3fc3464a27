"""Run length of charts of single births and of times: Bernoulli CUSUM and t chart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from qi_equity.data.cells import Floats
from qi_equity.errors import OptionError
from qi_equity.formulas.bernoulli_waiting import bernoulli_cusum_run_length, bernoulli_cusum_waiting
from qi_equity.formulas.waiting import Waiting
from qi_equity.formulas.zone_test_chains import Side
from qi_equity.planning.run_length.followed import LATTICE, Run, run_of
from qi_equity.spc.kinds_between import T
from qi_equity.spc.lines import tail_of
from qi_equity.spc.stable import WIDTHS, Stable

__all__ = ["Times", "of_births", "times_process"]

# Terms of a series that fold over are damped to this.
_FOLDED = 1e-10
# Fewer charts than this share are lost in rounding.
_LEFT = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Exponential times, of a mean of any shape (..., T)."""

    mean: Floats

    def below(self, line: Floats) -> Floats:
        """Give the probability that a time is shorter."""
        return np.asarray(-np.expm1(-line / self.mean))

    def above(self, line: Floats) -> Floats:
        """Give the probability that a time is longer."""
        return np.asarray(np.exp(-line / self.mean))

    def quantile(self, chance: Floats) -> Floats:
        """Give the time of each chance."""
        return np.asarray(-self.mean * np.log1p(-chance))


def times_process(spec: T, changes: Floats, sigmas: Iterable[int]) -> Stable:
    """Describe a t chart by its mean time, after changes (A,) of the rate."""
    if spec.limits != "exponential":
        raise OptionError(
            f"kind=T(limits={spec.limits!r}) is not followed: run lengths are those of exponential "
            f"times; use kind='t'."
        )
    shape = np.ones((len(changes), 1))
    tails = {k: tail_of(spec, WIDTHS[k]) for k in sigmas}
    zones = {k: (-np.log1p(-tail) * shape, -np.log(tail) * shape) for k, tail in tails.items()}
    return Stable(Times(1 / changes[:, np.newaxis]), np.log(2) * shape, zones)


def of_births(
    chance: Floats, actual: Floats, ratio: float, thresholds: tuple[Floats, Floats], side: Side
) -> Run:
    """Follow Bernoulli CUSUMs; chances (A,) of the chart and the true ones, thresholds of both arms (A,)."""
    low, high = (np.broadcast_to(h, chance.shape) for h in thresholds)
    mean = bernoulli_cusum_run_length(chance, odds_ratio=ratio, h=(low, high), side=side, actual=actual)
    some = np.isfinite(mean)
    survival, hazard = np.ones((len(mean), 1)), np.where(np.isnan(mean), np.nan, 0.0)[:, np.newaxis]
    if some.any():
        arms = [
            bernoulli_cusum_waiting(
                chance[some], odds_ratio=ratio, h=(low[some], high[some]), side=arm, actual=actual[some]
            )
            for arm in ("low", "high")
            if side in (arm, "both")
        ]
        found = arms[0] if len(arms) == 1 else _either(arms[0], arms[1])
        survival = np.ones((len(mean), found.survival.shape[1]))
        survival[some], hazard[some] = found.survival, found.hazard
    return run_of(Waiting(survival, hazard), LATTICE)


def _either(low: Waiting, high: Waiting) -> Waiting:
    r"""Put two arms together of which one is at 0 when the other signals.

    With F and G the generating functions of the births to the signal of each arm by itself,

    .. math:: (1 - F) (1 - G) / (1 - F G)

    is that of the births to the first signal, taken from 1: of charts that go on from 0, low signals come
    at the renewals of F, and so on.
    """
    n = max(arm.survival.shape[1] for arm in (low, high)) - 1
    births = np.arange(n + 1)
    size = 2 ** int(np.ceil(np.log2(2 * (n + 1))))
    damped = _FOLDED ** (births / size)
    f, g = (
        np.fft.rfft(np.diff(1 - _silent(arm, births), prepend=0.0) * damped, size, axis=1)
        for arm in (low, high)
    )
    found = np.fft.irfft((1 - f) * (1 - g) / (1 - f * g), size, axis=1)[:, : n + 1] / damped
    survival = np.clip(np.cumsum(found, axis=1), 0, 1)
    # Of the last quarter, as single births are too few for their digits.
    last = n // 4 + 1
    left, then = survival[:, -1], survival[:, -1 - last]
    with np.errstate(divide="ignore", invalid="ignore"):
        after = np.where(
            left > _LEFT, -np.expm1(np.log(left / then) / last), low.hazard[:, -1] + high.hazard[:, -1]
        )
    return Waiting(survival, np.clip(after, 0, 1)[:, np.newaxis])


def _silent(arm: Waiting, births: np.ndarray) -> Floats:
    """Give the chance of no signal within so many births, (A, births)."""
    return 1 - Waiting(arm.survival[:, np.newaxis], arm.hazard[:, np.newaxis]).within(births)
