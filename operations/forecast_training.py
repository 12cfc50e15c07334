"""Training a forecast model on all history: measured, kept, tried against the one in use, and promoted or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.errors import NotReady, Text
from forecasting.backtest import backtest
from forecasting.forecaster import Forecaster, train
from forecasting.model import ForecastConfig, TooLittleHistory
from forecasting.model_file import load_forecaster, manifest_of, save_forecaster
from forecasting.panel import Panel
from forecasting.trial import Trial, TrialPlan, try_challenger
from operations.demand_history import HORIZON_DAYS, history
from operations.forecast_models import (
    KEPT_MODELS,
    ModelCard,
    card_of,
    champion_or_none,
    chosen_by_hand,
    model_file,
    note_change,
    prune,
    put_into_use,
    remove_files,
    set_status,
    version_for,
)
from operations.store.database import Database
from operations.store.tables import ForecastModel

BACKTEST_ORIGINS = 28
STALE_DAYS = 28
"""A champion whose data end so many days before the challenger's need only not be better to be replaced."""
Progress = Callable[[float, Text], None]


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How a model is trained and what happens to it.

    Attributes
    ----------
    config : ForecastConfig or None
        Its settings; None for the default ones with the country's calendar.
    measured_origins : int
        Origins of its backtest; 0 leaves it unmeasured.
    trial : TrialPlan
        On which days it is compared with the champion.
    kept_models : int
        Unused models that keep their files.
    scheduler : str or None
        Dask cluster that trains; see `ForecastConfig`.
    """

    config: ForecastConfig | None = None
    measured_origins: int = BACKTEST_ORIGINS
    trial: TrialPlan = field(default_factory=TrialPlan)
    kept_models: int = KEPT_MODELS
    scheduler: str | None = None


@dataclass(frozen=True, slots=True)
class _Decision:
    """Whether a model comes into use, why, and what its trial said; ``champion`` is the one it was tried against."""

    promoted: bool
    reason: Text
    champion: str | None = None
    trial: Trial | None = None

    def told(self) -> dict[str, Any]:
        """Return the trial as JSON can hold it."""
        if self.trial is None:
            return {}
        found: dict[str, Any] = asdict(self.trial.comparison) if self.trial.comparison else {}
        return {
            "champion": self.champion,
            "evidence": self.trial.evidence,
            "same_configuration": self.trial.same_configuration,
            **found,
            "reason": {"en": self.trial.reason.en, "zh": self.trial.reason.zh},
        }


def train_model(
    database: Database,
    folder: Path,
    actor: str,
    *,
    country: str = "CN",
    plan: TrainingPlan | None = None,
    progress: Progress | None = None,
) -> ModelCard | TooLittleHistory:
    """Backtest and train a model on all history, keep it, and try it against the one in use.

    The first model of all comes into use at once. Every later one is a challenger. It replaces the champion when its
    losses on days that neither has seen are smaller beyond noise (see `forecasting.trial`). It also does when it is not
    worse beyond noise and brings fresher data: trained with the champion's settings, or when the champion's data are
    four weeks old. A champion that a person chose is replaced only by a better one. Training the same history with the
    same settings again gives the same model, and changes only its measures.
    """
    plan = plan or TrainingPlan()
    with database.read() as session:
        panel = history(session)
    config = replace(plan.config or ForecastConfig(horizon=HORIZON_DAYS, country=country), scheduler=plan.scheduler)
    measured: dict[str, Any] = {}
    if plan.measured_origins:
        share = part(progress, 0.0, 0.4)
        measured = backtest(panel, origins=plan.measured_origins, horizon=HORIZON_DAYS, config=config, progress=share)
    forecaster = train(panel, config, progress=part(progress, 0.4, 0.7))
    if isinstance(forecaster, TooLittleHistory):
        return forecaster
    with database.read() as session:
        version = version_for(session, forecaster.version, _as_stored(forecaster))
    decision = _decide(database, folder, panel, forecaster, (version, plan, part(progress, 0.7, 1.0)))
    manifest = save_forecaster(forecaster, model_file(folder, version))
    with database.write(actor) as session:
        row = _keep(session, forecaster, version, manifest, measured)
        _settle(session, row, decision)
        doomed = prune(session, plan.kept_models)
        card = card_of(row)
    remove_files(folder, doomed)
    return card


def part(progress: Progress | None, begin: float, end: float) -> Progress | None:
    """Return a progress that runs from ``begin`` to ``end`` of the whole."""
    if progress is None:
        return None
    return lambda share, text: progress(begin + share * (end - begin), text)


def _as_stored(forecaster: Forecaster) -> dict[str, Any]:
    import json

    told: dict[str, Any] = json.loads(json.dumps(manifest_of(forecaster)))
    return told


def _decide(
    database: Database,
    folder: Path,
    panel: Panel,
    forecaster: Forecaster,
    how: tuple[str, TrainingPlan, Progress | None],
) -> _Decision:
    version, plan, progress = how
    with database.read() as session:
        row = champion_or_none(session)
        by_hand = row is not None and chosen_by_hand(session, row.version)
    if row is None:
        return _Decision(True, Text("the first model", "首个模型"))
    if row.version == version:
        return _Decision(
            True, Text("trained again with the same data and settings", "以相同数据和设置重新训练"), row.version
        )
    try:
        standing = load_forecaster(model_file(folder, row.version))
    except NotReady as error:
        reason = Text(f"the champion cannot be used any more: {error.text.en}", f"现用模型已无法使用：{error.text.zh}")
        return _Decision(True, reason, row.version)
    trial = try_challenger(panel, standing, forecaster, plan.trial, progress=progress)
    fresher = (forecaster.learned.trained_until - standing.learned.trained_until).days
    promoted, reason = judge(trial, fresher_days=fresher, by_hand=by_hand)
    return _Decision(promoted, reason, row.version, trial)


def judge(trial: Trial, *, fresher_days: int, by_hand: bool) -> tuple[bool, Text]:
    """Return whether a challenger with this trial replaces the champion, and why.

    Parameters
    ----------
    fresher_days : int
        Days that the challenger's data end after the champion's.
    by_hand : bool
        Whether a person put the champion into use.
    """
    found = trial.comparison
    if found is not None and found.better:
        return True, trial.reason
    if found is not None and found.worse:
        return False, trial.reason
    if by_hand:
        return False, Text(
            f"a person chose the champion, so that fresher data alone do not replace it; {trial.reason.en}",
            f"现用模型由人工选定，仅有更新的数据不予替换；{trial.reason.zh}",
        )
    if fresher_days > 0 and trial.same_configuration:
        return True, Text(
            f"fresh data ({fresher_days} days more), same settings, not worse beyond noise; {trial.reason.en}",
            f"数据更新（多 {fresher_days} 天）、设置相同，且未见显著变差；{trial.reason.zh}",
        )
    if fresher_days >= STALE_DAYS and found is not None:
        return True, Text(
            f"the champion's data are {fresher_days} days old, and the challenger is not worse beyond noise; "
            f"{trial.reason.en}",
            f"现用模型的数据已旧 {fresher_days} 天，挑战者未见显著变差；{trial.reason.zh}",
        )
    return False, Text(f"not better beyond noise; {trial.reason.en}", f"未显著更好；{trial.reason.zh}")


def _keep(
    session: Session, forecaster: Forecaster, version: str, manifest: dict[str, Any], measured: dict[str, Any]
) -> ForecastModel:
    row = session.get(ForecastModel, version)
    if row is None:
        row = ForecastModel(version=version, status="challenger")
        session.add(row)
    row.trained_at, row.trained_by = session.info["clock"].now(), session.info["actor"]
    row.data_checksum, row.measures, row.manifest = forecaster.learned.checksum, measured, manifest
    row.pruned_at = None
    session.flush()
    return row


def _settle(session: Session, row: ForecastModel, decision: _Decision) -> None:
    """Give a newly trained model its status."""
    note_change(session, row.version, "trained", decision.reason)
    standing = champion_or_none(session)
    if standing is not None and standing.version == row.version:
        return
    # An older challenger has had its chance.
    waiting = select(ForecastModel).where(ForecastModel.status == "challenger", ForecastModel.version != row.version)
    for older in session.scalars(waiting).all():
        text = Text(f"followed by the newer challenger {row.version}", f"已有更新的挑战者 {row.version}")
        set_status(session, older, "retired", text)
    row.trial = decision.told()
    if standing is not None and standing.version != decision.champion:
        reason = Text("another model came into use while this one was tried", "比较期间已有其他模型投入使用")
        set_status(session, row, "challenger", reason)
    elif decision.promoted:
        put_into_use(session, row, "promoted", decision.reason)
    else:
        set_status(session, row, "challenger", decision.reason)
    session.flush()
