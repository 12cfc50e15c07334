"""Changes to a plan during its day: what is asked, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from api.schemas import Answer, Body
from api.schemas.asked_day import ClockTime, Id, RepeatReasons, VisitBody
from api.schemas.routes import ReasonAnswer, RoutePlanAnswer
from common.chinese_coordinates import to_wgs84
from common.errors import FieldProblem, InvalidInput, Text
from common.places import Location
from common.units import format_clock_time, parse_clock_time
from operations.plan_changes import AskedChange, ChangedPlan
from operations.plan_versions import Comparison, Side, VersionSummary
from routing.comparison import Move
from routing.during_day import changes as engine
from routing.during_day.progress import Progress, StopMade
from routing.during_day.replan import Calm, News
from routing.during_day.running import Delay
from routing.during_day.slots import Slots, SlotWishes
from routing.fairness import Fairness
from routing.problem import Visit
from routing.problem_files import FieldReader

PlaceName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Kind = Literal[
    "cancel_visit",
    "add_visit",
    "rep_absent",
    "ways_take_longer",
    "lock_visit",
    "lock_first",
    "unlock",
    "move_visit",
]


class ChangeBody(Body):
    """One change. Which fields go with it depends on its kind.

    - `cancel_visit`: `visit_id`
    - `add_visit`: `visit`; with `rep_id` (and `position`) it is placed there and stays with that rep
    - `rep_absent`: `rep_id`, `since` (now by default)
    - `ways_take_longer`: `factor` and/or `minutes`; `from_place`, `to_place` (a visit's id, `start:<rep>` or
      `end:<rep>`; any place by default), `one_way`, `rep_id` (everybody by default)
    - `lock_visit`: `visit_id`, `rep_id` (the one planned by default)
    - `lock_first`: `rep_id`, and `visit_ids` or `count`: the next stops stay as they are
    - `unlock`: `visit_id`, or `rep_id` for the first stops
    - `move_visit`: `visit_id`, `rep_id`, `position` (the cheapest by default), `lock` (true by default)
    """

    kind: Kind = Field(examples=["cancel_visit"])
    visit_id: Id | None = Field(None, examples=["S001"])
    visit: VisitBody | None = None
    rep_id: Id | None = None
    position: int | None = Field(None, ge=1, le=10_000, description="Which stop of the whole round, from 1.")
    since: ClockTime | None = None
    factor: float | None = Field(None, gt=0, le=20, allow_inf_nan=False)
    minutes: float | None = Field(None, ge=0, le=600, allow_inf_nan=False)
    from_place: PlaceName | None = None
    to_place: PlaceName | None = None
    one_way: bool | None = None
    visit_ids: list[Id] | None = Field(None, min_length=1, max_length=1_000)
    count: int | None = Field(None, ge=1, le=1_000)
    lock: bool | None = None


class StopMadeBody(Body):
    """A finished stop."""

    visit_id: Id
    arrival: ClockTime | None = None
    start: ClockTime = Field(examples=["09:10"])
    departure: ClockTime = Field(examples=["09:35"])


class RunningStopBody(Body):
    """The stop that a rep is at."""

    visit_id: Id
    arrival: ClockTime | None = None
    start: ClockTime = Field(examples=["09:50"])
    expected_end: ClockTime | None = Field(None, description="By default its service time after the start.")


class SpanBody(Body):
    """A break taken."""

    start: ClockTime = Field(examples=["12:05"])
    end: ClockTime = Field(examples=["12:50"])


class ProgressBody(Body):
    """What a rep has done. Who is not named is taken to be where the plan says."""

    rep_id: Id
    made: list[StopMadeBody] = Field(
        default_factory=list, max_length=1_000, description="In order; those reported before may be left out."
    )
    running: RunningStopBody | None = None
    breaks: list[SpanBody] | None = Field(None, max_length=20, description="As planned by default.")
    heading: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)] = Field(
        "", description="The visit that the rep is on the way to."
    )


class PlanChangeRequest(Body):
    """What has happened, and what is to be changed. Without changes the plan is only timed anew."""

    version: int | None = Field(None, ge=1, examples=[1], description="The version seen; or send `If-Match`.")
    now: ClockTime | None = Field(None, examples=["11:20"], description="The clock's time by default.")
    changes: list[ChangeBody] = Field(default_factory=list, max_length=200)
    progress: list[ProgressBody] = Field(default_factory=list, max_length=300)
    search: Literal["needed", "always", "never"] = Field(
        "needed", description="When to rearrange the rest: only if visits would stay out that were planned or are new."
    )
    search_s: float = Field(1.0, gt=0, le=10, allow_inf_nan=False)
    publish: bool = Field(False, description="Publish the new version at once.")
    preview: bool = Field(False, description="Only show what would come of it.")
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""

    def asked(self, version: int, now_s: int) -> AskedChange:
        """Return what is asked, at a moment.

        Raises
        ------
        InvalidInput
            Naming each field that is missing, or that does not go with its kind.
        """
        problems: list[FieldProblem] = []
        changes = [_change(f"/changes/{index}", body, problems) for index, body in enumerate(self.changes)]
        reports = [_progress(f"/progress/{index}", body) for index, body in enumerate(self.progress)]
        if problems:
            raise InvalidInput(Text("the changes have fields that are wrong", "变更内容有误"), fields=problems)
        news = News(now_s, tuple(change for change in changes if change is not None), tuple(reports))
        calm = Calm(search=self.search, search_s=self.search_s)
        record = self.model_dump(mode="json", exclude_defaults=True, include={"changes", "progress", "search"})
        return AskedChange(version, news, calm, self.note, self.publish, self.preview, record)


def clock_s(pointer: str, value: int | str) -> int:
    """Return the seconds since midnight of a clock time of a request."""
    return value if isinstance(value, int) else parse_clock_time(value, pointer=pointer)


_NEEDS: dict[str, tuple[str, ...]] = {
    "cancel_visit": ("visit_id",),
    "add_visit": ("visit",),
    "rep_absent": ("rep_id",),
    "ways_take_longer": (),
    "lock_visit": ("visit_id",),
    "lock_first": ("rep_id",),
    "unlock": (),
    "move_visit": ("visit_id", "rep_id"),
}
_MAY_HAVE: dict[str, tuple[str, ...]] = {
    "cancel_visit": (),
    "add_visit": ("rep_id", "position"),
    "rep_absent": ("since",),
    "ways_take_longer": ("factor", "minutes", "from_place", "to_place", "one_way", "rep_id"),
    "lock_visit": ("rep_id",),
    "lock_first": ("visit_ids", "count"),
    "unlock": ("visit_id", "rep_id"),
    "move_visit": ("position", "lock"),
}


def _change(at: str, body: ChangeBody, problems: list[FieldProblem]) -> engine.Change | None:
    given = body.model_dump(exclude_none=True, exclude={"kind"})
    missing = [name for name in _NEEDS[body.kind] if name not in given]
    strange = [name for name in given if name not in (*_NEEDS[body.kind], *_MAY_HAVE[body.kind])]
    problems += [FieldProblem(f"{at}/{name}", Text("is missing", "缺少该字段")) for name in missing]
    problems += [
        FieldProblem(f"{at}/{name}", Text(f"does not go with {body.kind}", f"不适用于 {body.kind}")) for name in strange
    ]
    if body.kind == "ways_take_longer" and not {"factor", "minutes"} & given.keys():
        problems.append(FieldProblem(f"{at}/factor", Text("give a factor or minutes", "须给出系数或分钟数")))
    if body.kind == "lock_first" and len({"visit_ids", "count"} & given.keys()) != 1:
        problems.append(
            FieldProblem(f"{at}/count", Text("give either visit_ids or count", "须给出 visit_ids 或 count"))
        )
    if any(problem.pointer.startswith(f"{at}/") for problem in problems):
        return None
    return _BUILD[body.kind](at, body)


def visit_of(pointer: str, body: VisitBody) -> Visit:
    """Return the visit of a request, its place in WGS-84."""
    reader = FieldReader()
    visit = reader.visit(pointer, body.model_dump(exclude_none=True, exclude={"coordinate_system"}))
    reader.raise_problems()
    place = Location(body.location.latitude, body.location.longitude)
    if body.coordinate_system is not None and (place.latitude, place.longitude) != (0, 0):
        place = to_wgs84(place, body.coordinate_system)
    fields = {name: getattr(visit, name) for name in visit.__dataclass_fields__}
    return Visit(**{**fields, "location": place})


def _delay(body: ChangeBody) -> engine.WaysTakeLonger:
    delay = Delay(
        body.factor if body.factor is not None else 1.0,
        round(60 * (body.minutes or 0)),
        body.rep_id or "",
        body.from_place or "",
        body.to_place or "",
    )
    return engine.WaysTakeLonger(delay, both_ways=not body.one_way)


_BUILD: dict[str, Callable[[str, Any], engine.Change]] = {
    "cancel_visit": lambda at, body: engine.CancelVisit(body.visit_id),
    "add_visit": lambda at, body: engine.AddVisit(
        visit_of(f"{at}/visit", body.visit), body.rep_id or "", body.position
    ),
    "rep_absent": lambda at, body: engine.RepAbsent(
        body.rep_id, None if body.since is None else clock_s(f"{at}/since", body.since)
    ),
    "ways_take_longer": lambda at, body: _delay(body),
    "lock_visit": lambda at, body: engine.LockVisit(body.visit_id, body.rep_id or ""),
    "lock_first": lambda at, body: engine.LockFirst(body.rep_id, tuple(body.visit_ids or ()), body.count or 0),
    "unlock": lambda at, body: engine.Unlock(body.visit_id or "", body.rep_id or ""),
    "move_visit": lambda at, body: engine.MoveVisit(body.visit_id, body.rep_id, body.position, body.lock is not False),
}


def _progress(at: str, body: ProgressBody) -> Progress:
    made = tuple(
        StopMade(
            stop.visit_id,
            clock_s(f"{at}/made/{index}/start", stop.start),
            clock_s(f"{at}/made/{index}/departure", stop.departure),
            None if stop.arrival is None else clock_s(f"{at}/made/{index}/arrival", stop.arrival),
        )
        for index, stop in enumerate(body.made)
    )
    running = None
    if body.running is not None:
        stop, here = body.running, f"{at}/running"
        end = -1 if stop.expected_end is None else clock_s(f"{here}/expected_end", stop.expected_end)
        arrival = None if stop.arrival is None else clock_s(f"{here}/arrival", stop.arrival)
        running = StopMade(stop.visit_id, clock_s(f"{here}/start", stop.start), end, arrival)
    breaks = None
    if body.breaks is not None:
        spans = [(f"{at}/breaks/{index}", span) for index, span in enumerate(body.breaks)]
        breaks = tuple((clock_s(f"{here}/start", span.start), clock_s(f"{here}/end", span.end)) for here, span in spans)
    return Progress(body.rep_id, made, running, breaks, body.heading, at)


class MoveAnswer(Answer):
    """What happens to one visit, and why."""

    visit_id: str
    change: str = Field(description="added, moved, later, earlier, left_out or removed.", examples=["moved"])
    from_rep: str | None
    from_time: str | None = Field(examples=["10:40"])
    to_rep: str | None
    to_time: str | None = Field(examples=["11:05"])
    promised_time: str | None = Field(description="By the published plan.")
    reason: str = Field(examples=["rep_absent"])
    text: str


class RefusedAnswer(Answer):
    """A wish that cannot be kept; the visit stays where it was."""

    visit_id: str
    rep_id: str
    text: str


class PlanChangeAnswer(RoutePlanAnswer):
    """The plan after the change, with what has moved and why."""

    preview: bool
    now: str = Field(examples=["11:20"])
    method: str = Field(description="kept, inserted, made_room or searched.")
    moves: list[MoveAnswer]
    refused: list[RefusedAnswer]
    took_ms: float

    @classmethod
    def from_change(cls, changed: ChangedPlan, language: str, *, preview: bool) -> PlanChangeAnswer:
        """Return the answer in the reader's language."""
        plan = RoutePlanAnswer.of(changed.stored, language)
        return cls(
            **{name: getattr(plan, name) for name in RoutePlanAnswer.model_fields},
            preview=preview,
            now=format_clock_time(changed.now_s),
            method=changed.method,
            moves=move_answers(changed.moves, language),
            refused=[
                RefusedAnswer(visit_id=item.visit_id, rep_id=item.rep_id, text=item.text.in_language(language))
                for item in changed.refused
            ],
            took_ms=round(1000 * changed.took_s, 1),
        )


