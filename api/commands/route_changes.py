"""``routes change``, ``slots``, ``versions``, ``compare``, ``publish``: a stored plan during its day."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from api.commands.terminal import JsonFlag, fail, print_json, print_table, read_file, say
from common.errors import FieldProblem, FieldwiseError, InvalidInput, Text

if TYPE_CHECKING:
    from api.services import Services
    from operations.plan_changes import ChangedPlan

PlanArgument = Annotated[str, typer.Argument(metavar="PLAN", help="Id of a stored plan.")]
NowOption = Annotated[str, typer.Option(help="Clock time that counts as now, such as 11:20; by default the clock's.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``routes``."""
    app.command("change")(change_plan)
    app.command("slots")(find_slots)
    app.command("versions")(list_versions)
    app.command("compare")(compare_plans)
    app.command("publish")(publish_plan)


def change_plan(
    plan: PlanArgument,
    file: Annotated[str, typer.Option(help="JSON as PATCH /v1/route-plans/{id} takes it; - for standard input.")] = "",
    cancel: Annotated[
        list[str] | None, typer.Option(help="A visit that is called off; may stand several times.")
    ] = None,
    absent: Annotated[list[str] | None, typer.Option(help="A rep who is away from now: R1, or R1@14:00.")] = None,
    move: Annotated[list[str] | None, typer.Option(help="Move by hand: VISIT:REP or VISIT:REP:POSITION.")] = None,
    lock: Annotated[list[str] | None, typer.Option(help="A visit that stays with its rep.")] = None,
    unlock: Annotated[list[str] | None, typer.Option(help="A visit that may change hands again.")] = None,
    slower: Annotated[float, typer.Option(min=0, max=20, help="All ways take so many times as long; 0: no.")] = 0,
    now: NowOption = "",
    note: Annotated[str, typer.Option(help="A word for the history.")] = "",
    publish: Annotated[bool, typer.Option(help="Publish the new version at once.")] = False,
    preview: Annotated[bool, typer.Option(help="Only show what would come of it.")] = False,
    json: JsonFlag = False,
) -> None:
    """Change a plan during its day; what is done stays, and as little as possible moves.

    Example: fieldwise routes change 4f1d8a52 --cancel S014 --absent R3 --now 11:20

    Example: fieldwise routes change 4f1d8a52 --file changes.json --preview
    """
    from api.commands.installation import open_installation
    from api.schemas.route_changes import PlanChangeAnswer

    try:
        asked: dict[str, Any] = json_module.loads(read_file(file)[0]) if file else {}
        if not isinstance(asked, dict):
            raise InvalidInput.at("--file", "must hold a JSON object", "须为 JSON 对象")
        wishes: list[tuple[str, dict[str, Any]]] = [("cancel_visit", {"visit_id": name}) for name in cancel or ()]
        wishes += [("rep_absent", _absence(text)) for text in absent or ()]
        wishes += [("move_visit", _placement(text)) for text in move or ()]
        wishes += [("lock_visit", {"visit_id": name}) for name in lock or ()]
        wishes += [("unlock", {"visit_id": name}) for name in unlock or ()]
        wishes += [("ways_take_longer", {"factor": slower})] if slower else []
        asked["changes"] = [*asked.get("changes", []), *({"kind": kind, **fields} for kind, fields in wishes)]
        asked |= {name: value for name, value in {"now": now, "note": note}.items() if value}
        asked |= {name: True for name, value in {"publish": publish, "preview": preview}.items() if value}
        changed = _change(open_installation(), plan, asked)
    except (json_module.JSONDecodeError, UnicodeDecodeError) as error:
        fail(InvalidInput.at("--file", f"is not JSON: {error}", f"不是 JSON：{error}"))
    except FieldwiseError as error:
        fail(error)
    answer = PlanChangeAnswer.from_change(changed, say(Text("en", "zh")), preview=bool(asked.get("preview")))
    if json:
        print_json(answer.model_dump(mode="json"))
        return
    for line in [*(move.text for move in answer.moves), *(wish.text for wish in answer.refused)]:
        typer.echo(f"  {line}")
    count, version = len(answer.moves), answer.version
    typer.echo(
        say(
            Text(
                f"version {version}, {count} visits change, {answer.took_ms:.0f} ms",
                f"第 {version} 版，变动 {count} 项，用时 {answer.took_ms:.0f} 毫秒",
            )
        )
    )


