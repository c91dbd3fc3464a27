"""Nothing that was acknowledged is lost, and every failure of a disk or a file says what to do."""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError

from qi_equity import pdsa
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.pdsa.store import failures, opening
from qi_equity.pdsa.store.errors import StoreError
from qi_equity.pdsa.store.opening import open as open_store

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "store.py"
SEED = 20_261


@pytest.fixture(scope="module")
def bench() -> Any:
    spec = importlib.util.spec_from_file_location("benchmark_of_the_store", BENCHMARK)
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


def a_store(path: Path) -> Path:
    with open_store(path) as store:
        store.add(pdsa.Project(id="p", name="Haemorrhage", site="North"))
    return path


def test_nothing_acknowledged_is_lost_when_a_writer_is_killed(bench, tmp_path):
    rng = random.Random(SEED)
    for _ in range(3):
        acknowledged, lost = bench.killed(tmp_path, rng, 60)
        assert acknowledged > 0
        assert lost == 0


def test_ten_processes_lose_nothing(bench, tmp_path):
    assert bench.side_by_side(tmp_path, 10, 3) == (0, 0)


def test_a_writer_that_dies_before_its_commit_leaves_nothing(tmp_path):
    path = a_store(tmp_path / "network.db")
    code = (
        "import os, sys\n"
        "from sqlalchemy import event\n"
        "from qi_equity import pdsa\n"
        "from qi_equity.pdsa.store.opening import open as open_store\n"
        "store = open_store(sys.argv[1])\n"
        "event.listen(store._engine, 'commit', lambda connection: os._exit(9))\n"
        "store.add(pdsa.Driver(id='d', name='Half'), to='p')\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 9
    with open_store(path) as store:
        assert store.list()["id"].tolist() == ["p"]


def test_threads_share_a_store(tmp_path):
    with open_store(a_store(tmp_path / "network.db")) as store:

        def work(k: int) -> None:
            for i in range(5):
                store.add(pdsa.Driver(id=f"{k}-{i}", name="Driver"), to="p")

        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store.get("p").drivers) == 20
        assert sorted(store.list(kind="Driver")["id"]) == sorted(d.id for d in store.get("p").drivers)


def test_each_connection_is_set_to_lose_nothing(tmp_path):
    with open_store(a_store(tmp_path / "network.db")) as store, store._engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "secure_delete")
        }
    assert found == {
        "journal_mode": "delete",
        "synchronous": 2,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "secure_delete": 1,
    }


def test_a_write_waits_for_its_turn_and_says_when_it_is_locked_out(tmp_path):
    path = a_store(tmp_path / "network.db")
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match=r"network\.db' is locked by another program.*close that"):
        open_store(path, timeout=0.05)
    other.execute("ROLLBACK")
    with open_store(path, timeout=0.05) as store:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="is locked by another program for longer than the timeout"):
            store.add(pdsa.Driver(name="Late"), to="p")
        assert store.list()["id"].tolist() == ["p"]
    with open_store(path, timeout=20) as store:
        later = threading.Timer(0.2, other.execute, ("ROLLBACK",))
        later.start()
        store.add(pdsa.Driver(name="In time"), to="p")
        later.join()
    other.close()


def test_a_full_disk_is_told_and_what_was_there_is_safe(tmp_path):
    with open_store(a_store(tmp_path / "network.db")) as store:

        def full(connection: Any, record: Any) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")

        event.listen(store._engine, "connect", full)
        with pytest.raises(
            StoreError, match=r"the disk is full; nothing of this was written.*Free some space"
        ):
            store.add(pdsa.Driver(id="d", name="x" * 400), to="p", by="y" * 90_000)
        event.remove(store._engine, "connect", full)
        assert store.list()["id"].tolist() == ["p"]
        store.add(pdsa.Driver(id="d", name="x" * 400), to="p", by="y" * 90_000)


