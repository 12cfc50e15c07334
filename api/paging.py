"""Cursor paging: an opaque cursor says after which item the next page begins."""

from __future__ import annotations

import base64
import json
from typing import Annotated

from fastapi import Query

from common.errors import InvalidInput

Limit = Annotated[int, Query(ge=1, le=200, description="Most items of a page.", examples=[50])]
Cursor = Annotated[
    str | None, Query(max_length=500, description="`next_cursor` of the page before; without it the first page.")
]


def write_cursor(*position: str) -> str:
    """Return the cursor for the page after the item at ``position``."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, parts: int) -> tuple[str, ...] | None:
    """Return the position of a cursor, or None for the first page.

    Raises
    ------
    InvalidInput
        When it is not a cursor that this resource gave.
    """
    if cursor is None:
        return None
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        position = None
    if not isinstance(position, list) or len(position) != parts or not all(isinstance(part, str) for part in position):
        raise InvalidInput.at("query/cursor", "is not a cursor of this list", "不是该列表的游标")
    return tuple(position)
