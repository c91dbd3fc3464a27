"""Charts as they may leave: every number from disclosed counts, options kept, single events refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from qi_equity.data.counts import from_counts
from qi_equity.data.disclosure.audit import audit_disclosure
from qi_equity.data.disclosure.rule import SuppressionRule
from qi_equity.data.events import between_events
from qi_equity.data.measure import Measure
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.spc import disclosing
from qi_equity.spc.chart import ControlChart
from qi_equity.spc.control import control_chart
from qi_equity.spc.kinds_counts import P
from qi_equity.spc.run_chart import run_chart

TEARS = Measure("Tears", "proportion", "lower", unit="per 1000")
CALLS = Measure("Calls", "count", None)
BOTH = ("p", "run")


def made_series(rate: float = 0.12, size: int = 120) -> Any:
    rng = np.random.default_rng(11)
    months = pd.date_range("2023-01-01", periods=18, freq="MS").strftime("%Y-%m")
    rows = [(m, g, n) for g, k in (("Asian", 1), ("Black", 2)) for m in months for n in [k * size]]
    frame = pd.DataFrame(rows, columns=["month", "area", "births"])
    frame["events"] = rng.binomial(frame["births"], rate)
    frame.loc[[3, 25], "events"] = 4
    return from_counts(frame, TEARS, period="month", numerator="events", denominator="births", group="area")


def test_every_number_comes_from_the_disclosed_counts():
    series = made_series()
    chart = control_chart(series, "p")
    shown = chart.disclose("strict-10")
    again = control_chart(series.disclose("strict-10"), "p")
    assert shown.equals(again)
    small = series.cells.numerator < 10
    assert small.any()
    assert (shown.points["status"].eq("suppressed").to_numpy().reshape(small.shape) >= small).all()
    assert shown.points.loc[shown.points["status"] == "suppressed", "value"].isna().all()
    assert not chart.equals(shown)
    assert audit_disclosure([shown, shown.series], "strict-10", truth=series).passed


@pytest.mark.parametrize("kind", ["p", "run", P(limits="classical"), "auto", "ewma"])
def test_the_options_are_kept(kind):
    series = made_series()
    phases = pd.DataFrame({"group": ["Black"], "start": ["2023-10"], "label": ["kit"], "reason": ["new kit"]})
    options = {"phases": phases, "baseline": 6, "exclude": "2023-03", "target": 0.1}
    make = run_chart if kind == "run" else lambda s, **o: control_chart(s, kind, limits="own", **o)
    shown = make(series, **options).disclose("strict-10")
    assert shown.equals(make(series.disclose("strict-10"), **options))
    assert shown.timeline.phases["label"].tolist() == ["", "", "kit"]
    assert shown.timeline.exclusions["period"].tolist() == [pd.Timestamp("2023-03-01")] * 2
    assert shown.target == 0.1


@pytest.mark.parametrize("baseline", ["2023-06", None])
def test_changing_targets_common_limits_and_dated_baselines_are_kept(baseline):
    targets = pd.DataFrame({"start": ["2023-04", "2023-09"], "target": [0.12, 0.1]})
    options = {"target": targets, "limits": "common", "baseline": baseline}
    series = made_series()
    shown = control_chart(series, "p", **options).disclose("strict-10")
    assert shown.equals(control_chart(series.disclose("strict-10"), "p", **options))


@pytest.mark.parametrize("kind", BOTH)
def test_no_rule_is_applied_to_rounded_counts(kind):
    series = made_series()
    chart = run_chart(series) if kind == "run" else control_chart(series, kind)
    shown = chart.disclose("nhs-england")
    assert shown.signals.empty
    assert not shown.points["special_cause"].any()
    said = shown.notes[shown.notes["code"] == "rounded_counts"]
    assert said["text"].str.contains("rules and runs tests are not applied").any()
    assert (shown.method["rules"]["name"], shown.method["rules"]["tests"]) == ("none", [])
    assert shown.summary()["n_signals"].sum() == 0
    assert ControlChart.from_dict(shown.to_dict()).equals(shown)


def test_exact_counts_keep_their_rules():
    chart = control_chart(made_series(), "p", rules="making_data_count")
    assert chart.disclose("strict-10").rules == chart.rules


def test_withheld_points_show_in_figure_and_words():
    shown = control_chart(made_series(), "p").disclose("strict-10")
    labels = {text.get_text() for text in shown.plot().legends[0].get_texts()}
    assert any("suppress" in label.lower() or "withheld" in label.lower() for label in labels)
    assert shown.alt_text()["text"].str.contains("suppressed").all()


def test_without_a_rule_the_chart_stays_as_it_is():
    chart = control_chart(made_series(), "p")
    shown = chart.disclose("none")
    assert shown.points.equals(chart.points)
    assert "not_disclosed" in set(shown.notes["code"])


def records() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    days = pd.date_range("2024-01-01", periods=400, freq="D")
    return pd.DataFrame({"day": days, "event": rng.random(400) < 0.08, "code": "N"})


@pytest.mark.parametrize("kind", ["g", "t", "bernoulli_cusum"])
def test_times_between_events_are_refused(kind):
    unit = "days" if kind == "t" else "births"
    measure = Measure("Tears", "between", "higher", unit=unit)
    series = between_events(
        records(), measure, date="day", event="event", ethnicity="code", scheme="nhs-2001", unit=unit
    )
    chart = control_chart(series, kind)
    with pytest.raises(OptionError, match="month or quarter"):
        chart.disclose("strict-10")
    assert chart.disclose("none").points.equals(chart.points)
    audit = audit_disclosure(chart, "strict-10")
    assert not audit.passed
    assert "single_events" in set(audit.notes["code"])


def test_sums_over_single_births_are_refused():
    chart = control_chart(made_series(), "p")
    kinds = type("Kind", (), {"kind": "vlad"})
    other = type("Chart", (), {"specs": (kinds(),), "series": chart.series})
    with pytest.raises(OptionError, match="chart of the counts"):
        disclosing._refuse_events(other(), "strict-10")


def test_a_chart_of_nothing_is_refused():
    counts = pd.DataFrame({"month": ["2024-01", "2024-02", "2024-03"], "n": [4, 5, 6]})
    calls = from_counts(counts, CALLS, period="month", numerator="n")
    with pytest.raises(OptionError, match="every count is withheld"):
        control_chart(calls, "c").disclose("strict-10")


def test_what_fails_the_audit_is_never_returned(monkeypatch):
    chart = control_chart(made_series(), "p")
    monkeypatch.setattr(type(chart.series), "disclose", lambda self, rule, **options: self)
    with pytest.raises(OptionError, match="cannot be kept for this chart"):
        chart.disclose("strict-10")


def test_wrong_rules_are_named():
    chart = control_chart(made_series(), "p")
    with pytest.raises(InputTypeError, match="rule=7"):
        chart.disclose(7)
    with pytest.raises(OptionError, match="strict-10"):
        chart.disclose("strict-11")


def test_protect_and_margins_are_passed_on():
    rule = SuppressionRule("ours", 9, protect=2)
    shown = control_chart(made_series(), "p").disclose(rule, margins="quarter", protect=3)
    assert shown.series.method["disclosed"]["protect"] == 3
    assert shown.series.method["disclosed"]["margins"] == ["quarter"]
