"""What an evaluation costs beside its births, before there are data: t quantiles, dispersion, and a trend."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._evaluation_chances import Model, checked_periods, has_trend
from qi_equity.formulas._interval_parts import z_of
from qi_equity.formulas.level_change import t_of

__all__ = ["expected_inflation"]


def expected_inflation(
    periods_before: ArrayLike,
    periods_after: ArrayLike,
    *,
    model: Model = "level",
    confidence: float = 0.95,
) -> FloatArray:
    r"""Give what the variance of a change is multiplied by in planning, before there are data.

    With :math:`a` and :math:`b` periods and :math:`\nu` degrees of freedom, :math:`a + b` less 2 (less 3
    with a trend), the quantile of t for the normal one; the dispersion that is expected where chance is all
    there is, as it is never taken below 1; and what a trend costs where all periods have as many births:

    .. math:: \left(\frac{t_\nu}{z}\right)^2 \mathrm{E} \max\left(1, \frac{\chi^2_\nu}{\nu}\right) \times
              \left[1 - \frac{3 a b}{(a + b)^2 - 1}\right]^{-1}

    the last factor for the model with a trend only.

    Parameters
    ----------
    periods_before, periods_after : array_like of whole numbers, shape (...)
        Numbers of periods, >= 1.
    model : {"level", "level+trend"}
        Model of the evaluation.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Factors above 1 for ``inflation`` of the closed forms; 1 for one period on either side, whose
        dispersion cannot be known; infinite where a trend leaves nothing over.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is not whole or below 1, or an option is not allowed.

    References
    ----------
    .. [1] McCullagh, Nelder. Generalized Linear Models, 2nd ed. 1989, section 4.5.

    Examples
    --------
    A year on either side: a trend makes the standard error about twice as large.

    >>> level = expected_inflation(12, 12)
    >>> trend = expected_inflation(12, 12, model="level+trend")
    >>> level.round(2).tolist(), np.sqrt(trend / level).round(2).tolist()
    ([1.25], [2.01])
    """
    a, b = floats({"periods_before": periods_before, "periods_after": periods_after})
    checked_periods({"periods_before": a, "periods_after": b})
    trend, z = has_trend(model), z_of(confidence)
    spare = a + b - (3 if trend else 2)
    df = np.where(spare > 0, spare, np.where(np.isnan(spare), np.nan, np.inf))
    nu = np.where(np.isfinite(df), df, 1.0)
    floored = special.chdtr(nu, nu) + special.chdtrc(nu + 2, nu)
    factor = (t_of(df, confidence) / z) ** 2 * np.where(np.isfinite(df), floored, 1.0)
    if not trend:
        return factor
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spare > 0, factor / (1 - 3 * a * b / ((a + b) ** 2 - 1)), np.inf + spare)
