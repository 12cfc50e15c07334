"""What the sample organisation promises."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import training_data
from common.places import Location, great_circle_m
from training_data.sample_organisation import SampleOrganisation, make_sample
from training_data.sample_organisation.customers import make_customers
from training_data.sample_organisation.days import make_days
from training_data.sample_organisation.geography import read_places
from training_data.sample_organisation.outcomes import OBJECTION_WEIGHTS, TYPE_OBJECTIONS, Situation, ending_shares

END = date(2026, 10, 31)
CLOSE = datetime(2026, 10, 31, 16, 0, tzinfo=UTC)
"""Midnight after the last day, in China."""
CITY = {"south": 30.57, "north": 30.74, "west": 103.96, "east": 104.19}
FOLDER = Path(training_data.__file__).parent


@pytest.fixture(scope="module")
def sample() -> SampleOrganisation:
    return make_sample(END)


@pytest.fixture(scope="module")
def consumption(sample: SampleOrganisation) -> pd.DataFrame:
    frame = sample.frame("consumption")
    frame["day"] = pd.to_datetime(frame["day"])
    frame["weekday"] = frame["day"].dt.day_of_week
    return frame


def values(rows: Iterable[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]


def test_the_reference_run_has_the_checksum_on_the_data_card(sample: SampleOrganisation) -> None:
    card = (FOLDER / "sample_organisation" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"`([0-9a-f]{64})`", card) == [sample.checksum()]


def test_another_seed_gives_other_customers_and_the_same_seed_the_same(sample: SampleOrganisation) -> None:
    days, places = make_days(END), read_places()
    reps = [row for row in sample.people if row["role"] == "rep"]
    first, again, other = (make_customers(days, places, reps, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_it_has_the_size_that_the_data_card_tells(sample: SampleOrganisation) -> None:
    counts = sample.counts()
    assert (counts["regions"], counts["customers"], counts["materials"], counts["warehouses"]) == (5, 1500, 12, 5)
    assert counts["consumption"] == 5 * 12 * 548
    assert counts["planned_activity"] == 5 * 558
    assert 60_000 <= counts["visits"] <= 80_000
    assert counts["stock_movements"] <= 40_000
    roles = Counter(values(sample.people, "role"))
    assert roles == {
        "rep": 40,
        "region_manager": 5,
        "logistics": 3,
        "recorder": 1,
        "analyst": 1,
        "director": 1,
    }
    assert set(Counter(row["region_code"] for row in sample.people if row["role"] == "rep").values()) == {8}


def test_nothing_happens_after_the_last_day_except_plans_and_events(sample: SampleOrganisation) -> None:
    moments = [row[name] for row in sample.visits for name in ("started_at", "ended_at", "recorded_at")]
    moments += [row["done_at"] for row in sample.follow_ups if row["done_at"]]
    moments += [row["recorded_at"] for row in sample.stock_movements]
    moments += [row["consent_at"] for row in sample.customers if row["consent_at"]]
    assert max(moments) <= CLOSE
    assert max(values(sample.consumption, "day")) == END
    assert max(values(sample.planned_activity, "day")) == END + timedelta(days=10)


@pytest.mark.parametrize("end", [date(2024, 2, 29), date(2027, 1, 1)])
def test_the_history_ends_on_whatever_day_is_asked_for(end: date) -> None:
    days = make_days(end)
    assert days.days[days.history - 1] == end
    assert len(days.days) == 558


def test_names_codes_and_phones_belong_to_one_only(sample: SampleOrganisation) -> None:
    for rows, name in (
        (sample.people, "code"),
        (sample.people, "name"),
        (sample.customers, "code"),
        (sample.customers, "name"),
        (sample.visits, "id"),
        (sample.follow_ups, "id"),
        (sample.events, "code"),
    ):
        found = values(rows, name)
        assert len(set(found)) == len(found), name
    assert len({row["code"].lower() for row in sample.people}) == len(sample.people)
    phones = [row["phone"] for row in sample.customers if row["phone"]]
    assert len(set(phones)) == len(phones)
    assert all(re.fullmatch(r"1990000\d{4}", phone) for phone in phones)


def test_a_phone_is_kept_only_with_consent(sample: SampleOrganisation) -> None:
    assert all((row["phone"] is None) == (row["consent_at"] is None) for row in sample.customers)
    assert 0.81 < np.mean([row["consent_at"] is not None for row in sample.customers]) < 0.89


def test_customers_live_in_the_city_and_mostly_nearest_to_their_own_region(sample: SampleOrganisation) -> None:
    centres = {row["code"]: Location(row["latitude"], row["longitude"]) for row in sample.regions}
    own = 0
    for row in sample.customers:
        assert CITY["south"] < row["latitude"] < CITY["north"]
        assert CITY["west"] < row["longitude"] < CITY["east"]
        home = Location(row["latitude"], row["longitude"])
        own += min(centres, key=lambda code: great_circle_m(home, centres[code])) == row["region_code"]
    assert own / len(sample.customers) > 0.75


def test_regions_lie_to_each_other_as_the_districts_do(sample: SampleOrganisation) -> None:
    at = {row["code"]: row for row in sample.regions}
    assert at["qingyang"]["longitude"] == min(values(sample.regions, "longitude"))
    assert at["chenghua"]["longitude"] == max(values(sample.regions, "longitude"))
    assert at["jinniu"]["latitude"] == max(values(sample.regions, "latitude"))
    assert at["wuhou"]["latitude"] == pytest.approx(min(values(sample.regions, "latitude")), abs=0.003)


def test_the_ledger_is_never_negative_and_its_sum_is_what_came_in_less_what_was_used(
    sample: SampleOrganisation,
) -> None:
    on_hand: dict[tuple[str, str], int] = defaultdict(int)
    by_kind: Counter[str] = Counter()
    references = set()
    for row in sorted(sample.stock_movements, key=lambda row: row["moved_at"]):
        place = (row["warehouse_code"], row["material_code"])
        on_hand[place] += row["quantity_units"]
        by_kind[row["kind"]] += row["quantity_units"]
        references.add((row["reference"], *place, row["kind"]))
        assert on_hand[place] >= 0, row
        assert row["quantity_units"] != 0
        assert row["kind"] == "adjustment" or (row["quantity_units"] > 0) == (row["kind"] in ("opening", "receipt"))
    assert len(references) == len(sample.stock_movements)
    assert len(on_hand) == 60
    assert sum(on_hand.values()) == by_kind.total()
    assert -by_kind["consumption"] == sum(values(sample.consumption, "quantity_units"))


def test_a_day_without_stock_ends_with_an_empty_shelf(sample: SampleOrganisation) -> None:
    warehouse = {row["region_code"]: row["code"] for row in sample.warehouses}
    booked: dict[tuple[str, str], list[tuple[datetime, int]]] = defaultdict(list)
    for row in sample.stock_movements:
        booked[row["warehouse_code"], row["material_code"]].append((row["moved_at"], row["quantity_units"]))
    recent = [row for row in sample.consumption if not row["available"] and row["day"] > END - timedelta(days=55)]
    assert recent
    for row in recent:
        evening = datetime(row["day"].year, row["day"].month, row["day"].day, 15, 59, tzinfo=UTC)
        lines = booked[warehouse[row["region_code"]], row["material_code"]]
        assert sum(units for moment, units in lines if moment <= evening) == 0, row


def test_some_regions_are_short_of_what_others_have_plenty_of(sample: SampleOrganisation) -> None:
    stock = sample.frame("stock_movements").groupby(["material_code", "warehouse_code"])["quantity_units"].sum()
    recent = sample.frame("consumption").query("day > @since", local_dict={"since": END - timedelta(days=21)})
    warehouse = recent["region_code"].map({row["region_code"]: row["code"] for row in sample.warehouses})
    use = recent.groupby(["material_code", warehouse.rename("warehouse_code")])["quantity_units"].mean()
    cover = (stock / use).unstack()
    tight = cover[(cover.min(axis=1) < 3) & (cover.max(axis=1) > 10)]
    assert len(tight) >= 2


def test_stock_runs_out_now_and_then(consumption: pd.DataFrame) -> None:
    assert 0.005 < 1 - consumption["available"].mean() < 0.04


def test_what_is_used_varies_around_the_true_mean(consumption: pd.DataFrame) -> None:
    days = consumption[consumption["available"]]
    assert days["quantity_units"].sum() / days["true_mean"].sum() == pytest.approx(1.0, abs=0.02)
    assert (consumption["quantity_units"] >= 0).all()


def test_weekends_lift_malls_and_empty_offices(consumption: pd.DataFrame) -> None:
    mean = consumption.groupby(["material_code", "weekday"])["true_mean"].mean().unstack()
    lift = mean[[5, 6]].mean(axis=1) / mean[[0, 1, 2, 3, 4]].mean(axis=1)
    assert 1.5 < lift["gift-standard"] < 2.2
    assert 1.2 < lift["leaflet-household"] < 2.0
    assert lift["business-kit"] < 0.5
    assert lift["campus-bag"] < 0.9


def days_of(consumption: pd.DataFrame, material: str, *days: str) -> float:
    chosen = consumption[
        (consumption["material_code"] == material) & consumption["day"].isin(pd.to_datetime(list(days)))
    ]
    return float(chosen["true_mean"].mean())


def test_national_day_make_up_days_and_spring_festival_are_seen_in_the_means(consumption: pd.DataFrame) -> None:
    usual = days_of(consumption, "gift-standard", "2026-09-14", "2026-09-15", "2026-09-16", "2026-09-17")
    assert days_of(consumption, "gift-standard", "2026-10-01", "2026-10-02") > 1.7 * usual
    sunday = days_of(consumption, "business-kit", "2026-09-13")
    assert days_of(consumption, "business-kit", "2026-09-20") > 3 * sunday
    assert days_of(consumption, "gift-standard", "2026-02-17", "2026-02-18") < 0.6 * usual
    assert days_of(consumption, "gift-family", "2026-02-09", "2026-02-10") > 1.3 * days_of(
        consumption, "gift-family", "2026-01-19", "2026-01-20"
    )


def test_campus_demand_follows_term_exams_and_vacation(consumption: pd.DataFrame) -> None:
    usual = days_of(consumption, "campus-bag", "2026-05-12", "2026-05-13", "2026-05-19", "2026-05-20")
    assert days_of(consumption, "campus-bag", "2026-09-02", "2026-09-03") > 1.6 * usual
    assert days_of(consumption, "campus-bag", "2026-06-24", "2026-06-25") < 0.8 * usual
    assert days_of(consumption, "campus-bag", "2026-07-22", "2026-07-23") < 0.3 * usual


def test_objection_types_are_those_of_the_project(sample: SampleOrganisation) -> None:
    with (FOLDER / "objection_types.csv").open(encoding="utf-8") as file:
        codes = {row["code"] for row in csv.DictReader(file)}
    assert set(OBJECTION_WEIGHTS) == codes
    assert all(set(weights) <= codes for weights in TYPE_OBJECTIONS.values())
    assert set(values(sample.visit_objections, "objection_type")) == codes


def test_each_customer_type_raises_its_own_objections(sample: SampleOrganisation) -> None:
    kinds = {row["code"]: row["customer_type"] for row in sample.customers}
    customer = {row["id"]: row["customer_code"] for row in sample.visits}
    heard = Counter((kinds[customer[row["visit_id"]]], row["objection_type"]) for row in sample.visit_objections)
    total: Counter[str] = Counter()
    for (kind, _), count in heard.items():
        total[kind] += count

    def share(kind: str, objection: str) -> float:
        return heard[kind, objection] / total[kind]

    assert share("price_driven", "cheaper_competitor") > 1.5 * share("quality_driven", "cheaper_competitor")
    assert share("young_parents", "safety_environment") > 3 * share("students", "safety_environment")
    assert share("companies", "contract_terms") > 3 * share("elderly", "contract_terms")


def situation(**changes: Any) -> Situation:
    usual: dict[str, Any] = {
        "customer_type": "young_parents",
        "grade": "B",
        "gap_days": 10,
        "bought_days_ago": None,
        "refusals": 0,
        "skilled": False,
        "talent": 0.0,
        "weekday": 2,
        "promotion": False,
        "vacation": False,
    }
    return Situation(**{**usual, **changes})


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"grade": "A"}, {"grade": "C"}),
        ({"skilled": True}, {}),
        ({"talent": 0.5}, {}),
        ({}, {"refusals": 3}),
        ({}, {"gap_days": 1}),
        ({}, {"gap_days": 90}),
        ({}, {"bought_days_ago": 10}),
        ({"promotion": True}, {}),
        ({"weekday": 5}, {}),
    ],
)
def test_what_should_help_a_sale_does(better: dict[str, Any], worse: dict[str, Any]) -> None:
    good, bad = ending_shares(situation(**better)), ending_shares(situation(**worse))
    assert good["won"] > bad["won"]
    assert sum(good.values()) == pytest.approx(1.0)
    assert min(*good.values(), *bad.values()) >= 0


def test_only_won_visits_sell_and_only_met_customers_are_graded(sample: SampleOrganisation) -> None:
    for row in sample.visits:
        assert (row["sale_cny"] > 0) == (row["outcome"] == "won")
        assert (row["grade"] is None) == (row["outcome"] == "absent")
        assert row["started_at"] < row["ended_at"] <= row["recorded_at"]


def test_a_customer_carries_the_grade_of_the_last_visit_that_gave_one(sample: SampleOrganisation) -> None:
    last: dict[str, str | None] = {}
    for row in sample.visits:
        if row["grade"]:
            last[row["customer_code"]] = row["grade"]
    assert all(row["grade"] == last.get(row["code"]) for row in sample.customers)


def test_nobody_is_in_two_places_at_once(sample: SampleOrganisation) -> None:
    frame = sample.frame("visits").sort_values(["rep_code", "started_at"])
    same = frame["rep_code"] == frame["rep_code"].shift()
    assert (frame["started_at"] >= frame["ended_at"].shift())[same].all()


def test_visits_hand_out_no_more_than_the_region_used_that_day(sample: SampleOrganisation) -> None:
    region = {row["code"]: row["region_code"] for row in sample.customers}
    visit = {row["id"]: row for row in sample.visits}
    used = {(row["region_code"], row["material_code"], row["day"]): row["quantity_units"] for row in sample.consumption}
    given: Counter[tuple[str, str, date]] = Counter()
    for row in sample.visit_materials:
        of = visit[row["visit_id"]]
        day = (of["started_at"] + timedelta(hours=8)).date()
        given[region[of["customer_code"]], row["material_code"], day] += row["quantity"]
    assert all(count <= used[place] for place, count in given.items())


def test_follow_ups_are_owed_by_grade_and_mostly_done_in_time(sample: SampleOrganisation) -> None:
    grade = {row["id"]: row["grade"] for row in sample.visits}
    kinds: dict[str, set[str | None]] = defaultdict(set)
    for row in sample.follow_ups:
        kinds[row["kind"]].add(grade[row["visit_id"]])
        assert (row["done_at"] is not None) == (row["status"] == "done")
    assert kinds == {
        "send_material": {"A"},
        "sales_call": {"A"},
        "call_next_day": {"A"},
        "personal_text": {"A"},
        "use_case": {"B"},
        "visit": {None},
    }
    done = [row for row in sample.follow_ups if row["status"] == "done"]
    assert 0.8 < np.mean([row["done_at"] <= row["due_at"] for row in done]) < 0.92
    old = [row for row in sample.follow_ups if row["due_at"] < CLOSE - timedelta(days=10)]
    assert np.mean([row["status"] == "open" for row in old]) < 0.01
    assert any(row["status"] == "open" for row in sample.follow_ups)


def test_texts_are_many_and_none_rules_the_rest(sample: SampleOrganisation) -> None:
    notes = Counter(row["note"] for row in sample.visits if row["note"])
    assert len(notes) > 80
    assert notes.most_common(1)[0][1] < 0.05 * notes.total()
