"""The day-plan pages: ask for a plan and watch it being made; the plan's own page is in ``plan_view``."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial

from nicegui import ui

from api.console import frame, texts
from api.console.parts import box, button, select, state, words
from api.console.plan_view import PlanView
from api.console.sign_in import enter
from api.console.visitor import Visitor
from api.jobs import JobState
from api.routers.asked_day import wishes_of
from api.services import Services
from common.errors import Conflict, Text
from operations import day_plan
from operations.access import Actor
from operations.day_plan import PlanSummary
from operations.people import RegionCard, regions
from operations.visit_candidates import region_day, usable_day_of
from operations.visit_repeats import record_of

SEARCH_TIMES_S = (5, 15, 60)
LOOK_EVERY_S = 0.5
LONG_QUEUE_S = 8


def register(services: Services) -> None:
    """Register the pages."""

    @ui.page(frame.PLAN.path, response_timeout=30)
    async def plans() -> None:
        visitor = await enter(services, frame.PLAN)
        if visitor is not None:
            await PlanPage(visitor).show()

    @ui.page(f"{frame.PLAN.path}/{{plan_id}}", response_timeout=30)
    async def one_plan(plan_id: str) -> None:
        visitor = await enter(services, frame.PLAN)
        if visitor is not None:
            await PlanView(visitor, plan_id).show()


class PlanPage:
    """The form, the job that is under way, and the latest plans."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._timer: ui.timer | None = None

    async def show(self) -> None:
        """Put the page."""
        visitor = self._visitor
        with frame.full(visitor, frame.PLAN), box("div", "fw-wide"):
            words("h1", visitor.say(texts.PLAN_HEADING))
            found = await visitor.attempt(self._look)
            if found is None:
                frame.trouble(visitor, visitor.say(texts.UNEXPECTED))
                return
            areas, latest, under_way = found
            self._names = {area.code: visitor.say(Text(area.name_en, area.name_zh)) for area in areas}
            self._show_form([area for area in areas if visitor.actor.region_code in (None, area.code)])
            self._progress = box("div", "fw-progress")
            self._show_latest(latest)
        if under_way is not None:
            self._watch(under_way.id, None)

    def _look(self, actor: Actor) -> tuple[list[RegionCard], list[PlanSummary], JobState | None]:
        services = self._visitor.services
        with services.database.read() as session:
            areas, latest = regions(session), day_plan.latest_plans(session, actor)
        jobs = services.jobs.list(kind="route-plan", created_by=actor.code, limit=1)
        under_way = next((job for job in jobs if not job.finished), None)
        return areas, latest, under_way

    def _show_form(self, areas: list[RegionCard]) -> None:
        say, services = self._visitor.say, self._visitor.services
        tomorrow = services.today() + timedelta(days=1)
        longest = services.settings.max_solve_s
        times: list[float] = [seconds for seconds in SEARCH_TIMES_S if seconds <= longest] or [longest]
        with box("section", "fw-form", label=say(texts.PLAN_HEADING)):
            self._date = ui.input(say(texts.PLAN_DATE), value=tomorrow.isoformat())
            self._date.props("outlined dense type=date stack-label").classes("fw-field")
            codes = {area.code: self._names[area.code] for area in areas}
            self._region = select(say(texts.PLAN_REGION), codes, next(iter(codes), None), lambda: None)
            limits = {str(seconds): say(texts.PLAN_SECONDS, seconds=f"{seconds:g}") for seconds in times}
            self._limit = select(say(texts.PLAN_TIME), limits, next(iter(limits)), lambda: None)
            self._button = button(say(texts.PLAN_START), self._start, primary=True)

    async def _start(self) -> None:
        try:
            day = date.fromisoformat(self._date.value or "")
        except ValueError:
            self._visitor.warn(self._visitor.say(texts.PLAN_BAD_DATE))
            return
        self._button.disable()
        limit_s = float(self._limit.value)
        job_id = await self._visitor.attempt(partial(self._enqueue, day, self._region.value, limit_s))
        if job_id is None:
            self._button.enable()
        else:
            self._watch(job_id, limit_s)

    def _enqueue(self, day: date, region: str, time_limit_s: float, actor: Actor) -> str:
        actor.require("routes:plan")
        services = self._visitor.services
        with services.database.read() as session:
            wishes = wishes_of(services, None, None)
            due = region_day(session, actor, region, day, wishes)
            found = usable_day_of(due, wishes.policy)
        asked = day_plan.payload(found.problem, day, region, time_limit_s=time_limit_s, unusable=found.unusable)
        return services.jobs.enqueue("route-plan", {**asked, "rhythm": record_of(due, wishes)}, actor=actor.code)

    def _watch(self, job_id: str, limit_s: float | None) -> None:
        """Show how a job gets on; its time limit is not known when it was begun before this page was opened."""
        self._button.disable()
        self._progress.clear()
        with self._progress, box("section", "fw-running") as running:
            running.props["role"] = "status"
            with box("div", "fw-row"):
                ui.spinner(size="1.4em")
                self._said = words("span", self._visitor.say(texts.PLAN_QUEUED))
            self._bar = ui.linear_progress(0, show_value=False).props("rounded" if limit_s else "rounded indeterminate")
            button(self._visitor.say(texts.PLAN_STOP), partial(self._cancel, job_id))
        # Outside the box that it clears in the end.
        self._timer = ui.timer(LOOK_EVERY_S, partial(self._look_at_job, job_id, limit_s))

    async def _look_at_job(self, job_id: str, limit_s: float | None) -> None:
        state_now = await self._visitor.attempt(lambda _actor: self._visitor.services.jobs.state(job_id))
        if state_now is None:
            self._stop_watching()
        elif state_now.status == "done" and state_now.result is not None:
            self._stop_looking()
            ui.navigate.to(f"{frame.PLAN.path}/{state_now.result['route_plan_id']}")
        elif state_now.finished:
            self._stop_watching()
            self._show_end(state_now)
        else:
            self._show_progress(state_now, limit_s)

    def _show_progress(self, job: JobState, limit_s: float | None) -> None:
        say, now = self._visitor.say, datetime.now(UTC)
        if job.started_at is None:
            waited_s = (now - job.created_at).total_seconds()
            self._said.text = say(texts.PLAN_QUEUED_LONG if waited_s > LONG_QUEUE_S else texts.PLAN_QUEUED)
            return
        elapsed_s = (now - job.started_at).total_seconds()
        if limit_s is None:
            said = say(texts.PLAN_RUNNING_ON, elapsed=f"{elapsed_s:.0f}")
        else:
            elapsed_s = min(elapsed_s, limit_s)
            self._bar.value = elapsed_s / limit_s
            said = say(texts.PLAN_RUNNING, elapsed=f"{elapsed_s:.0f}", limit=f"{limit_s:.0f}")
        visits = (job.progress or {}).get("served")
        self._said.text = said if visits is None else f"{said} · {say(texts.PLAN_SO_FAR, visits=visits)}"

    def _show_end(self, job: JobState) -> None:
        say = self._visitor.say
        if job.status == "cancelled":
            self._visitor.tell(texts.PLAN_CANCELLED)
            return
        reason = Text(**job.problem["text"]) if job.problem is not None else texts.UNEXPECTED
        with self._progress:
            state(say(texts.ERROR_TITLE), say(texts.PLAN_FAILED, reason=say(reason)), kind="error")

    def _stop_watching(self) -> None:
        self._stop_looking()
        self._progress.clear()
        self._button.enable()

    def _stop_looking(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def _cancel(self, job_id: str) -> None:
        def cancel(_actor: Actor) -> bool:
            try:
                self._visitor.services.jobs.cancel(job_id)
            except Conflict:
                return False  # it finished meanwhile; the next look shows how
            return True

        await self._visitor.attempt(cancel)

    def _show_latest(self, latest: list[PlanSummary]) -> None:
        say = self._visitor.say
        with box("section", "fw-section"):
            words("h2", say(texts.PLAN_LATEST))
            if not latest:
                words("p", say(texts.PLAN_NONE), "fw-soft")
            for plan in latest:
                region = self._names.get(plan.region_code or "", say(texts.PLAN_ALL_REGIONS))
                with box("a", "fw-entry") as entry:
                    entry.props["href"] = f"{frame.PLAN.path}/{plan.id}"
                    words("strong", say(texts.PLAN_OF, region=region, day=plan.plan_date.isoformat()))
                    words("span", f"{say(texts.PLAN_VISITS)} {plan.assigned_visits}")
                    words("span", f"{say(texts.PLAN_UNASSIGNED)} {plan.unassigned_visits}")
                    made = plan.created_at.astimezone(self._visitor.services.zone)
                    words("span", f"{say(texts.PLAN_MADE)} {made:%m-%d %H:%M}", "fw-soft")
