"""A SQLite file as a role sees it: filtered queries, said to be no protection."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

from qi_equity import pdsa
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.pdsa.store.errors import StoreError
from qi_equity.pdsa.store.opening import open as open_store


def project(site: str, key: str) -> pdsa.Project:
    return pdsa.Project(
        id=f"p-{key}",
        name=f"Haemorrhage at {site}",
        site=site,
        ideas=[pdsa.ChangeIdea(id=f"i-{key}", name=f"Weigh at {site}", shared=True)],
        drivers=[pdsa.Driver(id=f"d-{key}", name=f"Timely at {site}")],
        measures=[pdsa.MeasureUse(id=f"m-{key}", measure="pph_1500", role="outcome")],
    )


def a_network() -> pdsa.Network:
    """Two sites (one with a quotation mark in its name), and meetings for all, for one and for both."""
    names = {"n": "North", "s": "South's"}

    def meeting(key: str, *sites: str) -> pdsa.Meeting:
        return pdsa.Meeting(id=key, kind="coaching call", date="2024-04-09", title=f"Call {key}", sites=sites)

    return pdsa.Network(
        id="net",
        name="A network",
        sites=[pdsa.Site(id=k, name=name, projects=[project(name, k)]) for k, name in names.items()],
        meetings=[
            meeting("all"),
            meeting("north", "North"),
            meeting("south", "South's"),
            meeting("two", *names.values()),
        ],
    )


@pytest.fixture
def path(tmp_path) -> Any:
    path = tmp_path / "network.db"
    with open_store(path) as store:
        store.add(a_network(), by="Network lead")
        for key in "ns":
            driver = store.get(f"d-{key}")
            store.save(driver.revise({"name": f"Treated in time at {key}"}, by="A"))
    return path


NORTH = {"net", "n", "p-n", "i-n", "d-n", "m-n", "all", "north"}


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_a_role_of_a_site_sees_its_site_and_the_network(path, role):
    with open_store(path, role=role, site="North") as store:
        assert set(store.list()["id"]) == NORTH
        assert {record.id for record, _ in store.get("net").walk()} == NORTH
        assert len(store.history("d-n")) == 2
        assert set(store.list(measure="pph_1500")["id"]) == {"p-n", "m-n"}
        for hidden in ("p-s", "d-s", "south", "two"):
            with pytest.raises(StoreError, match="has no record"):
                store.get(hidden)
        assert "South" not in store.export_json()
        assert [row["record"]["id"] for row in json.loads(store.export_shared())["records"]] == ["i-n"]


def test_several_sites_and_names_with_signs(path):
    with open_store(path, role="viewer", site="South's") as store:
        assert set(store.list()["id"]) == {"net", "s", "p-s", "i-s", "d-s", "m-s", "all", "south"}
    with open_store(path, role="viewer", site=["North", "South's"]) as store, open_store(path) as whole:
        assert store.get("net") == whole.get("net")


def test_a_reader_sees_what_is_shared_and_nothing_else(path):
    with open_store(path, role="reader") as store:
        assert store.list().empty
        with pytest.raises(StoreError, match="has no record"):
            store.get("i-n")
        seen = json.loads(store.export_shared())["records"]
        assert [row["record"]["name"] for row in seen] == ["Weigh at North", "Weigh at South's"]


def test_an_admin_sees_all(path):
    with open_store(path, role="admin") as store, open_store(path) as whole:
        assert store.export_json() == whole.export_json()


def test_an_editor_writes_its_own_site(path):
    with open_store(path, role="editor", site="North") as store:
        driver = store.save(store.get("d-n").revise({"name": "In time"}, by="B"))
        store.add(pdsa.MeasureUse(id="new", measure="Time to treatment", role="process"), to="p-n")
        store.save(store.get("i-n").revise({"shared": False}, by="B"))
        for wrong in (
            lambda: store.add(project("South's", "x")),
            lambda: store.add(pdsa.Network(name="Mine")),
        ):
            with pytest.raises(StoreError, match="the role editor may not write this record"):
                wrong()
        network = store.get("net")
        with pytest.raises(StoreError, match="may not write"):
            store.save(network.revise({"name": "Mine"}, by="B"))
        # An id that someone else's record has is taken, and what that is stays unseen.
        with pytest.raises(StoreError, match="UNIQUE constraint failed"):
            store.add(pdsa.Driver(id="d-s", name="Timely"), to="p-n")
    with open_store(path) as whole:
        assert whole.get("d-n") == driver
        assert {d.id for d in whole.get("p-n").measures} == {"m-n", "new"}
        assert whole.get("net").name == "A network"
        seen = json.loads(whole.export_shared())["records"]
        assert [row["record"]["id"] for row in seen] == ["i-s"]


@pytest.mark.parametrize(("role", "site"), [("viewer", "North"), ("reader", None)])
def test_who_only_reads_writes_nothing(path, role, site):
    with open_store(path, role=role, site=site) as store:
        with pytest.raises(StoreError, match=f"the role {role} may not write"):
            store.add(pdsa.Project(name="Mine", site="North"))
        if role == "viewer":
            with pytest.raises(StoreError, match="the role viewer may not write"):
                store.save(store.get("d-n").revise({"name": "In time"}, by="B"))


def test_the_file_itself_is_unchanged_and_open_to_all(path):
    before = path.read_bytes()
    with open_store(path, role="viewer", site="North") as store:
        store.list()
        (text,) = store.notes["text"]
        assert "no protection" in text
        assert "export_shared()" in text
    assert path.read_bytes() == before
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM record WHERE site = 'South''s'").fetchone() == (5,)
    connection.close()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"role": "boss"}, "role='boss' is not allowed"),
        ({"role": "viewer"}, "role='viewer' needs the name of its site"),
        ({"role": "editor", "site": ["North", ""]}, "needs the name of its site"),
        ({"role": "reader", "site": "North"}, "is not for role='reader'"),
        ({"site": "North"}, "needs role='viewer' or role='editor'"),
        ({"rule": "none of these"}, "rule='none of these'"),
    ],
)
def test_what_does_not_go_together_is_refused(path, options, told):
    with pytest.raises(OptionError, match=told):
        open_store(path, **options)


def test_a_file_grants_nothing(path):
    with open_store(path) as store:
        for call in (store.grant, store.revoke):
            with pytest.raises(StoreError, match="does not know who asks"):
                call("ann", "viewer", "North")
        with pytest.raises(InputTypeError, match="account=None"):
            store.grant(None, "reader")
        assert store.access().columns.tolist() == ["account", "role", "site"]
        assert store.access().empty
