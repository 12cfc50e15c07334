"""Where travel times come from: settings, the check on the command line, plans with their lines on the streets."""

from __future__ import annotations

import json
import logging
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.console.plan_map import _line
from api.schemas.routes import RoutePlanAnswer
from api.services import make_travel_times
from api.settings import Settings, load_settings
from common.errors import InvalidInput
from operations import day_plan
from operations.access import Actor
from operations.store import schema
from operations.store.database import Database
from routing.problem import DayProblem, TimeWindow
from routing.roads.travel import RoadTravelTimes
from routing.travel.hours import HourlyTravelTimes, warm_streets
from routing.travel.osrm import OsrmTravelTimes
from routing.travel.polyline import decode_polyline
from routing.travel.valhalla import ValhallaTravelTimes
from routing.travel_times import HaversineTravelTimes
from routing.visit_files import spread_reps, visits_from_csv

FOLDER = Path(__file__).parents[1] / "routing"
EXTRACT, CUSTOMERS = FOLDER / "andorra_la_vella.osm.pbf", FOLDER / "andorra_customers.csv"
HOURS = ",".join("20" if hour in (8, 17) else "30" for hour in range(24))
SHARES = ",".join("0.5" if hour in (8, 17) else "1" for hour in range(24))


def settings(**changes: object) -> Settings:
    return Settings(**changes)  # type: ignore[arg-type]


def test_each_setting_makes_the_source_that_it_names(tmp_path: Path) -> None:
    assert make_travel_times(settings()) == HaversineTravelTimes(22, 1.4)
    by_hour = make_travel_times(settings(travel_speeds_by_hour=HOURS))
    assert isinstance(by_hour, HaversineTravelTimes)
    assert by_hour.speed_kmh_by_hour is not None
    assert by_hour.speed_kmh_by_hour[8] == 20
    osrm = make_travel_times(settings(travel_times="osrm", osrm_url="http://osrm:5000", travel_profile="foot"))
    assert osrm == OsrmTravelTimes("http://osrm:5000", "foot")
    valhalla = make_travel_times(
        settings(travel_times="valhalla", valhalla_url="http://v:8002", travel_snap_limit_m=50)
    )
    assert valhalla == ValhallaTravelTimes("http://v:8002", "auto", snap_limit_m=50)
    osm = settings(travel_times="osm", osm_file=EXTRACT, travel_profile="scooter", data_folder=tmp_path)
    assert make_travel_times(osm) == RoadTravelTimes(EXTRACT, "scooter", tmp_path / "roads")
    slowed = make_travel_times(settings(travel_times="osm", osm_file=EXTRACT, travel_shares_by_hour=SHARES))
    assert isinstance(slowed, HourlyTravelTimes)
    assert slowed.share_by_hour[17] == 0.5


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"FIELDWISE_TRAVEL_TIMES": "osm"}, "FIELDWISE_OSM_FILE"),
        ({"FIELDWISE_TRAVEL_TIMES": "valhalla"}, "FIELDWISE_VALHALLA_URL"),
        ({"FIELDWISE_TRAVEL_TIMES": "osrm"}, "FIELDWISE_OSRM_URL"),
        ({"FIELDWISE_TRAVEL_SPEEDS_BY_HOUR": "30,30"}, "FIELDWISE_TRAVEL_SPEEDS_BY_HOUR"),
        ({"FIELDWISE_TRAVEL_SHARES_BY_HOUR": SHARES.replace("0.5", "0")}, "FIELDWISE_TRAVEL_SHARES_BY_HOUR"),
        ({"FIELDWISE_TRAVEL_SHARES_BY_HOUR": SHARES.replace("0.5", "50")}, "FIELDWISE_TRAVEL_SHARES_BY_HOUR"),
        ({"FIELDWISE_TRAVEL_PROFILE": "boat"}, "FIELDWISE_TRAVEL_PROFILE"),
    ],
)
def test_a_wrong_travel_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInput) as refused:
        load_settings()
    assert named in str(refused.value)


def test_streets_are_read_ahead_when_they_are_the_installations_own(tmp_path: Path) -> None:
    warm_streets(HaversineTravelTimes())
    source = RoadTravelTimes(EXTRACT, cache_folder=tmp_path)
    warm_streets(HourlyTravelTimes(source, (1.0,) * 24))
    assert len(list(tmp_path.iterdir())) == 1


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):  # type: ignore[no-untyped-def]
    """A function that runs a command with the streets of the extract."""
    monkeypatch.setenv("FIELDWISE_DATA_FOLDER", str(tmp_path))
    monkeypatch.setenv("FIELDWISE_TRAVEL_TIMES", "osm")
    monkeypatch.setenv("FIELDWISE_OSM_FILE", str(EXTRACT))
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("LC_ALL", raising=False)
    return lambda *words, stdin=b"": CliRunner().invoke(app, ["routes", *words], input=stdin)


