"""``routes evaluate``: what a plan of one's own comes to, without solving."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from api.commands.routes import routes_app
from api.commands.terminal import (
    FAILED,
    FileArgument,
    JsonFlag,
    fail,
    print_json,
    read_file,
    say,
    speaks_chinese,
)
from common.errors import FieldwiseError, InvalidInput, Text
from common.units import format_clock_time

if TYPE_CHECKING:
    from operations.plan_evaluation import EvaluatedPlan

COST_PARTS = {
    "travel": Text("travel", "路上时间"),
    "distance": Text("distance", "里程"),
    "overtime": Text("overtime", "加班"),
    "left_out": Text("left out", "未安排"),
    "fixed": Text("fixed", "出勤"),
    "change": Text("change", "换人"),
    "fairness": Text("fairness", "不均"),
}


@routes_app.command("evaluate")
def evaluate_file(
    file: FileArgument,
    coordinates: Annotated[
        Literal["wgs84", "gcj02", "bd09"] | None, typer.Option(help="Of all places in the file that name none.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Show arrivals, waits, breaches and cost of a plan of one's own: a JSON problem with "routes".

    "routes" names for each rep id the visit ids in order. Ends with 1 when the checker does not accept the plan.

    Example: fieldwise routes evaluate plan.json

    Example: fieldwise routes evaluate plan.json --json
    """
    try:
        evaluated = _evaluated(read_file(file)[0], coordinates)
    except FieldwiseError as error:
        fail(error)
    if json:
        from api.schemas.plan_evaluation import PlanEvaluationAnswer

        language = "zh" if speaks_chinese() else "en"
        print_json(PlanEvaluationAnswer.of(evaluated, language).model_dump(mode="json"))
    else:
        typer.echo(_as_text(evaluated))
    if not evaluated.report.feasible:
        raise SystemExit(FAILED)


def _evaluated(content: bytes, coordinates: str | None) -> EvaluatedPlan:
    from api.services import make_travel_times
    from api.settings import load_settings
    from operations.plan_evaluation import evaluate_plan
    from routing.problem_files import travel_from_mapping
    from routing.usable_visit_files import kept_travel, usable_day_from_mapping

    given = _mapping(content)
    routes = _routes(given.pop("routes", None))
    if coordinates is not None:
        given.setdefault("coordinate_system", coordinates)
    day = usable_day_from_mapping(given)
    travel = kept_travel(given.get("travel"), day)
    times = travel_from_mapping(travel) if travel is not None else make_travel_times(load_settings())
    return evaluate_plan(day, times, routes)


def _mapping(content: bytes) -> dict[str, Any]:
    from common.text_files import decode

    try:
        given = json_module.loads(decode(content, name="plan"))
    except (json_module.JSONDecodeError, RecursionError) as error:
        raise InvalidInput.at("", f"the plan is not JSON: {error}", f"方案文件不是 JSON：{error}") from error
    if not isinstance(given, dict):
        raise InvalidInput.at("", "the plan must be a JSON object", "方案文件必须是 JSON 对象")
    return given


def _routes(given: object) -> dict[str, list[str]]:
    fits = isinstance(given, dict) and all(isinstance(order, list) for order in given.values())
    if not isinstance(given, dict) or not fits:
        raise InvalidInput.at(
            "/routes", 'must name visit ids by rep id: {"R1": ["S001"]}', '应按人员编号列出拜访编号：{"R1": ["S001"]}'
        )
    return {rep_id: [str(visit) for visit in order] for rep_id, order in given.items()}


def _as_text(evaluated: EvaluatedPlan) -> str:
    names = {visit.id: visit.name or visit.id for visit in evaluated.problem.visits}
    reps = {rep.id: rep.name or rep.id for rep in evaluated.problem.reps}
    lines = []
    for route in evaluated.plan.routes:
        span = f"{format_clock_time(route.departure_s)}–{format_clock_time(route.end_s)}"
        minutes = route.travel_s // 60
        lines.append(
            f"{reps[route.rep_id]}  {span}  {len(route.stops)} × {minutes} min {route.distance_m / 1000:.1f} km"
        )
        for position, stop in enumerate(route.stops, start=1):
            wait = f"  +{stop.wait_s // 60} min" if stop.wait_s >= 60 else ""
            lines.append(f"  {position:>3}. {format_clock_time(stop.arrival_s)}{wait}  {names[stop.visit_id]}")
    for left in evaluated.plan.unassigned:
        told = [say(reason.text) for reason in left.reasons] + [
            f"→ {say(found.text)}" for found in left.relaxations[:1]
        ]
        lines.append(f"  –  {names[left.visit_id]}: {'; '.join(told)}")
    lines += [f"  ?  {item.id} {item.field}: {say(item.text)}" for item in evaluated.unusable]
    lines += [f"  ✗  {found.constraint}: {say(found.text)}" for found in evaluated.report.violations]
    return "\n".join([*lines, _cost_line(evaluated)])


def _cost_line(evaluated: EvaluatedPlan) -> str:
    cost = evaluated.report.cost
    parts = [f"{say(name)} {amount:.0f}" for part, name in COST_PARTS.items() if (amount := getattr(cost, part))]
    checked = len(evaluated.report.checked)
    broken = len({found.constraint for found in evaluated.report.violations})
    verdict = Text(f"{checked} constraints checked, {broken} broken", f"检查了 {checked} 项约束，违反 {broken} 项")
    return say(Text(f"cost {cost.total:.0f}", f"成本 {cost.total:.0f}")) + f" ({', '.join(parts)}); {say(verdict)}"
