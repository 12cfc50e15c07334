"""The sections of a VRPLIB file that have a row for each node, its depots and its distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.errors import InvalidInput, Text
from routing.instances.edge_weights import read_matrix
from routing.instances.plain import numbers_of
from routing.instances.vrplib_file import Section, VrplibFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Amounts = NDArray[np.float64]

PLANES = ("EUC_2D", "FLOOR_2D", "CEIL_2D", "EXACT_2D")
NODE_SECTIONS = {
    "NODE_COORD": 2, "DEMAND": 1, "LINEHAUL": 1, "BACKHAUL": 1, "SERVICE_TIME": 1, "TIME_WINDOW": 2, "PRIZE": 1
}  # fmt: skip
"""Sections with a row for each node: its number, then so many values."""


class Nodes:
    """The sections with a row for each node."""

    def __init__(self, file: VrplibFile) -> None:
        self.file = file
        self.size = file.keys["DIMENSION"].whole(lowest=2)
        self.labels = self._labels()
        self.row = {label: row for row, label in enumerate(self.labels)}

    def _labels(self) -> list[str]:
        """Return the nodes' numbers, as the first section that has them lists them."""
        for name in NODE_SECTIONS:
            section = self.file.sections.get(name)
            if section is None:
                continue
            if len(section.rows) != self.size:
                have, need = len(section.rows), self.size
                raise section.wrong(f"has {have} rows; DIMENSION says {need}", f"有 {have} 行，DIMENSION 为 {need}")
            labels: list[str] = []
            for line, words in section.rows:
                if words[0] in labels:
                    raise section.wrong(f"node {words[0]} stands twice", f"节点 {words[0]} 重复", line=line)
                labels.append(words[0])
            return labels
        return [str(number) for number in range(1, self.size + 1)]

    def _table(self, section: Section) -> Amounts:
        """Return the section's values in the order of the nodes."""
        import numpy as np

        columns = NODE_SECTIONS[section.name]
        table = np.full((self.size, columns), np.nan)
        for line, words in section.rows:
            row = self.row.get(words[0])
            if row is None:
                raise section.wrong(f"there is no node {words[0]}", f"没有节点 {words[0]}", line=line)
            if not np.isnan(table[row, 0]):
                raise section.wrong(f"node {words[0]} stands twice", f"节点 {words[0]} 重复", line=line)
            table[row] = numbers_of(words[1:], section.pointer(line), columns)
            if section.name != "NODE_COORD" and table[row].min() < 0:
                raise section.wrong("must not be negative", "不能为负", line=line)
        if np.isnan(table).any():
            missing = self.labels[int(np.argwhere(np.isnan(table))[0, 0])]
            raise section.wrong(f"node {missing} is missing", f"缺少节点 {missing}")
        return table

    def amounts(self, name: str) -> Amounts:
        """Return one value for each node, 0 where the file has no such section."""
        import numpy as np

        section = self.file.sections.get(name)
        return np.zeros(self.size) if section is None else self._table(section)[:, 0]

    def demand(self) -> Amounts:
        """Return what is delivered; the section has two names."""
        return self.amounts("LINEHAUL" if "LINEHAUL" in self.file.sections else "DEMAND")

    def service(self) -> Amounts:
        """Return service times: one for all customers, or a section."""
        import numpy as np

        key = self.file.keys.get("SERVICE_TIME")
        return self.amounts("SERVICE_TIME") if key is None else np.full(self.size, key.number())

    def windows(self) -> Amounts | None:
        """Return the windows, or None."""
        section = self.file.sections.get("TIME_WINDOW")
        if section is None:
            return None
        table = self._table(section)
        for line, words in section.rows:
            early, late = table[self.row[words[0]]]
            if late < early:
                raise section.wrong("the window ends before it starts", "时间窗的结束早于开始", line=line)
        return table

    def depots(self) -> tuple[int, ...]:
        """Return the rows of the depots; the first node without a section."""
        section = self.file.sections.get("DEPOT")
        if section is None:
            return (0,)
        found: list[int] = []
        for line, words in section.rows:
            if words == ["-1"]:
                break
            for word in words:
                if word == "-1":
                    break
                if word not in self.row:
                    raise section.wrong(f"there is no node {word}", f"没有节点 {word}", line=line)
                if self.row[word] in found:
                    raise section.wrong(f"depot {word} stands twice", f"仓库 {word} 重复", line=line)
                found.append(self.row[word])
        if not found:
            raise section.wrong("names no depot", "没有列出仓库")
        return tuple(found)

    def distances(self) -> tuple[str, Amounts | None, Amounts | None]:
        """Return the type of the distances, the coordinates and the given matrix."""
        section = self.file.sections.get("NODE_COORD")
        plane = None if section is None else self._table(section)
        kind = self.file.keys.get("EDGE_WEIGHT_TYPE")
        given = self.file.sections.get("EDGE_WEIGHT")
        name = kind.value.upper() if kind else ("EXPLICIT" if given else "EUC_2D")
        if name == "EXPLICIT":
            form = self.file.keys.get("EDGE_WEIGHT_FORMAT")
            if given is None or form is None:
                text = Text(
                    f"{self.file.name} needs EDGE_WEIGHT_FORMAT and EDGE_WEIGHT_SECTION",
                    f"{self.file.name} 需要 EDGE_WEIGHT_FORMAT 和 EDGE_WEIGHT_SECTION",
                )
                raise InvalidInput(text)
            return name, plane, read_matrix(given, form, self.size)
        if name not in PLANES and kind is not None:
            known = ", ".join((*PLANES, "EXPLICIT"))
            raise kind.wrong(f"must be one of {known}", f"应为 {known} 之一")
        if plane is None:
            text = Text(f"{self.file.name} has no NODE_COORD_SECTION", f"{self.file.name} 缺少 NODE_COORD_SECTION")
            raise InvalidInput(text)
        return name, plane, None