def fill(store: Any, written: list[pdsa.Driver]) -> None:
    for i in range(200):
        written.append(store.add(pdsa.Driver(id=f"d{i}", name="x" * 400), to="p", by="y" * 9_000))


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("mount") is None,
    reason="only root can mount a small disk",
)
def test_a_disk_that_is_full_indeed(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        with open_store(a_store(disk / "network.db")) as store:
            written: list[pdsa.Driver] = []
            with pytest.raises(StoreError, match="the disk is full"):
                fill(store, written)
            assert written
            assert len(store.list(kind="Driver")) == len(written)
            with pytest.raises(StoreError, match=r"out\.json' cannot be read or written \(No space left"):
                store.export_json(disk / "out.json")
        with open_store(disk / "network.db") as store:
            assert [d.id for d in store.get("p").drivers] == [d.id for d in written]
        with pytest.raises(StoreError, match="the disk is full"):
            open_store(disk / "another.db")
        assert [p.name for p in disk.iterdir()] == ["network.db"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


READ_ONLY = """
import os, sys
import qi_equity as qe
from qi_equity import pdsa
from qi_equity.pdsa.store.errors import StoreError
from qi_equity.pdsa.store.opening import open as open_store
os.chdir(sys.argv[1])
# Whoever runs this without root's rights may not be able to read the library's own files.
rule = qe.SuppressionRule.load("nhs-england")
with open_store("network.db", rule=rule) as store:  # loads what is loaded on first use
    store.list()
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
with open_store("network.db", rule=rule) as store:
    print(store.list()["id"].tolist(), len(store.export_json()) > 0)
    try:
        store.add(pdsa.Driver(name="Not allowed"), to="p")
    except StoreError as error:
        print(error)
for path in ("new.db", "secret.db"):
    try:
        open_store(path, rule=rule)
    except StoreError as error:
        print(error)
"""


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights to files are those of POSIX here")
def test_a_file_that_is_read_only_can_be_read_and_says_so(tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    a_store(folder / "network.db")
    a_store(folder / "secret.db").chmod(0o000)
    (folder / "network.db").chmod(0o444)
    folder.chmod(0o555)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.name.startswith(("test_", "popen-", "pytest-")):
            parent.chmod(0o755)
    try:
        done = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(folder)], capture_output=True, text=True, check=False
        )
    finally:
        folder.chmod(0o755)
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert told[0] == "['p'] True"
    assert told[1].startswith("'network.db' cannot be written: it is read-only for you; ask for the right")
    assert (
        told[2] == "'new.db' cannot be read or written (Permission denied); check the path and your rights."
    )
    assert told[3].startswith("'secret.db' cannot be opened: it is gone, or you have no right to read it")


def test_a_file_that_is_gone_is_not_made_again(tmp_path):
    path = a_store(tmp_path / "network.db")
    with open_store(path) as store:
        path.unlink()
        with pytest.raises(StoreError, match="cannot be opened: it is gone"):
            store.add(pdsa.Driver(name="Lost"), to="p")
    assert not path.exists()


def test_open_says_what_it_was_given(tmp_path):
    with pytest.raises(InputTypeError, match="where=7 is of type int"):
        open_store(7)
    with pytest.raises(OptionError, match="timeout=0"):
        open_store(tmp_path / "network.db", timeout=0)
    for where in ("", " ", ":memory:", "a\x00b"):
        with pytest.raises(StoreError, match="is no path of a file; give one"):
            open_store(where)
    with pytest.raises(StoreError, match="There is no folder 'nowhere' for"):
        open_store("nowhere/network.db")
    with pytest.raises(StoreError, match=r"is no file; give the path of a file"):
        open_store(tmp_path)
    for address in ("sqlite:///network.db?mode=memory", "mysql://user@host/db"):
        with pytest.raises(StoreError, match=r"is not possible; give the path of a SQLite file by itself"):
            open_store(address)
    with pytest.raises(StoreError, match="no address that can be read"):
        open_store("postgresql+psycopg://user@host:port/db")


def test_signs_of_an_address_are_part_of_a_name(tmp_path):
    a_store(tmp_path / "a?mode=memory#x%41.db")
    assert [p.name for p in tmp_path.iterdir()] == ["a?mode=memory#x%41.db"]


def test_a_password_is_never_told():
    with pytest.raises(
        StoreError, match=r"cannot be used: .*check the address, the account, the password"
    ) as error:
        open_store("postgresql://user:secret@127.0.0.1:1/db", timeout=1)
    assert "secret" not in str(error.value)
    with pytest.raises(StoreError) as error:
        open_store("postgresql://user:secret@host:port/db")
    assert "secret" not in str(error.value)
    with pytest.raises(StoreError) as error:
        open_store("postgresql://user@127.0.0.1:1/db?password=secret&passfile=secret", timeout=1)
    assert "secret" not in str(error.value)


def test_postgres_without_its_package_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"pip install 'qi_equity\[postgres\]'"):
        open_store("postgresql+psycopg://user@host/db")


