"""Health and readiness."""

from __future__ import annotations

from pydantic import Field

from api.schemas import Answer


class HealthAnswer(Answer):
    """The process answers."""

    status: str = Field(examples=["ok"])


class ReadinessAnswer(Answer):
    """Which parts are ready."""

    status: str = Field(examples=["ok"])
    parts: dict[str, str] = Field(
        examples=[{"database": "ok", "jobs": "ok", "hints": "ok", "forecasts": "no model trained yet"}]
    )
