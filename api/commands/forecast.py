"""``forecast``: backtests of any demand file, and the forecast of this installation."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from api.commands.terminal import (
    FAILED,
    FileArgument,
    JsonFlag,
    fail,
    print_json,
    print_table,
    progress_bar,
    read_file,
    say,
)
from common.errors import FieldwiseError, Text

forecast_app = typer.Typer(no_args_is_help=True, help="Demand forecasts: backtest, train, run.")
MEASURES = ("mase", "rmsse", "wape", "bias", "coverage80")


@forecast_app.command("backtest")
def backtest_file(
    file: FileArgument,
    origins: Annotated[int, typer.Option(min=1, help="How many past days are forecast from.")] = 28,
    step: Annotated[int | None, typer.Option(min=1, help="Days between two of them; the horizon by default.")] = None,
    horizon: Annotated[int, typer.Option(min=1, max=28, help="Days ahead.")] = 3,
    country: Annotated[str, typer.Option(help="Whose public holidays: CN, US, US-IL …; none for no calendar.")] = "CN",
    json: JsonFlag = False,
) -> None:
    """Forecast past days of a demand file and compare with seasonal naive.

    Columns: date, region, item, quantity; optionally available; any further column is a known-future covariate.

    Example: fieldwise forecast backtest demand.csv.gz --origins 28 --json
    """
    from forecasting.backtest import backtest
    from forecasting.model import ForecastConfig
    from forecasting.panel import read_panel

    try:
        content, name = read_file(file)
        panel = read_panel(content, name)
        config = ForecastConfig(country=None if country.lower() == "none" else country, horizon=horizon)
        with progress_bar() as bar:
            found = backtest(panel, origins=origins, step=step, horizon=horizon, config=config, progress=bar)
    except FieldwiseError as error:
        fail(error)
    if json:
        print_json(found)
    elif found["origins"] == 0:
        typer.echo(say(Text(found["reason"]["en"], found["reason"]["zh"])))
    else:
        _print_backtest(found)
    if found["origins"] == 0:
        raise SystemExit(FAILED)


def _print_backtest(found: dict[str, Any]) -> None:
    rows = []
    for name in ("model", "seasonal_naive"):
        for label, part in (("all", found[name]), *found[name]["by_horizon"].items()):
            figures = [f"{part[measure]:.3f}" if part[measure] is not None else "–" for measure in MEASURES]
            pinball = " / ".join(f"{value:.4g}" for value in part["pinball"].values())
            rows.append([name, label, *figures, pinball])
    title = (
        f"{found['series']} series, {found['origins']} origins {found['first_origin']} … {found['last_origin']}, "
        f"trained in {found['train_seconds']:.1f} s"
    )
    print_table(title, ["", "h", *MEASURES, "pinball 0.1 / 0.5 / 0.9"], rows)


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
        print_json({"version": card.version, "measures": card.measures})
    else:
        typer.echo(card.version)
        if card.measures["origins"]:
            _print_backtest(card.measures)


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
