"""``fieldwise stock proposals``, ``approve``, ``reject``, ``adjust``, ``moved``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.stock import MaterialOption, RegionOption, language, print_proposals
from api.commands.terminal import JsonFlag, fail
from common.errors import FieldwiseError

if TYPE_CHECKING:
    from operations.access import Actor
    from operations.proposal_records import ProposalCard

Proposal = Annotated[str, typer.Argument(metavar="ID", help="As `fieldwise stock proposals` shows it.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept on record.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``fieldwise stock``."""
    app.command("proposals")(list_proposals)
    app.command("approve")(approve)
    app.command("reject")(reject)
    app.command("adjust")(adjust)
    app.command("moved")(book_move)


def list_proposals(
    status: Annotated[
        str | None, typer.Option(help="proposed, approved, rejected, moved or replaced; all by default.")
    ] = None,
    region: RegionOption = None,
    material: MaterialOption = None,
    json: JsonFlag = False,
) -> None:
    """List what is proposed about stock, and what became of it.

    Example: fieldwise stock proposals --status proposed
    """
    from api.commands.installation import open_installation
    from api.schemas.stock_proposals import ProposalAnswer, ProposalsAnswer
    from operations import stock_proposals
    from operations.access import Actor

    actor = Actor.system("command-line")
    try:
        with open_installation().database.read() as session:
            cards = stock_proposals.proposals(session, actor, status=status, region_code=region, material_code=material)
    except FieldwiseError as error:
        fail(error)
    if json:
        answer = ProposalsAnswer(items=[ProposalAnswer.of(card, language()) for card in cards])
        typer.echo(answer.model_dump_json(indent=2))
    else:
        print_proposals(cards)


def approve(
    proposal: Proposal,
    reason: Annotated[str | None, typer.Option(help="Why, if there is something to say.")] = None,
    json: JsonFlag = False,
) -> None:
    """Approve a proposal: its units then count as promised.

    Example: fieldwise stock approve 3f0c9a52c6d14e0f9a4f1d4f4c1f0b7e
    """
    from operations import stock_proposals

    _change(lambda session, actor: stock_proposals.approve(session, actor, proposal, reason), json=json)


def reject(proposal: Proposal, reason: Reason, json: JsonFlag = False) -> None:
    """Reject a proposal, or take back an approved one that is not moved yet.

    Example: fieldwise stock reject 3f0c9a52c6d14e0f9a4f1d4f4c1f0b7e --reason "the fair was called off"
    """
    from operations import stock_proposals

    _change(lambda session, actor: stock_proposals.reject(session, actor, proposal, reason), json=json)


def adjust(
    proposal: Proposal, units: Annotated[int, typer.Argument(metavar="UNITS")], reason: Reason, json: JsonFlag = False
) -> None:
    """Change how many units an undecided proposal is about.

    Example: fieldwise stock adjust 3f0c9a52c6d14e0f9a4f1d4f4c1f0b7e 40 --reason "a second stand opens"
    """
    from operations import stock_proposals

    _change(lambda session, actor: stock_proposals.adjust(session, actor, proposal, units, reason), json=json)


def book_move(
    proposal: Proposal,
    units: Annotated[int | None, typer.Option(help="What was really moved; what was approved by default.")] = None,
    json: JsonFlag = False,
) -> None:
    """Book in the ledger what was really moved or received.

    Example: fieldwise stock moved 3f0c9a52c6d14e0f9a4f1d4f4c1f0b7e --units 38
    """
    from operations import stock_moves

    _change(lambda session, actor: stock_moves.record_move(session, actor, proposal, units), json=json)


def _change(act: Callable[[Any, Actor], ProposalCard], *, json: bool) -> None:
    """Do something to a proposal in one unit of work (``act`` gets its session), and show what became of it."""
    from api.commands.installation import open_installation
    from api.schemas.stock_proposals import ProposalAnswer
    from operations.access import Actor

    actor = Actor.system("command-line")
    try:
        with open_installation().database.write(actor.code) as session:
            card = act(session, actor)
    except FieldwiseError as error:
        fail(error)
    if json:
        typer.echo(ProposalAnswer.of(card, language()).model_dump_json(indent=2))
    else:
        typer.echo(f"{card.id}: {card.status}, {card.moved_units or card.quantity_units}")
