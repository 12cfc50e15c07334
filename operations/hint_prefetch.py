"""Hints for many customers at once, to be carried along where there is no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coach.answer import HintAnswer, HintQuestion
from coach.objections import objection_name, objection_types
from common.errors import FieldwiseError, InvalidInput, Text
from operations import customers
from operations.access import Actor
from operations.hint_desk import HintDesk
from operations.hints import EvidenceSource
from operations.people import require_region
from operations.store.database import Database
from operations.store.tables import Customer, LibraryEntryRow, Visit, VisitObjection

MOST_FROM_RECORDS = 5
"""Objections of a customer taken from the records: those heard last."""
MOST_FREE_TEXTS = 200
"""Different objections in words, not codes, in one call: each has to be understood first."""


@dataclass(frozen=True, slots=True)
class PrefetchCustomer:
    """A customer of the list.

    Attributes
    ----------
    customer_id : str or None
        Code in the records. What is not said below is taken from there.
    known_objections : tuple of str
        Codes of objection types, or words; empty: those heard on the customer's visits, the newest first.
    customer_type, product_line, scene : str or None
        As in a single question.
    """

    customer_id: str | None = None
    known_objections: tuple[str, ...] = ()
    customer_type: str | None = None
    product_line: str | None = None
    scene: str | None = None


@dataclass(frozen=True, slots=True)
class PrefetchQuestion:
    """Which customers, and how they are answered.

    Attributes
    ----------
    customers : tuple of PrefetchCustomer
    on : date
        The day on which the lines will be sent first.
    keep_days : int
        The answers hold so many days at most.
    limit : int
        Most suggestions for an objection, 1 to 10.
    language : str or None
        Language of the lines; None for the actor's, and for objections in words that of the words.
    region : str or None
        Whose entries; None for the actor's region, or else each customer's own.
    """

    customers: tuple[PrefetchCustomer, ...]
    on: date
    keep_days: int = 3
    limit: int = 3
    language: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class PrefetchedObjection:
    """A known objection, as it was given or recorded, and the place of its answer in `Prefetched.answers`."""

    known: str
    answer: int


@dataclass(frozen=True, slots=True)
class PrefetchedCustomer:
    """What can be said to a customer.

    Attributes
    ----------
    customer_id, customer_type : str or None
    from_records : bool
        Whether the objections come from the customer's visits.
    objections : tuple of PrefetchedObjection
    reason : Text or None
        Why there are none.
    problem : FieldwiseError or None
        What is wrong with this customer; the others are answered all the same.
    expires_on : date or None
        The last day on which all that was said holds.
    """

    customer_id: str | None
    customer_type: str | None = None
    from_records: bool = False
    objections: tuple[PrefetchedObjection, ...] = ()
    reason: Text | None = None
    problem: FieldwiseError | None = None
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Prefetched:
    """The answers, each once, and for each customer, in the order of the list, which of them apply.

    Attributes
    ----------
    made_at : datetime
    index_version : str
        The index that answered; when another one answers now, fetch again.
    customers : tuple of PrefetchedCustomer
    answers : tuple of (HintAnswer, date)
        With the last day on which each holds.
    expires_on : date
        The last day on which all of it holds.
    """

    made_at: datetime
    index_version: str
    customers: tuple[PrefetchedCustomer, ...]
    answers: tuple[tuple[HintAnswer, date], ...]
    expires_on: date


@dataclass(frozen=True, slots=True)
class _Known:
    """A customer with what the records add: what is asked for it, or what is wrong with it."""

    customer_id: str | None
    customer_type: str | None = None
    from_records: bool = False
    questions: tuple[tuple[str, HintQuestion], ...] = ()
    problem: FieldwiseError | None = None


def prefetch(
    database: Database,
    hint_desk: HintDesk,
    actor: Actor,
    wanted: PrefetchQuestion,
    *,
    evidence_desk: EvidenceSource | None = None,
) -> Prefetched:
    """Answer the known objections of a list of customers; equal questions are answered once.

    Nothing is stored, since what is carried along may never be shown. A customer that is unknown, or that the actor
    may not know, gets a problem of its own.

    Raises
    ------
    Forbidden
        When the actor may not ask, or names another region than its own.
    InvalidInput
        When the region does not exist, or too many objections are given in words.
    """
    actor.require("hints:ask")
    region = actor.region_or_own(wanted.region)
    _check_size(wanted.customers)
    engine = hint_desk.engine()
    with database.read() as session:
        if region is not None:
            require_region(session, region)
        known = _known_customers(session, actor, replace(wanted, region=region))
        published = _published(session, wanted.on)
    # prefetched lines take no feedback: chance would cost and teach nothing
    chooser = evidence_desk.chooser(explores=False) if evidence_desk else None
    places: dict[HintQuestion, int] = {}
    answers: list[tuple[HintAnswer, date]] = []
    for question in (question for each in known for _, question in each.questions):
        if question not in places:
            places[question] = len(answers)
            answer = _without_withdrawn(engine.hint(question, chooser=chooser), published)
            answers.append((answer, _holds_until(answer, wanted)))
    items = tuple(_prefetched(each, places, answers) for each in known)
    expires_on = min((until for _, until in answers), default=wanted.on + timedelta(days=wanted.keep_days))
    return Prefetched(database.clock.now(), engine.index.version, items, tuple(answers), expires_on)


def _check_size(listed: Sequence[PrefetchCustomer]) -> None:
    words = {known for each in listed for known in each.known_objections if known not in objection_types()}
    if len(words) > MOST_FREE_TEXTS:
        raise InvalidInput.at(
            "/customers",
            f"has more than {MOST_FREE_TEXTS} different objections in words: send codes, or fewer customers",
            f"不同的异议原话超过 {MOST_FREE_TEXTS} 句：请改用异议代码，或减少客户",
        )


def _known_customers(session: Session, actor: Actor, wanted: PrefetchQuestion) -> list[_Known]:
    codes = {each.customer_id for each in wanted.customers if each.customer_id is not None}
    # loaded in one query and held here, so that each `customers.customer` below finds its row in the session
    rows = session.scalars(select(Customer).where(Customer.code.in_(codes))).all()
    heard = _heard_on_visits(session, [row.code for row in rows])
    known = []
    for place, each in enumerate(wanted.customers):
        try:
            known.append(_known(session, actor, wanted, place, heard))
        except FieldwiseError as error:
            known.append(_Known(each.customer_id, problem=error))
    return known


def _known(session: Session, actor: Actor, wanted: PrefetchQuestion, place: int, heard: dict[str, list[str]]) -> _Known:
    asked = wanted.customers[place]
    if asked.customer_id is None and not asked.known_objections:
        raise InvalidInput.at(
            f"/customers/{place}", "needs customer_id or known_objections", "需要 customer_id 或 known_objections"
        )
    card = customers.customer(session, actor, asked.customer_id) if asked.customer_id is not None else None
    from_records = card is not None and not asked.known_objections
    objections = heard.get(card.code, []) if card and from_records else asked.known_objections
    customer_type = asked.customer_type or (card.customer_type if card else None)
    about = replace(asked, customer_type=customer_type)
    region = wanted.region or (card.region_code if card else None)
    language = wanted.language or actor.language
    questions = []
    for position, objection in enumerate(dict.fromkeys(objections)):
        try:
            questions.append((objection, _question(about, replace(wanted, region=region), objection, language)))
        except InvalidInput as error:
            pointer = f"/customers/{place}/known_objections/{position}"
            raise InvalidInput(error.text, fields=[replace(field, pointer=pointer) for field in error.fields]) from None
    return _Known(asked.customer_id, customer_type, from_records, tuple(questions))


def _question(about: PrefetchCustomer, wanted: PrefetchQuestion, objection: str, language: str) -> HintQuestion:
    is_code = objection in objection_types()
    return HintQuestion(
        text=objection_name(objection).in_language(language) if is_code else objection,
        on=wanted.on,
        language=language if is_code else wanted.language,
        region=wanted.region,
        product_line=about.product_line,
        customer_type=about.customer_type,
        scene=about.scene,
        objection_type=objection if is_code else None,
        k=wanted.limit,
    )


def _heard_on_visits(session: Session, codes: Sequence[str]) -> dict[str, list[str]]:
    """Return the objections heard on customers' visits by customer, the newest first, each once."""
    last_heard = func.max(Visit.started_at)
    query = (
        select(Visit.customer_code, VisitObjection.objection_type)
        .join(VisitObjection, VisitObjection.visit_id == Visit.id)
        .where(Visit.customer_code.in_(codes))
        .group_by(Visit.customer_code, VisitObjection.objection_type)
        .order_by(Visit.customer_code, last_heard.desc(), VisitObjection.objection_type)
    )
    heard: dict[str, list[str]] = {}
    for code, objection in session.execute(query):
        of_customer = heard.setdefault(code, [])
        if len(of_customer) < MOST_FROM_RECORDS:
            of_customer.append(objection)
    return heard


