"""The one application: HTTP routes and console pages on one port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi_offline import FastAPIOffline

from api import errors
from api.middleware import BodyLimit, Measures
from api.routers import (
    consumption,
    due_customers,
    forecast_charts,
    forecast_explanations,
    forecast_models,
    forecast_overrides,
    forecasts,
    health,
    hints,
    jobs,
    library,
    live,
    optimize_tours,
    people,
    plan_evaluation,
    route_changes,
    routes,
    staffing,
    stock,
    stock_alerts,
    stock_proposals,
    vroom,
    week_plans,
)
from api.services import Services, wire
from api.settings import Settings, load_settings

DESCRIPTION = """
One loop for field promotion (地推): what to say to the customer in front of you, who visits whom in which order, and
what each region needs in three days.

Sign in with `POST /v1/sign-in`, or send an API key: `Authorization: Bearer …`. Wrong input gets a problem answer
(RFC 9457) that names each field, in Chinese or English by `Accept-Language`. A POST that creates something takes an
`Idempotency-Key`. Slow work answers 202 with a job; `Prefer: wait=10` waits that long for its result.
"""


def create_app(settings: Settings | None = None, *, services: Services | None = None, console: bool = True) -> FastAPI:
    """Return the application.

    Parameters
    ----------
    settings : Settings, optional
        Read from the environment when left out.
    services : Services, optional
        Already wired services, instead of wiring them from ``settings``.
    console : bool
        Whether the web pages are part of it.
    """
    wired = services or wire(settings or load_settings())

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        wired.start()
        yield
        wired.close()

    app = FastAPIOffline(
        title="Fieldwise", version=version("fieldwise"), description=DESCRIPTION, lifespan=lifespan, redoc_url=None
    )
    app.state.services = wired
    errors.install(app)
    for module in (
        hints,
        live,
        library,
        week_plans,
        due_customers,
        routes,
        route_changes,
        plan_evaluation,
        staffing,
        forecasts,
        forecast_models,
        forecast_overrides,
        forecast_explanations,
        forecast_charts,
        stock,
        stock_proposals,
        stock_alerts,
        consumption,
        people,
        jobs,
        health,
        vroom,
        optimize_tours,
    ):
        app.include_router(module.router)
    app.include_router(people.sign_in_router)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    if console:
        from api import console as pages

        pages.mount(app, wired)
    app.add_middleware(BodyLimit, max_bytes=wired.settings.max_body_bytes)
    app.add_middleware(Measures)
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
    return app.openapi_schema