def _absence(text: str) -> dict[str, str]:
    rep, _, since = text.partition("@")
    return {"rep_id": rep, "since": since} if since else {"rep_id": rep}


def _placement(text: str) -> dict[str, Any]:
    visit, _, rest = text.partition(":")
    rep, _, position = rest.partition(":")
    if not visit or not rep or (position and not position.isdigit()):
        raise InvalidInput.at("--move", "must be written like S014:R2 or S014:R2:3", "应写成 S014:R2 或 S014:R2:3")
    return {"visit_id": visit, "rep_id": rep, **({"position": int(position)} if position else {})}


def _change(services: Services, plan: str, asked: dict[str, Any]) -> ChangedPlan:
    from api.schemas.route_changes import PlanChangeRequest, clock_s
    from operations import plan_changes, plan_versions
    from operations.access import Actor

    actor = Actor.system("command-line")
    body = _read(PlanChangeRequest, asked)
    with services.database.read() as session:
        row = plan_versions.whole_plan(session, actor, plan)
    if body.now is None:
        now_s = plan_changes.moment_of(row.plan_date, services.clock.now(), services.zone)
    else:
        now_s = clock_s("/now", body.now)
    change = body.asked(body.version or row.version, now_s)
    return plan_changes.change(services.database, actor, plan, change, services.travel_times)


def _read(kind: type[Any], asked: dict[str, Any]) -> Any:
    """Return the request; what is wrong with it is named by its pointer."""
    from api.field_problems import field_problem

    try:
        return kind.model_validate(asked)
    except ValidationError as error:
        fields: list[FieldProblem] = [field_problem({**item, "loc": ("body", *item["loc"])}) for item in error.errors()]
        raise InvalidInput(Text("the change has fields that are wrong", "变更内容有误"), fields=fields) from error


