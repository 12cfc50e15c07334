"""Several days of a region planned together: one stored plan a day, and nobody visited twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy.orm import Session

from common.errors import InvalidInput, NotReady, Text
from operations import day_plan
from operations.access import Actor
from operations.plan_records import problem_record, read_plan, read_problem
from operations.store.database import Database
from operations.visit_candidates import RegionDay, Wishes, problem_of, region_days
from operations.visit_repeats import record_of
from routing.problem import DayProblem, Rep, SizeLimits, Visit
from routing.several_days import DayRoom, VisitOnDays, choose_days
from routing.travel.for_problem import reachable_table, working_span
from routing.travel_times import TravelTimes, for_hours

if TYPE_CHECKING:
    from routing.several_days import Seconds

MOST_DAYS = 7
DAYS_OFF = ("none", "holidays", "rest_days")
"""Days without plans: none, public holidays, or weekends as well; make-up working days (调休) are always worked."""
WAIT_SHARES: Mapping[str, float] = {"A": 0.2, "B": 0.07, "C": 0.02, "": 0.05}
"""Share of its prize that a visit loses with every day that it waits."""
MANDATORY_COST_S = 1e7
USUAL_WAY_SHARE = 0.5
"""The way to a visit is reckoned as this share of the mean way to its ten nearest neighbours."""
FILL_SHARE = 0.5
"""A day is offered so many visits more than were chosen for it, from those left out so far."""


@dataclass(frozen=True, slots=True)
class WeekWishes:
    """What is planned.

    Attributes
    ----------
    days : int
        1 to 7.
    days_off : str
        One of `DAYS_OFF`.
    time_limit_s : float
        Of all days together.
    """

    days: int = 7
    days_off: str = "holidays"
    time_limit_s: float = 20.0
    seed: int = 0
    day: Wishes = field(default_factory=Wishes)


def payload(
    session: Session, actor: Actor, region_code: str, start: date, wishes: WeekWishes | None = None
) -> dict[str, Any]:
    """Return the JSON object that a job solves (see `solve`).

    Raises
    ------
    InvalidInput
        For an unknown region or rep, a wrong number of days, or days off that do not exist.
    NotReady
        When no customer is due on any of the days.
    """
    actor.require("routes:plan")
    wishes = wishes or WeekWishes()
    if not 1 <= wishes.days <= MOST_DAYS:
        raise InvalidInput.at("/days", f"must be 1 to {MOST_DAYS}", f"必须为 1 到 {MOST_DAYS}")
    if wishes.days_off not in DAYS_OFF:
        raise InvalidInput.at(
            "/days_off", f"must be one of {', '.join(DAYS_OFF)}", f"必须是 {', '.join(DAYS_OFF)} 之一"
        )
    dates = [start + timedelta(days=step) for step in range(wishes.days)]
    found = region_days(session, actor, region_code, dates, wishes.day)
    days = [_day_record(each, wishes) for each in found]
    if all(day["problem"] is None for day in days):
        raise NotReady(
            Text(
                f"no customer of {region_code} can be visited from {start} on for {wishes.days} days",
                f"{start} 起 {wishes.days} 天内，区域 {region_code} 没有可拜访的客户",
            )
        )
    return {"region": region_code, "time_limit_s": wishes.time_limit_s, "seed": wishes.seed, "days": days}


def _day_record(found: RegionDay, wishes: WeekWishes) -> dict[str, Any]:
    record: dict[str, Any] = {"date": found.day.isoformat(), "problem": None, "probability": {}, "skipped": None}
    skipped = _skipped(found, wishes.days_off)
    if skipped is not None:
        return {**record, "skipped": skipped}
    # The whole week has to choose from all who are due; each day is offered its share of them.
    everybody = replace(wishes.day.policy, candidates_per_rep=SizeLimits().visits)
    return {
        **record,
        "problem": problem_record(problem_of(found, everybody)),
        "probability": {item.customer.code: item.value.probability for item in found.due},
        "rhythm": record_of(found, wishes.day),
    }


def _skipped(found: RegionDay, days_off: str) -> dict[str, str] | None:
    if days_off != "none" and found.holiday:
        return {"code": "holiday", "en": "public holiday", "zh": "法定节假日"}
    if days_off == "rest_days" and found.rest_day:
        return {"code": "weekend", "en": "weekend", "zh": "周末"}
    if not found.due:
        return {"code": "nobody_due", "en": "no customer is due", "zh": "没有到期的客户"}
    return None


def solve(
    asked: dict[str, Any],
    travel_times: TravelTimes,
    *,
    on_progress: Callable[[dict[str, Any]], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Choose the day of each visit, solve day by day, and let what is left out flow on; changes nothing.

    Returns
    -------
    dict
        ``days`` (each with ``date`` and either ``skipped`` or the day's ``asked`` and ``solved``, see
        `day_plan.solve`) and ``not_placed``: visits that no day served, with the reasons of the last day that tried.
    """
    days = _Days.of(asked)
    chosen = days.choose(travel_times)
    open_days = [index for index, problem in enumerate(days.problems) if problem is not None]
    answers: list[dict[str, Any]] = [{"date": day["date"], "skipped": day["skipped"]} for day in asked["days"]]
    served: set[str] = set()
    reasons: dict[str, list[dict[str, Any]]] = {}
    for number, index in enumerate(open_days):
        offered = days.offer(index, chosen, served)
        if on_progress is not None:
            on_progress({"day": answers[index]["date"], "share": number / len(open_days), "served": len(served)})
        if not offered:
            answers[index]["skipped"] = {"code": "nobody_due", "en": "no customer is due", "zh": "没有到期的客户"}
            continue
        of_day = _asked_of_day(asked, asked["days"][index], days.problem(index, offered), len(open_days))
        solved = day_plan.solve(of_day, travel_times, should_stop=should_stop)
        plan = read_plan(solved["plan"])
        served |= {stop.visit_id for route in plan.routes for stop in route.stops}
        for left in plan.unassigned:
            reasons[left.visit_id] = [
                {"code": why.code, "rep_ids": list(why.rep_ids), "en": why.text.en, "zh": why.text.zh}
                for why in left.reasons
            ]
        answers[index] |= {"asked": of_day, "solved": solved}
    return {"days": answers, "not_placed": days.not_placed(served, reasons)}


