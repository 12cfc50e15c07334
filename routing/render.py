"""Shows a plan as GeoJSON (RFC 7946) and as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

from common.units import format_clock_time
from routing.plan import DayPlan, Route, Stop
from routing.problem import DayProblem, Rep, Visit

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
)
"""Columns of :func:`to_csv`."""


def to_geojson(problem: DayProblem, plan: DayPlan) -> dict[str, Any]:
    """Return a FeatureCollection: a LineString for each route, a Point for each stop and for each visit left out.

    Positions are ``[longitude, latitude]``. A feature's ``properties.kind`` is ``route``, ``stop`` or ``unassigned``.
    Times are ``HH:MM`` on the day's clock.
    """
    visits = {visit.id: visit for visit in problem.visits}
    reps = {rep.id: rep for rep in problem.reps}
    features: list[dict[str, Any]] = []
    for route in plan.routes:
        features.append(_line(route, reps[route.rep_id], visits))
        for order, stop in enumerate(route.stops, start=1):
            features.append(_point(visits[stop.visit_id], _stop_properties(route, order, stop)))
    for left in plan.unassigned:
        properties = {
            "kind": "unassigned",
            "mandatory": left.mandatory,
            "reasons": [{"code": reason.code, "en": reason.text.en, "zh": reason.text.zh} for reason in left.reasons],
        }
        features.append(_point(visits[left.visit_id], properties))
    return {"type": "FeatureCollection", "features": features}


def _line(route: Route, rep: Rep, visits: dict[str, Visit]) -> dict[str, Any]:
    places = [rep.start, *(visits[stop.visit_id].location for stop in route.stops)]
    places += [rep.end] if rep.end is not None else []
    if len(places) == 1:
        places *= 2  # a LineString has at least two positions
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [place.lon_lat for place in places]},
        "properties": {
            "kind": "route",
            "rep_id": rep.id,
            "rep": rep.name,
            "stops": len(route.stops),
            "departure": format_clock_time(route.departure_s),
            "end": format_clock_time(route.end_s),
            "travel_s": route.travel_s,
            "distance_m": route.distance_m,
            "breaks": [
                {"start": format_clock_time(pause.start_s), "end": format_clock_time(pause.end_s)}
                for pause in route.breaks
            ],
        },
    }


def _stop_properties(route: Route, order: int, stop: Stop) -> dict[str, Any]:
    return {
        "kind": "stop",
        "rep_id": route.rep_id,
        "order": order,
        "arrival": format_clock_time(stop.arrival_s),
        "start": format_clock_time(stop.start_s),
        "departure": format_clock_time(stop.departure_s),
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
                ]
            )
    return lines.getvalue()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
