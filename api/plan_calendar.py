"""Day sheets as a calendar (iCalendar, RFC 5545)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from common.errors import Text
from operations.day_sheets import DaySheet, SheetBreak, SheetStop

if TYPE_CHECKING:
    from icalendar import Event

CALENDAR = Text("Visits of {rep}", "{rep} 的拜访日程")
BREAK = Text("Break", "休息")
PACKS = Text("Gift packs: {count}", "礼品包：{count} 份")
GRADE = Text("Grade {grade}", "{grade} 级客户")
WAY = Text("Way there: {minutes} min, {km} km", "路程：{minutes} 分钟，{km} 公里")
_NAMES = uuid.UUID("6f1c1c52-6a9e-4d0e-9a53-0e3b7a0c8f11")
"""Under which ids of events are made."""


def calendar_of(sheets: Sequence[DaySheet], language: str) -> bytes:
    """Return one calendar with an event for every stop and every break.

    An event's UID depends on the day, the rep and the visit alone, and its SEQUENCE grows with every newer plan: a
    calendar that imports a newer file moves the events that it has instead of doubling them.
    """
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//Fieldwise//Day plan//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    names = ", ".join(dict.fromkeys(sheet.rep_name for sheet in sheets))
    calendar.add("x-wr-calname", CALENDAR.in_language(language).format(rep=names))
    for sheet in sheets:
        for stop in sheet.stops:
            calendar.add_component(_visit(sheet, stop, language))
        for number, pause in enumerate(sheet.breaks):
            calendar.add_component(_break(sheet, number, pause, language))
    calendar.add_missing_timezones()
    content: bytes = calendar.to_ical()
    return content


def _visit(sheet: DaySheet, stop: SheetStop, language: str) -> Event:
    event = _event(sheet, f"visit:{stop.visit_id}", stop.start, stop.end)
    event.add("summary", f"{stop.position}. {stop.name}")
    place = f"{stop.location.latitude:.5f}, {stop.location.longitude:.5f}"
    event.add("location", stop.address or place)
    event.add("geo", (stop.location.latitude, stop.location.longitude))
    km = f"{stop.distance_m / 1000:.1f}"
    told = [WAY.in_language(language).format(minutes=round(stop.travel_s / 60), km=km)]
    if stop.grade:
        told.append(GRADE.in_language(language).format(grade=stop.grade))
    if stop.packs:
        told.append(PACKS.in_language(language).format(count=stop.packs))
    event.add("description", "\n".join([*told, *stop.lines]))
    return event


def _break(sheet: DaySheet, number: int, pause: SheetBreak, language: str) -> Event:
    event = _event(sheet, f"break:{number}", pause.start, pause.end)
    event.add("summary", BREAK.in_language(language))
    return event


def _event(sheet: DaySheet, what: str, start: datetime, end: datetime) -> Event:
    from icalendar import Event

    event = Event()
    name = uuid.uuid5(_NAMES, f"{sheet.plan_date.isoformat()}|{sheet.rep_id}|{what}")
    event.add("uid", f"{name}@fieldwise")
    event.add("sequence", sheet.revision)
    event.add("dtstamp", sheet.made_at.astimezone(UTC))
    event.add("dtstart", start)
    event.add("dtend", end)
    event.add("status", "CONFIRMED")
    return event