def test_travel_check_tells_people_and_programs_about_the_streets(command) -> None:  # type: ignore[no-untyped-def]
    shown = command("travel-check", str(CUSTOMERS), "--reps", "4")
    assert shown.exit_code == 0, shown.output
    assert "pairs that differ by direction" in shown.output
    told = json.loads(command("travel-check", str(CUSTOMERS), "--reps", "4", "--json").stdout)
    assert told["places"] == 48
    assert told["asymmetric_share"] > 0.2
    assert told["speed_kmh"]["median"] > 10
    assert (told["hints"], told["unreachable_visits"]) == ([], [])


def test_travel_check_names_what_looks_wrong_and_whom_no_way_leads_to(command) -> None:  # type: ignore[no-untyped-def]
    rows = CUSTOMERS.read_text().splitlines()[:12]
    lost = command("travel-check", "-", "--reps", "1", stdin="\n".join([*rows, "far,far away,42.66,1.55"]).encode())
    assert lost.exit_code == 1
    assert "far: the nearest street of the OpenStreetMap network is" in lost.output
    matrix = [[0, 1, 2], [1, 0, 1], [2, 1, 0]]
    place = [{"latitude": 30.6 + step / 100, "longitude": 104.0} for step in range(3)]
    visits = [{"id": f"C{n}", "location": place[n], "service_s": 600} for n in (0, 1)]
    rep = {"id": "R", "start": place[2], "shift_start_s": "09:00", "shift_end_s": "18:00"}
    kilometres = {"duration_s": [[120 * value for value in row] for row in matrix], "distance_m": matrix}
    day = {"visits": visits, "reps": [rep], "travel": kilometres}
    wrong = command("travel-check", "-", "--json", stdin=json.dumps(day).encode())
    assert wrong.exit_code == 1
    assert [hint["code"] for hint in json.loads(wrong.stdout)["hints"]] == ["distances_in_km"]


def test_forty_customers_are_drawn_on_the_streets_of_the_capital(command) -> None:  # type: ignore[no-untyped-def]
    drawn = command("solve", str(CUSTOMERS), "--reps", "4", "--seconds", "1", "--to", "geojson")
    assert drawn.exit_code == 0, drawn.output
    rounds = [item for item in json.loads(drawn.stdout)["features"] if item["properties"]["kind"] == "route"]
    assert {item["properties"]["drawn"] for item in rounds} == {"streets"}
    stops = sum(item["properties"]["stops"] for item in rounds)
    assert stops == 40
    assert sum(len(item["geometry"]["coordinates"]) for item in rounds) > 3 * stops


def test_a_stored_plan_keeps_its_lines_and_a_rep_sees_its_own(database: Database) -> None:
    visits = visits_from_csv(CUSTOMERS.read_bytes(), service_s=1200)
    reps = spread_reps(visits, 2, shift=TimeWindow(9 * 3600, 18 * 3600))
    asked = day_plan.payload(DayProblem(visits, reps), date(2026, 11, 23), None, time_limit_s=1)
    solved = day_plan.solve(json.loads(json.dumps(asked)), RoadTravelTimes(EXTRACT))
    first = reps[0].id
    day_plan.store(database, first, "plan-1", asked, json.loads(json.dumps(solved)))
    with database.read() as session:
        stored = day_plan.plan(session, Actor.system("tester"), "plan-1")
    answer = RoutePlanAnswer.of(stored, "en")
    assert set(stored.lines) == {route.rep_id for route in answer.routes}
    for route in answer.routes:
        assert len(_line(route)) > len(route.stops) + 1
        assert _line(route)[0] == pytest.approx((route.start.latitude, route.start.longitude), abs=1e-5)
    assert "geometry" not in answer.check
    assert answer.check["travel"]["hints"] == []
    with database.read() as session:
        own = day_plan.plan(session, Actor.person(first, "rep", "wuhou"), "plan-1")
    assert own.lines == {first: stored.lines[first]}


def test_the_map_draws_streets_where_they_are_known_and_straight_lines_elsewhere() -> None:
    visits = visits_from_csv(CUSTOMERS.read_bytes(), service_s=1200)[:6]
    problem = DayProblem(visits, spread_reps(visits, 1, shift=TimeWindow(9 * 3600, 18 * 3600)))
    for source, more in ((RoadTravelTimes(EXTRACT), True), (HaversineTravelTimes(), False)):
        stored = day_plan.unstored(problem, source, date(2026, 11, 23), time_limit_s=0.5)
        (route,) = RoutePlanAnswer.of(stored, "en").routes
        places = 1 + len(route.stops) + (route.end is not None)
        assert (len(_line(route)) > places) == more
        assert (route.geometry is not None) == more
        if route.geometry is not None:
            assert _line(route) == decode_polyline(route.geometry)


def test_an_extract_that_is_missing_is_a_warning_at_the_start_and_an_error_of_the_plan(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from api.services import wire
    from common.errors import NotReady

    services = wire(settings(travel_times="osm", osm_file=tmp_path / "no.osm.pbf", data_folder=tmp_path))
    schema.upgrade(services.database)
    with caplog.at_level(logging.WARNING):
        services._warm()
    assert any("streets are not ready" in line and "no.osm.pbf" in line for line in caplog.messages)
    with pytest.raises(NotReady, match=r"no\.osm\.pbf"):
        services.travel_times.table([])
    services.close()
