"""What a new installation gets: schema, sample organisation, library, a key to try it with, a first forecast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from api.services import Services
from api.settings import kept_secret
from coach.library_files import shipped_entries
from common.errors import FieldwiseError, Text
from forecasting.model import TooLittleHistory
from operations import demand, library, people, stock_alerts
from operations.access import Actor
from operations.people import PersonCard
from operations.sample import load_sample
from operations.store import schema

SYSTEM = Actor.system("first-run")
KEY_NAME = "sample"
KEY_SCOPES = [
    "hints:ask",
    "library:read",
    "routes:plan",
    "routes:read",
    "staffing:plan",
    "forecasts:read",
    "forecasts:train",
    "stock:read",
    "transfers:plan",
    "customers:read",
]
Say = Callable[[Text], None]


@dataclass(frozen=True, slots=True)
class WayIn:
    """How to sign in to a sample installation; empty once real people replaced the sample."""

    people: tuple[PersonCard, ...]
    password: str | None
    key: str | None


def prepare(services: Services, say: Say) -> WayIn:
    """Bring the installation to where it can be used; what is there already is left alone.

    Parameters
    ----------
    say : callable
        Told what is done now.

    Raises
    ------
    FieldwiseError
        When the database or the disk does not let it.
    """
    schema.upgrade(services.database)
    with services.database.read() as session:
        empty = not people.regions(session)
    if empty:
        _load_sample(services, say)
    ensure_library(services, say)
    _first_forecast(services, say)
    return _way_in(services)


def _load_sample(services: Services, say: Say) -> None:
    say(Text("Loading the sample organisation (synthetic data) …", "正在载入示例公司（合成数据）……"))
    password = kept_secret(_password_file(services), length=9)
    yesterday = services.today() - timedelta(days=1)
    load_sample(services.database, end=yesterday, password_hash=services.gatekeeper.hash_password(password))
    with services.database.write(SYSTEM.code) as session:
        _, secret = people.make_key(session, SYSTEM, name=KEY_NAME, scopes=KEY_SCOPES)
    key_file = _key_file(services)
    key_file.touch(mode=0o600)
    key_file.write_text(secret + "\n", encoding="ascii")


def ensure_library(services: Services, say: Say = lambda text: None) -> None:
    """Fill an empty library with the entries that ship with the product."""
    with services.database.read() as session:
        if library.entries(session, SYSTEM, limit=1):
            return
    say(Text("Loading the success-case library …", "正在载入成功案例库……"))
    with services.database.write(SYSTEM.code) as session:
        library.import_entries(session, SYSTEM, shipped_entries())


def _first_forecast(services: Services, say: Say) -> None:
    with services.database.read() as session:
        if demand.models(session, SYSTEM):
            return
    say(Text("Training the first forecast model …", "正在训练首个预测模型……"))
    folder = services.settings.model_folder
    try:
        card = demand.train_model(
            services.database,
            folder,
            SYSTEM.code,
            country=services.settings.holiday_country,
            plan=demand.TrainingPlan(measured_origins=0),
        )
        if not isinstance(card, TooLittleHistory):
            demand.make_forecast(services.database, folder, SYSTEM.code)
            with services.database.write(SYSTEM.code) as session:
                stock_alerts.refresh_stock_alerts(session, SYSTEM)
    except FieldwiseError as error:
        # An organisation without any consumption yet works without forecasts.
        say(error.text)


def measure_first_model(services: Services) -> None:
    """Ask a worker for the backtest of a model that has none yet: it takes as long as the training itself."""
    with services.database.read() as session:
        newest = demand.models(session, SYSTEM)[:1]
    for card in newest:
        if not card.measures:
            services.jobs.enqueue("train-forecast", {}, actor=SYSTEM.code, job_id=f"first-backtest-{card.version}")


def _way_in(services: Services) -> WayIn:
    password_file, key_file = _password_file(services), _key_file(services)
    with services.database.read() as session:
        found = people.first_of_each_role(session)
        key = _read(key_file)
        if key is not None and people.actor_of_key(session, key) is None:
            key = None
    return WayIn(tuple(found), _read(password_file), key)


def _read(path: Path) -> str | None:
    return path.read_text(encoding="ascii").strip() if path.exists() else None


def _password_file(services: Services) -> Path:
    return services.settings.data_folder / "sample-password"


def _key_file(services: Services) -> Path:
    return services.settings.data_folder / "sample-key"
