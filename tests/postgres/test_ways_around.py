"""Attempts to get round row-level security over a raw connection: each is refused, or finds nothing.

Every text of the other site holds the word SECRET. It must not come back in a row, nor in a message or its
details.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from qi_equity import pdsa
from qi_equity.pdsa.store.opening import open as open_store

DENIED = "42501"


def project(site: str, key: str, said: str) -> pdsa.Project:
    # What is shared with the network is no secret, but what it said before is.
    cycle = pdsa.Cycle(
        id=f"c-{key}",
        name=f"Cycle {said}",
        idea=f"i-{key}",
        plan=pdsa.Plan(
            objective="Weigh all blood loss",
            predictions=[pdsa.Prediction(text="All weighed")],
            scale=pdsa.ScaleOfTest(size="one clinic", people=2, belief="low", consequence="minor"),
        ),
        recorded_by=said,
    )
    return pdsa.Project(
        id=f"p-{key}",
        name=said,
        site=site,
        problem=said,
        ideas=[pdsa.ChangeIdea(id=f"i-{key}", name=said)],
        measures=[pdsa.MeasureUse(id=f"m-{key}", measure=f"Time {said}", role="outcome")],
        cycles=[cycle],
    )


def a_network() -> pdsa.Network:
    return pdsa.Network(
        id="net",
        name="A network",
        sites=[
            pdsa.Site(id="n", name="North", projects=[project("North", "n", "told")]),
            pdsa.Site(id="s", name="South", projects=[project("South", "s", "SECRET")]),
        ],
        meetings=[
            pdsa.Meeting(id="all", kind="data call", date="2024-04-09", title="For all"),
            pdsa.Meeting(id="m-north", kind="data call", date="2024-04-09", title="told", sites=["North"]),
            pdsa.Meeting(id="m-south", kind="data call", date="2024-04-09", title="SECRET", sites=["South"]),
            pdsa.Meeting(
                id="m-both", kind="data call", date="2024-04-09", title="SECRET", sites=["North", "South"]
            ),
        ],
    )


@pytest.fixture(scope="module")
def world(new_database) -> Any:
    """A network of two sites in a database, and an account for each role."""
    with new_database() as database:
        names = ("viewer", "editor", "reader", "admin", "nobody", "member")
        accounts = {name: database.account(name) for name in names}
        with open_store(database.url()) as store:
            store.add(a_network(), by="Network lead")
            for key in "ns":
                said = "SECRET" if key == "s" else "told"
                idea = store.get(f"i-{key}").revise({"name": f"{said} too"}, by=said, reason=said)
                store.save(idea)
                cycle = store.get(f"c-{key}").revise({"shared": True}, by=said, reason=said)
                store.save(cycle.revise({"name": f"shared by {key}"}, by=said, reason=said))
            store.grant(accounts["viewer"], "viewer", "North")
            store.grant(accounts["editor"], "editor", "North")
            store.grant(accounts["reader"], "reader")
            store.grant(accounts["admin"], "admin")
        # Someone with the server's role, but nothing granted by the store.
        database.admin(f'GRANT "{database.name}_viewer", "{database.name}_reader" TO "{accounts["member"]}"')
        database.admin("ANALYZE", database=database.name)
        yield SimpleNamespace(database=database, **accounts)


def tried(world: Any, role: str, *statements: str) -> tuple[str, str | None]:
    """Run statements as an account; give all that came back as one text, and the state of the first error."""
    import psycopg

    told: list[str] = []
    with world.database.raw(getattr(world, role)) as connection:
        connection.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
        for statement in statements:
            try:
                if statement.startswith("COPY") and "TO STDOUT" in statement:
                    with connection.cursor().copy(statement) as rows:
                        told += [bytes(row).decode() for row in rows]
                    continue
                cursor = connection.execute(statement)
                told += [str(row) for row in cursor.fetchall()] if cursor.description else []
            except psycopg.Error as error:
                details = (error.diag.message_detail, error.diag.message_hint, error.diag.context)
                return "\n".join([*told, str(error), *map(str, details)]), error.diag.sqlstate
    return "\n".join(told), None


TABLES = ("record", "stamp", "record_measure", "shared_record", "access")
# What each role may find of each table.
FOUND = {
    "viewer": {
        "record": {"net", "n", "p-n", "i-n", "m-n", "c-n", "all", "m-north"},
        "stamp": {"i-n", "c-n"},
        "record_measure": {"m-n"},
        "shared_record": {"c-n"},
        "access": {"viewer"},
    },
    "reader": {
        "record": DENIED,
        "stamp": DENIED,
        "record_measure": DENIED,
        "shared_record": {"c-n", "c-s"},
        "access": {"reader"},
    },
    "admin": {
        "record": {"net", "all", "m-north", "m-south", "m-both"}
        | {f"{kind}-{key}" for kind in "pimc" for key in "ns"}
        | {"n", "s"},
        "stamp": {"i-n", "c-n", "i-s", "c-s"},
        "record_measure": {"m-n", "m-s"},
        "shared_record": {"c-n", "c-s"},
        "access": {"viewer", "editor", "reader", "admin"},
    },
    "member": {
        "record": set(),
        "stamp": set(),
        "record_measure": set(),
        "shared_record": set(),
        "access": set(),
    },
}
FOUND["editor"] = FOUND["viewer"] | {"access": {"editor"}}
_KEYS = {"record": "id", "shared_record": "id", "access": "role"}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("role", FOUND)
def test_what_each_role_finds(world, role, table):
    wanted = FOUND[role][table]
    key = _KEYS.get(table, "record")
    text, state = tried(world, role, f"SELECT DISTINCT {key} FROM {table}")
    if wanted == DENIED:
        assert state == DENIED
    else:
        assert state is None, text
        assert set(text.replace("('", "").replace("',)", "").split()) == wanted


def test_who_is_granted_nothing_cannot_connect(world):
    import psycopg

    world_name = world.database.name
    with pytest.raises(psycopg.OperationalError, match=f'permission denied for database "{world_name}"'):
        world.database.raw(world.nobody)


READS = {
    "whole rows": ["SELECT r::text FROM record r"],
    "another site by name": ["SELECT * FROM record WHERE site = 'South'"],
    "what is before": ["SELECT before, reason, by FROM stamp"],
    "measures": ["SELECT * FROM record_measure"],
    "counting": ["SELECT count(*) FROM record WHERE site = 'South' HAVING count(*) > 0"],
    "a cast that fails on texts": ["SELECT 1 FROM record WHERE site = 'South' AND body::int = 1"],
    "a cast that fails, first in the condition": [
        "SELECT 1 FROM record WHERE left(body, 0) || id = 's' AND body::int = 1"
    ],
    "a division by zero on a guess": [
        "SELECT 1 FROM record WHERE 1 / (CASE WHEN body LIKE '%SECRET%' THEN 0 ELSE 1 END) > 9"
    ],
    "a pattern that fails": ["SELECT 1 FROM record WHERE id LIKE '%-s' AND 'x' ~ ('(' || body)"],
    "a cheap leaky operator": ["SELECT 1 FROM record WHERE id LIKE '%-s' AND body::xml IS NOT NULL"],
    "a system column": [
        "SELECT ctid, body FROM record WHERE ctid = ANY "
        "(ARRAY(SELECT ('(0,' || i || ')')::tid FROM generate_series(1, 99) i))"
    ],
    "a sample": ["SELECT body FROM record TABLESAMPLE SYSTEM (100)"],
    "a subquery": ["SELECT (SELECT string_agg(body, '') FROM record)"],
    "a common table": ["WITH r AS NOT MATERIALIZED (SELECT * FROM record) SELECT * FROM r"],
    "a join with what may be seen": ["SELECT r.body FROM record_measure m RIGHT JOIN record r ON true"],
    "the shared body of what is not shared": ["SELECT body FROM shared_record WHERE site = 'South'"],
    "copy of a table": ["COPY record TO STDOUT"],
    "copy of stamps": ["COPY stamp TO STDOUT"],
    "copy of a query": ["COPY (SELECT * FROM record) TO STDOUT"],
    "XML of a table": ["SELECT table_to_xml('record', true, false, '')"],
    "XML of the database": ["SELECT database_to_xml(true, false, '')"],
    "a query in a function": ["SELECT query_to_xml('SELECT * FROM record', true, false, '')"],
    "a cursor": ["BEGIN", "DECLARE c CURSOR FOR SELECT * FROM record", "FETCH ALL FROM c"],
    "a block of code": [
        "DO $$ DECLARE t text; "
        "BEGIN SELECT string_agg(body, '') INTO t FROM record; RAISE NOTICE '%', t; END $$"
    ],
    "a prepared statement": ["PREPARE p AS SELECT body FROM record", "EXECUTE p"],
    "a plan with estimates": ["EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM record WHERE body LIKE '%SECRET%'"],
    "a plan on a guess": [
        "SET enable_seqscan = off",
        "SET client_min_messages = debug5",
        "SET debug_print_plan = on",
        "EXPLAIN SELECT 1 FROM record_measure WHERE measure = 'Time %SECRET%'",
    ],
    "statistics": ["SELECT * FROM pg_stats WHERE schemaname = 'public'"],
    "what others run": ["SELECT query FROM pg_stat_activity WHERE usename <> session_user"],
    "the text of policies": ["SELECT * FROM pg_policies"],
    "constraint of a missing holder": [
        "INSERT INTO record VALUES ('x', 'Driver', 'p-s', 'drivers', 0, "
        "'North', NULL, NULL, NULL, false, 1, '{}')"
    ],
    "an id that is taken": [
        "INSERT INTO record VALUES ('i-s', 'Driver', 'p-n', 'drivers', 0, "
        "'North', NULL, NULL, NULL, false, 1, '{}')"
    ],
    "an id that is taken, to be replaced": [
        "INSERT INTO record VALUES ('i-s', 'Driver', 'p-n', 'drivers', 0, "
        "'North', NULL, NULL, NULL, false, 1, '{}')"
        " ON CONFLICT (id) DO UPDATE SET body = record.body RETURNING body"
    ],
    "a merge": [
        "MERGE INTO record r USING (SELECT 'i-s' AS id) s ON r.id = s.id "
        "WHEN MATCHED THEN UPDATE SET body = 'x'"
    ],
    "an update that returns": ["UPDATE record SET body = body WHERE site = 'South' RETURNING *"],
    "an update of everything": ["UPDATE record SET version = version WHERE body::int = 1 RETURNING *"],
    "stamps that return": ["UPDATE stamp SET before = before WHERE record = 'i-s' RETURNING *"],
    "measures that return": ["DELETE FROM record_measure WHERE record = 'm-s' RETURNING *"],
    "shared bodies that return": ["DELETE FROM shared_record WHERE id = 'c-s' RETURNING *"],
}
"""Attempts that may run, but must not bring back or change what is not the account's."""


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("role", ["viewer", "editor", "reader"])
def test_no_way_leads_to_another_site(world, role, name):
    statements = READS[name]
    before = everything_of(world)
    text, _ = tried(world, role, *statements)
    assert "SECRET" not in text.replace("%SECRET%", ""), text
    assert everything_of(world) == before


