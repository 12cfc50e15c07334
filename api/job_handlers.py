"""The kinds of job there are. Each handler calls one use case."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from api.jobs import JobContext, JobHandler, ScheduledJob
from common.errors import FieldwiseError, Text
from forecasting.model import TooLittleHistory
from operations import (
    consumption_queue,
    day_plan,
    demand,
    forecast_monitor,
    forecasts,
    hint_drafts,
    hint_log,
    library,
    library_import,
    live_records,
    plan_changes,
    repeated_requests,
    staffing,
    stock_alerts,
    week_plan,
)
from operations.access import Actor
from operations.library_import import ImportWatch

if TYPE_CHECKING:
    from api.services import Services

log = logging.getLogger("fieldwise.forecasts")

JOBS_KEPT_FOR = timedelta(days=30)
DRAFTS_FROM_THE_LAST = timedelta(days=35)
"""Feedback and visits of this time become drafts; a run that was missed is made up for by the next one."""


def job_handlers(services: Services) -> dict[str, JobHandler]:
    """Return the handlers of all kinds of job."""
    return {
        "route-plan": JobHandler("solve", lambda context, payload: _plan_routes(services, context, payload)),
        "route-week": JobHandler("solve", lambda context, payload: _plan_week(services, context, payload)),
        "fairness-price": JobHandler("solve", lambda context, payload: _price_fairness(services, context, payload)),
        "reallocate-staff": JobHandler("solve", lambda context, payload: _reallocate(services, context, payload)),
        "train-forecast": JobHandler("train", lambda context, payload: _train(services, context)),
        "make-forecast": JobHandler("train", lambda context, payload: _nightly_forecast(services, context)),
        "hint-drafts": JobHandler("import", lambda context, payload: _draft_from_hints(services, context)),
        "import-library": JobHandler("import", lambda context, payload: _import_library(services, context, payload)),
        "import-consumption": JobHandler(
            "import", lambda context, payload: _import_consumption(services, context, payload)
        ),
        "housekeeping": JobHandler("import", lambda context, payload: _tidy(services)),
    }


def schedules(services: Services) -> tuple[ScheduledJob, ...]:
    """Return the jobs that the clock asks for."""
    hour = services.settings.forecast_hour
    return (
        ScheduledJob("nightly-forecast", f"30 {hour} * * *", "make-forecast"),
        ScheduledJob("weekly-training", f"0 {hour} * * 1", "train-forecast"),
        ScheduledJob("nightly-drafts", "45 3 * * *", "hint-drafts"),
        ScheduledJob("housekeeping", "15 4 * * *", "housekeeping"),
    )


def _plan_routes(services: Services, context: JobContext, payload: dict[str, Any]) -> dict[str, Any]:
    solved = context.step(
        "solve",
        lambda: day_plan.solve(
            payload, services.travel_times, on_progress=context.report, should_stop=context.cancelled
        ),
    )
    return context.step(
        "store",
        lambda: day_plan.store(services.database, context.actor, context.job_id, payload, solved),
    )


def _plan_week(services: Services, context: JobContext, payload: dict[str, Any]) -> dict[str, Any]:
    solved = context.step(
        "solve",
        lambda: week_plan.solve(
            payload, services.travel_times, on_progress=context.report, should_stop=context.cancelled
        ),
    )
    return context.step(
        "store", lambda: week_plan.store(services.database, context.actor, context.job_id, payload, solved)
    )


def _price_fairness(services: Services, context: JobContext, payload: dict[str, Any]) -> dict[str, Any]:
    return context.step(
        "solve",
        lambda: plan_changes.price_fairness(payload, services.travel_times, should_stop=context.cancelled),
    )


def _reallocate(services: Services, context: JobContext, payload: dict[str, Any]) -> dict[str, Any]:
    answer = context.step("solve", lambda: staffing.solve(payload))
    return context.step(
        "store", lambda: staffing.store(services.database, context.actor, context.job_id, payload, answer)
    )


def _train(services: Services, context: JobContext) -> dict[str, Any]:
    def report(share: float, text: Text) -> None:
        context.report({"share": round(share, 3), "doing": {"en": text.en, "zh": text.zh}})

    def train() -> dict[str, Any]:
        card = demand.train_model(
            services.database,
            services.settings.model_folder,
            context.actor,
            country=services.settings.holiday_country,
            plan=demand.TrainingPlan(
                kept_models=services.settings.forecast_models_kept,
                scheduler=services.settings.forecast_scheduler or None,
            ),
            progress=report,
        )
        if isinstance(card, TooLittleHistory):
            return {"trained": False, "reason": {"en": card.reason.en, "zh": card.reason.zh}}
        told = {"model_version": card.version, "status": card.status, "improvement": card.measures.get("improvement")}
        reason = {"en": card.reason.en, "zh": card.reason.zh} if card.reason else None
        return {"trained": True, **told, "reason": reason}

    trained = context.step("train", train)
    if trained["trained"]:
        trained = {**trained, **context.step("forecast", lambda: _forecast(services, context))}
    return trained


def _forecast(services: Services, context: JobContext) -> dict[str, Any]:
    made = demand.make_forecast(services.database, services.settings.model_folder, context.actor)
    with services.database.write(context.actor) as session:
        changes = stock_alerts.refresh_stock_alerts(session, Actor.system(context.actor))
    log.info("stock alerts: %d opened, %d closed", len(changes.opened), len(changes.closed))
    return {"origin": made.origin.isoformat(), "days": len(made.days), "forecasts": "/v1/forecasts"}


def _nightly_forecast(services: Services, context: JobContext) -> dict[str, Any]:
    """Forecast, look whether the model has drifted, and ask for a training when it has."""
    made = context.step("forecast", lambda: _forecast(services, context))

    def look() -> dict[str, Any]:
        with services.database.read() as session:
            report = forecast_monitor.monitor(session, Actor.system(context.actor))
        level = logging.WARNING if report.state == "drifting" else logging.INFO
        log.log(level, "forecasts by %s: %s: %s", report.model_version, report.state, report.reason.en)
        return {"state": report.state, "reason": {"en": report.reason.en, "zh": report.reason.zh}} | (
            {"retrain": True} if report.retrain else {}
        )

    seen = context.step("monitor", look)
    if seen.get("retrain"):
        asked = f"drift-{made['origin']}"
        seen["job"] = context.step(
            "ask",
            lambda: {"id": services.jobs.enqueue("train-forecast", {}, actor=context.actor, job_id=asked)},
        )["id"]
    return {**made, "monitor": seen}


def _draft_from_hints(services: Services, context: JobContext) -> dict[str, Any]:
    def draft() -> dict[str, Any]:
        from coach.near_duplicates import LexicalNearDuplicates

        since, actor = services.clock.now() - DRAFTS_FROM_THE_LAST, Actor.system("hint-drafts")
        with services.database.read() as session:
            near = LexicalNearDuplicates(library.published(session), limit=hint_drafts.NEAREST_NAMED)
        with services.database.write(actor.code) as session:
            report = hint_drafts.draft_from_hints(
                session,
                actor,
                since,
                near_duplicates=lambda line: [(each.key, each.language, each.similarity) for each in near([line])],
            )
        return {"drafts": len(report.made), "nothing_new": report.nothing_new, "unfit": report.unfit}

    return context.step("draft", draft)


def _import_library(services: Services, context: JobContext, payload: dict[str, Any]) -> dict[str, Any]:
    asker = payload["asker"]
    scopes = frozenset({"library:read", "library:write"})
    actor = Actor(context.actor, asker["kind"], scopes, region_code=asker["region"])
    watch = ImportWatch(lambda progress: context.report(asdict(progress)), context.cancelled)

    def run() -> dict[str, Any]:
        dry_run = payload["dry_run"]
        return asdict(
            library_import.import_kept_file(services.database, actor, context.job_id, dry_run=dry_run, watch=watch)
        )

    try:
        report = context.step("import", run)
    except FieldwiseError:
        library_import.drop_file(services.database, context.job_id)
        raise
    library_import.drop_file(services.database, context.job_id)
    return report


def _import_consumption(services: Services, context: JobContext, payload: dict[str, Any]) -> dict[str, Any]:
    asker = payload["asker"]
    actor = Actor(context.actor, asker["kind"], frozenset({"stock:write"}), region_code=asker["region"])

    def run() -> dict[str, Any]:
        report = consumption_queue.import_kept_file(
            services.database,
            actor,
            context.job_id,
            dry_run=payload["dry_run"],
            duplicates=payload["duplicates"],
        )
        days = {"first_day": report.first_day, "last_day": report.last_day}
        return asdict(report) | {name: day.isoformat() if day else None for name, day in days.items()}

    try:
        report = context.step("import", run)
    except FieldwiseError:
        library_import.drop_file(services.database, context.job_id)
        raise
    library_import.drop_file(services.database, context.job_id)
    return report


def _tidy(services: Services) -> dict[str, Any]:
    with services.database.write("housekeeping") as session:
        answers = repeated_requests.forget_old(session)
        library_import.forget_old(session)
        conversations = live_records.forget_old(session, timedelta(hours=services.settings.live_keep_h))
        candidates = hint_log.forget_old_candidates(session)
        forecasts.forget_old_forecasts(session, services.settings.forecast_days_kept)
    jobs = services.jobs.forget_finished(services.clock.now() - JOBS_KEPT_FOR)
    return {
        "answers_forgotten": answers,
        "conversations_forgotten": conversations,
        "candidates_forgotten": candidates,
        "jobs_forgotten": jobs,
    }
