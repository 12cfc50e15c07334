"""Everything that the ways in share, wired together once: for the service, a worker, or a command."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

from api.job_handlers import job_handlers
from api.jobs import Jobs, jobs_database_url
from api.security import Gatekeeper
from api.settings import Settings
from coach.encoder import Encoder, SentenceTransformerEncoder
from common.clock import Clock, SystemClock, local_date
from common.errors import FieldwiseError
from operations import demand
from operations.access import Actor
from operations.hints import HintDesk
from operations.store import schema
from operations.store.database import Database
from routing.travel_times import HaversineTravelTimes, TravelTimes

log = logging.getLogger("fieldwise")


@dataclass
class Services:
    """The parts that routes, commands, jobs and pages use.

    Attributes
    ----------
    settings : Settings
        As read at the start.
    database : Database
        The organisation's records.
    clock : Clock
        The present moment.
    gatekeeper : Gatekeeper
        Lets people and systems in.
    hint_desk : HintDesk
        The hint engine, kept up to date with the library.
    travel_times : TravelTimes
        Where travel times come from.
    """

    settings: Settings
    database: Database
    clock: Clock
    gatekeeper: Gatekeeper
    hint_desk: HintDesk
    travel_times: TravelTimes
    _warming: threading.Thread | None = field(default=None, repr=False)

    @cached_property
    def jobs(self) -> Jobs:
        """The jobs of this installation."""
        return Jobs(jobs_database_url(self.database.url), job_handlers(self))

    @property
    def zone(self) -> ZoneInfo:
        """The organisation's time zone."""
        return ZoneInfo(self.settings.time_zone)

    def today(self) -> date:
        """Return today's date in the organisation's time zone."""
        return local_date(self.clock.now(), self.zone)

    def start(self) -> None:
        """Make sure that the database can be used, and load what is slow to load beside.

        Raises
        ------
        Unavailable, NotReady
            When the database does not answer or has an older schema.
        """
        self.check()
        self._warming = threading.Thread(target=self._warm, name="warm-up", daemon=True)
        self._warming.start()

    def check(self) -> None:
        """Make sure that the database can be used.

        Raises
        ------
        Unavailable, NotReady
            When it does not answer or has an older schema.
        """
        self.database.ping()
        schema.require_newest(self.database)

    def _warm(self) -> None:
        for name, warm in (("jobs", self.jobs.connect), ("hints", self.hint_desk.engine)):
            try:
                warm()
            except FieldwiseError as error:
                log.warning("%s are not ready: %s", name, error)

    def close(self) -> None:
        """Give back connections."""
        if "jobs" in self.__dict__:
            self.jobs.close()
        self.database.close()

    def readiness(self) -> dict[str, str]:
        """Return for each part ``ok`` or what it lacks."""
        return {
            "database": _state(self.database.ping),
            "schema": _state(lambda: schema.require_newest(self.database)),
            "jobs": _state(self.jobs.connect),
            "hints": "ok" if self.hint_desk.ready else "the hint index is being loaded or the library is empty",
            "forecasts": _state(self._forecast_exists),
        }

    def _forecast_exists(self) -> None:
        with self.database.read() as session:
            demand.newest_forecast(session, Actor.system("readiness"))


def wire(settings: Settings, *, clock: Clock | None = None) -> Services:
    """Return the services for these settings; nothing slow is loaded yet."""
    clock = clock or SystemClock()
    database = Database(settings.database, clock=clock)
    return Services(
        settings=settings,
        database=database,
        clock=clock,
        gatekeeper=Gatekeeper(settings, database, clock),
        hint_desk=HintDesk(database, lambda: make_encoder(settings), settings.index_folder),
        travel_times=make_travel_times(settings),
    )


def make_encoder(settings: Settings) -> Encoder:
    """Return the encoder that the settings name; loading it takes seconds."""
    return SentenceTransformerEncoder(
        settings.encoder or None, revision=settings.encoder_revision or None, device=settings.encoder_device
    )


def make_travel_times(settings: Settings) -> TravelTimes:
    """Return the source of travel times that the settings name."""
    if settings.travel_times == "osrm":
        from routing.osrm import OsrmTravelTimes

        return OsrmTravelTimes(settings.osrm_url)
    return HaversineTravelTimes(speed_kmh=settings.travel_speed_kmh, detour_factor=settings.travel_detour_factor)


def _state(check: Callable[[], object]) -> str:
    try:
        check()
    except FieldwiseError as error:
        return error.text.en
    return "ok"
