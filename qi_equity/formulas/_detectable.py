"""What the planning formulas share: checks, and the scale on which the spread does not depend on the rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity._validate import number, one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._interval_parts import edge, tail_of, z_of

Kind = Literal["proportion", "rate"]
Direction = Literal["fall", "rise"]

# More births than there ever were are as good as without end.
_LOG_MOST = float(np.log(1e12))


def planned(
    kind: Kind,
    *,
    rates: Mapping[str, ArrayLike],
    sizes: Mapping[str, ArrayLike],
    others: Mapping[str, ArrayLike],
) -> tuple[FloatArray, ...]:
    """Check rates, sizes (0 becomes NaN) and other numbers of 0 or more; give them in this order, one shape.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative, a proportion is above 1, shapes do not fit or the kind is not known.
    """
    one_of("kind", kind, ("proportion", "rate"))
    arguments = {**rates, **sizes, **others}
    arrays = floats(arguments)
    for name, array in zip(arguments, arrays, strict=True):
        most = 1.0 if kind == "proportion" and name in rates else np.inf
        wrong = array[(array < 0) | (array > most)]
        if wrong.size:
            allowed = "numbers of 0 or more" if most > 1 else "proportions in [0, 1]"
            raise OptionError(f"{name} holds {float(wrong[0])!r}; give {allowed}, NaN where not known.")
    return tuple(
        np.where(array > 0, array, np.nan) if name in sizes else array
        for name, array in zip(arguments, arrays, strict=True)
    )


def least_power(power: float) -> float:
    """Check the power wanted."""
    return number("power", power, at_least=0.5, below=1)


def distance_needed(confidence: float, power: float) -> float:
    """Give how many standard errors a change must measure to be shown with this power at this confidence."""
    return z_of(confidence) + float(special.ndtri(least_power(power)))


def stable(rate: FloatArray, kind: Kind) -> FloatArray:
    """Give 2 arcsin sqrt of a proportion or 2 sqrt of a rate, of variance 1 / births; NaN out of range."""
    with np.errstate(invalid="ignore"):
        root = np.sqrt(rate)
        return np.asarray(2 * np.arcsin(root) if kind == "proportion" else 2 * root)


def rate_at(value: FloatArray, kind: Kind) -> FloatArray:
    """Give the rate of a value of :func:`stable`; NaN where no rate has it."""
    most = np.pi if kind == "proportion" else np.inf
    half = np.where((value >= 0) & (value <= most), value, np.nan) / 2
    return np.asarray(np.sin(half) ** 2 if kind == "proportion" else half**2)


def sign_of(direction: Direction) -> int:
    """Give -1 for a fall and 1 for a rise."""
    return -1 if one_of("direction", direction, ("fall", "rise")) == "fall" else 1


def count_needed(size: FloatArray, other: FloatArray, confidence: float) -> FloatArray:
    """Give the least count that differs from none at all among the others, by the exact (mid-P) test."""
    with np.errstate(divide="ignore", invalid="ignore"):
        alone = np.where(np.isinf(size), 1.0, size / (size + other))
        events = np.ceil(np.log(2 * tail_of(confidence)) / np.log(alone))
    return np.asarray(np.maximum(events, 1.0))


def chance_of_count(count: FloatArray, rate: FloatArray, size: FloatArray, kind: Kind) -> FloatArray:
    """Give the chance of so many events or more; sizes need not be whole."""
    endless = np.isinf(size) & (rate > 0)
    births = np.where(endless, 1.0, size)
    if kind == "rate":
        chance = np.asarray(special.gammainc(count, rate * births), dtype=np.float64)
    else:
        found = special.betainc(count, np.maximum(births - count, 0) + 1, np.minimum(rate, 1))
        chance = np.where(count > births, 0.0, found)
    return np.where(endless, 1.0, chance)


def rate_for_count(count: FloatArray, chance: float, size: FloatArray, kind: Kind) -> FloatArray:
    """Give the rate at which :func:`chance_of_count` is as given; NaN where none is high enough."""
    if kind == "rate":
        return np.asarray(special.gammaincinv(count, chance) / size)
    rate = special.betaincinv(count, np.maximum(size - count, 0) + 1, chance)
    return np.where(count > size, np.nan, rate)


def distance_at(
    p: FloatArray, changed: FloatArray, before: FloatArray, after: FloatArray, kind: Kind
) -> FloatArray:
    """Give how many standard errors two rates are apart; births are over the inflation of the variance."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.abs(stable(changed, kind) - stable(p, kind)) / np.sqrt(1 / before + 1 / after))


def most_power(
    p: FloatArray, changed: FloatArray, before: FloatArray, after: FloatArray, kind: Kind, confidence: float
) -> FloatArray:
    """Give the chance of the events that it takes to show a change, which no power exceeds."""
    fall = chance_of_count(count_needed(before, after, confidence), p, before, kind)
    rise = chance_of_count(count_needed(after, before, confidence), changed, after, kind)
    return np.where(changed <= p, fall, rise)


def power_at(
    p: FloatArray, changed: FloatArray, before: FloatArray, after: FloatArray, kind: Kind, confidence: float
) -> FloatArray:
    """Give the power of a two-sided test; births are over the inflation of the variance."""
    smooth = special.ndtr(distance_at(p, changed, before, after, kind) - z_of(confidence))
    most = most_power(p, changed, before, after, kind, confidence)
    return np.where(np.isnan(smooth), np.nan, np.minimum(smooth, most))


def least_births(known: FloatArray, beyond: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Find the least births that are enough, infinite where none are; NaN where something is not known."""
    most = np.full(known.shape, _LOG_MOST)
    found = edge(np.zeros(known.shape), most, lambda log_births: beyond(np.exp(log_births)))
    births = np.where(found == most, np.inf, np.exp(found))
    return np.where(np.isnan(known), np.nan, births)
