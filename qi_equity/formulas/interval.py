"""What every interval formula returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qi_equity.formulas._arrays import FloatArray

__all__ = ["Interval"]


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """An estimate with its interval, for every cell at once.

    Parameters
    ----------
    estimate : numpy.ndarray of float
        The estimate, in the unit of the data; NaN where nothing can be said.
    lower, upper : numpy.ndarray of float, same shape
        Ends of the interval; infinite where the data set no bound, NaN where there is no interval.

    Examples
    --------
    >>> import numpy as np
    >>> interval = Interval(np.array([0.1]), np.array([0.05]), np.array([0.19]))
    >>> (interval.upper - interval.lower).round(2)
    array([0.14])
    """

    estimate: FloatArray
    lower: FloatArray
    upper: FloatArray

    def equals(self, other: object) -> bool:
        """Say whether the other holds the same numbers in the same shape; NaN equals NaN.

        Parameters
        ----------
        other : object
            Anything; only intervals can be equal.

        Returns
        -------
        bool
            True if all three arrays are the same.

        Examples
        --------
        >>> import numpy as np
        >>> one = Interval(np.array([0.1]), np.array([0.05]), np.array([0.19]))
        >>> one.equals(one), one.equals(0.1)
        (True, False)
        """
        return isinstance(other, Interval) and all(
            np.array_equal(getattr(self, name), getattr(other, name), equal_nan=True)
            for name in ("estimate", "lower", "upper")
        )
