"""Each role at work in the console, in a real browser on a running service and worker."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

OBJECTION, SMALL_TALK = "隔壁家同款便宜两百块", "今天天气真好"
Begin = Callable[..., Any]


def expect(found: Any) -> Any:
    from playwright.sync_api import expect as playwright_expect

    playwright_expect.set_options(timeout=30_000)  # the first hint waits for the encoder to be read
    return playwright_expect(found)


def stored(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(folder / "fieldwise.db", timeout=15) as connection:
        return connection.execute(query).fetchall()


def ask(window: Any, text: str) -> None:
    window.page.get_by_label("客户的原话").fill(text)


def test_a_rep_gets_three_lines_copies_one_and_says_that_it_was_used(visit: Begin) -> None:
    window = visit("phone")
    window.sign_in("rep")
    expect(window.page).to_have_url(f"{window.site.address}/hint")
    expect(window.page.get_by_role("button", name=OBJECTION)).to_be_visible()
    window.shoot("hint-start-phone")
    ask(window, OBJECTION)
    cards = window.page.get_by_role("article")
    expect(cards).to_have_count(3)
    window.shoot("hint-phone", whole=True)
    line = cards.first.locator(".fw-line").inner_text()
    cards.first.get_by_role("button", name="复制").click()
    expect(window.page.get_by_text("已复制")).to_be_visible()
    assert window.page.evaluate("navigator.clipboard.readText()") == line
    used = cards.first.get_by_role("button", name="用了", exact=True)
    used.click()
    expect(used).to_have_attribute("aria-pressed", "true")
    assert stored(
        window.site.folder,
        "SELECT feedback.action, shown.talk_track FROM hint_feedback feedback JOIN hint_suggestion shown "
        "ON shown.hint_id = feedback.hint_id AND shown.rank = feedback.rank",
    ) == [("used", line)]


def test_a_changed_line_is_stored_as_it_was_said(visit: Begin) -> None:
    window = visit("phone")
    window.sign_in("rep")
    ask(window, "我再考虑考虑吧")
    window.page.get_by_role("article").first.get_by_role("button", name="改了再用").click()
    window.page.get_by_label("实际说的话").fill("您慢慢考虑，哪一点还拿不准？")
    window.page.wait_for_timeout(500)  # the dialog fades in
    window.shoot("hint-changed-phone")
    window.page.get_by_role("button", name="保存").click()
    expect(window.page.get_by_text("已记录，谢谢。")).to_be_visible()
    rows = stored(window.site.folder, "SELECT edited_text FROM hint_feedback WHERE action = 'edited'")
    assert rows == [("您慢慢考虑，哪一点还拿不准？",)]


def test_the_evidence_of_a_line_unfolds(visit: Begin) -> None:
    window = visit("phone")
    window.sign_in("rep")
    ask(window, OBJECTION)
    card = window.page.get_by_role("article").first
    card.get_by_text("依据、步骤与效果").click()
    expect(card.get_by_text("怎么做的")).to_be_visible()
    expect(card.get_by_text("n = ")).to_be_visible()
    window.shoot("hint-evidence-phone", whole=True)


def test_small_talk_gets_no_line_but_a_question_to_ask_back(visit: Begin) -> None:
    window = visit("phone")
    window.sign_in("rep")
    ask(window, SMALL_TALK)
    expect(window.page.get_by_role("heading", name="没有合适的案例")).to_be_visible()
    expect(window.page.get_by_text("不妨反问一句")).to_be_visible()
    expect(window.page.get_by_role("article")).to_have_count(0)
    window.shoot("hint-no-match-phone")


def test_only_the_answer_to_the_newest_words_stays(visit: Begin) -> None:
    window = visit("phone")
    window.sign_in("rep")
    ask(window, OBJECTION)
    window.page.get_by_label("客户的原话").press("Enter")
    ask(window, SMALL_TALK)
    window.page.get_by_label("客户的原话").press("Enter")
    expect(window.page.get_by_role("heading", name="没有合适的案例")).to_be_visible()
    window.page.wait_for_timeout(1000)
    expect(window.page.get_by_role("article")).to_have_count(0)


def test_a_wrong_password_is_told_and_lets_nobody_in(visit: Begin) -> None:
    window = visit()
    window.sign_in("director", password="not the password")
    expect(window.page.get_by_role("alert")).to_have_text("用户名或密码不正确")
    window.shoot("sign-in-wrong")
    window.open("/forecast")
    expect(window.page.get_by_role("button", name="登录")).to_be_visible()
    assert "库存" not in window.page.content()


def test_a_link_to_a_page_leads_there_after_signing_in_and_signing_out_ends_it(visit: Begin) -> None:
    window = visit()
    window.sign_in("director", "/plan")
    expect(window.page.get_by_role("heading", name="排一天的路线")).to_be_visible()
    window.page.get_by_role("button", name="退出登录").click()
    expect(window.page.get_by_role("alert")).to_have_text("您已退出登录。")
    assert window.open("/plan") == 401


PAGES_OF = {
    "rep": ("/hint", {"/hint"}),
    "recorder": ("/hint", {"/hint"}),
    "logistics": ("/plan", {"/hint", "/plan", "/forecast"}),
    "region_manager": ("/forecast", {"/hint", "/plan", "/forecast"}),
    "analyst": ("/forecast", {"/hint", "/forecast"}),
    "director": ("/forecast", {"/hint", "/plan", "/forecast"}),
}


@pytest.fixture(params=PAGES_OF)
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_role_opens_its_own_pages_and_is_refused_the_others(visit: Begin, role: str) -> None:
    home, allowed = PAGES_OF[role]
    window = visit("phone" if role == "rep" else "desktop")
    window.sign_in(role)
    window.page.wait_for_url(f"**{home}")
    for path in ("/hint", "/plan", "/plan/any", "/forecast"):
        status = window.open(path)
        if path in allowed:
            assert status == 200, path
        elif path == "/plan/any" and "/plan" in allowed:
            assert status == 404
        else:
            assert status == 403, path
            expect(
                window.page.get_by_role("alert").get_by_text(re.compile("您的角色不能打开此页|not for your role"))
            ).to_be_visible()
            assert window.page.get_by_role("table").count() == 0
            window.shoot(f"not-allowed-{role}")


def test_a_logistics_lead_plans_a_day_and_sees_it_on_the_map_and_in_the_list(visit: Begin) -> None:
    window = visit()
    window.sign_in("logistics")
    window.page.get_by_role("button", name="开始排线").click()
    expect(window.page.get_by_role("status").filter(has_text="正在计算")).to_be_visible()
    window.shoot("plan-running")
    window.page.wait_for_url("**/plan/*", timeout=60_000)
    routes = window.page.locator("details.fw-route")
    expect(routes.first).to_be_visible()
    expect(window.page.locator(".fw-stop").first).to_be_visible()
    rows = window.page.locator("details.fw-route tbody tr").count()
    assert rows == window.page.locator(".fw-stop").count() > 10
    routes.first.locator("summary").click()
    expect(routes.first.get_by_role("cell").first).to_be_visible()
    window.shoot("plan", whole=True)
    check_downloads(window, rows)
    window.open("/plan")
    expect(window.page.get_by_role("heading", name="最近的方案")).to_be_visible()
    assert window.page.locator("a.fw-entry").count() >= 1


def check_downloads(window: Any, stops: int) -> None:
    with window.page.expect_download() as download:
        window.page.get_by_role("button", name="下载 CSV").click()
    lines = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    assert len(lines) == stops
    with window.page.expect_download() as download:
        window.page.get_by_role("button", name="下载 GeoJSON").click()
    kinds = [item["properties"]["kind"] for item in json.loads(Path(download.value.path()).read_bytes())["features"]]
    assert kinds.count("stop") == stops


def test_a_cancelled_plan_leaves_nothing_behind(visit: Begin) -> None:
    window = visit()
    window.sign_in("director", "/plan")
    before = stored(window.site.folder, "SELECT count(*) FROM route_plan")
    window.page.get_by_label("计算时间").click()
    window.page.get_by_role("option", name="60 秒").click()
    window.page.get_by_role("button", name="开始排线").click()
    expect(window.page.get_by_role("status").filter(has_text="正在计算")).to_be_visible()
    window.page.get_by_role("button", name="取消").click()
    expect(window.page.get_by_text("已取消，没有保存任何内容。")).to_be_visible()
    expect(window.page.get_by_role("button", name="开始排线")).to_be_enabled()
    assert stored(window.site.folder, "SELECT count(*) FROM route_plan") == before


def test_a_manager_sees_the_forecast_with_its_band_and_the_stock_of_the_own_region(visit: Begin) -> None:
    window = visit()
    window.sign_in("region_manager")
    expect(window.page.locator(".fw-chart canvas")).to_be_visible()
    days = window.page.get_by_role("table").first
    expect(days.locator("tbody tr")).to_have_count(4)
    for row in days.locator("tbody tr").all():
        low, middle, high = (float(text.replace(",", "")) for text in row.locator("td").all_inner_texts()[1:])
        assert low <= middle <= high
    assert days.locator("tbody tr").last.locator("td").first.inner_text() == "三天合计"
    stock = window.page.get_by_role("table").last
    assert stock.locator("tbody tr").count() == 12
    window.page.get_by_label("区域").click()
    expect(window.page.get_by_role("option")).to_have_count(1)
    window.page.keyboard.press("Escape")
    window.shoot("forecast", whole=True)
    name = stock.locator("tbody tr").last.get_by_role("button")
    picked = name.inner_text()
    name.click()
    expect(window.page.get_by_role("heading", name=picked)).to_be_visible()
    assert "material=" in window.page.url


def test_the_forecast_fits_a_phone(visit: Begin) -> None:
    window = visit("phone")
    window.sign_in("region_manager")
    expect(window.page.locator(".fw-chart canvas")).to_be_visible()
    assert window.page.evaluate("document.documentElement.scrollWidth") <= 390
    window.shoot("forecast-phone", whole=True)


def test_everything_reads_in_english_when_somebody_wants_that(visit: Begin) -> None:
    window = visit()
    window.sign_in("logistics")
    expect(window.page.get_by_role("heading", name="排一天的路线")).to_be_visible()
    window.page.get_by_role("button", name="Switch to English").click()
    expect(window.page.get_by_role("heading", name="Plan a day")).to_be_visible()
    for path in ("/plan", "/hint", "/forecast"):
        window.open(path)
        expect(window.page.get_by_role("heading").first).to_be_visible()
        assert window.page.evaluate("document.documentElement.lang") == "en-US"
        shown = window.page.get_by_role("main").inner_text()
        assert not any("一" <= sign <= "鿿" for sign in shown), shown
        window.shoot(f"english-{path[1:]}")


def test_an_unknown_page_says_so_and_shows_the_way_back(visit: Begin) -> None:
    window = visit()
    assert window.open("/nowhere") == 404
    expect(window.page.get_by_role("heading", name="没有这个页面")).to_be_visible()
    expect(window.page.get_by_role("link", name="回到首页")).to_have_attribute("href", "/")
