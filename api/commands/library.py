"""``library``: the files that the library comes from, and its weak spots; review has a file of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from api.commands.library_review import (
    approve_entries,
    list_credits,
    list_review,
    merge_entries,
    send_entry_back,
    submit_entries,
)
from api.commands.terminal import (
    FAILED,
    WRONG_INPUT,
    Bar,
    FileArgument,
    JsonFlag,
    fail,
    print_json,
    print_table,
    progress_bar,
    read_file,
    say,
    write_file,
)
from common.errors import FieldwiseError, InvalidInput, Text

if TYPE_CHECKING:
    from coach.entry import LibraryEntry
    from operations.library_import import ImportProgress

library_app = typer.Typer(no_args_is_help=True, help="The success-case library: import, check, export, review.")
NameOption = Annotated[str, typer.Option(help="File name for standard input; its ending tells the format.")]


@library_app.command("import")
def import_library(
    file: FileArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check and count.")] = False,
    name: NameOption = "in.jsonl",
    json: JsonFlag = False,
) -> None:
    """Import entries from an XLSX, CSV, JSON Lines or YAML file (UTF-8, UTF-16 or GBK) by key and language.

    All of the file is imported, or nothing when a row is wrong; then every wrong cell is named by row and column.

    Example: fieldwise library import cases.xlsx --dry-run

    Example: cat cases.jsonl | fieldwise library import -
    """
    from dataclasses import asdict

    from api.commands.installation import open_installation
    from operations.access import Actor
    from operations.library_import import ImportWatch, LibraryFile, import_file

    try:
        content, found = read_file(file)
        source = LibraryFile(content, name if found == "-" else found)
        services = open_installation()
        with progress_bar(not json) as bar:
            watch = ImportWatch(lambda progress: _show(bar, progress, dry_run))
            report = import_file(services.database, Actor.system("command-line"), source, dry_run=dry_run, watch=watch)
    except InvalidInput as error:
        _fail_with_all(error, json)
    except FieldwiseError as error:
        fail(error)
    if json:
        print_json(asdict(report))
        return
    head = say(Text("would be: ", "将会：")) if dry_run else ""
    counts = Text(
        f"{report.created} created, {report.updated} updated, {report.unchanged} unchanged",
        f"新增 {report.created}，更新 {report.updated}，未变 {report.unchanged}",
    )
    typer.echo(head + say(counts))


def _show(bar: Bar, progress: ImportProgress, dry_run: bool) -> None:
    if not progress.total:
        bar(0.0, Text(f"{progress.read} rows read", f"已读 {progress.read} 行"))
        return
    steps = progress.checked + (0 if dry_run else progress.stored)
    share = steps / (progress.total * (1 if dry_run else 2))
    bar(
        share,
        Text(
            f"{progress.checked} of {progress.total} rows checked, {progress.stored} stored",
            f"共 {progress.total} 行，已检查 {progress.checked}，已入库 {progress.stored}",
        ),
    )


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


@library_app.command("check")
def check_library_file(
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="A file, or - for standard input.")] = "",
    name: NameOption = "in.jsonl",
    least: Annotated[int, typer.Option(min=1, help="Published success entries that each type should have.")] = 3,
    json: JsonFlag = False,
) -> None:
    """Look for weak spots: missing parts, figures without n or period, offers without a last day, personal data.

    Also long lines, thin types, near-copies and texts from one template. Without a file the library in the database
    is checked. Ends with 1 when something was found.

    Example: fieldwise library check cases.xlsx
    """
    from datetime import date

    from coach.library_check import check_library

    try:
        entries = _read_entries(file, name) if file else _stored_entries()
        findings = check_library(entries, on=date.today(), least_successes=least)
    except FieldwiseError as error:
        fail(error)
    if json:
        rows = [
            {
                "code": item.code,
                "key": item.key,
                "language": item.language,
                "field": item.field,
                "en": item.text.en,
                "zh": item.text.zh,
            }
            for item in findings
        ]
        print_json({"entries": len(entries), "findings": rows})
    elif findings:
        print_table(
            say(Text(f"{len(findings)} findings", f"发现 {len(findings)} 处")),
            [say(Text("entry", "条目")), say(Text("field", "字段")), say(Text("what", "问题"))],
            [[f"{item.key} {item.language}".strip(), item.field, say(item.text)] for item in findings],
        )
    else:
        typer.echo(say(Text(f"{len(entries)} entries, nothing found", f"{len(entries)} 条，未发现问题")))
    if findings:
        raise SystemExit(FAILED)


@library_app.command("export")
def export_library(
    file: FileArgument,
    headings: Annotated[Literal["en", "zh"], typer.Option(help="Language of a table's column names.")] = "en",
) -> None:
    """Write all entries to a .xlsx, .jsonl or .csv file (UTF-8), or as JSON Lines to standard output.

    Example: fieldwise library export library.xlsx --headings zh
    """
    from coach.library_files import write_csv, write_jsonl, write_xlsx

    try:
        entries = _stored_entries()
        if file.endswith(".xlsx"):
            content = write_xlsx(entries, headings=headings)
        elif file.endswith(".csv"):
            content = write_csv(entries, headings=headings)
        elif file == "-" or file.endswith(".jsonl"):
            content = write_jsonl(entries)
        else:
            raise InvalidInput.at("FILE", "must end in .xlsx, .jsonl or .csv", "文件名应以 .xlsx、.jsonl 或 .csv 结尾")
        write_file(file, content)
    except FieldwiseError as error:
        fail(error)
    typer.echo(say(Text(f"{len(entries)} entries", f"{len(entries)} 条")), err=True)


def _read_entries(file: str, name: str) -> list[LibraryEntry]:
    from coach.library_files import read_library

    content, found = read_file(file)
    reading = read_library(content, name if found == "-" else found)
    reading.require_sound()
    return reading.entries


def _stored_entries() -> list[LibraryEntry]:
    from api.commands.installation import open_with_library
    from operations import library
    from operations.access import Actor

    with open_with_library().database.read() as session:
        return library.readable(session, Actor.system("command-line"))


library_app.command("review")(list_review)
library_app.command("submit")(submit_entries)
library_app.command("approve")(approve_entries)
library_app.command("return")(send_entry_back)
library_app.command("merge")(merge_entries)
library_app.command("credits")(list_credits)
