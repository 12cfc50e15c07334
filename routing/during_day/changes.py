"""Changes to a day under way: what may happen, and the day as it stands after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from common.errors import FieldProblem, InvalidInput, Text
from common.units import format_clock_time
from routing.during_day.running import END, START, Delay, Fixed, RunningDay, grown_table
from routing.problem import DayProblem, Rep, SizeLimits, Visit
from routing.travel_times import TravelTimes

WITHIN_REACH = SizeLimits(10**9, 10**9)
"""A new visit may make the day larger than any that is asked at once, but does not lie beyond the horizon."""


@dataclass(frozen=True, slots=True)
class CancelVisit:
    """The customer calls off."""

    visit_id: str


@dataclass(frozen=True, slots=True)
class AddVisit:
    """A new customer; with a rep (and a place among the stops of the round, from 1) it is placed by hand."""

    visit: Visit
    rep_id: str = ""
    position: int | None = None


@dataclass(frozen=True, slots=True)
class RepAbsent:
    """A rep is away from a time on (from now when None)."""

    rep_id: str
    since_s: int | None = None


@dataclass(frozen=True, slots=True)
class WaysTakeLonger:
    """Some or all ways take longer, in one direction or in both."""

    delay: Delay
    both_ways: bool = True


@dataclass(frozen=True, slots=True)
class LockVisit:
    """The visit stays with a rep (the one it is planned for when empty)."""

    visit_id: str
    rep_id: str = ""


@dataclass(frozen=True, slots=True)
class LockFirst:
    """The rep's next stops stay as they are: so many, or these."""

    rep_id: str
    visit_ids: tuple[str, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Unlock:
    """Locks are taken away: of a visit, or of a rep's first stops."""

    visit_id: str = ""
    rep_id: str = ""


@dataclass(frozen=True, slots=True)
class MoveVisit:
    """A visit goes to a rep by hand, to a place among the stops of the round (from 1) or to the cheapest one.

    With ``lock`` it stays there.
    """

    visit_id: str
    rep_id: str
    position: int | None = None
    lock: bool = True


Change = CancelVisit | AddVisit | RepAbsent | WaysTakeLonger | LockVisit | LockFirst | Unlock | MoveVisit


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a dispatcher wants a visit."""

    rep_id: str
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """The day after the changes, not yet planned anew.

    Attributes
    ----------
    day : RunningDay
    fixed : mapping of rep id to Fixed
    reasons : dict of visit id to reason code
        Why a visit needs, or loses, a place.
    placements : dict of visit id to Placement
    slower : bool
        Some way takes longer than before.
    """

    day: RunningDay
    fixed: Mapping[str, Fixed]
    reasons: dict[str, str] = field(default_factory=dict)
    placements: dict[str, Placement] = field(default_factory=dict)
    slower: bool = False


def apply_changes(day: RunningDay, fixed: Mapping[str, Fixed], changes: Sequence[Change], ways: TravelTimes) -> Changed:
    """Return the day with the changes.

    Parameters
    ----------
    ways : TravelTimes
        Asked for the ways of new places.

    Raises
    ------
    InvalidInput
        Naming each wrong field of the changes (``/changes/2/visit_id``).
    """
    work = _Applying(day, fixed)
    for index, change in enumerate(changes):
        work.apply(f"/changes/{index}", change)
    work.raise_problems()
    problem = work.problem()
    if problem is None:
        raise InvalidInput.at("/changes", "no visit would be left", "计划中将没有任何拜访")
    after = replace(day, problem=problem, delays=work.delays_left(), absences=work.absences, pinned=work.pinned)
    after = replace(after, table=grown_table(day, problem, ways))
    away = {rep_id for rep_id, since_s in work.absences.items() if since_s <= day.now_s}
    parts = {
        rep_id: part.called_off(day.now_s) if rep_id in away or part.heading not in work.visits else part
        for rep_id, part in work.fixed.items()
    }
    return Changed(after, parts, work.reasons, work.placements, work.slower)


def let_go(changed: Changed, visit_ids: set[str]) -> Changed:
    """Return the same day in which these visits are not locked as first stops, and nobody is on the way to them."""
    reps = tuple(_without_first(rep, visit_ids) for rep in changed.day.problem.reps)
    day = replace(changed.day, problem=replace(changed.day.problem, reps=reps))
    fixed = {
        rep_id: part.called_off(day.now_s) if part.heading in visit_ids else part
        for rep_id, part in changed.fixed.items()
    }
    return replace(changed, day=day, fixed=fixed)


def _without_first(rep: Rep, visit_ids: set[str]) -> Rep:
    if not visit_ids & set(rep.first_stops):
        return rep
    return replace(rep, first_stops=tuple(other for other in rep.first_stops if other not in visit_ids))


def _without_locks(reps: Mapping[str, Rep]) -> list[Rep]:
    return [replace(rep, first_stops=()) for rep in reps.values()]


class _Applying:
    """The day while changes are applied one after another."""

    def __init__(self, day: RunningDay, fixed: Mapping[str, Fixed]) -> None:
        self.day = day
        self.fixed = dict(fixed)
        self.visits = {visit.id: visit for visit in day.problem.visits}
        self.reps = {rep.id: rep for rep in day.problem.reps}
        self.made = {visit_id for part in fixed.values() for visit_id in part.visit_ids}
        self.holder = {stop.visit_id: route.rep_id for route in day.plan.routes for stop in route.stops}
        self.delays = list(day.delays)
        self.absences = dict(day.absences)
        self.pinned = dict(day.pinned)
        self.reasons: dict[str, str] = {}
        self.placements: dict[str, Placement] = {}
        self.slower = False
        self.problems: list[FieldProblem] = []

    def note(self, pointer: str, en: str, zh: str) -> None:
        """Keep one problem."""
        self.problems.append(FieldProblem(pointer, Text(en, zh)))

    def raise_problems(self) -> None:
        """Raise all that was wrong, if anything was."""
        if self.problems:
            raise InvalidInput(Text("the changes have fields that are wrong", "变更内容有误"), fields=self.problems)

    def problem(self) -> DayProblem | None:
        """Return the problem with its visits and reps as they are now."""
        if not self.visits:
            return None
        limits = self.day.problem.limits
        return DayProblem(tuple(self.visits.values()), tuple(self.reps.values()), self.day.problem.weights, limits)

    def apply(self, at: str, change: Change) -> None:
        """Apply one change."""
        match change:
            case CancelVisit():
                if self._open(f"{at}/visit_id", change.visit_id):
                    self._cancel(change.visit_id, "cancelled")
            case AddVisit():
                self._add(at, change)
            case RepAbsent():
                if self._rep(f"{at}/rep_id", change.rep_id):
                    self._absent(change)
            case WaysTakeLonger():
                self._slower(at, change)
            case LockVisit():
                self._lock_visit(at, change)
            case LockFirst():
                self._lock_first(at, change)
            case Unlock():
                self._unlock(at, change)
            case MoveVisit():
                self._move(at, change)

    def _rep(self, pointer: str, rep_id: str) -> bool:
        if rep_id in self.reps:
            return True
        self.note(pointer, f"there is no rep {rep_id!r}", f"没有人员 {rep_id!r}")
        return False

    def _open(self, pointer: str, visit_id: str) -> bool:
        """Return whether a visit can still be changed."""
        if visit_id not in self.visits:
            self.note(pointer, f"there is no visit {visit_id!r}", f"没有拜访 {visit_id!r}")
            return False
        if visit_id in self.made:
            self.note(pointer, "the visit is made or under way", "该拜访已完成或正在进行")
            return False
        return True

    def _cancel(self, visit_id: str, reason: str) -> None:
        del self.visits[visit_id]
        self.reasons[visit_id] = reason
        self.pinned.pop(visit_id, None)
        self.placements.pop(visit_id, None)
        self._out_of_first_stops(visit_id)
        for other in list(self.visits.values()):
            if other.after == visit_id and other.id in self.visits and other.id not in self.made:
                self._cancel(other.id, "cancelled_with")

    def _out_of_first_stops(self, visit_id: str) -> None:
        for rep in list(self.reps.values()):
            self.reps[rep.id] = _without_first(rep, {visit_id})

    def _add(self, at: str, change: AddVisit) -> None:
        visit = change.visit
        wrong = self._problems_of_new(f"{at}/visit", visit)
        if wrong:
            self.problems += wrong
            return
        self.visits[visit.id] = visit
        self.reasons[visit.id] = "new"
        if change.rep_id and self._rep(f"{at}/rep_id", change.rep_id):
            self._pin(visit.id, change.rep_id)
            self._place(f"{at}/position", visit.id, Placement(change.rep_id, change.position))

    def _problems_of_new(self, at: str, visit: Visit) -> list[FieldProblem]:
        """Return what is wrong in a new visit; far from everybody's start counts as wrong too."""
        if visit.id in self.visits:
            text = Text(f"id {visit.id!r} is taken", f"编号 {visit.id!r} 已存在")
            return [FieldProblem(f"{at}/id", text)]
        before = self.visits.get(visit.after)
        others = (replace(before, after="", allowed_reps=None),) if before else ()
        try:
            DayProblem((visit, *others), tuple(_without_locks(self.reps)), limits=WITHIN_REACH)
        except InvalidInput as error:
            fields = [field for field in error.fields if field.pointer.startswith("/visits/0/")]
            return [FieldProblem(at + field.pointer.removeprefix("/visits/0"), field.text) for field in fields]
        return []

    def _absent(self, change: RepAbsent) -> None:
        rep, part, now = self.reps[change.rep_id], self.fixed[change.rep_id], self.day.now_s
        since_s = now if change.since_s is None else max(now, change.since_s)
        if part.over:
            return
        self.absences[rep.id] = since_s
        taken = len(part.breaks) + len(part.begun)
        at_once = since_s <= max(now, part.free_s)
        breaks = tuple(
            pause
            for index, pause in enumerate(rep.breaks)
            if index < taken or (not at_once and pause.earliest_s < since_s)
        )
        end_s = min(rep.shift_end_s, max(since_s, rep.shift_start_s + 1))
        self.reps[rep.id] = replace(
            rep, end=None, shift_end_s=end_s, overtime_s=0, breaks=breaks, first_stops=self._made_first(rep)
        )
        for visit_id in self._rest_of(rep.id):
            # Nobody comes because of a lock to somebody who is away.
            self._unpin(visit_id, rep.id)
            self.reasons.setdefault(visit_id, "rep_absent")

    def _made_first(self, rep: Rep) -> tuple[str, ...]:
        return tuple(visit_id for visit_id in rep.first_stops if visit_id in self.made)

    def _rest_of(self, rep_id: str) -> list[str]:
        return [
            visit_id
            for visit_id, holder in self.holder.items()
            if holder == rep_id and visit_id in self.visits and visit_id not in self.made
        ]

    def _slower(self, at: str, change: WaysTakeLonger) -> None:
        delay = change.delay
        if delay.rep_id and not self._rep(f"{at}/rep_id", delay.rep_id):
            return
        for name in ("from_place", "to_place"):
            place = getattr(delay, name)
            if place and place not in self._places():
                self.note(f"{at}/{name}", f"there is no place {place!r}", f"没有地点 {place!r}")
        self.slower = True
        self.delays.append(delay)
        if change.both_ways and delay.from_place != delay.to_place:
            self.delays.append(replace(delay, from_place=delay.to_place, to_place=delay.from_place))

    def _places(self) -> set[str]:
        """Return the names of all places."""
        ends = {END + rep.id for rep in self.reps.values() if rep.end is not None}
        return {*self.visits, *(START + rep_id for rep_id in self.reps), *ends}

    def delays_left(self) -> tuple[Delay, ...]:
        """Return the delays whose places are still there."""
        known = {"", *self._places()}
        return tuple(delay for delay in self.delays if {delay.from_place, delay.to_place} <= known)

    def _lock_visit(self, at: str, change: LockVisit) -> None:
        if not self._open(f"{at}/visit_id", change.visit_id):
            return
        rep_id = change.rep_id or self.holder.get(change.visit_id, "")
        if not rep_id:
            self.note(f"{at}/rep_id", "the visit is on no route: name the rep", "该拜访未安排，须指明人员")
        elif self._rep(f"{at}/rep_id", rep_id):
            self._pin(change.visit_id, rep_id)
            if self.holder.get(change.visit_id) != rep_id:
                self._place(at, change.visit_id, Placement(rep_id))

    def _pin(self, visit_id: str, rep_id: str) -> None:
        visit = self.visits[visit_id]
        before = None if visit.allowed_reps is None else tuple(sorted(visit.allowed_reps))
        self.pinned.setdefault(visit_id, before)
        self.visits[visit_id] = replace(visit, allowed_reps=frozenset({rep_id}))

    def _unpin(self, visit_id: str, rep_id: str = "") -> None:
        visit = self.visits[visit_id]
        if visit_id not in self.pinned or (rep_id and visit.allowed_reps != frozenset({rep_id})):
            return
        before = self.pinned.pop(visit_id)
        self.visits[visit_id] = replace(visit, allowed_reps=None if before is None else frozenset(before))

    def _lock_first(self, at: str, change: LockFirst) -> None:
        if not self._rep(f"{at}/rep_id", change.rep_id):
            return
        rep, rest = self.reps[change.rep_id], self._rest_of(change.rep_id)
        wanted = list(change.visit_ids) or rest[: change.count]
        if not wanted:
            self.note(f"{at}/count", "there is no stop to lock", "没有可锁定的拜访")
        elif wanted != rest[: len(wanted)]:
            en = f"the next stops of {rep.id} are {', '.join(rest[: len(wanted)]) or 'none'}"
            self.note(f"{at}/visit_ids", en, f"{rep.id} 接下来的拜访是 {'、'.join(rest[: len(wanted)]) or '无'}")
        else:
            self.reps[rep.id] = replace(rep, first_stops=(*self._made_first(rep), *wanted))

    def _unlock(self, at: str, change: Unlock) -> None:
        if change.visit_id and self._open(f"{at}/visit_id", change.visit_id):
            self._unpin(change.visit_id)
            for rep in list(self.reps.values()):
                if change.visit_id in rep.first_stops:
                    # What came after it was locked behind it.
                    first = rep.first_stops[: rep.first_stops.index(change.visit_id)]
                    self.reps[rep.id] = replace(rep, first_stops=first)
        if change.rep_id and self._rep(f"{at}/rep_id", change.rep_id):
            rep = self.reps[change.rep_id]
            self.reps[rep.id] = replace(rep, first_stops=self._made_first(rep))
        if not change.visit_id and not change.rep_id:
            self.note(at, "name a visit or a rep", "须指明拜访或人员")

    def _move(self, at: str, change: MoveVisit) -> None:
        if not (self._open(f"{at}/visit_id", change.visit_id) and self._rep(f"{at}/rep_id", change.rep_id)):
            return
        if change.lock:
            self._pin(change.visit_id, change.rep_id)
        elif change.visit_id in self.pinned:
            self._unpin(change.visit_id)
        self._place(f"{at}/position", change.visit_id, Placement(change.rep_id, change.position))

    def _place(self, pointer: str, visit_id: str, wanted: Placement) -> None:
        made = len(self.fixed[wanted.rep_id].stops)
        if wanted.position is not None and wanted.position <= made:
            clock = format_clock_time(self.day.now_s)
            en = f"the first {made} stops are made or under way at {clock}"
            self.note(pointer, en, f"截至 {clock}，前 {made} 站已完成或正在进行")
            return
        self._out_of_first_stops(visit_id)
        self.placements[visit_id] = wanted
        self.reasons.setdefault(visit_id, "by_hand")
