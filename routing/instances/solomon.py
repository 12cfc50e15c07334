"""Reads files in the format of Solomon (1987), which Gehring and Homberger (1999) use for 200 to 1000 customers."""

from __future__ import annotations

from common.errors import InvalidInput, Text
from routing.instances.plain import PlainInstance, PlainVehicle, numbers_of

COLUMNS = 7
"""Number, x, y, demand, ready time, due date, service time."""


def looks_like_solomon(text: str) -> bool:
    """Return whether a file has the headings of the format."""
    firsts = {line.split()[0] for line in text.splitlines() if line.strip()}
    return {"NUMBER", "CUST"} <= firsts


def read_solomon(text: str, *, name: str = "instance") -> PlainInstance:
    """Return the instance of a file: the first customer line is the depot, every customer must be served.

    Raises
    ------
    InvalidInput
        When the file is not in this format; the line is named.
    """
    import numpy as np

    lines = [line.split() for line in text.splitlines()]
    head = next((number for number, words in enumerate(lines) if words[:1] == ["NUMBER"]), None)
    first = next((number for number, words in enumerate(lines) if words[:1] == ["CUST"]), None)
    if head is None or first is None or head + 1 >= len(lines):
        raise InvalidInput(Text(f"{name} is not a Solomon file", f"{name} 不是 Solomon 格式的文件"))
    count, capacity = numbers_of(lines[head + 1], f"row {head + 2}", 2)
    if count != int(count) or not 1 <= count <= 100_000 or capacity < 0:
        raise InvalidInput.at(f"row {head + 2}", "must have vehicles and their capacity", "应为车辆数和载重")
    rows = [_customer(words, number) for number, words in enumerate(lines[first + 1 :], first + 2) if words]
    if len(rows) < 2:
        raise InvalidInput(Text(f"{name} has no customers", f"{name} 没有客户"))
    _refuse_repeated(rows, first + 2)
    table = np.array(rows)
    vehicle = PlainVehicle(depot=0, capacity=capacity)
    zeros = np.zeros(len(rows))
    return PlainInstance(
        name=name,
        labels=tuple(f"{row[0]:g}" for row in rows),
        weight_type="EUC_2D",
        plane=table[:, 1:3],
        weights=None,
        demand=table[:, 3],
        collected=zeros,
        service=table[:, 6],
        prize=zeros,
        windows=table[:, 4:6],
        depots=(0,),
        vehicles=(vehicle,) * int(count),
    )


def _customer(words: list[str], line: int) -> list[float]:
    row = numbers_of(words, f"row {line}", COLUMNS)
    if row[0] != int(row[0]) or min(row[0], *row[3:]) < 0:
        raise InvalidInput.at(
            f"row {line}", "numbers, demands and times must not be negative", "编号、需求和时间不能为负"
        )
    if row[5] < row[4]:
        raise InvalidInput.at(f"row {line}", "the due date lies before the ready time", "最晚时间早于最早时间")
    return row


def _refuse_repeated(rows: list[list[float]], line: int) -> None:
    seen: set[float] = set()
    for row in rows:
        if row[0] in seen:
            raise InvalidInput.at(f"row {line}", f"customer {row[0]:g} stands twice", f"客户 {row[0]:g} 重复")
        seen.add(row[0])
        line += 1
