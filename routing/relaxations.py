"""The smallest change that would bring a visit into the plan, each found by trying it.

For a visit that was left out, the rounds nearest to it are changed in one respect at a time (a longer day, a wider
window, one visit more, one stop fewer …) by the least that is enough, and the changed round is built and timed. What
is offered therefore holds, and its way costs no more than the visit is worth; what it does to fairness is not counted.
Visits that only go together are tried together: two in all places, a longer chain as one block, so that its amount may
be a little more than the least.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from common.errors import Text
from routing.plan import DayPlan, Relaxation, Unassigned
from routing.problem import DayProblem
from routing.relaxation_kinds import KINDS, NOT_IN_QUESTION, Asked, burden_min
from routing.travel_times import TravelTimes
from routing.trial import Trial, Whole

NEAREST_REPS = 3
"""With how many reps changes are tried for a visit."""
MOST_VALUABLE = 50
"""For how many visits changes are tried, mandatory and dear ones first."""
SHOWN = 3
"""How many changes are offered for a visit."""
LARGEST_GROUP = 4
"""A chain of more visits that only go together is not tried."""


def with_relaxations(
    problem: DayProblem,
    travel: TravelTimes,
    plan: DayPlan,
    *,
    within_s: float = 2.0,
    first: Collection[str] = (),
    without: Collection[str] = (),
) -> DayPlan:
    """Return ``plan`` with relaxations for the visits that it leaves out.

    Parameters
    ----------
    plan : DayPlan
        A plan of ``problem`` with reasons (:mod:`routing.explain`).
    within_s : float
        After so many seconds the rest is marked ``not_tried``.
    first : collection of str
        Visits that are tried before all others, whatever they are worth.
    without : collection of str
        Codes of changes that are out of the question, such as ``start_earlier`` for a day under way.
    """
    if not plan.unassigned:
        return plan
    end_s = time.monotonic() + within_s
    visit_at = {visit.id: index for index, visit in enumerate(problem.visits)}
    sequences = plan.sequences()
    orders = [[visit_at[visit] for visit in sequences.get(rep.id, ())] for rep in problem.reps]
    search = _Search(Whole(problem, travel.table(problem.locations()), orders), without)
    found: dict[str, tuple[Relaxation, ...]] = {}
    order = sorted(plan.unassigned, key=lambda left: (left.visit_id not in first, search.rank(visit_at[left.visit_id])))
    for left in order[:MOST_VALUABLE]:
        if time.monotonic() > end_s:
            break
        codes = {rep: reason.code for reason in left.reasons for rep in reason.rep_ids}
        found[left.visit_id] = search.of(visit_at[left.visit_id], codes, end_s=end_s)
    left_out = tuple(_with(left, found.get(left.visit_id, (_NOT_TRIED,))) for left in plan.unassigned)
    return replace(plan, unassigned=left_out)


def _with(left: Unassigned, relaxations: tuple[Relaxation, ...]) -> Unassigned:
    return replace(left, relaxations=relaxations)


_NOT_TRIED = Relaxation(
    "not_tried",
    None,
    None,
    0.0,
    Text(
        f"changes were not tried: the time was used up, or {MOST_VALUABLE} visits worth more came first",
        f"未尝试调整：时间已用完，或已先尝试价值更高的 {MOST_VALUABLE} 项",
    ),
)


class _Search:
    """Tries changes on the rounds of one plan."""

    def __init__(self, whole: Whole, without: Collection[str] = ()) -> None:
        self._whole = whole
        self._kinds = [kind for kind in KINDS if kind.__name__ not in without]
        self._visits = whole.problem.visits
        self._home = {visit: rep for rep, order in enumerate(whole.orders) for visit in order}
        self._at = {visit.id: index for index, visit in enumerate(self._visits)}
        self._lock = {
            self._at[visit_id]: rep for rep, person in enumerate(whole.problem.reps) for visit_id in person.first_stops
        }

    def rank(self, visit: int) -> tuple[bool, float, int]:
        """Return what visits left out are sorted by: those who wait most urgently first."""
        asked = self._visits[visit]
        return not asked.mandatory, -self._whole.problem.weights.prize(asked), visit

    def of(self, visit: int, codes: Mapping[str, str], *, end_s: float) -> tuple[Relaxation, ...]:
        """Return the best changes for ``visit``, the one that asks for least first.

        Parameters
        ----------
        codes : mapping of rep id to the code of the reason that holds for the rep
        """
        joining = self._joining(visit)
        best: dict[str, Relaxation] = {}
        names: list[str] = []
        for rep in self._reps(visit, joining, codes):
            if time.monotonic() > end_s:
                return tuple(_smallest(best.values())) or (_NOT_TRIED,)
            trial = Trial(self._whole, rep, joining, visit)
            if trial.holds:
                names.append(trial.rep.name or trial.rep.id)
                for found in self._changes(trial, best, end_s):
                    best[found.code] = min((found, best.get(found.code, found)), key=burden_min)
        return tuple(_smallest(best.values())) or (_none_found(names),)

    def _joining(self, visit: int) -> list[int]:
        """Return ``visit`` with what has to come along: left-out predecessors before it, then what they collect for."""
        chain = [visit]
        while before := [known for known in self._left_out_before(chain[0]) if known not in chain]:
            chain.insert(0, before[-1])
        done = 0
        while done < len(chain):  # what is collected may be collected for somebody who collects again
            receivers = self._whole.receivers.get(self._visits[chain[done]].id, ())
            chain += [self._at[name] for name in receivers if self._at[name] not in chain]
            done += 1
        return chain

    def _left_out_before(self, visit: int) -> list[int]:
        """Return what must come earlier on the same round and has no place: locked stops, the predecessor."""
        before = []
        if visit in self._lock:
            locked = self._whole.problem.reps[self._lock[visit]].first_stops
            before = [self._at[name] for name in locked[: locked.index(self._visits[visit].id)]]
        if self._visits[visit].after:
            before.append(self._at[self._visits[visit].after])
        return [known for known in before if known not in self._home]

    def _reps(self, visit: int, joining: Sequence[int], codes: Mapping[str, str]) -> list[int]:
        """Return the reps to try: the nearest who lack only room or time, and the nearest who lack a permission."""
        if len(joining) > LARGEST_GROUP:
            return []
        visits, people = self._visits, self._whole.problem.reps
        bound = {self._home[self._at[visits[known].after]] for known in joining if self._is_bound(known)}
        bound |= {self._lock[known] for known in joining if known in self._lock}
        orders = self._whole.orders  # a round that has a visit twice cannot be kept anyway
        reps = [
            rep for rep, order in enumerate(orders) if (not bound or {rep} == bound) and len({*order}) == len(order)
        ]
        near = sorted(reps, key=lambda rep: (self._way_s(rep, visit), rep))
        able = [rep for rep in near if codes.get(people[rep].id) not in NOT_IN_QUESTION]
        others = [rep for rep in near if codes.get(people[rep].id) in NOT_IN_QUESTION]
        return [*able[:NEAREST_REPS], *others[:1]]

    def _is_bound(self, visit: int) -> bool:
        before = self._visits[visit].after
        return bool(before) and self._at[before] in self._home

    def _way_s(self, rep: int, visit: int) -> int:
        return int(self._whole.table.duration_s[visit, [self._whole.starts[rep], *self._whole.orders[rep]]].min())

    def _changes(self, trial: Trial, best: Mapping[str, Relaxation], end_s: float) -> Iterator[Relaxation]:
        """Yield what would help one rep; a visit that already fits needs no change."""
        asked = Asked(trial, best)
        for kind in self._kinds:
            if time.monotonic() > end_s:
                return
            found = kind(asked)
            if found is not None:
                yield found
                if found.code in ("add_to_round", "worth_more"):
                    return


def _smallest(found: Iterable[Relaxation]) -> list[Relaxation]:
    return sorted(found, key=burden_min)[:SHOWN]


def _none_found(names: Sequence[str]) -> Relaxation:
    """Return what is said when nothing helps, after trying with the reps of these names."""
    text = Text(
        f"no single change was enough; tried with {', '.join(names)}",
        f"单项调整均不足以安排；已尝试：{'、'.join(names)}",
    )
    if not names:
        text = Text(
            "no change was tried: there is no round near that can be kept as it is",
            "未尝试调整：附近没有现状可行的路线",
        )
    return Relaxation("none_found", None, None, 0.0, text)
