"""What a SQLite store of PDSA records keeps: after kill -9, with ten writers, and of damaged files.

Run: ``python benchmarks/store.py --seed 7``; it takes a few minutes. Wanted: nothing acknowledged is lost and
every file opens after each of 20 kills in the middle of 500 writes; ten processes lose nothing; each of 1,000
damaged files is refused by a StoreError or a DataError or read whole, and never imported by half; 10,000
cycles are imported in under 10 s. The seed has no default: a fresh one each time shows that the results do
not hang on it.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from qi_equity import pdsa
from qi_equity.errors import DataError
from qi_equity.pdsa.store.errors import StaleRecordError, StoreError
from qi_equity.pdsa.store.opening import open as open_store

KILLS, WRITES, PROCESSES, MUTATIONS, CYCLES = 20, 500, 10, 1_000, 10_000
PROJECTS = 10
SECONDS_WANTED = 10.0
GROUPS = ("Asian", "Black", "Mixed", "White")
HOSTILE = (
    None, True, -1, 1e308, "", "\x00", "=cmd|' /C calc'!A0", "__import__('os').system('true')", "a" * 200_000,
    [], {}, [[[[[]]]]], {"__class__": "os.system"}, "2024-02-31", 10**30, ["x"] * 1_000,
)  # fmt: skip
STATEMENTS = (
    "CREATE TRIGGER t AFTER INSERT ON record BEGIN DELETE FROM stamp; END",
    "CREATE VIEW v AS SELECT * FROM record",
    "CREATE TABLE more (x)",
    "ALTER TABLE record ADD COLUMN more TEXT",
    "DROP TABLE stamp",
    "DROP INDEX record_parent",
    "UPDATE alembic_version SET version_num = '9999'",
    "DELETE FROM alembic_version",
    "UPDATE record SET body = '{\"id\": NaN}' WHERE kind = 'Cycle'",
    "UPDATE record SET body = 7 WHERE kind = 'Network'",
    "UPDATE record SET body = x'ff' WHERE kind = 'Project'",
    "UPDATE record SET kind = 'os.system' WHERE kind = 'Cycle'",
    "UPDATE record SET kind = 'Record' WHERE kind = 'Network'",
    'UPDATE record SET body = \'{"name": "P", "trail": []}\' WHERE kind = \'Project\'',
    "UPDATE record SET parent = id WHERE kind = 'Site'",
    "UPDATE record SET parent = (SELECT id FROM record WHERE kind = 'Cycle') WHERE kind = 'Network'",
    "UPDATE record SET parent = 'nobody' WHERE kind = 'Cycle'",
    "UPDATE record SET field = 'cycles' WHERE kind = 'ChangeIdea'",
    "UPDATE record SET site = 'Elsewhere' WHERE kind = 'Cycle'",
    "UPDATE record SET shared = 1 WHERE kind = 'Cycle'",
    "UPDATE record SET version = 'two' WHERE kind = 'Cycle'",
    "UPDATE record SET first_day = 'never' WHERE kind = 'Cycle'",
    "UPDATE stamp SET n = n + 5",
    "UPDATE stamp SET before = '[' || before || ']'",
    "UPDATE stamp SET what = 'erased'",
    "DELETE FROM record WHERE kind = 'ChangeIdea'",
)


def cycle(i: int, idea: str, id: str) -> pdsa.Cycle:
    """Make a cycle with all its steps."""
    day = date(2024, 1, 1) + timedelta(days=i % 400)
    return pdsa.Cycle(
        id=id,
        name=f"Cycle {i}",
        idea=idea,
        plan=pdsa.Plan(
            objective="Weigh all blood loss",
            predictions=[pdsa.Prediction(text="Half", group=g, expected=0.06) for g in GROUPS],
            tasks=[pdsa.Task(what="Print the checklist", who="Ward clerk", when=day)],
            start=day,
        ),
        do=pdsa.Do(start=day, as_planned=True, observations="Scales were moved to every room. " * 10),
        study=pdsa.Study(
            date=day + timedelta(7),
            results=[pdsa.Result(group=g, matched="yes", events=1, denominator=9) for g in GROUPS],
            learning="It fits the round",
        ),
        act=pdsa.Act(date=day + timedelta(8), decision="adapt", follows="Two more wards"),
    )


def network(cycles: int, name: str = "") -> pdsa.Network:
    """Make a network of ten sites with a project each, and share cycles out over them."""
    sites = []
    for p in range(PROJECTS):
        tested = [cycle(i, f"{name}i{p}", f"{name}c{i}") for i in range(p, cycles, PROJECTS)]
        project = pdsa.Project(
            id=f"{name}p{p}",
            name="Fewer haemorrhages",
            site=f"Site {p}",
            ideas=[pdsa.ChangeIdea(id=f"{name}i{p}", name="Weigh all blood loss")],
            cycles=tested,
        )
        sites.append(pdsa.Site(id=f"{name}s{p}", name=f"Site {p}", projects=[project]))
    return pdsa.Network(id=f"{name}n", name="A network", sites=sites)


def write(path: str, name: str, writes: int, revisions: int) -> None:
    """Add cycles one by one and revise one record that all writers share; print what is acknowledged."""
    with open_store(path) as store:
        for i in range(writes):
            p = i % PROJECTS
            store.add(cycle(i, f"i{p}", f"{name}-{i}"), to=f"p{p}", by=name)
            print(f"{name}-{i}", flush=True)
        done = 0
        while done < revisions:
            shared = store.get("i0")
            try:
                store.save(shared.revise({"description": f"{name} {done}"}, by=name))
            except StaleRecordError:
                continue
            done += 1


def _writer(path: Path, name: str, writes: int, revisions: int = 0) -> list[str]:
    """Give the command of a process that writes."""
    return [sys.executable, __file__, "--writer", str(path), name, str(writes), str(revisions)]


def killed(folder: Path, rng: random.Random, writes: int) -> tuple[int, int]:
    """Kill a writer in the middle; give how many writes it acknowledged, and how many of them are lost."""
    path = folder / "killed.db"
    path.unlink(missing_ok=True)
    with open_store(path) as store:
        store.add(network(0))
    with (folder / "acknowledged").open("w+") as told:
        process = subprocess.Popen(_writer(path, "w", writes), stdout=told)
        wanted = rng.randrange(1, writes)
        while process.poll() is None and (folder / "acknowledged").read_bytes().count(b"\n") < wanted:
            time.sleep(rng.random() * 0.02)
        process.kill()
        process.wait()
        told.seek(0)
        acknowledged = told.read().split("\n")[:-1]
    with open_store(path) as store:
        there = {record.id for record, _ in store.get("n").walk()}
        store.add(pdsa.Driver(name="It still takes writes"), to="p0")
    return len(acknowledged), len(set(acknowledged) - there)


def side_by_side(folder: Path, processes: int, writes: int) -> tuple[int, int]:
    """Let processes write at once; give how many cycles and how many versions are lost."""
    path = folder / "together.db"
    with open_store(path) as store:
        store.add(network(0))
    commands = [_writer(path, f"w{k}", writes, revisions=writes) for k in range(processes)]
    started = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    for process in started:
        process.wait()
    if any(process.returncode for process in started):
        return processes * writes, processes * writes
    with open_store(path) as store:
        cycles, versions = len(store.list(kind="Cycle")), store.get("i0").version
        whole = len(store.history("i0"))
    return processes * writes - cycles, processes * writes + 1 - min(versions, whole)


def bytes_changed(content: bytes, rng: random.Random) -> bytes:
    """Damage bytes: cut, flip, insert, take out, or write over."""
    at, size = rng.randrange(len(content)), rng.choice((1, 1, 4, 64, 1024))
    match rng.randrange(5):
        case 0:
            return content[:at]
        case 1:
            return content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1 :]
        case 2:
            return content[:at] + rng.randbytes(size) + content[at:]
        case 3:
            return content[:at] + content[at + size :]
        case _:
            return content[:at] + rng.randbytes(size) + content[at + size :]


def json_changed(content: bytes, rng: random.Random) -> bytes:
    """Damage an export: its bytes, a value at a random place, or its syntax."""
    kind = rng.randrange(4)
    if kind == 0:
        return bytes_changed(content, rng)
    if kind == 1:
        tokens = (
            b"NaN",
            b"1e999",
            b"[" * 100_000,
            b'{"id":1,"id":2}',
            b"-Infinity",
            b'"\\ud800"',
            b"9" * 5_000,
        )
        at = rng.choice([i for i, c in enumerate(content) if c == ord(":")])
        return content[: at + 1] + rng.choice(tokens) + content[at + 1 :].partition(b",")[2]
    data = json.loads(content)
    places = list(_places(data))
    holder, key = rng.choice(places)
    if kind == 2:
        holder[key] = rng.choice(HOSTILE)
    elif isinstance(holder, dict):
        holder[rng.choice(("__proto__", "id", "trail", "extra"))] = rng.choice(HOSTILE)
    else:
        holder.append(holder[key])
    return json.dumps(data).encode()


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    keys = data.keys() if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for key in keys:
        yield data, key
        yield from _places(data[key])


def database_changed(path: Path, rng: random.Random) -> None:
    """Damage a database file: its bytes, or its tables."""
    if rng.random() < 0.7:
        path.write_bytes(bytes_changed(path.read_bytes(), rng))
        return
    connection = sqlite3.connect(path)
    connection.execute(rng.choice(STATEMENTS))
    connection.commit()
    connection.close()


def template(folder: Path) -> tuple[Path, bytes]:
    """Make a small store with a revised and a redacted record, and its export."""
    path = folder / "template.db"
    with open_store(path) as store:
        store.add(network(20))
        first = store.get("c0").revise({"name": "First"}, by="Midwife", reason="clearer")
        store.save(first.redact("do.observations", "named a patient", by="Midwife"))
        return path, store.export_json().encode()


def read_all(path: Path) -> str:
    """Use a store in every way that reads; give its export."""
    with open_store(path, timeout=2) as store:
        for id in store.list()["id"]:
            store.history(id)
        store.list(measure="pph_1500", since="2024-02-01")
        return store.export_json()


def try_json(folder: Path, made: tuple[Path, bytes], rng: random.Random) -> str:
    """Import a damaged export into a store that holds something; tell how it went."""
    target = folder / "target.db"
    if not target.exists():
        with open_store(target) as store:
            store.add(network(2, name="other-"))
    before = read_all(target)
    text = json_changed(made[1], rng)
    (folder / "damaged.json").write_bytes(text)
    with open_store(target) as store:
        outcome = _outcome(lambda: store.import_json(folder / "damaged.json"))
    after = read_all(target)
    if outcome != "read":
        return outcome if after == before else "HALF IMPORTED"
    target.unlink()
    return "read: same content" if text == made[1] else "read: other values"


def try_database(folder: Path, made: tuple[Path, bytes], rng: random.Random) -> str:
    """Open and use a damaged database; tell how it went."""
    path = folder / "damaged.db"
    shutil.copy(made[0], path)
    database_changed(path, rng)
    found: list[str] = []
    outcome = _outcome(lambda: found.append(read_all(path)))
    if outcome != "read":
        return outcome
    return "read: same content" if found[0].encode() == made[1] else "read: other values"


def _outcome(use: Callable[[], object]) -> str:
    try:
        use()
    except (StoreError, DataError) as error:
        return "refused" if str(error) else "REFUSED WITHOUT A REASON"
    except Exception as error:  # noqa: BLE001
        return f"{type(error).__name__.upper()}: {error}"
    return "read"


def import_seconds(folder: Path, cycles: int) -> tuple[float, float]:
    """Give the seconds of one import of so many cycles: by the clock, and of the processor alone."""
    with open_store(folder / "from.db") as store:
        store.add(network(cycles))
        store.export_json(folder / "large.json")
    with open_store(folder / "to.db") as store:
        start, used = time.perf_counter(), time.process_time()
        store.import_json(folder / "large.json")
        return time.perf_counter() - start, time.process_time() - used


def main() -> int:
    """Print the tables; 1 if something is not as wanted."""
    parser = argparse.ArgumentParser(description="What a SQLite store keeps.")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--mutations", type=int, default=MUTATIONS)
    parser.add_argument("--writer", nargs=4, metavar=("PATH", "NAME", "WRITES", "REVISIONS"))
    chosen = parser.parse_args()
    if chosen.writer:
        path, name, writes, revisions = chosen.writer
        write(path, name, int(writes), int(revisions))
        return 0
    if chosen.seed is None:
        parser.error("--seed is needed")
    rng = random.Random(chosen.seed)
    with tempfile.TemporaryDirectory() as name:
        return int(not report(Path(name), rng, chosen.mutations))


def report(folder: Path, rng: random.Random, mutations: int) -> bool:
    """Print the tables; False if something is not as wanted."""
    kills = [killed(folder, rng, WRITES) for _ in range(KILLS)]
    cycles, versions = side_by_side(folder, PROCESSES, WRITES // PROCESSES)
    seconds, used = import_seconds(folder, CYCLES)
    print("| what | found | wanted |\n|---|---|---|")
    print(f"| acknowledged writes before {KILLS} kills | {sum(k for k, _ in kills)} | |")
    print(f"| lost of these | {sum(lost for _, lost in kills)} | 0 |")
    print(f"| lost cycles of {PROCESSES} processes at once | {cycles} | 0 |")
    print(f"| lost versions of a record they share | {versions} | 0 |")
    print(f"| seconds to import {CYCLES:,} cycles | {seconds:.1f} | below {SECONDS_WANTED:g} |")
    print(f"| of these the processor's | {used:.1f} | |\n")
    made = template(folder)
    fine = not (sum(lost for _, lost in kills) or cycles or versions) and seconds < SECONDS_WANTED
    print("| damaged | how it went | files |\n|---|---|---|")
    for what, attempt in (("JSON", try_json), ("database", try_database)):
        found = Counter(attempt(folder, made, rng) for _ in range(mutations // 2))
        for outcome, count in sorted(found.items()):
            print(f"| {what} | {outcome} | {count} |")
        fine &= all(outcome.startswith(("refused", "read")) for outcome in found)
    return fine


if __name__ == "__main__":
    sys.exit(main())
