"""What the network sees of shared records: no small count, also by subtraction, no trail, no recorder."""

from __future__ import annotations

import itertools
import json
import types
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import qi_equity as qe
from qi_equity import pdsa
from qi_equity.pdsa.records.fields import Count
from qi_equity.pdsa.store.kinds import kinds
from qi_equity.pdsa.store.opening import open as open_store
from qi_equity.pdsa.store.shared import disclosed

STRICT = qe.SuppressionRule("ours", 4)
Groups = dict[str | None, int]


def cycle(
    reached: Groups, denominators: Groups | None = None, events: Groups | None = None, **more: Any
) -> Any:
    births, told = denominators or {}, events or {}
    groups = list(dict.fromkeys([*births, *told])) or [None]
    plan = pdsa.Plan(
        objective="Weigh",
        predictions=[pdsa.Prediction(text="All", group=g) for g in groups],
        **more,
    )
    results = [
        pdsa.Result(group=g, matched="yes", denominator=births.get(g), events=told.get(g)) for g in groups
    ]
    return pdsa.Cycle(
        id="c",
        name="Cycle 1",
        idea="i",
        plan=plan,
        do=pdsa.Do(
            start="2024-03-05",
            as_planned=True,
            reached=[pdsa.Reached(group=g, people=n) for g, n in reached.items()],
        ),
        study=pdsa.Study(date="2024-03-11", results=results, learning="It fits"),
    )


def reached(record: Any, rule: qe.SuppressionRule = STRICT) -> Groups:
    body = disclosed(record, rule)["record"]
    return {r["group"]: r["people"] for r in body["do"]["reached"]}


def test_a_small_count_of_a_group_goes_and_what_it_could_be_subtracted_from():
    seen = disclosed(cycle({None: 23, "Asian": 20, "Black": 3}), STRICT)
    assert seen["record"]["do"]["reached"] == [{"people": 20, "group": "Asian"}]
    assert seen["withheld"] == ["do.reached[overall]", "do.reached[Black]"]
    assert seen["rule"] == STRICT.text()


def test_what_all_groups_but_one_leave_of_the_overall_count_is_protected():
    assert reached(cycle({None: 23, "Asian": 12, "White": 8})) == {"Asian": 12, "White": 8}
    # Nothing small is left: 23 - 12 - 11 = 0, and 23 - 12 = 11.
    assert reached(cycle({None: 23, "Asian": 12, "White": 11})) == {None: 23, "Asian": 12, "White": 11}
    assert reached(cycle({None: 23, "Asian": 12})) == {None: 23, "Asian": 12}
    # Groups that overlap have no overall count to subtract from.
    assert reached(cycle({None: 23, "Asian": 20, "White": 20})) == {"Asian": 20, "White": 20}


def test_zero_is_shown_and_an_overall_count_by_itself():
    assert reached(cycle({None: 9})) == {None: 9}
    assert reached(cycle({None: 20, "Asian": 20, "Black": 0})) == {None: 20, "Asian": 20, "Black": 0}
    assert reached(cycle({None: 4})) == {}


def test_events_go_with_their_denominator_and_overall_counts_go_everywhere():
    seen = disclosed(
        cycle({None: 50}, {None: 50, "Asian": 30, "Black": 3}, {None: 9, "Asian": 6, "Black": 0}), STRICT
    )
    counts = {r["group"]: (r["denominator"], r["events"]) for r in seen["record"]["study"]["results"]}
    assert counts == {None: (None, None), "Asian": (30, 6), "Black": (None, None)}
    # The people reached are mostly those of the denominator.
    assert seen["record"]["do"]["reached"] == []
    assert "study.results[Black].events" in seen["withheld"]


def test_results_of_another_measure_are_another_sum():
    plan = pdsa.Plan(
        objective="Weigh",
        predictions=[pdsa.Prediction(text="All", measure=m) for m in ("pph_1500", "Weighed")],
    )
    results = [
        pdsa.Result(measure="pph_1500", matched="no", denominator=40, events=2),
        pdsa.Result(measure="Weighed", matched="yes", denominator=40, events=30),
    ]
    study = pdsa.Study(date="2024-03-11", results=results, learning="It fits")
    do = pdsa.Do(start="2024-03-05", as_planned=True)
    seen = disclosed(pdsa.Cycle(name="1", idea="i", plan=plan, do=do, study=study), STRICT)
    assert seen["withheld"] == ["study.results[overall, pph_1500].events"]


def test_the_planned_number_of_people_and_those_who_took_part_are_counts_too():
    scale = pdsa.ScaleOfTest(size="One clinic", people=4, belief="low", consequence="minor")
    seen = disclosed(cycle({None: 30}, scale=scale), STRICT)
    assert seen["record"]["plan"]["scale"]["people"] is None
    assert seen["withheld"] == ["plan.scale.people"]
    near = scale.model_copy(update={"people": 23})
    assert disclosed(cycle({"Black": 3}, scale=near), STRICT)["withheld"] == [
        "plan.scale.people",
        "do.reached[Black]",
    ]
    equity = pdsa.Equity(
        took_part=[pdsa.Party(who="midwives", how_many=12), pdsa.Party(who="women", how_many=2)]
    )
    with_people = cycle({None: 30}).model_copy(update={"equity": equity})
    parties = disclosed(with_people, STRICT)["record"]["equity"]["took_part"]
    assert [p["how_many"] for p in parties] == [12, None]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        # 12 and 26 to the nearest 5; nothing small is marked by a number.
        ("nhs-england", {None: 40, "Asian": 10, "White": 25}),
        # Fewer than 25 births: withheld.
        ("dqmi", {"White": 25}),
        ("strict-10", {None: 38, "Asian": 12, "White": 26}),
        ("none", {None: 38, "Asian": 12, "White": 26}),
    ],
)
def test_the_rules_that_come_with_the_library(name, wanted):
    record = cycle({None: 38, "Asian": 12, "White": 26})
    assert reached(record, qe.SuppressionRule.load(name)) == wanted


