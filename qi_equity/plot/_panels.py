"""What each panel holds, as plain arrays and words: everything is decided here, and only drawn elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.plot import _words
from qi_equity.plot._days import days
from qi_equity.plot._kinds import arm_names, has_target, lies_about_zero, possible
from qi_equity.spc.judge import top
from qi_equity.spc.plotted import plotted_measure

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Run:
    """A signal of several points: where it starts and ends (days), and what it means."""

    start: float
    end: float
    meaning: str


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """The points of a panel (side 0), or of its upper (1) or lower (-1) arm, which looks for ``name``."""

    side: int
    name: str
    value: Floats
    improvement: Bools
    concern: Bools
    neutral: Bools
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One stratum, in the units of the y axis; arrays have one entry a period, in the order of time.

    ``x`` and ``edges`` are days as matplotlib counts them; ``edges`` has one entry more and lies half-way
    between the points. ``lower`` and ``upper`` are as the chart has them; ``lower_crossable`` and
    ``upper_crossable`` tell where a point could lie beyond them. ``kind`` is the place of its kind of chart
    in ``chart.specs``, ``about_zero`` tells that its centre line is 0 whatever the data, ``known`` where the
    number of a period is known, whatever is made of it.
    """

    name: str
    kind: int
    about_zero: bool
    why: str
    counts: tuple[str, ...]
    words: tuple[str, ...]
    x: Floats
    edges: Floats
    phase: NDArray[np.int64]
    phase_labels: dict[int, str]
    arms: tuple[Arm, ...]
    centre_line: Floats
    target: Floats
    lower: Floats
    upper: Floats
    lower_crossable: Bools
    upper_crossable: Bools
    status: NDArray[np.str_]
    births: Floats
    known: Bools
    baseline: Bools
    excluded: Bools

    def outermost(self, side: int) -> Floats:
        """Give the highest (side 1) or lowest (side -1) value of each period."""
        choose = np.fmax if side > 0 else np.fmin
        return np.asarray(choose.reduce([arm.value for arm in self.arms]))

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
        return np.asarray((self.status == "missing") | ~(self.known | self.suppressed | self.no_births))

    @property
    def no_births(self) -> Bools:
        """Periods that were reported, with no births."""
        return np.asarray((self.births == 0) & ~self.known & ~self.suppressed & (self.status != "missing"))

    @property
    def empty(self) -> bool:
        """Whether there is no value to draw."""
        return not np.isfinite(self.outermost(1)).any()

    def phases(self) -> list[slice]:
        """Give the points of each phase."""
        cuts = [0, *(np.flatnonzero(np.diff(self.phase)) + 1).tolist(), len(self.phase)]
        return [slice(a, b) for a, b in itertools.pairwise(cuts) if b > a]


def make_panels(chart: ControlChart, rows: Sequence[int]) -> list[Panel]:
    """Make the panels of some strata (rows of ``chart.strata``), in the order given."""
    strata = chart.strata
    keys = list(strata.columns)
    names = _words.stratum_names(strata)
    frames = {n: by_stratum(getattr(chart, n), keys) for n in ("points", "signals", "notes")}
    phases = by_stratum(chart.timeline.phases, keys)
    every_panel = chart.notes[chart.notes["group"].isna() & (chart.notes["severity"] == "warning")]
    panels = []
    for row in rows:
        key = tuple(strata.iloc[row].astype(str))
        parts = {n: f.get(key) for n, f in frames.items()}
        notes = pd.concat(
            [n for n in (parts["notes"], every_panel) if n is not None and len(n)] or [every_panel]
        )
        panels.append(_panel(chart, row, names[row], parts["points"], parts["signals"], notes, phases[key]))
    return panels


def by_stratum(frame: pd.DataFrame, keys: list[str]) -> dict[tuple[str, ...], pd.DataFrame]:
    """Split a frame by its stratum; rows that speak of no single stratum are left out."""
    if not len(frame):
        return {}
    named = frame.dropna(subset=keys)
    # A list of keys, even of one, makes every name a tuple.
    groups = named.groupby([named[k].astype(str) for k in keys], observed=True, sort=False)
    return {tuple(map(str, key)): part for key, part in groups}


