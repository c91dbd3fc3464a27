"""Tables of what was tallied of the simulated networks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

Row = list[str]
Frames = dict[str, pd.DataFrame]

LARGE = 20
BOUND = ("chance alone", "beta-binomial")
SCALES = ("ratio", "difference", "odds_ratio")
# What must hold is held to this many standard errors of the simulation.
ERRORS = 3.0
CELLS = {True: "20 or more", False: "fewer"}


def percent(share: float, digits: int = 1) -> str:
    """Write a share in per cent."""
    return "" if np.isnan(share) else f"{100 * share:.{digits}f}"


def spread_of(shares: pd.Series) -> str:
    """Write the mean of shares, and the lowest and highest."""
    if shares.empty:
        return ""
    return f"{percent(shares.mean())} ({percent(shares.min())} to {percent(shares.max())})"


def bound_to_hold(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the rows of scenarios without anything that the model leaves out."""
    return frame[frame["noise"].str.startswith(BOUND)]


def outside(shares: pd.Series, networks: pd.Series, low: float, high: float) -> int:
    """Count shares that lie outside bounds by more than the simulation's own error."""
    down = shares < low - ERRORS * np.sqrt(low * (1 - low) / networks)
    up = shares > high + ERRORS * np.sqrt(high * (1 - high) / networks)
    return int((down | up).sum())


def _required(frames: Frames) -> Iterator[tuple[str, str, pd.DataFrame, str, float, float]]:
    """Give what must hold: words, bounds in words, rows, column, bounds."""
    strata, gaps, networks = (frames[kind] for kind in ("strata", "gaps", "networks"))
    for what, frame in (("group", strata), ("gap", gaps)):
        rows = bound_to_hold(frame)
        for noise in BOUND:
            mine = rows[rows["noise"].str.startswith(noise)]
            for large, low, high in ((True, 0.94, 0.975), (False, 0.94, 1.0)):
                cells = mine[(mine["expected"] >= LARGE) == large]
                for scale in SCALES:
                    words = f"coverage, {what}, {scale.replace('_', ' ')}, {noise}, {CELLS[large]}"
                    told = "94 to 97.5" if large else "94 or more"
                    yield words, told, cells, f"covers_{scale}", low, high
    for noise in BOUND:
        idle = strata[strata["noise"].str.startswith(noise) & (strata["ratio"] == 1)]
        yield f"wrong 'improved' of a group, {noise}", "2.5 or less", idle, "improved", 0.0, 0.025
        whole = networks[networks["noise"].str.startswith(noise)]
        yield f"wrong 'improved' in a family, {noise}", "5 or less", whole, "any_family", 0.0, 0.05
    drifting = strata[strata["noise"].str.startswith("trend") & (strata["ratio"] == 1)]
    for trend, rows in drifting.groupby(drifting["noise"].str.replace(r",.*", "", regex=True), sort=False):
        words = f"wrong 'improved', beyond the trend, {trend}"
        yield words, "5 or less", rows, "improved_beyond", 0.0, 0.05


def held_rows(frames: Frames) -> Iterator[Row]:
    """Give what must hold, and whether it does, with each seed."""
    for words, bounds, rows, column, low, high in _required(frames):
        row = [words, bounds]
        for _, part in rows.groupby("draws", sort=False):
            out = outside(part[column], part["networks"], low, high)
            row += [spread_of(part[column]), f"{out} of {len(part)}"]
        if len(rows):
            yield row


def coverage_rows(frames: Frames) -> Iterator[Row]:
    """Give the coverage by kind of noise, where nothing is there that the model leaves out."""
    for noise in bound_to_hold(frames["strata"])["noise"].unique():
        for what in ("strata", "gaps"):
            mine = frames[what][frames[what]["noise"] == noise]
            for large, cells in mine.groupby(mine["expected"] >= LARGE):
                for draws, part in cells.groupby("draws", sort=False):
                    row = [noise, what.replace("strata", "groups"), CELLS[bool(large)], str(draws)]
                    yield [*row, *(spread_of(part[f"covers_{scale}"]) for scale in SCALES)]


