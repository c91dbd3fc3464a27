"""Records go out as JSON and come back exactly; what was tampered with is refused; CSV runs no formula."""

from __future__ import annotations

import csv
import importlib.util
import json
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qi_equity import pdsa
from qi_equity.errors import DataError
from qi_equity.pdsa.store import files
from qi_equity.pdsa.store.csv_files import safe
from qi_equity.pdsa.store.errors import StoreError
from qi_equity.pdsa.store.json_files import as_json, from_json
from qi_equity.pdsa.store.opening import open as open_store

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "store.py"
SEED = 20_260

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
names = words.filter(str.strip)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))


@pytest.fixture(scope="module")
def bench() -> Any:
    spec = importlib.util.spec_from_file_location("benchmark_of_the_store", BENCHMARK)
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


@st.composite
def aims(draw: st.DrawFn) -> pdsa.Aim:
    aim = pdsa.Aim(
        text=draw(names),
        target=draw(numbers),
        for_whom=draw(names),
        by_when=draw(st.dates()),
        shared=draw(st.booleans()),
        recorded_by=draw(words),
        recorded_at=draw(st.none() | moments),
        defined_by=draw(st.lists(st.builds(pdsa.Party, who=names, how=words), max_size=2)),
    )
    for text in draw(st.lists(names, max_size=3, unique=True)):
        if text != aim.text:
            aim = aim.revise({"text": text}, by=draw(names), reason=draw(words), at=draw(moments))
    return aim.redact("for_whom", "named a patient", by="Midwife") if draw(st.booleans()) else aim


