"""What commands share: one-line errors, JSON output, files and standard input, progress bars."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn, Protocol

import typer

from common.errors import FieldwiseError, InvalidInput, Text

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")]
FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="A file, or - for standard input.")]
FAILED = 1
WRONG_INPUT = 2


def speaks_chinese() -> bool:
    """Return whether the terminal's language is Chinese."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return value.lower().startswith("zh")
    return False


def say(text: Text) -> str:
    """Return a text in the terminal's language."""
    return text.zh if speaks_chinese() else text.en


def fail(error: FieldwiseError) -> NoReturn:
    """Print an error in one line, with the first places that caused it, and end the command."""
    line = say(error.text)
    places = [f"{field.pointer}: {say(field.text)}" for field in error.fields if say(field.text) != line]
    places = places or [field.pointer for field in error.fields]
    if places:
        more = f" (+{len(places) - 5})" if len(places) > 5 else ""
        line = f"{line} [{'; '.join(places[:5])}{more}]"
    typer.echo("fieldwise: " + " ".join(line.split()), err=True)
    raise SystemExit(WRONG_INPUT if isinstance(error, InvalidInput) else FAILED)


def read_file(name: str) -> tuple[bytes, str]:
    """Return the content and the name of a file, or of standard input for ``-``.

    Raises
    ------
    InvalidInput
        When it cannot be read.
    """
    if name == "-":
        return sys.stdin.buffer.read(), "-"
    try:
        return Path(name).read_bytes(), Path(name).name
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidInput(Text(f"cannot read {name}: {reason}", f"无法读取 {name}：{reason}")) from error


def write_file(name: str, content: bytes) -> None:
    """Write a file whole, or to standard output for ``-``.

    Raises
    ------
    InvalidInput
        When it cannot be written.
    """
    if name == "-":
        sys.stdout.buffer.write(content)
        return
    try:
        Path(name).write_bytes(content)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidInput(Text(f"cannot write {name}: {reason}", f"无法写入 {name}：{reason}")) from error


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str, allow_nan=False))


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table; wide cells wrap."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


class Bar(Protocol):
    """A progress bar."""

    def __call__(self, share: float, text: Text) -> None:
        """Show that ``share`` (0 to 1) is done, and what is done now."""
        ...


@contextmanager
def progress_bar(shown: bool = True) -> Iterator[Bar]:
    """Show a progress bar on standard error while the block runs, if that is a terminal."""
    if not shown or not sys.stderr.isatty():
        yield lambda share, text: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=1.0)
        yield lambda share, text: progress.update(task, completed=share, description=say(text))
