"""Pool counts before and after a change over sites in one model, whose change may vary over sites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity._validate import one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, mask
from qi_equity.formulas._interval_parts import binomial_cells, rate_cells, tail_of
from qi_equity.formulas._mixed_fit import Point, Problem, highest, shared_information, site_information
from qi_equity.formulas._mixed_kernels import Binomial, Hypergeometric, Kernel, Poisson

__all__ = ["PooledChange", "conditional_sites", "mixed_sites"]

Family = Literal["binomial", "poisson"]
Test = Literal["z", "t"]


@dataclass(frozen=True, slots=True, eq=False)
class PooledChange:
    """Logarithm of the odds ratio (rate ratio) of after against before, pooled over sites.

    Parameters
    ----------
    estimate, se, lower, upper, p : numpy.ndarray of float, shape (...)
        Mean change, its standard error, interval and test of no change. The estimate is infinite, and the
        others NaN, where the counts of all sites lie at the same end (no event after); all are NaN where
        they set no bound to how much sites differ.
    tau : numpy.ndarray of float, shape (...)
        Standard deviation of the change between sites, >= 0.
    log_likelihood, log_likelihood_fixed : numpy.ndarray of float, shape (...)
        The highest, and the highest without variation between sites.
    weights : numpy.ndarray of float, shape (..., k)
        Share of each site in the information about the change; 0 where it takes no part.
    used : numpy.ndarray of bool, shape (..., k)
        Sites that take part: with births before and after, and with an event (and a birth without) in one
        of the two. The others hold no information about a change.

    Examples
    --------
    >>> pooled = mixed_sites([[[20, 9], [30, 20], [8, 0]]], [[[200, 190], [240, 250], [90, 100]]])
    >>> pooled.estimate.round(2).tolist(), pooled.used.tolist()
    ([-0.78], [[True, True, True]])
    """

    estimate: FloatArray
    se: FloatArray
    lower: FloatArray
    upper: FloatArray
    p: FloatArray
    tau: FloatArray
    log_likelihood: FloatArray
    log_likelihood_fixed: FloatArray
    weights: FloatArray
    used: BoolArray


def mixed_sites(
    events: ArrayLike,
    births: ArrayLike,
    *,
    family: Family = "binomial",
    included: ArrayLike | None = None,
    test: Test = "t",
    confidence: float = 0.95,
) -> PooledChange:
    r"""Pool sites by a mixed model: an intercept of each site, and a change that varies over sites.

    .. math::
        \operatorname{logit} p_{s0} = \alpha_s, \qquad \operatorname{logit} p_{s1} = \alpha_s + \beta + u_s,
        \qquad u_s \sim N(0, \tau^2)

    with logarithms of rates for ``family="poisson"``. Maximum likelihood of all :math:`\alpha_s`,
    :math:`\beta` and :math:`\tau`; the integral over :math:`u_s` is taken by adaptive Gauss-Hermite
    quadrature with 30 nodes. The standard error is that of the observed information of all of them together.

    Parameters
    ----------
    events, births : array_like, shape (..., k, 2)
        Events and births (exposure, for Poisson) of each site before and after; NaN where not known.
    family : {"binomial", "poisson"}
        Distribution of the events.
    included : array_like of bool, shape (..., k), optional
        False for a site that shall be left out. Further axes before those of the tables pool the same tables
        again and again, each time from other sites, at little cost.
    test : {"z", "t"}
        Distribution of test and interval: normal, or t with k - 1 degrees of freedom for k sites.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    PooledChange
        Sites without information take no part. With one site there is no variation to estimate: its tau is
        NaN, its change that of a single table, its interval normal.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit, a number is negative, events outnumber births, or an option is not allowed.

    References
    ----------
    .. [1] Turner, Omar, Yang, Goldstein, Thompson. A multilevel model framework for meta-analysis of clinical
       trials with binary outcomes. Statistics in Medicine 2000;19:3417-3432.
    .. [2] Jackson, Law, Stijnen, Viechtbauer, White. A comparison of seven random-effects models for
       meta-analyses that estimate the summary odds ratio. Statistics in Medicine 2018;37:1059-1085, model 2.
    .. [3] Liu, Pierce. A note on Gauss-Hermite quadrature. Biometrika 1994;81:624-629.

    Examples
    --------
    >>> events, births = [[20, 9], [16, 20], [8, 0]], [[200, 190], [240, 250], [90, 100]]
    >>> pooled = mixed_sites(events, births)
    >>> [float(v.round(2)) for v in (pooled.estimate, pooled.se, pooled.tau)]
    [-1.04, 0.85, 1.09]
    """
    x, n, used = _tables(events, births, family, included)
    kernel = Binomial if family == "binomial" else Poisson
    before, after = kernel(x[..., 0], n[..., 0]), kernel(x[..., 1], n[..., 1])
    problem = Problem(after, before, used, np.zeros(used.shape))
    rest = n - x if family == "binomial" else n
    start = np.log((x[..., 0] + 0.5) / (rest[..., 0] + 0.5))
    return _fit(problem, np.where(used, start, 0.0), _separated(x, n, family, used), test, confidence)


def conditional_sites(
    events: ArrayLike,
    births: ArrayLike,
    *,
    family: Family = "binomial",
    included: ArrayLike | None = None,
    test: Test = "t",
    confidence: float = 0.95,
) -> PooledChange:
    r"""Pool sites by the events after given the events of both spans, exact for any counts.

    Given :math:`x_{s0} + x_{s1}`, the events after follow the noncentral hypergeometric distribution of
    Fisher with the log odds ratio :math:`\beta + u_s`, :math:`u_s \sim N(0, \tau^2)`; for
    ``family="poisson"`` the binomial one, whose logit is :math:`\log(e_{s1} / e_{s0}) + \beta + u_s`. No
    intercepts have to be estimated and no count needs a correction: a site with no event after takes part
    with what it says, one without any event drops out, as it says nothing.

    Parameters
    ----------
    events, births : array_like, shape (..., k, 2)
        Whole events and births (exposure, for Poisson) of each site before and after; NaN where not known.
    family : {"binomial", "poisson"}
        Distribution of the events.
    included : array_like of bool, shape (..., k), optional
        False for a site that shall be left out. Further axes before those of the tables pool the same tables
        again and again, each time from other sites, at little cost.
    test : {"z", "t"}
        Distribution of test and interval: normal, or t with k - 1 degrees of freedom for k sites.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    PooledChange
        As for :func:`mixed_sites`.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit, a number is negative or not whole, events outnumber births, or an option is not
        allowed.

    References
    ----------
    .. [1] Stijnen, Hamza, Ozdemir. Random effects meta-analysis of event outcome in the framework of the
       generalized linear mixed model with applications in sparse data. Statistics in Medicine
       2010;29:3046-3067.

    Examples
    --------
    >>> events, births = [[20, 9], [16, 20], [8, 0]], [[200, 190], [240, 250], [90, 100]]
    >>> pooled = conditional_sites(events, births)
    >>> [float(v.round(2)) for v in (pooled.estimate, pooled.se, pooled.tau)]
    [-1.03, 0.87, 1.15]
    """
    x, n, used = _tables(events, births, family, included)
    _whole("events", x)
    total, offset = x.sum(axis=-1), np.zeros(used.shape)
    after: Kernel
    if family == "poisson":
        after = Binomial(x[..., 1], total)
        offset = offset + np.log(np.where(total > 0, n[..., 1], 1.0) / np.where(total > 0, n[..., 0], 1.0))
    else:
        _whole("births", n)
        after = Hypergeometric(x[..., 1], n[..., 1], total, n[..., 0])
    problem = Problem(after, None, used, offset)
    return _fit(problem, np.zeros(used.shape), _separated(x, n, family, used), test, confidence)


def _tables(
    events: ArrayLike, births: ArrayLike, family: Family, included: ArrayLike | None
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Check the tables; zeros where a site holds no information, and which take part, of any more axes."""
    one_of("family", family, ("binomial", "poisson"))
    check = binomial_cells if family == "binomial" else rate_cells
    x, n = check({"events": events, "births": births})
    if x.ndim < 2 or x.shape[-1] != 2:
        raise OptionError(
            f"events has shape {x.shape}; give (..., k, 2): k sites, before and after the change."
        )
    total, size = x.sum(axis=-1), n.sum(axis=-1)
    used = (total > 0) & ((total < size) | (family == "poisson"))
    asked = np.ones(used.shape, np.bool_) if included is None else np.asarray(included)
    asked = mask("included", asked, np.broadcast_shapes(asked.shape, used.shape))
    return np.where(used[..., None], x, 0.0), np.where(used[..., None], n, 0.0), used & asked