def everything_of(world: Any) -> list[Any]:
    """Give all that there is, as the superuser sees it."""
    rows = " UNION ALL ".join(f"SELECT t::text FROM {table} t" for table in TABLES)
    return world.database.admin(f"{rows} ORDER BY 1", database=world.database.name)


REFUSED = {
    "security switched off": ["SET row_security = off", "SELECT * FROM record"],
    "the role of editors": ['SET ROLE "{db}_editor"'],
    "the role of admins": ['SET ROLE "{db}_admin"'],
    "the owner": ['SET ROLE "{db}_the_owner"'],
    "another account": ['SET SESSION AUTHORIZATION "{db}_the_admin"'],
    "a superuser": ["SET ROLE qi_equity_tests"],
    "to grant itself": ['GRANT "{db}_admin" TO CURRENT_USER'],
    "an access of its own": ["INSERT INTO access VALUES (session_user, 'admin', '')"],
    "a site of its own": ["INSERT INTO access VALUES (session_user, 'viewer', 'South')"],
    "another site in place of its own": ["UPDATE access SET site = 'South'"],
    "policies gone": ["ALTER TABLE record DISABLE ROW LEVEL SECURITY"],
    "a policy more": ["CREATE POLICY mine ON record USING (true)"],
    "a policy less": ["DROP POLICY sees ON record"],
    "triggers off": ["SET session_replication_role = replica"],
    "a trigger of its own": [
        "CREATE TRIGGER mine BEFORE INSERT ON record FOR EACH ROW EXECUTE FUNCTION record_fits_holder()"
    ],
    "a table in front": ["CREATE TEMP TABLE access (account text, role text, site text)"],
    "a function": [
        "CREATE FUNCTION public.f(text) RETURNS bool COST 0.0001 LANGUAGE plpgsql "
        "AS $$ BEGIN RETURN true; END $$"
    ],
    "a temporary function": [
        "CREATE FUNCTION pg_temp.f(text) RETURNS bool COST 0.0001 LANGUAGE plpgsql "
        "AS $$ BEGIN RAISE NOTICE '%', $1; RETURN true; END $$"
    ],
    "a view": ["CREATE VIEW public.v AS SELECT * FROM record"],
    "a schema": ["CREATE SCHEMA mine"],
    "a foreign key to ask with": ["CREATE TABLE public.t (id text REFERENCES record (id))"],
    "an extension": ["CREATE EXTENSION pg_trgm"],
    "a copy to a file": ["COPY record TO '/tmp/qi_equity_copied'"],
    "a copy to a program": ["COPY record TO PROGRAM 'cat'"],
    "a copy from a file": ["COPY shared_record FROM '/etc/passwd'"],
    "the files of the server": ["SELECT pg_read_file('PG_VERSION')"],
    "a large object from a file": ["SELECT lo_import('/etc/passwd')"],
    "a large object to a file": ["SELECT lo_export(lo_create(0), '/tmp/qi_equity_exported')"],
    "samples of the data": ["SELECT * FROM pg_statistic"],
    "passwords": ["SELECT * FROM pg_authid"],
    "the trigger called by hand": ["SELECT record_fits_holder()"],
    "a lock that keeps out": ["LOCK TABLE access IN ACCESS EXCLUSIVE MODE"],
    "emptying": ["TRUNCATE record CASCADE"],
    "deleting records": ["DELETE FROM record WHERE site = 'North'"],
    "deleting stamps": ["DELETE FROM stamp"],
    "another schema": ["UPDATE alembic_version SET version_num = '9'"],
    "a listener of changes": ["SELECT pg_create_logical_replication_slot('s', 'pgoutput')"],
    "who a record is": ["UPDATE record SET id = 'x' WHERE id = 'i-n'"],
    "where a record hangs": ["UPDATE record SET parent = 'p-s' WHERE id = 'i-n'"],
    "who made a version": ["UPDATE stamp SET by = 'Someone else' WHERE record = 'i-n'"],
    "why": ["UPDATE stamp SET by = '[redacted]', reason = 'Another reason' WHERE record = 'i-n'"],
}
"""Attempts that the server refuses whoever of these tries."""


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("role", ["viewer", "editor", "reader"])
def test_what_the_server_refuses(world, role, name):
    statements = [s.replace("{db}", world.database.name) for s in REFUSED[name]]
    if role == "editor":
        statements = [s for s in statements if s != f'SET ROLE "{world.database.name}_editor"']
    if not statements:
        return
    text, state = tried(world, role, "BEGIN", *statements)
    # 42501: no right; 0A000: pseudo-type functions are not called; 55000: no such service on this server.
    assert state in {DENIED, "0A000", "55000"}, text
    assert "SECRET" not in text


