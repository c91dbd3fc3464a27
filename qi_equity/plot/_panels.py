"""What each panel holds, as plain arrays and words: everything is decided here, and only drawn elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.plot import _words
from qi_equity.plot._days import days

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# What values of a kind of measure can be; no point can lie beyond a limit that is not within.
_POSSIBLE = {"mean": (-np.inf, np.inf), "proportion": (0.0, 1.0)}


@dataclass(frozen=True, slots=True)
class Run:
    """A signal of several points: where it starts and ends (days), and what it means."""

    start: float
    end: float
    meaning: str


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One stratum, in the units of the y axis; arrays have one entry a point, in the order of time.

    ``x`` and ``edges`` are days as matplotlib counts them; ``edges`` has one entry more and lies half-way
    between the points. ``lower`` and ``upper`` are as the chart has them; ``lower_crossable`` and
    ``upper_crossable`` tell where a point could lie beyond them.
    """

    name: str
    counts: tuple[str, ...]
    words: tuple[str, ...]
    x: Floats
    edges: Floats
    phase: NDArray[np.int64]
    phase_labels: dict[int, str]
    value: Floats
    centre_line: Floats
    lower: Floats
    upper: Floats
    lower_crossable: Bools
    upper_crossable: Bools
    status: NDArray[np.str_]
    births: Floats
    baseline: Bools
    excluded: Bools
    improvement: Bools
    concern: Bools
    neutral: Bools
    runs: tuple[Run, ...]

    def limit(self, side: int) -> tuple[Floats, Bools]:
        """Give the upper (side 1) or lower (side -1) limit, and where a point could lie beyond it."""
        return (self.upper, self.upper_crossable) if side > 0 else (self.lower, self.lower_crossable)

    @property
    def suppressed(self) -> Bools:
        """Points whose number is withheld."""
        return np.asarray(self.status == "suppressed")

    @property
    def missing(self) -> Bools:
        """Periods that were not reported."""
        unknown = np.isnan(self.value) & ~self.suppressed & ~self.no_births
        return np.asarray((self.status == "missing") | unknown)

    @property
    def no_births(self) -> Bools:
        """Periods that were reported, with no births."""
        none = (self.births == 0) & np.isnan(self.value)
        return np.asarray(none & ~self.suppressed & (self.status != "missing"))

    @property
    def empty(self) -> bool:
        """Whether there is no value to draw."""
        return not np.isfinite(self.value).any()

    def phases(self) -> list[slice]:
        """Give the points of each phase."""
        cuts = [0, *(np.flatnonzero(np.diff(self.phase)) + 1).tolist(), len(self.phase)]
        return [slice(a, b) for a, b in itertools.pairwise(cuts) if b > a]


def make_panels(chart: ControlChart, rows: Sequence[int]) -> list[Panel]:
    """Make the panels of some strata (rows of ``chart.strata``), in the order given."""
    strata = chart.strata
    keys = list(strata.columns)
    names = _words.stratum_names(strata)
    frames = {n: _by_stratum(getattr(chart, n), keys) for n in ("points", "signals", "notes")}
    phases = _by_stratum(chart.timeline.phases, keys)
    every_panel = chart.notes[chart.notes["group"].isna() & (chart.notes["severity"] == "warning")]
    panels = []
    for row in rows:
        key = tuple(strata.iloc[row].astype(str))
        parts = {n: f.get(key) for n, f in frames.items()}
        notes = pd.concat(
            [n for n in (parts["notes"], every_panel) if n is not None and len(n)] or [every_panel]
        )
        panels.append(_panel(chart, names[row], parts["points"], parts["signals"], notes, phases[key]))
    return panels


def _by_stratum(frame: pd.DataFrame, keys: list[str]) -> dict[tuple[str, ...], pd.DataFrame]:
    """Split a frame by its stratum; rows that speak of no single stratum are left out."""
    if not len(frame):
        return {}
    named = frame.dropna(subset=keys)
    # A list of keys, even of one, makes every name a tuple.
    groups = named.groupby([named[k].astype(str) for k in keys], observed=True, sort=False)
    return {tuple(map(str, key)): part for key, part in groups}


def _panel(
    chart: ControlChart,
    name: str,
    points: pd.DataFrame | None,
    signals: pd.DataFrame | None,
    notes: pd.DataFrame,
    phases: pd.DataFrame,
) -> Panel:
    measure, nothing = chart.series.measure, chart.points.iloc[:0]
    points = nothing if points is None else points
    x = days(points["period"])
    lines = {c: points[c].to_numpy(dtype=float) for c in ("value", "centre_line", "lower", "upper")}
    flags = {
        c: points[c].to_numpy(dtype=bool)
        for c in ("baseline", "excluded", "special_cause", "improvement", "concern")
    }
    floor, ceiling = _POSSIBLE.get(measure.kind, (0.0, np.inf))
    return Panel(
        name=name,
        counts=_words.counts_of(points, measure),
        words=_words.warnings_of(notes, signals, points),
        x=x,
        edges=_edges(x),
        phase=points["phase"].to_numpy(dtype=np.int64),
        phase_labels=_words.phase_labels(phases),
        **{c: v * measure.multiplier for c, v in lines.items()},
        lower_crossable=lines["lower"] > floor,
        upper_crossable=lines["upper"] < ceiling,
        status=points["status"].astype(str).to_numpy(dtype=str),
        births=points["denominator"].to_numpy(dtype=float),
        baseline=flags["baseline"],
        excluded=flags["excluded"],
        improvement=flags["improvement"],
        concern=flags["concern"],
        neutral=flags["special_cause"] & ~flags["improvement"] & ~flags["concern"],
        runs=_runs(signals),
    )


def _edges(x: Floats) -> Floats:
    """Give the borders half-way between neighbouring points, and as far beyond the first and the last."""
    if len(x) < 2:
        return np.concatenate([x - 15.0, x + 15.0])
    middle = (x[1:] + x[:-1]) / 2
    return np.concatenate([[x[0] - (middle[0] - x[0])], middle, [x[-1] + (x[-1] - middle[-1])]])


def _runs(signals: pd.DataFrame | None) -> tuple[Run, ...]:
    if signals is None:
        return ()
    placed = signals[(signals["n_points"] > 1) & signals["side"].notna()]
    ends = zip(days(placed["start"]), days(placed["end"]), placed["meaning"], strict=True)
    return tuple(Run(float(start), float(end), str(meaning)) for start, end, meaning in ends)
