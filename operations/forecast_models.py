"""The registry of forecast models: which one is in use, which waits, who decided it and why, and the way back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.errors import Conflict, InvalidInput, NotFound, NotReady, Text
from forecasting.trial import numeric_settings
from operations.access import Actor
from operations.store.tables import ForecastModel, ForecastModelChange

KEPT_MODELS = 10
"""Files of models that are no longer in use are kept of so many, the newest ones."""
_BY_HAND = ("chosen", "rolled_back")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A trained model.

    Attributes
    ----------
    version : str
        Last training day and checksum of the data; followed by one of the settings where two models share these.
    status : str
        ``champion`` (forecasts are made with it), ``challenger`` (the newest that is not), ``retired``.
    measures : dict
        Of its backtest; empty when it was not measured.
    manifest : dict
        What it was made from and with: features, settings, library versions.
    trial : dict
        How it did against the champion of that time: ``evidence``, ``champion``, ``mean_difference``, ``interval``,
        ``origins``; empty for the first model.
    decided_at, decided_by, reason
        Since when, by whom and why it has its status.
    predecessor : str or None
        The champion that it followed: what a roll-back goes back to.
    file_kept : bool
        Whether its file is still there, so that it can be used again.
    """

    version: str
    status: str
    trained_at: datetime
    trained_by: str
    data_checksum: str
    measures: dict[str, Any]
    manifest: dict[str, Any] = field(default_factory=dict)
    trial: dict[str, Any] = field(default_factory=dict)
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: Text | None = None
    predecessor: str | None = None
    file_kept: bool = True

    @property
    def trained_until(self) -> date | None:
        """Last day of the training data; None for models that older releases trained."""
        told = self.manifest.get("trained_until")
        return date.fromisoformat(told) if told else None


@dataclass(frozen=True, slots=True)
class ModelChange:
    """One line of the registry's history."""

    version: str
    kind: str
    replaced: str | None
    reason: Text
    at: datetime
    by: str


def model_file(folder: Path, version: str) -> Path:
    """Return where the file of a model lies."""
    return folder / version / "forecaster.zip"


def models(session: Session, actor: Actor) -> list[ModelCard]:
    """Return all trained models, the newest first."""
    actor.require("forecasts:read")
    rows = session.scalars(select(ForecastModel).order_by(ForecastModel.trained_at.desc(), ForecastModel.version))
    return [card_of(row) for row in rows]


def model(session: Session, actor: Actor, version: str) -> ModelCard:
    """Return one trained model.

    Raises
    ------
    NotFound
        When there is none of this version.
    """
    actor.require("forecasts:read")
    return card_of(_require(session, version))


def changes(session: Session, actor: Actor, *, limit: int = 50) -> list[ModelChange]:
    """Return the newest lines of the registry's history, the newest first."""
    actor.require("forecasts:read")
    rows = session.scalars(select(ForecastModelChange).order_by(ForecastModelChange.id.desc()).limit(limit))
    return [
        ModelChange(
            row.version, row.kind, row.replaced, Text(row.reason_en, row.reason_zh), row.created_at, row.created_by
        )
        for row in rows
    ]


def champion(session: Session) -> ForecastModel:
    """Return the row of the model in use.

    Raises
    ------
    NotReady
        When none is trained.
    """
    row = champion_or_none(session)
    if row is None:
        raise NotReady(
            Text(
                "no forecast model is trained yet: POST /v1/forecasts/train",
                "尚未训练预测模型：POST /v1/forecasts/train",
            )
        )
    return row


def champion_or_none(session: Session) -> ForecastModel | None:
    """Return the row of the model in use, or None when none is trained."""
    return session.scalars(select(ForecastModel).where(ForecastModel.status == "champion")).one_or_none()


def card_of(row: ForecastModel) -> ModelCard:
    """Return what is shown of a model's row."""
    reason = Text(row.reason_en, row.reason_zh or row.reason_en) if row.reason_en else None
    return ModelCard(
        version=row.version,
        status=row.status,
        trained_at=row.trained_at,
        trained_by=row.trained_by,
        data_checksum=row.data_checksum,
        measures=row.measures,
        manifest=row.manifest or {},
        trial=row.trial or {},
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        reason=reason,
        predecessor=row.predecessor,
        file_kept=row.pruned_at is None,
    )


def fingerprint(manifest: Mapping[str, Any]) -> str:
    """Return a short checksum of how a model was made: settings, features and library versions, but not the data."""
    parts = [manifest.get(name) for name in ("format", "features", "libraries")]
    made = [numeric_settings(manifest.get("config", {})), *parts]
    return hashlib.sha256(json.dumps(made, sort_keys=True, default=str).encode()).hexdigest()[:8]


def version_for(session: Session, version: str, manifest: Mapping[str, Any]) -> str:
    """Return the version under which a model is kept: its own, or with a mark where another one has it already."""
    row = session.get(ForecastModel, version)
    if row is None or fingerprint(row.manifest or {}) == fingerprint(manifest):
        return version
    return f"{version}-{fingerprint(manifest)}"


