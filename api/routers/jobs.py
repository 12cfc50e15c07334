"""Jobs: look at them, cancel them, wait for them."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response

from api.errors import language_of
from api.jobs import JobState
from api.routers import CurrentServices, problems
from api.schemas.jobs import JobAnswer
from api.security import CurrentActor
from api.services import Services
from common.errors import NotFound, Text
from operations.access import Actor

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
JobId = Annotated[str, Path(max_length=200, examples=["4f1d8a52-6f0e-4c37-9f0b-0d8f6e5f6a11"])]
PreferHeader = Annotated[
    str | None,
    Header(
        alias="Prefer",
        max_length=100,
        description="`wait=15` waits so many seconds for the result, `respond-async` not at all.",
    ),
]
MAX_WAIT_S = 60.0
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,4})")


@router.get("/{job_id}", responses=problems(404))
def get_job(request: Request, job_id: JobId, services: CurrentServices, actor: CurrentActor) -> JobAnswer:
    """Show a job's state, progress and result: one's own, or any for a director."""
    return JobAnswer.of(_visible(services, actor, job_id), language_of(request))


@router.delete("/{job_id}", responses=problems(404, 409))
def cancel_job(request: Request, job_id: JobId, services: CurrentServices, actor: CurrentActor) -> JobAnswer:
    """Cancel a job that waits or runs; a finished one answers 409."""
    _visible(services, actor, job_id)
    return JobAnswer.of(services.jobs.cancel(job_id), language_of(request))


def _visible(services: Services, actor: Actor, job_id: str) -> JobState:
    state = services.jobs.state(job_id)
    if state.created_by != actor.code and actor.role != "director":
        raise NotFound(Text(f"There is no job {job_id}.", f"没有任务 {job_id}。"))
    return state


def asked_wait_s(request: Request, *, unasked_s: float = 0.0) -> float:
    """Return how long a request is ready to wait for its job, at most a minute.

    ``Prefer: wait=10`` and ``Prefer: respond-async`` (RFC 7240) say it; without them it is ``unasked_s``.
    """
    prefer = request.headers.get("prefer", "").lower()
    found = _WAIT.search(prefer)
    if found:
        return min(float(found.group(1)), MAX_WAIT_S)
    return 0.0 if "respond-async" in prefer else unasked_s


def accepted(request: Request, response: Response, state: JobState) -> JobAnswer:
    """Return the 202 answer for a job that goes on, with its address."""
    response.status_code = 202
    response.headers["Location"] = f"/v1/jobs/{state.id}"
    response.headers["Retry-After"] = "1"
    return JobAnswer.of(state, language_of(request))
