"""Roles by the store: who is granted what, and what a store opened by an account gives and takes."""

from __future__ import annotations

import json
from typing import Any

import pytest

import qi_equity as qe
from qi_equity import pdsa
from qi_equity.errors import OptionError
from qi_equity.pdsa.store.errors import StoreError
from qi_equity.pdsa.store.opening import open as open_store


def project(site: str, key: str) -> pdsa.Project:
    plan = pdsa.Plan(objective="Weigh", predictions=[pdsa.Prediction(text="All weighed")])
    reached = [
        pdsa.Reached(people=23),
        pdsa.Reached(group="Asian", people=20),
        pdsa.Reached(group="Black", people=3),
    ]
    return pdsa.Project(
        id=f"p-{key}",
        name=f"Haemorrhage at {site}",
        site=site,
        ideas=[pdsa.ChangeIdea(id=f"i-{key}", name=f"Weigh at {site}")],
        measures=[pdsa.MeasureUse(id=f"m-{key}", measure="pph_1500", role="outcome")],
        cycles=[
            pdsa.Cycle(
                id=f"c-{key}",
                name=f"Cycle at {site}",
                idea=f"i-{key}",
                plan=plan,
                do=pdsa.Do(start="2024-03-05", as_planned=True, reached=reached),
            )
        ],
    )


def a_network() -> pdsa.Network:
    sites = {"n": "North", "s": "South", "w": "West"}
    return pdsa.Network(
        id="net",
        name="A network",
        sites=[pdsa.Site(id=key, name=name, projects=[project(name, key)]) for key, name in sites.items()],
        meetings=[
            pdsa.Meeting(id="all", kind="data call", date="2024-04-09", title="For all"),
            pdsa.Meeting(
                id="two", kind="data call", date="2024-04-09", title="Two", sites=["North", "South"]
            ),
        ],
    )


@pytest.fixture
def owner(database) -> Any:
    with open_store(database.url()) as store:
        store.add(a_network(), by="Network lead")
        yield store


def of(key: str) -> set[str]:
    return {key, *(f"{kind}-{key}" for kind in "pimc")}


def test_a_viewer_sees_its_sites_and_the_network(owner, database):
    ann = database.account("Ann's")
    owner.grant(ann, "viewer", "North")
    with open_store(database.url(ann)) as store:
        assert set(store.list()["id"]) == {"net", "all"} | of("n")
        assert {record.id for record, _ in store.get("net").walk()} == {"net", "all"} | of("n")
        assert store.notes.empty
        with pytest.raises(StoreError, match="has no record 'p-s'"):
            store.get("p-s")
        with pytest.raises(StoreError, match="your role has no right"):
            store.save(store.get("i-n").revise({"name": "Mine"}, by=ann))
        owner.grant(ann, "viewer", "South")
        owner.grant(ann, "viewer", "South")
        assert set(store.list()["id"]) == {"net", "all", "two"} | of("n") | of("s")
        assert store.access().to_dict("list") == {
            "account": [ann, ann],
            "role": ["viewer", "viewer"],
            "site": ["North", "South"],
        }


def test_an_editor_writes_its_site_and_shares_under_control(owner, database):
    bob = database.account("bob")
    owner.grant(bob, "editor", "North")
    with open_store(database.url(bob), rule=qe.SuppressionRule("ours", 4)) as store:
        cycle = store.save(store.get("c-n").revise({"shared": True}, by=bob))
        assert store.history("c-n")[-1] == cycle
        store.add(pdsa.Driver(id="d", name="Timely"), to="p-n")
        store.save(
            store.get("d").revise({"name": "Timely treatment"}, by=bob).redact("name", "wrong", by=bob)
        )
        store.add(pdsa.Project(id="own", name="By itself", site="North"), by=bob)
        with pytest.raises(StoreError, match="no right"):
            store.add(pdsa.Project(name="Elsewhere", site="South"), by=bob)
        with pytest.raises(StoreError, match="cannot be changed by you"):
            store.save(store.get("net").revise({"name": "Mine"}, by=bob))
        seen = json.loads(store.export_shared())["records"]
        assert [row["record"]["id"] for row in seen] == ["c-n"]
        assert seen[0]["record"]["do"]["reached"] == [{"people": 20, "group": "Asian"}]
        store.save(cycle.revise({"shared": False}, by=bob))
        assert json.loads(store.export_shared())["records"] == []
    assert [version.name for version in owner.history("d")] == ["[redacted]", "[redacted]"]


def test_an_editor_of_one_site_may_view_another(owner, database):
    cleo = database.account("cleo")
    owner.grant(cleo, "editor", "North")
    owner.grant(cleo, "viewer", "South")
    with open_store(database.url(cleo)) as store:
        assert set(store.list(kind="Project")["id"]) == {"p-n", "p-s"}
        store.save(store.get("i-n").revise({"name": "Mine"}, by=cleo))
        with pytest.raises(StoreError, match="cannot be changed by you"):
            store.save(store.get("i-s").revise({"name": "Mine"}, by=cleo))


def test_a_reader_gets_what_is_shared(owner, database):
    dora = database.account("dora")
    owner.grant(dora, "reader")
    for key in "ns":
        owner.save(owner.get(f"c-{key}").revise({"shared": True}, by="A"))
    with open_store(database.url(dora)) as store:
        assert store.export_shared() == owner.export_shared()
        assert {row["site"] for row in json.loads(store.export_shared())["records"]} == {"North", "South"}
        for call in (store.list, store.export_json, lambda: store.get("c-n"), lambda: store.history("c-n")):
            with pytest.raises(StoreError, match="your role has no right"):
                call()


