"""``routes export``: a stored plan as a file to take along."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from api.commands.terminal import fail, write_file
from common.errors import FieldwiseError


def export_plan(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id.")],
    form: Annotated[
        Literal["pdf", "ics", "geojson", "csv"],
        typer.Option("--format", help="Day sheets to print, a rep's calendar, a map layer, or a table."),
    ] = "pdf",
    rep: Annotated[str, typer.Option(help="Only this rep's round; a calendar needs it where there are several.")] = "",
    language: Annotated[
        Literal["", "zh", "en"], typer.Option(help="Language of day sheets and calendars; by default as set.")
    ] = "",
    output: Annotated[str, typer.Option("--output", "-o", help="Write to this file.")] = "-",
) -> None:
    """Write a stored plan as day sheets (PDF), a calendar (iCalendar), GeoJSON or CSV.

    Addresses are in clear, and each reading of one is logged.

    Example: fieldwise routes export 3f9a2c --format pdf --rep R1 --output monday.pdf
    """
    from api.commands.installation import open_installation
    from api.plan_formats import plan_file
    from operations.access import Actor

    try:
        services = open_installation()
        try:
            actor, said = Actor.system("command-line"), language or services.settings.language
            file = plan_file(services, actor, plan, form, rep_id=rep or None, language=said)
        finally:
            services.close()
        write_file(output, file.content)
    except FieldwiseError as error:
        fail(error)
