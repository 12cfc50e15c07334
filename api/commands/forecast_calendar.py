"""``forecast calendar``: the holidays and make-up days that forecasts are made with, and what is unknown of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.terminal import JsonFlag, fail, print_json, print_table, say
from common.errors import FieldwiseError, Text

if TYPE_CHECKING:
    from datetime import date

    from forecasting.calendar_check import CalendarCheck


def show_calendar(
    year: Annotated[int | None, typer.Option(help="Which year; the current one by default.")] = None,
    country: Annotated[
        str | None, typer.Option(help="Whose holidays: CN, US, US-IL …; by default the setting's.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Show a year's public holidays and make-up working days, and say what is not published yet.

    Example: fieldwise forecast calendar --year 2027 --country CN
    """
    from datetime import date

    from api.settings import load_settings
    from forecasting.calendar_check import check_calendar

    try:
        found = check_calendar(country or load_settings().holiday_country, year or date.today().year)
    except FieldwiseError as error:
        fail(error)
    if json:
        print_json(_as_json(found))
        return
    rows = [[say(run.name), _day(run.first_day), _day(run.last_day), str(run.days)] for run in found.holidays]
    columns = [Text("holiday", "节假日"), Text("from", "从"), Text("to", "到"), Text("days off", "天数")]
    print_table(f"{found.country} {found.year}", [say(column) for column in columns], rows)
    unknown = say(Text("unknown", "未知"))
    for label, days in (
        (Text("worked weekend days", "调休上班日"), found.weekend_workdays),
        (Text("days off in exchange", "调休放假日"), found.make_up_days),
    ):
        listed = ", ".join(_day(day) for day in days) or "–"
        typer.echo(f"{say(label)}: {listed if found.published else unknown}")
    typer.echo(say(found.note))


def _day(day: date) -> str:
    weekday = Text(
        ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[day.weekday()],
        ("周一", "周二", "周三", "周四", "周五", "周六", "周日")[day.weekday()],
    )
    return f"{day.isoformat()} {say(weekday)}"


def _as_json(found: CalendarCheck) -> dict[str, Any]:
    return {
        "country": found.country,
        "year": found.year,
        "published": found.published,
        "holidays": [
            {
                "en": run.name.en,
                "zh": run.name.zh,
                "first_day": run.first_day,
                "last_day": run.last_day,
                "days": run.days,
            }
            for run in found.holidays
        ],
        "make_up_days": found.make_up_days if found.published else None,
        "weekend_workdays": found.weekend_workdays if found.published else None,
        "note": {"en": found.note.en, "zh": found.note.zh},
    }
