"""How the distances and times of an instance become whole numbers.

Published best distances follow different conventions, and a gap means something only within one of them:

``dimacs``
    truncated to one decimal, as in the DIMACS challenge 2022: Solomon, Gehring and Homberger, and everything else with
    a clock or prizes;
``nearest``
    rounded to whole numbers, as TSPLIB says: CVRP;
``trunc``, ``ceil``
    truncated or rounded up to whole numbers;
``exact``
    rounded to three decimals, or to as many as fit into a day's clock.

``auto`` takes what the kind of the file asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from common.errors import InvalidInput, Text
from routing.instances.plain import PlainInstance
from routing.problem import LATEST_TIME_S
from routing.travel_times import LARGEST_ENTRY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Rounding = Literal["auto", "dimacs", "nearest", "trunc", "ceil", "exact"]
ROUNDINGS: tuple[Rounding, ...] = get_args(Rounding)
SCALES: dict[Rounding, tuple[int, ...]] = {
    "dimacs": (10,), "nearest": (1,), "trunc": (1,), "ceil": (1,), "exact": (1000, 100, 10, 1)
}  # fmt: skip
"""Units in one unit of the file: the first that fits into a day."""
ALMOST = 1e-9
"""A product such as 10 × 3.6 may end this far below the whole number that it is."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A convention applied: ``scale`` units of the problem are one unit of the file."""

    rounding: Rounding
    scale: int

    def of(self, amounts: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the amounts in whole units of the problem."""
        import numpy as np

        scaled = amounts * self.scale
        if self.rounding in ("dimacs", "trunc"):
            return np.floor(scaled + ALMOST).astype(np.int64)
        if self.rounding == "ceil":
            return np.ceil(scaled - ALMOST).astype(np.int64)
        return np.floor(scaled + 0.5).astype(np.int64)

    def one(self, amount: float) -> int:
        """Return one amount in whole units."""
        import numpy as np

        return int(self.of(np.array([amount]))[0])


def choose_rounding(plain: PlainInstance, asked: Rounding = "auto") -> Whole:
    """Return the convention for an instance.

    Raises
    ------
    InvalidInput
        When even whole numbers are too large for a day problem.
    """
    rounding = _automatic(plain) if asked == "auto" else asked
    latest, farthest = _latest(plain), float(plain.distances().max())
    # Days counted in seconds have no room for a tenth of them; whole numbers are the next best convention.
    choices: tuple[Rounding, ...] = (rounding, "trunc") if asked == "auto" else (rounding,)
    for choice in choices:
        for scale in SCALES[choice]:
            if latest * scale <= LATEST_TIME_S and farthest * scale <= 10 * LARGEST_ENTRY:
                return Whole(choice, scale)
    text = Text(
        f"{plain.name} runs to {latest:g} with distances up to {farthest:g}: too long for a day problem "
        f"({LATEST_TIME_S} s) when rounded as {rounding}",
        f"{plain.name} 的时间到 {latest:g}、距离到 {farthest:g}："
        f"按 {rounding} 取整后超出当日问题的范围（{LATEST_TIME_S} 秒）",
    )
    raise InvalidInput(text)


def _automatic(plain: PlainInstance) -> Rounding:
    if plain.weight_type == "FLOOR_2D":
        return "dimacs" if plain.file_scale == 10 else "trunc"
    if plain.weight_type == "CEIL_2D":
        return "ceil"
    if plain.weight_type == "EXACT_2D":
        return "exact"
    if plain.weights is not None:
        return "nearest" if _all_whole(plain) else "dimacs"
    simple = not plain.has_clock and not plain.has_prizes and len(plain.depots) == 1
    return "nearest" if simple else "dimacs"


def _all_whole(plain: PlainInstance) -> bool:
    """Return whether a file with given distances has only whole numbers: then nothing is to be rounded."""
    given = [plain.weights, plain.windows, plain.service, plain.prize]
    return all(bool((numbers % 1 == 0).all()) for numbers in given if numbers is not None)


def _latest(plain: PlainInstance) -> float:
    """Return the last moment that any plan can reach, in the file's unit; 0 where time does not matter."""
    if not plain.has_clock:
        return 0.0
    away = plain.distances()[:, list(plain.depots)].min(axis=1)
    longest = max((vehicle.max_duration or 0.0 for vehicle in plain.vehicles), default=0.0)
    if plain.windows is None:
        return longest
    opening = float(plain.windows[list(plain.depots), 1].max())
    customers = plain.customers
    back = float((plain.windows[customers, 1] + plain.service[customers] + away[customers]).max())
    return min(opening, back)
