"""The outline of a report: what stands in the record, what the data say, what is left to write."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

import qi_equity as qe
from qi_equity import pdsa
from qi_equity.pdsa.reporting.squire import Squire, squire

MONTHS = pd.period_range("2022-01", periods=24, freq="M").astype(str).tolist()


def project(**fields: Any) -> pdsa.Project:
    cycle = {
        "id": "c1", "name": "Cycle 1", "idea": "weigh", "purpose": "implement",
        "plan": {"objective": "Weigh all", "predictions": [{"text": "Half as many", "group": "Black"}]},
        "do": {"start": "2023-01-09", "as_planned": False, "unplanned": "Scales were lent away"},
        "study": {"date": "2023-06-01", "learning": "x", "results": [{"matched": "yes", "group": "Black"}],
                  "harm": [{"group": "Asian", "found": "not yet visible", "text": "few births"}]},
        "act": {"date": "2023-06-02", "decision": "adopt", "follows": "All theatres"},
        "equity": {"took_part": [{"who": "midwives", "how_many": 4}]},
    }  # fmt: skip
    start: dict[str, Any] = {
        "name": "Fewer haemorrhages", "site": "North", "problem": "12 % against 5 %",
        "team": ["Ward lead midwife", "Data analyst"],
        "drivers": [{"id": "d1", "name": "Timely treatment"},
                    {"id": "d2", "name": "Blood loss known", "level": "secondary", "parents": ["d1"]}],
        "ideas": [{"id": "weigh", "name": "Weigh all blood loss", "description": "Scales in theatre"}],
        "measures": [{"measure": "pph_1500", "role": "outcome", "why": "It is what women feel"}],
        "aims": [{"text": "Halve it", "for_whom": "Black", "by_when": "2025-03-31",
                  "defined_by": [{"who": "service users", "how_many": 9, "recompensed": "yes"}]}],
        "cycles": [cycle, cycle | {"id": "c2", "name": "Cycle 2", "purpose": "test", "do": None,
                                   "study": None, "act": None}],
    }  # fmt: skip
    return pdsa.Project(**(start | fields))


def series(scheme: str | None = "nhs-2001", sites: tuple[str, ...] = ("North",)) -> qe.StratifiedSeries:
    groups = {"A": 90, "N": 30, "Z": 10}
    rows = pd.DataFrame(
        [
            (m, s, g, None if (g, i) == ("N", 3) else (40 if i == 20 else 5) * n // 90, n)
            for s in sites
            for g, n in groups.items()
            for i, m in enumerate(MONTHS)
        ],
        columns=["month", "site", "code", "x", "n"],
    )
    columns = {"period": "month", "numerator": "x", "denominator": "n", "group": "code", "site": "site"}
    return qe.from_counts(rows, qe.measures["pph_1500"], scheme=scheme, **columns)


def text(outline: Squire, number: str) -> str:
    return str(outline.items.set_index("number")["text"][number])


def test_the_record_fills_what_it_can() -> None:
    outline = squire(project())
    assert text(outline, "1") == "Fewer haemorrhages"
    assert text(outline, "3") == "12 % against 5 %"
    assert text(outline, "5").splitlines()[1] == "- Blood loss known (secondary driver, of Timely treatment)"
    assert text(outline, "6") == "- Halve it, for Black, by 2025-03-31"
    assert text(outline, "7").splitlines() == [
        "- Site: North", "- Team: Ward lead midwife", "- Team: Data analyst",
    ]  # fmt: skip
    assert text(outline, "8") == "- Weigh all blood loss: Scales in theatre"
    assert text(outline, "9").splitlines()[0] == "- Cycle 1: Half as many (Black)"
    assert text(outline, "12").splitlines() == [
        "- service users (9): defined the aim; recompensed: yes",
        "- midwives (4): took part; recompensed: not recorded",
    ]
    assert text(outline, "13a").splitlines() == [
        "- Cycle 1 (implement), from 2023-01-09: Weigh all; adopt: All theatres",
        "- Cycle 2 (test), not dated: Weigh all; planned",
    ]
    assert text(outline, "13e").splitlines() == [
        "- Cycle 1: Scales were lent away",
        "- Cycle 1, harm (Asian): not yet visible; few births",
    ]
    for number in ("2", "4", "11", "13b", "13d", "14", "15", "16", "17", "18"):
        assert text(outline, number) == "To write."
    assert set(outline.items["from"]) == {"record", "to write"}


def test_a_changed_aim_says_so() -> None:
    made = project()
    later = made.put(made.aims[0].revise({"text": "Down by a third"}, by="x"))
    assert text(squire(later), "6") == "- Down by a third, for Black, by 2025-03-31 (version 2)"


def test_context_is_cycles_and_meetings_in_the_order_of_dates() -> None:
    meetings = [
        {"kind": "data call", "date": "2023-04-04", "title": "April call"},
        {"kind": "coaching call", "date": "2022-12-01", "title": "Before", "sites": ["North"]},
        {"kind": "coaching call", "date": "2023-02-01", "title": "Elsewhere", "sites": ["South"]},
    ]
    network = pdsa.Network(name="x", sites=[{"name": "North"}, {"name": "South"}], meetings=meetings)
    assert text(squire(project(), network=network), "13c").splitlines() == [
        "- 2022-12-01: coaching call, Before",
        "- 2023-01-09: Cycle 1 began",
        "- 2023-04-04: data call, April call",
        "- 2023-06-02: Cycle 1 decided: adopt",
    ]
    assert "April" not in text(squire(project()), "13c")


def test_the_data_say_variation_and_completeness() -> None:
    given = series()
    outline = squire(project(), given)
    assert set(outline.items.loc[outline.items["from"] == "data", "number"]) == {"10", "11", "13b"}
    chart = qe.control_chart(given, phases=project())
    variation = text(outline, "11")
    assert "24 periods (by month)" in variation
    assert "in up to 2 phase(s)" in variation
    assert (
        f"Expected false signals over all: {chart.summary()['expected_false_signals_all'].iloc[0]:.2g}"
        in (variation)
    )
    assert text(outline, "13b").count("\n- ") == max(len(chart.signals), 1)
    complete = text(outline, "10")
    # 130 births a month, 10 of them not stated: 120 / 130.
    assert "group known for 92.3% of 3120 births; lowest in a period: 92.3%" in complete
    assert "23 of 24 periods observed; 1 missing" in complete
    # What the record says of the measures is kept beside it.
    assert "(outcome): It is what women feel" in complete


def test_signals_are_told_with_their_phase() -> None:
    flat = squire(project(cycles=()), series())
    assert "- North, White - British, phase 1: beyond limits, concern (2023-09-01" in text(flat, "13b")
    none = squire(project(cycles=()), series().select(end="2022-06"))
    assert "no signal; that is not the same as no change" in text(none, "13b")


def test_what_cannot_be_told_is_said() -> None:
    assert "completeness of the group cannot be told (" in text(squire(project(), series(scheme=None)), "10")
    alone = series().total().pool("site")
    assert "- All groups: 24 of 24 periods observed" in text(squire(project(), alone), "10")
    withheld = series().disclose("dqmi")
    assert "suppressed" in text(squire(project(), withheld), "10")


def test_only_the_projects_own_site_is_looked_at() -> None:
    both = series(sites=("North", "South"))
    made = project()
    assert squire(made, [both]).equals(squire(made, series()))
    with pytest.raises(qe.OptionError, match="has the sites South, not 'North'"):
        squire(project(), series(sites=("South",)))


def test_markdown_has_every_heading_once_and_marks_what_is_not_confirmed() -> None:
    outline = squire(project(), series())
    headings = [line for line in str(outline).splitlines() if line.startswith("## ")]
    assert len(headings) == len(outline.items) == 22
    assert [line for line in headings if line.endswith("(heading not confirmed)")] == headings[-5:]
    assert str(outline).count("*To write.*") == (outline.items["from"] == "to write").sum()


def test_the_result_keeps_the_habits_of_results() -> None:
    outline = squire(project(), series())
    assert Squire.from_dict(json.loads(json.dumps(outline.to_dict()))).equals(outline)
    assert not outline.equals(squire(project()))
    assert outline.items.columns.tolist() == ["number", "heading", "text", "from", "confirmed"]
    assert outline.notes.empty
    with pytest.raises(qe.DataError, match="wanted is 'Squire'"):
        Squire.from_dict({})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"project": 5}, "give a Project"),
        ({"project": project(), "network": 5}, "give a Network"),
        ({"project": project(), "series": [5]}, "series"),
    ],
)
def test_what_is_of_another_kind_is_refused(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(qe.InputTypeError, match=told):
        squire(**arguments)
