"""Charts made through the public functions against independently computed numbers of two R packages.

The numbers are those of ``qicharts2.json`` and ``plotthedots.json`` (limits, labels; one record a facet and
phase, put together again here to whole series with groups, phases, baselines and exclusions) and of
``plotthedots_icons.json``. Differences on purpose are listed here and explained in docs/differences.md.
"""

from __future__ import annotations

import json
from functools import cache
from itertools import accumulate
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity import _result
from qi_equity.data.cells import Cells

HERE = Path(__file__).parent
KINDS = {"run": "mean", "i": "mean", "p": "proportion", "u": "rate", "c": "count"}
LINES = {"cl": "centre_line", "lcl": "lower", "ucl": "upper", "lcl.95": "lower_2s", "ucl.95": "upper_2s"}

# Differences on purpose, as docs/differences.md numbers them.
WITHHELD = {
    "run-s-20-ties-many": "tied points",
    "run-s-21-ties-runs-bridge": "tied points",
    "u-s-07-small-denominators": "uneven chance",
    "c-s-21-random-exclude": "uneven chance",
    "c-s-25-random-missing": "uneven chance",
}
NO_SPREAD = {"ptd-s-63-constant", "ptd-s-64-constant-then-jump"}
MARKED_SINCE_2023 = {
    "ptd-s-16-only-below-lcl-dec": {"low": [21, 22]},
    "ptd-s-23-several-outside-and-shift": {"low": [10], "high": [14, 15, 21, 23, 24, 26]},
    "ptd-s-24-several-trend-outside": {"low": list(range(8)), "high": list(range(13, 24))},
    "ptd-s-41-2in3-one-outside-limit": {"low": [21, 22], "high": [1, 2, 19, 20]},
    "ptd-s-42-2in3-all-three": {"low": [0, 1]},
    "ptd-s-48-fix-12": {"low": [17, 19, 20, 21, 22, 28, 29, 30, 31]},
    "ptd-s-49-fix-15-target": {"low": [17, 19, 20, 22, 28, 29, 30, 31]},
    "ptd-s-54-outlier-fix-screen-TRUE": {"low": [11, 12, 15, 25]},
    "ptd-s-59-short-11": {"low": [0], "high": [9, 10]},
    "ptd-s-73-random-2": {"low": [34, 35], "high": [0, 1, 2]},
    "ptd-s-74-random-3": {"low": [4], "high": [20, 21]},
    "ptd-s-76-random-5": {"low": [36], "high": [17]},
    "ptd-s-79-random-8": {"high": [31]},
    "ptd-s-81-random-10": {"high": [3, 5]},
    "ptd-s-82-random-11": {"low": [1], "high": [28, 31]},
    "ptd-s-85-random-14": {"low": [15, 16]},
    "ptd-s-86-random-15": {"high": [0, 1, 2, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17]},
    "ptd-s-87-random-16": {"high": [27, 28]},
}
NO_TARGET = {("ptd-s-68-facet-target-named", group) for group in ("Mixed", "White")}


def whole_cases(file: str) -> dict[str, list[dict]]:
    """Records by case; a centre line given from outside and clipped individuals are not offered."""
    cases: dict[str, list[dict]] = {}
    for record in json.loads((HERE / file).read_text())["cases"]:
        if "given_line" not in record and "not_negative" not in record:
            cases.setdefault(record["id"], []).append(record)
    return cases


QICHARTS2 = whole_cases("qicharts2.json")
PLOTTHEDOTS = whole_cases("plotthedots.json")
ICONS = {c["id"]: c for c in json.loads((HERE / "plotthedots_icons.json").read_text())["cases"]}


def facet(record: dict) -> str:
    return str(record["of"][0]) if "of" in record else "All"


def months(positions: list[int]) -> list[str]:
    return [str(np.datetime64("2000-01", "M") + k) for k in positions]


def frame_of(records: list[dict], columns: dict[str, str]) -> pd.DataFrame:
    """One row a point; ``columns`` maps columns of the frame to entries of the records."""
    parts = []
    for group in dict.fromkeys(map(facet, records)):
        mine = [r for r in records if facet(r) == group]
        data = {c: [v for r in mine for v in r[entry]] for c, entry in columns.items()}
        part = pd.DataFrame(data, dtype="float64")
        part["month"], part["group"] = months(range(len(part))), group
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def starts_of(records: list[dict], entry: str) -> pd.DataFrame:
    """First month of each later phase of each facet."""
    rows = []
    for group in dict.fromkeys(map(facet, records)):
        lengths = [len(r[entry]) for r in records if facet(r) == group]
        rows += [(group, month) for month in months(list(accumulate(lengths))[:-1])]
    return pd.DataFrame(rows, columns=["group", "start"])


