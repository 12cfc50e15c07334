"""``routes``: solving a day from a file, and benchmarks on published instances."""

from __future__ import annotations

import json as json_module
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from api.commands.day_files import CsvReps, read_day
from api.commands.route_export import export_plan
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
    write_file,
)
from api.commands.travel import travel_check
from common.errors import FieldwiseError, InvalidInput, Text
from common.units import format_clock_time

if TYPE_CHECKING:
    from operations.day_plan import StoredPlan
    from routing.travel_times import TravelTimes
    from routing.usable_visits import UsableDay

routes_app = typer.Typer(no_args_is_help=True, help="Day plans: solve a file, measure on published instances.")
routes_app.command("travel-check")(travel_check)
routes_app.command("export")(export_plan)


@routes_app.command("solve")
def solve_file(
    file: FileArgument,
    reps: Annotated[int, typer.Option(min=1, max=300, help="CSV: so many reps, starts spread over the area.")] = 8,
    shift: Annotated[str, typer.Option(help="CSV: working hours.")] = "09:00-18:00",
    lunch: Annotated[str, typer.Option(help="CSV: lunch break; none for no break.")] = "12:00-13:00",
    service_min: Annotated[int, typer.Option(min=0, max=1440, help="CSV: minutes a visit.")] = 20,
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="Time limit of the search.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Another seed searches another way.")] = 0,
    strict: Annotated[bool, typer.Option("--strict", help="Fail when a visit cannot be used.")] = False,
    to: Annotated[Literal["text", "json", "geojson", "csv"], typer.Option(help="What to print.")] = "text",
    output: Annotated[str, typer.Option("--output", "-o", help="Write to this file instead.")] = "-",
    json: JsonFlag = False,
) -> None:
    """Plan a day from a JSON problem, or from a CSV of visits (id, name, latitude, longitude …).

    Visits that cannot be used (coordinates swapped, an id twice …) are left out and named. Ends with 1 when the
    checker does not accept the plan, for instance because a mandatory visit cannot be served.

    Example: fieldwise routes solve shops.csv --reps 8 --seconds 10

    Example: fieldwise routes solve day.json --to geojson -o day.geojson
    """
    from api.services import make_travel_times
    from api.settings import load_settings

    try:
        content, _ = read_file(file)
        day, own = read_day(content, CsvReps(reps, shift, lunch, service_min), strict=strict)
        stored = _solve(day, own or make_travel_times(load_settings()), seconds, seed)
        write_file(output, _rendered(stored, "json" if json else to))
    except FieldwiseError as error:
        fail(error)
    if not stored.summary.feasible:
        raise SystemExit(FAILED)


def _solve(day: UsableDay, travel_times: TravelTimes, seconds: float, seed: int) -> StoredPlan:
    from operations.day_plan import unstored

    with progress_bar() as bar:

        def show(progress: dict[str, Any]) -> None:
            served, left = progress["served"], progress["unassigned"]
            text = Text(f"{served} served, {left} left out", f"已安排 {served}，未安排 {left}")
            bar(min(1.0, progress["elapsed_s"] / seconds), text)

        today = date.today()
        stored = unstored(day.problem, travel_times, today, time_limit_s=seconds, seed=seed, on_progress=show)
    return replace(stored, unusable=day.unusable)


def _rendered(stored: StoredPlan, to: str) -> bytes:
    from routing.render import to_csv, to_geojson

    if to == "geojson":
        drawing = to_geojson(stored.problem, stored.plan, stored.lines)
        return (json_module.dumps(drawing, ensure_ascii=False) + "\n").encode()
    if to == "csv":
        return to_csv(stored.problem, stored.plan).encode("utf-8-sig")
    if to == "json":
        from api.schemas.routes import RoutePlanAnswer

        return (RoutePlanAnswer.of(stored, "en").model_dump_json(indent=2) + "\n").encode()
    return _as_text(stored).encode()


