"""Synthesis of the same effect over sites: fixed and random effects meta-analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity._validate import one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, IntArray, floats
from qi_equity.formulas._interval_parts import tail_of
from qi_equity.formulas._meta_tau2 import METHODS, Sites, Tau2, estimate_tau2

__all__ = ["MetaAnalysis", "MetaTest", "Tau2", "leave_one_out", "meta_analysis", "sites_of"]

MetaTest = Literal["z", "t", "knapp-hartung", "knapp-hartung-modified"]
PredictionDf = Literal["k-1", "k-2"]
TESTS: tuple[MetaTest, ...] = ("z", "t", "knapp-hartung", "knapp-hartung-modified")


@dataclass(frozen=True, slots=True, eq=False)
class MetaAnalysis:
    """A pooled effect, on the scale of the effects given, for every set of sites at once.

    Parameters
    ----------
    estimate, se, statistic, p, lower, upper : numpy.ndarray of float, shape (...)
        Pooled effect, its standard error, test of no effect and interval. With one site they are that site's
        own, by the normal distribution, and NaN where the test needs degrees of freedom.
    tau2, se_tau2 : numpy.ndarray of float, shape (...)
        Variance between sites, >= 0, and its standard error; NaN with one site.
    i2, h2 : numpy.ndarray of float, shape (...)
        Share of the variance of an estimate that lies between sites, in [0, 1), and total over sampling
        variance.
    q, q_p : numpy.ndarray of float, shape (...)
        Cochran's test that all sites have the same effect.
    prediction_lower, prediction_upper : numpy.ndarray of float, shape (...)
        Where the effect of another such site would lie. With few sites it is too short more often than it
        says; NaN for the fixed effect.
    weights : numpy.ndarray of float, shape (..., k)
        Share of each site in the pooled effect; 0 for a site without an estimate.
    k : numpy.ndarray of int, shape (...)
        Number of sites with an estimate.

    Examples
    --------
    >>> pooled = meta_analysis([-0.5, -0.2, -0.7], [0.04, 0.09, 0.16])
    >>> int(pooled.k), float(pooled.estimate.round(3)), float(pooled.tau2.round(3))
    (3, -0.451, 0.0)
    """

    estimate: FloatArray
    se: FloatArray
    statistic: FloatArray
    p: FloatArray
    lower: FloatArray
    upper: FloatArray
    tau2: FloatArray
    se_tau2: FloatArray
    i2: FloatArray
    h2: FloatArray
    q: FloatArray
    q_p: FloatArray
    prediction_lower: FloatArray
    prediction_upper: FloatArray
    weights: FloatArray
    k: IntArray


def meta_analysis(
    effects: ArrayLike,
    variances: ArrayLike,
    *,
    tau2: Tau2 = "reml",
    test: MetaTest = "knapp-hartung-modified",
    prediction_df: PredictionDf = "k-1",
    confidence: float = 0.95,
) -> MetaAnalysis:
    r"""Pool the effects of sites, each weighted by what it knows and by how much sites differ.

    .. math::
        \hat\mu = \frac{\sum w_i y_i}{\sum w_i}, \qquad w_i = \frac{1}{v_i + \hat\tau^2}, \qquad
        \mathrm{se} = \sqrt{q / \textstyle\sum w_i}

    with :math:`q = 1` for "z" and "t"; :math:`q = \sum w_i (y_i - \hat\mu)^2 / (k - 1)` for Knapp and Hartung
    (also Sidik and Jonkman), which can be narrower than the fixed effect; and :math:`\max(1, q)` for the
    modified one, which never is. All but "z" take t with k - 1 degrees of freedom. The prediction interval is
    :math:`\hat\mu \mp t \sqrt{\hat\tau^2 + \mathrm{se}^2}`. :math:`I^2 = \hat\tau^2 / (\hat\tau^2 + s^2)`,
    :math:`H^2 = 1 + \hat\tau^2 / s^2` with the typical variance within sites :math:`s^2` of Higgins and
    Thompson; for the fixed effect both are those of Q.

    Parameters
    ----------
    effects, variances : array_like, shape (..., k)
        Effect of each site (a difference, or a logarithm of a ratio) and its sampling variance; NaN where a
        site has no estimate.
    tau2 : {"reml", "dl", "pm", "ml", "eb", "he", "fixed"}
        Estimator of the variance between sites: restricted maximum likelihood, DerSimonian and Laird, Paule
        and Mandel, maximum likelihood, empirical Bayes of Morris (the same equation as Paule and Mandel),
        Hedges, or none.
    test : {"z", "t", "knapp-hartung", "knapp-hartung-modified"}
        Standard error and distribution of test and interval.
    prediction_df : {"k-1", "k-2"}
        Degrees of freedom of the prediction interval; "k-2" is that of Higgins, Thompson and Spiegelhalter.
        Normal in any case for ``test="z"``.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    MetaAnalysis
        NaN throughout where no site has an estimate.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together, a variance is not above 0 and finite, an effect is infinite, or an
        option is not allowed.

    References
    ----------
    .. [1] Viechtbauer. Bias and efficiency of meta-analytic variance estimators in the random-effects model.
       J Educ Behav Stat 2005;30:261-293 (all estimators and their standard errors).
    .. [2] Knapp, Hartung. Improved tests for a random effects meta-regression with a single covariate.
       Statistics in Medicine 2003;22:2693-2710.
    .. [3] Roever, Knapp, Friede. Hartung-Knapp-Sidik-Jonkman approach and its modification for random-effects
       meta-analysis with few studies. BMC Med Res Methodol 2015;15:99.
    .. [4] Higgins, Thompson, Spiegelhalter. A re-evaluation of random-effects meta-analysis. J R Stat Soc A
       2009;172:137-159.
    .. [5] Higgins, Thompson. Quantifying heterogeneity in a meta-analysis. Statistics in Medicine
       2002;21:1539-1558.

    Examples
    --------
    >>> pooled = meta_analysis([-0.5, -0.2, -0.7, 0.1, -0.35], [0.04, 0.09, 0.16, 0.02, 0.06])
    >>> [float(v.round(4)) for v in (pooled.tau2, pooled.estimate, pooled.se)]
    [0.0556, -0.2636, 0.151]
    """
    one_of("tau2", tau2, METHODS)
    one_of("test", test, TESTS)
    one_of("prediction_df", prediction_df, ("k-1", "k-2"))
    tail_of(confidence)
    sites = sites_of(effects, variances)
    with np.errstate(divide="ignore", invalid="ignore"):
        return _pool(sites, tau2, test, prediction_df, confidence)


def leave_one_out(
    effects: ArrayLike,
    variances: ArrayLike,
    *,
    tau2: Tau2 = "reml",
    test: MetaTest = "knapp-hartung-modified",
    confidence: float = 0.95,
) -> MetaAnalysis:
    """Pool as often as there are sites, each time without one of them.

    Parameters
    ----------
    effects, variances : array_like, shape (..., k)
        As for :func:`meta_analysis`.
    tau2, test, confidence : object
        As for :func:`meta_analysis`.

    Returns
    -------
    MetaAnalysis
        Arrays of shape (..., k): what is pooled from all sites but that one. NaN for a site without an
        estimate of its own, which changes nothing.

    Raises
    ------
    InputTypeError, OptionError
        As for :func:`meta_analysis`.

    Examples
    --------
    >>> without = leave_one_out([-0.5, -0.2, -0.7, 0.1], [0.04, 0.09, 0.16, 0.02], tau2="dl")
    >>> without.estimate.round(2).tolist()
    [-0.15, -0.3, -0.18, -0.45]
    """
    sites = sites_of(effects, variances)
    k = sites.known.shape[-1]
    # The next to last axis is the site left out, the last one the sites that stay.
    stays = ~np.eye(k, dtype=bool) & sites.known[..., :, None] & sites.known[..., None, :]
    return meta_analysis(
        np.where(stays, sites.effects[..., None, :], np.nan),
        np.where(stays, sites.variances[..., None, :], np.nan),
        tau2=tau2,
        test=test,
        confidence=confidence,
    )


def sites_of(effects: ArrayLike, variances: ArrayLike) -> Sites:
    """Check effects and variances.

    Parameters
    ----------
    effects, variances : array_like, shape (..., k)
        As for :func:`meta_analysis`.

    Returns
    -------
    Sites
        The same, with zeros where a site has no estimate.

    Raises
    ------
    InputTypeError, OptionError
        As for :func:`meta_analysis`.

    Examples
    --------
    >>> sites_of([0.1, float("nan")], [0.04, 0.09]).k
    array(1.)
    """
    y, v = floats({"effects": effects, "variances": variances})
    wrong = v[(v <= 0) | np.isinf(v)]
    if wrong.size:
        raise OptionError(
            f"variances holds {float(wrong[0])!r}; give finite numbers above 0, NaN for a site without an "
            "estimate."
        )
    if np.isinf(y).any():
        raise OptionError(
            "effects holds an infinite effect; give NaN for a site whose effect cannot be estimated, or pool "
            "its counts by conditional_sites()."
        )
    known: BoolArray = ~np.isnan(y + v)
    return Sites(np.where(known, y, 0.0), np.where(known, v, 0.0), known)


def _pool(
    sites: Sites, method: Tau2, test: MetaTest, prediction_df: PredictionDf, confidence: float
) -> MetaAnalysis:
    k = sites.k
    between, se_between = estimate_tau2(sites, method)
    w = sites.weights(np.nan_to_num(between))
    estimate = np.where(k > 0, sites.mean(w), np.nan)
    se = np.sqrt(_factor(sites, w, test) / w.sum(axis=-1))
    se = np.where(k > 0, se, np.nan)
    statistic = estimate / se
    df = np.full(k.shape, np.inf) if test == "z" else np.where(k > 1, k - 1, np.nan)
    half = _quantile(df, confidence) * se
    q = np.where(k > 0, sites.q(np.zeros(k.shape)), np.nan)
    i2, h2 = _heterogeneity(sites, between, q, method)
    further = df if test == "z" else k - (1 if prediction_df == "k-1" else 2)
    reach = _quantile(further, confidence) * np.sqrt(between + se**2)
    reach = np.full(k.shape, np.nan) if method == "fixed" else reach
    return MetaAnalysis(
        estimate=estimate,
        se=se,
        statistic=statistic,
        p=_two_sided(statistic, df),
        lower=estimate - half,
        upper=estimate + half,
        tau2=between,
        se_tau2=se_between,
        i2=i2,
        h2=h2,
        q=q,
        q_p=np.where(k > 1, special.chdtrc(np.maximum(k - 1, 1), q), np.nan),
        prediction_lower=estimate - reach,
        prediction_upper=estimate + reach,
        weights=w / w.sum(axis=-1, keepdims=True),
        k=np.asarray(sites.known.sum(axis=-1), dtype=np.int64),
    )


def _factor(sites: Sites, w: FloatArray, test: MetaTest) -> FloatArray:
    """Give the factor on the squared standard error."""
    residual = np.where(sites.k > 1, (w * sites.residuals(w) ** 2).sum(axis=-1) / (sites.k - 1), 1.0)
    if test == "knapp-hartung":
        return residual
    return np.maximum(residual, 1.0) if test == "knapp-hartung-modified" else np.ones(sites.k.shape)


def _heterogeneity(
    sites: Sites, between: FloatArray, q: FloatArray, method: Tau2
) -> tuple[FloatArray, FloatArray]:
    several = sites.k > 1
    if method == "fixed":
        df = np.where(several, sites.k - 1, np.nan)
        return np.maximum(1 - df / q, 0.0), q / df
    within = np.where(several, sites.typical, np.nan)
    return between / (between + within), 1 + between / within


def _quantile(df: FloatArray, confidence: float) -> FloatArray:
    """Give the two-sided quantile of t; normal for infinite, NaN without degrees of freedom."""
    tail = tail_of(confidence)
    finite = np.where((df > 0) & np.isfinite(df), df, np.nan)
    return np.where(np.isinf(df), -special.ndtri(tail), -special.stdtrit(finite, tail))


def _two_sided(statistic: FloatArray, df: FloatArray) -> FloatArray:
    """Give the two-sided p value of t; normal for infinite, NaN without degrees of freedom."""
    finite = np.where((df > 0) & np.isfinite(df), df, np.nan)
    away = -np.abs(statistic)
    return np.where(np.isinf(df), 2 * special.ndtr(away), 2 * special.stdtr(finite, away))
