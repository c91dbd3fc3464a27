"""Phases and marks that projects give to charts and evaluations, against frames written by hand."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

import qi_equity as qe
from qi_equity import pdsa

PPH = qe.measures["pph_1500"].name
MONTHS = pd.period_range("2022-01", periods=24, freq="M").astype(str).tolist()
GROUPS = ["Asian", "Black"]


def cycle(name: str, start: str | None, idea: str = "weigh", **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": name.replace(" ", "-"), "name": name, "idea": idea, "purpose": "implement",
        "plan": {"objective": "x", "predictions": [{"text": "fewer"}], "measures": ["pph_1500"]},
    }  # fmt: skip
    if start:
        made["do"] = {"start": start, "as_planned": True}
    return made | fields


def stopped(day: str) -> dict[str, Any]:
    return {
        "study": {"date": "2023-05-01", "learning": "no", "results": [{"matched": "no"}]},
        "act": {"date": "2023-05-02", "decision": "abandon", "follows": "Scales", "stopped": day},
    }


def project(*cycles: dict[str, Any], site: str = "North", **fields: Any) -> pdsa.Project:
    ideas = [
        {"id": "weigh", "name": "Weigh all blood loss"},
        {"id": f"line-{site}", "name": "Phone line", "code": "line", "groups": GROUPS},
    ]
    measures = [{"measure": "pph_1500", "role": "outcome"}, {"measure": "Waiting time", "role": "process"}]
    start = {"name": "Fewer haemorrhages", "site": site, "ideas": ideas, "measures": measures}
    return pdsa.Project(**(start | {"cycles": cycles} | fields))


def series(**more: Any) -> qe.StratifiedSeries:
    rows = pd.DataFrame(
        [
            (m, "North", g, 6 + (7 * i + 3 * p) % 9, 90)
            for p, g in enumerate(GROUPS)
            for i, m in enumerate(MONTHS)
        ],
        columns=["month", "site", "group", "x", "n"],
    )
    columns = {"period": "month", "numerator": "x", "denominator": "n", "group": "group", "site": "site"}
    return qe.from_counts(rows, qe.measures["pph_1500"], **columns, **more)


def rows(frame: pd.DataFrame) -> list[list[Any]]:
    return [
        [None if pd.isna(v) else str(v.date()) if isinstance(v, pd.Timestamp) else v for v in row]
        for row in frame.to_numpy(object).tolist()
    ]


def test_implemented_changes_are_phases_in_the_order_of_dates() -> None:
    made = project(
        cycle("Cycle 2", "2023-01-09", **stopped("2023-06-01")),
        cycle("Cycle 1", "2022-09-12", idea="line-North"),
        cycle("Cycle 3", None),
        cycle("Cycle 4", "2022-02-01", purpose="test"),
    )
    expected = [
        ["2022-09-12", "North", "Asian", "Phone line", "Cycle 1: implemented"],
        ["2022-09-12", "North", "Black", "Phone line", "Cycle 1: implemented"],
        ["2023-01-09", "North", None, "Weigh all blood loss", "Cycle 2: implemented"],
        ["2023-06-01", "North", None, "Weigh all blood loss stopped", "Cycle 2: abandoned"],
    ]
    for measure in ("pph_1500", PPH):
        assert rows(made.phases(measure)) == expected
    assert rows(made.phases(PPH, group="Black")) == expected[1:]
    assert rows(made.phases(PPH, group="Mixed")) == expected[2:]
    assert rows(made.phases(PPH, idea="line")) == expected[:2]
    assert rows(made.phases(PPH, idea="line-North")) == []
    assert rows(made.phases("Waiting time")) == []


def test_a_plan_without_measures_bears_on_all_of_the_project() -> None:
    plan = {"objective": "x", "predictions": [{"text": "fewer"}]}
    made = project(cycle("Cycle 1", "2022-09-12", plan=plan))
    assert len(made.phases(PPH)) == len(made.phases("Waiting time")) == 1
    assert made.phases("Another").empty


def test_cycles_that_were_carried_out_are_marks() -> None:
    made = project(
        cycle("Cycle 2", "2023-01-09", **stopped("2023-06-01")),
        cycle("Cycle 1", "2022-09-12", idea="line-North", purpose="test"),
        cycle("Cycle 3", None),
    )
    assert rows(made.cycle_marks("pph_1500")) == [
        ["Cycle-1", "Cycle 1", "2022-09-12", None, "North", "Asian", "test", None],
        ["Cycle-1", "Cycle 1", "2022-09-12", None, "North", "Black", "test", None],
        ["Cycle-2", "Cycle 2", "2023-01-09", "2023-05-02", "North", None, "implement", "abandon"],
    ]


def test_frames_have_the_same_types_without_rows() -> None:
    full, empty = project(cycle("Cycle 1", "2022-09-12")), project()
    for given in (full.phases(PPH), full.cycle_marks(PPH)):
        assert given["start"].dtype == "datetime64[s]"
    assert empty.phases(PPH).dtypes.equals(full.phases(PPH).dtypes)
    assert empty.cycle_marks(PPH).dtypes.equals(full.cycle_marks(PPH).dtypes)


def test_sites_and_networks_put_those_of_their_projects_together() -> None:
    north = project(cycle("Cycle 2", "2023-01-09"))
    south = project(cycle("Cycle 1", "2022-09-12", idea="line-South"), site="South")
    for one in (north, south):
        site = pdsa.Site(name=one.site, projects=[one])
        assert site.phases(PPH).equals(one.phases(PPH))
        assert site.cycle_marks(PPH).equals(one.cycle_marks(PPH))
    south_apart = south.model_dump(mode="json")
    south_apart["ideas"][0]["id"] = "weigh-south"
    sites = [{"name": "North", "projects": [north]}, {"name": "South", "projects": [south_apart]}]
    network = pdsa.Network(name="x", sites=sites)
    assert network.phases(PPH)["site"].tolist() == ["South", "South", "North"]
    assert network.phases(PPH, idea="line")["site"].tolist() == ["South", "South"]
    assert network.cycle_marks(PPH)["site"].tolist() == ["South", "South", "North"]


def test_records_are_what_charts_and_evaluations_ask_for() -> None:
    made = project()
    for record in (made, pdsa.Site(name="North"), pdsa.Network(name="x")):
        assert isinstance(record, qe.RecordedChanges)
        assert isinstance(record, qe.RecordedCycles)


def test_a_project_gives_the_phases_of_a_chart() -> None:
    made = project(cycle("Cycle 2", "2023-01-09"))
    by_hand = made.phases(PPH).drop(columns="group")
    chart = qe.control_chart(series(), phases=made)
    assert chart.points.equals(qe.control_chart(series(), phases=by_hand).points)
    assert chart.points.groupby("group", observed=True)["phase"].nunique().tolist() == [2, 2]
    assert "post hoc" not in json.dumps(chart.to_dict())
    assert "Cycle 2: implemented" in json.dumps(chart.to_dict())


def test_a_phase_without_a_record_is_post_hoc() -> None:
    chart = qe.control_chart(series(), phases=["2023-01"])
    assert "post hoc" in json.dumps(chart.to_dict())
    none = qe.control_chart(series(), phases=project())
    assert none.points["phase"].unique().tolist() == [1]
    assert "no_recorded_change" in none.notes["code"].tolist()


def test_a_project_gives_the_change_to_evaluate() -> None:
    made = project(cycle("Cycle 2", "2023-01-09"))
    # Why that reference: the made-up data have two groups, and one is compared with the other.
    reference = qe.Reference("Asian", reason="the only other group of these made-up data")
    found = qe.evaluate_change(series(), at=made, reference=reference)
    by_date = qe.evaluate_change(series(), at="2023-01", reference=reference)
    numbers = found.groups.select_dtypes("number")
    pd.testing.assert_frame_equal(numbers, by_date.groups.select_dtypes("number"))
    assert "Cycle 2: implemented" in json.dumps(found.to_dict())


@pytest.mark.parametrize("measure", ["pph_1500", PPH])
def test_a_measure_is_named_by_its_id_or_its_name(measure: str) -> None:
    plan = {"objective": "x", "predictions": [{"text": "fewer"}], "measures": [measure]}
    assert len(project(cycle("Cycle 1", "2022-09-12", plan=plan)).phases(PPH)) == 1


def test_a_measure_that_is_no_text_is_refused() -> None:
    made = pdsa.Site(name="North", projects=[project(cycle("Cycle 1", "2023-01-09"))])
    for ask in (made.phases, made.cycle_marks):
        with pytest.raises(
            qe.InputTypeError, match="measure=5 is of type int; give its name, or its catalog"
        ):
            ask(5)
