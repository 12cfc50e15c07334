"""Transfers of all materials together, when the vehicles of a lane carry only so much.

Without shared vehicles each material is a minimum-cost flow of its own (`forecasting.transfers`), which is solved
exactly. Vehicles couple the materials: a lane then has one load limit for several commodities of different size, and an
optimal fractional multi-commodity flow need not be whole. Hence two steps, both exact:

1. Each material alone, with the lane's whole capacity. This is a relaxation: if its answer happens to keep every lane's
   shared limit, no plan can be better, and it is the optimum.
2. Otherwise an integer program (CP-SAT) over all materials, with the goals in order: most shortage cost covered, then
   regions that convert better, then least time on the way. Each goal is fixed before the next is looked at.

CP-SAT runs on one thread under a limit of deterministic time, so that the same problem gives the same plan on each
machine; when the limit ends it, the best plan found is returned with ``proven_optimal`` false.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from common.errors import InvalidInput, Text
from forecasting.transfers import NEAR_S, RegionStock, Shortage, Transfer, plan_transfers

Key = tuple[str, str, str]
"""(material, donor, receiver)."""


@dataclass(frozen=True, slots=True)
class FreightRules:
    """What a lane carries and costs.

    Attributes
    ----------
    vehicles_per_lane : int
        Vehicle trips that one lane may take, at least 0.
    vehicle_load_units : int
        Load units that a vehicle carries, at least 1.
    cost_per_hour_cny, cost_per_km_cny : float
        Of one vehicle on its way, at least 0.

    Raises
    ------
    InvalidInput
        When a value lies outside its range.
    """

    vehicles_per_lane: int = 1
    vehicle_load_units: int = 400
    cost_per_hour_cny: float = 60.0
    cost_per_km_cny: float = 1.0

    def __post_init__(self) -> None:
        for name, least in (
            ("vehicles_per_lane", 0),
            ("vehicle_load_units", 1),
            ("cost_per_hour_cny", 0),
            ("cost_per_km_cny", 0),
        ):
            value = getattr(self, name)
            if not (math.isfinite(value) and least <= value <= 10**6):
                raise InvalidInput.at(
                    f"/{name}", f"{name} must lie in {least} to 1000000", f"{name} 必须在 {least} 到 1000000 之间"
                )

    @property
    def lane_load_units(self) -> int:
        """Load units that a lane carries with all its vehicles."""
        return self.vehicles_per_lane * self.vehicle_load_units

    def trip_cost_cny(self, travel_s: float, distance_m: float) -> float:
        """Return what one vehicle costs on a lane."""
        return self.cost_per_hour_cny * travel_s / 3600 + self.cost_per_km_cny * distance_m / 1000


@dataclass(frozen=True, slots=True)
class MaterialNeeds:
    """Stock and need of one material in all regions.

    ``load_units`` is the room that one piece takes (at least 1), ``shortage_cost_cny`` what a missing one costs.
    """

    material: str
    regions: tuple[RegionStock, ...]
    load_units: int = 1
    shortage_cost_cny: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.load_units <= 10**6:
            raise InvalidInput.at(
                f"/{self.material}/load_units", "must lie in 1 to 1000000", "必须在 1 到 1000000 之间"
            )
        if not 0 < self.shortage_cost_cny <= 10**6:
            raise InvalidInput.at(
                f"/{self.material}/shortage_cost_cny", "must lie above 0, up to 1000000", "必须大于 0 且不超过 1000000"
            )


@dataclass(frozen=True, slots=True)
class NetworkTransfer:
    """A move of one material, with its share of the vehicles' cost."""

    material: str
    move: Transfer
    cost_cny: float


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """Moves of all materials, what stays short by material, and whether nothing better exists."""

    transfers: tuple[NetworkTransfer, ...]
    shortages: tuple[tuple[str, Shortage], ...]
    proven_optimal: bool


