"""Tables with numerators blanked by hand: what was left beside them is found, or named as not attacked.

No other package attacks such tables; the oracle is the count that was blanked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from qi_equity.data.counts import from_counts
from qi_equity.data.disclosure.audit import DisclosureAudit, audit_disclosure
from qi_equity.data.measure import Measure
from qi_equity.equity.gaps import gaps
from qi_equity.equity.rates import rates
from qi_equity.errors import ColumnError, OptionError
from qi_equity.formulas.proportion_intervals import wilson_interval
from qi_equity.spc.control import control_chart

X, N = np.array([41, 12, 6, 25]), np.array([700, 310, 130, 480])
TABLE = pd.DataFrame({"group": ["A", "B", "C", "D"], "births": N, "events": [41, 12, None, 25]})
Z = 1.959963984540054
WALD = Z * np.sqrt(X / N * (1 - X / N) / N)


def found(audit: DisclosureAudit) -> list[str]:
    """Give the numbers left of what failed, all of group C."""
    assert set(audit.failures["group"]) <= {"C"}
    return audit.failures["numbers"].tolist()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("rate per 1,000", np.round(1000 * X / N).astype(int)),
        ("rate_per_1000", np.round(1000 * X / N)),
        ("Rate per 1000 births", np.round(1000 * X / N)),
        ("rate/1000", np.round(1000 * X / N)),
        ("%", np.round(100 * X / N, 1)),
        ("pct", np.round(100 * X / N, 1)),
        ("prevalence", X / N),
        ("raw", X / N),
        ("rate", [f"{100 * x / n:.1f}%" for x, n in zip(X, N, strict=True)]),
    ],
)
def test_a_rate_gives_the_count_back_whatever_its_name_and_unit(name: str, values: Any) -> None:
    assert found(audit_disclosure(TABLE.assign(**{name: values}), "strict-10")) == ["6"]


@pytest.mark.parametrize(
    "ends",
    [
        {"lower": X / N - WALD, "upper": X / N + WALD},
        {"lower": wilson_interval(X, N, confidence=0.9).lower},
        {"upper": wilson_interval(X, N, confidence=0.99).upper},
        {"lower": wilson_interval(X, N, confidence=0.998).lower, "upper": [np.nan] * 4},
    ],
    ids=["Wald", "90 % lower", "99 % upper", "99.8 % upper blank"],
)
def test_one_end_of_an_interval_of_any_usual_level_gives_the_count_back(ends: dict[str, Any]) -> None:
    assert found(audit_disclosure(TABLE.assign(**ends), "strict-10")) == ["6"]


def test_intervals_of_no_known_kind_are_named_and_rule_nothing_out() -> None:
    audit = audit_disclosure(TABLE.assign(lower=0.9 * X / N, upper=1.1 * X / N), "strict-10")
    assert audit.passed
    assert "of no kind that is known" in audit.notes.set_index("code")["text"]["contradiction"]


def test_a_count_blanked_beside_status_observed_is_a_withheld_one() -> None:
    measure = Measure("Tears", "proportion", "lower")
    full = TABLE.assign(m="2024-01", events=X)
    series = from_counts(full, measure, period="m", numerator="events", denominator="births", group="group")
    table = rates(series).table
    small = table["events"] < 10
    table = table.assign(**{c: table[c].mask(small) for c in ("events", "rate", "lower")})
    assert found(audit_disclosure(table, "strict-10")) == ["6"]


@pytest.mark.parametrize("kind", ["proportion", "rate"])
@pytest.mark.parametrize("blank", [[], ["difference"]])
def test_a_gap_of_a_measure_of_which_more_is_better_gives_the_count_back(kind: Any, blank: list[str]) -> None:
    full = TABLE.assign(m="2024-01", events=X)
    columns = {"period": "m", "numerator": "events", "denominator": "births", "group": "group"}
    table = gaps(from_counts(full, Measure("Care", kind, "higher"), **columns), reference="A").table
    small = table["events"] < 10
    table = table.assign(**{c: table[c].mask(small) for c in ("events", "rate", *blank)})
    audit = audit_disclosure(table, "strict-10")
    assert found(audit) == ["6"]
    assert "ratio_lower" in audit.notes.set_index("code")["text"]["not_attacked"]


def test_numbers_beside_a_withheld_count_that_are_not_read_are_named() -> None:
    audit = audit_disclosure(TABLE.assign(without=N - X, n_periods=3), "strict-10")
    assert audit.notes["text"].tolist() == [
        "Not turned back into counts: without of the table, which stand beside withheld counts."
    ]


def test_events_withheld_with_their_births_may_be_none() -> None:
    table = pd.DataFrame(
        {
            "group": ["A", "B", "C", "All groups"],
            "births": [77, None, None, 177],
            "events": [14, None, None, 14],
        }
    )
    audit = audit_disclosure(table, "strict-10")
    events = audit.table[audit.table["quantity"] == "numerator"]
    assert events["numbers"].tolist() == ["0", "0"]
    assert not audit.notes["code"].isin(["contradiction"]).any()


def test_a_chart_whose_zeros_go_with_their_births_is_disclosed() -> None:
    rows = [(s, g, x, n) for s, g, x, n in zip("SSSSTTTT", "ABCDABCD", _EVENTS, _BIRTHS, strict=True)]
    frame = pd.DataFrame(rows, columns=["site", "group", "x", "n"])
    frame = pd.concat([frame.assign(m=m) for m in ("2024-01", "2024-02")])
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "group", "site": "site"}
    series = from_counts(frame, Measure("Tears", "proportion", "lower"), **columns)
    chart = control_chart(series, "p").disclose("strict-10")
    hidden = chart.points[chart.points["site"] == "T"]
    assert (hidden["numerator"].isna() & hidden["denominator"].isna()).any()


_EVENTS, _BIRTHS = (4, 2, 2, 10, 0, 0, 0, 14), (77, 44, 15, 296, 52, 35, 9, 314)


def test_named_indexes_and_frames_of_other_libraries_are_read() -> None:
    pl = pytest.importorskip("polars", reason="polars is not installed")
    rated = TABLE.assign(rate=X / N)
    assert found(audit_disclosure(rated.set_index("group"), "strict-10")) == ["6"]
    assert found(audit_disclosure(rated.set_index("group", drop=False), "strict-10")) == ["6"]
    other = pl.DataFrame({c: rated[c].tolist() for c in rated})
    assert found(audit_disclosure(other, "strict-10")) == ["6"]


@pytest.mark.parametrize(
    "nothing",
    [
        TABLE.iloc[:0],
        pd.DataFrame({"site": ["S", "T"], "Asian": [1, 20]}),
        "Nothing is said here.",
        [pd.DataFrame({"site": ["S"], "Asian": [1]}), "Nothing is said here."],
    ],
    ids=["no rows", "groups in columns", "text", "several"],
)
def test_an_audit_of_nothing_is_refused_and_does_not_pass(nothing: Any) -> None:
    with pytest.raises(
        OptionError, match=r"holds no count that can be read\. Give frames with one row a place"
    ):
        audit_disclosure(nothing, "strict-10")


def test_a_frame_that_is_not_read_is_named() -> None:
    audit = audit_disclosure({"wide": pd.DataFrame({"site": ["S"], "Asian": [1]}), "b": TABLE}, "strict-10")
    assert audit.method["not_attacked"] == ["wide, in which no column of counts or rates was found"]


@pytest.mark.parametrize("path", ["report.xlsx", Path("report.pdf"), "a folder/all tables.docx"])
def test_files_that_cannot_be_read_are_refused(path: Any) -> None:
    with pytest.raises(OptionError, match=r"only files that end in \.csv, \.svg, \.txt can be read"):
        audit_disclosure([TABLE, path], "strict-10")


def test_columns_of_one_name_are_refused() -> None:
    twice = pd.concat([TABLE, TABLE[["events"]]], axis=1)
    with pytest.raises(ColumnError, match=r"the table has more than one column named \['events'\]"):
        audit_disclosure(twice, "strict-10")
