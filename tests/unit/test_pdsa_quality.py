"""The checklist of quality: what is recorded, what is not, and what the record shows not to be so."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

import qi_equity as qe
from qi_equity import pdsa
from qi_equity.pdsa.checklists.progress import progress_scale
from qi_equity.pdsa.checklists.quality import Quality, quality

MEASURE = "pph_1500"
OUTCOME = {"measure": "pph_1000", "role": "outcome"}
LINK = "Weigh: causal link shown by data"
AT = datetime(2024, 4, 1, tzinfo=UTC)


def plan(*groups: str, **fields: Any) -> pdsa.Plan:
    full = {
        "objective": "Weigh all blood loss",
        "questions": ["Does it fit the round?"],
        "predictions": [{"text": "fewer", "group": g, "measure": MEASURE} for g in groups],
        "measures": [MEASURE],
        "tasks": [{"what": "Weigh", "where": "Theatre"}],
        "data_plan": "The ward clerk, each Friday",
        "scale": {"size": "one shift", "people": 5, "belief": "low", "consequence": "major"},
    }
    return pdsa.Plan(**(full | fields))


def do(people: int = 5, *groups: str, **fields: Any) -> pdsa.Do:
    reached = [{"people": people}] + [{"group": g, "people": people} for g in groups]
    full = {"start": "2024-03-04", "as_planned": True, "observations": "Well", "data_attached": True}
    return pdsa.Do(**(full | {"reached": reached} | fields))


def study(*groups: str, matched: str = "yes", **fields: Any) -> pdsa.Study:
    answers = [
        {"matched": matched, "group": g, "measure": MEASURE, "events": 0, "denominator": 5} for g in groups
    ]
    harm = [{"group": g, "found": "none seen"} for g in groups]
    full = {
        "date": "2024-03-11",
        "learning": "It fits",
        "comparison": "Less",
        "results": answers,
        "harm": harm,
    }
    return pdsa.Study(**(full | fields))


def act(**fields: Any) -> pdsa.Act:
    full = {"date": "2024-03-12", "decision": "expand", "follows": "All shifts", "reason": "It works"}
    return pdsa.Act(**(full | fields))


EQUITY = {
    "strata": ["Asian", "Black"],
    "comparator_reason": "none: each group against its own past",
    "took_part": [{"who": "service users", "recompensed": "yes"}],
    "principles": ["Naming"],
    "completeness": 0.9,
    "completeness_on": "2024-03-01",
}
GROUPS = ("Asian", "Black")


def full(name: str = "c2", groups: tuple[str, ...] = GROUPS, **fields: Any) -> pdsa.Cycle:
    """Give a cycle that lacks nothing, its steps recorded one after the other."""
    start = {"plan": plan(*groups), "previous": ["c1"], "equity": EQUITY} | fields
    made = pdsa.Cycle(id=name, name=name, idea="weigh", **start)
    for step in (do(5, *groups), study(*groups), act()):
        made = made.record(step, by="Midwife", at=AT)
    return made


def met(work: Any) -> dict[str, str]:
    items = quality(work).items
    return dict(zip(items["item"], items["met"], strict=True))


def lacks(work: Any, name: str) -> str:
    items = quality(work).items.set_index("item")
    return str(items["missing"][name])


def test_a_full_cycle_lacks_only_what_one_cycle_cannot_have() -> None:
    checked = quality(full())
    assert checked.missing.empty
    later = checked.items[checked.items["met"] == "not due"]
    assert later["item"].tolist() == [
        "who defined the aim", "tested small, then larger", "tested under varying conditions",
        "causal link shown by data",
    ]  # fmt: skip


def test_a_plan_alone_has_steps_that_are_not_due() -> None:
    made = pdsa.Cycle(name="x", idea="weigh", plan=pdsa.Plan(objective="x"))
    items = quality(made).items
    assert set(items["met"]) == {"yes", "not recorded", "not due"}
    assert (items["missing"] != "").tolist() == items["met"].isin(["no", "not recorded"]).tolist()
    later = made.revise({"plan": plan("Asian")}, by="x").record(do(), by="x")
    before = set(items.loc[items["met"] == "not due", "item"])
    after = {name for name, how in met(later).items() if how == "not due"}
    assert after < before


def changed(**fields: Any) -> dict[str, Any]:
    return {"equity": EQUITY | fields}


CHANGES: list[tuple[str, dict[str, Any], str]] = [
    ("Iterative cycles: it follows on earlier cycles", {"previous": ()}, "not recorded"),
    (
        "Small-scale testing: scale set by belief and consequence",
        {"plan": plan(*GROUPS, scale=None)},
        "not recorded",
    ),
    (
        "Small-scale testing: tested before it is implemented",
        {"previous": (), "purpose": "implement"},
        "no",
    ),
    (
        "Use of data over time: collection is planned",
        {"plan": plan(*GROUPS, data_plan=" ")},
        "not recorded",
    ),
    ("Use of data over time: data are attached", {"do": do(data_attached=False)}, "no"),
    ("Documentation: Plan", {"plan": plan(*GROUPS, tasks=[])}, "not recorded"),
    ("Documentation: Do", {"do": do(observations="")}, "not recorded"),
    ("Documentation: Study", {"study": study(*GROUPS, comparison="")}, "not recorded"),
    ("Documentation: Act", {"act": act(reason="")}, "not recorded"),
    ("groups to watch are named", changed(strata=[]), "not recorded"),
    ("a prediction for each watched group", changed(strata=["Asian", "Mixed"]), "not recorded"),
    ("people reached of each watched group", {"do": do(5, "Asian")}, "not recorded"),
    ("a harm check for each watched group", {"study": study(*GROUPS, harm=[])}, "not recorded"),
    (
        "a harm check for each watched group",
        {"study": study(*GROUPS, harm=[{"group": "Asian", "found": "not checked"}])},
        "no",
    ),
    (
        "groups not yet visible are told at the decision",
        {"study": study(*GROUPS, matched="not yet visible")},
        "no",
    ),
    ("a comparator with its reason, or why there is none", changed(comparator_reason=""), "not recorded"),
    ("completeness of ethnicity at the time", changed(completeness_on=None), "not recorded"),
    (
        "who took part, and was recompensed",
        changed(took_part=[{"who": "x", "recompensed": "no"}, {"who": "y"}]),
        "no",
    ),
    ("who took part, and was recompensed", changed(took_part=[{"who": "x"}]), "not recorded"),
    ("who took part, and was recompensed", changed(took_part=[]), "not recorded"),
    ("principles of anti-racism that it touches", changed(principles=[]), "not recorded"),
]


@pytest.mark.parametrize(("name", "change", "expected"), CHANGES)
def test_each_item_sees_what_it_asks_for(name: str, change: dict[str, Any], expected: str) -> None:
    assert met(full())[name] == "yes"
    made = full().revise(change, by="x")
    assert met(made)[name] == expected
    assert lacks(made, name)


def test_measures_of_the_project_are_those_of_a_plan_that_names_none() -> None:
    name = "Use of data over time: measures are named"
    bare = plan(measures=[], predictions=[{"text": "fewer"}])
    made = pdsa.Cycle(name="x", idea="weigh", plan=bare)
    assert met(made)[name] == "not recorded"
    assert met(project(made))[name] == "yes"
    assert met(project(made, measures=[]))[name] == "not recorded"


def test_results_without_counts_are_named() -> None:
    results = [{"matched": "yes", "group": g, "measure": MEASURE} for g in GROUPS]
    made = full().revise({"study": study(*GROUPS, results=results)}, by="x")
    assert lacks(made, "Use of data over time: results have counts").endswith("Asian, Black")


def test_groups_without_visible_evidence_may_be_told() -> None:
    name = "groups not yet visible are told at the decision"
    made = full().revise(
        {"study": study(*GROUPS, matched="not yet visible"), "act": act(not_yet_visible=["Asian", "Black"])},
        by="x",
    )
    assert met(made)[name] == "yes"
    assert lacks(made.revise({"act": act(not_yet_visible=["Asian"])}, by="x"), name).endswith(": Black")


def test_predictions_changed_after_the_do_are_told() -> None:
    name = "Prediction-based test: predicted before the Do"
    made = full()
    assert (met(made)[name], quality(made).notes.empty) == ("yes", True)
    other = plan(*GROUPS, predictions=[{"text": "more", "group": g, "measure": MEASURE} for g in GROUPS])
    later = made.revise({"plan": other}, by="B. Clerk", at=AT)
    assert met(later)[name] == "no"
    note = quality(later).notes.iloc[0]
    assert (note["code"], note["severity"]) == ("prediction_changed", "warning")
    assert "changed on 2024-04-01 by B. Clerk, after the Do was recorded" in note["text"]
    # Changed and changed back is changed; a later correction of something else is not.
    back = later.revise({"plan": made.plan}, by="x")
    assert met(back)[name] == "no"
    assert met(made.revise({"plan": plan(*GROUPS, data_plan="other")}, by="x"))[name] == "yes"
    hidden = later.redact("plan.predictions", "named a patient", by="x")
    assert met(hidden)[name] == "not recorded"
    assert lacks(hidden, name).endswith("what was changed is redacted")


def test_a_prediction_changed_before_the_do_stands() -> None:
    made = pdsa.Cycle(name="x", idea="weigh", plan=plan("Asian"))
    made = made.revise({"plan": plan("Black")}, by="x").record(do(), by="x")
    assert met(made)["Prediction-based test: predicted before the Do"] == "yes"


def test_what_was_recorded_at_once_shows_no_order() -> None:
    made = pdsa.Cycle(name="x", idea="weigh", plan=plan("Asian"), do=do())
    name = "Prediction-based test: predicted before the Do"
    assert met(made)[name] == "not recorded"
    assert "first recorded together with the Do" in lacks(made, name)


def project(*cycles: pdsa.Cycle, **fields: Any) -> pdsa.Project:
    start: dict[str, Any] = {
        "name": "Fewer haemorrhages", "site": "North", "ideas": [{"id": "weigh", "name": "Weigh"}],
        "measures": [{"measure": MEASURE, "role": "outcome"}],
        "aims": [{"text": "Halve it", "for_whom": "Black", "by_when": "2025-03-31",
                  "defined_by": [{"who": "service users"}]}],
    }  # fmt: skip
    return pdsa.Project(**(start | {"cycles": cycles} | fields))


def ramp() -> tuple[pdsa.Cycle, ...]:
    first = full("c1", previous=())
    small = do(5, *GROUPS)
    large = do(50, *GROUPS, start="2024-03-05")
    there = plan(*GROUPS, tasks=[{"what": "Weigh", "where": "Ward 2"}])
    return first.revise({"do": small.model_copy(update={"observations": "x"})}, by="x"), full(
        "c2", plan=there
    ).revise({"do": large}, by="x")


def test_a_ramp_that_grew_under_varying_conditions_is_ready() -> None:
    found = met(project(*ramp()))
    for name in ("tested small, then larger", "tested under varying conditions", "causal link shown by data"):
        assert found[f"Weigh: {name}"] == "yes"
    assert found["who defined the aim"] == "yes"
    assert found["Iterative cycles: two or more that are linked"] == "yes"
    # The last of the two was to be expanded, and nothing follows on it yet.
    last = "Iterative cycles: a cycle follows on each that was adapted or expanded"
    assert found[last] == "not recorded"
    assert lacks(project(*ramp()), last).endswith(": c2")


def test_a_ramp_that_did_not_is_not() -> None:
    first, second = ramp()
    shrunk = second.revise({"do": do(1, *GROUPS, start="2024-03-05")}, by="x")
    assert met(project(first, shrunk))["Weigh: tested small, then larger"] == "no"
    same = second.revise({"plan": plan(*GROUPS)}, by="x")
    assert met(project(first, same))["Weigh: tested under varying conditions"] == "no"
    other = same.revise({"do": do(50, "Asian", start="2024-03-05")}, by="x")
    assert met(project(first, other))["Weigh: tested under varying conditions"] == "yes"
    unlike = second.revise({"study": study(*GROUPS, matched="no")}, by="x")
    assert met(project(first, unlike))["Weigh: causal link shown by data"] == "no"
    assert met(project(first))["Weigh: causal link shown by data"] == "not recorded"
    assert met(project(first))["Weigh: tested small, then larger"] == "not recorded"
    nowhere = [c.revise({"plan": plan(*GROUPS, tasks=[]), "do": do(5)}, by="x") for c in (first, second)]
    assert met(project(*nowhere))["Weigh: tested under varying conditions"] == "not recorded"


@pytest.mark.parametrize(
    ("asian", "black", "expected"),
    [
        ("yes", "not yet visible", "yes"),
        ("not yet visible", "not yet visible", "not recorded"),
        ("yes", "no", "no"),
        ("not yet visible", "no", "no"),
    ],
)
def test_a_group_not_yet_visible_speaks_neither_way(asian: str, black: str, expected: str) -> None:
    answers = [
        {"matched": how, "group": g, "measure": MEASURE, "events": 0, "denominator": 5}
        for g, how in (("Asian", asian), ("Black", black))
    ]
    cycles = [c.revise({"study": study(*GROUPS, results=answers)}, by="x") for c in ramp()]
    assert met(project(*cycles))["Weigh: causal link shown by data"] == expected


def test_that_a_process_was_done_shows_no_link() -> None:
    def with_role(role: str) -> str:
        return met(project(*ramp(), measures=[{"measure": MEASURE, "role": role}, OUTCOME]))[LINK]

    assert with_role("process") == "not recorded"
    assert with_role("outcome") == "yes"


def test_the_first_cycle_of_an_idea_follows_on_none() -> None:
    name = "Iterative cycles: it follows on earlier cycles"
    first, second = ramp()
    alone = second.revise({"previous": ()}, by="x")
    assert met(first)[name] == "not recorded"
    assert met(project(first, second))[name] == "yes"
    assert met(project(first, alone))[name] == "not recorded"
    assert lacks(project(first, alone), name).startswith("c2: name the cycles")


def test_cycles_that_are_not_linked() -> None:
    name = "Iterative cycles: two or more that are linked"
    first, second = ramp()
    assert met(project(first))[name] == "no"
    assert met(project(first, second.revise({"previous": ()}, by="x")))[name] == "not recorded"
    assert met(project())[name] == "no"


def test_a_project_meets_what_all_its_cycles_meet() -> None:
    first, second = ramp()
    name = "Documentation: Act"
    assert met(project(first, second))[name] == "yes"
    bare = second.revise({"act": act(reason="")}, by="x")
    assert met(project(first, bare))[name] == "not recorded"
    assert lacks(project(first, bare), name) == "c2: write act.reason"
    both = first.revise({"act": act(reason="")}, by="x")
    assert lacks(project(both, bare), name) == "c1, c2: write act.reason"
    planned = pdsa.Cycle(id="c3", name="c3", idea="weigh", plan=plan("Asian"))
    assert met(project(planned))[name] == "not due"
    assert met(project(first, planned))[name] == "yes"


def test_who_defined_the_aim() -> None:
    name = "who defined the aim"
    aim = {"text": "Halve it", "for_whom": "Black", "by_when": "2025-03-31"}
    assert lacks(project(aims=[aim]), name).endswith("Halve it")
    assert "record the aim" in lacks(project(aims=[]), name)


def test_people_are_counted_by_group_where_not_overall() -> None:
    first, second = ramp()
    groups = [{"group": g, "people": 40} for g in GROUPS]
    by_group = second.revise({"do": do(start="2024-03-05", reached=groups)}, by="x")
    assert met(project(first, by_group))["Weigh: tested small, then larger"] == "yes"


def test_what_is_neither_is_refused() -> None:
    with pytest.raises(qe.InputTypeError, match="give a Cycle or a Project"):
        quality(pdsa.Site(name="North"))


def test_the_result_keeps_the_habits_of_results() -> None:
    first, second = ramp()
    for work in (first, project(first, second), project(), full().revise({"plan": plan(*GROUPS, predictions=[
        {"text": "z", "group": g, "measure": MEASURE} for g in GROUPS])}, by="x")):  # fmt: skip
        found = quality(work)
        read = Quality.from_dict(json.loads(json.dumps(found.to_dict())))
        assert read.equals(found)
        assert (read.items.equals(found.items), read.notes.equals(found.notes)) == (True, True)
        assert found.items.columns.tolist() == ["part", "item", "met", "missing", "source"]
        assert not found.equals(quality(pdsa.Cycle(name="y", idea="weigh", plan=plan())))
        assert found.sentence() in str(found)
        assert found._repr_html_().count("<tr") > 3
        copy = found.items
        copy["met"] = "yes"
        assert not (found.items["met"] == "yes").all()
    assert "reach" in str(quality(project()))
    with pytest.raises(qe.DataError, match="wanted is 'Quality'"):
        Quality.from_dict({})
    with pytest.raises(qe.DataError, match="not the data of a Quality"):
        Quality.from_dict(quality(first).to_dict() | {"items": 5})


def test_the_scale_of_progress_is_told_with_its_source() -> None:
    for version, known in (("life-qi", 10), ("sqe", 4)):
        scale = progress_scale(version)
        assert scale["score"].tolist() == [step / 2 for step in range(1, 11)]
        assert (scale["meaning"] != "").sum() == known
        assert scale["source"].nunique() == 1
    life = progress_scale("life-qi")
    assert life.loc[~life["confirmed"], "score"].tolist() == [4.5]
    with pytest.raises(qe.OptionError, match="Did you mean 'sqe'"):
        progress_scale("sqf")
