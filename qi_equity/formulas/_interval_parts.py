"""What the interval formulas share: checked cells, normal quantiles, and roots of all cells at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity._validate import number
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray, floats

# Halvings that bring any bracket used here below the spacing of floating-point numbers.
_HALVINGS = 66


def tail_of(confidence: float) -> float:
    """Give the probability of either tail, after a check of the level of confidence."""
    return (1 - number("confidence", confidence, above=0, below=1)) / 2


def tails_of(confidence: ArrayLike) -> FloatArray:
    """Give the probability of either tail for levels of confidence that differ between cells."""
    (levels,) = floats({"confidence": confidence})
    wrong = levels[~((levels > 0) & (levels < 1))]
    if wrong.size:
        raise OptionError(
            f"confidence holds {float(wrong[0])!r}; give numbers between 0 and 1, such as 0.95."
        )
    return np.asarray((1 - levels) / 2)


def z_of(confidence: float) -> float:
    """Give the standard normal quantile of a two-sided interval."""
    return -float(special.ndtri(tail_of(confidence)))


def binomial_cells(pairs: Mapping[str, ArrayLike], *, at_most_one: bool = True) -> tuple[FloatArray, ...]:
    """Check events and births given in turn; cells without births or with anything missing become NaN.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together, a number is negative or infinite, or events outnumber births.
    """
    arrays = floats(pairs)
    for name, array in zip(pairs, arrays, strict=True):
        wrong = array[(array < 0) | np.isinf(array)]
        if wrong.size:
            raise OptionError(
                f"{name} holds {float(wrong[0])!r}; give finite numbers of 0 or more, NaN where not known."
            )
    if at_most_one:
        names = tuple(pairs)
        for k in range(0, len(names), 2):
            _check_share(names[k : k + 2], arrays[k], arrays[k + 1])
    sizes = arrays[1::2]
    known = ~np.isnan(np.sum(arrays, axis=0)) & np.all([size > 0 for size in sizes], axis=0)
    return tuple(np.where(known, array, np.nan) for array in arrays)


def rate_cells(pairs: Mapping[str, ArrayLike]) -> tuple[FloatArray, ...]:
    """Check events and exposure given in turn, of which events may be more."""
    return binomial_cells(pairs, at_most_one=False)


def _check_share(names: tuple[str, ...], events: FloatArray, births: FloatArray) -> None:
    more = events > births
    if more.any():
        x, n = float(events[more][0]), float(births[more][0])
        raise OptionError(
            f"{names[0]} holds {x!r} where {names[1]} holds {n!r}; a proportion has no more events than "
            "births. For events that can happen more than once use the intervals for rates."
        )


def edge(inside: FloatArray, outside: FloatArray, beyond: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Find, in every cell at once, where a function turns positive on the way from ``inside`` to ``outside``.

    The bracket is halved until it is narrower than the spacing of floating-point numbers, so the result is
    as exact as the function itself, however flat or steep it is.

    Parameters
    ----------
    inside, outside : ndarray of float, shape (...)
        Ends of the bracket, in either order; neither is evaluated.
    beyond : callable
        From an array of the same shape to one: > 0 beyond the edge, <= 0 or NaN before it.

    Returns
    -------
    ndarray of float, shape (...)
        Where it is positive first; exactly ``outside`` where it is positive nowhere.
    """
    near, far = inside.astype(np.float64), outside.astype(np.float64)
    with np.errstate(all="ignore"):
        for _ in range(_HALVINGS):
            middle = near + (far - near) / 2
            is_beyond = beyond(middle) > 0
            far = np.where(is_beyond, middle, far)
            near = np.where(is_beyond, near, middle)
    return far