def _whole(name: str, counts: FloatArray) -> None:
    broken = counts[counts % 1 != 0]
    if broken.size:
        raise OptionError(
            f"{name} holds {float(broken[0])!r}; the conditional model needs whole counts. Use mixed_sites()."
        )


def _separated(x: FloatArray, n: FloatArray, family: Family, used: BoolArray) -> FloatArray:
    """Give -1 where the counts of all sites are at their lowest after, 1 at their highest, else 0.

    The change then has no finite estimate: the likelihood rises for ever in that direction.
    """
    full = (x == n) if family == "binomial" else np.zeros(x.shape, dtype=bool)
    low = ((x[..., 1] == 0) | full[..., 0] | ~used).all(axis=-1)
    high = ((x[..., 0] == 0) | full[..., 1] | ~used).all(axis=-1)
    return np.where(used.any(axis=-1), high * 1.0 - low * 1.0, 0.0)


def _fit(
    problem: Problem, intercept: FloatArray, separated: FloatArray, test: Test, confidence: float
) -> PooledChange:
    one_of("test", test, ("z", "t"))
    tail = tail_of(confidence)
    k = problem.used.sum(axis=-1)
    usable = (k > 0) & (separated == 0)
    # What cannot be estimated is left out of the search, so that it neither slows nor overflows.
    kept = Problem(problem.after, problem.before, problem.used & usable[..., None], problem.offset)
    nothing = np.zeros(k.shape)
    start = Point(intercept, nothing, nothing, np.zeros(problem.used.shape))
    with np.errstate(divide="ignore", invalid="ignore"):
        now, point, fixed, open_end = highest(kept, start, k > 1)
        (a, b), (_, c) = shared_information(kept, now)
        varies = point.tau > 0
        se = 1 / np.sqrt(np.where(varies, a - np.where(varies, b**2 / c, 0.0), a))
        shares = site_information(kept, now)[0] / a[..., None]
    se = np.where(usable & ~open_end, se, np.nan)
    estimate = np.where(usable & ~open_end, point.change, np.nan)
    df = np.where((k > 1) & (test == "t"), k - 1.0, np.nan)
    normal = np.isnan(df)
    half = np.where(normal, -special.ndtri(tail), -special.stdtrit(df, tail)) * se
    away = -np.abs(estimate / se)
    return PooledChange(
        estimate=np.where(separated == 0, estimate, np.copysign(np.inf, separated)),
        se=se,
        lower=estimate - half,
        upper=estimate + half,
        p=2 * np.where(normal, special.ndtr(away), special.stdtr(df, away)),
        tau=np.where(usable & (k > 1), np.where(open_end, np.inf, point.tau), np.nan),
        log_likelihood=np.where(usable, now.log, np.nan),
        log_likelihood_fixed=np.where(usable, fixed, np.nan),
        weights=np.where(np.isnan(se)[..., None], np.nan, shares),
        used=problem.used,
    )
