"""A plan as GeoJSON and CSV: the order, the times and the ways between stops, all as the plan says."""

from __future__ import annotations

import csv
import io

import pytest

from common.places import Location
from routing.plan import DayPlan
from routing.problem import Break, DayProblem, Rep, TimeWindow, Visit
from routing.render import COLUMNS, to_csv, to_geojson
from routing.solve import evaluate
from routing.travel_times import HaversineTravelTimes

HOME = Location(30.65, 104.07)


@pytest.fixture(scope="module")
def drawn() -> tuple[DayProblem, DayPlan]:
    visits = (
        Visit("a", "建设路 兄弟五金店", Location(30.66, 104.06), 600, grade="A", load=2),
        Visit("b", "=HYPERLINK(1)", Location(30.67, 104.08), 900, (TimeWindow(11 * 3600, 12 * 3600),)),
        Visit("c", "far", Location(30.64, 104.05), 600),
    )
    reps = (
        Rep("r", "李伟", HOME, 9 * 3600, 18 * 3600, HOME, (Break(12 * 3600, 13 * 3600, 2700),)),
        Rep("s", "王芳", HOME, 9 * 3600, 18 * 3600),
    )
    problem = DayProblem(visits, reps)
    plan, report = evaluate(problem, HaversineTravelTimes(), {"r": ["a", "b"], "s": ["c"]})
    assert report.feasible
    return problem, plan


def test_a_routes_legs_lead_from_home_over_every_stop_and_home_again(drawn: tuple[DayProblem, DayPlan]) -> None:
    first, second = (item for item in to_geojson(*drawn)["features"] if item["properties"]["kind"] == "route")
    legs = first["properties"]["legs"]
    assert [(leg["from"], leg["to"]) for leg in legs] == [(None, "a"), ("a", "b"), ("b", None)]
    assert sum(leg["travel_s"] for leg in legs) == first["properties"]["travel_s"]
    assert sum(leg["distance_m"] for leg in legs) == first["properties"]["distance_m"]
    assert [leg["to"] for leg in second["properties"]["legs"]] == ["c"]  # this round ends at its last visit


def test_a_stop_carries_its_number_times_and_what_is_handed_over(drawn: tuple[DayProblem, DayPlan]) -> None:
    problem, plan = drawn
    stops = [
        item["properties"] for item in to_geojson(problem, plan)["features"] if item["properties"]["kind"] == "stop"
    ]
    assert [(stop["rep_id"], stop["order"], stop["visit_id"]) for stop in stops] == [
        ("r", 1, "a"),
        ("r", 2, "b"),
        ("s", 1, "c"),
    ]
    assert (stops[0]["grade"], stops[0]["packs"]) == ("A", 2)
    planned = plan.routes[0].stops[1]
    assert (stops[1]["start_s"], stops[1]["start"]) == (planned.start_s, "11:00")
    assert stops[1]["wait_s"] == planned.wait_s > 0


def test_the_table_has_the_same_stops_and_no_formula(drawn: tuple[DayProblem, DayPlan]) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(*drawn))))
    assert tuple(rows[0]) == COLUMNS
    assert [row["visit"] for row in rows] == ["建设路 兄弟五金店", "'=HYPERLINK(1)", "far"]
    assert [(row["service_min"], row["grade"], row["packs"]) for row in rows][:2] == [
        ("10.0", "A", "2"),
        ("15.0", "", "0"),
    ]
