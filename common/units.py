"""Clock times of a working day, as seconds since local midnight."""

from __future__ import annotations

import re

from common.errors import InvalidInput

DAY_S = 24 * 3600
_CLOCK_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")


def parse_clock_time(text: str, *, pointer: str = "/time") -> int:
    """Return the seconds since midnight of ``HH:MM`` or ``HH:MM:SS``; ``24:00`` is the end of the day.

    Raises
    ------
    InvalidInput
        When the text is not a time of day; the problem stands at ``pointer``.
    """
    match = _CLOCK_TIME.fullmatch(text.strip())
    if match:
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        total_s = hours * 3600 + minutes * 60 + seconds
        if minutes < 60 and seconds < 60 and total_s <= DAY_S:
            return total_s
    raise InvalidInput.at(
        pointer, f"{text!r} is not a time of day such as 09:30", f"{text!r} 不是时刻，应写成 09:30 这样"
    )


def format_clock_time(seconds: int) -> str:
    """Return ``HH:MM`` of the seconds since midnight, rounded down to the minute."""
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"
