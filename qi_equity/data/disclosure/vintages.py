"""Releases attacked together: what the difference between last month's and this one gives away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from qi_equity.data.disclosure import audit_rows
from qi_equity.data.disclosure.attack import Attack
from qi_equity.data.disclosure.collect import Collected, collect
from qi_equity.data.disclosure.outlook import Outlook
from qi_equity.data.disclosure.places import place_rows
from qi_equity.data.disclosure.read_frames import read_frame
from qi_equity.data.disclosure.readings import COUNTS, Bools, Floats, Ints, Meaning, Printed
from qi_equity.data.disclosure.sums import Shown, as_item, pooled_rows, text_rows
from qi_equity.data.series import StratifiedSeries
from qi_equity.errors import OptionError

__all__ = ["Attacked", "attacked"]


@dataclass(slots=True, eq=False)
class Attacked:
    """What an attack found.

    Parameters
    ----------
    table : pandas.DataFrame
        As :attr:`DisclosureAudit.table`.
    sources : list of str
        The items read.
    single_events, not_attacked, doubts : list of str
        Items that show single events; what was not turned back into counts; facts that did not fit.
    only_together : int
        Counts that are left with too few numbers by several releases together, though by each alone with
        enough.
    """

    table: pd.DataFrame
    sources: list[str]
    single_events: list[str]
    not_attacked: list[str]
    doubts: list[str]
    only_together: int = 0


def attacked(
    releases: Sequence[Any], outlook: Outlook, truth: StratifiedSeries | None, figures: bool
) -> Attacked:
    """Attack all releases together and, where there are several, each by itself.

    Parameters
    ----------
    releases : sequence
        What each published, the oldest first.
    outlook : Outlook
        The rule.
    truth : StratifiedSeries, optional
        The true counts.
    figures : bool
        Whether figures of results are drawn and read.

    Returns
    -------
    Attacked
    """
    found = _one_attack(collect(releases, known=truth, figures=figures), outlook, truth)
    if len(releases) > 1 and not found.table["enough"].all():
        alone = pd.concat(
            [
                _one_attack(collect([one], known=truth, figures=figures), outlook, truth).table
                for one in releases
            ],
            ignore_index=True,
        )
        _compare(found, alone)
    return found


def _compare(found: Attacked, alone: pd.DataFrame) -> None:
    """Say which counts only the releases together give away."""
    failed = ~found.table["enough"].to_numpy()
    keys = [c for c in found.table.columns if c not in audit_rows.RESULTS]
    before = alone.loc[~alone["enough"]].reindex(columns=keys).astype("str")
    known = set(before.itertuples(index=False, name=None))
    rows = found.table[keys].astype("str").itertuples(index=False, name=None)
    new = failed & np.array([row not in known for row in rows], dtype=bool)
    how = found.table["how"].where(~new, "only by the releases together: " + found.table["how"])
    found.table = found.table.assign(how=how)
    found.only_together = int(new.sum())


def _one_attack(read: Collected, outlook: Outlook, truth: StratifiedSeries | None) -> Attacked:
    items = [*read.items]
    if truth is not None:
        items.append(_unprinted(truth))
    elif _several_spans(items):
        items.append(_between_spans(items))
    told = [as_item([one], one.release) for one in read.told]
    every = [*items, *told]
    if not every:
        table = audit_rows.empty()
        return Attacked(table, [], read.single_events, read.not_attacked, [])
    places = place_rows(every, read.scheme)
    changing = _changing(every, places.of_row)
    if len(changing):
        places = place_rows(every, read.scheme, changing=changing)
    attack = Attack(every, places, outlook)
    rows = [
        r
        for item, at in zip(items, places.of_row, strict=False)
        for r in pooled_rows(item, at, places, attack.shown)
    ]
    at = np.array([p[0] for p in places.of_row[len(items) :]], dtype=np.int64)
    rows += text_rows(read.told, at, places, _shown(attack, items))
    attack.told = rows
    true = None if truth is None else _true_counts(truth, attack, places.of_row[len(read.items)])
    attack.gather()
    table = audit_rows.rows_of(attack, true, published=_published(attack, read.items))
    sources = list(dict.fromkeys([i.source for i in read.items] + [t.source for t in read.told]))
    return Attacked(table, sources, read.single_events, read.not_attacked, list(dict.fromkeys(attack.doubts)))


def _shown(attack: Attack, items: Sequence[Printed]) -> Shown:
    """Tell what frames show, against which texts are read."""
    size = len(attack.places.names)
    in_frame, provisional = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    for item, at in zip(items, attack.places.of_row, strict=False):
        in_frame[at] |= bool(item.numbers)
        np.logical_or.at(provisional, at, item.provisional)
    return Shown(attack.shown, in_frame, attack.missing, provisional)


def _published(attack: Attack, items: Sequence[Printed]) -> Bools:
    """Tell which places some published row is about."""
    out = np.zeros(len(attack.places.names), dtype=bool)
    for at in attack.places.of_row[: len(items)]:
        out[at] = True
    return out


def _unprinted(truth: StratifiedSeries) -> Printed:
    """Give places to the true counts, without numbers."""
    meaning = Meaning(truth.measure.kind, grouping=truth.grouping or "")
    found = read_frame(truth.data, "", meaning, every=truth.every)
    if found is None:
        raise OptionError("truth holds no rows; give the series that the published counts were made from.")
    nothing = np.zeros(len(found), dtype=bool)
    return replace(found, numbers={}, hidden=nothing, missing=nothing, provisional=nothing)


def _true_counts(truth: StratifiedSeries, attack: Attack, at: Ints) -> dict[str, Floats]:
    """Give the true count of every place that the true series makes up."""
    frame, atom, cover = truth.data, attack.places.atom, attack.places.cover
    out = {}
    for name in COUNTS:
        counts = np.full(len(attack.places.names), np.nan)
        values = frame[name].to_numpy(dtype=np.float64)
        counts[at] = np.where(frame["status"] == "missing", 0.0, values)
        atoms = np.full(cover.shape[1], np.nan)
        alone = np.flatnonzero(atom >= 0)
        atoms[atom[alone]] = counts[alone]
        known = cover @ np.isnan(atoms).astype(float) == 0
        out[name] = np.where(known, cover @ np.nan_to_num(atoms), counts)
    return out


def _several_spans(items: Sequence[Printed]) -> bool:
    """Tell whether spans of time lie in one another, so that their differences tell of what lies between."""
    start = np.concatenate([i.start for i in items]) if items else np.zeros(0, dtype="datetime64[us]")
    stop = np.concatenate([i.stop for i in items]) if items else start
    there = ~np.isnat(start) & ~np.isnat(stop)
    spans = np.unique(np.stack([start[there], stop[there]], axis=1).astype(np.int64), axis=0)
    return len(spans) > 1 and bool((spans[1:, 0] < np.maximum.accumulate(spans[:-1, 1])).any())


def _between_spans(items: Sequence[Printed]) -> Printed:
    """Give places to what lies between the ends of spans: of every stratum and every such piece of time."""
    strata = pd.concat([i.strata for i in items], ignore_index=True).drop_duplicates(ignore_index=True)
    bounds = np.unique(np.concatenate([d for i in items for d in (i.start, i.stop)]))
    bounds = bounds[~np.isnat(bounds)]
    pieces = len(bounds) - 1
    row = np.repeat(np.arange(len(strata)), pieces)
    nothing = np.zeros(len(row), dtype=bool)
    start, stop = np.tile(bounds[:-1], len(strata)), np.tile(bounds[1:], len(strata))
    latest = max(i.meaning.release for i in items)
    frame = strata.iloc[row].reset_index(drop=True)
    part = row.astype(np.int64)
    return Printed("", frame, start, stop, {}, nothing, nothing, nothing, part, None, Meaning(release=latest))


def _changing(items: Sequence[Printed], of_row: Sequence[Ints]) -> pd.DataFrame:
    """Find the spans that a later release counts anew: provisional ones, and those printed differently."""
    releases = {item.meaning.release for item in items}
    parts = []
    if len(releases) > 1:
        for item in items:
            parts.append(pd.DataFrame({"start": item.start, "stop": item.stop})[item.provisional])
        rows = [_exact(item, at) for item, at in zip(items, of_row, strict=True)]
        frame = pd.concat(rows, ignore_index=True)
        counts = frame.groupby(["place", "quantity"])["shown"].transform("nunique")
        parts.append(_shortest(frame[counts > 1])[["start", "stop"]])
    full = [p for p in parts if len(p)]
    out = pd.concat(full) if full else pd.DataFrame({"start": [], "stop": []})
    return out.dropna().drop_duplicates(ignore_index=True)


def _shortest(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep of spans that were revised those which hold no other: a sum is revised with its part."""
    spans = frame.drop_duplicates(["start", "stop"])
    inner = spans.merge(spans, how="cross", suffixes=("", "_in"))
    holds = (inner["start"] <= inner["start_in"]) & (inner["stop"] >= inner["stop_in"])
    same = (inner["start"] == inner["start_in"]) & (inner["stop"] == inner["stop_in"])
    larger = inner[holds & ~same][["start", "stop"]].drop_duplicates()
    marked = spans.merge(larger, on=["start", "stop"], how="left", indicator=True)
    return marked[marked["_merge"] == "left_only"]


def _exact(item: Printed, at: Ints) -> pd.DataFrame:
    parts = []
    for name in COUNTS:
        printed = item.numbers.get(name)
        if printed is not None:
            there = printed.there
            frame = pd.DataFrame(
                {"place": at, "shown": np.rint(printed.low), "start": item.start, "stop": item.stop}
            )
            parts.append(frame[there].assign(quantity=name))
    columns = ["place", "shown", "start", "stop", "quantity"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
