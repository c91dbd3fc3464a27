"""Versions that are never written over, the one exception to that, and records within records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import qi_equity as qe
from qi_equity import pdsa

SECRET = "hospital number 4711"
AT = datetime(2024, 4, 1, 12, tzinfo=UTC)


def plan(**fields: Any) -> dict[str, Any]:
    predictions = [{"text": "fewer", "group": group, "measure": "pph_1500"} for group in ("Asian", "Black")]
    return {"objective": "Weigh all blood loss", "predictions": predictions} | fields


def study(*groups: str, **fields: Any) -> pdsa.Study:
    results = [{"matched": "yes", "group": group, "measure": "pph_1500"} for group in groups]
    return pdsa.Study(**({"date": "2024-03-11", "learning": "It fits", "results": results} | fields))


def cycle(**fields: Any) -> pdsa.Cycle:
    return pdsa.Cycle(**({"id": "c1", "name": "Cycle 1", "idea": "weigh", "plan": plan()} | fields))


def done(**fields: Any) -> pdsa.Cycle:
    do = {"start": "2024-03-04", "as_planned": True}
    return cycle(**({"do": do, "study": study("Asian", "Black")} | fields))


def project(**fields: Any) -> pdsa.Project:
    start = {
        "id": "p1", "name": "Fewer haemorrhages", "site": "North",
        "ideas": [{"id": "weigh", "name": "Weigh"}],
        "measures": [{"id": "m1", "measure": "pph_1500", "role": "outcome"}],
    }  # fmt: skip
    return pdsa.Project(**(start | fields))


def everything(record: pdsa.Record) -> str:
    """Give all that a record and its versions hold, as text."""
    versions = record.history()
    return "\n".join([repr(versions), *(v.model_dump_json() for v in versions), str(record.model_dump())])


def test_a_correction_is_a_new_version() -> None:
    first = cycle(recorded_by="Ward lead")
    second = first.revise({"name": "Cycle 1a", "purpose": "implement"}, by="Midwife", reason="typo", at=AT)
    assert (first.name, first.version, first.trail) == ("Cycle 1", 1, ())
    assert (second.name, second.version, second.recorded_by) == ("Cycle 1a", 2, "Ward lead")
    stamp = second.trail[0]
    assert (stamp.at, stamp.by, stamp.reason, stamp.what) == (AT, "Midwife", "typo", "revised")
    assert stamp.before == {"name": "Cycle 1", "purpose": "test"}
    assert second.history() == (first, second)


def test_only_what_differs_is_kept() -> None:
    second = cycle().revise({"name": "Other", "purpose": "test"}, by="x")
    assert set(second.trail[0].before) == {"name"}


def test_steps_are_recorded_one_after_the_other() -> None:
    steps = [
        pdsa.Do(start="2024-03-04", as_planned=True),
        study("Asian", "Black"),
        pdsa.Act(date="2024-03-12", decision="adopt", follows="All wards"),
    ]
    made = cycle()
    with pytest.raises(qe.DataError, match="needs a do"):
        made.record(steps[1], by="x")
    for step in steps:
        made = made.record(step, by="x")
    assert [v.status for v in made.history()] == ["planned", "done", "studied", "decided"]
    with pytest.raises(qe.InputTypeError, match="a Do, a Study or an Act"):
        made.record(pdsa.Plan(objective="x"), by="x")


def test_a_part_can_be_put_back_as_it_was() -> None:
    first = done()
    second = first.revise({"do": dict(first.do) | {"as_planned": False}}, by="x")
    third = second.revise({"do": first.do}, by="x", reason="was right")
    assert third.do == first.do
    assert [v.do.as_planned for v in third.history()] == [True, False, True]


@given(st.lists(st.dictionaries(
    st.sampled_from(["name", "description", "groups", "code", "shared"]), st.integers(0, 3), min_size=1
), max_size=6))  # fmt: skip
def test_history_is_what_a_list_of_copies_would_hold(changes: list[dict[str, int]]) -> None:
    values: dict[str, list[Any]] = {
        "name": ["a", "b", "ç", "\U0001f600"],
        "description": ["", " ", "x", "\n"],
        "groups": [(), ("Asian",), ("Black", "Asian"), ("Asian", "Black")],
        "code": [None, "a", "b", "c"],
        "shared": [False, True, False, True],
    }
    now = pdsa.ChangeIdea(id="i", name="start")
    copies = [now]
    for change in changes:
        new = {name: values[name][i] for name, i in change.items()}
        if all(getattr(now, name) == value for name, value in new.items()):
            with pytest.raises(qe.OptionError, match="changes nothing"):
                now.revise(new, by="x")
            continue
        now = now.revise(new, by="x")
        now = type(now).model_validate_json(now.model_dump_json())
        copies.append(now)
    assert now.history() == tuple(copies)
    assert now.version == len(copies)


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"id": "x"}, qe.OptionError, "'id' is not allowed"),
        ({"recorded_by": "x"}, qe.OptionError, "'recorded_by' is not allowed"),
        ({"trail": ()}, qe.OptionError, "'trail' is not allowed"),
        ({"nome": "x"}, qe.OptionError, "Did you mean 'name'"),
        ({}, qe.OptionError, "changes nothing"),
        ({"name": "Cycle 1"}, qe.OptionError, "changes nothing"),
        ({"name": ""}, qe.DataError, "is empty"),
        (5, qe.InputTypeError, "give a dict"),
        ([("name", "x")], qe.InputTypeError, "give a dict"),
    ],
)
def test_what_is_no_change_is_refused(changes: Any, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        cycle().revise(changes, by="x")


def test_who_and_when_are_checked() -> None:
    for by in ("", 5, "\x00"):
        with pytest.raises(qe.DataError, match="by"):
            cycle().revise({"name": "x"}, by=by)
    with pytest.raises(qe.DataError, match="no time zone"):
        cycle().revise({"name": "x"}, by="x", at=datetime(2024, 1, 1))
    east = AT.astimezone(timezone(timedelta(hours=5)))
    assert cycle().revise({"name": "x"}, by="x", at=east).trail[0].at == AT
    before = datetime.now(UTC)
    assert before <= cycle().revise({"name": "x"}, by="x").trail[0].at <= datetime.now(UTC)


def test_what_holds_records_keeps_them_in_all_its_versions() -> None:
    first = project(cycles=[cycle()])
    second = first.revise({"problem": "12 % against 5 %"}, by="x")
    assert second.history() == (first, second)
    with pytest.raises(qe.OptionError, match="'cycles' is not allowed"):
        second.revise({"cycles": ()}, by="x")


REDACTIONS: list[tuple[str, dict[str, Any]]] = [
    ("name", {"name": SECRET}),
    ("plan.objective", {"plan": plan(objective=SECRET)}),
    ("plan.questions", {"plan": plan(questions=["x", SECRET])}),
    ("plan.tasks", {"plan": plan(tasks=[{"what": "x"}, {"what": "y", "where": SECRET}])}),
    ("plan.tasks.who", {"plan": plan(tasks=[{"what": "x", "who": SECRET}])}),
    ("plan.scale.size", {"plan": plan(scale={"size": SECRET, "belief": "low", "consequence": "minor"})}),
    ("plan", {"plan": plan(data_plan=SECRET)}),
    ("do.unplanned", {"do": {"start": "2024-03-04", "as_planned": True, "unplanned": SECRET}}),
    ("do", {"do": {"start": "2024-03-04", "as_planned": True, "reached": [{"group": SECRET, "people": 1}]}}),
    ("study", {"study": study("Asian", "Black", comparison=SECRET)}),
    ("study.harm.text", {"study": study("Asian", "Black", harm=[{"found": "seen", "text": SECRET}])}),
    ("equity.strata", {"equity": {"strata": ["Asian", SECRET, "Black"]}}),
    ("equity.took_part", {"equity": {"took_part": [{"who": SECRET, "how_many": 1}]}}),
    ("equity.comparator", {"equity": {"comparator": SECRET, "comparator_reason": "x"}}),
    ("equity", {"equity": {"comparator": "x", "comparator_reason": SECRET}}),
]


@pytest.mark.parametrize(("field", "fields"), REDACTIONS, ids=[field for field, _ in REDACTIONS])
@pytest.mark.parametrize("when", ["now", "before", "between"])
def test_nothing_of_a_redacted_text_stays(field: str, fields: dict[str, Any], when: str) -> None:
    made = done(**(fields if when != "between" else {}))
    if when == "between":
        made = made.revise(fields, by="x", reason="more")
    if when != "now":
        clean = done()
        top = field.split(".")[0]
        made = made.revise({top: getattr(clean, top)}, by="x", reason="taken back")
    assert SECRET in everything(made)
    found = made.redact(field, "named a patient", by="Midwife", at=AT)
    assert SECRET not in everything(found)
    assert SECRET not in everything(type(found).model_validate_json(found.model_dump_json()))
    assert (found.version, len(found.history())) == (made.version, len(made.history()))
    last = found.trail[-1]
    assert (last.what, last.by, last.reason, last.at) == ("redacted", "Midwife", "named a patient", AT)
    assert (last.field, last.before) == (field, {})
    # What stood in other fields, and what is no text, stays.
    assert [v.status for v in found.history()] == [v.status for v in made.history()]
    assert found.plan.start == made.plan.start
    # Life goes on.
    assert found.revise({"name": "On"}, by="x").version == made.version + 1


def test_who_and_why_can_be_redacted_stamp_by_stamp() -> None:
    made = cycle(recorded_by=SECRET).revise({"name": "a"}, by=SECRET, reason=SECRET)
    made = made.revise({"name": "b"}, by="Midwife", reason="typo")
    made = made.redact("plan.objective", SECRET, by="Midwife")
    for field in ("recorded_by", "trail.0.by", "trail.0.reason", "trail.2.reason"):
        made = made.redact(field, "named a patient", by="Midwife", at=AT)
    assert SECRET not in everything(made)
    assert made.recorded_by == "[redacted]"
    told = [(stamp.by, stamp.reason, stamp.what) for stamp in made.trail[:4]]
    assert told == [
        ("[redacted]", "[redacted]", "revised"),
        ("Midwife", "typo", "revised"),
        ("Midwife", "[redacted]", "redacted"),
        ("Midwife", "named a patient", "redacted"),
    ]
    assert [version.name for version in made.history()] == ["Cycle 1", "a", "b"]
    assert type(made).model_validate_json(made.model_dump_json()) == made
    # An empty reason says nothing and stays empty.
    assert cycle().revise({"name": "a"}, by="x").redact("trail.0.reason", "x", by="x").trail[0].reason == ""


@pytest.mark.parametrize("field", [
    "plan", "plan.predictions", "plan.predictions.group", "study", "study.results", "study.results.group",
])  # fmt: skip
def test_groups_of_predictions_and_of_their_results_are_blanked_together(field: str) -> None:
    predictions = [{"text": "x", "group": group, "measure": "pph_1500"} for group in (SECRET, "Asian")]
    made = cycle(plan=plan(predictions=predictions))
    made = made.record(pdsa.Do(start="2024-03-04", as_planned=True), by="x")
    made = made.record(study(SECRET, "Asian"), by="x")
    other = [{"text": "x", "group": group, "measure": "pph_1500"} for group in ("Black", "Asian")]
    made = made.revise({"plan": plan(predictions=other), "study": study("Black", "Asian")}, by="x")
    found = made.redact(field, "named a patient", by="x")
    assert SECRET not in everything(found)
    assert [len(v.plan.predictions) for v in found.history()] == [2, 2, 2, 2]
    assert [r.matched for r in found.study.results] == ["yes", "yes"]
    assert {p.group for p in found.plan.predictions} == {"[redacted]"}


def test_measures_of_predictions_and_of_their_results_too() -> None:
    found = done().redact("study.results.measure", "x", by="x")
    assert {p.measure for p in found.plan.predictions} == {"[redacted]"}
    assert {p.group for p in found.plan.predictions} == {"Asian", "Black"}
    # The project cannot look up what was taken out, and holds it still.
    assert project(cycles=[done()]).put(found).cycles[0].trail == found.trail


def test_other_free_text_is_left_as_it_was() -> None:
    found = done(equity={"strata": ["Black"]}).redact("plan.objective", "x", by="x")
    assert found.plan.objective == "[redacted]"
    assert found.model_dump(exclude={"plan", "trail"}) == done(equity={"strata": ["Black"]}).model_dump(
        exclude={"plan", "trail"}
    )
    assert done().redact("do.unplanned", "x", by="x").do.unplanned == ""


@pytest.mark.parametrize(
    ("field", "reason", "told"),
    [
        ("nome", "x", "Did you mean 'name'"),
        ("do.nothing", "x", "'nothing' is not allowed"),
        ("name.first", "x", "'name' has no parts"),
        ("shared", "x", "holds no free text"),
        ("act.decision", "x", "holds no free text"),
        ("previous", "x", "holds no free text"),
        ("plan.predictions.expected", "x", "holds no free text"),
        ("trail", "x", "give one stamp by number"),
        ("trail.reason", "x", "'trail.0.reason'; stamps: 1"),
        ("trail.1.reason", "x", "stamps: 1"),
        ("trail.-1.reason", "x", "give one stamp"),
        ("trail.00.reason", "x", "give one stamp"),
        ("trail.9999999999999.by", "x", "give one stamp"),
        ("trail.0.before", "x", "give one stamp"),
        ("trail.0.reason.x", "x", "give one stamp"),
        ("recorded_at", "x", "is not allowed"),
        ("id", "x", "is not allowed"),
        ("", "x", "is not allowed"),
        ("name", "", "say why"),
        ("name", " ", "say why"),
        ("name", 5, "say why"),
    ],
)
def test_what_cannot_be_redacted_is_told(field: str, reason: Any, told: str) -> None:
    with pytest.raises(qe.OptionError, match=told):
        cycle().revise({"name": "x"}, by="x").redact(field, reason, by="x")


def test_a_redaction_breaks_no_reference_between_records() -> None:
    touched = cycle(equity={"principles": ["Naming"]})
    made = project(cycles=[touched])
    site = pdsa.Site(id="n", name="North", projects=[made])
    call = {"id": "m", "kind": "data call", "date": "2024-04-09", "title": "April", "sites": ["North"]}
    listed = ["Naming", "Listening"]
    network = pdsa.Network(id="w", name="x", sites=[site], principles=listed, meetings=[call])
    blank = ("[redacted]", "[redacted]")
    assert network.redact("principles", "x", by="x").principles == blank
    assert network.put(site.redact("name", "x", by="x")).sites[0].name == "[redacted]"
    assert site.put(made.redact("site", "x", by="x")).projects[0].site == "[redacted]"
    assert made.put(made.measures[0].redact("measure", "x", by="x")).measures[0].measure == "[redacted]"
    again = made.put(touched.redact("equity.principles", "x", by="x"))
    assert network.put(site.put(again)).projects[0].cycles[0].equity.principles == ("[redacted]",)
    two = pdsa.Network(name="x", sites=[{"name": "North"}, {"name": "South"}])
    for one in two.sites:
        two = two.put(one.redact("name", "x", by="x"))
    assert [one.name for one in two.sites] == list(blank)


def test_a_site_is_renamed_with_what_refers_to_it() -> None:
    calls = [{"id": id, "kind": "data call", "date": "2024-04-09", "title": id, "sites": sites}
             for id, sites in (("k1", ["South", "North"]), ("k2", ["South"]), ("k3", []))]  # fmt: skip
    north = pdsa.Site(id="n", name="North", projects=[project(cycles=[cycle()])])
    first = pdsa.Network(id="w", name="x", sites=[north, {"id": "s", "name": "South"}], meetings=calls)
    found = first.rename_site("North", "North End", by="Midwife", reason="merged", at=AT)
    site, other = found.sites
    assert (site.name, site.projects[0].site, other.name) == ("North End", "North End", "South")
    assert [call.sites for call in found.meetings] == [("South", "North End"), ("South",), ()]
    changed = (site, site.projects[0], found.meetings[0])
    assert {(r.version, r.trail[0].by, r.trail[0].reason, r.trail[0].at) for r in changed} == {
        (2, "Midwife", "merged", AT)
    }
    assert {r.version for r in (found, other, *found.meetings[1:], *site.projects[0].cycles)} == {1}
    now = found.rename_site("North End", "North", by="Midwife")
    assert now.meetings[0].trail[-1].at == now.sites[0].trail[-1].at
    for name, to, told in (("West", "x", "'West' is not allowed"), ("North", "North", "changes nothing")):
        with pytest.raises(qe.OptionError, match=told):
            first.rename_site(name, to, by="x")
    for to, told in (("South", "there 2 times"), ("", "is empty")):
        with pytest.raises(qe.DataError, match=told):
            first.rename_site("North", to, by="x")


def test_put_adds_and_replaces_where_it_belongs() -> None:
    made = project()
    added = made.put(cycle())
    assert (made.cycles, [c.id for c in added.cycles]) == ((), ["c1"])
    later = added.cycles[0].revise({"name": "Cycle 1a"}, by="x")
    both = added.put(cycle(id="c2")).put(later)
    assert [(c.id, c.name) for c in both.cycles] == [("c1", "Cycle 1a"), ("c2", "Cycle 1")]
    assert both.put(later) == both
    with pytest.raises(qe.InputTypeError, match="a Project holds Aim, Driver"):
        made.put(pdsa.Site(name="North"))
    with pytest.raises(qe.InputTypeError, match="type int"):
        made.put(5)
    with pytest.raises(qe.InputTypeError, match="holds no other records"):
        cycle().put(cycle())
    with pytest.raises(qe.DataError, match="no change idea"):
        made.put(cycle(idea="other"))


def test_put_writes_nothing_over() -> None:
    first = cycle()
    second = first.revise({"name": "Second"}, by="x")
    there = project(cycles=[second])
    with pytest.raises(qe.DataError, match="was not made from version 2"):
        there.put(first)
    with pytest.raises(qe.DataError, match="was not made from version 2"):
        there.put(first.revise({"name": "Another second"}, by="y", at=AT))
    with pytest.raises(qe.DataError, match="is no new version"):
        project(cycles=[first]).put(cycle(name="Other"))
    site = pdsa.Site(name="North", projects=[there])
    with pytest.raises(qe.DataError, match="would be lost"):
        site.put(project())
    with pytest.raises(qe.DataError, match="was not made from version 2"):
        site.put(project(cycles=[first]))
    assert site.put(there.put(second.redact("name", "x", by="x"))).projects[0].cycles[0].name == "[redacted]"


def test_walk_gives_holders_before_what_they_hold() -> None:
    site = pdsa.Site(id="n", name="North", projects=[project(cycles=[cycle()])])
    network = pdsa.Network(id="w", name="x", sites=[site])
    found = [(record.id, parent) for record, parent in network.walk()]
    assert found == [("w", None), ("n", "w"), ("p1", "n"), ("weigh", "p1"), ("m1", "p1"), ("c1", "p1")]
    assert next(parent for _, parent in site.walk("w")) == "w"
