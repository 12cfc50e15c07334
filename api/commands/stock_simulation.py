"""``forecast simulate-stock``: orders by forecast against simpler policies, played through on a demand file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.terminal import FileArgument, JsonFlag, fail, print_json, print_table, progress_bar, read_file, say
from common.errors import FieldwiseError, Text

if TYPE_CHECKING:
    from forecasting.stock_trial import PolicyResult

_LEGEND = Text(
    "short: units missing over units wanted; days out: days on which something was missing; idle: stock beyond the use "
    "of the next 7 days; spoiled in units; cost of shortage, holding and orders.",
    "short：缺货量占需求量；days out：出现缺货的天数占比；idle：超出未来 7 天用量的库存占比；spoiled：过期数量；"
    "cost：缺货、持有与订货成本合计。",
)
_COLUMNS = ["", "short", "days out", "idle", "stock, days", "orders", "spoiled", "cost"]


def register(app: typer.Typer) -> None:
    """Add the command to ``fieldwise forecast``."""
    app.command("simulate-stock")(simulate_stock)


def simulate_stock(
    file: FileArgument,
    days: Annotated[int, typer.Option(min=1, max=1000, help="Last days to play.")] = 120,
    lead_days: Annotated[int, typer.Option(min=0, max=60, help="Days until an order arrives.")] = 2,
    review_days: Annotated[int, typer.Option(min=1, max=28, help="Days between two orders.")] = 1,
    pack: Annotated[int, typer.Option(min=1, help="Orders are multiples of it.")] = 1,
    minimum: Annotated[int, typer.Option(min=0, help="Smallest order.")] = 0,
    shelf_life: Annotated[int | None, typer.Option(min=1, help="Days until a unit spoils; never by default.")] = None,
    shortage_cost: Annotated[float, typer.Option(help="Of a unit that is missing.")] = 10.0,
    holding_cost: Annotated[float, typer.Option(help="Of a unit for one night.")] = 0.05,
    order_cost: Annotated[float, typer.Option(min=0, help="Of placing one order.")] = 0.0,
    leftover_days: Annotated[int, typer.Option(min=1, help="Nights that a unit left over is charged.")] = 35,
    country: Annotated[str, typer.Option(help="Whose public holidays: CN, US, US-IL …; none for no calendar.")] = "CN",
    json: JsonFlag = False,
) -> None:
    """Play stock through day by day: orders by forecast, by last week and to a fixed level, on the same demand.

    All items are ordered on the same terms; days without known demand are skipped. A model is trained every 28 days.

    Example: fieldwise forecast simulate-stock demand.csv.gz --days 60 --lead-days 3 --pack 10
    """
    from forecasting.model import ForecastConfig
    from forecasting.order_policy import OrderPolicy
    from forecasting.panel import read_panel
    from forecasting.stock_simulation import ItemTerms
    from forecasting.stock_trial import compare_policies, forecast_points, trial_on, usual_rules

    try:
        panel = read_panel(*read_file(file))
        policy = OrderPolicy(
            shortage_cost,
            holding_cost * leftover_days,
            lead_days,
            review_days,
            pack,
            minimum,
            shelf_life_days=shelf_life,
        )
        trial = trial_on(panel, ItemTerms(policy, holding_cost, order_cost), days=days)
        config = ForecastConfig(country=None if country.lower() == "none" else country)
        with progress_bar() as bar:
            points, notes = forecast_points(panel, trial, config=config, progress=bar)
        results = compare_policies(trial, usual_rules(points, leftover_days=leftover_days))
    except FieldwiseError as error:
        fail(error)
    notes = (*trial.notes(), *notes)
    span = f"{trial.day_of(trial.start)} … {trial.day_of(trial.stop - 1)}"
    if json:
        print_json(
            {
                "series": len(trial.series),
                "first_day": trial.day_of(trial.start).isoformat(),
                "last_day": trial.day_of(trial.stop - 1).isoformat(),
                "policies": [result.to_json() for result in results],
                "notes": [{"en": note.en, "zh": note.zh} for note in notes],
            }
        )
        return
    print_table(f"{len(trial.series)} series, {span}", _COLUMNS, [_row(result) for result in results])
    typer.echo(say(_LEGEND))
    for note in notes:
        typer.echo(say(note))


def _row(result: PolicyResult) -> list[str]:
    found = result.measures
    shares = [_share(value) for value in (found.shortage_rate, found.stockout_days_share, found.idle_rate)]
    stock = "–" if found.stock_days is None else f"{found.stock_days:.1f}"
    return [result.name, *shares, stock, str(found.orders), f"{found.spoiled_units:.0f}", f"{found.cost_cny:.0f}"]


def _share(value: Any) -> str:
    return "–" if value is None else f"{value:.1%}"
