"""Charts of measurements, gaps and sums made through the public functions, against qicharts2 and qcc.

The numbers are those of ``measurement_charts.json``, ``between_ewma.json`` and ``cusum.json`` (one record a
facet or phase, put together again here to whole series) and of ``qicharts2_signals.json``. Differences on
purpose are listed here and explained in docs/differences.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.data.cells import MISSING
from qi_equity.formulas.subgroups import d2
from qi_equity.spc.rules import TESTS
from qi_equity.spc.runs_tests import REASONS

HERE = Path(__file__).parent
LINES = {"cl": "centre_line", "lcl": "lower", "ucl": "upper", "lcl.95": "lower_2s", "ucl.95": "upper_2s"}
# A line given from outside and clipped individuals are not offered in a chart.
NOT_OFFERED = ("given_line", "given", "not_negative", "error")
FIRST = np.datetime64("1900-01-01", "us")


def loaded(file: str) -> Any:
    return json.loads((HERE / file).read_text(encoding="utf-8"))


def size_of(record: dict[str, Any]) -> int:
    return len(next(record[name] for name in ("y", "x", "mean", "sd", "range") if name in record))


@dataclass(frozen=True)
class Whole:
    """A case with its records in the order of facets and phases."""

    name: str
    kind: str
    records: list[dict[str, Any]]

    @property
    def faceted(self) -> bool:
        return self.name.endswith("facet")

    @property
    def sizes(self) -> list[int]:
        return [size_of(r) for r in self.records]

    def column(self, entry: str, scale: bool = False) -> np.ndarray:
        """One entry of all records, one number a point; lines in the unit of the series."""
        parts = []
        for record, size in zip(self.records, self.sizes, strict=True):
            given = record[entry]
            numbers = np.array(given if isinstance(given, list) else [given] * size, dtype=float)
            parts.append(numbers / record.get("scale", 1) if scale else numbers)
        return np.concatenate(parts)


def split(records: list[dict[str, Any]]) -> dict[str, Whole]:
    """Put the records of a case together; ``-1``, ``-2`` after the name are its facets or phases."""
    found: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        if any(name in record for name in NOT_OFFERED):
            continue
        found.setdefault(record["name"], []).append(record)
    return {name: Whole(name, records[0]["kind"], records) for name, records in found.items()}


@cache
def qicharts2_cases() -> dict[str, Whole]:
    signals = {record["id"] for record in loaded("qicharts2_signals.json")["cases"]}
    first = [{**r, "name": r["id"]} for r in loaded("measurement_charts.json")["qicharts2"]]
    second = []
    for record in loaded("between_ewma.json")["qicharts2"]["cases"]:
        name = record["id"] if record["id"] in signals else record["id"].rpartition("-")[0]
        second.append({**record, "name": name, "kind": record["chart"]})
    return split([*first, *second])


CASES = qicharts2_cases()
SIGNALS = {record["id"]: record for record in loaded("qicharts2_signals.json")["cases"]}
SPECS = {
    "mr": qe.MovingRange(constants="qicharts2"),
    "xbar": qe.Xbar(),
    "s": qe.S(),
    "g": qe.G(limits="classical", smallest=0),
}


def months(count: int) -> np.ndarray:
    return np.datetime_as_string(np.datetime64("2000-01", "M") + np.arange(count))


def spec_of(case: Whole) -> Any:
    spread = "screened" if case.records[0].get("screened") else "mean"
    match case.kind:
        case "ip":
            return qe.IPrime(spread)
        case "pp":
            return qe.P("laney", spread, "qicharts2")
        case "up":
            return qe.U("laney", spread, "qicharts2")
        case "t":
            return qe.T("transform", spread, "qicharts2")
        case kind:
            return SPECS[kind]


def counted(case: Whole) -> qe.StratifiedSeries:
    """Series by month of a case of one or more facets; subgroups of no value are missing."""
    frame = pd.DataFrame({"month": np.concatenate([months(n) for n in case.sizes])})
    if not case.faceted:
        frame["month"] = months(len(frame))
    frame["group"] = (
        np.repeat(range(len(case.sizes)), case.sizes if case.faceted else 0) if case.faceted else 0
    )
    names = {"mean": "value", "y": "value", "x": "numerator", "n": "denominator", "sd": "sd"}
    for entry in names:
        if entry in case.records[0]:
            frame[names[entry]] = case.column(entry)
    if case.kind == "s":
        frame["value"] = np.where(np.isnan(frame["sd"]) & (frame["denominator"] == 0), np.nan, 1.0)
    if case.kind in ("ip", "xbar", "s"):
        frame.loc[frame["denominator"] == 0, ["denominator", "value"]] = np.nan
    columns = {name: name for name in names.values() if name in frame}
    kind = {"pp": "proportion", "up": "rate"}.get(case.kind, "mean")
    measure = qe.Measure("Test", kind, "lower")
    return qe.from_counts(frame.astype({"group": "str"}), measure, period="month", group="group", **columns)


def between(case: Whole) -> qe.StratifiedSeries:
    """Records of events whose days apart are the values; missing ones are set so afterwards."""
    frames = []
    values = case.column("y")
    for group, part in enumerate(
        np.split(values, list(accumulate(case.sizes))[:-1]) if case.faceted else [values]
    ):
        apart = np.round(np.where(np.isnan(part), 1, part) * 86_400e6).astype("timedelta64[us]")
        dates = FIRST + np.concatenate([[np.timedelta64(0, "us")], np.cumsum(apart)])
        frames.append(pd.DataFrame({"date": dates, "event": 1, "site": str(group)}))
    records = pd.concat(frames, ignore_index=True)
    measure = qe.Measure("Test", "between", "higher")
    series = qe.between_events(records, measure, date="date", event="event", site="site", unit="days")
    cells = series.cells
    gone = np.isnan(values).reshape(cells.status[:, : max(case.sizes)].shape if case.faceted else (1, -1))
    kept = cells.take(slice(None), slice(0, gone.shape[1]))
    status, value = np.where(gone, MISSING, kept.status).astype(np.int8), np.where(gone, np.nan, kept.value)
    return replace(series, cells=replace(kept, status=status, value=value))


@cache
def chart_of(name: str) -> qe.ControlChart:
    case = CASES[name]
    series = between(case) if case.kind in ("g", "t") else counted(case)
    dates = series.cells.periods.ravel()
    starts = [] if case.faceted else list(accumulate(case.sizes))[:-1]
    more = SIGNALS[name]
    return qe.control_chart(
        series,
        spec_of(case),
        phases=[dates[k] for k in starts] or None,
        exclude=[dates[k] for k in more.get("excluded", [])] or None,
        baseline=more.get("frozen"),
        rules="anhoej+shewhart",
    )


# Differences on purpose, as docs/differences.md numbers them.
BESIDE_EXCLUDED = {
    "mr-s-08-exclude",
    "mr-s-12-freeze-exclude",
    "mr-s-13-part-exclude",
    "mr-s-17-random-part-exclude",
    "mr-s-18-random-part-exclude",
    "mr-s-19-random-part-exclude",
    "mr-s-20-random-freeze-exclude",
}
SPREAD_OF_ALL = {
    "ip-s-09-freeze",
    "ip-s-12-exclude",
    "ip-s-16-freeze-exclude",
    "ip-s-17-part-exclude",
    "ip-s-22-random-part-exclude",
    "ip-s-24-random-exclude",
    "ip-s-26-random-missing-freeze",
}
MISSING_SUBGROUPS = {"xbar-s-04-missing-y-middle", "xbar-s-26-random-missing", "s-s-04-missing-y-middle"}
OTHER_LINES = BESIDE_EXCLUDED | SPREAD_OF_ALL | MISSING_SUBGROUPS
UNEVEN = {
    "up-s-04-low-counts",
    "g-s-06-freeze",
    "g-s-08-part-2",
    "g-s-11-multiply",
    "g-s-12-facet",
    "g-s-13-freeze-exclude",
    "g-s-20-random-missing",
    "g-s-25-random-part-exclude",
}
# Two events of one day, of which one is excluded: told apart only where births are counted, as further below.
SAME_DAY = {"g-s-21-random-part-exclude"}


@pytest.mark.parametrize("name", [n for n in CASES if n not in OTHER_LINES | SAME_DAY])
def test_lines_agree_with_qicharts2(name: str) -> None:
    case, chart = CASES[name], chart_of(name)
    for theirs, ours in LINES.items():
        if case.kind == "mr" and theirs == "ucl.95":
            continue
        line = getattr(chart, ours).ravel()
        np.testing.assert_allclose(line, case.column(theirs, scale=True), rtol=1e-9, atol=1e-11, err_msg=ours)


@pytest.mark.parametrize("name", [n for n in CASES if n not in OTHER_LINES | SAME_DAY])
def test_points_beyond_agree_with_qicharts2(name: str) -> None:
    chart = chart_of(name)
    beyond = chart.flags["beyond_limits", "low"] | chart.flags["beyond_limits", "high"]
    assert [np.flatnonzero(row).tolist() for row in beyond] == SIGNALS[name]["beyond"]


@pytest.mark.parametrize("name", [n for n in CASES if n in OTHER_LINES])
def test_lines_that_differ_do_so(name: str) -> None:
    case, chart = CASES[name], chart_of(name)
    theirs = case.column("ucl", scale=True)
    assert not np.allclose(chart.upper.ravel(), theirs, rtol=1e-4, equal_nan=True)
    if name in SPREAD_OF_ALL:
        np.testing.assert_allclose(chart.centre_line.ravel(), case.column("cl", scale=True), rtol=1e-9)


@pytest.mark.parametrize("name", [n for n in CASES if CASES[n].kind != "mr" and n not in SAME_DAY])
def test_runs_agree_with_qicharts2(name: str) -> None:
    chart, found = chart_of(name), chart_of(name)._found()
    by_runs = np.isin(found.rule, [tuple(TESTS).index(test) for test in ("longest_run", "crossings")])
    phases = [(s, k) for s, when in enumerate(chart.timeline.phase) for k in range(when[when >= 0].max() + 1)]
    withheld = 0
    for at, record in zip(phases, SIGNALS[name]["runs"], strict=True):
        n_useful, longest, longest_max, crossed, crossings_min, signalled = record
        runs = chart.runs
        assert (runs.n_useful[at], runs.longest[at], runs.crossings[at]) == (n_useful, longest, crossed)
        signals = (by_runs & (found.stratum == at[0]) & (found.phase == at[1])).any()
        if runs.given[at]:
            assert (runs.longest_max[at], runs.crossings_min[at]) == (longest_max, crossings_min)
            # Boxes of two cases are compared in test_rules_golden.py.
            assert signals == signalled or "method" in SIGNALS[name]
        else:
            assert REASONS[runs.reason[at]] == "uneven chance"
            assert not signals
            withheld += 1
    assert (withheld > 0) == (name in UNEVEN)


@pytest.mark.parametrize("name", sorted(n for n in UNEVEN if n.startswith("g")))
def test_the_median_of_gaps_is_no_fair_coin_where_runs_are_withheld(name: str) -> None:
    """Third calculation: the geometric distribution of the mean gap, added up on both sides of the line."""
    case, chart = CASES[name], chart_of(name)
    values = chart.plotted["both"]
    base = chart.timeline.baseline
    withheld = 0
    for row, phase in zip(*np.nonzero(chart.runs.n_useful > 0), strict=True):
        inside = chart.timeline.phase[row] == phase
        gaps = values[row, inside & base[row]]
        q = gaps.mean() / (gaps.mean() + 1)
        gap = np.arange(50_000)
        chances, line = (1 - q) * q**gap, chart.centre_line[row, inside][0]
        above, below = chances[gap > line].sum(), chances[gap < line].sum()
        assert chart.runs.chance[row, phase] == pytest.approx(above / (above + below), rel=1e-6)
        withheld += not 0.4 <= above / (above + below) <= 0.6
    assert withheld
    assert case.kind == "g"


@pytest.mark.parametrize("name", [n for n in CASES if CASES[n].kind == "mr"])
def test_neither_judges_runs_of_moving_ranges(name: str) -> None:
    chart = chart_of(name)
    assert not any(record[-1] for record in SIGNALS[name]["runs"])
    assert (chart.runs.reason == REASONS.index("points carry their past")).all()
    assert set(chart.signals["rule"]) <= {"beyond_limits"}


@pytest.mark.parametrize("name", ["g-s-01-basic", "g-s-04-low-counts", *sorted(SAME_DAY)])
def test_births_between_events_are_one_more_than_opportunities_between(name: str) -> None:
    """The birth with the event is counted, and so are all lines. One birth a day tells all events apart."""
    case = CASES[name]
    gaps = case.column("y").astype(int)
    at = np.concatenate([[0], np.cumsum(gaps + 1)])
    days = np.datetime64("1900-01-01") + np.arange(at[-1] + 1)
    records = pd.DataFrame({"born": days, "died": np.isin(np.arange(len(days)), at)})
    series = qe.between_events(records, qe.Measure("Test", "between", "higher"), date="born", event="died")
    chart = qe.control_chart(
        series,
        qe.G("classical"),
        phases=[days[at[k + 1]] for k in list(accumulate(case.sizes))[:-1]] or None,
        exclude=[days[at[k + 1]] for k in SIGNALS[name].get("excluded", [])] or None,
    )
    shown = chart.points[chart.points["status"] == "observed"]
    np.testing.assert_array_equal(shown["value"], gaps + 1)
    for theirs, ours in LINES.items():
        np.testing.assert_allclose(shown[ours] - 1, case.column(theirs), rtol=1e-9, err_msg=ours)
    assert [np.flatnonzero(shown["special_cause"]).tolist()] == SIGNALS[name]["beyond"]


QCC = loaded("measurement_charts.json")["qcc"]
MARKS = {record["id"]: record["marks"] for record in loaded("rules.json")["qcc"]["cases"]}
OFFERED = {
    "p": ("proportion", qe.P("classical")),
    "np": ("proportion", qe.NP("classical")),
    "u": ("rate", qe.U("classical")),
    "c": ("count", qe.C("classical")),
    "xbar.one": ("mean", qe.Individuals(constants="qicharts2")),
    "xbar": ("mean", qe.Xbar("r")),
    "R": ("mean", qe.R()),
    "S": ("mean", qe.S()),
}


def comparable(record: dict[str, Any]) -> bool:
    """Whether a chart makes the same choices: its own lines, limits at three sigma, the usual estimator."""
    if any(name in record for name in ("confidence", "nsigma", "estimator", "given_line")):
        return False
    return record["kind"] not in ("R", "S", "xbar") or len({*record["n"]}) == 1


def qcc_chart(record: dict[str, Any]) -> qe.ControlChart:
    kind, spec = OFFERED[record["kind"]]
    size = size_of(record)
    frame = pd.DataFrame({"month": months(size), "value": 1.0})
    names = {
        "y": "value",
        "mean": "value",
        "sd": "sd",
        "range": "range",
        "n": "denominator",
        "x": "numerator",
    }
    for entry, column in names.items():
        if entry in record:
            frame[column] = np.array(record[entry], dtype=float)
    if kind != "mean":
        del frame["value"]
    columns = {c: c for c in ("value", "sd", "range", "denominator", "numerator") if c in frame}
    series = qe.from_counts(frame, qe.Measure("Test", kind, "lower"), period="month", **columns)
    outside = record.get("outside_baseline", [])
    return qe.control_chart(series, spec, baseline=outside[0] if outside else None, rules="shewhart")


@pytest.mark.parametrize("record", [pytest.param(r, id=r["id"]) for r in QCC if comparable(r)])
def test_charts_agree_with_qcc(record: dict[str, Any]) -> None:
    """Its d2 has three decimals (docs/differences.md): limits that use it are a little off."""
    chart = qcc_chart(record)
    width = {"xbar": 0.0005 / 1.128, "R": 0.0005 / 1.128}.get(record["kind"], 1e-9)
    np.testing.assert_allclose(chart.centre_line[0], record["cl"] * np.ones(chart.centre_line.shape[1]))
    for theirs, line in (("lcl", chart.lower), ("ucl", chart.upper)):
        half = np.abs(np.asarray(record[theirs]) - record["cl"])
        np.testing.assert_allclose(
            np.abs(line - chart.centre_line)[0], half * np.ones(line.shape[1]), rtol=width
        )
    beyond = chart.flags["beyond_limits", "low"] | chart.flags["beyond_limits", "high"]
    if record["id"] in MARKS:
        assert (np.flatnonzero(beyond[0]) + 1).tolist() == MARKS[record["id"]].get("we1", [])


# qcc takes 1.128 for d2 where this is exact.
EXACT = float(d2(2)) / 1.128
OWN_SIGMA = ["ewma-s-02-one-l0.1-L3", "ewma-s-04-one-l0.2-L3", "ewma-s-06-one-l0.4-L3", "ewma-s-11-lambda-1"]


def individuals(values: Any) -> qe.StratifiedSeries:
    numbers = np.asarray(values.split() if isinstance(values, str) else values, dtype=float)
    frame = pd.DataFrame({"month": months(len(numbers)), "value": numbers})
    return qe.from_counts(frame, qe.Measure("Test", "mean", "lower"), period="month", value="value")


@pytest.mark.parametrize("name", [*OWN_SIGMA, "ewma-s-08-newdata"])
def test_averages_agree_with_qcc(name: str) -> None:
    (case,) = (c for c in loaded("between_ewma.json")["qcc"]["cases"] if c["id"] == name)
    spec = qe.Ewma(case["weight"], case["nsigma"] * EXACT)
    baseline = 20 if name.endswith("newdata") else None
    chart = qe.control_chart(individuals(case["y"]), spec, baseline=baseline, rules="shewhart")
    np.testing.assert_allclose(chart.plotted["both"][0], case["ewma"], rtol=1e-9)
    np.testing.assert_allclose(chart.lower[0], case["lcl"], rtol=1e-9)
    np.testing.assert_allclose(chart.upper[0], case["ucl"], rtol=1e-9)
    beyond = chart.flags["beyond_limits", "low"] | chart.flags["beyond_limits", "high"]
    assert np.flatnonzero(beyond[0]).tolist() == case["beyond"]


@pytest.mark.parametrize("name", ["cusum-s-12-one-h4", "cusum-s-14-one-h5", "cusum-s-20-newdata"])
def test_sums_agree_with_qcc(name: str) -> None:
    (case,) = (c for c in loaded("cusum.json")["cusum"]["cases"] if c["id"] == name)
    spec = qe.Cusum(
        case["se.shift"] / 2 * EXACT, case["decision.interval"] * EXACT, case["head.start"] * EXACT
    )
    baseline = 20 if name.endswith("newdata") else None
    chart = qe.control_chart(individuals(case["statistics"]), spec, baseline=baseline, rules="shewhart")
    for arm, side, path, signal in (("high", "high", "pos", "upper"), ("low", "low", "neg", "lower")):
        np.testing.assert_allclose(chart.plotted[arm][0] / EXACT, case[path], rtol=1e-9, atol=1e-11)
        assert np.flatnonzero(chart.flags["beyond_limits", side][0]).tolist() == case[signal]


def test_every_difference_stands_on_the_page() -> None:
    page = (HERE.parents[1] / "docs" / "differences.md").read_text(encoding="utf-8")
    for name in {*OTHER_LINES, *UNEVEN}:
        short = "-".join(name.split("-")[:3])
        assert f"`{short}" in page, name
