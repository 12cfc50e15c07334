"""Sign-in, who am I, people, regions, API keys and customers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from api.idempotency import SecretCreatingRoute
from api.paging import Cursor, Limit, read_cursor, write_cursor
from api.routers import CurrentServices, IdempotencyKey, problems
from api.schemas.people import (
    CustomerAnswer,
    CustomersAnswer,
    KeyAnswer,
    KeyRequest,
    KeysAnswer,
    MeAnswer,
    NewKeyAnswer,
    PeopleAnswer,
    PersonAnswer,
    RegionAnswer,
    RegionsAnswer,
    SessionAnswer,
    SignInRequest,
)
from api.security import CurrentActor
from operations import customers, people

router = APIRouter(prefix="/v1", route_class=SecretCreatingRoute)
sign_in_router = APIRouter(prefix="/v1")
"""Apart from the others: a sign-in has no asker yet, and is nothing to keep an answer of."""


@sign_in_router.post("/sign-in", tags=["access"], responses=problems(429))
def sign_in(request: Request, body: SignInRequest, services: CurrentServices) -> SessionAnswer:
    """Sign a person in with name and password; the token holds for an hour unless set otherwise."""
    address = request.client.host if request.client else "unknown"
    session = services.gatekeeper.sign_in(body.name, body.password, address=address)
    return SessionAnswer(
        token=session.token,
        expires_at=session.expires_at,
        person=session.actor.code,
        name=session.name,
        role=session.actor.role,
        region=session.actor.region_code,
    )


@router.get("/me", tags=["access"], responses=problems())
def me(actor: CurrentActor) -> MeAnswer:
    """Tell who asks and what they may do."""
    return MeAnswer(
        code=actor.code, kind=actor.kind, role=actor.role, region=actor.region_code, scopes=sorted(actor.scopes)
    )


@router.get("/regions", tags=["organisation"], responses=problems())
def list_regions(services: CurrentServices, _actor: CurrentActor) -> RegionsAnswer:
    """List all regions."""
    with services.database.read() as session:
        found = people.regions(session)
    return RegionsAnswer(items=[RegionAnswer.model_validate(card) for card in found])


@router.get("/people", tags=["organisation"], responses=problems(403))
def list_people(
    services: CurrentServices,
    actor: CurrentActor,
    role: Annotated[str | None, Query(max_length=20, examples=["rep"])] = None,
) -> PeopleAnswer:
    """List people: those of the asker's region, or of all regions."""
    with services.database.read() as session:
        found = people.people(session, actor, role=role)
    return PeopleAnswer(items=[PersonAnswer.model_validate(card) for card in found])


@router.get("/api-keys", tags=["access"], responses=problems(403))
def list_keys(services: CurrentServices, actor: CurrentActor) -> KeysAnswer:
    """List API keys, without their secrets."""
    with services.database.read() as session:
        found = people.keys(session, actor)
    return KeysAnswer(items=[KeyAnswer.model_validate(card) for card in found])


@router.post("/api-keys", tags=["access"], status_code=201, responses=problems(403, 409))
def make_key(
    body: KeyRequest, services: CurrentServices, actor: CurrentActor, _key: IdempotencyKey = None
) -> NewKeyAnswer:
    """Make an API key. Its secret is in this answer and never shown again."""
    with services.database.write(actor.code) as session:
        card, secret = people.make_key(session, actor, name=body.name, scopes=body.scopes, region_code=body.region)
    return NewKeyAnswer(**KeyAnswer.model_validate(card).model_dump(), secret=secret)


@router.delete("/api-keys/{key_id}", tags=["access"], responses=problems(403, 404))
def revoke_key(
    key_id: Annotated[str, Path(max_length=64)], services: CurrentServices, actor: CurrentActor
) -> KeyAnswer:
    """Revoke an API key; doing so again changes nothing."""
    with services.database.write(actor.code) as session:
        card = people.revoke_key(session, actor, key_id)
    return KeyAnswer.model_validate(card)


@router.get("/customers", tags=["organisation"], responses=problems(403))
def list_customers(
    services: CurrentServices,
    actor: CurrentActor,
    region: Annotated[str | None, Query(max_length=64, examples=["jinjiang"])] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> CustomersAnswer:
    """List customers with masked contacts: a rep's own, a region's, or all."""
    after = read_cursor(cursor, 1)
    with services.database.read() as session:
        found = customers.customers(
            session, actor, region_code=region, after=after[0] if after else None, limit=limit + 1
        )
    page = [CustomerAnswer.model_validate(card) for card in found[:limit]]
    return CustomersAnswer(items=page, next_cursor=write_cursor(page[-1].code) if len(found) > limit else None)


@router.get("/customers/{code}", tags=["organisation"], responses=problems(403, 404))
def get_customer(
    code: Annotated[str, Path(max_length=64, examples=["cu-0001"])],
    services: CurrentServices,
    actor: CurrentActor,
    contact: Annotated[bool, Query(description="Show phone and address in clear; allowed to few, always logged.")] = (
        False
    ),
) -> CustomerAnswer:
    """Show a customer. With `contact=true` the reading of phone and address is logged."""
    if contact:
        with services.database.write(actor.code) as session:
            return CustomerAnswer.model_validate(customers.customer_with_contact(session, actor, code))
    with services.database.read() as session:
        return CustomerAnswer.model_validate(customers.customer(session, actor, code))
