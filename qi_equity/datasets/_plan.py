"""What is true in synthetic births: the rate of every event, for every group, in every stretch of time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from qi_equity.datasets import _calibration as calibration
from qi_equity.datasets._calibration import KNOWN, Floats

EVENTS = (
    "pph_1500", "pph_1000", "preterm_birth", "gdm_screened", "gdm_diagnosed", "depression_asked",
    "depression_referred", "depression_seen", "stillbirth", "neonatal_death", "tear_3_4", "apgar_below_7",
    "smoking_at_delivery", "first_feed_breast_milk", "ethnicity_known",
)  # fmt: skip
# No change can be planted where neither direction is better, or where what is counted is the group itself.
TARGETS = tuple(e for e in EVENTS if e not in ("gdm_diagnosed", "ethnicity_known"))
HIGHER_IS_BETTER = {
    "gdm_screened", "depression_asked", "depression_referred", "depression_seen", "first_feed_breast_milk",
}  # fmt: skip
# Events that are read from the record of another one, and so are unrecorded together with it.
FIELD = {
    "pph_1000": "pph_1500",
    "gdm_diagnosed": "gdm_screened",
    "depression_referred": "depression_asked",
    "depression_seen": "depression_asked",
}
FOLLOWS = {"pph_1500": "pph_1000", "pph_1000": "pph_1500", "gdm_screened": "gdm_diagnosed"}

CAUSED = ("helps-all", "helps-majority", "closes-gap")
ONLY_LOOKS = ("season", "trend", "case-mix", "recording")
CHANGES = (*CAUSED, *ONLY_LOOKS)
# Default and largest size of each change; what the size means is said in the docstring of births().
EFFECT = {
    "helps-all": (0.3, 0.9),
    "helps-majority": (0.3, 0.9),
    "closes-gap": (1.0, 1.0),
    "season": (0.3, 0.9),
    "trend": (0.4, 0.9),
    "case-mix": (0.3, 0.6),
    "recording": (0.3, 0.9),
}

_NORMAL = NormalDist()
_upper_tail = np.vectorize(lambda z: _NORMAL.cdf(-z), otypes=[np.float64])
upper_quantile = np.vectorize(lambda p: -_NORMAL.inv_cdf(p), otypes=[np.float64])


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """The checked arguments of ``births``."""

    n: int
    sites: tuple[str, ...]
    start: np.datetime64
    months: int
    measure: str
    change: str | None
    change_date: np.datetime64
    effect: float
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Blocks of days within which nothing changes: B blocks, G groups."""

    start: NDArray[np.datetime64]
    days: NDArray[np.int64]
    after: NDArray[np.bool_]
    shares: Floats
    rates: dict[str, Floats]
    recorded: dict[str, Floats]
    unrecorded: dict[str, Floats]


def make_plan(settings: Settings) -> Plan:
    """Lay out what is true, and what gets recorded of it, without drawing anything."""
    first = settings.start.astype("datetime64[M]")
    months = (first + np.arange(settings.months + 1)).astype("datetime64[D]")
    edges = np.union1d(months, settings.change_date)
    start, days = edges[:-1], np.diff(edges).astype(np.int64)
    after = start >= settings.change_date
    middle = (start - settings.change_date).astype(np.float64) + days / 2
    rates, yield_of_screening = _base(len(start))
    shares = np.tile(calibration.shares(), (len(start), 1))
    if settings.change == "case-mix":
        shares = _drift(shares, settings.effect, _along(middle), rates[settings.measure][0])
    rates = _change(rates, settings, after, middle, shares[0], yield_of_screening)
    recorded, unrecorded = _record(rates, settings, after, yield_of_screening)
    return Plan(start, days, after, shares, rates, recorded, unrecorded)


def exceeding(share: Floats, threshold: float, other: float) -> Floats:
    """Turn the share of blood losses of at least one threshold into that of another, in a log-normal."""
    sigma = calibration.scalar("blood_loss_sigma")
    return np.asarray(
        _upper_tail(upper_quantile(share) + math.log(other / threshold) / sigma), dtype=np.float64
    )


