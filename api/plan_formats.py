"""A stored plan in the formats that people take along: GeoJSON, CSV, PDF and iCalendar, all or one rep's."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from api.services import Services
from common.errors import InvalidInput
from operations import day_plan
from operations.access import Actor
from operations.day_plan import StoredPlan
from operations.day_sheets import DaySheet, day_sheets, round_of
from routing.render import to_csv, to_geojson

GEOJSON, CSV, PDF, ICS = "application/geo+json", "text/csv", "application/pdf", "text/calendar"
PlanFormat = Literal["json", "geojson", "csv", "pdf", "ics"]
MEDIA: dict[PlanFormat, str] = {"json": "application/json", "geojson": GEOJSON, "csv": CSV, "pdf": PDF, "ics": ICS}
"""Media type by the format's name."""


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan as a file."""

    content: bytes
    media_type: str
    name: str

    @property
    def disposition(self) -> str:
        """Value of ``Content-Disposition`` (RFC 6266): a name in ASCII, and the whole one."""
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", self.name)
        return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(self.name)}"


def plan_file(
    services: Services, actor: Actor, plan_id: str, form: PlanFormat, *, rep_id: str | None, language: str
) -> PlanFile:
    """Return a plan as ``geojson``, ``csv``, ``pdf`` or ``ics``.

    Parameters
    ----------
    rep_id : str or None
        Only this rep's round. A calendar is one rep's: it may be left out only where the reader sees one round.

    Raises
    ------
    NotFound
        When there is no such plan or round, or the actor may not know that there is.
    InvalidInput
        When a calendar of several reps is asked for.
    """
    if form in ("pdf", "ics"):
        sheets = _sheets(services, actor, plan_id, rep_id)
        if form == "ics" and len(sheets) > 1:
            raise InvalidInput.at(
                "query/rep",
                f"a calendar is one rep's, and the plan has {len(sheets)} rounds: name the rep",
                f"日历按人员导出，该计划有 {len(sheets)} 条行程：请指定人员",
            )
        return PlanFile(_rendered(sheets, form, language), _media(form), _name(_first(sheets), rep_id, form))
    with services.database.read() as session:
        stored = day_plan.plan(session, actor, plan_id)
    stored = stored if rep_id is None else round_of(stored, rep_id)
    return PlanFile(_drawn(stored, form), _media(form), _name(stored, rep_id, form))


def _sheets(services: Services, actor: Actor, plan_id: str, rep_id: str | None) -> list[DaySheet]:
    if actor.may("contacts:read"):
        # Reading addresses in clear leaves a record, so that this unit of work writes.
        with services.database.write(actor.code) as session:
            return day_sheets(session, actor, plan_id, rep_id=rep_id, zone=services.zone)
    with services.database.read() as session:
        return day_sheets(session, actor, plan_id, rep_id=rep_id, zone=services.zone)


def _rendered(sheets: list[DaySheet], form: PlanFormat, language: str) -> bytes:
    if form == "pdf":
        from api.day_sheet_pdf import pdf_of

        return pdf_of(sheets, language)
    from api.plan_calendar import calendar_of

    return calendar_of(sheets, language)


def _drawn(stored: StoredPlan, form: PlanFormat) -> bytes:
    if form == "csv":
        return to_csv(stored.problem, stored.plan).encode()
    return json.dumps(to_geojson(stored.problem, stored.plan, stored.lines), ensure_ascii=False).encode()


def _media(form: PlanFormat) -> str:
    return f"{MEDIA[form]}; charset=utf-8" if MEDIA[form].startswith("text/") else MEDIA[form]


def _first(sheets: list[DaySheet]) -> DaySheet | None:
    return sheets[0] if sheets else None


def _name(of: StoredPlan | DaySheet | None, rep_id: str | None, form: PlanFormat) -> str:
    parts = ["route-plan"]
    if of is not None:
        summary = of if isinstance(of, DaySheet) else of.summary
        parts += [summary.plan_date.isoformat(), summary.region_code or "all"]
    if rep_id is not None:
        parts.append(rep_id)
    return "-".join(parts) + f".{form}"
