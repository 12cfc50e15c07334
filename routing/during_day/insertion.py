"""Puts visits into rounds that go on as they are: the calm part of planning a day anew.

Every step keeps the order of the stops that it does not concern.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from routing.comparison import SHIFT_WORTH_TELLING_S
from routing.day import Day, Round
from routing.during_day.rest_of_day import Rest, near_times
from routing.problem import DayProblem

MOST_EJECTIONS = 12
"""For so many visits without a place it is tried to make room; beyond that the search does it better."""


@dataclass(frozen=True, slots=True)
class Hand:
    """A visit that a dispatcher wants on a round, at a place among all its stops (from 1) or at the cheapest one."""

    visit_id: str
    rep_id: str
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A place for a visit: what it adds, and whether the promised times are kept there."""

    cost: float
    rep: int
    position: int
    calm: bool


class Insertion:
    """The rest of a day while visits find their places.

    Parameters
    ----------
    rest : Rest
    narrow : DayProblem or None
        The rest with promised times as windows: what fits there breaks no promise.
    reasons : dict of visit id to reason code
        Completed with the reasons for what happens here.
    """

    def __init__(self, rest: Rest, narrow: DayProblem | None, reasons: dict[str, str]) -> None:
        assert rest.problem is not None
        self._rest = rest
        self._problem = rest.problem
        self._reasons = reasons
        self._at = {visit.id: index for index, visit in enumerate(self._problem.visits)}
        self._rep_at = {rep.id: index for index, rep in enumerate(self._problem.reps)}
        self._day = Day(self._problem, rest.table)
        self._narrow_day = None if narrow is None else Day(narrow, rest.table)
        self._rounds: list[Round] = []
        self._narrow: list[Round] = []
        self._waiting: list[int] = []
        self._firm: set[int] = set()
        self.method = "kept"
        self.displaced: list[str] = []
        self.impossible: list[Hand] = []
        self.unlocked: set[str] = set()
        self._orders = [[self._at[visit_id] for visit_id in rest.orders[rep.id]] for rep in self._problem.reps]

    def place_by_hand(self, hands: Sequence[Hand]) -> None:
        """Put visits where a dispatcher wants them, before it is looked what still fits beside them.

        Those that cannot be kept there even alone are noted in :attr:`impossible`.
        """
        for hand in hands:
            visit, rep = self._at[hand.visit_id], self._rep_at[hand.rep_id]
            was = next((index for index, order in enumerate(self._orders) if visit in order), None)
            without = [stop for stop in self._orders[rep] if stop != visit]
            made = len(self._rest.fixed[hand.rep_id].stops)
            order = self._with(rep, without, visit, None if hand.position is None else hand.position - made - 1)
            kept = None if order is None else self._keepable(rep, order, {visit})
            if kept is None or visit not in kept:
                self.impossible.append(hand)
                continue
            if was is not None:
                self._orders[was] = [stop for stop in self._orders[was] if stop != visit]
            self._orders[rep] = order or []
            self._firm.add(visit)
            self.method = "inserted"

    def _with(self, rep: int, order: list[int], visit: int, position: int | None) -> list[int] | None:
        """Return the order with ``visit`` at a position (the cheapest that fits, or else the cheapest, when None)."""
        locked = self._locked(rep)
        if position is not None:
            place = min(max(position, 0), len(order))
            return None if place < locked else [*order[:place], visit, *order[place:]]
        one = Round(self._day, rep, order)
        places = sorted(
            (one.added_cost(visit, place), place) for place in range(min(locked, len(order)), len(order) + 1)
        )
        fitting = (place for _, place in places if one.feasible and one.fits(visit, place))
        place = next(fitting, places[0][1])
        return [*order[:place], visit, *order[place:]]

    def _locked(self, rep: int) -> int:
        return len(self._problem.reps[rep].first_stops)

    def keep_what_can_be_kept(self) -> None:
        """Take out of each round what it cannot keep any more: as little as possible, the least worth first.

        Locked stops that cannot be kept are noted in :attr:`unlocked`.
        """
        for rep, order in enumerate(self._orders):
            kept = self._keepable(rep, order, self._firm)
            for visit in order:
                if visit not in kept:
                    self._displace(visit)
            first = self._problem.reps[rep].first_stops
            self.unlocked |= {self._problem.visits[visit].id for visit in set(order) - set(kept)} & set(first)
            self._rounds.append(Round(self._day, rep, kept))
        if self._narrow_day is not None:
            self._narrow = [Round(self._narrow_day, one.rep, one.stops) for one in self._rounds]

    def _displace(self, visit: int) -> None:
        visit_id = self._problem.visits[visit].id
        self.displaced.append(visit_id)
        self._reasons.setdefault(visit_id, "late")

    def _keepable(self, rep: int, order: list[int], firm: set[int]) -> list[int]:
        """Return as much of an order as can be kept."""
        if not order or Round(self._day, rep, order).feasible:
            return list(order)
        if self._problem.reps[rep].max_visits == 0:
            return []
        single = [
            (self._worth(visit, rep, firm), index)
            for index, visit in enumerate(order)
            if Round(self._day, rep, [*order[:index], *order[index + 1 :]]).feasible
        ]
        if single:
            index = min(single)[1]
            return [*order[:index], *order[index + 1 :]]
        chosen: set[int] = set()
        for visit in sorted(
            order, key=lambda visit: (self._worth(visit, rep, firm), -order.index(visit)), reverse=True
        ):
            longer = [stop for stop in order if stop in chosen or stop == visit]
            if Round(self._day, rep, longer).feasible:
                chosen.add(visit)
        return [stop for stop in order if stop in chosen]

    def _worth(self, visit: int, rep: int, firm: set[int]) -> tuple[bool, bool, bool, float]:
        asked = self._problem.visits[visit]
        locked = asked.id in self._problem.reps[rep].first_stops or asked.id in self._rest.day.pinned
        return visit in firm, locked, asked.mandatory, self._day.prize[visit]

    def insert(self, visit_ids: Sequence[str]) -> None:
        """Insert visits: mandatory and A visits first, then by regret (what it costs to wait)."""
        waiting = {self._at[visit_id] for visit_id in visit_ids}
        offers: dict[tuple[int, int], Place | None] = {}
        while waiting:
            best: tuple[tuple[bool, bool, float, float], int, Place] | None = None
            for visit in sorted(waiting):
                places = sorted(self._offers(visit, offers), key=lambda place: (not place.calm, place.cost))
                if not places or not self._worth_it(visit, places[0]):
                    continue
                regret = places[1].cost - places[0].cost if len(places) > 1 else 1e9
                asked = self._problem.visits[visit]
                key = (asked.mandatory, asked.grade == "A", regret, -places[0].cost)
                if best is None or key > best[0]:
                    best = (key, visit, places[0])
            if best is None:
                break
            _, visit, place = best
            self._put(visit, place)
            waiting.remove(visit)
            for other in waiting:
                offers.pop((other, place.rep), None)
        self._waiting = sorted(waiting, key=lambda visit: (-self._mandatory(visit), -self._day.prize[visit], visit))

    def _mandatory(self, visit: int) -> int:
        return int(self._problem.visits[visit].mandatory)

    def _offers(self, visit: int, known: dict[tuple[int, int], Place | None]) -> Iterator[Place]:
        for rep in range(len(self._rounds)):
            if (visit, rep) not in known:
                known[visit, rep] = self._best(visit, rep)
            place = known[visit, rep]
            if place is not None:
                yield place

    def _best(self, visit: int, rep: int) -> Place | None:
        """Return the best place on a round: one that keeps its promises, or else the cheapest."""
        one = self._rounds[rep]
        if not one.has_room_for(visit):
            return None
        first = min(self._locked(rep), len(one.stops))
        options = sorted((self._added(one, visit, place), place) for place in range(first, len(one.stops) + 1))
        if self._narrow:
            calm = self._narrow[rep]
            if calm.feasible or not calm.stops:
                for cost, place in options:
                    if calm.fits(visit, place):
                        return Place(cost, rep, place, True)
        for cost, place in options:
            if one.fits(visit, place):
                return Place(cost, rep, place, not self._narrow)
        return None

    def _added(self, one: Round, visit: int, position: int) -> float:
        """Return the cost of the detour; a rep who is out goes home also without any further stop."""
        cost = one.added_cost(visit, position)
        day, home = self._day, self._day.end_place[one.rep]
        rep_id = self._problem.reps[one.rep].id
        if not one.stops and home >= 0 and self._rest.fixed[rep_id].stops:
            cost -= day.leg_cost[day.start_place[one.rep]][home]
        return cost

    def _worth_it(self, visit: int, place: Place) -> bool:
        if self._mandatory(visit) or visit in self._firm:
            return True
        cost, one = place.cost, self._rounds[place.rep]
        if self._problem.reps[place.rep].overtime_s:
            longer = Round(self._day, place.rep, [*one.stops[: place.position], visit, *one.stops[place.position :]])
            cost += self._problem.weights.overtime_s * (longer.overtime_s() - one.overtime_s())
        return cost <= self._day.prize[visit]

    def _put(self, visit: int, place: Place) -> None:
        self._rounds[place.rep].insert(visit, place.position)
        if self._narrow_day is not None:
            self._narrow[place.rep] = Round(self._narrow_day, place.rep, self._rounds[place.rep].stops)
        if self.method == "kept":
            self.method = "inserted"

    def make_room(self) -> None:
        """Give visits without a place the place of one that is worth less, which then looks for another."""
        for visit in self._waiting[:MOST_EJECTIONS]:
            found = self._exchange(visit)
            if found is None:
                continue
            one, out, place = found
            self._rounds[place.rep] = one
            self._put(visit, place)
            self._waiting.remove(visit)
            self.method = "made_room"
            out_id = self._problem.visits[out].id
            self._reasons[out_id] = "made_room"
            self._insert_again(out)

    def _insert_again(self, visit: int) -> None:
        waiting = self._waiting
        self.insert([self._problem.visits[visit].id])
        self._waiting = [*waiting, *self._waiting]

    def _exchange(self, visit: int) -> tuple[Round, int, Place] | None:
        """Return (round without a stop, that stop, place for ``visit``) of the exchange that gains most, or None."""
        mine = (self._mandatory(visit), self._day.prize[visit])
        options: list[tuple[float, int, int]] = []
        for one in self._rounds:
            if not self._could_take(one, visit):
                continue
            locked, prices = self._locked(one.rep), self._saved(one)
            for index in range(locked, len(one.stops)):
                stop = one.stops[index]
                movable = self._problem.visits[stop].id not in self._rest.day.pinned and stop not in self._firm
                if movable and not self._mandatory(stop) and (0, self._day.prize[stop]) < mine:
                    heapq.heappush(options, (self._day.prize[stop] - prices[index], one.rep, index))
        best: tuple[float, Round, int, Place] | None = None
        while options and (best is None or options[0][0] < best[0]):
            loss, rep, index = heapq.heappop(options)
            stops = self._rounds[rep].stops
            shorter = Round(self._day, rep, [*stops[:index], *stops[index + 1 :]])
            place = self._place_in(shorter, visit)
            gain = self._day.prize[visit] if not mine[0] else float("inf")
            if place is not None and loss + place.cost < gain and (best is None or loss + place.cost < best[0]):
                best = (loss + place.cost, shorter, stops[index], place)
        return None if best is None else best[1:]

    def _could_take(self, one: Round, visit: int) -> bool:
        alone = Round(self._day, one.rep, one.stops[: self._locked(one.rep)])
        return alone.has_room_for(visit) and alone.fits(visit, len(alone.stops))

    def _saved(self, one: Round) -> list[float]:
        """Return what each stop's detour costs."""
        cost, home = self._day.leg_cost, self._day.end_place[one.rep]
        places = [self._day.start_place[one.rep], *one.stops]
        saved = []
        for index, stop in enumerate(one.stops):
            before, after = places[index], one.stops[index + 1] if index + 1 < len(one.stops) else home
            saved.append(cost[before][stop] + (cost[stop][after] - cost[before][after] if after >= 0 else 0.0))
        return saved

    def _place_in(self, one: Round, visit: int) -> Place | None:
        if not one.has_room_for(visit) or not (one.feasible or not one.stops):
            return None
        first = min(self._locked(one.rep), len(one.stops))
        options = sorted((self._added(one, visit, place), place) for place in range(first, len(one.stops) + 1))
        found = next(((cost, place) for cost, place in options if one.fits(visit, place)), None)
        return None if found is None else Place(found[0], one.rep, found[1], False)

    def fill_gaps(self) -> None:
        """Put what the plan had left out into the rounds that a cancellation has made shorter, where nothing shifts."""
        reps = [rep for rep in range(len(self._rounds)) if self._has_a_cancellation(rep)]
        taken = {visit for one in self._rounds for visit in one.stops}
        taken |= {visit for order in self._orders for visit in order} | set(self._waiting)
        free = [visit for visit in range(len(self._problem.visits)) if visit not in taken]
        if not reps or not free:
            return
        free.sort(key=lambda visit: (-self._mandatory(visit), -self._day.prize[visit], visit))
        still = Day(near_times(self._problem, self._planned(), SHIFT_WORTH_TELLING_S), self._rest.table)
        for rep in reps:
            for visit in list(free):
                one = Round(still, rep, self._rounds[rep].stops)
                place = self._place_in(one, visit)
                if place is not None and self._worth_it(visit, place):
                    self._put(visit, place)
                    free.remove(visit)
                    self._reasons.setdefault(self._problem.visits[visit].id, "gap")

    def _planned(self) -> dict[str, int]:
        return {stop.visit_id: stop.start_s for route in self._rest.day.plan.routes for stop in route.stops}

    def _has_a_cancellation(self, rep: int) -> bool:
        route = self._rest.day.route(self._problem.reps[rep].id)
        known = {*self._at, *(visit_id for part in self._rest.fixed.values() for visit_id in part.visit_ids)}
        return route is not None and any(stop.visit_id not in known for stop in route.stops)

    def orders(self) -> dict[str, list[str]]:
        """Return the orders by rep id."""
        visits = self._problem.visits
        return {self._problem.reps[one.rep].id: [visits[stop].id for stop in one.stops] for one in self._rounds}

    def left_out(self) -> list[str]:
        """Return the visits that were planned or are new, or wished by hand, and have no place."""
        return [self._problem.visits[visit].id for visit in self._waiting]