NEW = "('x', 'Driver', {parent}, 'drivers', 9, {site}, NULL, NULL, NULL, false, 1, '{{}}')"


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO record VALUES " + NEW.format(parent="'p-s'", site="'South'"),
        "INSERT INTO record VALUES " + NEW.format(parent="'p-s'", site="'North'"),
        "INSERT INTO record VALUES " + NEW.format(parent="'net'", site="NULL"),
        "INSERT INTO record VALUES " + NEW.format(parent="NULL", site="NULL"),
        "UPDATE record SET site = 'South' WHERE id = 'i-n'",
        "UPDATE record SET site = NULL WHERE id = 'i-n'",
        "INSERT INTO stamp VALUES ('i-s', 7, '2024', 'A', '', 'revised', NULL, '{}')",
        "INSERT INTO stamp VALUES ('net', 0, '2024', 'A', '', 'revised', NULL, '{}')",
        "INSERT INTO record_measure VALUES ('m-s', 'Mine')",
        "INSERT INTO shared_record VALUES ('c-s2', 'Cycle', 'p-s', 'South', '{}')",
        "INSERT INTO shared_record VALUES ('i-s', 'Cycle', 'p-s', 'North', '{}')",
        "INSERT INTO shared_record VALUES ('i-n', 'Cycle', 'p-n', 'North', '{}')",
    ],
)
def test_an_editor_writes_nothing_elsewhere(world, statement):
    text, state = tried(world, "editor", statement)
    assert state == DENIED, text


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record SET body = 'x' WHERE id = 'net'",
        "UPDATE record SET body = 'x' WHERE id = 'all'",
        "UPDATE record SET body = 'x' WHERE site = 'South'",
        "UPDATE stamp SET before = 'x' WHERE record = 'i-s'",
        "DELETE FROM record_measure WHERE record = 'm-s'",
        "DELETE FROM shared_record WHERE id = 'c-s'",
    ],
)
def test_what_an_editor_does_not_own_is_not_there_to_change(world, statement):
    before = everything_of(world)
    assert tried(world, "editor", statement) == ("", None)
    assert everything_of(world) == before


