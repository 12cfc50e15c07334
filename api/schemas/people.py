"""Sign-in, people, keys and regions."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from api.schemas import Answer, Body, Code


class SignInRequest(Body):
    """Name and password of a person."""

    name: Code = Field(examples=["rep-jj-01"])
    password: str = Field(min_length=1, max_length=200, examples=["your password"])


class SessionAnswer(Answer):
    """A session token and until when it holds."""

    token: str = Field(examples=["eyJhbGciOiJIUzI1NiIs…"])
    token_type: str = "Bearer"
    expires_at: AwareDatetime
    person: str = Field(examples=["rep-jj-01"])
    name: str = Field(examples=["李伟"])
    role: str | None = Field(examples=["rep"])
    region: str | None = Field(examples=["jinjiang"])


class MeAnswer(Answer):
    """Who asks, and what they may do."""

    code: str = Field(examples=["rep-jj-01"])
    kind: str = Field(examples=["person"])
    role: str | None = Field(examples=["rep"])
    region: str | None = Field(examples=["jinjiang"])
    scopes: list[str] = Field(examples=[["hints:ask", "library:read"]])


class PersonAnswer(Answer):
    """A person without anything secret."""

    code: str = Field(examples=["rep-jj-01"])
    name: str = Field(examples=["李伟"])
    role: str = Field(examples=["rep"])
    region_code: str | None = Field(examples=["jinjiang"])
    skills: list[str] = Field(examples=[["campus", "mall"]])
    active: bool


class PeopleAnswer(Answer):
    """The people whom the asker may see."""

    items: list[PersonAnswer]


class RegionAnswer(Answer):
    """A region with its centre."""

    code: str = Field(examples=["jinjiang"])
    name_zh: str = Field(examples=["锦江"])
    name_en: str = Field(examples=["Jinjiang"])
    latitude: float = Field(examples=[30.657])
    longitude: float = Field(examples=[104.081])


class RegionsAnswer(Answer):
    """All regions."""

    items: list[RegionAnswer]


class KeyRequest(Body):
    """A new API key."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)] = Field(
        examples=["crm"]
    )
    scopes: list[str] = Field(min_length=1, max_length=50, examples=[["hints:ask", "forecasts:read"]])
    region: Code | None = Field(None, examples=["jinjiang"], description="Bind the key to one region.")


class KeyAnswer(Answer):
    """An API key without its secret."""

    id: str
    name: str = Field(examples=["crm"])
    scopes: list[str]
    region_code: str | None
    created_at: AwareDatetime
    revoked_at: AwareDatetime | None
    last_used_at: AwareDatetime | None


class NewKeyAnswer(KeyAnswer):
    """A new API key: the only answer that carries its secret, once; a repeated request finds null."""

    secret: str | None = Field(examples=["fw_…"])


class KeysAnswer(Answer):
    """All API keys."""

    items: list[KeyAnswer]


class CustomerAnswer(Answer):
    """A customer; contacts are masked unless their reading was asked for and allowed."""

    code: str = Field(examples=["cu-0001"])
    name: str = Field(examples=["建设路 兄弟五金店"])
    customer_type: str = Field(examples=["shop_owners"])
    region_code: str = Field(examples=["chenghua"])
    owner_code: str | None
    latitude: float
    longitude: float
    grade: str | None = Field(examples=["A"])
    value_cny: float
    tags: list[str]
    consent: bool
    phone: str | None = Field(examples=["199****1234"])
    address: str | None = Field(examples=["建设路***"])


class CustomersAnswer(Answer):
    """A page of customers."""

    items: list[CustomerAnswer]
    next_cursor: str | None