def _asked_of_day(asked: Mapping[str, Any], day: Mapping[str, Any], problem: DayProblem, parts: int) -> dict[str, Any]:
    of_day = day_plan.payload(
        problem,
        date.fromisoformat(day["date"]),
        asked["region"],
        time_limit_s=asked["time_limit_s"] / parts,
        seed=asked["seed"],
    )
    return {**of_day, "rhythm": day["rhythm"]}


@dataclass(slots=True)
class _Days:
    """The days' problems, each with everybody who could be visited on it."""

    problems: list[DayProblem | None]
    probability: list[Mapping[str, float]]
    visits: dict[str, dict[int, Visit]]
    unreachable: dict[str, Text] = field(default_factory=dict)

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> _Days:
        problems = [read_problem(day["problem"]) if day["problem"] else None for day in asked["days"]]
        visits: dict[str, dict[int, Visit]] = {}
        for index, problem in enumerate(problems):
            for visit in problem.visits if problem else ():
                visits.setdefault(visit.id, {})[index] = visit
        return cls(problems, [day["probability"] for day in asked["days"]], dict(sorted(visits.items())))

    def choose(self, travel_times: TravelTimes) -> dict[str, int | None]:
        """Return the day chosen for each visit."""
        import numpy as np

        first = [next(iter(by_day.values())) for by_day in self.visits.values()]
        problem = next(problem for problem in self.problems if problem is not None)
        places = [visit.location for visit in first] + [rep.start for rep in problem.reps]
        table, why = reachable_table(for_hours(travel_times, *working_span(problem)), places)
        count = len(first)
        codes = list(self.visits)
        self.unreachable = {codes[place]: text for place, text in why.items() if place < count}
        between = np.asarray(table.duration_s, dtype=float)[:count, :count]
        starts = np.asarray(table.duration_s, dtype=float)[count:, :count].min(axis=0)
        nearest = _ways_to_nearest(between, starts, [place for place in why if place < count])
        items = [
            self._on_days(code, by_day, float(way) * USUAL_WAY_SHARE)
            for (code, by_day), way in zip(self.visits.items(), nearest, strict=True)
        ]
        rooms = [_room(problem.reps if problem else ()) for problem in self.problems]
        return dict(zip(self.visits, choose_days(items, rooms, between, starts), strict=True))

    def _on_days(self, code: str, by_day: Mapping[int, Visit], way_s: float) -> VisitOnDays:
        first_day, first = next(iter(by_day.items()))
        problem = self.problems[first_day]
        assert problem is not None
        prize = problem.weights.prize(first)
        wait = prize * WAIT_SHARES.get(first.grade, WAIT_SHARES[""])
        usual = self.probability[first_day].get(code) or 1.0
        costs = {}
        for day, visit in by_day.items():
            # Urgency grows with the days, so points of different days cannot be compared; probabilities can.
            change = prize * (1.0 - (self.probability[day].get(code) or usual) / usual)
            missed = MANDATORY_COST_S if first.mandatory and not visit.mandatory else 0.0
            costs[day] = wait * (day - first_day) + change + missed
        left_out = 2 * MANDATORY_COST_S if first.mandatory else prize
        return VisitOnDays(code, first.service_s + way_s, costs, left_out)

    def offer(self, day: int, chosen: Mapping[str, int | None], served: set[str]) -> list[str]:
        """Return whom a day may serve: its own, what earlier days left out, and some who were left out of all."""
        lost = served | self.unreachable.keys()
        allowed = [code for code, by_day in self.visits.items() if day in by_day and code not in lost]
        own = [code for code in allowed if (at := chosen[code]) is not None and at <= day]
        problem = self.problems[day]
        assert problem is not None
        others = sorted(
            (code for code in allowed if chosen[code] is None),
            key=lambda code: (-problem.weights.points(self.visits[code][day]), code),
        )
        return own + others[: max(10, round(FILL_SHARE * len(own)))]

    def problem(self, day: int, offered: Sequence[str]) -> DayProblem:
        """Return the problem of a day with only the visits that it is offered."""
        problem = self.problems[day]
        assert problem is not None
        limits = replace(problem.limits, outlier_km=float("inf"))
        return replace(problem, visits=tuple(self.visits[code][day] for code in offered), limits=limits)

    def not_placed(self, served: set[str], reasons: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
        full = [{"code": "days_full", "rep_ids": [], "en": _FULL.en, "zh": _FULL.zh}]
        no_way = {
            code: [
                {
                    "code": "unreachable",
                    "rep_ids": [],
                    "en": f"no way leads there: {text.en}",
                    "zh": f"无法到达：{text.zh}",
                }
            ]
            for code, text in self.unreachable.items()
        }
        reasons = {**reasons, **no_way}
        return [
            {
                "visit_id": code,
                "name": next(iter(by_day.values())).name,
                "grade": next(iter(by_day.values())).grade,
                "reasons": reasons.get(code, full),
            }
            for code, by_day in self.visits.items()
            if code not in served
        ]


_FULL = Text("all days are filled with visits that are worth more", "各天已排满价值更高的拜访")


def _ways_to_nearest(between: Seconds, starts: Seconds, unreachable: Sequence[int]) -> Seconds:
    """Return the mean way from each visit to its ten nearest; endless for those that no way leads to."""
    import numpy as np

    known = between.copy()
    known[:, unreachable] = np.nan
    np.fill_diagonal(known, np.nan)
    near = np.sort(known, axis=1)[:, :10]  # what is not known comes last
    some = ~np.isnan(near)
    counts = some.sum(axis=1)
    ways = np.where(counts, np.where(some, near, 0.0).sum(axis=1) / np.maximum(counts, 1), starts)
    ways[unreachable] = np.inf
    return ways


def _room(reps: Sequence[Rep]) -> DayRoom:
    work_s = sum(rep.shift_end_s - rep.shift_start_s - sum(pause.duration_s for pause in rep.breaks) for rep in reps)
    visits = sum(10_000 if rep.max_visits is None else rep.max_visits for rep in reps)
    return DayRoom(float(work_s), visits)


def plan_id_of(job_id: str, day: str) -> str:
    """Return the id of a day's plan: always the same for the same job, so that a job that is run again adds nothing."""
    return str(uuid5(NAMESPACE_URL, f"{job_id}/{day}"))


def store(database: Database, actor: str, job_id: str, asked: dict[str, Any], solved: dict[str, Any]) -> dict[str, Any]:
    """Keep one plan for each day.

    Returns
    -------
    dict
        ``region``, ``days`` (each with ``date`` and either ``skipped`` or ``route_plan_id``, ``feasible``,
        ``assigned``, ``unassigned``) and ``not_placed``.
    """
    days: list[dict[str, Any]] = []
    for day in solved["days"]:
        if "solved" in day:
            kept = day_plan.store(database, actor, plan_id_of(job_id, day["date"]), day["asked"], day["solved"])
            days.append({"date": day["date"], "skipped": None, **kept})
        else:
            days.append({"date": day["date"], "skipped": day["skipped"]})
    return {"region": asked["region"], "days": days, "not_placed": solved["not_placed"]}
