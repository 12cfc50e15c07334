"""``fieldwise stock``: levels and rates, and what to do about shortages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.terminal import JsonFlag, fail, print_table, say, speaks_chinese
from common.errors import FieldwiseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from operations.proposal_records import ProposalCard

stock_app = typer.Typer(no_args_is_help=True, help="Stock: levels, the shortage ladder, orders, and what was moved.")
RegionOption = Annotated[str | None, typer.Option("--region", help="Only this region.")]
MaterialOption = Annotated[str | None, typer.Option("--material", help="Only this material.")]
MaterialsOption = Annotated[list[str] | None, typer.Option("--material", help="Only this material; may be repeated.")]


def language() -> str:
    """Return the language of the terminal."""
    return "zh" if speaks_chinese() else "en"


def print_proposals(cards: Sequence[ProposalCard]) -> None:
    """Print proposals as a table."""
    rows = [
        [
            card.id,
            f"{card.step} {card.kind}",
            card.material_code,
            f"{card.from_region or '–'} → {card.to_region}",
            str(card.quantity_units),
            card.status,
            f"{say(card.reason)}; {say(card.consequence)}",
        ]
        for card in cards
    ]
    print_table(str(len(rows)), ["id", "step", "material", "way", "units", "status", "reason"], rows)


@stock_app.command("levels")
def show_levels(region: RegionOption = None, material: MaterialOption = None, json: JsonFlag = False) -> None:
    """Show stock, how likely it runs out in the coming days, and what to order.

    Example: fieldwise stock levels --region wuhou
    """
    from api.commands.installation import open_installation
    from api.schemas.stock import StockAnswer, StockLevelAnswer
    from operations import stock
    from operations.access import Actor

    try:
        with open_installation().database.read() as session:
            levels = stock.stock_levels(
                session, Actor.system("command-line"), region_code=region, material_code=material
            )
    except FieldwiseError as error:
        fail(error)
    if json:
        answer = StockAnswer(items=[StockLevelAnswer.of(level, language()) for level in levels])
        typer.echo(answer.model_dump_json(indent=2))
        return
    rows = [
        [
            level.region_code,
            level.material_code,
            str(level.on_hand_units),
            f"+{level.incoming_units} −{level.outgoing_units}",
            f"{level.outlook[-1].stockout_probability:.0%}" if level.outlook else "–",
            say(level.order.reason) if level.order else "–",
        ]
        for level in levels
    ]
    print_table(str(len(rows)), ["region", "material", "on hand", "approved", "runs out", "order"], rows)


@stock_app.command("rates")
def show_rates(
    region: RegionOption = None,
    material: MaterialOption = None,
    days: Annotated[int, typer.Option(help="So many closed days.")] = 28,
    json: JsonFlag = False,
) -> None:
    """Show how much stock lay idle, and how often it ran short.

    Example: fieldwise stock rates --region wuhou
    """
    from api.commands.installation import open_installation
    from api.schemas.stock_proposals import StockRateAnswer, StockRatesAnswer
    from operations import stock_rates
    from operations.access import Actor

    actor = Actor.system("command-line")
    try:
        with open_installation().database.read() as session:
            rates = stock_rates.stock_rates(session, actor, region_code=region, material_code=material, days=days)
    except FieldwiseError as error:
        fail(error)
    if json:
        typer.echo(StockRatesAnswer(items=[StockRateAnswer.of(rate) for rate in rates]).model_dump_json(indent=2))
        return
    rows = [
        [
            rate.region_code,
            rate.material_code,
            f"{rate.idle_rate:.0%}{' !' if rate.too_idle else ''}",
            f"{rate.shortage_rate:.0%}" if rate.shortage_rate is not None else "–",
        ]
        for rate in rates
    ]
    title = f"{rates[0].first_day} … {rates[0].last_day}" if rates else "0"
    print_table(title, ["region", "material", "idle", "short"], rows)


@stock_app.command("ladder")
def plan_ladder(material: MaterialsOption = None, json: JsonFlag = False) -> None:
    """Propose what to do about shortages, step by step; undecided earlier proposals give way.

    Example: fieldwise stock ladder --material gift-pack
    """
    from api.commands.installation import open_installation
    from api.schemas.stock_proposals import LadderAnswer
    from api.warehouse_travel import ways_between_warehouses
    from operations import stock_ladder
    from operations.access import Actor

    actor = Actor.system("command-line")
    try:
        services = open_installation()
        travel_s, distance_m = ways_between_warehouses(services)
        with services.database.write(actor.code) as session:
            plan = stock_ladder.propose_ladder(
                session, actor, travel_s, distance_m=distance_m, materials=material or None
            )
    except FieldwiseError as error:
        fail(error)
    if json:
        typer.echo(LadderAnswer.of(plan, language()).model_dump_json(indent=2))
        return
    print_proposals(plan.proposals)
    for item in plan.shortages:
        typer.echo(f"! {item.material_code}: {say(item.shortage.reason)}")


@stock_app.command("orders")
def plan_orders(material: MaterialsOption = None, json: JsonFlag = False) -> None:
    """Propose the orders that stock needs; undecided earlier ones give way.

    Example: fieldwise stock orders
    """
    from api.commands.installation import open_installation
    from api.schemas.stock_proposals import OrdersAnswer
    from operations import stock_orders
    from operations.access import Actor

    actor = Actor.system("command-line")
    try:
        with open_installation().database.write(actor.code) as session:
            plan = stock_orders.propose_orders(session, actor, materials=material or None)
    except FieldwiseError as error:
        fail(error)
    if json:
        typer.echo(OrdersAnswer.of(plan, language()).model_dump_json(indent=2))
    else:
        print_proposals(plan.proposals)
