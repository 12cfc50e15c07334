"""Is the service alive, is it ready, and its measures."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.routers import CurrentServices
from api.schemas.health import HealthAnswer, ReadinessAnswer

router = APIRouter(tags=["service"])


@router.get("/healthz")
def healthz() -> HealthAnswer:
    """Tell that the process answers; looks at nothing else."""
    return HealthAnswer(status="ok")


@router.get("/readyz", responses={503: {"model": ReadinessAnswer, "description": "A part is not ready yet."}})
def readyz(services: CurrentServices) -> Response:
    """Tell whether every part can work: database, schema, jobs, hint index, forecast model."""
    parts = services.readiness()
    ready = all(state == "ok" for state in parts.values())
    answer = ReadinessAnswer(status="ok" if ready else "not ready", parts=parts)
    return JSONResponse(answer.model_dump(), 200 if ready else 503)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics() -> Response:
    """Return counters and latencies in the Prometheus text format. They carry no data about people."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
