"""The twelve materials: what they are, how they are ordered, and how much of them a usual day takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training_data.sample_organisation.geography import DISTRICTS


@dataclass(frozen=True, slots=True)
class MaterialPlan:
    """One material and the size of its demand.

    Attributes
    ----------
    pattern : str
        Where it is used, which decides how calendar and events move it: ``mall``, ``community``, ``campus`` or
        ``business``.
    usual_units : float
        Mean use of an average region on an average day.
    dispersion : float
        Size parameter k of the negative binomial: variance = mean + mean² / k.
    gift : bool
        Given away; sought after before festivals.
    """

    code: str
    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str
    pattern: str
    usual_units: float
    dispersion: float
    pack_size: int
    minimum_order_units: int
    lead_time_days: int
    shortage_cost_cny: float
    holding_cost_cny_per_day: float
    gift: bool = False


MATERIALS = (
    MaterialPlan("gift-standard", "标准礼品包", "Standard gift pack", "份", "pack",
                 "mall", 38.0, 14.0, 20, 60, 2, 18.0, 0.06, gift=True),
    MaterialPlan("gift-family", "亲子礼品包", "Family gift pack", "份", "pack",
                 "community", 22.0, 10.0, 10, 40, 3, 24.0, 0.09, gift=True),
    MaterialPlan("leaflet-furniture", "家具选购手册", "Furniture buyer's guide", "册", "copy",
                 "mall", 118.0, 22.0, 100, 500, 3, 1.6, 0.002),
    MaterialPlan("leaflet-household", "日用品折页", "Household goods leaflet", "张", "leaflet",
                 "community", 165.0, 22.0, 200, 1000, 2, 0.8, 0.001),
    MaterialPlan("leaflet-campus", "校园套餐折页", "Campus package leaflet", "张", "leaflet",
                 "campus", 92.0, 12.0, 200, 600, 2, 0.9, 0.001),
    MaterialPlan("board-sample", "板材样品盒", "Panel sample box", "盒", "box",
                 "business", 3.4, 5.0, 5, 10, 5, 85.0, 0.35),
    MaterialPlan("fabric-swatch", "面料色卡", "Fabric swatch book", "本", "book",
                 "mall", 5.2, 6.0, 5, 20, 5, 40.0, 0.12),
    MaterialPlan("campus-bag", "校园帆布袋", "Campus canvas bag", "个", "bag",
                 "campus", 27.0, 8.0, 50, 100, 4, 9.0, 0.03, gift=True),
    MaterialPlan("campus-pack", "新生体验套装", "Freshers' trial set", "套", "set",
                 "campus", 13.0, 6.0, 10, 50, 4, 26.0, 0.1, gift=True),
    MaterialPlan("detergent-sample", "洗衣凝珠试用装", "Laundry pod sample", "袋", "sachet",
                 "community", 66.0, 14.0, 50, 200, 2, 3.5, 0.006, gift=True),
    MaterialPlan("shopping-bag", "环保购物袋", "Reusable shopping bag", "个", "bag",
                 "mall", 47.0, 14.0, 50, 200, 3, 5.0, 0.01, gift=True),
    MaterialPlan("business-kit", "企业采购资料册", "Company procurement kit", "套", "kit",
                 "business", 4.6, 5.0, 5, 20, 3, 60.0, 0.15),
)  # fmt: skip

REGION_SIZES = {
    "mall": {"jinjiang": 1.45, "qingyang": 1.15, "jinniu": 0.85, "wuhou": 0.8, "chenghua": 0.95},
    "community": {"jinjiang": 0.95, "qingyang": 1.2, "jinniu": 1.05, "wuhou": 1.0, "chenghua": 0.9},
    "campus": {"jinjiang": 0.55, "qingyang": 0.7, "jinniu": 0.95, "wuhou": 1.7, "chenghua": 1.3},
    "business": {"jinjiang": 1.3, "qingyang": 0.85, "jinniu": 1.2, "wuhou": 1.0, "chenghua": 0.75},
}
"""How large each region is for a kind of place, relative to an average region."""


def make_materials() -> list[dict[str, Any]]:
    """Return the materials as rows of the table ``material``."""
    return [
        {
            "code": plan.code,
            "name_zh": plan.name_zh,
            "name_en": plan.name_en,
            "unit_zh": plan.unit_zh,
            "unit_en": plan.unit_en,
            "pack_size": plan.pack_size,
            "minimum_order_units": plan.minimum_order_units,
            "lead_time_days": plan.lead_time_days,
            "shortage_cost_cny": plan.shortage_cost_cny,
            "holding_cost_cny_per_day": plan.holding_cost_cny_per_day,
            "is_gift": plan.gift,
        }
        for plan in MATERIALS
    ]


def usual_levels(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the usual use of a day, shape (regions, materials), with some luck of each place in it."""
    sizes = np.array([[REGION_SIZES[plan.pattern][district.code] for plan in MATERIALS] for district in DISTRICTS])
    usual = np.array([plan.usual_units for plan in MATERIALS])
    levels: NDArray[np.float64] = sizes * usual * rng.lognormal(0.0, 0.12, sizes.shape)
    return levels
