"""What a visit is worth: probability of conversion × value × stock at hand.

A visit's points are expected thousands of CNY: the probability that it converts, times the customer's value, times what
is left of it when the gift packs run short, times how urgent it is. They are the prizes of a day plan
(`routing.problem.ObjectiveWeights`: one point is worth four hours of travel by default).

The grade is part of the probability (A converts about three times as often as C), so the factors 3, 2, 1 of hand-made
problems would count it twice. What remains for the grade is that an A customer cannot wait: `URGENCY_BY_GRADE` takes
their place in problems made from records.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from forecasting.conversion import ConversionModel
from forecasting.visit_memory import VisitAhead, VisitMemory
from operations.store.tables import (
    Customer,
    DailyConsumption,
    Material,
    Person,
    Region,
    StockMovement,
    Visit,
    VisitMaterial,
    Warehouse,
)
from operations.visit_history import conversion_model, past_visits
from operations.visit_rhythm import Due

URGENCY_BY_GRADE: Mapping[str, float] = MappingProxyType({"A": 1.5, "B": 1.2, "C": 1.0})
USUAL_VALUE_CNY = 1000.0
"""Of a customer whose value nobody knows, where none of the same type is known either."""


@dataclass(frozen=True, slots=True)
class ValuePolicy:
    """How the worth of a visit is put together.

    Attributes
    ----------
    lost_without_pack : float
        Share of its worth that a visit loses which needs a gift pack when none is left.
    least_points : float
        Every visit that is due is worth at least this much before urgency: contact has a worth of its own.
    usage_days : int
        Days of consumption that tell how fast packs are used.
    hand_out_days : int
        Days of visits that tell which types of customers get packs.
    """

    lost_without_pack: float = 0.5
    least_points: float = 0.05
    usage_days: int = 28
    hand_out_days: int = 180


@dataclass(frozen=True, slots=True)
class VisitValue:
    """The worth of one visit.

    Attributes
    ----------
    probability : float
        That the visit converts, within 0 to 1.
    value_cny : float
        What the customer is worth.
    stock_factor : float
        1 while there are packs enough, less the fewer are left and the more the visit needs one.
    points : float
        Their product in thousands of CNY times the urgency, at least the least points.
    """

    probability: float
    value_cny: float
    stock_factor: float
    points: float


@dataclass(frozen=True, slots=True)
class PackNeed:
    """Gift packs and a type of customer.

    Attributes
    ----------
    share : float
        Of what was handed to such customers, the share that was gift packs.
    coverage : float
        How far the packs that are left cover the expected use up to the day, within 0 to 1.
    """

    share: float
    coverage: float

    def factor(self, *, material_owed: bool, policy: ValuePolicy) -> float:
        """Return what is left of a visit's worth."""
        need = 1.0 if material_owed else self.share
        return 1.0 - policy.lost_without_pack * need * (1.0 - self.coverage)


NO_NEED = PackNeed(0.0, 1.0)


class Valuation:
    """What visits to a region's customers are worth on a day, as far as is known at a moment.

    Parameters
    ----------
    region : Region
    known_at : datetime
        What was recorded later is not looked at.
    present : sequence of Person
        Who goes out. The probability is that of the customer's own rep, or the mean over the others when that one is
        away.
    """

    def __init__(
        self,
        session: Session,
        region: Region,
        *,
        known_at: datetime,
        present: Sequence[Person],
        policy: ValuePolicy | None = None,
    ) -> None:
        self.policy = policy or ValuePolicy()
        self.model: ConversionModel = conversion_model(session, known_at, region.time_zone)
        self._zone = ZoneInfo(region.time_zone)
        self._skills = {person.code: frozenset(skill.skill for skill in person.skills) for person in present}
        self._memory = VisitMemory.of(past_visits(session, known_at=known_at, region_code=region.code))
        self._packs = _Packs(session, region, known_at, self.policy)
        self._usual_value = _usual_values(session, region.code)

    def of(self, due: Sequence[tuple[Customer, Due]], day: date) -> list[VisitValue]:
        """Return the worth of each visit on a day. Days are asked for in their order."""
        asked: list[VisitAhead] = []
        ends: list[int] = []
        for customer, _ in due:
            asked.extend(self._ahead(customer, day))
            ends.append(len(asked))
        shares = self.model.probabilities(asked, self._memory)
        needs = self._packs.needs(day)
        found, first = [], 0
        for (customer, why), last in zip(due, ends, strict=True):
            probability = math.fsum(shares[first:last]) / (last - first)
            need = needs.get(customer.customer_type, NO_NEED)
            found.append(self._value(customer, why, probability, need))
            first = last
        return found

    def _value(self, customer: Customer, why: Due, probability: float, need: PackNeed) -> VisitValue:
        value_cny = customer.value_cny or self._usual_value.get(customer.customer_type, USUAL_VALUE_CNY)
        stock = need.factor(material_owed=why.material_owed, policy=self.policy)
        worth = max(self.policy.least_points, probability * value_cny / 1000 * stock)
        return VisitValue(round(probability, 4), value_cny, round(stock, 4), round(worth * why.urgency, 4))

    def _ahead(self, customer: Customer, day: date) -> list[VisitAhead]:
        at = datetime.combine(day, time(_usual_hour(customer)), self._zone)
        own = [customer.owner_code] if customer.owner_code in self._skills else sorted(self._skills)
        reps = [code for code in own if code is not None] or [""]
        return [
            VisitAhead(
                customer.code,
                code,
                customer.customer_type,
                at,
                customer.grade or "",
                self._skills.get(code, frozenset()),
            )
            for code in reps
        ]


