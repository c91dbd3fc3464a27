"""How much do sites differ? Interval of the variance between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity.formulas._interval_parts import tail_of
from qi_equity.formulas._meta_tau2 import solve_q
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.meta_analysis import sites_of

__all__ = ["tau2_interval"]


def tau2_interval(effects: ArrayLike, variances: ArrayLike, *, confidence: float = 0.95) -> Interval:
    r"""Interval of the variance between sites by the Q profile.

    All :math:`\tau^2` at which the weighted sum of squares is no surprise:

    .. math:: \chi^2_{k-1, \alpha/2} \le \sum \frac{(y_i - \hat\mu(\tau^2))^2}{v_i + \tau^2} \le
              \chi^2_{k-1, 1-\alpha/2}

    Parameters
    ----------
    effects, variances : array_like, shape (..., k)
        Effect of each site and its sampling variance; NaN where a site has no estimate.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate`` is that of Paule and Mandel, which lies within the interval; ``lower, upper`` >= 0. Where
        the effects lie closer together than chance would have them for any variance, all are 0. NaN with
        fewer than two sites.

    Raises
    ------
    InputTypeError, OptionError
        As for :func:`qi_equity.formulas.meta_analysis.meta_analysis`.

    References
    ----------
    .. [1] Viechtbauer. Confidence intervals for the amount of heterogeneity in meta-analysis. Statistics in
       Medicine 2007;26:37-52.

    Examples
    --------
    >>> between = tau2_interval([0.12, 0.55], [0.02, 0.035])
    >>> [float(end.round(4)) for end in (between.estimate, between.lower, between.upper)]
    [0.065, 0.0, 94.1105]
    """
    tail = tail_of(confidence)
    sites = sites_of(effects, variances)
    several = sites.k > 1
    df = np.where(several, sites.k - 1, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = [
            np.where(several, solve_q(sites, target), np.nan)
            for target in (df, *(np.asarray(special.chdtri(df, p), np.float64) for p in (tail, 1 - tail)))
        ]
    return Interval(*ends)
