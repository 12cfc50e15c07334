"""What of the console needs no browser: sessions that end, addresses that stay the API's, the chart's figures."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.console import texts
from api.console.forecast_chart import chart_options
from api.console.forecast_outlook import most_pressing
from api.console.server import API_PATHS, cookie_secret
from api.console.visitor import Browser, Visitor, explained
from api.errors import SignInNeeded
from api.security import Gatekeeper, Session
from api.settings import Settings
from common.clock import FixedClock
from common.errors import FieldProblem, Forbidden, InvalidInput, Text
from forecasting.replenishment import DayOutlook
from operations.access import Actor
from operations.demand import DayForecast
from operations.demand_chart import ConsumptionDay, materials, recent_consumption
from operations.stock import StockLevel
from operations.store.database import Database
from operations.store.tables import DailyConsumption, Material, Person, Region

DAY = date(2026, 11, 20)


def browser_of(services: object, **kept: Any) -> Browser:
    return Browser(cast(Any, services), dict(kept))


def reader(language: str = "zh") -> Visitor:
    browser = browser_of(SimpleNamespace(settings=SimpleNamespace(language=language)))
    return Visitor(browser, cast(Any, None), Actor.system("test"), "test")


@pytest.fixture
def gatekeeper(database: Database, clock: FixedClock, tmp_path: Path) -> Gatekeeper:
    keeper = Gatekeeper(Settings(data_folder=tmp_path, session_minutes=60), database, clock)
    with database.write("test") as session:
        session.add(Person(code="dir", name="罗茜", role="director", password_hash=keeper.hash_password("secret")))
    return keeper


def signed_in(gatekeeper: Gatekeeper) -> Browser:
    services = SimpleNamespace(gatekeeper=gatekeeper, settings=SimpleNamespace(language="zh"))
    browser = browser_of(services)
    browser.begin(gatekeeper.sign_in("dir", "secret", address="127.0.0.1"))
    return browser


def test_a_session_that_has_expired_leaves_a_notice_and_no_token(gatekeeper: Gatekeeper, clock: FixedClock) -> None:
    browser = signed_in(gatekeeper)
    assert browser.actor_now().role == "director"
    clock.advance(timedelta(minutes=61))
    assert asyncio.run(browser.visitor()) is None
    notice = browser.take_notice()
    assert notice is not None
    assert notice.zh == "会话已过期，请重新登录"
    assert browser.take_notice() is None
    with pytest.raises(SignInNeeded):
        browser.actor_now()


def test_a_person_who_was_made_inactive_can_do_nothing_from_an_open_page(
    gatekeeper: Gatekeeper, database: Database
) -> None:
    browser = signed_in(gatekeeper)
    with database.write("test") as session:
        person = session.get(Person, "dir")
        assert person is not None
        person.active = False
    with pytest.raises(SignInNeeded):
        browser.actor_now()


def test_the_language_chosen_in_this_browser_goes_before_the_persons(gatekeeper: Gatekeeper) -> None:
    browser = signed_in(gatekeeper)
    assert browser.language == "zh"
    browser.choose_language("en")
    until = datetime(2026, 11, 20, tzinfo=UTC)
    browser.begin(Session("token", until, Actor.person("dir", "director", None, "zh"), "罗茜"))
    assert browser.say(texts.SIGN_OUT) == "Sign out"


def test_every_text_has_both_languages_with_the_same_fields() -> None:
    for name, value in vars(texts).items():
        found = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else [value]
        for text in found:
            if isinstance(text, Text):
                assert text.en
                assert text.zh
                assert fields(text.en) == fields(text.zh), name


def fields(text: str) -> set[str]:
    return {part.split("}")[0] for part in text.split("{")[1:]}


def test_an_error_is_explained_with_its_fields_once() -> None:
    one = InvalidInput.at("/region", "there is no region", "没有该区域")
    assert explained(one, "zh") == "没有该区域"
    two = InvalidInput(Text("wrong", "有误"), fields=[FieldProblem("/a", Text("is missing", "缺少"))])
    assert explained(two, "zh") == "有误（缺少）"


def test_cookies_are_signed_with_another_key_than_sessions() -> None:
    assert cookie_secret("secret") not in ("secret", cookie_secret("other"))


def test_no_path_of_the_api_is_taken_for_a_page(tmp_path: Path) -> None:
    from api.app import create_app

    described = create_app(Settings(data_folder=tmp_path), console=False).openapi()["paths"]
    assert {path.split("/")[1] for path in described} <= API_PATHS


def test_the_chart_stacks_the_width_of_the_band_on_its_lower_edge_and_marks_empty_stock() -> None:
    used = [ConsumptionDay(DAY, 5.0, True), ConsumptionDay(DAY + timedelta(days=1), 2.0, False)]
    ahead = [DayForecast("r", "m", DAY + timedelta(days=2), {0.1: 3.0, 0.5: 6.0, 0.9: 10.0})]
    options = chart_options(reader(), used, ahead)
    history, low, width, median = options["series"]
    assert [point["value"] for point in history["data"]] == [5.0, 2.0]
    assert "断货" in history["data"][1]["text"]
    assert low["data"] == [None, None, {"value": 3.0}]
    assert width["data"][2]["value"] == 7.0
    assert median["data"][2]["value"] == 6.0
    assert options["xAxis"]["data"] == ["11-20 周五", "11-21 周六", "11-22 周日"]


def test_the_page_begins_with_the_material_likeliest_to_run_out() -> None:
    def level(material: str, chance: float | None) -> StockLevel:
        ahead = () if chance is None else (DayOutlook(1, 0.0, Text("", "")), DayOutlook(2, chance, Text("", "")))
        return StockLevel("r", "w", material, 1, None, ahead, None)

    found = most_pressing([level("a", 0.1), level("b", 0.7), level("c", None)], ["a", "b", "c"])
    assert found["r"] == "b"
    assert found["region without a warehouse"] == "a"


@pytest.fixture
def used(database: Database) -> Database:
    with database.write("test") as session:
        session.add_all(
            [
                Region(code="r", name_zh="区", name_en="R", latitude=30.6, longitude=104.0),
                Region(code="s", name_zh="另", name_en="S", latitude=30.7, longitude=104.1),
                Material(
                    code="m", name_zh="礼品", name_en="Gift", unit_zh="份", unit_en="pack",
                    shortage_cost_cny=1, holding_cost_cny_per_day=1,
                ),
            ]
        )  # fmt: skip
        session.flush()
        session.add_all(
            DailyConsumption(
                region_code="r",
                material_code="m",
                day=DAY - timedelta(days=back),
                quantity_units=back,
                available=back != 2,
            )
            for back in range(40)
        )
    return database


def test_recent_use_is_the_last_days_in_order_and_tells_empty_stock(used: Database) -> None:
    manager = Actor.person("m", "region_manager", "r")
    with used.read() as session:
        found = recent_consumption(session, manager, "r", "m", days=28)
        assert [card.name.zh for card in materials(session, manager)] == ["礼品"]
    assert [item.day for item in found] == [DAY - timedelta(days=back) for back in range(27, -1, -1)]
    assert [item.day for item in found if not item.available] == [DAY - timedelta(days=2)]


def test_recent_use_is_refused_for_other_regions_unknown_codes_and_reps(used: Database) -> None:
    manager, director = Actor.person("m", "region_manager", "r"), Actor.person("d", "director", None)
    refused = [
        (manager, "s", "m", 28, Forbidden),
        (Actor.person("p", "rep", "r"), "r", "m", 28, Forbidden),
        (director, "x", "m", 28, InvalidInput),
        (director, "r", "x", 28, InvalidInput),
        (director, "r", "m", 0, InvalidInput),
    ]
    with used.read() as session:
        for actor, region, material, days, kind in refused:
            with pytest.raises(kind):
                recent_consumption(session, actor, region, material, days=days)