def _usual_hour(customer: Customer) -> int:
    """Return the hour in the middle of the time at which the customer can be visited within usual working hours."""
    first = max(9 * 3600, customer.open_from_s or 0)
    last = min(18 * 3600, customer.open_until_s or 24 * 3600)
    return min(23, (first + max(first, last)) // 2 // 3600)


def _usual_values(session: Session, region_code: str) -> dict[str, float]:
    """Return the median value of a region's customers of each type, of those with a value."""
    query = select(Customer.customer_type, Customer.value_cny).where(
        Customer.region_code == region_code, Customer.value_cny > 0
    )
    found: dict[str, list[float]] = {}
    for kind, value in session.execute(query):
        found.setdefault(kind, []).append(value)
    return {kind: statistics.median(values) for kind, values in found.items()}


class _Packs:
    """Gift packs of a region's warehouse: which customers get them, how many are left, how fast they are used."""

    def __init__(self, session: Session, region: Region, known_at: datetime, policy: ValuePolicy) -> None:
        self._today = known_at.astimezone(ZoneInfo(region.time_zone)).date()
        self._on_hand = _packs_on_hand(session, region.code, known_at)
        first_day = self._today - timedelta(days=policy.usage_days)
        self._per_day = _packs_per_day(session, region.code, first_day, self._today)
        self._handed = _handed_out(session, known_at - timedelta(days=policy.hand_out_days), known_at)

    def needs(self, day: date) -> dict[str, PackNeed]:
        """Return how each type of customer depends on packs on a day."""
        days = max(1, (day - self._today).days + 1)
        return {kind: self._need(handed, days) for kind, handed in self._handed.items()}

    def _need(self, handed: Mapping[tuple[str, bool], int], days: int) -> PackNeed:
        packs = {code: count for (code, is_gift), count in handed.items() if is_gift}
        if not packs:
            return NO_NEED
        total = sum(packs.values())
        covered = math.fsum(count * self._coverage(code, days) for code, count in packs.items()) / total
        return PackNeed(total / sum(handed.values()), covered)

    def _coverage(self, code: str, days: int) -> float:
        on_hand, per_day = self._on_hand.get(code), self._per_day.get(code, 0.0)
        if on_hand is None:
            return 1.0  # no ledger is kept: nothing is known to be missing
        if on_hand <= 0:
            return 0.0
        return min(1.0, on_hand / (per_day * days)) if per_day > 0 else 1.0


def _packs_on_hand(session: Session, region_code: str, known_at: datetime) -> dict[str, int]:
    query = (
        select(StockMovement.material_code, func.sum(StockMovement.quantity_units))
        .join(Warehouse, Warehouse.code == StockMovement.warehouse_code)
        .join(Material, Material.code == StockMovement.material_code)
        .where(Warehouse.region_code == region_code, Material.is_gift, StockMovement.moved_at < known_at)
        .group_by(StockMovement.material_code)
    )
    return {row[0]: int(row[1]) for row in session.execute(query)}


def _packs_per_day(session: Session, region_code: str, first_day: date, end: date) -> dict[str, float]:
    """Return mean use on days on which there was stock."""
    query = (
        select(DailyConsumption.material_code, func.avg(DailyConsumption.quantity_units))
        .where(
            DailyConsumption.region_code == region_code,
            DailyConsumption.available,
            DailyConsumption.day >= first_day,
            DailyConsumption.day < end,
        )
        .group_by(DailyConsumption.material_code)
    )
    return {row[0]: float(row[1]) for row in session.execute(query)}


def _handed_out(session: Session, since: datetime, known_at: datetime) -> dict[str, dict[tuple[str, bool], int]]:
    """Return by customer type how often each material was handed out, and whether it is a gift pack."""
    query = (
        select(Customer.customer_type, VisitMaterial.material_code, Material.is_gift, func.count())
        .join(Visit, Visit.id == VisitMaterial.visit_id)
        .join(Customer, Customer.code == Visit.customer_code)
        .join(Material, Material.code == VisitMaterial.material_code)
        .where(Visit.started_at >= since, Visit.recorded_at < known_at)
        .group_by(Customer.customer_type, VisitMaterial.material_code, Material.is_gift)
    )
    found: dict[str, dict[tuple[str, bool], int]] = {}
    for kind, code, is_gift, count in session.execute(query):
        found.setdefault(kind, {})[code, bool(is_gift)] = count
    return found