def _as_text(stored: StoredPlan) -> str:
    visits = {visit.id: visit for visit in stored.problem.visits}
    reps = {rep.id: rep for rep in stored.problem.reps}
    lines = []
    for route in stored.plan.routes:
        finish = format_clock_time(route.end_s)
        head = f"{reps[route.rep_id].name}  {format_clock_time(route.departure_s)}–{finish}"
        lines.append(f"{head}  {len(route.stops)} × {route.travel_s // 60} min {route.distance_m / 1000:.1f} km")
        for position, stop in enumerate(route.stops, start=1):
            lines.append(f"  {position:>3}. {format_clock_time(stop.arrival_s)}  {visits[stop.visit_id].name}")
    for left_out in stored.plan.unassigned:
        told = [say(reason.text) for reason in left_out.reasons]
        told += [f"→ {say(found.text)}" for found in left_out.relaxations[:1]]
        lines.append(f"  –  {visits[left_out.visit_id].name}: {'; '.join(told)}")
    summary = stored.summary
    checked = Text("accepted by the checker", "已通过检查") if summary.feasible else Text("NOT accepted", "未通过检查")
    lines.append(
        say(
            Text(
                f"{summary.assigned_visits} visits, {summary.unassigned_visits} left out, "
                f"{summary.travel_s / 3600:.1f} h on the road, {summary.distance_m / 1000:.0f} km, {checked.en}, "
                f"{summary.solve_s:.1f} s",
                f"安排 {summary.assigned_visits} 次拜访，未安排 {summary.unassigned_visits} 次，"
                f"路上 {summary.travel_s / 3600:.1f} 小时，{summary.distance_m / 1000:.0f} 公里，{checked.zh}，"
                f"用时 {summary.solve_s:.1f} 秒",
            )
        )
    )
    return "\n".join(lines) + "\n"


@routes_app.command("bench")
def bench_folder(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of Solomon, Homberger or VRPLIB files (*.txt, *.vrp).")
    ],
    seconds: Annotated[str, typer.Option(help="Time limits, separated by commas.")] = "5",
    best: Annotated[
        Path | None, typer.Option(help="CSV with instance and best_known_distance; else *.sol files in the folder.")
    ] = None,
    instances: Annotated[
        str, typer.Option("--instances", "--only", help="Only these (names without ending), separated by commas.")
    ] = "",
    rounding: Annotated[
        Literal["auto", "dimacs", "nearest", "trunc", "ceil", "exact"],
        typer.Option(
            help="How distances are rounded: dimacs truncates to one decimal, nearest, trunc and ceil give whole "
            "numbers, exact keeps three decimals; auto takes nearest for CVRP and dimacs for the rest."
        ),
    ] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Another seed searches another way.")] = 0,
    json: JsonFlag = False,
) -> None:
    """Solve published instances for the least total distance and show the gap to the best known.

    Reads CVRP, VRPTW, prize-collecting (PRIZE_SECTION: distance plus prizes not collected counts) and multi-depot
    files. Every plan is checked; one that breaks a rule has no gap.

    Example: fieldwise routes bench solomon --seconds 1,5 --best solomon/best_known.csv --json

    Example: fieldwise routes bench X --seconds 10 --instances X-n101-k25,X-n106-k14
    """
    from routing.instances.bench import BenchOptions, bench

    try:
        options = BenchOptions(_limits(seconds), best, _names(instances), rounding, seed)
        with progress_bar(shown=not json) as bar:

            def show(done: int, total: int, run: dict[str, Any]) -> None:
                bar(
                    done / total,
                    Text(f"{run['instance']} {run['seconds']:g} s", f"{run['instance']} {run['seconds']:g} 秒"),
                )

            found = bench(folder, options, show)
    except FieldwiseError as error:
        fail(error)
    if json:
        print_json(found)
    else:
        _print_bench(found)


def _limits(text: str) -> list[float]:
    try:
        limits = [float(part) for part in text.split(",")]
    except ValueError:
        limits = []
    if not limits or not all(0 < limit <= 86_400 for limit in limits):
        raise InvalidInput.at("--seconds", "must be numbers above 0, such as 1,5,10", "应为正数，如 1,5,10")
    return limits


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _print_bench(found: dict[str, Any]) -> None:
    """Print one table of the runs and one of the means."""
    rows = [
        [
            run["instance"],
            f"{run['seconds']:g}",
            f"{run['objective']:.1f}",
            _number(run["best"], 1),
            _number(run["gap_percent"], 2),
            str(run["vehicles"]),
            f"{run['wall_s']:.2f}",
            "✓" if run["feasible"] else "✗ " + ", ".join(run["broken"]),
        ]
        for run in found["runs"]
    ]
    heads = ["instance", "s", "cost", "best", "gap %", "routes", "wall s", "ok"]
    print_table("", heads, rows)
    limits = list(found["mean_gap_percent"])
    classes = sorted({name for by_class in found["by_class"].values() for name in by_class})
    means = [[name, *(_number(found["by_class"][limit].get(name), 3) for limit in limits)] for name in classes]
    means.append([say(Text("all", "全部")), *(_number(found["mean_gap_percent"][limit], 3) for limit in limits)])
    means.append([say(Text("worst", "最差")), *(_number(found["worst_gap_percent"][limit], 3) for limit in limits)])
    title = say(Text("Mean gap to the best known, %", "与已知最优值的平均差距，%"))
    print_table(title, [say(Text("class", "类别")), *(f"{limit} s" for limit in limits)], means)


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
