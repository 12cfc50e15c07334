"""Dates of demand tables: plain days, and moments with a zone that become days of the place where they happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from common.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

_ZONED = r"^\d{4}.*\d[T ]\d{2}.*(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$"


def parse_days(column: pd.Series[Any], zones: NDArray[np.object_]) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Return the day of each row, and whether the row named a whole day.

    Parameters
    ----------
    column : Series
        Days (2026-10-01 or 2026/10/1), or moments with an offset from UTC: those become the day it then was in the
        row's zone, be it one of 23, 24 or 25 hours.
    zones : object array of str
        Time zone of each row.

    Returns
    -------
    days : datetime64[D] array
        NaT where no day can be read.
    whole : bool array
        False for a moment without a zone: nobody could say which day it belongs to.

    Raises
    ------
    InvalidInput
        For an unknown time zone.
    """
    import pandas as pd

    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return _local_days(column, zones), np.ones(len(column), dtype=bool)
    if not (column.dtype == object or isinstance(column.dtype, pd.StringDtype)):
        return _plain_days(pd.to_datetime(column, errors="coerce"))
    text = column.astype(str).str.strip().str.replace("/", "-", regex=False)
    # Spreadsheets write 2026/1/5; padding makes it the ISO date that the strict parser takes.
    text = text.str.replace(r"-(\d)(?=-|$|\s)", r"-0\1", regex=True)
    zoned = text.str.match(_ZONED).to_numpy(dtype=bool)
    days = np.full(len(text), "NaT", dtype="datetime64[D]")
    whole = np.ones(len(text), dtype=bool)
    if zoned.any():
        moments = pd.to_datetime(text[zoned], format="ISO8601", errors="coerce", utc=True)
        days[zoned] = _local_days(moments, zones[zoned])
    if not zoned.all():
        plain = pd.to_datetime(text[~zoned], format="ISO8601", errors="coerce", utc=False)
        days[~zoned], whole[~zoned] = _plain_days(plain)
    return days, whole


def require_zone(name: str, pointer: str = "/time_zone") -> ZoneInfo:
    """Return a time zone.

    Raises
    ------
    InvalidInput
        When there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput.at(pointer, f"there is no time zone {name!r}", f"没有时区 {name!r}") from error


def _plain_days(parsed: pd.Series[Any]) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    midnight = (parsed == parsed.dt.normalize()).to_numpy(dtype=bool)
    return parsed.to_numpy().astype("datetime64[D]"), midnight | parsed.isna().to_numpy(dtype=bool)


def _local_days(moments: pd.Series[Any], zones: NDArray[np.object_]) -> NDArray[np.datetime64]:
    days = np.full(len(moments), "NaT", dtype="datetime64[D]")
    for name in sorted(set(zones.tolist())):
        there = zones == name
        local = moments[there].dt.tz_convert(require_zone(name)).dt.tz_localize(None)
        days[there] = local.to_numpy().astype("datetime64[D]")
    return days
