"""Request and response models, one file a resource."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\x00/]+$")]
"""A code of a region, person, customer, material …"""


Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 12, 31))]
"""A day that somebody could mean: far ones are mistyped."""


class Body(BaseModel):
    """Base of request bodies: an unknown field is an error, since it is mostly a misspelt one."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Answer(BaseModel):
    """Base of answers; they are read from the dataclasses that use cases return."""

    model_config = ConfigDict(from_attributes=True)


class Problem(BaseModel):
    """A problem answer (RFC 9457)."""

    type: str = Field(examples=["/problems/invalid-input"])
    title: str = Field(examples=["Invalid input"])
    status: int = Field(examples=[422])
    detail: str | None = Field(None, examples=["the request has fields that are wrong"])
    instance: str | None = Field(None, examples=["/v1/hints"])
    errors: list[ProblemField] | None = None


class ProblemField(BaseModel):
    """One wrong field."""

    pointer: str = Field(examples=["/text"])
    detail: str = Field(examples=["must not be empty"])


Problem.model_rebuild()
