"""``forecast models``, ``promote``, ``rollback``, ``monitor``, ``override``, ``overrides``: decisions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.terminal import JsonFlag, fail, print_table, say, speaks_chinese
from common.errors import FieldwiseError

if TYPE_CHECKING:
    from operations.forecast_models import ModelCard

Reason = Annotated[str, typer.Option(help="Why; it is kept on record.")]
Version = Annotated[str, typer.Argument(metavar="VERSION", help="As `fieldwise forecast models` shows it.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``fieldwise forecast``."""
    app.command("models")(list_models)
    app.command("promote")(promote)
    app.command("rollback")(roll_back)
    app.command("monitor")(monitor)
    app.command("override")(override)
    app.command("overrides")(list_overrides)


def _language() -> str:
    return "zh" if speaks_chinese() else "en"


def list_models(json: JsonFlag = False) -> None:
    """Show all trained models, which is in use, and why.

    Example: fieldwise forecast models
    """
    from api.commands.installation import open_installation
    from api.schemas.forecast_models import ForecastModelAnswer, ForecastModelsAnswer, ModelChangeAnswer
    from operations import forecast_models
    from operations.access import Actor

    actor = Actor.system("command-line")
    try:
        services = open_installation()
        with services.database.read() as session:
            cards = forecast_models.models(session, actor)
            changes = forecast_models.changes(session, actor)
    except FieldwiseError as error:
        fail(error)
    if json:
        answer = ForecastModelsAnswer(
            items=[ForecastModelAnswer.of(card, _language()) for card in cards],
            changes=[ModelChangeAnswer.of(change, _language()) for change in changes],
        )
        typer.echo(answer.model_dump_json(indent=2))
        return
    rows = [_row(card) for card in cards]
    print_table(str(len(rows)), ["version", "status", "trained", "MASE", "since", "by", "reason"], rows)


def _row(card: ModelCard) -> list[str]:
    mase = (card.measures.get("model") or {}).get("mase")
    return [
        card.version,
        card.status if card.file_kept else f"{card.status} (–)",
        f"{card.trained_at:%Y-%m-%d %H:%M}",
        f"{mase:.3f}" if mase is not None else "–",
        f"{card.decided_at:%Y-%m-%d %H:%M}" if card.decided_at else "–",
        card.decided_by or "–",
        say(card.reason) if card.reason else "–",
    ]


def promote(version: Version, reason: Reason, json: JsonFlag = False) -> None:
    """Put a kept model into use by hand, and forecast with it.

    Example: fieldwise forecast promote 2026-11-24-1f6c3b0a9d2e --reason "the new one misses the fairs"
    """
    _choose(version, reason, json)


def roll_back(reason: Reason, json: JsonFlag = False) -> None:
    """Put the model before the one in use back, and forecast with it; once more goes further back.

    Example: fieldwise forecast rollback --reason "orders came out far too high"
    """
    _choose(None, reason, json)


def _choose(version: str | None, reason: str, json: bool) -> None:
    from api.commands.installation import open_installation
    from api.schemas.forecast_models import ForecastModelAnswer
    from operations import demand, forecast_models
    from operations.access import Actor

    actor = Actor.system("command-line")
    try:
        services = open_installation()
        folder = services.settings.model_folder
        with services.database.write(actor.code) as session:
            if version is None:
                card = forecast_models.roll_back(session, folder, actor, reason)
            else:
                card = forecast_models.promote(session, folder, actor, version, reason)
        demand.make_forecast(services.database, folder, actor.code)
    except FieldwiseError as error:
        fail(error)
    typer.echo(ForecastModelAnswer.of(card, _language()).model_dump_json(indent=2) if json else card.version)


