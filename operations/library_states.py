"""The life cycle of an entry: draft, review, published, retired."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sqlalchemy.orm import Session

from common.errors import Conflict, Text
from operations.store.tables import LibraryEntryRow

NEXT_STATES: Mapping[str, frozenset[str]] = {
    "draft": frozenset({"review", "retired"}),
    "review": frozenset({"draft", "published", "retired"}),
    "published": frozenset({"review", "retired"}),
    "retired": frozenset({"draft"}),
}
"""Which state may follow which. Publishing is the reviewer's approval (`operations.library_review.approve`)."""
_NAMES = {"draft": "草稿", "review": "审核中", "published": "已发布", "retired": "已停用"}


class HasState(Protocol):
    """What of an entry's row says where it stands."""

    @property
    def status(self) -> str:
        """One of draft, review, published, retired."""
        ...

    @property
    def merged_into(self) -> str | None:
        """Key of the entry that it was merged into."""
        ...


def why_not(row: HasState, status: str, *, approving: bool = False) -> Text | None:
    """Return why a row may not pass to a state, None when it may; a state may always stay as it is.

    Parameters
    ----------
    approving : bool
        Whether a reviewer approves it; nothing else publishes an entry that is stored.
    """
    if row.status == status:
        return None
    if row.merged_into is not None:
        return Text(
            f"the entry was merged into {row.merged_into!r}: change that one",
            f"该条目已并入 {row.merged_into!r}，请修改后者",
        )
    if status in NEXT_STATES[row.status] and (status != "published" or approving):
        return None
    allowed = sorted(NEXT_STATES[row.status])
    if status == "published" and "published" not in allowed:
        return Text(
            f"the entry is {row.status}; it can be published only from review: submit it first",
            f"条目为「{_NAMES[row.status]}」，须先提交审核才能发布",
        )
    if status == "published":
        return Text("the entry is in review: approve it to publish it", "条目正在审核，请用“通过”来发布")
    return Text(
        f"the entry is {row.status} and can become {' or '.join(allowed)}, not {status}",
        f"条目为「{_NAMES[row.status]}」，只能变为{'或'.join(f'「{_NAMES[each]}」' for each in allowed)}",
    )


def move(session: Session, row: LibraryEntryRow, status: str, *, approving: bool = False) -> None:
    """Pass a row to a state, noting who submitted it or took it out of review, and when.

    Raises
    ------
    Conflict
        When it may not (see `why_not`).
    """
    reason = why_not(row, status, approving=approving)
    if reason is not None:
        raise Conflict(reason)
    if row.status == status:
        return
    if row.status == "review":
        row.reviewed_at, row.reviewed_by = session.info["clock"].now(), session.info["actor"]
    row.status = status
    note_submission(session, row)


def note_submission(session: Session, row: LibraryEntryRow) -> None:
    """Note on a row that has just come into review who submitted it, and when."""
    if row.status == "review":
        row.submitted_at, row.submitted_by = session.info["clock"].now(), session.info["actor"]
