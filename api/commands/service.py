"""``serve``, ``worker`` and ``doctor``: running the parts, and finding out what is wrong with them."""

from __future__ import annotations

import logging
import platform
import shutil
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.terminal import FAILED, JsonFlag, fail, print_json, print_table
from common.errors import FieldwiseError

if TYPE_CHECKING:
    from fastapi import FastAPI

DRAIN_S = 10
"""Requests under way at the shutdown may end within this time."""
LARGEST_SOCKET_MESSAGE_BYTES = 1_000_000
"""Of any socket. The console needs this much; live hints take far less (``FIELDWISE_LIVE_MAX_MESSAGE_BYTES``)."""
PARTS = ("torch", "sentence-transformers", "faiss-cpu", "ortools", "scikit-learn", "fastapi", "nicegui", "dbos")


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Run the service (HTTP and console). Jobs need a worker beside it.

    Example: fieldwise serve --port 8080
    """
    from api.app import create_app
    from api.settings import load_settings

    try:
        settings = load_settings()
        settings = settings.model_copy(update={"host": host or settings.host, "port": port or settings.port})
        app = create_app(settings)
        app.state.services.check()
    except FieldwiseError as error:
        fail(error)
    run_service(app, settings.host, settings.port)


def run_service(app: FastAPI, host: str, port: int) -> None:
    """Serve ``app`` until the process is told to stop; then open sockets and event streams are let go at once."""
    import uvicorn

    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        ws_max_size=LARGEST_SOCKET_MESSAGE_BYTES,
        timeout_graceful_shutdown=DRAIN_S,
    )
    server = uvicorn.Server(config)
    # a stream has no end of its own: without a word it would keep the process until the time is up
    app.state.services.live.switchboard.should_stop = lambda: server.should_exit
    with suppress(KeyboardInterrupt):
        server.run()


def worker() -> None:
    """Run jobs (solving, training, importing) and the clock's jobs until it is stopped.

    Example: FIELDWISE_WORKER_NAME=worker-1 fieldwise worker
    """
    from api.job_handlers import job_handlers, schedules
    from api.jobs import WorkerSettings, jobs_database_url, run_worker
    from api.services import wire
    from api.settings import load_settings

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        settings = load_settings()
        services = wire(settings)
        services.check()
        run_worker(
            jobs_database_url(services.database.url),
            job_handlers(services),
            schedules=schedules(services),
            settings=WorkerSettings(name=settings.worker_name or None, time_zone=settings.time_zone),
        )
    except FieldwiseError as error:
        fail(error)


def doctor(json: JsonFlag = False) -> None:
    """Check the installation: Python, packages, disk, database, jobs, hints, forecasts.

    Example: fieldwise doctor --json
    """
    try:
        findings = examine()
    except FieldwiseError as error:
        fail(error)
    if json:
        print_json(findings)
    else:
        print_table("fieldwise doctor", ["part", "state"], [[name, state] for name, state in findings.items()])
    if findings["database"] != "ok" or findings["schema"] != "ok":
        raise SystemExit(FAILED)


def examine() -> dict[str, str]:
    """Return the state of every part, ``ok`` or in words."""
    from api.services import wire
    from api.settings import load_settings

    settings = load_settings()
    services = wire(settings)
    free_gb = shutil.disk_usage(settings.data_folder if settings.data_folder.exists() else ".").free / 1e9
    findings = {
        "python": f"{platform.python_version()} ({sys.executable})",
        "fieldwise": version("fieldwise"),
        **{name: _version(name) for name in PARTS},
        "disk": f"{free_gb:.1f} GB free",
        "data folder": str(settings.data_folder.absolute()),
        "address of database": "SQLite" if services.database.is_sqlite else "PostgreSQL",
    }
    with suppress(FieldwiseError):  # the readiness below tells what is missing
        services.hint_desk.engine()
    findings.update(services.readiness())
    services.close()
    return findings


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
