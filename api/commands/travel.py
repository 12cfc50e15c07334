"""``routes travel-check``: whether the travel times of a day are plausible, and whom no way leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.terminal import FAILED, FileArgument, JsonFlag, fail, print_json, print_table, read_file, say
from common.errors import FieldwiseError, Text

if TYPE_CHECKING:
    from routing.problem import DayProblem
    from routing.travel.for_problem import ProblemTravel
    from routing.travel.sanity import TravelSanity
    from routing.travel_times import TravelTimes


def travel_check(
    file: FileArgument,
    reps: Annotated[int, typer.Option(min=1, max=300, help="CSV: so many reps, starts spread over the area.")] = 8,
    shift: Annotated[str, typer.Option(help="CSV: working hours.")] = "09:00-18:00",
    json: JsonFlag = False,
) -> None:
    """Check the travel times between the places of a JSON problem or of a CSV of visits.

    They come from the problem's own ``travel``, or from where FIELDWISE_TRAVEL_TIMES says. Shows symmetry, triangles,
    speeds, units that look wrong, and places that no way leads to. Ends with 1 when something looks wrong.

    Example: fieldwise routes travel-check day.json

    Example: FIELDWISE_TRAVEL_TIMES=osm FIELDWISE_OSM_FILE=city.osm.pbf fieldwise routes travel-check shops.csv --json
    """
    from routing.travel.for_problem import travel_for
    from routing.travel.sanity import examine

    try:
        problem, source = _asked(read_file(file)[0], reps, shift)
        travel = travel_for(problem, source)
    except FieldwiseError as error:
        fail(error)
    sanity = examine(travel.table, problem.locations())
    if json:
        print_json({**sanity.short_record(), "unreachable_visits": _unreachable(travel)})
    else:
        _print(problem, travel, sanity)
    if sanity.hints or travel.unreachable:
        raise SystemExit(FAILED)


def _asked(content: bytes, reps: int, shift: str) -> tuple[DayProblem, TravelTimes]:
    from api.commands.day_files import CsvReps, read_day
    from api.services import make_travel_times
    from api.settings import load_settings

    day, own = read_day(content, CsvReps(reps, shift))
    return day.problem, own or make_travel_times(load_settings())


def _unreachable(travel: ProblemTravel) -> list[dict[str, str]]:
    return [{"visit_id": item.visit_id, "en": item.text.en, "zh": item.text.zh} for item in travel.unreachable]


def _print(problem: DayProblem, travel: ProblemTravel, sanity: TravelSanity) -> None:
    names = _names(problem)
    rows = [
        [say(Text("places", "地点")), str(sanity.places)],
        [say(Text("ways missing", "缺少的通路")), str(sanity.unreachable_pairs)],
        [say(Text("pairs that differ by direction", "往返不同的地点对")), f"{100 * sanity.asymmetric_share:.1f} %"],
        [say(Text("largest ratio of both directions", "往返最大比值")), _ratio(sanity, names)],
        [say(Text("detours quicker than the direct way", "比直达更快的绕行")), _triangles(sanity, names)],
        [say(Text("speed, km/h: lowest, median, highest", "速度（公里/时）：最低、中位、最高")), _speeds(sanity)],
    ]
    print_table(say(Text("Travel times", "路程时间")), [say(Text("figure", "指标")), say(Text("value", "数值"))], rows)
    for hint in sanity.hints:
        typer.echo(f"! {say(hint.text)}")
    for item in travel.unreachable:
        typer.echo(f"! {item.visit_id}: {say(item.text)}")


def _names(problem: DayProblem) -> list[str]:
    """Return what to call each place of the problem."""
    start, end = Text("start", "起点"), Text("end", "终点")
    starts = [f"{rep.id} ({say(start)})" for rep in problem.reps]
    ends = [f"{rep.id} ({say(end)})" for rep in problem.reps if rep.end is not None]
    return [visit.id for visit in problem.visits] + starts + ends


def _ratio(sanity: TravelSanity, names: list[str]) -> str:
    if sanity.most_asymmetric is None:
        return f"{sanity.largest_ratio:.2f}"
    start, end = sanity.most_asymmetric
    return f"{sanity.largest_ratio:.2f} ({names[start]} → {names[end]})"


def _triangles(sanity: TravelSanity, names: list[str]) -> str:
    share, worst = f"{100 * sanity.triangle_share:.2f} %", sanity.worst_triangle
    if worst is None:
        return share
    way = " → ".join(names[place] for place in (worst.start, worst.via, worst.end))
    return f"{share} ({way}: {worst.gain_s} s)"


def _speeds(sanity: TravelSanity) -> str:
    speeds: Any = sanity.speed_kmh
    return "–" if speeds is None else ", ".join(f"{speed:.1f}" for speed in speeds)
