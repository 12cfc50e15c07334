"""Everything that the ways in share, wired together once: for the service, a worker, or a command."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from api.at_once import AtOnce
from api.job_handlers import job_handlers
from api.jobs import Jobs, jobs_database_url
from api.security import Gatekeeper
from api.settings import Settings, by_hour
from coach.embedded_encoder import EmbeddedEncoder
from coach.encoder import Encoder, SentenceTransformerEncoder
from coach.examination import Examination
from coach.near_duplicates import NearDuplicates
from common.clock import Clock, SystemClock, local_date
from common.errors import FieldwiseError, Unavailable
from operations import demand
from operations.access import Actor
from operations.hint_desk import HintDesk
from operations.hint_learning import EvidenceDesk, EvidenceSettings
from operations.near_duplicate_desk import NearDuplicateDesk
from operations.store import schema
from operations.store.database import Database
from operations.visit_history import conversion_model
from routing.search_process import warm as warm_route_search
from routing.travel.hours import HourlyTravelTimes, warm_streets
from routing.travel_times import HaversineTravelTimes, TravelTimes

if TYPE_CHECKING:
    from api.live import LiveChannel

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
    evidence_desk : EvidenceDesk
        What use says about the library's entries, for the order of hints.
    travel_times : TravelTimes
        Where travel times come from.
    """

    settings: Settings
    database: Database
    clock: Clock
    gatekeeper: Gatekeeper
    hint_desk: HintDesk
    evidence_desk: EvidenceDesk
    travel_times: TravelTimes
    _warming: threading.Thread | None = field(default=None, repr=False)

    @cached_property
    def jobs(self) -> Jobs:
        """The jobs of this installation."""
        return Jobs(jobs_database_url(self.database.url), job_handlers(self))

    @cached_property
    def near_duplicates(self) -> NearDuplicates:
        """Finds entries that say nearly the same, for those who review the library."""
        return NearDuplicateDesk(self.database)

    @cached_property
    def live(self) -> LiveChannel:
        """What the live channel shares in this process."""
        from api.live import make_channel

        return make_channel(self.settings, self.database, self.hint_desk, evidence_desk=self.evidence_desk)

    @cached_property
    def solves_at_once(self) -> AtOnce:
        """The turns of solves that requests wait for."""
        return AtOnce()

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
        parts = (
            ("jobs", self.jobs.connect),
            ("evidence", self.evidence_desk.refresh),
            ("hints", self.hint_desk.engine),
            ("route search", warm_route_search),
            ("streets", lambda: warm_streets(self.travel_times)),
            ("visit values", self._learn_conversion),
        )
        for name, warm in parts:
            try:
                warm()
            except FieldwiseError as error:
                log.warning("%s are not ready: %s", name, error)

    def _learn_conversion(self) -> None:
        with self.database.read() as session:
            conversion_model(session, self.clock.now(), self.settings.time_zone)

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
        evidence_desk=EvidenceDesk(database, evidence_settings(settings)),
        travel_times=make_travel_times(settings),
    )


def make_encoder(settings: Settings) -> Encoder:
    """Return the encoder that the settings name, or the embedded one when that cannot be loaded, which is logged."""
    if not settings.encoder:
        return EmbeddedEncoder()
    try:
        return SentenceTransformerEncoder(
            settings.encoder,
            revision=settings.encoder_revision or None,
            query_prompt=settings.encoder_query_prompt,
            document_prompt=settings.encoder_document_prompt,
            truncate_dim=settings.encoder_truncate_dim,
            device=settings.encoder_device,
        )
    except Unavailable as error:
        log.warning("%s; hints come from the embedded encoder instead", error)
        return EmbeddedEncoder()


def evidence_settings(settings: Settings) -> EvidenceSettings:
    """Return how use counts in the order of hints, as set."""
    estimated = settings.hint_examination == "estimate"
    shares = () if estimated else tuple(float(share) for share in settings.hint_examination.split(","))
    return EvidenceSettings(
        mode=settings.hint_evidence,
        exploration=settings.hint_exploration,
        half_life_days=settings.hint_evidence_half_life_days,
        examination=Examination(shares) if shares else Examination(),
        estimate_examination=estimated,
    )


def make_travel_times(settings: Settings) -> TravelTimes:
    """Return the source of travel times that the settings name; files and servers are first asked when they are needed.

    Raises
    ------
    InvalidInput
        When a setting makes no sense.
    """
    if settings.travel_times == "great_circle":
        return HaversineTravelTimes(
            speed_kmh=settings.travel_speed_kmh,
            detour_factor=settings.travel_detour_factor,
            speed_kmh_by_hour=by_hour(settings.travel_speeds_by_hour),
        )
    streets, shares = _street_times(settings), by_hour(settings.travel_shares_by_hour)
    return streets if shares is None else HourlyTravelTimes(streets, shares)


def _street_times(settings: Settings) -> TravelTimes:
    profile, snap_limit_m = settings.travel_profile, settings.travel_snap_limit_m
    if settings.travel_times == "osm" and settings.osm_file is not None:
        from routing.roads.travel import RoadTravelTimes

        return RoadTravelTimes(settings.osm_file, profile, settings.road_folder, snap_limit_m)
    if settings.travel_times == "valhalla":
        from routing.travel.valhalla import ValhallaTravelTimes

        costing = {"car": "auto", "scooter": "motor_scooter", "foot": "pedestrian"}[profile]
        return ValhallaTravelTimes(settings.valhalla_url, costing, snap_limit_m=snap_limit_m)
    from routing.travel.osrm import OsrmTravelTimes

    served = {"car": "driving", "scooter": "bike", "foot": "foot"}[profile]
    return OsrmTravelTimes(settings.osrm_url, served, snap_limit_m=snap_limit_m)


def _state(check: Callable[[], object]) -> str:
    try:
        check()
    except FieldwiseError as error:
        return error.text.en
    return "ok"
