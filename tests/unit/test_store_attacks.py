"""Hostile and unlucky use of a store: what it is given is kept exactly, or refused with a reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

import qi_equity as qe
from qi_equity import pdsa

SECRET = "hospital number 943 476 5919"
NFC, NFD = (unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD"))
OPENS = (
    "import sys\n"
    "from qi_equity import pdsa\n"
    "sys.stdin.readline()\n"
    "with pdsa.open(sys.argv[1]) as store:\n"
    "    store.add(pdsa.Network(id=sys.argv[2], name='A network'))\n"
)


@pytest.fixture
def store(tmp_path) -> Any:
    project = pdsa.Project(id="p", name="Haemorrhage", site="North")
    site = pdsa.Site(id="s", name="North", projects=[project])
    with pdsa.open(tmp_path / "network.db") as store:
        store.add(pdsa.Network(id="n", name="A network", sites=[site]), by="Network lead")
        yield store


def content(store: Any) -> str:
    return str(store.export_json())


def test_two_processes_may_make_the_same_file(tmp_path):
    path = tmp_path / "new.db"
    command = [sys.executable, "-c", OPENS, str(path)]
    started = [subprocess.Popen([*command, f"n{i}"], stdin=subprocess.PIPE) for i in range(3)]
    for process in started:
        process.stdin.write(b"\n")
        process.stdin.close()
    assert [process.wait() for process in started] == [0, 0, 0]
    assert [p.name for p in tmp_path.iterdir()] == ["new.db"]
    with pdsa.open(path) as store:
        assert sorted(store.list()["id"]) == ["n0", "n1", "n2"]


def test_a_file_that_goes_away_or_is_replaced_is_told(store, tmp_path):
    path = tmp_path / "network.db"
    path.unlink()
    for use in (store.list, lambda: store.add(pdsa.Network(name="x"))):
        with pytest.raises(pdsa.StoreError, match="it is gone"):
            use()
    assert not list(tmp_path.iterdir())
    path.touch()
    with pytest.raises(pdsa.StoreError, match="is damaged: no such table"):
        store.add(pdsa.Network(name="x"))
    assert path.read_bytes() == b""


def test_a_clock_that_goes_back_loses_no_version(store):
    store.add(pdsa.Driver(id="d", name="1"), to="p")
    for i, year in enumerate((2030, 2001, 1, 9999), start=2):
        at = datetime(year, 1, 1, tzinfo=UTC)
        store.save(store.get("d").revise({"name": str(i)}, by="Midwife", at=at))
    assert [version.name for version in store.history("d")] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_utc_does_not_have_is_refused(at):
    with pytest.raises(qe.DataError, match="before the year 1 or after the year 9999"):
        pdsa.Driver(name="x").revise({"name": "y"}, by="Midwife", at=at)


def test_long_texts_are_kept_up_to_a_limit(store):
    text = "\U0001f600ö" * 50_000
    store.add(pdsa.ChangeIdea(id="long", name="x", description=text), to="p")
    assert store.get("long").description == text
    with pytest.raises(qe.DataError, match="longer than 100000 characters"):
        store.add(pdsa.ChangeIdea(name="x", description="a" * 1_000_000), to="p")


def test_identifiers_that_differ_in_case_are_two(store):
    for id in ("d", "D"):
        store.add(pdsa.Driver(id=id, name=id), to="p")
    assert [store.get(id).name for id in ("d", "D")] == ["d", "D"]


def test_one_name_written_in_two_ways_is_one_site_of_a_network(store):
    store.add(pdsa.Site(id="z", name=NFC), to="n")
    with pytest.raises(qe.DataError, match="there 2 times"):
        store.add(pdsa.Site(name=NFD), to="n")
    assert store.get("z").name == NFC
    assert store.list(site=NFC)["id"].tolist() == ["z"]


RECORD = '{"id": "a", "name": %s, "site": "North"}'
STAMP = '{"at": "2024-01-01T00:00:00Z", "by": "A", "what": "%s", "field": %s, "before": %s}'
TRAIL = '{"id": "a", "name": "x", "site": "North", "trail": [%s]}'
AIM = (
    '{"id": "a", "name": "x", "site": "N", "aims": [{"text": "t", "for_whom": "w", "by_when": "2024-01-01", '
)
AIM += "%s}]}"


@pytest.mark.parametrize(("record", "told"), [
    (RECORD % '"x\\u0000y"', "NUL character"),
    (RECORD % '"x\\ud800y"', "half of a character pair"),
    ('{"id": "a", "name": "x", "site": "N", "y\\ud800": 1}', "half of a character pair"),
    ('{"id": "a", "name": "x", "site": "N", "n\\u0061me": "y"}', "'name' twice"),
    (RECORD % ("[" * 10_000 + "]" * 10_000), "nested too deeply"),
    (RECORD % ('{"a":' * 10_000 + "1" + "}" * 10_000), "nested too deeply"),
    (TRAIL % (STAMP % ("revised", "null", '{"name":' + "[" * 900 + "]" * 900 + "}")), "nested too deeply"),
    (TRAIL % (STAMP % ("revised", "null", '{"name": [[[1]]]}')), "is not text"),
    (AIM % '"target": 1e400', "too large a number"),
    (AIM % '"target": -1e400', "too large a number"),
    (AIM % ('"target": ' + "9" * 5_000), "too large a number"),
    (AIM % '"target": NaN', "NaN, which is no number"),
    ('{"id": "a", "name": "x", "site": "N", "kind": "Network"}', "no field of this record"),
    (TRAIL % (STAMP % ("redacted", '"943 476 5919"', "{}")), "is not allowed"),
    (TRAIL % (STAMP % ("redacted", '"trail.0.reason"', "{}")), "is not allowed"),
    (TRAIL % (STAMP % ("redacted", "null", "{}")), "names its field"),
    (TRAIL % (STAMP % ("redacted", '"name"', '{"name": "y"}')), "keeps nothing"),
    (TRAIL % (STAMP % ("revised", '"name"', '{"name": "y"}')), "only for redactions"),
])  # fmt: skip
def test_hostile_json_is_refused_whole(store, record, told):
    before = content(store)
    head = json.loads(before) | {"records": []}
    fine = '{"kind": "Project", "record": {"id": "fine", "name": "x", "site": "North"}}'
    listed = f'"records": [{fine}, {{"kind": "Project", "record": {record}}}]'
    with pytest.raises(qe.DataError, match=told) as error:
        store.import_json(json.dumps(head).replace('"records": []', listed))
    assert len(str(error.value)) < 2_000
    assert content(store) == before


@pytest.mark.parametrize(
    "kind", ["Record", "Stamp", "network", "", "Network ", "os.system", "Plan", ["Project"]]
)
def test_a_kind_that_is_none_is_refused(store, kind):
    head = json.loads(content(store)) | {"records": [{"kind": kind, "record": {"id": "x", "name": "x"}}]}
    with pytest.raises(qe.DataError, match="is no kind of record"):
        store.import_json(json.dumps(head))


def test_json_with_a_mark_of_its_byte_order_is_text_too(store, tmp_path):
    with pdsa.open(tmp_path / "other.db") as other:
        assert other.import_json("\ufeff" + content(store)) == ("n",)
        for text in ("[]", "[" * 100_000):
            with pytest.raises(qe.DataError) as error:
                other.import_json(text)
            assert len(str(error.value)) < 1_000


@pytest.mark.parametrize(
    "text", ["' OR 1=1 --", "%", "_", "North'; DROP TABLE record; --", 'North" OR "1"="1', "North\\", "n0rth"]
)
def test_signs_of_sql_are_signs_of_a_name(store, tmp_path, text):
    assert store.list(site=text).empty
    assert store.list(measure=text).empty
    with pytest.raises(pdsa.StoreError, match="has no record"):
        store.get(text)
    store.add(pdsa.Site(id="odd", name=text), to="n")
    assert store.list(site=text)["id"].tolist() == ["odd"]
    with pdsa.open(tmp_path / "network.db", role="viewer", site=text) as viewer:
        assert sorted(viewer.list()["id"]) == ["n", "odd"]


@pytest.mark.parametrize(("value", "error"), [
    ("\x00", qe.OptionError), ("\ud800", qe.OptionError), (5, qe.InputTypeError), (["x"], qe.InputTypeError),
    (b"x", qe.InputTypeError),
])  # fmt: skip
def test_what_is_no_text_of_a_database_is_the_callers_mistake(store, tmp_path, value, error):
    uses: list[tuple[str, Any]] = [
        ("site", lambda: store.list(site=value)),
        ("measure", lambda: store.list(measure=value)),
        ("id", lambda: store.get(value)),
        ("id", lambda: store.history(value)),
        ("to", lambda: store.add(pdsa.Driver(name="x"), to=value)),
        ("record", lambda: store.export_json(record=value)),
        ("path", lambda: store.export_json(value)),
        ("path", lambda: store.export_shared(value)),
        ("folder", lambda: store.export_csv(value)),
        ("source", lambda: store.import_json(value)),
        ("site", lambda: pdsa.open(tmp_path / "network.db", role="viewer", site=[value])),
    ]
    for argument, use in uses:
        with pytest.raises(error, match=rf"^{argument}="):
            use()
    if isinstance(value, str):
        with pytest.raises(pdsa.StoreError, match="is no path of a file"):
            pdsa.open(value)


def test_days_may_have_an_hour(store):
    store.add(pdsa.Meeting(id="m", kind="data call", date="2024-04-09", title="x"), to="n")
    for since, found in ((datetime(2024, 4, 9, 13, tzinfo=UTC), ["m"]), (pd.Timestamp("2024-04-10"), [])):
        assert store.list(kind="Meeting", since=since)["id"].tolist() == found
    with pytest.raises(qe.OptionError, match="is no day"):
        store.list(since=pd.NaT)


def test_names_are_never_names_of_files(store, tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    for i, name in enumerate(("../../escaped", "/etc/passwd", "..\\x", "CON", "a\nb.csv")):
        store.add(pdsa.Site(id=f"..{i}".strip("."), name=name), to="n")
    outside = tmp_path / "outside"
    outside.write_text("stays")
    (folder / "Site.csv").symlink_to(outside)
    written = store.export_csv(folder)
    assert sorted(p.name for p in folder.iterdir()) == sorted(written)
    assert outside.read_text() == "stays"
    assert os.path.commonpath([p.resolve() for p in folder.iterdir()]) == str(folder.resolve())


def forced(record: pdsa.Record, **fields: Any) -> Any:
    """Copy a record as pydantic does, without any check."""
    return record.model_copy(update=fields)


def test_what_was_copied_by_force_is_checked_like_all_else(store):
    before = content(store)
    cycle = pdsa.Cycle(name="x", idea="i", plan=pdsa.Plan(objective="x"))
    act = pdsa.Act(date="2024-03-12", decision="adopt", follows="x")
    for record in (
        forced(pdsa.Network(name="x"), name=""),
        forced(pdsa.Network(name="x"), name=5),
        forced(pdsa.Network(name="x"), name="\x00"),
        forced(pdsa.Network(name="x"), id="no id"),
        forced(pdsa.Project(name="x", site="N"), site="\ud800"),
        forced(pdsa.Project(name="x", site="N"), cycles=(cycle,)),
    ):
        with pytest.raises(qe.DataError):
            store.add(record)
    with pytest.raises(qe.DataError, match="act needs a study"):
        store.add(forced(cycle, act=act), to="p")
    with pytest.raises(qe.DataError):
        store.save(forced(store.get("p"), name="").revise({"problem": "x"}, by="A"))
    assert content(store) == before


def test_a_change_told_as_a_redaction_is_refused(store):
    project = store.get("p")
    stamp = pdsa.Stamp(at="2024-01-01T00:00:00Z", by="A", what="revised", before={"name": project.name})
    false = forced(stamp, what="redacted", field="problem")
    with pytest.raises(qe.DataError, match="keeps nothing of what stood there"):
        store.save(forced(project, name="Written over", trail=(false,)))
    assert store.get("p") == project


def test_a_trail_that_leads_nowhere_is_refused(store):
    made = pdsa.Driver(name="x").revise({"name": "y"}, by="A")
    broken = forced(made, trail=(forced(made.trail[0], before={"name": 5}),))
    with pytest.raises(qe.DataError, match="is not text"):
        store.add(broken, to="p")


def secrets() -> tuple[pdsa.Project, list[str]]:
    """Give a project with secrets in its texts, its stamps and its recorder, and what to redact."""
    made = pdsa.Project(id="q", name="x", site="North", problem=SECRET * 300, recorded_by=SECRET)
    made = made.revise({"problem": "taken back"}, by=SECRET, reason=SECRET)
    made = made.revise({"problem": SECRET, "team": [SECRET]}, by="Midwife", reason="right")
    made = made.redact("team", f"named {SECRET}", by="Midwife")
    return made, ["problem", "recorded_by", "trail.0.by", "trail.0.reason", "trail.2.reason"]


def test_nothing_of_a_redacted_text_stays_in_the_file(store, tmp_path):
    path = tmp_path / "network.db"
    made, fields = secrets()
    store.add(made)
    store.add(pdsa.MeasureUse(id="m", measure=SECRET, role="process", shared=True), to="q")
    store.add(pdsa.Site(id="x", name=SECRET, shared=True), to="n")
    assert path.read_bytes().count(SECRET.encode()) > 300
    for field in fields:
        store.save(store.get("q").redact(field, "named a patient", by="Midwife"))
    store.save(store.get("m").redact("measure", "named a patient", by="Midwife"))
    store.save(store.get("x").redact("name", "named a patient", by="Midwife"))
    assert SECRET.encode() not in path.read_bytes()
    assert os.listdir(tmp_path) == ["network.db"]
    found = store.get("q")
    assert found.recorded_by == found.trail[0].by == found.trail[0].reason == "[redacted]"
    assert [stamp.reason for stamp in found.trail[1:3]] == ["right", "[redacted]"]
    assert [stamp.field for stamp in found.trail[3:]] == fields
    assert {stamp.by for stamp in found.trail[1:]} == {"Midwife"}
    assert SECRET not in content(store)
    assert SECRET not in store.export_shared()
    assert [version.version for version in store.history("q")] == [1, 2, 3]


def test_several_redactions_may_be_saved_at_once(store):
    made, fields = secrets()
    store.add(made)
    for field in fields:
        made = made.redact(field, "named a patient", by="Midwife")
    made = made.revise({"name": "On"}, by="Midwife", reason=SECRET)
    made = made.redact(f"trail.{len(made.trail) - 1}.reason", "named a patient", by="Midwife")
    assert store.save(made).trail == made.trail
    assert SECRET not in content(store)
    assert store.get("q").recorded_by == "[redacted]"


def test_a_redaction_of_a_stamp_blanks_no_other(store):
    made = store.get("p")
    for name in ("a", "b"):
        made = made.revise({"name": name}, by="Midwife", reason=name)
    made = store.save(made)
    clean = made.redact("trail.0.reason", "named a patient", by="Midwife")
    for n, field in ((1, "reason"), (0, "by")):
        trail = list(clean.trail)
        trail[n] = trail[n].model_copy(update={field: "[redacted]"})
        with pytest.raises(pdsa.StaleRecordError):
            store.save(forced(clean, trail=tuple(trail)))
    assert store.save(clean).trail[0].reason == "[redacted]"
