"""``hint``: asking the coach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.commands.terminal import (
    JsonFlag,
    fail,
    read_file,
    speaks_chinese,
)
from common.errors import FieldwiseError

if TYPE_CHECKING:
    from api.schemas.hints import HintGivenAnswer


def hint(
    text: Annotated[str, typer.Argument(help="What the customer said; - reads standard input.")],
    language: Annotated[Literal["zh", "en"] | None, typer.Option(help="Language of the lines.")] = None,
    region: Annotated[str | None, typer.Option(help="Region whose entries may be used.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10, help="Most suggestions.")] = 3,
    json: JsonFlag = False,
) -> None:
    """Ask what to say to a customer: up to three lines that worked, or an honest no match.

    Example: fieldwise hint "隔壁家同款便宜两百块"

    Example: fieldwise hint "your competitor is 20% cheaper" --json
    """
    from api.commands.installation import open_with_library
    from api.schemas.hints import HintGivenAnswer
    from coach.hint import HintQuestion
    from operations import hints
    from operations.access import Actor

    try:
        if text == "-":
            text = read_file("-")[0].decode("utf-8", errors="replace").strip()
        services = open_with_library()
        question = HintQuestion(text=text, on=services.today(), language=language, region=region, k=limit)
        actor = Actor.system("command-line")
        given = hints.ask(services.database, services.hint_desk, actor, question, evidence_desk=services.evidence_desk)
    except FieldwiseError as error:
        fail(error)
    answer = HintGivenAnswer.of(given, "zh" if speaks_chinese() or given.answer.language == "zh" else "en")
    if json:
        typer.echo(answer.model_dump_json(indent=2))
    else:
        _print_hint(answer)


def _print_hint(answer: HintGivenAnswer) -> None:
    zh = answer.language == "zh"
    if not answer.matched:
        typer.echo(("没有匹配：" if zh else "No match: ") + (answer.reason or ""))
        if answer.open_question:
            typer.echo(("可以问客户：" if zh else "You may ask: ") + answer.open_question)
        return
    for item in answer.suggestions:
        typer.echo(f"\n{item.rank}. {item.talk_track}")
        heard = f" ← {item.why.matched_utterance}" if item.why.matched_utterance else ""
        typer.echo(f"   [{item.entry_key}] {item.title} · {item.why.objection}{heard}")
        if item.effect:
            effect = item.effect
            typer.echo(
                f"   {effect.metric} {effect.before:g} → {effect.after:g}, n = {effect.n}, "
                f"{effect.period_start} – {effect.period_end}"
            )
        for warning in item.warnings[:1]:
            typer.echo(("   别说：" if zh else "   Do not say: ") + " / ".join(warning.bad_lines))
    for note in answer.notes:
        typer.echo(f"\n{note}")
