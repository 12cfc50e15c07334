"""``routes``: solving a day from a file, and benchmarks on published instances."""

from __future__ import annotations

import json as json_module
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

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
    write_file,
)
from common.errors import FieldwiseError, InvalidInput, Text
from common.units import format_clock_time, parse_clock_time

if TYPE_CHECKING:
    from operations.day_plan import StoredPlan
    from routing.problem import DayProblem
    from routing.travel_times import TravelTimes

routes_app = typer.Typer(no_args_is_help=True, help="Day plans: solve a file, measure on published instances.")


@routes_app.command("solve")
def solve_file(
    file: FileArgument,
    reps: Annotated[int, typer.Option(min=1, max=300, help="CSV: so many reps, starts spread over the area.")] = 8,
    shift: Annotated[str, typer.Option(help="CSV: working hours.")] = "09:00-18:00",
    lunch: Annotated[str, typer.Option(help="CSV: lunch break; none for no break.")] = "12:00-13:00",
    service_min: Annotated[int, typer.Option(min=0, max=1440, help="CSV: minutes a visit.")] = 20,
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="Time limit of the search.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Another seed searches another way.")] = 0,
    to: Annotated[Literal["text", "json", "geojson", "csv"], typer.Option(help="What to print.")] = "text",
    output: Annotated[str, typer.Option("--output", "-o", help="Write to this file instead.")] = "-",
    json: JsonFlag = False,
) -> None:
    """Plan a day from a JSON problem, or from a CSV of visits (id, name, latitude, longitude …).

    Ends with 1 when the checker does not accept the plan, for instance because a mandatory visit cannot be served.

    Example: fieldwise routes solve shops.csv --reps 8 --seconds 10

    Example: fieldwise routes solve day.json --to geojson -o day.geojson
    """
    from api.services import make_travel_times
    from api.settings import load_settings

    try:
        content, _ = read_file(file)
        if content.lstrip()[:1] in (b"{", b"["):
            problem, own = _json_problem(content)
        else:
            problem, own = _csv_problem(content, reps, (shift, lunch), service_min), None
        travel_times = own or make_travel_times(load_settings())
        stored = _solve(problem, travel_times, seconds, seed)
        write_file(output, _rendered(stored, "json" if json else to))
    except FieldwiseError as error:
        fail(error)
    if not stored.summary.feasible:
        raise SystemExit(FAILED)


def _json_problem(content: bytes) -> tuple[DayProblem, TravelTimes | None]:
    from routing.problem_files import problem_from_json, travel_from_mapping

    problem = problem_from_json(content)
    travel = json_module.loads(content).get("travel")
    return problem, travel_from_mapping(travel) if travel is not None else None


def _csv_problem(content: bytes, reps: int, hours: tuple[str, str], service_min: int) -> DayProblem:
    from routing.problem import Break, DayProblem, TimeWindow
    from routing.visit_files import spread_reps, visits_from_csv

    shift, lunch = hours
    start_s, end_s = _span(shift, "--shift")
    breaks: tuple[Break, ...] = ()
    if lunch.lower() != "none":
        lunch_start_s, lunch_end_s = _span(lunch, "--lunch")
        breaks = (Break(lunch_start_s, lunch_start_s, lunch_end_s - lunch_start_s),)
    visits = visits_from_csv(content, service_s=service_min * 60)
    return DayProblem(visits, spread_reps(visits, reps, shift=TimeWindow(start_s, end_s), breaks=breaks))


def _span(text: str, option: str) -> tuple[int, int]:
    start, dash, end = text.partition("-")
    if not dash:
        raise InvalidInput.at(option, "must be written like 09:00-18:00", "应写成 09:00-18:00 的形式")
    start_s, end_s = parse_clock_time(start, pointer=option), parse_clock_time(end, pointer=option)
    if end_s <= start_s:
        raise InvalidInput.at(option, "must end after it starts", "结束必须晚于开始")
    return start_s, end_s


def _solve(problem: DayProblem, travel_times: TravelTimes, seconds: float, seed: int) -> StoredPlan:
    from operations.day_plan import unstored

    with progress_bar() as bar:

        def show(progress: dict[str, Any]) -> None:
            served, left = progress["served"], progress["unassigned"]
            text = Text(f"{served} served, {left} left out", f"已安排 {served}，未安排 {left}")
            bar(min(1.0, progress["elapsed_s"] / seconds), text)

        return unstored(problem, travel_times, date.today(), time_limit_s=seconds, seed=seed, on_progress=show)


def _rendered(stored: StoredPlan, to: str) -> bytes:
    from routing.render import to_csv, to_geojson

    if to == "geojson":
        return (json_module.dumps(to_geojson(stored.problem, stored.plan), ensure_ascii=False) + "\n").encode()
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
        reasons = "; ".join(say(reason.text) for reason in left_out.reasons)
        lines.append(f"  –  {visits[left_out.visit_id].name}: {reasons}")
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
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of Solomon files (*.txt).")],
    seconds: Annotated[str, typer.Option(help="Time limits, separated by commas.")] = "5",
    best: Annotated[Path | None, typer.Option(help="CSV with instance and best_known_distance.")] = None,
    only: Annotated[str, typer.Option(help="Only these instances, separated by commas.")] = "",
    json: JsonFlag = False,
) -> None:
    """Solve published instances for the least total distance and show the gap to the best known.

    Example: fieldwise routes bench solomon --seconds 1,5 --best solomon/best_known.csv --json
    """
    from routing.vrptw import bench

    try:
        try:
            limits = [float(part) for part in seconds.split(",")]
        except ValueError:
            limits = []
        if not limits or min(limits) <= 0:
            raise InvalidInput.at("--seconds", "must be numbers above 0, such as 1,5,10", "应为正数，如 1,5,10")
        chosen = [name.strip() for name in only.split(",") if name.strip()]
        found = bench(folder, limits, best, instances=chosen)
    except FieldwiseError as error:
        fail(error)
    if json:
        print_json(found)
        return
    rows = [
        [
            run["instance"],
            f"{run['seconds']:g}",
            f"{run['distance']:.1f}",
            "–" if run["best"] is None else f"{run['best']:.1f}",
            "–" if run["gap_percent"] is None else f"{run['gap_percent']:.2f}",
            "✓" if run["feasible"] else "✗",
            f"{run['wall_s']:.2f}",
        ]
        for run in found["runs"]
    ]
    title = ", ".join(f"{limit} s: mean gap {gap} %" for limit, gap in found["mean_gap_percent"].items())
    print_table(title, ["instance", "s", "distance", "best", "gap %", "ok", "wall s"], rows)
