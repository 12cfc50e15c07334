"""Jobs: slow work that goes on after the answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from api.jobs import JobState
from api.schemas import Answer


class JobAnswer(Answer):
    """A job as it stands."""

    id: str = Field(examples=["4f1d8a52-6f0e-4c37-9f0b-0d8f6e5f6a11"])
    kind: str = Field(examples=["route-plan"])
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    progress: dict[str, Any] | None = Field(examples=[{"best_objective": 81200, "unassigned": 2}])
    result: dict[str, Any] | None = Field(examples=[{"route_plan": "/v1/route-plans/4f1d8a52"}])
    problem: dict[str, Any] | None = Field(description="Why it failed, as a problem answer.")
    created_by: str = Field(examples=["logistics-01"])

    @classmethod
    def of(cls, state: JobState, language: str) -> JobAnswer:
        """Return the answer for a state, with its problem in the reader's language."""
        problem = None
        if state.problem is not None:
            problem = {
                "title": state.problem["kind"],
                "detail": state.problem["text"][language],
                "errors": [
                    {"pointer": field["pointer"], "detail": field["text"][language]}
                    for field in state.problem.get("fields", [])
                ],
            }
        return cls(
            id=state.id,
            kind=state.kind,
            status=state.status,
            created_at=state.created_at,
            started_at=state.started_at,
            finished_at=state.finished_at,
            progress=state.progress,
            result=state.result,
            problem=problem,
            created_by=state.created_by,
        )
