"""The records: life cycle, strict kinds, references, and JSON that comes back as it was."""

from __future__ import annotations

import itertools
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import qi_equity as qe
from qi_equity import pdsa

PREDICTIONS = [
    {"text": "All births are weighed"},
    {"text": "Fewer haemorrhages", "group": "Black", "measure": "pph_1500", "expected": 0.06},
]
RESULTS = [{"matched": "yes"}, {"matched": "no", "group": "Black", "measure": "pph_1500"}]
PLAN = {"objective": "Weigh all blood loss", "predictions": PREDICTIONS}
DO = {"start": "2024-03-04", "end": "2024-03-08", "as_planned": True}
STUDY = {"date": "2024-03-11", "results": RESULTS, "learning": "It fits the round"}
ACT = {"date": "2024-03-12", "decision": "adapt", "follows": "Scales in every room"}


def cycle(**fields: Any) -> pdsa.Cycle:
    return pdsa.Cycle(**({"id": "c1", "name": "Cycle 1", "idea": "weigh", "plan": PLAN} | fields))


def project(**fields: Any) -> pdsa.Project:
    start = {
        "id": "p1",
        "name": "Fewer haemorrhages",
        "site": "North",
        "ideas": [{"id": "weigh", "name": "Weigh all blood loss"}],
        "measures": [{"id": "m1", "measure": "pph_1500", "role": "outcome"}],
    }
    return pdsa.Project(**(start | fields))


def wrong(make: Any, **fields: Any) -> list[str]:
    with pytest.raises(qe.DataError) as told:
        make(**fields)
    rows = told.value.bad_rows
    assert rows is not None
    assert rows.columns.tolist() == ["field", "value", "problem"]
    return [f"{r.field}: {r.problem}" for r in rows.itertuples()]


def test_each_step_needs_the_one_before_it() -> None:
    steps = {"do": DO, "study": STUDY, "act": ACT}
    full: set[tuple[str, ...]] = {(), ("do",), ("do", "study"), ("do", "study", "act")}
    for n in range(4):
        for names in itertools.combinations(steps, n):
            fields = {name: steps[name] for name in names}
            if names in full:
                assert cycle(**fields).status == ("planned", "done", "studied", "decided")[n]
            else:
                assert "needs a" in " ".join(wrong(cycle, **fields))


def test_a_do_needs_a_prediction() -> None:
    told = wrong(cycle, plan={"objective": "Weigh"}, do=DO)
    assert told == [
        "(the whole record): do needs a prediction in the plan (plan.predictions), made before it"
    ]


def test_every_prediction_is_answered_and_nothing_else() -> None:
    told = wrong(cycle, do=DO, study=STUDY | {"results": [RESULTS[0], {"matched": "yes", "group": "Asian"}]})
    assert len(told) == 2
    assert "has no result for the prediction on group='Black'" in told[1]
    assert "group='Asian', measure=None, which was not predicted" in told[0]
    assert len(wrong(cycle, do=DO, study=STUDY | {"results": []})) == 2


def test_a_measure_is_the_same_by_its_id_and_by_its_name() -> None:
    name = qe.measures["pph_1500"].name
    by_name = [RESULTS[0], RESULTS[1] | {"measure": name}]
    assert cycle(do=DO, study=STUDY | {"results": by_name}).status == "studied"
    twice = [{"text": "a", "measure": "pph_1500"}, {"text": "b", "measure": name}]
    assert "is there 2 times" in wrong(pdsa.Plan, objective="x", predictions=twice)[0]


