"""``library review``, ``submit``, ``approve``, ``return``, ``merge``, ``credits``: what a reviewer decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.commands.terminal import JsonFlag, fail, print_json, print_table, say
from common.errors import FieldwiseError, Text

if TYPE_CHECKING:
    from api.schemas.library_review import ReviewItemAnswer

LanguageOption = Annotated[Literal["zh", "en"], typer.Option(help="Language of the entry.")]


def list_review(
    status: Annotated[Literal["draft", "review"] | None, typer.Option(help="Only drafts, or those in review.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Most entries, who has waited longest first.")] = 20,
    json: JsonFlag = False,
) -> None:
    """List drafts and entries in review, with what says nearly the same and what should be mended.

    Example: fieldwise library review --status review
    """
    from api.commands.installation import open_with_library
    from api.schemas.library_review import ReviewItemAnswer
    from operations.access import Actor
    from operations.library_review import QueuePage, review_queue

    try:
        services = open_with_library()
        with services.database.read() as session:
            items = review_queue(
                session,
                Actor.system("command-line"),
                services.near_duplicates,
                on=services.today(),
                page=QueuePage(status=status, limit=limit),
            )
    except FieldwiseError as error:
        fail(error)
    answers = [ReviewItemAnswer.of(item, say(Text("en", "zh"))) for item in items]
    if json:
        print_json([answer.model_dump(mode="json") for answer in answers])
        return
    if not answers:
        typer.echo(say(Text("nothing waits", "没有待审核的条目")))
        return
    print_table(
        say(Text(f"{len(answers)} waiting", f"待处理 {len(answers)} 条")),
        [say(Text(en, zh)) for en, zh in (("entry", "条目"), ("state", "状态"), ("title", "标题"), ("since", "时间"))]
        + [say(Text("near", "相近条目")), say(Text("to mend", "待修改"))],
        [_review_row(answer) for answer in answers],
    )


def _review_row(answer: ReviewItemAnswer) -> list[str]:
    entry = answer.entry
    near = ", ".join(f"{each.key} {each.similarity:.0%}" for each in answer.near)
    mend = "; ".join(f"{each.field}: {each.detail}" if each.field else each.detail for each in answer.findings)
    author = f" ({entry.author})" if entry.author else ""
    return [
        f"{entry.key} {entry.language}{author}",
        entry.status,
        entry.title,
        f"{answer.waits_since.astimezone():%Y-%m-%d %H:%M}",
        near,
        mend,
    ]


def submit_entries(
    keys: Annotated[list[str], typer.Argument(metavar="KEY…", help="Drafts.")],
    language: LanguageOption = "zh",
) -> None:
    """Hand drafts to the reviewers.

    Example: fieldwise library submit no_time-14
    """
    from api.commands.installation import open_with_library
    from operations import library_review
    from operations.access import Actor

    try:
        with open_with_library().database.write("command-line") as session:
            for key in keys:
                library_review.submit(session, Actor.system("command-line"), key, language)
    except FieldwiseError as error:
        fail(error)
    typer.echo(say(Text(f"{len(keys)} in review", f"已提交审核 {len(keys)} 条")))


def approve_entries(
    keys: Annotated[list[str], typer.Argument(metavar="KEY…", help="Entries in review.")],
    language: LanguageOption = "zh",
) -> None:
    """Publish entries that are in review, and credit their authors.

    Example: fieldwise library approve cheaper_competitor-21 no_time-14 --language zh
    """
    from api.commands.installation import open_with_library
    from operations import library_review
    from operations.access import Actor

    try:
        services = open_with_library()
        reward_cny = services.settings.entry_reward_cny
        with services.database.write("command-line") as session:
            for key in keys:
                library_review.approve(session, Actor.system("command-line"), key, language, reward_cny=reward_cny)
    except FieldwiseError as error:
        fail(error)
    typer.echo(say(Text(f"{len(keys)} published", f"已发布 {len(keys)} 条")))


def send_entry_back(
    key: Annotated[str, typer.Argument(help="An entry in review.")],
    reason: Annotated[str, typer.Option(help="What its author should mend.")],
    language: LanguageOption = "zh",
) -> None:
    """Make an entry in review a draft again, with the reason for its author.

    Example: fieldwise library return no_time-14 --reason "n and period are missing"
    """
    from api.commands.installation import open_with_library
    from operations import library_review
    from operations.access import Actor

    try:
        with open_with_library().database.write("command-line") as session:
            library_review.send_back(session, Actor.system("command-line"), key, language, reason=reason)
    except FieldwiseError as error:
        fail(error)
    typer.echo(say(Text(f"{key} is a draft again", f"{key} 已退回为草稿")))


def merge_entries(
    key: Annotated[str, typer.Argument(help="The entry that is retired.")],
    into: Annotated[str, typer.Argument(help="The entry that survives.")],
    language: LanguageOption = "zh",
) -> None:
    """Unite two entries: ways of saying, lines and steps that are no near-copies; both authors are credited.

    Example: fieldwise library merge no_time-14 no_time-02
    """
    from api.commands.installation import open_with_library
    from operations import library_merge
    from operations.access import Actor

    try:
        services = open_with_library()
        with services.database.write("command-line") as session:
            outcome = library_merge.merge(
                session,
                Actor.system("command-line"),
                (key, language),
                into,
                reward_cny=services.settings.entry_reward_cny,
            )
    except FieldwiseError as error:
        fail(error)
    typer.echo(say(Text(f"{key} is part of {into} now", f"{key} 已并入 {into}")))
    for text in outcome.left_out:
        typer.echo(say(Text("left out: ", "未收入：")) + text)


def list_credits(json: JsonFlag = False) -> None:
    """List what authors earned with accepted entries.

    Example: fieldwise library credits --json
    """
    from dataclasses import asdict

    from api.commands.installation import open_with_library
    from operations.access import Actor
    from operations.library_credits import credits_by_author

    try:
        with open_with_library().database.read() as session:
            found = credits_by_author(session, Actor.system("command-line"))
    except FieldwiseError as error:
        fail(error)
    if json:
        print_json([asdict(item) for item in found])
        return
    print_table(
        say(Text("credit", "贡献奖励")),
        [say(Text(en, zh)) for en, zh in (("author", "作者"), ("accepted", "入库"), ("reward (CNY)", "奖励（元）"))],
        [[item.author, str(item.accepted), f"{item.reward_cny:g}"] for item in found],
    )
