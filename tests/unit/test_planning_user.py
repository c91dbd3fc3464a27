"""What a new user of planning reads: words that agree with the numbers, and errors that name the argument."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import qi_equity as qe
from qi_equity.errors import InputTypeError
from qi_equity.planning.words import a_chart, events_words, late_words, months_words

MONTHS = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]


def counted(events: list[int], births: int, measure: Any = "preterm_birth") -> Any:
    """One group whose months repeat."""
    rows = pd.DataFrame({"month": MONTHS, "events": events * (24 // len(events)), "births": births})
    measure = qe.measures[measure] if isinstance(measure, str) else measure
    columns = {"period": "month", "numerator": "events"}
    return qe.from_counts(
        rows, measure, **columns, **({} if measure.kind == "count" else {"denominator": "births"})
    )


class TestWords:
    def test_what_is_adverse_changes_where_more_is_better(self) -> None:
        table = qe.detection_table(counted([21, 22], 28, "gdm_screened"), rules=())
        assert table.title.endswith("a change of the share without the event to 0.5 times")
        assert "from 76.8 % to 88.4 %" in table.alt_text()
        visits = qe.detection_table(counted([4, 5], 1, qe.Measure("Visits", "count", "higher")), rules=())
        assert visits.title.endswith("a change of the rate to 2 times")
        assert "from 4.5 to 9" in visits.alt_text()

    def test_days_between_events_count_events_not_births(self) -> None:
        records = pd.DataFrame(
            {"date": pd.date_range("2023-01-01", periods=400), "event": [0, 0, 0, 1] * 100}
        )
        series = qe.between_events(records, qe.measures["pph_1500"], date="date", event="event", unit="days")
        said = qe.detection_table(series).alt_text()
        assert "birth" not in said
        assert "All: 7.6 events a month, from 7.6 events a month to 3.8 events a month" in said

    def test_one_birth_a_month_is_singular_and_an_ewma_has_its_article(self) -> None:
        said = qe.detection_table(counted([0, 0, 1], 1), rules=()).alt_text()
        assert "All: 1 birth a month, " in said
        assert a_chart("ewma", "year") == "an EWMA by the year"
        assert a_chart("t", "event") == "a t chart by the event"

    def test_months_that_are_too_many_never_read_as_few_enough(self) -> None:
        assert late_words(12.04, 12) == "a little more than 12 months"
        assert late_words(12.06, 12) == "12.1 months"
        series = counted([2, 1], 28)
        months = float(qe.detection_table(series, rules=()).table.loc[0, "months_to_detect"])
        table = qe.detection_table(series, within=months - 0.001, rules=())
        more = f"a little more than {months_words(months)}"
        assert more in table.table.loc[0, "reason"]
        assert more in table.alt_text()
        assert table.notes["text"].str.contains(more).any()
        assert f"would need {more} on average" in qe.suggest_design(series, within=months - 0.001).advice()

    def test_little_time_is_not_none_and_many_events_are_written_out(self) -> None:
        assert months_words(0.02) == "less than 0.1 months"
        assert months_words(0) == "0 months"
        assert [events_words(n) for n in (0.271, 1, 9.96, 12.3, 1234)] == [
            "0.27 events a month",
            "1 event a month",
            "10 events a month",
            "12 events a month",
            "1,234 events a month",
        ]

    def test_the_smallest_change_is_told_as_the_rate_that_it_leads_to(self) -> None:
        advice = qe.suggest_design(counted([0, 1], 10))
        row = advice.table.loc[0]
        assert row["smallest_ratio"] < 0.5
        rate = f"{1000 * row['rate'] * row['smallest_ratio']:.3g} per 1000"
        assert f"the smallest change shown with that is to {rate}" in advice.advice()
        assert f"shows a change to {rate}" in str(advice.plot().get_label())

    def test_advice_to_pool_tells_the_power_of_the_pooled_group(self) -> None:
        rows = pd.DataFrame(
            {"month": MONTHS * 2, "site": ["A"] * 24 + ["B"] * 24, "events": [1, 1, 2] * 16, "births": 20}
        )
        columns = {"period": "month", "numerator": "events", "denominator": "births"}
        advice = qe.suggest_design(qe.from_counts(rows, qe.measures["preterm_birth"], site="site", **columns))
        row = advice.table.loc[0]
        assert not row["visible"]
        assert f"Over 2 sites that chance is {100 * row['pooled_power']:.0f} %." in row["advice"]

    def test_a_panel_of_run_lengths_keeps_the_commas_of_its_label(self) -> None:
        rows = pd.DataFrame(
            {
                "month": MONTHS,
                "group": "Roma, Gypsy and Traveller",
                "events": [4, 2, 7, 3, 5, 1] * 4,
                "births": 60,
            }
        )
        columns = {"period": "month", "numerator": "events", "denominator": "births", "group": "group"}
        series = qe.from_counts(
            pd.concat([rows, rows.assign(group="Asian")]), qe.measures["preterm_birth"], **columns
        )
        figure = qe.run_length(qe.control_chart(series, "p", rules="shewhart")).plot()
        said = " ".join(text.get_text() for text in figure.findobj(Text))
        assert "Roma, Gypsy" in said.replace("\n", " ")


class TestErrors:
    @pytest.mark.parametrize("rules", [5, None, b"nelson"])
    def test_rules_of_another_type_are_named(self, rules: Any) -> None:
        with pytest.raises(InputTypeError, match=r"rules=.*is of type .*; give one of 'anhoej'"):
            qe.detection_table(counted([2], 28), rules=rules)

    @pytest.mark.parametrize("births", ["100", b"100", ["10", "20"], np.array(["1"], dtype=object)])
    def test_text_is_no_number(self, births: Any) -> None:
        with pytest.raises(InputTypeError, match=r"births .*cannot be read as numbers"):
            qe.months_to_detect(births, 0.1, 0.05)


@pytest.mark.parametrize("make", [partial(qe.detection_table, rules=[]), qe.suggest_design])
def test_an_audit_refuses_means_that_give_counts_back(make: Callable[..., Any]) -> None:
    rows = pd.DataFrame(
        {"month": ["2023-01", "2023-02"] * 2, "who": ["A", "A", "B", "B"], "n": [1, 0, 9, 8], "births": 40}
    )
    columns = {"period": "month", "numerator": "n", "denominator": "births", "group": "who"}
    series = qe.from_counts(rows, qe.measures["preterm_birth"], **columns)
    found = make(series)
    for published in (found, found.table):
        with pytest.raises(qe.InputTypeError, match=r"events and births a month.*\.disclose"):
            qe.audit_disclosure(published, "dqmi", truth=series)