def excluded_of(records: list[dict], entry: str) -> pd.DataFrame:
    rows = []
    for group in dict.fromkeys(map(facet, records)):
        offset = 0
        for record in (r for r in records if facet(r) == group):
            rows += [(group, months([offset + k])[0]) for k in record.get("excluded", [])]
            offset += len(record[entry])
    return pd.DataFrame(rows, columns=["group", "period"])


def frozen(record: dict, entry: str) -> int | None:
    """How many of the first points set the lines, if not all."""
    outside = set(record.get("outside_baseline", []))
    length = len(record[entry])
    first = next(k for k in range(length + 1) if all(j in outside for j in range(k, length)))
    return first if first < length and first + 1 < length else None


@cache
def qicharts2_chart(name: str) -> qe.ControlChart:
    records = QICHARTS2[name]
    kind, entry = records[0]["kind"], "x" if "x" in records[0] else "y"
    counted = "n" in records[0]
    measure_kind = "proportion" if kind == "run" and counted else KINDS[kind]
    columns = {"numerator": entry, "denominator": "n"} if counted else {"value": entry}
    frame = frame_of(records, columns)
    series = series_of(frame, measure_kind)
    phases, exclude = starts_of(records, entry), excluded_of(records, entry)
    options = {
        "phases": phases if len(phases) else None,
        "exclude": exclude if len(exclude) else None,
        "baseline": frozen(records[0], entry) if len(records) == 1 else None,
    }
    if kind == "run":
        return qe.run_chart(series, **options)
    spec = {
        "i": qe.Individuals(
            spread="screened" if records[0].get("screened") else "mean", constants="qicharts2"
        ),
        "p": qe.P(limits="classical"),
        "u": qe.U(limits="classical"),
        "c": qe.C(limits="classical"),
    }[kind]
    return qe.control_chart(series, spec, **options)


def series_of(frame: pd.DataFrame, kind: str) -> qe.StratifiedSeries:
    measure = qe.Measure("m", kind, "lower")
    if kind == "count" and (frame["value"] % 1 > 0).any():
        return fractional_counts(frame, measure)
    columns = {c: c for c in ("numerator", "denominator", "value") if c in frame}
    if kind == "count":
        columns = {"numerator": "value"}
    return qe.from_counts(frame, measure, period="month", group="group", **columns)


def fractional_counts(frame: pd.DataFrame, measure: qe.Measure) -> qe.StratifiedSeries:
    """Made-up counts that are not whole, which from_counts refuses; the limits are compared nonetheless."""
    with pytest.raises(qe.DataError, match="not a whole number"):
        qe.from_counts(frame, measure, period="month", group="group", numerator="value")
    periods = frame["month"].to_numpy().astype("datetime64[us]")
    cells = Cells.dense(
        pd.DataFrame({"group": pd.Categorical([frame["group"][0]])}),
        periods,
        np.zeros(len(frame), dtype=np.int64),
        np.arange(len(frame)),
        numerator=frame["value"].to_numpy(),
        kind="count",
    )
    return qe.StratifiedSeries(measure, None, None, "month", 1, cells, {}, _result.notes([]))


def expected_line(records: list[dict], name: str, entry: str) -> np.ndarray:
    parts = []
    for record in records:
        values = record[name] if isinstance(record[name], list) else [record[name]] * len(record[entry])
        parts.append(np.array([np.nan if v is None else v for v in values], dtype=float) / record["scale"])
    return np.concatenate(parts)


@pytest.mark.parametrize("name", QICHARTS2)
def test_lines_agree_with_qicharts2(name: str) -> None:
    records = QICHARTS2[name]
    entry = "x" if "x" in records[0] else "y"
    points = qicharts2_chart(name).points
    for theirs, ours in LINES.items():
        if theirs in records[0]:
            wanted = expected_line(records, theirs, entry)
            np.testing.assert_allclose(points[ours], wanted, rtol=1e-9, atol=1e-12, err_msg=ours)


