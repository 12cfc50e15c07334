"""What a forecaster that knew how the sample organisation is made would say: the bound for every real one."""

from __future__ import annotations

from datetime import date

import numpy as np

from training_data.sample_organisation.days import make_days
from training_data.sample_organisation.demand import Causes, make_causes
from training_data.sample_organisation.events import make_events
from training_data.sample_organisation.geography import read_places
from training_data.sample_organisation.make import SEED
from training_data.sample_organisation.people import make_people, plan_visits, roster


def causes_of_demand(end: date, *, seed: int = SEED) -> Causes:
    """Return the causes behind the consumption of ``make_sample`` with the same end and seed.

    Returns
    -------
    Causes
        Regions in the order of ``DISTRICTS``, materials in that of ``MATERIALS``; 548 days, the last one is ``end``.
    """
    streams = [np.random.default_rng([seed, part]) for part in range(4)]
    days, places = make_days(end), read_places()
    reps = [person for person in make_people(places, streams[0]) if person["role"] == "rep"]
    at_work = roster(days, reps, streams[1])
    events = make_events(days, places)
    return make_causes(days, plan_visits(days, reps, at_work, events, streams[2]), events, streams[3])
