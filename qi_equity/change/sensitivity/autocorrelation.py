"""How much less a series tells of a step where each period resembles the one before it."""

from __future__ import annotations

import numpy as np

from qi_equity.change.level import segment_sums, used_periods
from qi_equity.data.cells import Floats, Ints

__all__ = ["level_factor", "period_weights", "variance_factor"]


def variance_factor(columns: Floats, steps: Floats, weight: Floats, rho: float) -> Floats:
    r"""Give how many times larger the variance of a step is, if errors are AR(1), than it is taken to be.

    With :math:`W` the working weights, :math:`y = X \beta + e`, :math:`\mathrm{cov}(e) = \phi\, W^{-1/2} R
    W^{-1/2}` and :math:`R_{st} = \rho^{|s - t|}`, the estimate of a regression that takes the periods as
    independent has, for the step :math:`c'\beta`,

    .. math:: g = W^{1/2} X (X'WX)^{-1} c, \qquad \mathrm{var} = \phi\, g'Rg, \qquad
              E[X^2] = \phi\, \mathrm{tr}\{(I - H) R\}

    with :math:`H` the hat matrix of :math:`W^{1/2} X` and :math:`X^2` Pearson's, which is divided by
    :math:`\nu` (periods less columns). The factor is therefore

    .. math:: \frac{g'Rg}{g'g} \cdot \frac{\nu}{\mathrm{tr}\{(I - H) R\}}

    Parameters
    ----------
    columns : ndarray of float, shape (..., T, p)
        The design :math:`X`.
    steps : ndarray of float, shape (..., K, p)
        The step :math:`c` of each change.
    weight : ndarray of float, shape (..., T)
        Working weights, >= 0; 0 where a period is not in the fit.
    rho : float
        Correlation of neighbouring periods, in (-1, 1).

    Returns
    -------
    ndarray of float, shape (..., K)
        1 for ``rho=0``. Where no period is to spare, dispersion is not estimated: then the second part is 1.

    References
    ----------
    .. [1] Cochrane, Orcutt. Application of least squares regression to relationships containing
       autocorrelated error terms. J Am Stat Assoc 1949;44:32-61.
    .. [2] Seber, Lee. Linear Regression Analysis, 2nd ed. 2003, sections 3.10 (wrong covariance) and 1.5
       (expectation of a quadratic form).
    """
    scaled = columns * np.sqrt(weight)[..., None]
    inverse = np.linalg.pinv(np.swapaxes(scaled, -1, -2) @ scaled, hermitian=True)
    g = steps @ inverse @ np.swapaxes(scaled, -1, -2)
    at = np.arange(weight.shape[-1])
    correlation = float(rho) ** np.abs(at[:, None] - at)
    periods = (weight > 0).sum(axis=-1)
    rank = np.einsum("...tp,...pr,...tr->...", scaled, inverse, scaled)
    spread = np.einsum("...tp,...pr,...tr->...", scaled, inverse, correlation @ scaled)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_step = np.einsum("...kt,...kt->...k", g @ correlation, g) / np.einsum("...kt,...kt->...k", g, g)
        of_dispersion = np.where(periods - rank > 0.5, (periods - rank) / (periods - spread), 1.0)
    return np.asarray(of_step * of_dispersion[..., None])


def period_weights(events: Floats, size: Floats, segment: Ints, changes: int, *, binomial: bool) -> Floats:
    """Give the working weight of each period, at the rate of its segment (with half an event added)."""
    x, n = segment_sums(events, size, segment, changes + 1)
    rate = np.take_along_axis((x + 0.5) / (n + 1), np.maximum(segment, 0), axis=-1)
    used = used_periods(events, size) & (segment >= 0)
    weight = size * rate * (1 - rate) if binomial else size * rate
    return np.where(used, np.nan_to_num(weight), 0.0)


def level_factor(weight: Floats, segment: Ints, changes: int, rho: float) -> Floats:
    """Give the factor of :func:`variance_factor` for a level in each segment, shape (..., K)."""
    columns = (segment[..., None] == np.arange(changes + 1)).astype(np.float64)
    steps = np.diff(np.eye(changes + 1), axis=0)
    return variance_factor(columns, steps, weight, rho)