def chosen_by_hand(session: Session, version: str) -> bool:
    """Return whether a person put this model into use last, rather than its trial."""
    newest = session.scalars(
        select(ForecastModelChange)
        .where(ForecastModelChange.version == version, ForecastModelChange.kind.in_(("promoted", *_BY_HAND)))
        .order_by(ForecastModelChange.id.desc())
        .limit(1)
    ).one_or_none()
    return newest is not None and newest.kind in _BY_HAND


def put_into_use(session: Session, row: ForecastModel, kind: str, reason: Text) -> None:
    """Make a model the champion and retire the one before; both get when, who and why, and the history a line."""
    before = champion_or_none(session)
    replaced = None
    if before is not None and before.version != row.version:
        replaced = before.version
        text = Text(f"replaced by {row.version}: {reason.en}", f"被 {row.version} 取代：{reason.zh}")
        set_status(session, before, "retired", text)
        session.flush()
    if kind != "rolled_back":
        # After a roll-back the next one goes further back, not forth again.
        row.predecessor = replaced
    set_status(session, row, "champion", reason)
    note_change(session, row.version, kind, reason, replaced=replaced)
    session.flush()


def set_status(session: Session, row: ForecastModel, status: str, reason: Text) -> None:
    """Give a model a status, with when, who and why."""
    row.status, row.reason_en, row.reason_zh = status, reason.en, reason.zh
    row.decided_at, row.decided_by = session.info["clock"].now(), session.info["actor"]


def note_change(session: Session, version: str, kind: str, reason: Text, *, replaced: str | None = None) -> None:
    """Add a line to the registry's history."""
    session.add(
        ForecastModelChange(version=version, kind=kind, replaced=replaced, reason_en=reason.en, reason_zh=reason.zh)
    )


def promote(session: Session, folder: Path, actor: Actor, version: str, reason: str) -> ModelCard:
    """Put a kept model into use by hand, whatever its trial said.

    Raises
    ------
    NotFound
        When there is none of this version.
    InvalidInput
        Without a reason.
    Conflict
        When it is in use already, or its file is gone.
    """
    _may_decide(actor, reason)
    row = _require(session, version)
    if row.status == "champion":
        raise Conflict(Text(f"{version} is in use already", f"{version} 已在使用中"))
    _require_file(folder, row)
    put_into_use(session, row, "chosen", Text(reason, reason))
    return card_of(row)


def roll_back(session: Session, folder: Path, actor: Actor, reason: str) -> ModelCard:
    """Put the champion's predecessor back into use; once more goes further back.

    Raises
    ------
    NotReady
        When no model is trained.
    InvalidInput
        Without a reason.
    Conflict
        When the champion has no predecessor, or the file of that is gone.
    """
    _may_decide(actor, reason)
    standing = champion(session)
    row = session.get(ForecastModel, standing.predecessor) if standing.predecessor else None
    if row is None:
        raise Conflict(Text(f"there is no model before {standing.version}", f"{standing.version} 之前没有更早的模型"))
    _require_file(folder, row)
    put_into_use(session, row, "rolled_back", Text(reason, reason))
    return card_of(row)


def prune(session: Session, keep: int) -> list[str]:
    """Mark the files of old models as gone and return their versions; the caller removes the files after the commit.

    The champion, its predecessor and the challenger always keep theirs; of the others the newest ``keep`` do.
    """
    rows = session.scalars(
        select(ForecastModel).where(ForecastModel.pruned_at.is_(None)).order_by(ForecastModel.trained_at.desc())
    ).all()
    needed = {row.version for row in rows if row.status in ("champion", "challenger")}
    needed |= {row.predecessor for row in rows if row.status == "champion" and row.predecessor}
    others = [row for row in rows if row.version not in needed]
    reason = Text(f"only the newest {keep} unused models keep their files", f"仅保留最近 {keep} 个停用模型的文件")
    for row in others[keep:]:
        row.pruned_at = session.info["clock"].now()
        note_change(session, row.version, "pruned", reason)
    return [row.version for row in others[keep:]]


def remove_files(folder: Path, versions: list[str]) -> None:
    """Remove the files of these models."""
    for version in versions:
        path = model_file(folder, version)
        path.unlink(missing_ok=True)
        if path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()


def _may_decide(actor: Actor, reason: str) -> None:
    actor.require("forecasts:train")
    actor.require_region(None)  # one model serves all regions
    if not reason.strip():
        raise InvalidInput.at("/reason", "a reason is needed", "需要填写原因")


def _require(session: Session, version: str) -> ForecastModel:
    row = session.get(ForecastModel, version)
    if row is None:
        raise NotFound(Text(f"there is no forecast model {version!r}", f"没有预测模型 {version!r}"))
    return row


def _require_file(folder: Path, row: ForecastModel) -> None:
    if row.pruned_at is not None or not model_file(folder, row.version).exists():
        raise Conflict(
            Text(f"the file of {row.version} is gone: train again", f"{row.version} 的文件已删除：请重新训练")
        )