@pytest.mark.parametrize("name", [n for n, records in QICHARTS2.items() if "beyond" in records[0]])
def test_points_beyond_limits_agree_with_qicharts2(name: str) -> None:
    records = QICHARTS2[name]
    entry = "x" if "x" in records[0] else "y"
    chart = qicharts2_chart(name)
    wanted = np.concatenate([np.isin(np.arange(len(r[entry])), r["beyond"]) for r in records])
    beyond = chart.flags["beyond_limits", "low"] | chart.flags["beyond_limits", "high"]
    np.testing.assert_array_equal(beyond.ravel(), wanted)


@pytest.mark.parametrize("name", QICHARTS2)
def test_runs_agree_with_qicharts2(name: str) -> None:
    records = QICHARTS2[name]
    chart = qicharts2_chart(name)
    summary, signals = chart.summary(), chart.signals
    assert len(summary) == len(records)
    for row, record in zip(summary.itertuples(), records, strict=True):
        n_useful, longest, longest_max, crossings, crossings_min = record["runs"]
        assert row.n_useful == n_useful
        if n_useful == 0:
            assert row.runs_tests == "no useful points"
            continue
        assert (row.longest_run, row.crossings) == (longest, crossings)
        mine = signals[(signals["group"] == row.group) & (signals["phase"] == row.phase)]
        signalled = bool(mine["rule"].isin(["longest_run", "crossings"]).any())
        if name in WITHHELD:
            assert row.runs_tests == WITHHELD[name]
            assert np.isnan([row.longest_run_max, row.crossings_min]).all()
            assert not signalled
        else:
            assert row.runs_tests == "given"
            assert (row.longest_run_max, row.crossings_min) == (longest_max, crossings_min)
            assert signalled == record.get("runs_signal", signalled)


@cache
def plotthedots_chart(name: str, *, beyond_three_counts: bool) -> qe.ControlChart:
    records, icons = PLOTTHEDOTS[name], ICONS[name]
    better = {"increase": "higher", "decrease": "lower", "neutral": None}[icons["direction"]]
    frame = frame_of(records, {"value": "y"})
    series = qe.from_counts(
        frame, qe.Measure("m", "mean", better), period="month", value="value", group="group"
    )
    phases = starts_of(records, "y")
    target = icons["target"]
    if isinstance(target, dict):
        start = months([0])[0]
        target = pd.DataFrame({"group": list(target), "target": list(target.values()), "start": start})
    return qe.control_chart(
        series,
        qe.Individuals(spread="screened" if records[0]["screened"] else "mean", constants="mdc"),
        phases=phases if len(phases) else None,
        baseline=records[0].get("fixed_after"),
        rules="making_data_count" if beyond_three_counts else "making_data_count_2019",
        target=target,
    )


def by_facet(chart: qe.ControlChart, records: list[dict]) -> list[tuple[dict, slice, int]]:
    """Give each record with its stratum and its place in time."""
    out = []
    for stratum, group in enumerate(dict.fromkeys(map(facet, records))):
        start = 0
        for record in (r for r in records if facet(r) == group):
            out.append((record, slice(start, start + len(record["y"])), stratum))
            start += len(record["y"])
    return out


@pytest.mark.parametrize("name", [n for n in PLOTTHEDOTS if n not in NO_SPREAD])
def test_limits_agree_with_plotthedots(name: str) -> None:
    chart = plotthedots_chart(name, beyond_three_counts=False)
    pairs = {"mean": "centre_line", "lpl": "lower", "upl": "upper", "nlpl": "lower_2s", "nupl": "upper_2s"}
    for record, place, stratum in by_facet(chart, PLOTTHEDOTS[name]):
        for theirs, ours in pairs.items():
            line = getattr(chart, ours)[stratum, place]
            np.testing.assert_allclose(line, record[theirs], rtol=1e-9, err_msg=ours)


LABELS = {
    "U": ("beyond_limits", "high"),
    "L": ("beyond_limits", "low"),
    "I": ("trend", "high"),
    "D": ("trend", "low"),
    "A": ("two_in_three", "high"),
    "B": ("two_in_three", "low"),
    "H": ("shift", "high"),
    "G": ("shift", "low"),
}
PRECEDENCE = ("beyond_limits", "trend", "two_in_three", "shift")


