"""Write docs/reference from the code: command line, settings, roles, and the OpenAPI description."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "docs/reference"


def references() -> dict[str, str]:
    """Return the content of each reference page by its file name."""
    return {
        "command-line.md": command_line(),
        "settings.md": settings(),
        "roles.md": roles(),
        "openapi.json": openapi(),
    }


def command_line() -> str:
    """Return the page about all commands, from their help."""
    import typer

    from api.cli import app

    group = typer.main.get_command(app)
    lines = ["# Command line", "", "Made from `fieldwise --help` by `make docs`.", ""]
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        subcommands = getattr(command, "commands", None) or {"": command}
        for sub, each in subcommands.items():
            lines += [f"## fieldwise {name} {sub}".rstrip(), "", (each.help or "").strip(), ""]
            for parameter in each.params:
                if parameter.name == "help":
                    continue
                opts = ", ".join(f"`{opt}`" for opt in parameter.opts) if parameter.opts else f"`{parameter.name}`"
                described = getattr(parameter, "help", None) or "As its name says."
                lines.append(f"- {opts}: {described}")
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def settings() -> str:
    """Return the page about all settings."""
    from api.settings import Settings

    lines = ["# Settings", "", "Environment variables, read once at the start. Made by `make docs`.", ""]
    lines += ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = f"`{field.default}`" if field.default != "" else "empty"
        lines.append(f"| `FIELDWISE_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def roles() -> str:
    """Return the page about roles and scopes."""
    from operations.access import ROLE_SCOPES, SCOPES

    lines = ["# Roles and scopes", "", "Made from `operations/access.py` by `make docs`.", ""]
    lines += ["| scope | meaning | " + " | ".join(ROLE_SCOPES) + " |", "|---|---|" + "---|" * len(ROLE_SCOPES)]
    for scope, meaning in SCOPES.items():
        cells = " | ".join("✓" if scope in scopes else "" for scopes in ROLE_SCOPES.values())
        lines.append(f"| `{scope}` | {meaning} | {cells} |")
    return "\n".join(lines) + "\n"


def openapi() -> str:
    """Return the OpenAPI description."""
    from api.app import create_app
    from api.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("FIELDWISE_DATABASE_URL", None)
        app = create_app(Settings(data_folder=Path(folder)), console=False)
        return json.dumps(app.openapi(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file_name, content in references().items():
        (FOLDER / file_name).write_text(content, encoding="utf-8")