def test_set_role_changes_nothing_of_what_is_seen(world):
    """Also for someone who may become another account: who logged in is asked."""
    database = world.database
    both = database.account("both")
    database.admin(f'GRANT "{world.viewer}", "{world.admin}" TO "{both}"')
    world.both = both
    text, state = tried(world, "both", f'SET ROLE "{world.viewer}"', "SELECT id FROM record")
    assert (text, state) == ("", None)
    database.admin(f'REVOKE "{world.viewer}", "{world.admin}" FROM "{both}"')


def test_nothing_runs_with_the_rights_of_the_owner_but_the_trigger(world):
    found = world.database.admin(
        "SELECT proname, prosecdef, proconfig::text, pg_get_function_result(oid) FROM pg_proc "
        "WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
        database=world.database.name,
    )
    path = '{"search_path=pg_catalog, pg_temp"}'
    assert found == [
        ("record_fits_holder", True, path, "trigger"),
        ("stamp_is_blanked_only", False, path, "trigger"),
    ]
    secured = world.database.admin(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relrowsecurity AND "
        "relnamespace = 'public'::regnamespace ORDER BY 1",
        database=world.database.name,
    )
    assert [name for (name,) in secured] == sorted(TABLES)
    others = world.database.admin(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'p', 'f') AND NOT relrowsecurity AND "
        "relnamespace = 'public'::regnamespace",
        database=world.database.name,
    )
    # It holds the number of the schema.
    assert others == [("alembic_version",)]


def test_no_samples_of_texts_are_kept(world):
    """Not even for the superuser: estimates of plans come from these."""
    found = world.database.admin(
        "SELECT tablename, attname FROM pg_stats WHERE schemaname = 'public' AND "
        "(most_common_vals::text LIKE '%SECRET%' OR histogram_bounds::text LIKE '%SECRET%')",
        database=world.database.name,
    )
    assert found == []
