"""Reads VRPLIB files: CVRP, VRPTW, prize-collecting and multi-depot ones, in the dialects of LKH-3 and PyVRP.

The format is described at https://pyvrp.org/dev/supported_vrplib_fields.html and, for the classic part, in TSPLIB 95
(Reinelt 1995). PyPI's ``vrplib`` was not taken: it names no lines, knows two of the nine matrix formats, and passes
over what it does not know, which would solve another problem than the file's. A section or key that would change the
problem and is not understood is refused here.
"""

from __future__ import annotations

from common.errors import InvalidInput, Text
from routing.instances.plain import PlainInstance
from routing.instances.vrplib_file import VrplibFile, split_vrplib
from routing.instances.vrplib_fleet import VEHICLE_SECTIONS, Fleet
from routing.instances.vrplib_nodes import NODE_SECTIONS, Nodes

OTHER_SECTIONS = ("DEPOT", "EDGE_WEIGHT", "DISPLAY_DATA")
REFUSED_KEYS = ("RELEASE_TIME", "VEHICLES_MAX_RELOADS", "VEHICLES_RELOAD_DEPOT")
REFUSED_TYPES = ("VRPB", "OVRP", "PDPTW", "VRPPDTW", "SDVRP", "TSP", "ATSP")


def read_vrplib(text: str, *, name: str = "instance") -> PlainInstance:
    """Return the instance of a file.

    A customer without a prize must be served. Without ``VEHICLES`` there are as many as could be of use. Vehicles
    without ``VEHICLES_DEPOT_SECTION`` start at the first depot. ``DISTANCE`` (and ``VEHICLES_MAX_DURATION``) bounds
    how long a round lasts, service included.

    Raises
    ------
    InvalidInput
        When the file is not in this format or asks for something unknown; the line is named.
    """
    file = split_vrplib(text, name=name)
    _refuse_unknown(file)
    nodes = Nodes(file)
    windows = nodes.windows()
    demand, collected = nodes.demand(), nodes.amounts("BACKHAUL")
    service, prize = nodes.service(), nodes.amounts("PRIZE")
    depots = nodes.depots()
    if len(depots) == len(nodes.labels):
        raise InvalidInput(Text(f"{name} has no customers", f"{name} 没有客户"))
    heaviest = max(float(demand.sum()), float(collected.sum()))
    fleet = Fleet(file, nodes, depots, heaviest)
    scale = file.keys["SCALE"].whole() if "SCALE" in file.keys else 1
    weight_type, plane, weights = nodes.distances()
    return PlainInstance(
        name, tuple(nodes.labels), weight_type, plane, weights, demand, collected, service, prize, windows, depots,
        fleet.vehicles(), fleet.unlimited, scale,
    )  # fmt: skip


def _refuse_unknown(file: VrplibFile) -> None:
    known = (*NODE_SECTIONS, *VEHICLE_SECTIONS, *OTHER_SECTIONS)
    for section in file.sections.values():
        if section.name not in known:
            raise section.wrong("this section is not supported", "不支持该部分")
        if section.name in file.keys:
            raise section.wrong("stands as a key too", "同时以键的形式出现")
    for key in file.keys.values():
        if key.name in REFUSED_KEYS:
            raise key.wrong("this key is not supported", "不支持该键")
        if key.name == "TYPE" and key.value.upper() in REFUSED_TYPES:
            raise key.wrong(f"problems of the type {key.value} are not supported", f"不支持 {key.value} 类问题")