@st.composite
def networks(draw: st.DrawFn) -> pdsa.Network:
    found = draw(st.lists(names, max_size=2, unique=True))
    sites = [
        pdsa.Site(
            name=name,
            projects=[pdsa.Project(name=draw(names), site=name, aims=draw(st.lists(aims(), max_size=2)))],
        )
        for name in found
    ]
    return pdsa.Network(
        name=draw(names), sites=sites, principles=draw(st.lists(names, max_size=2, unique=True))
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(network=networks())
def test_out_and_in_again_is_exact(tmp_path, network):
    for path in tmp_path.iterdir():
        path.unlink()
    with open_store(tmp_path / "a.db") as one, open_store(tmp_path / "b.db") as two:
        one.add(network)
        text = one.export_json()
        assert two.import_json(text) == (network.id,)
        assert two.export_json() == text
        assert two.get(network.id) == one.get(network.id)
        for record, _ in network.walk():
            assert one.history(record.id)[-1].trail == record.trail
    assert from_json(as_json([network])) == (network,)


def a_project() -> pdsa.Project:
    return pdsa.Project(
        id="p",
        name="-2 haemorrhages",
        site="=North",
        problem="@SUM(A1)",
        team=["+44 lead", "Ward clerk"],
        ideas=[pdsa.ChangeIdea(id="i", name="\tWeigh")],
        measures=[pdsa.MeasureUse(id="m", measure="pph_1500", role="outcome", target=-0.25)],
        cycles=[
            pdsa.Cycle(
                id="c",
                name="Zyklus „1“, erster",
                idea="i",
                plan=pdsa.Plan(
                    objective="a\r\nb",
                    predictions=[
                        pdsa.Prediction(text="=half", group="Black", expected=0.06),
                        pdsa.Prediction(text="all"),
                    ],
                ),
                do=pdsa.Do(
                    start="2024-03-04", as_planned=True, reached=[pdsa.Reached(people=5, group="Black")]
                ),
            )
        ],
    )


@pytest.fixture
def store(tmp_path) -> Any:
    with open_store(tmp_path / "network.db") as store:
        store.add(a_project(), by="-Midwife")
        yield store


def rows(folder: Path, kind: str) -> list[dict[str, Any]]:
    with (folder / f"{kind}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, quoting=csv.QUOTE_NONNUMERIC))


def test_tables_hold_no_formula_and_numbers_stay_numbers(store, tmp_path):
    written = store.export_csv(tmp_path)
    assert sorted(written) == sorted(p.name for p in tmp_path.glob("*.csv"))
    assert (tmp_path / "Cycle.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    (project,), (cycle,), (use,) = (rows(tmp_path, k) for k in ("Project", "Cycle", "MeasureUse"))
    assert project["name"] == "'-2 haemorrhages"
    assert project["site"] == "'=North"
    assert project["problem"] == "'@SUM(A1)"
    assert project["team"] == "'+44 lead; Ward clerk"
    assert project["recorded_by"] == "'-Midwife"
    assert use["target"] == -0.25
    assert cycle["version"] == 1
    assert cycle["name"] == "Zyklus „1“, erster"
    assert cycle["plan.objective"] == "a\r\nb"
    assert cycle["plan.predictions"] == "'=half (group: Black, expected: 0.06); all"
    assert (cycle["do.start"], cycle["do.as_planned"], cycle["do.reached"]) == (
        "2024-03-04",
        "yes",
        "5 (group: Black)",
    )
    assert (cycle["act.decision"], cycle["parent"]) == ("", "p")
    assert rows(tmp_path, "Meeting") == []
    assert not [
        cell
        for kind in written
        for row in rows(tmp_path, kind.removesuffix(".csv"))
        for cell in row.values()
        if isinstance(cell, str) and cell[:1] in tuple("=+-@\t\r\n")
        if cell
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_a_text_that_starts_like_a_formula_gets_an_apostrophe(start):
    assert safe(f"{start}1") == f"'{start}1"
    assert safe(f"1{start}") == f"1{start}"
    assert safe("") == ""


@pytest.mark.parametrize(("text", "wanted"), [
    ("None; =HYPERLINK(A1)", "None; '=HYPERLINK(A1)"),
    ("first\n=1+1", "first\n'=1+1"),
    ("first\r\n\r\n -1", "first\r\n\r\n '-1"),
    ('x";"=1+1', "x\";\"'=1+1"),
    ("x,＝1", "x,'＝1"),
    ("x\t@SUM(A1)|+1", "x\t'@SUM(A1)|'+1"),
    ("  =1", "  '=1"),
    ("\ufeff\u200b\u00a0=1", "\ufeff\u200b\u00a0'=1"),
    ("\n=1", "'\n'=1"),
    ("=1;=1", "'=1;'=1"),
    ("a = b - c", "a = b - c"),
    ("5 %, 3-4 women; well-known a@b.c", "5 %, 3-4 women; well-known a@b.c"),
])  # fmt: skip
def test_a_formula_within_a_text_starts_no_cell_either(text, wanted):
    assert safe(text) == wanted


def test_long_texts_are_made_safe_in_no_time():
    for run in ("\n" * 100_000, ", " * 50_000, '"' * 100_000, "=" * 100_000):
        start = time.process_time()
        safe(run)
        assert time.process_time() - start < 1


def test_files_are_written_whole_or_not_at_all(store, tmp_path):
    text = store.export_json(tmp_path / "out.json")
    assert (tmp_path / "out.json").read_text(encoding="utf-8") == text
    with pytest.raises(StoreError, match="no folder"):
        store.export_csv(tmp_path / "nowhere")
    with pytest.raises(StoreError, match=r"out\.json' cannot be read or written \(No such file"):
        store.export_json(tmp_path / "nowhere" / "out.json")
    (tmp_path / "taken").mkdir()
    with pytest.raises(StoreError, match="taken' cannot be read or written"):
        store.export_json(tmp_path / "taken")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["network.db", "out.json", "taken"]


def test_one_record_can_go_to_another_store(store, tmp_path):
    text = store.export_json(record="i")
    with open_store(tmp_path / "other.db") as other:
        with pytest.raises(DataError, match="ChangeIdea, which cannot stand by itself; say with to="):
            other.import_json(text)
        other.add(pdsa.Project(id="q", name="Other", site="South"))
        (tmp_path / "idea.json").write_text(text, encoding="utf-8-sig")
        assert other.import_json(tmp_path / "idea.json", to="q") == ("i",)
        assert other.get("i") == store.get("i")
        with pytest.raises(StoreError, match=r"ids already: i \(1 in all\)"):
            other.import_json(text, to="q")
    with pytest.raises(StoreError, match="no record 'nobody'"):
        store.export_json(record="nobody")


HEAD = '"type": "pdsa.records", "format": 1, "library": "x"'
RECORD = '{"kind": "Driver", "record": {"id": "d", "name": "N"}}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "cannot be read"),
        ('{"type": "pdsa.records", "format": 2, "records": []}', "in format 2; wanted"),
        (f'{{{HEAD}, "records": {{}}}}', "not made of type"),
        (f'{{{HEAD}, "records": [], "more": 1}}', "not made of type"),
        (f'{{{HEAD}, "records": [7]}}', "not made of kind and record"),
        (f'{{{HEAD}, "records": [{{"kind": "os.system", "record": {{}}}}]}}', "'os.system' is no kind"),
        (f'{{{HEAD}, "records": [{{"kind": [], "record": {{}}}}]}}', "is no kind"),
        (f'{{{HEAD}, "records": [{RECORD}, {RECORD}]}}', "same id"),
        (f'{{{HEAD}, "records": [{RECORD[:-2]}, "name": "M"}}}}]}}', "has 'name' twice"),
        (f'{{{HEAD}, "records": [{RECORD[:-2]}, "level": NaN}}}}]}}', "NaN, which is no number"),
        (f'{{{HEAD}, "records": [{RECORD[:-2]}, "level": 1e999}}}}]}}', "1e999, which is too large"),
        (f'{{{HEAD}, "records": [{RECORD[:-2]}, "level": {"9" * 50}}}}}]}}', "which is too large"),
        (f'{{{HEAD}, "records": [{RECORD[:-2]}, "level": {"[" * 99_999}', "nested too deeply"),
        (f'{{{HEAD}, "records": [{RECORD[:-2]}, "more": 1}}}}]}}', "is no field of this record"),
        (f'{{{HEAD}, "records": [{RECORD[:-2]}, "level": "third"}}}}]}}', "is not allowed"),
    ],
)
def test_json_that_is_no_export_is_refused(store, text, told):
    before = store.export_json()
    with pytest.raises(DataError, match=told):
        store.import_json(text)
    assert store.export_json() == before


def stamped(before: dict[str, Any]) -> str:
    stamp = {"at": "2024-03-04T00:00:00Z", "by": "A", "what": "revised", "before": before}
    record = {"id": "d", "name": "N", "trail": [stamp]}
    return json.dumps(
        {
            "type": "pdsa.records",
            "format": 1,
            "library": "x",
            "records": [{"kind": "Driver", "record": record}],
        }
    )


def test_a_trail_must_lead_back_to_records(store):
    assert from_json(stamped({"name": "M"}))[0].history()[0].name == "M"
    for before in ({"name": 7}, {"more": 1}, {"name": "\ud800"}, {"name": {"a": "\ud800"}}):
        with pytest.raises(DataError):
            from_json(stamped(before))


def test_a_part_of_an_import_is_not_kept(store):
    other = pdsa.Project(id="q", name="Other", site="South")
    text = as_json([other, a_project()])
    with pytest.raises(StoreError, match="ids already: p, i, m, c"):
        store.import_json(text)
    assert store.list(kind="Project")["id"].tolist() == ["p"]


def test_files_that_cannot_be_read_are_refused(store, tmp_path, monkeypatch):
    with pytest.raises(StoreError, match=r"gone\.json' cannot be read or written"):
        store.import_json(tmp_path / "gone.json")
    (tmp_path / "latin.json").write_bytes(b'{"name": "\xff"}')
    with pytest.raises(DataError, match="is no UTF-8 text"):
        store.import_json(tmp_path / "latin.json")
    monkeypatch.setattr(files, "LARGEST", 5)
    with pytest.raises(DataError, match="larger than 5 bytes"):
        store.import_json(tmp_path / "latin.json")
    monkeypatch.setattr("qi_equity.pdsa.store.json_files.LARGEST", 5)
    with pytest.raises(DataError, match="longer than 5 characters"):
        store.import_json('{"type": 1}')


def test_damaged_files_are_refused_or_read_whole(bench, tmp_path):
    rng = random.Random(SEED)
    made = bench.template(tmp_path)
    outcomes = [bench.try_json(tmp_path, made, rng) for _ in range(25)]
    outcomes += [bench.try_database(tmp_path, made, rng) for _ in range(25)]
    assert {o for o in outcomes if not o.startswith(("refused", "read"))} == set()
    assert outcomes.count("refused") > 25


def test_a_tampered_database_is_refused(bench, tmp_path):
    path, _ = bench.template(tmp_path)
    whole = path.read_bytes()
    for statement in bench.STATEMENTS:
        path.write_bytes(whole)
        connection = bench.sqlite3.connect(path)
        assert connection.execute(statement).rowcount != 0, statement
        connection.commit()
        connection.close()
        with pytest.raises((StoreError, DataError), match=r"damaged|tables of a store|schema"):
            bench.read_all(path)


def test_json_of_something_else_says_what_to_give(store):
    with pytest.raises(DataError, match=r"hold 'list' in format None; .* Give what export_json\(\) returned"):
        store.import_json("[]")
