"""Distances that a VRPLIB file lists itself (``EDGE_WEIGHT_TYPE : EXPLICIT``), in the formats of TSPLIB 95."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routing.instances.plain import numbers_of
from routing.instances.vrplib_file import Key, Section

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMATS = {
    "FULL_MATRIX": (False, 0),
    "LOWER_ROW": (True, -1),
    "LOWER_DIAG_ROW": (True, 0),
    "UPPER_ROW": (False, 1),
    "UPPER_DIAG_ROW": (False, 0),
    # A triangle that is read by columns is the other triangle read by rows.
    "UPPER_COL": (True, -1),
    "UPPER_DIAG_COL": (True, 0),
    "LOWER_COL": (False, 1),
    "LOWER_DIAG_COL": (False, 0),
}
"""Format: whether the numbers fill the lower triangle row by row, and the diagonal at which it begins or ends."""


def read_matrix(section: Section, form: Key, size: int) -> NDArray[np.float64]:
    """Return the full matrix of shape (size, size).

    The numbers count, not the lines: files break them as they like.

    Raises
    ------
    InvalidInput
        When the format is unknown, a number is none or negative, or there are too few or too many.
    """
    import numpy as np

    name = form.value.upper()
    if name not in FORMATS:
        raise form.wrong(f"must be one of {', '.join(FORMATS)}", f"应为 {', '.join(FORMATS)} 之一")
    numbers: list[float] = []
    for line, words in section.rows:
        row = numbers_of(words, section.pointer(line))
        if min(row) < 0:
            raise section.wrong("a distance must not be negative", "距离不能为负", line=line)
        numbers += row
    lower, diagonal = FORMATS[name]
    places = np.tril_indices(size, diagonal) if lower else np.triu_indices(size, diagonal)
    need = size * size if name == "FULL_MATRIX" else len(places[0])
    if len(numbers) != need:
        raise section.wrong(
            f"has {len(numbers)} numbers; {name} with {size} nodes needs {need}",
            f"有 {len(numbers)} 个数字；{size} 个节点的 {name} 需要 {need} 个",
        )
    if name == "FULL_MATRIX":
        return np.array(numbers).reshape(size, size)
    matrix = np.zeros((size, size))
    matrix[places] = numbers
    matrix.T[places] = numbers
    return matrix
