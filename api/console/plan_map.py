"""The map of a day plan: rounds in colours with numbered stops, on a map that needs nothing from outside."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui
from nicegui.elements.leaflet.leaflet_layers import GenericLayer

from api.console import texts
from api.console.server import asset_folder
from api.console.visitor import Visitor
from api.schemas.routes import RouteAnswer
from common.errors import Text
from common.places import Location
from operations.people import RegionCard
from routing.render import STREETS_CREDIT
from routing.travel.polyline import decode_polyline

# Hues that stay apart for eyes with a colour weakness too (after Okabe and Ito), dark enough for white numbers.
COLOURS = ("#0072b2", "#b8520a", "#007a55", "#a3477f", "#5b4fa8", "#8a6d00", "#1f8a9e", "#b3261e", "#4f6b2a", "#555f68")
Point = tuple[float, float]


class PlanMap:
    """The map beside the list of rounds."""

    def __init__(self, visitor: Visitor, routes: Sequence[RouteAnswer]) -> None:
        self._visitor = visitor
        self._routes = routes
        self._layers: list[GenericLayer] = []
        self._alone: int | None = None

    def show(self, regions: Sequence[RegionCard], warehouses: dict[str, Location]) -> None:
        """Put the map.

        Parameters
        ----------
        regions : sequence of RegionCard
            Their centres and the warehouses are shown by name; the map begins where the rounds are.
        warehouses : dict
            Where each region's warehouse is.
        """
        points = [point for route in self._routes for point in _points(route)]
        points = points or [(region.latitude, region.longitude) for region in regions]
        on_streets = any(route.geometry for route in self._routes)
        options = {"attributionControl": bool(self._tiles) or on_streets, "zoomSnap": 0.25, "zoomControl": False}
        self._map = ui.leaflet(points[0], options=options, additional_resources=[f"{asset_folder()}/map.js"])
        self._map.classes("fw-map").props["aria-label"] = self._visitor.say(texts.PLAN_MAP)
        self._map.props["role"] = "img"
        self._map.clear_layers()  # a new map comes with a tile server on the internet
        if self._tiles:
            self._map.tile_layer(url_template=self._tiles)
        else:
            self._put("fieldwise.graticule")
        self._put("control.zoom", {"position": "topright"})
        self._put("control.scale", {"imperial": False})
        self._show_places(regions, warehouses)
        self._layers = [
            self._put("fieldwise.route", self._route(place, route)) for place, route in enumerate(self._routes)
        ]
        if on_streets:
            self._put("fieldwise.credit", STREETS_CREDIT)
        self._put("fieldwise.fit", [list(point) for point in points])

    @property
    def _tiles(self) -> str:
        return self._visitor.services.settings.map_tiles_url

    def show_alone(self, place: int) -> bool:
        """Take all rounds but one back, or show all again; return whether one stands alone now."""
        self._alone = None if self._alone == place else place
        for other, layer in enumerate(self._layers):
            layer.run_method("fade", self._alone is not None and other != self._alone)
        return self._alone is not None

    def _put(self, name: str, *args: object) -> GenericLayer:
        return self._map.generic_layer(name=name, args=list(args))

    def _show_places(self, regions: Sequence[RegionCard], warehouses: dict[str, Location]) -> None:
        for region in regions:
            label = self._visitor.say(Text(region.name_en, region.name_zh))
            centre = {"latitude": region.latitude, "longitude": region.longitude}
            self._put("fieldwise.place", {**centre, "label": label, "kind": "region"})
            if (warehouse := warehouses.get(region.code)) is not None:
                there = {"latitude": warehouse.latitude, "longitude": warehouse.longitude}
                label = self._visitor.say(texts.PLAN_WAREHOUSE)
                self._put("fieldwise.place", {**there, "label": label, "kind": "warehouse"})

    def _route(self, place: int, route: RouteAnswer) -> dict[str, object]:
        return {
            "colour": colour(place),
            "points": [list(point) for point in _line(route)],
            "start": self._visitor.say(texts.PLAN_START_POINT, rep=route.rep_name),
            "stops": [
                {
                    "number": stop.position,
                    "latitude": stop.location.latitude,
                    "longitude": stop.location.longitude,
                    "label": f"{stop.arrival} {stop.name} · {route.rep_name}",
                }
                for stop in route.stops
            ],
        }


def colour(place: int) -> str:
    """Return the colour of a round by its place in the plan; they come again after ten."""
    return COLOURS[place % len(COLOURS)]


def _points(route: RouteAnswer) -> list[Point]:
    places = [route.start, *(stop.location for stop in route.stops), *([route.end] if route.end else [])]
    return [(place.latitude, place.longitude) for place in places]


def _line(route: RouteAnswer) -> list[Point]:
    """Return the way on the streets where it is known, else straight from place to place."""
    return decode_polyline(route.geometry) if route.geometry else _points(route)
