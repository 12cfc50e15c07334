"""A stored plan as files: day sheets, calendars, GeoJSON and CSV, with contacts as each role may see them."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from icalendar import Calendar
from sqlalchemy import func, select

from api.plan_calendar import calendar_of
from api.services import Services
from operations import people
from operations.access import Actor
from operations.day_sheets import day_sheets
from operations.store.tables import Customer, RoutePlan
from operations.store.tables.oversight import AuditRecord
from tests.api.conftest import Client
from tests.api.test_plans_http import DAY


@pytest.fixture(scope="module")
def regional(signed_in: Client, services: Services, worker: object) -> dict[str, Any]:
    """A plan of the rep's region for the rep and one colleague."""
    assert worker
    rep = signed_in("rep").get("/v1/me").json()
    with services.database.read() as session:
        codes = [card.code for card in people.people(session, Actor.system("test"), role="rep")]
    colleagues = [code for code in codes if code[:4] == rep["code"][:4]][:2]
    assert rep["code"] in colleagues
    body = {
        "region": rep["region"],
        "plan_date": str(services.today() + timedelta(days=1)),
        "time_limit_s": 2,
        "rep_codes": colleagues,
    }
    answer = signed_in("logistics").post("/v1/route-plans", json=body, headers={"Prefer": "wait=30"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return {**found, "own": rep["code"], "other": next(code for code in colleagues if code != rep["code"])}


@pytest.fixture(scope="module")
def plain(signed_in: Client, worker: object) -> dict[str, Any]:
    """A plan of visits of one's own, which belongs to no region."""
    assert worker
    found: dict[str, Any] = signed_in("logistics").post("/v1/route-plans", json=DAY).json()
    return found


def get(client: TestClient, plan: dict[str, Any], **parameters: str) -> Any:
    answer = client.get(f"/v1/route-plans/{plan['id']}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer


def pages(content: bytes) -> list[str]:
    import pypdfium2

    document = pypdfium2.PdfDocument(content)
    texts = [page.get_textpage().get_text_range() for page in document]
    document.close()
    return texts


def test_a_day_sheet_shows_chinese_the_order_the_times_and_the_break(signed_in: Client, plain: dict[str, Any]) -> None:
    answer = get(signed_in("logistics"), plain, format="pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith('attachment; filename="route-plan-2026-11-23-all.pdf"')
    (text,) = pages(answer.content)
    (route,) = plain["routes"]
    assert "李伟" in text
    for stop in route["stops"]:
        assert f"{stop['start']}–{stop['departure']}" in text
    assert f"{route['breaks'][0]['start']}–{route['breaks'][0]['end']}" in text
    chinese = signed_in("logistics").get(
        f"/v1/route-plans/{plain['id']}", params={"format": "pdf"}, headers={"Accept-Language": "zh"}
    )
    assert "日程单" in pages(chinese.content)[0]


def test_chinese_characters_are_drawn_and_not_only_named(
    signed_in: Client, plain: dict[str, Any], tmp_path: Path
) -> None:
    import pypdfium2

    content = get(signed_in("logistics"), plain, format="pdf").content
    (tmp_path / "sheet.pdf").write_bytes(content)
    document = pypdfium2.PdfDocument(content)
    page = document[0]
    texts = page.get_textpage()
    place = texts.get_text_range().index("李")
    left, bottom, right, top = texts.get_charbox(place)
    scale = 4
    image = page.render(scale=scale).to_pil().convert("L")
    high = page.get_height()
    glyph = image.crop(
        (int(left * scale), int((high - top) * scale), int(right * scale) + 1, int((high - bottom) * scale) + 1)
    )
    dark = sum(glyph.histogram()[:128]) / (glyph.width * glyph.height)
    document.close()
    assert 0.08 < dark < 0.6  # strokes: neither nothing nor a filled box


def test_each_rep_has_a_sheet_that_begins_on_a_page_of_its_own(signed_in: Client, regional: dict[str, Any]) -> None:
    whole = pages(get(signed_in("logistics"), regional, format="pdf").content)
    heads = [text for text in whole if "Day sheet" in text]
    assert len(heads) == len(regional["routes"]) == 2
    own = pages(get(signed_in("logistics"), regional, format="pdf", rep=regional["own"]).content)
    assert len([text for text in own if "Day sheet" in text]) == 1
    joined = "\n".join(own)
    for route in regional["routes"]:
        first = route["stops"][0]
        assert (first["name"].split()[0] in joined) == (route["rep_id"] == regional["own"])


def test_a_rep_gets_the_own_sheet_and_nobody_elses(signed_in: Client, regional: dict[str, Any]) -> None:
    rep = signed_in("rep")
    assert len([text for text in pages(get(rep, regional, format="pdf").content) if "Day sheet" in text]) == 1
    assert Calendar.from_ical(get(rep, regional, format="ics").content).walk("VEVENT")
    for form in ("pdf", "ics", "geojson", "csv", "json"):
        path = f"/v1/route-plans/{regional['id']}"
        assert rep.get(path, params={"format": form, "rep": regional["other"]}).status_code == 404


def visited(services: Services, plan: dict[str, Any]) -> dict[str, Customer]:
    codes = [stop["visit_id"] for route in plan["routes"] for stop in route["stops"]]
    with services.database.read() as session:
        rows = session.scalars(select(Customer).where(Customer.code.in_(codes)))
        return {row.code: row for row in rows}


def readings(services: Services) -> int:
    with services.database.read() as session:
        query = select(func.count()).select_from(AuditRecord).where(AuditRecord.action == "read")
        return session.scalar(query) or 0


def test_addresses_are_masked_or_logged_as_the_role_may(
    signed_in: Client, services: Services, regional: dict[str, Any]
) -> None:
    customers = visited(services, regional)
    clear = {code: row.address for code, row in customers.items() if row.address}
    assert clear
    before = readings(services)
    masked = "".join("".join(pages(get(signed_in("logistics"), regional, format="pdf").content)).split())
    assert not any("".join(address.split()) in masked for address in clear.values())
    assert "***" in masked
    assert readings(services) == before
    shown = "".join("".join(pages(get(signed_in("director"), regional, format="pdf").content)).split())
    assert all("".join(address.split()) in shown for address in clear.values())
    assert readings(services) == before + len(clear)


def test_a_rep_sees_the_addresses_of_the_own_customers_only(
    signed_in: Client, services: Services, regional: dict[str, Any]
) -> None:
    text = "".join("".join(pages(get(signed_in("rep"), regional, format="pdf").content)).split())
    own_round = next(route for route in regional["routes"] if route["rep_id"] == regional["own"])
    stops = {stop["visit_id"] for stop in own_round["stops"]}
    for code, row in visited(services, regional).items():
        if code in stops and row.address:
            mine = row.owner_code == regional["own"]
            assert ("".join(row.address.split()) in text) == mine


def test_a_calendar_has_the_stops_in_the_regions_zone(signed_in: Client, regional: dict[str, Any]) -> None:
    content = get(signed_in("logistics"), regional, format="ics", rep=regional["own"]).content
    route = next(route for route in regional["routes"] if route["rep_id"] == regional["own"])
    events = Calendar.from_ical(content).walk("VEVENT")
    assert len(events) == len(route["stops"]) + len(route["breaks"])
    assert len({str(event["uid"]) for event in events}) == len(events)
    for event, stop in zip(events, route["stops"], strict=False):
        assert str(event["summary"]) == f"{stop['position']}. {stop['name']}"
        assert f"{event.start:%H:%M}" == stop["start"]
        assert event.start.utcoffset() == timedelta(hours=8)
        assert str(event.start.date()) == regional["plan_date"]


def test_a_newer_version_has_the_same_events_with_a_higher_sequence(
    services: Services, regional: dict[str, Any]
) -> None:
    with services.database.read() as session:
        first = calendar_of(_own_sheets(session, services, regional), "zh")
    with services.database.write("test") as session:
        plan = session.get(RoutePlan, regional["id"])
        assert plan is not None
        plan.version += 1
    with services.database.read() as session:
        second = calendar_of(_own_sheets(session, services, regional), "zh")
    before, after = (Calendar.from_ical(content).walk("VEVENT") for content in (first, second))
    assert [str(event["uid"]) for event in before] == [str(event["uid"]) for event in after]
    assert all(later["sequence"] > sooner["sequence"] for sooner, later in zip(before, after, strict=True))


def _own_sheets(session: Any, services: Services, plan: dict[str, Any]) -> Any:
    looker = Actor("test", "system", frozenset({"routes:read"}))
    return day_sheets(session, looker, plan["id"], rep_id=plan["own"], zone=services.zone)


def test_a_calendar_of_several_reps_asks_whose(signed_in: Client, regional: dict[str, Any]) -> None:
    answer = signed_in("logistics").get(f"/v1/route-plans/{regional['id']}", params={"format": "ics"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "query/rep"


def test_one_reps_round_is_told_from_the_others_in_every_format(signed_in: Client, regional: dict[str, Any]) -> None:
    logistics, own = signed_in("logistics"), regional["own"]
    rows = csv.DictReader(io.StringIO(get(logistics, regional, format="csv", rep=own).text))
    assert {row["rep_id"] for row in rows} == {own}
    features = get(logistics, regional, format="geojson", rep=own).json()["features"]
    assert {item["properties"].get("rep_id") for item in features} == {own}
    assert [route["rep_id"] for route in get(logistics, regional, rep=own).json()["routes"]] == [own]
    unknown = logistics.get(f"/v1/route-plans/{regional['id']}", params={"rep": "nobody"})
    assert unknown.status_code == 404


def test_accept_names_the_new_formats_too(signed_in: Client, plain: dict[str, Any]) -> None:
    logistics, path = signed_in("logistics"), f"/v1/route-plans/{plain['id']}"
    sheet = logistics.get(path, headers={"Accept": "application/pdf"})
    assert sheet.content.startswith(b"%PDF")
    dates = logistics.get(path, headers={"Accept": "text/calendar, text/html;q=0.5"})
    assert dates.headers["content-type"] == "text/calendar; charset=utf-8"
    assert dates.text.startswith("BEGIN:VCALENDAR")
    assert logistics.get(path, params={"format": "docx"}).status_code == 422


def test_the_command_writes_the_same_files(
    regional: dict[str, Any], services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from api.commands.routes import routes_app

    monkeypatch.setenv("FIELDWISE_DATA_FOLDER", str(services.settings.data_folder))
    target = tmp_path / "sheet.pdf"
    run = CliRunner()
    options = ["--format", "pdf", "--rep", regional["own"], "--output", str(target)]
    done = run.invoke(routes_app, ["export", regional["id"], *options])
    assert done.exit_code == 0, done.output
    assert len([text for text in pages(target.read_bytes()) if "日程单" in text]) == 1
    missing = run.invoke(routes_app, ["export", "no-such-plan", "--output", str(target)])
    assert missing.exit_code != 0