def move_answers(moves: tuple[Move, ...], language: str) -> list[MoveAnswer]:
    """Return moves as they are answered."""

    def clock(moment_s: int | None) -> str | None:
        return None if moment_s is None else format_clock_time(moment_s)

    return [
        MoveAnswer(
            visit_id=move.visit_id,
            change=move.change,
            from_rep=move.from_rep,
            from_time=clock(move.from_s),
            to_rep=move.to_rep,
            to_time=clock(move.to_s),
            promised_time=clock(move.promised_s),
            reason=move.reason,
            text=move.text.in_language(language),
        )
        for move in moves
    ]


class VersionAnswer(Answer):
    """A version in a line."""

    version: int
    made_at: AwareDatetime
    made_by: str
    published_at: AwareDatetime | None
    published_by: str | None
    note: str
    feasible: bool
    assigned_visits: int
    unassigned_visits: int
    travel_s: int
    distance_m: int
    method: str | None = Field(description="How it was made from the version before; null for the first.")
    moved_visits: int

    @classmethod
    def of(cls, summary: VersionSummary) -> VersionAnswer:
        """Return the answer for a version."""
        fields = {name: getattr(summary, name) for name in cls.model_fields if hasattr(summary, name)}
        return cls(**fields, method=summary.change.get("method"), moved_visits=len(summary.change.get("moves", ())))


class VersionsAnswer(Answer):
    """The versions of a plan, the newest first."""

    items: list[VersionAnswer]


class PublishRequest(Body):
    """Which version is to be published: the newest, as it was seen."""

    version: int | None = Field(None, ge=1, examples=[2], description="The version seen; or send `If-Match`.")
    repeat_reasons: RepeatReasons | None = Field(
        None, description="Customers to visit although another published plan visits them, each with the reason."
    )


class RepDayAnswer(Answer):
    """What one rep's day comes to."""

    rep_id: str
    minutes: float
    visits: int
    value: float


class SpreadAnswer(Answer):
    """How unequal the amounts of all reps are."""

    least: float
    most: float
    mean: float
    deviation: float


class FairnessAnswer(Answer):
    """The reps' days, and the spread of `minutes` (travel and service), `visits` and `value`."""

    days: list[RepDayAnswer]
    spread: dict[str, SpreadAnswer]

    @classmethod
    def of(cls, fairness: Fairness) -> FairnessAnswer:
        """Return the answer."""
        return cls(
            days=[RepDayAnswer.model_validate(day) for day in fairness.days],
            spread={name: SpreadAnswer.model_validate(spread) for name, spread in fairness.spread.items()},
        )


class FairnessPriceRequest(Body):
    """How much equality is wished, and of what."""

    fairness: float = Field(
        gt=0, le=1e9, allow_inf_nan=False, examples=[5], description="The weight, as `weights.fairness` of a plan."
    )
    measure: Literal["minutes", "visits", "value"] = "minutes"
    time_limit_s: float = Field(4, gt=0, le=600, allow_inf_nan=False, description="Of both solves together.")


