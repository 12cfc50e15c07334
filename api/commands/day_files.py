"""Reads a day from a file on the command line: a JSON problem, or a table of visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from api.commands.terminal import say
from common.errors import FieldProblem, InvalidInput
from common.units import parse_clock_time

if TYPE_CHECKING:
    from routing.problem import Rep, Visit
    from routing.travel_times import TravelTimes
    from routing.usable_visits import UsableDay


@dataclass(frozen=True, slots=True)
class CsvReps:
    """The reps for a table, which names none: how many, when they work, their lunch, and how long a visit takes."""

    count: int
    shift: str
    lunch: str = "none"
    service_min: int = 20

    def spread_over(self, visits: Sequence[Visit]) -> tuple[Rep, ...]:
        """Return the reps with homes spread over the visits."""
        from routing.problem import Break, TimeWindow
        from routing.visit_files import spread_reps

        start_s, end_s = _span(self.shift, "--shift")
        breaks: tuple[Break, ...] = ()
        if self.lunch.lower() != "none":
            lunch_start_s, lunch_end_s = _span(self.lunch, "--lunch")
            breaks = (Break(lunch_start_s, lunch_start_s, lunch_end_s - lunch_start_s),)
        return spread_reps(visits, self.count, shift=TimeWindow(start_s, end_s), breaks=breaks)


def read_day(content: bytes, reps: CsvReps, *, strict: bool = False) -> tuple[UsableDay, TravelTimes | None]:
    """Return the day in a file, and the travel times that it brings along.

    Visits that cannot be used are taken out and named on standard error.

    Raises
    ------
    InvalidInput
        When the file cannot be read, no visit can be used, a rep is wrong, or, with ``strict``, when any visit is.
    """
    if content.lstrip()[:1] in (b"{", b"["):
        day, own = _json_day(content, strict=strict)
    else:
        day, own = _csv_day(content, reps, strict=strict), None
    for item in day.unusable:
        typer.echo(f"  ?  {item.id} {item.field}: {say(item.text)}", err=True)
    return day, own


def _json_day(content: bytes, *, strict: bool) -> tuple[UsableDay, TravelTimes | None]:
    from routing.problem_files import travel_from_mapping
    from routing.usable_visit_files import usable_day_from_json
    from routing.usable_visits import Conditions

    day, travel = usable_day_from_json(content, conditions=Conditions(strict=strict))
    return day, travel_from_mapping(travel) if travel is not None else None


def _csv_day(content: bytes, reps: CsvReps, *, strict: bool) -> UsableDay:
    """Return the usable day of a table; what is wrong is named by row and column."""
    from routing.problem import Visit
    from routing.usable_visits import Conditions, usable_day
    from routing.visit_files import middle_first, visit_table_from_csv

    table = visit_table_from_csv(content, service_s=reps.service_min * 60)
    readable = [visit for visit in table.visits if isinstance(visit, Visit)]
    # Homes are spread over the usable visits only, so that a wrong place sends nobody to live there.
    somebody = reps.spread_over(middle_first(readable)[:1]) if readable else ()
    try:
        day = usable_day(table.visits, somebody, conditions=Conditions(strict=strict))
    except InvalidInput as error:
        fields = [FieldProblem(table.place_of(one.pointer), one.text) for one in error.fields]
        raise InvalidInput(error.text, fields=fields) from error
    named = tuple(replace(item, field=table.place_of(item.field)) for item in day.unusable)
    problem = replace(day.problem, reps=reps.spread_over(day.problem.visits))
    return replace(day, problem=problem, unusable=named)


def _span(text: str, option: str) -> tuple[int, int]:
    start, dash, end = text.partition("-")
    if not dash:
        raise InvalidInput.at(option, "must be written like 09:00-18:00", "应写成 09:00-18:00 的形式")
    start_s, end_s = parse_clock_time(start, pointer=option), parse_clock_time(end, pointer=option)
    if end_s <= start_s:
        raise InvalidInput.at(option, "must end after it starts", "结束必须晚于开始")
    return start_s, end_s
