"""Roles, scopes, regions and masks."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from common.errors import Conflict, Forbidden, InvalidInput, NotFound
from operations import customers, people, staffing
from operations.access import ROLE_SCOPES, SCOPES, Actor, check_scopes, mask_address, mask_phone
from operations.store.database import Database
from operations.store.tables import ApiKey, AuditRecord
from operations.vocabulary import ROLES

Actors = dict[str, Actor]


def test_every_role_has_scopes_and_every_scope_exists() -> None:
    assert set(ROLE_SCOPES) == set(ROLES)
    assert all(scopes <= set(SCOPES) for scopes in ROLE_SCOPES.values())


def test_only_those_whom_the_rules_name_read_contacts() -> None:
    assert {role for role in ROLES if "contacts:read" in ROLE_SCOPES[role]} == {"rep", "region_manager", "director"}


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("rep-1", ["c1", "c2"]),
        ("rep-2", ["c4"]),
        ("recorder", ["c1", "c2", "c3"]),
        ("manager", ["c1", "c2", "c3"]),
        ("logistics", ["c1", "c2", "c3", "c4"]),
        ("director", ["c1", "c2", "c3", "c4"]),
    ],
)
def test_each_role_sees_its_customers_masked(
    organisation: Database, actors: Actors, who: str, expected: list[str]
) -> None:
    with organisation.read() as session:
        found = customers.customers(session, actors[who])
    assert [card.code for card in found] == expected
    assert {card.phone for card in found} <= {f"199****123{n}" for n in range(10)}
    assert {card.address for card in found} == {"一环路南段***"}


def test_a_customer_of_somebody_else_does_not_exist_for_a_rep(organisation: Database, actors: Actors) -> None:
    with organisation.read() as session:
        for code in ("c3", "c4", "nobody"):
            with pytest.raises(NotFound, match=code):
                customers.customer(session, actors["rep-1"], code)


def test_reading_a_contact_in_clear_is_logged(organisation: Database, actors: Actors) -> None:
    with organisation.write("manager") as session:
        card = customers.customer_with_contact(session, actors["manager"], "c1")
    assert card.phone == "19900001231"
    with organisation.read() as session:
        record = session.scalars(select(AuditRecord).where(AuditRecord.action == "read")).one()
    assert (record.actor, record.subject, record.subject_key) == ("manager", "customer", "c1")
    assert set(record.changes) == {"phone", "address"}


@pytest.mark.parametrize("who", ["recorder", "logistics", "analyst"])
def test_roles_that_see_masked_contacts_cannot_ask_for_clear_ones(
    organisation: Database, actors: Actors, who: str
) -> None:
    with organisation.write(who) as session, pytest.raises(Forbidden, match="contacts:read"):
        customers.customer_with_contact(session, actors[who], "c1")


def test_asking_for_another_region_is_refused(organisation: Database, actors: Actors) -> None:
    with organisation.read() as session, pytest.raises(Forbidden, match="wuhou only"):
        customers.customers(session, actors["manager"], region_code="jinniu")


@given(st.text("0123456789 -+()", min_size=1, max_size=25))
def test_a_masked_phone_hides_at_least_four_digits(phone: str) -> None:
    masked = mask_phone(phone)
    assert masked is not None
    assert "****" in masked
    assert sum(character.isdigit() for character in masked) <= 7


def test_masks_leave_nothing_as_nothing() -> None:
    assert mask_phone(None) is None
    assert mask_address(None) is None


def test_a_key_is_shown_once_stored_hashed_and_works_until_revoked(organisation: Database, actors: Actors) -> None:
    with organisation.write("director") as session:
        card, secret = people.make_key(session, actors["director"], name="crm", scopes=["hints:ask"])
        with pytest.raises(Conflict, match="crm"):
            people.make_key(session, actors["director"], name="crm", scopes=["hints:ask"])
    with organisation.read() as session:
        assert secret not in str([vars(row) for row in session.scalars(select(ApiKey))])
        found = people.actor_of_key(session, secret)
    assert found is not None
    assert found[0].scopes == {"hints:ask"}
    with organisation.write("director") as session:
        people.revoke_key(session, actors["director"], card.id)
    with organisation.read() as session:
        assert people.actor_of_key(session, secret) is None
        assert people.actor_of_key(session, secret + "x") is None


def test_only_the_director_makes_keys_and_scopes_must_exist(organisation: Database, actors: Actors) -> None:
    with organisation.write("x") as session:
        for who in set(actors) - {"director"}:
            with pytest.raises(Forbidden):
                people.make_key(session, actors[who], name="k", scopes=["hints:ask"])
    with pytest.raises(InvalidInput) as caught:
        check_scopes(["hints:ask", "moon:walk"])
    assert caught.value.fields[0].pointer == "/scopes/1"


def test_people_who_left_cannot_act(organisation: Database) -> None:
    with organisation.read() as session:
        assert people.sign_in_record(session, "gone") is None
        assert people.actor_of_person(session, "gone") is None


def test_lending_people_needs_a_view_of_all_regions(organisation: Database, actors: Actors) -> None:
    day = date(2026, 11, 28)
    bound_key = Actor("key:1", "key", frozenset({"staffing:plan"}), region_code="wuhou")
    with organisation.read() as session:
        assert len(staffing.staffing_problem(session, actors["logistics"], day).regions) == 2
        for actor in (bound_key, actors["manager"], actors["rep-1"], actors["analyst"]):
            with pytest.raises(Forbidden):
                staffing.staffing_problem(session, actor, day)
            # A manager decides about the own people and may look; there is just no such proposal.
            with pytest.raises(NotFound if actor is actors["manager"] else Forbidden):
                staffing.reallocation(session, actor, "any")
