"""Highest likelihood of a change that varies over sites by a normal distribution, for many sets at once."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np

from qi_equity.formulas._arrays import BoolArray, FloatArray
from qi_equity.formulas._mixed_kernels import Kernel

_NODES, _WEIGHTS = np.polynomial.hermite.hermgauss(30)
_LOG_WEIGHTS = np.log(_WEIGHTS) + _NODES**2 - 0.5 * np.log(np.pi)

# Standard deviations at which the likelihood is looked at before its maximum is found between two of them.
# Beyond the last, log odds ratios of sites would lie 20 apart: the data set no bound.
PLACES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.65, 0.9, 1.3, 1.9, 2.8, 4.0, 6.0, 10.0)
_STEPS, _FEW_STEPS = 100, 12
# Where the quadrature itself is rough (sites far more apart than counts can show), no step may lead up.
_SHORTEST = 1e-3
_HALVINGS = 80


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Sites of shape (..., k): log likelihoods of counts after, and before unless conditioned on."""

    after: Kernel
    before: Kernel | None
    used: BoolArray
    offset: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A place in the likelihood: intercepts and modes (..., k), change and standard deviation (...)."""

    intercept: FloatArray
    change: FloatArray
    tau: FloatArray
    mode: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """Log likelihood (...) and derivatives of each site (..., k) at a point.

    ``own`` by the intercept before the change (0 where there is none); ``first`` by the linear predictor
    after it, ``further`` by the standard deviation, and second derivatives of both.
    """

    log: FloatArray
    own: FloatArray
    own_2: FloatArray
    first: FloatArray
    further: FloatArray
    first_2: FloatArray
    mixed_2: FloatArray
    further_2: FloatArray


T = TypeVar("T", Slopes, Point)


def slopes(problem: Problem, point: Point) -> tuple[Slopes, Point]:
    """Integrate over the sites' own changes by adaptive Gauss-Hermite quadrature.

    Derivatives of the integral are means and covariances of those of the integrand (Louis), by the same
    nodes.
    """
    centre = problem.offset + point.intercept + point.change[..., None]
    tau = point.tau[..., None]
    mode = _mode(problem, centre, tau, point.mode)
    _, _, bend = problem.after((centre + tau * mode)[..., None])
    scale = 1 / np.sqrt(1 - tau**2 * bend[..., 0])
    z = mode[..., None] + np.sqrt(2) * scale[..., None] * _NODES
    log, g, h = problem.after(centre[..., None] + tau[..., None] * z)
    log = log - z**2 / 2 + _LOG_WEIGHTS
    top = log.max(axis=-1, keepdims=True)
    weight = np.exp(log - top)
    total = weight.sum(axis=-1)
    weight = weight / total[..., None]

    def mean(value: FloatArray) -> FloatArray:
        return np.asarray((weight * value).sum(axis=-1))

    first, further = mean(g), mean(z * g)
    height = np.log(total) + top[..., 0] + np.log(scale)
    own, own_2 = np.zeros(first.shape), np.zeros(first.shape)
    if problem.before is not None:
        before, d1, d2 = problem.before(point.intercept[..., None])
        height, own, own_2 = height + before[..., 0], d1[..., 0], d2[..., 0]
    used = problem.used
    parts = (
        own,
        own_2,
        first,
        further,
        mean(h) + mean(g**2) - first**2,
        mean(z * h) + mean(z * g**2) - first * further,
        mean(z**2 * h) + mean((z * g) ** 2) - further**2,
    )
    found = Slopes(np.where(used, height, 0.0).sum(axis=-1), *(np.where(used, p, 0.0) for p in parts))
    return found, replace(point, mode=mode)


def _mode(problem: Problem, centre: FloatArray, tau: FloatArray, start: FloatArray) -> FloatArray:
    """Find where the integrand is highest: Newton's steps, halved where they would leave the bracket."""
    _, far, _ = problem.after(centre[..., None])
    low, high = np.minimum(tau * far[..., 0], 0.0), np.maximum(tau * far[..., 0], 0.0)
    z = np.clip(start, low, high)
    for _ in range(_HALVINGS):
        _, g, h = problem.after((centre + tau * z)[..., None])
        rise, bend = tau * g[..., 0] - z, tau**2 * h[..., 0] - 1
        low, high = np.where(rise > 0, z, low), np.where(rise > 0, high, z)
        step = z - rise / bend
        following = np.where((step >= low) & (step <= high), step, (low + high) / 2)
        done = np.abs(following - z).max(initial=0.0) < 1e-7
        z = following
        if done:
            break
    return z


def maximise(problem: Problem, start: Point, *, roughly: bool = False) -> tuple[Slopes, Point]:
    """Find intercepts and change of highest likelihood for a given standard deviation.

    The likelihood is concave in them (Prekopa), so that Newton's steps, halved where they lead down, end at
    its only maximum.
    """
    now, point = slopes(problem, start)
    length = np.ones(point.change.shape)
    steps, within = (_FEW_STEPS, 1e-5) if roughly else (_STEPS, 1e-10)
    for _ in range(steps):
        d_intercept, d_change = _newton(problem, now)
        still = np.maximum(np.abs(d_intercept).max(axis=-1), np.abs(d_change)) < within
        if (still | (length < _SHORTEST)).all():
            break
        candidate = replace(
            point,
            intercept=point.intercept + length[..., None] * d_intercept,
            change=point.change + length * d_change,
        )
        there, candidate = slopes(problem, candidate)
        higher = there.log >= now.log - 1e-12 * np.abs(now.log)
        now, point = _choose(higher, there, now), _choose(higher, candidate, point)
        length = np.where(higher, 1.0, length / 2)
    return now, point


