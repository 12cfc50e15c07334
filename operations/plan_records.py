"""Day problems and day plans as JSON: for the store, for jobs, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from routing.check import CheckReport
from routing.plan import DayPlan
from routing.problem import DayProblem, SizeLimits
from routing.problem_files import problem_from_mapping, problem_to_mapping
from routing.usable_visits import Unusable


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def problem_record(problem: DayProblem) -> dict[str, Any]:
    """Return a problem as JSON can hold it."""
    return problem_to_mapping(problem)


def read_problem(record: dict[str, Any]) -> DayProblem:
    """Return the problem of a record; it was checked for size and outliers when it was asked."""
    return problem_from_mapping(record, SizeLimits(outlier_km=math.inf))


def plan_record(plan: DayPlan) -> dict[str, Any]:
    """Return a plan as JSON can hold it."""
    record: dict[str, Any] = _adapter(DayPlan).dump_python(plan, mode="json")
    return record


def read_plan(record: dict[str, Any]) -> DayPlan:
    """Return the plan of a record."""
    plan: DayPlan = _adapter(DayPlan).validate_python(record)
    return plan


def unusable_record(unusable: Sequence[Unusable]) -> list[dict[str, Any]]:
    """Return visits that could not be planned as JSON can hold them."""
    record: list[dict[str, Any]] = _adapter(tuple[Unusable, ...]).dump_python(tuple(unusable), mode="json")
    return record


def read_unusable(record: list[dict[str, Any]]) -> tuple[Unusable, ...]:
    """Return the visits of a record that could not be planned."""
    unusable: tuple[Unusable, ...] = _adapter(tuple[Unusable, ...]).validate_python(record)
    return unusable


def report_record(report: CheckReport) -> dict[str, Any]:
    """Return a checker's report as JSON can hold it."""
    record: dict[str, Any] = _adapter(CheckReport).dump_python(report, mode="json")
    return record