def left_out_rows(frames: Frames) -> Iterator[Row]:
    """Give the coverage where the model leaves something out: of the change made, and of what there was."""
    strata, gaps = frames["strata"], frames["gaps"]
    keys = ["noise", "window", "draws"]
    of_gaps = dict(iter(gaps.groupby(keys, sort=False)))
    for key, part in strata[~strata["noise"].str.startswith(BOUND)].groupby(keys, sort=False):
        step = part[part["step"] > 0]
        shares = (
            part["covers_effect"],
            part["covers_ratio"],
            of_gaps[key]["covers_ratio"],
            step["step_covers"] / step["step"],
        )
        yield [*map(str, key), *map(spread_of, shares)]


def wrong_rows(frames: Frames) -> Iterator[Row]:
    """Give how often "improved" and "narrowed" are wrong."""
    strata, gaps, networks = (frames[kind] for kind in ("strata", "gaps", "networks"))
    idle = strata[strata["ratio"] == 1]
    still = gaps[gaps["effect"].isin(("none", "for all"))]
    for (noise, draws), part in idle.groupby(["noise", "draws"], sort=False):
        of_gaps, whole = (f[(f["noise"] == noise) & (f["draws"] == draws)] for f in (still, networks))
        yield [
            noise,
            draws,
            *(spread_of(part[column]) for column in ("improved", "worsened", "improved_beyond")),
            *(spread_of(whole[column]) for column in ("any", "any_family")),
            spread_of(of_gaps["narrowed_ratio"]),
        ]


_FOUND = {
    "for all": ("strata", "improved"),
    "gap closing": ("gaps", "narrowed_ratio"),
    "levelling down": ("gaps", "levelled_ratio"),
    "majority only": ("gaps", "widened_ratio"),
}
_SAID = {
    "improved": "improved",
    "narrowed_ratio": "gap narrowed",
    "levelled_ratio": "gap narrowed because the reference worsened",
    "widened_ratio": "gap widened",
}


def found_rows(frames: Frames) -> Iterator[Row]:
    """Give how often what is true is seen, by births a month; of the fresh draws."""
    for effect, (kind, column) in _FOUND.items():
        frame = frames[kind]
        last = frame["draws"].unique()[-1]
        chosen = (frame["effect"] == effect) & (frame["sites"] == 1) & (frame["draws"] == last)
        mine = frame[chosen & (frame["noise"] == "chance alone")]
        for (rates, window), part in mine.groupby(["rates", "window"], sort=False):
            shares = [percent(share, 0) for share in part[column]]
            yield [effect, _SAID[column], rates, window, *shares, *([""] * (5 - len(shares)))]


def grid_rows(frames: Frames) -> Iterator[Row]:
    """Give every scenario, of the fresh draws."""
    last = frames["strata"]["draws"].unique()[-1]
    parts = {
        kind: dict(iter(frame[frame["draws"] == last].groupby("scenario", sort=False)))
        for kind, frame in frames.items()
    }
    for key, strata in parts["strata"].items():
        gaps, whole, first = parts["gaps"][key], parts["networks"][key], strata.iloc[0]
        idle = strata[strata["ratio"] == 1]
        yield [
            *(str(first[name]) for name in ("noise", "effect", "rates", "window", "sites")),
            f"{strata['births'].min():g} to {strata['births'].max():g}",
            *(spread_of(frame["covers_ratio"]) for frame in (strata, gaps)),
            *(percent(idle[column].max()) for column in ("improved", "improved_beyond")),
            percent(whole["any_family"].iloc[0]),
        ]


def candidate_rows(found: pd.DataFrame) -> Iterator[Row]:
    """Give the coverage of each way to make an interval."""
    for (noise, way), part in found.groupby(["noise", "way"], sort=False):
        groups, gaps = (part[part["what"] == what] for what in ("groups", "gaps"))
        cells = [
            f[(f["expected"] >= LARGE) == large]["covers"] for f in (groups, gaps) for large in (True, False)
        ]
        largest = groups[groups["births"] == groups["births"].max()]["covers"]
        yield [
            noise,
            way,
            *(spread_of(c) for c in cells),
            percent(largest.min()),
            spread_of(groups["wrong"].dropna()),
        ]
