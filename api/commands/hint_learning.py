"""``coach evaluate-ranking``: whether a new ranking of hints would have done better, before it is switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.commands.terminal import FAILED, JsonFlag, fail, print_json, print_table, say
from common.errors import FieldwiseError, Text

if TYPE_CHECKING:
    from coach.offline_evaluation import Estimate, RankingComparison


def evaluate_ranking(
    new: Annotated[Literal["plain", "evidence"], typer.Option(help="The ranking to try.")] = "evidence",
    current: Annotated[Literal["plain", "evidence"], typer.Option(help="The ranking to compare it with.")] = "plain",
    reward: Annotated[
        Literal["adoption", "conversion"],
        typer.Option(help="What counts: lines used or edited, or those on visits that were won."),
    ] = "adoption",
    days: Annotated[int, typer.Option(min=1, max=180, help="Hints of the last so many days are replayed.")] = 28,
    region: Annotated[str | None, typer.Option(help="Only hints of this region.")] = None,
    json: JsonFlag = False,
) -> None:
    """Say whether a new ranking of hints would have earned more than the current one, from hints that were given.

    It needs hints that were given with some exploration (FIELDWISE_HINT_EXPLORATION; with FIELDWISE_HINT_EVIDENCE=trial
    the evidence is only tried). Ends with 1 unless the new ranking is better.

    Example: fieldwise coach evaluate-ranking

    Example: fieldwise coach evaluate-ranking --reward conversion --days 90 --json
    """
    from dataclasses import asdict
    from datetime import timedelta

    from api.commands.installation import open_installation
    from api.services import evidence_settings
    from operations.access import Actor
    from operations.hint_learning import Trial, compare_rankings

    try:
        services = open_installation()
        trial = Trial(new, current, reward, services.clock.now() - timedelta(days=days), region)
        with services.database.read() as session:
            settings = evidence_settings(services.settings)
            found = compare_rankings(session, Actor.system("command-line"), trial, settings)
    except FieldwiseError as error:
        fail(error)
    if json:
        print_json({"hints": 0, "verdict": "not enough data"} if found is None else asdict(found))
    elif found is None:
        typer.echo(say(Text("not enough data: there are no hints to replay", "数据不足：没有可以回放的提示")))
    else:
        _print_comparison(found, new, current)
    if found is None or found.verdict != "better":
        raise SystemExit(FAILED)


def _print_comparison(found: RankingComparison, new: str, current: str) -> None:
    columns = [
        "",
        say(Text("doubly robust", "双重稳健估计")),
        "SNIPS",
        say(Text("effective hints", "有效提示数")),
        say(Text("mean weight", "平均权重")),
    ]
    rows = [
        [name, _figures(each.doubly_robust), _figures(each.snips), f"{each.effective_hints:.0f}", f"{each.support:.2f}"]
        for name, each in ((new, found.new), (current, found.current))
    ]
    gain = say(Text("difference", "差值"))
    rows.append([gain, _figures(found.difference), _figures(found.snips_difference), "", ""])
    title = Text(
        f"rewards a hint, {found.hints} hints replayed (95 % intervals); logged: {found.logged:.3f}",
        f"每条提示的收益，回放 {found.hints} 条（95% 区间）；实际：{found.logged:.3f}",
    )
    print_table(say(title), columns, rows)
    verdicts = {"better": "更好", "not better": "没有更好", "not enough data": "数据不足"}
    typer.echo(say(Text(f"{found.verdict}: {found.reason.en}", f"{verdicts[found.verdict]}：{found.reason.zh}")))


def _figures(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.3f} … {estimate.high:.3f})"
