"""``forecast plot``: the picture of a forecast for reports."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.terminal import fail, read_file, speaks_chinese, write_file
from common.errors import FieldwiseError, InvalidInput

if TYPE_CHECKING:
    from operations.forecast_figures import ForecastFigures


class Language(StrEnum):
    """Languages of pictures."""

    ZH = "zh"
    EN = "en"


def plot_forecast(
    region: Annotated[str, typer.Option(help="Code of the region.")],
    material: Annotated[str, typer.Option(help="Code of the material.")],
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Ends in .png or .svg; - for standard output. REGION-MATERIAL.png if left out."
        ),
    ] = None,
    language: Annotated[Language | None, typer.Option(help="The terminal's by default.")] = None,
    earlier: Annotated[bool, typer.Option("--earlier", help="Show what was forecast the day before, too.")] = False,
    file: Annotated[
        str | None, typer.Option(metavar="FILE", help="A demand file, instead of this installation; needs --model.")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Forecaster trained on such demand (forecaster.zip), from a source you trust."
        ),
    ] = None,
) -> None:
    """Draw the newest forecast beside eight weeks of demand, with its bands, holidays, events and stock-outs.

    Examples: fieldwise forecast plot --region jinjiang --material gift-standard --out need.svg --language zh;
    fieldwise forecast plot --file demand.csv --model forecaster.zip --region north --material tea
    """
    from api.forecast_picture import picture

    target = out or f"{region}-{material}.png"
    spoken = language.value if language else ("zh" if speaks_chinese() else "en")
    try:
        ending = "png" if target == "-" else Path(target).suffix.lower().lstrip(".")
        if ending not in ("png", "svg"):
            raise InvalidInput.at("--out", "must end in .png or .svg", "须以 .png 或 .svg 结尾")
        if (file is None) != (model is None):
            raise InvalidInput.at("--model", "--file and --model belong together", "--file 与 --model 须同时给出")
        if file is not None and model is not None:
            found = _of_file(file, model, region, material)
        else:
            found = _of_installation(region, material, earlier=earlier)
        write_file(target, picture(found, spoken, "svg" if ending == "svg" else "png"))
    except FieldwiseError as error:
        fail(error)
    if target != "-":
        typer.echo(target)


def _of_installation(region: str, material: str, *, earlier: bool) -> ForecastFigures:
    from api.commands.installation import open_installation
    from operations.access import Actor
    from operations.forecast_figures import FiguresQuestion, figures

    services = open_installation()
    with services.database.read() as session:
        question = FiguresQuestion(region, material, services.settings.holiday_country, earlier)
        return figures(session, Actor.system("command-line"), question)


def _of_file(file: str, model: Path, region: str, material: str) -> ForecastFigures:
    from forecasting.model_file import load_forecaster
    from forecasting.panel import read_panel
    from operations.forecast_figures import figures_of_panel

    content, name = read_file(file)
    return figures_of_panel(read_panel(content, name), load_forecaster(model), region, material)
