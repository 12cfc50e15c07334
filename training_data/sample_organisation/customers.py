"""The 1,500 customers: who they are, where they live or trade, what they are worth."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np

from training_data.sample_organisation.days import Days, local_midnight
from training_data.sample_organisation.geography import DISTRICTS, Place, read_lines, scatter

CUSTOMER_COUNTS = {
    "price_driven": 290,
    "young_parents": 280,
    "quality_driven": 220,
    "students": 210,
    "elderly": 180,
    "shop_owners": 120,
    "companies": 80,
    "newlyweds": 80,
    "landlords": 40,
}
REGION_SHARES = {"jinjiang": 0.21, "qingyang": 0.195, "jinniu": 0.195, "wuhou": 0.22, "chenghua": 0.18}
KINDS_OF_PLACE = {
    "shop_owners": ("mall", "market", "hub", "community"),
    "companies": ("office", "mall", "hub"),
    "students": ("campus",),
}
USUAL_VALUE_CNY = {
    "price_driven": 900,
    "young_parents": 3200,
    "quality_driven": 5200,
    "students": 260,
    "elderly": 750,
    "shop_owners": 2600,
    "companies": 24000,
    "newlyweds": 11000,
    "landlords": 14000,
}
SERVICE_MIN = {
    "price_driven": 15,
    "young_parents": 25,
    "quality_driven": 30,
    "students": 10,
    "elderly": 25,
    "shop_owners": 20,
    "companies": 40,
    "newlyweds": 35,
    "landlords": 25,
}
TAGS = {
    "price_driven": ("爱比价", "等活动", "团购群主", "租房", "小户型", "自提", "老客户介绍", "晚上方便"),
    "young_parents": ("二孩家庭", "幼小衔接", "双职工", "学区房", "过敏体质", "周末方便", "老客户介绍", "有电梯"),
    "quality_driven": ("看检测报告", "懂板材", "改善型住房", "独立书房", "要上门量尺", "有电梯", "介绍过朋友"),
    "students": ("研究生", "新生", "毕业班", "社团干部", "四人寝", "晚自习后", "考研", "国际学生"),
    "elderly": ("独居", "与子女同住", "说四川话", "听力不好", "上午方便", "社区活动积极", "爱养花"),
    "shop_owners": ("夫妻店", "连锁加盟", "新开业", "下午清闲", "可放宣传单", "想代卖", "门口好停车"),
    "companies": ("年底采购", "需要发票", "三家比价", "有采购委员会", "五十人以上", "搬新办公室", "已签框架"),
    "newlyweds": ("新房待交付", "婚期已定", "长辈出钱", "喜欢浅色", "要设计图", "周末方便"),
    "landlords": ("多套房源", "长租", "短租民宿", "要耐用款", "微信联系", "外地房东"),
}
EITHER_OR = (
    {"新生", "毕业班", "研究生"},
    {"新生", "考研"},
    {"研究生", "考研"},
    {"独居", "与子女同住"},
    {"夫妻店", "连锁加盟"},
    {"长租", "短租民宿"},
    {"租房", "团购群主"},
)
"""Tags of which a customer has one at most."""
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖"
    "范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严覃武戚莫孔向汤税苟蒲鲜代晏冉蒙文"
)
TITLES = {"elderly": ("孃孃", "大爷", "婆婆", "老师"), "students": ("同学",), "landlords": ("房东", "女士", "先生")}
OPENING_HOURS = {
    "shop_owners": ((8, 20), (9, 21), (9, 22), (10, 22), (8.5, 19.5), (9.5, 21)),
    "companies": ((9, 18), (8.5, 17.5), (9.5, 18.5)),
}
KNOWN_FROM_START_SHARE = 0.62
CONSENT_SHARE = 0.85


@dataclass(slots=True)
class Pool:
    """Names and numbers of which each is given out once."""

    shops: list[str]
    companies: list[str]
    phones: list[int]
    homes: set[str] = field(default_factory=set)


def make_customers(
    days: Days, places: list[Place], reps: list[dict[str, Any]], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Return the customers as rows of the table ``customer`` with ``tags`` and ``known_since`` (a date).

    Grades are empty here: they come from the visits.
    """
    pool = Pool(
        [str(name) for name in rng.permutation(read_lines("shops.txt"))],
        [str(name) for name in rng.permutation(read_lines("companies.txt"))],
        [int(number) for number in rng.permutation(10_000)],
    )
    types = [kind for kind, count in CUSTOMER_COUNTS.items() for _ in range(count)]
    regions = rng.choice(list(REGION_SHARES), size=len(types), p=list(REGION_SHARES.values()))
    numbers = dict.fromkeys(REGION_SHARES, 0)
    owners = {district.code: [rep for rep in reps if rep["region_code"] == district.code] for district in DISTRICTS}
    shorts = {district.code: district.short for district in DISTRICTS}
    rows = []
    for kind, region in zip(rng.permutation(types), regions, strict=True):
        numbers[region] += 1
        place = _place(places, str(kind), str(region), rng)
        row = _customer(days, str(kind), place, pool, rng)
        row["code"] = f"C-{shorts[region]}-{numbers[region]:04d}"
        row["owner_code"] = _owner(owners[region], str(kind), rng)
        rows.append(row)
    return rows


