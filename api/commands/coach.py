"""``hint`` and ``library``: asking the coach, and the files that its library comes from."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.commands.terminal import (
    FAILED,
    FileArgument,
    JsonFlag,
    fail,
    print_json,
    print_table,
    read_file,
    say,
    speaks_chinese,
    write_file,
)
from common.errors import FieldwiseError, InvalidInput, Text

if TYPE_CHECKING:
    from api.schemas.hints import HintGivenAnswer
    from coach.entry import LibraryEntry

library_app = typer.Typer(no_args_is_help=True, help="The success-case library: import, check, export.")


def hint(
    text: Annotated[str, typer.Argument(help="What the customer said; - reads standard input.")],
    language: Annotated[Literal["zh", "en"] | None, typer.Option(help="Language of the lines.")] = None,
    region: Annotated[str | None, typer.Option(help="Region whose entries may be used.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10, help="Most suggestions.")] = 3,
    json: JsonFlag = False,
) -> None:
    """Ask what to say to a customer: up to three lines that worked, or an honest no match.

    Example: fieldwise hint "隔壁家同款便宜两百块"

    Example: fieldwise hint "your competitor is 20% cheaper" --json
    """
    from api.commands.installation import open_with_library
    from api.schemas.hints import HintGivenAnswer
    from coach.hint import HintQuestion
    from operations import hints
    from operations.access import Actor

    try:
        if text == "-":
            text = read_file("-")[0].decode("utf-8", errors="replace").strip()
        services = open_with_library()
        question = HintQuestion(text=text, on=services.today(), language=language, region=region, k=limit)
        actor = Actor.system("command-line")
        given = hints.ask(services.database, services.hint_desk, actor, question)
    except FieldwiseError as error:
        fail(error)
    answer = HintGivenAnswer.of(given, "zh" if speaks_chinese() or given.answer.language == "zh" else "en")
    if json:
        typer.echo(answer.model_dump_json(indent=2))
    else:
        _print_hint(answer)


def _print_hint(answer: HintGivenAnswer) -> None:
    zh = answer.language == "zh"
    if not answer.matched:
        typer.echo(("没有匹配：" if zh else "No match: ") + (answer.reason or ""))
        if answer.open_question:
            typer.echo(("可以问客户：" if zh else "You may ask: ") + answer.open_question)
        return
    for item in answer.suggestions:
        typer.echo(f"\n{item.rank}. {item.talk_track}")
        heard = f" ← {item.why.matched_utterance}" if item.why.matched_utterance else ""
        typer.echo(f"   [{item.entry_key}] {item.title} · {item.why.objection}{heard}")
        if item.effect:
            effect = item.effect
            typer.echo(
                f"   {effect.metric} {effect.before:g} → {effect.after:g}, n = {effect.n}, "
                f"{effect.period_start} – {effect.period_end}"
            )
        for warning in item.warnings[:1]:
            typer.echo(("   别说：" if zh else "   Do not say: ") + " / ".join(warning.bad_lines))
    for note in answer.notes:
        typer.echo(f"\n{note}")


@library_app.command("import")
def import_library(
    file: FileArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check and count.")] = False,
    name: Annotated[str, typer.Option(help="File name for standard input; its ending tells the format.")] = "in.jsonl",
    json: JsonFlag = False,
) -> None:
    """Import entries from a YAML, JSON Lines or CSV file (UTF-8 or GBK) by key and language.

    Example: fieldwise library import cases.csv --dry-run

    Example: cat cases.jsonl | fieldwise library import -
    """
    from dataclasses import asdict

    from api.commands.installation import open_installation
    from operations import library
    from operations.access import Actor

    try:
        entries = _read_entries(file, name)
        services = open_installation()
        with services.database.write("command-line") as session:
            report = library.import_entries(session, Actor.system("command-line"), entries, dry_run=dry_run)
    except FieldwiseError as error:
        fail(error)
    if json:
        print_json(asdict(report))
    else:
        head = say(Text("would be: ", "将会：")) if dry_run else ""
        typer.echo(
            head
            + say(
                Text(
                    f"{report.created} created, {report.updated} updated, {report.unchanged} unchanged",
                    f"新增 {report.created}，更新 {report.updated}，未变 {report.unchanged}",
                )
            )
        )


@library_app.command("check")
def check_library_file(
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="A file, or - for standard input.")] = "",
    name: Annotated[str, typer.Option(help="File name for standard input; its ending tells the format.")] = "in.jsonl",
    json: JsonFlag = False,
) -> None:
    """Look for weak spots: missing parts, figures without n or period, long lines, personal data, thin types.

    Without a file the library in the database is checked. Ends with 1 when something was found.

    Example: fieldwise library check cases.csv
    """
    from coach.library_check import check_library

    try:
        entries = _read_entries(file, name) if file else _stored_entries()
        findings = check_library(entries, on=date.today())
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
def export_library(file: FileArgument) -> None:
    """Write all entries to a .jsonl or .csv file (UTF-8), or as JSON Lines to standard output.

    Example: fieldwise library export library.csv
    """
    from coach.library_files import write_csv, write_jsonl

    try:
        entries = _stored_entries()
        if file.endswith(".csv"):
            content = write_csv(entries)
        elif file == "-" or file.endswith(".jsonl"):
            content = write_jsonl(entries)
        else:
            raise InvalidInput.at("FILE", "must end in .jsonl or .csv", "文件名应以 .jsonl 或 .csv 结尾")
        write_file(file, content)
    except FieldwiseError as error:
        fail(error)
    typer.echo(say(Text(f"{len(entries)} entries", f"{len(entries)} 条")), err=True)


def _read_entries(file: str, name: str) -> list[LibraryEntry]:
    from coach.library_files import read_library

    content, found = read_file(file)
    reading = read_library(content, name if found == "-" else found)
    if reading.problems:
        raise InvalidInput(Text("the file has wrong rows", "文件中有错误的行"), fields=reading.problems)
    return list(reading.entries)


def _stored_entries() -> list[LibraryEntry]:
    from api.commands.installation import open_with_library
    from operations import library
    from operations.access import Actor

    services = open_with_library()
    with services.database.read() as session:
        return list(library.readable(session, Actor.system("command-line")))