def _base(n_blocks: int) -> tuple[dict[str, Floats], Floats]:
    named = [e for e in TARGETS if e != "pph_1000"]
    base = {
        e: calibration.by_group(e) for e in (*named, "gdm_at_risk", "gdm_diagnosed", "depression_positive")
    }
    base["pph_1000"] = exceeding(base["pph_1500"], 1500, 1000)
    yield_of_screening = base["gdm_diagnosed"] / (base["gdm_at_risk"] * base["gdm_screened"])
    return {e: np.tile(rate, (n_blocks, 1)) for e, rate in base.items()}, yield_of_screening


def _along(middle: Floats) -> Floats:
    """Give the place of each block between the first (0) and the last (1)."""
    return np.asarray((middle - middle[0]) / (middle[-1] - middle[0]))


def _drift(shares: Floats, size: float, along: Floats, rate: Floats) -> Floats:
    """Move births from the largest group to the known group whose rate is furthest from its own."""
    drifted = shares.copy()
    largest = int(shares[0].argmax())
    other = int(np.abs(rate[:KNOWN] - rate[largest]).argmax())
    drifted[:, largest] -= size * along
    drifted[:, other] += size * along
    return drifted


def _change(
    rates: dict[str, Floats],
    settings: Settings,
    after: NDArray[np.bool_],
    middle: Floats,
    shares: Floats,
    yield_of_screening: Floats,
) -> dict[str, Floats]:
    """Plant the change in the rates of its measure; what depends on that measure follows."""
    measure = settings.measure
    adverse = 1 - rates[measure] if measure in HIGHER_IS_BETTER else rates[measure]
    factor = np.ones_like(adverse)
    size = settings.effect
    match settings.change:
        case "helps-all":
            factor[after] = 1 - size
        case "helps-majority":
            factor[after, int(shares.argmax())] = 1 - size
        case "closes-gap":
            known = adverse[after][:, :KNOWN]
            factor[np.ix_(after, np.arange(len(shares)) < KNOWN)] = 1 - size * (
                1 - known.min(axis=1, keepdims=True) / known
            )
        case "season":
            # The peak is three months before the change and the trough three months after it.
            factor *= (1 - size * np.sin(2 * np.pi * middle / 365.25))[:, None]
        case "trend":
            factor *= (1 - size * _along(middle))[:, None]
    changed = adverse * factor
    rates = rates | {measure: 1 - changed if measure in HIGHER_IS_BETTER else changed}
    return _follow(rates, measure, yield_of_screening)


def _follow(rates: dict[str, Floats], measure: str, yield_of_screening: Floats) -> dict[str, Floats]:
    """Carry a change of one measure over to those that are made of it."""
    if measure == "pph_1000":
        rates = rates | {"pph_1500": exceeding(rates["pph_1000"], 1000, 1500)}
    elif measure == "pph_1500":
        rates = rates | {"pph_1000": exceeding(rates["pph_1500"], 1500, 1000)}
    return rates | {"gdm_diagnosed": rates["gdm_at_risk"] * rates["gdm_screened"] * yield_of_screening}


def _record(
    rates: dict[str, Floats], settings: Settings, after: NDArray[np.bool_], yield_of_screening: Floats
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Give the rates among recorded births, and the share of births that are not recorded."""
    unrecorded = {field: np.full(len(after), share) for field, share in calibration.unrecorded().items()}
    if settings.change != "recording":
        return rates, unrecorded
    measure = settings.measure
    caught = np.where(after, 1.0, 1 - settings.effect)[:, None]
    recorded = _follow(rates | {measure: rates[measure] * caught}, measure, yield_of_screening)
    poor, good = calibration.scalar("unrecorded_poor"), calibration.scalar("unrecorded_good")
    return recorded, unrecorded | {FIELD.get(measure, measure): np.where(after, good, poor)}
