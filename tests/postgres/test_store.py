"""The same store in a SQLite file and on a PostgreSQL server: what is kept, refused, listed and taken out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import make_url

from qi_equity import pdsa
from qi_equity.errors import DataError
from qi_equity.pdsa.store.errors import StaleRecordError, StoreError
from qi_equity.pdsa.store.opening import open as open_store

PLAN = pdsa.Plan(objective="Weigh", predictions=[pdsa.Prediction(text="All weighed")], start="2024-03-04")
DO = pdsa.Do(
    start="2024-03-05", as_planned=True, observations="Number 943 476 5919; 10 % more: 'ö' \\ \U0001f6bc"
)


def project(site: str, key: str, **more: Any) -> pdsa.Project:
    return pdsa.Project(
        id=f"p-{key}",
        name=f"Haemorrhage {site}",
        site=site,
        ideas=[pdsa.ChangeIdea(id=f"i-{key}", name="Weigh all blood loss")],
        measures=[pdsa.MeasureUse(id=f"m-{key}", measure="pph_1500", role="outcome")],
        **more,
    )


def a_network() -> pdsa.Network:
    cycles = [
        pdsa.Cycle(id="c1", name="Cycle 1", idea="i-n", plan=PLAN, do=DO),
        pdsa.Cycle(id="c2", name="Cycle 2", idea="i-n", previous=["c1"], plan=PLAN),
    ]
    north = project(
        "North",
        "n",
        cycles=cycles,
        drivers=[pdsa.Driver(id="d", name="Timely treatment")],
        progress=[pdsa.Progress(id="g", date="2024-04-01", score=2.5, scale_version="IHI 2004")],
    )
    return pdsa.Network(
        id="net",
        name="A network",
        sites=[
            pdsa.Site(id="north", name="North", projects=[north]),
            pdsa.Site(id="south", name="South", projects=[project("South", "s")]),
        ],
        meetings=[pdsa.Meeting(id="call", kind="data call", date="2024-04-09", title="April call")],
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path) -> str:
    """Give where a new store is to be."""
    if request.param == "sqlite":
        return str(tmp_path / "network.db")
    return str(request.getfixturevalue("database").url())


@pytest.fixture
def store(address) -> Any:
    with open_store(address) as store:
        store.add(a_network(), by="Network lead")
        yield store


def ids(frame: Any) -> list[str]:
    return sorted(frame["id"])


def test_what_was_added_is_given_back(store, address):
    network = store.get("net")
    assert [record.id for record, _ in network.walk()] == [record.id for record, _ in a_network().walk()]
    assert network.sites[0].projects[0].cycles[0].do == DO
    assert network.recorded_by == "Network lead"
    with open_store(address) as again:
        assert again.get("net") == network
        assert again.schema_version == "0002"


def test_every_version_is_kept_and_a_stale_write_refused(store):
    first = store.get("d")
    second = store.save(first.revise({"name": "In time"}, by="A", reason="clearer"))
    third = store.save(second.revise({"name": "Without delay"}, by="B"))
    assert [version.name for version in store.history("d")] == [
        "Timely treatment",
        "In time",
        "Without delay",
    ]
    assert store.get("d") == third
    with pytest.raises(StaleRecordError) as caught:
        store.save(first.revise({"name": "At once"}, by="C"))
    assert (caught.value.stored, caught.value.given.name) == (third, "At once")
    assert store.get("d") == third


def test_a_redaction_reaches_the_stamps_and_who_recorded(store):
    cycle = store.save(store.get("c1").revise({"name": "First"}, by="943 476 5920", reason="943 476 5920"))
    for field in ("trail.0.by", "trail.0.reason", "recorded_by"):
        cycle = store.save(cycle.redact(field, "named a patient", by="Midwife"))
    assert [stamp.reason for stamp in store.get("c1").trail] == ["[redacted]", *["named a patient"] * 3]
    assert store.get("c1").recorded_by == store.get("c1").trail[0].by == "[redacted]"
    assert "943 476 5920" not in store.export_json()


def test_a_redaction_reaches_every_version(store):
    cycle = store.get("c1").revise({"do": DO.model_copy(update={"as_planned": False})}, by="A")
    store.save(store.save(cycle).redact("do.observations", "named a person", by="A"))
    assert [version.do.observations for version in store.history("c1")] == ["[redacted]"] * 2
    assert "943 476" not in store.export_json()


def test_what_does_not_fit_is_refused_and_nothing_kept(store):
    before = store.export_json()
    with pytest.raises(DataError, match="is no change idea of the project"):
        store.add(pdsa.Cycle(name="Cycle 9", idea="none", plan=PLAN), to="p-n")
    with pytest.raises(StoreError, match="records of these ids already: d"):
        store.add(pdsa.Driver(id="d", name="Another"), to="p-s")
    assert store.export_json() == before


def test_lists(store):
    assert ids(store.list()) == sorted(record.id for record, _ in a_network().walk())
    assert ids(store.list(kind="Cycle", site="North")) == ["c1", "c2"]
    assert ids(store.list(status="done")) == ["c1"]
    assert ids(store.list(measure="pph_1500")) == ["c1", "c2", "m-n", "m-s", "p-n", "p-s"]
    assert ids(store.list(since="2024-04-01", until="2024-04-30", kind="Meeting")) == ["call"]
    assert store.list().dtypes.to_dict() == store.list(site="Nowhere").dtypes.to_dict()


def test_out_and_in_again_is_exact(store, address, tmp_path):
    store.save(store.get("d").revise({"name": "In time"}, by="A"))
    text = store.export_json(tmp_path / "export.json")
    with open_store(tmp_path / "other.db") as other:
        assert other.import_json(tmp_path / "export.json") == ("net",)
        assert other.export_json() == text
        assert other.get("net") == store.get("net")
        # And from the file into the same kind of store, where the records are already.
        with pytest.raises(StoreError, match="already"):
            store.import_json(other.export_json())
    assert "Driver.csv" in store.export_csv(tmp_path)
    assert "In time" in (tmp_path / "Driver.csv").read_text(encoding="utf-8-sig")


def at_once(number: int, call: Callable[[int], None]) -> None:
    """Call a function so many times at once; raise what any of them raised."""
    with ThreadPoolExecutor(number) as pool:
        for done in [pool.submit(call, i) for i in range(number)]:
            done.result()


def test_ten_writers_at_once_lose_nothing(store, address):
    """Each has a connection of its own, which is a process of its own on the server."""
    written: list[str] = []

    def write(number: int) -> None:
        with open_store(address) as mine:
            for i in range(5):
                driver = mine.add(pdsa.Driver(id=f"w{number}-{i}", name="Timely"), to="p-n")
                written.append(driver.id)

    at_once(10, write)
    assert len(written) == 50
    assert ids(store.list(kind="Driver")) == sorted([*written, "d"])
    assert sorted(driver.id for driver in store.get("p-n").drivers) == sorted([*written, "d"])


def test_of_two_who_save_the_same_version_one_is_refused(store, address):
    first = store.get("d")
    found: list[str] = []

    def save(number: int) -> None:
        with open_store(address) as mine:
            try:
                mine.save(first.revise({"name": f"Name {number}"}, by="A"))
                found.append("kept")
            except StaleRecordError:
                found.append("stale")

    at_once(4, save)
    assert sorted(found) == ["kept", "stale", "stale", "stale"]
    assert store.get("d").version == 2


def test_all_who_open_a_new_database_at_once_find_it_made(database):
    at_once(4, lambda _: open_store(database.url()).close())
    with open_store(database.url()) as store:
        assert store.list().empty


def test_what_a_server_refuses_is_told(database):
    url = database.url()
    parts = make_url(url)
    secret = {"password": "guess-only", "passfile": "guess-only"}
    for wrong, told in (
        (parts.set(password="guess-only"), "password authentication failed"),
        (parts.set(password="").update_query_dict(secret), "password authentication failed"),
        (parts.set(database=f"{parts.database}_elsewhere"), "does not exist"),
        (parts.set(port=1), "refused"),
        (parts.set(host="no.such.host.invalid"), "resolve|host name"),
    ):
        with pytest.raises(StoreError, match=f"({told}).*; check the address, the account") as caught:
            open_store(wrong.render_as_string(hide_password=False), timeout=2)
        assert "only" not in str(caught.value)
