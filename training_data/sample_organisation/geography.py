"""Where everything is: five districts of Chengdu and the real places around which people and customers are put."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

METRES_PER_DEGREE = 111_195.0
SCATTER_M = 320.0
"""Standard deviation, north and east, of customers around their place."""


@dataclass(frozen=True, slots=True)
class District:
    """One sales region: a real district of the city.

    ``centre`` is the mean of the district's places, not its official seat: it stands for where its customers are.
    """

    code: str
    short: str
    name_zh: str
    name_en: str
    minimum_staff: int


@dataclass(frozen=True, slots=True)
class Place:
    """A real neighbourhood, campus, mall or station, with real streets and invented housing estates."""

    region: str
    kind: str
    name_zh: str
    name_en: str
    latitude: float
    longitude: float
    streets: tuple[str, ...]
    estates: tuple[str, ...]


DISTRICTS = (
    District("jinjiang", "JJ", "锦江", "Jinjiang", 4),
    District("qingyang", "QY", "青羊", "Qingyang", 3),
    District("jinniu", "JN", "金牛", "Jinniu", 4),
    District("wuhou", "WH", "武侯", "Wuhou", 4),
    District("chenghua", "CH", "成华", "Chenghua", 3),
)
WAREHOUSE_PLACES = {
    "jinjiang": "沙河堡",
    "qingyang": "文化宫",
    "jinniu": "五块石",
    "wuhou": "红牌楼",
    "chenghua": "二仙桥",
}


def read_rows(name: str, *, delimiter: str = ",") -> Iterator[dict[str, str]]:
    """Yield the rows of a table that lies beside this module."""
    text = files("training_data.sample_organisation").joinpath(name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines(), delimiter=delimiter)


def read_lines(name: str) -> list[str]:
    """Return the lines of a list that lies beside this module."""
    text = files("training_data.sample_organisation").joinpath(name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line]


def read_places() -> list[Place]:
    """Return all places, in the order of the table."""
    return [
        Place(
            row["region"],
            row["kind"],
            row["zh"],
            row["en"],
            float(row["latitude"]),
            float(row["longitude"]),
            tuple(row["streets"].split("|")),
            tuple(filter(None, row["estates"].split("|"))),
        )
        for row in read_rows("places.csv")
    ]


def make_regions(places: list[Place]) -> list[dict[str, Any]]:
    """Return the regions as rows of the table ``region``."""
    rows = []
    for district in DISTRICTS:
        own = [place for place in places if place.region == district.code]
        rows.append(
            {
                "code": district.code,
                "name_zh": district.name_zh,
                "name_en": district.name_en,
                "latitude": round(math.fsum(place.latitude for place in own) / len(own), 4),
                "longitude": round(math.fsum(place.longitude for place in own) / len(own), 4),
                "time_zone": "Asia/Shanghai",
                "minimum_staff": district.minimum_staff,
            }
        )
    return rows


def make_warehouses(places: list[Place]) -> list[dict[str, Any]]:
    """Return one warehouse a region as rows of the table ``warehouse``."""
    by_name = {place.name_zh: place for place in places}
    rows = []
    for district in DISTRICTS:
        place = by_name[WAREHOUSE_PLACES[district.code]]
        rows.append(
            {
                "code": warehouse_code(district),
                "region_code": district.code,
                "name_zh": f"{district.name_zh}仓（{place.name_zh}）",
                "name_en": f"{district.name_en} warehouse ({place.name_en})",
                "latitude": round(place.latitude + 0.0021, 5),
                "longitude": round(place.longitude - 0.0014, 5),
            }
        )
    return rows


def warehouse_code(district: District) -> str:
    """Return the code of the district's warehouse."""
    return f"W-{district.short}"


def scatter(place: Place, rng: np.random.Generator, *, spread_m: float = SCATTER_M) -> tuple[float, float]:
    """Return latitude and longitude of a random point near ``place`` (Gaussian, cut at two deviations)."""
    north_m, east_m = np.clip(rng.normal(0.0, spread_m, 2), -2 * spread_m, 2 * spread_m)
    latitude = place.latitude + north_m / METRES_PER_DEGREE
    longitude = place.longitude + east_m / (METRES_PER_DEGREE * math.cos(math.radians(place.latitude)))
    return round(float(latitude), 6), round(float(longitude), 6)
