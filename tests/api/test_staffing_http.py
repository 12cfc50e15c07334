"""A week of lending over HTTP: proposal, table, decision, who is lent, and what each rep agrees to."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from api.services import Services
from tests.api.conftest import Client

pytestmark = pytest.mark.usefixtures("worker")
MUCH, LITTLE = {"": 400.0}, {"": 10.0}
OTHERS = ("qingyang", "jinniu", "wuhou", "chenghua")


def test_a_week_is_proposed_approved_and_then_counts_in_the_day_plan(signed_in: Client, services: Services) -> None:
    first = services.today() + timedelta(days=2)
    body = {
        "work_date": str(first),
        "days": 3,
        "work_h": {"jinjiang": MUCH, **dict.fromkeys(OTHERS, LITTLE)},
        "work_by_day": {str(first + timedelta(days=2)): {"jinjiang": {"": 1.0}}},
        "rules": {"max_days": 2},
    }
    director = signed_in("director")
    answer = director.post("/v1/staff-reallocations", json=body, headers={"Prefer": "wait=60"})
    assert answer.status_code == 200, answer.text
    proposal = answer.json()
    moves = proposal["moves"]
    assert {move["day"] for move in moves} <= {str(first), str(first + timedelta(days=1))}
    assert {move["to_region"] for move in moves} == {"jinjiang"}
    assert all(move["person_name"] and move["cover"] != move["person"] for move in moves)
    assert sum(proposal["unserved_after_h"].values()) < sum(proposal["unserved_before_h"].values())
    assert (proposal["status"], proposal["days"], proposal["feasible"]) == ("proposed", 3, True)
    assert proposal["relaxations"]
    assert list(proposal["before_by_day_h"]) == [str(first + timedelta(days=ahead)) for ahead in range(3)]

    path = f"/v1/staff-reallocations/{proposal['id']}"
    table = director.get(path, headers={"Accept": "text/csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert len(list(csv.DictReader(io.StringIO(table.text)))) == len(moves)
    chinese = director.get(path, headers={"Accept-Language": "zh"}).json()
    assert "小时" in chinese["moves"][0]["reason"]

    manager = signed_in("region_manager")
    region = manager.get("/v1/me").json()["region"]
    mine = [move for move in moves if region in (move["from_region"], move["to_region"])]
    seen = manager.get(path)
    assert seen.status_code == (200 if mine else 404)
    if mine:
        assert [(move["person"], move["day"]) for move in seen.json()["moves"]] == [
            (move["person"], move["day"]) for move in mine
        ]
        assert set(seen.json()["work_h"]) == {region}
        rows = list(csv.DictReader(io.StringIO(manager.get(path, headers={"Accept": "text/csv"}).text)))
        assert len(rows) == len(mine)

    decision = f"{path}/decisions"
    assert signed_in("logistics").post(decision, json={"decision": "approve"}).status_code == 403
    assert director.post(decision, json={"decision": "reject"}).json()["errors"][0]["pointer"] == "/reason"
    decided = director.post(decision, json={"decision": "approve"})
    assert decided.json() == {
        "proposal_id": proposal["id"],
        "status": "approved",
        "lent_days": len(moves),
        "open_days": 0,
    }
    lent = director.get("/v1/lendings", params={"first": str(first), "days": 3}).json()["items"]
    assert {(one["person"], one["day"]) for one in lent} == {(move["person"], move["day"]) for move in moves}
    assert director.get("/v1/staff-reallocations").json()["items"][0]["status"] == "approved"

    guests = {move["person"] for move in moves if move["day"] == str(first)}
    home = moves[0]["from_region"]
    routed = {}
    for region in ("jinjiang", home):
        day = {"region": region, "plan_date": str(first), "time_limit_s": 1}
        plan = director.post("/v1/route-plans", json=day, headers={"Prefer": "wait=60"}).json()
        routed[region] = {route["rep_id"] for route in plan["routes"]}
    assert guests & routed["jinjiang"]
    assert routed[home]
    assert guests.isdisjoint(routed[home])


def test_a_rep_says_where_they_go_and_the_manager_grants_days_off(signed_in: Client, services: Services) -> None:
    rep = signed_in("rep")
    code = rep.get("/v1/me").json()["code"]
    path = f"/v1/people/{code}/lending-terms"
    assert rep.get(path).json()["refused_regions"] == []
    kept = rep.put(path, json={"refused_regions": ["wuhou"], "rest_weekdays": [6], "max_days": 1})
    assert kept.status_code == 200, kept.text
    assert (kept.json()["refused_regions"], kept.json()["max_days"]) == (["wuhou"], 1)
    wrong = rep.put(path, json={"refused_regions": ["moon"]})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/refused_regions/0")
    off = str(services.today() + timedelta(days=9))
    assert rep.put(f"/v1/people/{code}/days-off", json={"days": [off]}).status_code == 403
    granted = signed_in("director").put(f"/v1/people/{code}/days-off", json={"days": [off], "reason": "leave"})
    assert granted.json()["days_off"] == [off]
    assert rep.get("/v1/people/nobody/lending-terms").status_code == 404


def test_a_wrong_week_names_its_field(signed_in: Client, services: Services) -> None:
    day = str(services.today())
    for change, pointer in (
        ({"days": 8}, "/days"),
        ({"absent_on": {"nobody": []}}, "/absent_on/nobody"),
        ({"rules": {"max_moves": 99}}, "/rules/max_moves"),
        ({"time_limit_s": 0}, "/time_limit_s"),
    ):
        answer = signed_in("director").post("/v1/staff-reallocations", json={"work_date": day, **change})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer
