"""A small service over the records and the charts of a learning network.

Cycles come in over HTTP; charts and the monthly review go out, as JSON and as PNG. What goes out has passed
disclosure control, and names no one: everything else stays in the store.

    python examples/service/app.py --db network.db --port 8000
"""

from __future__ import annotations

import argparse
import io
import socket
from collections.abc import Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

import qi_equity as qe
from qi_equity import pdsa

RULE = "nhs-england"
Version = Annotated[int, Query(ge=1, description="the version of the cycle that was read")]


def create_app(database: str | Path, series: Mapping[str, qe.StratifiedSeries], network: str) -> FastAPI:
    """Make the service.

    ``series`` maps the catalogue's ids of measures to their series by site and group, ``network`` is the
    identifier of the network in the database.
    """

    @asynccontextmanager
    async def life(app: FastAPI) -> Any:
        yield
        app.state.store.close()

    app = FastAPI(title="PDSA cycles and charts of a learning network", lifespan=life)
    app.state.store = pdsa.open(str(database))
    _errors(app)
    _cycles(app)
    _pictures(app, series, network)
    return app


def _errors(app: FastAPI) -> None:
    """Tell a mistake to the one who made it, with every field that is wrong."""

    @app.exception_handler(RequestValidationError)
    def unreadable(request: Request, error: RequestValidationError) -> JSONResponse:
        rows = [{"field": ".".join(map(str, e["loc"][1:])), "problem": e["msg"]} for e in error.errors()]
        return JSONResponse({"problem": "the body is no such record", "rows": rows}, status_code=422)

    @app.exception_handler(qe.DataError)
    def wrong(request: Request, error: qe.DataError) -> JSONResponse:
        rows = [] if error.bad_rows is None else error.bad_rows.to_dict("records")
        return JSONResponse({"problem": str(error).splitlines()[0], "rows": rows}, status_code=422)

    @app.exception_handler(pdsa.StaleRecordError)
    def stale(request: Request, error: pdsa.StaleRecordError) -> JSONResponse:
        return JSONResponse({"problem": str(error)}, status_code=409)

    @app.exception_handler(qe.OptionError)
    @app.exception_handler(pdsa.StoreError)
    def unknown(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"problem": str(error)}, status_code=404)


def _cycles(app: FastAPI) -> None:
    """Add cycles, record their steps, and read them with their history."""
    store = app.state.store

    @app.post("/projects/{project}/cycles", status_code=201)
    def add(project: str, cycle: pdsa.Cycle, by: str) -> dict[str, Any]:
        return _told(store.add(cycle, to=project, by=by))

    @app.put("/cycles/{cycle_id}/steps/do")
    def do(cycle_id: str, step: pdsa.Do, by: str, version: Version) -> dict[str, Any]:
        return record(cycle_id, step, by, version)

    @app.put("/cycles/{cycle_id}/steps/study")
    def study(cycle_id: str, step: pdsa.Study, by: str, version: Version) -> dict[str, Any]:
        return record(cycle_id, step, by, version)

    @app.put("/cycles/{cycle_id}/steps/act")
    def act(cycle_id: str, step: pdsa.Act, by: str, version: Version) -> dict[str, Any]:
        return record(cycle_id, step, by, version)

    def record(
        cycle_id: str, step: pdsa.Do | pdsa.Study | pdsa.Act, by: str, version: Version
    ) -> dict[str, Any]:
        """Record a step on the version that the caller has read: on another one it would be a mistake."""
        cycle = store.get(cycle_id)
        read = cycle.history()[:version][-1]
        return _told(store.save(read.record(step, by=by)))

    @app.get("/cycles/{cycle_id}")
    def get(cycle_id: str) -> dict[str, Any]:
        return _told(store.get(cycle_id))

    @app.get("/cycles/{cycle_id}/history")
    def history(cycle_id: str) -> list[dict[str, Any]]:
        return [_told(version) for version in store.history(cycle_id)]


def _pictures(app: FastAPI, series: Mapping[str, qe.StratifiedSeries], network: str) -> None:
    """Charts and reviews, each as JSON and as PNG."""
    store = app.state.store

    def chart(measure: str, site: str) -> qe.ControlChart:
        if measure not in series:
            raise qe.OptionError(f"measure={measure!r} is not here; use one of {', '.join(series)}")
        return qe.control_chart(series[measure].select(site=site), phases=store.get(network)).disclose(RULE)

    def review(month: str) -> pdsa.Review:
        return pdsa.review(store.get(network), month, list(series.values())).disclose(RULE)

    @app.get("/charts/{measure}.json")
    def chart_json(measure: str, site: str) -> dict[str, Any]:
        return chart(measure, site).to_dict()

    @app.get("/charts/{measure}.png")
    def chart_png(measure: str, site: str) -> Response:
        return _png(chart(measure, site).plot(cycles=store.get(network)))

    @app.get("/reviews/{month}.json")
    def review_json(month: str) -> dict[str, Any]:
        return review(month).to_dict()

    @app.get("/reviews/{month}.png")
    def review_png(month: str) -> Response:
        return _png(review(month).plot())


def _told(record: pdsa.Record) -> dict[str, Any]:
    return record.model_dump(mode="json") | {"version": record.version}


def _png(figure: Any) -> Response:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Description": figure.get_label()})
    return Response(buffer.getvalue(), media_type="image/png")


def serve(database: str | Path, learning: qe.datasets.SyntheticNetwork, port: int) -> None:
    """Serve a network, on this machine only; say the address once it answers."""
    with pdsa.open(str(database)) as store:
        if store.list(kind="Network").empty:
            store.add(learning.network, by="demonstration")
    app = create_app(database, learning.series, learning.network.id)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


def main() -> None:
    """Serve a synthetic network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--db", default="network.db", help="file of the records")
    parser.add_argument("--port", type=int, default=8000, help="0: any free one")
    parser.add_argument("--sites", type=int, default=3, help="how many sites the synthetic network has")
    options = parser.parse_args()
    serve(options.db, qe.datasets.network(sites=options.sites), options.port)


if __name__ == "__main__":
    main()