def test_an_admin_writes_all_and_grants(owner, database):
    eve, finn = database.account("eve"), database.account("finn")
    with pytest.raises(StoreError, match="your role has no right"), open_store(database.url(eve)) as store:
        store.list()
    owner.grant(eve, "admin")
    with open_store(database.url(eve)) as store:
        store.save(store.get("net").revise({"name": "Ours"}, by=eve))
        store.save(store.get("i-s").revise({"shared": True}, by=eve))
        store.add(pdsa.Site(id="e", name="East"), to="net")
        store.grant(finn, "viewer", "East")
        assert set(store.access()["account"]) == {eve, finn}
        with open_store(database.url(finn)) as seen:
            assert set(seen.list()["id"]) == {"net", "all", "e"}
        store.revoke(finn, "viewer")
        assert set(store.access()["account"]) == {eve}
        with pytest.raises(StoreError, match="your role has no right"):
            store.grant(finn, "admin")
    assert owner.export_json() == open_and_export(database.url(eve))


def open_and_export(url: str) -> str:
    with open_store(url) as store:
        return store.export_json()


def test_what_is_revoked_is_gone_at_once(owner, database):
    ann = database.account("ann")
    owner.grant(ann, "viewer", "North")
    owner.grant(ann, "viewer", "South")
    with open_store(database.url(ann)) as store:
        owner.revoke(ann, "viewer", "South")
        assert set(store.list()["id"]) == {"net", "all"} | of("n")
        owner.revoke(ann, "viewer", "North")
        with pytest.raises(StoreError, match="no right"):
            store.list()
    with pytest.raises(StoreError, match="is not granted role='viewer' at site='North'"):
        owner.revoke(ann, "viewer", "North")
    assert owner.access().empty


def test_a_role_that_comes_from_elsewhere_too_cannot_be_taken_back(owner, database):
    ann = database.account("ann")
    owner.grant(ann, "reader")
    between = database.account("between")
    database.admin(f'GRANT "{database.name}_reader" TO "{between}"', f'GRANT "{between}" TO "{ann}"')
    with pytest.raises(StoreError, match="from someone else too"):
        owner.revoke(ann, "reader")
    assert owner.access()["account"].tolist() == [ann]


def test_accounts_that_no_role_binds_are_refused(owner, database):
    told = {
        "SUPERUSER": "is a superuser",
        "BYPASSRLS": "has BYPASSRLS",
        "CREATEROLE": "has CREATEROLE",
        "REPLICATION": "has REPLICATION",
    }
    for right, reason in told.items():
        with pytest.raises(StoreError, match=f"{reason}.*would not keep it from"):
            owner.grant(database.account(right.lower(), right), "viewer", "North")
    near, files = database.account("near"), database.account("files")
    database.admin(f'GRANT "{database.roles[0]}" TO "{near}"', f'GRANT pg_read_server_files TO "{files}"')
    with pytest.raises(StoreError, match="owns the tables, or can become their owner"):
        owner.grant(near, "reader")
    with pytest.raises(StoreError, match="is a member of pg_read_server_files"):
        owner.grant(files, "reader")
    with pytest.raises(StoreError, match="has no such account"):
        owner.grant(f"{database.name}_viewer", "viewer", "North")
    with pytest.raises(StoreError, match="has no such account"):
        owner.grant("nobody; DROP TABLE record", "viewer", "North")
    assert owner.access().empty


def test_grant_says_what_is_missing_or_too_much(owner, database):
    ann = database.account("ann")
    for role, site, told in (
        ("viewer", None, "needs the name of its site"),
        ("reader", "North", "is not for role='reader'"),
        ("boss", None, "role='boss' is not allowed"),
    ):
        with pytest.raises(OptionError, match=told):
            owner.grant(ann, role, site)
    with pytest.raises(OptionError, match="a PostgreSQL server knows the role from the account"):
        open_store(database.url(), role="viewer", site="North")


def test_only_the_owner_sets_roles_up(owner, database):
    gus = database.account("gus")
    database.admin(
        f'GRANT SELECT, INSERT, DELETE ON access, alembic_version TO "{gus}"', database=database.name
    )
    with (
        open_store(database.url(gus)) as store,
        pytest.raises(StoreError, match="who owns the tables, grant once"),
    ):
        store.grant(gus, "reader")


def test_roles_of_an_earlier_database_of_the_same_name_let_nobody_in(owner, database):
    database.admin(f'CREATE ROLE "{database.name}_admin"')
    ann = database.account("ann")
    with pytest.raises(StoreError, match=f"has a role '{database.name}_admin' from before this store"):
        owner.grant(ann, "reader")
    database.admin(f'DROP ROLE "{database.name}_admin"')
    owner.grant(ann, "reader")


def test_roles_that_a_restored_database_lacks_are_made_again(owner, database):
    ann = database.account("ann")
    owner.grant(ann, "viewer", "North")
    reader = f'"{database.name}_reader"'
    database.admin(f"DROP OWNED BY {reader}", f"DROP ROLE {reader}", database=database.name)
    owner.grant(ann, "reader")
    with open_store(database.url(ann)) as store:
        assert json.loads(store.export_shared())["records"] == []
        assert "p-n" in set(store.list()["id"])


def test_a_database_with_a_long_name_has_roles_too(new_database):
    with new_database("x" * 46) as database, open_store(database.url()) as store:
        assert len(database.name) == 62
        ann = database.account("ann")
        store.grant(ann, "reader")
        with open_store(database.url(ann)) as seen:
            assert json.loads(seen.export_shared())["records"] == []
        (group,) = database.admin(
            "SELECT g.rolname FROM pg_auth_members JOIN pg_roles a ON a.oid = member "
            f"JOIN pg_roles g ON g.oid = roleid WHERE a.rolname = '{ann}'"
        )
        assert group == (f"qi_equity_{database.number()}_reader",)