def _published(session: Session, day: date) -> set[tuple[str, str]]:
    """Return key and language of what may be shown on a day; the index may be some moments older."""
    query = select(LibraryEntryRow.key, LibraryEntryRow.language, LibraryEntryRow.valid_until).where(
        LibraryEntryRow.status == "published"
    )
    return {(key, language) for key, language, until in session.execute(query) if until is None or until >= day}


def _without_withdrawn(answer: HintAnswer, published: set[tuple[str, str]]) -> HintAnswer:
    left = [each for each in answer.suggestions if (each.entry_key, each.language) in published]
    if len(left) == len(answer.suggestions):
        return answer
    ranked = tuple(replace(each, rank=rank) for rank, each in enumerate(left, start=1))
    if ranked:
        return replace(answer, suggestions=ranked)
    return replace(answer, matched=False, suggestions=(), reason=Text("its entries were withdrawn", "相关条目已撤下"))


def _holds_until(answer: HintAnswer, wanted: PrefetchQuestion) -> date:
    ends = [each.valid_until for each in answer.suggestions if each.valid_until is not None]
    return min([wanted.on + timedelta(days=wanted.keep_days), *ends])


def _prefetched(
    known: _Known, places: dict[HintQuestion, int], answers: list[tuple[HintAnswer, date]]
) -> PrefetchedCustomer:
    objections = tuple(PrefetchedObjection(objection, places[question]) for objection, question in known.questions)
    none_known = Text("no objection of this customer is known yet", "尚未记录该客户的异议")
    return PrefetchedCustomer(
        customer_id=known.customer_id,
        customer_type=known.customer_type,
        from_records=known.from_records,
        objections=objections,
        reason=none_known if not objections and known.problem is None else None,
        problem=known.problem,
        expires_on=min((answers[each.answer][1] for each in objections), default=None),
    )
