"""``forecast import-history`` and ``export-history``: what was consumed, from and to files."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, NoReturn

import typer

from api.commands.terminal import (
    WRONG_INPUT,
    FileArgument,
    JsonFlag,
    fail,
    print_json,
    read_file,
    say,
    write_file,
)
from common.errors import FieldwiseError, InvalidInput, Text

DayOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


def import_history(
    file: FileArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check and count.")] = False,
    duplicates: Annotated[
        Literal["refuse", "sum"], typer.Option(help="What several rows of one day, region and item are.")
    ] = "refuse",
    json: JsonFlag = False,
) -> None:
    """Import daily consumption from a CSV (UTF-8, UTF-16 or GBK) or XLSX file, possibly gzipped.

    Columns: date, region, item, quantity; optionally available (0: stock ran out). All of the file is imported, or
    nothing when a row is wrong; then every wrong cell is named by row and column. Days not over yet are left out.

    Example: fieldwise forecast import-history consumption.xlsx --dry-run
    """
    from dataclasses import asdict

    from api.commands.installation import open_installation
    from operations.access import Actor
    from operations.consumption_import import import_consumption

    try:
        content, name = read_file(file)
        actor = Actor.system("command-line")
        database = open_installation().database
        with database.read() if dry_run else database.write(actor.code) as session:
            report = import_consumption(session, actor, content, name, dry_run=dry_run, duplicates=duplicates)
    except InvalidInput as error:
        _fail_with_all(error, json)
    except FieldwiseError as error:
        fail(error)
    if json:
        print_json(asdict(report))
        return
    head = say(Text("would be: ", "将会：")) if dry_run else ""
    counts = Text(
        f"{report.added} days added, {report.changed} changed, {report.unchanged} unchanged",
        f"新增 {report.added} 天，更改 {report.changed} 天，未变 {report.unchanged} 天",
    )
    typer.echo(head + say(counts))
    for count, text in (
        (report.not_closed, Text("days are not over yet and were left out", "天尚未结束，未导入")),
        (report.without_quantity, Text("rows have no quantity: demand stays unknown", "行没有数量：需求仍未知")),
    ):
        if count:
            typer.echo(f"{count} {say(text)}")
    if report.ignored_columns:
        listed = ", ".join(report.ignored_columns)
        typer.echo(say(Text(f"columns not used: {listed}", f"未使用的列：{listed}")))


def export_history(
    file: FileArgument,
    region: Annotated[str | None, typer.Option(help="Only this region.")] = None,
    material: Annotated[str | None, typer.Option(help="Only this material.")] = None,
    since: DayOption = None,
    until: DayOption = None,
    plans: Annotated[
        bool, typer.Option("--plans", help="With planned visits and events, as the forecast reads them.")
    ] = False,
) -> None:
    """Write daily consumption to a .csv (UTF-8) or .xlsx file, or as CSV to standard output.

    Importing the file again changes nothing.

    Example: fieldwise forecast export-history consumption.csv --region jinjiang --since 2026-01-01
    """
    from api.commands.installation import open_installation
    from operations.access import Actor
    from operations.consumption_import import ConsumptionFilter, export_consumption

    try:
        if file != "-" and not file.endswith((".csv", ".xlsx")):
            raise InvalidInput.at("FILE", "must end in .csv or .xlsx", "文件名应以 .csv 或 .xlsx 结尾")
        wanted = ConsumptionFilter(region, material, since and since.date(), until and until.date(), plans)
        with open_installation().database.read() as session:
            layout: Literal["csv", "xlsx"] = "xlsx" if file.endswith(".xlsx") else "csv"
            content = export_consumption(session, Actor.system("command-line"), wanted, layout=layout)
        write_file(file, content)
    except FieldwiseError as error:
        fail(error)


def _fail_with_all(error: InvalidInput, json: bool) -> NoReturn:
    """End the command with every wrong place of a file, a line each."""
    if json:
        places = [{"place": each.pointer, "en": each.text.en, "zh": each.text.zh} for each in error.fields]
        print_json({"problem": say(error.text), "errors": places})
        raise SystemExit(WRONG_INPUT)
    if len(error.fields) > 1:
        for each in error.fields:
            typer.echo(f"{each.pointer}: {say(each.text)}", err=True)
        typer.echo(f"fieldwise: {say(error.text)} ({len(error.fields)})", err=True)
        raise SystemExit(WRONG_INPUT)
    fail(error)
