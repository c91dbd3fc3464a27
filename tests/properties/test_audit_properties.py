"""What holds for every audit: the truth is never ruled out, and more in print never leaves more numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from qi_equity.data.counts import from_counts
from qi_equity.data.disclosure.audit import attack_releases
from qi_equity.data.disclosure.outlook import Outlook
from qi_equity.data.disclosure.rule import SuppressionRule
from qi_equity.data.measure import Measure
from qi_equity.formulas.proportion_intervals import jeffreys_interval, wilson_interval
from qi_equity.formulas.suppression import rounded
from qi_equity.spc.control import control_chart
from qi_equity.spc.kinds_counts import P, U
from qi_equity.spc.run_chart import run_chart

RULE = SuppressionRule("small", 6, protect=1)
ROUNDED = SuppressionRule("rounded", 6, mark=5, rounding=5, protect=1)
ENOUGH = 40

cells = st.tuples(st.integers(1, 14), st.integers(15, 300))
tables = st.lists(st.lists(cells, min_size=2, max_size=4), min_size=2, max_size=4).filter(
    lambda rows: len({len(r) for r in rows}) == 1
)


def series_of(table: Any, kind: str) -> Any:
    rows = [
        (f"2024-{t + 1:02d}", f"group {g}", x, n)
        for g, row in enumerate(table)
        for t, (x, n) in enumerate(row)
    ]
    frame = pd.DataFrame(rows, columns=["month", "area", "events", "births"])
    columns = {"period": "month", "numerator": "events", "group": "area"}
    columns |= {} if kind == "count" else {"denominator": "births"}
    return from_counts(frame, Measure("Tears", kind, "lower"), **columns)


def audit_of(published: Any, rule: SuppressionRule = RULE) -> pd.DataFrame:
    return attack_releases([published], Outlook(rule, ENOUGH), figures=False).table


def check_truth(table: pd.DataFrame, series: Any) -> None:
    """No true count lies outside what is left; rows of sums over months are not looked at."""
    table = table[table["end"] - table["start"] < pd.Timedelta(days=31)]
    true = series.data.assign(start=series.data["period"], group=series.data["group"].astype("str"))
    for quantity in set(table["quantity"]):
        rows = table[table["quantity"] == quantity].merge(true, on=["group", "start"])
        assert (rows["lowest"] <= rows[quantity]).all()
        assert (rows["highest"] >= rows[quantity]).all()
        for words, count in zip(rows["numbers"], rows[quantity], strict=True):
            if "," in words or words.isdigit():
                assert int(count) in {int(w) for w in words.split(", ")}


@settings(max_examples=15, deadline=None)
@given(
    table=tables,
    kind=st.sampled_from(["p", "classical", "pp", "u", "c", "run", "i"]),
    dropped=st.sets(st.sampled_from(["value", "denominator", "sigma", "lower", "centre_line"])),
    exclude=st.sampled_from([None, "2024-01"]),
    common=st.booleans(),
    words=st.booleans(),
)
def test_the_truth_is_never_ruled_out_by_a_chart(
    table: Any, kind: str, dropped: set[str], exclude: Any, common: bool, words: bool
) -> None:
    measure = {"u": "rate", "c": "count"}.get(kind, "proportion")
    series = series_of(table, measure)
    specs = {"classical": P(limits="classical"), "u": U(limits="classical")}
    shared = "common" if common and kind in ("p", "classical", "u") else "own"
    chart: Any = (
        run_chart(series, exclude=exclude)
        if kind == "run"
        else control_chart(series, specs.get(kind, kind), exclude=exclude, limits=shared)
    )
    points = chart.points
    small = points["numerator"].between(1, RULE.largest)
    blank = {"numerator"} | (dropped & {"value", "denominator"})
    status = points["status"].astype("str").mask(small, "suppressed")
    frame = points.assign(status=status, **{c: points[c].mask(small) for c in blank})
    frame = frame.drop(columns=list(dropped & {"sigma", "lower", "centre_line"}))
    published: list[Any] = [frame, series.total()] + ([chart.alt_text()] if words else [])
    check_truth(audit_of(published), series)


@settings(max_examples=15, deadline=None)
@given(table=tables, digits=st.integers(1, 4), method=st.sampled_from([wilson_interval, jeffreys_interval]))
def test_the_truth_is_never_ruled_out_by_rounded_counts_and_intervals(
    table: Any, digits: int, method: Any
) -> None:
    series = series_of(table, "proportion")
    data = series.data
    x, n = data["numerator"].to_numpy(), data["denominator"].to_numpy()
    interval = method(x, n)
    frame = pd.DataFrame(
        {
            "group": data["group"].astype("str"),
            "period": data["period"],
            "events": np.where((x > 0) & (x <= 6), 5, rounded(x, 5)[0]),
            "births": rounded(n, 5)[0],
            "lower": [f"{v:.{digits}f}" for v in interval.lower],
            "upper": [f"{v:.{digits}f}" for v in interval.upper],
        }
    )
    check_truth(audit_of(frame, ROUNDED), series)


@settings(max_examples=8, deadline=None)
@given(table=tables, data=st.data())
def test_more_in_print_never_leaves_more(table: Any, data: Any) -> None:
    series = series_of(table, "proportion")
    points = control_chart(series, "p").points
    small = points["numerator"].between(1, RULE.largest)
    status = points["status"].astype("str").mask(small, "suppressed")
    blank = points.assign(numerator=points["numerator"].mask(small), status=status)
    few = blank[["group", "period", "numerator", "denominator", "status"]]
    # A standard error beside a centre line tells that it is a pooled rate: the two go together.
    parts = [
        few,
        blank[["group", "period", "status", "value", "denominator"]].assign(value=blank["value"].round(2)),
        series.total(),
        series.resample("year"),
    ]
    order = data.draw(st.permutations(parts[1:]))
    keys = ["group", "start", "end", "quantity"]
    before = audit_of([few])
    for k in range(1, len(order) + 1):
        after = audit_of([few, *order[:k]])
        both = before.merge(after, on=keys, suffixes=("", "_after"))
        assert (both["n_left_after"] <= both["n_left"]).all()
        assert (both["lowest_after"] >= both["lowest"]).all()
        assert (both["highest_after"] <= both["highest"]).all()
        before = after
