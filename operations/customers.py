"""Customers as each role may see them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.errors import NotFound, Text
from operations.access import Actor, mask_address, mask_phone
from operations.store.audit import record_reading
from operations.store.tables import Customer


@dataclass(frozen=True, slots=True)
class CustomerCard:
    """A customer; ``phone`` and ``address`` are masked unless the reading was asked for, allowed and logged."""

    code: str
    name: str
    customer_type: str
    region_code: str
    owner_code: str | None
    latitude: float
    longitude: float
    grade: str | None
    value_cny: float
    tags: tuple[str, ...]
    consent: bool
    phone: str | None
    address: str | None


def customers(
    session: Session, actor: Actor, *, region_code: str | None = None, after: str | None = None, limit: int = 50
) -> list[CustomerCard]:
    """Return customers by code, after the code ``after``: a rep's own, a region's, or all; contacts masked."""
    actor.require("customers:read")
    region = actor.region_or_own(region_code)
    query = select(Customer).order_by(Customer.code).limit(limit)
    if region is not None:
        query = query.where(Customer.region_code == region)
    if actor.own_records_only:
        query = query.where(Customer.owner_code == actor.code)
    if after is not None:
        query = query.where(Customer.code > after)
    return [_card(row) for row in session.scalars(query)]


def customer(session: Session, actor: Actor, code: str) -> CustomerCard:
    """Return one customer with the contact masked.

    Raises
    ------
    NotFound
        When there is none, or the actor may not know that there is.
    """
    return _card(_visible(session, actor, code))


def customer_with_contact(session: Session, actor: Actor, code: str) -> CustomerCard:
    """Return one customer with phone and address in clear, and log the reading; needs a unit of work that writes.

    Raises
    ------
    Forbidden
        When the actor may not read contacts.
    NotFound
        When there is no such customer, or the actor may not know that there is.
    """
    actor.require("contacts:read")
    row = _visible(session, actor, code)
    record_reading(session, "customer", code, ["phone", "address"])
    return _card(row, masked=False)


def _visible(session: Session, actor: Actor, code: str) -> Customer:
    actor.require("customers:read")
    row = session.get(Customer, code)
    hidden = row is not None and (
        (actor.region_code is not None and row.region_code != actor.region_code)
        or (actor.own_records_only and row.owner_code != actor.code)
    )
    if row is None or hidden:
        raise NotFound(Text(f"there is no customer {code!r}", f"没有客户 {code!r}"))
    return row


def _card(row: Customer, *, masked: bool = True) -> CustomerCard:
    return CustomerCard(
        code=row.code,
        name=row.name,
        customer_type=row.customer_type,
        region_code=row.region_code,
        owner_code=row.owner_code,
        latitude=row.latitude,
        longitude=row.longitude,
        grade=row.grade,
        value_cny=row.value_cny,
        tags=tuple(sorted(tag.tag for tag in row.tags)),
        consent=row.consent_at is not None,
        phone=mask_phone(row.phone) if masked else row.phone,
        address=mask_address(row.address) if masked else row.address,
    )
