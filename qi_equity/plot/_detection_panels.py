"""What each panel of detection curves holds: marks with their names, and what has no place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.errors import OptionError
from qi_equity.planning.words import months_words
from qi_equity.plot import _result_words as result_words
from qi_equity.plot._detection_curves import across
from qi_equity.spc.words import plural

if TYPE_CHECKING:
    from qi_equity.planning.detection_table import DetectionTable

Floats = NDArray[np.float64]

MAX_MARKS = 24


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """One panel: M marks at births (or events) ``x`` and ``months``; infinite at the top edge.

    ``kinds`` are (chart, every), empty where none is recommended; ``pooled`` marks a group over all sites.
    ``numbered`` are names with the number of the site in place of its own, whose key is ``short``; ``absent``
    names what has no place on the axis.
    """

    name: str
    x: Floats
    months: Floats
    visible: NDArray[np.bool_]
    pooled: NDArray[np.bool_]
    names: tuple[str, ...]
    numbered: tuple[str, ...]
    short: tuple[str, ...]
    kinds: tuple[tuple[str, str], ...]
    absent: tuple[str, ...]


def make_marks(table: DetectionTable, groups: list[str]) -> list[Marks]:
    """Make one panel of all groups or, where there are several sites, one a group.

    Raises
    ------
    OptionError
        If there are more panels, or more marks in one, than can be read.
    """
    rows = _rows(table)
    several = len(table.series.sites) > 1
    parts = [(g, rows[rows["group"] == g]) for g in groups] if several else [("", _by_group(rows, groups))]
    most = max(len(part) for _, part in parts)
    if len(parts) > MAX_MARKS or most > MAX_MARKS:
        what = f"{plural(len(parts), 'group')} and {plural(most, 'mark')} to name in one panel"
        raise OptionError(
            f"The table makes {what}; a figure holds at most {MAX_MARKS} of either. Choose some of the "
            "series first: detection_table(series.select(group=..., site=...))."
        )
    return [_panel(table, name, part) for name, part in parts]


def _rows(table: DetectionTable) -> pd.DataFrame:
    """Give the rows of all marks: strata, then groups over all sites; with ``x``, ``name`` and ``pooled``."""
    keys = list(table.series.cells.strata.columns)
    several = len(table.series.sites) > 1
    further = [k for k in keys if k not in ("site", "group")]
    own, pooled = table.table, table.pooled
    own = own.assign(x=across(table, own), pooled=False)
    shown = [*further, "site"] if several else ["group", *further]
    own["name"] = [" · ".join(map(str, row)) for row in own[shown].itertuples(index=False, name=None)]
    own["number"] = own["name"]
    if several:
        codes = own["site"].astype("str").map({s: str(i) for i, s in enumerate(table.series.sites, start=1)})
        own["number"] = [
            " · ".join(map(str, row))
            for row in own[further].assign(code=codes).itertuples(index=False, name=None)
        ]
    own["group"] = own["group"].astype("str")
    if not len(pooled):
        return own
    pooled = pooled.assign(x=across(table, pooled), pooled=True)
    pooled["name"] = [
        " · ".join([*map(str, row[:-1]), f"all {row[-1]} sites"])
        for row in pooled[[*further, "sites"]].itertuples(index=False, name=None)
    ]
    pooled["number"] = [
        f"{name}: {months_words(months)}" if np.isfinite(months) else name
        for name, months in zip(pooled["name"], pooled["months_to_detect"], strict=True)
    ]
    pooled["group"] = pooled["group"].astype("str")
    return pd.concat([own, pooled], ignore_index=True)


def _by_group(rows: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    rank = rows["group"].map({g: i for i, g in enumerate(groups)})
    return rows.assign(_rank=rank).sort_values("_rank", kind="stable")


def _panel(table: DetectionTable, group: str, part: pd.DataFrame) -> Marks:
    records = part.to_dict("records")
    placed = [row for row in records if row["x"] > 0]
    return Marks(
        name=result_words.title_of_group(table.series, group) if group else "",
        x=np.array([row["x"] for row in placed], dtype=np.float64),
        months=np.array([_months(row) for row in placed], dtype=np.float64),
        visible=np.array([row["visible"] for row in placed], dtype=np.bool_),
        pooled=np.array([row["pooled"] for row in placed], dtype=np.bool_),
        names=tuple(f"{row['name']}: {_told(row, short=bool(group))}" for row in placed),
        numbered=tuple(str(row["number"]) for row in placed),
        short=tuple(f"{number} {site}" for number, site in enumerate(table.series.sites, start=1)),
        kinds=tuple((row["chart"], row["every"]) for row in placed),
        absent=tuple(row["name"] for row in records if not row["x"] > 0),
    )


def _months(row: dict[Any, Any]) -> float:
    return float(row["months_to_detect"]) if row["chart"] else np.inf


def _told(row: dict[Any, Any], *, short: bool) -> str:
    """Say when it would show, or why nothing can be said; ``short`` without the word for months."""
    if row["chart"]:
        words = months_words(row["months_to_detect"])
        return words.split(" ")[0] if short else words
    if np.isnan(row["months_to_detect"]):
        return "no events so far" if row.get("rate") == 0 else "nothing can be reckoned"
    return "no chart of these data"
