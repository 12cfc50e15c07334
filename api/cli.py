"""The command line: ``fieldwise …``."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Annotated

import typer

import api.commands.plan_evaluation  # noqa: F401 (adds "routes evaluate")
from api.commands.coach import hint
from api.commands.coach_engine import coach_app
from api.commands.database import db_app
from api.commands.forecast import forecast_app
from api.commands.forecast_models import add_to as add_forecast_model_commands
from api.commands.library import library_app
from api.commands.route_changes import add_to as add_change_commands
from api.commands.route_week import add_to as add_week_commands
from api.commands.routes import routes_app
from api.commands.service import doctor, serve, worker
from api.commands.staffing import staffing_app
from api.commands.stock import stock_app
from api.commands.stock_alerts import add_to as add_stock_alerts
from api.commands.stock_decisions import add_to as add_stock_decisions
from api.commands.up import up

# Nothing is ever fetched from a model hub behind the user's back; a hub model is used once it lies in the cache.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Fieldwise: talk tracks for reps, day plans for logistics leads, material forecasts for managers.",
)
app.command()(up)
app.command()(serve)
app.command()(worker)
app.command()(doctor)
app.command()(hint)
app.add_typer(library_app, name="library")
app.add_typer(coach_app, name="coach")
add_week_commands(routes_app)
add_change_commands(routes_app)
app.add_typer(routes_app, name="routes")
app.add_typer(staffing_app, name="staffing")
add_forecast_model_commands(forecast_app)
app.add_typer(forecast_app, name="forecast")
add_stock_decisions(stock_app)
add_stock_alerts(stock_app)
app.add_typer(stock_app, name="stock")
app.add_typer(db_app, name="db")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fieldwise {version('fieldwise')}")
        raise typer.Exit


@app.callback()
def fieldwise(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Talk tracks for reps, day plans for logistics leads, material forecasts for managers."""


def main() -> None:
    """Run the command that the arguments name."""
    app()


if __name__ == "__main__":
    main()
