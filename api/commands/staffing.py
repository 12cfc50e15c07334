"""``staffing``: who is lent where in the coming days."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import uuid4

import typer

from api.commands.terminal import JsonFlag, fail, say, speaks_chinese, write_file
from common.errors import FieldwiseError, Text

if TYPE_CHECKING:
    from operations.staffing import StoredReallocation

staffing_app = typer.Typer(no_args_is_help=True, help="People between regions: plan the coming week, decide.")


@staffing_app.command("plan")
def plan(
    start: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day; tomorrow by default.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=7, help="Days from then on.")] = 7,
    seconds: Annotated[float, typer.Option(min=0.1, max=300, help="Time limit of the search.")] = 25,
    seed: Annotated[int, typer.Option(min=0, help="Another seed searches another way.")] = 0,
    to: Annotated[Literal["text", "json", "csv"], typer.Option(help="What to print.")] = "text",
    output: Annotated[str, typer.Option("--output", "-o", help="Write to this file instead.")] = "-",
    json: JsonFlag = False,
) -> None:
    """Propose who is lent where, from this installation's records, and keep the proposal.

    Example: fieldwise staffing plan --days 7 --to csv -o lendings.csv
    """
    from api.commands.installation import open_installation
    from operations import staffing
    from operations.access import Actor

    actor = Actor.system("command-line")
    try:
        services = open_installation()
        first = start.date() if start else services.today() + timedelta(days=1)
        with services.database.read() as session:
            problem = staffing.staffing_problem(session, actor, first, staffing.StaffingWishes(days=days))
        asked = staffing.payload(problem, first, time_limit_s=seconds, seed=seed)
        kept = staffing.store(services.database, actor.code, uuid4().hex, asked, staffing.solve(asked))
        with services.database.read() as session:
            stored = staffing.reallocation(session, actor, kept["staff_reallocation_id"])
        write_file(output, _rendered(stored, "json" if json else to))
    except FieldwiseError as error:
        fail(error)


def _rendered(stored: StoredReallocation, to: str) -> bytes:
    language = "zh" if speaks_chinese() else "en"
    if to == "json":
        from api.schemas.staffing import StaffReallocationAnswer

        return (StaffReallocationAnswer.of(stored, language).model_dump_json(indent=2) + "\n").encode()
    if to == "csv":
        from routing.staffing.render import to_csv

        return to_csv(stored.answer, stored.names, language=language).encode("utf-8-sig")
    return _as_text(stored).encode()


def _as_text(stored: StoredReallocation) -> str:
    answer, names = stored.answer, stored.names
    lines = []
    for move in answer.moves:
        cover = names.get(move.cover_id, move.cover_id) if move.cover_id else "–"
        covered = say(Text(f"cover: {cover}", f"由 {cover} 临时支援"))
        who = f"{move.day}  {names.get(move.person_id, move.person_id)}  {move.from_region} → {move.to_region}"
        lines.append(f"{who}  {move.hours_covered:g} h  {covered}  {say(move.reason)}")
    lines += [f"!  {say(gap.text)}" for gap in answer.required_gaps]
    lines += [f"?  {say(one.text)}" for one in answer.relaxations[:5]]
    before, after = sum(answer.unserved_before_h.values()), sum(answer.unserved_after_h.values())
    moves = sum(move.begins for move in answer.moves)
    lines.append(
        say(
            Text(
                f"{stored.id}: {moves} moves, {len(answer.moves)} days, {before:.1f} → {after:.1f} h undone",
                f"{stored.id}：{moves} 次调动，共 {len(answer.moves)} 天，未完成工时 {before:.1f} → {after:.1f} 小时",
            )
        )
    )
    return "\n".join(lines) + "\n"


@staffing_app.command("decide")
def decide(
    proposal: Annotated[str, typer.Argument(help="Id of the proposal.")],
    decision: Annotated[Literal["approve", "reject", "withdraw"], typer.Argument(help="What is decided.")],
    reason: Annotated[str | None, typer.Option(help="Needed to reject or to withdraw.")] = None,
) -> None:
    """Approve, reject or withdraw a proposal; day plans then count on it.

    Example: fieldwise staffing decide 3f2c… approve
    """
    from api.commands.installation import open_installation
    from operations.access import Actor
    from operations.lending_decisions import Decision
    from operations.lending_decisions import decide as settle

    actor = Actor.system("command-line")
    try:
        services = open_installation()
        with services.database.write(actor.code) as session:
            decided = settle(session, actor, proposal, Decision(decision, None, reason))
    except FieldwiseError as error:
        fail(error)
    typer.echo(f"{decided.proposal_id} {decided.status} {decided.lent_days} {decided.open_days}")


@staffing_app.command("list")
def list_lendings(
    start: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day; today by default.")] = None,
    days: Annotated[int, typer.Option(min=1, max=92, help="Days from then on.")] = 7,
) -> None:
    """List who is lent where, as decided.

    Example: fieldwise staffing list --days 7
    """
    from api.commands.installation import open_installation
    from operations.access import Actor
    from operations.lending_decisions import lendings

    try:
        services = open_installation()
        first: date = start.date() if start else services.today()
        with services.database.read() as session:
            found = lendings(session, Actor.system("command-line"), first, first + timedelta(days=days - 1))
    except FieldwiseError as error:
        fail(error)
    for one in found:
        typer.echo(f"{one.day}  {one.person_name}  {one.from_region} → {one.to_region}  {one.cover_name or '–'}")
