"""Shows a plan as GeoJSON (RFC 7946) and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from common.units import format_clock_time
from routing.plan import DayPlan, Route, Stop
from routing.problem import DayProblem, Rep, Visit
from routing.travel.polyline import decode_polyline

COLUMNS = (
    "rep_id",
    "rep",
    "order",
    "visit_id",
    "visit",
    "arrival",
    "start",
    "departure",
    "wait_min",
    "travel_min",
    "distance_km",
    "latitude",
    "longitude",
    "service_min",
    "grade",
    "packs",
)
"""Columns of :func:`to_csv`."""
STREETS_CREDIT = "© OpenStreetMap contributors"
"""Must stand beside a drawing of streets: those of OSRM, Valhalla and our own networks all come from there."""


def to_geojson(problem: DayProblem, plan: DayPlan, lines: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return a FeatureCollection: a LineString for each route, a Point for each stop and for each visit left out.

    Positions are ``[longitude, latitude]``. A feature's ``properties.kind`` is ``route``, ``stop`` or ``unassigned``.
    Times are ``HH:MM`` on the day's clock, and seconds since midnight where the name says so. A stop's ``order`` counts
    from 1; a route's ``legs`` are the ways between stops, the way home last.

    Parameters
    ----------
    lines : mapping of rep id to str, optional
        The rounds on the streets, as encoded polylines (precision 5). A round without one is drawn straight from place
        to place; ``properties.drawn`` is ``streets`` or ``straight``. With lines the collection has an ``attribution``.
    """
    visits = {visit.id: visit for visit in problem.visits}
    reps = {rep.id: rep for rep in problem.reps}
    features: list[dict[str, Any]] = []
    for route in plan.routes:
        line = (lines or {}).get(route.rep_id)
        features.append(_line(route, reps[route.rep_id], visits, line))
        for order, stop in enumerate(route.stops, start=1):
            visit = visits[stop.visit_id]
            features.append(
                _point(visit, _stop_properties(route, order, stop) | {"grade": visit.grade, "packs": visit.load})
            )
    for left in plan.unassigned:
        properties = {
            "kind": "unassigned",
            "mandatory": left.mandatory,
            "reasons": [{"code": reason.code, "en": reason.text.en, "zh": reason.text.zh} for reason in left.reasons],
        }
        features.append(_point(visits[left.visit_id], properties))
    collection = {"type": "FeatureCollection", "features": features}
    return {**collection, "attribution": STREETS_CREDIT} if lines else collection


def _line(route: Route, rep: Rep, visits: dict[str, Visit], line: str | None) -> dict[str, Any]:
    places = [rep.start, *(visits[stop.visit_id].location for stop in route.stops)]
    places += [rep.end] if rep.end is not None else []
    positions = [place.lon_lat for place in places]
    if line:
        positions = [[longitude, latitude] for latitude, longitude in decode_polyline(line)]
    if len(positions) == 1:
        positions *= 2  # a LineString has at least two positions
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": positions},
        "properties": {
            "kind": "route",
            "drawn": "streets" if line else "straight",
            "rep_id": rep.id,
            "rep": rep.name,
            "stops": len(route.stops),
            "departure": format_clock_time(route.departure_s),
            "end": format_clock_time(route.end_s),
            "travel_s": route.travel_s,
            "distance_m": route.distance_m,
            "legs": _legs(route, rep),
            "breaks": [
                {"start": format_clock_time(pause.start_s), "end": format_clock_time(pause.end_s)}
                for pause in route.breaks
            ],
        },
    }


def _legs(route: Route, rep: Rep) -> list[dict[str, Any]]:
    """Return the ways between stops in order; ``from`` or ``to`` is null at the rep's start and end."""
    ids = [None, *(stop.visit_id for stop in route.stops), None]
    ways = [(stop.travel_s, stop.distance_m) for stop in route.stops]
    if rep.end is not None:
        ways.append((route.return_travel_s, route.return_distance_m))
    return [
        {"from": ids[number], "to": ids[number + 1], "travel_s": travel_s, "distance_m": distance_m}
        for number, (travel_s, distance_m) in enumerate(ways)
    ]


def _stop_properties(route: Route, order: int, stop: Stop) -> dict[str, Any]:
    return {
        "kind": "stop",
        "rep_id": route.rep_id,
        "order": order,
        "arrival": format_clock_time(stop.arrival_s),
        "start": format_clock_time(stop.start_s),
        "departure": format_clock_time(stop.departure_s),
        "arrival_s": stop.arrival_s,
        "start_s": stop.start_s,
        "departure_s": stop.departure_s,
        "wait_s": stop.wait_s,
        "travel_s": stop.travel_s,
        "distance_m": stop.distance_m,
    }


def _point(visit: Visit, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": visit.location.lon_lat},
        "properties": {"visit_id": visit.id, "name": visit.name, **properties},
    }


def to_csv(problem: DayProblem, plan: DayPlan) -> str:
    """Return one line for each stop with the columns in :data:`COLUMNS`, routes one after another.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    visits = {visit.id: visit for visit in problem.visits}
    names = {rep.id: rep.name for rep in problem.reps}
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for route in plan.routes:
        for order, stop in enumerate(route.stops, start=1):
            visit = visits[stop.visit_id]
            writer.writerow(
                [
                    _harmless(route.rep_id),
                    _harmless(names[route.rep_id]),
                    order,
                    _harmless(visit.id),
                    _harmless(visit.name),
                    *(format_clock_time(moment) for moment in (stop.arrival_s, stop.start_s, stop.departure_s)),
                    round(stop.wait_s / 60, 1),
                    round(stop.travel_s / 60, 1),
                    round(stop.distance_m / 1000, 2),
                    visit.location.latitude,
                    visit.location.longitude,
                    round((stop.departure_s - stop.start_s) / 60, 1),
                    visit.grade,
                    visit.load,
                ]
            )
    return lines.getvalue()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
