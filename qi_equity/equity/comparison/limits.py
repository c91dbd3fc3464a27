"""Line and limits of every set of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from qi_equity.data.cells import Bools, Floats
from qi_equity.data.spans import Spans
from qi_equity.data.unknown import is_unknown
from qi_equity.equity.comparison.layout import Layout, judgeable, layout_of
from qi_equity.formulas import analysis_of_means as anom
from qi_equity.formulas import funnel, overdispersion
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.probability_limits import p_probability_limits, u_probability_limits

Method = Literal["funnel", "anom"]
Overdispersion = Literal["none", "multiplicative", "additive"]
METHODS: tuple[Method, ...] = ("funnel", "anom")
OVERDISPERSIONS: tuple[Overdispersion, ...] = ("none", "multiplicative", "additive")
SHARE = 0.1
FEWEST_FOR_DISPERSION = 3


@dataclass(frozen=True, slots=True)
class Compared:
    """The comparison as blocks of shape (K, G, U): spans, sets and their units.

    Parameters
    ----------
    layout : Layout
        Which stratum is where.
    kind : str
        Kind of the measure.
    events, births, rate, sd : ndarray of float
        What is compared; NaN where it is not known.
    in_line : ndarray of bool
        Units that set the line of their set.
    line : ndarray of float, shape (K, G, 1)
        Rate of these units together; NaN with fewer than two of them.
    z : ndarray of float
        Distance from the line in standard errors.
    inner, outer : Limits
        The two pairs of limits.
    extra : ndarray of float, shape (K, G, 1)
        Overdispersion estimated: phi or tau squared; NaN where none is asked for or can be estimated.
    widened : ndarray of bool, shape (K, G, 1)
        Whether it was more than chance gives, so that limits are wider for it.
    """

    layout: Layout
    kind: str
    events: Floats
    births: Floats
    rate: Floats
    sd: Floats
    in_line: Bools
    line: Floats
    z: Floats
    inner: Limits
    outer: Limits
    extra: Floats
    widened: Bools

    @property
    def judged(self) -> Bools:
        """Units that have limits, shape (K, G, U)."""
        judged: Bools = ~np.isnan(self.inner.lower)
        return judged


def compare(spans: Spans, options: Mapping[str, Any]) -> Compared:
    """Reckon line and limits of every set."""
    layout = layout_of(spans, options["across"])
    there = judgeable(layout, spans)
    in_line = there
    if options["across"] == "group":
        in_line = there & ~layout.gather(is_unknown(spans.series)[:, None], True)
    names = ("numerator", "denominator", "value", "sd")
    blocks = [np.where(there, layout.gather(getattr(spans.cells, name)), np.nan) for name in names]
    x, n, rate, sd = blocks
    kind, line = spans.series.measure.kind, _line(rate, n, in_line)
    levels = options["confidence"], options["outer_confidence"]
    if options["method"] == "anom":
        inner, outer = (_decision(kind, blocks, in_line, options["across"], 1 - level) for level in levels)
        z = (rate - line) / np.where(inner.sigma > 0, inner.sigma, np.nan)
        extra, widened = np.full(line.shape, np.nan), np.zeros(line.shape, dtype=np.bool_)
    else:
        size = n / _pooled_sd(n, sd, in_line) ** 2 if kind == "mean" else n
        found = _standardised(kind, x, size, rate, line)
        z = found.z
        extra, widened = _extra(found, in_line, options)
        inner, outer = (
            _funnel(kind, size, line, extra, widened, options["overdispersion"], level) for level in levels
        )
    return Compared(
        layout=layout,
        kind=kind,
        events=x,
        births=n,
        rate=rate,
        sd=sd,
        in_line=in_line,
        line=line,
        z=z,
        inner=inner,
        outer=outer,
        extra=extra,
        widened=widened,
    )


def curve(compared: Compared, options: Mapping[str, Any], points: int) -> tuple[Floats, Limits, Limits]:
    """Reckon the limits of funnels at sizes from half the smallest to the largest unit of each set.

    Sizes are of shape (K, G, points); those of proportions are whole numbers.
    """
    n = np.where(compared.judged, compared.births, np.nan)
    low, high = np.fmin.reduce(n, axis=-1), np.fmax.reduce(n, axis=-1)
    sizes = np.moveaxis(np.geomspace(np.maximum(low / 2, 1e-9), high, points), 0, -1)
    if compared.kind != "rate":
        sizes = np.maximum(np.round(sizes), 1)
    s = np.ones(compared.line.shape)
    if compared.kind == "mean":
        s = _pooled_sd(compared.births, compared.sd, compared.in_line)
    inner, outer = (
        _funnel(
            compared.kind,
            sizes / s**2,
            compared.line,
            compared.extra,
            compared.widened,
            options["overdispersion"],
            options[level],
        )
        for level in ("confidence", "outer_confidence")
    )
    return sizes, inner, outer


def family(judged: Bools, across: str) -> Floats:
    """Comparisons made together with each unit, shape (K, G, 1) or (K, 1, 1).

    Two units lie equally far from their mean: they are one comparison.
    """
    k = np.count_nonzero(judged, axis=-1, keepdims=True).astype(np.float64)
    k = np.where(k == 2, 1, np.where(k < 2, 0, k))
    return np.asarray(k.sum(axis=1, keepdims=True) if across == "group within site" else k)


def _line(rate: Floats, n: Floats, in_line: Bools) -> Floats:
    """Rate of the units of a set together, shape (K, G, 1)."""
    weight = np.where(in_line & ~np.isnan(rate), n, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        line = (weight * np.where(weight > 0, rate, 0)).sum(-1, keepdims=True) / weight.sum(-1, keepdims=True)
    return np.where(np.count_nonzero(weight, axis=-1, keepdims=True) > 1, line, np.nan)


def _pooled_sd(n: Floats, sd: Floats, in_line: Bools) -> Floats:
    """Pool the standard deviation within the units of a set, shape (K, G, 1)."""
    inside = np.where(in_line & (n > 1) & ~np.isnan(sd), n - 1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = (inside * np.where(inside > 0, sd, 0) ** 2).sum(-1, keepdims=True)
        return np.asarray(np.sqrt(squares / inside.sum(-1, keepdims=True)))


def _standardised(kind: str, x: Floats, size: Floats, rate: Floats, line: Floats) -> funnel.Standardised:
    if kind == "mean":
        s = 1 / np.sqrt(size)
        return funnel.Standardised((rate - line) / s, s)
    scale: funnel.Scale = "arcsine" if kind == "proportion" else "sqrt"
    return funnel.standardised(x, size, line, scale=scale)


def _extra(found: funnel.Standardised, in_line: Bools, options: Mapping[str, Any]) -> tuple[Floats, Bools]:
    """Estimate the overdispersion of each set, and say where it is more than chance gives."""
    wanted = options["overdispersion"]
    z = np.where(in_line, found.z, np.nan)
    few = np.count_nonzero(~np.isnan(z), axis=-1, keepdims=True) < FEWEST_FOR_DISPERSION
    if wanted == "none":
        return np.full(few.shape, np.nan), np.zeros(few.shape, dtype=np.bool_)
    trim = overdispersion.truncated if options["trimming"] == "truncated" else overdispersion.winsorised
    kept = trim(z, share=SHARE)
    if wanted == "multiplicative":
        extra, chance = overdispersion.dispersion(kept)[..., None], 1.0
    else:
        extra, chance = overdispersion.between_variance(kept, found.standard_error)[..., None], 0.0
    extra = np.where(few, np.nan, extra)
    return extra, extra > chance


def _funnel(
    kind: str,
    size: Floats,
    line: Floats,
    extra: Floats,
    widened: Bools,
    wanted: Overdispersion,
    level: float,
) -> Limits:
    """Exact limits of counts, normal ones of means; on the scale of the dispersion where there is some."""
    tail = (1 - level) / 2
    centre = np.broadcast_to(line, size.shape)
    scale: dict[str, funnel.Scale] = {"proportion": "arcsine", "rate": "sqrt", "mean": "identity"}
    phi = np.where(widened, extra, 1) if wanted == "multiplicative" else 1.0
    tau2 = np.where(widened, extra, 0) if wanted == "additive" else 0.0
    wide = funnel.scaled_limits(
        size, centre, scale=scale[kind], tail=tail, dispersion=phi, between_variance=tau2
    )
    if kind == "mean":
        return wide
    limits_of = p_probability_limits if kind == "proportion" else u_probability_limits
    exact = limits_of(np.zeros(size.shape), size, centre_line=centre, tail=tail)
    return _choose(widened, wide, exact)


def _choose(first: Bools, yes: Limits, no: Limits) -> Limits:
    names = ("centre_line", "sigma", "lower", "upper")
    return Limits(*(np.where(first, getattr(yes, name), getattr(no, name)) for name in names))


def _decision(kind: str, blocks: list[Floats], in_line: Bools, across: str, alpha: float) -> Limits:
    """Decision limits of an analysis of means."""
    x, n, rate, sd = (np.where(in_line, block, np.nan) for block in blocks)
    comparisons = family(in_line, across)
    enough = np.count_nonzero(in_line, axis=-1, keepdims=True) > 1
    if kind == "mean":
        sets = np.count_nonzero(enough.any(axis=0)) if across == "group within site" else 1
        limits = anom.mean_limits(rate, n, sd, alpha=alpha / max(sets, 1))
    else:
        tail = np.where(comparisons > 0, alpha / (2 * np.maximum(comparisons, 1)), np.nan)
        limits_of = anom.proportion_limits if kind == "proportion" else anom.rate_limits
        limits = limits_of(x, n, tail=tail)
    return _choose(enough, limits, Limits(*(np.full(n.shape, np.nan),) * 4))
