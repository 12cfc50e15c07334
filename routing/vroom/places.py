"""The places of a VROOM request: rows of given matrices, or coordinates whose table is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from common.errors import InvalidInput
from common.places import Location
from routing.fleet.model import Vehicle
from routing.travel_times import LARGEST_ENTRY, TravelTable, TravelTimes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEFAULT_PROFILE = "car"
LARGEST_WAY_M = 10 * LARGEST_ENTRY


def travel_name(vehicle: Mapping[str, Any]) -> str:
    """Return the name of the table for a vehicle's profile and speed factor."""
    return f"{vehicle.get('profile') or DEFAULT_PROFILE}\n{vehicle.get('speed_factor') or 1}"


class Places:
    """The rows of the travel tables: those of the given matrices, or the different coordinates in order of mention."""

    def __init__(self, given: Mapping[str, Any], travel: TravelTimes) -> None:
        matrices = dict(given.get("matrices") or {})
        if given.get("matrix") is not None:
            matrices.setdefault(DEFAULT_PROFILE, {"durations": given["matrix"]})
        self._matrices: Mapping[str, Mapping[str, Any]] = matrices
        self._travel = travel
        self._size = min((len(one.get("durations") or ()) for one in matrices.values()), default=0)
        self._rows: dict[tuple[float, float], int] = {}
        self.locations: list[Location | None] = [None] * self._size
        self.by_index = bool(matrices)
        self.with_distances = not matrices or all("distances" in one for one in matrices.values())

    def of(self, location: Sequence[float] | None, index: int | None, pointer: str) -> int:
        """Return the row of a place given by coordinates, or by an index into the matrices."""
        place = None if location is None else Location(location[1], location[0])
        if self._matrices:
            if index is None:
                raise InvalidInput.at(pointer, "an index into the matrices is missing", "缺少矩阵中的序号")
            if index >= self._size:
                raise InvalidInput.at(pointer, "the index exceeds the size of the matrices", "序号超出矩阵大小")
            self.locations[index] = self.locations[index] or place
            return index
        if place is None:
            raise InvalidInput.at(
                pointer, "coordinates are missing, and no matrix is given", "缺少坐标，也没有给出矩阵"
            )
        row = self._rows.setdefault((place.latitude, place.longitude), len(self._rows))
        if row == len(self.locations):
            self.locations.append(place)
        return row

    def tables(self, names: set[str]) -> dict[str, TravelTable]:
        """Return the table of each profile and speed factor."""
        asked = None if self._matrices else self._travel.table([place for place in self.locations if place is not None])
        tables = {}
        for name in names:
            profile, factor = name.split("\n")
            base = asked if asked is not None else self._given(profile)
            tables[name] = TravelTable(_at_speed(base.duration_s, float(factor)), base.distance_m)
        return tables

    def _given(self, profile: str) -> TravelTable:
        import numpy as np

        matrix = self._matrices.get(profile)
        if matrix is None or matrix.get("durations") is None:
            raise InvalidInput.at(
                f"/matrices/{profile}", f"no durations for profile {profile}", f"缺少 {profile} 的时间矩阵"
            )
        durations = self._square(profile, "durations", matrix["durations"], LARGEST_ENTRY)
        if matrix.get("distances") is None:
            return TravelTable(durations, np.zeros_like(durations))
        return TravelTable(durations, self._square(profile, "distances", matrix["distances"], LARGEST_WAY_M))

    def _square(self, profile: str, name: str, rows: Sequence[Sequence[int]], largest: int) -> NDArray[np.int32]:
        import numpy as np

        size = len(rows)
        if size == 0 or any(len(row) != size for row in rows) or size < self._size:
            raise InvalidInput.at(
                f"/matrices/{profile}/{name}",
                f"the {name} of {profile} are not square",
                f"{profile} 的 {name} 不是方阵",
            )
        # Larger entries stand for "no way there" in practice, and are out of a day's reach all the same.
        matrix = np.minimum(np.asarray(rows, dtype=np.float64), largest).astype(np.int32)
        np.fill_diagonal(matrix, 0)
        return matrix[: self._size, : self._size]

    def costs(self, names: set[str], vehicles: Sequence[Vehicle]) -> dict[str, TravelTable]:
        """Return what ways cost by profile, where the input says so instead of by time and distance."""
        profiles = {name: name.split("\n")[0] for name in names}
        given = {name: self._matrices.get(profile, {}).get("costs") for name, profile in profiles.items()}
        if all(matrix is None for matrix in given.values()):
            return {}
        priced = any(one.cost_per_m or one.cost_per_s != 1 for one in vehicles)
        if priced or any(matrix is None for matrix in given.values()):
            text = "a cost matrix goes with every profile in use, and without per_hour and per_km"
            raise InvalidInput.at("/matrices", text, "成本矩阵须覆盖所有使用的 profile，且不能与 per_hour、per_km 同用")
        if any(one.max_distance_m is not None for one in vehicles):
            raise InvalidInput.at(
                "/matrices", "a cost matrix and max_distance do not go together", "成本矩阵不能与 max_distance 同用"
            )
        tables = {}
        for name, matrix in given.items():
            square = self._square(profiles[name], "costs", matrix or (), LARGEST_WAY_M)
            tables[name] = TravelTable(square, square)
        return tables


def _at_speed(duration_s: NDArray[np.int32], factor: float) -> NDArray[np.int32]:
    """Return durations at a speed factor, in steps of a hundredth of the duration as VROOM takes them."""
    import numpy as np

    share = round(100 / factor)
    if share == 100:
        return duration_s
    return np.minimum((duration_s.astype(np.int64) * share + 50) // 100, LARGEST_ENTRY).astype(np.int32)
