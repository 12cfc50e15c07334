"""Lending reps between regions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from api.schemas import Answer, Body, Code, Day
from operations.lendable_people import LendingLimits
from operations.lending_decisions import Decision, Lending
from operations.lending_terms import AgreedTerms, Terms
from operations.staffing import StaffingWishes, StoredReallocation, code_of
from routing.reallocate import Effect, Move
from routing.staffing.problem import LendingRules, hours_on, work_on

Hours = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
WorkByRegion = dict[str, dict[str, Hours]]
Weekday = Annotated[int, Field(ge=0, le=6)]
Count = Annotated[int, Field(ge=0, le=7)]


class RulesBody(Body):
    """What lending costs and where it ends."""

    speed_kmh: float = Field(40, gt=0, le=200, allow_inf_nan=False)
    detour_factor: float = Field(1.4, ge=1, le=5, allow_inf_nan=False)
    longest_way_min: float = Field(120, ge=0, le=1440, allow_inf_nan=False)
    move_cost_h: float = Field(1, ge=0, le=24, allow_inf_nan=False)
    fairness_cost_h: float = Field(0.25, ge=0, le=24, allow_inf_nan=False)
    wish_bonus_h: float = Field(0.5, ge=0, le=24, allow_inf_nan=False)
    required_weight: float = Field(5, ge=1, le=100, allow_inf_nan=False)
    max_moves: Count = Field(2, description="Moves of a person in these days; a stay of several days is one.")
    max_days: Count = Field(3, description="Days on which a person may be away.")

    def rules(self) -> LendingRules:
        """Return the rules for the engine."""
        return LendingRules(**self.model_dump(exclude={"max_moves", "max_days"}))

    def limits(self) -> LendingLimits:
        """Return the limits of those who have none of their own."""
        return LendingLimits(self.max_moves, self.max_days)


class StaffReallocationRequest(Body):
    """Which days to look at, and what is known beyond the records."""

    work_date: Day = Field(examples=["2026-11-28"], description="The first day.")
    days: int = Field(1, ge=1, le=7, examples=[7], description="Days from then on.")
    work_h: WorkByRegion = Field(
        default_factory=dict,
        max_length=1_000,
        examples=[{"jinjiang": {"": 60, "fair": 24}}],
        description="Hours of work by region and skill (empty: anybody) on every day, instead of those predicted.",
    )
    work_by_day: dict[Day, WorkByRegion] = Field(
        default_factory=dict, max_length=7, description="The same for single days.", examples=[{}]
    )
    absent: list[Code] = Field(default_factory=list, max_length=3_000, examples=[["R-WH-02"]])
    absent_on: dict[str, list[Day]] = Field(
        default_factory=dict, max_length=3_000, description="Reps who are away on some days.", examples=[{}]
    )
    rules: RulesBody | None = None
    time_limit_s: float = Field(25, gt=0, le=300, allow_inf_nan=False)
    seed: int = Field(0, ge=0, le=2**31 - 1)

    def wishes(self) -> StaffingWishes:
        """Return what is asked beside the records."""
        rules = self.rules or RulesBody()
        return StaffingWishes(
            self.days,
            self.work_h,
            self.work_by_day,
            self.absent,
            self.absent_on,
            rules.rules(),
            rules.limits(),
        )


class EffectAnswer(Answer):
    """Hours undone in both regions before and after a move, made after those listed before it."""

    there_before_h: float
    there_after_h: float
    home_before_h: float
    home_after_h: float


class MoveAnswer(Answer):
    """One person lent for one day."""

    day: str
    person: str
    person_name: str
    from_region: str
    to_region: str
    skill: str
    hours_covered: float
    travel_min: float
    price_h: float
    begins: bool = Field(description="False where it goes on with the move of the working day before.")
    cover: str | None = Field(description="Who covers the customers at home as temporary support.")
    cover_name: str | None
    effect: EffectAnswer | None
    reason: str

    @classmethod
    def told(cls, move: Move, names: dict[str, str], language: str) -> MoveAnswer:
        """Return the answer for a move, in the reader's language."""
        return cls(
            day=move.day,
            person=move.person_id,
            person_name=names.get(move.person_id, move.person_id),
            from_region=move.from_region,
            to_region=move.to_region,
            skill=move.skill,
            hours_covered=round(move.hours_covered, 2),
            travel_min=round(move.travel_min, 1),
            price_h=move.price_h,
            begins=move.begins,
            cover=move.cover_id,
            cover_name=names.get(move.cover_id, move.cover_id) if move.cover_id else None,
            effect=_effect(move.effect),
            reason=move.reason.in_language(language),
        )


