"""All settings: one frozen object, read once from the environment (prefix ``FIELDWISE_``)."""

from __future__ import annotations

import math
import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from common.errors import FieldProblem, InvalidInput, Text


class Settings(BaseSettings):
    """Settings of a service, a worker or a command.

    Every field is read from ``FIELDWISE_`` plus its name in capitals. Nothing needs to be set for a first run.
    """

    model_config = SettingsConfigDict(env_prefix="FIELDWISE_", frozen=True, extra="ignore")

    environment: Literal["development", "production"] = Field(
        "development", description="production refuses to start with anything that only development may have"
    )
    data_folder: Path = Field(Path("var"), description="where files are kept: database, indexes, models, secrets")
    database_url: str = Field("", description="empty: SQLite in the data folder; or postgresql://user:password@host/db")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=1, le=65535, description="port to listen on")
    secret: str = Field("", description="signs sessions; at least 32 characters; made and kept in development")
    answer_within_s: float = Field(
        3, ge=0, le=30, description="requests wait so long for short jobs; longer ones answer 202 with a job at once"
    )
    session_minutes: int = Field(60, ge=1, le=24 * 60, description="how long a sign-in lasts")
    language: Literal["zh", "en"] = Field("zh", description="language of texts when a request names none")
    time_zone: str = Field("Asia/Shanghai", description="the organisation's zone: where its days begin")
    max_body_bytes: int = Field(10_000_000, ge=1_000, description="largest request body")
    import_at_once_bytes: int = Field(
        1_000_000, ge=0, description="library files up to this size are imported by the request, larger ones by a job"
    )
    entry_reward_cny: float = Field(200, ge=0, description="what an accepted library entry earns its author")
    worker_name: str = Field("", description="stable name of a worker; empty: the host's name")

    encoder: str = Field("", description="sentence-transformers model: hub id or folder; empty: the embedded encoder")
    encoder_revision: str = Field("", description="revision of a model from a hub")
    encoder_query_prompt: str = Field("", description="put before every question, for models trained with prompts")
    encoder_document_prompt: str = Field("", description="put before every library text")
    encoder_truncate_dim: int | None = Field(None, ge=1, description="keep only the first so many dimensions")
    encoder_device: str = Field("cpu", description="device of the encoder, such as cpu or cuda:0")

    hint_evidence: Literal["on", "trial", "off"] = Field(
        "on",
        description="use and won visits count in the order of hints; trial: only in the questions explored; off: never",
    )
    hint_exploration: float = Field(
        0.1, ge=0, le=1, description="share of questions that give lines little known a chance; 0: none"
    )
    hint_evidence_half_life_days: float = Field(90, ge=1, le=3650, description="age at which a hint's use counts half")
    hint_examination: str = Field(
        "1, 0.8, 0.65, 0.55, 0.5",
        description="how likely a rep reads the line at each rank; `estimate`: from the hints themselves",
    )

    live_cooldown_s: float = Field(8, ge=0, le=600, description="live: two hints lie at least so far apart")
    live_repeat_s: float = Field(180, ge=0, le=86400, description="live: then a type of objection may get another hint")
    live_join_s: float = Field(3, ge=0, le=60, description="live: a fragment joins the customer's words just before")
    live_keep_h: float = Field(2, gt=0, le=72, description="live: how long a conversation can be resumed")
    live_conversations: int = Field(30, ge=1, le=100_000, description="live: most conversations of a person or key")
    live_utterances_per_minute: int = Field(120, ge=1, le=10_000, description="live: most utterances of a conversation")
    live_max_message_bytes: int = Field(16_000, ge=500, le=1_000_000, description="live: largest message")
    live_heartbeat_s: float = Field(20, gt=0, le=600, description="live: time between heartbeats")
    live_idle_s: float = Field(900, gt=0, le=86400, description="live: a socket on which nothing is said is closed")
    live_stream_s: float = Field(3600, gt=0, le=86400, description="live: longest life of an event stream")
    live_poll_s: float = Field(1, gt=0, le=60, description="live: time between looks for what other processes heard")
    live_origins: str = Field("", description="live: other sites whose pages may open sockets, separated by commas")
    prefetch_days: int = Field(3, ge=0, le=60, description="prefetched hints hold so many days at most")

    travel_times: Literal["great_circle", "osrm", "valhalla", "osm"] = Field(
        "great_circle", description="where travel times come from; osm: streets from an OpenStreetMap file, no server"
    )
    travel_speed_kmh: float = Field(22, gt=0, le=200, description="great circle: speed in town")
    travel_speeds_by_hour: str = Field(
        "", description="great circle: 24 speeds in km/h from 0:00 on, separated by commas, instead of one speed"
    )
    travel_detour_factor: float = Field(1.4, ge=1, le=5, description="great circle: road length over straight line")
    travel_profile: Literal["car", "scooter", "foot"] = Field("car", description="streets: how reps get about")
    travel_shares_by_hour: str = Field(
        "", description="streets: 24 shares of the free speed from 0:00 on, such as 1,1,…,0.6,0.7; empty: always 1"
    )
    travel_snap_limit_m: float = Field(
        1000, gt=0, le=50_000, description="streets: a place further from any street cannot be reached"
    )
    osrm_url: str = Field("", description="address of an OSRM server")
    valhalla_url: str = Field("", description="address of a Valhalla server")
    osm_file: Path | None = Field(None, description="OpenStreetMap extract of the area, such as city.osm.pbf")
    map_tiles_url: str = Field(
        "", description="console: tiles under the map, as https://…/{z}/{x}/{y}.png; empty: none"
    )
    max_solve_s: float = Field(120, gt=0, le=3600, description="longest time limit of one solve")

    holiday_country: str = Field("CN", description="whose public holidays the forecast knows")
    forecast_hour: int = Field(3, ge=0, le=23, description="local hour of the nightly forecast")
    forecast_scheduler: str = Field(
        "", description="address of a Dask scheduler whose workers train forecasts, as tcp://…:8786; empty: here"
    )
    forecast_models_kept: int = Field(
        10, ge=0, le=1000, description="files of so many unused forecast models are kept, to roll back to"
    )
    forecast_days_kept: int = Field(120, ge=28, le=3650, description="forecasts of earlier days are kept so long")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://", "postgres://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return value

    @field_validator("hint_examination")
    @classmethod
    def _known_examination(cls, value: str) -> str:
        if value != "estimate":
            try:
                shares = [float(share) for share in value.split(",")]
            except ValueError:
                shares = []
            if not shares or not all(0 < share <= 1 for share in shares):
                raise ValueError("must be `estimate`, or shares more than 0 and at most 1 such as 1, 0.8, 0.65")
        return value

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.environment == "production" and len(self.secret) < 32:
            raise ValueError("FIELDWISE_SECRET with at least 32 characters is needed in production")
        needed = {"osrm": "osrm_url", "valhalla": "valhalla_url", "osm": "osm_file"}.get(self.travel_times)
        if needed and not getattr(self, needed):
            raise ValueError(f"FIELDWISE_{needed.upper()} is needed when FIELDWISE_TRAVEL_TIMES is {self.travel_times}")
        return self

    @field_validator("travel_speeds_by_hour", "travel_shares_by_hour")
    @classmethod
    def _twenty_four_numbers(cls, value: str, info: ValidationInfo) -> str:
        most = 2 if info.field_name == "travel_shares_by_hour" else 200
        numbers = by_hour(value)
        if value and (numbers is None or max(numbers) > most):
            raise ValueError(f"must be 24 numbers more than 0 and at most {most}, separated by commas")
        return value

    @property
    def database(self) -> str:
        """Address of the database."""
        return self.database_url or f"sqlite:///{(self.data_folder / 'fieldwise.db').absolute()}"

    @property
    def index_folder(self) -> Path:
        """Where the hint index is kept."""
        return self.data_folder / "index"

    @property
    def road_folder(self) -> Path:
        """Where street networks are kept once they are read from an OpenStreetMap file."""
        return self.data_folder / "roads"

    @property
    def model_folder(self) -> Path:
        """Where forecast models are kept, each in a folder named after its version."""
        return self.data_folder / "models"

    @cached_property
    def signing_secret(self) -> str:
        """The secret that signs sessions: as set, or in development one made on first use and kept in a file."""
        return self.secret or kept_secret(self.data_folder / "secret")


def by_hour(text: str) -> tuple[float, ...] | None:
    """Return the 24 numbers of a setting; None when it is empty or they are not 24 numbers above 0."""
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        return None
    return numbers if len(numbers) == 24 and all(0 < number < math.inf for number in numbers) else None


def kept_secret(path: Path, *, length: int = 32) -> str:
    """Return the secret kept in a file that only its owner can read, making it on first use."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    made = secrets.token_urlsafe(length)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(made + "\n")
    return made


def load_settings() -> Settings:
    """Return the settings of this process's environment.

    Raises
    ------
    InvalidInput
        Naming each variable that is wrong.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = [
            FieldProblem(
                "FIELDWISE_" + "_".join(str(part) for part in item["loc"]).upper() if item["loc"] else "settings",
                Text(item["msg"].removeprefix("Value error, "), item["msg"].removeprefix("Value error, ")),
            )
            for item in error.errors()
        ]
        raise InvalidInput(Text("a setting is wrong", "配置有误"), fields=problems) from error
