"""The strip above a picture on which holidays and events lie as bars with their names, none over another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.font_manager import FontProperties

LANE_POINTS = 14.0
MOST_LANES = 5
_GAP_POINTS = 5.0
_DRAWN_WIDER = 1.04
"""Letters on the grid of a picture's points take a little more room than their outlines."""
_HOLIDAY, _EVENT = "#b8860b", "#6a6f73"


@dataclass(frozen=True, slots=True)
class Bar:
    """A mark on the strip: from ``left`` to ``right`` in days of the axis, with its name."""

    left: float
    right: float
    name: str
    is_holiday: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """A bar in its lane, with the part of its name that fits, and where the name begins, in days."""

    bar: Bar
    lane: int
    name: str
    name_left: float


def place_bars(
    bars: Sequence[Bar], span: tuple[float, float], points_a_day: float, font: FontProperties
) -> list[Placed]:
    """Return the bars in lanes so that neither they nor their names touch; names are cut to the width of the strip.

    Bars that find no place in `MOST_LANES` lanes are left out.

    Parameters
    ----------
    bars : sequence of Bar
        By importance.
    span : (float, float)
        Left and right end of the axis, in days.
    points_a_day : float
        Width of one day on paper.
    font : FontProperties
        Of the names.
    """
    gap = _GAP_POINTS / points_a_day
    lanes: list[list[tuple[float, float]]] = []
    placed = []
    for bar in bars:
        name = _fitting(bar.name, (span[1] - span[0]) * points_a_day - _GAP_POINTS, font)
        width = _width_points(name, font) / points_a_day
        name_left = max(span[0], min(bar.left, span[1] - width))
        left, right = min(bar.left, name_left), max(bar.right, name_left + width)
        lane = next(
            (number for number, taken in enumerate(lanes) if _is_free(taken, left - gap, right + gap)), len(lanes)
        )
        if lane == MOST_LANES:
            continue
        if lane == len(lanes):
            lanes.append([])
        lanes[lane].append((left, right))
        placed.append(Placed(bar, lane, name, name_left))
    return placed


def _is_free(taken: Sequence[tuple[float, float]], left: float, right: float) -> bool:
    return all(right <= other_left or left >= other_right for other_left, other_right in taken)


def draw_bars(axes: Axes, placed: Sequence[Placed], lanes: int, font: FontProperties) -> None:
    """Draw placed bars on a strip of ``lanes`` lanes, the first one at the bottom."""
    axes.set_ylim(0, max(1, lanes))
    axes.axis("off")
    for one in placed:
        colour = _HOLIDAY if one.bar.is_holiday else _EVENT
        base = one.lane + 0.1
        axes.plot([one.bar.left, one.bar.right], [base, base], color=colour, linewidth=2.4, solid_capstyle="butt")
        axes.annotate(
            one.name,
            (one.name_left, base),
            (0, 3.2),
            textcoords="offset points",
            color=colour,
            fontproperties=font,
            va="baseline",
            parse_math=False,
        )


def _fitting(name: str, most_points: float, font: FontProperties) -> str:
    if _width_points(name, font) <= most_points:
        return name
    while len(name) > 1 and _width_points(f"{name}…", font) > most_points:
        name = name[:-1].rstrip()
    return f"{name}…"


def _width_points(text: str, font: FontProperties) -> float:
    from matplotlib.textpath import TextPath

    if not text.strip():
        return 0.0
    outline = TextPath((0, 0), text, prop=font, usetex=False)
    return _DRAWN_WIDER * float(outline.get_extents().width)