def _panel(
    chart: ControlChart,
    row: int,
    name: str,
    points: pd.DataFrame | None,
    signals: pd.DataFrame | None,
    notes: pd.DataFrame,
    phases: pd.DataFrame,
) -> Panel:
    kind, cells = int(chart.spec_of[row]), chart.series.cells
    spec, there = chart.specs[kind], cells.status[row] >= 0
    points = chart.points.iloc[:0] if points is None else points
    times = plotted_measure(chart.series.measure, spec).multiplier
    known = np.isfinite(cells.value[row, there])
    arms = _arms(arm_names(chart.series.measure, spec), points, signals, known, times)
    # What is said of a period stands in the rows of every arm.
    periods = points[points["arm"] == next(iter(points["arm"]), "")]
    floor, ceiling = possible(chart.series.measure, spec)
    lines = {n: getattr(chart, n)[row, there] for n in ("centre_line", "lower", "upper")}
    target = np.where(has_target(spec), chart.targets[row, there], np.nan)
    drawn = np.isfinite([arm.value for arm in arms]).any(axis=0)
    left_out = known & ~drawn & (periods["excluded"] | (periods["status"] == "provisional")).to_numpy(bool)
    x = days(periods["period"])
    return Panel(
        name=name,
        kind=kind,
        about_zero=lies_about_zero(spec),
        why="" if _words.shared_reason(chart) else chart.why[row],
        counts=_words.counts_of(periods, known, chart.series.measure, spec),
        words=_words.warnings_of(notes, signals, periods, int(left_out.sum())),
        x=x,
        edges=edges_of(x),
        phase=periods["phase"].to_numpy(dtype=np.int64),
        phase_labels=_words.phase_labels(phases),
        arms=arms,
        **{n: v * times for n, v in lines.items()},
        target=target * times,
        lower_crossable=lines["lower"] > floor,
        upper_crossable=lines["upper"] < np.minimum(ceiling, top(spec, cells.denominator[row, there])),
        status=periods["status"].astype(str).to_numpy(dtype=str),
        births=periods["denominator"].to_numpy(dtype=float),
        known=known,
        baseline=periods["baseline"].to_numpy(dtype=bool),
        excluded=periods["excluded"].to_numpy(dtype=bool),
    )


def _arms(
    names: Mapping[str, tuple[int, str]],
    points: pd.DataFrame,
    signals: pd.DataFrame | None,
    known: Bools,
    times: float,
) -> tuple[Arm, ...]:
    """Give the points of each arm; none where nothing is known."""
    arms = []
    for arm, (side, name) in names.items():
        part = points[points["arm"] == arm]
        special, improvement, concern = (
            part[c].to_numpy(dtype=bool) for c in ("special_cause", "improvement", "concern")
        )
        value = np.where(known, part["value"].to_numpy(dtype=float) * times, np.nan)
        arms.append(
            Arm(side, name, value, improvement, concern, special & ~improvement & ~concern, runs_of(signals))
        )
    return tuple(arms)


def edges_of(x: Floats) -> Floats:
    """Give the borders half-way between neighbouring points, and as far beyond the first and the last."""
    if len(x) < 2:
        return np.concatenate([x - 15.0, x + 15.0])
    middle = (x[1:] + x[:-1]) / 2
    return np.concatenate([[x[0] - (middle[0] - x[0])], middle, [x[-1] + (x[-1] - middle[-1])]])


def runs_of(signals: pd.DataFrame | None) -> tuple[Run, ...]:
    if signals is None:
        return ()
    placed = signals[(signals["n_points"] > 1) & signals["side"].notna()]
    ends = zip(days(placed["start"]), days(placed["end"]), placed["meaning"], strict=True)
    return tuple(Run(float(start), float(end), str(meaning)) for start, end, meaning in ends)