@given(days=st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_dates_are_in_order(days: list[int]) -> None:
    at = [f"2024-03-{1 + day:02}" for day in days]
    fields = {
        "do": DO | {"start": at[0], "end": at[1]},
        "study": STUDY | {"date": at[2]},
        "act": ACT | {"date": at[3]},
    }
    if sorted(days) == days:
        made = cycle(**fields)
        assert (str(made.start), str(made.end)) == (at[0], at[3])
    else:
        assert all("is before" in text for text in wrong(cycle, **fields))


def test_ends_before_starts_are_refused() -> None:
    assert wrong(pdsa.Plan, objective="x", start="2024-02-02", end="2024-02-01")
    assert wrong(pdsa.ActionPeriod, name="x", start="2024-02-02", end="2024-02-01")


def test_a_stop_is_for_abandoned_implementations_after_their_start() -> None:
    steps = {"do": DO, "study": STUDY}
    abandon = ACT | {"decision": "abandon", "stopped": "2024-04-01"}
    assert cycle(purpose="implement", act=abandon, **steps).act.stopped == date(2024, 4, 1)
    assert "only for cycles with purpose='implement'" in wrong(cycle, act=abandon, **steps)[0]
    assert "needs decision='abandon'" in wrong(pdsa.Act, **(abandon | {"decision": "adopt"}))[0]
    early = abandon | {"stopped": "2024-03-01"}
    assert "is before do.start" in wrong(cycle, purpose="implement", act=early, **steps)[0]


def test_all_mistakes_are_told_at_once() -> None:
    fields = {
        "name": " ",
        "idea": "no id",
        "purpose": "tests",
        "colour": "red",
        "plan": {"predictions": [{"text": 5, "expected": "0.06"}], "start": 20240304},
    }
    told = wrong(pdsa.Cycle, **fields)
    assert {text.split(":")[0] for text in told} == {
        "name", "idea", "purpose", "colour", "plan.objective", "plan.predictions.0.text",
        "plan.predictions.0.expected", "plan.start",
    }  # fmt: skip
    assert "plan.objective: is needed" in told
    assert "purpose: is not allowed; use one of 'test' or 'implement'" in told


@pytest.mark.parametrize("day", [5, 1.5, True, datetime(2024, 1, 1), "5", "2024-02-31", "31/03/2024", ""])
def test_what_is_no_day_is_none(day: Any) -> None:
    assert "is no" in wrong(pdsa.Task, what="x", when=day)[0].replace("is not", "is no")


@pytest.mark.parametrize("number", [True, "0.06", float("nan"), float("inf"), [1]])
def test_what_is_no_number_is_none(number: Any) -> None:
    assert wrong(pdsa.Prediction, text="x", expected=number)


@pytest.mark.parametrize("count", [True, 3.0, "3", -1, float("nan")])
def test_what_is_no_count_is_none(count: Any) -> None:
    assert wrong(pdsa.Reached, people=count)


@pytest.mark.parametrize("text", [5, None, b"x", "\x00", "a\ud800", "x" * 501, "", "\n "])
def test_what_is_no_text_is_none(text: Any) -> None:
    assert wrong(pdsa.Task, what=text)


@pytest.mark.parametrize("share", [1.1, -0.1, True, 93])
def test_what_is_no_share_is_none(share: Any) -> None:
    assert wrong(pdsa.Equity, completeness=share)


@pytest.mark.parametrize("answer", [1, "yes", None])
def test_what_is_neither_yes_nor_no_is_refused(answer: Any) -> None:
    assert "is neither True nor False" in wrong(pdsa.Do, start="2024-01-01", as_planned=answer)[0]


@pytest.mark.parametrize("score", [0, 0.7, 5.5, True, "2.5"])
def test_progress_is_on_the_scale(score: Any) -> None:
    assert wrong(pdsa.Progress, date="2024-01-01", score=score, scale_version="x")


@pytest.mark.parametrize("name", ["", "a b", "é", "a\n", "-a", "a" * 101, 5])
def test_what_is_no_identifier_is_none(name: Any) -> None:
    assert wrong(pdsa.Driver, id=name, name="x")


def test_moments_have_a_time_zone_and_are_kept_in_utc() -> None:
    assert pdsa.Driver(name="x", recorded_at="2024-03-31T14:00:00+02:00").recorded_at.hour == 12
    for moment in ("2024-03-31T14:00:00", 5, "now", "2024-13-01T00:00:00Z"):
        assert wrong(pdsa.Driver, name="x", recorded_at=moment)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"what":"x","what2":1}',
        '{"what":"x\\ud800"}',
        '{"what":"x","when":NaN}',
        "\x00",
        "null",
    ],
)
def test_json_that_is_none_or_no_record_is_refused(text: str) -> None:
    with pytest.raises(qe.DataError):
        pdsa.Task.model_validate_json(text)
    with pytest.raises(qe.DataError):
        pdsa.Task.model_validate(text)


@pytest.mark.parametrize("value", [float("nan"), "\x00", "a\ud800", {"deep": [{"er": float("inf")}]}])
def test_a_trail_that_no_json_can_hold_is_refused(value: Any) -> None:
    stamp = {"at": "2024-01-01T00:00:00Z", "by": "x", "what": "revised", "before": {"name": value}}
    assert wrong(pdsa.Driver, name="x", trail=[stamp])[0].startswith("trail.0.before")
    assert wrong(pdsa.Stamp, **(stamp | {"before": {"a": {"b\x00": 1}}}))[0].startswith("before")


def test_a_trail_tells_only_of_fields_that_versions_change() -> None:
    for name in ("id", "trail", "recorded_by", "colour"):
        stamp = {"at": "2024-01-01T00:00:00Z", "by": "x", "what": "revised", "before": {name: "y"}}
        assert "trail tells of fields" in wrong(pdsa.Driver, name="x", trail=[stamp])[0]
    stamp = {"at": "2024-01-01T00:00:00Z", "by": "x", "what": "revised", "before": {"cycles": []}}
    assert "'cycles'" in wrong(project, trail=[stamp])[0]


def test_records_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        cycle().name = "Another"


def test_what_must_be_there_once_is() -> None:
    assert wrong(pdsa.Study, **(STUDY | {"results": [RESULTS[0], RESULTS[0]]}))
    assert wrong(pdsa.Study, **(STUDY | {"harm": [{"found": "seen"}, {"found": "none seen"}]}))
    assert wrong(pdsa.Do, **DO, reached=[{"people": 1}, {"people": 2}])
    assert pdsa.Do(**DO, reached=[{"people": 1}, {"people": 2, "group": "None"}]).reached[1].group == "None"
    assert wrong(pdsa.Equity, strata=["Black", "Black"])
    assert wrong(pdsa.Act, **ACT, not_yet_visible=["Black", "Black"])


def test_a_comparator_needs_its_reason_and_events_their_births() -> None:
    assert "needs comparator_reason" in wrong(pdsa.Equity, comparator="White")[0]
    assert pdsa.Equity(comparator="White", comparator_reason="asked by the group").comparator == "White"
    assert "is above denominator=3" in wrong(pdsa.Result, matched="no", events=4, denominator=3)[0]


def test_an_aim_goes_the_way_it_says() -> None:
    aim = {"text": "x", "for_whom": "Black", "by_when": "2025-03-31", "baseline": 0.12}
    assert pdsa.Aim(**aim, target=0.06, direction="decrease").target == 0.06
    for target, way in ((0.06, "increase"), (0.2, "decrease"), (0.12, "decrease")):
        assert f"is no {way} from" in wrong(pdsa.Aim, **aim, target=target, direction=way)[0]


def test_drivers_hang_on_the_aim_or_on_each_other() -> None:
    assert "primary driver has no parents" in wrong(pdsa.Driver, name="x", parents=["a"])[0]
    assert "at least one parent" in wrong(pdsa.Driver, name="x", level="secondary")[0]
    low = {"id": "b", "name": "b", "level": "secondary", "parents": ["a"]}
    assert "no driver of the project" in wrong(project, drivers=[low])[0]
    assert project(drivers=[{"id": "a", "name": "a"}, low]).drivers[1].parents == ("a",)
    ring = [low | {"parents": ["c"]}, low | {"id": "c", "parents": ["b"]}]
    assert "drivers lead to each other in a circle" in wrong(project, drivers=ring)[0]


def test_references_lead_somewhere() -> None:
    strange = {"id": "x", "name": "x", "idea": "other", "previous": ["gone"]}
    strange["plan"] = PLAN | {"measures": ["Time to treatment"]}
    told = wrong(project, cycles=[strange])
    assert len(told) == 3
    assert "which is no change idea of the project" in told[0]
    assert "which is no cycle of the project" in told[1]
    assert "put a MeasureUse first" in told[2]
    idea = {"id": "weigh", "name": "x", "drivers": ["gone"]}
    assert "no driver of the project" in wrong(project, ideas=[idea])[0]


def test_cycles_branch_and_merge_but_never_in_a_circle() -> None:
    def led(**previous: list[str]) -> list[pdsa.Cycle]:
        return [cycle(id=name, name=name, previous=ids) for name, ids in previous.items()]

    merged = led(a=[], b=["a"], c=["a"], d=["b", "c"])
    assert project(cycles=merged).cycles[3].previous == ("b", "c")
    # The order in which they stand says nothing.
    assert project(cycles=merged[::-1]).cycles[0].id == "d"
    told = wrong(project, cycles=led(a=["c"], b=["a"], c=["b"]))
    assert "cycles lead to each other in a circle" in told[0]
    assert "cannot lead to itself" in wrong(cycle, previous=["c1"])[0]


