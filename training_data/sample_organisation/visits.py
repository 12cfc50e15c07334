"""Eighteen months of visits, played through day by day: whom a rep sees, how it ends, what is written down."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training_data.sample_organisation.days import Days, local_midnight
from training_data.sample_organisation.geography import DISTRICTS
from training_data.sample_organisation.materials import MATERIALS
from training_data.sample_organisation.outcomes import (
    NEXT_GRADES,
    SKILL_FOR_TYPE,
    Situation,
    ending_shares,
    objection_weights,
)
from training_data.sample_organisation.people import SHIFT_END_S, SHIFT_START_S
from training_data.sample_organisation.visit_texts import VisitTexts

KNOWN_VISITS_A_DAY = 3.9
OTHERS_CUSTOMER_SHARE = 0.12
"""How often a rep sees, once on a day, a customer of a colleague who is away (or, more rarely, who is not)."""
HAND_OUT_SHARE = 0.42
GIVEN_TO_TYPE = {
    "students": ("leaflet-campus", "campus-bag", "campus-pack"),
    "companies": ("business-kit", "board-sample"),
    "quality_driven": ("board-sample", "fabric-swatch", "leaflet-furniture"),
    "newlyweds": ("leaflet-furniture", "fabric-swatch", "gift-standard"),
    "young_parents": ("gift-family", "leaflet-furniture", "detergent-sample"),
    "elderly": ("detergent-sample", "shopping-bag", "leaflet-household"),
    "price_driven": ("leaflet-household", "shopping-bag", "gift-standard"),
    "shop_owners": ("leaflet-household", "detergent-sample", "business-kit"),
    "landlords": ("leaflet-furniture", "board-sample"),
}
PICK_WEIGHT = {"A": 2.6, "B": 1.5, "C": 0.6, None: 1.4}


@dataclass(slots=True)
class VisitRecords:
    """Rows of the tables ``visit``, ``visit_objection`` and ``visit_material``."""

    visits: list[dict[str, Any]] = field(default_factory=list)
    objections: list[dict[str, Any]] = field(default_factory=list)
    materials: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class _Known:
    """What is known of one customer while the visits are played through; moments are positions of days."""

    grade: str | None = None
    last_visit: int | None = None
    last_sale: int | None = None
    refusals: int = 0


class VisitPlay:
    """Plays the visits through.

    Parameters
    ----------
    days : Days
        The calendar; only its past is played.
    customers, reps : list of dict
        Rows as the other modules make them. The grade of each customer is set to the last one given.
    sales_days : bool array, shape (days,)
        Days of a city-wide sale.
    left_units : int array, shape (regions, materials, days)
        What each region used of each material: visits never hand out more. It is used up by playing.
    """

    def __init__(
        self,
        days: Days,
        customers: list[dict[str, Any]],
        reps: list[dict[str, Any]],
        *,
        sales_days: NDArray[np.bool_],
        left_units: NDArray[np.int64],
        rng: np.random.Generator,
    ) -> None:
        self.days, self.customers, self.reps = days, customers, reps
        self.rest = days.rest
        self.midnights = [local_midnight(day) for day in days.days]
        self.labels = [f"{day:%Y%m%d}" for day in days.days]
        self.left_units, self.rng, self.sales_days = left_units, rng, sales_days
        ahead = np.convolve(sales_days, np.ones(15))[14:]
        self.before_sale = (ahead[: len(sales_days)] > 0) & ~sales_days
        self.known = [_Known() for _ in customers]
        self.since = np.array([days.index(row["known_since"]) for row in customers])
        self.last = np.full(len(customers), -60)
        self.weight = np.full(len(customers), PICK_WEIGHT[None])
        self.is_company = np.array([row["customer_type"] == "companies" for row in customers])
        self.is_student = np.array([row["customer_type"] == "students" for row in customers])
        codes = [rep["code"] for rep in reps]
        self.owner = np.array([codes.index(row["owner_code"]) for row in customers])
        self.region = np.array([_region_index(row["region_code"]) for row in customers])
        self.talent = rng.normal(0.0, 0.32, len(reps))
        self.pace = rng.normal(1.0, 0.12, len(reps))
        self.texts = VisitTexts(rng)
        self.objection_shares = _objection_shares()
        self.records = VisitRecords()

    def play(self, at_work: NDArray[np.bool_]) -> VisitRecords:
        """Return the records of all past days; ``at_work`` has shape (reps, days)."""
        for today in range(self.days.history):
            for rep in np.flatnonzero(at_work[:, today]):
                self._rep_day(int(rep), today, at_work[:, today])
        for row, known in zip(self.customers, self.known, strict=True):
            row["grade"] = known.grade
        return self.records

    def _rep_day(self, rep: int, today: int, at_work: NDArray[np.bool_]) -> None:
        chosen = self._choose(rep, today, at_work)
        chosen.sort(key=lambda customer: self.customers[customer]["open_from_s"] or 0)
        clock_s = SHIFT_START_S + 600.0
        slot_s = (SHIFT_END_S - SHIFT_START_S - 1800) / max(len(chosen), 1)
        for number, customer in enumerate(chosen):
            earliest_s = SHIFT_START_S + 600 + number * slot_s + self.rng.random() * 0.5 * slot_s
            start_s = max(clock_s + 240, earliest_s, self.customers[customer]["open_from_s"] or 0)
            clock_s = self._visit(rep, customer, today, number=number + 1, start_s=60 * round(start_s / 60))

    def _choose(self, rep: int, today: int, at_work: NDArray[np.bool_]) -> list[int]:
        count = int(self.rng.poisson(KNOWN_VISITS_A_DAY * max(self.pace[rep], 0.5)))
        own = np.flatnonzero((self.owner == rep) & (self.since <= today))
        weights = self.weight[own] * (np.minimum(today - self.last[own], 30) / 10.0) ** 1.3
        if self.rest[today]:
            weights = weights * np.where(self.is_company[own], 0.1, 1.0)
        if self.days.vacation[today]:
            weights = weights * np.where(self.is_student[own], 0.1, 1.0)
        count = min(count, len(own), 9)
        if count == 0:
            return []
        keys = np.log(self.rng.random(len(own))) / np.maximum(weights, 1e-9)
        chosen = [int(customer) for customer in own[np.argsort(-keys)[:count]]]
        if self.rng.random() < OTHERS_CUSTOMER_SHARE:
            covered = ~at_work[self.owner] if self.rng.random() < 0.8 else self.owner != rep
            region = _region_index(self.reps[rep]["region_code"])
            others = np.flatnonzero((self.region == region) & (self.since <= today) & covered & (self.owner != rep))
            if len(others):
                chosen[-1] = int(self.rng.choice(others))
        return chosen

    def _visit(self, rep: int, customer: int, today: int, *, number: int, start_s: float) -> float:
        """Record one visit and return the second of the day at which it ended."""
        row, known = self.customers[customer], self.known[customer]
        outcome = self._outcome(rep, customer, today)
        planned_min = row["service_s"] / 60 if outcome != "absent" else 3
        lasted_min = max(2, round(planned_min * float(self.rng.lognormal(-0.05, 0.25))))
        grade = self._grade(outcome)
        rep_code = self.reps[rep]["code"]
        started_at = self.midnights[today] + timedelta(seconds=start_s)
        ended_at = started_at + timedelta(minutes=lasted_min)
        visit_id = f"v-{self.labels[today]}-{rep_code.lower()}-{number}"
        need, note, next_step = self.texts.draw(outcome, row["customer_type"])
        self.records.visits.append(
            {
                "id": visit_id,
                "customer_code": row["code"],
                "rep_code": rep_code,
                "started_at": started_at,
                "ended_at": ended_at,
                "outcome": outcome,
                "grade": grade,
                "sale_cny": self._sale(row) if outcome == "won" else 0.0,
                "needs": need,
                "note": note,
                "next_step": next_step,
                "recorded_at": self._recorded_at(ended_at, today),
            }
        )
        if outcome != "absent":
            self._said(visit_id, outcome, row["customer_type"], today)
            self._handed_out(visit_id, row, today)
        self._remember(customer, known, today, outcome=outcome, grade=grade)
        return start_s + lasted_min * 60

    def _outcome(self, rep: int, customer: int, today: int) -> str:
        row, known = self.customers[customer], self.known[customer]
        kind = row["customer_type"]
        shares = ending_shares(
            Situation(
                customer_type=kind,
                grade=known.grade,
                gap_days=None if known.last_visit is None else today - known.last_visit,
                bought_days_ago=None if known.last_sale is None else today - known.last_sale,
                refusals=known.refusals,
                skilled=SKILL_FOR_TYPE[kind] in self.reps[rep]["skills"],
                talent=float(self.talent[rep]),
                weekday=int(self.days.weekday[today]),
                promotion=bool(self.sales_days[today]),
                vacation=bool(self.days.vacation[today]),
            )
        )
        return self._draw(shares)

    def _draw(self, shares: dict[str, float]) -> str:
        point = self.rng.random()
        for name, share in shares.items():
            point -= share
            if point < 0:
                return name
        return next(iter(shares))

    def _grade(self, outcome: str) -> str | None:
        return self._draw(NEXT_GRADES[outcome]) if outcome in NEXT_GRADES else None

    def _sale(self, row: dict[str, Any]) -> float:
        # Most sales are a part of what the customer is worth; few are the whole.
        return max(19.0, float(round(row["value_cny"] * float(self.rng.lognormal(-1.1, 0.7)))))

    def _recorded_at(self, ended_at: Any, today: int) -> Any:
        late = self.rng.random() < 0.08
        wait_min = self.rng.uniform(125, 420) if late else min(self.rng.exponential(28.0) + 1, 118)
        last = self.midnights[today] + timedelta(hours=23, minutes=50)
        return min(ended_at + timedelta(minutes=int(wait_min)), last)

    def _said(self, visit_id: str, outcome: str, kind: str, today: int) -> None:
        if self.rng.random() > (0.35 if outcome == "won" else 0.78):
            return
        state = 2 if self.sales_days[today] else int(self.before_sale[today])
        codes, edges = self.objection_shares[kind, state]
        heard = {codes[bisect(edges, self.rng.random())] for _ in range(1 + (self.rng.random() < 0.22))}
        if outcome == "complaint":
            heard = {"bad_experience"}
        self.records.objections.extend({"visit_id": visit_id, "objection_type": code} for code in sorted(heard))

    def _handed_out(self, visit_id: str, row: dict[str, Any], today: int) -> None:
        if self.rng.random() > HAND_OUT_SHARE:
            return
        options = GIVEN_TO_TYPE[row["customer_type"]]
        code = options[int(self.rng.random() * len(options))]
        place = (_region_index(row["region_code"]), _MATERIAL_INDEX[code], today)
        quantity = min((1, 1, 1, 2, 3)[int(self.rng.random() * 5)], int(self.left_units[place]))
        if quantity > 0:
            self.left_units[place] -= quantity
            self.records.materials.append({"visit_id": visit_id, "material_code": code, "quantity": quantity})

    def _remember(self, customer: int, known: _Known, today: int, *, outcome: str, grade: str | None) -> None:
        known.last_visit = today
        self.last[customer] = today
        if outcome == "won":
            known.last_sale = today
        if outcome != "absent":
            known.refusals = known.refusals + 1 if outcome in ("refused", "complaint") else 0
        if grade is not None:
            known.grade = grade
            self.weight[customer] = PICK_WEIGHT[grade]


_MATERIAL_INDEX = {plan.code: number for number, plan in enumerate(MATERIALS)}
_REGION_INDEX = {district.code: number for number, district in enumerate(DISTRICTS)}


def _region_index(code: str) -> int:
    return _REGION_INDEX[code]


def _objection_shares() -> dict[tuple[str, int], tuple[list[str], list[float]]]:
    """Return codes and upper edges of their shares by customer type and state (0 usual, 1 before, 2 during a sale)."""
    table = {}
    for kind in SKILL_FOR_TYPE:
        for state in range(3):
            weights = objection_weights(kind, before_sale=state == 1, during_sale=state == 2)
            edges = list(accumulate(weights.values()))
            # Without the last edge, which is one, no rounding can lead beyond the last code.
            table[kind, state] = (list(weights), [edge / edges[-1] for edge in edges[:-1]])
    return table