def highest(
    problem: Problem, start: Point, several: BoolArray
) -> tuple[Slopes, Point, FloatArray, BoolArray]:
    """Find the highest likelihood over the standard deviation too, where there are several sites.

    Returns
    -------
    slopes, point : Slopes, Point
        At the maximum.
    log_fixed : ndarray of float, shape (...)
        Highest log likelihood without any variation between sites.
    open_end : ndarray of bool, shape (...)
        Where the likelihood still rises at the last place.
    """
    now, point = maximise(problem, start)
    rising = _rises_from_0(problem, point)
    points, heights = [point], [now.log]
    for place in PLACES[1:]:
        now, point = maximise(problem, replace(point, tau=np.full(point.tau.shape, place)), roughly=True)
        points.append(point)
        heights.append(now.log)
    best = np.where(several, np.stack(heights).argmax(axis=0), 0)
    places = np.array(PLACES)
    low, high = places[np.maximum(best - 1, 0)], places[np.minimum(best + 1, len(PLACES) - 1)]
    open_end, at_0 = best == len(PLACES) - 1, (best == 0) & ~(rising & several)
    point = points[0]
    for place, candidate in enumerate(points):
        point = _choose(best == place, candidate, point)
    tau = np.where(at_0, 0.0, np.where(best == 0, high / 2, point.tau))
    point = replace(point, tau=tau)
    now, point = _refine(problem, point, low, high, at_0 | open_end)
    return now, point, heights[0], open_end


def _refine(
    problem: Problem, point: Point, low: FloatArray, high: FloatArray, settled: BoolArray
) -> tuple[Slopes, Point]:
    """Find where the slope by the standard deviation is 0: Newton's steps, or halves of the bracket."""
    for _ in range(_HALVINGS):
        now, point = maximise(problem, point)
        slope = now.further.sum(axis=-1)
        low, high = np.where(slope > 0, point.tau, low), np.where(slope > 0, high, point.tau)
        (a, b), (_, c) = shared_information(problem, now)
        bend = c - b**2 / a
        step = point.tau + slope / np.where(bend > 0, bend, np.nan)
        following = np.where((step > low) & (step < high), step, (low + high) / 2)
        following = np.where(settled, point.tau, following)
        if np.abs(following - point.tau).max(initial=0.0) < 1e-10:
            break
        point = replace(point, tau=following)
    return now, point


def shared_information(problem: Problem, now: Slopes) -> tuple[tuple[FloatArray, FloatArray], ...]:
    """Give the observed information on change and standard deviation, intercepts eliminated, as 2 x 2."""
    a, b, c = (part.sum(axis=-1) for part in site_information(problem, now))
    return (a, b), (b, c)


def site_information(problem: Problem, now: Slopes) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give what each site adds to it: on the change, on both, on the standard deviation."""
    own = np.where(problem.used, -(now.own_2 + now.first_2), 1.0)
    by_own = 0.0 if problem.before is None else 1.0
    parts = (
        -now.first_2 - by_own * now.first_2**2 / own,
        -now.mixed_2 - by_own * now.first_2 * now.mixed_2 / own,
        -now.further_2 - by_own * now.mixed_2**2 / own,
    )
    a, b, c = (np.where(problem.used, part, 0.0) for part in parts)
    return a, b, c


def _rises_from_0(problem: Problem, point: Point) -> BoolArray:
    """Say whether a little variation between sites makes the likelihood higher than none."""
    centre = problem.offset + point.intercept + point.change[..., None]
    _, g, h = problem.after(centre[..., None])
    return np.asarray(np.where(problem.used, (g**2 + h)[..., 0], 0.0).sum(axis=-1) > 0)


def _newton(problem: Problem, now: Slopes) -> tuple[FloatArray, FloatArray]:
    """Give the step: intercepts are eliminated site by site, one number is left for the change."""
    (information, _), _ = shared_information(problem, now)
    if problem.before is None:
        change = now.first.sum(axis=-1) / np.where(information > 0, information, 1.0)
        return np.zeros(now.first.shape), np.clip(change, -3.0, 3.0)
    own = np.where(problem.used, -(now.own_2 + now.first_2), 1.0)
    up, cross = now.own + now.first, -now.first_2
    change = (now.first - cross * up / own).sum(axis=-1) / np.where(information > 0, information, 1.0)
    change = np.clip(change, -3.0, 3.0)
    return np.clip((up - cross * change[..., None]) / own, -3.0, 3.0), change


def _choose(where: BoolArray, one: T, other: T) -> T:
    """Take the one set where it is to be taken, else the other; leading axes."""
    parts = {}
    for field in fields(one):
        this, that = getattr(one, field.name), getattr(other, field.name)
        parts[field.name] = np.where(where[..., None] if this.ndim > where.ndim else where, this, that)
    return replace(other, **parts)