def _place(places: list[Place], kind: str, region: str, rng: np.random.Generator) -> Place:
    kinds = KINDS_OF_PLACE.get(kind)
    own = [
        place for place in places if place.region == region and (place.kind in kinds if kinds else bool(place.estates))
    ]
    return own[int(rng.integers(len(own)))]


def _owner(reps: list[dict[str, Any]], kind: str, rng: np.random.Generator) -> str:
    """Draw the rep who is responsible; companies and students go more often to those who know such customers."""
    wanted = {"companies": "key_account", "students": "campus", "elderly": "sichuanese"}.get(kind)
    weights = np.array([3.0 if wanted in rep["skills"] else 1.0 for rep in reps])
    return str(reps[int(rng.choice(len(reps), p=weights / weights.sum()))]["code"])


def _customer(days: Days, kind: str, place: Place, pool: Pool, rng: np.random.Generator) -> dict[str, Any]:
    latitude, longitude = scatter(place, rng)
    since = 0 if rng.random() < KNOWN_FROM_START_SHARE else int(rng.integers(1, days.history - 5))
    known_since = days.days[since]
    consent_at = None
    if rng.random() < CONSENT_SHARE:
        wait = timedelta(days=int(rng.integers(0, 4)), hours=9 + float(rng.integers(0, 18)) / 2)
        consent_at = local_midnight(known_since) + wait
    name, address = _name_and_address(kind, place, pool, rng)
    opening = OPENING_HOURS.get(kind)
    opens_h, closes_h = opening[int(rng.integers(len(opening)))] if opening else (None, None)
    value = USUAL_VALUE_CNY[kind] * rng.lognormal(-0.12, 0.5)
    return {
        "code": "",
        "name": name,
        "customer_type": kind,
        "region_code": place.region,
        "owner_code": None,
        "latitude": latitude,
        "longitude": longitude,
        "address": address,
        # Without consent no number is kept.
        "phone": f"1990000{pool.phones.pop():04d}" if consent_at else None,
        "value_cny": round(float(value), -1),
        "grade": None,
        "service_s": SERVICE_MIN[kind] * 60,
        "open_from_s": int(opens_h * 3600) if opens_h is not None else None,
        "open_until_s": int(closes_h * 3600) if closes_h is not None else None,
        "consent_at": consent_at,
        "tags": _tags(kind, rng),
        "known_since": known_since,
    }


def _tags(kind: str, rng: np.random.Generator) -> tuple[str, ...]:
    chosen: list[str] = []
    for tag in rng.permutation(TAGS[kind])[: int(rng.integers(1, 4))]:
        if not any(str(tag) in group and group.intersection(chosen) for group in EITHER_OR):
            chosen.append(str(tag))
    return tuple(chosen)


def _name_and_address(kind: str, place: Place, pool: Pool, rng: np.random.Generator) -> tuple[str, str]:
    district = next(one.name_zh for one in DISTRICTS if one.code == place.region)
    street = place.streets[int(rng.integers(len(place.streets)))]
    door = f"成都市{district}区{street}{int(rng.integers(3, 260))}号"
    if kind == "shop_owners":
        return f"{place.name_zh} {pool.shops.pop()}", door
    if kind == "companies":
        return pool.companies.pop(), f"{door}{int(rng.integers(3, 28))}楼"
    who = SURNAMES[int(len(SURNAMES) * rng.random() ** 1.8)] + _title(kind, rng)
    while True:
        if kind == "students":
            hall = "东西南北"[int(rng.integers(4))]
            home = f"{place.name_zh} {hall}苑{int(rng.integers(1, 13))}舍 {_room(rng, floors=6, rooms=40)}"
            at = f"成都市{district}区{home}"
        else:
            estate = place.estates[int(rng.integers(len(place.estates)))]
            home = f"{estate} {int(rng.integers(1, 16))}-{_room(rng, floors=26, rooms=6)}"
            at = f"{door} {home}"
        if home not in pool.homes:
            pool.homes.add(home)
            return f"{home} {who}", at


def _room(rng: np.random.Generator, *, floors: int, rooms: int) -> str:
    return f"{int(rng.integers(1, floors + 1))}{int(rng.integers(1, rooms + 1)):02d}"


def _title(kind: str, rng: np.random.Generator) -> str:
    titles = TITLES.get(kind, ("女士", "先生", "女士", "姐", "哥"))
    return titles[int(rng.integers(len(titles)))]
