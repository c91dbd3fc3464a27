"""The service of examples/service, over HTTP on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SERVICE = Path(__file__).parents[2] / "examples" / "service"
# Few months: disclosure control of many takes long, and is tested elsewhere.
CODE = (
    "import sys, app, qi_equity as qe\n"
    "app.serve(sys.argv[1], qe.datasets.network(sites=1, months=6, baseline=6), 0)"
)
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    database = tmp_path_factory.mktemp("service") / "network.db"
    command = [sys.executable, "-c", CODE, str(database)]
    with subprocess.Popen(command, cwd=SERVICE, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()
            server.wait(timeout=30)


def call(address: str, method: str = "GET", body: Any = None) -> tuple[int, str, bytes]:
    """Give status, content type and content."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        address, data=data, method=method, headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read()


PROJECT, IDEA = "n0.s1.bleed.project", "n0.s1.bleed.weigh-and-call"
CYCLE = {
    "id": "added",
    "name": "Cycle over HTTP",
    "idea": IDEA,
    "plan": {
        "objective": "Weigh all blood loss at night",
        "predictions": [{"text": "Nine of ten births are weighed"}, {"text": "As many", "group": "Black"}],
    },
}


def test_a_cycle_is_added_stepped_on_and_read_with_its_history(address: str) -> None:
    status, kind, content = call(f"{address}/projects/{PROJECT}/cycles?by=Ward+lead+midwife", "POST", CYCLE)
    assert (status, kind) == (201, "application/json")
    cycle = json.loads(content)
    assert (cycle["version"], cycle["recorded_by"]) == (1, "Ward lead midwife")

    status, _, content = call(f"{address}/cycles/added")
    assert status == 200
    assert json.loads(content) == cycle

    do = {"start": "2024-03-04", "as_planned": True}
    status, _, content = call(f"{address}/cycles/added/steps/do?by=Ward+lead+midwife&version=1", "PUT", do)
    assert status == 200, content
    assert json.loads(content)["version"] == 2

    status, _, content = call(f"{address}/cycles/added/steps/do?by=Data+analyst&version=1", "PUT", do)
    assert status == 409
    assert "version" in json.loads(content)["problem"]

    status, _, content = call(f"{address}/cycles/added/history")
    assert [version["do"] is None for version in json.loads(content)] == [True, False]


def test_a_mistake_names_every_field_that_is_wrong(address: str) -> None:
    wrong = CYCLE | {"id": "wrong", "name": "", "purpose": "try"}
    status, _, content = call(f"{address}/projects/{PROJECT}/cycles?by=Ward+clerk", "POST", wrong)
    assert status == 422
    assert [row["field"] for row in json.loads(content)["rows"]] == ["name", "purpose"]

    early = {"date": "2024-03-11", "learning": "It fits", "results": [{"matched": "yes"}]}
    call(f"{address}/projects/{PROJECT}/cycles?by=Ward+clerk", "POST", CYCLE | {"id": "early"})
    status, _, content = call(f"{address}/cycles/early/steps/study?by=Ward+clerk&version=1", "PUT", early)
    assert status == 422
    assert "study needs a do" in json.loads(content)["rows"][0]["problem"]


@pytest.mark.parametrize(
    "path",
    ["cycles/none", "cycles/none/history", "charts/none.json?site=Synthetic+site+1", "reviews/1999-01.json"],
)
def test_what_is_not_there_is_said(address: str, path: str) -> None:
    status, _, content = call(f"{address}/{path}")
    assert status == 404
    assert path.split("/")[1].split(".")[0] in json.loads(content)["problem"]


def test_a_chart_comes_as_json_and_as_picture(address: str) -> None:
    status, _, content = call(f"{address}/charts/pph_1000.json?site=Synthetic+site+1")
    assert status == 200
    assert json.loads(content)["type"] == "ControlChart"

    status, kind, content = call(f"{address}/charts/pph_1000.png?site=Synthetic+site+1")
    assert (status, kind, content[:8]) == (200, "image/png", PNG)


def test_a_review_comes_as_json_and_as_picture(address: str) -> None:
    status, _, content = call(f"{address}/reviews/2022-10.json")
    assert status == 200
    assert json.loads(content)["type"] == "Review"

    status, kind, content = call(f"{address}/reviews/2022-10.png")
    assert (status, kind, content[:8]) == (200, "image/png", PNG)
