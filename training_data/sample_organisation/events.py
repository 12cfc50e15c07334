"""What is known beforehand and moves demand: exams, terms, sales, fairs, openings, community days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from training_data.sample_organisation.days import Days
from training_data.sample_organisation.geography import DISTRICTS, District, Place

CAMPUSES = {
    "jinjiang": ("四川师大", "Sichuan Normal University"),
    "qingyang": ("西财光华", "SWUFE Guanghua"),
    "jinniu": ("交大九里", "SWJTU Jiuli"),
    "wuhou": ("川大望江", "Sichuan University Wangjiang"),
    "chenghua": ("成电沙河", "UESTC Shahe"),
}
OPENING_PLACES = (
    ("jinniu", "金牛万达", "Jinniu Wanda"),
    ("wuhou", "红牌楼", "Hongpailou"),
    ("chenghua", "万象城", "MixC"),
)
OPENING_SHARES = (0.22, 0.55, 0.87)


def make_events(days: Days, places: list[Place]) -> list[dict[str, Any]]:
    """Return all events that touch the days, as rows of the table ``event``, ordered by their first day."""
    rows: list[dict[str, Any]] = []
    for year in range(days.days[0].year, days.days[-1].year + 1):
        for shift, district in enumerate(DISTRICTS):
            rows.extend(_campus_year(year, district, shift % 3))
        rows.extend(_sales(year))
        rows.extend(_fairs(year))
    rows.extend(_year_goods_sales(days))
    rows.extend(_community_days(days, places))
    rows.extend(_openings(days))
    inside = [row for row in rows if row["ends_on"] >= days.days[0] and row["starts_on"] <= days.days[-1]]
    return sorted(inside, key=lambda row: (row["starts_on"], row["code"]))


def _event(
    code: str,
    kind: str,
    *,
    names: tuple[str, str],
    span: tuple[date, date],
    region: str | None = None,
    visitors: int = 0,
) -> dict[str, Any]:
    return {
        "code": code,
        "region_code": region,
        "kind": kind,
        "name_zh": names[0],
        "name_en": names[1],
        "starts_on": span[0],
        "ends_on": span[1],
        "expected_visitors": visitors,
    }


def _campus_year(year: int, district: District, shift: int) -> Iterator[dict[str, Any]]:
    zh, en = CAMPUSES[district.code]
    spans = (
        ("exam", "winter", "期末考试周", "winter exams", (1, 8), 11),
        ("term_start", "spring", "春季开学", "spring term starts", (2, 28), 8),
        ("exam", "summer", "期末考试周", "summer exams", (6, 19), 13),
        ("term_start", "autumn", "秋季迎新", "autumn term starts", (8, 31), 12),
    )
    for kind, season, name_zh, name_en, (month, day), length in spans:
        first = date(year, month, day) + timedelta(days=shift)
        yield _event(
            f"{kind.replace('_', '-')}-{season}-{year}-{district.code}",
            kind,
            names=(f"{zh}{name_zh}", f"{en}: {name_en}"),
            span=(first, first + timedelta(days=length - 1)),
            region=district.code,
            visitors=9000 if kind == "term_start" else 0,
        )


def _sales(year: int) -> Iterator[dict[str, Any]]:
    spans = (
        ("home-season", "三月家装季", "March home season", (3, 13), (3, 17)),
        ("618", "618 年中大促", "618 mid-year sale", (6, 12), (6, 20)),
        ("double-11", "双十一大促", "Double 11 sale", (11, 4), (11, 12)),
        ("double-12", "双十二返场", "Double 12 encore", (12, 10), (12, 13)),
    )
    for code, zh, en, first, last in spans:
        span = (date(year, *first), date(year, *last))
        yield _event(f"sale-{code}-{year}", "promotion", names=(zh, en), span=span)


def _year_goods_sales(days: Days) -> Iterator[dict[str, Any]]:
    # The sale before Spring Festival follows the moon: its dates come from the calendar, not from the month.
    for day, distance in zip(days.days, days.to_festival, strict=True):
        first = 18
        is_start = distance == first or (day == days.days[0] and 8 < distance < first)
        if is_start:
            festival = day + timedelta(days=int(distance))
            yield _event(
                f"sale-year-goods-{festival.year}",
                "promotion",
                names=("年货节", "Spring Festival goods sale"),
                span=(festival - timedelta(days=first), festival - timedelta(days=8)),
            )


def _fairs(year: int) -> Iterator[dict[str, Any]]:
    spans = (
        ("spring-home", "春季家装博览会", "Spring home fair", "wuhou", 4, 12000),
        ("jinniu-household", "北门日用品展销会", "North gate household goods fair", "jinniu", 5, 7000),
        ("office", "企业采购对接会", "Company procurement fair", "jinjiang", 9, 2500),
        ("autumn-home", "秋季家装博览会", "Autumn home fair", "wuhou", 10, 14000),
        ("east-craft", "东郊手作与家居市集", "East suburb craft and home market", "chenghua", 11, 6000),
        ("winter-household", "青羊暖冬惠民展", "Qingyang winter household fair", "qingyang", 12, 5000),
    )
    for code, zh, en, region, month, visitors in spans:
        middle = date(year, month, 15)
        friday = middle + timedelta(days=(4 - middle.weekday()) % 7)
        yield _event(
            f"fair-{code}-{year}",
            "fair",
            names=(zh, en),
            span=(friday, friday + timedelta(days=2)),
            region=region,
            visitors=visitors,
        )


def _community_days(days: Days, places: list[Place]) -> Iterator[dict[str, Any]]:
    # Counted in weeks since the beginning of the calendar: the same Saturday has the same event on whatever day the
    # sample is made.
    for number, district in enumerate(DISTRICTS):
        own = [place for place in places if place.region == district.code and place.kind == "community"]
        for day in days.days:
            turn, phase = divmod(day.toordinal() // 7, len(DISTRICTS))
            if day.weekday() != 5 or (phase - 2 * number) % len(DISTRICTS) > 1 or days.holiday[days.index(day)]:
                continue
            place = own[(3 * turn + phase + number) % len(own)]
            yield _event(
                f"community-{day:%Y%m%d}-{district.code}",
                "community_day",
                names=(f"{place.name_zh}邻里日", f"Neighbours' day at {place.name_en}"),
                span=(day, day),
                region=district.code,
                visitors=180 + 30 * ((7 * turn + 5 * number + phase) % 13),
            )


def _openings(days: Days) -> Iterator[dict[str, Any]]:
    for share, (region, zh, en) in zip(OPENING_SHARES, OPENING_PLACES, strict=True):
        first = days.days[int(share * days.history)]
        first += timedelta(days=(5 - first.weekday()) % 7)
        yield _event(
            f"opening-{region}-{first:%Y%m%d}",
            "opening",
            names=(f"{zh}体验店开业", f"{en} show room opens"),
            span=(first, first + timedelta(days=8)),
            region=region,
            visitors=3000,
        )