def test_too_few_births_left_by_the_groups_are_too_few():
    rule = qe.SuppressionRule("few", 4, minimum_denominator=25)
    assert reached(cycle({None: 60, "Asian": 40}), rule) == {"Asian": 40}
    assert reached(cycle({None: 65, "Asian": 40}), rule) == {None: 65, "Asian": 40}


COUNTS = st.integers(0, 12)


@given(st.lists(COUNTS, min_size=1, max_size=3), COUNTS, st.booleans())
def test_an_outsider_is_left_with_every_protected_number(counts, rest, overall):
    """By enumeration: every table that looks the same to one who knows the rule, and if there is a rest."""
    groups: Groups = dict(zip("ABC", counts, strict=False))
    table = groups | ({None: sum(counts) + rest} if overall else {})
    shown = reached(cycle(table))
    most = STRICT.largest
    options = [
        [shown[g]] if g in shown else range(1, most + 1)  # a group that is gone is known to be a small one
        for g in groups
    ]
    possible: list[set[int]] = [set() for _ in range(len(counts) + 1)]
    for numbers in itertools.product(*options):
        if None in shown:
            left = shown[None] - sum(numbers)
            if left < 0:
                continue
            rests = {left}
        else:
            rests = set(range(1, most + 1)) if rest else {0}
        for i, n in enumerate(numbers):
            possible[i].add(n)
        possible[-1] |= rests
    for value, seen in zip([*counts, rest if overall else 0], possible, strict=True):
        if 1 <= value <= most:
            assert seen == set(range(1, most + 1))


def parts_of(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield kind
    for field in kind.model_fields.values():
        for part in _models(field.annotation):
            yield from parts_of(part)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    for inner in typing.get_args(annotation):
        yield from _models(inner)


def test_no_count_of_the_models_is_forgotten():
    """A count that is added to the models must be added to disclosure control, or this fails."""
    found = {
        (part.__name__, name)
        for kind in kinds().values()
        for part in parts_of(kind)
        for name, hint in typing.get_type_hints(part, include_extras=True).items()
        if hint == Count or Count in typing.get_args(hint)
    }
    assert found == {
        ("Party", "how_many"),
        ("ScaleOfTest", "people"),
        ("Reached", "people"),
        ("Result", "events"),
        ("Result", "denominator"),
    }


def project(shared: bool) -> pdsa.Project:
    small = (
        cycle({None: 23, "Asian": 20, "Black": 3}).revise({"shared": shared}, by="Midwife A")
        if shared
        else None
    )
    return pdsa.Project(
        id="p",
        name="Not for the network",
        site="North",
        ideas=[pdsa.ChangeIdea(id="i", name="Weigh", recorded_by="Midwife B")],
        cycles=[small] if small else [],
    )


def listed(store: Any) -> dict[str, Any]:
    return {row["record"]["id"]: row for row in json.loads(store.export_shared())["records"]}


def test_a_shared_record_is_shown_by_itself(tmp_path):
    with open_store(tmp_path / "network.db", rule=STRICT) as store:
        store.add(project(True), by="Midwife C")
        seen = listed(store)
        assert list(seen) == ["c"]
        row = seen["c"]
        assert (row["kind"], row["parent"], row["site"]) == ("Cycle", "p", "North")
        assert {"trail", "recorded_by", "recorded_at"} & set(row["record"]) == set()
        text = store.export_shared(tmp_path / "shared.json")
        assert (tmp_path / "shared.json").read_text(encoding="utf-8") == text
        assert [told for told in ("Midwife", "Not for the network", "23") if told in text] == []
        # It is a record still.
        assert pdsa.Cycle.model_validate(row["record"]).do.reached[0].people == 20


def test_sharing_follows_every_version(tmp_path):
    with open_store(tmp_path / "network.db", rule="none") as store:
        store.add(project(False))
        assert listed(store) == {}
        idea = store.save(store.get("i").revise({"shared": True, "name": "Weigh the blood of N. N."}, by="A"))
        assert listed(store)["i"]["record"]["name"] == "Weigh the blood of N. N."
        idea = store.save(idea.redact("name", "named a woman", by="A"))
        assert listed(store)["i"]["record"]["name"] == "[redacted]"
        store.save(idea.revise({"shared": False}, by="A"))
        assert listed(store) == {}
        new = pdsa.Driver(id="d", name="Timely", shared=True)
        store.add(new, to="p")
        assert list(listed(store)) == ["d"]


def test_a_renamed_site_is_renamed_for_the_network(tmp_path):
    with open_store(tmp_path / "network.db") as store:
        idea = pdsa.ChangeIdea(id="i", name="Weigh", shared=True)
        inner = pdsa.Project(id="p", name="Haemorrhage", site="North", ideas=[idea])
        site = pdsa.Site(id="s", name="North", projects=[inner])
        store.add(pdsa.Network(id="net", name="A network", sites=[site]))
        renamed = inner.revise({"site": "Far North"}, by="A")
        both = site.model_copy(update={"projects": ()}).revise({"name": "Far North"}, by="A")
        store.save(both.put(renamed))
        assert listed(store)["i"]["site"] == "Far North"


def test_an_import_shares_what_is_shared(tmp_path):
    with open_store(tmp_path / "a.db") as first, open_store(tmp_path / "b.db") as second:
        first.add(project(True))
        second.import_json(first.export_json())
        assert listed(second) == listed(first) != {}
