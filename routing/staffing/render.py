"""A plan of lending as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from routing.staffing.answer import Reallocation

COLUMNS = (
    "day",
    "person",
    "name",
    "from_region",
    "to_region",
    "skill",
    "hours_covered",
    "travel_min",
    "price_h",
    "begins",
    "cover",
    "cover_name",
    "reason",
)


def to_csv(answer: Reallocation, names: Mapping[str, str], *, language: str = "en") -> str:
    """Return one line a move, with a head line; a cell that a spreadsheet would take for a formula is quoted.

    Parameters
    ----------
    names : mapping of str to str
        Names of people by id; an unknown id stands for itself.
    """
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(COLUMNS)
    for move in answer.moves:
        cover = move.cover_id or ""
        cells = [
            move.day,
            move.person_id,
            names.get(move.person_id, move.person_id),
            move.from_region,
            move.to_region,
            move.skill,
            f"{move.hours_covered:g}",
            f"{move.travel_min:g}",
            f"{move.price_h:g}",
            "1" if move.begins else "0",
            cover,
            names.get(cover, cover),
            move.reason.in_language(language),
        ]
        table.writerow([f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell for cell in cells])
    return written.getvalue()
