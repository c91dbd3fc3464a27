"""Everything that would be written, taken apart into rows and sentences."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qi_equity.data import frames, periods
from qi_equity.data.disclosure.margins import ALL_PERIODS
from qi_equity.data.disclosure.places import TOTALS
from qi_equity.data.disclosure.read_frames import read_frame, read_references, spans_of, unread
from qi_equity.data.disclosure.read_svg import read_svg
from qi_equity.data.disclosure.read_text import Names, read_text, sentences
from qi_equity.data.disclosure.readings import Meaning, Printed, Told, refuse_means
from qi_equity.data.scheme import Scheme
from qi_equity.data.series import StratifiedSeries
from qi_equity.errors import InputTypeError, OptionError

__all__ = ["Collected", "collect", "is_release"]

_FRAMES = ("points", "table", "shrunken")
# Kinds of chart whose points are the values of the measure.
_PLAIN = frozenset(("p", "u", "pp", "up", "c", "i", "ip", "run", "xbar"))
_NOT_READ = "in which no column of counts or rates was found"
_ENDINGS = (".csv", ".svg", ".txt")
# A text that ends in ".xlsx" names a file, one that ends in ".", "3.5" or "women" does not.
_FILE = re.compile(r"\S\.[A-Za-z][A-Za-z0-9]{1,4}$")


@dataclass(slots=True, eq=False)
class Collected:
    """What was read of one release or several.

    Parameters
    ----------
    items : list of Printed
        Rows.
    told : list of Told
        Sentences, and totals over several points.
    scheme : Scheme, optional
        Of the groups, where an item tells.
    single_events : list of str
        Items that show events one by one.
    not_attacked : list of str
        Items, or parts of them, that are not turned back into counts.
    """

    items: list[Printed] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    scheme: Scheme | None = None
    single_events: list[str] = field(default_factory=list)
    not_attacked: list[str] = field(default_factory=list)

    def names(self) -> Names:
        """Names of all strata so far."""
        return Names.of([item.strata for item in self.items])


@dataclass(frozen=True, slots=True, eq=False)
class _Thing:
    """One published thing: rows are read first, words and figures when all names are known."""

    source: str
    what: Any
    meaning: Meaning
    every: str = ""
    likely: str = ""


def is_release(before: object) -> bool:
    """Tell whether what was given is one release, and not a list of several."""
    parts = before if isinstance(before, (list, tuple)) else ()
    return not (parts and all(isinstance(p, (list, tuple, Mapping)) for p in parts))


def collect(
    releases: Sequence[Any], *, known: StratifiedSeries | None = None, figures: bool = True
) -> Collected:
    """Take apart what is published.

    Parameters
    ----------
    releases : sequence
        What each release published, the oldest first: one thing, or a list or mapping of things.
    known : StratifiedSeries, optional
        Tells the kind of the measure and the length of the periods where the things do not.
    figures : bool
        Whether the figures of results are drawn and read.

    Returns
    -------
    Collected

    Raises
    ------
    InputTypeError
        If something is of a kind that cannot be read.
    OptionError
        If nothing was given, or a file is not there.
    """
    things = [t for n, release in enumerate(releases) for t in _things(release, n)]
    if not things:
        raise OptionError("published holds nothing; give a series, a result, a frame, text, SVG or a path.")
    series = [s for t in things for s in [_series_of(t.what)] if s is not None]
    series += [known] if known is not None else []
    kinds = {s.measure.kind for s in series}
    kind = kinds.pop() if len(kinds) == 1 else ""
    every = series[0].every if series else ""
    out = Collected(scheme=next((s.scheme for s in series if s.scheme is not None), None))
    later: list[_Thing] = []
    for thing in things:
        own = replace(thing, meaning=replace(thing.meaning, kind=kind), likely=every)
        later += _rows(own, out, figures)
    for thing in later:
        _words(thing, out)
    if not (out.items or out.told or out.single_events) and all(_NOT_READ in n for n in out.not_attacked):
        raise OptionError(
            "published holds no count that can be read. Give frames with one row a place and columns named "
            "numerator or events, denominator or births, rate or value; or sentences such as 'Asian women: "
            "18 events among 1,234 births.'"
        )
    return out


def _things(published: Any, release: int) -> Iterator[_Thing]:
    """Go through what is published, naming each thing."""
    if isinstance(published, Mapping):
        named = [(str(k), v) for k, v in published.items()]
    elif isinstance(published, (list, tuple)):
        named = [("", v) for v in published]
    else:
        named = [("", published)]
    counts: dict[str, int] = {}
    for name, what in named:
        called = name or _called(what)
        counts[called] = counts.get(called, 0) + 1
        number = f" {counts[called]}" if counts[called] > 1 else ""
        before = "" if not release else f" of release {release + 1}"
        yield _Thing(f"{called}{number}{before}", what, Meaning(release=release))


def _called(what: Any) -> str:
    match what:
        case StratifiedSeries():
            return "the series"
        case pd.DataFrame():
            return "the table"
        case str() if "<svg" in what:
            return "the figure"
        case str() | PathLike():
            path = _path(what)
            return path.name if path else "the text"
    return f"the {type(what).__name__}"


def _path(what: str | PathLike[str]) -> Path | None:
    """Tell whether something is a path to a file that can be read."""
    text = fspath(what)
    if isinstance(what, str) and ("\n" in text or not _FILE.search(text)):
        return None
    if not text.lower().endswith(_ENDINGS):
        raise OptionError(
            f"published names {text!r}; only files that end in {', '.join(_ENDINGS)} can be read. Give a "
            "frame of what is in it, or its text."
        )
    path = Path(text)
    if not path.is_file():
        raise OptionError(
            f"published names {text!r}, where there is no file; give the path of a written file."
        )
    return path


def _as_pandas(what: Any) -> Any:
    """Take frames of polars and others as pandas frames, and named indexes as columns; all else as it is."""
    if isinstance(what, pd.DataFrame):
        named = [n for n in what.index.names if n is not None and n not in what]
        return what.reset_index(level=named) if named else what
    columns = None if isinstance(what, (str, PathLike)) else getattr(what, "columns", None)
    if columns is None or not hasattr(what, "schema"):
        return what
    return frames.to_pandas(frames.open_frame(what, "published", {str(c): c for c in columns}))


def _series_of(what: Any) -> StratifiedSeries | None:
    """Give the series inside a result."""
    for found in (what, getattr(what, "series", None), getattr(getattr(what, "spans", None), "series", None)):
        if isinstance(found, StratifiedSeries):
            return found
    return None


def _rows(thing: _Thing, out: Collected, figures: bool) -> list[_Thing]:
    """Read the rows of a thing; give back its words and figures."""
    what = _as_pandas(thing.what)
    if isinstance(what, str) and "<svg" in what:
        return [thing]
    if isinstance(what, (str, PathLike)):
        path = _path(what)
        if path is None:
            return [replace(thing, what=str(what))]
        if path.suffix.lower() == ".csv":
            written = pd.read_csv(path, dtype="str", keep_default_na=False)
            return _rows(replace(thing, what=written), out, figures)
        return [replace(thing, what=path.read_text(encoding="utf-8"))]
    if isinstance(what, pd.DataFrame):
        refuse_means(what)
        if "text" in what and "code" not in what:
            return [thing]
        _frame(thing, what, out, in_full=False)
        return []
    refuse_means(what)
    series = _series_of(what)
    if series is None and not any(hasattr(what, name) for name in _FRAMES):
        raise InputTypeError(
            f"published holds something of type {type(what).__name__}; give a series, a result such as a "
            "chart or a table, a frame, text, SVG, or the path of a .csv, .svg or .txt file."
        )
    return _result(thing, series, out, figures)


def _result(thing: _Thing, series: StratifiedSeries | None, out: Collected, figures: bool) -> list[_Thing]:
    """Read the frames of a series or a result; give back its words and its figure."""
    what = thing.what
    if series is not None:
        meaning = replace(thing.meaning, kind=series.measure.kind, grouping=series.grouping or "")
        thing = replace(thing, meaning=_with_method(meaning, what), every=series.every)
        if series.measure.kind == "between":
            out.single_events.append(thing.source)
            return []
    if isinstance(what, StratifiedSeries):
        _frame(thing, what.data, out, window=what.window)
        _margins(thing, what, out)
        return []
    for name in _FRAMES:
        frame = getattr(what, name, None)
        if isinstance(frame, pd.DataFrame):
            source = thing.source if name == "points" else f"{name} of {thing.source}"
            _frame(
                replace(thing, source=source), _plain(what, frame, thing, out), out, window=_window(series)
            )
    if hasattr(what, "summary"):
        out.told += _summary(what.summary(), thing)
    later = []
    if hasattr(what, "alt_text"):
        words = what.alt_text()
        source = f"the description of {thing.source}"
        later.append(replace(thing, source=source, what=words))
    if figures and hasattr(what, "plot"):
        later += _figure(thing, out)
    return later


def _margins(thing: _Thing, series: StratifiedSeries, out: Collected) -> None:
    """Read the sums that are published with a disclosed series."""
    if series.published is None:
        return
    first, last = series.cells.ends
    step: Any = series.every
    stop = periods.from_ordinal(periods.ordinal(last, step) + 1, step)
    for key, cells in series.published.margins:
        if key == series.published.key:
            continue
        grouping = key.group if series.scheme is not None and key.group in series.scheme.groupings else ""
        frame = cells.frame()
        if key.every == ALL_PERIODS:
            frame = frame.drop(columns="period").assign(start=first, end=stop - np.timedelta64(1, "D"))
        meaning = replace(thing.meaning, grouping=grouping or thing.meaning.grouping)
        every = key.every if key.every in periods.EVERY else series.every
        source = f"the margin {key.text()} of {thing.source}"
        _frame(replace(thing, source=source, meaning=meaning, every=every), frame, out)


def _with_method(meaning: Meaning, what: Any) -> Meaning:
    method = getattr(what, "method", {})
    told = method if isinstance(method, Mapping) else {}
    level, tail = told.get("confidence"), told.get("tail")
    meaning = replace(meaning, confidence=float(level)) if isinstance(level, float) else meaning
    return replace(meaning, tail=float(tail)) if isinstance(tail, float) else meaning


def _window(series: StratifiedSeries | None) -> int:
    return 1 if series is None else series.window


def _plain(what: Any, frame: pd.DataFrame, thing: _Thing, out: Collected) -> pd.DataFrame:
    """Blank the points of charts that are no values of the measure, such as sums that carry their past."""
    kinds = getattr(what, "kinds", None)
    if not isinstance(kinds, pd.DataFrame) or "kind" not in kinds:
        return frame
    keys = [c for c in kinds.columns if c not in ("kind", "reason")]
    kind = frame[keys].merge(kinds[[*keys, "kind"]], on=keys, how="left")["kind"]
    other = ~kind.isin(_PLAIN).to_numpy()
    if other.any():
        named = ", ".join(sorted(set(kind[other])))
        out.not_attacked.append(f"the points of the {named} chart in {thing.source}")
    lines = [
        c for c in ("value", "centre_line", "sigma", "lower", "upper", "lower_2s", "upper_2s") if c in frame
    ]
    return frame.assign(**{c: frame[c].where(~other) for c in lines})


def _frame(
    thing: _Thing, frame: pd.DataFrame, out: Collected, *, in_full: bool = True, window: int = 1
) -> None:
    if "known" in frame and "births" in frame:
        out.not_attacked.append(f"the completeness in {thing.source}")
        return
    if "estimate" in frame:
        out.not_attacked.append(thing.source)
        return
    found = read_frame(
        frame, thing.source, thing.meaning, every=thing.every, likely=thing.likely, in_full=in_full
    )
    if found is None:
        if len(frame) and not in_full:
            out.not_attacked.append(f"{thing.source}, {_NOT_READ}")
        return
    others = unread(frame, found)
    if others:
        text = f"{', '.join(others)} of {thing.source}, which stand beside withheld counts"
        out.not_attacked.append(text)
    if not found.meaning.grouping and out.scheme is not None:
        found = replace(found, meaning=replace(found.meaning, grouping=_grouping(found, out.scheme)))
    if window > 1 and "period" in frame:
        step: Any = thing.every
        first = periods.from_ordinal(periods.ordinal(found.start, step) + 1 - window, step)
        found = replace(found, start=first)
    out.items.append(found)
    references = read_references(frame, found) if "group" in found.strata else None
    if references is not None:
        out.items.append(references)


def _grouping(found: Printed, scheme: Scheme) -> str:
    """Find the grouping of the scheme that has all labels of the groups; "" where none has."""
    labels = set(found.strata["group"].dropna()) if "group" in found.strata else set()
    named = {label for label in labels if label.lower() not in TOTALS}
    return next((g for g in scheme.groupings if named and named <= set(scheme.groups(g))), "")


def _summary(frame: pd.DataFrame, thing: _Thing) -> list[Told]:
    """Read the sums over the observed points of each stratum and phase."""
    if not {"n_points", "numerator", "denominator", "start", "end"} <= set(frame.columns):
        return []
    start, end, _ = spans_of(frame)
    step: Any = thing.every
    stop = periods.from_ordinal(periods.ordinal(end - np.timedelta64(1, "D"), step) + 1, step)
    keys = list(frame.columns[: frame.columns.get_loc("phase")])
    found = []
    for row, first, last in zip(frame.to_dict("records"), start, stop, strict=True):
        sums = {q: (float(row[q]),) * 2 for q in ("numerator", "denominator") if np.isfinite(row[q])}
        if sums:
            labels = {k: str(row[k]) for k in keys}
            source, points = f"the summary of {thing.source}", int(row["n_points"])
            found.append(Told(source, labels, first, last, sums, points, thing.meaning.release))
    return found


def _figure(thing: _Thing, out: Collected) -> list[_Thing]:
    """Draw the figure of a result as SVG."""
    try:
        figure = thing.what.plot()
    except OptionError as error:
        out.not_attacked.append(f"the figure of {thing.source}, which cannot be drawn ({error})")
        return []
    written = io.StringIO()
    figure.savefig(written, format="svg")
    source = f"the figure of {thing.source}"
    return [
        replace(thing, source=source, what=written.getvalue()),
        replace(thing, source=source, what=str(figure.get_label())),
    ]


def _words(thing: _Thing, out: Collected) -> None:
    """Read words and figures."""
    what, names, release = thing.what, out.names(), thing.meaning.release
    if isinstance(what, pd.DataFrame):
        out.told += sentences(what, thing.source, release=release)
    elif "<svg" in what:
        printed, told = read_svg(what, thing.source, thing.meaning, names, every=thing.every or thing.likely)
        if "compared with" in what.lower():
            # Points of a gap are no rates.
            out.not_attacked.append(f"the points of {thing.source}")
            printed = []
        out.items += printed
        out.told += told
    else:
        out.told += read_text(what, thing.source, names, release=release)
