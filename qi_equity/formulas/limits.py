"""What every limit formula returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qi_equity.formulas._arrays import FloatArray

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """Centre line, standard error and limits of every period of every stratum.

    Parameters
    ----------
    centre_line : numpy.ndarray of float, shape (..., T)
        What the points are expected to lie around, in the unit of the points.
    sigma : numpy.ndarray of float, shape (..., T)
        Standard error of one point, never clipped and never inferred from the limits.
    lower, upper : numpy.ndarray of float, shape (..., T)
        A point signals when it lies strictly beyond. NaN where no limit can be given.

    Examples
    --------
    >>> from qi_equity.formulas.attributes import c_limits
    >>> limits = c_limits([4, 4, 4, 4])
    >>> float(limits.lower[0]), float(limits.upper[0])
    (0.0, 10.0)
    >>> limits.equals(c_limits([4, 4, 4, 4]))
    True
    """

    centre_line: FloatArray
    sigma: FloatArray
    lower: FloatArray
    upper: FloatArray

    def equals(self, other: object) -> bool:
        """Whether the other holds the same numbers in the same shape; NaN equals NaN.

        Parameters
        ----------
        other : object
            Anything; only limits can be equal.

        Returns
        -------
        bool
            True if all four arrays are the same.

        Examples
        --------
        >>> from qi_equity.formulas.attributes import c_limits
        >>> c_limits([4, 4]).equals(c_limits([4, 5]))
        False
        """
        return isinstance(other, Limits) and all(
            np.array_equal(getattr(self, name), getattr(other, name), equal_nan=True)
            for name in ("centre_line", "sigma", "lower", "upper")
        )
