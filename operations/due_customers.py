"""Who of a region is due on a day, as each role may see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy.orm import Session

from operations.access import Actor
from operations.people import require_region
from operations.visit_candidates import RegionDay, Wishes, region_day


def due_customers(
    session: Session, actor: Actor, region_code: str, day: date, wishes: Wishes | None = None
) -> RegionDay:
    """Return a region's customers on a day: those to visit with why and what for, and those not to visit with why.

    A rep sees own customers only.

    Raises
    ------
    InvalidInput
        When the region does not exist.
    Forbidden
        When the actor may not see the region's routes.
    NotReady
        When the region has nobody who could go.
    """
    actor.require("routes:read")
    require_region(session, region_code, pointer="query/region")
    found = region_day(session, actor, region_code, day, wishes)
    if not actor.own_records_only:
        return found
    return replace(
        found,
        due=tuple(item for item in found.due if item.customer.owner_code == actor.code),
        excluded=tuple(item for item in found.excluded if item.customer.owner_code == actor.code),
    )
