"""What an instance file says, in the file's own units; whole numbers come later (``model``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Amounts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PlainVehicle:
    """One vehicle.

    Attributes
    ----------
    depot : int
        Row of the node where it starts and ends.
    capacity, max_distance, max_duration : float or None
        ``None``: any number. The duration runs from leaving the depot to being back, waiting included.
    fixed_cost : float
        What it costs to use it at all.
    allowed : frozenset of int or None
        Rows of the customers whom it may serve; ``None``: all.
    """

    depot: int
    capacity: float | None = None
    max_distance: float | None = None
    max_duration: float | None = None
    fixed_cost: float = 0.0
    allowed: frozenset[int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PlainInstance:
    """An instance as its file has it. Arrays have one row for each node, depots included.

    Attributes
    ----------
    name : str
    labels : tuple of str
        The nodes' numbers in the file.
    weight_type : str
        ``EUC_2D``, ``FLOOR_2D``, ``CEIL_2D``, ``EXACT_2D`` or ``EXPLICIT``.
    plane : array of shape (n, 2) or None
        Coordinates; ``None`` where the file has none.
    weights : array of shape (n, n) or None
        Given distances, from row to column; ``None``: they follow from the coordinates.
    demand, collected, service, prize : arrays of shape (n,)
        Delivered and taken in, how long a stop takes, and the prize (0: must be served).
    windows : array of shape (n, 2) or None
        Earliest and latest start of service; the depot's are its opening hours. ``None``: there are none.
    depots : tuple of int
        Rows of the depots.
    vehicles : tuple of PlainVehicle
    unlimited : bool
        The file names no number of vehicles: as many are listed as could ever be of use.
    file_scale : int
        What the file's ``SCALE`` says (LKH); 1 without one.
    """

    name: str
    labels: tuple[str, ...]
    weight_type: str
    plane: Amounts | None
    weights: Amounts | None
    demand: Amounts
    collected: Amounts
    service: Amounts
    prize: Amounts
    windows: Amounts | None
    depots: tuple[int, ...]
    vehicles: tuple[PlainVehicle, ...]
    unlimited: bool = False
    file_scale: int = 1

    @property
    def customers(self) -> list[int]:
        """Rows of the nodes that are no depots."""
        depots = set(self.depots)
        return [row for row in range(len(self.labels)) if row not in depots]

    @property
    def has_prizes(self) -> bool:
        """Whether customers may be left out."""
        return bool(self.prize.any())

    @property
    def has_clock(self) -> bool:
        """Whether time matters: windows, or a longest duration."""
        return self.windows is not None or any(vehicle.max_duration is not None for vehicle in self.vehicles)

    @property
    def kind(self) -> str:
        """``CVRP``, ``VRPTW``, ``PCVRPTW``, ``MDVRPTW`` and so on, by what the file contains."""
        prefix = ("PC" if self.has_prizes else "") + ("MD" if len(self.depots) > 1 else "")
        if self.windows is not None:
            return f"{prefix}VRPTW"
        return f"{prefix}VRP" if len(self.depots) > 1 else f"{prefix}CVRP"

    def distances(self) -> Amounts:
        """Return the distances between all nodes, not rounded."""
        import numpy as np

        if self.weights is not None:
            return self.weights
        assert self.plane is not None
        # Differences, not the expanded square: that loses digits, and a truncated decimal shows it.
        far: Amounts = np.sqrt(((self.plane[:, None, :] - self.plane[None, :, :]) ** 2).sum(axis=2))
        return far


def numbers_of(words: Sequence[str], pointer: str, count: int | None = None) -> list[float]:
    """Return the finite numbers of one line.

    Raises
    ------
    InvalidInput
        When a word is none, or there are not ``count`` of them; ``pointer`` names the line.
    """
    if count is not None and len(words) != count:
        raise InvalidInput.at(pointer, f"must have {count} numbers, has {len(words)}", f"应有 {count} 个数字")
    found = []
    for word in words:
        try:
            number = float(word)
        except ValueError:
            number = float("nan")
        if not abs(number) <= 1e12:  # also true for nan
            raise InvalidInput.at(pointer, f"{word!r} is not a number", f"{word!r} 不是数字")
        found.append(number)
    return found
