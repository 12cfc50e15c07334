"""One day plan: the map, each rep's round with its times, what could not be planned and why, and files to take."""

from __future__ import annotations

import json
from functools import partial

from nicegui import ui

from api.console import frame, texts
from api.console.parts import box, button, link, state, table, words
from api.console.plan_map import PlanMap, colour
from api.console.visitor import Visitor, explained
from api.plan_formats import PlanFile, PlanFormat, plan_file
from api.schemas.routes import RelaxationAnswer, RouteAnswer, RoutePlanAnswer
from common.errors import FieldwiseError, NotFound, Text
from common.places import Location
from operations import day_plan
from operations.access import Actor
from operations.day_plan import StoredPlan
from operations.people import RegionCard, regions
from operations.stock import warehouse_locations
from routing.render import to_csv, to_geojson


class PlanView:
    """The page of one plan."""

    def __init__(self, visitor: Visitor, plan_id: str) -> None:
        self._visitor = visitor
        self._plan_id = plan_id

    async def show(self) -> None:
        """Put the page."""
        visitor, say = self._visitor, self._visitor.say
        try:
            self._stored, areas, warehouses = await visitor.call(self._look)
        except FieldwiseError as error:
            ui.context.client.status_code = 404 if isinstance(error, NotFound) else 403
            why = explained(error, visitor.language)
            with frame.full(visitor, frame.PLAN), state(say(texts.NOT_FOUND_TITLE), why, kind="error"):
                link(say(texts.PLAN_BACK), frame.PLAN.path, "fw-link")
            return
        plan = RoutePlanAnswer.of(self._stored, visitor.language)
        names = {area.code: say(Text(area.name_en, area.name_zh)) for area in areas}
        with frame.full(visitor, frame.PLAN), box("div", "fw-wide"):
            self._show_head(plan, names.get(plan.region_code or "", say(texts.PLAN_ALL_REGIONS)))
            if not plan.feasible:
                state(say(texts.PLAN_INFEASIBLE), kind="error")
            with box("div", "fw-plan"):
                self._map = PlanMap(visitor, plan.routes)
                shown = [area for area in areas if plan.region_code in (None, area.code)]
                self._map.show(shown, warehouses)
                self._show_routes(plan.routes)
            self._show_unassigned(plan)
            self._show_unusable(plan)

    def _look(self, actor: Actor) -> tuple[StoredPlan, list[RegionCard], dict[str, Location]]:
        with self._visitor.services.database.read() as session:
            stored = day_plan.plan(session, actor, self._plan_id)
            return stored, regions(session), warehouse_locations(session)

    def _show_head(self, plan: RoutePlanAnswer, region: str) -> None:
        say = self._visitor.say
        with box("div", "fw-title-row"):
            words("h1", say(texts.PLAN_OF, region=region, day=plan.plan_date.isoformat()))
            with box("div", "fw-row"):
                files = (
                    (texts.PLAN_PDF, partial(self._download, "pdf", None)),
                    (texts.PLAN_GEOJSON, self._geojson),
                    (texts.PLAN_CSV, self._csv),
                )
                for kind, act in files:
                    made = button(say(kind), act).props("icon=download")
                    made.props["aria-label"] = say(texts.PLAN_DOWNLOAD, format=say(kind))
                link(say(texts.PLAN_BACK), frame.PLAN.path, "fw-link")
        figures = (
            (texts.PLAN_VISITS, str(plan.assigned_visits)),
            (texts.PLAN_UNASSIGNED, str(plan.unassigned_visits)),
            (texts.PLAN_REPS, str(len(plan.routes))),
            (texts.PLAN_TRAVEL, self._duration(plan.travel_s)),
            (texts.PLAN_DISTANCE, say(texts.PLAN_KM, km=f"{plan.distance_m / 1000:.0f}")),
        )
        with box("dl", "fw-figures"):
            for name, figure in figures:
                with box("div"):
                    words("dt", say(name))
                    words("dd", figure)

    def _duration(self, seconds: int) -> str:
        hours, minutes = divmod(round(seconds / 60), 60)
        if not hours:
            return self._visitor.say(texts.PLAN_MINUTES, minutes=minutes)
        return self._visitor.say(texts.PLAN_HOURS, hours=hours, minutes=minutes)

    def _show_routes(self, routes: list[RouteAnswer]) -> None:
        with box("section", "fw-routes", label=self._visitor.say(texts.PLAN_ROUTES)):
            words("h2", self._visitor.say(texts.PLAN_ROUTES))
            for place, route in enumerate(routes):
                self._show_route(place, route)

    def _show_route(self, place: int, route: RouteAnswer) -> None:
        say = self._visitor.say
        summary = say(
            texts.PLAN_ROUTE_SUMMARY,
            count=len(route.stops),
            start=route.departure,
            end=route.finish,
            km=f"{route.distance_m / 1000:.1f}",
        )
        with ui.element("details").classes("fw-fold fw-route"):
            with ui.element("summary"):
                box("span", "fw-dot").style(f"background: {colour(place)}")
                words("strong", route.rep_name)
                words("span", summary, "fw-soft")
            with box("div", "fw-row"):
                button(say(texts.PLAN_SHOW_ROUTE), partial(self._map.show_alone, place))
                files: tuple[tuple[Text, PlanFormat], ...] = ((texts.PLAN_SHEET, "pdf"), (texts.PLAN_CALENDAR, "ics"))
                for kind, form in files:
                    made = button(say(kind), partial(self._download, form, route.rep_id)).props("icon=download")
                    made.props["aria-label"] = say(texts.PLAN_DOWNLOAD_OF, format=say(kind), rep=route.rep_name)
            heads = [say(head) for head in (texts.PLAN_STOP_NUMBER, texts.PLAN_ARRIVAL, texts.PLAN_LEAVE)]
            rows = [[str(stop.position), stop.arrival, stop.departure, stop.name] for stop in route.stops]
            table(f"{route.rep_name}, {summary}", [*heads, say(texts.PLAN_CUSTOMER)], rows)

    def _show_unassigned(self, plan: RoutePlanAnswer) -> None:
        say = self._visitor.say
        with box("section", "fw-section"):
            title = say(texts.PLAN_UNASSIGNED)
            words("h2", f"{title} {plan.unassigned_visits}" if plan.unassigned else title)
            if not plan.unassigned:
                words("p", say(texts.PLAN_EVERYTHING), "fw-soft")
                return
            rows = [
                [
                    item.name,
                    "\n".join(reason.text for reason in item.reasons),
                    "\n".join(self._way_in(found) for found in item.relaxations),
                ]
                for item in plan.unassigned
            ]
            heads = [say(texts.PLAN_CUSTOMER), say(texts.PLAN_WHY_NOT), say(texts.PLAN_WOULD_HELP)]
            table(title, heads, rows, stacked=True)

    def _way_in(self, found: RelaxationAnswer) -> str:
        # The whole sentence on every row of a long list would say the same again and again.
        return self._visitor.say(texts.PLAN_NOT_TRIED) if found.code == "not_tried" else found.text

    def _show_unusable(self, plan: RoutePlanAnswer) -> None:
        say = self._visitor.say
        if plan.unusable:
            with box("section", "fw-section"):
                title = say(texts.PLAN_UNUSABLE)
                words("h2", title)
                rows = [[item.id or item.field, item.text] for item in plan.unusable]
                table(title, [say(texts.PLAN_CUSTOMER), say(texts.PLAN_WHY_NOT)], rows, stacked=True)

    async def _download(self, form: PlanFormat, rep_id: str | None) -> None:
        services, language = self._visitor.services, self._visitor.language

        def make(actor: Actor) -> PlanFile:
            return plan_file(services, actor, self._plan_id, form, rep_id=rep_id, language=language)

        file = await self._visitor.attempt(make)
        if file is not None:
            ui.download.content(file.content, file.name, file.media_type)

    def _geojson(self) -> None:
        content = json.dumps(
            to_geojson(self._stored.problem, self._stored.plan, self._stored.lines), ensure_ascii=False
        )
        ui.download.content(content, f"{self._file_name()}.geojson", "application/geo+json")

    def _csv(self) -> None:
        # The mark at the start lets spreadsheet programs see that this is UTF-8.
        content = "\ufeff" + to_csv(self._stored.problem, self._stored.plan)
        ui.download.content(content, f"{self._file_name()}.csv", "text/csv")

    def _file_name(self) -> str:
        summary = self._stored.summary
        return f"route-plan-{summary.plan_date.isoformat()}-{summary.region_code or 'all'}"
