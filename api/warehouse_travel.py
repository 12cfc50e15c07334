"""The ways between the warehouses, for what is planned between regions."""

from __future__ import annotations

from api.services import Services
from operations.stock import warehouse_locations
from routing.travel.for_problem import reachable_table

Lanes = dict[tuple[str, str], float]


def ways_between_warehouses(services: Services) -> tuple[Lanes, Lanes]:
    """Return seconds and metres by (region, region).

    A warehouse that no way leads to is left alone by its far too long ways: the others can still help one another.

    Raises
    ------
    NotReady, Unavailable
        When a file or server that is needed is missing or does not answer.
    """
    with services.database.read() as session:
        places = warehouse_locations(session)
    table, _ = reachable_table(services.travel_times, list(places.values()))
    lanes = [
        ((donor, receiver), row, column)
        for row, donor in enumerate(places)
        for column, receiver in enumerate(places)
        if donor != receiver
    ]
    travel_s = {lane: float(table.duration_s[row][column]) for lane, row, column in lanes}
    return travel_s, {lane: float(table.distance_m[row][column]) for lane, row, column in lanes}