def plan_network(
    needs: Sequence[MaterialNeeds],
    travel_s: Mapping[tuple[str, str], float],
    *,
    distance_m: Mapping[tuple[str, str], float] | None = None,
    freight: FreightRules | None = None,
    longest_travel_s: float = NEAR_S,
    solver_effort: float = 20.0,
) -> NetworkPlan:
    """Return the moves of all materials over lanes up to ``longest_travel_s``, with each lane's vehicles shared.

    Parameters
    ----------
    needs : sequence of MaterialNeeds
        Each material once.
    travel_s, distance_m : mapping of (donor, receiver) to float
        Seconds and metres; a pair without a travel time cannot be used, one without a distance costs time only.
    freight : FreightRules, optional
        Capacity and cost.
    solver_effort : float
        Deterministic time of CP-SAT for each goal.

    Raises
    ------
    InvalidInput
        As `plan_transfers`, or when a material stands twice.
    """
    freight = freight or FreightRules()
    if len({each.material for each in needs}) < len(needs):
        raise InvalidInput.at("/materials", "a material stands twice", "物料重复出现")
    flows: dict[Key, int] = {}
    for each in needs:
        limit = freight.lane_load_units // each.load_units
        plan = plan_transfers(each.regions, travel_s, longest_travel_s=longest_travel_s, lane_units=limit)
        flows |= {(each.material, move.donor, move.receiver): move.units for move in plan.transfers}
    loads = {each.material: each.load_units for each in needs}
    proven = True
    if any(load > freight.lane_load_units for load in _lane_loads(flows, loads).values()):
        from forecasting.transfer_program import solve_shared

        lanes = {lane: s for lane, s in travel_s.items() if s <= longest_travel_s and math.isfinite(s)}
        flows, proven = solve_shared(needs, lanes, freight.lane_load_units, effort=solver_effort)
    return NetworkPlan(_priced(needs, flows, travel_s, distance_m or {}, freight=freight), _short(needs, flows), proven)


def after(needs: MaterialNeeds, transfers: Sequence[NetworkTransfer]) -> MaterialNeeds:
    """Return the needs once these transfers are on their way: donors have less, receivers get it."""
    mine = [each.move for each in transfers if each.material == needs.material]
    regions = []
    for stock in needs.regions:
        out = sum(move.units for move in mine if move.donor == stock.region)
        got = sum(move.units for move in mine if move.receiver == stock.region)
        regions.append(replace(stock, on_hand=stock.on_hand - out, incoming=stock.incoming + got))
    return replace(needs, regions=tuple(regions))


def _lane_loads(flows: Mapping[Key, int], loads: Mapping[str, int]) -> dict[tuple[str, str], int]:
    result: dict[tuple[str, str], int] = {}
    for (material, donor, receiver), units in flows.items():
        result[donor, receiver] = result.get((donor, receiver), 0) + units * loads[material]
    return result


def _priced(
    needs: Sequence[MaterialNeeds],
    flows: Mapping[Key, int],
    travel_s: Mapping[tuple[str, str], float],
    distance_m: Mapping[tuple[str, str], float],
    *,
    freight: FreightRules,
) -> tuple[NetworkTransfer, ...]:
    loads = {each.material: each.load_units for each in needs}
    stocks = {(each.material, stock.region): stock for each in needs for stock in each.regions}
    on_lane = _lane_loads(flows, loads)
    result = []
    for (material, donor, receiver), units in sorted(flows.items()):
        lane = donor, receiver
        trips = math.ceil(on_lane[lane] / freight.vehicle_load_units)
        cost = trips * freight.trip_cost_cny(travel_s[lane], distance_m.get(lane, 0.0))
        share = units * loads[material] / on_lane[lane]
        reason = _reason(stocks[material, donor], stocks[material, receiver], units, travel_s[lane])
        result.append(NetworkTransfer(material, Transfer(donor, receiver, units, travel_s[lane], reason), cost * share))
    return tuple(result)


def _reason(give: RegionStock, get: RegionStock, units: int, travel_s: float) -> Text:
    far_en, far_zh = ("", "") if travel_s <= NEAR_S else (" (beyond one hour)", "（超过 1 小时）")
    return Text(
        f"{get.region} lacks {get.short_units} of {get.need:.0f}; {give.region} has {give.on_hand:.0f}, keeps its "
        f"upper forecast of {give.upper_need:.0f}, and gives {units} in {travel_s / 60:.0f} min{far_en}; where stock "
        f"is short, regions that convert better come first ({get.region}: {get.conversion_weight:.0%})",
        f"{get.region} 需 {get.need:.0f}，缺 {get.short_units}；{give.region} 有 {give.on_hand:.0f}，保留自身预测上限 "
        f"{give.upper_need:.0f} 后调出 {units}，车程 {travel_s / 60:.0f} 分钟{far_zh}；库存不足时转化更好的区域优先"
        f"（{get.region}：{get.conversion_weight:.0%}）",
    )


def _short(needs: Sequence[MaterialNeeds], flows: Mapping[Key, int]) -> tuple[tuple[str, Shortage], ...]:
    result = []
    for each in needs:
        for stock in each.regions:
            got = sum(units for (m, _, to), units in flows.items() if (m, to) == (each.material, stock.region))
            left = stock.short_units - got
            if left > 0:
                text = Text(
                    f"{stock.region} stays {left} short: what donors above their own upper forecast and the vehicles "
                    "within reach can bring is used up, and regions that convert better come first",
                    f"{stock.region} 仍缺 {left}：可达且高于自身预测上限的库存与车辆运力已用完，转化更好的区域优先",
                )
                result.append((each.material, Shortage(stock.region, left, text)))
    return tuple(result)
