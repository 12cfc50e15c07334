"""``fieldwise stock alerts``: which region runs out of what."""

from __future__ import annotations

import typer

from api.commands.stock import MaterialOption, RegionOption, language
from api.commands.terminal import JsonFlag, fail, print_table, say
from common.errors import FieldwiseError


def add_to(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("alerts")(show_alerts)


def show_alerts(region: RegionOption = None, material: MaterialOption = None, json: JsonFlag = False) -> None:
    """Look at stock and the newest forecast, update the warnings, and show those that stand.

    Example: fieldwise stock alerts --region wuhou
    """
    from api.commands.installation import open_installation
    from api.schemas.stock_alerts import StockAlertAnswer, StockAlertsAnswer
    from operations import stock_alerts
    from operations.access import Actor

    actor = Actor.system("command-line")
    try:
        database = open_installation().database
        with database.write(actor.code) as session:
            stock_alerts.refresh_stock_alerts(session, actor)
        with database.read() as session:
            found = stock_alerts.stock_alerts(session, actor, region_code=region, material_code=material)
    except FieldwiseError as error:
        fail(error)
    if json:
        items = [StockAlertAnswer.of(alert, language()) for alert in found]
        typer.echo(StockAlertsAnswer(items=items).model_dump_json(indent=2))
        return
    rows = [
        [
            alert.level,
            alert.region_code,
            alert.material_code,
            f"{alert.risk.probability:.0%}" if alert.risk else "–",
            alert.risk.runs_out_on.isoformat() if alert.risk else "–",
            say(alert.text),
        ]
        for alert in found
    ]
    print_table(str(len(rows)), ["level", "region", "material", "chance", "day", "what to do"], rows)