def labels_of(chart: qe.ControlChart, stratum: int, place: slice) -> list[set[str]]:
    """Give the labels that each point can carry by the first rule it meets (a peak is in two trends)."""
    length = place.stop - place.start
    out: list[set[str]] = [set() for _ in range(length)]
    for rule in PRECEDENCE:
        found = {letter: chart.flags[key][stratum, place] for letter, key in LABELS.items() if key[0] == rule}
        for t, letters in enumerate(out):
            if not letters:
                letters |= {letter for letter, mask in found.items() if mask[t]}
    return [letters or {"."} for letters in out]


@pytest.mark.parametrize("name", [n for n in PLOTTHEDOTS if n not in NO_SPREAD])
def test_labels_agree_with_plotthedots(name: str) -> None:
    chart = plotthedots_chart(name, beyond_three_counts=False)
    for record, place, stratum in by_facet(chart, PLOTTHEDOTS[name]):
        mine = labels_of(chart, stratum, place)
        pairs = enumerate(zip(record["labels"], mine, strict=True))
        wrong = [t for t, (letter, can) in pairs if letter not in can]
        assert not wrong, (wrong, record["labels"], mine)


@pytest.mark.parametrize("name", [n for n in PLOTTHEDOTS if n not in NO_SPREAD])
def test_the_wording_of_2023_marks_these_points_more(name: str) -> None:
    before, after = (plotthedots_chart(name, beyond_three_counts=counts) for counts in (False, True))
    more: dict[str, list[int]] = {}
    for side in ("low", "high"):
        old, new = (chart.flags["two_in_three", side] for chart in (before, after))
        assert not (old & ~new).any()
        added = np.flatnonzero((new & ~old).any(axis=0))
        if added.size:
            more[side] = added.tolist()
    assert more == MARKED_SINCE_2023.get(name, {})


@pytest.mark.parametrize("name", [n for n in PLOTTHEDOTS if n not in NO_SPREAD])
def test_icons_agree_with_plotthedots(name: str) -> None:
    icons = plotthedots_chart(name, beyond_three_counts=False).icons()
    for row, (variation, assurance) in zip(icons.itertuples(), ICONS[name]["icons"].values(), strict=True):
        word = VARIATIONS.get(row.variation, f"special_cause_neutral_{row.variation_side}")
        assert word == variation
        # Without a target of its own a group has no assurance, whatever the others have.
        expected = None if (name, row.group) in NO_TARGET else assurance
        assert ASSURANCES.get(row.assurance) == expected


VARIATIONS = {
    "common cause": "common_cause",
    "improvement": "special_cause_improvement",
    "concern": "special_cause_concern",
}
ASSURANCES = {"pass": "consistent_pass", "fail": "consistent_fail", "inconsistent": "inconsistent"}


def test_a_constant_series_misses_a_target_above_it() -> None:
    chart = plotthedots_chart("ptd-s-63-constant", beyond_three_counts=False)
    assert ICONS["ptd-s-63-constant"]["icons"]["no facet"][1] == "inconsistent"
    assert chart.lower[0, 0] == chart.centre_line[0, 0] == chart.upper[0, 0] == 4.5
    assert chart.icons()["assurance"].tolist() == ["fail"]


def test_a_constant_series_with_one_jump_keeps_its_ranges() -> None:
    """Two ranges of 1.5 among 18 are kept, and only the jump lies outside."""
    chart = plotthedots_chart("ptd-s-64-constant-then-jump", beyond_three_counts=False)
    values = np.array(PLOTTHEDOTS["ptd-s-64-constant-then-jump"][0]["y"])
    spread = 2.66 * np.abs(np.diff(values)).mean()
    np.testing.assert_allclose(chart.upper[0], values.mean() + spread)
    np.testing.assert_array_equal(chart.flags["beyond_limits", "high"][0], values > values.mean() + spread)
    assert not chart.flags["beyond_limits", "low"].any()


def test_every_difference_stands_on_the_page() -> None:
    page = (HERE.parents[1] / "docs" / "differences.md").read_text()
    for name in {*WITHHELD, *NO_SPREAD, *MARKED_SINCE_2023, *(name for name, _ in NO_TARGET)}:
        assert f"`{name}`" in page, name
