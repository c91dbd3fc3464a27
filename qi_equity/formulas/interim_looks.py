"""What reading accumulating data again and again adds to the chance of a false signal."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, floats
from qi_equity.formulas._interval_parts import z_of

__all__ = ["chance_of_false_signal"]

# Below this no one-sided signal comes back from; its chance is 1e-9.
_FAR = 6.0
# A look that brings less than this share of information more is the one before.
_LEAST_GAIN = 1e-4
# Gauss-Legendre points are nowhere further apart than the spread of the shortest step.
_POINTS, _POINTS_PER_STEP = 64, 2.0
_CELLS_AT_ONCE = 4_000_000


def chance_of_false_signal(information: ArrayLike, *, confidence: float = 0.95, sides: int = 2) -> FloatArray:
    r"""Chance of at least one false signal when growing data are read again and again at the same level.

    Without any change, the standardised change :math:`Z_k` at information :math:`I_k` moves as a sum of
    independent steps, :math:`\sqrt{I_k} Z_k = \sqrt{I_{k-1}} Z_{k-1} + N(0, I_k - I_{k-1})`. With :math:`f_k`
    the density of the sum where no look so far has signalled:

    .. math:: f_k(s) = \int f_{k-1}(u) \, \phi\left(\frac{s - u}{\sqrt{I_k - I_{k-1}}}\right)
              \frac{du}{\sqrt{I_k - I_{k-1}}}, \qquad P = 1 - \int f_K(s) \, ds

    each over the values between the limits, :math:`|s| \le z_{1 - \alpha/2} \sqrt{I}`.

    Parameters
    ----------
    information : array_like, shape (..., K)
        Information at each look, on any scale: of a before and after comparison
        :math:`1 / (1/n_0 + 1/n_k)`. Growing; NaN for a look that was not held.
    confidence : float
        Level of confidence of the two-sided interval read at each look, in (0, 1).
    sides : {2, 1}
        Whether an interval wholly on either side is a signal, or on one side only (such as "improved").

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Chances in [0, 1]; NaN where no look was held.

    Raises
    ------
    InputTypeError
        If the information does not hold numbers.
    OptionError
        If it is not above 0 or falls, or an option is not allowed.

    References
    ----------
    .. [1] Armitage, McPherson, Rowe. Repeated significance tests on accumulating data. Journal of the Royal
       Statistical Society A 1969;132:235-44.

    Examples
    --------
    One look, five and twelve, equally spaced:

    >>> looks = [range(1, k + 1) for k in (1, 5, 12)]
    >>> [float(chance_of_false_signal(list(k)).round(3)) for k in looks]
    [0.05, 0.142, 0.208]
    """
    one_of("sides", sides, (2, 1))
    z = z_of(confidence)
    (given,) = floats({"information": information})
    flat = given.reshape(-1, given.shape[-1])
    before = _before(flat)
    gain = 1 - before / np.where(flat > 0, flat, np.nan)
    held = gain >= _LEAST_GAIN
    lowest = -z if sides == 2 else -_FAR
    step = float(np.sqrt(np.min(gain, initial=1.0, where=held)))
    points = max(_POINTS, int(np.ceil(_POINTS_PER_STEP * (z - lowest) / step)))
    rows = max(1, _CELLS_AT_ONCE // points**2)
    found = [
        _signalled(gain[k : k + rows], held[k : k + rows], (lowest, z), points)
        for k in range(0, len(flat), rows)
    ]
    chance = np.concatenate([np.empty(0), *found])
    return np.where(held.any(axis=-1), chance, np.nan).reshape(given.shape[:-1])


def _before(information: FloatArray) -> FloatArray:
    """Give the information at the last look held before each; 0 at the first."""
    wrong = information[(information <= 0) | np.isinf(information)]
    if wrong.size:
        raise OptionError(
            f"information holds {float(wrong[0])!r}; give finite numbers above 0, NaN where no look."
        )
    highest = np.fmax.accumulate(np.where(np.isnan(information), 0.0, information), axis=-1)
    if (information < highest).any():
        raise OptionError(
            "information falls from one look to a later one; give what has gathered by each look."
        )
    before = np.zeros(information.shape)
    last = np.zeros(len(information))
    for k in range(information.shape[-1]):
        before[:, k] = last
        enough = information[:, k] > last * (1 + _LEAST_GAIN)
        last = np.where(enough, information[:, k], last)
    return before


def _signalled(gain: FloatArray, held: BoolArray, limits: tuple[float, float], points: int) -> FloatArray:
    """Carry the density between the limits from look to look; give what was lost on the way."""
    low, high = limits
    node, weight = np.polynomial.legendre.leggauss(points)
    at, width = low + (high - low) * (node + 1) / 2, weight * (high - low) / 2
    mass = np.broadcast_to(width / width.sum(), (len(gain), points))
    for k in range(gain.shape[-1]):
        rows = np.flatnonzero(held[:, k])
        share = gain[rows, k, None, None]
        away = at[None, :, None] - np.sqrt(1 - share) * at[None, None, :]
        density = np.exp(-(away**2) / (2 * share)) / np.sqrt(2 * np.pi * share)
        mass = mass.copy()
        mass[rows] = np.einsum("rji,ri->rj", density, mass[rows]) * width
    return np.asarray(1 - mass.sum(axis=-1))
