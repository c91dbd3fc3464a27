"""Round numbers for a logarithmic axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["round_ticks"]


def round_ticks(low: float, high: float, most: int) -> NDArray[np.float64]:
    """Give three round numbers a decade between ``low`` and ``high``, or fewer where there is no room."""
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    found = decades
    for steps in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0)):
        ticks = np.outer(decades, steps).ravel()
        ticks = ticks[(ticks >= low) & (ticks <= high)]
        if steps == (1.0,) or len(ticks) <= most:
            found = ticks
    return found
