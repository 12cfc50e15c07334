"""``forecast explain``: what moved the forecast against last week."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.terminal import JsonFlag, fail, print_table, say, speaks_chinese
from common.errors import FieldwiseError, Text

if TYPE_CHECKING:
    from api.schemas.forecast_explanations import DayExplanationAnswer

_HEADS = (
    Text("cause", "原因"),
    Text("units", "数量"),
    Text("a week earlier", "一周前"),
    Text("now", "现在"),
)


def explain_forecast(
    region: Annotated[str, typer.Option(help="Code of the region.")],
    material: Annotated[str, typer.Option(help="Code of the material.")],
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only this day.")] = None,
    json: JsonFlag = False,
) -> None:
    """Say what moved each day's forecast against that of the same weekday a week earlier, cause by cause.

    Example: fieldwise forecast explain --region jinjiang --material gift-standard --day 2026-11-28
    """
    from api.commands.installation import open_installation
    from api.schemas.forecast_explanations import ForecastExplanationsAnswer
    from operations import forecast_explanations
    from operations.access import Actor

    asked: date | None = day.date() if day else None
    try:
        services = open_installation()
        with services.database.read() as session:
            actor = Actor.system("command-line")
            folder = services.settings.model_folder
            found = forecast_explanations.explain(session, folder, actor, region, material, day=asked)
    except FieldwiseError as error:
        fail(error)
    answer = ForecastExplanationsAnswer.of(found, "zh" if speaks_chinese() else "en")
    if json:
        typer.echo(answer.model_dump_json(indent=2))
        return
    for one in answer.days:
        _print(one)


def _print(one: DayExplanationAnswer) -> None:
    typer.echo(f"{one.day}  {one.sentence}")
    if one.override:
        typer.echo(
            say(
                Text(
                    f"(overridden by {one.override.made_by}: {one.override.reason})",
                    f"（{one.override.made_by} 已人工调整：{one.override.reason}）",
                )
            )
        )
    if not one.contributions:
        return
    rows = [[part.label, f"{part.units:+.2f}", _shown(part.before), _shown(part.after)] for part in one.contributions]
    print_table("", [say(head) for head in _HEADS], rows)


def _shown(value: float | str | None) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:,.2f}".removesuffix(".00")
