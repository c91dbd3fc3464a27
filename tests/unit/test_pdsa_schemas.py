"""The JSON Schemas in the documentation: those of the models, and true of real records."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from qi_equity import pdsa

DOCS = Path(__file__).parents[2] / "docs"
SCRIPT = runpy.run_path(str(DOCS / "_schemas.py"))
KINDS: tuple[type[pdsa.Record], ...] = SCRIPT["KINDS"]


def stored(kind: type[pdsa.Record]) -> dict[str, Any]:
    path = DOCS / "schemas" / f"{SCRIPT['name_of'](kind)}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def network() -> pdsa.Network:
    plan = pdsa.Plan(
        objective="Weigh all blood loss", start="2024-03-01",
        predictions=[{"text": "Half as many", "group": "Black", "measure": "pph_1500", "expected": 0.06}],
        tasks=[{"what": "Print the checklist", "when": "2024-03-02"}],
        scale={"size": "one clinic", "people": 5, "belief": "low", "consequence": "major"},
    )  # fmt: skip
    made = pdsa.Cycle(id="c1", name="Cycle 1", idea="weigh", plan=plan, recorded_at="2024-03-01T09:00:00Z")
    answer = {"matched": "not yet visible", "group": "Black", "measure": "pph_1500"}
    for step in (
        pdsa.Do(start="2024-03-04", as_planned=True, reached=[{"people": 5}]),
        pdsa.Study(date="2024-03-11", learning="It fits", results=[answer], harm=[{"found": "none seen"}]),
        pdsa.Act(date="2024-03-12", decision="adapt", follows="Scales", not_yet_visible=["Black"]),
    ):
        made = made.record(step, by="Midwife")
    project = pdsa.Project(
        id="p1", name="Fewer haemorrhages", site="North",
        aims=[{"text": "Halve it", "for_whom": "Black", "by_when": "2025-03-31"}],
        drivers=[{"id": "d1", "name": "Timely treatment"}],
        ideas=[{"id": "weigh", "name": "Weigh", "drivers": ["d1"]}],
        measures=[{"measure": "pph_1500", "role": "outcome", "target": 0.06}],
        cycles=[made.redact("plan.objective", "named a patient", by="Midwife")],
        progress=[{"date": "2024-06-30", "score": 2.5, "scale_version": "life-qi"}],
    )  # fmt: skip
    return pdsa.Network(
        name="A network", sites=[{"name": "North", "projects": [project]}],
        meetings=[{"kind": "data call", "date": "2024-04-09", "title": "April call"}],
        action_periods=[{"name": "Action period 1", "start": "2024-04-01", "end": "2024-08-31"}],
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_schemas_are_those_of_the_models(kind: type[pdsa.Record]) -> None:
    found = stored(kind)
    assert found.pop("$id") == f"urn:qi_equity:{SCRIPT['name_of'](kind)}"
    assert found.pop("$schema") == "https://json-schema.org/draft/2020-12/schema"
    assert found == kind.model_json_schema(), "run docs/_schemas.py"


def test_every_kind_of_record_has_a_schema_and_no_schema_is_left_over() -> None:
    kinds = {type(record) for record, _ in network().walk()}
    assert kinds == set(KINDS)
    files = {path.stem for path in (DOCS / "schemas").glob("*.json")}
    assert files == {SCRIPT["name_of"](kind) for kind in KINDS}


def test_real_records_pass_their_schema() -> None:
    for record, _ in network().walk():
        checker = jsonschema.Draft202012Validator(
            stored(type(record)), format_checker=jsonschema.FormatChecker()
        )
        data = json.loads(record.model_dump_json())
        checker.validate(data)
        assert list(checker.iter_errors(data | {"colour": "red"}))
        assert list(checker.iter_errors(data | {"id": "no id"}))


def test_what_the_models_refuse_in_a_field_the_schema_refuses_too() -> None:
    checker = jsonschema.Draft202012Validator(stored(pdsa.Cycle), format_checker=jsonschema.FormatChecker())
    data = json.loads(next(c for p in network().projects for c in p.cycles).model_dump_json())
    for path, value in (
        (("do", "start"), "31/03/2024"), (("do", "as_planned"), "yes"), (("act", "decision"), "keep"),
        (("equity", "completeness"), 93), (("purpose",), "tests"), (("plan", "objective"), None),
    ):  # fmt: skip
        wrong = json.loads(json.dumps(data))
        inside = wrong
        for name in path[:-1]:
            inside = inside[name]
        inside[path[-1]] = value
        assert list(checker.iter_errors(wrong)), path


def test_descriptions_are_one_sentence_for_readers_of_any_language() -> None:
    def described(schema: Any) -> list[str]:
        if isinstance(schema, dict):
            own = [schema["description"]] if isinstance(schema.get("description"), str) else []
            return own + [text for value in schema.values() for text in described(value)]
        return []

    texts = [text for kind in KINDS for text in described(stored(kind))]
    assert texts
    assert all("\n" not in text and ">>>" not in text for text in texts)