class FairnessPriceAnswer(Answer):
    """What more equal days cost: the plans found in the same time without and with the knob, and their difference."""

    measure: str
    without: dict[str, Any]
    with_knob: dict[str, Any]
    travel_min: float = Field(description="More minutes of travel.")
    visits: int = Field(description="More visits made; negative: fewer.")
    value: float = Field(description="More points; negative: fewer.")
    cost: float = Field(description="More cost in seconds of travel, without the price of unfairness itself.")
    deviation: float = Field(description="By how much the standard deviation of the measure falls.")


class SideAnswer(Answer):
    """One of the two plans."""

    plan_id: str
    version: int
    assigned_visits: int
    unassigned_visits: int
    travel_s: int
    distance_m: int
    overtime_s: int
    value: float
    cost: dict[str, float] = Field(description="By part, in seconds of travel.")
    fairness: FairnessAnswer

    @classmethod
    def of(cls, side: Side) -> SideAnswer:
        """Return the answer."""
        fields = {name: getattr(side, name) for name in cls.model_fields if name != "fairness"}
        return cls(**fields, fairness=FairnessAnswer.of(side.fairness))


class ComparisonAnswer(Answer):
    """What differs from the plan before to the plan after."""

    before: SideAnswer
    after: SideAnswer
    cost_difference: dict[str, float] = Field(description="By part: after less before.")
    moves: list[MoveAnswer]

    @classmethod
    def of(cls, comparison: Comparison, language: str) -> ComparisonAnswer:
        """Return the answer in the reader's language."""
        first, second = comparison.before.cost, comparison.after.cost
        parts = [name for name in second if name in first]
        return cls(
            before=SideAnswer.of(comparison.before),
            after=SideAnswer.of(comparison.after),
            cost_difference={name: round(second[name] - first[name], 3) for name in parts},
            moves=move_answers(comparison.moves, language),
        )


