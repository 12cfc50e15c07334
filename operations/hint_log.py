"""What a hint was chosen from, as it is kept with the hint, so that another ranking can be tried on it later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import CursorResult, null, update
from sqlalchemy.orm import Session

from coach.ranking import Candidate
from operations.store.tables import Hint

CANDIDATES_KEPT_FOR = timedelta(days=180)
"""Candidates take most of a hint's space; older ones say little about a library of today."""


def pack_candidates(candidates: Sequence[Candidate]) -> dict[str, Any]:
    """Return candidates as compact JSON: the types once, and a short row for each candidate, by position."""
    types: dict[str, float] = {}
    for candidate in candidates:
        types.setdefault(candidate.objection_type, candidate.type_probability)
    numbers = {code: number for number, code in enumerate(types)}
    return {
        "types": [[code, round(probability, 6)] for code, probability in types.items()],
        "rows": [
            [each.key, numbers[each.objection_type], each.approach, round(each.closeness, 6), each.position]
            for each in sorted(candidates, key=lambda each: each.position)
        ],
    }


def unpack_candidates(packed: dict[str, Any]) -> list[Candidate]:
    """Return the candidates of a kept hint, by position."""
    return [
        Candidate(
            position=position,
            key=key,
            objection_type=packed["types"][number][0],
            approach=approach,
            type_probability=packed["types"][number][1],
            closeness=closeness,
        )
        for key, number, approach, closeness, position in packed["rows"]
    ]


def forget_old_candidates(session: Session) -> int:
    """Drop the candidates of old hints; what was shown and what became of it stays. Return how many hints."""
    before = session.info["clock"].now() - CANDIDATES_KEPT_FOR
    old = update(Hint).where(Hint.asked_at < before, Hint.candidates.is_not(None))
    result = session.execute(old.values(candidates=null()), execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult)
    return int(result.rowcount)
