"""What the people who are in a region on a day can do of its work, and what stays undone.

People with several skills can do several kinds of work, so what is undone is a question of flows: people of a set of
skills on one side, kinds of work on the other. By the theorem of Hall, undone is the greatest surplus that any set of
kinds of work has over the people who could do one of them. A surplus is a linear row over who is where, which is what
the program needs; the flow itself tells which work it is that stays undone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ANYBODY = 0
"""Place of the work that anybody can do among the kinds of work."""


@dataclass(frozen=True, slots=True)
class Row:
    """One set of kinds of work.

    Attributes
    ----------
    skills : int
        Set of skills, a bit each; people with one of them can do a part.
    everybody : bool
        Whether it holds work that anybody can do.
    minutes : int
        Of work.
    """

    skills: int
    everybody: bool
    minutes: int

    def holds(self, skills: int) -> bool:
        """Return whether people with these skills can do a part."""
        return self.everybody or bool(self.skills & skills)


def rows_of(work: Mapping[int, int]) -> tuple[Row, ...]:
    """Return the sets of kinds of work that may decide; keys of ``work`` are bits of skills, 0 is for anybody.

    With work for anybody a set that holds it counts everybody, so only the set of all kinds can decide among those.
    """
    kinds = [(bit, minutes) for bit, minutes in sorted(work.items()) if bit and minutes > 0]
    sets = [(0, 0)]
    for bit, minutes in kinds:
        sets += [(mask | bit, total + minutes) for mask, total in sets]
    rows = [Row(mask, False, total) for mask, total in sets if mask]
    if work.get(ANYBODY, 0) > 0:
        rows.append(Row(sets[-1][0], True, sets[-1][1] + work[ANYBODY]))
    return tuple(rows)


def undone_min(rows: Sequence[Row], capacity: Mapping[int, int]) -> int:
    """Return the minutes that nobody can do; ``capacity`` holds minutes by set of skills."""
    return max((0, *(row.minutes - able_min(row, capacity) for row in rows)))


def able_min(row: Row, capacity: Mapping[int, int]) -> int:
    """Return the minutes of the people who can do a part of a set of kinds of work."""
    return sum(minutes for skills, minutes in capacity.items() if row.holds(skills))


def undone_by_kind(work: Mapping[int, int], capacity: Mapping[int, int]) -> dict[int, int]:
    """Return the minutes that stay undone of each kind of work when as much as possible is done (a greatest flow).

    Who can do least is given work first, and work for anybody last, so that what stays undone is that work as far as
    there is a choice.
    """
    left = {bit: minutes for bit, minutes in work.items() if minutes > 0}
    free = {skills: minutes for skills, minutes in capacity.items() if minutes > 0}
    done: dict[tuple[int, int], int] = {}
    order = sorted(left, key=lambda bit: (bit == ANYBODY, bit))
    for skills in sorted(free, key=lambda skills: (skills.bit_count(), skills)):
        for bit in order:
            if bit == ANYBODY or skills & bit:
                part = min(free[skills], left[bit])
                if part:
                    done[skills, bit] = done.get((skills, bit), 0) + part
                    free[skills] -= part
                    left[bit] -= part
    while _push(free, left, done):
        pass
    return left


def _push(free: dict[int, int], left: dict[int, int], done: dict[tuple[int, int], int]) -> bool:
    """Find people with time from whom work can be passed on to an undone kind, and do so (an augmenting path)."""
    came: dict[tuple[str, int], tuple[str, int] | None] = {
        ("people", skills): None for skills, minutes in free.items() if minutes
    }
    queue = list(came)
    for side, number in queue:
        if side == "people":
            nodes = [("work", bit) for bit in left if bit == ANYBODY or number & bit]
        else:
            nodes = [("people", skills) for (skills, bit), part in done.items() if bit == number and part]
        for node in nodes:
            if node not in came:
                came[node] = (side, number)
                queue.append(node)
                if node[0] == "work" and left[node[1]]:
                    _move_along(node, came, free, left=left, done=done)
                    return True
    return False


def _move_along(
    end: tuple[str, int],
    came: Mapping[tuple[str, int], tuple[str, int] | None],
    free: dict[int, int],
    *,
    left: dict[int, int],
    done: dict[tuple[int, int], int],
) -> None:
    path = [end]
    while (before := came[path[-1]]) is not None:
        path.append(before)
    path.reverse()
    given_up = [(path[i + 1][1], path[i][1]) for i in range(1, len(path) - 1, 2)]
    amount = min([free[path[0][1]], left[end[1]], *(done[pair] for pair in given_up)])
    for pair in given_up:
        done[pair] -= amount
    for i in range(0, len(path), 2):
        pair = (path[i][1], path[i + 1][1])
        done[pair] = done.get(pair, 0) + amount
    free[path[0][1]] -= amount
    left[end[1]] -= amount