def find_slots(
    plan: PlanArgument,
    latitude: Annotated[float, typer.Option(help="Of the new customer (WGS-84).")],
    longitude: Annotated[float, typer.Option(help="Of the new customer (WGS-84).")],
    minutes: Annotated[int, typer.Option(min=0, max=1440, help="How long the visit takes.")] = 20,
    window: Annotated[str, typer.Option(help="When it may start, such as 14:00-16:00; by default at any time.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=50, help="Most slots.")] = 5,
    now: NowOption = "",
    json: JsonFlag = False,
) -> None:
    """Recommend reps and times for a new customer; changes nothing.

    Example: fieldwise routes slots 4f1d8a52 --latitude 30.657 --longitude 104.081 --window 14:00-17:00
    """
    from api.commands.installation import open_installation
    from api.schemas.route_changes import SlotsAnswer, SlotsRequest, clock_s, visit_of
    from operations import plan_changes, plan_versions
    from operations.access import Actor

    start, _, end = window.partition("-")
    visit: dict[str, Any] = {"id": "new customer", "service_s": 60 * minutes}
    visit["location"] = {"latitude": latitude, "longitude": longitude}
    visit["windows"] = [{"start_s": start.strip(), "end_s": end.strip()}] if window else []
    asked = {"visit": visit, "limit": limit} | ({"now": now} if now else {})
    try:
        services, actor = open_installation(), Actor.system("command-line")
        body = _read(SlotsRequest, asked)
        with services.database.read() as session:
            row = plan_versions.whole_plan(session, actor, plan)
            if body.now is None:
                now_s = plan_changes.moment_of(row.plan_date, services.clock.now(), services.zone)
            else:
                now_s = clock_s("/now", body.now)
            found = plan_changes.slots(
                session,
                actor,
                plan,
                visit_of("/visit", body.visit),
                services.travel_times,
                now_s=now_s,
                wishes=body.wishes(),
            )
    except FieldwiseError as error:
        fail(error)
    answer = SlotsAnswer.of(found, say(Text("en", "zh")))
    if json:
        print_json(answer.model_dump(mode="json"))
        return
    for reason in answer.reasons:
        typer.echo(f"  {reason.text}")
    if answer.items:
        heads = (("rep", "人员"), ("start", "开始时间"), ("stop", "站序"), ("after", "之前"), ("before", "之后"))
        print_table(
            say(Text("slots, the best first", "推荐时段，最优在前")),
            [say(Text(en, zh)) for en, zh in (*heads, ("more travel, min", "增加路程（分钟）"))],
            [
                [
                    slot.rep_id,
                    f"{slot.offer.start}–{slot.offer.end}",
                    str(slot.position),
                    slot.after or "–",
                    slot.before or "–",
                    f"{slot.added_travel_min:g}",
                ]
                for slot in answer.items
            ],
        )


def list_versions(plan: PlanArgument, json: JsonFlag = False) -> None:
    """List the versions of a plan, the newest first.

    Example: fieldwise routes versions 4f1d8a52
    """
    from api.commands.installation import open_installation
    from api.schemas.route_changes import VersionAnswer
    from operations import plan_versions
    from operations.access import Actor

    try:
        with open_installation().database.read() as session:
            found = plan_versions.versions(session, Actor.system("command-line"), plan)
    except FieldwiseError as error:
        fail(error)
    answers = [VersionAnswer.of(item) for item in found]
    if json:
        print_json([answer.model_dump(mode="json") for answer in answers])
        return
    heads = (("version", "版本"), ("made", "时间"), ("by", "由"), ("visits", "拜访"), ("moved", "变动"))
    print_table(
        plan,
        [say(Text(en, zh)) for en, zh in (*heads, ("published", "发布"), ("note", "备注"))],
        [
            [
                str(item.version),
                f"{item.made_at.astimezone():%m-%d %H:%M}",
                item.made_by,
                f"{item.assigned_visits}",
                str(item.moved_visits),
                f"{item.published_at.astimezone():%m-%d %H:%M}" if item.published_at else "–",
                item.note,
            ]
            for item in answers
        ],
    )


def compare_plans(
    plan: PlanArgument,
    against: Annotated[
        str, typer.Argument(metavar="WITH", help="A version of the plan, or another plan (ID or ID@2).")
    ],
    version: Annotated[int | None, typer.Option(min=1, help="Version of PLAN; the newest by default.")] = None,
    json: JsonFlag = False,
) -> None:
    """Compare two versions of a plan, or two plans.

    Example: fieldwise routes compare 4f1d8a52 1
    """
    from api.commands.installation import open_installation
    from api.schemas.route_changes import ComparisonAnswer
    from operations import plan_versions
    from operations.access import Actor

    try:
        with open_installation().database.read() as session:
            found = plan_versions.compare(session, Actor.system("command-line"), plan, against, number=version)
    except FieldwiseError as error:
        fail(error)
    answer = ComparisonAnswer.of(found, say(Text("en", "zh")))
    if json:
        print_json(answer.model_dump(mode="json"))
        return
    for move in answer.moves:
        typer.echo(f"  {move.text}")
    before, after = answer.before, answer.after
    visits = after.assigned_visits - before.assigned_visits
    travel_min = (after.travel_s - before.travel_s) / 60
    typer.echo(
        say(
            Text(
                f"{visits:+d} visits, {travel_min:+.0f} min of travel, {after.value - before.value:+.1f} points",
                f"拜访 {visits:+d}，路程 {travel_min:+.0f} 分钟，价值 {after.value - before.value:+.1f} 分",
            )
        )
    )


def publish_plan(plan: PlanArgument) -> None:
    """Publish the newest version of a plan to its reps.

    Example: fieldwise routes publish 4f1d8a52
    """
    from api.commands.installation import open_installation
    from operations import plan_versions
    from operations.access import Actor

    actor = Actor.system("command-line")
    try:
        with open_installation().database.write(actor.code) as session:
            row = plan_versions.whole_plan(session, actor, plan)
            summary = plan_versions.publish(session, actor, plan, expected=row.version)
    except FieldwiseError as error:
        fail(error)
    typer.echo(say(Text(f"version {summary.version} is published", f"已发布第 {summary.version} 版")))