def _effect(effect: Effect | None) -> EffectAnswer | None:
    return None if effect is None else EffectAnswer.model_validate(effect)


class ShortfallAnswer(Answer):
    """Work that stays undone on a day, and why."""

    day: str
    region: str
    skill: str
    hours: float
    reasons: list[str]


class RelaxationAnswer(Answer):
    """A rule that keeps somebody from helping, and what giving way once would bring."""

    rule: str
    region: str
    day: str
    person: str
    hours: float
    text: str


class RequiredGapAnswer(Answer):
    """Required work that the rules do not let be done, and the fewest rules that would have to give way."""

    region: str
    day: str
    hours: float
    people: dict[str, list[str]]
    text: str


class QualityAnswer(Answer):
    """How good the plan is: its cost, what no plan over the considered ways can beat, and the gap between them."""

    cost_h: float
    bound_h: float | None
    gap_percent: float | None
    proven: bool


class StaffReallocationAnswer(Answer):
    """Who goes where on which day, and the hours of work left undone without and with the moves.

    ``work_h`` sums up the days; ``feasible`` is false when required work cannot be done.
    """

    id: str
    work_date: date
    days: int
    status: str
    feasible: bool
    work_h: dict[str, dict[str, float]]
    people_at_work: dict[str, dict[str, int]]
    moves: list[MoveAnswer]
    unserved_before_h: dict[str, float]
    unserved_after_h: dict[str, float]
    before_by_day_h: dict[str, dict[str, float]]
    after_by_day_h: dict[str, dict[str, float]]
    shortfalls: list[ShortfallAnswer]
    relaxations: list[RelaxationAnswer]
    required_gaps: list[RequiredGapAnswer]
    understaffed: list[str]
    quality: QualityAnswer | None

    @classmethod
    def of(cls, stored: StoredReallocation, language: str) -> StaffReallocationAnswer:
        """Return the answer for a proposal, with reasons in the reader's language."""
        answer = stored.answer
        return cls(
            id=stored.id,
            work_date=stored.work_date,
            days=stored.days,
            status=stored.status,
            feasible=answer.feasible,
            work_h=_work(stored),
            people_at_work=_people_at_work(stored),
            moves=[MoveAnswer.told(move, stored.names, language) for move in answer.moves],
            unserved_before_h={code: round(hours, 2) for code, hours in answer.unserved_before_h.items()},
            unserved_after_h={code: round(hours, 2) for code, hours in answer.unserved_after_h.items()},
            before_by_day_h=answer.before_by_day_h,
            after_by_day_h=answer.after_by_day_h,
            shortfalls=[
                ShortfallAnswer(
                    day=item.day,
                    region=item.region_id,
                    skill=item.skill,
                    hours=round(item.hours, 2),
                    reasons=[reason.in_language(language) for reason in item.reasons],
                )
                for item in answer.shortfalls
            ],
            relaxations=[
                RelaxationAnswer(
                    rule=item.rule,
                    region=item.region_id,
                    day=item.day,
                    person=code_of(item.person_id),
                    hours=item.hours,
                    text=item.text.in_language(language),
                )
                for item in answer.relaxations
            ],
            required_gaps=[
                RequiredGapAnswer(
                    region=item.region_id,
                    day=item.day,
                    hours=item.hours,
                    people={code_of(person): list(rules) for person, rules in item.people},
                    text=item.text.in_language(language),
                )
                for item in answer.required_gaps
            ],
            understaffed=[text.in_language(language) for text in answer.understaffed],
            quality=None if answer.quality is None else QualityAnswer.model_validate(answer.quality),
        )


def _work(stored: StoredReallocation) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for region in stored.problem.regions:
        sums = found[region.id] = {}
        for day in range(len(stored.problem.days)):
            for skill, hours in work_on(region.work_h, day).items():
                sums[skill] = round(sums.get(skill, 0.0) + hours, 2)
    return found


