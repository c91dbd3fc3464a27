"""Events, births and designs of regressions: checked, stretched and laid out as strata by periods."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import one_of
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, floats, mask

Family = Literal["binomial", "poisson", "gaussian"]


class Regression(NamedTuple):
    """The data of K strata over T periods; what is not used is zero, so that no sum sees it.

    Parameters
    ----------
    total : ndarray of float, shape (K, T)
        Events; for means, the value times its size.
    size : ndarray of float, shape (K, T)
        Births or exposure.
    weight : ndarray of float, shape (K, T)
        Weight of each period's likelihood.
    design : ndarray of float, shape (K, T, P) or (T, P)
        Zero where not known.
    used, drawn : ndarray of bool, shape (K, T)
        Periods in the fit, and periods whose design is known.
    shape : tuple of int
        Shape of the leading axes.
    """

    total: FloatArray
    size: FloatArray
    weight: FloatArray
    design: FloatArray
    used: BoolArray
    drawn: BoolArray
    shape: tuple[int, ...]

    def rows(self, strata: BoolArray) -> Regression:
        """Give the strata marked, shape (K,)."""
        if strata.all():
            return self
        return Regression(
            self.total[strata],
            self.size[strata],
            self.weight[strata],
            self.design if self.design.ndim == 2 else self.design[strata],
            self.used[strata],
            self.drawn[strata],
            (int(strata.sum()),),
        )


def regression(
    events: ArrayLike,
    size: ArrayLike | None,
    design: ArrayLike,
    family: Family,
    included: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    *,
    name: str = "events",
) -> Regression:
    """Check the arguments of a regression and lay them out.

    Raises
    ------
    InputTypeError
        If one does not hold numbers (``included``: booleans).
    OptionError
        If shapes do not fit together or a value cannot be.
    """
    one_of("family", family, ("binomial", "poisson", "gaussian"))
    x, n, w, matrix = _stretched({name: events}, size, design, family, weights)
    _possible(x, n, w, family, name)
    lead, (periods, terms) = x.shape[:-1], matrix.shape[-2:]
    drawn = np.broadcast_to(~np.isnan(matrix).any(axis=-1), x.shape)
    used = mask("included", included, x.shape) & drawn & (n > 0) & ~np.isnan(x) & ~np.isnan(w)
    clean = np.where(np.isnan(matrix), 0.0, matrix)
    if clean.ndim > 2:
        clean = np.broadcast_to(clean, (*lead, periods, terms)).reshape(-1, periods, terms)
    amount = x * n if family == "gaussian" else x
    total, births, weight = (np.where(used, a, 0.0).reshape(-1, periods) for a in (amount, n, w))
    used, drawn = used.reshape(-1, periods), drawn.reshape(-1, periods)
    return Regression(total, births, weight, clean, used, drawn, lead)


def _stretched(
    outcome: dict[str, ArrayLike],
    size: ArrayLike | None,
    design: ArrayLike,
    family: Family,
    weights: ArrayLike | None,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Give events, sizes and weights of one shape, and the design."""
    if size is None and family != "gaussian":
        raise OptionError(f"size=None is not allowed for family={family!r}; give births or exposure.")
    matrix = _design(design)
    others = {"size": 1.0 if size is None else size, "weights": 1.0 if weights is None else weights}
    x, n, w = floats(outcome | others)
    try:
        shape = np.broadcast_shapes(x.shape, matrix.shape[:-1])
    except ValueError as error:
        raise _misfit(matrix, x) from error
    if shape[-1] != x.shape[-1] or shape[-1] != matrix.shape[-2]:
        raise _misfit(matrix, x)
    x, n, w = (np.broadcast_to(a, shape) for a in (x, n, w))
    return x, n, w, matrix


def _design(design: ArrayLike) -> FloatArray:
    try:
        matrix = np.asarray(design, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputTypeError(
            f"design of type {type(design).__name__} cannot be read as numbers; give an array of shape "
            "(..., T, P): periods by terms."
        ) from error
    if matrix.ndim < 2 or matrix.shape[-1] == 0:
        raise OptionError(
            f"design has shape {matrix.shape}; give (..., T, P): periods by terms, at least one."
        )
    if np.isinf(matrix).any():
        raise OptionError("design holds an infinite value; give finite numbers, NaN where not known.")
    return matrix


def _misfit(design: FloatArray, events: FloatArray) -> OptionError:
    return OptionError(
        f"design of shape {design.shape} does not fit events of shape {events.shape}; give (T, P) or "
        "(..., T, P) with a row for each period."
    )


def _possible(x: FloatArray, n: FloatArray, w: FloatArray, family: Family, name: str) -> None:
    """Refuse values that cannot be; what is not known is NaN."""
    wrong = np.isinf(x) | ((x < 0) & (family != "gaussian"))
    if wrong.any():
        allowed = "finite values" if family == "gaussian" else "counts of 0 or more"
        raise OptionError(f"{name} holds {_first(x, wrong)}; give {allowed}, NaN where not known.")
    if np.isinf(n).any() or (n < 0).any():
        raise OptionError(f"size holds {_first(n, np.isinf(n) | (n < 0))}; give finite sizes of 0 or more.")
    if family == "binomial" and (x > n).any():
        raise OptionError(
            f"events holds {_first(x, x > n)} where size holds {_first(n, x > n)}; give at most as many "
            "events as births, or family='poisson' where one birth can have several."
        )
    if family == "poisson" and ((x > 0) & (n == 0)).any():
        raise OptionError(
            f"events holds {_first(x, (x > 0) & (n == 0))} where size is 0; give the exposure they arose in."
        )
    if np.isinf(w).any() or (w <= 0).any():
        raise OptionError(f"weights holds {_first(w, np.isinf(w) | (w <= 0))}; give finite numbers above 0.")


def _first(values: FloatArray, where: BoolArray) -> float:
    return float(values[where][0])
