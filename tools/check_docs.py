"""Check the documents: links lead somewhere, commands exist, decisions have their parts, references are current."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from write_reference import references

ROOT = Path(__file__).resolve().parent.parent
DECISION_PARTS = ("**Context.**", "**Decision.**", "**Consequences.**")
COMMAND = re.compile(r"(?:^|[`\s;&|])fieldwise ((?:[a-z][a-z-]*\s?){1,2})")


def documents() -> list[Path]:
    """Return all Markdown files that git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [ROOT / name for name in listed if (ROOT / name).exists()]


def tokens(document: Path) -> Iterator[Token]:
    """Yield all tokens of a document, those inside paragraphs too."""
    for token in MarkdownIt().parse(document.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def broken_links(document: Path) -> Iterator[str]:
    """Yield the links and pictures of a document that lead to no file."""
    for token in tokens(document):
        target = str(token.attrGet("href") or token.attrGet("src") or "")
        if not target or re.match(r"[a-z]+:|#", target):
            continue
        if not (document.parent / target.partition("#")[0]).exists():
            yield f"{document.relative_to(ROOT)}: {target} does not exist"


def unknown_commands(document: Path, known: set[str]) -> Iterator[str]:
    """Yield the ``fieldwise …`` commands in code that the command line does not have."""
    for token in tokens(document):
        if token.type not in ("fence", "code_inline", "code_block"):
            continue
        for match in COMMAND.finditer(token.content):
            words = match.group(1).split()
            if words[0] not in known and " ".join(words[:2]) not in known:
                yield f"{document.relative_to(ROOT)}: there is no command fieldwise {' '.join(words)}"


def known_commands() -> set[str]:
    """Return the names of all commands, such as ``hint`` and ``library import``."""
    import typer

    from api.cli import app

    group = typer.main.get_command(app)
    known: set[str] = set()
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        subcommands = getattr(command, "commands", None)
        known |= {f"{name} {sub}" for sub in subcommands} if subcommands else {name}
    return known


def incomplete_decisions() -> Iterator[str]:
    """Yield the decision pages that lack a part, and numbers that stand twice."""
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    numbers = [page.name[:4] for page in pages]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        missing = [part for part in DECISION_PARTS if part.strip("*.") not in text]
        if missing:
            yield f"docs/decisions/{page.name} lacks {', '.join(missing)}"
        if numbers.count(page.name[:4]) > 1:
            yield f"docs/decisions/{page.name}: the number stands twice"


def outdated_references() -> Iterator[str]:
    """Yield the reference pages that differ from what the code says."""
    for name, content in references().items():
        path = ROOT / "docs/reference" / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            yield f"docs/reference/{name} is out of date: run make docs"


def main() -> None:
    """Print what is wrong; end with 1 when anything is."""
    known = known_commands()
    found = [*incomplete_decisions(), *outdated_references()]
    for document in documents():
        found += [*broken_links(document), *unknown_commands(document, known)]
    for line in found:
        print(line)
    if found:
        sys.exit(1)
    print("documents: nothing found")


if __name__ == "__main__":
    main()
