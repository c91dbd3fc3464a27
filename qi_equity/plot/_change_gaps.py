"""The gap of each group before and after a change, as rows of a small panel under its rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from qi_equity.plot import _style as style
from qi_equity.plot._around import Head
from qi_equity.plot._dots import Dots, draw_panel, draw_unit, reserve_for
from qi_equity.plot._gap_words import SCALES, difference_unit
from qi_equity.plot._rows import Rows, XScale, make_rows, x_scale
from qi_equity.plot._style import Palette
from qi_equity.plot._text import Ruler, number

if TYPE_CHECKING:
    from qi_equity.change.result import ChangeEvaluation
    from qi_equity.data.measure import Measure

Floats = NDArray[np.float64]

NAMES_PT = 52.0
_LINE_PT, _PAD_PT = 11.5, 5.0
_WITH = ("without", "with")
_TITLES = {"difference": "Gap, difference", "ratio": "Gap, ratio"}


class GapRows:
    """The gaps of some strata on both scales, on axes that all panels share."""

    def __init__(
        self, evaluation: ChangeEvaluation, rows: list[int], width: float, at_label: str, ruler: Ruler
    ) -> None:
        self.measure = evaluation.series.measure
        changes, self.plain = int(evaluation.groups["change"].max()), _levels_only(evaluation)
        self.rows = gap_rows(evaluation, ruler)
        self.panels: dict[str, list[Dots]] = {s: [] for s in SCALES}
        self.titles: dict[str, list[list[str]]] = {s: [] for s in SCALES}
        table = evaluation.gaps
        for scale in SCALES:
            told = table[table["scale"] == scale]
            for row in rows:
                part = told.iloc[row * changes : (row + 1) * changes]
                self.panels[scale].append(_dots(part, scale, self.measure, at_label, plain=self.plain))
                words = _title(part, scale, self.measure).split(" ")
                self.titles[scale].append(ruler.wrap(words, width, style.BODY))
        self.scales = {s: self._scale(s, width, ruler) for s in SCALES}

    def _scale(self, scale: str, width: float, ruler: Ruler) -> XScale:
        panels = self.panels[scale]
        ends = [np.concatenate([getattr(p, n) for p in panels]) for n in ("estimate", "lower", "upper")]
        ratio = scale == "ratio"
        return x_scale(
            *ends, width=width, reserve=reserve_for(panels, ruler), always=(float(ratio),), log=ratio
        )

    def header(self, scale: str, i: int) -> float:
        """Give the height of the words over a panel, in points."""
        return len(self.titles[scale][i]) * _LINE_PT + _PAD_PT

    def shown(self, scale: str, i: int) -> bool:
        """Tell whether panel ``i`` has a gap to draw, or words in its place."""
        dots = self.panels[scale][i]
        return bool(np.isfinite(dots.estimate).any()) or any(dots.instead)

    def draw(
        self, ax: Axes, scale: str, i: int, palette: Palette, *, names: bool, numbers: bool, ends: bool
    ) -> None:
        """Draw the gap of panel ``i`` on one scale, with the words over it."""
        dots = self.panels[scale][i]
        self._write(ax, scale, i)
        if not self.shown(scale, i):
            ax.set_axis_off()
            return
        self.scales[scale].prepare(ax, labels=numbers)
        self.rows.prepare(ax, labels=names)
        draw_panel(ax, dots, self.rows, self.scales[scale], palette)
        if ends:
            draw_unit(ax, dots)

    def _write(self, ax: Axes, scale: str, i: int) -> None:
        ax.annotate(
            "\n".join(self.titles[scale][i]), (0, 1), xycoords="axes fraction", xytext=(0, 3),
            textcoords="offset points", ha="left", va="bottom", fontsize=style.BODY, color=style.INK,
            linespacing=1.05, annotation_clip=False, parse_math=False,
        )  # fmt: skip


def gap_rows(evaluation: ChangeEvaluation, ruler: Ruler) -> Rows:
    """Make the rows: one before and one after each change."""
    names = _names(int(evaluation.groups["change"].max()), plain=_levels_only(evaluation))
    return make_rows(names, [False] * len(names), NAMES_PT, ruler)


def _levels_only(evaluation: ChangeEvaluation) -> bool:
    return {name.split(" ")[0] for name in evaluation.method["terms"]} <= {"level", "step"}


def _names(changes: int, *, plain: bool) -> list[str]:
    """Name the rows: with levels only the gap before a change is that after the one before it."""
    if plain:
        return ["before", *(f"after {k}" if changes > 1 else "after" for k in range(1, changes + 1))]
    return [f"{name} {k}" if changes > 1 else name for k in range(1, changes + 1) for name in _WITH]


def _title(part: pd.DataFrame, scale: str, measure: Measure) -> str:
    unit = difference_unit(measure)
    what = _TITLES[scale] + (f" ({unit})" if scale == "difference" and unit else "")
    verdicts = part["verdict"].tolist()
    if _is_reference(part):
        return "No gap: is the reference" if scale == "difference" else ""
    if len(set(verdicts)) == 1:
        return f"{what}: {verdicts[0]}{' (each change)' if len(verdicts) > 1 else ''}"
    return f"{what}: " + "; ".join(f"change {k} {v}" for k, v in enumerate(verdicts, start=1))


def _is_reference(part: pd.DataFrame) -> bool:
    return bool((part["verdict"] == "is the reference").all())


def _dots(part: pd.DataFrame, scale: str, measure: Measure, at_label: str, *, plain: bool) -> Dots:
    ratio = scale == "ratio"
    times = 1.0 if ratio else measure.multiplier
    estimate, lower, upper = (_gaps(part, end, plain=plain) * times for end in ("", "_lower", "_upper"))
    at = 1.0 if ratio else 0.0
    return Dots(
        Head(""),
        estimate,
        lower,
        upper,
        _looks(lower, upper, at, directed=measure.better is not None),
        tuple(interval_text(*row, ratio=ratio) for row in zip(estimate, lower, upper, strict=True)),
        tuple("not known" if np.isnan(y) and not _is_reference(part) else "" for y in estimate),
        at=at,
        at_label=at_label,
        ends=("← lower", "higher →") if measure.better is None else ("← better", "worse →"),
    )


def _gaps(part: pd.DataFrame, end: str, *, plain: bool) -> Floats:
    """Give the gaps in the order of the rows."""
    before, after = (part[f"gap_{when}{end}"].to_numpy(dtype=float) for when in ("before", "after"))
    return np.concatenate([before[:1], after]) if plain else np.stack([before, after], axis=1).ravel()


def _looks(lower: Floats, upper: Floats, at: float, *, directed: bool) -> tuple[str, ...]:
    """Choose the marks: by whether the whole interval lies on one side of no gap."""
    worse, better = ("worse", "better") if directed else ("differs", "differs")
    return tuple(np.select([lower > at, upper < at], [worse, better], "open").tolist())


def interval_text(y: float, low: float, high: float, *, ratio: bool) -> str:
    """Write an estimate with its interval; nothing where there is none."""
    if np.isnan(y):
        return ""
    ends = (
        f" ({_write(low, ratio)} to {_write(high, ratio)})" if not (np.isnan(low) or np.isnan(high)) else ""
    )
    return f"{_write(y, ratio)}{ends}"


def _write(value: float, ratio: bool) -> str:
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    decimals = (2 if value < 10 else 0) if ratio else 1
    return number(round(value, decimals) + 0.0, decimals)
