"""A store gives back what was added, lets nothing be written over, and lists what is asked for."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from qi_equity import pdsa
from qi_equity.errors import DataError, InputTypeError, OptionError
from qi_equity.pdsa.store import migrate
from qi_equity.pdsa.store.errors import StaleRecordError, StoreError
from qi_equity.pdsa.store.opening import open as open_store
from qi_equity.pdsa.store.store import Store
from qi_equity.pdsa.store.tables import METADATA

PLAN = pdsa.Plan(objective="Weigh", predictions=[pdsa.Prediction(text="All weighed")], start="2024-03-04")
DO = pdsa.Do(start="2024-03-05", as_planned=True, observations="Number 943 476 5919 was in theatre")
STUDY = pdsa.Study(date="2024-03-11", results=[pdsa.Result(matched="yes")], learning="It fits")
ACT = pdsa.Act(date="2024-03-12", decision="adopt", follows="All wards")


def project(site: str, key: str, **more: Any) -> pdsa.Project:
    return pdsa.Project(
        id=f"p-{key}",
        name=f"Haemorrhage {site}",
        site=site,
        ideas=[pdsa.ChangeIdea(id=f"i-{key}", name="Weigh all blood loss")],
        measures=[
            pdsa.MeasureUse(id=f"m-{key}", measure="pph_1500", role="outcome"),
            pdsa.MeasureUse(id=f"t-{key}", measure="Time to treatment", role="process"),
        ],
        **more,
    )


def a_network() -> pdsa.Network:
    north = project(
        "North",
        "n",
        aims=[pdsa.Aim(id="a", text="Halve it", measure="pph_1500", for_whom="all", by_when="2025-01-01")],
        drivers=[pdsa.Driver(id="d", name="Timely treatment")],
        cycles=[
            pdsa.Cycle(id="c1", name="Cycle 1", idea="i-n", plan=PLAN, do=DO, study=STUDY, act=ACT),
            pdsa.Cycle(id="c2", name="Cycle 2", idea="i-n", previous=["c1"], plan=PLAN),
        ],
        progress=[pdsa.Progress(id="g", date="2024-04-01", score=2.5, scale_version="IHI 2004")],
    )
    plan = PLAN.model_copy(update={"measures": ("Time to treatment",), "start": None})
    south = project("South", "s", cycles=[pdsa.Cycle(id="c3", name="Cycle 3", idea="i-s", plan=plan)])
    return pdsa.Network(
        id="net",
        name="A network",
        principles=["Name racism"],
        sites=[
            pdsa.Site(id="north", name="North", projects=[north]),
            pdsa.Site(id="south", name="South", projects=[south]),
        ],
        meetings=[pdsa.Meeting(id="call", kind="data call", date="2024-04-09", title="April call")],
        action_periods=[
            pdsa.ActionPeriod(id="ap", name="Action period 1", start="2024-03-01", end="2024-06-30")
        ],
    )


@pytest.fixture
def store(tmp_path) -> Any:
    with open_store(tmp_path / "network.db") as store:
        store.add(a_network(), by="Network lead")
        yield store


def ids(frame: pd.DataFrame) -> set[str]:
    return set(frame["id"])


def test_what_was_added_is_given_back(store):
    found = store.get("net")
    assert [r.id for r, _ in found.walk()] == [r.id for r, _ in a_network().walk()]
    assert {r.recorded_by for r, _ in found.walk()} == {"Network lead"}
    bare = {"recorded_by": "", "recorded_at": None}
    assert store.get("c1").model_copy(update=bare) == a_network().sites[0].projects[0].cycles[0]
    assert store.get("call").kind == "data call"


def test_add_gives_what_is_kept(store):
    added = store.add(pdsa.Driver(id="d2", name="Ready supplies"), to="p-n", by="Midwife")
    assert store.get("d2") == added
    assert added.recorded_by == "Midwife"
    assert [d.id for d in store.get("p-n").drivers] == ["d", "d2"]
    told = pdsa.Driver(name="Told", recorded_by="B. Midwife", recorded_at="2024-01-01T00:00:00Z")
    assert store.add(told, to="p-n", by="Midwife") == told


def test_a_project_can_stand_by_itself(store):
    store.add(project("East", "e"))
    assert store.get("p-e").site == "East"
    assert store.list(site="East", kind="ChangeIdea")["id"].tolist() == ["i-e"]
    assert store.add(pdsa.Driver(id="de", name="Supplies"), to="p-e").id == "de"


def test_add_says_what_cannot_be_added(store):
    with pytest.raises(InputTypeError, match="Driver, which cannot stand by itself; say with to="):
        store.add(pdsa.Driver(name="Alone"))
    with pytest.raises(InputTypeError, match="give one of Network, Project"):
        store.add({"name": "A network"})
    with pytest.raises(InputTypeError, match="Site 'north' holds Project"):
        store.add(pdsa.Driver(name="Misplaced"), to="north")
    with pytest.raises(InputTypeError, match="Driver 'd' holds no other records"):
        store.add(pdsa.Driver(name="Misplaced"), to="d")
    with pytest.raises(StoreError, match="to='nobody': the store has no such record"):
        store.add(pdsa.Driver(name="Nowhere"), to="nobody")
    with pytest.raises(InputTypeError, match="to=7"):
        store.add(pdsa.Driver(name="Nowhere"), to=7)
    with pytest.raises(StoreError, match=r"ids already: net, north.*and more \(19 in all\)"):
        store.add(a_network())
    with pytest.raises(DataError, match="no change idea of the project"):
        store.add(pdsa.Cycle(name="Cycle 9", idea="unknown", plan=PLAN), to="p-n")
    with pytest.raises(DataError, match="longer than"):
        store.add(pdsa.Driver(name="By"), to="p-n", by="x" * 200_000)


def test_what_is_added_must_fit_the_network(store):
    equity = pdsa.Equity(principles=["Not on the list"])
    before = store.export_json()
    with pytest.raises(DataError, match="no principle of the network's list"):
        store.add(pdsa.Cycle(name="Cycle 9", idea="i-n", plan=PLAN, equity=equity), to="p-n")
    with pytest.raises(DataError, match="the site 'North' is there 2 times"):
        store.add(pdsa.Site(name="North"), to="net")
    assert store.export_json() == before


def test_save_keeps_every_version(store):
    first = store.get("c2")
    second = first.record(DO, by="Midwife")
    saved = store.save(second)
    assert saved == store.get("c2") == second
    assert store.history("c2") == (first, second)
    third = store.save(second.revise({"name": "Cycle two"}, by="B. Midwife", reason="clearer"))
    assert [c.version for c in store.history("c2")] == [1, 2, 3]
    assert third.recorded_by == "Network lead"
    assert store.list(status="done")["id"].tolist() == ["c2"]


def test_a_stale_write_is_refused_with_both_versions(store):
    read = store.get("d")
    theirs = store.save(read.revise({"name": "In time"}, by="B. Midwife"))
    mine = read.revise({"name": "Without delay"}, by="Midwife")
    with pytest.raises(
        StaleRecordError, match=r"version 2 \(by B. Midwife, .* UTC\), given is version 2"
    ) as e:
        store.save(mine)
    assert e.value.stored == theirs
    assert e.value.given == mine
    with pytest.raises(StaleRecordError, match="given is version 1"):
        store.save(read)
    assert store.get("d") == theirs


def test_one_stale_record_stops_a_whole_tree(store):
    tree = store.get("p-n")
    store.save(tree.drivers[0].revise({"name": "In time"}, by="B. Midwife"))
    mine = tree.put(tree.cycles[1].record(DO, by="Midwife"))
    with pytest.raises(StaleRecordError, match="Driver 'd'"):
        store.save(mine)
    assert store.get("c2").status == "planned"


def test_save_takes_a_whole_tree_and_leaves_what_it_does_not_hold(store):
    mine = store.get("p-n")
    store.add(pdsa.Cycle(id="c4", name="Cycle 4", idea="i-n", plan=PLAN), to="p-n")
    mine = mine.put(mine.cycles[1].record(DO, by="Midwife")).put(pdsa.Driver(id="d3", name="New"))
    saved = store.save(mine.revise({"problem": "Late treatment"}, by="Midwife"), by="Midwife")
    assert saved == store.get("p-n")
    assert [c.id for c in saved.cycles] == ["c1", "c2", "c4"]
    assert (saved.cycles[1].status, saved.problem, saved.drivers[1].recorded_by) == (
        "done",
        "Late treatment",
        "Midwife",
    )


def test_a_change_without_a_version_is_refused(store):
    changed = store.get("d").model_copy(update={"name": "Written over"})
    with pytest.raises(StoreError, match=r"differs from the stored version 1 in name without a new version"):
        store.save(changed)
    with pytest.raises(StoreError, match="recorded_by without a new version"):
        store.save(store.get("d").model_copy(update={"recorded_by": "Someone else"}))
    other = pdsa.Driver(id="d", name="Another").revise({"name": "Timely treatment"}, by="Midwife")
    with pytest.raises(StoreError, match="differs from the stored version 1"):
        store.save(other)
    assert store.get("d").name == "Timely treatment"
    unsigned = store.get("d").model_copy(update={"recorded_by": "", "recorded_at": None})
    assert store.save(unsigned) == store.get("d")


def test_records_do_not_move_nor_change_their_kind(store):
    with pytest.raises(StoreError, match=r"'d' is a Driver in the store and a ChangeIdea here"):
        store.save(pdsa.ChangeIdea(id="d", name="Timely treatment"))
    moved = store.get("south").put(store.get("p-n").model_copy(update={"site": "South"}))
    with pytest.raises(StoreError, match="hangs on 'north' in the store and on 'south' here"):
        store.save(moved)
    with pytest.raises(StoreError, match="ids already: d "):
        store.save(store.get("p-s").put(store.get("d")))
    with pytest.raises(StoreError, match="The store has no Driver 'nobody'; add it"):
        store.save(pdsa.Driver(id="nobody", name="Unknown"))


def test_a_redaction_reaches_every_version_and_the_file(store, tmp_path):
    cycle = store.get("c1").revise({"name": "First cycle"}, by="Midwife")
    cycle = store.save(
        cycle.record(DO.model_copy(update={"observations": "943 476 5919 again"}), by="Midwife")
    )
    clean = cycle.redact("do.observations", "named a patient", by="Midwife")
    assert store.save(clean) == store.get("c1") == clean
    assert {c.do.observations for c in store.history("c1")} == {"[redacted]"}
    assert "943 476" not in store.export_json()
    assert clean.trail[-1].reason == "named a patient"
    further = clean.revise({"name": "Cycle one"}, by="Midwife").redact("name", "a name", by="Midwife")
    assert store.save(further) == store.get("c1")
    stale = cycle.revise({"name": "Stale"}, by="B. Midwife")
    with pytest.raises(StaleRecordError):
        store.save(stale)


def test_a_redaction_blanks_nothing_else(store):
    cycle = store.save(store.get("c1").revise({"name": "First"}, by="Midwife"))
    clean = cycle.redact("do.observations", "named a patient", by="Midwife")
    more = clean.trail[0].model_copy(update={"before": {"name": "Written over"}})
    with pytest.raises(StaleRecordError):
        store.save(clean.model_copy(update={"trail": (more, *clean.trail[1:])}))


def test_a_site_can_be_renamed_with_all_within_it(store):
    site = store.get("south")
    with pytest.raises(DataError, match=r"give it the site's name \(rename_site\(\) of the network"):
        store.save(site.model_copy(update={"projects": ()}).revise({"name": "West"}, by="A"))
    store.save(store.get("call").revise({"sites": ["North", "South"]}, by="A"))
    store.save(store.get("net").rename_site("South", "West", by="A", reason="merged"))
    assert store.get("call").sites == ("North", "West")
    assert [project.site for project in store.history("p-s")] == ["South", "West"]
    assert store.get("net").version == 1
    assert ids(store.list(site="West")) == {"south", "p-s", "i-s", "m-s", "t-s", "c3"}
    assert store.list(site="South").empty


def test_lists_have_the_same_columns_whatever_there_is(store):
    columns = ["id", "kind", "name", "site", "parent", "status", "first", "last", "version", "shared"]
    full, empty = store.list(), store.list(site="Nowhere")
    assert list(full) == list(empty) == columns
    assert full.dtypes.tolist() == empty.dtypes.tolist()
    assert len(full) == 19
    row = full.set_index("id").loc["c1"]
    assert (row["name"], row["site"], row["parent"], row["status"]) == ("Cycle 1", "North", "p-n", "decided")
    assert (row["first"], row["last"]) == (pd.Timestamp("2024-03-05"), pd.Timestamp("2024-03-12"))
    assert full.set_index("id").loc["net", ["site", "parent", "status"]].isna().all()
    names = full.set_index("id")["name"]
    assert names[["call", "m-n", "a", "g"]].tolist() == ["April call", "pph_1500", "Halve it", "2024-04-01"]


def test_lists_by_kind_site_and_status(store):
    assert ids(store.list(kind="Cycle")) == {"c1", "c2", "c3"}
    assert ids(store.list(kind="Cycle", site="North")) == {"c1", "c2"}
    assert ids(store.list(status="planned")) == {"c2", "c3"}
    assert ids(store.list(kind="Meeting")) == {"call"}
    with pytest.raises(OptionError, match=r"kind='cycle' is not allowed.*Did you mean 'Cycle'"):
        store.list(kind="cycle")
    with pytest.raises(OptionError, match="status='finished'"):
        store.list(status="finished")


def test_lists_by_measure(store):
    # c1 and c2 name no measure: they look at all of their project; c3 names another one.
    assert ids(store.list(measure="pph_1500")) == {"a", "m-n", "m-s", "p-n", "p-s", "c1", "c2"}
    assert ids(store.list(measure="pph_1500")) == ids(store.list(measure=store.get("m-n").name))
    assert ids(store.list(measure="Time to treatment")) == {"t-n", "t-s", "p-n", "p-s", "c1", "c2", "c3"}
    assert store.list(measure="tear_3_4").empty
    plan = PLAN.model_copy(update={"measures": ("pph_1500",)})
    store.save(store.get("c1").revise({"plan": plan}, by="Midwife"))
    assert ids(store.list(kind="Cycle", measure="Time to treatment")) == {"c2", "c3"}


def test_lists_by_dates(store):
    assert ids(store.list(since="2024-03-13")) == {"c2", "g", "call", "ap"}  # c2 is still under way
    assert ids(store.list(until=date(2024, 3, 4))) == {"c2", "ap"}
    assert ids(store.list(since="2024-03-06", until="2024-03-06")) == {"c1", "c2", "ap"}
    assert "c3" not in ids(store.list(since="2000-01-01"))
    for bad in ("March", 7, "2024-02-30"):
        with pytest.raises(OptionError, match=r"since=.* is no day"):
            store.list(since=bad)


def test_get_says_what_is_not_there(store):
    for call in (store.get, store.history):
        with pytest.raises(StoreError, match=r"has no record 'nobody'.*list\(\)"):
            call("nobody")
    with pytest.raises(InputTypeError, match="id=7"):
        store.get(7)


def test_a_store_says_what_it_is(store, tmp_path):
    assert store.schema_version == migrate.newest()
    assert repr(store) == f"Store({str(tmp_path / 'network.db')!r})"
    assert store.notes["code"].tolist() == ["file_readable"]
    assert "export" in store.notes["text"][0]
    assert isinstance(store, Store)


def test_the_steps_make_the_tables_that_the_library_uses():
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        migrate.upgrade(connection)
        differences = compare_metadata(MigrationContext.configure(connection), METADATA)
    known = set(METADATA.tables)
    assert [d for d in differences if d[0] != "remove_table" or d[1].name in known] == []
    assert migrate.known()[0] == "0001"
    engine.dispose()


def test_a_newer_schema_is_refused(tmp_path):
    path = tmp_path / "network.db"
    with open_store(path) as store:
        store.add(a_network())
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreError, match=r"has schema '9999'.*knows up to .*Install a newer version"):
        open_store(path)


def test_an_older_schema_is_brought_up_to_date(tmp_path):
    path = tmp_path / "network.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrate.upgrade(connection, migrate.known()[0])
    engine.dispose()
    with open_store(path) as store:
        assert store.schema_version == migrate.newest()
        store.add(a_network())
    assert len(open_store(path).list()) == 19


def test_tampering_while_a_store_is_open_is_told(store, tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'network.db'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE record SET parent = 'north' WHERE id = 'net'"))
        connection.execute(text("UPDATE record SET kind = 'Record' WHERE id = 'call'"))
    with pytest.raises(StoreError, match="what holds record 'p-n' leads in a circle"):
        store.add(pdsa.Driver(name="Late"), to="p-n")
    with engine.begin() as connection:
        connection.execute(text("UPDATE record SET parent = NULL WHERE id = 'net'"))
    with pytest.raises(StoreError, match="'call' hangs where none of its kind can hang"):
        store.get("net")
    with engine.begin() as connection:
        connection.execute(text("UPDATE record SET body = '[]'"))
    with pytest.raises(StoreError, match="its body is not that of a record"):
        store.list()
    engine.dispose()


def test_the_context_closes_and_can_be_opened_again(tmp_path):
    path = tmp_path / "network.db"
    with open_store(path) as store:
        store.add(a_network())
    store.close()
    assert [p.name for p in tmp_path.iterdir()] == ["network.db"]
    assert len(open_store(path).list()) == 19
