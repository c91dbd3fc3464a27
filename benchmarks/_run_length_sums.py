"""Settings of charts that add up or average, of gaps between events, and of tuned limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import _run_length_draws as d
import numpy as np
from _run_length_draws import Floats, Side
from _run_length_settings import EVEN, FEW, VARYING, Expected, Setting, of_waiting, signals, sizes_text

from qi_equity.formulas.bernoulli_waiting import (
    bernoulli_cusum_run_length,
    bernoulli_cusum_waiting,
    bernoulli_detection,
    bernoulli_score_run_length,
)
from qi_equity.formulas.between_waiting import (
    g_births_waiting,
    g_run_length,
    g_waiting,
    t_run_length,
    t_waiting,
)
from qi_equity.formulas.count_cusum_detection import count_cusum_detection
from qi_equity.formulas.cusum_waiting import count_cusum_waiting, tabular_cusum_waiting
from qi_equity.formulas.ewma_waiting import count_ewma_waiting, ewma_waiting
from qi_equity.formulas.tuned_limits import (
    points_to_detect,
    tuned_count_limits,
    tuned_gap_limits,
    tuned_time_limits,
)

# CUSUMs.


def tabular() -> Iterator[Setting]:
    for shift, k, h, side, start in (
        (0.0, 0.5, 4.0, "both", 0.0),
        (0.0, 0.5, 4.0, "high", 0.0),
        (0.0, 0.25, 5.0, "low", 0.0),
        (0.5, 0.5, 5.0, "both", 0.0),
        (-1.0, 0.5, 5.0, "both", 0.0),
        (1.0, 0.5, 5.0, "both", 2.5),
        (0.0, 0.5, 3.5, "both", 1.75),
        (0.3, 0.25, 8.0, "high", 0.0),
        (-0.2, 0.5, 4.0, "high", 0.0),
        (2.0, 1.0, 2.5, "both", 0.0),
        (0.0, 1.0, 2.2, "both", 0.0),
        (0.0, 0.0, 6.0, "high", 2.0),
    ):
        step = d.tabular_cusum(shift, k, h, side)
        yield Setting(
            "tabular CUSUM",
            f"shift {shift:g}, k {k:g}, h {h:g}, {side}, from {start:g}",
            partial(_tabular, shift, k, h, start, side),
            partial(signals, step, (np.full(1, start), np.full(1, start))),
        )


def _tabular(shift: float, k: float, h: float, start: float, side: Side) -> Expected:
    return of_waiting(tabular_cusum_waiting(shift, k=k, h=h, head_start=start, side=side))


def counts() -> Iterator[Setting]:
    laws = (("binomial", False), ("poisson", True))
    cells = (
        (EVEN, 0.08, 0.08, 2.0, 2.5, "high", 0.0),
        (VARYING, 0.08, 0.08, 2.0, 2.5, "low", 0.0),
        (VARYING, 0.06, 0.03, 2.0, 3.5, "low", 0.0),
        (FEW, 0.12, 0.2, 2.0, 3.0, "high", 0.0),
        (FEW, 0.12, 0.12, 1.5, 2.0, "both", 0.0),
        ((294.0,), 0.05, 0.05, 1.5, 3.0, "both", 0.0),
        ((294.0, 250.0), 0.05, 0.065, 1.5, 4.0, "both", 2.0),
        ((28.0, 0.0, 31.0), 0.1, 0.05, 2.0, 3.0, "low", 0.0),
        ((28.0,), 0.02, 0.02, 3.0, 2.5, "high", 0.0),
        ((150.0,), 0.01, 0.01, 2.0, 2.0, "low", 1.0),
        (EVEN, 0.15, 0.12, 2.0, 3.0, "high", 0.0),
    )
    for law, poisson in laws:
        for sizes, p, q, ratio, h, side, start in cells:
            step = d.count_cusum(sizes, p, q, ratio, h, side, poisson=poisson)
            yield Setting(
                "count CUSUM",
                f"{law}, {sizes_text(sizes)}, {p:g} to {q:g}, ratio {ratio:g}, h {h:g}, {side}, "
                f"from {start:g}",
                partial(_counts, sizes, p, q, ratio, h, start, side, law),
                partial(signals, step, (np.full(1, start), np.full(1, start))),
            )


def _counts(
    sizes: Sequence[float], p: float, q: float, ratio: float, h: float, start: float, side: Side, law: Any
) -> Expected:
    return of_waiting(
        count_cusum_waiting(
            sizes, p, distribution=law, ratio=ratio, h=h, side=side, head_start=start, actual=q
        )
    )


def births() -> Iterator[Setting]:
    for p, q, ratio, h in (
        (0.12, 0.12, 0.5, 3.0),
        (0.12, 0.06, 0.5, 4.0),
        (0.12, 0.12, 2.0, 3.0),
        (0.12, 0.2, 2.0, 4.0),
        (0.05, 0.05, 0.5, 2.0),
        (0.05, 0.025, 0.5, 3.5),
        (0.02, 0.02, 2.0, 2.0),
        (0.02, 0.05, 3.0, 4.0),
        (0.3, 0.3, 2.0, 4.0),
        (0.3, 0.2, 0.6, 3.0),
        (0.9, 0.95, 2.0, 3.0),
        (0.01, 0.005, 0.4, 2.0),
    ):
        side: Side = "low" if ratio < 1 else "high"
        step = d.bernoulli_cusum(p, q, ratio, h)
        yield Setting(
            "Bernoulli CUSUM",
            f"{p:g} to {q:g}, odds ratio {ratio:g}, h {h:g}",
            partial(_births, p, q, max(ratio, 1 / ratio), h, side),
            partial(signals, step, (np.zeros(1),)),
        )
    for q in (0.06, 0.09, 0.12):
        yield Setting(
            "Bernoulli CUSUM",
            f"+2 / -21, h 90, at {q:g}",
            lambda q=q: Expected(bernoulli_score_run_length(q, event=-21, other=2, h=90).item()),
            partial(signals, d.score_cusum(q, -21, 2, 90), (np.zeros(1, dtype=np.int64),)),
        )


def _births(p: float, q: float, ratio: float, h: float, side: Side) -> Expected:
    of = {"odds_ratio": ratio, "h": h, "side": side, "actual": q}
    found = of_waiting(bernoulli_cusum_waiting(p, **of))
    return found._replace(mean=float(bernoulli_cusum_run_length(p, **of).item()))


def detections() -> Iterator[Setting]:
    """Compare CUSUMs that were tuned, before and after the change that they look for."""
    for p, q, between in (
        (0.12, 0.06, 800),
        (0.12, 0.2, 800),
        (0.05, 0.025, 1500),
        (0.05, 0.1, 1000),
        (0.3, 0.2, 400),
    ):
        for at in (p, q):
            yield _bernoulli_tuned(p, q, between, at)
    for law, n, p, q in (
        ("binomial", 28.0, 0.1, 0.05),
        ("binomial", 66.0, 0.08, 0.12),
        ("binomial", 294.0, 0.05, 0.04),
        ("poisson", 40.0, 0.1, 0.05),
        ("poisson", 12.0, 0.2, 0.35),
    ):
        for at in (p, q):
            yield _counts_tuned(law, n, p, q, at)


def _bernoulli_tuned(p: float, q: float, between: float, at: float) -> Setting:
    def expected() -> Expected:
        found = bernoulli_detection(p, q, between)
        return Expected((found.births_between if at == p else found.births_to_detect).item())

    def draw(rng: np.random.Generator, charts: int) -> Floats:
        ratio = q / (1 - q) / (p / (1 - p))
        step = d.bernoulli_cusum(p, at, ratio, bernoulli_detection(p, q, between).h.item())
        return d.first_signals(step, (np.zeros(1),), rng, charts)

    return Setting("tuned CUSUM", f"Bernoulli {p:g} to {q:g}, {between} births, at {at:g}", expected, draw)


def _counts_tuned(law: Any, n: float, p: float, q: float, at: float) -> Setting:
    def expected() -> Expected:
        found = count_cusum_detection(n, p, q, distribution=law, points_between=100)
        return Expected((found.points_between if at == p else found.points_to_detect).item())

    def draw(rng: np.random.Generator, charts: int) -> Floats:
        poisson = law == "poisson"
        ratio = q / p if poisson else q / (1 - q) / (p / (1 - p))
        h = count_cusum_detection(n, p, q, distribution=law, points_between=100).h.item()
        side: Side = "low" if q < p else "high"
        step = d.count_cusum((n,), p, at, max(ratio, 1 / ratio), h, side, poisson=poisson)
        return d.first_signals(step, (np.zeros(1), np.zeros(1)), rng, charts)

    return Setting("tuned CUSUM", f"{law} {n:g}, {p:g} to {q:g}, at {at:g}", expected, draw)


# EWMAs.


def averages() -> Iterator[Setting]:
    for shift, weight, width, limits, side, start in (
        (0.0, 0.2, 2.5, "exact", "both", 0.0),
        (0.0, 0.2, 2.5, "asymptotic", "both", 0.0),
        (0.5, 0.1, 2.7, "exact", "both", 0.0),
        (0.5, 0.1, 2.7, "asymptotic", "high", 0.0),
        (-1.0, 0.2, 2.9, "exact", "low", 0.0),
        (0.0, 0.05, 2.2, "exact", "both", 0.0),
        (0.0, 0.4, 2.6, "asymptotic", "low", 0.0),
        (1.5, 0.4, 3.0, "exact", "both", 0.0),
        (0.0, 1.0, 2.5, "exact", "both", 0.0),
        (0.3, 0.2, 2.4, "asymptotic", "high", 1.0),
        (-0.3, 0.1, 2.0, "exact", "high", 0.0),
        (0.0, 0.2, 2.4, "asymptotic", "low", 1.0),
    ):
        step = d.ewma(d.normal(shift), 0.0, (1.0,), weight, width, exact=limits == "exact", side=side)
        begin = start * np.sqrt(weight / (2 - weight)) * (-1 if side == "low" else 1)
        yield Setting(
            "normal EWMA",
            f"shift {shift:g}, weight {weight:g}, width {width:g}, {limits}, {side}, from {start:g}",
            partial(_average, shift, weight=weight, width=width, limits=limits, side=side, head_start=start),
            partial(signals, step, (np.full(1, begin), np.zeros(1))),
        )
    for law in ("binomial", "poisson"):
        for sizes, p, q, weight, width, limits, side in (
            (EVEN, 0.1, 0.1, 0.2, 2.4, "exact", "both"),
            (VARYING, 0.1, 0.1, 0.2, 2.3, "exact", "high"),
            (VARYING, 0.1, 0.06, 0.1, 2.5, "exact", "low"),
            (FEW, 0.15, 0.15, 0.2, 2.3, "exact", "high"),
            (FEW, 0.12, 0.25, 0.3, 2.8, "asymptotic", "both"),
            ((294.0,), 0.05, 0.05, 0.2, 2.3, "asymptotic", "low"),
            ((28.0, 33.0), 0.06, 0.06, 0.1, 2.0, "exact", "both"),
            ((28.0,), 0.08, 0.04, 0.2, 2.0, "exact", "low"),
        ):
            yield _count_average(law, sizes, p, q, weight, width, limits, side)


def _average(shift: float, **options: Any) -> Expected:
    return of_waiting(ewma_waiting(shift, **options))


def _count_average(
    law: Any, sizes: Sequence[float], p: float, q: float, weight: float, width: float, limits: Any, side: Any
) -> Setting:
    one = p if law == "poisson" else p * (1 - p)
    values = d.poisson(sizes, q) if law == "poisson" else d.binomial(sizes, q)
    variance = [one / n for n in sizes]
    step = d.ewma(values, p, variance, weight, width, exact=limits == "exact", side=side)

    def expected() -> Expected:
        options = {"weight": weight, "width": width, "limits": limits, "side": side}
        return of_waiting(count_ewma_waiting(sizes, p, distribution=law, actual=q, **options))

    name = f"{law}, {sizes_text(sizes)}, {p:g} to {q:g}, weight {weight:g}, width {width:g}, {limits}, {side}"
    return Setting("count EWMA", name, expected, partial(signals, step, (np.full(1, p), np.zeros(1))))


# Gaps between events.


def between() -> Iterator[Setting]:
    nothing = float("nan")
    for p, lower, upper, open_gap in (
        (0.05, nothing, 78.5, True),
        (0.1, nothing, 38.5, False),
        (0.02, 2.0, 200.0, True),
        (0.2, 1.5, 14.0, True),
        (0.12, 2.0, nothing, False),
    ):
        where = f"g at {p:g}, {lower:g} to {upper:g}, open gap {open_gap}"
        yield Setting(
            "g and t",
            f"{where}, events",
            partial(_g, p, lower, upper),
            partial(_drawn, 0, d.gap_births, p, lower, upper, open_gap=open_gap),
        )
        yield Setting(
            "g and t",
            f"{where}, births",
            partial(_g_births, p, lower, upper, open_gap),
            partial(_drawn, 1, d.gap_births, p, lower, upper, open_gap=open_gap),
        )
    for rate, lower, upper, open_time in (
        (2.0, nothing, 2.5, True),
        (0.5, nothing, 9.0, False),
        (1.0, 0.01, 5.0, True),
        (4.0, 0.004, nothing, False),
    ):
        where = f"t at {rate:g}, {lower:g} to {upper:g}, open time {open_time}"
        yield Setting(
            "g and t",
            f"{where}, events",
            partial(_t, rate, lower, upper),
            partial(_drawn, 0, d.gap_times, rate, lower, upper, open_time=open_time),
        )
        yield Setting(
            "g and t",
            f"{where}, time",
            partial(_t_time, rate, lower, upper, open_time),
            partial(_drawn, 1, d.gap_times, rate, lower, upper, open_time=open_time),
        )


def _drawn(
    which: int,
    draw: Any,
    rate: float,
    lower: float,
    upper: float,
    rng: np.random.Generator,
    charts: int,
    **options: bool,
) -> Floats:
    return np.asarray(draw(rate, lower, upper, rng, charts, **options)[which])


def _g(p: float, lower: float, upper: float) -> Expected:
    found = of_waiting(g_waiting(p, lower=lower, upper=upper))
    return found._replace(mean=g_run_length(p, lower=lower, upper=upper).events.item())


def _g_births(p: float, lower: float, upper: float, open_gap: bool) -> Expected:
    mean = g_run_length(p, lower=lower, upper=upper, open_gap=open_gap).waited.item()
    if not open_gap:
        return Expected(mean)
    return of_waiting(g_births_waiting(p, lower=lower, upper=upper))._replace(mean=mean)


def _t(rate: float, lower: float, upper: float) -> Expected:
    found = of_waiting(t_waiting(rate, lower=lower, upper=upper))
    return found._replace(mean=t_run_length(rate, lower=lower, upper=upper).events.item())


def _t_time(rate: float, lower: float, upper: float, open_time: bool) -> Expected:
    return Expected(t_run_length(rate, lower=lower, upper=upper, open_time=open_time).waited.item())


# Limits that were tuned.


def limits() -> Iterator[Setting]:
    for law, n, p, q, side in (
        ("binomial", 66.0, 0.1, 0.05, "low"),
        ("binomial", 28.0, 0.06, 0.12, "high"),
        ("poisson", 66.0, 0.1, 0.05, "low"),
        ("poisson", 12.0, 0.1, 0.3, "high"),
    ):
        for at in (p, q):
            yield _tuned_counts(law, n, p, at, side)
    for p, wanted, gap_side in ((0.05, 1500.0, "high"), (0.02, 1200.0, "low"), (0.02, 3000.0, "high")):
        yield _tuned_gaps("g", d.gap_births, tuned_gap_limits, p, wanted, gap_side)
        yield _tuned_gaps("t", d.gap_times, tuned_time_limits, 20 * p, wanted / 20, gap_side)


def _tuned_counts(law: Any, n: float, p: float, at: float, side: Side) -> Setting:
    def limit() -> Any:
        return tuned_count_limits(n, p, distribution=law, points_between=100, side=side)

    def expected() -> Expected:
        if at == p:
            return Expected(limit().points_between.item())
        return Expected(points_to_detect(limit().limit, n, at, distribution=law, side=side).item())

    def draw(rng: np.random.Generator, charts: int) -> Floats:
        values = (d.poisson if law == "poisson" else d.binomial)((n,), at, counted=True)
        line = limit().limit

        def step(rng: np.random.Generator, t: int, state: d.State) -> Any:
            x = values(rng, t, len(state[0]))
            return state, (x < line) if side == "low" else (x > line)

        return d.first_signals(step, (np.zeros(1),), rng, charts)

    return Setting("tuned limits", f"{law} {n:g}, limit for {p:g}, at {at:g}, {side}", expected, draw)


def _tuned_gaps(name: str, draw: Any, tune: Any, rate: float, wanted: float, side: str) -> Setting:
    def drawn(rng: np.random.Generator, charts: int) -> Floats:
        limit, none = tune(rate, wanted, side=side).limit.item(), float("nan")
        ends = (none, limit) if side == "high" else (limit, none)
        is_open = {"open_gap" if name == "g" else "open_time": side == "high"}
        return np.asarray(draw(rate, *ends, rng, charts, **is_open)[1])

    def expected() -> Expected:
        return Expected(tune(rate, wanted, side=side).between.item())

    return Setting("tuned limits", f"{name} at {rate:g}, {side}, once in {wanted:g}", expected, drawn)