def monitor(json: JsonFlag = False) -> None:
    """Show whether lived errors or recent demand have drifted; ends with 1 when they have.

    Example: fieldwise forecast monitor
    """
    from api.commands.installation import open_installation
    from api.schemas.forecast_models import MonitorAnswer
    from operations import forecast_monitor
    from operations.access import Actor

    try:
        services = open_installation()
        with services.database.read() as session:
            report = forecast_monitor.monitor(session, Actor.system("command-line"))
    except FieldwiseError as error:
        fail(error)
    if json:
        typer.echo(MonitorAnswer.of(report, _language()).model_dump_json(indent=2))
    else:
        typer.echo(f"{report.model_version}: {report.state}: {say(report.reason)}")
        for signal in report.signals:
            typer.echo(f"{'!' if signal.drifting else ' '} {say(signal.reason)}")
    if report.state == "drifting":
        raise SystemExit(1)


def override(
    region: Annotated[str, typer.Argument(metavar="REGION")],
    material: Annotated[str, typer.Argument(metavar="MATERIAL")],
    day: Annotated[datetime, typer.Argument(metavar="DAY", formats=["%Y-%m-%d"])],
    reason: Reason,
    units: Annotated[float | None, typer.Option(min=0, help="What will be needed.")] = None,
    factor: Annotated[float | None, typer.Option(min=0, help="Or so many times what the model says.")] = None,
    json: JsonFlag = False,
) -> None:
    """Say what a region will need on a day that is forecast; orders and transfers then go by it.

    Example: fieldwise forecast override jinjiang gift_pack 2026-11-28 --factor 1.5 --reason "a fair nearby"
    """
    from api.commands.installation import open_installation
    from api.schemas.forecast_overrides import OverrideAnswer
    from operations import forecast_overrides
    from operations.access import Actor

    actor = Actor.system("command-line")
    wish = forecast_overrides.OverrideWish(region, material, day.date(), reason, units, factor)
    try:
        services = open_installation()
        with services.database.write(actor.code) as session:
            card = forecast_overrides.make_override(session, actor, wish)
    except FieldwiseError as error:
        fail(error)
    if json:
        typer.echo(OverrideAnswer.of(card).model_dump_json(indent=2))
    else:
        typer.echo(f"{card.id}: {card.model_units:.1f} → {card.effective_units:.1f}")


def list_overrides(
    region: Annotated[str | None, typer.Option(help="Only this region.")] = None,
    value: Annotated[bool, typer.Option("--value", help="Show what they were worth instead.")] = False,
    withdraw: Annotated[str | None, typer.Option(metavar="ID", help="Withdraw this one.")] = None,
    json: JsonFlag = False,
) -> None:
    """List overrides with who, when and why; or what they were worth, by person and reason.

    Example: fieldwise forecast overrides --value
    """
    from api.commands.installation import open_installation
    from api.schemas.forecast_overrides import OverrideAnswer, OverridesAnswer, ValueReportAnswer
    from operations import forecast_overrides, forecast_value
    from operations.access import Actor

    actor = Actor.system("command-line")
    try:
        services = open_installation()
        if withdraw is not None:
            with services.database.write(actor.code) as session:
                forecast_overrides.withdraw_override(session, actor, withdraw)
        with services.database.read() as session:
            cards = forecast_overrides.overrides(session, actor, region_code=region)
            report = forecast_value.override_value(session, actor, region_code=region)
    except FieldwiseError as error:
        fail(error)
    if json:
        listed = OverridesAnswer(items=[OverrideAnswer.of(card) for card in cards])
        typer.echo((ValueReportAnswer.of(report) if value else listed).model_dump_json(indent=2))
    elif value:
        rows = [
            [each.name or "–", str(each.days), str(each.better), f"{each.value_added_units:+.1f}"]
            for each in (report.total, *report.by_person, *report.by_reason)
        ]
        print_table("", ["", "days", "better", "value added, units"], rows)
    else:
        rows = [
            [
                card.id,
                card.region_code,
                card.material_code,
                str(card.day),
                f"{card.model_units:.1f} → {card.effective_units:.1f}",
                card.made_by,
                card.reason,
                f"{card.withdrawn_at:%Y-%m-%d}" if card.withdrawn_at else "",
            ]
            for card in cards
        ]
        print_table("", ["id", "region", "material", "day", "units", "by", "reason", "withdrawn"], rows)
