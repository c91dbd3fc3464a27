"""Every way by which numbers beside a withheld count have given it back: each must be found.

No other package attacks charts and texts; the oracle is the true count, which the tests know.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from qi_equity.data.counts import from_counts
from qi_equity.data.disclosure.audit import audit_disclosure
from qi_equity.data.disclosure.rule import SuppressionRule
from qi_equity.data.measure import Measure
from qi_equity.formulas.proportion_intervals import (
    clopper_pearson_interval,
    jeffreys_interval,
    wilson_interval,
)
from qi_equity.formulas.rate_intervals import byar_rate_interval, exact_rate_interval
from qi_equity.plot._save import save_figure
from qi_equity.spc.control import control_chart
from qi_equity.spc.kinds_counts import P
from qi_equity.spc.run_chart import run_chart

RULE = SuppressionRule("small", 2, protect=2)
TEARS = Measure("Tears", "proportion", "lower", unit="per 1000")


def made_counts() -> pd.DataFrame:
    """Twelve months of two groups; one count of 2 among the Black women, none other below 3."""
    rng = np.random.default_rng(3)
    months = pd.date_range("2024-01-01", periods=12, freq="MS").strftime("%Y-%m")
    rows = [
        (month, group, 3 + int(rng.binomial(births - 3, 0.05)), births)
        for group, size in (("Asian", 120), ("Black", 60))
        for month in months
        for births in [size + int(rng.integers(-9, 10))]
    ]
    frame = pd.DataFrame(rows, columns=["month", "area", "events", "births"])
    frame.loc[(frame["area"] == "Black") & (frame["month"] == "2024-05"), ["events", "births"]] = 2, 57
    return frame


def made_chart(kind: Any = "p") -> Any:
    series = from_counts(
        made_counts(),
        TEARS,
        period="month",
        numerator="events",
        denominator="births",
        group="area",
    )
    return run_chart(series) if kind == "run" else control_chart(series, kind)


CHART = made_chart()


def blanked(chart: Any, *more: str) -> pd.DataFrame:
    """Give the points of a chart with the small count blanked, and with it some other columns."""
    points = chart.points
    small = points["numerator"] <= RULE.largest
    assert small.sum() == 1
    status = points["status"].astype("str").mask(small, "suppressed")
    return points.assign(status=status, **{c: points[c].mask(small) for c in ("numerator", *more)})


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[["group", "period", "numerator", "denominator", "status"]]


def the_failure(published: Any, **options: Any) -> pd.Series:
    audit = audit_disclosure(published, RULE, **options)
    assert not audit.passed
    assert len(audit.failures) == 1
    return audit.failures.iloc[0]


def given_back(published: Any, **options: Any) -> str:
    row = the_failure(published, **options)
    assert (row["group"], row["start"], row["quantity"]) == (
        "Black",
        pd.Timestamp("2024-05-01"),
        "numerator",
    )
    assert row["numbers"] == "2"
    return str(row["how"])


def test_a_table_that_withholds_the_count_passes():
    assert audit_disclosure(plain(blanked(CHART)), RULE).passed
    assert audit_disclosure(plain(blanked(CHART)), RULE, truth=CHART.series).passed


def test_a_count_that_was_forgotten_is_found():
    assert given_back(plain(CHART.points)) == "it is printed"


def test_the_value_left_beside_a_blank_numerator():
    assert "the value" in given_back(plain(blanked(CHART)).assign(value=CHART.points["value"]))


@pytest.mark.parametrize("digits", [3, 4])
def test_the_value_written_to_some_digits(digits):
    rates = CHART.points["value"].round(digits)
    assert "the value" in given_back(plain(blanked(CHART)).assign(value=rates))


@pytest.mark.parametrize(
    "method",
    [wilson_interval, jeffreys_interval, clopper_pearson_interval, exact_rate_interval, byar_rate_interval],
)
def test_an_interval_left_beside_a_blank_numerator(method):
    points = CHART.points
    interval = method(points["numerator"], points["denominator"])
    frame = plain(blanked(CHART)).assign(lower=interval.lower.round(3), upper=interval.upper.round(3))
    assert "the interval" in given_back(frame)


def test_the_centre_line_of_a_chart_over_all_points():
    frame = blanked(CHART, "value")
    assert "the centre line" in given_back(frame)


def test_a_centre_line_that_groups_share_is_pooled_over_them():
    frame = blanked(control_chart(CHART.series, "p", limits="common"), "value")
    assert "the centre line" in given_back(frame)


def test_a_centre_line_of_some_points_tells_nothing_of_others():
    chart = control_chart(CHART.series, "p", exclude="2024-05", baseline=6)
    assert audit_disclosure(blanked(chart, "value"), RULE).passed
    counts = made_counts().groupby("month", as_index=False)["events"].sum()
    calls = from_counts(counts, Measure("Calls", "count", None), period="month", numerator="events")
    some = control_chart(calls, "c").points
    hidden = some["numerator"] == some["numerator"].min()
    blank = some.assign(
        numerator=some["numerator"].mask(hidden),
        value=some["value"].mask(hidden),
        status=some["status"].astype("str").mask(hidden, "suppressed"),
    )
    table = audit_disclosure([control_chart(calls, "c"), blank], RULE).table
    assert (table["n_left"] == 1).all()


def test_the_median_of_a_run_chart_is_no_pooled_rate():
    assert audit_disclosure(blanked(made_chart("run"), "value"), RULE).passed


def test_the_description_with_the_total():
    frame = plain(blanked(CHART))
    assert "description" in given_back({"points": frame, "description": CHART.alt_text()})
    assert "the text" in given_back([frame, "\n".join(CHART.alt_text()["text"])])
    assert "the text" in given_back([frame, made_total()])


def made_total() -> str:
    black = CHART.points.query("group == 'Black'")
    events, births = black["numerator"].sum(), black["denominator"].sum()
    return f"Black: this year {events:.0f} events among {births:,.0f} births."


def test_a_description_of_the_points_shown_only_tells_no_more():
    shown = blanked(CHART).query("group == 'Black' and status == 'observed'")
    text = f"Black: {shown['numerator'].sum():.0f} events among {shown['denominator'].sum():.0f} births."
    audit = audit_disclosure([plain(blanked(CHART)), text], RULE)
    assert audit.passed
    assert "contradiction" not in set(audit.notes["code"])


@pytest.mark.parametrize("kind", ["p", P(limits="classical"), "pp"])
def test_standard_errors_and_limits_give_the_births(kind):
    chart = made_chart(kind)
    for columns in (["value", "denominator"], ["value", "denominator", "sigma"]):
        audit = audit_disclosure({"chart": blanked(chart, *columns)}, RULE)
        row = audit.table.query("quantity == 'denominator'").iloc[0]
        if kind == "pp" and "sigma" in columns:
            continue
        assert row["numbers"] == "57"


def test_limits_alone_give_the_births():
    frame = blanked(CHART, "value", "denominator").drop(columns=["sigma", "lower_2s", "upper_2s"])
    audit = audit_disclosure(frame, RULE)
    row = audit.table.query("quantity == 'denominator'").iloc[0]
    assert row["lowest"] <= 57 <= row["highest"]
    assert row["n_left"] < 5


def test_points_and_lines_of_a_figure(tmp_path):
    path = save_figure(CHART.plot(), tmp_path / "chart.svg")
    frame = plain(blanked(CHART))
    frame.to_csv(tmp_path / "points.csv", index=False)
    assert "chart.svg" in given_back([tmp_path / "points.csv", path])
    assert "the figure" in given_back([frame, path.read_text(encoding="utf-8")])


def test_the_figure_of_a_result_is_drawn_and_read():
    audit = audit_disclosure([CHART], RULE, truth=CHART.series)
    assert not audit.passed
    assert audit.method["items"][:3] == [
        "the ControlChart",
        "the figure of the ControlChart",
        "the summary of the ControlChart",
    ]


def nhs_file(rates_of_small: bool) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """A file of the shape of the maternity services file of April 2025, with made-up counts."""
    rng = np.random.default_rng(5)
    births = rng.integers(300, 1500, 119)
    events = rng.binomial(births, 0.03)
    shown = {
        name: np.where(x == 0, 0, np.where(x <= 7, 5, 5 * np.floor(x / 5 + 0.5))).astype(int).astype(str)
        for name, x in (("numerator", events), ("denominator", births))
    }
    rates = np.floor(1000 * events / births + 0.5).astype(int).astype(str)
    kept = rates if rates_of_small else np.where(events < 8, "", rates)
    frame = pd.DataFrame({"site": [f"trust {i}" for i in range(119)], **shown, "rate per 1,000": kept})
    return frame, events


def test_unrounded_rates_beside_rounded_counts():
    frame, events = nhs_file(rates_of_small=False)
    audit = audit_disclosure(frame, "nhs-england")
    assert audit.passed
    table = audit.table.query("quantity == 'numerator'").set_index("site")
    large = events >= 8
    rows = table.loc[[f"trust {i}" for i in np.flatnonzero(large)]]
    assert ((rows["lowest"] <= events[large]) & (events[large] <= rows["highest"])).all()
    # The real file gives back 70 to 99 % by measure.
    assert 0.7 < (rows["n_left"] == 1).mean() < 1
    assert "rounding_undone" in set(audit.notes["code"])


def test_unrounded_rates_beside_a_stand_in():
    frame, events = nhs_file(rates_of_small=True)
    audit = audit_disclosure(frame, "nhs-england")
    small = {f"trust {i}" for i in np.flatnonzero((events > 0) & (events < 8))}
    assert set(audit.failures["site"]) <= small
    assert len(audit.failures) > 0


def test_rates_from_the_rounded_counts_tell_no_more():
    frame, _ = nhs_file(rates_of_small=True)
    x, n = (frame[c].astype(float) for c in ("numerator", "denominator"))
    frame["rate per 1,000"] = (1000 * x / n).round(0).astype(int).astype(str)
    audit = audit_disclosure(frame, "nhs-england")
    assert audit.passed
    assert "rounding_undone" not in set(audit.notes["code"])


def test_wilson_intervals_give_small_numerators_back():
    """The claim of the docs: over 90 % of numerators 1 to 7, births to the nearest 5, bounds to 0.1 %."""
    rng = np.random.default_rng(1)
    births = rng.integers(30, 400, 300)
    events = rng.integers(1, 8, 300)
    interval = wilson_interval(events, births)
    frame = pd.DataFrame(
        {
            "site": [f"trust {i}" for i in range(300)],
            "numerator": "*",
            "denominator": (5 * np.floor(births / 5 + 0.5)).astype(int).astype(str),
            "lower %": [f"{100 * v:.1f}" for v in interval.lower],
            "upper %": [f"{100 * v:.1f}" for v in interval.upper],
        }
    )
    table = audit_disclosure(frame, "dqmi").table.query("quantity == 'numerator'")
    assert (table["n_left"] == 1).mean() > 0.9
    assert (table["lowest"].to_numpy() <= events).all()
    assert (table["highest"].to_numpy() >= events).all()


def test_totals_pooled_sites_and_cumulative_periods():
    cells = {
        "site": ["North", "North", "South", "South"],
        "group": ["Asian", "Black"] * 2,
        "events": [10, None, 8, 9],
    }
    table = pd.DataFrame(cells)
    assert audit_disclosure(table, RULE).passed
    pooled = pd.DataFrame({"group": ["Asian", "Black"], "events": [18, 11]})
    assert the_failure([table, pooled])["numbers"] == "2"
    total = pd.DataFrame({"site": ["North", "All sites"], "group": "All groups", "events": [12, 29]})
    assert the_failure([table, total])["numbers"] == "2"
    first, second = (
        pd.DataFrame({"start": ["2024-01-01"], "end": [end], "events": [n]})
        for end, n in (("2024-03-31", 30), ("2024-04-30", 31))
    )
    row = the_failure([first, second])
    assert (row["shown"], row["start"], row["numbers"]) == ("not shown", pd.Timestamp("2024-04-01"), "1")


def nested_series() -> Any:
    fine = pd.DataFrame({"m": "2024-01", "code": ["H", "J", "K", "L"], "x": [9, 2, 8, 7], "n": 100})
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "code"}
    return from_counts(fine, TEARS, scheme="nhs-2001", **columns)


def test_nested_groupings_of_a_scheme():
    series = nested_series()
    fine = series.data[["group", "period", "numerator", "denominator", "status"]]
    small = fine["numerator"] == 2
    fine = fine.assign(
        numerator=fine["numerator"].mask(small), status=fine["status"].astype("str").mask(small, "suppressed")
    )
    assert audit_disclosure(fine, RULE).passed
    row = the_failure({"fine": fine, "broad": series.collapse("broad")})
    assert (row["group"], row["numbers"]) == ("Asian or Asian British - Pakistani", "2")


def test_margins_of_a_disclosed_series_are_read_with_it():
    series = nested_series().disclose(RULE, margins=["broad", "total", "year", "all"])
    audit = audit_disclosure(series, RULE, truth=nested_series())
    assert audit.passed
    assert any("the margin" in item for item in audit.method["items"])
    forgotten = series.data.assign(numerator=nested_series().data["numerator"])
    failed = audit_disclosure([series, forgotten], RULE).failures
    assert "2" in set(failed["shown"])


def same_month(events: list[float | None], status: str = "observed") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": ["Asian", "Black", "White", "All groups"],
            "month": "2024-01",
            "numerator": events,
            "status": ["suppressed" if e is None else status for e in events],
        }
    )


def test_two_releases_that_withhold_different_counts():
    before, now = same_month([11, None, None, 58]), same_month([None, None, 45, 58])
    assert audit_disclosure(now, RULE).passed
    assert audit_disclosure(before, RULE).passed
    row = the_failure(now, before=before)
    assert (row["group"], row["numbers"]) == ("Black", "2")
    assert row["how"].startswith("only by the releases together")
    several = audit_disclosure(now, RULE, before=[[before], [before]])
    assert "disclosed_by_releases" in set(several.notes["code"])


def test_provisional_and_revised_counts_bind_nothing():
    before, now = same_month([11, None, None, 58], "provisional"), same_month([None, None, 45, 58])
    assert audit_disclosure(now, RULE, before=before).passed
    revised = same_month([None, None, 45, 59])
    assert audit_disclosure(revised, RULE, before=same_month([11, None, None, 58])).passed


def test_a_year_to_date_less_that_of_last_month():
    def to_date(end: str, events: int) -> pd.DataFrame:
        return pd.DataFrame({"group": ["Black"], "start": ["2024-01-01"], "end": [end], "events": [events]})

    row = the_failure(to_date("2024-04-30", 14), before=to_date("2024-03-31", 13))
    assert (row["shown"], row["numbers"]) == ("not shown", "1")
