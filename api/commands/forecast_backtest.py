"""``forecast backtest``: the forecaster on the past days of any demand file, next to simpler and to other methods."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

from api.commands.terminal import (
    FAILED,
    FileArgument,
    JsonFlag,
    fail,
    print_json,
    print_table,
    progress_bar,
    read_file,
    say,
)
from common.errors import FieldwiseError, Text

_COLUMNS = {
    "mase": "mase",
    "rmsse": "rmsse",
    "wape": "wape",
    "bias": "bias",
    "coverage80": "cov80",
    "interval_score": "band",
}
_LEGEND = Text(
    "cov80: share of days inside the 80 % band; band: its interval score; q0.9: pinball loss there. Smaller is better, "
    "but for cov80.",
    "cov80：落在 80 % 区间内的天数占比；band：区间得分；q0.9：该分位的分位数损失。除 cov80 外越小越好。",
)


class Groups(StrEnum):
    """What measures are grouped by."""

    REGION = "region"
    ITEM = "item"


def backtest_file(
    file: FileArgument,
    origins: Annotated[int, typer.Option(min=1, help="How many past days are forecast from.")] = 28,
    step: Annotated[int | None, typer.Option(min=1, help="Days between two of them; the horizon by default.")] = None,
    horizon: Annotated[int, typer.Option(min=1, max=28, help="Days ahead.")] = 3,
    country: Annotated[str, typer.Option(help="Whose public holidays: CN, US, US-IL …; none for no calendar.")] = "CN",
    compare: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Forecasts of other methods: date_of_origin, region, item, h, mean; optionally method, q0.1, q0.5, "
            "q0.9.",
        ),
    ] = None,
    groups: Annotated[Groups | None, typer.Option(help="Measures of each region or item, too.")] = None,
    json: JsonFlag = False,
) -> None:
    """Forecast past days of a demand file and compare with simpler methods, and with the forecasts of a file.

    Columns: date, region, item, quantity; optionally available; any further column is a known-future covariate.

    Example: fieldwise forecast backtest demand.csv.gz --origins 28 --compare ours.csv --groups region --json
    """
    from forecasting.backtest import BacktestPlan, run_backtest
    from forecasting.model import ForecastConfig
    from forecasting.panel import read_panel
    from forecasting.rival_forecasts import read_rivals

    try:
        content, name = read_file(file)
        panel = read_panel(content, name)
        rivals = None
        if compare is not None:
            forecasts, their_name = read_file(compare)
            rivals = read_rivals(forecasts, panel, filename=their_name)
        plan = BacktestPlan(origins, step, horizon, group_by=groups.value if groups else None)
        config = ForecastConfig(country=None if country.lower() == "none" else country, horizon=horizon)
        with progress_bar() as bar:
            found = run_backtest(panel, plan, config=config, rivals=rivals, progress=bar)
    except FieldwiseError as error:
        fail(error)
    if json:
        print_json(found)
    elif found["origins"] == 0:
        typer.echo(say(Text(found["reason"]["en"], found["reason"]["zh"])))
    else:
        print_backtest(found)
    if found["origins"] == 0:
        raise SystemExit(FAILED)


def print_backtest(found: dict[str, Any]) -> None:
    """Print the measures of a backtest for people, in 80 columns."""
    methods = [name for name, part in found.items() if isinstance(part, dict) and "by_horizon" in part]
    rows = [row for name in methods for row in _rows(name, found[name])]
    title = (
        f"{found['series']} series, {found['origins']} origins {found['first_origin']} … {found['last_origin']}, "
        f"trained in {found['train_seconds']:.1f} s"
    )
    print_table(title, ["", *_COLUMNS.values(), "q0.9"], rows)
    typer.echo(say(_LEGEND))
    # Backtests that were stored before there were intervals lack them.
    for rival, better in found.get("improvements", {}).items():
        typer.echo(_in_words(rival, better))
    for note in found["notes"]:
        typer.echo(say(Text(note["en"], note["zh"])))


def _rows(name: str, measures: dict[str, Any]) -> Iterator[list[str]]:
    yield [name, *_figures(measures)]
    intervals = measures.get("intervals", {})
    if intervals.get("mase"):
        yield [say(Text(" 95 % from", " 95 % 下限")), *_figures(intervals, bound=0)]
        yield [say(Text(" to", " 上限")), *_figures(intervals, bound=1)]
    for ahead, part in measures["by_horizon"].items():
        yield [say(Text(f" {ahead} ahead", f" 提前 {ahead} 天")), *_figures(part)]
    if "total" in measures:
        yield [say(Text(" total", " 合计")), *_figures(measures["total"])]
    for group, part in measures.get("by_group", {}).items():
        yield [f" {group}", *_figures(part)]


def _figures(part: dict[str, Any], *, bound: int | None = None) -> list[str]:
    """Return the cells of a row; of intervals their lower (0) or upper (1) bound."""
    values = [*(part.get(measure) for measure in _COLUMNS), part["pinball"]["0.9"]]
    return [_number(value[bound] if value is not None and bound is not None else value) for value in values]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _in_words(rival: str, better: dict[str, Any]) -> str:
    if better["mase"] is None:
        return say(Text(f"MASE against {rival} cannot be compared", f"无法与 {rival} 比较 MASE"))
    share, bounds, side_en, side_zh = better["mase"], better["intervals"]["mase"], "below", "低"
    if share < 0:
        share, side_en, side_zh = -share, "above", "高"
        bounds = [-bound for bound in reversed(bounds)] if bounds else None
    span = f" ({bounds[0]:.1%} … {bounds[1]:.1%})" if bounds else ""
    return say(Text(f"MASE {share:.1%} {side_en} {rival}{span}", f"MASE 比 {rival} {side_zh} {share:.1%}{span}"))
