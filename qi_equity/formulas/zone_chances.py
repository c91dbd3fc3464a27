"""How likely a point lies in each of the zones between the lines of a chart."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas.distributions import Distribution

__all__ = ["Pair", "zone_chances"]

Pair = tuple[ArrayLike, ArrayLike]


def zone_chances(
    points: Distribution,
    centre_line: ArrayLike,
    *,
    one_sigma: Pair | None = None,
    two_sigma: Pair | None = None,
    three_sigma: Pair | None = None,
) -> FloatArray:
    """Probability of each zone at each point, while nothing changes.

    Parameters
    ----------
    points : Distribution
        Distribution of each point, of :mod:`qi_equity.formulas.distributions`, arrays of shape (..., T).
    centre_line : array_like, broadcastable to (..., T)
        Centre line; NaN where there is no point to judge.
    one_sigma, two_sigma, three_sigma : pair of array_like, optional
        Lower and upper limit, in the unit of the points, as on the chart. Where one is NaN, or not given
        because no test looks at it, no point lies beyond it.

    Returns
    -------
    numpy.ndarray of float, shape (..., T, 10)
        Probability of each of :data:`qi_equity.formulas.zone_chains.ZONES`; they sum to 1. A point without a
        centre line or a distribution is missing for certain.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together.

    References
    ----------
    .. [1] The definition; Champ, Woodall, Technometrics 1987;29:393-399, for its use.

    Examples
    --------
    >>> import numpy as np
    >>> from qi_equity.formulas.distributions import Normal
    >>> chances = zone_chances(Normal(np.zeros(1), np.ones(1)), [0.0], three_sigma=(-3, 3))
    >>> chances[0].round(5).tolist()
    [0.00135, 0.0, 0.0, 0.49865, 0.0, 0.49865, 0.0, 0.0, 0.00135, 0.0]
    """
    (line,) = floats({"centre_line": centre_line})
    low, high = [points.below(line)], [points.above(line)]
    names = ("one_sigma", "two_sigma", "three_sigma")
    for name, pair in zip(names, (one_sigma, two_sigma, three_sigma), strict=True):
        nothing = np.zeros(np.shape(low[0]))
        if pair is None:
            low.append(nothing)
            high.append(nothing)
            continue
        below, above, _ = floats({f"{name}[0]": pair[0], f"{name}[1]": pair[1], "centre_line": line})
        low.append(np.nan_to_num(points.below(below), nan=0.0) + nothing)
        high.append(np.nan_to_num(points.above(above), nan=0.0) + nothing)
    known = ~np.isnan(low[0] + high[0])
    zones = np.zeros((*known.shape, 10))
    zones[..., 3::-1] = _rings(low)
    zones[..., 5:9] = _rings(high)
    zones[..., 4] = np.maximum(1 - low[0] - high[0], 0)
    zones[~known] = 0
    zones[..., 9] = ~known
    return zones


def _rings(beyond: list[FloatArray]) -> FloatArray:
    """Split the chance of one side, of what lies beyond the centre line and each limit, into its zones."""
    outwards = np.stack(beyond, axis=-1)
    # A limit that is not given lets through what the next one stops; none lies on the other side of the line.
    outwards = np.maximum.accumulate(outwards[..., ::-1], axis=-1)[..., ::-1]
    outwards = np.minimum(outwards, np.stack(beyond[:1], axis=-1))
    outwards[..., :-1] -= outwards[..., 1:]
    return outwards