def test_what_is_no_store_is_refused(tmp_path):
    (tmp_path / "text.db").write_text("PDSA cycles, first quarter\n" * 100)
    with pytest.raises(StoreError, match="is not a SQLite database"):
        open_store(tmp_path / "text.db")
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE record (id)")
    other.close()
    with pytest.raises(StoreError, match="is a database of something else"):
        open_store(tmp_path / "other.db")
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreError, match="is empty: whatever it held is lost"):
        open_store(tmp_path / "empty.db")
    (tmp_path / "lost.db-journal").touch()
    with pytest.raises(StoreError, match=r"lost\.db' is not there, but .*-journal', which belongs to it, is"):
        open_store(tmp_path / "lost.db")


def test_a_damaged_page_is_found_at_once(tmp_path):
    path = a_store(tmp_path / "network.db")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(StoreError, match=r"is damaged: .* Restore the last copy"):
        open_store(path)


def test_a_file_that_another_program_made_first_is_used(tmp_path, monkeypatch):
    path = tmp_path / "network.db"
    place = opening._place

    def late(draft: Path, target: Path) -> None:
        monkeypatch.undo()
        a_store(target)
        place(draft, target)

    monkeypatch.setattr(opening, "_place", late)
    assert open_store(path).list()["id"].tolist() == ["p"]
    assert [p.name for p in tmp_path.iterdir()] == ["network.db"]


@pytest.mark.parametrize("taken", [False, True])
def test_a_disk_without_links_does_as_well(tmp_path, monkeypatch, taken):
    path = tmp_path / "network.db"

    def no_links(draft: Path, target: Path) -> None:
        monkeypatch.undo()
        if taken:
            a_store(target)
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", no_links)
    assert open_store(path).list()["id"].tolist() == (["p"] if taken else [])
    assert [p.name for p in tmp_path.iterdir()] == ["network.db"]


class ReportedError(Exception):
    sqlstate: str | None = None


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("42501", "your role has no right to it"),
        ("53100", "the server's disk is full"),
        ("55P03", "is locked"),
        (None, "cannot be used: details; check the address"),
    ],
)
def test_what_a_server_reports_says_what_to_do(state, told):
    reported = ReportedError("details\nHINT: secret")
    reported.sqlstate = state
    with pytest.raises(StoreError, match=told) as error, failures.told("postgresql://host/db"):
        raise OperationalError("SELECT secret", {}, reported)
    assert "secret" not in str(error.value)


def test_what_a_database_refuses_is_told_without_the_records():
    with (
        pytest.raises(StoreError, match="refuses the record: details; nothing") as error,
        failures.told("a.db"),
    ):
        raise IntegrityError("INSERT secret", {"body": "secret"}, ReportedError("details"))
    assert "secret" not in str(error.value)


def test_what_a_driver_reports_without_a_code_is_taken_for_damage():
    with (
        pytest.raises(StoreError, match=r"is damaged: Could not decode to UTF-8"),
        failures.told("network.db"),
    ):
        raise sqlite3.OperationalError("Could not decode to UTF-8 column")