def test_identifiers_sites_ideas_measures_and_principles_are_there_once() -> None:
    idea = {"id": "weigh", "name": "x"}
    assert "the change idea 'weigh'" in " ".join(
        wrong(project, ideas=[idea, {"id": "b", "name": "y", "code": "weigh"}])
    )
    assert "the identifier 'weigh'" in " ".join(wrong(project, drivers=[idea]))
    use = {"measure": "pph_1500", "role": "outcome"}
    assert "the measure" in wrong(project, measures=[use, use | {"measure": qe.measures["pph_1500"].name}])[0]
    assert wrong(pdsa.Network, name="x", sites=[{"name": "North"}, {"name": "North"}])
    assert wrong(pdsa.Network, name="x", principles=["a", "a"])


def test_a_network_knows_its_sites_and_its_principles() -> None:
    assert "give it the site's name" in wrong(pdsa.Site, name="South", projects=[project()])[0]
    meeting = {"kind": "data call", "date": "2024-04-09", "title": "April", "sites": ["West"]}
    assert "which is no site of the network" in wrong(pdsa.Network, name="x", meetings=[meeting])[0]
    north = pdsa.Site(name="North", projects=[project(cycles=[cycle(equity={"principles": ["Naming"]})])])
    told = wrong(pdsa.Network, name="x", sites=[north], principles=["Listening"])
    assert told == [
        "(the whole record): cycle 'Cycle 1' of North: principles has 'Naming', which is no principle of the "
        "network's list"
    ]
    assert pdsa.Network(name="x", sites=[north], principles=["Naming"]).projects[0].id == "p1"


def test_twenty_sites_and_sixty_months() -> None:
    months = [f"{2020 + m // 12}-{1 + m % 12:02}-01" for m in range(60)]

    def of(site: int) -> pdsa.Site:
        name = f"Site {site}"
        cycles = [
            cycle(id=f"c{site}-{m}", name=f"Cycle {m}", idea=f"i{site}", do=DO | {"start": day, "end": None})
            for m, day in enumerate(months)
        ]
        ideas = [{"id": f"i{site}", "name": "Weigh all blood loss", "code": "weigh"}]
        uses = [{"id": f"m{site}", "measure": "pph_1500", "role": "outcome"}]
        made = project(id=f"p{site}", site=name, ideas=ideas, measures=uses, cycles=cycles)
        return pdsa.Site(id=f"s{site}", name=name, projects=[made])

    meetings = [{"kind": "data call", "date": day, "title": day} for day in months]
    network = pdsa.Network(name="Large", sites=[of(site) for site in range(20)], meetings=meetings)
    assert len(network.cycle_marks("pph_1500")) == 20 * 60
    assert sum(isinstance(record, pdsa.Cycle) for record, _ in network.walk()) == 20 * 60
    assert pdsa.Network.model_validate_json(network.model_dump_json()) == network


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
SAID = TEXT.filter(lambda text: bool(text.strip()))
DAYS = st.dates()
SHARE = st.floats(0, 1)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def cycles(draw: st.DrawFn) -> pdsa.Cycle:
    keys = draw(st.lists(st.tuples(st.none() | SAID, st.none() | SAID), min_size=1, max_size=3, unique=True))
    days = sorted(draw(st.lists(DAYS, min_size=4, max_size=4)))
    predictions = [
        {"text": draw(SAID), "group": g, "measure": m, "expected": draw(st.none() | NUMBER)} for g, m in keys
    ]
    answer = st.sampled_from(["yes", "no", "not yet visible"])
    results = [{"matched": draw(answer), "group": g, "measure": m, "text": draw(TEXT)} for g, m in keys]
    return pdsa.Cycle(
        name=draw(SAID),
        idea=draw(st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._:-]{0,9}\Z")),
        shared=draw(st.booleans()),
        recorded_at=draw(st.none() | st.datetimes(timezones=st.timezones())),
        plan={"objective": draw(SAID), "predictions": predictions},
        do={"start": days[0], "end": days[1], "as_planned": draw(st.booleans()), "unplanned": draw(TEXT)},
        study={"date": days[2], "results": results, "learning": draw(SAID)},
        act={"date": days[3], "decision": "expand", "follows": draw(SAID)},
        equity={"completeness": draw(st.none() | SHARE)},
    )


@given(cycles(), TEXT, NUMBER)
def test_json_comes_back_as_it_was(made: pdsa.Cycle, text: str, number: float) -> None:
    later = made.revise({"do": dict(made.do) | {"observations": text + "!"}}, by="x", reason=text)
    for record in (made, later, pdsa.MeasureUse(measure="x", role="process", target=number)):
        read = type(record).model_validate_json(record.model_dump_json())
        assert read == record
        assert read.model_dump_json() == record.model_dump_json()
        assert type(record).model_validate(record.model_dump(mode="json")) == record
    assert later.history()[0] == made
