"""``forecast``: backtests of any demand file, and the forecast of this installation."""

from __future__ import annotations

from typing import Annotated

import typer

from api.commands.forecast_backtest import backtest_file, print_backtest
from api.commands.forecast_calendar import show_calendar
from api.commands.forecast_explain import explain_forecast
from api.commands.forecast_history import export_history, import_history
from api.commands.forecast_plot import plot_forecast
from api.commands.stock_simulation import register as register_stock_simulation
from api.commands.terminal import (
    FAILED,
    JsonFlag,
    fail,
    print_json,
    print_table,
    progress_bar,
    say,
)
from common.errors import FieldwiseError

forecast_app = typer.Typer(no_args_is_help=True, help="Demand forecasts: backtest, train, run.")
forecast_app.command("backtest")(backtest_file)


@forecast_app.command("train")
def train(json: JsonFlag = False) -> None:
    """Train a new model on this installation's history, forecast with it, and show its backtest.

    Example: fieldwise forecast train
    """
    from api.commands.installation import open_installation
    from forecasting.model import TooLittleHistory
    from operations import demand

    try:
        services = open_installation()
        settings = services.settings
        with progress_bar() as bar:
            card = demand.train_model(
                services.database,
                settings.model_folder,
                "command-line",
                country=settings.holiday_country,
                plan=demand.TrainingPlan(
                    kept_models=settings.forecast_models_kept, scheduler=settings.forecast_scheduler or None
                ),
                progress=bar,
            )
        if not isinstance(card, TooLittleHistory):
            demand.make_forecast(services.database, settings.model_folder, "command-line")
    except FieldwiseError as error:
        fail(error)
    if isinstance(card, TooLittleHistory):
        typer.echo(say(card.reason), err=True)
        raise SystemExit(FAILED)
    if json:
        print_json({"version": card.version, "status": card.status, "measures": card.measures})
    else:
        typer.echo(f"{card.version}: {card.status}" + (f": {say(card.reason)}" if card.reason else ""))
        if card.measures["origins"]:
            print_backtest(card.measures)


@forecast_app.command("run")
def run(
    region: Annotated[str | None, typer.Option(help="Only this region.")] = None,
    material: Annotated[str | None, typer.Option(help="Only this material.")] = None,
    json: JsonFlag = False,
) -> None:
    """Forecast the coming days with the model in use, store it, and show it.

    Example: fieldwise forecast run --region jinjiang
    """
    from api.commands.installation import open_installation
    from api.schemas.forecasts import ForecastsAnswer
    from operations import demand
    from operations.access import Actor

    try:
        services = open_installation()
        demand.make_forecast(services.database, services.settings.model_folder, "command-line")
        with services.database.read() as session:
            actor = Actor.system("command-line")
            found = demand.newest_forecast(session, actor, region_code=region, material_code=material)
    except FieldwiseError as error:
        fail(error)
    if json:
        typer.echo(ForecastsAnswer.of(found).model_dump_json(indent=2))
        return
    rows = [
        [item.region_code, item.material_code, item.day.isoformat(), *(f"{v:.1f}" for v in item.quantiles.values())]
        for item in found.days
    ]
    print_table(f"{found.origin} · {found.model_version}", ["region", "material", "day", "0.1", "0.5", "0.9"], rows)


forecast_app.command("calendar")(show_calendar)
forecast_app.command("import-history")(import_history)
forecast_app.command("export-history")(export_history)
forecast_app.command("explain")(explain_forecast)
forecast_app.command("plot")(plot_forecast)
register_stock_simulation(forecast_app)
