"""``routes week``, ``routes due`` and ``routes reliability``: several days of a region, and what stands behind them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import uuid4

import typer

from api.commands.terminal import JsonFlag, fail, print_json, print_table, progress_bar, say
from common.errors import FieldwiseError, InvalidInput, Text

if TYPE_CHECKING:
    from api.services import Services

RegionArgument = Annotated[str, typer.Argument(metavar="REGION", help="Code of a region.")]


def _day(text: str, option: str, services: Services) -> date:
    if not text:
        return services.today() + timedelta(days=1)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput.at(option, "must be a day such as 2026-11-30", "应为日期，如 2026-11-30") from error


def plan_week(
    region: RegionArgument,
    start: Annotated[str, typer.Option(help="First day; tomorrow by default.")] = "",
    days: Annotated[int, typer.Option(min=1, max=7, help="How many days.")] = 7,
    days_off: Annotated[
        Literal["none", "holidays", "rest_days"], typer.Option(help="Days without a plan.")
    ] = "holidays",
    seconds: Annotated[float, typer.Option(min=0.5, max=3600, help="Time limit of all days together.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Another seed searches another way.")] = 0,
    json: JsonFlag = False,
) -> None:
    """Plan several days of a region together and store one plan a day.

    Example: fieldwise routes week jinjiang --start 2026-11-30 --days 5
    """
    from api.commands.installation import open_installation
    from api.routers.asked_day import wishes_of
    from operations import week_plan
    from operations.access import Actor

    try:
        services = open_installation()
        first = _day(start, "--start", services)
        wishes = week_plan.WeekWishes(days, days_off, seconds, seed, wishes_of(services, None, None))
        with services.database.read() as session:
            asked = week_plan.payload(session, Actor.system("command-line"), region, first, wishes)
        with progress_bar() as bar:

            def show(progress: dict[str, Any]) -> None:
                bar(progress["share"], Text(str(progress["day"]), str(progress["day"])))

            solved = week_plan.solve(asked, services.travel_times, on_progress=show)
        kept = week_plan.store(services.database, "command-line", str(uuid4()), asked, solved)
    except FieldwiseError as error:
        fail(error)
    if json:
        print_json(kept)
        return
    rows = [
        [
            day["date"],
            say(Text(day["skipped"]["en"], day["skipped"]["zh"])) if day["skipped"] else day["route_plan_id"],
            str(day.get("assigned", "–")),
            str(day.get("unassigned", "–")),
        ]
        for day in kept["days"]
    ]
    title = say(
        Text(f"{region}: {len(kept['not_placed'])} not placed", f"{region}：{len(kept['not_placed'])} 位客户未排入")
    )
    print_table(title, ["day", "plan", "visits", "left out"], rows)


def list_due(
    region: RegionArgument,
    day: Annotated[str, typer.Option(help="The day; tomorrow by default.")] = "",
    excluded: Annotated[bool, typer.Option("--excluded", help="List those who are not to be visited instead.")] = False,
    json: JsonFlag = False,
) -> None:
    """List whom a region could visit on a day, why, and what a visit is worth.

    Example: fieldwise routes due jinjiang --day 2026-11-30
    """
    from api.commands.installation import open_installation
    from api.routers.asked_day import wishes_of
    from api.schemas.due_customers import DueCustomersAnswer
    from operations.access import Actor
    from operations.due_customers import due_customers

    try:
        services = open_installation()
        actor, wanted = Actor.system("command-line"), _day(day, "--day", services)
        with services.database.read() as session:
            found = due_customers(session, actor, region, wanted, wishes_of(services, None, None))
    except FieldwiseError as error:
        fail(error)
    answer = DueCustomersAnswer.of(found, "zh" if say(Text("en", "zh")) == "zh" else "en")
    if json:
        typer.echo(answer.model_dump_json(indent=2))
        return
    if excluded:
        rows = [[item.customer_code, item.grade or "–", item.code, item.text] for item in answer.excluded]
        print_table(f"{region} {wanted}", ["customer", "grade", "code", "why"], rows)
        return
    rows = [
        [
            item.customer_code + (" !" if item.mandatory else ""),
            item.grade or "–",
            f"{100 * item.probability:.0f} %",
            f"{item.value_cny:.0f}",
            f"{item.stock_factor:.2f}",
            f"{item.points:.2f}",
            item.text,
        ]
        for item in answer.due
    ]
    columns = ["customer", "grade", "converts", "CNY", "stock", "points", "why"]
    print_table(f"{region} {wanted} · {answer.basis}", columns, rows)


def show_reliability(json: JsonFlag = False) -> None:
    """Show how far the probabilities of conversion can be trusted, measured on this installation's newest visits.

    Example: fieldwise routes reliability
    """
    from api.commands.installation import open_installation
    from api.schemas.reliability import ReliabilityAnswer
    from operations.access import Actor
    from operations.visit_history import conversion_report

    try:
        services = open_installation()
        with services.database.read() as session:
            found = conversion_report(session, Actor.system("command-line"))
    except FieldwiseError as error:
        fail(error)
    answer = ReliabilityAnswer.of(found, "zh" if say(Text("en", "zh")) == "zh" else "en")
    if json or found is None:
        typer.echo(answer.model_dump_json(indent=2))
        return
    scores = [("model", found.model), ("rates by grade", found.rates), ("one rate", found.base)]
    rows = [[name, f"{each.brier:.4f}", f"{each.log_loss:.4f}"] for name, each in scores]
    print_table(f"{answer.reason} → {found.tested_on}", ["", "Brier", "log loss"], rows)
    bins = [[str(one.visits), f"{100 * one.expected:.1f} %", f"{100 * one.won:.1f} %"] for one in found.bins]
    print_table(f"calibration error {found.calibration_error:.4f}", ["visits", "expected", "won"], bins)


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``fieldwise routes``."""
    app.command("week")(plan_week)
    app.command("due")(list_due)
    app.command("reliability")(show_reliability)