class SlotsRequest(Body):
    """A new customer who asks for a time."""

    visit: VisitBody
    now: ClockTime | None = Field(None, examples=["11:20"], description="The clock's time by default.")
    limit: int = Field(5, ge=1, le=50)
    per_rep: int = Field(2, ge=1, le=20, description="Most slots of one rep.")
    width_min: int = Field(60, ge=5, le=600, description="Longest span of start times in one offer.", examples=[60])

    def wishes(self) -> SlotWishes:
        """Return how slots are offered."""
        return SlotWishes(self.limit, self.per_rep, 60 * self.width_min)


class ClockSpanAnswer(Answer):
    """Two clock times."""

    start: str = Field(examples=["14:05"])
    end: str = Field(examples=["14:40"])


class SlotAnswer(Answer):
    """One way to fit the customer in."""

    rep_id: str
    position: int = Field(description="Which stop of the rep's round it becomes, from 1.")
    after: str | None
    before: str | None
    offer: ClockSpanAnswer = Field(description="Start times to offer to the customer.")
    spans: list[ClockSpanAnswer] = Field(description="All start times with which the rest of the round can be kept.")
    added_travel_min: float
    added_distance_m: int
    added_cost: float
    others_later_min: float = Field(description="The most that a later stop shifts, when it starts as early as it can.")
    keeps_promises: bool


class SlotsAnswer(Answer):
    """Slots, the best first; without any, the reasons why no rep has room."""

    items: list[SlotAnswer]
    reasons: list[ReasonAnswer]

    @classmethod
    def of(cls, found: Slots, language: str) -> SlotsAnswer:
        """Return the answer in the reader's language."""

        def span(pair: tuple[int, int]) -> ClockSpanAnswer:
            return ClockSpanAnswer(start=format_clock_time(pair[0]), end=format_clock_time(pair[1]))

        return cls(
            items=[
                SlotAnswer(
                    rep_id=slot.rep_id,
                    position=slot.position,
                    after=slot.after,
                    before=slot.before,
                    offer=span(slot.offer),
                    spans=[span(pair) for pair in slot.spans],
                    added_travel_min=round(slot.added_travel_s / 60, 1),
                    added_distance_m=slot.added_distance_m,
                    added_cost=round(slot.added_cost, 1),
                    others_later_min=round(slot.others_later_s / 60, 1),
                    keeps_promises=slot.keeps_promises,
                )
                for slot in found.found
            ],
            reasons=[
                ReasonAnswer(code=one.code, rep_ids=list(one.rep_ids), text=one.text.in_language(language))
                for one in found.reasons
            ],
        )
