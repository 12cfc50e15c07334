"""Makes the sample organisation from all its parts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from training_data.sample_organisation.customers import make_customers
from training_data.sample_organisation.days import Days, local_midnight, make_days
from training_data.sample_organisation.demand import make_demand
from training_data.sample_organisation.events import make_events
from training_data.sample_organisation.follow_ups import make_follow_ups
from training_data.sample_organisation.geography import make_regions, make_warehouses, read_places
from training_data.sample_organisation.materials import make_materials
from training_data.sample_organisation.people import make_people, make_planned_activity, plan_visits, roster
from training_data.sample_organisation.stock import make_consumption, make_ledger, run_stock
from training_data.sample_organisation.visits import VisitPlay

if TYPE_CHECKING:
    import pandas as pd

Rows = list[dict[str, Any]]

SEED = 20260101


@dataclass(frozen=True, slots=True)
class SampleOrganisation:
    """All records of the invented company; each list holds the rows of one table, with its column names as keys.

    Attributes
    ----------
    start, end : date
        First and last day of the history.
    people : list of dict
        With ``skills`` (tuple of str) beside the columns of ``person``.
    customers : list of dict
        With ``tags`` (tuple of str) and ``known_since`` (date) beside the columns of ``customer``.
    consumption : list of dict
        With ``true_mean`` beside the columns of ``daily_consumption``: the mean of the day's demand, noise of weather
        included and stock-outs left out, against which forecasts can be compared.
    planned_activity, events : list of dict
        Reach ten days beyond ``end``.
    """

    start: date
    end: date
    regions: Rows
    people: Rows
    customers: Rows
    visits: Rows
    visit_objections: Rows
    visit_materials: Rows
    follow_ups: Rows
    materials: Rows
    warehouses: Rows
    stock_movements: Rows
    consumption: Rows
    events: Rows
    planned_activity: Rows

    def counts(self) -> dict[str, int]:
        """Return the number of rows of each table."""
        return {name: len(rows) for name, rows in self._tables()}

    def frame(self, table: str) -> pd.DataFrame:
        """Return one of the lists as a frame.

        Raises
        ------
        KeyError
            When there is no such list.
        """
        import pandas as pd

        return pd.DataFrame(dict(self._tables())[table])

    def checksum(self) -> str:
        """Return the SHA-256 of all rows; equal end and seed give the same one."""
        digest = hashlib.sha256()
        for name, rows in self._tables():
            digest.update(name.encode())
            digest.update(json.dumps(rows, ensure_ascii=False, default=_plain).encode())
        return digest.hexdigest()

    def _tables(self) -> list[tuple[str, Rows]]:
        values = ((part.name, getattr(self, part.name)) for part in fields(self))
        return [(name, value) for name, value in values if isinstance(value, list)]


def make_sample(end: date, *, seed: int = SEED) -> SampleOrganisation:
    """Return the sample organisation whose history ends with the day ``end``.

    Parameters
    ----------
    end : date
        Last day of the 548 days of history: yesterday, for a company that is alive today.
    seed : int
        Source of all chance; the same end and seed give the same rows.

    Notes
    -----
    Each part draws from its own stream, so that a change in one leaves the others as they were.
    """
    streams = [np.random.default_rng([seed, part]) for part in range(8)]
    days, places = make_days(end), read_places()
    people = make_people(places, streams[0])
    reps = [person for person in people if person["role"] == "rep"]
    at_work = roster(days, reps, streams[1])
    events = make_events(days, places)
    planned = plan_visits(days, reps, at_work, events, streams[2])
    demand = make_demand(days, planned, events, streams[3])
    stock = run_stock(days, demand, streams[4])
    customers = make_customers(days, places, reps, streams[5])
    play = VisitPlay(
        days, customers, reps, sales_days=_sales_days(days, events), left_units=stock.used.copy(), rng=streams[6]
    )
    records = play.play(at_work)
    records.visits.sort(key=lambda row: (row["started_at"], row["id"]))
    owners = {row["code"]: row["owner_code"] for row in customers}
    return SampleOrganisation(
        start=days.days[0],
        end=end,
        regions=make_regions(places),
        people=people,
        customers=customers,
        visits=records.visits,
        visit_objections=records.objections,
        visit_materials=records.materials,
        follow_ups=make_follow_ups(records.visits, owners, _close_of(end), streams[7]),
        materials=make_materials(),
        warehouses=make_warehouses(places),
        stock_movements=make_ledger(days, stock),
        consumption=make_consumption(days, demand, stock),
        events=events,
        planned_activity=make_planned_activity(days, planned),
    )


def _sales_days(days: Days, events: Rows) -> NDArray[np.bool_]:
    found = np.zeros(len(days.days), dtype=bool)
    for event in events:
        if event["kind"] == "promotion":
            found[max(days.index(event["starts_on"]), 0) : days.index(event["ends_on"]) + 1] = True
    return found


def _close_of(day: date) -> datetime:
    return local_midnight(day + timedelta(days=1))


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no plain form")