def _people_at_work(stored: StoredReallocation) -> dict[str, dict[str, int]]:
    problem = stored.problem
    return {
        day: {
            region.id: sum(one.region_id == region.id and hours_on(one.hours, place) > 0 for one in problem.people)
            for region in problem.regions
        }
        for place, day in enumerate(problem.days)
    }


class ProposalAnswer(Answer):
    """A proposal in a line, with the number of its moves that concern the asker."""

    id: str
    work_date: date
    days: int
    status: str
    moves: int


class ProposalsAnswer(Answer):
    """The newest proposals, the newest first."""

    items: list[ProposalAnswer]


class DecisionRequest(Body):
    """What is decided."""

    decision: Literal["approve", "reject", "withdraw"] = Field(examples=["approve"])
    people: list[Code] | None = Field(
        None, max_length=3_000, description="Only these people; left out: all whom you decide about."
    )
    reason: str | None = Field(None, max_length=1_000, description="Needed to reject or to withdraw.")

    def decided(self) -> Decision:
        """Return the decision for the use case."""
        return Decision(self.decision, None if self.people is None else tuple(self.people), self.reason)


class DecisionAnswer(Answer):
    """Where the proposal stands now."""

    proposal_id: str
    status: str
    lent_days: int
    open_days: int


class LendingAnswer(Answer):
    """A person lent on a day, as decided."""

    person: str
    person_name: str
    day: date
    from_region: str
    to_region: str
    cover: str | None
    cover_name: str | None
    proposal_id: str

    @classmethod
    def of(cls, lending: Lending) -> LendingAnswer:
        """Return the answer for a decided day."""
        return cls(
            person=lending.person_code,
            person_name=lending.person_name,
            day=lending.day,
            from_region=lending.from_region,
            to_region=lending.to_region,
            cover=lending.cover_code,
            cover_name=lending.cover_name,
            proposal_id=lending.proposal_id,
        )


class LendingsAnswer(Answer):
    """Who is lent, by day."""

    items: list[LendingAnswer]


class TermsBody(Body):
    """What a person agrees to when lent; weekdays count from 0, Monday."""

    refused_regions: list[Code] = Field(default_factory=list, max_length=1_000, examples=[["wuhou"]])
    wished_regions: list[Code] = Field(default_factory=list, max_length=1_000)
    refused_weekdays: list[Weekday] = Field(default_factory=list, max_length=7)
    wished_weekdays: list[Weekday] = Field(default_factory=list, max_length=7)
    rest_weekdays: list[Weekday] = Field(default_factory=list, max_length=6)
    max_moves: Count | None = None
    max_days: Count | None = None

    def terms(self) -> Terms:
        """Return the terms for the use case."""
        return Terms(
            tuple(self.refused_regions),
            tuple(self.wished_regions),
            tuple(self.refused_weekdays),
            tuple(self.wished_weekdays),
            tuple(self.rest_weekdays),
            self.max_moves,
            self.max_days,
        )


class DaysOffBody(Body):
    """Days on which a person is not at work, from today on."""

    days: list[Day] = Field(max_length=366, examples=[["2026-11-30"]])
    reason: str | None = Field(None, max_length=200)


class TermsAnswer(Answer):
    """What a person agrees to, and the days off ahead."""

    person: str
    refused_regions: list[str]
    wished_regions: list[str]
    refused_weekdays: list[int]
    wished_weekdays: list[int]
    rest_weekdays: list[int]
    max_moves: int | None
    max_days: int | None
    days_off: list[date]

    @classmethod
    def of(cls, agreed: AgreedTerms) -> TermsAnswer:
        """Return the answer for a person's terms."""
        terms = agreed.terms
        return cls(
            person=agreed.person_code,
            refused_regions=list(terms.refused_regions),
            wished_regions=list(terms.wished_regions),
            refused_weekdays=list(terms.refused_weekdays),
            wished_weekdays=list(terms.wished_weekdays),
            rest_weekdays=list(terms.rest_weekdays),
            max_moves=terms.max_moves,
            max_days=terms.max_days,
            days_off=list(agreed.days_off),
        )
