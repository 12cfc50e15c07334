"""Which visits a rep could serve with nothing else to do, for all visits at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routing.day import NEVER, Day, Round, drive, latest_departure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class AloneTable:
    """Answers, for every rep and visit, whether the visit fits into an otherwise empty round.

    It gives the same answers as :meth:`routing.day.Round.fits` on empty rounds, many times faster: when an
    empty round's breaks may begin depends on the rep only, so that the rest is arithmetic on arrays of all visits.

    Attributes
    ----------
    able : bool array of shape (reps, visits)
        Skills, locks, load and limits allow it, and it can be kept in time; that another visit must come first is
        left aside.
    in_time_at_any_hour : bool array of shape (reps, visits)
        The way there and back and the service fit into the shift when windows, skills and load are left aside.
    """

    able: NDArray[np.bool_]
    in_time_at_any_hour: NDArray[np.bool_]

    def __init__(self, day: Day) -> None:
        import numpy as np

        self._day = day
        self._service = np.array(day.service_s)
        widest = max(len(spans) for spans in day.spans)
        # Spans that a visit does not have end before any arrival.
        self._spans = np.full((len(day.spans), widest, 2), -NEVER)
        for visit, spans in enumerate(day.spans):
            self._spans[visit, : len(spans)] = spans
        rounds = [Round(day, rep) for rep in range(len(day.problem.reps))]
        self.able = np.array([self._in_time(one, windows=True) for one in rounds])
        self.in_time_at_any_hour = np.array([self._in_time(one, windows=False) for one in rounds])
        for one in rounds:
            allowed = [one.has_room_for(visit) for visit in range(len(day.spans))]
            self.able[one.rep] &= np.array(allowed) & self._within_limits(one.rep)

    def _within_limits(self, rep: int) -> Any:
        """Return whether the way there and back is short enough, by visit."""
        import numpy as np

        day, visits = self._day, len(self._service)
        person, start, home = day.problem.reps[rep], day.start_place[rep], day.end_place[rep]
        fits = np.ones(visits, dtype=bool)
        tables = ((person.max_travel_s, day.table.duration_s), (person.max_distance_m, day.table.distance_m))
        for limit, table in tables:
            if limit is not None:
                back = table[:visits, home] if home >= 0 else 0
                fits &= table[start, :visits].astype(np.int64) + back <= limit
        return fits

    def _in_time(self, one: Round, *, windows: bool) -> Any:
        import numpy as np

        visits = len(self._service)
        table, home = self._day.table.duration_s, self._day.end_place[one.rep]
        there = table[self._day.start_place[one.rep], :visits].astype(np.int64)
        back = table[:visits, home].astype(np.int64) if home >= 0 else np.zeros(visits, dtype=np.int64)
        breaks = self._day.problem.reps[one.rep].breaks
        fits = np.zeros(visits, dtype=bool)
        ready = [np.full(visits, NEVER) for _ in range(len(breaks) + 1)]
        for before, moment in enumerate(one.earliest[0]):
            for taken in range(before, len(breaks) + 1):
                pauses = breaks[before:taken]
                paused_until = drive(moment, 0, pauses) if moment < NEVER else NEVER
                if paused_until < NEVER:
                    # With no travel, drive gives the end of the last break; travel fills the waits before it.
                    time_off = sum(pause.duration_s for pause in pauses)
                    arrival = np.maximum(paused_until, moment + there + time_off)
                    done = self._start(arrival, windows=windows) + self._service
                    ready[taken] = np.minimum(ready[taken], done)
        for had, done in enumerate(ready):
            for end, taken in one.latest_ends(had):
                pauses = breaks[had:taken]
                resume = latest_departure(end, 0, pauses)
                time_off = sum(pause.duration_s for pause in pauses)
                fits |= done <= np.minimum(resume, end - back - time_off)
        return fits

    def _start(self, arrival: Any, *, windows: bool) -> Any:
        import numpy as np

        if not windows:
            return arrival
        starts, ends = self._spans[:, :, 0], self._spans[:, :, 1]
        waiting = np.where(arrival[:, None] <= ends, np.maximum(starts, arrival[:, None]), NEVER)
        return waiting.min(axis=1)
